import { Logger as JobLogger, type Runner, run } from 'graphile-worker';
import { machineMs } from '#platform/clock';
import type { Logger } from '#platform/log';
import { SCHEDULE } from '../jobs/schedule.ts';
import { taskList } from '../jobs/tasks.ts';
import type { Paper } from './compose.ts';

/** Works on jobs in this process, beside the requests. Any number of processes may; each job is done by one. */
export async function startJobs(paper: Paper, log: Logger): Promise<{ stop(): Promise<void> }> {
  const runner: Runner = await run({
    pgPool: paper.database.pool,
    taskList: taskList({
      db: paper.database.db,
      zone: () => paper.publication().zone,
      clock: paper.clock,
      log,
    }),
    crontab: SCHEDULE,
    concurrency: 2,
    noHandleSignals: true,
    schema: 'jobs',
    logger: new JobLogger(() => (level, message) => {
      // What it calls info is its own working, job by job.
      if (level === 'error') log.error(message);
      else if (level === 'warning') log.warn(message);
      else log.debug(message);
    }),
  });
  // The first night is too late for the crawlers' addresses; and a start has better to do than to fetch them at once.
  await runner.addJob(
    'refresh-crawler-ranges',
    {},
    { jobKey: 'at-start', runAt: inTwoMinutes(), maxAttempts: 3 },
  );
  return { stop: () => runner.stop() };
}

/** The queue runs on the machine's own time. */
function inTwoMinutes(): Date {
  return new Date(machineMs() + 120_000);
}
