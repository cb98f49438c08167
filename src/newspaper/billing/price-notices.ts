import type { Tx } from '#platform/db';
import { dayAt, startOfDay } from '#values/term';
import { carryOut, type Outcome } from './carrying-out.ts';
import type { ChargeIntent } from './charges.store.ts';
import { type Letter, postLetters, priceChange } from './letters.ts';
import { insertNotices } from './notices.store.ts';
import type { BillingParts } from './parts.ts';
import { lockRooms, markTold, type Told, tellLater } from './price-changes.store.ts';
import { type PricePlan, planPriceChange, type WaitingChange } from './price-changes.ts';
import { nextAct } from './renewal.ts';
import { transition } from './subscription.ts';
import type { Subscription } from './subscriptions.store.ts';

type Telling = {
  readonly subscription: Subscription;
  readonly change: WaitingChange;
  readonly plan: Extract<PricePlan, { kind: 'tell' }>;
};

/**
 * Tells readers of the price that their plan will cost: what was promised is written down with the letter, and is what the
 * planner charges from its day on. Of one change no more are told a day than it says; the others on another day.
 *
 * @param due are held, and a change waits for each of them
 * @returns when each is to be looked at next
 */
export async function tellPrices(
  parts: BillingParts,
  tx: Tx,
  due: readonly Subscription[],
  newest: ReadonlyMap<string, ChargeIntent>,
  now: Temporal.Instant,
): Promise<ReadonlyMap<string, Temporal.Instant | undefined>> {
  if (due.length === 0) return new Map();
  const { zone } = parts.publication();
  const today = dayAt(now, zone);
  const telling = due.flatMap((subscription): Telling[] => {
    const change = subscription.priceChange;
    const plan = change && planPriceChange(subscription, change, dayAt(now, subscription.zone));
    return plan?.kind === 'tell' ? [{ subscription, change: change as WaitingChange, plan }] : [];
  });
  const rooms = await lockRooms(
    tx,
    [...new Set(telling.map(({ change }) => change.id))],
    startOfDay(today, zone),
  );
  const [chosen, later] = [[] as Telling[], [] as Telling[]];
  for (const one of telling) {
    const room = rooms.get(one.change.id) ?? 0;
    rooms.set(one.change.id, room - 1);
    (room > 0 ? chosen : later).push(one);
  }
  const tomorrow = today.add({ days: 1 });
  await tellLater(
    tx,
    later.map(({ subscription: { id } }) => id),
    tomorrow,
  );
  const isNew = await markTold(tx, chosen.map(toldOf), now);
  const told = chosen.filter(({ subscription: { id } }) => isNew.has(id));
  const outcomes = told.flatMap((one) => outcomeOf(one, now));
  await carryOut(parts, tx, outcomes, now);
  await insertNotices(
    tx,
    told.map(({ plan, subscription: { id, nextSeq, planSlug } }) => ({
      subscriptionId: id,
      termSeq: nextSeq + plan.termsAhead,
      kind: 'price',
      planSlug,
      amount: plan.price,
    })),
    now,
  );
  await postLetters(
    tx,
    told.flatMap(({ plan: { appliesOn, price }, subscription }): Letter[] =>
      priceChange(subscription, { price, fromOn: appliesOn }),
    ),
    now,
  );
  const known: Subscription[] = [
    ...outcomes.map(({ standing, subscription }) => ({
      ...subscription,
      ...standing,
      priceChange: undefined,
    })),
    ...later.map(({ change, subscription }) => ({
      ...subscription,
      priceChange: { ...change, notBeforeOn: tomorrow },
    })),
  ];
  return new Map(known.map((one) => [one.id, nextAct(one, newest.get(one.id), now)?.at]));
}

function toldOf({ change, plan, subscription }: Telling): Told {
  return {
    changeId: change.id,
    subscriptionId: subscription.id,
    termSeq: subscription.nextSeq + plan.termsAhead,
    was: subscription.price,
    promised: plan.price,
    appliesOn: plan.appliesOn,
  };
}

function outcomeOf({ change, plan, subscription }: Telling, now: Temporal.Instant): Outcome[] {
  const announced = { price: plan.price, fromOn: plan.appliesOn };
  const result = transition(subscription, { kind: 'announce price', announced }, now);
  if (result.kind === 'unchanged') return [];
  const { standing, steps } = result;
  const said = { fact: 'announce price', actor: 'the calendar', reason: change.id };
  return [{ subscription, standing, steps, ...said, dueAt: now }];
}
