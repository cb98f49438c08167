/** The calendar month that a meter counts in. `key` is its first day (an ISO date); it ends at the instant `turnsAt`. */
export type Month = {
  readonly key: string;
  readonly startedAt: Temporal.Instant;
  readonly turnsAt: Temporal.Instant;
};

/**
 * The calendar month of an instant in the paper's own zone. Both ends are the first instant of a first day, also in
 * zones whose clocks skip midnight on it, so months join without a gap or an overlap.
 *
 * @param zone an IANA time zone
 */
export function monthOf(now: Temporal.Instant, zone: string): Month {
  const first = now.toZonedDateTimeISO(zone).toPlainDate().with({ day: 1 });
  const next = first.add({ months: 1 });
  return {
    key: first.toString(),
    startedAt: first.toZonedDateTime(zone).toInstant(),
    turnsAt: next.toZonedDateTime(zone).toInstant(),
  };
}
