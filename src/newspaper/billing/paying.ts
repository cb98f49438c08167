import type { Tx } from '#platform/db';
import { Conflict } from '#values/errors';
import { type ChargeIntent, insertIntents, isOpen, newestIntent } from './charges.store.ts';
import { type Begun, closeCheckout, type Order, openAtGateway } from './checkout.ts';
import type { BillingParts } from './parts.ts';
import { boughtNext } from './subscription.ts';
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
 * @returns `already-subscribed` where there is nothing to pay and nothing that would be charged
 */
export async function beginPayment(
  parts: BillingParts,
  reader: Order['reader'],
  now: Temporal.Instant,
): Promise<Begun | { readonly kind: 'nothing' }> {
  for (let tries = 0; tries < 5; tries++) {
    const planned = await parts.db.transaction().execute((tx) => plan(parts, tx, reader.id, now));
    if (planned.kind === 'close-first') {
      const closed = await closeCheckout(parts, planned.intent, now);
      if (closed === 'closed') continue;
      const kind = closed === 'unknown' ? 'try-again' : 'confirming';
      return { kind, subscriptionId: planned.intent.subscriptionId };
    }
    if (planned.kind !== 'open') return planned;
    const { intent, subscription } = planned;
    const { months, price } = boughtNext(subscription);
    const page = {
      planName: subscription.nextPlanName,
      price,
      months,
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

async function plan(parts: BillingParts, tx: Tx, readerId: string, now: Temporal.Instant): Promise<Planned> {
  const subscription = (await lockCurrents(tx, [readerId])).find(({ state }) => state !== 'incomplete');
  if (subscription === undefined || subscription.cancelOn !== undefined) return { kind: 'nothing' };
  const { id, nextSeq } = subscription;
  const { price } = boughtNext(subscription);
  const amount = isOverdue(subscription) ? price : { ...price, minor: 0n };
  const newest = await newestIntent(tx, id);
  if (newest !== undefined && isOpen(newest)) {
    // What is being charged at this moment is not paid a second time.
    if (newest.mandateId !== undefined || newest.status === 'pending')
      return { kind: 'confirming', subscriptionId: id };
    return newest.amount.minor === amount.minor && newest.termSeq === nextSeq
      ? { kind: 'open', intent: newest, subscription }
      : { kind: 'close-first', intent: newest };
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
      },
    ],
    now,
  );
  if (intent === undefined) throw new Error('an attempt was not written down');
  return { kind: 'open', intent, subscription };
}
