import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRecord, recordDigest } from '#importers';
import { generateStories } from '../demo/generate.ts';
import { loadDemo } from '../demo/load-demo.ts';
import { type TestDatabase, testDatabase } from './db.ts';

const NOW = Temporal.Instant.from('2026-11-23T06:00:00Z');
const SETTINGS = { zone: 'Asia/Kolkata', language: 'en-IN', defaultAccess: 'metered' } as const;

describe('the demonstration newspaper', () => {
  let database: TestDatabase;
  let ids: string[];
  const asked: string[] = [];
  beforeAll(async () => {
    database = await testDatabase();
    ids = await load(NOW);
  });
  afterAll(() => database.drop());

  function load(now: Temporal.Instant): Promise<string[]> {
    return loadDemo({
      db: database.db,
      folder: join(import.meta.dirname, '..', 'demo'),
      settings: SETTINGS,
      now,
      picture: async (name) => {
        asked.push(name);
        return '019aadf0-0000-7000-8000-000000000000';
      },
    });
  }

  async function one<Row>(sql: string): Promise<Row | undefined> {
    return (await database.pool.query(sql)).rows[0];
  }

  it('has about sixty stories in eight sections, published over the last days', async () => {
    expect(ids.length).toBeGreaterThanOrEqual(55);
    const { rows } = await database.pool.query('select slug from content.sections order by position');
    expect(rows.map((row) => row.slug)).toEqual([
      'nation',
      'politics',
      'markets',
      'business',
      'technology',
      'world',
      'culture',
      'opinion',
    ]);
    expect(
      await one(`select bool_and(published_at <= '${NOW}') as past, bool_and(published_at > '${NOW}'::timestamptz - interval '30 days') as recent,
      count(distinct section)::int as sections, count(*) filter (where access = 'premium')::int > 3 as premium from content.stories`),
    ).toEqual({ past: true, recent: true, sections: 8, premium: true });
  });

  it('has pictures, each taken in once', async () => {
    expect(new Set(asked).size).toBe(asked.length);
    expect(asked.length).toBeGreaterThan(3);
    const row = await one<{ picture: unknown }>(
      'select picture from content.revisions where picture is not null limit 1',
    );
    expect(row?.picture).toMatchObject({
      pictureId: '019aadf0-0000-7000-8000-000000000000',
      alt: expect.stringMatching(/\S/),
      credit: expect.stringMatching(/\S/),
    });
  });

  it('corrects itself, on a day that has come', async () => {
    const { rows } = await database.pool.query<{ on: string; updated: boolean }>(`
      select element ->> 'on' as on, s.updated_at > s.published_at as updated from content.stories s
      join content.bodies b on b.story_id = s.id, json_array_elements(b.elements) element where element ->> 'kind' = 'correction'`);
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) {
      expect(row.on <= '2026-11-23').toBe(true);
      expect(row.updated).toBe(true);
    }
  });

  it('leaves no Markdown and no shortcode in its text', async () => {
    expect(
      await one(
        `select count(*)::int as n from content.bodies where elements::text ~ '\\*\\*|\\]\\(|\\{\\{|<[a-z]'`,
      ),
    ).toEqual({ n: 0 });
  });

  it('is the same when it is loaded again', async () => {
    await load(NOW.add({ hours: 1 }));
    expect(await one('select count(*)::int as n, max(revision) as revision from content.stories')).toEqual({
      n: ids.length,
      revision: 1,
    });
  });
});

describe('the generator', () => {
  it('gives the same stories for the same seed, and others for another', () => {
    const some = (seed: number) => [...generateStories(50, { seed, until: NOW })].join('\n');
    expect(some(1)).toBe(some(1));
    expect(some(1)).not.toBe(some(2));
  });

  it('gives records that are accepted, from 1997 until now, of every section', () => {
    const sections = new Set<string>();
    let characters = 0;
    for (const line of generateStories(1_000, { seed: 3, until: NOW })) {
      const record = JSON.parse(line);
      characters += record.body.length;
      const result = readRecord(record, recordDigest(line), SETTINGS, NOW);
      if (result.kind === 'refused') throw new Error(result.reason);
      sections.add(result.story.section.slug);
      expect(result.story.body.length).toBeGreaterThan(4);
      expect(
        result.story.publishedAt.toString() >= '1996-12-31' &&
          Temporal.Instant.compare(result.story.publishedAt, NOW) <= 0,
      ).toBe(true);
    }
    expect(sections.size).toBe(8);
    expect(characters / 1_000).toBeGreaterThan(3_000);
    expect(characters / 1_000).toBeLessThan(4_500);
  });
});
