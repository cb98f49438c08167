import type { Money } from '#values/money';
import type { Dispute, Refund } from './capture.ts';
import { type Mandate, mandateShown } from './mandate.ts';
import type { Method, Rail } from './methods.ts';

/** One attempt to take money: at a checkout, or by a mandate. */
export type Payment = {
  readonly id: string;
  /** Counted within its checkout. */
  readonly attempt: number;
  readonly status: 'succeeded' | 'failed' | 'requires_action' | 'pending' | 'canceled';
  readonly failureCode: string | undefined;
  readonly rail: Rail;
  readonly method: Method;
  readonly createdAt: Temporal.Instant;
  /** When it came to its status. */
  readonly changedAt: Temporal.Instant;
  /** Of a pending one alone. */
  readonly settlesAt: Temporal.Instant | undefined;
  /** Of a pending one: the code with which it is declined then, instead of paid. */
  readonly thenFails: string | undefined;
  /** When it has failed, the bank takes the money after all. */
  readonly comesLate: boolean;
  /** When that is, once it has failed. */
  readonly lateAt: Temporal.Instant | undefined;
  /** What was given back of it, oldest first. */
  readonly refunds: readonly Refund[];
  /** The newest time that the payer's bank asked for it back. */
  readonly dispute: Dispute | undefined;
};

/** A payment and what it was made for. */
export type PaymentRecord = {
  readonly payment: Payment;
  readonly amount: Money;
  readonly reference: string;
  readonly description: string;
  /** Of a payment at a checkout alone. */
  readonly checkoutId: string | undefined;
  /** Of a charge that the bank announces. */
  readonly notBefore: Temporal.Instant | undefined;
  /** By which it is charged, or which was given with it. */
  readonly mandate: Mandate | undefined;
};

/** A payment as the company's answers and webhooks show it; instants in UTC, amounts in minor units. */
export function paymentShown(payment: Payment, amount: Money) {
  const { dispute } = payment;
  return {
    id: payment.id,
    status: payment.status,
    amount_minor: Number(amount.minor),
    currency: amount.currency,
    ...(payment.failureCode === undefined ? {} : { failure_code: payment.failureCode }),
    method: payment.method,
    created_at: payment.createdAt.toString(),
    updated_at: payment.changedAt.toString(),
    refunds: payment.refunds.map((refund) => refundShown(refund, payment.id, amount.currency)),
    dispute:
      dispute === undefined
        ? null
        : {
            id: dispute.id,
            amount_minor: Number(dispute.minor),
            currency: amount.currency,
            status: dispute.status,
            created_at: dispute.createdAt.toString(),
            updated_at: dispute.changedAt.toString(),
          },
  };
}

export function refundShown(refund: Refund, paymentId: string, currency: string) {
  return {
    id: refund.id,
    payment: paymentId,
    reference: refund.reference ?? null,
    amount_minor: Number(refund.minor),
    currency,
    status: refund.status,
    created_at: refund.createdAt.toString(),
    updated_at: refund.changedAt.toString(),
  };
}

/** A payment with what it was made for, wherever it was made, as it stands at `now`. */
export function recordShown(record: PaymentRecord, now: Temporal.Instant) {
  const { amount, checkoutId, mandate, notBefore, payment } = record;
  return {
    ...paymentShown(payment, amount),
    reference: record.reference,
    description: record.description,
    ...(checkoutId === undefined ? {} : { checkout: checkoutId }),
    ...(notBefore === undefined ? {} : { not_before: notBefore.toString() }),
    mandate: mandate === undefined ? null : mandateShown(mandate, now),
  };
}
