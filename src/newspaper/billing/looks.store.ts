import { sql } from 'kysely';
import { type Db, type Tx, toInstant } from '#platform/db';

/** When the next subscription is to be looked at, if that is by `until`. */
export async function nextDueAt(db: Db, until: Temporal.Instant): Promise<Temporal.Instant | undefined> {
  const { rows } = await sql<{ at: string }>`
    select due_at as at from billing.subscriptions where due_at <= ${until.toString()}
    order by due_at limit 1`.execute(db);
  return rows[0] === undefined ? undefined : toInstant(rows[0].at);
}

/** Those that are due, the first first. */
export async function listDue(db: Db, now: Temporal.Instant, limit: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from billing.subscriptions where due_at <= ${now.toString()}
    order by due_at, id limit ${limit}`.execute(db);
  return rows.map(({ id }) => id);
}

/** Puts off when one is looked at. */
export async function putOff(db: Db, id: string, until: Temporal.Instant): Promise<void> {
  await sql`update billing.subscriptions set due_at = ${until.toString()} where id = ${id}`.execute(db);
}

/** When each is to be looked at next, and what else the planner keeps of it. */
export async function saveLooks(
  tx: Tx,
  looks: readonly {
    readonly id: string;
    readonly dueAt: Temporal.Instant | undefined;
    readonly remindedSeq: number | undefined;
    readonly parkedReason: string | undefined;
  }[],
): Promise<void> {
  if (looks.length === 0) return;
  await sql`
    update billing.subscriptions s set due_at = now."dueAt", reminded_seq = now."remindedSeq",
      parked_reason = now."parkedReason"
    from json_to_recordset(${JSON.stringify(looks)}::json) as now (
      id uuid, "dueAt" timestamptz, "remindedSeq" integer, "parkedReason" text)
    where s.id = now.id`.execute(tx);
}

/** Has subscriptions looked at by whoever looks next. */
export async function lookAgain(tx: Tx, ids: readonly string[], at: Temporal.Instant): Promise<void> {
  if (ids.length === 0) return;
  await sql`
    update billing.subscriptions set due_at = least(due_at, ${at.toString()}::timestamptz)
    where id = any(${ids}::uuid[]) and state not in ('canceled', 'expired')`.execute(tx);
}

/** Has nothing charged of subscriptions until a person has looked, each for its reason; of those that were not parked before. */
export async function park(tx: Tx, reasons: ReadonlyMap<string, string>): Promise<void> {
  if (reasons.size === 0) return;
  await sql`
    update billing.subscriptions s set parked_reason = given.reason
    from unnest(${[...reasons.keys()]}::uuid[], ${[...reasons.values()]}::text[]) as given (id, reason)
    where s.id = given.id and s.parked_reason is null`.execute(tx);
}

/** A person has looked: what was parked may be charged again. @returns whether it was parked */
export async function unpark(tx: Tx, id: string, now: Temporal.Instant): Promise<boolean> {
  const { rows } = await sql`
    update billing.subscriptions set parked_reason = null, due_at = ${now.toString()}
    where id = ${id} and parked_reason is not null returning id`.execute(tx);
  const attempts = await sql`
    update billing.charge_intents set parked_reason = null
    where subscription_id = ${id} and parked_reason is not null
      and status not in ('succeeded', 'failed', 'canceled') returning id`.execute(tx);
  return rows.length + attempts.rows.length > 0;
}
