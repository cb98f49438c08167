import fc from 'fast-check';
import { type DefaultTreeAdapterTypes, parse, serialize } from 'parse5';
import { describe, expect, it } from 'vitest';
import { paragraph } from '../../test/builders.ts';
import { previewView, testFrame } from '../../test/site.ts';
import { listHead, storyHead } from './structured-data.ts';

type Node = DefaultTreeAdapterTypes.Node;
type Element = DefaultTreeAdapterTypes.Element;

const frame = testFrame();
const at = (text: string) => Temporal.Instant.from(text);

/** The elements that a browser finds when this stands in a page's head; what it throws out of the head counts too. */
function elements(head: string): Element[] {
  const found: Element[] = [];
  const walk = (node: Node): void => {
    if ('attrs' in node) found.push(node);
    if ('childNodes' in node) for (const child of node.childNodes) walk(child);
  };
  walk(parse(`<!doctype html><html><head>${head}</head><body></body></html>`));
  return found.filter((one) => !['html', 'head', 'body'].includes(one.tagName));
}

const attribute = (element: Element, name: string) => element.attrs.find((one) => one.name === name)?.value;

/** What a `meta` says, by its name or property; all of them where there are several. */
function metas(head: string): Record<string, string | string[]> {
  const said: Record<string, string | string[]> = {};
  for (const element of elements(head).filter((one) => one.tagName === 'meta')) {
    const name = attribute(element, 'name') ?? attribute(element, 'property') ?? '';
    const content = attribute(element, 'content') ?? '';
    const before = said[name];
    said[name] = before === undefined ? content : [before, content].flat();
  }
  return said;
}

function links(head: string): (string | undefined)[][] {
  return elements(head)
    .filter((one) => one.tagName === 'link')
    .map((one) => [attribute(one, 'rel'), attribute(one, 'href')]);
}

function article(head: string): Record<string, unknown> {
  const scripts = elements(head).filter((one) => one.tagName === 'script');
  expect(scripts.map((one) => attribute(one, 'type'))).toEqual(['application/ld+json']);
  return JSON.parse(serialize(scripts[0] as Element)) as Record<string, unknown>;
}

const story = previewView({
  headline: 'Rupee holds',
  picture: { pictureId: 'p1', alt: 'A coin', caption: '', credit: '' },
  publishedAt: at('2026-11-23T01:15:30.987Z'),
  updatedAt: at('2026-11-23T05:00:00Z'),
  authors: [
    { slug: 'tara-nambiar', name: 'Tara Nambiar' },
    { slug: 'c-d-rao', name: 'C. D. Rao' },
  ],
  topics: [
    { slug: 'rupee', name: 'Rupee' },
    { slug: 'rbi', name: 'RBI' },
  ],
});
const url = `https://paper.example/markets/rupee-holds-${story.shortId}`;
const full = { frame, story, access: 'full', open: false } as const;

describe('the head of a story', () => {
  it('says where the story lives, what it is about and what it looks like', () => {
    const head = storyHead(full);
    expect(links(head)).toEqual([
      ['canonical', url],
      ['alternate', '/markets/feed.xml'],
    ]);
    expect(metas(head)).toEqual({
      description: 'The central bank is said to have sold dollars.',
      robots: 'max-image-preview:large, noarchive',
      'og:type': 'article',
      'og:site_name': 'The Harbour Gazette',
      'og:title': 'Rupee holds',
      'og:url': url,
      'og:description': 'The central bank is said to have sold dollars.',
      'og:locale': 'en_IN',
      'article:published_time': '2026-11-23T06:45:30+05:30',
      'article:modified_time': '2026-11-23T10:30:00+05:30',
      'article:section': 'Markets',
      'article:author': [
        'https://paper.example/authors/tara-nambiar',
        'https://paper.example/authors/c-d-rao',
      ],
      'article:tag': ['Rupee', 'RBI'],
      'twitter:card': 'summary_large_image',
      'og:image': 'https://paper.example/media/p1/1200.webp',
      'og:image:width': '1200',
      'og:image:type': 'image/webp',
      'og:image:alt': 'A coin',
    });
  });

  it('brings one NewsArticle', () => {
    const paper = {
      '@type': 'NewsMediaOrganization',
      name: 'The Harbour Gazette',
      url: 'https://paper.example/',
    };
    expect(article(storyHead(full))).toEqual({
      '@context': 'https://schema.org',
      '@type': 'NewsArticle',
      mainEntityOfPage: url,
      url,
      headline: 'Rupee holds',
      description: 'The central bank is said to have sold dollars.',
      datePublished: '2026-11-23T06:45:30+05:30',
      dateModified: '2026-11-23T10:30:00+05:30',
      author: [
        { '@type': 'Person', name: 'Tara Nambiar', url: 'https://paper.example/authors/tara-nambiar' },
        { '@type': 'Person', name: 'C. D. Rao', url: 'https://paper.example/authors/c-d-rao' },
      ],
      publisher: paper,
      image: ['https://paper.example/media/p1/1200.webp'],
      inLanguage: 'en-IN',
      articleSection: 'Markets',
      keywords: ['Rupee', 'RBI'],
      isPartOf: { '@type': 'CollectionPage', name: 'Markets', url: 'https://paper.example/markets' },
      isAccessibleForFree: false,
      hasPart: { '@type': 'WebPageElement', isAccessibleForFree: false, cssSelector: '.story-locked' },
    });
  });

  it('does without what the story does not have', () => {
    const bare = previewView({ authors: [], topics: [], standfirst: '', preview: [], language: 'en' });
    const head = storyHead({ ...full, story: bare });
    expect(metas(head)).not.toHaveProperty('description');
    expect(metas(head)).not.toHaveProperty('og:locale');
    expect(metas(head)).toMatchObject({ 'twitter:card': 'summary' });
    expect(Object.keys(article(head))).not.toEqual(expect.arrayContaining(['image']));
    expect(article(head)).toMatchObject({ author: [{ name: 'The Harbour Gazette' }] });
    for (const absent of ['image', 'keywords', 'description'])
      expect(article(head)).not.toHaveProperty(absent);
  });

  it('is the newsroom’s standfirst, else the beginning of the preview', () => {
    const words = previewView({
      standfirst: ' ',
      preview: [paragraph('One.'), { kind: 'divider' }, paragraph('Two.')],
    });
    expect(metas(storyHead({ ...full, story: words })).description).toBe('One. Two.');
  });

  it('takes nothing of the body, even if a story were to carry one', () => {
    const carrying = { ...story, body: [paragraph('CANARY')] };
    for (const access of ['full', 'preview'] as const) {
      expect(storyHead({ ...full, story: carrying, access })).not.toContain('CANARY');
    }
  });

  it('writes times with the offset that the paper’s clocks have then', () => {
    const summer = previewView({
      publishedAt: at('2026-07-01T12:00:00Z'),
      updatedAt: at('2026-12-01T12:00:00Z'),
    });
    const inLondon = testFrame({ paper: { zone: 'Europe/London' } });
    expect(article(storyHead({ ...full, frame: inLondon, story: summer }))).toMatchObject({
      datePublished: '2026-07-01T13:00:00+01:00',
      dateModified: '2026-12-01T12:00:00+00:00',
    });
  });

  it('never says that a story was changed before it was published', () => {
    const scheduled = previewView({
      publishedAt: at('2026-11-23T06:00:00Z'),
      updatedAt: at('2026-11-20T06:00:00Z'),
    });
    const said = article(storyHead({ ...full, story: scheduled }));
    expect(said.dateModified).toBe(said.datePublished);
  });

  it.each<[string, string]>([
    ['Rupee holds', 'Rupee holds'],
    ['x'.repeat(110), 'x'.repeat(110)],
    ['x'.repeat(111), `${'x'.repeat(109)}…`],
    [`${'word '.repeat(30)}`, `${'word '.repeat(21).trim()}…`],
    [`${'word, '.repeat(30)}`, `${'word, '.repeat(17)}word…`],
    ['🌧️'.repeat(60), `${'🌧️'.repeat(54)}🌧…`],
    ['  two\n\tlines  ', 'two lines'],
  ])('gives search engines a headline of 110 characters at most: %s', (headline, expected) => {
    const { headline: said } = article(storyHead({ ...full, story: previewView({ headline }) }));
    expect(said).toBe(expected);
    expect([...(said as string)].length).toBeLessThanOrEqual(110);
  });
});

describe('what the structured data says of access', () => {
  it.each<['full' | 'preview', boolean, boolean, boolean]>([
    // access, open to everybody, isAccessibleForFree, names the locked part
    ['full', true, true, false],
    ['full', false, false, true],
    ['preview', false, false, false],
  ])('%s, open to everybody %s: free %s, locked part %s', (access, open, free, hasPart) => {
    const said = article(storyHead({ ...full, access, open }));
    expect(said.isAccessibleForFree).toBe(free);
    expect('hasPart' in said).toBe(hasPart);
  });

  it('is the same on the preview and on the full page, but for the part that only one of them has', () => {
    const { hasPart: _, ...onFull } = article(storyHead({ ...full, access: 'full' }));
    expect(article(storyHead({ ...full, access: 'preview' }))).toEqual(onFull);
  });

  it('only stories that are open to everybody may be kept in archives', () => {
    expect(metas(storyHead({ ...full, open: true })).robots).toBe('max-image-preview:large');
    expect(metas(storyHead({ ...full, open: false })).robots).toContain('noarchive');
  });
});

describe('the head of a list', () => {
  it('names the page, its feed and the pages beside it', () => {
    const head = listHead({
      frame,
      title: 'Markets',
      path: '/markets?after=0000000007',
      description: 'Money, and what moves it.',
      feed: { slug: 'markets', name: 'Markets' },
      next: '/markets?after=0000000009',
      prev: '/markets',
    });
    expect(links(head)).toEqual([
      ['canonical', 'https://paper.example/markets?after=0000000007'],
      ['alternate', '/markets/feed.xml'],
      ['prev', 'https://paper.example/markets'],
      ['next', 'https://paper.example/markets?after=0000000009'],
    ]);
    expect(metas(head)).toMatchObject({
      description: 'Money, and what moves it.',
      'og:type': 'website',
      'og:title': 'Markets',
      'og:url': 'https://paper.example/markets?after=0000000007',
    });
  });

  it('does without what the list does not have', () => {
    const head = listHead({ frame, title: 'Rupee', path: '/topics/rupee', description: '' });
    expect(links(head)).toEqual([['canonical', 'https://paper.example/topics/rupee']]);
    expect(metas(head)).not.toHaveProperty('description');
  });
});

describe('hostile words', () => {
  const HOSTILE = [
    '</script><script>alert(1)</script>',
    '</SCRIPT ><img src=x onerror=alert(1)>',
    '<!--<script>',
    ']]></script>',
    `"><svg onload=alert(1)>`,
    `' onmouseover='alert(1)`,
    '&quot;&gt;&lt;b&gt;',
    '\u2028alert(1)\u2029',
    '\u0000\u0008\ud83d',
    'javascript:alert(1)',
    '</head><body><h1>Bought</h1>',
  ];

  function everywhere(words: string): string {
    const named = { slug: 'x', name: words };
    return (
      storyHead({
        frame: testFrame({ paper: { name: words } }),
        story: previewView({
          headline: words,
          standfirst: words,
          slug: words,
          language: words,
          section: named,
          authors: [named],
          topics: [named],
          picture: { pictureId: 'p', alt: words, caption: words, credit: words },
        }),
        access: 'full',
        open: false,
      }) +
      listHead({
        frame,
        title: words,
        path: `/topics/x?after=${words}`,
        description: words,
        feed: named,
        next: words,
      })
    );
  }

  function check(head: string): void {
    const found = elements(head);
    expect([...new Set(found.map((one) => one.tagName))].sort()).toEqual(['link', 'meta', 'script']);
    expect(found.filter((one) => one.tagName === 'script')).toHaveLength(1);
    const names = new Set(found.flatMap((one) => one.attrs.map((each) => each.name)));
    expect([...names].sort()).toEqual(['content', 'href', 'name', 'property', 'rel', 'title', 'type']);
    expect(article(head)['@type']).toBe('NewsArticle');
  }

  it.each(HOSTILE)('stay words: %j', (words) => {
    // An address is made by encodeURIComponent, which a stored slug never breaks: it has no half characters.
    if (!words.isWellFormed()) return check(everywhere(words.toWellFormed()));
    check(everywhere(words));
    const said = article(everywhere(words));
    expect(said.articleSection).toBe(words);
    expect(said.publisher).toMatchObject({ name: words });
  });

  it('stay words, whatever they are', () => {
    const pieces = fc.array(
      fc.oneof(fc.constantFrom(...HOSTILE, '<', '>', '"', "'", '&', '</', '-->'), fc.string()),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(pieces, (words) => check(everywhere(words.join('').toWellFormed()))),
      { numRuns: 300 },
    );
  });
});
