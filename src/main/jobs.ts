import { type Runner, run } from 'graphile-worker';
import type { Clock } from '#platform/clock';
import type { Logger } from '#platform/log';
import { SCHEDULE } from '../jobs/schedule.ts';
import { taskList } from '../jobs/tasks.ts';
import type { Paper } from './compose.ts';

/** Works on jobs in this process, beside the requests. Any number of processes may; each job is done by one. */
export async function startJobs(
  paper: Paper,
  _databaseUrl: string,
  clock: Clock,
  log: Logger,
): Promise<{ stop(): Promise<void> }> {
  const runner: Runner = await run({
    pgPool: paper.database.pool,
    taskList: taskList({ db: paper.database.db, zone: () => paper.publication().zone, clock, log }),
    crontab: SCHEDULE,
    concurrency: 2,
    noHandleSignals: true,
    schema: 'jobs',
  });
  return { stop: () => runner.stop() };
}
