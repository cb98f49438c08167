import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Answer, Question, Setting } from './typeset-worker.ts';

/** A sheet as a PDF, or why there is none now. */
export type Typeset =
  | { readonly kind: 'pdf'; readonly bytes: Buffer; readonly isAccessible: boolean }
  /** Too many wait already, or the program is about to end. */
  | { readonly kind: 'busy' }
  /** It took too long, and was given up. */
  | { readonly kind: 'late' };

/** Sets sheets one after the other, in a thread of its own: a page is not to wait for one. */
export type Typesetter = {
  /**
   * @param inputs what the template finds in `sys.inputs`: text always, and never markup
   * @throws what is wrong with the template
   */
  typeset(inputs: Readonly<Record<string, string>>): Promise<Typeset>;
  close(): Promise<void>;
};

/** A sheet takes some milliseconds, and the first of a thread some tenths of a second. */
const tenSeconds = (signal: AbortSignal): Promise<void> => sleep(10_000, undefined, { signal });
/** The last of them waits a second. */
const MOST_WAITING = 50;
/** Threads that were given up and have not ended: what runs in native code is not interrupted. */
const MOST_GIVEN_UP = 2;

type Job = {
  readonly inputs: Readonly<Record<string, string>>;
  readonly resolve: (typeset: Typeset) => void;
  readonly reject: (error: unknown) => void;
};

export type TypesetterOptions = {
  /** Beside the one that is being set. */
  readonly mostWaiting?: number;
  /** Ends when a sheet has taken too long. */
  readonly patience?: (signal: AbortSignal) => Promise<void>;
};

/**
 * The thread is started with the first sheet, and again after one that was given up or that ended by itself.
 *
 * @param setting.template Typst's markup
 * @param setting.faces paths of font files; Typst cannot use variable ones
 */
export function openTypesetter(setting: Setting, options: TypesetterOptions = {}): Typesetter {
  const { mostWaiting = MOST_WAITING, patience = tenSeconds } = options;
  const waiting: Job[] = [];
  let isWorking = false;
  let isClosed = false;
  let givenUp = 0;
  let worker: Worker | undefined;

  function thread(): Worker {
    if (worker !== undefined) return worker;
    const started = new Worker(WORKER, { workerData: setting });
    // Whoever forgets to close is not kept alive by it.
    started.unref();
    // What is wrong is told to whoever waits for its sheet; an error that nobody hears would end the program.
    started.on('error', () => undefined);
    started.on('exit', () => {
      if (worker === started) worker = undefined;
    });
    worker = started;
    return started;
  }

  /** Ends a thread that does not answer, as soon as it lets itself be ended. */
  function giveUp(late: Worker): void {
    worker = undefined;
    givenUp++;
    void late.terminate().finally(() => {
      givenUp--;
    });
  }

  async function setOne({ inputs }: Job): Promise<Typeset> {
    const asked = thread();
    const done = new AbortController();
    const answered = answerOf(asked, done.signal);
    asked.postMessage({ inputs } satisfies Question);
    const late = patience(done.signal).then(
      () => 'late' as const,
      () => 'late' as const,
    );
    try {
      const answer = await Promise.race([answered, late]);
      if (answer === 'late') {
        giveUp(asked);
        return { kind: 'late' };
      }
      if ('error' in answer) throw new Error(`a sheet cannot be set: ${answer.error}`);
      return { kind: 'pdf', bytes: Buffer.from(answer.bytes), isAccessible: answer.isAccessible };
    } catch (error) {
      // A thread that is ended by us leaves nothing to complain of.
      if (isClosed) return { kind: 'busy' };
      throw error;
    } finally {
      done.abort();
    }
  }

  async function work(): Promise<void> {
    if (isWorking) return;
    isWorking = true;
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      await setOne(job).then(job.resolve, job.reject);
    }
    isWorking = false;
  }

  return {
    typeset(inputs) {
      const isFull = waiting.length >= mostWaiting || givenUp >= MOST_GIVEN_UP;
      if (isClosed || isFull) return Promise.resolve({ kind: 'busy' });
      return new Promise((resolve, reject) => {
        waiting.push({ inputs, resolve, reject });
        void work();
      });
    },
    async close() {
      isClosed = true;
      for (const { resolve } of waiting.splice(0)) resolve({ kind: 'busy' });
      await worker?.terminate();
    },
  };
}

/** Beside this file, as it was written and as it was built. */
const WORKER = new URL(
  import.meta.url.endsWith('.ts') ? './typeset-worker.ts' : './typeset-worker.js',
  import.meta.url,
);

/** What a thread says next: also that it has ended, which it does by itself only where something is broken. */
function answerOf(worker: Worker, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const ended = (error: unknown) => reject(new Error('the typesetter has ended', { cause: error }));
    worker.once('message', resolve);
    worker.once('error', ended);
    worker.once('exit', ended);
    signal.addEventListener('abort', () => {
      worker.off('message', resolve);
      worker.off('error', ended);
      worker.off('exit', ended);
    });
  });
}
