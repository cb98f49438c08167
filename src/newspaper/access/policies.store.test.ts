import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ChangeFeed, startChangeFeed } from '#platform/change-feed';
import { createLogger } from '#platform/log';
import { Invalid } from '#values/errors';
import { type TestDatabase, testDatabase } from '../../../test/db.ts';
import { addPolicy, openPolicyBook } from './policies.store.ts';
import { DEFAULT_POLICY, type Policy } from './policy.ts';

const NOW = Temporal.Instant.from('2026-11-23T06:30:00Z');
const made = (from: Temporal.Instant) => ({ from, at: NOW, by: 'the tests' });
const limited = (visitors: number): Omit<Policy, 'version'> => ({
  ...DEFAULT_POLICY,
  meters: { main: { visitors, readers: 10 } },
});

let database: TestDatabase;
let changes: ChangeFeed;
beforeAll(async () => {
  database = await testDatabase();
  changes = await startChangeFeed(database.url, createLogger('silent'));
});
afterAll(async () => {
  await changes.stop();
  await database.drop();
});
beforeEach(() => sql`truncate access.policies restart identity`.execute(database.db));

const open = () => openPolicyBook(database.db, changes, NOW);

describe('the policy in force', () => {
  it('of a new paper is the default one, also for an instant long ago', async () => {
    const book = await open();
    expect(book.at(NOW)).toEqual({ ...DEFAULT_POLICY, version: 1 });
    expect(book.at(Temporal.Instant.from('1899-01-01T00:00:00Z')).version).toBe(1);
  });

  it('is not made again at the next start', async () => {
    await open();
    await open();
    const { rows } = await sql`select from access.policies`.execute(database.db);
    expect(rows).toHaveLength(1);
  });

  it('changes at the instant that was given, and old decisions keep theirs', async () => {
    const book = await open();
    const december = Temporal.Instant.from('2026-11-30T18:30:00Z');
    await addPolicy(database.db, limited(3), made(december));
    await expect.poll(() => book.at(december).version).toBe(2);
    expect(book.at(december.subtract({ nanoseconds: 1 })).version).toBe(1);
    expect(book.at(december).meters.main).toEqual({ visitors: 3, readers: 10 });
  });

  it('of two from the same instant is the later made', async () => {
    const book = await open();
    await addPolicy(database.db, limited(3), made(NOW));
    await addPolicy(database.db, limited(4), made(NOW));
    await expect.poll(() => book.at(NOW).meters.main?.visitors).toBe(4);
  });

  it('keeps what every policy may say', async () => {
    const full: Omit<Policy, 'version'> = {
      meters: { main: { visitors: 5, readers: 10 }, markets: { visitors: 0, readers: 2 } },
      rules: [
        {
          name: 'fresh markets',
          when: { sections: ['markets'], youngerThanDays: 0.5 },
          terms: { kind: 'subscribers' },
        },
        {
          name: 'markets',
          when: { sections: ['markets'], topics: ['rbi'], olderThanDays: 1 },
          terms: { kind: 'metered', meter: 'markets' },
        },
        { name: 'shut', when: { levels: ['premium'] }, terms: { kind: 'closed' } },
        { name: 'sign in', when: {}, terms: { kind: 'registered' } },
      ],
      otherwise: { kind: 'open' },
      premiumForCrawlers: true,
    };
    await addPolicy(database.db, full, made(NOW));
    expect((await open()).at(NOW)).toEqual({ ...full, version: 1 });
  });
});

describe('a policy that makes no sense', () => {
  const bad: [string, unknown][] = [
    ['a meter that has no limits', { ...DEFAULT_POLICY, meters: {} }],
    [
      'a default on a meter that has no limits',
      { ...DEFAULT_POLICY, otherwise: { kind: 'metered', meter: 'nowhere' } },
    ],
    [
      'a meter that every object has',
      { ...DEFAULT_POLICY, otherwise: { kind: 'metered', meter: 'constructor' } },
    ],
    ['fewer than no stories', limited(-1)],
    ['half a story', limited(2.5)],
    ['no number', limited(Number.NaN)],
    ['more stories than a month has', limited(1_000_000)],
    ['terms that nobody knows', { ...DEFAULT_POLICY, otherwise: { kind: 'gratis' } }],
    [
      'a rule without a name',
      { ...DEFAULT_POLICY, rules: [{ name: '', when: {}, terms: { kind: 'open' } }] },
    ],
    ['nothing of crawlers', { ...DEFAULT_POLICY, premiumForCrawlers: undefined }],
    ['nothing', {}],
  ];

  it.each(bad)('is refused: %s', async (_, policy) => {
    await expect(addPolicy(database.db, policy as Policy, made(NOW))).rejects.toThrow(Invalid);
    const { rows } = await sql`select from access.policies`.execute(database.db);
    expect(rows).toEqual([]);
  });

  it('in the table stops the start: a paper must not guess what is locked', async () => {
    await sql`
      insert into access.policies (policy, in_force_from, made_at, made_by)
      values ('{"otherwise":{"kind":"open"}}', '-infinity', now(), 'somebody')`.execute(database.db);
    await expect(open()).rejects.toThrow();
  });

  it('that appears while the paper runs leaves the one before in force', async () => {
    const book = await open();
    await sql`
      insert into access.policies (policy, in_force_from, made_at, made_by)
      values ('{"otherwise":{"kind":"open"}}', '-infinity', now(), 'somebody')`.execute(database.db);
    await sql`select pg_notify('broadsheet_changed', 'access.policies')`.execute(database.db);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(book.at(NOW).version).toBe(1);
    expect(book.at(NOW).otherwise).toEqual({ kind: 'closed' });
  });
});
