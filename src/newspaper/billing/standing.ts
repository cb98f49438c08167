import type { Tx } from '#platform/db';
import { NotFound } from '#values/errors';
import { isOver } from './agreement.ts';
import type { MandateNamed } from './asking.ts';
import { carryOut } from './carrying-out.ts';
import { lookAgain } from './looks.store.ts';
import { setMandateStatus } from './mandates.store.ts';
import type { BillingParts } from './parts.ts';
import { type Fact, transition } from './subscription.ts';
import {
  lockSubscription,
  lockSubscriptions,
  type Subscription,
  subscriptionsOf,
} from './subscriptions.store.ts';

/** By whom something was said, and why. */
export type Said = { readonly actor: string; readonly reason?: string };

/**
 * Applies a fact to a subscription that is held, and carries out what follows.
 *
 * @returns the subscription as it then is, or undefined when the fact changes nothing
 */
export async function applyFactIn(
  parts: BillingParts,
  tx: Tx,
  subscription: Subscription,
  fact: Fact,
  said: Said,
  now: Temporal.Instant,
): Promise<Subscription | undefined> {
  const result = transition(subscription, fact, now);
  if (result.kind === 'unchanged') return undefined;
  const { standing, steps } = result;
  // The planner knows more of it than is known here, so it says when it is to be looked at again.
  const dueAt = isOver(standing) ? undefined : now;
  await carryOut(parts, tx, [{ subscription, standing, steps, fact: fact.kind, ...said, dueAt }], now);
  return { ...subscription, ...standing };
}

/**
 * Applies a fact to a subscription.
 *
 * @param unless looked at under the subscription's lock: whether the fact does not hold any more
 * @returns the subscription as it then is, or undefined when the fact changes nothing
 */
export async function applyFact(
  parts: BillingParts,
  subscriptionId: string,
  fact: Fact,
  said: Said,
  now: Temporal.Instant,
  unless: (tx: Tx, subscription: Subscription) => Promise<boolean> = async () => false,
): Promise<Subscription | undefined> {
  return parts.db.transaction().execute(async (tx) => {
    const subscription = await lockSubscription(tx, subscriptionId);
    if (subscription === undefined || (await unless(tx, subscription))) return undefined;
    return applyFactIn(parts, tx, subscription, fact, said, now);
  });
}

/**
 * Reads a mandate again, and keeps how it stands: what was revoked or has expired is charged no more, and its reader is
 * asked for another in time.
 *
 * @throws when the gateway does not answer, so that a job tries again
 */
export async function settleMandate(
  parts: BillingParts,
  { gateway: name, token }: MandateNamed,
  now: Temporal.Instant,
): Promise<void> {
  const { db } = parts;
  const gateway = parts.gateways.named(name);
  const read = await gateway.readMandate(token);
  if (read.kind === 'unknown') throw new Error(`the gateway does not tell of a mandate: ${read.reason}`);
  if (read.kind === 'refused') return;
  // What an event names may be a part of what the mandate is kept under.
  const { status, token: kept } = read.value;
  await db.transaction().execute(async (tx) => {
    const ids = await setMandateStatus(tx, gateway.name, kept, status, read.value);
    const isLost = status === 'revoked' || status === 'expired' || status === 'rejected';
    await lookAgain(tx, ids, now);
    const fact: Fact = { kind: isLost ? 'method lost' : 'method' };
    for (const subscription of (await lockSubscriptions(tx, ids)).values())
      if (status !== 'paused') await applyFactIn(parts, tx, subscription, fact, { actor: gateway.name }, now);
  });
}

/**
 * Tells a gateway that nothing is to be taken by a mandate any more.
 *
 * @throws when the gateway does not answer, so that a job tries again
 */
export async function revokeMandate(
  { db, gateways, log }: BillingParts,
  { gateway, token }: MandateNamed,
): Promise<void> {
  const revoked = await gateways.named(gateway).revokeMandate(token);
  if (revoked.kind === 'unknown') throw new Error(`the gateway does not revoke a mandate: ${revoked.reason}`);
  if (revoked.kind === 'refused') log.warn({ code: revoked.code }, 'the gateway refuses to revoke a mandate');
  else await db.transaction().execute((tx) => setMandateStatus(tx, gateway, token, 'revoked'));
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
  const after = current && (await applyFact(parts, current.id, { kind: 'cancel' }, { actor }, now));
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
  const after = current && (await applyFact(parts, current.id, { kind: 'undo cancel' }, { actor }, now));
  if (after === undefined)
    throw new NotFound('nothing-cancelled', 'there is no cancelled subscription that could go on');
  return after;
}
