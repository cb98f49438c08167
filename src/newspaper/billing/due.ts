import type { Db, Tx } from '#platform/db';
import { isOpen, newestIntent } from './charges.store.ts';
import { closeOpenCheckout } from './checkout.ts';
import type { BillingParts } from './parts.ts';
import { applyFact } from './standing.ts';
import { dueSubscriptions, findSubscription, type Subscription } from './subscriptions.store.ts';

/** Something that was begun and not paid is given up after this long, and its checkout closed. */
const HOURS_TO_PAY = 24;
/** At once in one sitting: more are found by the next. */
const MOST_DUE = 500;

/** When the next subscription falls due, if that is by `until`. */
export async function nextDueAt(db: Db, until: Temporal.Instant): Promise<Temporal.Instant | undefined> {
  return (await dueSubscriptions(db, until, HOURS_TO_PAY, 1))[0]?.at;
}

/**
 * Does what has fallen due by the clock alone: gives up what was begun and never paid, and ends what its reader
 * cancelled. Safe to repeat, and to run in several processes at once.
 */
export async function settleDue(parts: BillingParts, now: Temporal.Instant): Promise<void> {
  for (const { subscriptionId } of await dueSubscriptions(parts.db, now, HOURS_TO_PAY, MOST_DUE)) {
    try {
      await settle(parts, subscriptionId, now);
    } catch (error) {
      // What fails for one reader keeps none of the others waiting.
      parts.log.error({ err: error, subscriptionId }, 'what fell due could not be done yet');
    }
  }
}

async function settle(parts: BillingParts, subscriptionId: string, now: Temporal.Instant): Promise<void> {
  const subscription = await findSubscription(parts.db, subscriptionId);
  if (subscription?.state === 'incomplete') await giveUp(parts, subscription, now);
  else if (subscription !== undefined) {
    // Its reader may have taken the cancellation back meanwhile.
    const goesOn = async (_: Tx, { cancelOn }: Subscription) => cancelOn === undefined;
    await applyFact(parts, subscriptionId, { kind: 'day' }, 'the calendar', now, goesOn);
  }
}

/** Closes the checkout at the gateway first: what cannot be paid any more can be given up, and nothing else. */
async function giveUp(parts: BillingParts, subscription: Subscription, now: Temporal.Instant): Promise<void> {
  if ((await closeOpenCheckout(parts, subscription.id, now)) !== 'closed') return;
  // Its reader may have begun again meanwhile.
  const isBegun = async (tx: Tx) => {
    const intent = await newestIntent(tx, subscription.id);
    return intent !== undefined && isOpen(intent);
  };
  await applyFact(parts, subscription.id, { kind: 'never paid' }, 'the calendar', now, isBegun);
}
