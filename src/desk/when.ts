/** How the desk writes days and times: in the paper's zone and language, and exactly. */

type Paper = { readonly language: string; readonly zone: string };

const STYLES = {
  weekday: { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' },
  day: { day: 'numeric', month: 'long', year: 'numeric' },
  month: { month: 'long', year: 'numeric' },
  shortDay: { day: 'numeric', month: 'short', year: 'numeric' },
  time: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>;

/** A formatter costs a thousand times what using it costs, so each is made once. There are few papers and styles. */
const formatters = new Map<string, Intl.DateTimeFormat>();

function write(ms: number, { language, zone }: Paper, style: keyof typeof STYLES): string {
  const key = `${language} ${zone} ${style}`;
  let known = formatters.get(key);
  if (known === undefined) {
    known = new Intl.DateTimeFormat(language, { ...STYLES[style], timeZone: zone });
    formatters.set(key, known);
  }
  return known.format(ms);
}

/** Monday, 23 November 2026. */
export const writeWeekday = (date: Temporal.PlainDate, { language }: Paper): string =>
  write(date.toZonedDateTime('UTC').epochMilliseconds, { language, zone: 'UTC' }, 'weekday');

/** 23 November 2026, for a day that has no time. */
export const writeDate = (date: Temporal.PlainDate, { language }: Paper): string =>
  write(date.toZonedDateTime('UTC').epochMilliseconds, { language, zone: 'UTC' }, 'day');

/** 23 November 2026. */
export const writeDay = (instant: Temporal.Instant, paper: Paper): string =>
  write(instant.epochMilliseconds, paper, 'day');

/** November 2026. */
export const writeMonth = (instant: Temporal.Instant, paper: Paper): string =>
  write(instant.epochMilliseconds, paper, 'month');

/** 14:05. */
export const writeTime = (instant: Temporal.Instant, paper: Paper): string =>
  write(instant.epochMilliseconds, paper, 'time');

/** 23 Nov 2026, 14:05. */
export const writeShort = (instant: Temporal.Instant, paper: Paper): string =>
  `${write(instant.epochMilliseconds, paper, 'shortDay')}, ${writeTime(instant, paper)}`;
