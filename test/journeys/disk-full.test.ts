import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { importNdjson } from '#importers';
import { folderStore } from '#platform/object-store';
import { type StoredStory, storeStories, storyInput } from '../builders.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { scratchFolder } from '../scratch-folder.ts';
import { until } from './leaks.ts';

/** PostgreSQL still answers, and refuses to write: error 53100, as it says when its disk is full. */
let paper: TestPaper;
let read: StoredStory;
let unread: StoredStory;

beforeAll(async () => {
  paper = await testPaper();
  [read, unread] = (await storeStories(paper.database.db, [storyInput(), storyInput()])) as [
    StoredStory,
    StoredStory,
  ];
  // The section is heard of a moment after it is there, and what was made before that is not kept.
  await until(async () => (await paper.get('/nation')).status === 200);
  await (await paper.get(read.path)).text();
  await paper.database.pool.query(`
    create function public.disk_full() returns trigger language plpgsql as $$
    begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$`);
});
afterAll(() => paper.end());

async function fill(): Promise<void> {
  for (const table of ['access.meters', 'content.stories', 'access.day_totals']) {
    await paper.database.pool.query(
      `create trigger disk_full before insert or update on ${table} for each row execute function public.disk_full()`,
    );
  }
}

async function empty(): Promise<void> {
  for (const table of ['access.meters', 'content.stories', 'access.day_totals']) {
    await paper.database.pool.query(`drop trigger disk_full on ${table}`);
  }
}

it('a disk that is full stops neither reading nor, once there is room, counting', async () => {
  await fill();
  // Nobody can be counted: what is in memory is served as degraded, what is not stays shut.
  expect((await paper.get(read.path)).headers.get('x-access')).toBe('full');
  expect((await paper.get(unread.path)).headers.get('x-access')).not.toBe('full');
  expect((await paper.get('/')).status).toBe(200);
  await paper.access.flush();
  await empty();
  await expect.poll(async () => (await paper.get(unread.path)).headers.get('x-access')).toBe('full');
  await paper.access.flush();
  const { rows } = await paper.database.pool.query(
    "select sum(times)::int as times from access.day_totals where measure = 'full:degraded'",
  );
  expect(rows[0]?.times).toBeGreaterThan(0);
});

it('a disk that is full stops an import with one clear line, and the next run goes on from there', async () => {
  const folder = await scratchFolder('disk-full');
  const file = join(folder, 'archive.ndjson');
  const lines = Array.from({ length: 20 }, (_, at) =>
    JSON.stringify({
      id: `full-${at}`,
      headline: `Story ${at}`,
      body: '<p>Text.</p>',
      published_at: '2026-01-01',
    }),
  );
  await writeFile(file, lines.join('\n'));
  const options = { settings: paper.publication(), now: paper.clock.now() };
  await fill();
  await expect(importNdjson(paper.database.db, [file], options)).rejects.toThrow(/again|continue/i);
  await empty();
  expect(await importNdjson(paper.database.db, [file], options)).toMatchObject({ created: 20, refused: [] });
});

it('a picture that does not fit leaves no half of itself behind', async () => {
  const objects = folderStore(await scratchFolder('objects'));
  await objects.put('media/a/original', Buffer.from('whole'));
  await expect(objects.put('media/a/original/inside', Buffer.from('x'))).rejects.toThrow();
  expect((await objects.get('media/a/original'))?.toString()).toBe('whole');
});
