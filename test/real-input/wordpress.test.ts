import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { elementsSchema, elementText } from '#content';
import { importWxr, pictureFolder } from '#importers';
import { folderStore } from '#platform/object-store';
import { type TestDatabase, testDatabase } from '../db.ts';
import { letters, textOf } from './letters.ts';

/** The folder with real exports; where it is not given, these tests are skipped. */
const INPUT = process.env.REAL_INPUT ?? '';
const OPTIONS = {
  settings: { zone: 'Asia/Kolkata', language: 'en', defaultAccess: 'metered' },
  now: Temporal.Instant.from('2026-11-23T06:00:00Z'),
} as const;

let folder: string;

describe.skipIf(INPUT === '')('real exports of WordPress', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
    folder = await mkdtemp(join(tmpdir(), 'broadsheet-wordpress-'));
  });
  afterAll(async () => {
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it('arrive, or are refused with a reason: item for item, whatever the file', async () => {
    const files = await readdir(join(INPUT, 'wxr'), { recursive: true, withFileTypes: true });
    let stories = 0;
    for (const file of files.filter((one) => one.isFile())) {
      const path = join(file.parentPath, file.name);
      const report = await importWxr(database.db, [path], OPTIONS);
      const kinds = Object.entries(report.leftOut).flatMap(([what, times]) =>
        /^[a-z_0-9]+(?: \((?:\w+|no picture)\))?$/.test(what) && what !== 'comment' ? [times] : [],
      );
      const { created, library, refusedCount, skipped, updated } = report;
      stories += created + updated;
      const told =
        library + created + updated + skipped + refusedCount + kinds.reduce((sum, times) => sum + times, 0);
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
      await database.pool.query('truncate content.stories, media.pictures, media.attachments cascade');
      const path = join(INPUT, 'wxr', name);
      const text = await readFile(path, 'utf8');
      const files = await makeUploads(text);
      const objects = folderStore(join(folder, 'kept'));
      const place = await pictureFolder(join(folder, 'uploads'));
      const report = await importWxr(database.db, [path], { ...OPTIONS, objects, pictures: place });
      expect(report.pictures.added > 0).toBe(files.size > 0);
      /** A picture of ours by what it is a picture of; one that is elsewhere by its address. */
      const bytesOf = async ({
        pictureId,
        url,
      }: {
        pictureId?: string | undefined;
        url?: string | undefined;
      }) =>
        pictureId === undefined
          ? url
          : (await objects.get(`media/${pictureId}/original`))?.toString('latin1').split('\n').at(-1);
      let pictures = 0;
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
          `select r.headline, r.authors, r.picture, s.published_at, s.origin_url, b.elements from content.stories s
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
        const thumbnail = /<wp:meta_key>(?:<!\[CDATA\[)?_thumbnail_id[\s\S]*?<wp:meta_value>\D*(\d+)/.exec(
          item,
        )?.[1];
        const lead = files.get(thumbnail ?? '');
        if (lead !== undefined) expect([id, await bytesOf(story.picture)]).toEqual([id, lead]);
        const named = Array.from(body.matchAll(/<img[^>]* src="([^"]+)"/g), ([, src = '']) => src);
        const elements = elementsSchema.parse(story.elements);
        const shown = await Promise.all(
          elements.map((one) => (one.kind === 'picture' ? bytesOf(one) : undefined)),
        );
        for (const src of named) {
          const file = [...files.values()].find((one) => one === originalName(src));
          if (file === undefined) continue;
          expect([id, shown]).toEqual([id, expect.arrayContaining([file])]);
          pictures++;
        }
        // Shortcodes, scripts and forms go, addresses become cards; what is left of the others is every letter of them.
        if (
          !/\[\w|<(?:script|style|form|svg|iframe|video|audio|object|embed|img|textarea|select)|<!-- wp:block |^[ \t]*https?:\S+\s*$|&(?!amp|lt|gt|quot|nbsp|#\d)/im.test(
            body,
          )
        ) {
          // In whatever order: the caption of a table stands above it here.
          const footnotes =
            /<wp:meta_key>(?:<!\[CDATA\[)?footnotes[\s\S]*?<\/wp:postmeta>/.exec(item)?.[0] ?? '';
          const notes = Array.from(footnotes.matchAll(/"content":"([^"]*)"/g), ([, words = '']) => words);
          expect([id, sorted(elements.map(elementText).join(' '))]).toEqual([
            id,
            sorted(textOf(body + notes.join(' '))),
          ]);
          compared++;
        }
      }
      expect(compared).toBeGreaterThan(least / 4);
      if (files.size > 20) expect(pictures).toBeGreaterThan(10);
    },
    60_000,
  );
});

/**
 * Makes a file for every picture that an export's library names, with its own name behind the picture.
 *
 * @returns those names, by the numbers that the library gives them
 */
async function makeUploads(text: string): Promise<Map<string, string>> {
  await rm(join(folder, 'uploads'), { recursive: true, force: true });
  await mkdir(join(folder, 'uploads'), { recursive: true });
  const pixel = await sharp({ create: { width: 3, height: 2, channels: 3, background: '#246' } })
    .jpeg()
    .toBuffer();
  const files = new Map<string, string>();
  for (const [, item = ''] of text.matchAll(/<item>([\s\S]*?)<\/item>/g)) {
    const name = originalName(fieldOf(item, 'wp:attachment_url'));
    if (!/\.(?:jpe?g|png|gif)$/i.test(name)) continue;
    await mkdir(join(folder, 'uploads', name, '..'), { recursive: true });
    await writeFile(join(folder, 'uploads', name), Buffer.concat([pixel, Buffer.from(`\n${name}`)]));
    files.set(fieldOf(item, 'wp:post_id'), name);
  }
  return files;
}

/** The last parts of a picture's path, as it was before the site made it smaller. */
const originalName = (address: string) =>
  decodeURIComponent(address)
    .replace(/\?.*$/, '')
    .replace(/-\d+x\d+(?=\.\w+$)/, '')
    .split('/')
    .slice(-3)
    .join('/');

const sorted = (text: string) => [...letters(text)].sort().join('');

/** The text of one element of an item, by a way that has nothing in common with the importer's. */
function fieldOf(item: string, name: string): string {
  const raw = new RegExp(`<${name}(?: [^>]*)?>([\\s\\S]*?)</${name}>`).exec(item)?.[1] ?? '';
  const pieces = raw.match(/<!\[CDATA\[[\s\S]*?\]\]>/g);
  return (pieces === null ? textOf(raw) : pieces.map((piece) => piece.slice(9, -3)).join('')).trim();
}
