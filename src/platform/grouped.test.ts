import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { grouped, oneOfEach } from './grouped.ts';

/** Doubles numbers; a group that holds an odd one fails. @returns what to ask, and the groups that were worked on */
function doubling(options: { most: number; inFlight: number; apart?: boolean }) {
  const groups: number[][] = [];
  const ask = grouped(async (numbers: number[]) => {
    groups.push(numbers);
    await sleep(1);
    const odd = numbers.find((one) => one % 2 === 1);
    if (odd !== undefined) throw new Error(`${odd} is odd`);
    return numbers.map((one) => 2 * one);
  }, options);
  return { ask, groups };
}

describe('questions that are asked at the same time', () => {
  it('are answered together, each with its own answer, and as many groups at once as may be', async () => {
    const { ask, groups } = doubling({ most: 3, inFlight: 1 });
    expect(await Promise.all([2, 4, 6, 8].map(ask))).toEqual([4, 8, 12, 16]);
    expect(groups).toEqual([[2, 4, 6], [8]]);
    expect(await ask(10)).toBe(20);
  });

  it('fail together where one of them does', async () => {
    const { ask, groups } = doubling({ most: 9, inFlight: 1 });
    const settled = await Promise.allSettled([2, 3, 4].map(ask));
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(groups).toHaveLength(1);
  });

  it('fail each for themselves where that is wished, and later ones are answered', async () => {
    const { ask, groups } = doubling({ most: 9, inFlight: 1, apart: true });
    const settled = await Promise.allSettled([2, 3, 4, 5].map(ask));
    expect(settled).toEqual([
      { status: 'fulfilled', value: 4 },
      { status: 'rejected', reason: new Error('3 is odd') },
      { status: 'fulfilled', value: 8 },
      { status: 'rejected', reason: new Error('5 is odd') },
    ]);
    expect(groups).toEqual([[2, 3, 4, 5], [2], [3], [4], [5]]);
    await expect(ask(7)).rejects.toThrow('7 is odd');
    expect(await ask(8)).toBe(16);
  });
});

describe('lists with one of each key', () => {
  it('hold everything once, each key at most once to a list, and each key’s in their order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat())), (all) => {
        const lists = oneOfEach(all, ([key]) => key);
        for (const list of lists) expect(new Set(list.map(([key]) => key)).size).toBe(list.length);
        for (const key of ['a', 'b', 'c'])
          expect(lists.flat().filter((one) => one[0] === key)).toEqual(all.filter((one) => one[0] === key));
        expect(lists.flat()).toHaveLength(all.length);
      }),
    );
  });
});
