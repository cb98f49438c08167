import type { Db, Tx } from '#platform/db';
import { Conflict } from '#values/errors';
import { isSameMoney, type Money } from '#values/money';
import { dayAt } from '#values/term';
import { agreedPrice, boughtNext, dearestAgreed, priceOfSeats } from './agreement.ts';
import { type Plan, priceFor } from './catalog.ts';
import { type ChargeIntent, insertIntents, isOpen, newestIntent } from './charges.store.ts';
import { MOST_SEATS, type Order } from './checkout.ts';
import { type Begun, closeCheckout, openAtGateway } from './checkout-page.ts';
import type { BillingParts } from './parts.ts';
import { type Taken, takenOf } from './refunds.store.ts';
import { mandateFor } from './renewal.ts';
import { prorated } from './rights.ts';
import { lockCurrents, type Subscription } from './subscriptions.store.ts';

/** Where a reader comes back to, whatever they did at the gateway's page. */
const PAYMENT_PATH = '/account/payment';

/** Whether something is to be paid now, and not only a card to be kept for later. */
export function isOverdue({ state }: Pick<Subscription, 'state'>): boolean {
  return state === 'past_due' || state === 'suspended';
}

/**
 * Has a reader pay what is open, or give another card or mandate where nothing is: at the gateway's page, which is the
 * same one however often they begin. Whatever they pay with there is charged for later terms.
 *
 * @param wanted another plan, or so many seats, to be had from today on: paid, less what is left of the term that runs
 * @returns `nothing` where there is nothing to pay, and nothing that would be charged
 */
export async function beginPayment(
  parts: BillingParts,
  reader: Order['reader'],
  now: Temporal.Instant,
  wanted?: Plan | { readonly seats: number },
): Promise<Begun | { readonly kind: 'nothing' }> {
  for (let tries = 0; tries < 5; tries++) {
    const planned = await parts.db.transaction().execute((tx) => place(parts, tx, reader.id, wanted, now));
    if (planned.kind === 'close-first') {
      const closed = await closeCheckout(parts, planned.intent, now);
      if (closed === 'closed') continue;
      const kind = closed === 'unknown' ? 'try-again' : 'confirming';
      return { kind, subscriptionId: planned.intent.subscriptionId };
    }
    if (planned.kind !== 'open') return planned;
    const { intent, subscription } = planned;
    const page = {
      planName: intent.change?.planName ?? subscription.nextPlanName,
      // A mandate is for the terms behind an offer too.
      price:
        intent.change?.seats !== undefined
          ? priceOfSeats(subscription, intent.change.seats)
          : (intent.change?.price ?? priceToAllow(subscription)),
      months: (intent.change ?? boughtNext(subscription)).months,
      returnPath: PAYMENT_PATH,
      cancelPath: PAYMENT_PATH,
    };
    const opened = await openAtGateway(parts, intent, reader, page, now);
    if (opened.kind !== 'begun-elsewhere') return opened;
  }
  throw new Conflict('begun-elsewhere', 'another window is paying at this moment');
}

/** What a mandate has to be good for: also for what was announced, unless no mandate is. */
function priceToAllow(subscription: Subscription): Money {
  const dearest = dearestAgreed(subscription);
  return mandateFor(dearest) === undefined ? agreedPrice(subscription) : dearest;
}

type Planned =
  | { readonly kind: 'open'; readonly intent: ChargeIntent; readonly subscription: Subscription }
  | { readonly kind: 'close-first'; readonly intent: ChargeIntent }
  | { readonly kind: 'confirming'; readonly subscriptionId: string }
  | { readonly kind: 'nothing' };

async function place(
  parts: BillingParts,
  tx: Tx,
  readerId: string,
  asked: Plan | { readonly seats: number } | undefined,
  now: Temporal.Instant,
): Promise<Planned> {
  const subscription = (await lockCurrents(tx, [readerId])).find(({ state }) => state !== 'incomplete');
  if (subscription === undefined) return { kind: 'nothing' };
  const wanted = asked === undefined ? owed(subscription) : await changed(tx, subscription, asked, now);
  if (wanted === undefined) return { kind: 'nothing' };
  const { id, nextSeq } = subscription;
  const { amount, change } = wanted;
  const newest = await newestIntent(tx, id);
  if (newest !== undefined && isOpen(newest)) {
    // What is being charged at this moment is not paid a second time.
    if (newest.mandateId !== undefined || newest.status === 'pending')
      return { kind: 'confirming', subscriptionId: id };
    const isSame =
      isSameMoney(newest.amount, amount) &&
      newest.termSeq === nextSeq &&
      newest.change?.planSlug === change?.planSlug &&
      newest.change?.seats === change?.seats;
    return isSame ? { kind: 'open', intent: newest, subscription } : { kind: 'close-first', intent: newest };
  }
  const [intent] = await insertIntents(
    tx,
    [
      {
        subscriptionId: id,
        termSeq: nextSeq,
        gateway: parts.gateways.taking(amount.currency).name,
        amount,
        next: '/account',
        mandateId: undefined,
        invoiceId: undefined,
        notBefore: undefined,
        ...(change === undefined ? {} : { change }),
      },
    ],
    now,
  );
  if (intent === undefined) throw new Error('an attempt was not written down');
  return { kind: 'open', intent, subscription };
}

type Wanted = { readonly amount: Money; readonly change?: NonNullable<ChargeIntent['change']> };

/** Whether its reader pays each term themselves, since nobody may take so much without them. */
export function isPaidByHand(subscription: Subscription): boolean {
  return mandateFor(agreedPrice(subscription)) === undefined;
}

/** Once they were reminded of it, whoever pays by hand pays the next term, which begins on its day. */
export function mayPayAhead(subscription: Subscription): boolean {
  const { nextSeq, remindedSeq, state } = subscription;
  return state === 'active' && isPaidByHand(subscription) && remindedSeq === nextSeq;
}

/** The renewal that is not paid; nothing at all where only a card is to be kept. */
export function owed(subscription: Subscription): Wanted | undefined {
  if (subscription.cancelOn !== undefined) return undefined;
  const { price } = boughtNext(subscription);
  if (isOverdue(subscription) || mayPayAhead(subscription)) return { amount: price };
  return isPaidByHand(subscription) ? undefined : { amount: { ...price, minor: 0n } };
}

async function changed(
  tx: Tx,
  subscription: Subscription,
  asked: Plan | { readonly seats: number },
  now: Temporal.Instant,
): Promise<Wanted | undefined> {
  if (!('slug' in asked)) {
    const quote = await quoteSeats(tx, subscription, asked.seats, now);
    if (quote === undefined) return undefined;
    const { months, planName, planSlug } = subscription;
    const { credit, price } = quote;
    return { amount: quote.due, change: { planSlug, planName, months, price, credit, seats: asked.seats } };
  }
  const quote = await quoteChange(tx, subscription, asked, now);
  if (quote === undefined) return undefined;
  const { months, name, slug } = asked;
  const price = priceFor(asked, subscription.seats);
  const change = { planSlug: slug, planName: name, months, price, credit: quote.credit };
  return { amount: quote.due, change };
}

/** What another plan costs today: its price, less what is left of the term that runs. */
export type Quote = { readonly due: Money; readonly credit: bigint };

/**
 * What it costs to have another plan from today on; undefined where that cannot be had: nothing runs, it is the same plan,
 * or what is left is worth more than it costs, which is nothing that goes back by itself.
 */
export async function quoteChange(
  db: Db | Tx,
  subscription: Subscription,
  plan: Plan,
  now: Temporal.Instant,
): Promise<Quote | undefined> {
  if (plan.slug === subscription.planSlug) return undefined;
  const running = await runningTerm(db, subscription, now);
  return running && changeQuote(subscription, running, plan);
}

/** The same, once it is known what is left of the term that runs. */
export function changeQuote(subscription: Subscription, running: Running, plan: Plan): Quote | undefined {
  const price = priceFor(plan, subscription.seats);
  if (running.currency !== price.currency) return undefined;
  const minor = price.minor - running.credit;
  return minor <= 0n ? undefined : { due: { ...price, minor }, credit: running.credit };
}

/** What more seats cost today, of which `price` is what is left of the term for all of them. */
export type SeatQuote = Quote & { readonly price: Money };

/**
 * What it costs to have so many seats from today to the day on which the others end; undefined where that cannot be had:
 * nothing runs, they are no more than there are, or another change waits for the end of the term.
 */
export async function quoteSeats(
  db: Db | Tx,
  subscription: Subscription,
  seats: number,
  now: Temporal.Instant,
): Promise<SeatQuote | undefined> {
  if (!Number.isInteger(seats) || seats <= subscription.seats || seats > MOST_SEATS) return undefined;
  if (subscription.pendingChange !== undefined || subscription.cancelOn !== undefined) return undefined;
  const running = await runningTerm(db, subscription, now);
  if (running === undefined) return undefined;
  const { credit, currency } = running;
  // What one seat of the days that are left was paid with; a part of a minor unit is the reader's.
  const minor = (credit * BigInt(seats)) / BigInt(subscription.seats);
  return minor <= credit
    ? undefined
    : { due: { minor: minor - credit, currency }, credit, price: { minor, currency } };
}

type Running = { readonly credit: bigint; readonly currency: string };

/** What is left of the term that runs, in money; undefined where none does, or it has not begun. */
async function runningTerm(
  db: Db | Tx,
  subscription: Subscription,
  now: Temporal.Instant,
): Promise<Running | undefined> {
  return runningOf(subscription, await takenOf(db, { readerId: subscription.readerId }), now);
}

/** @param taken the reader's payments that took money */
export function runningOf(
  { id, isDisputed, nextSeq, paidThroughOn, state, zone }: Subscription,
  taken: readonly Taken[],
  now: Temporal.Instant,
): Running | undefined {
  if (state !== 'active' || isDisputed) return undefined;
  const running = taken.find((one) => one.subscriptionId === id && one.term?.seq === nextSeq - 1);
  const today = dayAt(now, zone);
  // A term that is paid ahead and has not begun is not given up for another.
  if (running?.term === undefined || Temporal.PlainDate.compare(today, running.term.startOn) < 0)
    return undefined;
  return {
    credit: prorated(running.uncredited ?? 0n, running.term, today, paidThroughOn),
    currency: running.amount.currency,
  };
}
