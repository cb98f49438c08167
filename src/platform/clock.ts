/**
 * The one place that knows what time it is in the paper. Rules take `now` as an argument; whoever calls them asks here.
 * Only the domain's time comes from this clock: rate limits, cookies and queues run on the machine's own.
 */
export type Clock = { now(): Temporal.Instant };

export const systemClock: Clock = { now: () => Temporal.Now.instant() };

/** Milliseconds on a clock that never jumps, for measuring how long something takes. */
export function monotonicMs(): number {
  return performance.now();
}

/** Milliseconds since the epoch on the machine's own clock, for what must not follow a moved domain clock. */
export function machineMs(): number {
  return Date.now();
}
