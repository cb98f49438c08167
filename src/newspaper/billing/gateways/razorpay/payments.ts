import type { Called, GatewayDispute, GatewayMandate, GatewayPayment, GatewayRefund } from '../gateway.ts';
import { type Api, everyOne } from './api.ts';
import { bankText, cardText } from './mandates.ts';
import { failureKindOf } from './refusals.ts';
import {
  CARD_DETAILS,
  DISPUTE,
  type Dispute,
  listOf,
  type Order,
  PAYMENT,
  type Payment,
  REFUND,
  type Refund,
} from './shapes.ts';

/** How the payment of an order stands: what Razorpay says of it, and of the order that it is for. */
export function statusOf(
  payment: Payment,
  order: Pick<Order, 'status'> | undefined,
  /** A reader who is at their bank's page can still be seen to; a mandate has nobody there. */
  unfinished: 'requires_action' | 'pending',
): GatewayPayment['status'] {
  switch (payment.status) {
    case 'captured':
    // What was given back of it is another matter.
    case 'refunded':
      return 'succeeded';
    case 'failed':
      return 'failed';
    case 'authorized':
      // F31: a copy of the payment from before its capture, beside an order that is paid or the mark of the capture.
      return payment.captured || order?.status === 'paid' ? 'succeeded' : 'pending';
    case 'created':
      return unfinished;
    default:
      return payment.status satisfies never;
  }
}

/** Of all attempts at an order the one that took money, else one that still may, else the newest. */
export function mostTelling(payments: readonly Payment[]): Payment | undefined {
  const newestFirst = payments.toSorted((a, b) => Temporal.Instant.compare(b.created_at, a.created_at));
  const rank = ({ captured, status }: Payment) => (captured ? 0 : RANK[status]);
  return newestFirst.toSorted((a, b) => rank(a) - rank(b))[0];
}

const RANK: Readonly<Record<Payment['status'], number>> = {
  captured: 0,
  refunded: 0,
  authorized: 1,
  created: 2,
  failed: 3,
};

/** What goes with a payment, asked for by whoever wants it in the paper's words. */
export type Around = {
  readonly status: GatewayPayment['status'];
  readonly mandate?: GatewayMandate | undefined;
  readonly refunds: readonly Refund[];
  readonly dispute: Dispute | undefined;
};

export function paymentOf(payment: Payment, around: Around): GatewayPayment {
  const failureCode =
    around.status === 'failed' ? (payment.error_reason ?? payment.error_code ?? 'payment_failed') : undefined;
  return {
    gatewayPaymentId: payment.id,
    status: around.status,
    amount: { minor: payment.amount, currency: payment.currency },
    failureCode,
    failureKind: failureCode === undefined ? undefined : failureKindOf(failureCode),
    method: methodOf(payment),
    // It tells of no other time: a late authorisation bears the time at which it was begun.
    at: payment.created_at,
    mandate: around.mandate,
    refunds: around.refunds.map(refundOf),
    dispute: around.dispute === undefined ? undefined : disputeOf(around.dispute),
  };
}

function methodOf({ bank, card, method, vpa, wallet }: Payment): string {
  if (card != null) return cardText(card);
  if (vpa !== undefined && method === 'upi') return `UPI ${vpa}`;
  return bankText(method, bank ?? wallet);
}

export function refundOf(refund: Refund): GatewayRefund {
  return {
    gatewayRefundId: refund.id,
    reference: refund.notes.refund,
    amount: { minor: refund.amount, currency: refund.currency },
    status: refund.status,
    at: refund.created_at,
  };
}

export function disputeOf(dispute: Dispute): GatewayDispute {
  return {
    gatewayDisputeId: dispute.id,
    amount: { minor: dispute.amount, currency: dispute.currency },
    status: standingOf(dispute),
    at: dispute.created_at,
  };
}

function standingOf({ amount_deducted: deducted, status }: Dispute): GatewayDispute['status'] {
  switch (status) {
    case 'won':
    case 'lost':
      return status;
    case 'closed':
      // Ended with nobody's victory: whoever has the money keeps it.
      return (deducted ?? 0n) > 0n ? 'lost' : 'won';
    default:
      return 'open';
  }
}

/** Reads what goes with payments: what was given back of them, what is disputed, and of a card which it was. */
export async function readAround(
  api: Api,
  payment: Payment,
  disputes?: readonly Dispute[],
): Promise<Called<{ payment: Payment; refunds: readonly Refund[]; dispute: Dispute | undefined }>> {
  const tookMoney = payment.captured || payment.status === 'captured' || payment.status === 'refunded';
  if (!tookMoney) return { kind: 'ok', value: { payment, refunds: [], dispute: undefined } };
  const refunds =
    (payment.amount_refunded ?? 0n) > 0n
      ? await refundsOf(api, payment.id)
      : ({ kind: 'ok', value: [] } as const);
  if (refunds.kind !== 'ok') return refunds;
  const all: Called<readonly Dispute[]> =
    disputes === undefined ? await disputesSince(api, payment.created_at) : { kind: 'ok', value: disputes };
  if (all.kind !== 'ok') return all;
  return {
    kind: 'ok',
    value: { payment, refunds: refunds.value, dispute: newestOf(all.value, payment.id) },
  };
}

function newestOf(disputes: readonly Dispute[], paymentId: string): Dispute | undefined {
  return disputes
    .filter((one) => one.payment_id === paymentId)
    .toSorted((a, b) => Temporal.Instant.compare(b.created_at, a.created_at))[0];
}

export function refundsOf(api: Api, paymentId: string): Promise<Called<Refund[]>> {
  return everyOne((query) =>
    api.ask(
      'payments.fetchMultipleRefund',
      (sdk) => sdk.payments.fetchMultipleRefund(paymentId, query),
      listOf(REFUND),
    ),
  );
}

/** Disputes cannot be asked for by payment; none is older than its payment, and the newest come first. */
export function disputesSince(api: Api, since: Temporal.Instant): Promise<Called<Dispute[]>> {
  return everyOne(
    (query) => disputePage(api, query),
    (oldest) => Temporal.Instant.compare(oldest.created_at, since) < 0,
  );
}

export const disputePage = (api: Api, query: { count: number; skip: number }) =>
  api.ask('disputes.all', (sdk) => sdk.disputes.all(query), listOf(DISPUTE));

export const readPayment = (api: Api, paymentId: string): Promise<Called<Payment>> =>
  api.ask('payments.fetch', (sdk) => sdk.payments.fetch(paymentId), PAYMENT);

/** A list of payments may leave the card out; without it a receipt still says that it was one. */
export async function withCard(api: Api, payment: Payment): Promise<Payment> {
  if (payment.method !== 'card' || payment.card != null) return payment;
  const card = await api.ask(
    'payments.fetchCardDetails',
    (sdk) => sdk.payments.fetchCardDetails(payment.id),
    CARD_DETAILS,
  );
  return card.kind === 'ok' ? { ...payment, card: card.value } : payment;
}

/** Every attempt at an order. More than a page of them nobody makes. */
export const attemptsAt = (api: Api, orderId: string) =>
  api.ask('orders.fetchPayments', (sdk) => sdk.orders.fetchPayments(orderId), listOf(PAYMENT));
