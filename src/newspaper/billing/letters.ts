import { type MailPayload, type NewMail, postMails } from '#mail';
import type { Tx } from '#platform/db';
import type { Publication } from '#publication';
import { findReaders } from '#readers';
import { type ChargeIntent, paymentsOf } from './charges.store.ts';
import type { GatewayPayment } from './gateways/gateway.ts';
import type { BillingParts } from './parts.ts';
import { type Subscription, subscriptionsOf, type Term, termsOf } from './subscriptions.store.ts';

/** Where a reader cancels: every receipt says so. */
export const CANCEL_PATH = '/account/cancellation';

/** A letter to the reader who owns a subscription. */
export type Letter = {
  readonly readerId: string;
  readonly mail: {
    readonly [Kind in LetterKind]: { readonly kind: Kind; readonly payload: MailPayload<Kind> };
  }[LetterKind];
};
type LetterKind = 'receipt' | 'payment-failed' | 'subscription-ends' | 'subscription-goes-on';

/** What was paid, for what and until when, with everything that the seller has to say of itself. */
export function receipt(
  { sellerAddress, sellerName, name }: Publication,
  subscription: Subscription,
  term: Pick<Term, 'startOn' | 'endOn'>,
  payment: Pick<GatewayPayment, 'amount' | 'at' | 'method' | 'gatewayPaymentId'>,
): Letter {
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
  return { readerId: subscription.readerId, mail: { kind: 'receipt', payload } };
}

export function paymentFailed(intent: ChargeIntent, subscription: Subscription): Letter {
  const payload = {
    planName: subscription.planName,
    amount: intent.amount,
    tryAgainPath: `/subscribe/${subscription.planSlug}`,
  };
  return { readerId: subscription.readerId, mail: { kind: 'payment-failed', payload } };
}

/** Posts letters; who has deleted the account since gets none. */
export async function postLetters(tx: Tx, letters: readonly Letter[], now: Temporal.Instant): Promise<void> {
  const readers = await findReaders(
    tx,
    letters.map(({ readerId }) => readerId),
  );
  const mails = letters.flatMap(({ mail, readerId }) => {
    const reader = readers.get(readerId);
    return reader === undefined ? [] : [{ ...mail, to: reader.email, readerId } as NewMail];
  });
  await postMails(tx, mails, now);
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
    await postLetters(tx, [receipt(parts.publication(), paid, term, payment)], now);
    await record(tx);
  });
  return 'sent';
}
