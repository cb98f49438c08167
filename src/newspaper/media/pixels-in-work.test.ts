import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextIn, PixelsInWork } from './pixels-in-work.ts';

describe('of the pictures that wait', () => {
  const waiting = (...all: (number | [pixels: number, overtaken: number])[]) =>
    all.map((one) =>
      typeof one === 'number' ? { pixels: one, overtaken: 0 } : { pixels: one[0], overtaken: one[1] },
    );

  it.each([
    ['nobody, where nobody waits', waiting(), 64, undefined],
    ['the only one, where there is room', waiting(62), 64, 0],
    ['nobody, where the only one has no room', waiting(62), 52, undefined],
    ['the oldest of those that are as large', waiting(12, 12), 24, 0],
    ['a small one that came behind large ones', waiting(62, 62, 12), 64, 2],
    ['a small one that has room beside a large one', waiting(62, 2), 2, 1],
    ['nobody, where even the smallest has no room', waiting(62, 12), 2, undefined],
    ['a small one while the oldest was not overtaken too often', waiting([62, 7], 12), 64, 1],
    ['the oldest when it was', waiting([62, 8], 12), 64, 0],
    ['nobody when it was, until there is room for it', waiting([62, 8], 2), 52, undefined],
  ])('%s, is let in', (_, all, free, next) => {
    expect(nextIn(all, free)).toBe(next);
  });
});

describe('pictures in work', () => {
  it('never have more pixels together than they may, and each has its turn', async () => {
    const arrivals = fc.array(fc.record({ pixels: fc.integer({ min: 0, max: 80 }), lasts: fc.nat(4) }), {
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(arrivals, async (all) => {
        const inWork = new PixelsInWork(64);
        let [together, done] = [0, 0];
        await Promise.all(
          all.map(({ lasts, pixels }) =>
            inWork.during(pixels, async () => {
              together += Math.min(pixels, 64);
              expect(together).toBeLessThanOrEqual(64);
              for (let turn = 0; turn < lasts; turn++) await undefined;
              together -= Math.min(pixels, 64);
              done++;
            }),
          ),
        );
        expect(done).toBe(all.length);
      }),
    );
  });

  it('make room again when one turns out to be broken', async () => {
    const inWork = new PixelsInWork(64);
    const broken = inWork.during(64, () => Promise.reject(new Error('it breaks off')));
    const next = inWork.during(64, () => Promise.resolve('made'));
    await expect(broken).rejects.toThrow('it breaks off');
    expect(await next).toBe('made');
  });
});
