import type { MailPayload } from '#mail';
import type { Publication } from '#publication';
import { type Paper, writeDate, writeDayAndTime } from '#values/dates';
import { formatMoney } from '#values/money';
import { INDIAN_STATES } from '#values/places';
import type { BillingParts } from './parts.ts';
import { type Payment, paymentsOf } from './payments.store.ts';
import { findSubscription, type Subscription } from './subscriptions.store.ts';
import { type Term, termsOf } from './terms.store.ts';

/** What was paid, for what and until when, with everything that the seller has to say of itself. */
export type Receipt = MailPayload<'receipt'>;

/** Where a reader cancels: every receipt says so. */
export const CANCEL_PATH = '/account/cancellation';

export function receiptOf(
  { sellerAddress, sellerName, name }: Publication,
  subscription: Subscription,
  term: Pick<Term, 'startOn' | 'endOn'>,
  payment: Pick<Payment, 'amount' | 'at' | 'method' | 'gatewayPaymentId'>,
): Receipt {
  return {
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
    ...(subscription.product === 'gift' ? {} : { renewsOn: term.endOn }),
    cancelPath: CANCEL_PATH,
  };
}

/** Whether a payment bought a term: money that fits nothing has no receipt, but goes back or to a person. */
export function hasReceipt({
  givenBackReason,
  parkedReason,
  status,
}: Pick<Payment, 'status' | 'parkedReason' | 'givenBackReason'>): boolean {
  return status === 'succeeded' && parkedReason === undefined && givenBackReason === undefined;
}

/**
 * The receipt of a reader's payment.
 *
 * @param paymentId the paper's own; left out, the newest that there is a receipt of
 * @returns undefined where the reader has no such payment, or nothing was bought with it
 */
export async function findReceipt(
  { db, publication }: Pick<BillingParts, 'db' | 'publication'>,
  readerId: string,
  paymentId?: string,
): Promise<Receipt | undefined> {
  const payment = (await paymentsOf(db, readerId)).find(
    (one) => hasReceipt(one) && (paymentId === undefined || one.id === paymentId),
  );
  if (payment === undefined) return undefined;
  const subscription = await findSubscription(db, payment.subscriptionId);
  const term = (await termsOf(db, payment.subscriptionId)).find((one) => one.seq === payment.termSeq);
  if (subscription === undefined || term === undefined) return undefined;
  return receiptOf(publication(), subscription, term, payment);
}

/** What a receipt says, line by line: a mail and a page say the same. */
export function receiptLines(receipt: Receipt, paper: Paper): [string, string][] {
  const { country, method, paidAt, paymentId, planName, sellerAddress, sellerName, state } = receipt;
  const { termFrom, termUntil } = receipt;
  // The term is half open; people say its last day.
  const lastDay = termUntil.subtract({ days: 1 });
  return [
    ['Plan', planName],
    ['Term', `${writeDate(termFrom, paper.language)} to ${writeDate(lastDay, paper.language)}`],
    ['Amount', formatMoney(receipt.amount, paper.language)],
    ['Paid on', writeDayAndTime(paidAt, paper)],
    ['Paid with', method],
    ['Payment', paymentId],
    ['Place of supply', placeName(country, state, paper.language)],
    ['Sold by', [sellerName, sellerAddress.replace(/\s*\n\s*/g, ', ')].filter(Boolean).join(', ')],
  ];
}

function placeName(country: string, state: string | undefined, language: string): string {
  const name = new Intl.DisplayNames(language, { type: 'region' }).of(country) ?? country;
  if (state === undefined) return name;
  return `${(country === 'IN' && INDIAN_STATES[state]) || state}, ${name}`;
}
