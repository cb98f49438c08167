import { describe, expect, it } from 'vitest';
import { makePlan } from './catalog.ts';
import { conditionWords, offerBeside, offerWords } from './condition-words.ts';
import type { Offer } from './offers.ts';

const rupees = (minor: bigint) => ({ minor, currency: 'INR' });
const plan = (slug: string, months: number, minor: bigint) =>
  makePlan({ slug, name: slug, product: 'paper', months, price: rupees(minor) });
const QUARTERLY = plan('quarterly', 3, 90_000n);
const YEARLY = plan('yearly', 12, 270_000n);

const offer = (given: Partial<Offer> = {}): Offer => ({
  slug: 'o',
  name: 'O',
  planSlug: undefined,
  trialDays: 0,
  phases: [],
  who: 'anyone',
  lapsedDays: 30,
  fromOn: Temporal.PlainDate.from('2026-11-01'),
  untilOn: undefined,
  needsCode: false,
  most: undefined,
  ...given,
});

describe('the conditions of an order', () => {
  it.each([
    [QUARTERLY, undefined, 'It costs ₹900 for 3 months', ''],
    [
      QUARTERLY,
      offer({ trialDays: 14 }),
      'The first 14 days cost nothing. After that it costs ₹900 for 3 months',
      'First 14 days free',
    ],
    [
      YEARLY,
      offer({ phases: [{ terms: 1, percentOff: 50 }] }),
      'The first term of 1 year costs ₹1,350. After that it costs ₹2,700 for 1 year',
      'First year for ₹1,350',
    ],
    [
      QUARTERLY,
      offer({
        trialDays: 1,
        phases: [
          { terms: 2, price: rupees(9_900n) },
          { terms: 1, percentOff: 50 },
        ],
      }),
      'The first day costs nothing. The first 2 terms of 3 months cost ₹99 each. The next term of 3 months costs ₹450. After that it costs ₹900 for 3 months',
      'First day free, then first 6 months at ₹99 a term',
    ],
  ] as const)('name every price that is charged: %#', (bought, given, words, short) => {
    expect(conditionWords(bought, given, 'en-IN')).toBe(words);
    if (given !== undefined) expect(offerWords(bought, given, 'en-IN')).toBe(short);
  });

  it('stand beside the plans that they are for, and never what is for those who come back', () => {
    const all = [
      offer({ slug: 'back', who: 'lapsed' }),
      offer({ slug: 'year', planSlug: 'yearly' }),
      offer({ slug: 'any' }),
    ];
    expect(offerBeside(QUARTERLY, all)?.slug).toBe('any');
    expect(offerBeside(YEARLY, all)?.slug).toBe('year');
    expect(offerBeside(YEARLY, [])).toBeUndefined();
  });
});
