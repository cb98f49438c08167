import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uuidv7 } from '#platform/ids';
import { type TestDatabase, testDatabase } from '../../../test/db.ts';
import {
  carriedReads,
  carryReads,
  claimReads,
  countedReads,
  firstReads,
  forgetHolder,
  meterCharges,
} from './meters.store.ts';

/** The meter follows the reader: into the account when they sign in, and back to the browser when they sign out. */
const NOVEMBER = '2026-11-01';
const AT = Temporal.Instant.from('2026-11-23T06:30:00Z');

let database: TestDatabase;
let charge: ReturnType<typeof meterCharges>;
beforeAll(async () => {
  database = await testDatabase();
  charge = meterCharges(database.pool);
});
afterAll(() => database.drop());

type Kind = 'visitor' | 'reader';
const read = (kind: Kind, id: string, storyId: string, limit = 100, meter = 'main') =>
  charge({ holder: { kind, id }, monthOn: NOVEMBER, meter, limit, storyId, policyVersion: 1, at: AT });
const seen = async (kind: Kind, id: string, meter = 'main') =>
  (await countedReads(database.db, { kind, id }, NOVEMBER))
    .filter((one) => one.meter === meter)
    .map((one) => one.storyId);
const claim = (visitor: string, reader: string) => claimReads(database.db, visitor, reader, NOVEMBER);
const carry = (reader: string, visitor: string) => carryReads(database.db, reader, visitor, NOVEMBER);
const ids = (count: number) => Array.from({ length: count }, () => uuidv7()) as [string, string, ...string[]];

describe('signing in', () => {
  it('joins what the visitor read to what the reader read, each story once, on each meter', async () => {
    const [visitor, reader, a, b, c, d] = ids(6) as [string, string, string, string, string, string];
    for (const story of [a, b]) await read('visitor', visitor, story);
    await read('visitor', visitor, d, 100, 'opinion');
    for (const story of [b, c]) await read('reader', reader, story);
    await claim(visitor, reader);
    expect((await seen('reader', reader)).sort()).toEqual([a, b, c].sort());
    expect(await seen('reader', reader, 'opinion')).toEqual([d]);
    expect((await read('reader', reader, a)).counted).toBe(false);
  });

  it('gives what a browser has read to the first reader alone, and to the next what was read since', async () => {
    const [visitor, first, second, a, b] = ids(5) as [string, string, string, string, string];
    await read('visitor', visitor, a);
    await claim(visitor, first);
    await claim(visitor, second);
    await read('visitor', visitor, b);
    await claim(visitor, second);
    expect(await seen('reader', first)).toEqual([a]);
    expect(await seen('reader', second)).toEqual([b]);
    expect((await seen('visitor', visitor)).sort()).toEqual([a, b].sort());
  });

  it('of two readers at once takes a browser’s reads once', async () => {
    for (let round = 0; round < 10; round++) {
      const [visitor, one, two, a, b] = ids(5) as [string, string, string, string, string];
      for (const story of [a, b]) await read('visitor', visitor, story);
      await Promise.all([claim(visitor, one), claim(visitor, two)]);
      expect([...(await seen('reader', one)), ...(await seen('reader', two))].sort()).toEqual([a, b].sort());
    }
  });

  it('twice, or with nothing read, changes nothing', async () => {
    const [visitor, reader, a] = ids(3) as [string, string, string];
    await claim(visitor, reader);
    expect(await seen('reader', reader)).toEqual([]);
    await read('visitor', visitor, a);
    await claim(visitor, reader);
    await claim(visitor, reader);
    expect(await seen('reader', reader)).toEqual([a]);
  });
});

describe('signing out', () => {
  it('gives no second allowance: what the reader read counts in this browser', async () => {
    const [visitor, reader, a, b, c] = ids(5) as [string, string, string, string, string];
    await read('visitor', visitor, a);
    for (const story of [b, c]) await read('reader', reader, story);
    expect(await carry(reader, visitor)).toBe(true);
    expect(await read('visitor', visitor, uuidv7(), 3)).toMatchObject({ counted: false });
    expect(await read('visitor', visitor, uuidv7(), 4)).toMatchObject({ counted: true });
    expect(await read('visitor', visitor, b, 3)).toMatchObject({ counted: false });
  });

  it('shows the next person at the machine nothing of it, and hands none of it on', async () => {
    const [visitor, reader, next, a] = ids(4) as [string, string, string, string];
    await read('reader', reader, a);
    await carry(reader, visitor);
    await carry(reader, visitor);
    expect(await seen('visitor', visitor)).toEqual([]);
    expect(await carriedReads(database.db, visitor, NOVEMBER, 'main')).toBe(1);
    await claim(visitor, next);
    expect(await seen('reader', next)).toEqual([]);
  });

  it('of a reader who read nothing carries nothing', async () => {
    expect(await carry(uuidv7(), uuidv7())).toBe(false);
  });
});

describe('an account that is deleted', () => {
  it('leaves the sums of its days, and none of its reading', async () => {
    const [reader, a, b] = ids(3) as [string, string, string];
    for (const story of [a, b]) await read('reader', reader, story);
    await forgetHolder(database.db, reader, 'Asia/Kolkata');
    expect(await seen('reader', reader)).toEqual([]);
    const { rows } =
      await sql`select times from access.day_totals where day_on = '2026-11-23' and measure = 'counted'`.execute(
        database.db,
      );
    expect(rows).toEqual([{ times: 2n }]);
  });
});

describe('whatever the order of reading, signing in and signing out', () => {
  it('a reader who uses one browser never opens more stories than the larger of the two limits', async () => {
    const stories = ids(12);
    const step = fc.oneof(
      fc.record({ kind: fc.constant('read' as const), story: fc.nat(11) }),
      fc.constant({ kind: 'sign-in' as const }),
      fc.constant({ kind: 'sign-out' as const }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const [visitor, reader] = ids(2);
        let isIn = false;
        const opened = new Set<string>();
        await firstReads(database.pool)({
          visitorId: visitor,
          monthOn: NOVEMBER,
          meter: 'main',
          storyId: stories[0],
          policyVersion: 1,
          at: AT,
        });
        opened.add(stories[0]);
        for (const one of steps) {
          if (one.kind === 'sign-in' && !isIn) {
            await claim(visitor, reader);
            isIn = true;
          } else if (one.kind === 'sign-out' && isIn) {
            await carry(reader, visitor);
            isIn = false;
          } else if (one.kind === 'read') {
            const story = stories[one.story] as string;
            const result = isIn
              ? await read('reader', reader, story, 5)
              : await read('visitor', visitor, story, 3);
            if (result.counted) opened.add(story);
          }
        }
        expect(opened.size).toBeLessThanOrEqual(5);
      }),
      { numRuns: 60 },
    );
  });
});
