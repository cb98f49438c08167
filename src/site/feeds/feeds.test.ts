import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { describe, expect, it } from 'vitest';
import { storyCard, testFrame } from '../../../test/site.ts';
import { storyPath } from '../urls.ts';
import { renderFeed } from './feed.ts';
import { renderNewsSitemap } from './news-sitemap.ts';
import { renderRobots } from './robots.ts';
import { renderSitemapIndex, renderSitemapMonth, SITEMAP_URLS } from './sitemap.ts';

const frame = testFrame();

type Element = { name: string; attributes: Record<string, string>; text: string; children: Element[] };

/** Parses strictly, with namespaces: whatever is not well-formed throws. */
function parse(xml: string): Element {
  const root: Element = { name: '', attributes: {}, text: '', children: [] };
  const open = [root];
  const parser = new SaxesParser({ xmlns: true });
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ attributes, name }) => {
    const values = Object.fromEntries(Object.entries(attributes).map(([key, one]) => [key, one.value]));
    const element: Element = { name, attributes: values, text: '', children: [] };
    open.at(-1)?.children.push(element);
    open.push(element);
  });
  parser.on('text', (text) => {
    (open.at(-1) as Element).text += text;
  });
  parser.on('closetag', () => void open.pop());
  parser.write(xml).close();
  return root.children[0] as Element;
}

const all = (element: Element, name: string): Element[] => [
  ...element.children.filter((child) => child.name === name),
  ...element.children.flatMap((child) => all(child, name)),
];
const texts = (element: Element, name: string): string[] => all(element, name).map((one) => one.text);

const HOSTILE: [string, string, string][] = [
  ['the end of CDATA', 'a ]]> b', 'a ]]> b'],
  ['markup', '<script>alert(1)</script> & <b>"x"</b>', '<script>alert(1)</script> & <b>"x"</b>'],
  ['an entity', '&nbsp;&lt;&#0;&xxe;', '&nbsp;&lt;&#0;&xxe;'],
  ['a comment and an instruction', '<!-- --> <?php ?> <![CDATA[ ]]>', '<!-- --> <?php ?> <![CDATA[ ]]>'],
  ['control characters', 'a\u0000b\u0008c\u000bd\u001be\u007ff\u009fg', 'abcdefg'],
  ['half a surrogate pair', 'a\ud83db\udc00c', 'abc'],
  ['what is no character', 'a\ufffeb\uffffc\ufdd0d\u{1fffe}e', 'abcde'],
  ['emoji', 'Monsoon 🌧️👩🏽‍🌾 arrives', 'Monsoon 🌧️👩🏽‍🌾 arrives'],
  ['right to left', 'الروبية \u202eteppr\u202c عند', 'الروبية \u202eteppr\u202c عند'],
  ['Devanagari', 'रुपया संभला', 'रुपया संभला'],
  ['quotes', `"double" 'single'`, `"double" 'single'`],
];

describe('a feed', () => {
  const story = storyCard({
    headline: 'Rupee holds',
    picture: { pictureId: '0198-p', alt: 'A coin & a note', caption: 'Coins', credit: 'Ravi "R" Rao' },
    authors: [
      { slug: 'tara-nambiar', name: 'Tara Nambiar' },
      { slug: 'c-d-rao', name: 'C. D. Rao' },
    ],
  });

  it('of the paper names the paper, itself and when it last changed', () => {
    const older = storyCard({ publishedAt: Temporal.Instant.from('1997-02-03T23:59:59Z') });
    const feed = parse(renderFeed({ frame, path: '/', stories: [older, story] }));
    const [channel] = all(feed, 'channel') as [Element];
    expect(feed.attributes.version).toBe('2.0');
    expect(channel.children.find((one) => one.name === 'title')?.text).toBe('The Harbour Gazette');
    expect(channel.children.find((one) => one.name === 'link')?.text).toBe('https://paper.example/');
    expect(channel.children.find((one) => one.name === 'description')?.text).toBe('News from the coast');
    expect(texts(channel, 'language')).toEqual(['en-IN']);
    expect(texts(channel, 'lastBuildDate')).toEqual(['Mon, 23 Nov 2026 01:15:30 GMT']);
    expect(texts(channel, 'pubDate')).toEqual([
      'Mon, 03 Feb 1997 23:59:59 GMT',
      'Mon, 23 Nov 2026 01:15:30 GMT',
    ]);
    expect(all(channel, 'atom:link').map((one) => one.attributes)).toEqual([
      { href: 'https://paper.example/feed.xml', rel: 'self', type: 'application/rss+xml' },
    ]);
  });

  it('of a section names the section', () => {
    const feed = parse(renderFeed({ frame, title: 'Markets', path: '/markets', stories: [] }));
    expect(texts(feed, 'title')).toEqual(['Markets – The Harbour Gazette']);
    expect(texts(feed, 'description')).toEqual(['Money, and what moves it.']);
    expect(texts(feed, 'link')).toEqual(['https://paper.example/markets']);
    expect(all(feed, 'atom:link')[0]?.attributes.href).toBe('https://paper.example/markets/feed.xml');
    expect(all(feed, 'lastBuildDate')).toEqual([]);
  });

  it('tells of a story what everybody may know of it', () => {
    const [item] = all(parse(renderFeed({ frame, path: '/', stories: [story] })), 'item') as [Element];
    const address = `https://paper.example${storyPath(story)}`;
    expect(item.children.map((one) => [one.name, one.text.trim()])).toEqual([
      ['title', 'Rupee holds'],
      ['link', address],
      ['guid', `urn:uuid:${story.id}`],
      ['pubDate', 'Mon, 23 Nov 2026 01:15:30 GMT'],
      ['description', 'The central bank is said to have sold dollars.'],
      ['dc:creator', 'Tara Nambiar'],
      ['dc:creator', 'C. D. Rao'],
      ['category', 'Markets'],
      ['media:content', ''],
    ]);
    expect(all(item, 'guid')[0]?.attributes).toEqual({ isPermaLink: 'false' });
    expect(all(item, 'media:content')[0]?.attributes).toEqual({
      url: 'https://paper.example/media/0198-p/1200.webp',
      medium: 'image',
      type: 'image/webp',
    });
    expect(texts(item, 'media:description')).toEqual(['A coin & a note']);
    expect(texts(item, 'media:credit')).toEqual(['Ravi "R" Rao']);
  });

  it('takes nothing of the body, even if a story were to carry one', () => {
    const carrying = {
      ...story,
      body: [{ kind: 'paragraph', text: [{ text: 'CANARY' }] }],
      preview: ['CANARY'],
    };
    expect(renderFeed({ frame, path: '/', stories: [carrying] })).not.toContain('CANARY');
  });

  it('does without what a story does not have', () => {
    const bare = storyCard({ standfirst: '', authors: [], language: 'hi' });
    const [item] = all(parse(renderFeed({ frame, path: '/', stories: [bare] })), 'item') as [Element];
    expect(item.children.map((one) => one.name)).toEqual([
      'title',
      'link',
      'guid',
      'pubDate',
      'category',
      'dc:language',
    ]);
  });

  it.each(HOSTILE)('stays well-formed with %s in every place', (_, given, expected) => {
    const named = { slug: 'x', name: given };
    const hostile = storyCard({
      headline: given,
      standfirst: given,
      slug: 'राजा-"&<',
      authors: [named],
      section: named,
      language: given,
      picture: { pictureId: 'p', alt: given, caption: given, credit: given },
    });
    const evil = testFrame({ baseUrl: 'https://paper.example/?a&b', paper: { name: given, tagline: given } });
    const feed = parse(renderFeed({ frame: evil, title: given, path: '/', stories: [hostile] }));
    const [item] = all(feed, 'item') as [Element];
    expect(texts(item, 'title')).toEqual([expected]);
    expect(texts(item, 'description')).toEqual([expected]);
    expect(texts(item, 'dc:creator')).toEqual([expected]);
    expect(texts(item, 'media:credit')).toEqual([expected]);
    expect(texts(item, 'link')[0]).toBe(`https://paper.example/?a&b${storyPath(hostile)}`);
  });

  it('stays well-formed with any text at all', () => {
    // Also code units that are half a character.
    const units = fc.array(fc.nat(0xffff)).map((codes) => String.fromCharCode(...codes));
    const anyText = fc.oneof(fc.string({ unit: 'binary' }), units);
    fc.assert(
      fc.property(anyText, (text) => {
        const stories = [
          storyCard({ headline: text, standfirst: text, authors: [{ slug: 'x', name: text }] }),
        ];
        parse(renderFeed({ frame, title: text, path: '/', stories }));
        parse(renderNewsSitemap({ frame, stories }));
      }),
      { numRuns: 500 },
    );
  });
});

describe('the sitemap', () => {
  const changedAt = Temporal.Instant.from('2026-11-23T06:29:59.987Z');

  it('has a part for each month, and more where a month has more stories than one may name', () => {
    const index = parse(
      renderSitemapIndex({
        frame,
        months: [
          { month: '2026-11', stories: 2 * SITEMAP_URLS + 1, changedAt },
          { month: '2026-10', stories: SITEMAP_URLS, changedAt },
          { month: '1997-01', stories: 1, changedAt },
        ],
      }),
    );
    expect(index.name).toBe('sitemapindex');
    expect(texts(index, 'loc')).toEqual([
      'https://paper.example/sitemaps/2026-11.xml',
      'https://paper.example/sitemaps/2026-11-2.xml',
      'https://paper.example/sitemaps/2026-11-3.xml',
      'https://paper.example/sitemaps/2026-10.xml',
      'https://paper.example/sitemaps/1997-01.xml',
    ]);
    expect(texts(index, 'lastmod')[0]).toBe('2026-11-23T06:29:59Z');
  });

  it('names the stories of a month and when they changed, and nothing else of them', () => {
    const story = storyCard({ slug: 'रुपया', headline: 'CANARY', updatedAt: changedAt });
    const month = renderSitemapMonth({ frame, stories: [story] });
    expect(texts(parse(month), 'loc')).toEqual([
      `https://paper.example/markets/%E0%A4%B0%E0%A5%81%E0%A4%AA%E0%A4%AF%E0%A4%BE-${story.shortId}`,
    ]);
    expect(texts(parse(month), 'lastmod')).toEqual(['2026-11-23T06:29:59Z']);
    expect(month).not.toContain('CANARY');
  });

  it('stays within what the protocol allows: 50,000 addresses and 50 MB', () => {
    const longest = storyCard({ slug: 'अ'.repeat(80) });
    const stories = Array.from({ length: SITEMAP_URLS }, () => longest);
    const xml = renderSitemapMonth({ frame, stories });
    expect(SITEMAP_URLS).toBeLessThanOrEqual(50_000);
    expect(Buffer.byteLength(xml)).toBeLessThan(50 * 1024 * 1024);
    expect(() => renderSitemapMonth({ frame, stories: [...stories, longest] })).toThrow(RangeError);
  });

  it('of a paper without stories is well-formed', () => {
    expect(parse(renderSitemapIndex({ frame, months: [] })).children).toEqual([]);
    expect(parse(renderSitemapMonth({ frame, stories: [] })).children).toEqual([]);
  });
});

describe('the news sitemap', () => {
  it('names publication, language, date and headline', () => {
    const story = storyCard({ headline: 'Rupee & rates' });
    const [url] = all(parse(renderNewsSitemap({ frame, stories: [story] })), 'url') as [Element];
    expect(texts(url, 'loc')).toEqual([`https://paper.example${storyPath(story)}`]);
    expect(texts(url, 'news:name')).toEqual(['The Harbour Gazette']);
    expect(texts(url, 'news:language')).toEqual(['en']);
    expect(texts(url, 'news:publication_date')).toEqual(['2026-11-23T01:15:30Z']);
    expect(texts(url, 'news:title')).toEqual(['Rupee & rates']);
  });

  it.each([
    ['en-IN', 'en'],
    ['hi', 'hi'],
    ['mai-Deva-IN', 'mai'],
    ['zh-Hant', 'zh-tw'],
    ['zh-TW', 'zh-tw'],
    ['zh', 'zh-cn'],
    ['zh-Hans-CN', 'zh-cn'],
  ])('knows %s as %s', (language, code) => {
    expect(
      texts(parse(renderNewsSitemap({ frame, stories: [storyCard({ language })] })), 'news:language'),
    ).toEqual([code]);
  });

  it('names a thousand at most, the newest', () => {
    const stories = Array.from({ length: 1_001 }, (_, at) => storyCard({ headline: `Story ${at}` }));
    const titles = texts(parse(renderNewsSitemap({ frame, stories })), 'news:title');
    expect(titles).toHaveLength(1_000);
    expect(titles.at(-1)).toBe('Story 999');
  });
});

describe('robots.txt', () => {
  const robots = renderRobots({ frame });

  /** RFC 9309 section 2.2.2: the longest rule that fits decides, and Allow where two are as long. */
  function allows(path: string): boolean {
    const rules = robots.split('\n').flatMap((line) => {
      const [, kind, pattern] = /^(Allow|Disallow): (.+)$/.exec(line) ?? [];
      return kind === undefined || pattern === undefined ? [] : [{ kind, pattern }];
    });
    const fits = rules.filter(({ pattern }) =>
      pattern.endsWith('$') ? path === pattern.slice(0, -1) : path.startsWith(pattern),
    );
    const [best] = fits.toSorted(
      (a, b) => b.pattern.length - a.pattern.length || (a.kind === 'Allow' ? -1 : 1),
    );
    return best?.kind !== 'Disallow';
  }

  it.each<[string, boolean]>([
    ['/', true],
    ['/markets', true],
    ['/markets/rupee-holds-0000000001', true],
    ['/markets/feed.xml', true],
    ['/sitemap.xml', true],
    ['/subscribe', true],
    ['/authors/tara-nambiar', true],
    ['/media/x/1200.webp', true],
    ['/meter', false],
    ['/meter?x=1', false],
    ['/login', false],
    ['/login?next=%2Fmarkets', false],
    ['/account/devices', false],
    ['/desk', false],
    ['/desk/stories/7', false],
    ['/api/v1/stories', false],
    ['/search?q=rupee', false],
    // A section may be called anything that is not a page of ours.
    ['/meteorology', true],
    ['/metered-parking', true],
    ['/deskwork/a-story-0000000001', true],
    ['/apiculture', true],
  ])('%s: %s', (path, allowed) => {
    expect(allows(path)).toBe(allowed);
  });

  it('says where the sitemaps are', () => {
    expect(robots).toContain('\nSitemap: https://paper.example/sitemap.xml\n');
    expect(robots).toContain('\nSitemap: https://paper.example/news-sitemap.xml\n');
  });
});
