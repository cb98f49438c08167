import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChargeIntent, IntentStatus } from './charges.store.ts';
import type { CheckoutState, GatewayPayment } from './gateways/gateway.ts';
import { settlementOf } from './settlement.ts';
import { begun, SUBSCRIPTION_STATES } from './subscription.ts';
import type { Subscription } from './subscriptions.store.ts';

const NOON = Temporal.Instant.from('2026-11-23T06:30:00Z');
const INTENT_STATUSES = [
  'created',
  'submitted',
  'unknown',
  'pending',
  'requires_action',
  'succeeded',
  'failed',
  'canceled',
] as const satisfies readonly IntentStatus[];
const OPEN: readonly IntentStatus[] = ['created', 'submitted', 'unknown', 'pending', 'requires_action'];

function intent(status: IntentStatus = 'submitted'): ChargeIntent {
  return {
    id: '019ab000-0000-7000-8000-000000000001',
    subscriptionId: '019ab000-0000-7000-8000-000000000002',
    termSeq: 0,
    attempt: 1,
    gateway: 'sandbox',
    amount: { minor: 270_000n, currency: 'INR' },
    status,
    checkoutId: 'chk_1',
    checkoutUrl: 'https://gateway.example/chk_1',
    next: '/',
    failureCode: undefined,
    parkedReason: undefined,
  };
}

function subscription(state: Subscription['state'] = 'incomplete'): Subscription {
  return {
    id: '019ab000-0000-7000-8000-000000000002',
    readerId: '019ab000-0000-7000-8000-000000000003',
    product: 'paper',
    planSlug: 'yearly',
    planName: 'Yearly',
    price: { minor: 270_000n, currency: 'INR' },
    country: 'IN',
    countryState: 'KA',
    createdAt: NOON,
    ...begun(12, 'Asia/Kolkata'),
    state,
    ...(state === 'incomplete'
      ? {}
      : {
          anchorOn: Temporal.PlainDate.from('2026-11-23'),
          monthsPaid: 12,
          nextSeq: 1,
          paidThroughOn: Temporal.PlainDate.from('2027-11-23'),
        }),
  };
}

function payment(status: GatewayPayment['status'], given: Partial<GatewayPayment> = {}) {
  return {
    kind: 'payment',
    gatewayPaymentId: 'pay_1',
    status,
    amount: { minor: 270_000n, currency: 'INR' },
    failureCode: status === 'failed' ? 'card_declined' : undefined,
    failureKind: status === 'failed' ? 'later' : undefined,
    method: 'Visa ending 4242',
    at: NOON,
    mandate: undefined,
    refunds: [],
    dispute: undefined,
    ...given,
  } as const;
}

describe('a payment that was made', () => {
  it('begins what was bought', () => {
    const settlement = settlementOf(intent(), subscription(), payment('succeeded'), NOON);
    expect(settlement).toMatchObject({ intent: { status: 'succeeded' }, begins: { term: { seq: 0 } } });
    expect(settlement.begins?.standing.state).toBe('active');
    expect(String(settlement.begins?.term.endOn)).toBe('2027-11-23');
    expect(settlement.parkedReason).toBeUndefined();
  });

  it.each([
    ['of another amount', intent(), subscription(), { amount: { minor: 100n, currency: 'INR' } }, /amount/],
    [
      'in another currency',
      intent(),
      subscription(),
      { amount: { minor: 270_000n, currency: 'USD' } },
      /amount/,
    ],
    ['for an attempt that was given up', intent('canceled'), subscription(), {}, /given up/],
    ['for a subscription that is over', intent(), subscription('canceled'), {}, /given up/],
    ['for what is paid already', intent(), subscription('active'), {}, /twice/],
  ] as const)('%s begins nothing, and a person has to look at it', (_, attempt, sub, given, reason) => {
    const settlement = settlementOf(attempt, sub, payment('succeeded', given), NOON);
    expect(settlement.begins).toBeUndefined();
    expect(settlement.parkedReason).toMatch(reason);
    // It came all the same: it is kept, and the attempt is at its end.
    expect(settlement).toMatchObject({
      payment: { gatewayPaymentId: 'pay_1' },
      intent: { status: 'succeeded' },
    });
  });
});

describe('a payment that was not made, or not yet', () => {
  it.each([
    ['is waited for', payment('pending'), { status: 'pending' }],
    [
      'is waited for where the reader has to confirm it',
      payment('requires_action'),
      { status: 'requires_action' },
    ],
    [
      'may be tried again at the gateway’s page',
      payment('failed'),
      { status: 'submitted', failureCode: 'card_declined' },
    ],
  ] as const)('%s', (_, state, to) => {
    expect(settlementOf(intent(), subscription(), state, NOON)).toEqual({ payment: state, intent: to });
  });

  it('is told to its reader where they had to wait for it', () => {
    expect(settlementOf(intent('pending'), subscription(), payment('failed'), NOON).tellFailed).toBe(true);
    expect(settlementOf(intent(), subscription(), payment('failed'), NOON).tellFailed).toBeUndefined();
  });

  it('and a checkout that has run out, change no attempt that is at its end', () => {
    const ends = INTENT_STATUSES.filter((one) => !OPEN.includes(one));
    const words = [payment('pending'), payment('failed'), { kind: 'expired' }, { kind: 'open' }] as const;
    for (const status of ends)
      for (const word of words)
        expect(settlementOf(intent(status), subscription(), word, NOON).intent).toBeUndefined();
    for (const status of OPEN)
      expect(settlementOf(intent(status), subscription(), { kind: 'expired' }, NOON)).toEqual({
        intent: { status: 'canceled' },
      });
  });
});

describe('words of a gateway, in whatever order and however often', () => {
  const word: fc.Arbitrary<CheckoutState> = fc.oneof(
    fc.constantFrom('succeeded', 'failed', 'pending', 'requires_action').map((status) => payment(status)),
    fc.constantFrom({ kind: 'open' } as const, { kind: 'expired' } as const),
  );

  it('begin what was bought at most once, and take no end back', () => {
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 12 }),
        fc.constantFrom(...INTENT_STATUSES),
        fc.constantFrom(...SUBSCRIPTION_STATES),
        (words, status, state) => {
          let [attempt, sub] = [intent(status), subscription(state)];
          let began = 0;
          for (const one of words) {
            const settlement = settlementOf(attempt, sub, one, NOON);
            if (attempt.status === 'succeeded') expect(settlement.intent).toBeUndefined();
            if (settlement.begins !== undefined) began++;
            attempt = { ...attempt, ...settlement.intent };
            sub = { ...sub, ...settlement.begins?.standing };
          }
          expect(began).toBeLessThanOrEqual(state === 'incomplete' ? 1 : 0);
        },
      ),
    );
  });
});
