import { type MailPayload, type NewMail, postMails } from '#mail';
import type { Tx } from '#platform/db';
import { findReaders } from '#readers';
import type { ChargeIntent } from './charges.store.ts';
import type { BillingParts } from './parts.ts';
import { findReceipt } from './receipts.ts';
import type { Subscription } from './subscriptions.store.ts';

/** A letter to the reader who owns a subscription. */
export type Letter = {
  readonly readerId: string;
  readonly mail: {
    readonly [Kind in LetterKind]: { readonly kind: Kind; readonly payload: MailPayload<Kind> };
  }[LetterKind];
};
type LetterKind = 'receipt' | 'payment-failed' | 'subscription-ends' | 'subscription-goes-on';

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
  const payload = await findReceipt(parts, readerId);
  if (payload === undefined) return 'not-there';
  await parts.db.transaction().execute(async (tx) => {
    await postLetters(tx, [{ readerId, mail: { kind: 'receipt', payload } }], now);
    await record(tx);
  });
  return 'sent';
}
