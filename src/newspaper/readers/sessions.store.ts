import { sql } from 'kysely';
import { type Db, type Tx, toInstant } from '#platform/db';
import { groupedOver } from '#platform/grouped';
import { deviceName } from './devices.ts';

/** That a browser is signed in, as every page needs to know it. */
export type Session = {
  readonly id: string;
  readonly readerId: string;
  readonly token: string;
  /** Milliseconds since the epoch on the machine's own clock. */
  readonly expiresMs: number;
  lastUsedMs: number;
};

/** A session ends when it was not used for so long. */
const KEPT_DAYS = 60;

type SessionRow = { id: string; reader_id: string; token: string; expires_ms: number; last_used_ms: number };

/** The session of a token, many requests in one statement; undefined where there is none or it has ended. */
export const findSession = groupedOver(
  async (db: Db, tokens: string[]): Promise<(Session | undefined)[]> => {
    const { rows } = await sql<SessionRow>`
      select id, reader_id, token, extract(epoch from expires_at)::float8 * 1000 as expires_ms,
        extract(epoch from last_used_at)::float8 * 1000 as last_used_ms
      from readers.sessions where token = any(${tokens}::text[]) and expires_at > now()`.execute(db);
    const found = new Map(rows.map((row) => [row.token, row]));
    return tokens.map((token) => {
      const row = found.get(token);
      if (row === undefined) return undefined;
      const { expires_ms: expiresMs, id, last_used_ms: lastUsedMs, reader_id: readerId } = row;
      return { id, readerId, token, expiresMs, lastUsedMs };
    });
  },
  { most: 200, inFlight: 4 },
);

/** Notes when sessions were last used, and lets those live on whose end comes nearer. */
export async function noteUse(db: Db, used: readonly { id: string; atMs: number }[]): Promise<void> {
  const sorted = used.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  await sql`
    update readers.sessions s set last_used_at = greatest(s.last_used_at, to_timestamp(used.at_ms / 1000)),
      expires_at = case when s.expires_at < now() + make_interval(days => ${KEPT_DAYS - 1})
        then now() + make_interval(days => ${KEPT_DAYS}) else s.expires_at end
    from unnest(${sorted.map((one) => one.id)}::uuid[], ${sorted.map((one) => one.atMs)}::float8[]) as used (id, at_ms)
    where s.id = used.id and s.expires_at > now()`.execute(db);
}

/** A place where a reader is signed in, as the reader's list of devices shows it. */
export type SignedInDevice = {
  readonly id: string;
  readonly device: string;
  readonly signedInAt: Temporal.Instant;
  readonly lastUsedAt: Temporal.Instant;
};

export async function listSessions(db: Db, readerId: string): Promise<SignedInDevice[]> {
  const { rows } = await sql<{ id: string; user_agent: string; created_at: string; last_used_at: string }>`
    select id, user_agent, created_at, last_used_at from readers.sessions
    where reader_id = ${readerId} and expires_at > now() order by last_used_at desc, id`.execute(db);
  return rows.map((row) => ({
    id: row.id,
    device: deviceName(row.user_agent),
    signedInAt: toInstant(row.created_at),
    lastUsedAt: toInstant(row.last_used_at),
  }));
}

/** Ends one session of a reader. @returns whether there was one */
export async function endSession(db: Db | Tx, readerId: string, sessionId: string): Promise<boolean> {
  const { numAffectedRows = 0n } = await sql`
    delete from readers.sessions where id = ${sessionId} and reader_id = ${readerId}`.execute(db);
  return numAffectedRows > 0n;
}

/** Ends all sessions of a reader, or all but one. @returns how many */
export async function endSessions(db: Db | Tx, readerId: string, but?: string): Promise<number> {
  const { numAffectedRows = 0n } = await sql`
    delete from readers.sessions where reader_id = ${readerId} and id is distinct from ${but ?? null}`.execute(
    db,
  );
  return Number(numAffectedRows);
}
