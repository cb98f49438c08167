import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Load, NO_LOAD, nextLoad, watchLoad } from './load.ts';

/** The load after some seconds in which every look was so late, and so many asked a second. */
function loadAfter(seconds: number, lateMs: number, from: Load = NO_LOAD, perSecond = 1_000): Load {
  let load = from;
  const sinceMs = lateMs + 50;
  for (let ms = 0; ms < seconds * 1_000; ms += sinceMs)
    load = nextLoad(load, lateMs, sinceMs, (perSecond * sinceMs) / 1_000);
  return load;
}

describe('how many are turned away', () => {
  it('is nobody while all is well, or for one moment’s stall', () => {
    expect(loadAfter(60, 20)).toMatchObject({ strangers: 0, readers: 0 });
    for (const stall of [100, 300, 900]) {
      const load = loadAfter(5, 5, nextLoad(loadAfter(5, 5), stall, 50, 50));
      expect(load).toMatchObject({ strangers: 0, readers: 0 });
    }
  });

  it('is nobody where few ask, however late the machine makes this process', () => {
    expect(loadAfter(30, 900, NO_LOAD, 50)).toMatchObject({ strangers: 0, readers: 0 });
  });

  it('is some strangers after a short while of it, and all of them, but no reader, within two seconds', () => {
    const soon = loadAfter(0.6, 150);
    expect([soon.strangers > 0.1, soon.strangers < 0.9, soon.readers]).toEqual([true, true, 0]);
    expect(loadAfter(2, 300)).toMatchObject({ strangers: 1, readers: 0 });
  });

  it('is told to strangers later and later where telling all of them is too much, before a reader is turned away', () => {
    const held = loadAfter(2, 300);
    expect([held.strangers, held.holdMs > 100, held.readers]).toEqual([1, true, 0]);
    const better = loadAfter(0.4, 5, loadAfter(6, 150));
    expect([better.strangers, better.holdMs < 1_000, better.readers]).toEqual([1, true, 0]);
  });

  it('is readers too where even that is not enough; they are let in again first, and everybody within five seconds', () => {
    const worst = loadAfter(6, 900);
    expect([worst.strangers, worst.readers > 0.5]).toEqual([1, true]);
    const better = loadAfter(1.6, 5, worst);
    expect([better.readers < worst.readers, better.strangers > 0.5]).toEqual([true, true]);
    expect(loadAfter(5, 5, worst)).toMatchObject({ strangers: 0, readers: 0 });
  });

  it('never is a reader turned away while a stranger is let in, nor a part that is none', () => {
    const looks = fc.array(fc.tuple(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 1, max: 3_000 })), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(looks, (all) => {
        let load = NO_LOAD;
        for (const [lateMs, sinceMs] of all) {
          load = nextLoad(load, lateMs, sinceMs, sinceMs);
          for (const part of [load.strangers, load.readers]) expect(part >= 0 && part <= 1).toBe(true);
          if (load.readers > 0 || load.holdMs > 0) expect(load.strangers).toBe(1);
        }
      }),
    );
  });
});

describe('a process whose database is late', () => {
  it.each([
    ['stranger', 399, false],
    ['stranger', 400, true],
    ['reader', 1_599, false],
    ['reader', 1_600, true],
    ['always', 100_000, false],
  ] as const)('lets nobody wait behind too many: a %s behind %i', (claim, waiting, isTooMuch) => {
    const watch = watchLoad();
    expect(watch.isTooMuchFor(() => claim, waiting)).toBe(isTooMuch);
    watch.stop();
  });
});

/** Who asks need not be known while nobody is turned away. */
const never = () => {
  throw new Error('it was asked who asks');
};

describe('a process that is late', () => {
  it('turns strangers away, never what always has to be answered, and soon nobody any more', async () => {
    const watch = watchLoad();
    try {
      expect(watch.isTooMuchFor(never, 0)).toBe(false);
      for (let rounds = 0; watch.load.strangers < 0.2 && rounds < 50; rounds++) {
        const end = performance.now() + 400;
        for (let asked = 0; asked < 100; asked++) watch.isTooMuchFor(() => 'always', 0);
        while (performance.now() < end);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const turnedAway = (claim: 'stranger' | 'always') =>
        Array.from({ length: 1_000 }, () => watch.isTooMuchFor(() => claim, 0)).filter(Boolean).length;
      expect(turnedAway('stranger')).toBeGreaterThan(150);
      expect(turnedAway('always')).toBe(0);
      await expect.poll(() => watch.load.strangers, { timeout: 10_000 }).toBe(0);
    } finally {
      watch.stop();
    }
  }, 20_000);
});
