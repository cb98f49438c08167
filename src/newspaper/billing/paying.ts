import type { Db, Tx } from '#platform/db';
import { Conflict } from '#values/errors';
import { isSameMoney, type Money } from '#values/money';
import { dayAt } from '#values/term';
import type { Plan } from './catalog.ts';
import { type ChargeIntent, insertIntents, isOpen, newestIntent } from './charges.store.ts';
import { type Begun, closeCheckout, type Order, openAtGateway } from './checkout.ts';
import type { BillingParts } from './parts.ts';
import { takenOf } from './refunds.store.ts';
import { prorated } from './rights.ts';
import { agreedPrice, boughtNext } from './subscription.ts';
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
 * @param plan another one, to be had from today on: paid, less what is left of the one that runs
 * @returns `nothing` where there is nothing to pay, and nothing that would be charged
 */
export async function beginPayment(
  parts: BillingParts,
  reader: Order['reader'],
  now: Temporal.Instant,
  plan?: Plan,
): Promise<Begun | { readonly kind: 'nothing' }> {
  for (let tries = 0; tries < 5; tries++) {
    const planned = await parts.db.transaction().execute((tx) => place(parts, tx, reader.id, plan, now));
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
      price: intent.change?.price ?? agreedPrice(subscription),
      months: (intent.change ?? boughtNext(subscription)).months,
      returnPath: PAYMENT_PATH,
      cancelPath: PAYMENT_PATH,
    };
    const opened = await openAtGateway(parts, intent, reader, page, now);
    if (opened.kind !== 'begun-elsewhere') return opened;
  }
  throw new Conflict('begun-elsewhere', 'another window is paying at this moment');
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
  plan: Plan | undefined,
  now: Temporal.Instant,
): Promise<Planned> {
  const subscription = (await lockCurrents(tx, [readerId])).find(({ state }) => state !== 'incomplete');
  if (subscription === undefined) return { kind: 'nothing' };
  const wanted = plan === undefined ? owed(subscription) : await changed(tx, subscription, plan, now);
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
      newest.change?.planSlug === change?.planSlug;
    return isSame ? { kind: 'open', intent: newest, subscription } : { kind: 'close-first', intent: newest };
  }
  const [intent] = await insertIntents(
    tx,
    [
      {
        subscriptionId: id,
        termSeq: nextSeq,
        gateway: parts.gateway.name,
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

/** The renewal that is not paid; nothing at all where only a card is to be kept. */
function owed(subscription: Subscription): Wanted | undefined {
  if (subscription.cancelOn !== undefined) return undefined;
  const { price } = boughtNext(subscription);
  return { amount: isOverdue(subscription) ? price : { ...price, minor: 0n } };
}

async function changed(
  tx: Tx,
  subscription: Subscription,
  plan: Plan,
  now: Temporal.Instant,
): Promise<Wanted | undefined> {
  const quote = await quoteChange(tx, subscription, plan, now);
  if (quote === undefined) return undefined;
  const { months, name, price, slug } = plan;
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
  const { isDisputed, nextSeq, planSlug, readerId, state, zone } = subscription;
  if (state !== 'active' || isDisputed || plan.slug === planSlug) return undefined;
  const running = (await takenOf(db, { readerId })).find(
    (one) => one.subscriptionId === subscription.id && one.term?.seq === nextSeq - 1,
  );
  if (running?.term === undefined || running.amount.currency !== plan.price.currency) return undefined;
  const today = dayAt(now, zone);
  // A term that is paid ahead and has not begun is not given up for another.
  if (Temporal.PlainDate.compare(today, running.term.startOn) < 0) return undefined;
  const credit = prorated(running.uncredited ?? 0n, running.term, today);
  const minor = plan.price.minor - credit;
  return minor <= 0n ? undefined : { due: { ...plan.price, minor }, credit };
}
