import { type MailPayload, type NewMail, postMails } from '#mail';
import type { Tx } from '#platform/db';
import { findReaders } from '#readers';
import type { Money } from '#values/money';
import { type AnnouncedPrice, boughtNext } from './agreement.ts';
import type { Outcome } from './carrying-out.ts';
import type { ChargeIntent } from './charges.store.ts';
import type { BillingParts } from './parts.ts';
import { CANCEL_PATH, findReceipt } from './receipts.ts';
import { mandateFor, mayCharge, mayTake } from './renewal.ts';
import { PATIENCE, type Patience } from './subscription.ts';
import type { Subscription } from './subscriptions.store.ts';

/** A letter to the reader who owns a subscription. */
export type Letter = {
  readonly readerId: string;
  readonly mail: {
    readonly [Kind in LetterKind]: { readonly kind: Kind; readonly payload: MailPayload<Kind> };
  }[LetterKind];
};
type LetterKind =
  | 'receipt'
  | 'gift-bought'
  | 'trial-began'
  | 'payment-failed'
  | 'subscription-ends'
  | 'subscription-goes-on'
  | 'renewal-notice'
  | 'renewal-failed'
  | 'subscription-rests'
  | 'subscription-over'
  | 'subscription-paused'
  | 'withdrawal-confirmed'
  | 'price-change'
  | 'price-stays'
  | 'refund';

/** Where a reader pays what is open, or gives another card or mandate. */
const PAY_PATH = '/account/payment';

/** What a reader is told before a term is charged. */
export function renewalNotice(subscription: Subscription): Letter[] {
  const { mandate, nextPlanName, paidThroughOn, readerId, trialEndsOn } = subscription;
  const renewsOn = paidThroughOn ?? trialEndsOn;
  if (renewsOn === undefined) return [];
  const payload = {
    planName: nextPlanName,
    amount: boughtNext(subscription).price,
    renewsOn,
    ...(mandate !== undefined && mayCharge(subscription) ? { method: mandate.method } : {}),
    payPath: PAY_PATH,
    cancelPath: CANCEL_PATH,
  };
  return [{ readerId, mail: { kind: 'renewal-notice', payload } }];
}

/** What a reader is told long before their plan costs something else. @param subscription as it was before */
export function priceChange(subscription: Subscription, { fromOn, price }: AnnouncedPrice): Letter[] {
  const { mandate, months, needsMethod, planName, price: was, readerId } = subscription;
  const isGood = mandate?.status === 'active' && !needsMethod;
  const asks = isGood ? mayTake(mandate, price) : asksWithoutMandate(price);
  const payload = {
    planName,
    months,
    was,
    amount: price,
    fromOn,
    ...(asks === 'yes' ? {} : { asks }),
    payPath: PAY_PATH,
    cancelPath: CANCEL_PATH,
  };
  return [{ readerId, mail: { kind: 'price-change', payload } }];
}

function asksWithoutMandate(price: Money): 'none' | 'by-hand' {
  return mandateFor(price) === undefined ? 'by-hand' : 'none';
}

/** A renewal was declined, or there is nothing to charge for it. */
export function renewalFailed(
  subscription: Subscription,
  method: string | undefined,
  { graceDays }: Patience = PATIENCE,
): Letter[] {
  const { nextPlanName, paidThroughOn, readerId, state, trialEndsOn } = subscription;
  const due = paidThroughOn ?? trialEndsOn;
  // Who is shut out was told so.
  if (due === undefined || state === 'suspended') return [];
  const payload = {
    planName: nextPlanName,
    amount: boughtNext(subscription).price,
    ...(method === undefined ? {} : { method }),
    readsUntil: due.add({ days: graceDays }),
    payPath: PAY_PATH,
  };
  return [{ readerId, mail: { kind: 'renewal-failed', payload } }];
}

/** What a reader is told of what became of their subscription. */
export function lettersOf({ fact, standing, steps, subscription }: Outcome): Letter[] {
  const { planName, readerId } = subscription;
  const { cancelOn, paidThroughOn, trialEndsOn } = standing;
  const to = steps.findLast((step) => step.kind === 'moved')?.to;
  if (fact === 'drop price') {
    const payload = { planName, amount: standing.price, accountPath: '/account' };
    return [{ readerId, mail: { kind: 'price-stays', payload } }];
  }
  if (fact === 'cancel' && cancelOn !== undefined) {
    const payload = { planName, endsOn: cancelOn, undoPath: '/account' };
    return [{ readerId, mail: { kind: 'subscription-ends', payload } }];
  }
  const renewsOn = paidThroughOn ?? trialEndsOn;
  if (subscription.product === 'gift') {
    const payload = { planName, giftsPath: '/account/gifts' };
    return to === 'active' ? [{ readerId, mail: { kind: 'gift-bought', payload } }] : [];
  }
  if (to === 'trialing' && trialEndsOn !== undefined) {
    const payload = {
      planName,
      paidFrom: trialEndsOn,
      amount: boughtNext(standing).price,
      method: subscription.mandate?.method ?? '',
      cancelPath: CANCEL_PATH,
    };
    return [{ readerId, mail: { kind: 'trial-began', payload } }];
  }
  if (fact === 'undo cancel' && renewsOn !== undefined) {
    const payload = { planName, renewsOn, cancelPath: CANCEL_PATH };
    return [{ readerId, mail: { kind: 'subscription-goes-on', payload } }];
  }
  if (fact === 'pause' && standing.pause !== undefined) {
    const { bankedDays, resumesOn } = standing.pause;
    const payload = { planName, resumesOn, daysLeft: bankedDays, accountPath: '/account' };
    return [{ readerId, mail: { kind: 'subscription-paused', payload } }];
  }
  // Who was declined knows already, and who is being charged hears of nothing.
  if (to === 'past_due') return mayCharge(subscription) ? [] : renewalFailed(subscription, undefined);
  if (to === 'suspended') {
    const payload = { planName, amount: boughtNext(standing).price, payPath: PAY_PATH };
    return [{ readerId, mail: { kind: 'subscription-rests', payload } }];
  }
  const isUnpaid = standing.endedReason === 'nonpayment' || standing.endedReason === 'mandate_revoked';
  if (to === 'expired' && isUnpaid) {
    return [
      { readerId, mail: { kind: 'subscription-over', payload: { planName, subscribePath: '/subscribe' } } },
    ];
  }
  return [];
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
  const payload = await findReceipt(parts, readerId);
  if (payload === undefined) return 'not-there';
  await parts.db.transaction().execute(async (tx) => {
    await postLetters(tx, [{ readerId, mail: { kind: 'receipt', payload } }], now);
    await record(tx);
  });
  return 'sent';
}
