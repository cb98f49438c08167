import type { Tx } from '#platform/db';
import { Conflict, Invalid, NotFound } from '#values/errors';
import { isOver, priceOfSeats } from './agreement.ts';
import { type Plan, priceFor } from './catalog.ts';
import { isOpen, newestIntent } from './charges.store.ts';
import { checkBuyer } from './checkout.ts';
import { closeOpenCheckout } from './checkout-page.ts';
import { factsSince, insertFacts } from './facts.store.ts';
import { unpark } from './looks.store.ts';
import type { BillingParts } from './parts.ts';
import { mayPause, type PauseRefusal } from './rights.ts';
import { seatsOf } from './seats.store.ts';
import { applyFact } from './standing.ts';
import { type BuyerDetails, type Subscription, setBuyer, subscriptionsOf } from './subscriptions.store.ts';

/** A reader's subscription that is not over. @throws NotFound `no-subscription` */
export async function currentOf({ db }: BillingParts, readerId: string): Promise<Subscription> {
  const current = (await subscriptionsOf(db, readerId)).find((one) => !isOver(one));
  if (current === undefined || current.state === 'incomplete')
    throw new NotFound('no-subscription', 'there is no subscription that could be changed');
  return current;
}

const PAUSE_WORDS: Readonly<Record<PauseRefusal, string>> = {
  'not-active': 'only a subscription that is paid and runs can be paused',
  'too-short-or-long': 'a pause lasts from 7 to 90 days',
  'too-often': 'a subscription can be paused twice in a year',
};

/**
 * Lets a subscription rest from today: its reader reads nothing meanwhile, and the days that are left are kept.
 *
 * @throws Conflict with what is in the way, one of `not-active`, `too-often`, `payment-under-way`; Invalid
 *   `too-short-or-long`; NotFound `no-subscription`
 */
export async function pauseSubscription(
  parts: BillingParts,
  readerId: string,
  days: number,
  actor: string,
  now: Temporal.Instant,
): Promise<Subscription> {
  const current = await currentOf(parts, readerId);
  await closeOpenCheckout(parts, current.id, now);
  const paused = await applyFact(
    parts,
    current.id,
    { kind: 'pause', days },
    { actor, reason: `for ${days} days` },
    now,
    async (tx, subscription) => {
      const before = await factsSince(tx, current.id, 'pause', now.subtract({ hours: 365 * 24 }));
      const refused = mayPause(subscription, days, before);
      if (refused === 'too-short-or-long') throw new Invalid(refused, PAUSE_WORDS[refused]);
      if (refused !== undefined) throw new Conflict(refused, PAUSE_WORDS[refused]);
      // What is being charged would buy a term that begins while it rests.
      await refuseWhileCharged(tx, current.id);
      return false;
    },
  );
  if (paused === undefined) throw new Conflict('not-active', PAUSE_WORDS['not-active']);
  return paused;
}

/** The next term has begun and is billed as it was chosen. */
function refuseWhileOwed({ state }: Subscription): void {
  if (state === 'past_due') throw new Conflict('payment-due', 'the term that has begun is to be paid first');
}

async function refuseWhileCharged(tx: Tx, subscriptionId: string): Promise<void> {
  const newest = await newestIntent(tx, subscriptionId);
  if (newest !== undefined && isOpen(newest))
    throw new Conflict('payment-under-way', 'a payment is under way: try again once it has come');
}

/** Ends a pause today. @throws NotFound `no-pause` where there is none */
export async function endPause(
  parts: BillingParts,
  readerId: string,
  actor: string,
  now: Temporal.Instant,
): Promise<Subscription> {
  const current = await currentOf(parts, readerId);
  const after = await applyFact(parts, current.id, { kind: 'resume' }, { actor }, now);
  if (after === undefined) throw new NotFound('no-pause', 'the subscription does not rest');
  return after;
}

/**
 * Buys another plan from the next term on, at the price that it has today. What runs is kept to its end, and nothing is
 * charged now. The plan that there is takes the change back.
 *
 * @throws Conflict `not-running` where nothing renews, `payment-due` where the next term has begun unpaid
 */
export async function changePlanLater(
  parts: BillingParts,
  readerId: string,
  plan: Plan,
  actor: string,
  now: Temporal.Instant,
): Promise<Subscription> {
  const current = await currentOf(parts, readerId);
  if (current.cancelOn !== undefined)
    throw new Conflict('not-running', 'a subscription that is cancelled renews to no plan');
  refuseWhileOwed(current);
  const { months, slug } = plan;
  const price = priceFor(plan, current.seats);
  const isBack = slug === current.planSlug;
  const after = await applyFact(
    parts,
    current.id,
    isBack ? { kind: 'drop change' } : { kind: 'change later', change: { planSlug: slug, months, price } },
    { actor, reason: slug },
    now,
    async (tx) => {
      // What was announced and is being charged is charged as it was announced.
      await refuseWhileCharged(tx, current.id);
      return false;
    },
  );
  return after ?? current;
}

/**
 * Fewer seats from the next term on, or as many as there are after all; nothing is paid today.
 *
 * @throws Conflict `seats-taken` where more people have one, `payment-under-way`, `payment-due`, `not-running`; Invalid `bad-seats`;
 *   NotFound `no-subscription`
 */
export async function changeSeatsLater(
  parts: BillingParts,
  readerId: string,
  seats: number,
  actor: string,
  now: Temporal.Instant,
): Promise<Subscription> {
  const current = await currentOf(parts, readerId);
  if (current.cancelOn !== undefined)
    throw new Conflict('not-running', 'a subscription that is cancelled renews for nobody');
  refuseWhileOwed(current);
  if (!Number.isInteger(seats) || seats < 2 || seats > current.seats)
    throw new Invalid(
      'bad-seats',
      `a group has 2 seats or more, and from the next term on at most ${current.seats}`,
    );
  const { months, planSlug } = current;
  const change = { planSlug, months, price: priceOfSeats(current, seats), seats };
  const after = await applyFact(
    parts,
    current.id,
    seats === current.seats ? { kind: 'drop change' } : { kind: 'change later', change },
    { actor, reason: `${seats} seats` },
    now,
    async (tx) => {
      await refuseWhileCharged(tx, current.id);
      const taken = (await seatsOf(tx, current.id)).length;
      if (taken > seats)
        throw new Conflict('seats-taken', `${taken} seats are given away: take back ${taken - seats} first`);
      return false;
    },
  );
  return after ?? current;
}

/**
 * Says who buys, on the invoices to come.
 *
 * @throws Invalid `bad-gstin`, `gstin-elsewhere`; NotFound `no-subscription`
 */
export async function changeBuyer(
  parts: BillingParts,
  readerId: string,
  buyer: BuyerDetails,
  actor: string,
  now: Temporal.Instant,
): Promise<void> {
  const { country, countryState, id } = await currentOf(parts, readerId);
  checkBuyer(buyer, country, countryState);
  await parts.db.transaction().execute(async (tx) => {
    await setBuyer(tx, id, buyer);
    await insertFacts(tx, [{ subscriptionId: id, fact: 'another buyer', actor, reason: buyer.name }], now);
  });
}

/**
 * Lets what was parked go on, once a person has looked at it: it may be charged again.
 *
 * @throws NotFound `nothing-parked`
 */
export async function releaseSubscription(
  parts: BillingParts,
  readerId: string,
  said: { readonly actor: string; readonly reason: string },
  now: Temporal.Instant,
): Promise<void> {
  const current = await currentOf(parts, readerId);
  await parts.db.transaction().execute(async (tx) => {
    if (!(await unpark(tx, current.id, now))) throw new NotFound('nothing-parked', 'nothing is parked');
    await insertFacts(tx, [{ subscriptionId: current.id, fact: 'released', ...said }], now);
  });
}
