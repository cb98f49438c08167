import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { elementsSchema, elementText, type StoryElement } from '#content';
import { importGhost } from '#importers';
import { CallerError } from '#values/errors';
import { type TestDatabase, testDatabase } from '../db.ts';
import { letters, textOf } from './letters.ts';

/** The folder with real exports; where it is not given, these tests are skipped. */
const INPUT = process.env.REAL_INPUT ?? '';
const OPTIONS = {
  settings: { zone: 'Asia/Kolkata', language: 'en', defaultAccess: 'metered' },
  now: Temporal.Instant.from('2026-11-23T06:00:00Z'),
} as const;

type Row = Record<string, string> & { id: string | number };

describe.skipIf(INPUT === '')('real exports of Ghost', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());

  it('arrive, or are refused with a reason: post for post, whatever the file', async () => {
    const files = await readdir(join(INPUT, 'ghost'), { recursive: true, withFileTypes: true });
    const outcomes: Record<string, string> = {};
    let stories = 0;
    for (const file of files.filter((one) => one.isFile())) {
      const path = join(file.parentPath, file.name);
      try {
        const report = await importGhost(database.db, [path], OPTIONS);
        const { created, refused, skipped, truncated, updated } = report;
        stories += created;
        for (const { reason } of refused) expect(reason.length).toBeGreaterThan(8);
        outcomes[file.name] = truncated ? 'refused' : 'imported';
        if (truncated) continue;
        const posts = postsOf(JSON.parse(await readFile(path, 'utf8')));
        expect([file.name, created + updated + skipped + refused.length]).toEqual([file.name, posts.length]);
      } catch (error) {
        if (!(error instanceof CallerError)) throw error;
        outcomes[file.name] = 'refused';
      }
    }
    expect(stories).toBeGreaterThan(30);
    const imported = Object.keys(outcomes).filter((name) => outcomes[name] === 'imported');
    expect(imported).toEqual(
      expect.arrayContaining([
        'valid.json',
        'v2_export.json',
        'v3_export.json',
        'v4_export.json',
        'v5_export.json',
        'import-data-1.json',
      ]),
    );
    expect(outcomes).toMatchObject({
      'broken.json': 'refused',
      'symlinks.zip': 'refused',
      'malformed-comments.zip': 'refused',
    });
  });

  it.each([
    ['version 1', 'valid.json', 2],
    ['version 2', 'v2_export.json', 7],
    ['version 3', 'v3_export.json', 7],
    ['version 4', 'v4_export.json', 11],
    ['version 5', 'v5_export.json', 2],
  ])('are story by story what the file says: %s', async (_, name, count) => {
    await database.pool.query('truncate content.stories cascade');
    const path = join(INPUT, 'ghost/ghost-fixtures/export', name);
    await importGhost(database.db, [path], OPTIONS);
    const { data } = JSON.parse(await readFile(path, 'utf8')).db[0] as { data: Record<string, Row[]> };
    const users = new Map((data.users ?? []).map((user) => [user.id, user.name]));
    const posts = data.posts ?? [];
    expect(posts.length).toBe(count);
    for (const post of posts) {
      const { rows } = await database.pool.query(
        `select r.headline, r.standfirst, r.authors, r.picture, s.published_at, s.state, s.access, b.elements,
          array(select path from content.old_addresses o where o.story_id = s.id) as stood
        from content.stories s join content.revisions r on r.story_id = s.id and r.number = s.revision
        join content.bodies b on b.story_id = s.id and b.revision = s.revision where s.source_id = $1`,
        [String(post.id)],
      );
      const [story] = rows;
      const linked = (data.posts_authors ?? []).find((one) => one.post_id === post.id)?.author_id;
      expect({
        id: post.id,
        headline: story.headline,
        standfirst: story.standfirst,
        author: story.authors[0]?.name,
        picture: story.picture?.url,
        stood: story.stood,
        state: story.state,
        access: story.access,
      }).toEqual({
        id: post.id,
        headline: post.title,
        standfirst: (post.custom_excerpt ?? '').replace(/\s+/g, ' '),
        author: users.get(linked ?? '') ?? users.get(post.author_id ?? ''),
        picture: post.feature_image?.replace('__GHOST_URL__', ''),
        stood: [`/${post.slug}`],
        state: post.status,
        access: { public: 'free', members: 'registered', paid: 'premium' }[post.visibility ?? 'public'],
      });
      if (post.published_at)
        expect(new Date(story.published_at).toISOString()).toBe(new Date(post.published_at).toISOString());
      // What Ghost itself made of the body: every letter of it, and every picture.
      const html = (post.html ?? '')
        .replaceAll('__GHOST_URL__', '')
        // A card that leads elsewhere has the title of what is there, and no icons.
        .replace(/<figure class="kg-card kg-bookmark-card[\s\S]*?<\/figure>/g, '');
      const elements = elementsSchema.parse(story.elements);
      const pictures = Array.from(html.matchAll(/<img[^>]* src="([^"]+)"/g), ([, src]) => src);
      expect([post.id, elements.flatMap((one) => (one.kind === 'picture' ? [one.url] : []))]).toEqual([
        post.id,
        pictures,
      ]);
      expect([post.id, sorted(elements.map((one) => wordsOf(one)).join(' '))]).toEqual([
        post.id,
        sorted(textOf(html)),
      ]);
    }
  });
});

function postsOf(json: Record<string, never> & { data?: never }): unknown[] {
  const inside = (json as { db?: { data: { posts: unknown[] } }[] }).db?.[0]?.data ?? json.data ?? json;
  const found = inside as { posts?: unknown[]; data?: { posts: unknown[] } };
  return found.posts ?? found.data?.posts ?? [];
}

/** What a reader sees as text: not what stands for a picture, or what an embed is called. */
function wordsOf(element: StoryElement): string {
  if (element.kind === 'embed') return '';
  return element.kind === 'picture' ? element.caption : elementText(element);
}

/** In whatever order, and without the numbers of footnotes, which each program gives itself. */
const sorted = (text: string) => [...letters(text.replace(/\d+/g, ''))].sort().join('');
