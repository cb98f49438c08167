import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { begun, SUBSCRIPTION_STATES } from './agreement.ts';
import type { ChargeIntent, IntentStatus } from './charges.store.ts';
import type { CheckoutState, GatewayPayment } from './gateways/gateway.ts';
import { type Settlement, settlementOf } from './settlement.ts';
import { NO_DETAILS, type Subscription } from './subscriptions.store.ts';

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
    failureKind: undefined,
    parkedReason: undefined,
    givenBackReason: undefined,
    mandateId: undefined,
    invoiceId: undefined,
    notBefore: undefined,
    createdAt: NOON,
    decidedAt: undefined,
    polls: 0,
    change: undefined,
  };
}

function subscription(state: Subscription['state'] = 'incomplete'): Subscription {
  return {
    id: '019ab000-0000-7000-8000-000000000002',
    readerId: '019ab000-0000-7000-8000-000000000003',
    product: 'paper',
    planName: 'Yearly',
    nextPlanName: 'Yearly',
    mandate: undefined,
    remindedSeq: undefined,
    parkedReason: undefined,
    offerSlug: undefined,
    trialDays: 0,
    buyer: NO_DETAILS,
    country: 'IN',
    countryState: 'KA',
    createdAt: NOON,
    ...begun({ planSlug: 'yearly', months: 12, price: { minor: 270_000n, currency: 'INR' } }, 'Asia/Kolkata'),
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

/** It came all the same: it is kept, and the attempt is at its end. */
const KEPT = { payment: { gatewayPaymentId: 'pay_1' }, intent: { status: 'succeeded' } };

function begunBy({ took }: Settlement) {
  return took?.kind === 'bought' ? took.steps.find((step) => step.kind === 'begin term')?.term : undefined;
}

describe('a payment that was made', () => {
  it('buys no other plan than it was charged for, where its reader chose one after their bank had said no', () => {
    const charged = { ...intent('failed'), termSeq: 1, mandateId: 'm' };
    const quarterly = { planSlug: 'quarterly', months: 3, price: { minor: 90_000n, currency: 'INR' } };
    const chosen = { ...subscription('active'), pendingChange: quarterly };
    expect(settlementOf(charged, chosen, payment('succeeded'), NOON).took).toEqual({
      kind: 'give back',
      reason: 'another plan or price was chosen after it was charged',
    });
    const same = settlementOf(charged, subscription('active'), payment('succeeded'), NOON);
    expect(same.took?.kind).toBe('bought');
  });

  it('begins what was bought', () => {
    const settlement = settlementOf(intent(), subscription(), payment('succeeded'), NOON);
    expect(settlement).toMatchObject({
      intent: { status: 'succeeded' },
      took: { kind: 'bought', standing: { state: 'active' } },
    });
    expect(begunBy(settlement)).toMatchObject({ seq: 0, endOn: Temporal.PlainDate.from('2027-11-23') });
  });

  it.each([
    ['of another amount', intent(), subscription(), { amount: { minor: 100n, currency: 'INR' } }],
    ['in another currency', intent(), subscription(), { amount: { minor: 270_000n, currency: 'USD' } }],
  ] as const)('%s begins nothing, and a person has to look at it', (_, attempt, sub, given) => {
    const settlement = settlementOf(attempt, sub, payment('succeeded', given), NOON);
    expect(settlement.took).toMatchObject({ kind: 'park', reason: expect.stringMatching(/amount/) });
    expect(settlement).toMatchObject(KEPT);
  });

  it.each([
    ['for an attempt that was given up', intent('canceled'), subscription(), /given up/],
    ['for a subscription that is over', intent(), subscription('canceled'), /given up|twice/],
    ['F02 F14: for what is paid already', intent(), subscription('active'), /twice/],
    [
      'F82: for a term that its reader has cancelled',
      { ...intent(), termSeq: 1 },
      { ...subscription('active'), cancelOn: Temporal.PlainDate.from('2027-11-23') },
      /cancelled/,
    ],
  ] as const)('%s begins nothing, and goes back', (_, attempt, sub, reason) => {
    const settlement = settlementOf(attempt, sub, payment('succeeded'), NOON);
    expect(settlement.took).toMatchObject({ kind: 'give back', reason: expect.stringMatching(reason) });
    expect(settlement).toMatchObject(KEPT);
  });
});

describe('a charge with nobody there', () => {
  const charge = (status?: IntentStatus) => ({ ...intent(status), termSeq: 1, mandateId: 'mandate' });

  it('that is declined is at its end, and its reader is told', () => {
    const said = payment('failed', { failureKind: 'later' });
    expect(settlementOf(charge(), subscription('active'), said, NOON)).toEqual({
      payment: said,
      intent: { status: 'failed', failureCode: 'card_declined', failureKind: 'later' },
      tellFailed: 'renewal',
    });
  });

  it('F71 F78: that the gateway refuses is no charge, and its reader is asked for another mandate', () => {
    const said = { kind: 'refused', code: 'amount_above_mandate' } as const;
    expect(settlementOf(charge(), subscription('active'), said, NOON)).toEqual({
      intent: { status: 'failed', failureCode: 'amount_above_mandate', failureKind: 'never' },
      tellFailed: 'renewal',
    });
    expect(settlementOf(charge('failed'), subscription('active'), said, NOON)).toEqual({});
  });

  it('F05: that a bank approves days after it said no has bought its term all the same', () => {
    const late = settlementOf(charge('failed'), subscription('active'), payment('succeeded'), NOON);
    expect(begunBy(late)).toMatchObject({ seq: 1 });
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
    expect(settlementOf(intent('pending'), subscription(), payment('failed'), NOON).tellFailed).toBe(
      'checkout',
    );
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
            if (settlement.took?.kind === 'bought') began++;
            attempt = { ...attempt, ...settlement.intent };
            if (settlement.took?.kind === 'bought') sub = { ...sub, ...settlement.took.standing };
          }
          expect(began).toBeLessThanOrEqual(state === 'incomplete' ? 1 : 0);
        },
      ),
    );
  });
});
