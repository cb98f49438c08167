import { monotonicMs } from './clock.ts';

/** How often it is looked how late this process is. */
const LOOK_MS = 50;
/** Over so long it is smoothed: a moment's stall, of this process or of the machine, is no load. */
const SMOOTH_MS = 500;
/** So late, and strangers begin to be turned away. */
const LATE_MS = 100;
/** So late though all strangers are, and signed-in readers begin to be. */
const VERY_LATE_MS = 400;
/** Where so few ask, lateness is not their doing: the machine is busy with something else, and nobody is turned away. */
const FEW_A_SECOND = 60;
/** From none to all in half a second; from all to none in a second and a half for strangers, and in half of one for readers. */
const [MORE_MS, FEWER_MS] = [500, 1_500];
/**
 * The longest that a stranger waits to be told. Where all are turned away and that alone is too much work, since those who
 * were told ask again, each is told a little later: that costs nothing, and readers are answered meanwhile.
 */
const LONGEST_HOLD_MS = 1_000;

/**
 * Requests that wait for the database or another company at a time: behind so many, nobody is answered before they have
 * gone. A page from memory never waits.
 */
const MOST_WAITING = { stranger: 400, reader: 1_600 };

/** Who asks, from the first to be turned away to the last. */
export type Claim = 'stranger' | 'reader' | 'always';

/** How late this process is, what part of each is turned away, 0 to 1, and how long strangers wait to be told so. */
export type Load = {
  readonly lateMs: number;
  readonly strangers: number;
  readonly holdMs: number;
  readonly readers: number;
};

export const NO_LOAD: Load = { lateMs: 0, strangers: 0, holdMs: 0, readers: 0 };

export type LoadWatch = {
  /**
   * Counts a request, and says whether it is to be turned away now.
   *
   * @param claim asked only while somebody is turned away
   * @param waiting how many others wait for something else than this process
   */
  isTooMuchFor(claim: () => Claim, waiting: number): boolean;
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
  const isLate = late > LATE_MS;
  // One step after the other, and back in reverse: strangers, those more slowly, readers.
  const moreHold = isLate ? load.strangers === 1 : load.readers > 0;
  const moreReaders = load.holdMs === LONGEST_HOLD_MS && late > VERY_LATE_MS;
  const moreStrangers = isLate || load.holdMs > 0;
  return {
    lateMs: late,
    strangers: clamp(load.strangers + (moreStrangers ? sinceMs / MORE_MS : -sinceMs / FEWER_MS)),
    holdMs: clamp(load.holdMs + 2 * (moreHold ? sinceMs : -sinceMs), LONGEST_HOLD_MS),
    readers: clamp(load.readers + (moreReaders ? sinceMs : -sinceMs) / MORE_MS),
  };
}

function clamp(part: number, most = 1): number {
  return Math.min(most, Math.max(0, part));
}

/**
 * Watches how late this process is at what it has to do. A request waits for all that came before it; when that takes
 * long, turning some away at once is what lets the others be answered at all. How late it is, and not how many ask, says
 * so: a page from memory costs a fiftieth of one that has to be made.
 */
export function watchLoad(): LoadWatch {
  let load = NO_LOAD;
  let lookedAt = monotonicMs();
  /** When whatever waits for its time, or for its turn, was last come to. */
  let turnedAt = lookedAt;
  let turn = 0;
  let asked = 0;

  function look(now: number): void {
    load = nextLoad(load, Math.max(0, now - turnedAt - LOOK_MS), now - lookedAt, asked);
    lookedAt = now;
    asked = 0;
  }

  const timer = setInterval(() => {
    const now = monotonicMs();
    look(now);
    turnedAt = now;
  }, LOOK_MS);
  timer.unref();
  return {
    isTooMuchFor(claimOf, waiting) {
      asked++;
      // While a thousand connections have something to say Node goes round them for seconds before it comes to a timer.
      const now = monotonicMs();
      if (now - lookedAt > 2 * LOOK_MS) look(now);
      if (load.strangers === 0 && waiting < MOST_WAITING.stranger) return false;
      const claim = claimOf();
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
