import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { addPolicy, DEFAULT_POLICY } from '#access';
import { setStory } from '#content';
import { setPublication } from '#publication';
import { type StoredStory, storeStories, storyInput } from '../builders.ts';
import { cookieOf, type TestPaper, testPaper } from '../paper.ts';

let paper: TestPaper;
let other: TestPaper;
let stories: StoredStory[];
let premium: StoredStory;
let open: StoredStory;

beforeAll(async () => {
  paper = await testPaper();
  other = await paper.another();
  stories = await storeStories(
    paper.database.db,
    Array.from({ length: 60 }, () => storyInput({ access: 'metered' })),
  );
  [premium, open] = (await storeStories(paper.database.db, [
    storyInput({ access: 'premium' }),
    storyInput({ access: 'free' }),
  ])) as [StoredStory, StoredStory];
});

beforeEach(() => paper.clock.set('2026-11-23T06:30:00Z'));
afterAll(() => paper.end());

/** What one reader sees of a story. */
async function read(
  path: string,
  cookie?: string,
  on: TestPaper = paper,
  headers: Record<string, string> = {},
) {
  const response = await on.get(path, { cookie, headers });
  const text = await response.text();
  return {
    status: response.status,
    access: response.headers.get('x-access'),
    left: /data-meter-left="(\d+)"/.exec(text)?.[1],
    reason: /data-reason="([\w-]+)"/.exec(text)?.[1],
    cookie: cookieOf(response) ?? cookie,
    setCookie: response.headers.getSetCookie()[0],
    text,
  };
}

/** Reads stories one after the other with one browser. */
async function readAll(list: readonly StoredStory[], cookie?: string) {
  const seen = [];
  let jar = cookie;
  for (const { path } of list) {
    const one = await read(path, jar);
    jar = one.cookie;
    seen.push(one);
  }
  return { seen, cookie: jar };
}

const path = (at: number): string => (stories[at] as StoredStory).path;

describe('a visitor’s calendar month', () => {
  it('opens five stories, says before the wall how many are left, and shows the wall on the sixth', async () => {
    const { seen } = await readAll(stories.slice(0, 6));
    expect(seen.map((one) => one.access)).toEqual(['full', 'full', 'full', 'full', 'full', 'preview']);
    expect(seen.map((one) => one.left)).toEqual(['4', '3', '2', '1', '0', '0']);
    const wall = seen[5];
    expect(wall?.reason).toBe('limit-reached');
    expect(wall?.text).toMatch(/5 free/);
    for (const words of [
      '₹900',
      '₹2,700',
      '₹3,900',
      '₹300',
      '₹225',
      '₹162',
      '/login',
      '/subscribe/yearly?next=',
      '1 December',
    ]) {
      expect(wall?.text).toContain(words);
    }
  });

  it('counts a story once, however often and in whatever way it is opened again', async () => {
    const [story] = (await storeStories(paper.database.db, [storyInput()])) as [StoredStory];
    const first = await read(story.path);
    for (const again of [story.path, `${story.path}?utm_source=mail`, `${story.path}?amp=1`, story.path]) {
      const one = await read(again, first.cookie);
      expect([one.access, one.left]).toEqual(['full', '4']);
    }
    await setStory(
      paper.database.db,
      story.id,
      { headline: 'Now under another headline' },
      paper.clock.now(),
    );
    await until(async () => String((await paper.get(story.path, { cookie: first.cookie })).status), /301/);
    const renamed = await paper.get(story.path, { cookie: first.cookie });
    expect(renamed.status).toBe(301);
    const followed = await read(renamed.headers.get('location') as string, first.cookie);
    expect([followed.access, followed.left]).toEqual(['full', '4']);
    expect((await readAll(stories.slice(1, 6), first.cookie)).seen.map((one) => one.access)).toEqual([
      'full',
      'full',
      'full',
      'full',
      'preview',
    ]);
  });

  it('opens exactly as many as the limit when fifty are asked for at once, on two processes', async () => {
    const { cookie } = await read(path(10));
    const results = await Promise.all(
      stories.slice(10, 60).map((story, at) => read(story.path, cookie, at % 2 === 0 ? paper : other)),
    );
    expect(results.filter((one) => one.access === 'full')).toHaveLength(5);
    expect(results.filter((one) => one.reason === 'limit-reached')).toHaveLength(45);
    // What was opened stays open, on the other process too.
    const opened = stories.slice(10, 60).filter((_, at) => results[at]?.access === 'full');
    for (const story of opened) expect((await read(story.path, cookie, other)).access).toBe('full');
  });

  it('turns at midnight in the paper’s own zone', async () => {
    paper.clock.set('2026-11-30T18:29:59.999Z');
    const november = await readAll(stories.slice(0, 6));
    expect(november.seen[5]?.access).toBe('preview');
    paper.clock.set('2026-11-30T18:30:00Z');
    const december = await read(path(5), november.cookie);
    expect([december.access, december.left]).toEqual(['full', '4']);
    await setPublication(paper.database.db, 'zone', 'America/New_York');
    await until(async () => (await paper.get('/meter', { cookie: november.cookie })).text(), /Eastern Time/);
    // In New York it is still November: the meter that was used up there is the one that holds.
    expect((await read(path(6), november.cookie)).reason).toBe('limit-reached');
    await setPublication(paper.database.db, 'zone', 'Asia/Kolkata');
    await until(async () => (await paper.get('/meter')).text(), /India Standard Time/);
  });

  it('follows a change of the limit, up and down', async () => {
    const used = await readAll(stories.slice(20, 26));
    expect(used.seen[5]?.access).toBe('preview');
    await setVisitors(7);
    expect((await read(path(25), used.cookie)).left).toBe('1');
    await setVisitors(2);
    expect((await read(path(26), used.cookie)).reason).toBe('limit-reached');
    expect((await read(path(20), used.cookie)).access).toBe('full');
    await setVisitors(5);
  });

  it('shows its owner what counted, how many are left and when it turns', async () => {
    const { cookie } = await readAll(stories.slice(30, 33));
    const page = await paper.get('/meter', { cookie });
    const text = await page.text();
    expect(page.headers.get('cache-control')).toBe('private, no-store');
    expect(text).toContain((stories[30] as StoredStory).input.headline);
    expect(text).toMatch(/data-meter-left="2"/);
    expect(text).toContain('1 December');
    expect(await (await paper.get('/meter')).text()).not.toContain(
      (stories[30] as StoredStory).input.headline,
    );
  });
});

describe('what does not count', () => {
  it('is everything but a read: lists, premium stories, walls, HEAD, what a browser fetches ahead, and errors', async () => {
    const { cookie } = await read(path(40));
    for (const free of [
      '/',
      '/nation',
      '/feed.xml',
      '/meter',
      '/subscribe',
      premium.path,
      '/nowhere',
      '/nation/nothing-0000000000',
    ]) {
      await (await paper.get(free, { cookie })).text();
    }
    const head = await paper.get(path(41), { cookie, method: 'HEAD' });
    expect([head.status, head.headers.get('x-access'), head.headers.getSetCookie()]).toEqual([
      200,
      'preview',
      [],
    ]);
    for (const purpose of [
      { 'sec-purpose': 'prefetch' },
      { 'sec-purpose': 'prefetch;prerender' },
      { purpose: 'prefetch' },
      { 'x-moz': 'prefetch' },
    ]) {
      const ahead = await paper.get(path(42), { cookie, headers: purpose });
      expect([ahead.status, ahead.headers.get('cache-control'), ahead.headers.getSetCookie()]).toEqual([
        503,
        'private, no-store',
        [],
      ]);
    }
    expect((await read(path(43), cookie)).left).toBe('3');
  });

  it('is a free story that is asked for by HEAD, fetched ahead, or known to the browser already', async () => {
    const opened = async () => {
      await paper.access.flush();
      const { rows } = await sql<{ times: bigint }>`
        select times from access.day_totals where measure = 'full:free'`.execute(paper.database.db);
      return Number(rows[0]?.times ?? 0);
    };
    const before = await opened();
    const page = await paper.get(open.path);
    const tag = page.headers.get('etag') ?? '';
    expect(await opened()).toBe(before + 1);
    expect((await paper.get(open.path, { method: 'HEAD' })).status).toBe(200);
    expect((await paper.get(open.path, { headers: { 'sec-purpose': 'prefetch' } })).status).toBe(200);
    expect((await paper.get(open.path, { headers: { 'if-none-match': tag } })).status).toBe(304);
    expect(await opened()).toBe(before + 1);
    expect((await paper.get(open.path, { headers: { 'if-none-match': 'W/"another"' } })).status).toBe(200);
    expect(await opened()).toBe(before + 2);
  });

  it('gives a stranger who only looks at lists and walls no cookie', async () => {
    for (const free of ['/', '/nation', premium.path, '/subscribe']) {
      expect((await paper.get(free)).headers.getSetCookie()).toEqual([]);
    }
  });
});

describe('the visitor cookie', () => {
  it('is a host cookie that scripts cannot read, kept ninety days, and holds an id and its signature alone', async () => {
    const { setCookie } = await read(path(0));
    expect(setCookie).toMatch(
      /^__Host-visitor=[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[\w-]{4}\.[\w-]{27}; Path=\/; Max-Age=7776000; HttpOnly; SameSite=Lax; Secure$/,
    );
  });

  it('makes a stranger of whoever sends a forged, cut, doubled, empty or oversized one, and never an error', async () => {
    const { cookie = '' } = await readAll(stories.slice(0, 5));
    const value = cookie.slice(cookie.indexOf('=') + 1);
    for (const bad of [
      `${cookie.slice(0, -1)}!`,
      cookie.slice(0, -5),
      cookie.replace(/=[0-9a-f]{8}/, '=00000000'),
      `${cookie}; __Host-visitor=${value}`,
      '__Host-visitor=',
      `__Host-visitor=${'a'.repeat(5_000)}`,
      `__Host-visitor=${value}${'.'.repeat(200)}`,
      '__Host-visitor=%00%ff; =; ;;; =x',
      'visitor=1; __Host-visitor="x"',
    ]) {
      const one = await read(path(50), bad);
      expect([bad.slice(0, 60), one.status, one.access, one.left]).toEqual([
        bad.slice(0, 60),
        200,
        'full',
        '4',
      ]);
      expect((await read(premium.path, bad)).access).toBe('preview');
    }
    // The old cookie still stands for a meter that is used up: nothing was gained by tampering with it.
    expect((await read(path(50), cookie)).reason).toBe('limit-reached');
  });

  it('has no power that the reader claims for it: what was read stands on the server', async () => {
    const { cookie } = await readAll(stories.slice(0, 5));
    const claims = { 'x-already-read': (stories[51] as StoredStory).id, referer: 'https://www.google.com/' };
    expect(
      (await read(`${path(51)}?read=1&left=5`, `${cookie}; left=5; read=all`, paper, claims)).reason,
    ).toBe('limit-reached');
  });
});

async function setVisitors(visitors: number): Promise<void> {
  const { db } = paper.database;
  const at = paper.clock.now();
  const before = paper.access.policy().version;
  const policy = { ...DEFAULT_POLICY, meters: { main: { visitors, readers: 10 } } };
  await addPolicy(db, policy, { from: at, at, by: 'test' });
  await until(async () => String(paper.access.policy().version > before), /true/);
}

/** Asks until the answer fits: a change made in the database is heard by each process a moment later. */
async function until(ask: () => Promise<string>, fits: RegExp): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (fits.test(await ask())) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`nothing like ${fits} came`);
}
