import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DateOrder, orderIn, readListDate } from './list-dates.ts';

const NOW = Temporal.Instant.from('2026-11-23T06:00:00Z');
const ZONE = 'Asia/Kolkata';

/** In few words: a day, an instant, or what is wrong. */
function read(text: string, order?: DateOrder): string {
  const date = readListDate(text, { now: NOW, zone: ZONE, order });
  if (date.kind === 'day') return String(date.on);
  return date.kind === 'instant' ? String(date.at) : date.kind === 'refused' ? date.reason : date.kind;
}

describe('a date of a list of readers', () => {
  it.each([
    ['2027-03-31', '2027-03-31'],
    ['31/03/2027', '2027-03-31'],
    ['3/31/2027', '2027-03-31'],
    ['31.03.2027', '2027-03-31'],
    ['31-03-2027', '2027-03-31'],
    ['05/05/2027', '2027-05-05'],
    ['2027/3/31', '2027-03-31'],
    ['31-Mar-2027', '2027-03-31'],
    ['31 March 2027', '2027-03-31'],
    ['1st of Sept. 2027', '2027-09-01'],
    ['Mar 31, 2027', '2027-03-31'],
    ['Wed, 31 Mar 2027', '2027-03-31'],
    ['46477', '2027-03-31'],
    ['2027-03-31 00:00:00', '2027-03-31'],
    ['2027-03-31T00:00', '2027-03-31'],
    ['31/03/2027 12:00:00 AM', '2027-03-31'],
  ])('is a day: %s', (text, day) => {
    expect(read(text)).toBe(day);
  });

  it.each([
    ['2027-03-31T00:00:00Z', '2027-03-31T00:00:00Z'],
    ['2045-01-01T00:00:00Z', '2045-01-01T00:00:00Z'],
    ['2027-03-31 00:00:00+05:30', '2027-03-30T18:30:00Z'],
    ['2027-03-31 15:30', '2027-03-31T10:00:00Z'],
    ['31/03/2027 3:30 PM', '2027-03-31T10:00:00Z'],
    ['31 Mar 2027 15:30:00', '2027-03-31T10:00:00Z'],
    ['46477.5', '2027-03-31T06:30:00Z'],
  ])('has an hour, in the paper’s zone where it names none: %s', (text, at) => {
    expect(read(text)).toBe(at);
  });

  it.each([
    ['', 'none'],
    [' - ', 'none'],
    ['N/A', 'none'],
    ['NULL', 'none'],
    ['0000-00-00 00:00:00', 'none'],
    ['Never', 'for-ever'],
    ['lifetime', 'for-ever'],
    ['2099-12-31', 'for-ever'],
    ['31/12/2099', 'for-ever'],
    ['9999-12-31T23:59:59Z', 'for-ever'],
  ])('is none, or none ever: %j', (text, kind) => {
    expect(read(text)).toBe(kind);
  });

  it.each([
    ['04/03/2027', 'day-first or month-first'],
    ['31/03/27', 'four figures'],
    ['31-Mar-27', 'four figures'],
    ['30/02/2027', 'not a day that exists'],
    ['31/31/2027', 'not a day that exists'],
    ['31 Foo 2027', 'not a date such as'],
    ['31/03/1870', 'before 1900'],
    // A slip for 2027.
    ['31/03/2207', 'more than 10 years ahead'],
    ['2072-03-31', 'more than 10 years ahead'],
    ['31 Dec 2072', 'more than 10 years ahead'],
    ['31/03/2027 25:00', 'no such time of day'],
    ['next year', 'not a date such as'],
    ['12345', 'not a date such as'],
  ])('is refused, with the reason: %s', (text, reason) => {
    expect(read(text)).toContain(reason);
  });

  it('of figures is read in the order that its list has, and tells which that is', () => {
    expect([read('04/03/2027', 'day-first'), read('04/03/2027', 'month-first')]).toEqual([
      '2027-03-04',
      '2027-04-03',
    ]);
    expect(read('31/03/2027', 'month-first')).toContain('not a day that exists');
    expect(['31/03/2027', '3/31/2027 10:00', '04/03/2027', '31/31/2027', '2027-03-31'].map(orderIn)).toEqual([
      'day-first',
      'month-first',
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('is the same day in whatever way it is written', () => {
    const day = fc
      .integer({ min: 0, max: 40_000 })
      .map((days) => Temporal.PlainDate.from('1927-01-01').add({ days }))
      .filter((on) => on.year <= 2036);
    fc.assert(
      fc.property(day, (on) => {
        const { day: d, month: m, year: y } = on;
        const name = on.toLocaleString('en-GB', { month: 'long' });
        const serial = Temporal.PlainDate.from('1899-12-30').until(on).days;
        const ways = [
          ...[`${d}/${m}/${y}`, `${d}.${m}.${y}`, `${d}-${m}-${y} 00:00`].map((text) =>
            read(text, 'day-first'),
          ),
          read(`${m}/${d}/${y}`, 'month-first'),
          ...[
            `${on} 00:00:00`,
            `${d} ${name} ${y}`,
            `${d}-${name.slice(0, 3)}-${y}`,
            `${name} ${d}, ${y}`,
          ].map((text) => read(text)),
          ...(serial >= 20_000 ? [read(String(serial))] : []),
        ];
        expect([...new Set(ways)]).toEqual([String(on)]);
      }),
    );
  });

  it('is something, or has a reason, whatever is written', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(read(text)).not.toBe('');
      }),
    );
  });
});
