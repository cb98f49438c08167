import { sql } from 'kysely';
import { type Db, type Tx, toInstant } from '#platform/db';
import { uuidv7 } from '#platform/ids';
import { type Money, moneyRecord } from '#values/money';

export type NewConsent = {
  readonly readerId: string;
  readonly subscriptionId: string;
  readonly words: string;
  readonly price: Money;
  readonly months: number;
  /** Whether its reader asked that it begins before the days of withdrawal are over, and would pay for what they used. */
  readonly beginsAtOnce: boolean;
};

/** Keeps what readers agreed to, in the words that were shown. */
export async function insertConsents(
  tx: Tx,
  consents: readonly NewConsent[],
  at: Temporal.Instant,
): Promise<void> {
  if (consents.length === 0) return;
  const rows = consents.map(({ price, ...one }) => ({
    ...one,
    id: uuidv7(),
    ...moneyRecord(price),
  }));
  await sql`
    insert into billing.consents (id, reader_id, subscription_id, words, currency, amount_minor, months, begins_at_once, at)
    select id, "readerId", "subscriptionId", words, currency, minor, months, "beginsAtOnce", ${at.toString()}
    from json_to_recordset(${JSON.stringify(rows)}::json) as new (
      id uuid, "readerId" uuid, "subscriptionId" uuid, words text, currency text, minor bigint, months integer,
      "beginsAtOnce" boolean)`.execute(tx);
}

/** What a reader agreed to, in the words that were shown, newest last. */
export async function consentsOf(
  db: Db,
  readerId: string,
): Promise<{ words: string; price: Money; months: number; at: Temporal.Instant }[]> {
  const { rows } = await sql<{
    words: string;
    currency: string;
    amount_minor: bigint;
    months: number;
    at: string;
  }>`
    select words, currency, amount_minor, months, at from billing.consents
    where reader_id = ${readerId} order by at, id`.execute(db);
  return rows.map(({ amount_minor, at, currency, months, words }) => ({
    words,
    price: { minor: amount_minor, currency },
    months,
    at: toInstant(at),
  }));
}

/** Whether the reader of a subscription asked that it begins at once, when they last agreed to it. */
export async function hasAskedForStart(db: Db | Tx, subscriptionId: string): Promise<boolean> {
  const { rows } = await sql<{ begins_at_once: boolean }>`
    select begins_at_once from billing.consents
    where subscription_id = ${subscriptionId} order by at desc, id desc limit 1`.execute(db);
  return rows[0]?.begins_at_once ?? false;
}
