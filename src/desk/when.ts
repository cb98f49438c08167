/** Moments as the desk writes them: to the minute, with the day, and in columns that line up. */

type Paper = { readonly language: string; readonly zone: string };

const STYLES = {
  day: { day: 'numeric', month: 'short', year: 'numeric' },
  time: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>;

/** A formatter costs a thousand times what using it costs, so each is made once. There are few papers and styles. */
const formatters = new Map<string, Intl.DateTimeFormat>();

function write(instant: Temporal.Instant, { language, zone }: Paper, style: keyof typeof STYLES): string {
  const key = `${language} ${zone} ${style}`;
  let known = formatters.get(key);
  if (known === undefined) {
    known = new Intl.DateTimeFormat(language, { ...STYLES[style], timeZone: zone });
    formatters.set(key, known);
  }
  return known.format(instant.epochMilliseconds);
}

/** 14:05, in the paper's zone. */
export const writeTime = (instant: Temporal.Instant, paper: Paper): string => write(instant, paper, 'time');

/** 23 Nov 2026, 14:05. */
export const writeMoment = (instant: Temporal.Instant, paper: Paper): string =>
  `${write(instant, paper, 'day')}, ${writeTime(instant, paper)}`;
