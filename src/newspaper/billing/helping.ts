import type { Tx } from '#platform/db';
import { Conflict, Invalid, NotFound } from '#values/errors';
import { askLater } from './asking.ts';
import { parkIntent } from './charges.store.ts';
import { closeOpenCheckout } from './checkout-page.ts';
import { insertFacts } from './facts.store.ts';
import { unpark } from './looks.store.ts';
import type { BillingParts } from './parts.ts';
import { applyFactIn, type Said } from './standing.ts';
import type { Fact } from './subscription.ts';
import { lockSubscription, type Subscription } from './subscriptions.store.ts';

/** What whoever helps a reader may do to a subscription, apart from money. */
export type HelpingFact = Extract<Fact, { kind: 'cancel' | 'undo cancel' | 'extend' | 'end' }>;

/** Writes down who does it and why, in the transaction that does it; it fails where that was done already. */
export type Record = (tx: Tx) => Promise<void>;

/** More days than a year are a gift, and not a kindness. */
export const MOST_GIVEN_DAYS = 366;

/**
 * Does to a subscription what somebody on the staff decided for its reader: it renews no more, or does again, is given days,
 * or ends at once.
 *
 * @throws NotFound `no-subscription`; Conflict `not-now` where it stands otherwise; Invalid `bad-days`
 */
export async function helpWithSubscription(
  parts: BillingParts,
  subscriptionId: string,
  fact: HelpingFact,
  said: Required<Said>,
  now: Temporal.Instant,
  record: Record,
): Promise<Subscription> {
  if (
    fact.kind === 'extend' &&
    !(Number.isInteger(fact.days) && fact.days >= 1 && fact.days <= MOST_GIVEN_DAYS)
  )
    throw new Invalid('bad-days', `from 1 to ${MOST_GIVEN_DAYS} days are given at once`);
  // What is open at a gateway's page is closed first: nothing is paid for what has ended.
  if (fact.kind === 'end') await closeOpenCheckout(parts, subscriptionId, now);
  return parts.db.transaction().execute(async (tx) => {
    const subscription = await lockSubscription(tx, subscriptionId);
    if (subscription === undefined) throw new NotFound('no-subscription', 'there is no such subscription');
    await record(tx);
    const after = await applyFactIn(parts, tx, subscription, fact, said, now);
    if (after === undefined) throw new Conflict('not-now', 'as the subscription stands, that cannot be done');
    return after;
  });
}

/**
 * Lets a parked subscription be charged again, once somebody has looked at it.
 *
 * @throws Conflict `nothing-parked`
 */
export async function letGoOn(
  { db }: BillingParts,
  subscriptionId: string,
  said: Required<Said>,
  now: Temporal.Instant,
  record: Record,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await lockSubscription(tx, subscriptionId);
    await record(tx);
    if (!(await unpark(tx, subscriptionId, now))) throw new Conflict('nothing-parked', 'nothing is parked');
    await insertFacts(tx, [{ subscriptionId, fact: 'released', ...said }], now);
  });
}

/**
 * Takes an attempt to be paid from those that a person has to look at: its gateway is asked once more, or somebody has
 * seen to it elsewhere.
 */
export async function resolveAttempt(
  { db }: BillingParts,
  given: { readonly subscriptionId: string; readonly intentId: string; readonly by: 'asking' | 'hand' },
  said: Required<Said>,
  now: Temporal.Instant,
  record: Record,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await lockSubscription(tx, given.subscriptionId);
    await record(tx);
    await parkIntent(tx, given.intentId, undefined);
    const fact = given.by === 'asking' ? 'asked again' : 'seen to';
    await insertFacts(tx, [{ subscriptionId: given.subscriptionId, fact, ...said }], now);
  });
  if (given.by === 'asking') await askLater(db, given.intentId);
}
