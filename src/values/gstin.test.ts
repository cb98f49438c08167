import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isGstin, isGstinOf } from './gstin.ts';

/** Such as stands in examples; nobody's. */
const GOOD = '27AAPFU0939F1ZV';

describe('a GSTIN', () => {
  it.each([
    [GOOD, true],
    ['27AAPFU0939F1ZW', false],
    ['27aapfu0939f1zv', false],
    ['27AAPFU0939F1V', false],
    ['AAAPFU0939F1ZVX', false],
    ['', false],
  ])('%s: %s', (text, good) => {
    expect(isGstin(text)).toBe(good);
  });

  it.each([
    ['IN', 'MH', true],
    ['IN', 'KA', false],
    ['IN', undefined, false],
    ['IN', 'XX', false],
    ['DE', undefined, false],
  ])('F115: is of its own state alone: %s %s %s', (country, state, good) => {
    expect(isGstinOf(GOOD, country, state)).toBe(good);
  });

  it('is refused with any one digit that was typed wrong', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 13 }), fc.integer({ min: 1, max: 9 }), (at, more) => {
        const was = GOOD[at] ?? '';
        fc.pre(/\d/.test(was));
        const wrong = GOOD.slice(0, at) + String((Number(was) + more) % 10) + GOOD.slice(at + 1);
        expect(isGstin(wrong)).toBe(false);
      }),
    );
  });
});
