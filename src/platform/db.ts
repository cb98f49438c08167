import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import pg from 'pg';
import type { Logger } from './log.ts';

/**
 * Tables are described where they are owned: each module's store names its own rows. Here they are all unknown, and a
 * store says `db.withTables<…>()` for those it reads or writes.
 */
// biome-ignore lint/complexity/noBannedTypes: Kysely's own way to say "no tables known yet"
export type Db = Kysely<{}>;
// biome-ignore lint/complexity/noBannedTypes: as above
export type Tx = Transaction<{}>;

/** A connection pool and the query builder over it. */
export type Database = { readonly pool: pg.Pool; readonly db: Db; close(): Promise<void> };

/** Dates come as text, not as a Date at the machine's midnight; instants and 64-bit numbers are converted by hand. */
const types = new pg.TypeOverrides();
for (const oid of [1082, 1114, 1184]) types.setTypeParser(oid, (text: string) => text);
types.setTypeParser(20, (text: string) => BigInt(text));

/**
 * @param url postgresql://…
 * @param options.connections the most connections of this process
 */
export function openDatabase(url: string, log: Logger, options = { connections: 10 }): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.connections,
    types,
    // A reader does not wait longer than this for a database that is gone: the page is answered without it.
    connectionTimeoutMillis: 2_000,
    idleTimeoutMillis: 60_000,
    application_name: 'broadsheet',
    // Intermediate proxies and a vanished host are noticed, instead of a statement that hangs for ever.
    keepAlive: true,
  });
  pool.on('error', (error) => log.warn({ err: error }, 'a database connection was lost'));
  pool.on('connect', (client) => {
    client.on('error', (error) => log.warn({ err: error }, 'a database connection was lost'));
  });
  // biome-ignore lint/complexity/noBannedTypes: as above
  const db = new Kysely<{}>({ dialect: new PostgresDialect({ pool }) });
  return { pool, db, close: () => db.destroy() };
}

/** PostgreSQL's text for an instant, and back. */
export function toInstant(text: string): Temporal.Instant {
  // '2026-11-23 01:50:00.123+00' → RFC 9557
  const iso = text.replace(' ', 'T');
  return Temporal.Instant.from(/[+-]\d\d$/.test(iso) ? `${iso}:00` : iso);
}

/** Whether an error says that the database cannot be reached now, and not that a statement was wrong. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  // 08: connection; 53: no resources (disk full, too many connections); 57P: being stopped or starting; 58: system.
  if (/^(08|53|57P|58)/.test(code) || /^E(CONN|PIPE|HOST|NET|TIMEDOUT|NOTFOUND|AI_)/.test(code)) return true;
  if (
    /connection (terminated|timeout|ended)|timeout exceeded|Query read timeout|not queryable/i.test(
      error.message,
    )
  ) {
    return true;
  }
  return error.cause !== undefined && isUnavailable(error.cause);
}
