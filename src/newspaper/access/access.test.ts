import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startChangeFeed } from '#platform/change-feed';
import { type Database, openDatabase } from '#platform/db';
import { openEmbeddedPostgres } from '#platform/embedded-postgres';
import { uuidv7 } from '#platform/ids';
import { createLogger } from '#platform/log';
import { migrate } from '#platform/migrate';
import { sign, signingKeys } from '#platform/signing';
import { type TestDatabase, testDatabase } from '../../../test/db.ts';
import { type TestClock, testClock } from '../../../test/paper.ts';
import { wireTo } from '../../../test/proxy.ts';
import {
  type Access,
  addPolicy,
  checkPass,
  DEFAULT_POLICY,
  type Opened,
  openAccess,
  type Policy,
  type Reader,
  refreshCrawlerRanges,
  type StoryFacts,
} from './access.ts';

const log = createLogger('silent');
const NOON = '2026-11-23T06:30:00Z';
const KOLKATA = 'Asia/Kolkata';

let database: TestDatabase;
const undo: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  await sql`truncate access.meters, access.walls, access.day_totals, access.policies, access.crawler_ranges restart identity`.execute(
    database.db,
  );
});
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

type Process = Access & {
  readonly clock: TestClock;
  /** A visitor as the next request of that browser would show; a stranger without cookies. */
  readonly reader: (...cookies: (string | undefined)[]) => Reader;
  readonly open: (story: StoryFacts, reader: Reader, bodyAtHand?: boolean) => Promise<Opened>;
};

type Settings = {
  readonly url?: string;
  readonly zone?: string;
  readonly clock?: TestClock;
  readonly secrets?: string;
  /** Takes the meter's statements instead of the database that the rest is read from. */
  readonly pool?: Database['pool'];
};

/** One process of the paper, with its own memory and its own connections. */
async function startProcess(settings: Settings = {}): Promise<Process> {
  const url = settings.url ?? database.url;
  const clock = settings.clock ?? testClock(NOON);
  const own = openDatabase(url, log);
  const changes = await startChangeFeed(url, log);
  const access = await openAccess(
    settings.pool === undefined ? own : { ...own, pool: settings.pool },
    changes,
    { zone: () => settings.zone ?? KOLKATA },
    signingKeys(settings.secrets ?? 'a secret of the tests'),
    clock,
    log,
  );
  undo.push(async () => {
    await access.stop();
    await changes.stop();
    await own.close();
  });
  return {
    ...access,
    clock,
    reader: (...cookies) => ({
      who: access.visitor(cookies.filter((cookie) => cookie !== undefined)),
      benefits: new Set(),
      verifiedCrawler: false,
    }),
    open: async (story, reader, bodyAtHand = false) =>
      access.openStory(story, reader, { bodyAtHand: () => bodyAtHand }),
  };
}

function story(level = 'metered', given: Partial<StoryFacts> = {}): StoryFacts {
  return {
    id: uuidv7(),
    level,
    section: 'markets',
    topics: [],
    publishedAt: Temporal.Instant.from('2026-11-20T06:00:00Z'),
    ...given,
  };
}

const stories = (count: number): StoryFacts[] => Array.from({ length: count }, () => story());

/** A visitor who has read one story: the cookie of that browser, and the story. */
async function newVisitor(process: Process): Promise<{ cookie: string; read: StoryFacts }> {
  const read = story();
  const opened = await process.open(read, process.reader());
  if (opened.kind !== 'full' || opened.visitorCookie === undefined)
    throw new Error('a first visit was not let in');
  return { cookie: opened.visitorCookie, read };
}

const inWords = (opened: Opened): string => `${opened.kind} ${opened.reason}`;

async function limit(visitors: number, by: Process, more: Partial<Policy> = {}): Promise<void> {
  const from = by.clock.now();
  await addPolicy(
    database.db,
    {
      ...DEFAULT_POLICY,
      meters: { ...DEFAULT_POLICY.meters, ...more.meters, main: { visitors, readers: 10 } },
      ...more,
    },
    { from, at: from, by: 'the tests' },
  );
  await expect.poll(() => by.policy().meters.main?.visitors).toBe(visitors);
}

async function totals(): Promise<Record<string, number>> {
  const { rows } = await sql<{ measure: string; times: bigint }>`
    select measure, sum(times)::bigint as times from access.day_totals group by measure`.execute(database.db);
  return Object.fromEntries(rows.map((row) => [row.measure, Number(row.times)]));
}

describe('a visitor', () => {
  it('reads five stories, and meets the wall on the sixth', async () => {
    const paper = await startProcess();
    const { cookie } = await newVisitor(paper);
    const answers: string[] = [];
    const lefts: (number | undefined)[] = [];
    for (const one of stories(6)) {
      const opened = await paper.open(one, paper.reader(cookie));
      answers.push(inWords(opened));
      lefts.push(opened.reading?.left);
    }
    expect(answers).toEqual([
      ...Array(4).fill('full within-limit'),
      ...Array(2).fill('preview limit-reached'),
    ]);
    expect(lefts).toEqual([3, 2, 1, 0, 0, 0]);
  });

  it('reads a story again for nothing, here, in another process, and behind the limit', async () => {
    const paper = await startProcess();
    const { cookie, read } = await newVisitor(paper);
    for (const one of stories(5)) await paper.open(one, paper.reader(cookie));
    const other = await startProcess();
    for (const process of [paper, other, other]) {
      const again = await process.open(read, process.reader(cookie));
      expect(inWords(again)).toBe('full already-read');
      expect(again.reading).toEqual({ meter: 'main', limit: 5, left: 0 });
    }
    expect((await paper.meterBook(paper.reader(cookie).who)).reads).toHaveLength(5);
  });

  it('gets a cookie with a read that counted, and with nothing else', async () => {
    const paper = await startProcess();
    const looked: Opened[] = [];
    for (const one of [story('free'), story('premium'), story('registered'), story('exclusive')]) {
      looked.push(await paper.open(one, paper.reader()));
    }
    expect(looked.map((one) => 'visitorCookie' in one && one.visitorCookie !== undefined)).toEqual([
      false,
      false,
      false,
      false,
    ]);
    const { cookie, read } = await newVisitor(paper);
    expect(await paper.open(read, paper.reader(cookie))).toMatchObject({ visitorCookie: undefined });
    // Each counted read renews it, so that it lasts from the last one.
    const next = await paper.open(story(), paper.reader(cookie));
    expect(next).toMatchObject({ kind: 'full', visitorCookie: cookie });
  });

  it('without cookies is a new one each time', async () => {
    const paper = await startProcess();
    const one = story();
    const cookies = new Set<string>();
    for (let visit = 0; visit < 7; visit++) {
      const opened = await paper.open(one, paper.reader());
      expect(inWords(opened)).toBe('full within-limit');
      if (opened.kind === 'full') cookies.add(opened.visitorCookie ?? '');
    }
    expect(cookies.size).toBe(7);
    await paper.flush();
    expect(await totals()).toMatchObject({ 'visitor:fresh': 7, 'full:within-limit': 7 });
  });

  it('sees what counted, how many are left and when the month turns', async () => {
    const paper = await startProcess();
    const { cookie, read } = await newVisitor(paper);
    paper.clock.set('2026-11-24T06:30:00Z');
    const second = story();
    await paper.open(second, paper.reader(cookie));
    const book = await paper.meterBook(paper.reader(cookie).who);
    expect(book.reads.map((one) => [one.storyId, one.at.toString(), one.policyVersion])).toEqual([
      [read.id, '2026-11-23T06:30:00Z', 1],
      [second.id, '2026-11-24T06:30:00Z', 1],
    ]);
    expect(book).toMatchObject({ limit: 5, left: 3 });
    expect(book.month.turnsAt.toString()).toBe('2026-11-30T18:30:00Z');
    expect(await paper.meterBook(paper.reader().who)).toMatchObject({ reads: [], limit: 5, left: 5 });
  });

  it('who only looks, with HEAD or ahead of a visit, is not charged', async () => {
    const paper = await startProcess();
    const { cookie } = await newVisitor(paper);
    for (const one of stories(10)) {
      expect(paper.lookAt(one, paper.reader(cookie)).decision).toMatchObject({
        kind: 'full',
        reason: 'within-limit',
      });
    }
    expect((await paper.meterBook(paper.reader(cookie).who)).left).toBe(4);
    await paper.flush();
    expect(await totals()).toEqual({ 'full:within-limit': 1, 'visitor:fresh': 1 });
  });
});

describe('a decision', () => {
  it('gives a pass for this story when it is full, and none when it is not', async () => {
    const paper = await startProcess();
    const one = story();
    const opened = await paper.open(one, paper.reader());
    expect(opened.kind === 'full' && checkPass(opened.pass)).toBe(one.id);
    expect(await paper.open(story('premium'), paper.reader())).not.toHaveProperty('pass');
    expect(() => checkPass({ storyId: one.id } as never)).toThrow();
    expect(() => checkPass(structuredClone(opened.kind === 'full' ? opened.pass : {}) as never)).toThrow();
  });

  it('never opens what is for subscribers or of an unknown level, however much is left', async () => {
    const paper = await startProcess();
    const { cookie } = await newVisitor(paper);
    for (const [level, reason] of [
      ['premium', 'subscribers-only'],
      ['exclusive', 'closed'],
      ['', 'closed'],
    ] as const) {
      expect(inWords(await paper.open(story(level), paper.reader(cookie), true))).toBe(`preview ${reason}`);
    }
  });

  it('of a story that became premium after it was read is a wall', async () => {
    const paper = await startProcess();
    const { cookie, read } = await newVisitor(paper);
    expect(inWords(await paper.open({ ...read, level: 'premium' }, paper.reader(cookie)))).toBe(
      'preview subscribers-only',
    );
  });

  it('for a reader with a grant or a verified crawler charges nobody and sets no cookie', async () => {
    const paper = await startProcess();
    const subscriber = { ...paper.reader(), benefits: new Set(['reading', 'premium']) };
    const crawler = { ...paper.reader(), verifiedCrawler: true };
    for (const one of stories(20)) {
      expect(await paper.open(one, subscriber)).toMatchObject({
        reason: 'subscriber',
        visitorCookie: undefined,
      });
      expect(await paper.open(one, crawler)).toMatchObject({ reason: 'crawler', visitorCookie: undefined });
    }
    expect(inWords(await paper.open(story('premium'), crawler))).toBe('preview subscribers-only');
    const { rows } = await sql`select from access.meters`.execute(database.db);
    expect(rows).toHaveLength(0);
  });

  it('knows a crawler by the addresses that were fetched', async () => {
    const paper = await startProcess();
    expect(paper.isVerifiedCrawler('66.249.64.1')).toBe(false);
    const published = JSON.stringify({ creationTime: '', prefixes: [{ ipv4Prefix: '66.249.64.0/27' }] });
    await refreshCrawlerRanges(
      database.db,
      paper.clock.now(),
      [{ crawler: 'googlebot', url: 'x' }],
      async () => published,
    );
    await expect.poll(() => paper.isVerifiedCrawler('66.249.64.1')).toBe(true);
    paper.clock.set('2026-12-08T06:30:00Z');
    expect(paper.isVerifiedCrawler('66.249.64.1')).toBe(false);
  });
});

describe('fifty stories asked for at once by one visitor', () => {
  it('open exactly as many as are left', async () => {
    const paper = await startProcess();
    const { cookie } = await newVisitor(paper);
    const answers = await Promise.all(stories(50).map((one) => paper.open(one, paper.reader(cookie))));
    expect(answers.filter((one) => one.kind === 'full')).toHaveLength(4);
    expect(new Set(answers.map(inWords))).toEqual(new Set(['full within-limit', 'preview limit-reached']));
    expect((await paper.meterBook(paper.reader(cookie).who)).reads).toHaveLength(5);
  });

  it('through two processes open exactly as many, and both know it afterwards', async () => {
    const one = await startProcess();
    const two = await startProcess();
    const { cookie } = await newVisitor(one);
    const asked = stories(50);
    const answers = await Promise.all(
      asked.map((each, at) =>
        at % 2 === 0 ? one.open(each, one.reader(cookie)) : two.open(each, two.reader(cookie)),
      ),
    );
    expect(answers.filter((answer) => answer.kind === 'full')).toHaveLength(4);
    for (const process of [one, two]) {
      const again = await Promise.all(asked.map((each) => process.open(each, process.reader(cookie))));
      expect(again.map((answer) => answer.kind)).toEqual(answers.map((answer) => answer.kind));
    }
  });

  it('cost one count if they are fifty times the same', async () => {
    const paper = await startProcess();
    const { cookie } = await newVisitor(paper);
    const same = story();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => paper.open(same, paper.reader(cookie))),
    );
    expect(answers.filter((one) => one.reason === 'within-limit')).toHaveLength(1);
    expect(answers.filter((one) => one.reason === 'already-read')).toHaveLength(49);
    expect((await paper.meterBook(paper.reader(cookie).who)).left).toBe(3);
  });
});

describe('the month', () => {
  it.each([
    // Zone, the last moment of November and the first of December there.
    ['Asia/Kolkata', '2026-11-30T18:29:59.999Z', '2026-11-30T18:30:00Z'],
    ['UTC', '2026-11-30T23:59:59.999Z', '2026-12-01T00:00:00Z'],
    ['America/New_York', '2026-12-01T04:59:59.999Z', '2026-12-01T05:00:00Z'],
    ['Pacific/Kiritimati', '2026-11-30T09:59:59.999Z', '2026-11-30T10:00:00Z'],
    ['America/St_Johns', '2026-12-01T03:29:59.999Z', '2026-12-01T03:30:00Z'],
  ])('turns for a paper in %s at its own midnight, and not a moment before', async (zone, last, first) => {
    const paper = await startProcess({ zone });
    const { cookie, read } = await newVisitor(paper);
    for (const one of stories(4)) await paper.open(one, paper.reader(cookie));
    paper.clock.set(last);
    expect(inWords(await paper.open(story(), paper.reader(cookie)))).toBe('preview limit-reached');
    expect(inWords(await paper.open(read, paper.reader(cookie)))).toBe('full already-read');
    paper.clock.set(first);
    const next = await paper.open(story(), paper.reader(cookie));
    expect(next).toMatchObject({ reason: 'within-limit', reading: { left: 4, limit: 5 } });
    // What was read last month counts again when it is read again: once per calendar month.
    expect(await paper.open(read, paper.reader(cookie))).toMatchObject({
      reason: 'within-limit',
      reading: { left: 3 },
    });
    expect(paper.month().key).toBe('2026-12-01');
    expect((await paper.meterBook(paper.reader(cookie).who)).reads).toHaveLength(2);
  });

  it('of a process whose clock is a little behind is the month that its own clock shows, on one server', async () => {
    const one = await startProcess();
    const behind = await startProcess({ clock: testClock('2026-11-30T18:29:59Z') });
    const { cookie } = await newVisitor(one);
    one.clock.set('2026-11-30T18:30:00Z');
    await one.open(story(), one.reader(cookie));
    await behind.open(story(), behind.reader(cookie));
    const { rows } = await sql<{ month_on: string; opened: number }>`
      select month_on, cardinality(story_ids) as opened from access.meters order by month_on`.execute(
      database.db,
    );
    expect(rows).toEqual([
      { month_on: '2026-11-01', opened: 2 },
      { month_on: '2026-12-01', opened: 1 },
    ]);
  });
});

describe('a policy that changes in the middle of the month', () => {
  it('lowers the limit: nothing more opens, and what was read stays open', async () => {
    const paper = await startProcess();
    const { cookie, read } = await newVisitor(paper);
    for (const one of stories(3)) await paper.open(one, paper.reader(cookie));
    await limit(2, paper);
    expect(await paper.open(story(), paper.reader(cookie))).toMatchObject({
      reason: 'limit-reached',
      reading: { left: 0, limit: 2 },
    });
    expect(inWords(await paper.open(read, paper.reader(cookie)))).toBe('full already-read');
  });

  it('raises it: as many more open, also for who stood before the wall', async () => {
    const paper = await startProcess();
    const { cookie } = await newVisitor(paper);
    for (const one of stories(6)) await paper.open(one, paper.reader(cookie));
    await limit(7, paper);
    const more = await Promise.all(stories(10).map((one) => paper.open(one, paper.reader(cookie))));
    expect(more.filter((one) => one.kind === 'full')).toHaveLength(2);
  });

  it('sets none: the wall stands before the first story, and nobody is given a cookie', async () => {
    const paper = await startProcess();
    await limit(0, paper);
    expect(inWords(await paper.open(story(), paper.reader()))).toBe('preview limit-reached');
    const { rows } = await sql`select from access.meters`.execute(database.db);
    expect(rows).toHaveLength(0);
  });

  it('gives a section its own meter, which counts apart', async () => {
    const paper = await startProcess();
    await limit(2, paper, {
      meters: { main: { visitors: 2, readers: 10 }, markets: { visitors: 1, readers: 5 } },
      rules: [
        { name: 'markets', when: { sections: ['markets'] }, terms: { kind: 'metered', meter: 'markets' } },
        ...DEFAULT_POLICY.rules,
      ],
    });
    const { cookie, read } = await newVisitor(paper);
    const reader = paper.reader(cookie);
    const elsewhere = () => story('metered', { section: 'nation' });
    expect(inWords(await paper.open(story(), reader))).toBe('preview limit-reached');
    expect(inWords(await paper.open(elsewhere(), reader))).toBe('full within-limit');
    expect(inWords(await paper.open(elsewhere(), reader))).toBe('full within-limit');
    expect(inWords(await paper.open(elsewhere(), reader))).toBe('preview limit-reached');
    const other = await startProcess();
    expect(inWords(await other.open(read, other.reader(cookie)))).toBe('full already-read');
    expect(inWords(await other.open(read, other.reader(cookie)))).toBe('full already-read');
  });

  it('gives a section its own meter, which is not used up when the main one is', async () => {
    const paper = await startProcess();
    await limit(2, paper, {
      meters: { main: { visitors: 2, readers: 10 }, markets: { visitors: 1, readers: 5 } },
      rules: [
        { name: 'markets', when: { sections: ['markets'] }, terms: { kind: 'metered', meter: 'markets' } },
        ...DEFAULT_POLICY.rules,
      ],
    });
    const elsewhere = () => story('metered', { section: 'nation' });
    const first = await paper.open(elsewhere(), paper.reader());
    const reader = paper.reader(first.kind === 'full' ? first.visitorCookie : undefined);
    await paper.open(elsewhere(), reader);
    expect(inWords(await paper.open(elsewhere(), reader))).toBe('preview limit-reached');
    const markets = story();
    expect(await paper.open(markets, reader)).toMatchObject({
      reason: 'within-limit',
      reading: { meter: 'markets', limit: 1, left: 0 },
    });
    expect(paper.lookAt(markets, reader).decision).toMatchObject({ reason: 'already-read' });
  });
});

describe('the visitor cookie', () => {
  it('that was forged, cut, doubled, stretched or made for something else is a stranger’s, and is counted', async () => {
    const paper = await startProcess();
    const { cookie, read } = await newVisitor(paper);
    const [id, key, mac] = cookie.split('.') as [string, string, string];
    const keys = signingKeys('a secret of the tests');
    const forged: string[][] = [
      [''],
      ['.'],
      ['..'],
      ['...'],
      [id],
      [`${id}.${key}`],
      [`${id}.${key}.`],
      [`${id}..${mac}`],
      [`.${key}.${mac}`],
      [`${uuidv7()}.${key}.${mac}`],
      [`${id}.xxxx.${mac}`],
      [`${id}.${key}.${mac.slice(0, -1)}`],
      [`${id}.${key}.${mac}=`],
      [`${id.toUpperCase()}.${key}.${mac}`],
      [` ${cookie}`],
      [`${cookie}\n`],
      [`"${cookie}"`],
      [cookie, cookie],
      [cookie, ''],
      [`${cookie}${'x'.repeat(8_000)}`],
      ['x'.repeat(100_000)],
      [sign(keys, 'gift', id)],
      [sign(keys, 'visitor', 'everybody')],
      [sign(keys, 'visitor', `${id} `)],
      [sign(signingKeys('another secret'), 'visitor', id)],
    ];
    for (const cookies of forged) {
      const reader = paper.reader(...cookies);
      expect([cookies, reader.who.kind]).toEqual([cookies, 'tampered']);
      const opened = await paper.open(read, reader);
      // Let in as anybody is on a first visit, with a cookie of their own.
      expect(inWords(opened)).toBe('full within-limit');
      expect(opened.kind === 'full' && opened.visitorCookie?.startsWith(id)).toBe(false);
      expect(inWords(await paper.open(story('premium'), reader))).toBe('preview subscribers-only');
    }
    expect(paper.reader().who.kind).toBe('stranger');
    await paper.flush();
    expect(await totals()).toMatchObject({
      'visitor:tampered': 2 * forged.length,
      'visitor:fresh': forged.length + 1,
    });
    // None of it touched the meter of the visitor whose cookie it was made from.
    expect((await paper.meterBook(paper.reader(cookie).who)).reads).toHaveLength(1);
  });

  it('copied back from yesterday gains nothing: the count stands on the server', async () => {
    const paper = await startProcess();
    const { cookie } = await newVisitor(paper);
    for (const one of stories(4)) await paper.open(one, paper.reader(cookie));
    const other = await startProcess();
    expect(inWords(await other.open(story(), other.reader(cookie)))).toBe('preview limit-reached');
  });

  it('outlives a change of the secret, and is signed anew with the next read', async () => {
    const before = await startProcess({ secrets: 'the old one' });
    const { cookie, read } = await newVisitor(before);
    const rotating = await startProcess({ secrets: 'the new one, the old one' });
    expect(inWords(await rotating.open(read, rotating.reader(cookie)))).toBe('full already-read');
    const opened = await rotating.open(story(), rotating.reader(cookie));
    const renewed = opened.kind === 'full' ? opened.visitorCookie : undefined;
    expect(renewed).not.toBe(cookie);
    const after = await startProcess({ secrets: 'the new one' });
    expect(after.reader(cookie).who.kind).toBe('tampered');
    expect(inWords(await after.open(read, after.reader(renewed)))).toBe('full already-read');
  });
});

describe('what is counted for the paper', () => {
  it('is the truth about thousands of requests', async () => {
    const paper = await startProcess();
    const papers = [
      ...stories(12),
      ...['free', 'premium', 'registered', 'exclusive'].map((level) => story(level)),
    ];
    const browsers: { cookie: string | undefined; read: Set<string> }[] = Array.from({ length: 30 }, () => ({
      cookie: undefined,
      read: new Set(),
    }));
    const truth: Record<string, number> = {};
    const add = (measure: string) => {
      truth[measure] = (truth[measure] ?? 0) + 1;
    };
    let state = 42;
    const roll = (sides: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * sides);
    };
    for (let request = 0; request < 3_000; request++) {
      const browser = browsers[roll(browsers.length)] as (typeof browsers)[number];
      const one = papers[roll(papers.length)] as StoryFacts;
      const tampers = roll(40) === 0;
      if (tampers) add('visitor:tampered');
      const knows = browser.cookie !== undefined && !tampers;
      const expected = {
        free: () => 'full free',
        premium: () => 'preview subscribers-only',
        registered: () => 'preview registration-required',
        exclusive: () => 'preview closed',
        metered: () => {
          if (!knows) return 'full within-limit';
          if (browser.read.has(one.id)) return 'full already-read';
          return browser.read.size < 5 ? 'full within-limit' : 'preview limit-reached';
        },
      }[one.level as 'free']();
      const opened = await paper.open(one, tampers ? paper.reader('forged') : paper.reader(browser.cookie));
      expect(inWords(opened)).toBe(expected);
      add(expected.replace(' ', ':'));
      if (one.level === 'metered' && !knows) add('visitor:fresh');
      if (opened.kind === 'full' && opened.visitorCookie !== undefined && !tampers) {
        browser.cookie = opened.visitorCookie;
        browser.read.add(one.id);
      }
    }
    await paper.flush();
    expect(await totals()).toEqual(truth);
    const { rows } = await sql<{
      shown: bigint;
    }>`select sum(shown)::bigint as shown from access.walls`.execute(database.db);
    const walls = Object.entries(truth).filter(([measure]) => measure.startsWith('preview:'));
    expect(Number(rows[0]?.shown)).toBe(walls.reduce((sum, [, times]) => sum + times, 0));
  });
});

/** A port of this machine where nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 1;
}

describe('while the meter cannot be asked', () => {
  async function expectDegraded(
    paper: Process,
    visitor: { cookie: string; read: StoryFacts },
  ): Promise<void> {
    const reader = paper.reader(visitor.cookie);
    expect(inWords(await paper.open(story(), reader, true))).toBe('full degraded');
    expect(inWords(await paper.open(story(), reader, false))).toBe('preview meter-unavailable');
    expect(inWords(await paper.open(story(), paper.reader(), true))).toBe('full degraded');
    expect(inWords(await paper.open(story('premium'), reader, true))).toBe('preview subscribers-only');
    expect(inWords(await paper.open(story('registered'), reader, true))).toBe(
      'preview registration-required',
    );
    expect(inWords(await paper.open(story('exclusive'), reader, true))).toBe('preview closed');
    expect(inWords(await paper.open(story('free'), reader, false))).toBe('full free');
    expect(inWords(await paper.open(visitor.read, reader, false))).toBe('full already-read');
    // Nobody gets an identity that no meter stands behind.
    expect(await paper.open(story(), paper.reader(), true)).toMatchObject({ visitorCookie: undefined });
  }

  it('because nobody listens, what is in memory is served and everything else stays shut', async () => {
    const url = new URL(database.url);
    url.port = String(await closedPort());
    const nowhere = openDatabase(url.href, log);
    undo.push(() => nowhere.close());
    const working = await startProcess();
    const visitor = await newVisitor(working);
    const paper = await startProcess({ pool: nowhere.pool });
    const reader = paper.reader(visitor.cookie);
    expect(inWords(await paper.open(story(), reader, true))).toBe('full degraded');
    expect(inWords(await paper.open(story(), reader, false))).toBe('preview meter-unavailable');
    expect(inWords(await paper.open(story('premium'), reader, true))).toBe('preview subscribers-only');
  });

  it('because the server was stopped, likewise, and who stood at the limit still stands there', async () => {
    const data = await mkdtemp(join(tmpdir(), 'broadsheet-access-'));
    await chmod(data, 0o755);
    const server = await openEmbeddedPostgres({ data, log, settings: { fsync: 'off' } });
    undo.push(async () => {
      await server.release();
      await rm(data, { recursive: true, force: true });
    });
    await migrate(server.url, join(import.meta.dirname, '../../../migrations'), log);
    const paper = await startProcess({ url: server.url });
    const visitor = await newVisitor(paper);
    const atLimit = await newVisitor(paper);
    for (const one of stories(4)) await paper.open(one, paper.reader(atLimit.cookie));
    await server.release();
    await expectDegraded(paper, visitor);
    expect(inWords(await paper.open(story(), paper.reader(atLimit.cookie), true))).toBe(
      'preview limit-reached',
    );
  });

  it('because the connection broke, likewise, and it counts again by itself once it is back', async () => {
    const wire = await wireTo(database.url);
    undo.push(() => wire.close());
    const paper = await startProcess({ url: wire.url });
    const visitor = await newVisitor(paper);
    wire.cut();
    await expectDegraded(paper, visitor);
    wire.mend();
    await expect
      .poll(async () => inWords(await paper.open(story(), paper.reader(visitor.cookie))), {
        timeout: 8_000,
        interval: 100,
      })
      .toBe('full within-limit');
    await paper.flush();
    await expect.poll(async () => (await totals())['full:degraded'], { timeout: 8_000 }).toBe(3);
    expect((await paper.meterBook(paper.reader(visitor.cookie).who)).reads).toHaveLength(2);
  });

  it('because nothing comes back, one reader waits for two seconds and those after for nothing', async () => {
    const wire = await wireTo(database.url);
    undo.push(() => wire.close());
    const paper = await startProcess({ url: wire.url });
    const { cookie } = await newVisitor(paper);
    wire.hang();
    const started = performance.now();
    expect(inWords(await paper.open(story(), paper.reader(cookie), true))).toBe('full degraded');
    const waited = performance.now() - started;
    expect(waited).toBeGreaterThan(1_000);
    expect(waited).toBeLessThan(5_000);
    const next = performance.now();
    expect(inWords(await paper.open(story(), paper.reader(cookie), true))).toBe('full degraded');
    expect(performance.now() - next).toBeLessThan(200);
    wire.mend();
  });

  it('a statement that is wrong is not an outage: it denies', async () => {
    const paper = await startProcess();
    await sql`alter table access.meters rename to meters_away`.execute(database.db);
    undo.push(() => sql`alter table access.meters_away rename to meters`.execute(database.db));
    await expect(paper.open(story(), paper.reader(), true)).rejects.toThrow(/access.meters/);
  });
});
