import { sql } from 'kysely';
import type { Db, Tx } from '#platform/db';
import { PERSON_COLUMNS, type Person, type PersonRow, toPerson } from './people.store.ts';

/** Gives somebody a link; the one they had is dead from then on. */
export async function writeLink(
  tx: Tx,
  link: {
    readonly personId: string;
    readonly digest: Buffer;
    readonly madeAt: Temporal.Instant;
    readonly endsAt: Temporal.Instant;
  },
): Promise<void> {
  await sql`
    insert into staff.links (person_id, digest, made_at, ends_at)
    values (${link.personId}, ${link.digest}, ${link.madeAt.toString()}, ${link.endsAt.toString()})
    on conflict (person_id) do update
      set digest = excluded.digest, made_at = excluded.made_at, ends_at = excluded.ends_at`.execute(tx);
}

/** Whose link this is, without using it. */
export async function findLink(db: Db, digest: Buffer, now: Temporal.Instant): Promise<Person | undefined> {
  const { rows } = await sql<PersonRow>`
    select ${PERSON_COLUMNS} from staff.links l join staff.people p on p.id = l.person_id
    where l.digest = ${digest} and l.ends_at > ${now.toString()} and p.disabled_at is null`.execute(db);
  return rows[0] === undefined ? undefined : toPerson(rows[0]);
}

/** Uses a link up: of many who try at once, one gets its person. */
export async function takeLink(tx: Tx, digest: Buffer, now: Temporal.Instant): Promise<Person | undefined> {
  // The person first, as everywhere, so that nobody waits in a ring with whoever makes the next link.
  const { rows } = await sql<PersonRow>`
    select ${PERSON_COLUMNS} from staff.links l join staff.people p on p.id = l.person_id
    where l.digest = ${digest} and p.disabled_at is null
    for no key update of p`.execute(tx);
  const { numAffectedRows } = await sql`
    delete from staff.links where digest = ${digest} and ends_at > ${now.toString()}`.execute(tx);
  return rows[0] === undefined || numAffectedRows !== 1n ? undefined : toPerson(rows[0]);
}

/** Whether somebody has a link that was made after an instant. */
export async function hasLinkSince(tx: Tx, personId: string, since: Temporal.Instant): Promise<boolean> {
  const { rows } = await sql`
    select from staff.links where person_id = ${personId} and made_at > ${since.toString()}`.execute(tx);
  return rows.length > 0;
}

export async function dropLink(tx: Tx, personId: string): Promise<void> {
  await sql`delete from staff.links where person_id = ${personId}`.execute(tx);
}
