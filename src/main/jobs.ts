import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Runner, run, runOnce, type TaskList, type WorkerEvents } from 'graphile-worker';
import { machineMs, monotonicMs } from '#platform/clock';
import type { Logger } from '#platform/log';
import { countDue, QUEUE_SCHEMA, queueLogger, releaseJobs } from '#platform/queue';
import { SCHEDULE } from '../jobs/schedule.ts';
import { taskList } from '../jobs/tasks.ts';
import type { Paper } from './compose.ts';

/** Jobs that a process works on at a time. */
const CONCURRENCY = 2;

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
  let worker = await startWorker(paper, log);
  try {
    await addStartJobs(worker.runner);
  } catch (error) {
    await worker.stop();
    throw error;
  }

  async function keepWorking(): Promise<void> {
    while (!stopping.signal.aborted) {
      await worker.ended;
      if (!stopping.signal.aborted) await replace();
    }
  }

  async function replace(): Promise<void> {
    for (let pause = PAUSES_MS.first; ; pause = Math.min(2 * pause, PAUSES_MS.last)) {
      log.warn({ pause }, 'the work on jobs broke off, and is taken up again');
      await sleep(pause, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      try {
        await releaseJobs(paper.database.db, worker.pools);
        worker = await startWorker(paper, log);
        return;
      } catch (error) {
        log.error({ err: error }, 'the work on jobs could not be taken up again');
      }
    }
  }

  const working = keepWorking();
  return {
    stop: async () => {
      stopping.abort();
      await worker.stop();
      await working;
    },
  };
}

type JobWorker = {
  readonly runner: Runner;
  /** What the queue knows it by. */
  readonly pools: readonly string[];
  /** When it was stopped, or gave up. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
};

async function startWorker(paper: Paper, log: Logger): Promise<JobWorker> {
  const events: WorkerEvents = new EventEmitter();
  const pools: string[] = [];
  events.on('pool:create', ({ workerPool }) => pools.push(workerPool.id));
  const runner = await run({
    ...queueOf(paper, log),
    taskList: tasksOf(paper, log),
    crontab: SCHEDULE,
    concurrency: CONCURRENCY,
    events,
    // Fetched a few at a time, and put away together: a fifth of the database's work for a purchase was in the queue.
    preset: { worker: { ...PUT_AWAY, localQueue: { size: 4 * CONCURRENCY, ttl: 5_000 } } },
  });
  const ended = runner.promise.catch((error: unknown) =>
    log.error({ err: error }, 'a worker on jobs failed'),
  );
  return {
    runner,
    pools,
    ended,
    stop: async () => {
      // One that has given up has nothing left to stop.
      await runner.stop().catch((error: unknown) => log.debug({ err: error }, 'a worker had stopped'));
      await ended;
    },
  };
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
  do {
    await runOnce({
      ...queueOf(paper, log),
      taskList: tasks,
      events,
      preset: { worker: PUT_AWAY },
    });
    if ((await countDue(paper.database.db, Object.keys(tasks))) === 0) break;
    await sleep(100);
  } while (monotonicMs() < waitsUntil);
  return { done, failed };
}

/** A process that died over a job keeps it for hours; one that lives is done with it by then. */
const OTHERS_MS = 60_000;

/**
 * What was done is put away together with what else was done in the same moment. Without this, one that cannot be put
 * away is a rejection that nobody handles (graphile-worker 0.18), and takes the whole process with it.
 */
const PUT_AWAY = { completeJobBatchDelay: 0, failJobBatchDelay: 0 };

/**
 * How the runner reaches its queue: over connections of its own, because it expects 64-bit numbers as pg gives them, and
 * fails over ours as soon as a job does; and because it must not lose patience as soon as a page.
 */
function queueOf(paper: Paper, log: Logger) {
  return {
    connectionString: paper.databaseUrl,
    // One for each job at a time, one that listens, one for the rest.
    maxPoolSize: CONCURRENCY + 2,
    noHandleSignals: true,
    schema: QUEUE_SCHEMA,
    logger: queueLogger(log),
  };
}

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
