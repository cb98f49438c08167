import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Act, type Checkout, decide, due, snapshotOf } from './checkout.ts';
import { OUTCOME_CODES } from './outcomes.ts';

const at = (text: string) => Temporal.Instant.from(text);
const NOW = at('2026-11-23T06:30:00Z');

const OPEN: Checkout = {
  id: 'cs_1',
  url: 'http://localhost:3000/sandbox/checkouts/cs_1',
  reference: 'order 1',
  amount: { minor: 270_000n, currency: 'INR' },
  description: 'Three months',
  email: 'meera@example.com',
  customer: undefined,
  mandateWanted: undefined,
  returnUrl: 'http://localhost:3000/thanks',
  cancelUrl: 'http://localhost:3000/plans',
  status: 'open',
  createdAt: NOW,
  expiresAt: NOW.add({ hours: 24 }),
  payment: undefined,
  mandate: undefined,
};

const pay = (outcome: (typeof OUTCOME_CODES)[number], paymentId = 'pay_1'): Act => ({
  kind: 'pay',
  outcome,
  rail: 'card_intl',
  paymentId,
});
/** A checkout to which this was done at once, one after the other. */
const having = (...acts: Act[]): Checkout =>
  acts.reduce((checkout, act) => decide(checkout, act, NOW)?.checkout ?? checkout, OPEN);

describe('an outcome', () => {
  it.each([
    ['approve', 'complete', 'succeeded', undefined],
    ['lost', 'complete', 'succeeded', undefined],
    ['decline', 'open', 'failed', 'card_declined'],
    ['insufficient_funds', 'open', 'failed', 'insufficient_funds'],
    ['expired_card', 'open', 'failed', 'expired_card'],
    ['authenticate', 'open', 'requires_action', undefined],
    ['later', 'open', 'pending', undefined],
    ['later_decline', 'open', 'pending', undefined],
    ['stolen_card', 'open', 'failed', 'stolen_card'],
    ['processing_error', 'open', 'failed', 'processing_error'],
    ['late', 'open', 'failed', 'processing_error'],
    ['authentication_required', 'open', 'requires_action', undefined],
    ['hang', 'complete', 'succeeded', undefined],
    ['error_502_html', 'complete', 'succeeded', undefined],
  ] as const)('%s leaves the checkout %s and the payment %s', (outcome, status, payment, failureCode) => {
    const step = decide(OPEN, pay(outcome), NOW);
    expect(step?.event).toBe(`payment.${payment}`);
    expect(step?.checkout.status).toBe(status);
    expect(step?.checkout.payment).toMatchObject({ status: payment, failureCode, attempt: 1 });
  });
});

it.each(['error_500', 'conflict_409'] as const)('%s: it does not get as far as the bank', (outcome) => {
  expect(decide(OPEN, pay(outcome), NOW)).toBeUndefined();
});

describe('one payment for a checkout', () => {
  it('a declined card can be tried again, as another attempt', () => {
    expect(having(pay('decline'), pay('approve', 'pay_2')).payment).toMatchObject({
      id: 'pay_2',
      attempt: 2,
      status: 'succeeded',
      failureCode: undefined,
    });
  });

  it('what is paid, pending or with the bank takes no other attempt', () => {
    for (const first of ['approve', 'lost', 'later', 'authenticate'] as const) {
      expect(decide(having(pay(first)), pay('approve', 'pay_2'), NOW)).toBeUndefined();
    }
  });

  it('the bank’s question is answered once', () => {
    const asked = having(pay('authenticate'));
    const refused = decide(asked, { kind: 'answer-bank', approves: false }, NOW);
    expect(refused?.checkout).toMatchObject({
      status: 'open',
      payment: { status: 'failed', failureCode: 'authentication_failed' },
    });
    expect(
      decide(refused?.checkout as Checkout, { kind: 'answer-bank', approves: true }, NOW),
    ).toBeUndefined();
    expect(decide(asked, { kind: 'answer-bank', approves: true }, NOW)?.checkout).toMatchObject({
      status: 'complete',
      payment: { status: 'succeeded' },
    });
    expect(decide(OPEN, { kind: 'answer-bank', approves: true }, NOW)).toBeUndefined();
  });
});

describe('its own time', () => {
  it('a pending payment arrives three minutes later, and is dated then', () => {
    const pending = having(pay('later'));
    expect(due(pending, NOW.add({ minutes: 2 }))).toBeUndefined();
    const step = due(pending, NOW.add({ hours: 5 }));
    expect(step?.event).toBe('payment.succeeded');
    expect(step?.at.toString()).toBe('2026-11-23T06:33:00Z');
    expect(step?.checkout.payment?.changedAt.toString()).toBe('2026-11-23T06:33:00Z');
  });

  it('an unpaid checkout runs out after a day; one with money on its way does not', () => {
    const late = NOW.add({ hours: 30 });
    expect(due(OPEN, NOW.add({ hours: 23 }))).toBeUndefined();
    expect(due(OPEN, late)?.checkout.status).toBe('expired');
    expect(due(having(pay('decline')), late)?.checkout).toMatchObject({
      status: 'expired',
      payment: { status: 'failed' },
    });
    expect(due(having(pay('authenticate')), late)?.checkout).toMatchObject({
      status: 'expired',
      payment: { status: 'canceled' },
    });
    expect(due(having(pay('later')), late)?.event).toBe('payment.succeeded');
    expect(due(having(pay('approve')), late)).toBeUndefined();
  });

  it('an open checkout can be expired; money that is on its way or taken cannot be called back', () => {
    const expire = { kind: 'expire' } as const;
    expect(decide(OPEN, expire, NOW)?.event).toBe('checkout.expired');
    expect(decide(having(pay('authenticate')), expire, NOW)?.checkout.payment?.status).toBe('canceled');
    expect(decide(having(pay('later')), expire, NOW)).toBeUndefined();
    expect(decide(having(pay('approve')), expire, NOW)).toBeUndefined();
    expect(decide(having(expire), expire, NOW)).toBeUndefined();
    expect(decide(having(expire), pay('approve'), NOW)).toBeUndefined();
  });
});

describe('a checkout that asks for a mandate', () => {
  const asking: Checkout = {
    ...OPEN,
    customer: 'reader-meera',
    mandateWanted: { maxAmount: { minor: 400_000n, currency: 'INR' }, months: 3 },
  };

  it.each([
    ['card_intl', { kind: 'card', brand: 'visa', last4: '4242' }],
    ['card_in', { kind: 'card', brand: 'rupay', last4: '4242' }],
    ['upi', { kind: 'upi', address: 'meera@sandbox' }],
  ] as const)('is given one for what was paid with: %s', (rail, method) => {
    const act: Act = { kind: 'pay', outcome: 'approve', rail, paymentId: 'pay_1' };
    expect(decide(asking, act, NOW)?.checkout).toMatchObject({
      payment: { method },
      mandate: { id: 'man_1', rail, method, status: 'active', customer: 'reader-meera', months: 3 },
    });
  });

  it('is given one when the money has come, and not before', () => {
    for (const outcome of ['decline', 'later', 'authenticate'] as const)
      expect(decide(asking, pay(outcome), NOW)?.checkout.mandate).toBeUndefined();
    const pending = decide(asking, pay('later'), NOW)?.checkout as Checkout;
    expect(due(pending, NOW.add({ hours: 1 }))?.checkout.mandate?.createdAt.toString()).toBe(
      '2026-11-23T06:33:00Z',
    );
    const asked = decide(asking, pay('authenticate'), NOW)?.checkout as Checkout;
    expect(decide(asked, { kind: 'answer-bank', approves: true }, NOW)?.checkout.mandate?.id).toBe('man_1');
    expect(decide(asked, { kind: 'answer-bank', approves: false }, NOW)?.checkout.mandate).toBeUndefined();
  });
});

it('whatever is done in whatever order, money is taken at most once and never given back', () => {
  const act = fc.oneof(
    fc.constantFrom(...OUTCOME_CODES).map((outcome) => pay(outcome)),
    fc.boolean().map((approves): Act => ({ kind: 'answer-bank', approves })),
    fc.constantFrom<Act>({ kind: 'settle' }, { kind: 'expire' }, { kind: 'look' }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(act, fc.integer({ min: 0, max: 900 })), { maxLength: 12 }), (acts) => {
      let checkout = OPEN;
      let now = NOW;
      let taken = 0;
      for (const [one, minutes] of acts) {
        now = now.add({ minutes });
        const steps = [];
        for (let timely = due(checkout, now); timely !== undefined; timely = due(checkout, now)) {
          steps.push(timely);
          checkout = timely.checkout;
        }
        expect(steps.length).toBeLessThanOrEqual(2);
        const step = decide(checkout, one, now);
        checkout = step?.checkout ?? checkout;
        taken += [...steps, step].filter((any) => any?.event === 'payment.succeeded').length;
        expect(taken).toBe(checkout.status === 'complete' ? 1 : 0);
        // Settled before its time and declined, it may have run out meanwhile.
        if (one.kind !== 'settle') expect(due(checkout, now)).toBeUndefined();
      }
    }),
    { numRuns: 1_000 },
  );
});

it('the company’s answers show amounts in minor units, instants in UTC, and a failure’s code only where there is one', () => {
  expect(snapshotOf(having(pay('decline')), NOW)).toEqual({
    id: 'cs_1',
    url: 'http://localhost:3000/sandbox/checkouts/cs_1',
    status: 'open',
    reference: 'order 1',
    amount_minor: 270_000,
    currency: 'INR',
    description: 'Three months',
    created_at: '2026-11-23T06:30:00Z',
    expires_at: '2026-11-24T06:30:00Z',
    payment: {
      id: 'pay_1',
      status: 'failed',
      amount_minor: 270_000,
      currency: 'INR',
      failure_code: 'card_declined',
      method: { kind: 'card', brand: 'visa', last4: '0002' },
      created_at: '2026-11-23T06:30:00Z',
      updated_at: '2026-11-23T06:30:00Z',
      refunds: [],
      dispute: null,
    },
  });
  expect(snapshotOf(having(pay('approve')), NOW).payment).not.toHaveProperty('failure_code');
});
