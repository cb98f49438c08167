import { closeSync, existsSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from './clock.ts';

/** Held until it is released or the process ends, however it ends. */
export type FileLock = { release(): void };

/** Shared: any number at once. Exclusive: one, and nobody shares meanwhile. */
export type LockKind = 'shared' | 'exclusive';

/**
 * A lock between processes that the operating system takes away from a dead one, so that there is nothing stale to
 * find out about. Node has no call for such locks, but SQLite, which it brings, takes them when a transaction begins;
 * the file stays empty. Nobody may open the file otherwise in a process that holds a lock on it: POSIX drops a
 * process's locks on a file as soon as it closes any descriptor of it.
 *
 * @returns the lock, or undefined when others hold it
 */
export function tryLock(path: string, kind: LockKind): FileLock | undefined {
  // Closed to other users, who could otherwise take it and never let go.
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600));
  const database = new DatabaseSync(path);
  try {
    // Without a journal on disk, a transaction that writes nothing leaves the file as it is.
    database.exec('pragma journal_mode = memory');
    database.exec(kind === 'exclusive' ? 'begin exclusive' : 'begin; select 1 from sqlite_schema');
  } catch (error) {
    database.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
  return {
    release: () => {
      if (!database.isOpen) return;
      database.exec('rollback');
      database.close();
    },
  };
}

/**
 * Waits for the lock, as long as it takes.
 *
 * @param onWait is called every ten seconds of waiting
 */
export async function lock(path: string, kind: LockKind, onWait: () => void): Promise<FileLock> {
  let told = monotonicMs();
  for (;;) {
    const taken = tryLock(path, kind);
    if (taken !== undefined) return taken;
    if (monotonicMs() - told >= 10_000) {
      told = monotonicMs();
      onWait();
    }
    await sleep(25 + Math.random() * 25);
  }
}

/** SQLITE_BUSY (https://sqlite.org/rescode.html#busy), in any of its extended forms. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && ((error.errcode as number) & 0xff) === 5;
}
