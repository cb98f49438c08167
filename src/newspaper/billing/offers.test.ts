import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  codeHash,
  type Offer,
  offerFault,
  phasesOf,
  type ReaderPast,
  refusalOf,
  type Taken,
} from './offers.ts';

const day = Temporal.PlainDate.from;
const TODAY = day('2026-11-23');
const YEARLY = { slug: 'yearly', price: { minor: 270_000n, currency: 'INR' } };
const rupees = (minor: bigint) => ({ minor, currency: 'INR' });

const offer = (given: Partial<Offer> = {}): Offer => ({
  slug: 'half',
  name: 'Half the price for a year',
  planSlug: 'yearly',
  trialDays: 0,
  phases: [{ terms: 1, percentOff: 50 }],
  who: 'anyone',
  lapsedDays: 30,
  fromOn: day('2026-11-01'),
  untilOn: day('2026-12-01'),
  needsCode: false,
  most: undefined,
  ...given,
});
const STRANGER: ReaderPast = {
  hadAny: false,
  hadTrial: false,
  endedOn: undefined,
  wasChargedBack: false,
  cameBackOn: undefined,
  hadThis: false,
};
const past = (given: Partial<ReaderPast> = {}): ReaderPast => ({ ...STRANGER, ...given });
const gone = (endedOn: string, more: Partial<ReaderPast> = {}) =>
  past({ hadAny: true, endedOn: day(endedOn), ...more });
const FREE: Taken = { offer: 0, code: undefined };
const code = (taken: number, most: number | undefined): Taken => ({ offer: taken, code: { taken, most } });

describe('who may begin with an offer', () => {
  it.each([
    ['anyone, while it is open', offer(), STRANGER, FREE, undefined],
    ['nobody before its first day', offer({ fromOn: day('2026-11-24') }), STRANGER, FREE, 'no-such-offer'],
    ['nobody from its last day on', offer({ untilOn: TODAY }), STRANGER, FREE, 'no-such-offer'],
    ['nobody who buys another plan', offer({ planSlug: 'quarterly' }), STRANGER, FREE, 'no-such-offer'],
    ['whoever buys any plan, where it is for all', offer({ planSlug: undefined }), STRANGER, FREE, undefined],
    [
      'nobody, where its price is in another currency',
      offer({ phases: [{ terms: 1, price: { minor: 100n, currency: 'EUR' } }] }),
      STRANGER,
      FREE,
      'no-such-offer',
    ],
    ['nobody without the code', offer({ needsCode: true }), STRANGER, FREE, 'no-such-offer'],
    ['whoever has the code', offer({ needsCode: true }), STRANGER, code(3, undefined), undefined],
    ['F123: nobody with a code that is used', offer({ needsCode: true }), STRANGER, code(1, 1), 'all-taken'],
    ['as many as it is for', offer({ most: 10 }), STRANGER, { ...FREE, offer: 9 }, undefined],
    ['and not one more', offer({ most: 10 }), STRANGER, { ...FREE, offer: 10 }, 'all-taken'],
    ['nobody twice', offer(), past({ hadAny: true, hadThis: true }), FREE, 'had-already'],
    ['who is new', offer({ who: 'new' }), STRANGER, FREE, undefined],
    ['and nobody who subscribed before', offer({ who: 'new' }), gone('2020-01-01'), FREE, 'not-for-you'],
    [
      'F129: nobody who had a trial, where it is one',
      offer({ trialDays: 14 }),
      past({ hadAny: true, hadTrial: true }),
      FREE,
      'had-already',
    ],
    ['who has been gone for long enough', offer({ who: 'lapsed' }), gone('2026-10-24'), FREE, undefined],
    ['and nobody a day sooner', offer({ who: 'lapsed' }), gone('2026-10-25'), FREE, 'not-for-you'],
    [
      'F60: who left today, where no days are asked for',
      offer({ who: 'lapsed', lapsedDays: 0 }),
      gone('2026-11-23'),
      FREE,
      undefined,
    ],
    ['nobody who is still here', offer({ who: 'lapsed' }), past({ hadAny: true }), FREE, 'not-for-you'],
    ['nobody who never was', offer({ who: 'lapsed' }), STRANGER, FREE, 'not-for-you'],
    [
      'nobody whose bank took money back',
      offer({ who: 'lapsed' }),
      gone('2026-01-01', { wasChargedBack: true }),
      FREE,
      'not-for-you',
    ],
    [
      'who came back half a year ago',
      offer({ who: 'lapsed' }),
      gone('2026-10-01', { cameBackOn: day('2026-05-27') }),
      FREE,
      undefined,
    ],
    [
      'and nobody who did less long ago',
      offer({ who: 'lapsed' }),
      gone('2026-10-01', { cameBackOn: day('2026-05-28') }),
      FREE,
      'not-for-you',
    ],
  ] as const)('%s', (_, given, reader, taken, refused) => {
    expect(refusalOf(given, YEARLY, reader, taken, TODAY)).toBe(refused);
  });
});

describe('the prices of an offer', () => {
  it('are its own, or the plan’s less so many per cent, of which a part of a paisa is the reader’s', () => {
    const given = offer({
      phases: [
        { terms: 1, price: rupees(9_900n) },
        { terms: 2, percentOff: 33 },
      ],
    });
    expect(phasesOf(given, { price: rupees(89_999n) })).toEqual([
      { terms: 1, price: rupees(9_900n) },
      { terms: 2, price: rupees(60_299n) },
    ]);
  });

  it('are never nothing and never above the plan’s', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 10n ** 12n }),
        fc.integer({ min: 1, max: 99 }),
        (minor, percentOff) => {
          const [phase] = phasesOf(offer({ phases: [{ terms: 1, percentOff }] }), { price: rupees(minor) });
          expect(phase?.price.minor).toBeGreaterThan(0n);
          expect(phase?.price.minor).toBeLessThanOrEqual(minor);
        },
      ),
    );
  });
});

describe('a code', () => {
  it('is the same however it is typed', () => {
    const typed = ['7KQ2-MB4X', '7kq2-mb4x', ' 7KQ2 MB4X ', '7kq2mb4x'].map(codeHash);
    expect(new Set(typed).size).toBe(1);
    expect(codeHash('7KQ2-MB4Y')).not.toBe(typed[0]);
  });
});

describe('an offer that makes no sense', () => {
  it.each([
    ['of a plan that there is not', offer({ planSlug: 'weekly' }), 0, /no plan weekly/],
    ['of nothing', offer({ phases: [] }), 0, /offers nothing/],
    ['with a code that nobody has', offer({ needsCode: true }), 0, /nobody could have it/],
    ['dearer than its plan', offer({ phases: [{ terms: 1, price: rupees(270_000n) }] }), 0, /no less/],
    [
      'at one price for every plan',
      offer({ planSlug: undefined, phases: [{ terms: 1, price: rupees(100n) }] }),
      0,
      /per cent/,
    ],
    ['that does make sense', offer({ needsCode: true }), 1, undefined],
  ] as const)('%s', (_, given, codes, fault) => {
    const found = offerFault(given, [YEARLY], codes);
    if (fault === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(fault);
  });
});
