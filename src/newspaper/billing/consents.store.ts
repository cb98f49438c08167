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
    insert into billing.consents (id, reader_id, subscription_id, words, currency, amount_minor, months, at)
    select id, "readerId", "subscriptionId", words, currency, minor, months, ${at.toString()}
    from json_to_recordset(${JSON.stringify(rows)}::json) as new (
      id uuid, "readerId" uuid, "subscriptionId" uuid, words text, currency text, minor bigint, months integer)`.execute(
    tx,
  );
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
