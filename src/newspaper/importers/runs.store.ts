import { sql } from 'kysely';
import { type Db, toInstant } from '#platform/db';
import { uuidv7 } from '#platform/ids';

/** An import that ended, and what it did. */
export type KeptRun = {
  readonly id: string;
  readonly format: string;
  /** Names without their folders. */
  readonly files: readonly string[];
  readonly dryRun: boolean;
  /** On the machine's own clock. */
  readonly beganAt: Temporal.Instant;
  readonly endedAt: Temporal.Instant;
  /** As the command gives it: docs/contracts/command-line.md. */
  readonly report: Readonly<Record<string, unknown>>;
};

/** @returns the run's id */
export async function keepRun(db: Db, run: Omit<KeptRun, 'id'>): Promise<string> {
  const id = uuidv7();
  await sql`
    insert into importers.runs (id, format, files, dry_run, began_at, ended_at, report)
    values (${id}, ${run.format}, ${run.files}, ${run.dryRun}, ${run.beganAt.toString()}, ${run.endedAt.toString()},
      ${JSON.stringify(run.report)}::jsonb)`.execute(db);
  return id;
}

type RunRow = {
  id: string;
  format: string;
  files: string[];
  dry_run: boolean;
  began_at: string;
  ended_at: string;
  report: Record<string, unknown>;
};

/** The newest imports. */
export async function listRuns(db: Db, limit: number): Promise<KeptRun[]> {
  const { rows } = await sql<RunRow>`
    select id, format, files, dry_run, began_at, ended_at,
      report - array['refused', 'kept', 'stories', 'left_out', 'left_out_first', 'pictures', 'pictures_ahead'] as report
    from importers.runs order by began_at desc, id desc limit ${limit}`.execute(db);
  return rows.map(toRun);
}

/** One import with its whole report; undefined where there is none. */
export async function findRun(db: Db, id: string): Promise<KeptRun | undefined> {
  const { rows } = await sql<RunRow>`
    select id, format, files, dry_run, began_at, ended_at, report from importers.runs where id = ${id}`.execute(
    db,
  );
  return rows[0] && toRun(rows[0]);
}

function toRun({ began_at, dry_run, ended_at, ...row }: RunRow): KeptRun {
  return { ...row, dryRun: dry_run, beganAt: toInstant(began_at), endedAt: toInstant(ended_at) };
}
