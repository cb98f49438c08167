import { Logger as JobLogger, runMigrations } from 'graphile-worker';
import { sql } from 'kysely';
import pg from 'pg';
import type { Db, Tx } from './db.ts';
import type { Logger } from './log.ts';

/** The schema in which the job queue keeps itself. */
const QUEUE_SCHEMA = 'jobs';

/** How the queue's program reaches its tables, and where it says what. */
export type QueueAccess = {
  readonly pgPool: pg.Pool;
  readonly schema: string;
  readonly logger: JobLogger;
  readonly noHandleSignals: true;
};

/**
 * Lets the queue's program work over connections of its own: it expects 64-bit numbers as pg gives them, and must not
 * lose patience as soon as a page. The pool is ours, since one of its own loses its listeners before its connections
 * (graphile-worker 0.18): a database that goes away just then took the process with it.
 */
export async function withQueue<Result>(
  url: string,
  connections: number,
  log: Logger,
  work: (access: QueueAccess) => Promise<Result>,
): Promise<Result> {
  const pgPool = new pg.Pool({
    connectionString: url,
    max: connections,
    application_name: 'broadsheet jobs',
  });
  const lost = (error: Error) => log.warn({ err: error }, "a connection of the queue's was lost");
  pgPool.on('error', lost);
  pgPool.on('connect', (client) => client.on('error', lost));
  try {
    return await work({ pgPool, schema: QUEUE_SCHEMA, logger: queueLogger(log), noHandleSignals: true });
  } finally {
    await pgPool.end();
  }
}

/**
 * Brings the queue's own tables up to date, so that work can be put into it before any process takes it out. Any number
 * of processes may do so at once.
 */
export async function prepareQueue(url: string, log: Logger): Promise<void> {
  await withQueue(url, 1, log, (access) => runMigrations(access));
}

/** What the queue says of itself, in our own log. Its info is its own working, job by job. */
function queueLogger(log: Logger): JobLogger {
  return new JobLogger(() => (level, message) => {
    if (level === 'error') log.error(message);
    else if (level === 'warning') log.warn(message);
    else log.debug(message);
  });
}

type Piece = Readonly<Record<string, unknown>>;

export type JobOptions = {
  /** While a job of this name waits, another one with it takes its place: work that is worth doing once. */
  readonly key?: string;
  /** Not before this, on the machine's own clock. */
  readonly notBefore?: Date;
  readonly attempts?: number;
};

/**
 * Puts work into the queue, in the transaction that makes it necessary: it is there when that is committed, and not
 * otherwise.
 *
 * @param task a name of jobs/tasks.ts, which reads the payload
 * @param payload several pieces of work that one job does, where it is a list: those that fail are tried again, alone
 */
export async function enqueue(
  on: Db | Tx,
  task: string,
  payload: Piece | readonly Piece[],
  { attempts = 25, key, notBefore }: JobOptions = {},
): Promise<void> {
  await sql`
    select ${sql.id(QUEUE_SCHEMA)}.add_job(${task}, ${JSON.stringify(payload)}::json, null,
      ${notBefore?.toISOString() ?? null}::timestamptz, ${attempts}::int, ${key ?? null}::text)`.execute(on);
}

/** A job that takes longer than this has lost its process: the longest of ours is over in a few of them. */
const ABANDONED_AFTER = '15 minutes';

/**
 * Gives back to the queue what processes took up and died over. By itself the queue waits four hours: too long for a
 * receipt.
 *
 * @returns how many jobs
 */
export async function releaseAbandoned(db: Db): Promise<number> {
  const { rows } = await sql<{ jobs: bigint }>`
    with abandoned as (
      select locked_by from ${sql.id(QUEUE_SCHEMA, 'jobs')}
      where locked_at < now() - ${ABANDONED_AFTER}::interval
    )
    select count(*) as jobs, ${sql.id(QUEUE_SCHEMA)}.force_unlock_workers(array(select locked_by from abandoned))
    from abandoned`.execute(db);
  return Number(rows[0]?.jobs ?? 0);
}

/** Gives back to the queue what workers took up that are no more. @param workers as the queue calls them */
export async function releaseJobs(db: Db, workers: readonly string[]): Promise<void> {
  await sql`select ${sql.id(QUEUE_SCHEMA)}.force_unlock_workers(${workers}::text[])`.execute(db);
}

/** Gives back every job that some process has taken up, where none of those processes is alive: after a restore. */
export async function releaseAllJobs(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'broadsheet restore' });
  await client.connect();
  try {
    await client.query(
      `select ${QUEUE_SCHEMA}.force_unlock_workers(
         array(select distinct locked_by from ${QUEUE_SCHEMA}._private_jobs where locked_by is not null))`,
    );
  } finally {
    await client.end();
  }
}

/**
 * Does each piece of a job that was put into the queue with several, at once; a job with one is that piece.
 *
 * @returns what the queue wants to know of it: what came of each
 */
export function eachPiece(
  job: unknown,
  work: (piece: unknown) => Promise<void>,
): Promise<void> | Promise<void>[] {
  return Array.isArray(job) ? job.map(work) : work(job);
}

/** How long the queue waits after an attempt that failed: e to the number of attempts, in seconds (its failJobs). */
export function waitAfterMs(attempts: number): number {
  return Math.exp(Math.min(attempts, 10)) * 1_000;
}

/**
 * How many jobs of these tasks are due: those that wait, and those that some process has taken up and not finished.
 */
export async function countDue(db: Db, tasks: readonly string[]): Promise<number> {
  const { rows } = await sql<{ due: bigint }>`
    select count(*) as due from ${sql.id(QUEUE_SCHEMA, 'jobs')}
    where run_at <= now() and attempts < max_attempts and task_identifier = any(${tasks}::text[])`.execute(
    db,
  );
  return Number(rows[0]?.due ?? 0);
}

/** How the queue stands. */
export type QueueFigures = {
  readonly due: number;
  readonly waiting: number;
  /** Given up: a person has to look. */
  readonly failed: number;
  readonly oldestSeconds: number;
};

export async function queueFigures(db: Db): Promise<QueueFigures> {
  const { rows } = await sql<QueueFigures>`
    select count(*) filter (where is_available and run_at <= now())::int as due,
      count(*) filter (where is_available and run_at > now())::int as waiting,
      count(*) filter (where attempts >= max_attempts)::int as failed,
      coalesce(extract(epoch from now() - min(run_at) filter (where is_available and run_at <= now())), 0)::float8
        as "oldestSeconds"
    from ${sql.id(QUEUE_SCHEMA, '_private_jobs')}`.execute(db);
  return rows[0] ?? { due: 0, waiting: 0, failed: 0, oldestSeconds: 0 };
}
