import { readdir, readFile } from 'node:fs/promises';
import { getPriority, setPriority } from 'node:os';

/** Nice: by Linux's weights the main thread gets nine tenths of a processor that both want. */
const POOL_PRIORITY = 10;
/** What libuv calls the threads of its pool. */
const POOL_THREAD = 'libuv-worker';

/**
 * Lets the threads that Node hashes passwords on give way to the one that answers. On a processor that both want, fifty
 * readers who signed in at once took six tenths of the pages; where one is idle, they sign in as fast as before.
 *
 * Linux alone has a priority for each thread. Elsewhere, and where it may not be changed, everything stays as it is.
 *
 * @returns how many threads give way
 */
export async function lowerPoolPriority(): Promise<number> {
  // Reading this starts the pool, if nothing has yet.
  const threads = await readdir('/proc/self/task').catch(() => []);
  let lowered = 0;
  for (const thread of threads) {
    try {
      const name = await readFile(`/proc/self/task/${thread}/comm`, 'utf8');
      if (name.trim() !== POOL_THREAD) continue;
      if (getPriority(Number(thread)) < POOL_PRIORITY) setPriority(Number(thread), POOL_PRIORITY);
      lowered++;
    } catch {
      // It has ended meanwhile, or may not be touched.
    }
  }
  return lowered;
}

/** Lets this process, or another of this machine's, give way to the others, where that may be changed. */
export function lowerPriority(pid = 0): void {
  try {
    if (getPriority(pid) < POOL_PRIORITY) setPriority(pid, POOL_PRIORITY);
  } catch {
    // It is another user's, or another machine's: then it works beside them.
  }
}
