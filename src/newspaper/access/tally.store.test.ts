import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Database, type Db, openDatabase } from '#platform/db';
import { uuidv7 } from '#platform/ids';
import { createLogger } from '#platform/log';
import { type TestDatabase, testDatabase } from '../../../test/db.ts';
import { type Wire, wireTo } from '../../../test/proxy.ts';
import { type ShownWall, startTally, type Tally } from './tally.store.ts';

const log = createLogger('silent');
const at = (text: string) => Temporal.Instant.from(text);
const T1 = at('2026-11-23T06:30:00Z').epochMilliseconds;
const T2 = at('2026-11-23T06:31:00Z').epochMilliseconds;
const T3 = at('2026-11-23T06:32:00Z').epochMilliseconds;

let database: TestDatabase;
let wire: Wire;
let behindWire: Database;
let tallies: Tally[] = [];
beforeAll(async () => {
  database = await testDatabase();
  wire = await wireTo(database.url);
  behindWire = openDatabase(wire.url, log);
});
afterAll(async () => {
  await behindWire.close();
  await wire.close();
  await database.drop();
});
beforeEach(() => sql`truncate access.walls, access.day_totals`.execute(database.db));
afterEach(async () => {
  wire.mend();
  for (const tally of tallies) await tally.stop();
  tallies = [];
});

function start(db: Db = database.db): Tally {
  const tally = startTally(db, log);
  tallies.push(tally);
  return tally;
}

async function totals(): Promise<Record<string, number>> {
  const { rows } = await sql<{ day_on: string; measure: string; times: bigint }>`
    select day_on, measure, times from access.day_totals`.execute(database.db);
  return Object.fromEntries(rows.map((row) => [`${row.day_on} ${row.measure}`, Number(row.times)]));
}

/** The sums as they are written once the database can be reached again, and no more of them after that. */
async function expectWritten(tally: Tally, truth: Record<string, number>): Promise<void> {
  await expect.poll(totals, { timeout: 10_000, interval: 100 }).toEqual(truth);
  await tally.flush();
  expect(await totals()).toEqual(truth);
}

type WallRow = { story_id: string; reason: string; shown: bigint; first_at: string; last_at: string };
async function walls(): Promise<WallRow[]> {
  const { rows } = await sql<WallRow>`
    select story_id, reason, shown, to_char(first_at at time zone 'UTC', 'HH24:MI') as first_at,
      to_char(last_at at time zone 'UTC', 'HH24:MI') as last_at
    from access.walls order by story_id, reason`.execute(database.db);
  return rows;
}

const wall = (given: Partial<ShownWall> = {}): ShownWall => ({
  holderId: '11111111-2222-4333-8444-555555555555',
  storyId: '0198a1b2-0000-7000-8000-000000000001',
  monthOn: '2026-11-01',
  reason: 'limit-reached',
  policyVersion: 1,
  ...given,
});

/** The same numbers every time: a linear congruential generator with the constants of Numerical Recipes. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

const MEASURES = [
  'full:free',
  'full:within-limit',
  'preview:limit-reached',
  'visitor:fresh',
  'visitor:tampered',
];
const DAYS = ['2026-11-22', '2026-11-23', '2026-11-24'];

describe('the sums of a day', () => {
  it('of ten thousand events, through two processes and many writes, are the truth', async () => {
    const roll = dice(7);
    const processes = [start(), start()] as const;
    const truth: Record<string, number> = {};
    for (let event = 0; event < 10_000; event++) {
      const day = DAYS[roll(DAYS.length)] as string;
      const measure = MEASURES[roll(MEASURES.length)] as string;
      truth[`${day} ${measure}`] = (truth[`${day} ${measure}`] ?? 0) + 1;
      processes[roll(2)]?.count(day, measure);
      if (roll(300) === 0) void processes[roll(2)]?.flush();
      // Now and then the event loop turns, and what is under way gets on.
      if (roll(50) === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(processes.map((one) => one.flush()));
    expect(await totals()).toEqual(truth);
  });

  it('lose nothing while the database is away, and are written once it is back', async () => {
    const roll = dice(11);
    const tally = start(behindWire.db);
    const truth: Record<string, number> = {};
    for (let event = 0; event < 10_000; event++) {
      if (event === 3_000) wire.cut();
      if (event === 7_000) wire.mend();
      const measure = MEASURES[roll(MEASURES.length)] as string;
      truth[`2026-11-23 ${measure}`] = (truth[`2026-11-23 ${measure}`] ?? 0) + 1;
      tally.count('2026-11-23', measure);
      if (event % 1_000 === 500) await tally.flush();
    }
    await expectWritten(tally, truth);
  });

  it('are not written in part: a statement that is refused leaves all of it for the next time', async () => {
    const tally = start();
    tally.count('2026-11-23', 'full:free');
    tally.wall(wall({ storyId: 'not a uuid' }), T1);
    await tally.flush();
    expect(await totals()).toEqual({});
    await tally.flush();
    expect(await totals()).toEqual({});
  });

  it('are written every second by themselves, and once more at the stop', async () => {
    const tally = start();
    tally.count('2026-11-23', 'full:free');
    await expect.poll(totals, { timeout: 5_000 }).toEqual({ '2026-11-23 full:free': 1 });
    tally.count('2026-11-23', 'full:free');
    await tally.stop();
    expect(await totals()).toEqual({ '2026-11-23 full:free': 2 });
  });

  it('keep a measure whole that has spaces in it', async () => {
    const tally = start();
    tally.count('2026-11-23', 'wall of words');
    await tally.flush();
    expect(await totals()).toEqual({ '2026-11-23 wall of words': 1 });
  });
});

describe('walls that were shown', () => {
  it('are kept with how often, and with the first and the last time', async () => {
    const tally = start();
    tally.wall(wall(), T1);
    tally.wall(wall(), T2);
    await tally.flush();
    tally.wall(wall(), T3);
    tally.wall(wall({ reason: 'subscribers-only' }), T3);
    await tally.flush();
    expect(await walls()).toMatchObject([
      { reason: 'limit-reached', shown: 3n, first_at: '06:30', last_at: '06:32' },
      { reason: 'subscribers-only', shown: 1n, first_at: '06:32', last_at: '06:32' },
    ]);
  });

  it('of different people, stories, months and policies are different ones', async () => {
    const tally = start();
    const shown = [
      wall(),
      wall({ holderId: uuidv7() }),
      wall({ storyId: uuidv7() }),
      wall({ monthOn: '2026-12-01' }),
      wall({ policyVersion: 2 }),
    ];
    for (const one of shown) tally.wall(one, T1);
    await tally.flush();
    expect(await walls()).toHaveLength(5);
  });

  it('while the database is away are kept with their times', async () => {
    const tally = start(behindWire.db);
    tally.wall(wall(), T1);
    wire.cut();
    const failing = tally.flush();
    // Shown again while the first ones are on their way to a database that is gone.
    await new Promise((resolve) => process.nextTick(resolve));
    tally.wall(wall(), T3);
    tally.count('2026-11-23', 'preview:limit-reached');
    await failing;
    wire.mend();
    await expectWritten(tally, { '2026-11-23 preview:limit-reached': 1 });
    expect(await walls()).toMatchObject([{ shown: 2n, first_at: '06:30', last_at: '06:32' }]);
  });

  it('give way when there are too many, and the sums never do', async () => {
    const tally = start(behindWire.db);
    wire.cut();
    for (let event = 0; event < 50_100; event++) {
      tally.count('2026-11-23', 'preview:limit-reached');
      tally.wall(wall({ storyId: `0198a1b2-0000-7000-8000-${String(event).padStart(12, '0')}` }), T1);
    }
    await tally.flush();
    wire.mend();
    await expectWritten(tally, { '2026-11-23 preview:limit-reached': 50_100 });
    const kept = await walls();
    expect(kept).toHaveLength(50_000);
    expect(kept[0]?.story_id).toBe('0198a1b2-0000-7000-8000-000000000100');
  });
});
