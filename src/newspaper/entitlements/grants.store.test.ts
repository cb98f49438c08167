import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChangeFeed, startChangeFeed } from '#platform/change-feed';
import { uuidv7 } from '#platform/ids';
import { createLogger } from '#platform/log';
import { type TestDatabase, testDatabase } from '../../../test/db.ts';
import { giveGrants, listGrants, type NewGrants, rememberGrants, revokeGrants } from './entitlements.ts';

const NOW = Temporal.Instant.from('2026-11-23T06:30:00Z');
let database: TestDatabase;
let feed: ChangeFeed;
beforeAll(async () => {
  database = await testDatabase();
  feed = await startChangeFeed(database.url, createLogger('silent'));
});
afterAll(async () => {
  await feed.stop();
  await database.drop();
});

function term(given: Partial<NewGrants> = {}): NewGrants {
  return {
    readerId: uuidv7(),
    benefits: ['reading', 'premium'],
    source: 'term',
    sourceId: uuidv7(),
    from: NOW,
    until: NOW.add({ hours: 24 * 90 }),
    ...given,
  };
}

const give = (given: NewGrants) => database.db.transaction().execute((tx) => giveGrants(tx, [given], NOW));
const revoke = (sourceId: string) =>
  database.db.transaction().execute((tx) => revokeGrants(tx, [sourceId], 'refund', NOW.add({ hours: 1 })));

describe('grants', () => {
  it('are given once, however often what gives them is done', async () => {
    const given = term();
    await Promise.all([give(given), give(given), give(given)]);
    const grants = await listGrants(database.db, given.readerId);
    expect(grants.map(({ benefit, source, until }) => [benefit, source, until])).toEqual([
      ['premium', 'term', given.until],
      ['reading', 'term', given.until],
    ]);
  });

  it('are told to each of many readers who ask at once', async () => {
    const [one, two] = [term({ benefits: ['epaper'] }), term()];
    await give(one);
    await give(two);
    const lists = await Promise.all(
      [one, two, term()].map(({ readerId }) => listGrants(database.db, readerId)),
    );
    expect(lists.map((list) => list.map(({ benefit }) => benefit))).toEqual([
      ['epaper'],
      ['premium', 'reading'],
      [],
    ]);
  });

  it('that were revoked stay to be read, and can be given again', async () => {
    const given = term();
    await give(given);
    await revoke(given.sourceId);
    await give(given);
    const grants = await listGrants(database.db, given.readerId);
    expect(grants.map((one) => one.revokedReason).sort()).toEqual(['', '', 'refund', 'refund']);
  });

  it('end after they begin, and come from a known source: the database says so', async () => {
    await expect(give(term({ until: NOW }))).rejects.toThrow(/check constraint/);
    await expect(give(term({ source: 'favour' as NewGrants['source'] }))).rejects.toThrow(/check constraint/);
  });
});

describe('what is remembered of grants', () => {
  it('is at hand when asked again, and outdated as soon as one is given or revoked elsewhere', async () => {
    const benefits = rememberGrants(database.db, feed);
    const given = term();
    const now = async (at = NOW) => [...(await benefits(given.readerId, at))].sort();
    expect(await now()).toEqual([]);
    await give(given);
    await expect.poll(() => now()).toEqual(['premium', 'reading']);
    expect(benefits(given.readerId, NOW)).toBeInstanceOf(Set);
    await give(term());
    await sql`select 1`.execute(database.db);
    expect(benefits(given.readerId, NOW)).toBeInstanceOf(Set);
    await revoke(given.sourceId);
    await expect.poll(() => now(NOW.add({ hours: 2 }))).toEqual([]);
  });

  it('ends by the clock alone', async () => {
    const benefits = rememberGrants(database.db, feed);
    const given = term();
    await give(given);
    await benefits(given.readerId, NOW);
    expect([...(await benefits(given.readerId, given.until.subtract({ nanoseconds: 1 })))]).toHaveLength(2);
    expect([...(await benefits(given.readerId, given.until))]).toEqual([]);
  });
});
