import { sql } from 'kysely';
import { type Db, type Tx, toInstant } from '#platform/db';
import { PERSON_COLUMNS, type Person, type PersonRow, toPerson } from './people.store.ts';
import type { SecondFactorShown } from './standing.ts';

/** A session as it is kept; what it may do follows from where it stands. */
export type StoredSession = {
  readonly id: string;
  readonly person: Person;
  readonly shown: SecondFactorShown;
  readonly offeredSecret: Buffer | undefined;
  readonly freshCodes: Buffer | undefined;
  readonly madeAt: Temporal.Instant;
  readonly usedAt: Temporal.Instant;
};

export async function addSession(
  tx: Tx,
  session: {
    readonly id: string;
    readonly personId: string;
    readonly digest: Buffer;
    readonly offeredSecret: Buffer | undefined;
    readonly madeAt: Temporal.Instant;
    readonly endsAt: Temporal.Instant;
  },
): Promise<void> {
  await sql`
    insert into staff.sessions (id, person_id, digest, offered_secret, made_at, used_at, ends_at)
    values (${session.id}, ${session.personId}, ${session.digest}, ${session.offeredSecret ?? null},
      ${session.madeAt.toString()}, ${session.madeAt.toString()}, ${session.endsAt.toString()})`.execute(tx);
}

type SessionRow = PersonRow & {
  session_id: string;
  second_factor: 'code' | 'backup-code' | 'put-off' | null;
  offered_secret: Buffer | null;
  fresh_codes: Buffer | null;
  made_at: string;
  used_at: string;
};

/** The session of a digest, with its owner as they are now; undefined when it has ended or they are disabled. */
export async function findSession(
  db: Db,
  digest: Buffer,
  at: { readonly now: Temporal.Instant; readonly usedSince: Temporal.Instant },
): Promise<StoredSession | undefined> {
  const { rows } = await sql<SessionRow>`
    select s.id as session_id, s.second_factor, s.offered_secret, s.fresh_codes, s.made_at, s.used_at,
      ${PERSON_COLUMNS}
    from staff.sessions s join staff.people p on p.id = s.person_id
    where s.digest = ${digest} and s.ends_at > ${at.now.toString()} and s.used_at > ${at.usedSince.toString()}
      and p.disabled_at is null`.execute(db);
  const [row] = rows;
  if (row === undefined) return undefined;
  return {
    id: row.session_id,
    person: toPerson(row),
    shown: row.second_factor ?? undefined,
    offeredSecret: row.offered_secret ?? undefined,
    freshCodes: row.fresh_codes ?? undefined,
    madeAt: toInstant(row.made_at),
    usedAt: toInstant(row.used_at),
  };
}

export async function touchSession(db: Db, id: string, now: Temporal.Instant): Promise<void> {
  await sql`
    update staff.sessions set used_at = greatest(used_at, ${now.toString()}::timestamptz) where id = ${id}`.execute(
    db,
  );
}

/**
 * Lets a session in under a new name: whoever knows the old one has nothing.
 *
 * @returns whether it was still there and still waiting for its second factor
 */
export async function letSessionIn(
  tx: Tx,
  id: string,
  as: {
    readonly shown: Exclude<SecondFactorShown, undefined>;
    readonly digest: Buffer;
    /** Left out where it was not enrolled now. */
    readonly freshCodes?: Buffer;
    readonly now: Temporal.Instant;
    readonly endsAt: Temporal.Instant;
  },
): Promise<boolean> {
  const { numAffectedRows } = await sql`
    update staff.sessions set second_factor = ${as.shown}, digest = ${as.digest},
      fresh_codes = ${as.freshCodes ?? null},
      offered_secret = case when ${as.shown} = 'put-off' then offered_secret end,
      used_at = ${as.now.toString()}, ends_at = ${as.endsAt.toString()}
    where id = ${id} and (second_factor is null or second_factor = 'put-off')`.execute(tx);
  return numAffectedRows === 1n;
}

export async function dropFreshCodes(db: Db, id: string): Promise<void> {
  await sql`update staff.sessions set fresh_codes = null where id = ${id}`.execute(db);
}

/** @returns whether it was still there */
export async function dropSession(tx: Tx, id: string): Promise<boolean> {
  const { numAffectedRows } = await sql`delete from staff.sessions where id = ${id}`.execute(tx);
  return numAffectedRows === 1n;
}

/** Ends all sessions of somebody. */
export async function dropSessionsOf(tx: Tx, personId: string): Promise<void> {
  await sql`delete from staff.sessions where person_id = ${personId}`.execute(tx);
}

/** Ends the sessions of somebody that still wait for their second factor, and forgets everybody's that have ended. */
export async function dropWaitingSessions(tx: Tx, personId: string, now: Temporal.Instant): Promise<void> {
  await sql`
    delete from staff.sessions
    where (person_id = ${personId} and second_factor is null) or ends_at <= ${now.toString()}`.execute(tx);
}
