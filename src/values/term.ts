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

/** Every offset in force since 1972 is a whole number of quarters of an hour, so a day begins with one. */
const QUARTER_MS = 15 * 60 * 1_000;
const MOST_REMEMBERED = 1_000;
const remembered = new Map<string, Temporal.PlainDate>();

/** The day that it is somewhere at an instant. Worked out once for each quarter of an hour: it costs ten times the rest. */
export function dayAt(now: Temporal.Instant, zone: string): Temporal.PlainDate {
  const key = `${zone} ${Math.floor(now.epochMilliseconds / QUARTER_MS)}`;
  let day = remembered.get(key);
  if (day === undefined) {
    day = now.toZonedDateTimeISO(zone).toPlainDate();
    if (remembered.size >= MOST_REMEMBERED) remembered.clear();
    remembered.set(key, day);
  }
  return day;
}

export function isBefore(one: Temporal.PlainDate, other: Temporal.PlainDate): boolean {
  return Temporal.PlainDate.compare(one, other) < 0;
}

/** Whether a day is today or over. */
export function hasCome(on: Temporal.PlainDate, today: Temporal.PlainDate): boolean {
  return !isBefore(today, on);
}

/** Days from one on, and before another where there is one. */
export type Days = { readonly fromOn: Temporal.PlainDate; readonly untilOn: Temporal.PlainDate | undefined };

export function isAmong(on: Temporal.PlainDate, { fromOn, untilOn }: Days): boolean {
  return hasCome(fromOn, on) && (untilOn === undefined || isBefore(on, untilOn));
}
