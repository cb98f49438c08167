import { runMigrations } from 'graphile-worker';
import { sql } from 'kysely';
import type pg from 'pg';
import type { Db, Tx } from './db.ts';

/** The schema in which the job queue keeps itself. */
export const QUEUE_SCHEMA = 'jobs';

/** Brings the queue's own tables up to date, so that work can be put into it before any process takes it out. */
export async function prepareQueue(pool: pg.Pool): Promise<void> {
  await runMigrations({ pgPool: pool, schema: QUEUE_SCHEMA });
}

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
 */
export async function enqueue(
  on: Db | Tx,
  task: string,
  payload: Readonly<Record<string, unknown>>,
  { attempts = 25, key, notBefore }: JobOptions = {},
): Promise<void> {
  await sql`
    select ${sql.id(QUEUE_SCHEMA)}.add_job(${task}, ${JSON.stringify(payload)}::json, null,
      ${notBefore?.toISOString() ?? null}::timestamptz, ${attempts}::int, ${key ?? null}::text)`.execute(on);
}
