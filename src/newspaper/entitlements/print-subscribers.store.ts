import { sql } from 'kysely';
import type { Db, Tx } from '#platform/db';
import { uuidv7 } from '#platform/ids';
import { startOfDay } from '#values/term';
import { BENEFITS } from './benefits.ts';
import { giveGrants, revokeGrants } from './grants.store.ts';

/** Somebody who subscribes to the printed paper. */
export type PrintSubscriber = {
  readonly number: string;
  /** In small letters. */
  readonly email: string;
  /** The first day that is not paid any more. */
  readonly untilOn: Temporal.PlainDate;
};

/** What a list changed. */
export type PrintChanges = { readonly created: number; readonly updated: number; readonly unchanged: number };

/**
 * Takes in a list of print subscribers. Who is not on it stays as they were: their own day ends what they have. Taken in again it
 * changes nothing.
 */
export async function takePrintSubscribers(
  tx: Tx,
  listed: readonly PrintSubscriber[],
  now: Temporal.Instant,
): Promise<PrintChanges> {
  if (listed.length === 0) return { created: 0, updated: 0, unchanged: 0 };
  const rows = listed.map((one) => ({ ...one, sourceId: uuidv7() }));
  const { rows: done } = await sql<{ is_new: boolean; old_source: string | null }>`
    with given as (
      select * from json_to_recordset(${JSON.stringify(rows)}::json) as new (
        number text, email text, "untilOn" date, "sourceId" uuid)),
    before as materialized (
      select old.number, old.source_id from entitlements.print_subscribers old join given on given.number = old.number)
    insert into entitlements.print_subscribers as old (number, email, until_on, source_id, changed_at)
    select number, email, "untilOn", "sourceId", ${now.toString()} from given
    on conflict (number) do update set email = excluded.email, until_on = excluded.until_on,
      source_id = excluded.source_id, changed_at = excluded.changed_at
      where (old.email, old.until_on) is distinct from (excluded.email, excluded.until_on)
    returning xmax = 0 as is_new, (select source_id from before where before.number = old.number)::text as old_source`.execute(
    tx,
  );
  const replaced = done.flatMap(({ old_source }) => old_source ?? []);
  if (replaced.length > 0) await revokeGrants(tx, replaced, 'the list of the printed paper changed', now);
  const created = done.filter(({ is_new }) => is_new).length;
  return { created, updated: done.length - created, unchanged: listed.length - done.length };
}

/**
 * Gives print subscribers who have an account with their proven address what they have a right to; safe to repeat.
 *
 * @returns how many were given it now
 */
export async function admitPrintSubscribers(db: Db, zone: string, now: Temporal.Instant): Promise<number> {
  const today = now.toZonedDateTimeISO(zone).toPlainDate();
  return db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ reader_id: string; source_id: string; until_on: string }>`
      select r.id as reader_id, p.source_id, p.until_on::text as until_on
      from entitlements.print_subscribers p join readers.readers r on r.email = p.email and r.email_verified
      where p.until_on > ${today.toString()} and not exists (
        select from entitlements.grants g where g.source_id = p.source_id and g.revoked_at is null)`.execute(
      tx,
    );
    await giveGrants(
      tx,
      rows.map((row) => ({
        readerId: row.reader_id,
        benefits: BENEFITS,
        source: 'print',
        sourceId: row.source_id,
        from: now,
        until: startOfDay(Temporal.PlainDate.from(row.until_on), zone),
      })),
      now,
    );
    return rows.length;
  });
}
