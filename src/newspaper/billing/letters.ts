import { type MailPayload, type NewMail, postMail } from '#mail';
import type { Tx } from '#platform/db';
import { findReader } from '#readers';
import { type ChargeIntent, paymentsOf } from './charges.store.ts';
import type { GatewayPayment } from './gateways/gateway.ts';
import type { BillingParts } from './parts.ts';
import { type Subscription, subscriptionsOf, type Term, termsOf } from './subscriptions.store.ts';

/** Where a reader cancels: every receipt says so. */
export const CANCEL_PATH = '/account/cancellation';

/** What was paid, for what and until when, with everything that the seller has to say of itself. */
export async function mailReceipt(
  parts: BillingParts,
  tx: Tx,
  subscription: Subscription,
  term: Pick<Term, 'startOn' | 'endOn'>,
  payment: Pick<GatewayPayment, 'amount' | 'at' | 'method' | 'gatewayPaymentId'>,
  now: Temporal.Instant,
): Promise<void> {
  const { sellerAddress, sellerName, name } = parts.publication();
  const payload = {
    planName: subscription.planName,
    amount: payment.amount,
    termFrom: term.startOn,
    termUntil: term.endOn,
    paidAt: payment.at,
    method: payment.method,
    paymentId: payment.gatewayPaymentId,
    sellerName: sellerName || name,
    sellerAddress,
    country: subscription.country,
    ...(subscription.countryState === undefined ? {} : { state: subscription.countryState }),
    renewsOn: term.endOn,
    cancelPath: CANCEL_PATH,
  };
  await mailReader(tx, subscription, { kind: 'receipt', payload }, now);
}

/**
 * Sends the receipt of a reader's newest paid term once more.
 *
 * @param record is called in the same transaction, where there is one to send
 */
export async function resendReceipt(
  parts: BillingParts,
  readerId: string,
  record: (tx: Tx) => Promise<void>,
  now: Temporal.Instant,
): Promise<'sent' | 'not-there'> {
  const paid = (await subscriptionsOf(parts.db, readerId)).find((one) => one.anchorOn !== undefined);
  const term = paid && (await termsOf(parts.db, paid.id)).findLast((one) => one.status === 'paid');
  const payment = (await paymentsOf(parts.db, readerId)).find((one) => one.status === 'succeeded');
  if (paid === undefined || term === undefined || payment === undefined) return 'not-there';
  await parts.db.transaction().execute(async (tx) => {
    await mailReceipt(parts, tx, paid, term, payment, now);
    await record(tx);
  });
  return 'sent';
}

export async function tellFailed(
  tx: Tx,
  intent: ChargeIntent,
  subscription: Subscription,
  now: Temporal.Instant,
): Promise<void> {
  const payload = {
    planName: subscription.planName,
    amount: intent.amount,
    tryAgainPath: `/subscribe/${subscription.planSlug}`,
  };
  await mailReader(tx, subscription, { kind: 'payment-failed', payload }, now);
}

/** Mails the reader who owns a subscription; who has deleted the account since gets nothing. */
export async function mailReader(
  tx: Tx,
  subscription: Pick<Subscription, 'readerId'>,
  mail: SubscriptionMail,
  now: Temporal.Instant,
): Promise<void> {
  const reader = await findReader(tx, { id: subscription.readerId });
  if (reader === undefined) return;
  await postMail(tx, { ...mail, to: reader.email, readerId: reader.id } as NewMail, now);
}

type SubscriptionMail = {
  readonly [Kind in 'receipt' | 'payment-failed' | 'subscription-ends' | 'subscription-goes-on']: {
    readonly kind: Kind;
    readonly payload: MailPayload<Kind>;
  };
}['receipt' | 'payment-failed' | 'subscription-ends' | 'subscription-goes-on'];
