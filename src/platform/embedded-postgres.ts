import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { monotonicMs } from './clock.ts';
import { type FileLock, lock, tryLock } from './file-lock.ts';
import type { Logger } from './log.ts';
import { openFolder, POSTGRES_NAME, type PostgresFolder, readPassword } from './postgres-cluster.ts';
import { explained } from './postgres-failure.ts';
import {
  announce,
  announcedPort,
  answers,
  FAST_STOP_MS,
  findServer,
  isAlive,
  type PostgresServer,
  readStatus,
  startServer,
  stopServer,
  urlOf,
  waitUntil,
} from './postgres-server.ts';

/** How often a process that uses the server looks whether it still lives. */
const WATCH_MS = 500;

/** A running PostgreSQL that this process uses. */
export type EmbeddedPostgres = {
  /** postgresql://…: stays the same until it is released, also when the server has to be started again. */
  readonly url: string;
  /** Ends the use; the last process to do so stops the server, and returns when it has stopped. */
  release(): Promise<void>;
};

/**
 * Gives this process the use of the PostgreSQL whose data lies in DATA/postgres: makes the data on the first start,
 * starts the server if none runs, and attaches to it if one does, be it another process's or an orphan of a crash.
 * A server that dies is started again by one of those who use it, on the same port.
 *
 * What lies in DATA: `postgres` (the data), `postgres.password`, `postgres.log`, `postgres.json` (where it listens),
 * `postgres.lock` (held while someone starts or stops it) and `postgres.users` (held, shared, by each who uses it).
 *
 * @param options.data BROADSHEET_DATA; made if it is missing
 * @param options.settings PostgreSQL's settings that differ from ours, for tests
 * @throws one line that says what stands in the way and what to do about it
 */
export async function openEmbeddedPostgres(options: {
  data: string;
  log: Logger;
  settings?: Record<string, string>;
}): Promise<EmbeddedPostgres> {
  const folder = await openFolder(options.data, options.log, options.settings ?? {});
  try {
    const { users, server, password } = await startingOrStopping(folder, async () => {
      const server = await attachOrStart(folder);
      const password = await readPassword(folder);
      const users = tryLock(folder.users, 'shared');
      if (users === undefined) throw new Error(`${folder.users} is locked by another program`);
      return { users, server, password };
    });
    const watch = watchServer(folder, server);
    let released: Promise<void> | undefined;
    const release = async () => {
      await watch.stop();
      await startingOrStopping(folder, () => leave(folder, users));
    };
    return {
      url: urlOf(server.port, password, POSTGRES_NAME),
      release: () => {
        released ??= release();
        return released;
      },
    };
  } catch (error) {
    throw explained(error, folder.data);
  }
}

/** One at a time among all processes on this data folder. */
async function startingOrStopping<Result>(
  folder: PostgresFolder,
  work: () => Promise<Result>,
): Promise<Result> {
  const held = await lock(join(folder.data, 'postgres.lock'), 'exclusive', () =>
    folder.log.info('waiting for another process that starts or stops PostgreSQL'),
  );
  try {
    return await work();
  } finally {
    held.release();
  }
}

// ------------------------------------------------------------------------------------------------ attach and start

/** @param port the one to listen on, if it has to be started; any free one if it is left out */
async function attachOrStart(folder: PostgresFolder, port?: number): Promise<PostgresServer> {
  const running = findServer(folder);
  if (running === undefined) return await startServer(folder, port ?? (await usedPort(folder)));
  const { pid } = running;
  if (await answers(folder, running)) {
    if (isUsed(folder)) folder.log.debug({ pid, port: running.port }, 'attached to the running PostgreSQL');
    else folder.log.info({ pid, port: running.port }, 'took over the PostgreSQL that a crash left running');
    await announce(folder, running);
    return running;
  }
  if (isAlive(pid)) {
    if (isUsed(folder))
      throw new Error(`the PostgreSQL in ${folder.cluster} (process ${pid}) does not answer`);
    folder.log.warn({ pid }, 'the PostgreSQL that a crash left running does not answer: stopping it');
    await stopServer(folder, pid, 2_000);
  }
  return await startServer(folder, port ?? (await usedPort(folder)));
}

/** Where others who use the server will look for it again, after it died under them. */
async function usedPort(folder: PostgresFolder): Promise<number | undefined> {
  return isUsed(folder) ? await announcedPort(folder) : undefined;
}

/** Whether any process that lives uses the server. */
function isUsed(folder: PostgresFolder): boolean {
  const alone = tryLock(folder.users, 'exclusive');
  alone?.release();
  return alone === undefined;
}

// ----------------------------------------------------------------------------------------------- watching, stopping

/** Looks after the server while this process uses it. */
function watchServer(folder: PostgresFolder, first: PostgresServer): { stop(): Promise<void> } {
  const { port } = first;
  let server = first;
  let stopped = false;
  let recovery: Promise<void> | undefined;
  let stoppingSince: number | undefined;

  function look(): void {
    if (stopped || recovery !== undefined) return;
    if (!isAlive(server.pid)) {
      recovery = recover().finally(() => {
        recovery = undefined;
      });
      return;
    }
    // Somebody asked the server itself to stop. It lets nobody in and waits for its clients to leave, which ours
    // never do: after a while it is told not to wait, and then it is started again.
    if (readStatus(folder) !== 'stopping') stoppingSince = undefined;
    else {
      stoppingSince ??= monotonicMs();
      if (monotonicMs() - stoppingSince > FAST_STOP_MS / 2) hasten();
    }
  }

  function hasten(): void {
    stoppingSince = undefined;
    try {
      process.kill(server.pid, 'SIGINT');
    } catch (error) {
      folder.log.warn({ err: error }, 'PostgreSQL is stopping, and could not be told to hurry');
    }
  }

  async function recover(): Promise<void> {
    folder.log.warn({ pid: server.pid }, 'PostgreSQL has ended: starting it again');
    for (let wait = 250; !stopped; wait = Math.min(wait * 2, 15_000)) {
      try {
        await startingOrStopping(folder, async () => {
          if (stopped) return;
          // Of several processes that noticed, the first starts it, and the others attach to that.
          server = await attachOrStart(folder, port);
          follow();
        });
        return;
      } catch (error) {
        folder.log.error(
          { err: explained(error, folder.data) },
          'PostgreSQL could not be started again; trying on',
        );
        await waitUntil(() => stopped, undefined, wait);
      }
    }
  }

  /** The parent learns of the end at once. */
  function follow(): void {
    server.child?.once('exit', look);
  }

  follow();
  const timer = setInterval(look, WATCH_MS);
  timer.unref();
  return {
    stop: async () => {
      stopped = true;
      clearInterval(timer);
      await recovery;
    },
  };
}

/** Ends this process's use, and stops the server if it was the last. */
async function leave(folder: PostgresFolder, users: FileLock): Promise<void> {
  users.release();
  const alone = tryLock(folder.users, 'exclusive');
  if (alone === undefined) return;
  try {
    const server = findServer(folder);
    if (server !== undefined) await stopServer(folder, server.pid);
    await rm(folder.whereabouts, { force: true });
  } finally {
    alone.release();
  }
}
