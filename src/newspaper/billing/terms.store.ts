import { sql } from 'kysely';
import type { Db, Tx } from '#platform/db';
import { type Money, moneyRecord } from '#values/money';

/** A paid stretch of a subscription. */
export type Term = {
  readonly id: string;
  readonly seq: number;
  readonly startOn: Temporal.PlainDate;
  /** The first day that is no longer paid. */
  readonly endOn: Temporal.PlainDate;
  readonly price: Money;
  readonly status: string;
};

/** A term that begins, and has its id already. */
export type NewTerm = Pick<Term, 'id' | 'seq' | 'startOn' | 'endOn' | 'price'> & {
  readonly subscriptionId: string;
};

export async function insertTerms(tx: Tx, terms: readonly NewTerm[]): Promise<void> {
  if (terms.length === 0) return;
  const rows = terms.map(({ price, ...one }) => ({
    ...one,
    ...moneyRecord(price),
  }));
  await sql`
    insert into billing.terms (id, subscription_id, seq, start_on, end_on, currency, amount_minor, status)
    select id, "subscriptionId", seq, "startOn", "endOn", currency, minor, 'paid'
    from json_to_recordset(${JSON.stringify(rows)}::json) as new (
      id uuid, "subscriptionId" uuid, seq integer, "startOn" date, "endOn" date, currency text, minor bigint)`.execute(
    tx,
  );
}

export async function termsOf(db: Db, subscriptionId: string): Promise<Term[]> {
  const { rows } = await sql<{
    id: string;
    seq: number;
    start_on: string;
    end_on: string;
    currency: string;
    amount_minor: bigint;
    status: string;
  }>`
    select id, seq, start_on, end_on, currency, amount_minor, status from billing.terms
    where subscription_id = ${subscriptionId} order by seq`.execute(db);
  return rows.map((row) => ({
    id: row.id,
    seq: row.seq,
    startOn: Temporal.PlainDate.from(row.start_on),
    endOn: Temporal.PlainDate.from(row.end_on),
    price: { minor: row.amount_minor, currency: row.currency },
    status: row.status,
  }));
}

/** Terms by their subscription and number. @returns their ids in the order given; undefined where there is none */
export async function findTerms(
  tx: Tx,
  wanted: readonly { readonly subscriptionId: string; readonly seq: number }[],
): Promise<(string | undefined)[]> {
  if (wanted.length === 0) return [];
  const { rows } = await sql<{ id: string; subscription_id: string; seq: number }>`
    select t.id, t.subscription_id, t.seq from billing.terms t
    join unnest(${wanted.map((one) => one.subscriptionId)}::uuid[], ${wanted.map((one) => one.seq)}::int[])
      as wanted (subscription_id, seq) on t.subscription_id = wanted.subscription_id and t.seq = wanted.seq`.execute(
    tx,
  );
  const ids = new Map(rows.map((row) => [`${row.subscription_id} ${row.seq}`, row.id]));
  return wanted.map(({ seq, subscriptionId }) => ids.get(`${subscriptionId} ${seq}`));
}

/** A term ends before its day, because another begins; one that ends on the day that it began has not been. */
export async function cutTerm(tx: Tx, id: string, endOn: Temporal.PlainDate): Promise<void> {
  await sql`
    update billing.terms set
      status = case when start_on < ${endOn.toString()}::date then status else 'void' end,
      end_on = case when start_on < ${endOn.toString()}::date then ${endOn.toString()}::date else end_on end
    where id = ${id}`.execute(tx);
}

/** The days of a gift, once they are known. */
export async function moveTerm(
  tx: Tx,
  id: string,
  startOn: Temporal.PlainDate,
  endOn: Temporal.PlainDate,
): Promise<void> {
  await sql`
    update billing.terms set start_on = ${startOn.toString()}, end_on = ${endOn.toString()} where id = ${id}`.execute(
    tx,
  );
}

/** The money for a term went back. */
export async function revokeTerm(tx: Tx, id: string, as: 'refunded' | 'charged_back'): Promise<void> {
  await sql`update billing.terms set status = ${as} where id = ${id} and status = 'paid'`.execute(tx);
}

/** Days that are given without a payment. */
export type NewGivenDays = {
  readonly id: string;
  readonly subscriptionId: string;
  readonly source: 'trial' | 'grace' | 'gift' | 'term';
  readonly fromOn: Temporal.PlainDate;
  readonly untilOn: Temporal.PlainDate;
};

export async function insertGivenDays(
  tx: Tx,
  days: readonly NewGivenDays[],
  now: Temporal.Instant,
): Promise<void> {
  if (days.length === 0) return;
  await sql`
    insert into billing.given_days (id, subscription_id, source, from_on, until_on, made_at)
    select id, "subscriptionId", source, "fromOn", "untilOn", ${now.toString()}
    from json_to_recordset(${JSON.stringify(days)}::json) as new (
      id uuid, "subscriptionId" uuid, source text, "fromOn" date, "untilOn" date)`.execute(tx);
}

/** What gives the readers of subscriptions rights that are not over: their terms, and days that were given. */
export async function sourcesOf(
  tx: Tx,
  subscriptionIds: readonly string[],
  now: Temporal.Instant,
): Promise<string[]> {
  if (subscriptionIds.length === 0) return [];
  const { rows } = await sql<{ id: string }>`
    select source.id from billing.subscriptions s, lateral (
      select id, end_on from billing.terms where subscription_id = s.id
      union all select id, until_on from billing.given_days where subscription_id = s.id) as source
    where s.id = any(${subscriptionIds}::uuid[]) and source.end_on::timestamp at time zone s.zone > ${now.toString()}`.execute(
    tx,
  );
  return rows.map(({ id }) => id);
}
