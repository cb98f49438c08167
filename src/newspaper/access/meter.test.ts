import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { left, limitFor, type MeterState, NOTHING_OPENED, union } from './meter.ts';

const opened = (...ids: string[]): MeterState => ({ opened: new Set(ids) });

describe('how many stories are left', () => {
  it.each<[number, number, number]>([
    [0, 5, 5],
    [1, 5, 4],
    [4, 5, 1],
    [5, 5, 0],
    // The publisher lowered the limit in the middle of the month: nobody owes stories.
    [5, 3, 0],
    // … or raised it.
    [5, 8, 3],
    [0, 0, 0],
    [3, 0, 0],
  ])('%i opened of %i leaves %i', (count, limit, expected) => {
    const ids = Array.from({ length: count }, (_, index) => `story-${index}`);
    expect(left(opened(...ids), limit)).toBe(expected);
  });

  it('is everything for who has opened nothing', () => {
    expect(left(NOTHING_OPENED, 5)).toBe(5);
  });
});

describe('whose limit holds', () => {
  const limits = { visitors: 5, readers: 10 };
  it.each([
    ['a first visit', undefined, 5],
    ['a visitor', { kind: 'visitor', id: 'v' } as const, 5],
    ['a reader', { kind: 'reader', id: 'r' } as const, 10],
  ])('%s has the limit meant for such', (_, holder, limit) => {
    expect(limitFor(holder, limits)).toBe(limit);
  });
});

describe('joining a visitor’s meter with a reader’s', () => {
  const ids = fc.uniqueArray(fc.constantFrom(...'abcdefghij'), { maxLength: 10 });
  const state = ids.map((list) => opened(...list));

  it('costs a story that both have read once', () => {
    expect([...union(opened('a', 'b'), opened('b', 'c')).opened].sort()).toEqual(['a', 'b', 'c']);
  });

  it('is never a second allowance and never loses a count, whoever signs in how often', () => {
    fc.assert(
      fc.property(state, state, fc.nat(12), (a, b, limit) => {
        const joined = union(a, b);
        expect(left(joined, limit)).toBeLessThanOrEqual(Math.min(left(a, limit), left(b, limit)));
        for (const id of [...a.opened, ...b.opened]) expect(joined.opened.has(id)).toBe(true);
        expect(joined.opened.size).toBeLessThanOrEqual(a.opened.size + b.opened.size);
        expect(union(joined, b)).toEqual(joined);
        expect([...union(b, a).opened].sort()).toEqual([...joined.opened].sort());
      }),
    );
  });

  it('leaves both meters as they were', () => {
    const [a, b] = [opened('a'), opened('b')];
    union(a, b);
    expect([a, b]).toEqual([opened('a'), opened('b')]);
  });
});
