import pg from 'pg';
import { monotonicMs } from './clock.ts';
import type { Logger } from './log.ts';

/** How often the feed asks the database whether it still hears it, in milliseconds. */
const HEARTBEAT_MS = 500;
/** How long what was heard is trusted. Also how stale a page may be when a process is cut off: the lease. */
const LEASE_MS = 2_000;

/** What changed: a table, and where the announcement names them, which rows (`*` when too many to name). */
export type Change = {
  readonly table: string;
  readonly keys: readonly string[];
  /** Told once more, now that what is kept of the table in this process has been read again. */
  readonly again?: true;
};

/**
 * Hears what other processes change, so that a process may answer from memory. It holds a lease: PostgreSQL delivers
 * everything committed before a statement ahead of that statement's answer, so each heartbeat that comes back proves
 * that memory was current when it was sent. A silent connection therefore cannot leave a process telling old news;
 * once the lease runs out, `isCurrent()` is false and callers ask the database again.
 */
export type ChangeFeed = {
  /** Whether memory can be trusted now. */
  isCurrent(): boolean;
  /** Calls back for each change, and with the table `*` after a silence in which changes may have been missed. */
  subscribe(hear: (change: Change) => void): void;
  /** Tells everybody in this process of a change once more. */
  tell(change: Change): void;
  /** Says in the log that something which changed could not be read again. */
  complain(error: unknown, table: string): void;
  stop(): Promise<void>;
};

/** Starts hearing; resolves once the first heartbeat came back, or rejects when the database cannot be reached. */
export async function startChangeFeed(url: string, log: Logger): Promise<ChangeFeed> {
  const subscribers: ((change: Change) => void)[] = [];
  let client: pg.Client | undefined;
  let leaseUntil = 0;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  function tell(change: Change): void {
    for (const hear of subscribers) hear(change);
  }

  async function connect(): Promise<void> {
    const next = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: 2_000,
      query_timeout: LEASE_MS,
      application_name: 'broadsheet change feed',
    });
    next.on('error', () => drop(next));
    next.on('end', () => drop(next));
    next.on('notification', ({ payload }) => {
      const [table = '*', keys = ''] = (payload ?? '').split(' ', 2);
      tell({ table, keys: keys === '' ? [] : keys.split(',') });
    });
    await next.connect();
    await next.query('listen broadsheet_changed');
    client = next;
    // Whatever was announced between the last word of the old connection and the first of this one is lost.
    tell({ table: '*', keys: [] });
    await beat(next);
  }

  async function beat(on: pg.Client): Promise<void> {
    const sent = monotonicMs();
    await on.query('select 1');
    leaseUntil = sent + LEASE_MS;
  }

  function drop(which: pg.Client): void {
    if (client !== which) return;
    client = undefined;
    leaseUntil = 0;
    which.end().catch(() => undefined);
  }

  async function tick(): Promise<void> {
    const current = client;
    try {
      if (current === undefined) {
        await connect();
        log.info('hearing changes again');
      } else await beat(current);
    } catch (error) {
      if (current !== undefined && !stopped) {
        log.warn({ err: error }, 'cannot hear changes: pages are made from the database until it answers');
        drop(current);
      }
    }
    if (!stopped) timer = setTimeout(() => void tick(), HEARTBEAT_MS);
  }

  await connect();
  timer = setTimeout(() => void tick(), HEARTBEAT_MS);

  return {
    tell,
    complain: (error, table) => {
      // Who has stopped hearing has closed the database too.
      if (!stopped) log.error({ err: error, table }, 'what changed cannot be read: the value before stands');
    },
    isCurrent: () => monotonicMs() < leaseUntil,
    subscribe: (hear) => {
      subscribers.push(hear);
    },
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      const last = client;
      client = undefined;
      leaseUntil = 0;
      await last?.end();
    },
  };
}

/**
 * Reads something small once and again whenever one of its tables changes, so that asking for it costs nothing.
 * While the database is away the last good value stands. What others made in the moment between a change and its
 * reading may hold the old value: so the change is told again when the new one is in its place.
 *
 * @returns a function that gives the value as it is now known
 */
export async function keepCurrent<Value>(
  changes: ChangeFeed,
  tables: readonly string[],
  load: () => Promise<Value>,
): Promise<() => Value> {
  let started = false;
  let outdated = false;
  let loading = false;

  async function reload(): Promise<void> {
    if (loading) return;
    loading = true;
    while (outdated) {
      outdated = false;
      try {
        value = await load();
        changes.tell({ table: tables[0] ?? '*', keys: [], again: true });
      } catch (error) {
        // Where the database is away, the feed says `*` once it hears it again, and this is tried again then.
        changes.complain(error, tables[0] ?? '');
      }
    }
    loading = false;
  }

  changes.subscribe(({ again, table }) => {
    if (again || (table !== '*' && !tables.includes(table))) return;
    outdated = true;
    if (started) void reload();
  });
  // Heard before it is read: a change that comes meanwhile is read too.
  let value = await load();
  started = true;
  if (outdated) await reload();
  return () => value;
}
