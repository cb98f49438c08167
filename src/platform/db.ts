import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import pg from 'pg';
import { monotonicMs } from './clock.ts';
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

/** After the database was found away, this long nobody waits for it again: each is told at once. */
const AWAY_MS = 1_000;

/** The database was found away a moment ago. */
class DatabaseAway extends Error {}

/**
 * @param url postgresql://…
 * @param options.connections the most connections of this process
 * @param options.patienceMs the longest that a statement may take: short where a reader waits for it
 */
export function openDatabase(
  url: string,
  log: Logger,
  options = { connections: 10, patienceMs: 60_000 },
): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.connections,
    types,
    // A command that is at something for seconds may be late to see that it is connected.
    connectionTimeoutMillis: Math.max(2_000, Math.min(30_000, options.patienceMs / 2)),
    // The server ends a statement that takes too long, so that its connection is good for the next one; where the
    // server itself is gone, we stop waiting a little later.
    statement_timeout: options.patienceMs,
    // A statement that waits for another's lock gives up well before whoever asked does, so that nothing is done which
    // a page has meanwhile said is not.
    lock_timeout: Math.floor(options.patienceMs / 3),
    query_timeout: options.patienceMs + 1_000,
    idleTimeoutMillis: 60_000,
    application_name: 'broadsheet',
    // A vanished host is noticed, also on a connection that is not in use.
    keepAlive: true,
  });
  pool.on('error', (error) => log.warn({ err: error }, 'a database connection was lost'));
  pool.on('connect', (client) => {
    prepareStatements(client);
    dropWhenSilent(client);
    client.on('error', (error) => log.warn({ err: error }, 'a database connection was lost'));
  });
  failFast(pool, log);
  // biome-ignore lint/complexity/noBannedTypes: as above
  const db = new Kysely<{}>({ dialect: new PostgresDialect({ pool }) });
  const close = async () => {
    await db.destroy();
    // A builder that was never asked anything leaves the pool alone.
    if (!pool.ending) await pool.end();
  };
  return { pool, db, close };
}

/**
 * Makes a pool tell at once, for a second after the database was found away, so that a page which can be made without
 * it does not first wait for it. Every statement starts with `connect`, also those of `pool.query`.
 */
function failFast(pool: pg.Pool, log: Logger): void {
  type Done = (
    error: Error | undefined,
    client?: pg.PoolClient,
    release?: (error?: Error | boolean) => void,
  ) => void;
  const connect = pool.connect.bind(pool) as (done: Done) => void;
  let awayUntil = 0;
  let away: Error | undefined;

  function found(error: Error): void {
    if (!isAway(error) || error instanceof DatabaseAway) return;
    if (away === undefined) log.warn({ err: error }, 'the database is away');
    away = error;
    awayUntil = monotonicMs() + AWAY_MS;
  }

  function guarded(done: Done): void {
    if (away !== undefined && monotonicMs() < awayUntil) {
      const told = new DatabaseAway('the database is away', { cause: away });
      process.nextTick(done, told);
      return;
    }
    connect((error, client, release) => {
      if (error !== undefined && error !== null) found(error);
      else if (away !== undefined) {
        away = undefined;
        log.info('the database is back');
      }
      // A statement that got no answer comes back with its error: the next one need not wait to find out.
      done(error, client, release);
    });
  }

  pool.on('release', (error: Error | undefined) => {
    if (error instanceof Error) found(error);
  });
  pool.connect = ((done?: Done) => {
    if (done !== undefined) return guarded(done);
    return new Promise((resolve, reject) => {
      guarded((error, client) => (client === undefined ? reject(error) : resolve(client)));
    });
  }) as pg.Pool['connect'];
}

/** Statements are few, and their texts are the program's own; one that is put together differently each time is not named. */
const MOST_NAMES = 400;
const names = new Map<string, string>();

/**
 * Gives every statement with parameters a name, so that a connection parses and plans it once: for a page's small
 * statements that was more than half of their time.
 */
function prepareStatements(client: pg.PoolClient): void {
  const query = client.query.bind(client) as (...given: unknown[]) => unknown;
  client.query = ((text: unknown, values?: unknown, ...more: unknown[]) => {
    if (typeof text !== 'string' || !Array.isArray(values) || values.length === 0) {
      return query(text, values, ...more);
    }
    let name = names.get(text);
    if (name === undefined && names.size < MOST_NAMES) {
      name = `statement ${names.size + 1}`;
      names.set(text, name);
    }
    return name === undefined ? query(text, values, ...more) : query({ name, text, values }, ...more);
  }) as pg.PoolClient['query'];
}

/**
 * Closes a connection whose statement got no answer: it is still waiting for one, and whoever came next would wait
 * behind it.
 */
function dropWhenSilent(client: pg.PoolClient): void {
  const query = client.query.bind(client) as (...given: unknown[]) => unknown;
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } };
  client.query = ((...given: unknown[]) => {
    const result = query(...given);
    if (result instanceof Promise) {
      result.catch((error: unknown) => {
        if (error instanceof Error && error.message === SILENCE) connection.stream.destroy();
      });
    }
    return result;
  }) as pg.PoolClient['query'];
}

/** What pg says when a statement got no answer in time. */
const SILENCE = 'Query read timeout';

/** Carries the result of a rehearsal out of the transaction that it undoes. */
class Rehearsed extends Error {
  readonly result: unknown;

  constructor(result: unknown) {
    super('this was a rehearsal');
    this.result = result;
  }
}

/**
 * Does something in a transaction and, where it is not to be kept, takes all of it back: what would happen, without its
 * happening. Nobody is told of what was taken back.
 */
export async function inTransaction<Result>(
  db: Db,
  { keep }: { readonly keep: boolean },
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  if (keep) return db.transaction().execute(work);
  try {
    return await db.transaction().execute(async (tx) => {
      throw new Rehearsed(await work(tx));
    });
  } catch (error) {
    if (error instanceof Rehearsed) return error.result as Result;
    throw error;
  }
}

/** PostgreSQL's text for an instant, and back. */
export function toInstant(text: string): Temporal.Instant {
  // '2026-11-23 01:50:00.123+00' → RFC 9557
  const iso = text.replace(' ', 'T');
  return Temporal.Instant.from(/[+-]\d\d$/.test(iso) ? `${iso}:00` : iso);
}

/** Whether an error says that the database cannot do this now, and not that the statement was wrong. */
export function isUnavailable(error: unknown): boolean {
  // 53: no room (disk full, too many connections); 58: its own files; 25006: it has become a replica that only reads;
  // 57014: the statement took too long, as one without an answer did; 55P03: it waited too long for another's lock.
  return (
    isAway(error) ||
    causes(error).some(({ code, message }) => /^(53|58|25006|57014|55P03)/.test(code) || message === SILENCE)
  );
}

/** Whether an error says that the database cannot be reached at all: then the next statement need not try. */
function isAway(error: unknown): boolean {
  return causes(error).some(
    ({ code, message, told }) =>
      told ||
      // 08: connection; 53300: no connection to be had; 57P: being stopped or starting.
      /^(08|53300|57P)/.test(code) ||
      /^E(CONN|PIPE|HOST|NET|TIMEDOUT|NOTFOUND|AI_)/.test(code) ||
      /connection (terminated|timeout|ended)|timeout exceeded|not queryable/i.test(message),
  );
}

/** An error and what it was caused by. */
function causes(error: unknown): { code: string; message: string; told: boolean }[] {
  const found = [];
  for (let one = error; one instanceof Error && found.length < 10; one = one.cause) {
    const code = 'code' in one && typeof one.code === 'string' ? one.code : '';
    found.push({ code, message: one.message, told: one instanceof DatabaseAway });
  }
  return found;
}
