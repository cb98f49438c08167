import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { elementsSchema, elementText } from '#content';
import { importWxr } from '#importers';
import { type TestDatabase, testDatabase } from '../db.ts';
import { letters, textOf } from './letters.ts';

/** The folder with real exports; where it is not given, these tests are skipped. */
const INPUT = process.env.REAL_INPUT ?? '';
const OPTIONS = {
  settings: { zone: 'Asia/Kolkata', language: 'en', defaultAccess: 'metered' },
  now: Temporal.Instant.from('2026-11-23T06:00:00Z'),
} as const;

describe.skipIf(INPUT === '')('real exports of WordPress', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());

  it('arrive, or are refused with a reason: item for item, whatever the file', async () => {
    const files = await readdir(join(INPUT, 'wxr'), { recursive: true, withFileTypes: true });
    let stories = 0;
    for (const file of files.filter((one) => one.isFile())) {
      const path = join(file.parentPath, file.name);
      const report = await importWxr(database.db, [path], OPTIONS);
      const kinds = Object.entries(report.leftOut).flatMap(([what, times]) =>
        /^[a-z_0-9]+(?: \(\w+\))?$/.test(what) && what !== 'comment' ? [times] : [],
      );
      const { created, refusedCount, skipped, updated } = report;
      stories += created + updated;
      const told = created + updated + skipped + refusedCount + kinds.reduce((sum, times) => sum + times, 0);
      const items = (await readFile(path, 'utf8')).match(/<item[ >]/g)?.length ?? 0;
      // A file that breaks off, or is another company's, says so once for all that is lost.
      if (report.truncated) expect([file.name, report.refused.length > 0]).toEqual([file.name, true]);
      else expect([file.name, told]).toEqual([file.name, items]);
      for (const { reason } of report.refused) expect(reason.length).toBeGreaterThan(8);
    }
    expect(stories).toBeGreaterThan(500);
  }, 120_000);

  it.each([
    ['a blog of 224 items', 'real-blog/cc-labs.wordpress.xml', 200],
    ['the unit test of themes', 'wptt/themeunittestdata.wordpress.xml', 50],
    ['the unit test of blocks', 'wptt/64-block-test-data.xml', 50],
  ])(
    'are story by story what the file says: %s',
    async (_, name, least) => {
      await database.pool.query('truncate content.stories cascade');
      const path = join(INPUT, 'wxr', name);
      await importWxr(database.db, [path], OPTIONS);
      const text = await readFile(path, 'utf8');
      const authors = new Map(
        Array.from(text.matchAll(/<wp:author>([\s\S]*?)<\/wp:author>/g), ([, one = '']) => [
          fieldOf(one, 'wp:author_login'),
          fieldOf(one, 'wp:author_display_name'),
        ]),
      );
      let compared = 0;
      for (const [, item = ''] of text.matchAll(/<item>([\s\S]*?)<\/item>/g)) {
        if (
          !/^(?:post|page)$/.test(fieldOf(item, 'wp:post_type')) ||
          fieldOf(item, 'wp:status') !== 'publish'
        )
          continue;
        const { rows } = await database.pool.query(
          `select r.headline, r.authors, s.published_at, s.origin_url, b.elements from content.stories s
        join content.revisions r on r.story_id = s.id and r.number = s.revision
        join content.bodies b on b.story_id = s.id and b.revision = s.revision where s.source_id = $1`,
          [fieldOf(item, 'wp:post_id')],
        );
        const [story] = rows;
        const id = `${name} ${fieldOf(item, 'wp:post_id')}`;
        const title = fieldOf(item, 'title');
        const body = fieldOf(item, 'content:encoded');
        if (title !== '')
          expect([id, letters(story?.headline)]).toEqual([id, letters(textOf(textOf(title)))]);
        const creator = fieldOf(item, 'dc:creator');
        expect([id, story.authors[0]?.name]).toEqual([id, authors.get(creator) || creator]);
        const gmt = fieldOf(item, 'wp:post_date_gmt');
        if (!gmt.startsWith('0000'))
          expect([id, new Date(story.published_at).toISOString()]).toEqual([
            id,
            `${gmt.replace(' ', 'T')}.000Z`,
          ]);
        expect([id, story.origin_url]).toEqual([id, fieldOf(item, 'link')]);
        // Shortcodes, scripts and forms go; what is left of the others is every letter of them.
        if (
          !/\[\w|<(?:script|style|form|svg|iframe|video|audio|object|embed|img|textarea|select)|&(?!amp|lt|gt|quot|nbsp|#\d)/i.test(
            body,
          )
        ) {
          const elements = elementsSchema.parse(story.elements);
          // In whatever order: the caption of a table stands above it here.
          expect([id, sorted(elements.map(elementText).join(' '))]).toEqual([id, sorted(textOf(body))]);
          compared++;
        }
      }
      expect(compared).toBeGreaterThan(least / 4);
    },
    60_000,
  );
});

const sorted = (text: string) => [...letters(text)].sort().join('');

/** The text of one element of an item, by a way that has nothing in common with the importer's. */
function fieldOf(item: string, name: string): string {
  const raw = new RegExp(`<${name}(?: [^>]*)?>([\\s\\S]*?)</${name}>`).exec(item)?.[1] ?? '';
  const pieces = raw.match(/<!\[CDATA\[[\s\S]*?\]\]>/g);
  return (pieces === null ? textOf(raw) : pieces.map((piece) => piece.slice(9, -3)).join('')).trim();
}
