import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { elementText, type StoryElement } from '#content';
import { type TestDatabase, testDatabase } from '../../../test/db.ts';
import { htmlToElements } from './html.ts';
import type { ImportReport } from './import-run.ts';
import { importWxr } from './import-wxr.ts';
import { withoutWordpressShortcodes } from './wordpress-shortcodes.ts';
import { type BrokenItem, newSite, readWxr, type WxrItem, type WxrSite } from './wxr-reader.ts';

const OPTIONS = {
  settings: { zone: 'Asia/Kolkata', language: 'en-IN', defaultAccess: 'metered' },
  now: Temporal.Instant.from('2026-11-23T06:00:00Z'),
} as const;

let database: TestDatabase;
let folder: string;
beforeAll(async () => {
  database = await testDatabase();
  folder = await mkdtemp(join(tmpdir(), 'broadsheet-wxr-'));
});
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await database.pool.query('truncate content.stories, content.old_places cascade');
});

const cdata = (text: string) => `<![CDATA[${text.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`;

/** An item as WordPress writes one; `more` stands at its end. */
function item(given: Record<string, string> = {}, more = ''): string {
  const fields: Record<string, string> = {
    title: 'Ferry fares to rise',
    link: 'https://old.example/2019/01/ferry-fares/',
    'dc:creator': 'tara',
    'content:encoded': '<p>The harbour board said so.</p>',
    'excerpt:encoded': '',
    'wp:post_id': '47',
    'wp:post_date': '2019-01-05 15:30:00',
    'wp:post_date_gmt': '2019-01-05 10:00:00',
    'wp:status': 'publish',
    'wp:post_type': 'post',
    'wp:post_password': '',
    ...given,
  };
  const inside = Object.entries(fields).map(([name, text]) => `<${name}>${cdata(text)}</${name}>`);
  return `<item>\n${inside.join('\n')}\n${more}\n</item>`;
}

function wxr(items: string, { version = '1.2', channel = '' } = {}): string {
  const base = `http://wordpress.org/export/${version}`;
  return `<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0" xmlns:excerpt="${base}/excerpt/" xmlns:content="http://purl.org/rss/1.0/modules/content/"
  xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="${base}/">
<channel>
<title>The Old Courier</title>
<language>en-US</language>
<wp:wxr_version>${version}</wp:wxr_version>
<wp:base_blog_url>https://old.example</wp:base_blog_url>
<wp:author><wp:author_login>tara</wp:author_login><wp:author_display_name>Tara Nambiar</wp:author_display_name></wp:author>
${channel}
${items}
</channel>
</rss>`;
}

async function file(text: string | Buffer, name = 'export.xml'): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

async function read(
  text: string | Buffer,
): Promise<{ items: (WxrItem | BrokenItem)[]; cut: string | undefined; site: WxrSite }> {
  const site = newSite();
  const items: (WxrItem | BrokenItem)[] = [];
  let cut: string | undefined;
  for await (const part of readWxr(await file(text), site)) {
    items.push(...part.items);
    cut ??= part.cut;
  }
  return { items, cut, site };
}
const titles = (items: readonly (WxrItem | BrokenItem)[]) =>
  items.map((one) => (one.kind === 'item' ? one.fields.get('title') : one.reason));

async function run(...texts: (string | Buffer)[]): Promise<ImportReport> {
  const files = await Promise.all(texts.map((text, at) => file(text, `export-${at}.xml`)));
  return importWxr(database.db, files, OPTIONS);
}

async function stored() {
  const { rows } = await database.pool.query(`
    select s.source, s.source_id, s.state, s.section, s.access, s.language, s.published_at, s.updated_at, s.origin_url,
      s.extra, r.headline, r.standfirst, r.authors, b.elements
    from content.stories s join content.revisions r on r.story_id = s.id and r.number = s.revision
      join content.bodies b on b.story_id = s.id and b.revision = s.revision order by s.source_id`);
  return rows;
}

describe('an export of WordPress', () => {
  it.each(['1.0', '1.1', '1.2'])(
    'of version %s is read with its site, terms, custom fields and comments',
    async (version) => {
      const more = `
      <category domain="category" nicename="ports">${cdata('Ports & Shipping')}</category>
      <category domain="post_tag" nicename="fares">${cdata('Fares')}</category>
      <wp:postmeta><wp:meta_key>_thumbnail_id</wp:meta_key><wp:meta_value>${cdata('12')}</wp:meta_value></wp:postmeta>
      <wp:comment><wp:comment_id>1</wp:comment_id><wp:comment_content>${cdata('<b>First!')}</wp:comment_content></wp:comment>`;
      const { cut, items, site } = await read(wxr(item({}, more), { version }));
      expect(cut).toBeUndefined();
      expect([site.url, site.language, site.authors.get('tara')]).toEqual([
        'https://old.example',
        'en-US',
        'Tara Nambiar',
      ]);
      const [only] = items as [WxrItem];
      expect(only.fields.get('content:encoded')).toBe('<p>The harbour board said so.</p>');
      expect(only.terms).toEqual([
        { taxonomy: 'category', slug: 'ports', name: 'Ports & Shipping' },
        { taxonomy: 'post_tag', slug: 'fares', name: 'Fares' },
      ]);
      expect([only.comments, only.meta.get('_thumbnail_id'), only.line]).toEqual([1, ['12'], 11]);
    },
  );

  it('is read under whatever prefixes, also ones that nobody declared, and not under another namespace', async () => {
    const renamed = wxr(item()).replaceAll('wp:', 'w:').replace('xmlns:wp', 'xmlns:w');
    const undeclared = wxr(item()).replace(/xmlns:wp="[^"]*"/, '');
    const foreign = wxr(item({}, '<x:status xmlns:x="https://elsewhere.example/">draft</x:status>'));
    for (const text of [renamed, undeclared, foreign]) {
      const [only] = (await read(text)).items as [WxrItem];
      expect([only.fields.get('wp:post_id'), only.fields.get('wp:status')]).toEqual(['47', 'publish']);
    }
  });

  it('keeps what stands in CDATA as it stands, in however many pieces', async () => {
    const text = 'a ]]> b <![CDATA[ c & d &amp; e';
    const [only] = (await read(wxr(item({ 'content:encoded': text })))).items as [WxrItem];
    expect(only.fields.get('content:encoded')).toBe(text);
  });

  it('is read in the encoding that it says it is in, and packed', async () => {
    const latin = Buffer.from(wxr(item({ title: 'Café' })).replace('UTF-8', 'ISO-8859-1'), 'latin1');
    expect(titles((await read(latin)).items)).toEqual(['Café']);
    expect(titles((await read(gzipSync(wxr(item({ title: 'नमस्ते' }))))).items)).toEqual(['नमस्ते']);
    await expect(read(wxr(item()).replace('UTF-8', 'klingon'))).rejects.toMatchObject({ code: 'wrong-file' });
  });
});

describe('an export in two encodings at once', () => {
  it('says that it is in UTF-8, and has its letters all the same', async () => {
    const text = wxr(item({ title: 'Café ह', 'content:encoded': '<p>@</p>' }));
    const [before = '', after = ''] = text.split('@');
    const old = Buffer.from('93736f949720e9', 'hex');
    const report = await run(Buffer.concat([Buffer.from(before), old, Buffer.from(after)]));
    expect(report).toMatchObject({ created: 1, mended: 4 });
    const [story] = await stored();
    expect([story.headline, elementText(story.elements[0])]).toEqual(['Café ह', '“so”— é']);
  });
});

describe('a broken export', () => {
  const good = (id: string) => item({ 'wp:post_id': id, title: id });

  it('loses the item that is broken, and none of the others', async () => {
    const broken = good('2').replace('</title>', '').replace('<link>', '<b><link>');
    const { cut, items } = await read(wxr(good('1') + broken + good('3')));
    expect(cut).toBeUndefined();
    expect(titles(items)).toEqual(['1', expect.stringMatching(/^its markup is broken: line \d+/), '3']);
  });

  it.each([
    ['closes an element by another name', (text: string) => text.replace('</title>', '</titel>')],
    ['closes one of another namespace', (text: string) => text.replace('</content:encoded>', '</content>')],
    ['closes what is not open', (text: string) => text.replace('</link>', '</link></wp:term></b>')],
  ])('of which an item %s loses that one alone', async (_, spoil) => {
    const { cut, items } = await read(wxr(good('1') + spoil(good('2')) + good('3') + good('4')));
    expect(titles(items)).toEqual(['1', expect.stringMatching(/^its markup is broken: line \d+/), '3', '4']);
    expect(cut).toBeUndefined();
  });

  it.each([
    ['a control character', (text: string) => text.replace('harbour', 'har\u000bbour')],
    ['an entity that nobody declared', (text: string) => text.replace('<title>', '<title>&nbsp;')],
    [
      'an ampersand that nobody escaped',
      (text: string) =>
        text.replace('</link>', '?a=1&b=2</link>').replaceAll(/<link><!\[CDATA\[(.*?)\]\]>/g, '<link>$1'),
    ],
  ])('is read in spite of %s', async (_, spoil) => {
    const { cut, items } = await read(wxr(good('1') + spoil(good('2')) + good('3')));
    expect([cut, items.map(({ kind }) => kind)]).toEqual([undefined, ['item', 'item', 'item']]);
  });

  it('that ends in the middle gives what stood before', async () => {
    const whole = wxr(good('1') + good('2'));
    const { cut, items } = await read(whole.slice(0, whole.indexOf('</item>', whole.indexOf('</item>') + 1)));
    expect(titles(items)).toEqual(['1']);
    expect(cut).toMatch(/^the file ends in the middle of the item at line \d+$/);
  });

  it('that never closes an item is told of that item', async () => {
    const { items } = await read(wxr(good('1').replace('</item>', '') + good('2')));
    expect(titles(items)).toEqual(['another item begins inside it', '2']);
    const amid = await read(wxr(good('1').replace('</item>', '') + good('2') + good('3')));
    expect(titles(amid.items)).toEqual(['another item begins inside it', '2', '3']);
  });

  it.each([
    ['another feed', '<rss version="2.0"><channel><item><title>x</title></item></channel></rss>'],
    ['a page', '<html><body><p>Hello</p></body></html>'],
    ['no XML', 'just some words'],
    ['nothing', ''],
  ])('that is %s is refused', async (_, text) => {
    expect(await read(text)).toMatchObject({ items: [], cut: 'it is no export of WordPress' });
  });

  it('with entities of its own that grow without end stays as small as it is', async () => {
    const laughs = Array.from({ length: 9 }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`).join(
      '',
    );
    const text = wxr(item({ title: 'x' }).replace(cdata('x'), '&l9;')).replace(
      '<rss ',
      `<!DOCTYPE rss [<!ENTITY l0 "lol">${laughs}<!ENTITY f SYSTEM "file:///etc/passwd">]><rss `,
    );
    const { items } = await read(text);
    expect(titles(items)).toEqual(['&l9;']);
  });

  it('with an item of more than 16 MB loses that item', async () => {
    const large = item({ 'content:encoded': 'long '.repeat(3_500_000), 'wp:post_id': '2' });
    const { items } = await read(wxr(good('1') + large + good('3')));
    expect(titles(items)).toEqual(['1', 'an item of 17 MB is over the limit of 16 MB', '3']);
  });

  it('with comments of more than that keeps the item: they are counted, and not read', async () => {
    const comment = `<wp:comment><wp:comment_content>${'word '.repeat(600_000)}</wp:comment_content></wp:comment>`;
    const { items } = await read(wxr(item({ title: '1' }, comment.repeat(7)) + good('2')));
    expect(titles(items)).toEqual(['1', '2']);
    expect(items[0]).toMatchObject({ comments: 7 });
  });

  it('of which the elements lie in each other without end is given up there, however many they are', async () => {
    const { cut, items } = await read(wxr(good('1') + item({}, '<a>'.repeat(2_000_000))));
    expect([titles(items), cut]).toEqual([
      ['1'],
      expect.stringMatching(/^elements lie more than 100 deep in each other at line \d+$/),
    ]);
  });

  it('with very many custom fields of one name takes no longer for each', async () => {
    const meta = '<wp:postmeta><wp:meta_key>k</wp:meta_key><wp:meta_value>v</wp:meta_value></wp:postmeta>';
    const { items } = await read(wxr(item({}, meta.repeat(60_000))));
    expect((items[0] as WxrItem).meta.get('k')).toHaveLength(60_000);
  });

  it('that goes on without a tag is given up', async () => {
    const { cut, items } = await read(wxr(`${good('1')}${'x'.repeat(36_000_000)}`));
    expect([titles(items), cut]).toEqual([['1'], expect.stringMatching(/^a text of more than 32 MB/)]);
  });
});

describe('posts and pages', () => {
  it('become stories with everything that the paper has a word for', async () => {
    const more = `<category domain="category" nicename="uncategorized">Uncategorized</category>
      <category domain="category" nicename="nation">Nation</category>
      <category domain="post_tag" nicename="ports">Ports</category>
      <wp:postmeta><wp:meta_key>deck</wp:meta_key><wp:meta_value>Six years on</wp:meta_value></wp:postmeta>`;
    const report = await run(
      wxr(
        item(
          {
            'excerpt:encoded': 'The first <em>increase</em>.',
            'wp:post_modified_gmt': '2019-02-01 08:00:00',
          },
          more,
        ),
      ),
    );
    expect(report).toMatchObject({ created: 1, refused: [], leftOut: {}, truncated: false });
    const [story] = await stored();
    expect(story).toMatchObject({
      source: 'wordpress old.example',
      source_id: '47',
      state: 'published',
      section: 'nation',
      access: 'metered',
      language: 'en-US',
      origin_url: 'https://old.example/2019/01/ferry-fares/',
      extra: { custom_fields: { deck: ['Six years on'] } },
      headline: 'Ferry fares to rise',
      standfirst: 'The first increase.',
      authors: [{ slug: 'tara-nambiar', name: 'Tara Nambiar' }],
    });
    expect(
      [String(story?.published_at), String(story?.updated_at)].map((at) => new Date(at).toISOString()),
    ).toEqual(['2019-01-05T10:00:00.000Z', '2019-02-01T08:00:00.000Z']);
  });

  it.each([
    ['publish', {}, 'published'],
    ['draft', { 'wp:post_date_gmt': '0000-00-00 00:00:00' }, 'draft'],
    [
      'draft',
      { 'wp:post_date_gmt': '0000-00-00 00:00:00', 'wp:post_date': '0000-00-00 00:00:00', title: '' },
      'draft',
    ],
    ['pending', {}, 'draft'],
    ['private', {}, 'draft'],
    ['publish', { 'wp:post_password': 'sesame' }, 'draft'],
    ['future', { 'wp:post_date_gmt': '2027-01-01 00:00:00' }, 'published'],
  ])('that are %s %j are %s here', async (status, given, state) => {
    expect(await run(wxr(item({ ...given, 'wp:status': status })))).toMatchObject({
      created: 1,
      refused: [],
    });
    expect((await stored())[0]?.state).toBe(state);
  });

  it('are dated as well as their file allows, and refused where it says nothing', async () => {
    const undated = { 'wp:post_date_gmt': '0000-00-00 00:00:00', 'wp:post_date': '' };
    const report = await run(
      wxr(
        item({ ...undated, 'wp:post_date': '2019-01-05 15:30:00', 'wp:post_id': '1' }) +
          item({ ...undated, pubDate: 'Sat, 05 Jan 2019 11:00:00 +0100', 'wp:post_id': '2' }) +
          item({ ...undated, 'wp:post_id': '3' }),
      ),
    );
    expect(report.refused).toEqual([
      { at: expect.stringMatching(/^export-0\.xml:\d+$/), reason: 'it has no date' },
    ]);
    for (const story of await stored())
      expect(new Date(story.published_at).toISOString()).toBe('2019-01-05T10:00:00.000Z');
  });

  it('have names as readers saw them, and the section that the newsroom marked as the first', async () => {
    const term = (domain: string, slug: string, name: string) =>
      `<category domain="${domain}" nicename="${slug}">${cdata(name)}</category>`;
    const category = (id: number, slug: string) =>
      `<wp:category><wp:term_id>${id}</wp:term_id><wp:category_nicename>${slug}</wp:category_nicename></wp:category>`;
    const marked = (key: string) =>
      `<wp:postmeta><wp:meta_key>${key}</wp:meta_key><wp:meta_value>${cdata('9')}</wp:meta_value></wp:postmeta>`;
    const terms =
      term('category', 'business', 'Business') +
      term('category', 'opinion-analysis', 'Opinion &amp; Analysis') +
      term('post_tag', 'rd', 'R&amp;D');
    const author =
      '<wp:author><wp:author_login>ed</wp:author_login><wp:author_display_name>' +
      `${cdata('News &amp; Views')}</wp:author_display_name></wp:author>`;
    const channel = author + category(8, 'business') + category(9, 'opinion-analysis');
    await run(
      wxr(
        item({ 'wp:post_id': '1', 'dc:creator': 'ed' }, terms) +
          item({ 'wp:post_id': '2' }, terms + marked('_yoast_wpseo_primary_category')) +
          item({ 'wp:post_id': '3' }, terms + marked('rank_math_primary_category')),
        { channel },
      ),
    );
    const [first, ...others] = await stored();
    expect([first.section, first.authors[0].name]).toEqual(['business', 'News & Views']);
    for (const one of others) expect(one.section).toBe('opinion-analysis');
    const { rows } = await database.pool.query(
      `select name from content.sections where slug = 'opinion-analysis'`,
    );
    expect(rows).toEqual([{ name: 'Opinion & Analysis' }]);
  });

  it('without a headline are called by how they begin; and pages are free, in a section of their own', async () => {
    const body = '<p>It was a quiet evening on the quay until the last ferry of the day did not leave.</p>';
    await run(
      wxr(
        item({ title: '', 'content:encoded': body, 'wp:post_id': '1' }) +
          item({ title: 'About us', 'wp:post_type': 'page', 'wp:post_id': '2' }),
      ),
    );
    expect((await stored()).map(({ access, headline, section }) => [headline, section, access])).toEqual([
      ['It was a quiet evening on the quay until the last ferry of the day did …', 'general', 'metered'],
      ['About us', 'pages-section', 'free'],
    ]);
  });

  it('lead here from wherever they stood: link, number, and the names that they had before', async () => {
    const meta = ['ferry-prices', 'फ़ेरी'].map(
      (name) =>
        `<wp:postmeta><wp:meta_key>_wp_old_slug</wp:meta_key><wp:meta_value>${name}</wp:meta_value></wp:postmeta>`,
    );
    await run(
      wxr(
        item({ 'wp:post_id': '1', guid: 'https://old.example/?p=900' }, meta.join('')) +
          item({ 'wp:post_id': '2', link: 'https://old.example/?p=2' }) +
          item({ 'wp:post_id': '3', link: '/2020/a.html', guid: 'urn:uuid:1' }),
      ),
    );
    const { rows } = await database.pool.query(`
      select s.source_id, o.path from content.old_addresses o join content.stories s on s.id = o.story_id
      order by s.source_id, o.path`);
    expect(rows.map((row) => `${row.source_id} ${row.path}`)).toEqual([
      '1 /2019/01/ferry-fares',
      '1 /2019/01/ferry-prices',
      '1 /2019/01/फ़ेरी'.normalize(),
      '1 /?p=1',
      '1 /?p=900',
      '2 /?p=2',
      '3 /2020/a.html',
      '3 /?p=3',
    ]);
  });

  it('lead to their lists from wherever those stood, and to the story from the page of its picture', async () => {
    const channel = `<wp:category><wp:term_id>7</wp:term_id><wp:category_nicename>ports</wp:category_nicename>
      <wp:cat_name>Ports and Shipping</wp:cat_name></wp:category>`;
    const terms = `<category domain="category" nicename="ports">Ports and Shipping</category>
      <category domain="category" nicename="money">Money</category>
      <category domain="post_tag" nicename="fare-rises">Fares</category>`;
    const picture = item({
      'wp:post_id': '12',
      'wp:post_type': 'attachment',
      'wp:status': 'inherit',
      'wp:post_parent': '47',
      'wp:attachment_url': 'https://old.example/wp-content/uploads/a.jpg',
      link: 'https://old.example/2019/01/ferry-fares/the-pier/',
    });
    const draft = item(
      { 'wp:post_id': '48', 'wp:status': 'draft' },
      '<category domain="category" nicename="secret">Secret</category>',
    );
    await run(wxr(picture + item({}, terms) + draft, { channel }));
    const { rows } = await database.pool.query(
      'select path, kind, name from content.old_places order by path',
    );
    expect(rows.map(({ kind, name, path }) => `${path} ${kind} ${name}`)).toEqual([
      '/2019/01/ferry-fares/the-pier story /?p=47',
      '/?p=12 story /?p=47',
      '/author/tara author tara-nambiar',
      '/cat/7 section ports-and-shipping',
      '/category/money topic money',
      '/category/ports section ports-and-shipping',
      '/tag/fare-rises topic fares',
    ]);
  });

  it('of several files of one site are one site’s, and what has no place here is counted', async () => {
    const menu = item({ 'wp:post_type': 'nav_menu_item', 'wp:post_id': '9' });
    const report = await run(
      wxr(item({ 'wp:post_id': '1' }) + menu),
      wxr(item({ 'wp:post_id': '2', 'dc:creator': 'tara' }) + item({ 'wp:post_id': '1' }) + menu).replace(
        /<wp:author>.*<\/wp:author>/,
        '',
      ),
    );
    expect(report).toMatchObject({
      created: 2,
      leftOut: { nav_menu_item: 2 },
      leftOutFirst: { nav_menu_item: expect.stringMatching(/^export-0\.xml:\d+$/) },
    });
    expect(report.refused).toEqual([
      {
        at: expect.stringMatching(/^export-1\.xml/),
        reason: expect.stringMatching(/"1" stands already in export-0\.xml:\d+/),
      },
    ]);
    expect((await stored()).map(({ authors }) => authors[0].name)).toEqual(['Tara Nambiar', 'Tara Nambiar']);
  });

  it('of two files that were written at different times are as the newer one has them', async () => {
    const written = (day: string) => ({ channel: `<pubDate>${day} 2019 10:00:00 +0000</pubDate>` });
    const inBin = item({ 'wp:post_id': '3', 'wp:status': 'trash' });
    const report = await run(
      wxr(item({ title: 'Before' }) + item({ title: 'Gone', 'wp:post_id': '3' }), written('Tue, 05 Mar')),
      wxr(item({ title: 'After' }) + inBin, written('Tue, 05 Nov')),
      wxr(item({ title: 'Between' }), written('Fri, 05 Jul')),
    );
    expect(report.refused.map(({ at }) => at.split(':')[0])).toEqual([
      'export-2.xml',
      'export-0.xml',
      'export-0.xml',
    ]);
    expect((await stored()).map(({ headline }) => headline)).toEqual(['After']);
  });

  it('have their guest authors, reusable blocks and footnotes, wherever the export says them', async () => {
    const meta = (key: string, value: string) =>
      `<wp:postmeta><wp:meta_key>${key}</wp:meta_key><wp:meta_value>${cdata(value)}</wp:meta_value></wp:postmeta>`;
    const by = (login: string) =>
      `<category domain="author" nicename="cap-${login}">${cdata(login)}</category>`;
    const guest = item(
      { 'wp:post_type': 'guest-author', 'wp:post_id': '60', title: 'मीरा राव', 'wp:post_name': 'cap-meera' },
      meta('cap-user_login', 'meera') + meta('cap-display_name', 'मीरा राव'),
    );
    const block = (id: string, content: string) =>
      item({ 'wp:post_type': 'wp_block', 'wp:post_id': id, 'content:encoded': content });
    const body =
      '<!-- wp:paragraph --><p>Fares rise<sup data-fn="a" class="fn"><a href="#a" id="a-link">1</a></sup>.</p><!-- /wp:paragraph -->' +
      '<!-- wp:block {"ref":71} /--><!-- wp:footnotes /--><!-- wp:block {"ref":"72"} /--><!-- wp:block {"ref":73} /-->';
    const notes = JSON.stringify([{ id: 'a', content: 'Since <em>May</em>.' }]);
    const report = await run(
      wxr(item({ 'content:encoded': body }, by('meera') + by('tara') + meta('footnotes', notes))),
      wxr(
        guest +
          block('71', '<p>About the harbour.</p><!-- wp:block {"ref":72} /-->') +
          block('72', '<p>Write to us.</p><!-- wp:block {"ref":72} /-->'),
      ),
    );
    const [story] = await stored();
    expect(story.authors).toEqual([
      { slug: 'meera', name: 'मीरा राव' },
      { slug: 'tara-nambiar', name: 'Tara Nambiar' },
    ]);
    const words = story.elements.map((one: StoryElement) => [one.kind, elementText(one)]);
    expect(words.slice(0, 4)).toEqual([
      ['paragraph', 'Fares rise1.'],
      ['paragraph', 'About the harbour.'],
      ['paragraph', 'Write to us.'],
      ['paragraph', 'Write to us.'],
    ]);
    expect(words.find(([kind]: string[]) => kind === 'list')).toEqual(['list', 'Since May.']);
    expect(words.at(-1)).toEqual(['paragraph', 'Write to us.']);
    // One that is nowhere, and those that stood in themselves.
    expect(report.leftOut).toEqual({ 'reusable block that is not in the export': 3 });
  });

  it('of the library are as the newest file has them, and one that cannot be kept is left out alone', async () => {
    const picture = (url: string, alt: string) =>
      item(
        {
          'wp:post_id': '12',
          'wp:post_type': 'attachment',
          'wp:status': 'inherit',
          'wp:attachment_url': url,
        },
        `<wp:postmeta><wp:meta_key>_wp_attachment_image_alt</wp:meta_key><wp:meta_value>${alt}</wp:meta_value></wp:postmeta>`,
      );
    const written = (year: number) => ({ channel: `<pubDate>Tue, 05 Mar ${year} 10:00:00 +0000</pubDate>` });
    await database.pool.query('truncate media.attachments');
    const long = picture(`https://old.example/${'न'.repeat(300)}.jpg`, '');
    const report = await run(
      wxr(picture('https://old.example/b.jpg', 'new') + item(), written(2022)),
      wxr(picture('https://old.example/a.jpg', 'old') + long, written(2011)),
    );
    expect(report).toMatchObject({
      created: 1,
      leftOut: { 'attachment (its address is too long)': 1 },
    });
    const { rows } = await database.pool.query(
      `select file_address, alt from media.attachments where address like '%attachment_id=12'`,
    );
    expect(rows).toEqual([{ file_address: 'https://old.example/b.jpg', alt: 'new' }]);
  });

  it('are by one author under one address, whichever way the file names them', async () => {
    const channel = `<wp:author><wp:author_login>meera</wp:author_login><wp:author_display_name>${cdata('मीरा राव')}</wp:author_display_name></wp:author>`;
    const together = `<category domain="author" nicename="cap-meera">${cdata('meera')}</category>`;
    const by = { 'dc:creator': 'meera' };
    await run(
      wxr(item({ ...by, 'wp:post_id': '1' }) + item({ ...by, 'wp:post_id': '2' }, together), { channel }),
    );
    for (const { authors } of await stored()) expect(authors).toEqual([{ slug: 'meera', name: 'मीरा राव' }]);
  });

  it('with what would bring the program down lose that, and nothing else', async () => {
    const deep = '[1,'.repeat(8_192);
    const notes = `<wp:postmeta><wp:meta_key>footnotes</wp:meta_key><wp:meta_value>${deep}</wp:meta_value></wp:postmeta>`;
    const packed = Buffer.from(encodeURIComponent('<p>Hi</p><script>show()</script>')).toString('base64');
    const body = `<p>One.</p>[vc_raw_html]${packed}[/vc_raw_html]`;
    const report = await run(wxr(item({ 'content:encoded': body }, notes)));
    expect(report).toMatchObject({ created: 1, leftOut: { script: 1 } });
    expect((await stored())[0].elements.map(elementText)).toEqual(['One.', 'Hi']);
  });

  it('take no more room than a body may, however often their blocks name each other', async () => {
    const block = (id: number, content: string) =>
      item({ 'wp:post_type': 'wp_block', 'wp:post_id': String(id), 'content:encoded': content });
    const ten = (id: number) => `<!-- wp:block {"ref":${id}} /-->`.repeat(10);
    const blocks = [
      block(70, `<p>${'ha '.repeat(100_000)}</p>`),
      ...[71, 72, 73].map((id) => block(id, ten(id - 1))),
    ];
    expect(await run(wxr(blocks.join('') + item({ 'content:encoded': ten(73) })))).toMatchObject({
      created: 1,
      refused: [],
    });
    expect(elementText((await stored())[0].elements[0]).length).toBeLessThan(4 * 1024 * 1024);
  });

  it('in a script that no address can say go by the words that the site had for them', async () => {
    const terms = `<category domain="category" nicename="kheti">खेती</category>
      <category domain="post_tag" nicename="%e0%a4%ae%e0%a5%87%e0%a4%b2%e0%a4%be">मेला</category>
      <category domain="post_tag" nicename="mandi-bhav">मंडी भाव</category>
      <category domain="post_tag" nicename="budget-2">Budget</category>`;
    await run(wxr(item({}, terms)));
    expect((await stored())[0].section).toBe('kheti');
    const { rows } = await database.pool.query(`
      select t.slug, t.name from topics.story_topics s join topics.topics t on t.slug = s.topic_slug order by t.slug`);
    expect(rows).toEqual([
      { slug: 'budget', name: 'Budget' },
      { slug: 'mandi-bhav', name: 'मंडी भाव' },
      { slug: expect.stringMatching(/^x-[0-9a-f]{8}$/), name: 'मेला' },
    ]);
    const places = await database.pool.query('select path, name from content.old_places order by path');
    expect(places.rows).toContainEqual({ path: '/category/kheti', name: 'kheti' });
    expect(places.rows).toContainEqual({ path: '/tag/mandi-bhav', name: 'mandi-bhav' });
  });

  it('are known again, and brought up to date by a newer export', async () => {
    await run(wxr(item()));
    expect(await run(wxr(item()))).toMatchObject({ created: 0, updated: 0, skipped: 1 });
    expect(await run(wxr(item({ title: 'Ferry fares rise', 'wp:status': 'draft' })))).toMatchObject({
      updated: 1,
    });
    expect(await stored()).toMatchObject([{ headline: 'Ferry fares rise', state: 'draft' }]);
  });
});

describe('a newer export', () => {
  it('changes nothing by a draft that has no date, nor by a post that was only looked at', async () => {
    const draft = item({
      'wp:post_id': '1',
      'wp:status': 'draft',
      'wp:post_date': '0000-00-00 00:00:00',
      'wp:post_date_gmt': '0000-00-00 00:00:00',
    });
    const looked = (at: string) =>
      item(
        { 'wp:post_id': '2' },
        `<wp:postmeta><wp:meta_key>_edit_lock</wp:meta_key><wp:meta_value>${at}:1</wp:meta_value></wp:postmeta>`,
      );
    const path = await file(wxr(draft + looked('1546700000')));
    expect(await importWxr(database.db, [path], OPTIONS)).toMatchObject({ created: 2 });
    await writeFile(path, wxr(draft + looked('1546799999')));
    const later = { ...OPTIONS, now: OPTIONS.now.add({ hours: 30 }) };
    expect(await importWxr(database.db, [path], later)).toMatchObject({ updated: 0, skipped: 2 });
  });

  it('withdraws what was thrown away there, unless it was edited here, and says so first when it is tried', async () => {
    const [one, two] = [{ 'wp:post_id': '1' }, { 'wp:post_id': '2' }];
    await run(wxr(item(one) + item(two)));
    await database.pool.query(`update content.stories set edited_at = now() where source_id = '2'`);
    const trash = { 'wp:status': 'trash' };
    const newer = wxr(item({ ...one, ...trash }) + item({ ...two, ...trash }));
    const states = async () => (await stored()).map(({ state }) => state);
    const told = { leftOut: { 'post (trash)': 2, 'story withdrawn here: it was thrown away there': 1 } };
    const tried = importWxr(database.db, [await file(newer)], { ...OPTIONS, dryRun: true });
    expect([await tried, await states()]).toMatchObject([told, ['published', 'published']]);
    const report = await run(newer);
    expect(report).toMatchObject(told);
    // That stood at no place.
    expect(Object.keys(report.leftOutFirst)).toEqual(['post (trash)']);
    expect(await states()).toEqual(['withdrawn', 'published']);
  });
});

describe('a body of the classic editor', () => {
  const paragraphs = (elements: readonly StoryElement[]) =>
    elements.map((one) => [one.kind, elementText(one)]);

  it('has paragraphs where blank lines stand, and lines where they end', () => {
    const body =
      'One <b>line</b>\nand another.\n\nA second\r\nparagraph.\n<blockquote>Said\n\ntwice.</blockquote>\n\n\nLast.';
    expect(paragraphs(htmlToElements(body, { lineEnds: 'meant' }))).toEqual([
      ['paragraph', 'One line\nand another.'],
      ['paragraph', 'A second\nparagraph.'],
      ['quote', 'Said\ntwice.'],
      ['paragraph', 'Last.'],
    ]);
  });

  it('is told from one of blocks, in which a line’s end means nothing', async () => {
    await run(
      wxr(
        item({ 'wp:post_id': '1', 'content:encoded': 'One.\n\nTwo.' }) +
          item({
            'wp:post_id': '2',
            'content:encoded': '<!-- wp:paragraph -->\n<p>One\ntwo.</p>\n<!-- /wp:paragraph -->',
          }),
      ),
    );
    const bodies = (await stored()).map(({ elements }) => paragraphs(elements).map(([, text]) => text));
    expect(bodies).toEqual([['One.', 'Two.'], ['One two.']]);
  });
});

describe('shortcodes of WordPress', () => {
  it.each([
    ['[gallery ids="1,2"]', '', ['gallery']],
    ['a [sic] b [1] [Applause]', 'a [sic] b [1] [Applause]', []],
    ['[one_half]left[/one_half] right', 'left right', ['one_half']],
    ['[my-box colour="red"]words[/my-box]', 'words', ['my-box']],
    ['[[gallery]]', '[gallery]', []],
    [
      '[youtube https://www.youtube.com/watch?v=abcdefghijk]',
      '<oembed url="https://www.youtube.com/watch?v=abcdefghijk"></oembed>',
      [],
    ],
    ['[vimeo 12345678]', '<oembed url="https://vimeo.com/12345678"></oembed>', []],
    [
      'See:\nhttps://youtu.be/abcdefghijk\nThere.',
      'See:\n<oembed url="https://youtu.be/abcdefghijk"></oembed>\nThere.',
      [],
    ],
    ['[embed]https://example.com/x[/embed]', '<a href="https://example.com/x">https://example.com/x</a>', []],
    [
      'Look:\n https://example.com/x \nThere.',
      'Look:\n <a href="https://example.com/x">https://example.com/x</a> \nThere.',
      [],
    ],
    [
      '[audio mp3="https://example.com/a.mp3"][/audio]',
      '<p><a href="https://example.com/a.mp3">https://example.com/a.mp3</a></p>',
      [],
    ],
    [
      '[caption id="a"]<img src="x.jpg"> Words[/caption]',
      '<figure><img src="x.jpg"> <figcaption>Words</figcaption></figure>',
      [],
    ],
    [
      '[caption]<a href="y"><img src="x.jpg"></a> With <a href="z">a link</a>[/caption] and more',
      '<figure><a href="y"><img src="x.jpg"></a><figcaption>With <a href="z">a link</a></figcaption></figure> and more',
      [],
    ],
    ['[caption]<img src="x.jpg">[/caption]', '<figure><img src="x.jpg"></figure>', []],
    ['[caption]No picture[/caption][caption]Open', '<figure>No picture</figure><figure>Open', []],
    [
      '[caption caption="A & B"]<img src="x.jpg">[/caption]',
      '<figure><img src="x.jpg"><figcaption>A &amp; B</figcaption></figure>',
      [],
    ],
    ['[unclosed attribute="', '[unclosed attribute="', []],
    [
      '<pre>[gallery]\nhttps://vimeo.com/1</pre> [gallery] <code>[my-box a=b]</code><code>[gallery]',
      '<pre>[gallery]\nhttps://vimeo.com/1</pre>  <code>[my-box a=b]</code><code>',
      ['gallery', 'gallery'],
    ],
    ['The fare[ref]Since May.[/ref] rose', 'The fare (Since May.) rose', []],
    [
      `[vc_raw_html]${Buffer.from(encodeURIComponent('<p>50 % é</p>')).toString('base64')}[/vc_raw_html]`,
      '<p>50 % é</p>',
      [],
    ],
    [
      'a[vc_raw_js]JTNDc2NyaXB0[/vc_raw_js]b[vc_raw_html]JQ==[/vc_raw_html]',
      'ab',
      ['vc_raw_js', 'vc_raw_html'],
    ],
  ])('go, and their words stay: %s', (given, wanted, names) => {
    const left: string[] = [];
    expect(withoutWordpressShortcodes(given, (name) => left.push(name))).toBe(wanted);
    expect(left).toEqual(names);
  });

  it('take no longer the more of them are left open', () => {
    const text = '[gallery '.repeat(20_000);
    expect(withoutWordpressShortcodes(text, () => undefined)).toBe(text);
    const captions = '[caption]<img>'.repeat(200_000);
    expect(withoutWordpressShortcodes(captions, () => undefined)).toBe('<figure><img>'.repeat(200_000));
    const code = '<code>[gallery]'.repeat(200_000);
    expect(withoutWordpressShortcodes(code, () => undefined)).toBe('<code>'.repeat(200_000));
    const packed = '[vc_raw_html]'.repeat(200_000);
    expect(withoutWordpressShortcodes(packed, () => undefined) === packed).toBe(true);
  });
});
