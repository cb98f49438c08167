/** How the paper writes days and times: always in its own zone and language, whoever reads and wherever. */

export type Paper = { readonly language: string; readonly zone: string };

/** A formatter costs a thousand times what using it costs, so each is made once. There are few papers and styles. */
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(language: string, zone: string, style: keyof typeof STYLES): Intl.DateTimeFormat {
  const key = `${language} ${zone} ${style}`;
  let known = formatters.get(key);
  if (known === undefined) {
    known = new Intl.DateTimeFormat(language, { ...STYLES[style], timeZone: zone });
    formatters.set(key, known);
  }
  return known;
}

const STYLES = {
  weekday: { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' },
  day: { day: 'numeric', month: 'long', year: 'numeric' },
  dayOfMonth: { day: 'numeric', month: 'long' },
  shortDay: { day: 'numeric', month: 'short' },
  month: { month: 'long', year: 'numeric' },
  time: { hour: 'numeric', minute: '2-digit' },
  zone: { timeZoneName: 'longGeneric' },
  timeInZone: { hour: 'numeric', minute: '2-digit', timeZoneName: 'short' },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>;

function writePlain(date: Temporal.PlainDate, language: string, style: keyof typeof STYLES): string {
  // A day without a time is the same day everywhere: it is set and read in UTC, so no zone can move it.
  return formatter(language, 'UTC', style).format(date.toZonedDateTime('UTC').epochMilliseconds);
}

function write(instant: Temporal.Instant, paper: Paper, style: keyof typeof STYLES): string {
  return formatter(paper.language, paper.zone, style).format(instant.epochMilliseconds);
}

/** Saturday, 14 November 2026: the date line of the masthead. */
export const writeWeekday = (date: Temporal.PlainDate, language: string): string =>
  writePlain(date, language, 'weekday');

/** 14 November 2026. */
export const writeDate = (date: Temporal.PlainDate, language: string): string =>
  writePlain(date, language, 'day');

/** 14 November 2026, in the paper's zone. */
export const writeDay = (instant: Temporal.Instant, paper: Paper): string => write(instant, paper, 'day');

/** 1 December: when the year goes without saying. */
export const writeDayOfMonth = (instant: Temporal.Instant, paper: Paper): string =>
  write(instant, paper, 'dayOfMonth');

/** November 2026. */
export const writeMonth = (instant: Temporal.Instant, paper: Paper): string => write(instant, paper, 'month');

/** 6:40 pm IST: a time that names its zone. */
export const writeTimeInZone = (instant: Temporal.Instant, paper: Paper): string =>
  write(instant, paper, 'timeInZone');

/** 14 November 2026, 6:40 pm IST. */
export const writeDayAndTime = (instant: Temporal.Instant, paper: Paper): string =>
  `${write(instant, paper, 'day')}, ${write(instant, paper, 'timeInZone')}`;

/**
 * Whether an instant is the very beginning of a day: an archive that gave a date and no time is stored so, and nobody
 * publishes at 0:00:00 to the nanosecond. Such a day is written without an hour.
 */
export function isDayAlone(instant: Temporal.Instant, paper: Paper): boolean {
  const local = instant.toZonedDateTimeISO(paper.zone);
  return local.equals(local.startOfDay());
}

/** India Standard Time: the name of the paper's zone, the same in summer and winter. */
export function writeZone(paper: Paper): string {
  const parts = formatter(paper.language, paper.zone, 'zone').formatToParts(0);
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? paper.zone;
}

/**
 * As short as it can be and still be exact: a time for today, the day for this year, and the full date before that.
 * Never "3 hours ago", which would be wrong on a page that a cache keeps; and no hour where none was known.
 */
export function writeShort(instant: Temporal.Instant, paper: Paper, today: Temporal.PlainDate): string {
  const on = instant.toZonedDateTimeISO(paper.zone).toPlainDate();
  if (on.equals(today) && !isDayAlone(instant, paper)) return write(instant, paper, 'time');
  return write(instant, paper, on.year === today.year ? 'shortDay' : 'day');
}
