import { EventEmitter } from 'node:events';
import { runOnce, type WorkerEvents } from 'graphile-worker';
import type pg from 'pg';
import { SEND_MAIL } from '#mail';
import { createLogger } from '#platform/log';
import { type QueueAccess, releaseJobs, withQueue } from '#platform/queue';
import { taskList } from '../../src/jobs/tasks.ts';
import type { TestPaper } from '../paper.ts';

const log = createLogger('silent');

/** A process of a paper: it works on jobs whenever it is told to, and may die. */
export type Worker = {
  readonly paper: TestPaper;
  /** Does every job that is due; those that it was at when it died wait for `release`. */
  work(): Promise<void>;
  /**
   * Ends every connection of this process at once, as its death would: what was begun is rolled back, and of what was just
   * committed nobody hears.
   */
  cut(): void;
  /** Gives back what it was at when it died: the queue would wait for it, by the machine's own clock. */
  release(): Promise<void>;
  close(): Promise<void>;
};

/** @param paper connected to its database without a wire */
export async function openWorker(paper: TestPaper): Promise<Worker> {
  const { baseUrl, billing, clock, database, mailer, outbox, publication, staff } = paper;
  // Mails are written down in the books, which is proven, and not sent: that takes a third of the time.
  const { [SEND_MAIL]: _, ...tasks } = taskList({
    db: database.db,
    zone: () => publication().zone,
    billing,
    mailer,
    mailFrame: () => ({ paper: publication(), baseUrl }),
    outbox,
    staff,
    clock,
    log,
  });
  const pools = new Set<string>();
  const events: WorkerEvents = new EventEmitter();
  events.on('pool:create', ({ workerPool }) => pools.add(workerPool.id));
  const closing = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<QueueAccess>();
  const open = withQueue(paper.databaseUrl, 3, log, async (access) => {
    opened.resolve(access);
    await closing.promise;
  });
  const access = await opened.promise;
  const connections = [connectionsOf(database.pool), connectionsOf(access.pgPool)];
  return {
    paper,
    work: () =>
      runOnce({
        ...access,
        taskList: tasks,
        events,
        concurrency: 2,
        preset: { worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
      }),
    cut() {
      for (const clients of connections) for (const { connection } of clients) connection.stream.destroy();
    },
    async release() {
      await releaseJobs(database.db, [...pools]);
      pools.clear();
    },
    async close() {
      closing.resolve();
      await open;
    },
  };
}

/** The connections that a pool opens from now on, as long as they last. */
function connectionsOf(pool: pg.Pool): ReadonlySet<pg.Client> {
  const clients = new Set<pg.Client>();
  pool.on('connect', (client) => clients.add(client as unknown as pg.Client));
  pool.on('remove', (client) => clients.delete(client as unknown as pg.Client));
  return clients;
}
