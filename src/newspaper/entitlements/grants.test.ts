import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endOf, type Grant, holdingAt } from './grants.ts';

const at = (text: string) => Temporal.Instant.from(text);
const DAY = 86_400_000;

function grant(given: Partial<Grant>): Grant {
  return {
    benefit: 'reading',
    from: at('2026-11-01T00:00:00Z'),
    until: at('2026-12-01T00:00:00Z'),
    source: 'term',
    sourceId: '0198a000-0000-7000-8000-000000000001',
    revokedAt: undefined,
    revokedReason: '',
    ...given,
  };
}

describe('what a reader may use', () => {
  it.each([
    ['before it begins', '2026-10-31T23:59:59.999999999Z', []],
    ['from its first instant', '2026-11-01T00:00:00Z', ['reading']],
    ['until its last', '2026-11-30T23:59:59.999999999Z', ['reading']],
    ['and no longer', '2026-12-01T00:00:00Z', []],
  ])('by a grant: %s', (_, now, benefits) => {
    expect([...holdingAt([grant({})], at(now)).benefits]).toEqual(benefits);
  });

  it('ends when a grant is revoked, and not later than it would have', () => {
    const revoked = grant({ revokedAt: at('2026-11-10T00:00:00Z') });
    expect([...holdingAt([revoked], at('2026-11-09T23:59:59Z')).benefits]).toEqual(['reading']);
    expect([...holdingAt([revoked], at('2026-11-10T00:00:00Z')).benefits]).toEqual([]);
    expect(endOf(grant({ revokedAt: at('2027-01-01T00:00:00Z') }))).toEqual(at('2026-12-01T00:00:00Z'));
  });

  it('is the same from one source as from another, and one that ends takes nothing from one that goes on', () => {
    const gift = grant({ source: 'gift', until: at('2026-11-05T00:00:00Z') });
    expect([...holdingAt([gift, grant({})], at('2026-11-20T00:00:00Z')).benefits]).toEqual(['reading']);
  });

  it('stays the same for as long as is said, whatever the grants', () => {
    const start = at('2026-01-01T00:00:00Z');
    const some = fc.record({
      benefit: fc.constantFrom('reading', 'premium', 'epaper' as const),
      from: fc.integer({ min: 0, max: 100 }),
      days: fc.integer({ min: 1, max: 50 }),
      revoked: fc.option(fc.integer({ min: 0, max: 150 })),
    });
    fc.assert(
      fc.property(
        fc.array(some, { maxLength: 8 }),
        fc.integer({ min: 0, max: 150 }),
        fc.nat(150),
        (list, day, later) => {
          const days = (count: number) => start.add({ milliseconds: count * DAY });
          const grants = list.map((one) =>
            grant({
              benefit: one.benefit as Grant['benefit'],
              from: days(one.from),
              until: days(one.from + one.days),
              revokedAt: one.revoked === null ? undefined : days(one.revoked),
            }),
          );
          const { benefits, untilMs } = holdingAt(grants, days(day));
          for (const { benefit } of grants) {
            const holds = grants.some(
              (one) =>
                one.benefit === benefit &&
                Temporal.Instant.compare(one.from, days(day)) <= 0 &&
                Temporal.Instant.compare(days(day), endOf(one)) < 0,
            );
            expect(benefits.has(benefit)).toBe(holds);
          }
          const then = days(day + later);
          if (then.epochMilliseconds < untilMs) expect(holdingAt(grants, then).benefits).toEqual(benefits);
        },
      ),
    );
  });
});
