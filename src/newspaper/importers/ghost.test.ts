import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { elementText, type StoryElement } from '#content';
import { folderStore, type ObjectStore } from '#platform/object-store';
import { type TestDatabase, testDatabase } from '../../../test/db.ts';
import { type GhostBody, readGhostBody } from './ghost-bodies.ts';
import { importGhost } from './import-ghost.ts';
import type { ImportReport } from './import-run.ts';

const OPTIONS = {
  settings: { zone: 'Asia/Kolkata', language: 'en-IN', defaultAccess: 'metered' },
  now: Temporal.Instant.from('2026-11-23T06:00:00Z'),
} as const;

let database: TestDatabase;
let folder: string;
let objects: ObjectStore;
beforeAll(async () => {
  database = await testDatabase();
  folder = await mkdtemp(join(tmpdir(), 'broadsheet-ghost-'));
  objects = folderStore(join(folder, 'kept'));
});
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await database.pool.query('truncate content.stories, content.old_places, media.pictures cascade');
});

type Post = Record<string, unknown>;

const post = (given: Post = {}): Post => ({
  id: '5a1',
  title: 'Ferry fares to rise',
  slug: 'ferry-fares',
  html: '<p>The harbour board said so.</p>',
  status: 'published',
  type: 'post',
  visibility: 'public',
  published_at: '2019-01-05T10:00:00.000Z',
  updated_at: '2019-01-06T10:00:00.000Z',
  ...given,
});

/** An export as Ghost writes one. */
function ghost(posts: readonly Post[], more: Record<string, unknown> = {}): string {
  const data = {
    posts,
    posts_tags: [
      { post_id: '5a1', tag_id: 't2', sort_order: 1 },
      { post_id: '5a1', tag_id: 't1', sort_order: 0 },
      { post_id: '5a1', tag_id: 't3', sort_order: 2 },
    ],
    posts_authors: [{ post_id: '5a1', author_id: '1', sort_order: 0 }],
    settings: [{ key: 'db_hash', value: 'abc' }],
    tags: [
      { id: 't1', name: 'Ports', slug: 'ports' },
      { id: 't2', name: 'Fares', slug: 'fare-rises' },
      { id: 't3', name: '#newsletter', slug: 'hash-newsletter', visibility: 'internal' },
    ],
    users: [{ id: '1', name: 'Tara Nambiar', slug: 'tara' }],
    ...more,
  };
  return JSON.stringify({ db: [{ meta: { version: '5.0.0' }, data }] });
}

async function run(bytes: string | Buffer, name = 'ghost.json', dryRun = false): Promise<ImportReport> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return importGhost(database.db, [path], { ...OPTIONS, objects, dryRun });
}

async function stored(): Promise<Record<string, unknown>[]> {
  const { rows } = await database.pool.query(`
    select s.source, s.source_id, s.section, s.access, s.state, s.published_at, s.updated_at, s.extra, s.language,
      r.headline, r.standfirst, r.authors, r.picture, r.preview, b.elements,
      array(select topic_slug from topics.story_topics t where t.story_id = s.id order by position) as topics,
      array(select path from content.old_addresses o where o.story_id = s.id order by path) as stood
    from content.stories s join content.revisions r on r.story_id = s.id and r.number = s.revision
    join content.bodies b on b.story_id = s.id and b.revision = s.revision order by s.source_id`);
  return rows;
}

const textOf = (elements: unknown) => (elements as StoryElement[]).map(elementText).join(' | ');

describe('posts of Ghost', () => {
  it('arrive without what has no name, and without what is nested beyond reason', async () => {
    const tags = [
      { id: 't1', name: 'Ports' },
      { id: 't2', name: ' ' },
      { id: 't3', name: '' },
    ];
    const bad = post({ id: '5a1', lexical: '{"a":1,"b":'.repeat(20_000) });
    expect(await run(ghost([bad], { tags }))).toMatchObject({ created: 1, refused: [] });
    expect((await stored())[0]).toMatchObject({ section: 'ports', topics: [] });
    expect(textOf((await stored())[0]?.elements)).toBe('The harbour board said so.');
  });

  it('in a script that no address can say go by the words that Ghost had for their lists', async () => {
    const more = {
      tags: [
        { id: 't1', name: 'खेती', slug: 'khetii' },
        { id: 't2', name: 'मंडी भाव', slug: 'mnddii-bhaav' },
      ],
      users: [{ id: '1', name: 'मीरा राव', slug: 'meera' }],
    };
    await run(ghost([post()], more));
    const [story] = await stored();
    expect(story).toMatchObject({
      section: 'khetii',
      topics: ['mnddii-bhaav'],
      authors: [{ slug: 'meera', name: 'मीरा राव' }],
    });
  });

  it('arrive with section, topics, byline, dates, level, picture, and where they and their lists stood', async () => {
    const given = post({
      custom_excerpt: 'Six years on',
      visibility: 'members',
      feature_image: '__GHOST_URL__/content/images/2019/01/pier.jpg',
      meta_title: 'Fares',
      codeinjection_head: null,
    });
    const meta = {
      posts_meta: [{ post_id: '5a1', feature_image_alt: 'The pier', feature_image_caption: 'By <b>sea</b>' }],
    };
    expect(await run(ghost([given], meta))).toMatchObject({ created: 1, refused: [] });
    const [story] = await stored();
    expect(story).toMatchObject({
      source: 'ghost abc',
      source_id: '5a1',
      headline: 'Ferry fares to rise',
      standfirst: 'Six years on',
      section: 'ports',
      topics: ['fares'],
      authors: [{ name: 'Tara Nambiar', slug: 'tara-nambiar' }],
      access: 'registered',
      state: 'published',
      published_at: '2019-01-05 10:00:00+00',
      updated_at: '2019-01-06 10:00:00+00',
      picture: { url: '/content/images/2019/01/pier.jpg', alt: 'The pier', caption: 'By sea', credit: '' },
      extra: { meta_title: 'Fares', visibility: 'members' },
      stood: ['/ferry-fares'],
    });
    const { rows } = await database.pool.query(
      'select path, kind, name from content.old_places order by path',
    );
    expect(rows.map(({ kind, name, path }) => `${path} ${kind} ${name}`)).toEqual([
      '/author/tara author tara-nambiar',
      '/tag/fare-rises topic fares',
      '/tag/ports section ports',
    ]);
  });

  it.each([
    ['public', 'free'],
    ['members', 'registered'],
    ['paid', 'premium'],
    ['tiers', 'premium'],
    ['label:vip', 'premium'],
    [undefined, 'free'],
  ])('for %s are %s', async (visibility, access) => {
    await run(ghost([post({ visibility })]));
    expect((await stored())[0]?.access).toBe(access);
  });

  it.each<[string, Post, string]>([
    ['a draft', { status: 'draft', published_at: null, created_at: '2019-01-01T00:00:00.000Z' }, 'draft'],
    ['one that was only mailed', { status: 'sent' }, 'draft'],
    ['one that is scheduled', { status: 'scheduled', published_at: '2026-12-01T10:00:00.000Z' }, 'published'],
  ])('that nobody can read yet stay so: %s', async (_, given, state) => {
    await run(ghost([post(given)]));
    const [story] = await stored();
    const live = String(story?.published_at) < '2026-11-23';
    expect([story?.state, story?.state === 'published' && live]).toEqual([state, false]);
  });

  it('of every version say their dates and pages in their own ways', async () => {
    const old = {
      db: [
        {
          data: {
            posts: [
              post({
                id: 1,
                page: 1,
                type: undefined,
                published_at: 1388318310783,
                updated_at: 1388318310783,
              }),
              post({
                id: 2,
                published_at: '2016-01-05 10:00:00',
                updated_at: null,
                author_id: 7,
                language: 'en_US',
              }),
            ],
            users: [{ id: 7, name: 'Kabir' }],
          },
        },
      ],
    };
    await run(JSON.stringify(old));
    const flat = { data: { posts: [post({ id: '3' })], tags: [] } };
    await run(JSON.stringify(flat), 'flat.json');
    const tags = [{ name: 'Nation', slug: 'nation' }];
    await run(
      JSON.stringify({ posts: [post({ id: '4', tags, primary_author: { name: 'Asha' } })] }),
      'api.json',
    );
    expect(
      (await stored()).map(({ authors, published_at, section }) => [
        section,
        String(published_at).slice(0, 10),
        (authors as { name: string }[])[0]?.name,
      ]),
    ).toEqual([
      ['pages-section', '2013-12-29', undefined],
      ['general', '2016-01-05', 'Kabir'],
      ['general', '2019-01-05', undefined],
      ['nation', '2019-01-05', 'Asha'],
    ]);
  });

  it('show everybody what stood before the place that only members pass', async () => {
    const paywall = { type: 'paywall' };
    const paragraph = (text: string) => ({
      type: 'paragraph',
      children: [{ type: 'extended-text', text, format: 0 }],
    });
    const lexical = (children: unknown[]) => JSON.stringify({ root: { children } });
    await run(
      ghost([
        post({
          id: '1',
          visibility: 'paid',
          lexical: lexical([paragraph('Open.'), paywall, paragraph('Locked.')]),
        }),
        post({ id: '2', visibility: 'paid', html: '<p>Open.</p><!--members-only--><p>Locked.</p>' }),
        post({ id: '3', visibility: 'paid', lexical: lexical([paywall, paragraph('Locked.')]) }),
      ]),
    );
    expect((await stored()).map(({ elements, preview }) => [textOf(preview), textOf(elements)])).toEqual([
      ['Open.', 'Open. | Locked.'],
      ['Open.', 'Open. | Locked.'],
      ['', 'Locked.'],
    ]);
  });

  it('are imported again without a change, and with one where something changed', async () => {
    const again = ghost([post(), post({ id: '5a2' })]);
    await run(again);
    expect(await run(again)).toMatchObject({ created: 0, updated: 0, skipped: 2 });
    expect(await run(ghost([post({ html: '<p>No.</p>' }), post({ id: '5a2' })]))).toMatchObject({
      updated: 1,
      skipped: 1,
    });
  });

  it('say what of them was left out, and which had it first', async () => {
    const signUp = JSON.stringify({ root: { children: [{ type: 'signup' }, { type: 'email' }] } });
    const posts = [post(), post({ id: '2', status: 'sent' }), post({ id: '3', lexical: signUp })];
    // Of which the body is read before those of the others.
    const cut = signUp.replace('[', '[{"type":"paywall"},');
    posts.push(post({ id: '4', lexical: cut }));
    const { leftOut, leftOutFirst } = await run(ghost(posts, { members: [{ id: 'm1' }] }));
    expect(leftOut).toMatchObject({ 'card signup': 2, members: 1 });
    expect(leftOutFirst).toEqual({
      'card signup': 'ghost.json:3',
      'card email': 'ghost.json:3',
      'post that was only mailed (the story is a draft)': 'ghost.json:2',
    });
  });

  it('that are broken are refused alone, and a file that breaks off is told', async () => {
    const text = ghost([
      post(),
      post({ id: '2', published_at: null }),
      post({ id: '3', title: '' }),
      post({ id: '4' }),
    ]);
    const { created, refused } = await run(text.replace('"id":"4"', '"id":oops'));
    expect([created, refused]).toEqual([
      1,
      [
        { at: 'ghost.json:2', reason: 'it has no date' },
        { at: 'ghost.json:3', reason: 'headline is blank' },
        { at: 'ghost.json:4', reason: 'it is not JSON' },
      ],
    ]);
    const cut = await run(ghost([post({ id: '7' }), post({ id: '8' })]).slice(0, -700), 'cut.json');
    expect([cut.created, cut.truncated, cut.refused.at(-1)?.reason]).toEqual([
      1,
      true,
      'the file ends in the middle of "posts"',
    ]);
    const none = await run('{"hello":[{"a":1}]}', 'none.json');
    expect([none.truncated, none.refused]).toEqual([
      true,
      [{ at: 'none.json', reason: 'it is no export of Ghost: it has no list of posts' }],
    ]);
  });
});

describe('a body of Ghost', () => {
  const read = (given: Partial<GhostBody>) => {
    const left: string[] = [];
    const body = { lexical: '', mobiledoc: '', html: '', markdown: '', ...given };
    return { ...readGhostBody(body, {}, (what) => left.push(what)), left };
  };
  const lexical = (...children: unknown[]) => read({ lexical: JSON.stringify({ root: { children } }) });
  const text = (words: string, format = 0) => ({ type: 'extended-text', text: words, format });

  it.each<[string, unknown, unknown]>([
    [
      'a paragraph',
      {
        type: 'paragraph',
        children: [
          text('Bold', 1),
          text(' & '),
          text('both', 3),
          { type: 'linebreak' },
          { type: 'link', url: '/x/', children: [text('on')] },
        ],
      },
      {
        kind: 'paragraph',
        text: [
          { text: 'Bold', marks: ['strong'] },
          { text: ' & ' },
          { text: 'both', marks: ['strong', 'emphasis'] },
          { text: '\n' },
          { text: 'on', href: '/x/' },
        ],
      },
    ],
    [
      'a heading',
      { type: 'extended-heading', tag: 'h2', children: [text('Why')] },
      { kind: 'heading', level: 2, text: [{ text: 'Why' }] },
    ],
    [
      'a quotation',
      { type: 'extended-quote', children: [text('So')] },
      { kind: 'quote', paragraphs: [[{ text: 'So' }]] },
    ],
    [
      'a list',
      {
        type: 'list',
        listType: 'number',
        children: [
          { type: 'listitem', children: [text('a')] },
          {
            type: 'listitem',
            children: [
              { type: 'list', listType: 'bullet', children: [{ type: 'listitem', children: [text('b')] }] },
            ],
          },
        ],
      },
      {
        kind: 'list',
        ordered: true,
        items: [
          {
            text: [{ text: 'a' }],
            list: { kind: 'list', ordered: false, items: [{ text: [{ text: 'b' }] }] },
          },
        ],
      },
    ],
    [
      'a picture',
      { type: 'image', src: 'https://old.example/a.jpg', alt: 'A', caption: 'By <i>sea</i>' },
      { kind: 'picture', url: 'https://old.example/a.jpg', alt: 'A', caption: 'By sea', credit: '' },
    ],
    ['code', { type: 'codeblock', code: 'a < b', language: 'js' }, { kind: 'preformatted', text: 'a < b' }],
    [
      'a film',
      { type: 'embed', url: 'https://www.youtube.com/watch?v=abcdef12345', metadata: { title: 'A film' } },
      { kind: 'embed', url: 'https://www.youtube.com/watch?v=abcdef12345', title: 'A film' },
    ],
    [
      'a bookmark',
      { type: 'bookmark', url: 'https://other.example/a', metadata: { title: 'Elsewhere', icon: 'x' } },
      { kind: 'embed', url: 'https://other.example/a', title: 'Elsewhere' },
    ],
    [
      'a call',
      { type: 'callout', calloutEmoji: '💡', calloutText: 'Note <b>this</b>' },
      { kind: 'paragraph', text: [{ text: '💡 Note ' }, { text: 'this', marks: ['strong'] }] },
    ],
    [
      'a button',
      { type: 'button', buttonUrl: 'https://other.example/', buttonText: 'Go' },
      { kind: 'paragraph', text: [{ text: 'Go', href: 'https://other.example/' }] },
    ],
    [
      'a table in HTML',
      { type: 'html', html: '<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>' },
      {
        kind: 'table',
        caption: '',
        head: [[{ text: 'a' }], [{ text: 'b' }]],
        rows: [[[{ text: '1' }], [{ text: '2' }]]],
      },
    ],
    [
      'Markdown',
      { type: 'markdown', markdown: '## Why' },
      { kind: 'heading', level: 2, text: [{ text: 'Why' }] },
    ],
  ])('has %s of Lexical as an element', (_, node, element) => {
    expect(lexical(node).body).toEqual([element]);
  });

  it('has a fold, a gallery, a product and a header as what they say', () => {
    const { body } = lexical(
      { type: 'toggle', heading: 'Q', content: '<p>A</p>' },
      {
        type: 'gallery',
        images: [{ src: 'https://old.example/a.jpg' }, { src: 'https://old.example/b.jpg' }],
        caption: 'Both',
      },
      {
        type: 'product',
        productTitle: 'Tea',
        productDescription: '<p>Good</p>',
        productUrl: 'https://other.example/',
        productButton: 'Buy',
      },
      { type: 'header', header: 'Welcome', subheader: 'all' },
      { type: 'horizontalrule' },
      { type: 'paragraph', children: [text('End')] },
    );
    expect(body.map((one) => `${one.kind} ${elementText(one)}`)).toEqual([
      'heading Q',
      'paragraph A',
      'picture ',
      'picture Both',
      'heading Tea',
      'paragraph Good',
      'paragraph Buy',
      'heading Welcome',
      'paragraph all',
      'divider ',
      'paragraph End',
    ]);
  });

  it('loses nothing to a tag or a comment that somebody never closed', () => {
    const { body } = lexical(
      { type: 'html', html: '<table><tr><td>a</td><td>b<!-- and' },
      { type: 'horizontalrule' },
      { type: 'markdown', markdown: '<div><script>' },
      { type: 'paragraph', children: [text('End')] },
    );
    expect(body.map((one) => one.kind)).toEqual(['table', 'divider', 'paragraph']);
  });

  it('leaves out what is for mails alone and what asks for something, and says so', () => {
    const { body, left } = lexical(
      { type: 'email', html: '<p>Dear reader</p>' },
      { type: 'signup' },
      { type: 'audio', src: '/content/media/a.mp3', title: 'Talk' },
    );
    expect([body, left]).toEqual([[], ['card email', 'card signup', 'file of a card audio']]);
    const html = '<p>Vote</p><script src="https://polls.example/a.js"></script><script>vote()</script>';
    expect(lexical({ type: 'html', html }).left).toEqual(['script', 'script']);
  });

  it('reads mobiledoc: marks, breaks, lists, pictures and cards', () => {
    const mobiledoc = {
      version: '0.3.1',
      atoms: [['soft-return', '', {}]],
      cards: [
        ['image', { src: 'https://old.example/a.jpg' }],
        ['hr', {}],
        ['card-markdown', { markdown: '*So*' }],
        ['nonsense', {}],
      ],
      markups: [['strong'], ['a', ['href', 'https://other.example/']], ['script']],
      sections: [
        [1, 'h2', [[0, [], 0, 'Why']]],
        [
          1,
          'p',
          [
            [0, [0], 0, 'Bold '],
            [0, [1], 2, 'link'],
            [1, [], 0, 0],
            [0, [2], 1, 'on <b>'],
          ],
        ],
        [3, 'ol', [[[0, [], 0, 'one']], [[0, [], 0, 'two']]]],
        [10, 0],
        [10, 1],
        [10, 2],
        [10, 3],
        [10, 99],
        [2, 'https://old.example/b.jpg'],
      ],
    };
    const { body, left } = read({ mobiledoc: JSON.stringify(mobiledoc), html: '<p>Not this</p>' });
    expect(body.map((one) => `${one.kind} ${elementText(one)}`)).toEqual([
      'heading Why',
      'paragraph Bold link\non <b>',
      'list one\ntwo',
      'picture ',
      'divider ',
      'paragraph So',
      'picture ',
    ]);
    expect(body[1]).toMatchObject({
      text: [
        { text: 'Bold', marks: ['strong'] },
        { text: ' ' },
        { text: 'link', marks: ['strong'], href: 'https://other.example/' },
        { text: '\non <b>' },
      ],
    });
    expect(left).toEqual(['card nonsense']);
  });

  it.each<[string, Partial<GhostBody>]>([
    ['no JSON', { lexical: '{oops', mobiledoc: '[', html: '<p>Words</p>' }],
    [
      'something else',
      { lexical: '{"root":5}', mobiledoc: '{"version":"0.2","sections":[]}', html: '<p>Words</p>' },
    ],
    ['Markdown alone', { markdown: 'Words' }],
  ])('falls back to what was made of it: %s', (_, given) => {
    expect(textOf(read(given).body)).toBe('Words');
  });

  it('never throws and runs nothing, whatever a document holds', () => {
    const deep = JSON.parse(`${'{"type":"list","children":['.repeat(2_000)}${']}'.repeat(2_000)}`);
    const odd = [
      null,
      5,
      [],
      {},
      { type: 5 },
      { type: 'toString' },
      { type: '__proto__' },
      { type: 'paragraph', children: 5 },
      deep,
    ];
    expect(() => lexical(...odd)).not.toThrow();
    const { body } = lexical(
      { type: 'html', html: '<script>alert(1)</script><p onclick="x">Fine</p>' },
      {
        type: 'paragraph',
        children: [
          { type: 'link', url: 'javascript:alert(1)', children: [text('no')] },
          text('<img src=x onerror=alert(1)>'),
        ],
      },
    );
    expect(body).toEqual([
      { kind: 'paragraph', text: [{ text: 'Fine' }] },
      { kind: 'paragraph', text: [{ text: 'no<img src=x onerror=alert(1)>' }] },
    ]);
  });
});

describe('a zip archive', () => {
  type File = { name: string; bytes: Buffer; mode?: number; says?: number };

  /** Writes a zip archive by hand, so that it may say what no program writes. */
  function zip(files: readonly File[]): Buffer {
    const parts: Buffer[] = [];
    const directory: Buffer[] = [];
    let at = 0;
    for (const { bytes, mode = 0o100644, name, says = bytes.length } of files) {
      const packed = deflateRawSync(bytes);
      const title = Buffer.from(name);
      const head = Buffer.alloc(26);
      head.writeUInt16LE(20, 0);
      head.writeUInt16LE(0x800, 2);
      head.writeUInt16LE(8, 4);
      head.writeUInt32LE(crc32(bytes), 10);
      head.writeUInt32LE(packed.length, 14);
      head.writeUInt32LE(says, 18);
      head.writeUInt16LE(title.length, 22);
      const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), head, title, packed]);
      const tail = Buffer.alloc(14);
      tail.writeUInt32LE(mode * 0x10000, 6);
      tail.writeUInt32LE(at, 10);
      directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x03', 'latin1'), head, tail, title]));
      parts.push(local);
      at += local.length;
    }
    const central = Buffer.concat(directory);
    const end = Buffer.alloc(18);
    end.writeUInt16LE(files.length, 4);
    end.writeUInt16LE(files.length, 6);
    end.writeUInt32LE(central.length, 8);
    end.writeUInt32LE(at, 12);
    return Buffer.concat([...parts, central, Buffer.from('PK\x05\x06', 'latin1'), end]);
  }

  const jpeg = () =>
    sharp({ create: { width: 60, height: 40, channels: 3, background: '#246' } })
      .jpeg()
      .toBuffer();
  const given = () =>
    Buffer.from(ghost([post({ feature_image: '__GHOST_URL__/content/images/size/w600/2019/01/pier.jpg' })]));

  it.each(['', 'backup/', 'old/backup/'])(
    'holds an export and its pictures, in the folder "%s"',
    async (base) => {
      const posts = [
        { feature_image: '__GHOST_URL__/content/images/size/w600/2019/01/pier.jpg' },
        { id: '5a2', feature_image: '__GHOST_URL__/content/images/2019/01/gone.jpg' },
      ];
      const all = zip([
        { name: `${base}export.json`, bytes: Buffer.from(ghost(posts.map(post))) },
        { name: `${base}content/images/2019/01/pier.jpg`, bytes: await jpeg() },
        { name: `${base}content/themes/casper/package.json`, bytes: Buffer.from('{}') },
      ]);
      const missing = { at: '/content/images/2019/01/gone.jpg', reason: 'it is not in the archive' };
      const ahead = { shown: 2, found: 1, missing: 1, missingFirst: [missing] };
      expect((await run(all, 'all.zip', true)).picturesAhead).toMatchObject(ahead);
      const { created, pictures, refused } = await run(all, 'all.zip');
      expect([created, pictures.added, pictures.refused, refused]).toEqual([2, 1, [missing], []]);
      expect((await stored())[0]?.picture).toMatchObject({ pictureId: expect.any(String) });
    },
  );

  it('has files that are refused, each alone, and the rest arrives', async () => {
    const huge = Buffer.alloc(40_000_000);
    const report = await run(
      zip([
        { name: '../../../etc/cron.d/evil', bytes: Buffer.from('x') },
        { name: '/etc/passwd', bytes: Buffer.from('x') },
        { name: 'C:/windows/evil', bytes: Buffer.from('x') },
        { name: 'content/images/2019/01/pier.jpg', bytes: Buffer.from('/etc/passwd'), mode: 0o120777 },
        { name: 'content/images/bomb.jpg', bytes: huge },
        { name: 'bomb.json', bytes: huge },
        { name: 'content/images/a.jpg', bytes: await jpeg() },
        { name: 'content/images/a.jpg', bytes: Buffer.from('another') },
        { name: 'export.json', bytes: given() },
      ]),
      'hostile.zip',
    );
    expect(report.created).toBe(1);
    const out = 'its name leads out of the archive';
    const bomb = 'it unpacks to 38 MB, more than 200 times of its size';
    expect(report.refused).toEqual([
      { at: 'hostile.zip ../../../etc/cron.d/evil', reason: out },
      { at: 'hostile.zip /etc/passwd', reason: out },
      { at: 'hostile.zip C:/windows/evil', reason: out },
      {
        at: 'hostile.zip content/images/2019/01/pier.jpg',
        reason: 'it is a link to another file, or no file at all',
      },
      { at: 'hostile.zip content/images/bomb.jpg', reason: bomb },
      { at: 'hostile.zip bomb.json', reason: bomb },
      { at: 'hostile.zip content/images/a.jpg', reason: 'a file of this name stood already before' },
    ]);
  });

  it('that lies about the size of a file is found out as it is read', async () => {
    const long = Buffer.from(ghost([post({ html: `<p>${'x'.repeat(100_000)}</p>` })]));
    const { created, refused, truncated } = await run(
      zip([{ name: 'export.json', bytes: long, says: 5_000 }]),
      'liar.zip',
    );
    expect([created, truncated, refused.length]).toEqual([0, true, 1]);
    const picture = await jpeg();
    const lying = await run(
      zip([
        { name: 'export.json', bytes: given() },
        {
          name: 'content/images/2019/01/pier.jpg',
          bytes: Buffer.concat([picture, Buffer.alloc(50_000_000)]),
          says: 1_000_000,
        },
      ]),
      'picture-liar.zip',
    );
    expect([lying.created, lying.pictures.added, lying.pictures.refused.length]).toEqual([1, 0, 1]);
  });

  it('that is broken or holds no export is refused as a whole, with the reason', async () => {
    const whole = zip([{ name: 'export.json', bytes: given() }]);
    await expect(run(whole.subarray(0, 200), 'cut.zip')).rejects.toThrow(
      /cut.zip is no zip archive that can be read/,
    );
    const empty = await run(zip([]), 'empty.zip');
    expect([empty.truncated, empty.refused]).toEqual([
      true,
      [{ at: 'empty.zip', reason: 'it holds no export of Ghost' }],
    ]);
  });
});
