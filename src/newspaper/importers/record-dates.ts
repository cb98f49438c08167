/**
 * A date as archives write it: `2019-01-05`, `2010-10-22 11:33:15 -0400`, `2011-11-28 8:32:24 -0400`,
 * `2019-01-05T10:00Z`, with or without seconds and zone.
 */
const DATE =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:T|\s+)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9})\d*)?)?)?\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?(?:\[[^\]]{1,64}\])?$/i;

/** The year of the first printed newspaper is 1605, of the first print in Europe about 1450: nothing is older. */
const FIRST_YEAR = 1450;
/** A story may be planned ahead, but a date further ahead than this many years is a slip. */
const YEARS_AHEAD = 10;

/** A point in time, or why there is none. */
export type ReadDate =
  | { readonly kind: 'instant'; readonly at: Temporal.Instant }
  | { readonly kind: 'refused'; readonly reason: string };

/** The start of days that were asked for before: an archive has thousands of stories a year, but 365 days. */
const days = new Map<string, Temporal.Instant>();

/**
 * Reads a date. Without a zone it is the paper's local time; without a time it is midnight there (or when that day
 * began, where clocks were changed at midnight).
 *
 * @param zone the paper's IANA zone
 */
export function readDate(text: string, zone: string, now: Temporal.Instant): ReadDate {
  const shown = JSON.stringify(text.slice(0, 40));
  const parts = text.trim().match(DATE);
  if (!parts)
    return {
      kind: 'refused',
      reason: `${shown} is not a date such as 2019-01-05 or 2019-01-05T10:00:00+05:30`,
    };
  const at = toInstant(parts, zone);
  if (at === undefined) return { kind: 'refused', reason: `${shown} is not a day or time that exists` };
  const year = Number(parts[1]);
  const thisYear = now.toZonedDateTimeISO(zone).year;
  if (year < FIRST_YEAR)
    return { kind: 'refused', reason: `${shown} is not plausible: before ${FIRST_YEAR}` };
  if (year > thisYear + YEARS_AHEAD) {
    return { kind: 'refused', reason: `${shown} is not plausible: more than ${YEARS_AHEAD} years ahead` };
  }
  return { kind: 'instant', at };
}

function toInstant(parts: RegExpMatchArray, zone: string): Temporal.Instant | undefined {
  const [, year = '', month = '', day = '', hour, minute = '00', second = '00', fraction, offset] = parts;
  const date = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  try {
    if (hour === undefined && offset === undefined) return startOfDay(date, zone);
    const time = `${(hour ?? '00').padStart(2, '0')}:${minute}:${second}${fraction === undefined ? '' : `.${fraction}`}`;
    if (offset !== undefined) return Temporal.Instant.from(`${date}T${time}${toOffset(offset)}`);
    return Temporal.PlainDateTime.from(`${date}T${time}`).toZonedDateTime(zone).toInstant();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function startOfDay(date: string, zone: string): Temporal.Instant {
  const key = `${date} ${zone}`;
  let at = days.get(key);
  if (at === undefined) {
    at = Temporal.PlainDate.from(date).toZonedDateTime(zone).toInstant();
    if (days.size >= 50_000) days.clear();
    days.set(key, at);
  }
  return at;
}

/** `Z`, `+05`, `-0400`, `+05:30` as an offset that Temporal reads. */
function toOffset(offset: string): string {
  if (/^[a-z]/i.test(offset)) return 'Z';
  const minutes = offset.length > 3 ? offset.slice(-2) : '00';
  return `${offset.slice(0, 3)}:${minutes}`;
}
