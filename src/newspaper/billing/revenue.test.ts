import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { earnedBefore, leftBefore, type Sold } from './revenue.ts';

const day = Temporal.PlainDate.from;
/** A year for ₹2,288.14 without its tax: 365 days. */
const sold = (given: Partial<Sold> = {}): Sold => ({
  net: 228_814n,
  fromOn: day('2026-11-23'),
  untilOn: day('2027-11-23'),
  cutOn: undefined,
  credits: [],
  ...given,
});

describe('what of a sale is earned', () => {
  it.each([
    ['nothing before it begins', sold(), '2026-11-01', 0n],
    ['nothing as it begins', sold(), '2026-11-23', 0n],
    // 228,814 × 38 / 365 = 23,821.7
    ['by its days', sold(), '2026-12-31', 23_821n],
    ['all of it at its end', sold(), '2027-11-23', 228_814n],
    ['and no more ever after', sold(), '2030-01-01', 228_814n],
    [
      'what was credited counts from the day after',
      sold({ credits: [{ on: day('2026-12-31'), net: 100_000n }] }),
      '2026-12-31',
      23_821n,
    ],
    [
      // (228,814 − 100,000) × 39 / 365 = 13,763.8
      'and then lowers what was earned',
      sold({ credits: [{ on: day('2026-12-31'), net: 100_000n }] }),
      '2027-01-01',
      13_763n,
    ],
    [
      'nothing of what was given back whole',
      sold({ credits: [{ on: day('2026-12-31'), net: 228_814n }] }),
      '2027-06-01',
      0n,
    ],
    [
      'what is left of a term that was cut, all of it once it is',
      sold({ cutOn: day('2026-12-31'), credits: [{ on: day('2026-12-31'), net: 204_992n }] }),
      '2027-01-01',
      23_822n,
    ],
  ] as const)('%s', (_, given, on, earned) => {
    expect(earnedBefore(given, day(on))).toBe(earned);
  });

  it('I4: is never below nothing or above what is left, grows with the days, and is all of it in the end', () => {
    const days = fc.integer({ min: 1, max: 1_000 });
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 9n }),
        days,
        fc.integer({ min: -50, max: 1_100 }),
        fc.integer({ min: 0, max: 30 }),
        (net, length, at, more) => {
          const fromOn = day('2026-11-23');
          const one = sold({ net, fromOn, untilOn: fromOn.add({ days: length }) });
          const earned = earnedBefore(one, fromOn.add({ days: at }));
          expect(earned).toBeGreaterThanOrEqual(0n);
          expect(earned).toBeLessThanOrEqual(leftBefore(one, fromOn.add({ days: at })));
          expect(earnedBefore(one, fromOn.add({ days: at + more }))).toBeGreaterThanOrEqual(earned);
          expect(earnedBefore(one, one.untilOn)).toBe(net);
        },
      ),
    );
  });
});
