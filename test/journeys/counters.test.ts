import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StoredStory, storeStories, storyInput } from '../builders.ts';
import { cookieOf, type TestPaper, testPaper } from '../paper.ts';
import { until } from './leaks.ts';

/**
 * What the paper reports is what happened: two thousand visits, each labelled with what it is before it is made, are
 * replayed over two processes, and the sums, the meters and the walls are compared with the labels. Here the rules of
 * counting are written a second time, from the design and not from the program.
 */
let paper: TestPaper;
let other: TestPaper;
let metered: StoredStory[];
let rest: Record<'free' | 'premium' | 'registered', StoredStory>;

const LIMIT = 5;
const VISITS = 2_000;
const NOBODY = '00000000-0000-0000-0000-000000000000';
/** From the last evening of a month into the first of the next, in the paper's zone. */
const DAYS = [
  { now: '2026-11-29T12:00:00Z', day: '2026-11-29', month: '2026-11-01' },
  { now: '2026-11-30T18:29:59Z', day: '2026-11-30', month: '2026-11-01' },
  { now: '2026-11-30T18:30:00Z', day: '2026-12-01', month: '2026-12-01' },
] as const;

beforeAll(async () => {
  paper = await testPaper(DAYS[0].now);
  other = await paper.another();
  metered = await storeStories(
    paper.database.db,
    Array.from({ length: 9 }, () => storyInput({ access: 'metered' })),
  );
  const [free, premium, registered] = (await storeStories(
    paper.database.db,
    (['free', 'premium', 'registered'] as const).map((access) => storyInput({ access })),
  )) as [StoredStory, StoredStory, StoredStory];
  rest = { free, premium, registered };
  await until(
    async () => (await other.get('/nation')).status === 200 && (await paper.get('/nation')).status === 200,
  );
});

afterAll(() => paper.end());

/** The same numbers every time: a linear congruential generator with the constants of Numerical Recipes. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

/** A browser, and what has been counted on its meter, by month. */
type Browser = { cookie?: string; id?: string; readonly opened: Map<string, Set<string>> };

/** What happened, by the labels. */
class Truth {
  readonly sums = new Map<string, number>();
  readonly walls = new Map<string, number>();

  add(day: string, measure: string): void {
    const key = `${day} ${measure}`;
    this.sums.set(key, (this.sums.get(key) ?? 0) + 1);
  }

  wall(day: string, month: string, holder: string, story: StoredStory, reason: string): void {
    this.add(day, `preview:${reason}`);
    const key = `${holder} ${story.id} ${month} ${reason}`;
    this.walls.set(key, (this.walls.get(key) ?? 0) + 1);
  }
}

describe('what is reported', () => {
  it('is what happened: every read, wall, fresh and tampered visitor of two thousand visits, exactly', async () => {
    const roll = dice(20_261_123);
    const truth = new Truth();
    const browsers: Browser[] = [];
    const busy = new Set<Browser>();
    const pick = <One>(list: readonly One[]): One => list[roll(list.length)] as One;

    for (let visit = 0; visit < VISITS; ) {
      const { day, month, now } = DAYS[
        Math.min(2, Math.floor((visit * 3) / VISITS))
      ] as (typeof DAYS)[number];
      paper.clock.set(now);
      // Some at once, each in a browser of its own, on either process: then the statements of many are one.
      busy.clear();
      const batch: Promise<void>[] = [];
      for (let at = 1 + roll(12); at > 0; at--, visit++) {
        const on = pick([paper, other]);
        const known = browsers.length > 0 && roll(100) < 96 ? pick(browsers) : undefined;
        const browser = known === undefined || busy.has(known) ? newBrowser() : known;
        busy.add(browser);
        batch.push(makeVisit(browser, on, day, month));
      }
      await Promise.all(batch);
    }

    function newBrowser(): Browser {
      const browser: Browser = { opened: new Map() };
      browsers.push(browser);
      return browser;
    }

    async function makeVisit(browser: Browser, on: TestPaper, day: string, month: string): Promise<void> {
      const kind = roll(100);
      const story = pick(metered);
      const holder = browser.id ?? NOBODY;
      const ask = (
        one: StoredStory,
        cookie = browser.cookie,
        more: { method?: string; headers?: Record<string, string> } = {},
      ) => on.get(one.path, { cookie, ...more });
      if (kind < 60) return read(browser, on, story, day, month);
      if (kind < 70) {
        truth.add(day, 'full:free');
        expect((await ask(rest.free)).headers.get('x-access')).toBe('full');
      } else if (kind < 78) {
        truth.wall(day, month, holder, rest.premium, 'subscribers-only');
        expect((await ask(rest.premium)).headers.get('x-access')).toBe('preview');
      } else if (kind < 83) {
        truth.wall(day, month, holder, rest.registered, 'registration-required');
        expect((await ask(rest.registered)).headers.get('x-access')).toBe('preview');
      } else if (kind < 88) {
        // Whoever spoils the cookie is a new visitor, and what the cookie stood for stays as it was.
        const spoilt = `${browser.cookie ?? '__Host-visitor=x'}x`;
        truth.add(day, 'visitor:tampered');
        if (roll(3) === 0) {
          truth.wall(day, month, NOBODY, rest.premium, 'subscribers-only');
          await ask(rest.premium, spoilt);
        } else {
          const stranger = newBrowser();
          busy.add(stranger);
          await read(stranger, on, story, day, month, spoilt);
        }
      } else {
        // What never counts: looking, fetching ahead, other pages, and addresses that lead nowhere or elsewhere.
        const gated = pick([story, rest.premium, rest.registered]);
        await pick([
          () => ask(gated, browser.cookie, { method: 'HEAD' }),
          () => ask(gated, browser.cookie, { headers: { 'sec-purpose': 'prefetch;prerender' } }),
          () => on.get('/nation', { cookie: browser.cookie }),
          () => on.get('/meter', { cookie: browser.cookie }),
          () => on.get(`/nation/other-words-${gated.shortId}`, { cookie: browser.cookie }),
          () => on.get('/nation/nothing-zzzzzzzzzz', { cookie: browser.cookie }),
          () => ask(gated, browser.cookie, { method: 'POST' }),
        ])();
      }
    }

    async function read(
      browser: Browser,
      on: TestPaper,
      story: StoredStory,
      day: string,
      month: string,
      cookie = browser.cookie,
    ): Promise<void> {
      const opened = browser.opened.get(month) ?? new Set();
      browser.opened.set(month, opened);
      const isRead = opened.has(story.id);
      const isOpen = isRead || opened.size < LIMIT;
      const response = await on.get(story.path, { cookie });
      expect(response.headers.get('x-access')).toBe(isOpen ? 'full' : 'preview');
      if (browser.id === undefined) {
        truth.add(day, 'visitor:fresh');
        browser.cookie = cookieOf(response) as string;
        browser.id = browser.cookie.split(/[=.]/)[1] as string;
      }
      if (isOpen) truth.add(day, isRead ? 'full:already-read' : 'full:within-limit');
      else truth.wall(day, month, browser.id, story, 'limit-reached');
      if (isOpen) opened.add(story.id);
    }

    await Promise.all([paper.access.flush(), other.access.flush()]);
    const { db } = paper.database;
    const sums = await sql<{ key: string; times: string }>`
      select day_on || ' ' || measure as key, times::text from access.day_totals`.execute(db);
    expect(sorted(sums.rows.map((row) => [row.key, Number(row.times)]))).toEqual(sorted(truth.sums));

    const walls = await sql<{ key: string; shown: string }>`
      select concat_ws(' ', holder_id, story_id, month_on, reason) as key, shown::text from access.walls`.execute(
      db,
    );
    expect(sorted(walls.rows.map((row) => [row.key, Number(row.shown)]))).toEqual(sorted(truth.walls));

    const meters = await sql<{ key: string; stories: string[] }>`
      select concat_ws(' ', holder_id, holder_kind, month_on, meter) as key, story_ids::text[] as stories
      from access.meters`.execute(db);
    const expected = browsers.flatMap(({ id, opened }) =>
      [...opened].map(([month, ids]): [string, string[]] => [`${id} visitor ${month} main`, [...ids]]),
    );
    expect(sorted(meters.rows.map((row) => [row.key, row.stories]))).toEqual(sorted(expected));
    // It was a lively three days: every kind of event is among them, and often.
    const kinds = new Map<string, number>();
    for (const [key, times] of truth.sums) kinds.set(key.slice(11), (kinds.get(key.slice(11)) ?? 0) + times);
    expect([...kinds.keys()].sort()).toEqual([
      'full:already-read',
      'full:free',
      'full:within-limit',
      'preview:limit-reached',
      'preview:registration-required',
      'preview:subscribers-only',
      'visitor:fresh',
      'visitor:tampered',
    ]);
    expect(Math.min(...kinds.values())).toBeGreaterThan(50);
  }, 60_000);
});

function sorted<Value>(entries: Iterable<readonly [string, Value]>): (readonly [string, Value])[] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
}
