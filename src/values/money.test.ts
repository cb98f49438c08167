import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocate, formatExactly, formatMoney, minorFrom, minorText, perMonth, shareOf } from './money.ts';

describe('a price a month', () => {
  it.each([
    [390_000n, 24, 'INR', 16_200n],
    [90_000n, 3, 'INR', 30_000n],
    [1_000n, 3, 'JPY', 333n],
    [10_500n, 2, 'KWD', 5_000n],
  ])(
    'of %i for %i months in %s is a whole unit, rounded down (F110, F111, I37)',
    (minor, months, currency, wanted) => {
      expect(perMonth({ minor, currency }, months)).toEqual({ minor: wanted, currency });
    },
  );
});

describe('an amount in words', () => {
  it.each([
    ['INR', 270_000n, 'en-IN', '₹2,700', '₹2,700.00'],
    ['INR', 12_345_650n, 'en-IN', '₹1,23,456.50', '₹1,23,456.50'],
    ['GBP', 5n, 'en-GB', '£0.05', '£0.05'],
    ['JPY', 500n, 'ja-JP', '￥500', '￥500'],
    ['KWD', 4_005n, 'en-GB', 'KWD 4.005', 'KWD 4.005'],
    ['KWD', 4_000n, 'en-GB', 'KWD 4', 'KWD 4.000'],
    ['EUR', 0n, 'de-DE', '0 €', '0,00 €'],
    ['INR', 9_007_199_254_740_993n, 'en-US', '₹90,071,992,547,409.93', '₹90,071,992,547,409.93'],
  ])(
    '%s %i in %s is %s to a reader and %s in a book (F108, F110)',
    (currency, minor, language, shown, exact) => {
      const said = (text: string) => text.replace(/\u00a0/g, ' ');
      expect(said(formatMoney({ minor, currency }, language))).toBe(shown);
      expect(said(formatExactly({ minor, currency }, language))).toBe(exact);
    },
  );
});

describe('a share of an amount', () => {
  it.each([
    [90_000n, 18n, 118n, 13_729n],
    [1n, 1n, 2n, 1n],
    [3n, 1n, 4n, 1n],
    [0n, 1n, 3n, 0n],
  ])('%i times %i of %i is the nearest, a half upwards', (amount, numerator, denominator, wanted) => {
    expect(shareOf(amount, numerator, denominator)).toBe(wanted);
  });
});

describe('an amount that is divided', () => {
  it.each([
    [19_900n, [10_000n, 7_000n, 1_000n], [11_056n, 7_739n, 1_105n]],
    [100n, [1n, 1n, 1n], [34n, 33n, 33n]],
    [5n, [0n, 1n], [0n, 5n]],
    [0n, [3n, 4n], [0n, 0n]],
  ])(
    '%i over %s goes to who lost most by rounding, of equals to the first (F109)',
    (total, weights, wanted) => {
      expect(allocate(total, weights)).toEqual(wanted);
    },
  );

  it('is all there, each part within one of its share (I34)', () => {
    const weights = fc
      .array(fc.bigInt({ min: 0n, max: 1_000_000n }), { minLength: 1, maxLength: 8 })
      .filter((some) => some.some((one) => one > 0n));
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 12n }), weights, (total, given) => {
        const parts = allocate(total, given);
        const sum = given.reduce((all, one) => all + one, 0n);
        expect(parts.reduce((all, one) => all + one, 0n)).toBe(total);
        for (const [at, part] of parts.entries()) {
          const share = (total * (given[at] ?? 0n)) / sum;
          expect(part === share || part === share + 1n).toBe(true);
        }
      }),
    );
    expect(() => allocate(1n, [0n])).toThrow(RangeError);
  });
});

describe('an amount that is typed', () => {
  it.each([
    ['450', 'INR', 45_000n],
    ['450.5', 'INR', 45_050n],
    ['1,450.50', 'INR', 145_050n],
    [' 7 ', 'INR', 700n],
    ['450.505', 'INR', undefined],
    ['450.505', 'KWD', 450_505n],
    ['500', 'JPY', 500n],
    ['500.0', 'JPY', undefined],
    ['-1', 'INR', undefined],
    ['1e3', 'INR', undefined],
    ['', 'INR', undefined],
    ['₹5', 'INR', undefined],
  ] as const)('%s %s', (text, currency, minor) => {
    expect(minorFrom(text, currency)).toBe(minor);
  });
});

describe('an amount in digits', () => {
  it.each([
    [145_050n, 'INR', '1450.50'],
    [-5n, 'INR', '-0.05'],
    [0n, 'INR', '0.00'],
    [500n, 'JPY', '500'],
    [4_500n, 'KWD', '4.500'],
  ] as const)('%s %s', (minor, currency, text) => {
    expect(minorText({ minor, currency })).toBe(text);
  });
});
