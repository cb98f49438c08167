import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { begun } from './agreement.ts';
import type { ChargeIntent } from './charges.store.ts';
import type { Rail } from './gateways/gateway.ts';
import { isUsable, mayCharge, mayTake, nextAct, notBefore } from './renewal.ts';
import { type Mandate, NO_DETAILS, type Subscription } from './subscriptions.store.ts';

const ZONE = 'Asia/Kolkata';
const day = Temporal.PlainDate.from;
/** Midnight in India, and so many hours later. */
const at = (on: string, hours = 0) => day(on).toZonedDateTime(ZONE).toInstant().add({ hours });
const PRICE = { minor: 90_000n, currency: 'INR' };
const NOW = at('2026-12-01');

const mandate = (given: Partial<Mandate> = {}): Mandate => ({
  id: 'm1',
  gateway: 'sandbox',
  token: 'man_1',
  rail: 'card_intl',
  status: 'active',
  maxAmount: { minor: 135_000n, currency: 'INR' },
  expiresOn: undefined,
  method: 'Visa ending 4242',
  ...given,
});

/** Paid from 23 November 2026 to 23 February 2027, reminded already. */
const subscription = (given: Partial<Subscription> = {}): Subscription => ({
  id: 's1',
  readerId: 'r1',
  product: 'paper',
  planName: 'Quarterly',
  nextPlanName: 'Quarterly',
  country: 'IN',
  countryState: 'KA',
  createdAt: at('2026-11-23', 12),
  mandate: mandate(),
  remindedSeq: 1,
  parkedReason: undefined,
  offerSlug: undefined,
  trialDays: 0,
  buyer: NO_DETAILS,
  ...begun({ planSlug: 'quarterly', months: 3, price: PRICE }, ZONE),
  state: 'active',
  anchorOn: day('2026-11-23'),
  monthsPaid: 3,
  nextSeq: 1,
  paidThroughOn: day('2027-02-23'),
  ...given,
});

const tried = (given: Partial<ChargeIntent> = {}): ChargeIntent => ({
  id: 'i1',
  subscriptionId: 's1',
  termSeq: 1,
  attempt: 1,
  gateway: 'sandbox',
  amount: PRICE,
  status: 'failed',
  checkoutId: undefined,
  checkoutUrl: undefined,
  next: '/',
  failureCode: 'card_declined',
  failureKind: 'later',
  parkedReason: undefined,
  givenBackReason: undefined,
  mandateId: 'm1',
  invoiceId: undefined,
  notBefore: undefined,
  createdAt: at('2027-02-22'),
  decidedAt: at('2027-02-22'),
  polls: 0,
  change: undefined,
  ...given,
});

const next = (sub: Subscription, newest?: ChargeIntent, now = NOW) => {
  const found = nextAct(sub, newest, now);
  return found && `${found.act} ${found.at.toZonedDateTimeISO(ZONE).toPlainDateTime()}`;
};

describe('what comes next of a subscription', () => {
  it.each([
    ['that nobody has paid', subscription({ state: 'incomplete' }), 'give up 2026-11-24T12:00:00'],
    ['that is over', subscription({ state: 'expired' }), undefined],
    [
      'F61: that nobody was reminded of',
      subscription({ remindedSeq: undefined }),
      'remind 2027-02-16T00:00:00',
    ],
    [
      'for a year, which California’s law has reminded of 15 to 45 days ahead',
      subscription({ remindedSeq: undefined, months: 12 }),
      'remind 2027-01-24T00:00:00',
    ],
    ['that is charged to an international card', subscription(), 'charge 2027-02-22T00:00:00'],
    [
      'F73: that is charged to an Indian card',
      subscription({ mandate: mandate({ rail: 'card_in' }) }),
      'charge 2027-02-20T00:00:00',
    ],
    [
      'F73: that is charged by UPI',
      subscription({ mandate: mandate({ rail: 'upi' }) }),
      'charge 2027-02-20T00:00:00',
    ],
    ['that nothing can be charged for', subscription({ mandate: undefined }), 'day 2027-02-23T00:00:00'],
    [
      'that its reader has cancelled',
      subscription({ cancelOn: day('2027-02-23') }),
      'day 2027-02-23T00:00:00',
    ],
    [
      'that rests',
      subscription({
        state: 'paused',
        pause: { bankedDays: 30, resumesOn: day('2027-01-15') },
      }),
      'day 2027-01-15T00:00:00',
    ],
    ['F101: that is disputed', subscription({ isDisputed: true }), 'day 2027-02-23T00:00:00'],
    ['F17: that is parked', subscription({ parkedReason: 'x' }), 'day 2027-02-23T00:00:00'],
    [
      'on trial',
      subscription({
        state: 'trialing',
        anchorOn: undefined,
        paidThroughOn: undefined,
        trialEndsOn: day('2026-12-23'),
        nextSeq: 0,
        remindedSeq: undefined,
      }),
      'remind 2026-12-20T00:00:00',
    ],
    [
      'in grace, without anything to charge',
      subscription({ state: 'past_due', mandate: undefined }),
      'day 2027-03-02T00:00:00',
    ],
    [
      'that rests unpaid, without anything to charge',
      subscription({ state: 'suspended', mandate: undefined }),
      'day 2027-03-16T00:00:00',
    ],
  ] as const)('%s', (_, sub, act) => {
    expect(next(sub)).toBe(act);
  });
});

describe('a price that is to change', () => {
  const priceChange = {
    id: 'quarterly-1',
    planSlug: 'quarterly',
    price: { minor: 99_000n, currency: 'INR' },
    fromOn: day('2026-12-01'),
    noticeDays: 30,
    capPercent: undefined,
    notBeforeOn: undefined,
  };
  const old = subscription({ priceChange, pricedOn: day('2025-11-23') });

  it('is told at the beginning of its days, or of the day that has room', () => {
    expect(next(old)).toBe('tell price 2027-01-09T00:00:00');
    const crowded = { ...priceChange, notBeforeOn: day('2027-01-12') };
    expect(next({ ...old, priceChange: crowded })).toBe('tell price 2027-01-12T00:00:00');
  });

  it('is told on the day that workers are back, and where that is too late, before the boundary after', () => {
    expect(next(old, undefined, at('2027-01-20', 9))).toBe('tell price 2027-01-20T00:00:00');
    // Everything else comes as ever.
    expect(next(old, undefined, at('2027-01-24'))).toBe('charge 2027-02-22T00:00:00');
  });

  it('is not told while the term that it would be of is paid at the price before', () => {
    const paying = tried({ status: 'submitted', mandateId: undefined, failureKind: undefined });
    const falls = { ...old, priceChange: { ...priceChange, price: { minor: 80_000n, currency: 'INR' } } };
    expect(next(falls, undefined, at('2027-02-10'))).toBe('tell price 2027-02-10T00:00:00');
    expect(next(falls, paying, at('2027-02-10'))).toBe('close checkout 2027-02-22T00:00:00');
  });

  it('is told before it is charged, and does not come while its reader has cancelled', () => {
    expect(next({ ...old, cancelOn: day('2027-02-23') })).toBe('day 2027-02-23T00:00:00');
  });
});

describe('a charge that was tried', () => {
  const late = subscription({ state: 'past_due' });
  it.each([
    ['and declined for now, by card', late, tried(), 'charge 2027-02-24T00:00:00'],
    [
      'for the second time',
      late,
      tried({ attempt: 2, createdAt: at('2027-02-24') }),
      'charge 2027-02-26T00:00:00',
    ],
    [
      'for the third time',
      late,
      tried({ attempt: 3, createdAt: at('2027-02-26') }),
      'charge 2027-03-02T00:00:00',
    ],
    [
      'and given back, since its reader had chosen otherwise meanwhile: once that cannot be taken for a second charge',
      late,
      tried({
        status: 'succeeded',
        failureKind: undefined,
        givenBackReason: 'another plan',
        decidedAt: at('2027-02-23'),
      }),
      'charge 2027-02-24T01:00:00',
    ],
    [
      'and given back, by UPI, which takes no second one',
      { ...late, mandate: mandate({ rail: 'upi' }) },
      tried({
        status: 'succeeded',
        failureKind: undefined,
        givenBackReason: 'another plan',
        decidedAt: at('2027-02-23'),
      }),
      'day 2027-03-02T00:00:00',
    ],
    ['F64: and declined for good', late, tried({ failureKind: 'never' }), 'day 2027-03-02T00:00:00'],
    ['F67: and wants its reader', late, tried({ failureKind: 'authenticate' }), 'day 2027-03-02T00:00:00'],
    [
      'F05: and got no answer',
      subscription(),
      tried({ status: 'submitted', failureKind: undefined, decidedAt: undefined }),
      'ask 2027-02-22T00:05:00',
    ],
    [
      'F05: and was asked about once',
      subscription(),
      tried({ status: 'unknown', failureKind: undefined, decidedAt: undefined, polls: 1 }),
      'ask 2027-02-22T01:00:00',
    ],
    [
      'F68: and waits for a bank, from when that may take it',
      subscription(),
      tried({
        status: 'pending',
        failureKind: undefined,
        decidedAt: undefined,
        notBefore: at('2027-02-21', 1),
      }),
      'ask 2027-02-21T02:00:00',
    ],
    [
      'and was asked about often enough',
      subscription(),
      tried({ status: 'pending', failureKind: undefined, polls: 5 }),
      'park 2027-02-22T00:00:00',
    ],
    [
      'at a page that is still open',
      subscription(),
      tried({ status: 'submitted', mandateId: undefined, failureKind: undefined }),
      'close checkout 2027-02-22T00:00:00',
    ],
    [
      'at a page that was left',
      late,
      tried({ status: 'canceled', mandateId: undefined, failureKind: undefined }),
      'charge 2027-02-22T00:00:00',
    ],
    [
      'for the term before',
      subscription(),
      tried({ termSeq: 0, status: 'succeeded' }),
      'charge 2027-02-22T00:00:00',
    ],
  ] as const)('%s', (_, sub, newest, act) => {
    expect(next(sub, newest)).toBe(act);
  });

  it('by UPI again a day later, and four times at the most in a cycle', () => {
    const upi = subscription({ state: 'past_due', mandate: mandate({ rail: 'upi' }) });
    const times = [1, 2, 3, 4].map((attempt) =>
      next(upi, tried({ attempt, createdAt: at('2027-02-22'), decidedAt: at('2027-02-23', 3) })),
    );
    expect(times).toEqual([
      'charge 2027-02-23T03:00:00',
      'charge 2027-02-23T03:00:00',
      'charge 2027-02-24T00:00:00',
      'day 2027-03-02T00:00:00',
    ]);
  });

  it('at the moment that the grace ends is charged after its reader is shut out: it buys a term that begins anew', () => {
    const third = tried({ attempt: 3, createdAt: at('2027-02-26') });
    expect(next(late, third, at('2027-03-02'))).toBe('day 2027-03-02T00:00:00');
  });

  it('F18: too late for its term waits until its reader is shut out, and begins anew then', () => {
    const now = at('2027-03-10');
    expect(next(subscription(), undefined, now)).toBe('day 2027-02-23T00:00:00');
    expect(next(subscription({ state: 'suspended' }), undefined, now)).toBe('charge 2027-02-22T00:00:00');
  });

  it('that is on its way keeps a subscription from being given up', () => {
    const sub = subscription({ state: 'suspended' });
    const pending = tried({ status: 'pending', failureKind: undefined, polls: 1 });
    expect(next(sub, pending, at('2027-04-01'))).toBe('ask 2027-02-23T00:00:00');
  });
});

describe('a mandate', () => {
  it.each([
    ['that is active', {}, true],
    ['F69: that was revoked', { status: 'revoked' }, false],
    ['F70: that is paused in an app', { status: 'paused' }, false],
    ['that ends with the day that it is needed on', { expiresOn: day('2027-02-23') }, false],
    ['that ends a day later', { expiresOn: day('2027-02-24') }, true],
    ['F71: that allows less', { maxAmount: { minor: 89_999n, currency: 'INR' } }, false],
    ['that nobody bounds', { maxAmount: undefined }, true],
  ] as const)('%s', (_, given, usable) => {
    expect(isUsable(subscription({ mandate: mandate(given) }))).toBe(usable);
  });

  it.each([
    ['card_in', 135_000n, 135_000n, 'yes'],
    ['card_in', 135_000n, 135_001n, 'too-small'],
    ['upi', undefined, 1_500_000n, 'yes'],
    ['upi', undefined, 1_500_001n, 'by-hand'],
    ['enach', 9_000_000n, 1_500_001n, 'yes'],
    ['card_in', 1_000_000n, 1_500_001n, 'by-hand'],
    ['card_intl', 9_000_000n, 1_500_001n, 'yes'],
    ['card_intl', 135_000n, 1_500_001n, 'by-hand'],
  ] as const)(
    'F71 I22: by %s, allowing %s, is %s for %s: what no mandate is good for is not asked of another',
    (rail, allows, minor, expected) => {
      const maxAmount = allows === undefined ? undefined : { minor: allows, currency: 'INR' };
      expect(mayTake({ rail, maxAmount }, { minor, currency: 'INR' })).toBe(expected);
      expect(
        isUsable(subscription({ price: { minor, currency: 'INR' }, mandate: mandate({ rail, maxAmount }) })),
      ).toBe(expected === 'yes');
    },
  );

  it('F71 F76: that allows what the term costs, and not what was announced for the next, is good for that one alone', () => {
    const announced = { price: { minor: 140_000n, currency: 'INR' }, fromOn: day('2027-05-23') };
    expect(isUsable(subscription({ announced }))).toBe(true);
    expect(isUsable(subscription({ announced, paidThroughOn: day('2027-05-23') }))).toBe(false);
  });

  it.each(['card_in', 'upi', 'enach'] as const)(
    'I22: of the rail %s is charged a day after it was announced',
    (rail: Rail) => {
      expect(String(notBefore(rail, NOW))).toBe(String(NOW.add({ hours: 25 })));
      expect(notBefore('card_intl', NOW)).toBeUndefined();
    },
  );
});

it('I9: whatever its state, nothing is charged that is over, rests, was cancelled, is disputed or parked', () => {
  fc.assert(
    fc.property(
      fc.record({
        state: fc.constantFrom(
          'active',
          'past_due',
          'suspended',
          'trialing',
          'paused',
          'expired',
          'canceled',
        ),
        isDisputed: fc.boolean(),
        needsMethod: fc.boolean(),
        cancelOn: fc.constantFrom(undefined, day('2027-02-23')),
        parkedReason: fc.constantFrom(undefined, 'x'),
        pause: fc.constantFrom(undefined, { bankedDays: 3, resumesOn: day('2027-02-01') }),
        remindedSeq: fc.constantFrom(undefined, 1),
      }),
      fc.integer({ min: -100, max: 200 }),
      (given, days) => {
        const sub = subscription(given);
        const found = nextAct(sub, undefined, at('2027-02-23', days * 24));
        if (found?.act === 'charge') expect(mayCharge(sub)).toBe(true);
        if (given.state === 'expired' || given.state === 'canceled') expect(found).toBeUndefined();
      },
    ),
  );
});
