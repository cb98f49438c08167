import { sql } from 'kysely';
import { type Db, type Tx, toInstant } from '#platform/db';
import type { Money } from '#values/money';
import type { PriceChange } from './price-changes.ts';

/** A change, and how many readers are told of it a day. */
export type NewPriceChange = Omit<PriceChange, 'id'> & { readonly aDay: number };

/**
 * Begins a change for everybody who has its plan. Whoever waits to be told of an earlier one is told of this instead.
 *
 * @returns its id, and how many it is for
 */
export async function insertPriceChange(
  tx: Tx,
  { aDay, capPercent, fromOn, noticeDays, planSlug, price }: NewPriceChange,
  now: Temporal.Instant,
): Promise<{ readonly id: string; readonly readers: number }> {
  // The subscriptions first, in one order for all processes: who tells readers holds them first too.
  const concerned = await sql<{ id: string }>`
    select id from billing.subscriptions
    where plan_slug = ${planSlug} and currency = ${price.currency} and state not in ('incomplete', 'canceled', 'expired')
    order by id for update`.execute(tx);
  const ids = concerned.rows.map(({ id }) => id);
  await sql`select from billing.plans where slug = ${planSlug} for no key update`.execute(tx);
  const made = await sql<{ id: string }>`
    insert into billing.price_changes (id, plan_slug, currency, amount_minor, from_on, notice_days, cap_percent, a_day, created_at)
    select ${planSlug}::text || '-' || count(*) + 1, ${planSlug}, ${price.currency}, ${price.minor}, ${fromOn.toString()}::date,
      ${noticeDays}, ${capPercent ?? null}, ${aDay}, ${now.toString()}
    from billing.price_changes where plan_slug = ${planSlug} returning id`.execute(tx);
  const [change] = made.rows;
  if (change === undefined) throw new Error('a change of price was not written down');
  await sql`
    update billing.price_change_subscriptions set status = 'dropped'
    where status = 'waiting' and subscription_id = any(${ids}::uuid[])`.execute(tx);
  await sql`
    insert into billing.price_change_subscriptions (change_id, subscription_id, status)
    select ${change.id}, id, 'waiting' from unnest(${ids}::uuid[]) id`.execute(tx);
  await sql`
    update billing.subscriptions set due_at = least(due_at, ${now.toString()}::timestamptz)
    where id = any(${ids}::uuid[])`.execute(tx);
  return { id: change.id, readers: ids.length };
}

/** How many more readers may be told of a change today; none of one that was stopped. */
export async function lockRooms(
  tx: Tx,
  changeIds: readonly string[],
  since: Temporal.Instant,
): Promise<Map<string, number>> {
  await sql`
    select from billing.price_changes where id = any(${changeIds}::text[]) order by id for update`.execute(
    tx,
  );
  const { rows } = await sql<{ id: string; room: number }>`
    select c.id, case when c.stopped_at is null then c.a_day - (
      select count(*)::int from billing.price_change_subscriptions w where w.change_id = c.id and w.told_at >= ${since.toString()})
      else 0 end as room
    from billing.price_changes c where c.id = any(${changeIds}::text[])`.execute(tx);
  return new Map(rows.map(({ id, room }) => [id, Math.max(0, room)]));
}

/** What one reader is told. */
export type Told = {
  readonly changeId: string;
  readonly subscriptionId: string;
  readonly termSeq: number;
  readonly was: Money;
  readonly promised: Money;
  readonly appliesOn: Temporal.PlainDate;
};

/** Writes down who is told. @returns those who were not told before */
export async function markTold(
  tx: Tx,
  told: readonly Told[],
  now: Temporal.Instant,
): Promise<ReadonlySet<string>> {
  if (told.length === 0) return new Set();
  const rows = told.map(({ promised, was, ...one }) => ({
    ...one,
    was: was.minor.toString(),
    promised: promised.minor.toString(),
  }));
  const done = await sql<{ subscription_id: string }>`
    update billing.price_change_subscriptions w set status = 'told', told_at = ${now.toString()}, term_seq = told."termSeq",
      old_minor = told.was, promised_minor = told.promised, applies_on = told."appliesOn"
    from json_to_recordset(${JSON.stringify(rows)}::json) as told (
      "changeId" text, "subscriptionId" uuid, "termSeq" integer, was bigint, promised bigint, "appliesOn" date)
    where w.change_id = told."changeId" and w.subscription_id = told."subscriptionId" and w.status = 'waiting'
    returning w.subscription_id`.execute(tx);
  return new Set(done.rows.map((row) => row.subscription_id));
}

/** Enough were told today: these are told on another day. */
export async function tellLater(
  tx: Tx,
  subscriptionIds: readonly string[],
  notBeforeOn: Temporal.PlainDate,
): Promise<void> {
  if (subscriptionIds.length === 0) return;
  await sql`
    update billing.price_change_subscriptions set not_before_on = ${notBeforeOn.toString()}::date
    where subscription_id = any(${subscriptionIds}::uuid[]) and status = 'waiting'`.execute(tx);
}

/** What became of changes for subscriptions. */
export async function endPriceChanges(
  tx: Tx,
  ended: readonly { readonly id: string; readonly from: string; readonly to: string }[],
): Promise<void> {
  if (ended.length === 0) return;
  await sql`
    update billing.price_change_subscriptions w set status = ended."to"
    from json_to_recordset(${JSON.stringify(ended)}::json) as ended (id uuid, "from" text, "to" text)
    where w.subscription_id = ended.id and w.status = ended."from"`.execute(tx);
}

/**
 * Stops a change: nobody is told of it any more.
 *
 * @returns the subscriptions whose readers were told, and do not pay it yet; undefined where there is no such change
 */
export async function stopTelling(
  tx: Tx,
  changeId: string,
  now: Temporal.Instant,
): Promise<readonly string[] | undefined> {
  const { rows } = await sql`
    update billing.price_changes set stopped_at = coalesce(stopped_at, ${now.toString()}) where id = ${changeId}
    returning id`.execute(tx);
  if (rows.length === 0) return undefined;
  await sql`
    update billing.price_change_subscriptions set status = 'dropped'
    where change_id = ${changeId} and status = 'waiting'`.execute(tx);
  const told = await sql<{ subscription_id: string }>`
    select subscription_id from billing.price_change_subscriptions
    where change_id = ${changeId} and status = 'told' order by subscription_id`.execute(tx);
  return told.rows.map((row) => row.subscription_id);
}

/** A change, and how far it has come. */
export type PriceChangeFigures = NewPriceChange & {
  readonly id: string;
  readonly createdAt: Temporal.Instant;
  readonly stoppedAt: Temporal.Instant | undefined;
  readonly waiting: number;
  readonly told: number;
  readonly amended: number;
  readonly dropped: number;
};

/** Every change, newest first. */
export async function priceChanges(db: Db): Promise<PriceChangeFigures[]> {
  const { rows } = await sql<{
    id: string;
    plan_slug: string;
    currency: string;
    amount_minor: bigint;
    from_on: string;
    notice_days: number;
    cap_percent: number | null;
    a_day: number;
    created_at: string;
    stopped_at: string | null;
    waiting: number;
    told: number;
    amended: number;
    dropped: number;
  }>`
    select c.*, ${sql.join(
      ['waiting', 'told', 'amended', 'dropped'].map(
        (status) => sql`count(*) filter (where w.status = ${status})::int as ${sql.ref(status)}`,
      ),
    )}
    from billing.price_changes c left join billing.price_change_subscriptions w on w.change_id = c.id
    group by c.id order by c.created_at desc, c.id desc`.execute(db);
  return rows.map((row) => ({
    id: row.id,
    planSlug: row.plan_slug,
    price: { minor: row.amount_minor, currency: row.currency },
    fromOn: Temporal.PlainDate.from(row.from_on),
    noticeDays: row.notice_days,
    capPercent: row.cap_percent ?? undefined,
    aDay: row.a_day,
    createdAt: toInstant(row.created_at),
    stoppedAt: row.stopped_at === null ? undefined : toInstant(row.stopped_at),
    waiting: row.waiting,
    told: row.told,
    amended: row.amended,
    dropped: row.dropped,
  }));
}
