import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepOldPlaces, type StoryElement, withdrawStory } from '#content';
import { addPicture } from '#media';
import { createLogger } from '#platform/log';
import { COMMANDS } from '../../src/main/commands.ts';
import { paragraph, storeStories, storyInput } from '../builders.ts';
import { type TestPaper, testPaper } from '../paper.ts';

/** A publisher takes the paper elsewhere: what is exported here is imported there, and is the same paper. */
let here: TestPaper;
let there: TestPaper;
let folder: string;
beforeAll(async () => {
  [here, there] = await Promise.all([testPaper(), testPaper()]);
  folder = await mkdtemp(join(tmpdir(), 'broadsheet-moving-out-'));
});
afterAll(async () => {
  await Promise.all([here.end(), there.end()]);
  await rm(folder, { recursive: true, force: true });
});

type Given = Record<string, string>;

function result(paper: TestPaper, name: string, args: string[], options: Given = {}) {
  const { signal } = new AbortController();
  const context = { paper, clock: paper.clock, log: createLogger('silent'), args, options, signal };
  return COMMANDS.find((one) => one.name === name)?.run(context as never);
}

async function command(paper: TestPaper, name: string, args: string[], options: Given = {}) {
  const { failure, json } = (await result(paper, name, args, options)) ?? {};
  expect(failure).toBeUndefined();
  return json as Record<string, unknown>;
}

const file = (name: string) => join(folder, name);
/** Pictures are given new names wherever they come to. */
const lines = async (name: string) =>
  (await readFile(file(name), 'utf8'))
    .replaceAll(/media\/[0-9a-f-]{36}\./g, 'media/ID.')
    .trim()
    .split('\n');

const EVERYTHING: StoryElement[] = [
  {
    kind: 'paragraph',
    text: [
      { text: 'Bold & <odd>', marks: ['strong', 'emphasis'] },
      { text: ' on\nlink', href: '/nation/' },
    ],
  },
  { kind: 'heading', level: 3, text: [{ text: 'Why' }] },
  {
    kind: 'list',
    ordered: true,
    items: [
      {
        text: [{ text: 'one' }],
        list: { kind: 'list', ordered: false, items: [{ text: [{ text: 'in' }] }] },
      },
    ],
  },
  { kind: 'quote', paragraphs: [[{ text: 'So' }], [{ text: 'it goes' }]], attribution: 'R. Rao' },
  { kind: 'picture', url: 'https://other.example/a.jpg', alt: 'A', caption: 'B', credit: 'C' },
  { kind: 'table', caption: 'Fares', head: [[{ text: 'a' }]], rows: [[[{ text: '1 | 2' }]], [[]]] },
  { kind: 'embed', url: 'https://www.youtube.com/watch?v=abcdef12345', title: 'A film' },
  { kind: 'preformatted', text: '  a < b\n' },
  { kind: 'divider' },
  { kind: 'correction', on: '2026-11-21', text: [{ text: 'It was nine.' }] },
];

describe('a paper', () => {
  it('that is exported and imported elsewhere is the same, story for story and picture for picture', async () => {
    const jpeg = await sharp({ create: { width: 60, height: 40, channels: 3, background: '#246' } })
      .jpeg()
      .toBuffer();
    const { id: pictureId } = await addPicture(
      { db: here.database.db, objects: here.objects },
      jpeg,
      here.clock.now(),
    );
    const words = { alt: 'A ferry', caption: 'The “Saraswati” & <co>', credit: 'R. Rao' };
    const soon = Temporal.Instant.from('2027-01-05T06:00:00.123456Z');
    const stored = await storeStories(here.database.db, [
      storyInput({
        sourceId: '1',
        headline: 'Use of <b> and &amp; in headlines',
        kicker: 'Ports',
        body: EVERYTHING,
        picture: { pictureId, ...words },
      }),
      storyInput({
        sourceId: '2',
        body: [paragraph('One.'), { kind: 'picture', pictureId, ...words }, paragraph('Two.')],
        preview: [paragraph('Another beginning.')],
        access: 'premium',
      }),
      storyInput({
        sourceId: '3',
        state: 'draft',
        section: { slug: 'about-us', name: 'À propos' },
        authors: [],
        topics: [],
      }),
      storyInput({
        sourceId: '4',
        publishedAt: soon,
        updatedAt: soon,
        embargoUntil: soon.add({ hours: 1 }),
        language: 'hi',
        headline: 'नाव का किराया',
        topics: [
          { slug: 'kheti', name: 'खेती' },
          { slug: 'ports', name: 'Ports' },
        ],
        authors: [{ slug: 'meera', name: 'मीरा राव' }],
      }),
      storyInput({
        sourceId: '5',
        oldAddresses: ['/2019/01/ferry', '/?p=47', '/समाचार/नाव'],
        originUrl: 'https://old.example/ferry',
        extra: { deck: ['a'], word_count: 3 },
      }),
      storyInput({ sourceId: '6', body: [] }),
    ]);
    await withdrawStory(here.database.db, stored[5]?.id ?? '', 'It was wrong', here.clock.now());
    await keepOldPlaces(here.database.db, [
      { path: '/category/nation', kind: 'section', name: 'nation' },
      { path: '/ferry/picture', kind: 'story', name: '/2019/01/ferry' },
    ]);
    // One that was written here, and comes from nowhere.
    await here.database.pool.query(
      `update content.stories set source = null, source_id = null where source_id = '2'`,
    );

    expect(await command(here, 'export', ['ndjson', file('here.ndjson')], { pictures: folder })).toEqual({
      stories: 6,
      pictures: 1,
      pictures_missing: [],
    });
    expect(
      await command(there, 'import', ['ndjson', file('here.ndjson')], { pictures: folder }),
    ).toMatchObject({ created: 6, refused: [], pictures: { added: 1 } });
    await command(there, 'export', ['ndjson', file('there.ndjson.gz')]);
    await command(there, 'export', ['ndjson', file('there.ndjson')]);
    expect(await lines('there.ndjson')).toEqual(await lines('here.ndjson'));
    expect((await readdir(folder)).filter((name) => name.endsWith('unfinished'))).toEqual([]);

    const lead = async (paper: TestPaper) => (await paper.get('/category/nation/')).headers.get('location');
    expect([await lead(here), await lead(there)]).toEqual(['/nation', '/nation']);
    // At the same address, with the same words, and the same ones open.
    for (const { path } of stored) {
      const [a, b] = await Promise.all([here.get(path), there.get(path)]);
      expect([path, b.status, b.headers.get('x-access')]).toEqual([
        path,
        a.status,
        a.headers.get('x-access'),
      ]);
    }
    // Whoever knows nothing of elements has HTML.
    const [first = ''] = (await lines('here.ndjson')).filter((line) => line.includes('"headline":"Use of'));
    expect(JSON.parse(first).body).toContain('<strong>Bold &amp; &lt;odd&gt;</strong>');
    // Again, and nothing changes.
    expect(await command(there, 'import', ['ndjson', file('here.ndjson')])).toMatchObject({
      created: 0,
      updated: 0,
      skipped: 6,
    });
  });

  it('keeps its own where another story has the end of an address already', async () => {
    const [one] = await storeStories(there.database.db, [storyInput({ sourceId: 'mine' })]);
    const [line = ''] = await lines('here.ndjson');
    const record = { ...JSON.parse(line), id: 'theirs', short_id: one?.shortId, headline: 'Theirs' };
    await writeFile(file('clash.ndjson'), `${JSON.stringify(record)}\n`);
    expect(await command(there, 'import', ['ndjson', file('clash.ndjson')])).toMatchObject({ created: 1 });
    const { rows } = await there.database.pool.query(
      `select short_id from content.stories where source_id in ('mine', 'theirs')`,
    );
    expect(new Set(rows.map((row) => row.short_id)).size).toBe(2);
  });
});

describe('pictures that are not to be had', () => {
  it('are told, and the rest is exported', async () => {
    const paper = await testPaper();
    const photo = async (background: string) => {
      const bytes = await sharp({ create: { width: 60, height: 40, channels: 3, background } })
        .jpeg()
        .toBuffer();
      return (await addPicture({ db: paper.database.db, objects: paper.objects }, bytes, paper.clock.now()))
        .id;
    };
    const [lost, whole] = [await photo('#246'), await photo('#642')];
    const words = { alt: '', caption: '', credit: '' };
    const shown = [lost, whole, '../nobody'].map((pictureId): StoryElement => {
      return { kind: 'picture', pictureId, ...words };
    });
    await storeStories(paper.database.db, [storyInput({ body: [paragraph('One.'), ...shown] })]);
    await paper.objects.remove(`media/${lost}/original`);
    const to = { pictures: file('some') };
    const { failure, json } = (await result(paper, 'export', ['ndjson', file('some.ndjson')], to)) ?? {};
    expect(json).toEqual({ stories: 1, pictures: 1, pictures_missing: [lost, '../nobody'] });
    expect(failure).toBe('2 pictures are not in the store');
    expect(await readdir(join(file('some'), 'media'))).toEqual([`${whole}.jpeg`]);
    expect(await lines('some.ndjson')).toHaveLength(1);
    await paper.end();
  });
});

describe('its readers', () => {
  it('are a list that can be imported elsewhere, and that no spreadsheet runs', async () => {
    await writeFile(
      file('in.csv'),
      `email,name,paid_through,rights,country,state,created_at,labels,newsletters,note,=Shoe size,stripe_customer_id
asha@post.example,=cmd|calc,2027-03-31,,IN,KA,2019-04-01,"vip,press",daily,@note,+38,
kabir@post.example,,,,,,last spring,,,,,cus_1
meera@post.example,,,"epaper 2027-03-31T18:30:00Z, reading 2027-06-30T18:30:00Z",,,,,,,,\n`,
    );
    await command(here, 'import', ['readers', file('in.csv')]);
    expect(await command(here, 'export', ['readers', file('out.csv')])).toEqual({ readers: 3 });
    const text = await readFile(file('out.csv'), 'utf8');
    expect(text).toContain(`asha@post.example,'=cmd|calc,2027-03-31T18:30:00Z,,IN,KA,`);
    expect(text).toContain(`,'=Shoe size,created_at (as given),stripe_customer_id\n`);
    expect(text).toContain(
      '2027-06-30T18:30:00Z,"epaper 2027-03-31T18:30:00Z, reading 2027-06-30T18:30:00Z"',
    );
    expect(text).not.toMatch(/(?:^|,)[=@+-]/m);
    expect(await command(there, 'import', ['readers', file('out.csv')])).toMatchObject({
      created: 3,
      granted: 2,
      refused: [],
    });
    await command(there, 'export', ['readers', file('again.csv')]);
    expect(await readFile(file('again.csv'), 'utf8')).toBe(text);
  });
});
