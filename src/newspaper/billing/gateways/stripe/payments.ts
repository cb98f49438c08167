import { goOn, mapped } from '../calling.ts';
import type { Called, GatewayDispute, GatewayMandate, GatewayPayment, GatewayRefund } from '../gateway.ts';
import { moneyOf } from './amounts.ts';
import { type Api, everyOne } from './api.ts';
import { secondsOf } from './intents.ts';
import { methodText } from './mandates.ts';
import { failureKindOf } from './refusals.ts';
import {
  DISPUTE,
  type Dispute,
  listOf,
  PAYMENT,
  type PaidWith,
  type Payment,
  REFUND,
  type Refund,
} from './shapes.ts';

/** What is asked for along with a payment: what it was paid with, and what its bank said. */
export const ALONG = ['latest_charge', 'payment_method'];

export function statusOf(payment: Payment): GatewayPayment['status'] {
  switch (payment.status) {
    case 'succeeded':
      return 'succeeded';
    case 'canceled':
      return 'failed';
    case 'requires_payment_method':
      // Also where it was never tried, which `wasTried` tells apart.
      return 'failed';
    case 'requires_action':
      return 'requires_action';
    // `processing`, `requires_capture`, `requires_confirmation`, and words that are to come: it may still take money.
    default:
      return 'pending';
  }
}

/** Whether anybody tried to pay: a payment is there before that. */
export const wasTried = ({ last_payment_error: error, latest_charge: charge, status }: Payment): boolean =>
  error != null || charge != null || !['requires_payment_method', 'canceled'].includes(status);

/** What goes with a payment, asked for by whoever wants it in the paper's words. */
export type Around = {
  readonly mandate?: GatewayMandate | undefined;
  readonly refunds: readonly Refund[];
  readonly dispute: Dispute | undefined;
};

export function paymentOf(payment: Payment, around: Around): GatewayPayment {
  const status = statusOf(payment);
  const { currency, last_payment_error: error } = payment;
  const code = status === 'failed' ? failureCodeOf(payment) : undefined;
  const paidWith = paidWithOf(payment);
  return {
    gatewayPaymentId: payment.id,
    status,
    amount: moneyOf(status === 'succeeded' ? payment.amount_received : payment.amount, currency),
    failureCode: code,
    failureKind: code === undefined ? undefined : failureKindOf(code, error?.advice_code),
    method: paidWith === undefined ? 'Card' : methodText(paidWith),
    at: decidedAt(payment),
    mandate: around.mandate,
    refunds: around.refunds.map(refundOf),
    dispute: around.dispute && disputeOf(around.dispute, payment),
  };
}

function failureCodeOf({ cancellation_reason: reason, last_payment_error: error, status }: Payment): string {
  if (status === 'canceled') return reason ?? 'canceled';
  // A bank's own word before the one for all of them, `card_declined`.
  return error?.decline_code ?? error?.code ?? error?.type ?? 'payment_failed';
}

function paidWithOf(payment: Payment): PaidWith | undefined {
  const { last_payment_error: error, latest_charge: charge, payment_method: method } = payment;
  const charged = typeof charge === 'object' ? charge?.payment_method_details : undefined;
  const given = typeof method === 'object' ? method : undefined;
  return charged ?? given ?? error?.payment_method ?? undefined;
}

function decidedAt({ canceled_at: canceledAt, created, latest_charge: charge, status }: Payment) {
  if (status === 'canceled' && canceledAt != null) return canceledAt;
  return typeof charge === 'object' && charge !== null ? charge.created : created;
}

export function refundOf(refund: Refund): GatewayRefund {
  return {
    gatewayRefundId: refund.id,
    reference: refund.metadata.refund,
    amount: moneyOf(refund.amount, refund.currency),
    status: REFUNDED[refund.status ?? 'pending'] ?? 'pending',
    at: refund.created,
  };
}

const REFUNDED: Readonly<Record<string, GatewayRefund['status']>> = {
  succeeded: 'processed',
  failed: 'failed',
  canceled: 'failed',
};

/**
 * A dispute's amount is in the currency of the payment, unless banks reckoned it in another: then it is all that was paid,
 * as far as anybody here can say.
 */
export function disputeOf(
  dispute: Dispute,
  payment: Pick<Payment, 'amount_received' | 'currency'>,
): GatewayDispute {
  const isSame = dispute.currency === payment.currency;
  const amount = isSame ? Math.min(dispute.amount, payment.amount_received) : payment.amount_received;
  return {
    gatewayDisputeId: dispute.id,
    amount: moneyOf(amount, payment.currency),
    status: standingOf(dispute),
    at: dispute.created,
  };
}

function standingOf({ status }: Dispute): GatewayDispute['status'] {
  switch (status) {
    case 'won':
      return 'won';
    case 'lost':
    // Lost, and contested anew: it has not come back so far.
    case 'appeal_needs_response':
    case 'appeal_under_review':
      return 'lost';
    default:
      return 'open';
  }
}

/**
 * A question of the payer's bank that has taken no money, and a dispute that was kept from becoming one, are none.
 * (`charge_refunded`, until 2022: of what had been given back before.)
 */
export const tookBack = ({ status }: Dispute): boolean =>
  !status.startsWith('warning_') && status !== 'prevented' && status !== 'charge_refunded';

/** What was given back and what is disputed, of many payments at once. */
export type Afterwards = { readonly refunds: readonly Refund[]; readonly disputes: readonly Dispute[] };

export function aroundOf(payment: Payment, { disputes, refunds }: Afterwards): Around {
  return {
    refunds: refunds.filter((one) => one.payment_intent === payment.id),
    dispute: disputes
      .filter((one) => one.payment_intent === payment.id && tookBack(one))
      .toSorted((a, b) => Temporal.Instant.compare(b.created, a.created))[0],
  };
}

/** What goes with a payment: what was given back of it, also in vain, and whether it is disputed. */
export async function readAround(api: Api, payment: Payment): Promise<Called<Around>> {
  if (statusOf(payment) !== 'succeeded') return { kind: 'ok', value: { refunds: [], dispute: undefined } };
  return goOn(await refundsOf(api, payment.id), async (refunds) =>
    mapped(await disputesWhere(api, { payment_intent: payment.id }), (disputes) =>
      aroundOf(payment, { refunds, disputes }),
    ),
  );
}

export const refundsOf = (api: Api, paymentId: string): Promise<Called<Refund[]>> =>
  refundsWhere(api, { payment_intent: paymentId });

type Where = { readonly payment_intent?: string; readonly created?: { readonly gte: number } };

export const refundsWhere = (api: Api, where: Where): Promise<Called<Refund[]>> =>
  everyOne((query) =>
    api.ask('refunds.list', (sdk) => sdk.refunds.list({ ...where, ...query }), listOf(REFUND)),
  );

export const disputesWhere = (api: Api, where: Where): Promise<Called<Dispute[]>> =>
  everyOne((query) =>
    api.ask('disputes.list', (sdk) => sdk.disputes.list({ ...where, ...query }), listOf(DISPUTE)),
  );

/** The same of all payments that were begun since: none is given back or disputed before it was made. */
export async function afterwardsSince(api: Api, since: Temporal.Instant): Promise<Called<Afterwards>> {
  const where = { created: { gte: secondsOf(since) } };
  return goOn(await refundsWhere(api, where), async (refunds) =>
    mapped(await disputesWhere(api, where), (disputes) => ({ refunds, disputes })),
  );
}

export const readPayment = (api: Api, paymentId: string): Promise<Called<Payment>> =>
  api.ask(
    'paymentIntents.retrieve',
    (sdk) => sdk.paymentIntents.retrieve(paymentId, { expand: ALONG }),
    PAYMENT,
  );

/** An id goes into the address of a request as it is. */
export const isPaymentId = (id: string): boolean => /^pi_[A-Za-z0-9]{1,80}$/.test(id);
