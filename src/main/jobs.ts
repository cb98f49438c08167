import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Runner, run, runOnce, type TaskList, type WorkerEvents } from 'graphile-worker';
import { machineMs, monotonicMs } from '#platform/clock';
import type { Logger } from '#platform/log';
import { countDue, type QueueAccess, releaseJobs, withQueue } from '#platform/queue';
import { SCHEDULE } from '../jobs/schedule.ts';
import { taskList } from '../jobs/tasks.ts';
import type { Paper } from './compose.ts';

/** Jobs that a process works on at a time. */
const CONCURRENCY = 2;
/** Connections: one for each job at a time, one that listens, one for the rest. */
const POOL = CONCURRENCY + 2;

/** How long to wait before working on jobs again after that broke off: twice as long each time, up to the last. */
const PAUSES_MS = { first: 500, last: 15_000 };

/**
 * Works on jobs in this process, beside the requests. Any number of processes may; each job is done by one.
 *
 * A worker that cannot put away what it did, because the database has gone, gives up for good: another one takes its
 * place as soon as the database is back.
 */
export async function startJobs(paper: Paper, log: Logger): Promise<{ stop(): Promise<void> }> {
  const stopping = new AbortController();
  const started = Promise.withResolvers<void>();
  const working = withQueue(paper.databaseUrl, POOL, log, async (access) => {
    const first = await startWorker(paper, access, stopping.signal, log);
    await addStartJobs(first.runner).then(started.resolve, (error: unknown) => {
      started.reject(error);
      stopping.abort();
    });
    for (let worker: JobWorker | undefined = first; worker !== undefined; ) {
      await worker.ended;
      worker = await follow(worker, paper, access, stopping.signal, log);
    }
  });
  working.catch(started.reject);
  await started.promise;
  return {
    stop: async () => {
      stopping.abort();
      await working;
    },
  };
}

/** Lets another worker take the place of one that has ended, unless that was told to. */
async function follow(
  ended: JobWorker,
  paper: Paper,
  access: QueueAccess,
  signal: AbortSignal,
  log: Logger,
): Promise<JobWorker | undefined> {
  for (let pause = PAUSES_MS.first; !signal.aborted; pause = Math.min(2 * pause, PAUSES_MS.last)) {
    log.warn({ pause }, 'the work on jobs broke off, and is taken up again');
    await sleep(pause, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    try {
      await releaseJobs(paper.database.db, ended.pools);
      return await startWorker(paper, access, signal, log);
    } catch (error) {
      log.error({ err: error }, 'the work on jobs could not be taken up again');
    }
  }
  return undefined;
}

type JobWorker = {
  readonly runner: Runner;
  /** What the queue knows it by. */
  readonly pools: readonly string[];
  /** When it was told to stop, or gave up. */
  readonly ended: Promise<void>;
};

async function startWorker(
  paper: Paper,
  access: QueueAccess,
  signal: AbortSignal,
  log: Logger,
): Promise<JobWorker> {
  const events: WorkerEvents = new EventEmitter();
  const pools: string[] = [];
  events.on('pool:create', ({ workerPool }) => pools.push(workerPool.id));
  const runner = await run({
    ...access,
    taskList: tasksOf(paper, log),
    crontab: SCHEDULE,
    concurrency: CONCURRENCY,
    events,
    preset: { worker: PUT_AWAY },
  });
  // One that has given up has nothing left to stop.
  const stop = () =>
    void runner.stop().catch((error: unknown) => log.debug({ err: error }, 'a worker had stopped'));
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  const ended = runner.promise
    .catch((error: unknown) => log.error({ err: error }, 'a worker on jobs failed'))
    .finally(() => signal.removeEventListener('abort', stop));
  return { runner, pools, ended };
}

async function addStartJobs(runner: Runner): Promise<void> {
  // The first night is too late for the crawlers' addresses; and a start has better to do than to fetch them at once.
  await runner.addJob(
    'refresh-crawler-ranges',
    {},
    { jobKey: 'at-start', runAt: inSeconds(120), maxAttempts: 3 },
  );
  // The process before this one may have died over what a gateway told it: the next full minute is too long to wait.
  await runner.addJob(
    'ask-unanswered',
    {},
    { jobKey: 'unanswered-at-start', jobKeyMode: 'preserve_run_at', runAt: inSeconds(31), maxAttempts: 3 },
  );
}

/**
 * Does every job that is due, and those that become due by it, and waits for those that another process has taken up.
 * What happens by the clock is left to a running paper.
 *
 * @returns how many were done here, and how many failed and will be tried again
 */
export async function runDueJobs(paper: Paper, log: Logger): Promise<{ done: number; failed: number }> {
  const tasks = tasksOf(paper, log);
  const events: WorkerEvents = new EventEmitter();
  let [done, failed] = [0, 0];
  events.on('job:success', () => done++);
  events.on('job:error', () => failed++);
  const waitsUntil = monotonicMs() + OTHERS_MS;
  await withQueue(paper.databaseUrl, POOL, log, async (access) => {
    do {
      await runOnce({ ...access, taskList: tasks, events, preset: { worker: PUT_AWAY } });
      if ((await countDue(paper.database.db, Object.keys(tasks))) === 0) break;
      await sleep(100);
    } while (monotonicMs() < waitsUntil);
  });
  return { done, failed };
}

/** A process that died over a job keeps it for hours; one that lives is done with it by then. */
const OTHERS_MS = 60_000;

/**
 * What was done is put away together with what else was done in the same moment. Without this, one that cannot be put
 * away is a rejection that nobody handles (graphile-worker 0.18), and takes the whole process with it.
 */
const PUT_AWAY = { completeJobBatchDelay: 0, failJobBatchDelay: 0 };

function tasksOf(paper: Paper, log: Logger): TaskList {
  const { baseUrl, billing, clock, mailer, outbox, publication, staff } = paper;
  return taskList({
    db: paper.database.db,
    zone: () => publication().zone,
    billing,
    mailer,
    mailFrame: () => ({ paper: publication(), baseUrl }),
    outbox,
    staff,
    clock,
    log,
  });
}

/** The queue runs on the machine's own time. */
function inSeconds(seconds: number): Date {
  return new Date(machineMs() + seconds * 1_000);
}
