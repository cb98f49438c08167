import type { Db, Tx } from '#platform/db';
import { NotFound } from '#values/errors';
import type { Money } from '#values/money';
import { dayAt } from '#values/term';
import { boughtNext } from './agreement.ts';
import type { Plan } from './catalog.ts';
import { isOpen, newestIntent } from './charges.store.ts';
import type { BillingParts } from './parts.ts';
import { insertPriceChange, type NewPriceChange, stopTelling } from './price-changes.store.ts';
import { NOTICE_DAYS, type PricePlan, type PriceWait, planPriceChange } from './price-changes.ts';
import { mayTake } from './renewal.ts';
import { applyFact } from './standing.ts';
import { type Subscription, subscriptionsOfPlan } from './subscriptions.store.ts';

/** What is wrong with a change that somebody would like to begin; undefined where nothing is. @param today of the paper */
export function priceChangeFault(
  change: NewPriceChange,
  plans: readonly Pick<Plan, 'slug'>[],
  today: Temporal.PlainDate,
): string | undefined {
  const { aDay, capPercent, fromOn, noticeDays, planSlug } = change;
  const { least, most } = NOTICE_DAYS;
  if (!plans.some(({ slug }) => slug === planSlug)) return `there is no plan ${planSlug}`;
  if (noticeDays < least || noticeDays > most) return `readers have ${least} to ${most} days of notice`;
  if (capPercent !== undefined && (capPercent < 1 || capPercent > 1_000))
    return 'a price rises by 1 to 1,000 per cent at most';
  if (aDay < 1) return 'at least one reader is told a day';
  return Temporal.PlainDate.compare(fromOn, today) < 0 ? 'a change begins today or later' : undefined;
}

/** What a change would do, as of a day. */
export type PriceEstimate = {
  /** By the month in which it would begin to be charged, in order. */
  readonly months: readonly {
    readonly month: string;
    readonly readers: number;
    /** More, or less, in a year: minor units. */
    readonly moreAYear: bigint;
  }[];
  readonly firstTold: Temporal.PlainDate | undefined;
  /** It falls due for more readers than are told on their days: these are told for the boundary after. */
  readonly crowdedOut: number;
  /** Who would have to give another mandate first, or be there for each payment. */
  readonly needMandate: number;
  readonly waiting: Readonly<Partial<Record<PriceWait, number>>>;
  /** Whose price would not be another one. */
  readonly same: number;
};

/** How many would pay another price when, and what that comes to; nothing is written down. */
export async function estimatePriceChange(
  db: Db,
  change: NewPriceChange,
  now: Temporal.Instant,
): Promise<PriceEstimate> {
  const subscriptions = await subscriptionsOfPlan(db, change.planSlug, change.price.currency);
  const planned = subscriptions.map((subscription) => ({
    subscription,
    plan: planPriceChange(subscription, { ...change, id: 'estimate' }, dayAt(now, subscription.zone)),
  }));
  const waiting: Partial<Record<PriceWait, number>> = {};
  const months = new Map<string, { month: string; readers: number; moreAYear: bigint }>();
  const told: Telling[] = [];
  let needMandate = 0;
  for (const { plan, subscription } of planned) {
    if (plan.kind === 'wait') waiting[plan.why] = (waiting[plan.why] ?? 0) + 1;
    if (plan.kind !== 'tell') continue;
    told.push(plan);
    const month = plan.appliesOn.toPlainYearMonth().toString();
    const known = months.get(month) ?? { month, readers: 0, moreAYear: 0n };
    months.set(month, {
      month,
      readers: known.readers + 1,
      moreAYear: known.moreAYear + aYear(plan.price, subscription),
    });
    const { mandate } = subscription;
    if (mandate === undefined || mayTake(mandate, plan.price) !== 'yes') needMandate += 1;
  }
  return {
    months: [...months.values()].toSorted((one, other) => (one.month < other.month ? -1 : 1)),
    firstTold: told.map(({ firstOn }) => firstOn).toSorted(Temporal.PlainDate.compare)[0],
    crowdedOut: crowdedOut(told, change.aDay),
    needMandate,
    waiting,
    same: planned.filter(({ plan }) => plan.kind === 'never' && plan.why === 'same-price').length,
  };
}

type Telling = Extract<PricePlan, { kind: 'tell' }>;

/** What a term more or less comes to in a year, rounded towards nothing. */
function aYear(after: Money, { months, price }: Pick<Subscription, 'months' | 'price'>): bigint {
  return ((after.minor - price.minor) * 12n) / BigInt(months);
}

/** How many find no room on the days on which they would be told: whose last day is first comes first. */
function crowdedOut(told: readonly Telling[], aDay: number): number {
  const taken = new Map<string, number>();
  let without = 0;
  for (const { firstOn, lastOn } of told.toSorted((a, b) => Temporal.PlainDate.compare(a.lastOn, b.lastOn))) {
    const days = Array.from({ length: firstOn.until(lastOn).days + 1 }, (_, at) =>
      firstOn.add({ days: at }).toString(),
    );
    const day = days.find((one) => (taken.get(one) ?? 0) < aDay);
    if (day === undefined) without += 1;
    else taken.set(day, (taken.get(day) ?? 0) + 1);
  }
  return without;
}

/**
 * Begins a change for everybody who has its plan: each is told, and pays it, when the planner comes to them.
 *
 * @param record is called in the same transaction
 */
export function beginPriceChange(
  { db }: Pick<BillingParts, 'db'>,
  change: NewPriceChange,
  now: Temporal.Instant,
  record: (tx: Tx, begun: Begun) => Promise<void> = async () => undefined,
): Promise<Begun> {
  return db.transaction().execute(async (tx) => {
    const begun = await insertPriceChange(tx, change, now);
    await record(tx, begun);
    return begun;
  });
}

type Begun = { readonly id: string; readonly readers: number };

/**
 * Stops a change: who was not told of it never is, and who was is told that their price stays. Safe to repeat, where it broke
 * off.
 *
 * @returns how many were told that it stays, and how many pay the new price at this moment
 * @throws NotFound `no-such-change`
 */
export async function stopPriceChange(
  parts: BillingParts,
  changeId: string,
  actor: string,
  now: Temporal.Instant,
): Promise<{ readonly calledBack: number; readonly tooLate: number }> {
  const told = await parts.db.transaction().execute((tx) => stopTelling(tx, changeId, now));
  if (told === undefined) throw new NotFound('no-such-change', `there is no change ${changeId}`);
  let calledBack = 0;
  for (const subscriptionId of told) {
    const said = { actor, reason: changeId };
    const after = await applyFact(
      parts,
      subscriptionId,
      { kind: 'drop price' },
      said,
      now,
      async (tx, one) => {
        // What is billed, or being charged, is charged as it was announced; and so is what is less than before.
        if (one.state === 'past_due') return true;
        const newest = await newestIntent(tx, one.id);
        return newest !== undefined && isOpen(newest) && newest.amount.minor === boughtNext(one).price.minor;
      },
    );
    if (after !== undefined) calledBack += 1;
  }
  return { calledBack, tooLate: told.length - calledBack };
}
