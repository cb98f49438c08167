import { describe, expect, it } from 'vitest';
import { isDayAlone, writeDay, writeDayAndTime, writeShort, writeWeekday, writeZone } from './dates.ts';

const india = { language: 'en-IN', zone: 'Asia/Kolkata' };
const at = (text: string) => Temporal.Instant.from(text);
const today = Temporal.PlainDate.from('2026-11-23');

describe('a date in the paper', () => {
  it("is the day in the paper's zone, not in UTC", () => {
    expect(writeDay(at('2026-11-30T18:29:59Z'), india)).toBe('30 November 2026');
    expect(writeDay(at('2026-11-30T18:30:00Z'), india)).toBe('1 December 2026');
  });

  it('names the zone with the time', () => {
    expect(writeDayAndTime(at('2026-11-23T06:30:00Z'), india)).toMatch(/^23 November 2026, 12:00\spm IST$/u);
    expect(writeZone(india)).toBe('India Standard Time');
  });

  it('is in the language of the paper', () => {
    expect(writeWeekday(today, 'en-IN')).toMatch(/^Monday,? 23 November 2026$/);
    expect(writeWeekday(today, 'de-DE')).toBe('Montag, 23. November 2026');
  });
});

describe('a date whose hour nobody knows', () => {
  it("is one that begins a day in the paper's zone, also where clocks skip midnight", () => {
    expect(isDayAlone(at('2014-03-05T00:00:00+05:30'), india)).toBe(true);
    expect(isDayAlone(at('2014-03-05T00:00:00Z'), india)).toBe(false);
    expect(isDayAlone(at('2014-03-05T00:00:00.001+05:30'), india)).toBe(false);
    const lebanon = { language: 'en', zone: 'Asia/Beirut' };
    expect(isDayAlone(at('2019-03-31T01:00:00+03:00'), lebanon)).toBe(true);
  });

  it('is written without one, also today', () => {
    expect(writeShort(at('2026-11-23T00:00:00+05:30'), india, today)).toBe('23 Nov');
    expect(writeShort(at('2026-11-23T00:00:01+05:30'), india, today)).toMatch(/^12:00\sam$/u);
  });
});

describe('the short form of a date', () => {
  it('is a time today, a day this year, and a full date before that', () => {
    expect(writeShort(at('2026-11-23T06:30:00Z'), india, today)).toMatch(/^12:00\spm$/u);
    expect(writeShort(at('2026-11-22T06:30:00Z'), india, today)).toBe('22 Nov');
    expect(writeShort(at('1997-11-22T06:30:00Z'), india, today)).toBe('22 November 1997');
  });

  it('takes what was published just before midnight for yesterday', () => {
    expect(writeShort(at('2026-11-22T18:29:00Z'), india, today)).toBe('22 Nov');
    expect(writeShort(at('2026-11-22T18:31:00Z'), india, today)).toMatch(/^12:01\sam$/u);
  });
});
