import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Month, monthOf } from './month.ts';

const ZONES = Intl.supportedValuesOf('timeZone');
const FIRST_YEAR = 1997;
const LAST_YEAR = 2040;

const at = (text: string) => Temporal.Instant.from(text);
const NANOSECOND = Temporal.Duration.from({ nanoseconds: 1 });

function holds(month: Month, now: Temporal.Instant): boolean {
  return (
    Temporal.Instant.compare(month.startedAt, now) <= 0 && Temporal.Instant.compare(now, month.turnsAt) < 0
  );
}

describe('the month that an instant counts in', () => {
  it.each<[string, string, string]>([
    // One instant, three papers: the zone decides, not the server's own clock.
    ['2026-10-31T18:29:59.999999999Z', 'Asia/Kolkata', '2026-10-01'],
    ['2026-10-31T18:30:00Z', 'Asia/Kolkata', '2026-11-01'],
    ['2026-10-31T18:30:00Z', 'UTC', '2026-10-01'],
    ['2026-11-01T03:59:59.999999999Z', 'America/New_York', '2026-10-01'],
    ['2026-11-01T04:00:00Z', 'America/New_York', '2026-11-01'],
    // From 31 January there is no 31 February: the month after is February all the same.
    ['2026-01-29T12:00:00Z', 'UTC', '2026-01-01'],
    ['2026-01-30T12:00:00Z', 'UTC', '2026-01-01'],
    ['2026-01-31T12:00:00Z', 'UTC', '2026-01-01'],
    ['2028-02-29T23:59:59.999999999Z', 'UTC', '2028-02-01'],
    ['2028-03-01T00:00:00Z', 'UTC', '2028-03-01'],
    ['2027-02-28T23:59:59.999999999Z', 'UTC', '2027-02-01'],
    ['2000-02-29T12:00:00Z', 'Asia/Kolkata', '2000-02-01'],
    // The year turns with the month, and in Kiritimati 26 hours before it does in Niue.
    ['2026-12-31T09:59:59.999999999Z', 'Pacific/Kiritimati', '2026-12-01'],
    ['2026-12-31T10:00:00Z', 'Pacific/Kiritimati', '2027-01-01'],
    ['2027-01-01T10:59:59.999999999Z', 'Pacific/Niue', '2026-12-01'],
    ['2027-01-01T11:00:00Z', 'Pacific/Niue', '2027-01-01'],
  ])('%s in %s is counted in %s', (now, zone, key) => {
    expect(monthOf(at(now), zone).key).toBe(key);
  });

  it.each<[string, string, string, string]>([
    ['2026-01-31T12:00:00Z', 'UTC', '2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'],
    ['2028-02-29T12:00:00Z', 'UTC', '2028-02-01T00:00:00Z', '2028-03-01T00:00:00Z'],
    ['2026-11-23T06:30:00Z', 'Asia/Kolkata', '2026-10-31T18:30:00Z', '2026-11-30T18:30:00Z'],
    ['2026-12-31T20:00:00Z', 'Asia/Kolkata', '2026-12-31T18:30:00Z', '2027-01-31T18:30:00Z'],
    // March 2026 is an hour short in New York, November an hour long.
    ['2026-03-15T12:00:00Z', 'America/New_York', '2026-03-01T05:00:00Z', '2026-04-01T04:00:00Z'],
    ['2026-11-15T12:00:00Z', 'America/New_York', '2026-11-01T04:00:00Z', '2026-12-01T05:00:00Z'],
    // Clocks that skip midnight on a first day: the month begins at one o'clock, and nothing lies between.
    ['2023-10-10T12:00:00Z', 'America/Asuncion', '2023-10-01T04:00:00Z', '2023-11-01T03:00:00Z'],
    ['2012-04-10T12:00:00Z', 'America/Havana', '2012-04-01T05:00:00Z', '2012-05-01T04:00:00Z'],
    // Havana lives the first hour of November 2026 twice: the month begins with the first.
    ['2026-11-10T12:00:00Z', 'America/Havana', '2026-11-01T04:00:00Z', '2026-12-01T05:00:00Z'],
    // Samoa had no 30 December 2011: its month was a day short.
    ['2011-12-10T12:00:00Z', 'Pacific/Apia', '2011-12-01T10:00:00Z', '2011-12-31T10:00:00Z'],
  ])('the month of %s in %s lasts from %s until %s', (now, zone, startedAt, turnsAt) => {
    const month = monthOf(at(now), zone);
    expect(month.startedAt.toString()).toBe(startedAt);
    expect(month.turnsAt.toString()).toBe(turnsAt);
  });

  it('is the zone’s own calendar month on both sides of every turn since the archive begins, in every zone', () => {
    const wrong: string[] = [];
    for (const zone of ZONES) {
      // ICU's own copy of the time zone rules, apart from Temporal's.
      const wallClock = new Intl.DateTimeFormat('en-CA', {
        timeZone: zone,
        year: 'numeric',
        month: '2-digit',
      });
      let month = monthOf(at(`${FIRST_YEAR}-01-15T12:00:00Z`), zone);
      for (let year = FIRST_YEAR; year <= LAST_YEAR; year++) {
        for (let number = 1; number <= 12; number++) {
          const key = `${year}-${String(number).padStart(2, '0')}-01`;
          const last = monthOf(month.turnsAt.subtract(NANOSECOND), zone);
          const next = monthOf(month.turnsAt, zone);
          if (
            month.key !== key ||
            last.key !== key ||
            !last.startedAt.equals(month.startedAt) ||
            !last.turnsAt.equals(month.turnsAt) ||
            !next.startedAt.equals(month.turnsAt) ||
            wallClock.format(month.startedAt.epochMilliseconds) !== key.slice(0, 7) ||
            wallClock.format(month.turnsAt.epochMilliseconds - 1) !== key.slice(0, 7)
          ) {
            wrong.push(`${zone} ${key}`);
          }
          month = next;
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it('holds every instant around a turn that falls near a change of the clocks', () => {
    const outside = new Set<string>();
    let changes = 0;
    for (const zone of ZONES) {
      const until = at(`${LAST_YEAR + 1}-01-01T00:00:00Z`);
      let change = at(`${FIRST_YEAR}-01-01T00:00:00Z`).toZonedDateTimeISO(zone).getTimeZoneTransition('next');
      for (; change !== null && Temporal.Instant.compare(change.toInstant(), until) < 0; ) {
        const { turnsAt } = monthOf(change.toInstant().subtract({ hours: 3 }), zone);
        if (Math.abs(turnsAt.epochMilliseconds - change.epochMilliseconds) < 3 * 3_600_000) {
          changes++;
          for (let minutes = -180; minutes <= 180; minutes += 10) {
            const now = turnsAt.add({ minutes, nanoseconds: minutes % 3 });
            if (!holds(monthOf(now, zone), now)) outside.add(`${zone} ${turnsAt.toString()}`);
          }
        }
        change = change.getTimeZoneTransition('next');
      }
    }
    expect(changes).toBeGreaterThan(300);
    // The only clocks that ever went back *over* a first midnight: at 00:01 on 1 November 2009 it was 31 October
    // again for 59 minutes, and what was read then counts in October. No zone has such a rule today.
    expect([...outside]).toEqual([
      'America/Goose_Bay 2009-11-01T03:00:00Z',
      'America/St_Johns 2009-11-01T02:30:00Z',
    ]);
  });

  it('holds any instant, in any zone, and no other month does', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ZONES),
        // Epoch nanoseconds from 1997 to the end of 2040.
        fc.bigInt(852_076_800_000_000_000n, 2_240_611_199_999_999_999n),
        (zone, nanoseconds) => {
          const now = Temporal.Instant.fromEpochNanoseconds(nanoseconds);
          const month = monthOf(now, zone);
          expect(month.key).toBe(`${now.toZonedDateTimeISO(zone).toPlainDate().toString().slice(0, 7)}-01`);
          expect(holds(month, now)).toBe(true);
          expect(holds(monthOf(month.startedAt.subtract(NANOSECOND), zone), now)).toBe(false);
          expect(holds(monthOf(month.turnsAt, zone), now)).toBe(false);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
