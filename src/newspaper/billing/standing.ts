import type { Tx } from '#platform/db';
import { NotFound } from '#values/errors';
import { type Letter, postLetters } from './letters.ts';
import type { BillingParts } from './parts.ts';
import { CANCEL_PATH } from './receipts.ts';
import { type Fact, isOver, transition } from './subscription.ts';
import {
  insertFacts,
  lockSubscription,
  type Subscription,
  saveStandings,
  subscriptionsOf,
} from './subscriptions.store.ts';

/** What changes how a subscription stands and nothing else: no term begins by it, and what was given ends by itself. */
type PlainFact = Extract<Fact, { kind: 'never paid' | 'cancel' | 'undo cancel' | 'day' }>;

/**
 * @param unless looked at under the subscription's lock: whether the fact does not hold any more
 * @returns the subscription as it then is, or undefined when the fact changes nothing
 */
export async function applyFact(
  parts: BillingParts,
  subscriptionId: string,
  fact: PlainFact,
  actor: string,
  now: Temporal.Instant,
  unless: (tx: Tx, subscription: Subscription) => Promise<boolean> = async () => false,
): Promise<Subscription | undefined> {
  return parts.db.transaction().execute(async (tx) => {
    const subscription = await lockSubscription(tx, subscriptionId);
    if (subscription === undefined || (await unless(tx, subscription))) return undefined;
    const result = transition(subscription, fact, now);
    if (result.kind === 'unchanged') return undefined;
    const after = { ...subscription, ...result.standing };
    await saveStandings(tx, [{ id: subscriptionId, standing: result.standing }], now);
    await insertFacts(tx, [{ subscriptionId, fact: fact.kind, actor }], now);
    await postLetters(tx, lettersAbout(fact, after), now);
    return after;
  });
}

function lettersAbout(fact: Fact, after: Subscription): Letter[] {
  const { cancelOn, paidThroughOn, planName, readerId } = after;
  if (fact.kind === 'cancel' && cancelOn !== undefined) {
    const payload = { planName, endsOn: cancelOn, undoPath: '/account' };
    return [{ readerId, mail: { kind: 'subscription-ends', payload } }];
  }
  if (fact.kind === 'undo cancel' && paidThroughOn !== undefined) {
    const payload = { planName, renewsOn: paidThroughOn, cancelPath: CANCEL_PATH };
    return [{ readerId, mail: { kind: 'subscription-goes-on', payload } }];
  }
  return [];
}

/**
 * Says that a reader's subscription shall not renew; it runs to the end of what is paid.
 *
 * @param actor who says so: `reader`, `command line`, or a member of staff
 * @throws NotFound `no-subscription` when there is none that could be cancelled
 */
export async function cancelSubscription(
  parts: BillingParts,
  readerId: string,
  actor: string,
  now: Temporal.Instant,
): Promise<Subscription> {
  const current = (await subscriptionsOf(parts.db, readerId)).find((one) => !isOver(one));
  if (current !== undefined && current.cancelOn !== undefined) return current;
  const after = current && (await applyFact(parts, current.id, { kind: 'cancel' }, actor, now));
  if (after === undefined) throw new NotFound('no-subscription', 'there is no subscription to cancel');
  return after;
}

/**
 * Takes a cancellation back, while there is time.
 *
 * @throws NotFound `nothing-cancelled` when there is nothing to take back
 */
export async function resumeSubscription(
  parts: BillingParts,
  readerId: string,
  actor: string,
  now: Temporal.Instant,
): Promise<Subscription> {
  const current = (await subscriptionsOf(parts.db, readerId)).find((one) => !isOver(one));
  if (current !== undefined && current.state !== 'incomplete' && current.cancelOn === undefined)
    return current;
  const after = current && (await applyFact(parts, current.id, { kind: 'undo cancel' }, actor, now));
  if (after === undefined)
    throw new NotFound('nothing-cancelled', 'there is no cancelled subscription that could go on');
  return after;
}
