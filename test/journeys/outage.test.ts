import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type StoredStory, storeStories, storyInput } from '../builders.ts';
import { cookieOf, type TestPaper, testPaper } from '../paper.ts';
import { askFrom, until } from './leaks.ts';

/** The database goes away while readers read, in each of the ways it can. */
let paper: TestPaper;
let free: StoredStory;
let metered: StoredStory;
let unread: StoredStory;
let premium: StoredStory;
/** Metered, and nobody has opened it yet: there is its wall in memory, and not its body. */
let onlyWall: StoredStory;
let exhausted: string | undefined;

beforeAll(async () => {
  paper = await testPaper();
  [free, metered, unread, premium, onlyWall] = (await storeStories(paper.database.db, [
    storyInput({ access: 'free' }),
    storyInput({ access: 'metered' }),
    storyInput({ access: 'metered' }),
    storyInput({ access: 'premium' }),
    storyInput({ access: 'metered' }),
  ])) as [StoredStory, StoredStory, StoredStory, StoredStory, StoredStory];
  const more = await storeStories(
    paper.database.db,
    Array.from({ length: 4 }, () => storyInput()),
  );
  // A page that is made while changes are still heard is not kept: the sections are known once all of them were.
  await until(async () => (await see('/nation')).status === 200);
  await sql`insert into access.crawler_ranges (crawler, prefixes, fetched_at)
    values ('googlebot', ${['66.249.64.0/19']}::text[], '2026-11-23T00:00:00Z')`.execute(paper.database.db);
  await until(async () => paper.access.isVerifiedCrawler('66.249.66.1'));
  // A crawler reads without a count: its page is not the one that says that the count is away.
  await askFrom(paper.app, '66.249.66.1', unread.path);
  // Read once while all is well: what is in memory can be read later.
  for (const path of ['/', '/nation', free.path, premium.path, unread.path])
    await (await paper.get(path)).text();
  const first = await paper.get(metered.path);
  exhausted = cookieOf(first);
  for (const { path } of more) await paper.get(path, { cookie: exhausted });
  for (const { path } of [unread, onlyWall])
    expect((await paper.get(path, { cookie: exhausted })).headers.get('x-access')).toBe('preview');
});

beforeEach(() => paper.wire.mend());
afterAll(() => paper.end());

async function see(path: string, cookie?: string) {
  const response = await paper.get(path, { cookie });
  const text = await response.text();
  return {
    status: response.status,
    access: response.headers.get('x-access'),
    text,
    headers: response.headers,
  };
}

describe.each([
  ['refuses connections', () => paper.wire.cut()],
  ['does not answer any more', () => paper.wire.hang()],
])('while the database %s', (_, takeAway) => {
  it('serves what is in memory, shuts what it cannot decide, and recovers by itself', async () => {
    await until(async () => (await see('/readyz')).status === 200);
    const [cold] = (await storeStories(paper.database.db, [storyInput()])) as [StoredStory];
    takeAway();
    await until(async () => (await see('/readyz')).status === 503);

    expect((await see('/livez')).status).toBe(200);
    expect((await see('/')).status).toBe(200);
    expect((await see(free.path)).access).toBe('full');
    // A metered story in memory is served and counted as degraded, to a stranger too, and sets no cookie.
    const stranger = await see(unread.path);
    expect([stranger.status, stranger.access, stranger.headers.getSetCookie()]).toEqual([200, 'full', []]);
    expect(stranger.text).toContain('cannot be checked');
    // Who has certainly used up the meter has used it up; what was read before stays open.
    expect((await see(unread.path, exhausted)).access).toBe('preview');
    expect((await see(metered.path, exhausted)).access).toBe('full');
    // Everything else stays shut.
    const wall = await see(onlyWall.path);
    expect([wall.status, wall.access, wall.headers.getSetCookie()]).toEqual([200, 'preview', []]);
    expect(wall.text).toContain('data-reason="meter-unavailable"');
    expect((await see(premium.path)).access).toBe('preview');
    const nothing = await see(cold.path);
    expect([nothing.status, nothing.access, nothing.headers.get('retry-after')]).toEqual([503, null, '5']);
    expect(nothing.text).not.toMatch(/ECONN|timeout|postgres|at .*\.ts/i);

    paper.wire.mend();
    await until(async () => (await see('/readyz')).status === 200);
    await until(async () => (await see(cold.path)).access === 'full');
    await paper.access.flush();
    const { rows } = await paper.database.pool.query(
      "select measure, times from access.day_totals where measure = 'full:degraded'",
    );
    expect(Number(rows[0]?.times)).toBeGreaterThan(0);
  }, 40_000);
});
