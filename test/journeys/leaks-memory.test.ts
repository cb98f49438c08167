import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { addPolicy, DEFAULT_POLICY } from '#access';
import { correctStory, setStory, withdrawStory } from '#content';
import { type StoredStory, storeStories, storyInput } from '../builders.ts';
import { cookieOf, type TestPaper, testPaper } from '../paper.ts';
import { askFrom, type CanaryStory, canaryStory, leaked, readings, until, withheld } from './leaks.ts';

/** What a process remembers is never told after it has changed: by whomever, in the middle of what, heard or not. */
let paper: TestPaper;
let other: TestPaper;
let seed = 500;
const GOOGLE = '66.249.66.1';

beforeAll(async () => {
  paper = await testPaper();
  other = await paper.another();
  await storeStories(
    paper.database.db,
    Array.from({ length: 8 }, () => storyInput()),
  );
  await until(async () => (await paper.get('/nation')).status === 200);
  await sql`insert into access.crawler_ranges (crawler, prefixes, fetched_at)
    values ('googlebot', ${['66.249.64.0/19']}::text[], '2026-11-23T00:00:00Z')`.execute(paper.database.db);
  await until(() => paper.access.isVerifiedCrawler(GOOGLE));
});

beforeEach(() => paper.clock.set('2026-11-23T06:30:00Z'));
afterAll(() => paper.end());

async function newStory(access: 'free' | 'metered' | 'premium'): Promise<CanaryStory & StoredStory> {
  seed++;
  const story = canaryStory(`remembered-${seed}`, seed, {
    access,
    section: { slug: 'nation', name: 'Nation' },
  });
  const [stored] = (await storeStories(paper.database.db, [story.input])) as [StoredStory];
  return { ...story, ...stored };
}

async function see(
  path: string,
  cookie?: string,
  on: TestPaper = paper,
  headers: Record<string, string> = {},
) {
  const response = await on.get(path, { cookie, headers });
  const text = await response.clone().text();
  return {
    status: response.status,
    access: response.headers.get('x-access'),
    left: /data-meter-left="(\d+)"/.exec(text)?.[1],
    reason: /data-reason="([\w-]+)"/.exec(text)?.[1],
    cookie: cookieOf(response) ?? cookie,
    headers: response.headers,
    text,
    texts: await readings(response),
  };
}

/** Holds a table, so that whoever reads it waits, while `meanwhile` happens. */
async function whileHolding<Result>(
  table: string,
  asked: () => Promise<Result>,
  meanwhile: () => Promise<unknown>,
): Promise<Result> {
  const holding = await other.database.db.transaction().execute(async (tx) => {
    await sql`lock table ${sql.table(table)} in access exclusive mode`.execute(tx);
    const answer = asked();
    // Whoever waits is waiting, and whatever else was asked beside it has been answered.
    let quiet = 0;
    await until(async () => {
      const { rows } = await sql<{ waiting: number; working: number }>`
        select count(*) filter (where wait_event_type = 'Lock')::int as waiting,
          count(*) filter (where wait_event_type is distinct from 'Lock')::int as working
        from pg_stat_activity
        where datname = current_database() and state = 'active' and pid <> pg_backend_pid()`.execute(
        other.database.db,
      );
      quiet = rows[0]?.waiting !== 0 && rows[0]?.working === 0 ? quiet + 1 : 0;
      return quiet === 3;
    });
    await meanwhile();
    return { answer };
  });
  return holding.answer;
}

/** Resolves when this process has heard the change that `change` makes. */
async function heard(table: string, change: () => Promise<unknown>): Promise<void> {
  const told = new Promise<void>((resolve) => {
    paper.changes.subscribe((one) => {
      if (one.table === table) resolve();
    });
  });
  await change();
  await told;
}

describe('a story that everybody could read, and that becomes premium', () => {
  it('is shut in every process within two seconds, also to who has the old page, and stays so while the database is away', async () => {
    const story = await newStory('free');
    const tags: string[] = [];
    for (const process of [paper, other]) {
      const before = await see(story.path, undefined, process);
      expect([before.access, before.headers.get('cache-control')]).toEqual(['full', 'public, max-age=30']);
      tags.push(before.headers.get('etag') as string);
    }
    const started = performance.now();
    await setStory(paper.database.db, story.id, { access: 'premium' }, paper.clock.now());
    for (const process of [paper, other])
      await until(async () => (await see(story.path, undefined, process)).access === 'preview');
    // Shared caches keep the public page for thirty seconds more; nobody here does.
    expect(performance.now() - started).toBeLessThan(2_000);
    for (const process of [paper, other])
      for (const headers of [{}, { 'if-none-match': tags[0] as string }, { 'if-none-match': '*' }]) {
        const after = await see(story.path, undefined, process, headers);
        expect([after.status, after.access, after.reason, after.headers.get('etag')]).toEqual([
          200,
          'preview',
          'subscribers-only',
          null,
        ]);
        expect(after.headers.get('cache-control')).toBe('private, no-store');
        expect(leaked(story, after.texts)).toEqual([]);
      }
    paper.wire.cut();
    await until(() => !paper.changes.isCurrent());
    const away = await see(story.path);
    paper.wire.mend();
    expect([away.status, away.access, leaked(story, away.texts)]).toEqual([200, 'preview', []]);
    for (const process of [paper, other])
      await until(async () => (await see('/readyz', undefined, process)).status === 200);
  });

  it('is shut to who has read it before, and the count that it cost stays', async () => {
    const story = await newStory('metered');
    const { cookie } = await see(story.path);
    expect((await see(story.path, cookie)).access).toBe('full');
    await setStory(paper.database.db, story.id, { access: 'premium' }, paper.clock.now());
    await until(async () => (await see(story.path, cookie)).access === 'preview');
    expect(leaked(story, (await see(story.path, cookie)).texts)).toEqual([]);
    expect((await see('/meter', cookie)).left).toBe('4');
  });
});

describe('what changes while a page is made of it', () => {
  it('is sent once as it was, and not remembered: a story', async () => {
    const story = await newStory('free');
    await see(story.path, undefined, other);
    const [first] = await whileHolding(
      'content.bodies',
      () => Promise.all([see(story.path)]),
      () =>
        heard('content.stories', () =>
          setStory(other.database.db, story.id, { access: 'premium' }, paper.clock.now()),
        ),
    );
    expect(first?.access).toBe('full');
    const after = await see(story.path);
    expect([after.access, leaked(story, after.texts)]).toEqual(['preview', []]);
    // The page is made of what the story is now, and not of what was loaded meanwhile.
    expect(after.text).toContain('story-premium');
  });

  it.each([
    ['nobody else asks', false],
    ['somebody asks who must not be given what was begun before', true],
  ])('is sent once as it was, and not remembered: a list, while %s', async (_, isAsked) => {
    const story = await newStory('free');
    await until(async () => (await see('/')).text.includes(story.shortId));
    // Something else changes, so that the front is made again.
    await heard('content.stories', () => newStory('free'));
    let second: ReturnType<typeof see> | undefined;
    const first = await whileHolding(
      'fronts.picks',
      () => see('/'),
      async () => {
        await heard('content.stories', () =>
          withdrawStory(other.database.db, story.id, 'a test', paper.clock.now()),
        );
        if (isAsked) second = see('/');
      },
    );
    expect(first.text).toContain(story.shortId);
    if (isAsked) expect((await second)?.text).not.toContain(story.shortId);
    expect((await see('/')).text).not.toContain(story.shortId);
  });

  it('is not mixed up with what it was: who was decided on before the change leaves nothing to the next', async () => {
    const story = await newStory('metered');
    await see(story.path);
    const first = await whileHolding(
      'access.meters',
      () => see(story.path),
      () =>
        heard('content.stories', () =>
          correctStory(
            other.database.db,
            story.id,
            { on: '2026-11-23', text: [{ text: 'The bridge is in the other town.' }] },
            paper.clock.now(),
          ),
        ),
    );
    expect(first.access).toBe('full');
    const next = await see(story.path);
    expect([next.access, next.left]).toEqual(['full', '4']);
    expect(next.text).toContain('The bridge is in the other town.');
  });
});

describe('a process that hears nothing any more, and does not know it yet', () => {
  it('asks the database for everything once its lease is over, and trusts its memory again when it hears', async () => {
    const [gone, shut, kept] = [await newStory('free'), await newStory('metered'), await newStory('free')];
    // Its other connections stay, and there are enough of them: only the one that hears is lost, and cannot come back.
    await Promise.all(Array.from({ length: 10 }, () => sql`select pg_sleep(0.1)`.execute(paper.database.db)));
    const { cookie } = await see(shut.path);
    const used = await useUp(cookie);
    // Nothing changes any more: what is made now is kept.
    for (const path of ['/', '/nation', '/feed.xml', gone.path, kept.path]) {
      await until(async () => (await see(path)).text.includes((path === kept.path ? kept : gone).shortId));
      await see(path);
    }
    expect((await see(shut.path, used)).access).toBe('full');
    const server = other.database.db;
    await letIn(false);
    try {
      await sql`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'broadsheet change feed'`.execute(server);
      await until(() => !paper.changes.isCurrent());
      await withdrawStory(server, gone.id, 'a test', paper.clock.now());
      await setStory(server, shut.id, { access: 'premium' }, paper.clock.now());
      expect((await see(gone.path)).status).toBe(410);
      for (const path of ['/', '/nation', '/feed.xml'])
        expect([path, (await see(path)).text.includes(gone.shortId)]).toEqual([path, false]);
      const preview = await see(shut.path, used);
      expect([preview.access, leaked(shut, preview.texts)]).toEqual(['preview', []]);
      // What it cannot ask for another reason than that nobody is there, it does not make up from memory.
      await sql`alter table content.stories rename to stories_away`.execute(server);
      const failed = await see(kept.path);
      await sql`alter table content.stories_away rename to stories`.execute(server);
      expect([failed.status, failed.access]).toEqual([500, null]);
    } finally {
      await letIn(true);
    }
    await until(() => paper.changes.isCurrent() && other.changes.isCurrent());
    for (const path of ['/', '/nation', '/feed.xml'])
      expect([path, (await see(path)).text.includes(gone.shortId)]).toEqual([path, false]);
    expect((await see(shut.path, used)).text).toContain('story-premium');
  });
});

describe('a meter that alone does not answer', () => {
  it('opens what is at hand after two seconds, and tells nobody else that it was away', async () => {
    const story = await newStory('metered');
    const crawled = async () => (await askFrom(paper.app, GOOGLE, story.path)).text();
    for (let times = 0; times < 2; times++) expect(withheld(story, [await crawled()])).toEqual([]);
    await other.database.db.transaction().execute(async (tx) => {
      await sql`lock table access.meters in access exclusive mode`.execute(tx);
      const degraded = await see(story.path);
      expect([degraded.status, degraded.access, degraded.headers.getSetCookie()]).toEqual([200, 'full', []]);
      expect(degraded.headers.get('cache-control')).toBe('private, no-store');
      expect(degraded.text).toContain('cannot be checked');
    });
    expect(await crawled()).not.toContain('cannot be checked');
    await until(async () => (await see(story.path)).left === '4');
  });
});

describe('what fails, and is no outage', () => {
  it('is not covered up with what is in memory: it denies', async () => {
    const [free, metered] = [await newStory('free'), await newStory('metered')];
    const { cookie } = await see(metered.path);
    const asked = [free.path, metered.path, '/'];
    for (const path of asked)
      for (let times = 0; times < 2; times++) expect((await see(path, cookie)).status).toBe(200);
    // After a silence nothing in memory is vouched for any more, and all of it is still there.
    await heard('*', () =>
      sql`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'broadsheet change feed'`.execute(
        other.database.db,
      ),
    );
    await until(() => paper.changes.isCurrent());
    for (const [table, away, paths] of [
      ['content.stories', 'stories_away', asked],
      ['content.revisions', 'revisions_away', asked],
      ['content.bodies', 'bodies_away', [free.path, metered.path]],
      ['fronts.picks', 'picks_away', ['/']],
    ] as const) {
      const [schema = '', name = ''] = table.split('.');
      await sql`alter table ${sql.table(table)} rename to ${sql.id(away)}`.execute(other.database.db);
      try {
        for (const path of paths) {
          const answer = await see(path, cookie);
          expect([table, path, answer.status, answer.access]).toEqual([table, path, 500, null]);
          expect([...leaked(free, answer.texts), ...leaked(metered, answer.texts)]).toEqual([]);
        }
      } finally {
        await sql`alter table ${sql.id(schema, away)} rename to ${sql.id(name)}`.execute(other.database.db);
      }
    }
    for (const path of asked) expect((await see(path, cookie)).status).toBe(200);
    await until(() => other.changes.isCurrent());
  });
});

describe('terms that change by themselves', () => {
  const terms = async (at: string, policy: Partial<typeof DEFAULT_POLICY>) => {
    const before = paper.access.policy().version;
    const { db } = paper.database;
    const from = Temporal.Instant.from(at);
    await heard('access.policies', () =>
      addPolicy(db, { ...DEFAULT_POLICY, ...policy }, { from, at: from, by: 'test' }),
    );
    paper.clock.set(at);
    await until(() => paper.access.policy().version > before);
  };

  it('shut a story at its instant, and who may read on is not given the page that everybody could have', async () => {
    const open = { kind: 'open' } as const;
    const aging = [{ name: 'new', when: { levels: ['free'], youngerThanDays: 3.2 }, terms: open }];
    // Stories of the tests are from the 20th, six o'clock: 3.2 days later it is 10:48 on the 23rd.
    await terms('2026-11-23T10:00:00Z', {
      premiumForCrawlers: true,
      rules: aging,
      otherwise: { kind: 'subscribers' },
    });
    const story = await newStory('free');
    paper.clock.set('2026-11-23T10:47:59Z');
    const before = await see(story.path);
    expect([before.access, before.headers.get('cache-control')]).toEqual(['full', 'public, max-age=30']);
    paper.clock.set('2026-11-23T10:48:00Z');
    const crawler = await askFrom(paper.app, GOOGLE, story.path);
    expect([crawler.headers.get('x-access'), crawler.headers.get('cache-control')]).toEqual([
      'full',
      'private, no-store',
    ]);
    const tag = before.headers.get('etag') as string;
    const after = await see(story.path, undefined, paper, { 'if-none-match': tag });
    expect([after.status, after.reason, leaked(story, after.texts)]).toEqual([200, 'subscribers-only', []]);
  });

  it('count anew at their instant: nobody is told of the limit before', async () => {
    await terms('2026-11-23T11:00:00Z', {});
    const { db } = paper.database;
    const later = Temporal.Instant.from('2026-11-23T11:05:00Z');
    await heard('access.policies', () =>
      addPolicy(
        db,
        { ...DEFAULT_POLICY, meters: { main: { visitors: 7, readers: 10 } } },
        { from: later, at: paper.clock.now(), by: 'test' },
      ),
    );
    await heard('publication.settings', () => sql`update publication.settings set tagline = 'x'`.execute(db));
    const [story, ...more] = await Promise.all(Array.from({ length: 8 }, () => newStory('metered')));
    const count = async (cookie?: string) =>
      /<strong>(\d of \d)<\/strong>/.exec((await see(story?.path as string, cookie)).text)?.[1];
    const used = await reads(more.slice(0, 5));
    const three = await reads(more.slice(0, 2));
    const wall = async (cookie?: string) => (await see(story?.path as string, cookie)).text;
    expect(await count()).toBe('4 of 5');
    expect(await wall(used)).toContain('month’s 5 free stories');
    paper.clock.set('2026-11-23T11:05:00Z');
    expect(await count(three)).toBe('4 of 7');
    const all = await reads(more.slice(0, 7));
    expect(await wall(all)).toContain('month’s 7 free stories');
    paper.clock.set('2026-11-23T11:04:00Z');
    expect(await wall(used)).toContain('month’s 5 free stories');
    await terms('2026-11-23T11:06:00Z', {});
  });
});

describe('one page for many readers', () => {
  it('tells each where that one stands, whoever else reads the same story', async () => {
    const story = await newStory('metered');
    const fillers = await Promise.all([1, 2, 3, 4].map(() => newStory('metered')));
    const readers: { cookie: string | undefined; left: string }[] = [{ cookie: undefined, left: '4' }];
    for (let read = 1; read <= 4; read++) {
      let cookie: string | undefined;
      for (const { path } of fillers.slice(0, read)) cookie = (await see(path, cookie)).cookie;
      readers.push({ cookie, left: String(4 - read) });
    }
    for (const round of [readers, readers.toReversed()]) {
      const seen = await Promise.all(round.map(({ cookie }) => see(story.path, cookie)));
      expect(seen.map(({ left }) => left)).toEqual(round.map(({ left }) => left));
      expect(seen.map(({ access }) => access)).toEqual(round.map(() => 'full'));
    }
  });

  it('gives a reason that is this reader’s: not the one of a crawler that only looked', async () => {
    await addPolicy(
      paper.database.db,
      { ...DEFAULT_POLICY, premiumForCrawlers: true },
      { from: paper.clock.now().subtract({ hours: 1 }), at: paper.clock.now(), by: 'test' },
    );
    await until(() => paper.access.policy().premiumForCrawlers);
    const story = await newStory('premium');
    const looked = await askFrom(paper.app, GOOGLE, story.path, { method: 'HEAD' });
    expect(looked.headers.get('x-access')).toBe('preview');
    const read = await see(story.path);
    expect([read.access, read.reason]).toEqual(['preview', 'subscribers-only']);
  });

  it('tells of the month that it is read in', async () => {
    const story = await newStory('metered');
    const turns = async () =>
      /<time datetime="([^"]*)">1 (\w+)<\/time>/.exec((await see(story.path)).text)?.slice(1);
    paper.clock.set('2026-11-30T18:29:59Z');
    expect(await turns()).toEqual(['2026-11-30T18:30:00Z', 'December']);
    paper.clock.set('2026-11-30T18:30:00Z');
    expect(await turns()).toEqual(['2026-12-31T18:30:00Z', 'January']);
  });
});

/** Somebody reads these, one after the other. */
async function reads(stories: readonly StoredStory[]): Promise<string | undefined> {
  let cookie: string | undefined;
  for (const { path } of stories) cookie = (await see(path, cookie)).cookie;
  return cookie;
}

/** Whether the database takes new connections; those that there are stay. */
async function letIn(isOpen: boolean): Promise<void> {
  const url = new URL(paper.url);
  const name = url.pathname.slice(1);
  url.pathname = '/postgres';
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  await client.query(`alter database ${name} with allow_connections ${isOpen}`);
  await client.end();
}

/** Reads until the meter of this visitor is used up. */
async function useUp(cookie: string | undefined): Promise<string | undefined> {
  const more = await storeStories(
    paper.database.db,
    Array.from({ length: 5 }, () => storyInput()),
  );
  for (const { path } of more) await see(path, cookie);
  return cookie;
}
