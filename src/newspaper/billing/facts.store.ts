import { sql } from 'kysely';
import { type Db, type Tx, toInstant } from '#platform/db';
import { uuidv7 } from '#platform/ids';

export type NewFact = {
  readonly subscriptionId: string;
  readonly fact: string;
  readonly actor: string;
  readonly reason?: string | undefined;
};

/** Adds to the histories of subscriptions. */
export async function insertFacts(tx: Tx, facts: readonly NewFact[], at: Temporal.Instant): Promise<void> {
  if (facts.length === 0) return;
  const rows = facts.map((one) => ({ reason: '', ...one, id: uuidv7() }));
  await sql`
    insert into billing.subscription_facts (id, subscription_id, fact, actor, reason, at)
    select id, "subscriptionId", fact, actor, reason, ${at.toString()}
    from json_to_recordset(${JSON.stringify(rows)}::json) as new (
      id uuid, "subscriptionId" uuid, fact text, actor text, reason text)`.execute(tx);
}

/** What happened to a subscription, in order. */
export type TimelineEntry = {
  readonly fact: string;
  readonly actor: string;
  readonly reason: string;
  readonly at: Temporal.Instant;
};

export async function timelineOf(db: Db, subscriptionId: string): Promise<TimelineEntry[]> {
  const { rows } = await sql<{ fact: string; actor: string; reason: string; at: string }>`
    select fact, actor, reason, at from billing.subscription_facts
    where subscription_id = ${subscriptionId} order by at, id`.execute(db);
  return rows.map((row) => ({ ...row, at: toInstant(row.at) }));
}

/** When something has happened to a subscription since an instant, oldest first. */
export async function factsSince(
  db: Db | Tx,
  subscriptionId: string,
  fact: string,
  since: Temporal.Instant,
): Promise<Temporal.Instant[]> {
  const { rows } = await sql<{ at: string }>`
    select at from billing.subscription_facts
    where subscription_id = ${subscriptionId} and fact = ${fact} and at > ${since.toString()} order by at, id`.execute(
    db,
  );
  return rows.map(({ at }) => toInstant(at));
}
