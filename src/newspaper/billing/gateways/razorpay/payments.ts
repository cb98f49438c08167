import { goOn, mapped } from '../calling.ts';
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

/** What was given back and what is disputed, of many payments at once. */
export type Afterwards = { readonly refunds: readonly Refund[]; readonly disputes: readonly Dispute[] };

/** What goes with a payment: what was given back of it, also in vain, and whether it is disputed. */
export async function readAround(
  api: Api,
  payment: Payment,
  known?: Afterwards,
): Promise<Called<{ payment: Payment; refunds: readonly Refund[]; dispute: Dispute | undefined }>> {
  const tookMoney = payment.captured || payment.status === 'captured' || payment.status === 'refunded';
  if (!tookMoney) return { kind: 'ok', value: { payment, refunds: [], dispute: undefined } };
  const afterwards = known === undefined ? await afterwardsOf(api, payment) : found(known);
  return mapped(afterwards, ({ disputes, refunds }) => ({
    payment,
    refunds: refunds.filter((one) => one.payment_id === payment.id),
    dispute: newestOf(disputes, payment.id),
  }));
}

const found = <Value>(value: Value): Called<Value> => ({ kind: 'ok', value });

const afterwardsOf = async (api: Api, payment: Payment): Promise<Called<Afterwards>> =>
  goOn(await refundsOf(api, payment.id), async (refunds) =>
    mapped(await disputesSince(api, payment.created_at), (disputes) => ({ refunds, disputes })),
  );

/** The same of all payments that were begun since. */
export const afterwardsSince = async (api: Api, since: Temporal.Instant): Promise<Called<Afterwards>> =>
  goOn(await refundsSince(api, since), async (refunds) =>
    mapped(await disputesSince(api, since), (disputes) => ({ refunds, disputes })),
  );

const refundsSince = (api: Api, since: Temporal.Instant): Promise<Called<Refund[]>> =>
  everyOne((query) =>
    api.ask('refunds.all', (sdk) => sdk.refunds.all({ ...query, from: fromOf(since) }), listOf(REFUND)),
  );

/** Unix seconds; the SDK takes a 0 for none at all, and 1 is as good. */
export const fromOf = (instant: Temporal.Instant): number =>
  Math.max(1, Math.floor(instant.epochMilliseconds / 1_000));

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
function disputesSince(api: Api, since: Temporal.Instant): Promise<Called<Dispute[]>> {
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
