/**
 * The one place that knows what time it is in the paper. Rules take `now` as an argument; whoever calls them asks here.
 * Only the domain's time comes from this clock: rate limits, cookies and queues run on the machine's own.
 */
export type Clock = {
  now(): Temporal.Instant;
  /** The same in milliseconds since the epoch: what is compared with every request needs no object. */
  nowMs(): number;
};

/**
 * A clock that is some milliseconds ahead of the machine's, and ticks with it.
 *
 * Whoever asks in the same millisecond gets the same instant: each is an object with a part outside V8's heap, and
 * three a request cost a quarter of it in garbage collection.
 */
export function clockAhead(aheadMs: () => number): Clock {
  let lastMs = 0;
  let lastInstant = Temporal.Instant.fromEpochMilliseconds(0);
  const nowMs = () => Date.now() + aheadMs();
  return {
    nowMs,
    now() {
      const ms = nowMs();
      if (ms !== lastMs) {
        lastMs = ms;
        lastInstant = Temporal.Instant.fromEpochMilliseconds(ms);
      }
      return lastInstant;
    },
  };
}

/** The machine's time. */
export const systemClock: Clock = clockAhead(() => 0);

/** Milliseconds on a clock that never jumps, for measuring how long something takes. */
export function monotonicMs(): number {
  return performance.now();
}

/** Milliseconds since the epoch on the machine's own clock, for what must not follow a moved domain clock. */
export function machineMs(): number {
  return Date.now();
}
