import type { Db, Tx } from '#platform/db';
import { enqueue } from '#platform/queue';
import { Conflict, NotFound } from '#values/errors';
import type { Money } from '#values/money';
import { dayAt } from '#values/term';
import type { PaidTerm } from './agreement.ts';
import { askLater } from './asking.ts';
import { creditInvoices } from './bookkeeping.ts';
import { bookedOn, insertEntries, owedTo } from './books.store.ts';
import { insertFacts } from './facts.store.ts';
import type { GatewayRefund } from './gateways/gateway.ts';
import { type Entry, refunded, refundedKey, refundFailed } from './ledger.ts';
import { postLetters } from './letters.ts';
import type { BillingParts } from './parts.ts';
import {
  findRefund,
  insertRefunds,
  markPayment,
  markSeenTo,
  type NewRefund,
  openRefunds,
  type Refund,
  type RefundStatus,
  setRefund,
  type Taken,
  takenOf,
} from './refunds.store.ts';
import { applyFactIn, type Said } from './standing.ts';
import { lockSubscription, type Subscription } from './subscriptions.store.ts';

/** The task of jobs/tasks.ts that asks a gateway to give money back. */
export const SEND_REFUND = 'send-refund';

/** Gives back money that bought nothing. */
export async function giveBack(
  tx: Tx,
  given: readonly Pick<NewRefund, 'gateway' | 'gatewayPaymentId' | 'reason'>[],
  now: Temporal.Instant,
): Promise<void> {
  const ids = await insertRefunds(
    tx,
    given.map((one) => ({ ...one, actor: 'the paper' })),
    now,
  );
  if (ids.length > 0)
    await enqueue(
      tx,
      SEND_REFUND,
      ids.map((refundId) => ({ refundId })),
    );
}

/**
 * Refunds a payment, in part or in full. What is refunded in full takes back what it bought; a part takes nothing.
 *
 * @param order.gatewayPaymentId left out, the reader's newest payment of which something is left
 * @param order.minor in minor units; left out, all that is left
 * @param record writes down who does it; it fails where that was done already, and nothing is refunded twice
 * @throws NotFound `no-payment` where there is none; Conflict `gift-redeemed`, `payment-disputed` while a bank decides, and
 *   `more-than-is-left`
 */
export async function refundPayment(
  parts: BillingParts,
  order: {
    readonly readerId: string;
    readonly gatewayPaymentId?: string;
    readonly minor?: bigint;
  } & Required<Said>,
  now: Temporal.Instant,
  record?: (tx: Tx) => Promise<void>,
): Promise<Money> {
  const { actor, gatewayPaymentId, readerId, reason } = order;
  return parts.db.transaction().execute(async (tx) => {
    await record?.(tx);
    const wanted = await paymentToRefund(tx, readerId, gatewayPaymentId);
    const subscription = await lockSubscription(tx, wanted.subscriptionId);
    // Read under the lock: another may be refunding it at this moment.
    const taken = await paymentToRefund(tx, readerId, wanted.gatewayPaymentId);
    if (subscription === undefined) throw new NotFound('no-payment', 'there is no payment to refund');
    if (subscription.gift === 'redeemed')
      throw new Conflict('gift-redeemed', 'this gift was redeemed, and is read by');
    const amount = refundable(taken, order.minor);
    const creditNoteId = await takeBack(parts, tx, { taken, amount, subscription, reason, actor }, now);
    const { gateway } = taken;
    const [refundId] = await insertRefunds(
      tx,
      [{ gateway, gatewayPaymentId: taken.gatewayPaymentId, amount, reason, actor, creditNoteId }],
      now,
    );
    if (refundId !== undefined) await enqueue(tx, SEND_REFUND, { refundId });
    const payload = { planName: subscription.planName, amount, because: reason };
    await postLetters(tx, [{ readerId, mail: { kind: 'refund', payload } }], now);
    return amount;
  });
}

async function paymentToRefund(
  tx: Tx,
  readerId: string,
  gatewayPaymentId: string | undefined,
): Promise<Taken> {
  const taken = (await takenOf(tx, { readerId })).find((one) =>
    gatewayPaymentId === undefined
      ? leftOf(one) > 0n || one.hasOpenDispute
      : one.gatewayPaymentId === gatewayPaymentId,
  );
  if (taken === undefined) throw new NotFound('no-payment', 'there is no payment to refund');
  return taken;
}

/** What may still go back of a payment: not what went back, and not what another term was credited with. */
export function leftOf({ amount, disputed, refunded, uncredited }: Taken): bigint {
  const left = amount.minor - refunded - disputed;
  return uncredited !== undefined && uncredited < left ? uncredited : left;
}

/** What may go back of a payment. @param minor what is asked for; left out, all that is left @throws Conflict */
export function refundable(taken: Taken, minor: bigint = leftOf(taken)): Money {
  const left = leftOf(taken);
  if (taken.hasOpenDispute)
    throw new Conflict(
      'payment-disputed',
      'the payer’s bank has asked for this payment: wait for its decision',
    );
  if (minor <= 0n || minor > left)
    throw new Conflict('more-than-is-left', `of this payment ${left} minor units are left, and not ${minor}`);
  return { minor, currency: taken.amount.currency };
}

/** The term that ends because the last of its payment goes back; undefined where a part does, or it is for no term. */
export function termThatEnds(taken: Taken, { minor }: Money): PaidTerm | undefined {
  return minor >= leftOf(taken) ? taken.term : undefined;
}

/**
 * Credits what goes back of a payment, and where that is the last of it, ends what it bought.
 *
 * @returns the credit note's id; undefined where the payment was for no invoice, or all of it is credited
 */
export async function takeBack(
  parts: BillingParts,
  tx: Tx,
  given: {
    readonly taken: Taken;
    readonly amount: Money;
    readonly subscription: Subscription;
  } & Required<Said>,
  now: Temporal.Instant,
): Promise<string | undefined> {
  const { actor, amount, reason, subscription, taken } = given;
  const { invoiceId } = taken;
  const said = { actor, reason };
  const term = termThatEnds(taken, amount);
  const after =
    term !== undefined
      ? await applyFactIn(parts, tx, subscription, { kind: 'refunded', term }, said, now)
      : undefined;
  if (after === undefined)
    await insertFacts(tx, [{ subscriptionId: subscription.id, fact: 'refund', ...said }], now);
  if (invoiceId === undefined) return undefined;
  const credit = { invoiceId, amount: amount.minor, reason, isPaid: true };
  return (await creditInvoices(tx, parts.publication(), [credit], now)).get(invoiceId);
}

/**
 * Asks the gateway to give money back, and keeps what it answers. The same refund is given once, however often this runs.
 *
 * @throws when the gateway does not answer, so that a job tries again
 */
export async function sendRefund(
  parts: BillingParts,
  refundId: string,
  now: Temporal.Instant,
): Promise<void> {
  const refund = await findRefund(parts.db, refundId);
  if (refund?.status !== 'requested') return;
  const { amount, gatewayPaymentId } = refund;
  const called = await parts.gateways.named(refund.gateway).refund({ refundId, gatewayPaymentId, amount });
  if (called.kind === 'unknown')
    throw new Error(`the gateway does not say whether it refunded ${refundId}: ${called.reason}`);
  await parts.db.transaction().execute(async (tx) => {
    await lockSubscription(tx, refund.subscriptionId);
    if (called.kind === 'ok') return keepRefund(parts, tx, refundId, called.value, now);
    // It may be too old for the way that it came (billing, 0.5): a person pays it out by another.
    parts.log.error(
      { refundId, code: called.code },
      'a refund is refused, and its reader is still owed the money',
    );
    await setRefund(tx, refundId, 'failed', undefined);
    const { subscriptionId } = refund;
    const reason = `the gateway refuses it: ${called.code}`;
    await insertFacts(tx, [{ subscriptionId, fact: 'refund failed', actor: refund.gateway, reason }], now);
  });
}

/** Keeps how a refund stands, and books it when it is done. @param tx holds the subscription's lock */
export async function keepRefund(
  parts: BillingParts,
  tx: Tx,
  refundId: string,
  said: GatewayRefund,
  now: Temporal.Instant,
): Promise<void> {
  const refund = await findRefund(tx, refundId);
  if (refund === undefined || !isNews(refund.status, said.status)) return;
  await setRefund(tx, refundId, said.status, said.gatewayRefundId);
  const { gateway, gatewayPaymentId, invoiceId, subscriptionId } = refund;
  const owed =
    said.status === 'processed'
      ? await owedTo(tx, subscriptionId, refund.amount.currency)
      : await bookedOn(tx, refundedKey(refundId), 'owed');
  const entry = refundEntry(refund, said.status, owed);
  if (entry !== undefined) {
    await insertEntries(
      tx,
      [{ entry, subscriptionId, invoiceId }],
      dayAt(now, parts.publication().zone),
      now,
    );
  }
  const [taken] = await takenOf(tx, { gatewayPaymentId });
  if (taken === undefined) return;
  await markPayment(tx, gateway, gatewayPaymentId, standingAfter(taken));
}

const ORDER: readonly RefundStatus[] = ['requested', 'pending', 'processed', 'failed'];

/** Whether a gateway's word about a refund is newer than what is known: one that was read before may be applied after. */
export function isNews(known: RefundStatus, said: RefundStatus): boolean {
  return ORDER.indexOf(said) > ORDER.indexOf(known);
}

/**
 * What is booked where a refund has come to its end, or was at one and came back; undefined where neither is so.
 *
 * @param owed what its reader is owed before it is given; or when it came back, what of it they were
 */
export function refundEntry(
  { amount, gateway, id, status }: Pick<Refund, 'amount' | 'gateway' | 'id' | 'status'>,
  now: RefundStatus,
  owed: bigint,
): Entry | undefined {
  if (now === 'processed') return refunded(id, gateway, amount, owed);
  return status === 'processed' ? refundFailed(id, gateway, amount, owed) : undefined;
}

/** How a payment stands of which something went back. */
export function standingAfter({ amount, refunded }: Taken): 'refunded' | 'succeeded' {
  return refunded >= amount.minor ? 'refunded' : 'succeeded';
}

/** Says that a refund which the gateway refused was paid out another way. @throws NotFound `no-refund` */
export async function seeToRefund(
  { db }: BillingParts,
  refundId: string,
  said: Required<Said>,
  now: Temporal.Instant,
  record: (tx: Tx) => Promise<void>,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await record(tx);
    const refund = await findRefund(tx, refundId);
    if (refund?.status !== 'failed') throw new NotFound('no-refund', 'there is no refund that was refused');
    await markSeenTo(tx, refundId, now);
    await insertFacts(tx, [{ subscriptionId: refund.subscriptionId, fact: 'seen to', ...said }], now);
  });
}

/** At once in one sitting: more are found by the next. */
const MOST_ASKED = 500;

/**
 * Has gateways asked about refunds that have not come to an end: those that may never have reached them are sent again,
 * and of the others their payment is read, for a gateway repeats its first answer to what is sent twice.
 */
export async function askRefunds({ db }: { readonly db: Db }): Promise<void> {
  for (const { id, intentId, status } of await openRefunds(db, MOST_ASKED)) {
    if (status === 'requested') await enqueue(db, SEND_REFUND, { refundId: id }, { key: `refund ${id}` });
    else await askLater(db, intentId);
  }
}
