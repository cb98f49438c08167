import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { correctStory, setStory, withdrawStory } from '#content';
import { type StoredStory, storeStories, storyInput } from '../builders.ts';
import { cookieOf, type TestPaper, testPaper } from '../paper.ts';
import { type CanaryStory, canaryStory, leaked, readings, until } from './leaks.ts';

/** What a process remembers is never told after it has changed: by whomever, in the middle of what, heard or not. */
let paper: TestPaper;
let other: TestPaper;
let seed = 500;

beforeAll(async () => {
  paper = await testPaper();
  other = await paper.another();
  await storeStories(
    paper.database.db,
    Array.from({ length: 8 }, () => storyInput()),
  );
  await until(async () => (await paper.get('/nation')).status === 200);
});

beforeEach(() => paper.clock.set('2026-11-23T06:30:00Z'));
afterAll(() => paper.end());

async function newStory(access: 'free' | 'metered'): Promise<CanaryStory & StoredStory> {
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
    await until(async () => {
      const { rows } = await sql<{ waiting: number }>`
        select count(*)::int as waiting from pg_locks where not granted
          and database = (select oid from pg_database where datname = current_database())`.execute(tx);
      return rows[0]?.waiting !== 0;
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

  it('is sent once as it was, and not remembered: a list', async () => {
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
        // Who asks now must not be given the page that was begun before.
        second = see('/');
      },
    );
    expect(first.text).toContain(story.shortId);
    expect((await second)?.text).not.toContain(story.shortId);
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
    const [gone, shut] = [await newStory('free'), await newStory('metered')];
    // Its other connections stay, and there are enough of them: only the one that hears is lost, and cannot come back.
    await Promise.all(Array.from({ length: 10 }, () => sql`select pg_sleep(0.1)`.execute(paper.database.db)));
    const { cookie } = await see(shut.path);
    for (const path of ['/', '/nation', '/feed.xml', gone.path]) {
      await until(async () => (await see(path)).text.includes(gone.shortId));
      await see(path);
    }
    const used = await useUp(cookie);
    expect((await see(shut.path, used)).access).toBe('full');
    const server = other.database.db;
    await letIn(false);
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
    await letIn(true);
    await until(() => paper.changes.isCurrent() && other.changes.isCurrent());
    for (const path of ['/', '/nation', '/feed.xml'])
      expect([path, (await see(path)).text.includes(gone.shortId)]).toEqual([path, false]);
    expect((await see(shut.path, used)).text).toContain('story-premium');
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
