import { sql } from 'kysely';
import { type Db, type Tx, toInstant } from '#platform/db';

/** A subscription that is over, whose reader may be asked to come back. */
export type Gone = {
  readonly id: string;
  readonly readerId: string;
  readonly planSlug: string;
  readonly endedAt: Temporal.Instant;
  readonly zone: string;
};

/**
 * Those who left or could not pay, have nothing else that runs or that gives them the paper, were not asked since
 * `askedSince`, and let themselves be asked. Whoever had their money back, by right or by their bank, is left in peace.
 *
 * @param after the id behind which to go on
 */
export async function goneReaders(
  db: Db,
  given: {
    readonly endedAfter: Temporal.Instant;
    readonly endedBefore: Temporal.Instant;
    readonly askedSince: Temporal.Instant;
    readonly after: string;
    readonly limit: number;
  },
  now: Temporal.Instant,
): Promise<Gone[]> {
  const { after, askedSince, endedAfter, endedBefore, limit } = given;
  const { rows } = await sql<{
    id: string;
    reader_id: string;
    plan_slug: string;
    ended_at: string;
    zone: string;
  }>`
    select s.id, s.reader_id, s.plan_slug, s.ended_at, s.zone from billing.subscriptions s
    where s.asked_back_at is null and s.ended_reason in ('user', 'nonpayment', 'mandate_revoked') and s.product <> 'gift'
      and s.id > ${after} and s.ended_at > ${endedAfter.toString()} and s.ended_at <= ${endedBefore.toString()}
      and not exists (select from billing.subscriptions o where o.reader_id = s.reader_id and o.product <> 'gift'
        and (o.state not in ('canceled', 'expired') or o.ended_at > s.ended_at and o.ended_reason <> 'never_paid'
          or o.ended_reason in ('chargeback', 'refund', 'withdrawal') or o.asked_back_at > ${askedSince.toString()}))
      and not exists (select from billing.no_offers n where n.reader_id = s.reader_id)
      and not exists (select from entitlements.grants g where g.reader_id = s.reader_id and g.revoked_at is null
        and g.until_at > ${now.toString()})
    order by s.id limit ${limit}`.execute(db);
  return rows.map((row) => ({
    id: row.id,
    readerId: row.reader_id,
    planSlug: row.plan_slug,
    endedAt: toInstant(row.ended_at),
    zone: row.zone,
  }));
}

/** Keeps that the reader of a subscription was asked back. @returns whether nobody did at the same moment */
export async function markAskedBack(tx: Tx, subscriptionId: string, now: Temporal.Instant): Promise<boolean> {
  const { rows } = await sql`
    update billing.subscriptions set asked_back_at = ${now.toString()}
    where id = ${subscriptionId} and asked_back_at is null returning id`.execute(tx);
  return rows.length > 0;
}

/** Keeps that a reader wants offers by mail, or wants none. */
export async function setOffersWanted(
  db: Db,
  readerId: string,
  areWanted: boolean,
  now: Temporal.Instant,
): Promise<void> {
  await (areWanted
    ? sql`delete from billing.no_offers where reader_id = ${readerId}`
    : sql`insert into billing.no_offers values (${readerId}, ${now.toString()}) on conflict do nothing`
  ).execute(db);
}

export async function areOffersWanted(db: Db, readerId: string): Promise<boolean> {
  const { rows } = await sql`select from billing.no_offers where reader_id = ${readerId}`.execute(db);
  return rows.length === 0;
}

/** Forgets what a reader wanted who is gone for good. */
export async function forgetOffersWanted(tx: Tx, readerId: string): Promise<void> {
  await sql`delete from billing.no_offers where reader_id = ${readerId}`.execute(tx);
}
