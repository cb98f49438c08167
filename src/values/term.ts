/**
 * Where the terms of a subscription begin and end: always so many months from its anchor, never from the end of the
 * term before, which would drift to the 28th for good after one February.
 *
 * @param anchorOn the day on which the first term began
 * @param months of one term
 * @param count of terms: 0 gives the anchor itself, 1 the first day that the first term no longer covers
 */
export function termBoundary(
  anchorOn: Temporal.PlainDate,
  months: number,
  count: number,
): Temporal.PlainDate {
  if (!Number.isInteger(months) || months < 1) throw new RangeError(`a term of ${months} months`);
  return anchorOn.add({ months: months * count }, { overflow: 'constrain' });
}

/** The instant at which a day begins in a zone: access that is paid until a day ends then. */
export function startOfDay(on: Temporal.PlainDate, zone: string): Temporal.Instant {
  return on.toZonedDateTime(zone).toInstant();
}
