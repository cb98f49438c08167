import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dayAt, startOfDay, termBoundary } from './term.ts';

const day = (text: string) => Temporal.PlainDate.from(text);

describe('the boundaries of terms', () => {
  it.each([
    ['2026-01-31', 1, ['2026-02-28', '2026-03-31', '2026-04-30', '2026-05-31']],
    ['2024-01-31', 1, ['2024-02-29']],
    ['2025-11-30', 3, ['2026-02-28', '2026-05-30', '2026-08-30', '2026-11-30', '2027-02-28']],
    ['2025-08-31', 3, ['2025-11-30', '2026-02-28', '2026-05-31', '2026-08-31']],
    ['2024-02-29', 12, ['2025-02-28', '2026-02-28', '2027-02-28', '2028-02-29']],
    ['2024-02-29', 24, ['2026-02-28', '2028-02-29']],
  ])('from %s every %i months', (anchor, months, ends) => {
    expect(ends.map((_, at) => termBoundary(day(anchor), months, at + 1).toString())).toEqual(ends);
  });

  it('follow each other without a gap, and are as long as they were sold', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 20_000 }),
        fc.constantFrom(1, 3, 12, 24),
        fc.nat(40),
        (offset, months, k) => {
          const anchor = day('1990-01-01').add({ days: offset });
          const [from, until] = [termBoundary(anchor, months, k), termBoundary(anchor, months, k + 1)];
          const length = from.until(until).days;
          expect(Math.abs(length - months * 30.44)).toBeLessThanOrEqual(3);
          expect([anchor.day, until.daysInMonth]).toContain(until.day);
        },
      ),
    );
  });

  it('are refused for terms that are none', () => {
    for (const months of [0, -1, 1.5, Number.NaN])
      expect(() => termBoundary(day('2026-01-01'), months, 1)).toThrow(RangeError);
  });

  it('end access when the day begins where the paper is', () => {
    expect(startOfDay(day('2026-01-31'), 'Asia/Kolkata').toString()).toBe('2026-01-30T18:30:00Z');
    // Midnight is skipped there on that day.
    expect(startOfDay(day('2018-11-04'), 'America/Sao_Paulo').toString()).toBe('2018-11-04T03:00:00Z');
  });
});

describe('the day somewhere at an instant', () => {
  it('is that of the calendar, whenever and wherever it is asked again', () => {
    const ms = fc.integer({ min: 315_532_800_000, max: 4_102_444_800_000 });
    const zone = fc.constantFrom(
      'Asia/Kolkata',
      'Asia/Kathmandu',
      'America/St_Johns',
      'Pacific/Chatham',
      'UTC',
    );
    fc.assert(
      fc.property(ms, zone, fc.integer({ min: 0, max: 3_600_000 }), (at, where, later) => {
        for (const one of [at, at + later]) {
          const now = Temporal.Instant.fromEpochMilliseconds(one);
          expect(dayAt(now, where).toString()).toBe(now.toZonedDateTimeISO(where).toPlainDate().toString());
        }
      }),
    );
  });
});
