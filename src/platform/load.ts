import { monotonicMs } from './clock.ts';

/** How often it is looked how late this process is. */
const LOOK_MS = 50;
/** Over so long it is smoothed: a moment's stall, of this process or of the machine, is no load. */
const SMOOTH_MS = 500;
/** So late, and strangers begin to be turned away. */
const LATE_MS = 80;
/** So late though all strangers are, and signed-in readers begin to be. */
const VERY_LATE_MS = 400;
/** Where so few ask, lateness is not their doing: the machine is busy with something else, and nobody is turned away. */
const FEW_A_SECOND = 60;
/** From none to all in a second; from all to none in two for strangers, and in one for readers. */
const [MORE_MS, FEWER_MS] = [1_000, 2_000];

/**
 * Requests that wait for the database or another company at a time: behind so many, nobody is answered before they have
 * gone. A page from memory never waits.
 */
const MOST_WAITING = { stranger: 400, reader: 1_600 };

/** Who asks, from the first to be turned away to the last. */
export type Claim = 'stranger' | 'reader' | 'always';

/** How late this process is, and what part of each is turned away, 0 to 1. */
export type Load = { readonly lateMs: number; readonly strangers: number; readonly readers: number };

export const NO_LOAD: Load = { lateMs: 0, strangers: 0, readers: 0 };

export type LoadWatch = {
  /** Counts a request, and says whether it need not be asked who sent it: nobody is turned away. */
  isCalm(waiting: number): boolean;
  /**
   * Whether a request is to be turned away now.
   *
   * @param waiting how many others wait for something else than this process
   */
  isTooMuchFor(claim: Claim, waiting: number): boolean;
  readonly load: Load;
  stop(): void;
};

/**
 * The load after another look. Pure.
 *
 * @param lateMs how late this look was
 * @param sinceMs since the look before
 * @param asked how many requests came since then
 */
export function nextLoad(load: Load, lateMs: number, sinceMs: number, asked: number): Load {
  const theirs = (asked / sinceMs) * 1_000 < FEW_A_SECOND ? 0 : lateMs;
  const late = load.lateMs + (1 - Math.exp(-sinceMs / SMOOTH_MS)) * (theirs - load.lateMs);
  const moreReaders = load.strangers === 1 && late > VERY_LATE_MS;
  // Readers are let in again first, and strangers while no reader is turned away.
  const fewerStrangers = load.readers === 0 ? sinceMs / FEWER_MS : 0;
  return {
    lateMs: late,
    strangers: clamp(load.strangers + (late > LATE_MS ? sinceMs / MORE_MS : -fewerStrangers)),
    readers: clamp(load.readers + (moreReaders ? sinceMs : -sinceMs) / MORE_MS),
  };
}

function clamp(part: number): number {
  return Math.min(1, Math.max(0, part));
}

/**
 * Watches how late this process is at what it has to do. A request waits for all that came before it; when that takes
 * long, turning some away at once is what lets the others be answered at all. How late it is, and not how many ask, says
 * so: a page from memory costs a fiftieth of one that has to be made.
 */
export function watchLoad(): LoadWatch {
  let load = NO_LOAD;
  let lookedAt = monotonicMs();
  let turn = 0;
  let asked = 0;
  const timer = setInterval(() => {
    const now = monotonicMs();
    const sinceMs = now - lookedAt;
    load = nextLoad(load, Math.max(0, sinceMs - LOOK_MS), sinceMs, asked);
    lookedAt = now;
    asked = 0;
  }, LOOK_MS);
  timer.unref();
  return {
    isCalm(waiting) {
      asked++;
      return load.strangers === 0 && waiting < MOST_WAITING.stranger;
    },
    isTooMuchFor(claim, waiting) {
      if (claim !== 'always' && waiting >= MOST_WAITING[claim]) return true;
      const part = claim === 'stranger' ? load.strangers : claim === 'reader' ? load.readers : 0;
      if (part === 0) return false;
      // Evenly over those who come, without asking for luck: the golden ratio spreads any part.
      turn = (turn + 0.618_033_988_749_895) % 1;
      return turn < part;
    },
    get load() {
      return load;
    },
    stop: () => clearInterval(timer),
  };
}
