import { readDate } from './record-dates.ts';

/** Which of day and month stands first where a list writes both as figures: `31/03/2027` or `3/31/2027`. */
export type DateOrder = 'day-first' | 'month-first';
export const DATE_ORDERS: readonly DateOrder[] = ['day-first', 'month-first'];

/** A date of a list of readers: a whole day, a point in time, nothing, no end at all; or why there is none. */
export type ListDate =
  | { readonly kind: 'day'; readonly on: Temporal.PlainDate }
  | { readonly kind: 'instant'; readonly at: Temporal.Instant }
  | { readonly kind: 'none' }
  | { readonly kind: 'for-ever' }
  | { readonly kind: 'refused'; readonly reason: string };

const NONE = /^(?:[-–—]|n\/?a|null|none|nil|0000-00-00(?:[T ][0:.]+Z?)?|)$/i;
const FOR_EVER = /^(?:never|for ?ever|life ?time|lifelong|unlimited|perpetual|no (?:end|expiry))$/i;
const FIGURES = /^(\d{1,2})([/.-])(\d{1,2})\2(\d{2}|\d{4})$/;
const DAY_AND_WORD = /^(\d{1,2})(?:st|nd|rd|th)?[\s-]+(?:of\s+)?([a-z]{3,9})\.?[\s,-]+(\d{2}|\d{4})$/i;
const WORD_AND_DAY = /^([a-z]{3,9})\.?[\s-]+(\d{1,2})(?:st|nd|rd|th)?[\s,-]+(\d{2}|\d{4})$/i;
const YEAR_FIRST = /^(\d{4})([/.])(\d{1,2})\2(\d{1,2})$/;
const WEEKDAY = /^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+(?=\S)/i;
const TIME = /[\sT,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([ap])?\.?m?\.?$/i;
const MONTHS = 'january february march april may june july august september october november december'.split(
  ' ',
);
/** As spreadsheets number days when a cell is no date to them any more, with the hour as a fraction: 1954 to 2119. */
const SERIAL = /^([2-7]\d{4})(?:[.,](\d{1,10}))?$/;
const SERIAL_ZERO = Temporal.PlainDate.from('1899-12-30');
/** Nobody pays further ahead: a day beyond is a slip, or from this year on somebody's way to write that there is no end. */
const FURTHEST_YEARS = 10;
const NO_END_YEAR = 2099;
/** The last day of a year or the first, as such dates are made up. */
const NO_END_MARKS = new Set(['12-31', '1-1', '12-30']);

/** What a date gives away of the order of its figures: `31/03/2027` can be read in one way alone. */
export function orderIn(text: string): DateOrder | undefined {
  const [, first = '', , second = ''] = FIGURES.exec(withoutTime(text).date) ?? [];
  if (Number(first) > 12 && Number(second) <= 12) return 'day-first';
  return Number(second) > 12 && Number(first) <= 12 ? 'month-first' : undefined;
}

/**
 * Reads a date as people and spreadsheets write it. One that says midnight and no zone is a day, as columns of days
 * come out of databases.
 *
 * @param zone the paper's: what has an hour and no zone is its local time
 * @param order of figures; where nobody knows it, only a date that can be read in one way is read
 */
export function readListDate(
  text: string,
  {
    now,
    order,
    zone,
  }: { readonly now: Temporal.Instant; readonly order: DateOrder | undefined; readonly zone: string },
): ListDate {
  const given = text.trim();
  if (NONE.test(given)) return { kind: 'none' };
  if (FOR_EVER.test(given)) return { kind: 'for-ever' };
  const { date, time } = withoutTime(given.replace(WEEKDAY, ''));
  const shown = JSON.stringify(given.slice(0, 40));
  const parts = partsOf(date, order);
  if (parts === undefined) return readAsRecord(given, zone, now);
  if (parts === 'ambiguous')
    return refused(`${shown}: say with --dates day-first or month-first which of the two comes first`);
  if (parts.year < 100) return refused(`${shown}: the year is to be written with four figures`);
  let on: Temporal.PlainDate;
  try {
    on = Temporal.PlainDate.from(parts, { overflow: 'reject' });
  } catch {
    return refused(`${shown} is not a day that exists`);
  }
  if (on.year < 1900) return refused(`${shown} is not plausible: before 1900`);
  if (on.year >= NO_END_YEAR)
    return NO_END_MARKS.has(`${on.month}-${on.day}`) ? { kind: 'for-ever' } : tooFar(shown);
  if (on.year > furthestYear(zone, now)) return tooFar(shown);
  return time === undefined ? { kind: 'day', on } : atTime(on, time, zone);
}

/** As records of archives have dates: `2027-03-31`, with or without an hour and a zone. */
function readAsRecord(text: string, zone: string, now: Temporal.Instant): ListDate {
  const [, year = '', month, day] = /^(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)/.exec(text) ?? [];
  if (Number(year) >= NO_END_YEAR && NO_END_MARKS.has(`${Number(month)}-${Number(day)}`))
    return { kind: 'for-ever' };
  const written = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text) ? instantOf(text) : undefined;
  // As exports of ours have it: meant to the second.
  if (written !== undefined && Number(year) >= 1900) return { kind: 'instant', at: written };
  const serial = SERIAL.exec(text);
  if (serial !== null) return ofSerial(serial, zone);
  const read = readDate(text, zone, now);
  if (read.kind === 'refused') return read;
  const local = read.at.toZonedDateTimeISO(zone);
  const isDay = /^\d{4}-\d{1,2}-\d{1,2}(?:[T\s]+0?0:00(?::00(?:[.,]0+)?)?)?$/.test(text);
  return isDay ? { kind: 'day', on: local.toPlainDate() } : { kind: 'instant', at: read.at };
}

function ofSerial([, days = '', fraction]: RegExpExecArray, zone: string): ListDate {
  const on = SERIAL_ZERO.add({ days: Number(days) });
  const seconds = Math.round(Number(`0.${fraction ?? 0}`) * 86_400);
  if (seconds === 0) return { kind: 'day', on };
  return {
    kind: 'instant',
    at: on.toPlainDateTime().add({ seconds }).toZonedDateTime(zone).toInstant(),
  };
}

type Parts = { readonly year: number; readonly month: number; readonly day: number };

function partsOf(date: string, order: DateOrder | undefined): Parts | 'ambiguous' | undefined {
  const figures = FIGURES.exec(date);
  if (figures !== null) {
    const [first, second, year] = [Number(figures[1]), Number(figures[3]), Number(figures[4])];
    const known = order ?? orderIn(date) ?? (first === second ? 'day-first' : undefined);
    // In neither order there is such a day.
    if (known === undefined) return first > 12 ? { year, month: second, day: first } : 'ambiguous';
    return known === 'day-first' ? { year, month: second, day: first } : { year, month: first, day: second };
  }
  const yearFirst = YEAR_FIRST.exec(date);
  if (yearFirst !== null)
    return { year: Number(yearFirst[1]), month: Number(yearFirst[3]), day: Number(yearFirst[4]) };
  const [, day, word, year] = DAY_AND_WORD.exec(date) ?? [];
  const [, otherWord, otherDay, otherYear] = WORD_AND_DAY.exec(date) ?? [];
  const month = monthOf(word ?? otherWord ?? '');
  if (month === 0) return undefined;
  return { year: Number(year ?? otherYear), month, day: Number(day ?? otherDay) };
}

/** @returns 0 for what is no month, nor the beginning of one */
function monthOf(word: string): number {
  const lower = word.toLowerCase();
  return lower.length < 3
    ? 0
    : MONTHS.findIndex((one) => one.startsWith(lower === 'sept' ? 'sep' : lower)) + 1;
}

type Time = { readonly hour: number; readonly minute: number; readonly second: number };

/** A date and, where one stands behind it that is not midnight, its time. */
function withoutTime(text: string): { readonly date: string; readonly time?: Time } {
  const found = TIME.exec(text);
  if (found === null) return { date: text };
  const [whole, hours = '', minutes = '', seconds = '0', half] = found;
  const hour = half === undefined ? Number(hours) : (Number(hours) % 12) + (/p/i.test(half) ? 12 : 0);
  const time = { hour, minute: Number(minutes), second: Number(seconds) };
  const date = text.slice(0, -whole.length);
  return time.hour + time.minute + time.second === 0 ? { date } : { date, time };
}

function atTime(on: Temporal.PlainDate, time: Time, zone: string): ListDate {
  try {
    const at = on.toPlainDateTime(Temporal.PlainTime.from(time, { overflow: 'reject' }));
    return { kind: 'instant', at: at.toZonedDateTime(zone).toInstant() };
  } catch {
    return refused(`there is no such time of day as ${time.hour}:${time.minute}`);
  }
}

function instantOf(text: string): Temporal.Instant | undefined {
  try {
    return Temporal.Instant.from(text);
  } catch {
    return undefined;
  }
}

function tooFar(shown: string): ListDate {
  return refused(`${shown} is not plausible: more than ${FURTHEST_YEARS} years ahead`);
}

function furthestYear(zone: string, now: Temporal.Instant): number {
  return now.toZonedDateTimeISO(zone).year + FURTHEST_YEARS;
}

function refused(reason: string): ListDate {
  return { kind: 'refused', reason };
}
