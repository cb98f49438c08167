import { sql } from 'kysely';
import type { Db, Tx } from '#platform/db';
import { eventRecord, writeChanges } from './changes.store.ts';
import { afterAct, type Mandate, type MandateAct, mandateShown } from './mandate.ts';
import type { OutcomeCode } from './outcomes.ts';
import { type MandateColumns, toMandate } from './payments.store.ts';
import { tellOfEvents } from './wake.ts';

export async function readMandates(on: Db | Tx, ids: readonly string[]): Promise<Map<string, Mandate>> {
  const { rows } = await sql<MandateColumns>`
    select * from sandbox.mandates where id = any(${ids})`.execute(on);
  return new Map(rows.map((row) => [row.id, toMandate(row)]));
}

/** The newest mandate that somebody gave, by the address that they were asked with. */
export async function newestMandate(db: Db, email: string): Promise<Mandate | undefined> {
  const { rows } = await sql<MandateColumns>`
    select * from sandbox.mandates where lower(email) = lower(${email})
    order by created_at desc, id desc limit 1`.execute(db);
  return rows[0] === undefined ? undefined : toMandate(rows[0]);
}

/** Has every charge of a mandate end in one way, until that is changed. */
export async function setMandateOutcome(db: Db, id: string, outcome: OutcomeCode): Promise<void> {
  await sql`update sandbox.mandates set outcome = ${outcome} where id = ${id}`.execute(db);
}

const TOLD_AS: Readonly<Record<MandateAct, string>> = {
  revoke: 'mandate.revoked',
  pause: 'mandate.paused',
  resume: 'mandate.resumed',
};

/**
 * Does something to a mandate, and tells the merchant. What changes nothing is not told.
 *
 * @returns how it stands afterwards, and whether that is new; undefined where there is no such mandate
 */
export async function changeMandate(
  db: Db,
  id: string,
  act: MandateAct,
  now: Temporal.Instant,
): Promise<{ readonly mandate: Mandate; readonly isNew: boolean } | undefined> {
  const done = await db.transaction().execute(async (tx) => {
    await sql`select from sandbox.mandates where id = ${id} for update`.execute(tx);
    const before = (await readMandates(tx, [id])).get(id);
    if (before === undefined) return undefined;
    const mandate = afterAct(before, act, now);
    if (mandate === undefined) return { mandate: before, isNew: false };
    await sql`update sandbox.mandates set status = ${mandate.status}, changed_at = ${now.toString()}
      where id = ${id}`.execute(tx);
    await writeChanges(tx, { events: [eventRecord(TOLD_AS[act], mandateShown(mandate, now), now)] });
    return { mandate, isNew: true };
  });
  if (done?.isNew === true) tellOfEvents(db);
  return done;
}
