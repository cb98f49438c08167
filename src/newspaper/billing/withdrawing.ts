import type { Db, Tx } from '#platform/db';
import { enqueue } from '#platform/queue';
import { Conflict, NotFound } from '#values/errors';
import type { Money } from '#values/money';
import { dayAt } from '#values/term';
import { creditInvoices } from './bookkeeping.ts';
import { currentOf } from './changes.ts';
import { closeOpenCheckout } from './checkout-page.ts';
import { hasAskedForStart } from './consents.store.ts';
import { factsSince } from './facts.store.ts';
import { postLetters } from './letters.ts';
import type { BillingParts } from './parts.ts';
import { insertRefunds, takenOf } from './refunds.store.ts';
import { SEND_REFUND } from './refunds.ts';
import { type Draw, drawsOnWithdrawal, mayWithdraw } from './rights.ts';
import { applyFactIn } from './standing.ts';
import { lockSubscription, type Subscription } from './subscriptions.store.ts';

/** What withdrawing from a contract means today. */
export type Withdrawal = {
  /** What goes back, and whether that is what is left of it by days. */
  readonly amount: Money;
  readonly isPart: boolean;
};

const EVER = Temporal.Instant.fromEpochMilliseconds(0);

/**
 * What withdrawing would mean for the reader of a subscription; undefined where the days for it are over, or their law has
 * none. A change of plan that began a term of its own made another contract, which has its own days.
 */
export async function withdrawalOf(
  parts: Pick<BillingParts, 'db' | 'publication'>,
  subscription: Subscription,
  now: Temporal.Instant,
): Promise<Withdrawal | undefined> {
  const planned = await plan(parts, parts.db, subscription, now);
  return planned && { amount: planned.amount, isPart: planned.isPart };
}

async function plan(
  { publication }: Pick<BillingParts, 'publication'>,
  db: Db | Tx,
  subscription: Subscription,
  now: Temporal.Instant,
): Promise<(Withdrawal & { readonly draws: readonly Draw[] }) | undefined> {
  const { id, price, readerId, zone } = subscription;
  const today = dayAt(now, zone);
  const [first] = await factsSince(db, id, 'paid', EVER);
  const changed = (await factsSince(db, id, 'change paid', EVER)).at(-1);
  const made = changed ?? first;
  const contractOn = made === undefined ? undefined : dayAt(made, zone);
  if (contractOn === undefined || !mayWithdraw(subscription, contractOn, today)) return undefined;
  // What was agreed to when it was begun says nothing of the contract that another plan made.
  const isPart =
    publication().withdrawalRefund === 'pro-rata' &&
    changed === undefined &&
    (await hasAskedForStart(db, id));
  const taken = (await takenOf(db, { readerId })).filter((one) => one.subscriptionId === id);
  // Days that were paid before the contract was made: of a first one there are none.
  const from = changed === undefined ? Temporal.PlainDate.from('0001-01-01') : contractOn;
  const draws = drawsOnWithdrawal(taken, from, isPart ? 'pro-rata' : 'full', today);
  const minor = draws.reduce((sum, draw) => sum + draw.minor, 0n);
  return { amount: { minor, currency: price.currency }, isPart, draws };
}

/**
 * Withdraws from the contract, as the law of some countries allows for fourteen days: it ends at once, and what was paid for it
 * goes back, all of it or what is left by days (Directive 2011/83/EU, articles 13 and 14). Its end, the credit notes, the
 * refunds and the confirmation are one transaction.
 *
 * @throws Conflict `too-late` where the days are over, or the reader's law has none; NotFound `no-subscription`
 */
export async function withdrawSubscription(
  parts: BillingParts,
  readerId: string,
  actor: string,
  now: Temporal.Instant,
): Promise<Subscription> {
  const current = await currentOf(parts, readerId);
  if ((await withdrawalOf(parts, current, now)) === undefined) throw tooLate();
  await closeOpenCheckout(parts, current.id, now);
  return parts.db.transaction().execute(async (tx) => {
    const subscription = await lockSubscription(tx, current.id);
    const planned = subscription && (await plan(parts, tx, subscription, now));
    if (subscription === undefined || planned === undefined) throw tooLate();
    const said = { actor, reason: 'the contract was withdrawn from' };
    let after = await applyFactIn(parts, tx, subscription, { kind: 'withdraw' }, { actor }, now);
    if (after === undefined)
      throw new NotFound('no-subscription', 'there is no subscription to withdraw from');
    const ended = new Set<number>();
    for (const { ends } of planned.draws) {
      if (ends === undefined || ended.has(ends.seq)) continue;
      ended.add(ends.seq);
      after = (await applyFactIn(parts, tx, after, { kind: 'refunded', term: ends }, said, now)) ?? after;
    }
    await giveBackDraws(parts, tx, planned.draws, planned.amount.currency, said, now);
    const { amount, isPart } = planned;
    const payload = {
      planName: subscription.planName,
      at: now,
      isPart,
      ...(amount.minor > 0n ? { amount } : {}),
    };
    await postLetters(tx, [{ readerId, mail: { kind: 'withdrawal-confirmed', payload } }], now);
    return after;
  });
}

function tooLate(): Conflict {
  return new Conflict('too-late', 'the days in which one may withdraw from this contract are over');
}

/** Credits invoices, each part with a note of its own, and has the gateway asked for the money. */
async function giveBackDraws(
  { publication }: BillingParts,
  tx: Tx,
  draws: readonly Draw[],
  currency: string,
  said: { readonly actor: string; readonly reason: string },
  now: Temporal.Instant,
): Promise<void> {
  for (const { gateway, gatewayPaymentId, invoiceId, minor } of draws) {
    const credit = { invoiceId, amount: minor, reason: said.reason, isPaid: true };
    const creditNoteId = (await creditInvoices(tx, publication(), [credit], now)).get(invoiceId);
    const amount = { minor, currency };
    const [refundId] = await insertRefunds(
      tx,
      [{ ...said, gateway, gatewayPaymentId, amount, creditNoteId }],
      now,
    );
    if (refundId !== undefined) await enqueue(tx, SEND_REFUND, { refundId });
  }
}
