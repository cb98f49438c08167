import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { setStory } from '#content';
import { openDatabase } from '#platform/db';
import { createLogger } from '#platform/log';
import { type TestDatabase, testDatabase } from '../../../test/db.ts';
import { importNdjson } from './import-ndjson.ts';
import type { ImportReport } from './import-run.ts';

const NOW = Temporal.Instant.from('2026-11-23T06:00:00Z');
const OPTIONS = {
  settings: { zone: 'Asia/Kolkata', language: 'en-IN', defaultAccess: 'metered' },
  now: NOW,
} as const;

let database: TestDatabase;
let folder: string;
beforeAll(async () => {
  database = await testDatabase();
  folder = await mkdtemp(join(tmpdir(), 'broadsheet-import-'));
});
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await database.pool.query('truncate content.stories cascade');
});

const record = (id: string | number, more: object = {}) => ({
  id,
  headline: `Headline ${id}`,
  body: `<p>Body of ${id}, which has a few words more.</p>`,
  published_at: '2019-01-05',
  ...more,
});

async function file(name: string, lines: readonly (object | string)[] | Buffer): Promise<string> {
  const path = join(folder, name);
  const text = Buffer.isBuffer(lines)
    ? lines
    : lines.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join('\n');
  await writeFile(path, text);
  return path;
}

async function run(lines: readonly (object | string)[] | Buffer): Promise<ImportReport> {
  return importNdjson(database.db, [await file('records.ndjson', lines)], OPTIONS);
}

async function stored(): Promise<{ source_id: string; headline: string; elements: unknown }[]> {
  const { rows } = await database.pool.query(`
    select s.source_id, r.headline, b.elements from content.stories s
    join content.revisions r on r.story_id = s.id and r.number = s.revision
    join content.bodies b on b.story_id = s.id and b.revision = s.revision order by s.source_id`);
  return rows;
}

describe('an import', () => {
  it('refuses a line that is nested beyond reason, and goes on', async () => {
    const report = await run(['[1,'.repeat(8_192), record('a')]);
    expect(report).toMatchObject({ created: 1, refused: [{ reason: expect.stringContaining('nested') }] });
  });

  it('stores stories with their sections, authors and topics', async () => {
    const report = await run([
      record('a', {
        section: 'Markets',
        authors: ['Tara Nambiar'],
        topics: ['Gold', 'Bonds'],
        access: 'premium',
      }),
      record('b'),
    ]);
    expect(report).toEqual({
      created: 2,
      updated: 0,
      skipped: 0,
      refused: [],
      refusedCount: 0,
      kept: [],
      leftOut: {},
      leftOutFirst: {},
      library: 0,
      mended: 0,
      stories: {
        sections: { general: 1, markets: 1 },
        access: { metered: 1, premium: 1 },
        states: { published: 2 },
        examples: [
          expect.objectContaining({ at: 'records.ndjson:1', outcome: 'created', headline: 'Headline a' }),
          expect.anything(),
        ],
      },
      pictures: { added: 0, stories: 0, elsewhere: 0, refused: [] },
      truncated: false,
    });
    expect(await stored()).toMatchObject([
      {
        source_id: 'a',
        headline: 'Headline a',
        elements: [{ kind: 'paragraph', text: [{ text: 'Body of a, which has a few words more.' }] }],
      },
      { source_id: 'b' },
    ]);
  });

  it('changes nothing when it is run again', async () => {
    const lines = Array.from({ length: 700 }, (_, at) => record(at));
    expect(await run(lines)).toMatchObject({ created: 700 });
    const before = await stored();
    expect(await run(lines)).toMatchObject({ created: 0, updated: 0, skipped: 700, refusedCount: 0 });
    expect(await stored()).toEqual(before);
  });

  it('refuses a record that shows a picture of another paper by its id there', async () => {
    const [known, another] = [randomUUID(), randomUUID()];
    await database.pool.query(
      `insert into media.pictures (id, digest, format, width, height, bytes, made_at)
       values ($1, sha256('a'), 'jpeg', 60, 40, 1, now())`,
      [known],
    );
    const picture = (pictureId: string) => [
      { kind: 'picture', pictureId, alt: '', caption: '', credit: '' },
      { kind: 'paragraph', text: [{ text: 'The harbour board said so.' }] },
    ];
    const shows = (id: string, pictureId: string) => record(id, { elements: picture(pictureId) });
    const { created, refused } = await run([
      shows('a', known),
      shows('b', another),
      record('c', { elements: [], preview_elements: picture('nobody') }),
      JSON.stringify(shows('d', another)).replace('pictureId', 'p\\u0069ctureId'),
      shows('e', known.toUpperCase()),
      record('f', { body: '<p>A pictureId is \\u0041.</p>' }),
      record('g', { picture: { pictureId: known } }),
    ]);
    expect(created).toBe(2);
    const reason = (id: string) =>
      `there is no picture "${id}" here; one of another paper is named by its url`;
    expect(refused).toEqual([
      { at: 'records.ndjson:2', reason: reason(another) },
      { at: 'records.ndjson:3', reason: reason('nobody') },
      { at: 'records.ndjson:4', reason: reason(another) },
      { at: 'records.ndjson:5', reason: reason(known.toUpperCase()) },
      { at: 'records.ndjson:7', reason: 'picture is not what docs/contracts says of it' },
    ]);
  });

  it('brings what has changed up to date, in a new revision', async () => {
    await run([record('a'), record('b')]);
    expect(await run([record('a', { headline: 'Another' }), record('b')])).toMatchObject({
      updated: 1,
      skipped: 1,
    });
    expect((await stored()).map((one) => one.headline)).toEqual(['Another', 'Headline b']);
  });

  it('never overwrites what somebody here has changed since, and says so', async () => {
    await run([record('a'), record('b')]);
    const { rows } = await database.pool.query("select id from content.stories where source_id = 'a'");
    await setStory(database.db, rows[0].id, { headline: 'Ours' }, NOW);
    const report = await run([record('a', { headline: 'Theirs' }), record('b')]);
    expect(report).toMatchObject({
      updated: 0,
      skipped: 1,
      kept: [{ at: 'records.ndjson:1', reason: expect.stringContaining('changed here') }],
    });
    expect((await stored())[0]?.headline).toBe('Ours');
  });

  it('goes on where it was stopped', async () => {
    const lines = Array.from({ length: 300 }, (_, at) => record(at));
    await run(lines.slice(0, 120));
    expect(await run(lines)).toMatchObject({ created: 180, skipped: 120 });
  });

  it('reads several files, plain and gzipped', async () => {
    const plain = await file('plain.ndjson', [record('a')]);
    const packed = await file('packed.ndjson.gz', gzipSync(JSON.stringify(record('b'))));
    expect(await importNdjson(database.db, [plain, packed], OPTIONS)).toMatchObject({
      created: 2,
      refusedCount: 0,
    });
  });

  it('may run twice at once: each story is stored once', async () => {
    const lines = Array.from({ length: 400 }, (_, at) =>
      record(at, { topics: [`Topic ${at}`, `Topic ${400 - at}`] }),
    );
    const path = await file('twice.ndjson', lines);
    const [one, two] = await Promise.all([
      importNdjson(database.db, [path], OPTIONS),
      importNdjson(database.db, [path], OPTIONS),
    ]);
    expect(one.refused).toEqual([]);
    expect(two.refused).toEqual([]);
    expect(one.created + two.created).toBe(400);
    expect(one.skipped + two.skipped).toBe(400);
  });

  it('tells how far it is', async () => {
    const done: number[] = [];
    const path = await file(
      'progress.ndjson',
      Array.from({ length: 50 }, (_, at) => record(at)),
    );
    await importNdjson(database.db, [path], { ...OPTIONS, onProgress: (count) => done.push(count) });
    expect(done.at(-1)).toBe(50);
  });

  it('imports the same story from two sources as two', async () => {
    expect(await run([record('a', { source: 'one' }), record('a', { source: 'two' })])).toMatchObject({
      created: 2,
    });
  });
});

describe('bad input', () => {
  it('is told with its place, and the rest arrives', async () => {
    const report = await run([
      record('good-1'),
      '{"id": "cut", "headline": "A',
      '<html>',
      '[]',
      record('no-headline', { headline: undefined }),
      record('no-date', { published_at: undefined }),
      record('level', { access: 'gold' }),
      record('far', { published_at: '2999-01-01' }),
      record('old', { published_at: '1899-12-31' }),
      '',
      record('deep', { body: `${'<div>'.repeat(1_000)}deep${'</div>'.repeat(1_000)}` }),
      record('deeper', { body: `${'<div>'.repeat(100_000)}deeper` }),
      record('huge', { body: 'a'.repeat(5 * 1024 * 1024) }),
      record('nasty', {
        body: '<p onclick="x">a<script>alert(1)</script><svg onload=x><a href="javascript:x">b</a></svg></p>',
      }),
      record('controls', {
        headline: 'a\u0000b',
        body: 'c\u0000d\ud800e',
        note: '\u0000',
        standfirst: '\udfff',
      }),
      record('good-1', { headline: 'Twice' }),
      record('good-2'),
    ]);
    expect(report.refused).toEqual([
      { at: 'records.ndjson:2', reason: expect.stringContaining('not JSON') },
      { at: 'records.ndjson:3', reason: expect.stringContaining('not JSON') },
      { at: 'records.ndjson:4', reason: 'not a JSON object' },
      { at: 'records.ndjson:5', reason: 'headline is missing' },
      { at: 'records.ndjson:6', reason: 'published_at is missing' },
      { at: 'records.ndjson:7', reason: expect.stringContaining('"gold"') },
      { at: 'records.ndjson:8', reason: expect.stringContaining('not plausible') },
      { at: 'records.ndjson:13', reason: expect.stringContaining('over the limit') },
      { at: 'records.ndjson:16', reason: 'the id "good-1" stands already in records.ndjson:1' },
    ]);
    const stories = new Map((await stored()).map((one) => [one.source_id, one]));
    expect([...stories.keys()].sort()).toEqual([
      'controls',
      'deep',
      'deeper',
      'good-1',
      'good-2',
      'nasty',
      'old',
    ]);
    expect(stories.get('good-1')?.headline).toBe('Headline good-1');
    expect(stories.get('nasty')?.elements).toEqual([{ kind: 'paragraph', text: [{ text: 'a' }] }]);
    expect(stories.get('deeper')?.elements).toEqual([{ kind: 'paragraph', text: [{ text: 'deeper' }] }]);
    expect(stories.get('controls')?.headline).toBe('ab');
  });

  it('a file that breaks off brings what came before', async () => {
    const whole = Array.from({ length: 20 }, (_, at) => JSON.stringify(record(at))).join('\n');
    const report = await run(Buffer.from(whole.slice(0, -10)));
    expect(report).toMatchObject({
      created: 19,
      truncated: true,
      refused: [{ at: 'records.ndjson', reason: 'the file ends in the middle of line 20' }],
    });
  });

  it('a record that only the database refuses is refused alone', async () => {
    await database.pool.query(
      "alter table content.stories add constraint no_such_id check (source_id <> '77')",
    );
    try {
      const report = await run(Array.from({ length: 150 }, (_, at) => record(at)));
      expect(report.created).toBe(149);
      expect(report.refused).toEqual([
        { at: 'records.ndjson:78', reason: expect.stringContaining('no_such_id') },
      ]);
      expect(report.refused[0]?.reason).not.toContain('Body of');
    } finally {
      await database.pool.query('alter table content.stories drop constraint no_such_id');
    }
  });

  it('a file that cannot be read stops the import before it begins', async () => {
    const good = await file('good.ndjson', [record('a')]);
    await expect(importNdjson(database.db, [good, join(folder, 'nowhere')], OPTIONS)).rejects.toMatchObject({
      code: 'no-such-file',
    });
    expect(await stored()).toEqual([]);
  });

  it('a database that goes away meanwhile ends it, and the next run goes on', async () => {
    const path = await file(
      'many.ndjson',
      Array.from({ length: 3_000 }, (_, at) => record(at)),
    );
    const assassin = new pg.Client({ connectionString: database.url });
    await assassin.connect();
    let isOver = false;
    const kills = (async () => {
      while (!isOver) {
        await assassin.query(`select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'`);
      }
    })();
    const ended = importNdjson(database.db, [path], OPTIONS);
    await expect(ended).rejects.toMatchObject({ code: 'database-unavailable' });
    isOver = true;
    await kills;
    await assassin.end();
    const report = await importNdjson(database.db, [path], OPTIONS);
    expect(report.created + report.skipped).toBe(3_000);
    expect(report.refused).toEqual([]);
    expect(await stored()).toHaveLength(3_000);
  });

  it('a database that cannot be reached ends it with one clear error', async () => {
    const nobody = openDatabase('postgresql://127.0.0.1:1/none', createLogger('silent'));
    const path = await file(
      'many.ndjson',
      Array.from({ length: 1_000 }, (_, at) => record(at)),
    );
    await expect(importNdjson(nobody.db, [path], OPTIONS)).rejects.toMatchObject({
      code: 'database-unavailable',
      message: expect.stringContaining('goes on where it stopped'),
    });
    await nobody.close();
  });
});
