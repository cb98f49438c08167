import type { Money } from '#values/money';
import { giveMandate, type Mandate, type MandateWanted, mandateShown } from './mandate.ts';
import { methodOf, type Rail } from './methods.ts';
import { OUTCOMES, type OutcomeCode } from './outcomes.ts';
import { type Payment, paymentShown } from './payment.ts';

/**
 * A sum that somebody is asked to pay on the hosted page, and the newest attempt at it. Where a mandate is all that is
 * wanted, the sum is nothing, and an attempt takes nothing.
 */
export type Checkout = {
  readonly id: string;
  /** Of the hosted page. */
  readonly url: string;
  readonly reference: string;
  readonly amount: Money;
  readonly description: string;
  readonly email: string;
  /** The payer, by the merchant's own name for them. */
  readonly customer: string | undefined;
  readonly mandateWanted: MandateWanted | undefined;
  readonly returnUrl: string;
  readonly cancelUrl: string;
  readonly status: 'open' | 'complete' | 'expired';
  readonly createdAt: Temporal.Instant;
  readonly expiresAt: Temporal.Instant;
  readonly payment: Payment | undefined;
  /** Given with the payment that succeeded, where one was wanted. */
  readonly mandate: Mandate | undefined;
};

/** What somebody does to a checkout. `look` does nothing, and lets its time do what was due. */
export type Act =
  | { readonly kind: 'look' }
  | {
      readonly kind: 'pay';
      readonly outcome: OutcomeCode;
      readonly rail: Rail;
      readonly paymentId: string;
    }
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
      return isPayable(checkout) ? pay(checkout, act, now) : undefined;
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

function pay(
  checkout: Checkout,
  { outcome: code, paymentId, rail }: Extract<Act, { kind: 'pay' }>,
  now: Temporal.Instant,
): Step | undefined {
  const outcome = OUTCOMES[code];
  if (outcome.status === 'nothing') return undefined;
  const payment: Payment = {
    id: paymentId,
    attempt: (checkout.payment?.attempt ?? 0) + 1,
    status: outcome.status,
    failureCode: outcome.status === 'failed' ? outcome.failureCode : undefined,
    rail,
    method: methodOf(rail, outcome.card, checkout.email),
    createdAt: now,
    changedAt: now,
    settlesAt: outcome.status === 'pending' ? now.add({ minutes: outcome.minutes }) : undefined,
    thenFails: outcome.status === 'pending' ? outcome.thenFails : undefined,
    // Whoever stands at the page tries again at once: what came late as well would be paid twice there.
    comesLate: false,
    lateAt: undefined,
    refunds: [],
    dispute: undefined,
  };
  const step: Step = {
    checkout: { ...checkout, payment },
    event: `payment.${outcome.status}`,
    at: now,
    webhookAfterMs: outcome.webhookAfterMs ?? 0,
  };
  return outcome.status === 'succeeded' ? completed(step, payment) : step;
}

/** A checkout whose payment has succeeded: it is over, and the mandate is given that it asked for. */
function completed(step: Step, payment: Payment): Step {
  const { checkout } = step;
  const { customer, email, mandateWanted } = checkout;
  const { method, rail } = payment;
  const by = { id: payment.id.replace('pay_', 'man_'), rail, method, email };
  const mandate =
    mandateWanted === undefined || customer === undefined
      ? undefined
      : giveMandate(mandateWanted, { ...by, customer }, step.at);
  return { ...step, checkout: { ...checkout, status: 'complete', mandate } };
}

function settle(checkout: Checkout, at: Temporal.Instant): Step {
  const { payment } = checkout;
  const failureCode = payment?.thenFails;
  if (failureCode !== undefined) return changed(checkout, { status: 'failed', failureCode }, at);
  const step = changed(checkout, { status: 'succeeded' }, at);
  return completed(step, step.checkout.payment as Payment);
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
    thenFails: undefined,
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

/** A checkout as the company's answers and webhooks show it at `now`; instants in UTC, amounts in minor units. */
export function snapshotOf(checkout: Checkout, now: Temporal.Instant) {
  const { amount, customer, mandate, mandateWanted, payment } = checkout;
  return {
    id: checkout.id,
    url: checkout.url,
    status: checkout.status,
    reference: checkout.reference,
    amount_minor: Number(amount.minor),
    currency: amount.currency,
    description: checkout.description,
    ...(customer === undefined ? {} : { customer }),
    created_at: checkout.createdAt.toString(),
    expires_at: checkout.expiresAt.toString(),
    payment: payment === undefined ? null : paymentShown(payment, amount),
    ...(mandateWanted === undefined
      ? {}
      : { mandate: mandate === undefined ? null : mandateShown(mandate, now) }),
  };
}
