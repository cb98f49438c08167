import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/db.ts';
import { type ChangeFeed, startChangeFeed } from './change-feed.ts';
import { type Clock, systemClock } from './clock.ts';
import { moveDomainClock, openDomainClock } from './domain-clock.ts';
import { createLogger } from './log.ts';

let database: TestDatabase;
const feeds: ChangeFeed[] = [];
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(async () => {
  for (const feed of feeds) await feed.stop();
  await database.drop();
});

async function openClock(): Promise<Clock> {
  const feed = await startChangeFeed(database.url, createLogger('silent'));
  feeds.push(feed);
  return openDomainClock(database.db, feed);
}

/** Rounded; the two readings may straddle a millisecond, and nought less a little rounds to -0, which is not 0. */
const daysAhead = (clock: Clock) =>
  Math.round((clock.now().epochMilliseconds - systemClock.now().epochMilliseconds) / 86_400_000) + 0;

describe('the domain clock', () => {
  it('is the machine’s until it is moved, then ticks on from there, in every process and the next one too', async () => {
    const [one, two] = [await openClock(), await openClock()];
    expect(daysAhead(one)).toBe(0);
    await moveDomainClock(database.db, one.now().add({ hours: 24 * 40 }));
    await expect.poll(() => [daysAhead(one), daysAhead(two)]).toEqual([40, 40]);
    const before = two.now();
    await expect.poll(() => Temporal.Instant.compare(two.now(), before)).toBe(1);
    expect(daysAhead(await openClock())).toBe(40);
  });

  it('moves forward only, whoever moves it', async () => {
    const clock = await openClock();
    await expect(moveDomainClock(database.db, clock.now().subtract({ hours: 1 }))).rejects.toMatchObject({
      code: 'clock-runs-forward',
    });
    await expect(sql`update platform.domain_clock set ahead_ms = 0`.execute(database.db)).rejects.toThrow(
      /forward only/,
    );
    expect(daysAhead(clock)).toBe(40);
  });
});
