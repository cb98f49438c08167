import type { Money } from '#values/money';
import { type Card, laterFailure, OUTCOMES, type OutcomeCode } from './outcomes.ts';

/** One attempt to pay a checkout. */
export type Payment = {
  readonly id: string;
  readonly attempt: number;
  readonly status: 'succeeded' | 'failed' | 'requires_action' | 'pending' | 'canceled';
  readonly failureCode: string | undefined;
  readonly card: Card;
  readonly createdAt: Temporal.Instant;
  /** When it came to its status. */
  readonly changedAt: Temporal.Instant;
  /** Of a pending one alone. */
  readonly settlesAt: Temporal.Instant | undefined;
};

/** A sum that somebody is asked to pay on the hosted page, and the newest attempt at it. */
export type Checkout = {
  readonly id: string;
  /** Of the hosted page. */
  readonly url: string;
  readonly reference: string;
  readonly amount: Money;
  readonly description: string;
  readonly email: string;
  readonly returnUrl: string;
  readonly cancelUrl: string;
  readonly status: 'open' | 'complete' | 'expired';
  readonly createdAt: Temporal.Instant;
  readonly expiresAt: Temporal.Instant;
  readonly payment: Payment | undefined;
};

/** What somebody does to a checkout. `look` does nothing, and lets its time do what was due. */
export type Act =
  | { readonly kind: 'look' }
  | { readonly kind: 'pay'; readonly outcome: OutcomeCode; readonly paymentId: string }
  | { readonly kind: 'answer-bank'; readonly approves: boolean }
  | { readonly kind: 'settle' }
  | { readonly kind: 'expire' };

export type EventType =
  | 'payment.succeeded'
  | 'payment.failed'
  | 'payment.pending'
  | 'payment.requires_action'
  | 'checkout.expired';

/** One change of a checkout: how it stands after it, and what the merchant is told. */
export type Step = {
  readonly checkout: Checkout;
  readonly event: EventType;
  readonly at: Temporal.Instant;
  /** The webhook starts this much later than at once. */
  readonly webhookAfterMs: number;
};

/** Whether a new attempt may begin: nothing is captured, and no attempt is alive that could be. */
export function isPayable({ payment, status }: Checkout): boolean {
  return status === 'open' && !isAlive(payment);
}

/** Whether an attempt may still succeed. */
function isAlive(payment: Payment | undefined): boolean {
  return payment?.status === 'requires_action' || payment?.status === 'pending';
}

/** What a checkout's own time brings by `now`: a pending payment settles, an open checkout runs out. */
export function due(checkout: Checkout, now: Temporal.Instant): Step | undefined {
  const { expiresAt, payment, status } = checkout;
  if (status !== 'open') return undefined;
  if (payment?.settlesAt !== undefined) {
    return isPast(payment.settlesAt, now) ? settle(checkout, payment.settlesAt) : undefined;
  }
  return isPast(expiresAt, now) ? expire(checkout, expiresAt) : undefined;
}

/** What an act makes of a checkout; nothing where it is too late for it, or too early. */
export function decide(checkout: Checkout, act: Act, now: Temporal.Instant): Step | undefined {
  switch (act.kind) {
    case 'look':
      return undefined;
    case 'pay':
      return isPayable(checkout) ? pay(checkout, act.outcome, act.paymentId, now) : undefined;
    case 'answer-bank':
      if (checkout.payment?.status !== 'requires_action') return undefined;
      return act.approves
        ? settle(checkout, now)
        : changed(checkout, { status: 'failed', failureCode: 'authentication_failed' }, now);
    case 'settle':
      return checkout.payment?.status === 'pending' ? settle(checkout, now) : undefined;
    case 'expire':
      // Money that is on its way cannot be called back.
      return checkout.status === 'open' && checkout.payment?.status !== 'pending'
        ? expire(checkout, now)
        : undefined;
    default:
      return act satisfies never;
  }
}

function pay(checkout: Checkout, code: OutcomeCode, paymentId: string, now: Temporal.Instant): Step {
  const outcome = OUTCOMES[code];
  const payment: Payment = {
    id: paymentId,
    attempt: (checkout.payment?.attempt ?? 0) + 1,
    status: outcome.status,
    failureCode: outcome.status === 'failed' ? outcome.failureCode : undefined,
    card: outcome.card,
    createdAt: now,
    changedAt: now,
    settlesAt: outcome.status === 'pending' ? now.add({ minutes: outcome.minutes }) : undefined,
  };
  return {
    checkout: { ...checkout, payment, status: outcome.status === 'succeeded' ? 'complete' : 'open' },
    event: `payment.${outcome.status}`,
    at: now,
    webhookAfterMs: outcome.webhookAfterMs ?? 0,
  };
}

function settle(checkout: Checkout, at: Temporal.Instant): Step {
  const { payment } = checkout;
  const failureCode = payment?.status === 'pending' ? laterFailure(payment.card) : undefined;
  if (failureCode !== undefined) return changed(checkout, { status: 'failed', failureCode }, at);
  const step = changed(checkout, { status: 'succeeded' }, at);
  return { ...step, checkout: { ...step.checkout, status: 'complete' } };
}

function changed(
  checkout: Checkout,
  to: { status: 'succeeded' | 'failed'; failureCode?: string },
  at: Temporal.Instant,
): Step {
  const payment = {
    ...(checkout.payment as Payment),
    failureCode: undefined,
    settlesAt: undefined,
    ...to,
    changedAt: at,
  };
  return { checkout: { ...checkout, payment }, event: `payment.${to.status}`, at, webhookAfterMs: 0 };
}

function expire(checkout: Checkout, at: Temporal.Instant): Step {
  const { payment } = checkout;
  return {
    checkout: {
      ...checkout,
      status: 'expired',
      payment:
        payment !== undefined && isAlive(payment)
          ? { ...payment, status: 'canceled', changedAt: at }
          : payment,
    },
    event: 'checkout.expired',
    at,
    webhookAfterMs: 0,
  };
}

function isPast(instant: Temporal.Instant, now: Temporal.Instant): boolean {
  return Temporal.Instant.compare(instant, now) <= 0;
}

/** A checkout as the company's answers and webhooks show it; instants in UTC, amounts in minor units. */
export function snapshotOf(checkout: Checkout) {
  const { amount, payment } = checkout;
  const money = { amount_minor: Number(amount.minor), currency: amount.currency };
  return {
    id: checkout.id,
    url: checkout.url,
    status: checkout.status,
    reference: checkout.reference,
    ...money,
    description: checkout.description,
    created_at: checkout.createdAt.toString(),
    expires_at: checkout.expiresAt.toString(),
    payment:
      payment === undefined
        ? null
        : {
            id: payment.id,
            status: payment.status,
            ...money,
            ...(payment.failureCode === undefined ? {} : { failure_code: payment.failureCode }),
            method: { kind: 'card', ...payment.card },
            created_at: payment.createdAt.toString(),
            updated_at: payment.changedAt.toString(),
          },
  };
}
