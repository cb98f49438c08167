import fc from 'fast-check';
import { sql } from 'kysely';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '#platform/db';
import { uuidv7 } from '#platform/ids';
import { createLogger } from '#platform/log';
import { type TestDatabase, testDatabase } from '../../../test/db.ts';
import { type ChargeRequest, countedReads, forgetBefore, meterCharges } from './meters.store.ts';

const AT = Temporal.Instant.from('2026-11-23T06:30:00Z');
const NOVEMBER = '2026-11-01';

let database: TestDatabase;
let others: Database[] = [];
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());
beforeEach(() => sql`truncate access.meters, access.walls, access.day_totals`.execute(database.db));
afterEach(async () => {
  for (const other of others) await other.close();
  others = [];
});

/** Another process's connections to the same database. */
function anotherPool(): pg.Pool {
  const other = openDatabase(database.url, createLogger('silent'));
  others.push(other);
  return other.pool;
}

const stories = (count: number): string[] => Array.from({ length: count }, () => uuidv7());

function request(given: Partial<ChargeRequest> & { readonly storyId: string }): ChargeRequest {
  return {
    holder: { kind: 'visitor', id: HOLDER },
    monthOn: NOVEMBER,
    meter: 'main',
    limit: 5,
    policyVersion: 1,
    at: AT,
    ...given,
  };
}
const HOLDER = '11111111-2222-4333-8444-555555555555';
const OTHER = '99999999-2222-4333-8444-555555555555';

async function openedBy(holder: string, monthOn = NOVEMBER, meter = 'main'): Promise<string[]> {
  const reads = await countedReads(database.db, { kind: 'visitor', id: holder }, monthOn);
  return reads.filter((read) => read.meter === meter).map((read) => read.storyId);
}

describe('a charge', () => {
  it('opens a story and says what the meter opened', async () => {
    const charge = meterCharges(database.pool);
    const [a, b] = stories(2) as [string, string];
    expect(await charge(request({ storyId: a }))).toEqual({ opened: new Set([a]), counted: true });
    expect(await charge(request({ storyId: b }))).toEqual({ opened: new Set([a, b]), counted: true });
  });

  it('of a story that was read before costs nothing', async () => {
    const charge = meterCharges(database.pool);
    const [a] = stories(1) as [string];
    await charge(request({ storyId: a }));
    expect(await charge(request({ storyId: a }))).toEqual({ opened: new Set([a]), counted: false });
    const both = await Promise.all([charge(request({ storyId: a })), charge(request({ storyId: a }))]);
    expect(both.map((one) => one.counted)).toEqual([false, false]);
    expect(await openedBy(HOLDER)).toEqual([a]);
  });

  it('at the limit opens nothing, and what was read stays read', async () => {
    const charge = meterCharges(database.pool);
    const [a, b, c] = stories(3) as [string, string, string];
    for (const storyId of [a, b]) await charge(request({ storyId, limit: 2 }));
    expect(await charge(request({ storyId: c, limit: 2 }))).toEqual({
      opened: new Set([a, b]),
      counted: false,
    });
    expect(await charge(request({ storyId: a, limit: 2 }))).toEqual({
      opened: new Set([a, b]),
      counted: false,
    });
  });

  it('records when and under which policy each story counted', async () => {
    const charge = meterCharges(database.pool);
    const [a, b] = stories(2) as [string, string];
    const later = AT.add({ minutes: 7, nanoseconds: 123_456_000 });
    await charge(request({ storyId: a, policyVersion: 3 }));
    await charge(request({ storyId: b, policyVersion: 4, at: later }));
    expect(await countedReads(database.db, { kind: 'visitor', id: HOLDER }, NOVEMBER)).toEqual([
      { meter: 'main', storyId: a, at: AT, policyVersion: 3 },
      { meter: 'main', storyId: b, at: later, policyVersion: 4 },
    ]);
  });
});

describe('fifty parallel charges of one visitor for fifty stories', () => {
  it.each([1, 5, 10, 49, 50, 60])('at a limit of %i open exactly that many', async (limit) => {
    const charge = meterCharges(database.pool);
    const results = await Promise.all(stories(50).map((storyId) => charge(request({ storyId, limit }))));
    expect(results.filter((one) => one.counted)).toHaveLength(Math.min(limit, 50));
    expect(await openedBy(HOLDER)).toHaveLength(Math.min(limit, 50));
  });

  it('through two processes open no more than through one, and each hears the truth about its own', async () => {
    const one = meterCharges(database.pool);
    const two = meterCharges(anotherPool());
    const asked = stories(50);
    const results = await Promise.all(
      asked.map((storyId, at) => (at % 2 === 0 ? one : two)(request({ storyId, limit: 5 }))),
    );
    const counted = asked.filter((_, at) => results[at]?.counted);
    expect(counted).toHaveLength(5);
    expect((await openedBy(HOLDER)).sort()).toEqual(counted.sort());
  });

  it('through ten connections that know nothing of each other open exactly N', async () => {
    const charges = Array.from({ length: 10 }, () => meterCharges(database.pool));
    for (let round = 0; round < 10; round++) {
      const holder = { kind: 'visitor', id: uuidv7() } as const;
      const results = await Promise.all(
        stories(50).map((storyId, at) => charges[at % 10]?.(request({ holder, storyId, limit: 7 }))),
      );
      expect(results.filter((one) => one?.counted)).toHaveLength(7);
    }
  });

  it('cost the database about as many statements as the limit, not fifty', async () => {
    let statements = 0;
    const counting = {
      query: (query: pg.QueryConfig) => {
        statements++;
        return database.pool.query(query);
      },
    } as unknown as pg.Pool;
    const charge = meterCharges(counting);
    await Promise.all(stories(50).map((storyId) => charge(request({ storyId, limit: 5 }))));
    // Two groups may be under way at once, and each finds out for itself that the limit is reached.
    expect(statements).toBeLessThanOrEqual(2 * (5 + 1));
  });
});

describe('charges that are made together', () => {
  it('of two people for one story count for each of them', async () => {
    const charge = meterCharges(database.pool);
    const [a] = stories(1) as [string];
    const results = await Promise.all([
      charge(request({ storyId: a })),
      charge(request({ storyId: a, holder: { kind: 'visitor', id: OTHER } })),
    ]);
    expect(results).toEqual([
      { opened: new Set([a]), counted: true },
      { opened: new Set([a]), counted: true },
    ]);
  });

  it('of one person on two meters, in two months and under two limits count each where it belongs', async () => {
    const charge = meterCharges(database.pool);
    const [a, b, c, d] = stories(4) as [string, string, string, string];
    const results = await Promise.all([
      charge(request({ storyId: a })),
      charge(request({ storyId: b, meter: 'markets', limit: 1 })),
      charge(request({ storyId: c, monthOn: '2026-12-01' })),
      charge(request({ storyId: d, meter: 'markets', limit: 1 })),
    ]);
    expect(results.map((one) => one.counted)).toEqual([true, true, true, false]);
    expect(await openedBy(HOLDER)).toEqual([a]);
    expect(await openedBy(HOLDER, NOVEMBER, 'markets')).toEqual([b]);
    expect(await openedBy(HOLDER, '2026-12-01')).toEqual([c]);
  });

  it('with a policy that changed between them end at the limit that each was asked with', async () => {
    const charge = meterCharges(database.pool);
    const results = await Promise.all([
      ...stories(20).map((storyId) => charge(request({ storyId, limit: 3, policyVersion: 1 }))),
      ...stories(20).map((storyId) => charge(request({ storyId, limit: 6, policyVersion: 2 }))),
    ]);
    expect(results.filter((one) => one.counted)).toHaveLength(6);
    expect(results.slice(0, 20).filter((one) => one.counted).length).toBeLessThanOrEqual(3);
  });

  it('of a reader and a visitor stand in rows of their own', async () => {
    const charge = meterCharges(database.pool);
    const [a] = stories(1) as [string];
    await Promise.all([
      charge(request({ storyId: a })),
      charge(request({ storyId: a, holder: { kind: 'reader', id: OTHER }, limit: 10 })),
    ]);
    const { rows } = await sql<{ holder_id: string; holder_kind: string }>`
      select holder_id, holder_kind from access.meters order by holder_id`.execute(database.db);
    expect(rows).toEqual([
      { holder_id: HOLDER, holder_kind: 'visitor' },
      { holder_id: OTHER, holder_kind: 'reader' },
    ]);
  });

  it('whatever they are, each meter holds what counted and never more than its limit', async () => {
    const people = stories(3);
    const papers = stories(9);
    const one = fc.record({
      holder: fc.constantFrom(...people),
      storyId: fc.constantFrom(...papers),
      monthOn: fc.constantFrom(NOVEMBER, '2026-12-01'),
      meter: fc.constantFrom('main', 'markets'),
      process: fc.nat(1),
    });
    const charges = [meterCharges(database.pool), meterCharges(anotherPool())] as const;
    const limits = { main: 4, markets: 2 } as const;
    await fc.assert(
      fc.asyncProperty(fc.array(one, { maxLength: 60 }), async (asked) => {
        await sql`truncate access.meters`.execute(database.db);
        const results = await Promise.all(
          asked.map(({ holder, meter, monthOn, process, storyId }) =>
            (charges[process] ?? charges[0])(
              request({
                holder: { kind: 'visitor', id: holder },
                storyId,
                monthOn,
                meter,
                limit: limits[meter as keyof typeof limits],
              }),
            ),
          ),
        );
        const key = (said: (typeof asked)[number]) => `${said.holder} ${said.monthOn} ${said.meter}`;
        const counted = new Map<string, Set<string>>();
        asked.forEach((said, at) => {
          if (!results[at]?.counted) return;
          const before = counted.get(key(said)) ?? new Set();
          // One story counts once, however many asked for it at the same time.
          expect(before.has(said.storyId)).toBe(false);
          counted.set(key(said), before.add(said.storyId));
        });
        for (const said of asked) {
          const wanted = new Set(
            asked.filter((other) => key(other) === key(said)).map((other) => other.storyId),
          );
          const limit = limits[said.meter as keyof typeof limits];
          expect(counted.get(key(said))?.size).toBe(Math.min(limit, wanted.size));
          expect(new Set(await openedBy(said.holder, said.monthOn, said.meter))).toEqual(
            counted.get(key(said)),
          );
        }
        asked.forEach((said, at) => {
          // Who hears "not counted" either has read it or has heard that the limit is reached.
          const { counted: yes, opened } = results[at] as { counted: boolean; opened: Set<string> };
          const limit = limits[said.meter as keyof typeof limits];
          expect(yes || opened.has(said.storyId) || opened.size >= limit).toBe(true);
        });
      }),
      { numRuns: 40 },
    );
  });

  it('of many people in two processes at once do not stand in each other’s way', async () => {
    const charges = [meterCharges(database.pool), meterCharges(anotherPool())] as const;
    const people = stories(200);
    const papers = stories(3);
    const results = await Promise.all(
      papers.flatMap((storyId, paper) =>
        people.map((id, at) =>
          (charges[(at + paper) % 2] ?? charges[0])(
            request({ holder: { kind: 'visitor', id }, storyId, limit: 2 }),
          ),
        ),
      ),
    );
    expect(results.filter((one) => one.counted)).toHaveLength(400);
  });
});

describe('a limit that is changed in the middle of the month', () => {
  it('lowered below what was read opens nothing more, and closes nothing', async () => {
    const charge = meterCharges(database.pool);
    const [a, b, c, d] = stories(4) as [string, string, string, string];
    for (const storyId of [a, b, c]) await charge(request({ storyId, limit: 5 }));
    expect(await charge(request({ storyId: d, limit: 2 }))).toEqual({
      opened: new Set([a, b, c]),
      counted: false,
    });
    expect((await charge(request({ storyId: c, limit: 2 }))).opened.has(c)).toBe(true);
  });

  it('raised opens as many more', async () => {
    const charge = meterCharges(database.pool);
    for (const storyId of stories(9)) await charge(request({ storyId, limit: 2 }));
    expect(await openedBy(HOLDER)).toHaveLength(2);
    for (const storyId of stories(9)) await charge(request({ storyId, limit: 5 }));
    expect(await openedBy(HOLDER)).toHaveLength(5);
  });
});

describe('a database that refuses', () => {
  it('fails every charge of the group, and counts none of them', async () => {
    const charge = meterCharges(database.pool);
    await sql`alter table access.meters rename to meters_away`.execute(database.db);
    try {
      const results = await Promise.allSettled(stories(3).map((storyId) => charge(request({ storyId }))));
      expect(results.map((one) => one.status)).toEqual(['rejected', 'rejected', 'rejected']);
    } finally {
      await sql`alter table access.meters_away rename to meters`.execute(database.db);
    }
    expect(await openedBy(HOLDER)).toEqual([]);
    await charge(request({ storyId: uuidv7() }));
    expect(await openedBy(HOLDER)).toHaveLength(1);
  });
});

describe('forgetting', () => {
  const totals = async () => {
    const { rows } = await sql<{ day_on: string; measure: string; times: bigint }>`
      select day_on, measure, times from access.day_totals order by day_on`.execute(database.db);
    return rows.map((row) => [row.day_on, row.measure, Number(row.times)]);
  };
  const kept = async () => {
    const { rows } = await sql<{ month_on: string }>`select month_on from access.meters order by 1`.execute(
      database.db,
    );
    return rows.map((row) => row.month_on);
  };

  beforeEach(async () => {
    const charge = meterCharges(database.pool);
    const read = (holder: string, monthOn: string, at: string) =>
      charge(
        request({
          holder: { kind: 'visitor', id: holder },
          monthOn,
          storyId: uuidv7(),
          at: Temporal.Instant.from(at),
        }),
      );
    // In Kolkata the second of these falls on 1 October.
    await read(HOLDER, '2026-09-01', '2026-09-30T18:29:59.999Z');
    await read(HOLDER, '2026-10-01', '2026-09-30T18:30:00Z');
    await read(OTHER, '2026-10-01', '2026-10-01T12:00:00Z');
    await read(HOLDER, NOVEMBER, '2026-11-23T06:30:00Z');
    await sql`
      insert into access.walls (holder_id, story_id, month_on, reason, policy_version, shown, first_at, last_at)
      select ${HOLDER}, ${uuidv7()}, month, 'limit-reached', 1, 1, now(), now()
      from unnest(array['2026-09-01', '2026-11-01']::date[]) as month`.execute(database.db);
  });

  it('leaves the sums of each day in the paper’s zone, and nobody’s reading', async () => {
    expect(await forgetBefore(database.db, NOVEMBER, 'Asia/Kolkata')).toBe(3);
    expect(await totals()).toEqual([
      ['2026-09-30', 'counted', 1],
      ['2026-10-01', 'counted', 2],
    ]);
    expect(await kept()).toEqual([NOVEMBER]);
    const { rows } = await sql<{ month_on: string }>`select month_on from access.walls`.execute(database.db);
    expect(rows).toEqual([{ month_on: NOVEMBER }]);
  });

  it('adds to what the day has already, exactly once, however often and in how many processes it is done', async () => {
    await sql`insert into access.day_totals values ('2026-10-01', 'counted', 40), ('2026-10-01', 'full:free', 7)`.execute(
      database.db,
    );
    const away = openDatabase(database.url, createLogger('silent'));
    others.push(away);
    await Promise.all(
      [database.db, away.db, database.db].map((db) => forgetBefore(db, NOVEMBER, 'Asia/Kolkata', 1)),
    );
    expect(await forgetBefore(database.db, NOVEMBER, 'Asia/Kolkata')).toBe(0);
    expect(await totals()).toEqual([
      ['2026-09-30', 'counted', 1],
      ['2026-10-01', 'counted', 42],
      ['2026-10-01', 'full:free', 7],
    ]);
  });

  it('before the first month forgets nothing', async () => {
    expect(await forgetBefore(database.db, '2026-09-01', 'Asia/Kolkata')).toBe(0);
    expect(await totals()).toEqual([]);
    expect(await kept()).toHaveLength(4);
  });
});
