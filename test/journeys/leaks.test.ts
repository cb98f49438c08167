import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withdrawStory } from '#content';
import { type StoredStory, storeStories } from '../builders.ts';
import { cookieOf, type TestPaper, testPaper } from '../paper.ts';
import { type CanaryStory, canaryStory, leaked, readings } from './leaks.ts';

/**
 * Every declared route, asked by every kind of person about every kind of story, in every way that a request can be
 * dressed up: the locked text comes to whom the decision allows it, and to nobody else.
 */
const NOW = '2026-11-23T06:30:00Z';
const GOOGLE = '66.249.66.1';

let paper: TestPaper;
let canaries: (CanaryStory & StoredStory)[];
let filler: StoredStory[];
const cookies: Record<string, string | undefined> = {};

const STORIES: readonly CanaryStory[] = [
  canaryStory('free', 1, { access: 'free' }),
  canaryStory('registered', 2, { access: 'registered' }),
  canaryStory('metered', 3, { access: 'metered' }),
  canaryStory('premium', 4, { access: 'premium' }),
  canaryStory('scheduled', 5, { access: 'free', publishedAt: Temporal.Instant.from('2026-11-24T00:00:00Z') }),
  canaryStory('embargoed', 6, {
    access: 'free',
    embargoUntil: Temporal.Instant.from('2026-11-23T06:31:00Z'),
  }),
  canaryStory('withdrawn', 7, { access: 'free' }),
  canaryStory('metered-unseen', 8, { access: 'metered' }),
];

/** Who asks, and which kinds of story they may read in full. */
const PERSONAS: Readonly<Record<string, { full: readonly string[]; headers?: Record<string, string> }>> = {
  'visitor who has used up the meter': { full: ['free', 'metered'] },
  'visitor with a forged cookie, made to look used': { full: ['free', 'metered', 'metered-unseen'] },
  'stranger who says to be a crawler': {
    full: ['free', 'metered', 'metered-unseen'],
    headers: {
      'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
      'x-forwarded-for': GOOGLE,
      forwarded: `for=${GOOGLE}`,
      'true-client-ip': GOOGLE,
      'cf-connecting-ip': GOOGLE,
      referer: 'https://www.google.com/',
    },
  },
};

beforeAll(async () => {
  paper = await testPaper(NOW);
  const { db } = paper.database;
  const stored = await storeStories(
    db,
    STORIES.map((story) => story.input),
  );
  canaries = STORIES.map((story, at) => ({ ...story, ...(stored[at] as StoredStory) }));
  filler = await storeStories(
    db,
    Array.from({ length: 12 }, () => ({
      ...canaryStory('filler', 99, { access: 'metered' }).input,
      sourceId: `filler-${Math.random()}`,
    })),
  );
  await withdrawStory(db, named('withdrawn').id, 'a test', paper.clock.now());

  // The exhausted visitor has read the metered story and as many others as the meter allows.
  let cookie = cookieOf(await paper.get(named('metered').path));
  for (const { path } of filler) cookie = cookieOf(await paper.get(path, { cookie })) ?? cookie;
  cookies['visitor who has used up the meter'] = cookie;
  cookies['visitor with a forged cookie, made to look used'] = `${cookie?.slice(0, -3)}AAA`;
});

afterAll(() => paper.end());

function named(kind: string): CanaryStory & StoredStory {
  const story = canaries.find((one) => one.kind === kind);
  if (story === undefined) throw new Error(kind);
  return story;
}

/** Concrete addresses for a declared route: with every story, section, topic, author and month that there is. */
function addresses(route: string): string[] {
  const options: Readonly<Record<string, readonly string[]>> = {
    ':file': ['site.css', '800.webp'],
    ':picture': ['00000000-0000-0000-0000-000000000000'],
    ':month': ['2026-11.xml', '2026-10.xml'],
    ':topic': ['transport'],
    ':author': ['tara-nambiar'],
    ':section': ['nation'],
  };
  if (route === '/:section/:story') return canaries.map((story) => story.path);
  return route
    .split('/')
    .reduce<string[]>(
      (paths, part) => paths.flatMap((path) => (options[part] ?? [part]).map((one) => `${path}/${one}`)),
      [''],
    )
    .map((path) => path.replace(/^\/\//, '/') || '/');
}

/** Ways to dress up a request for a story in the hope of another answer. */
const DRESSES: readonly {
  readonly suffix?: string;
  readonly headers?: Record<string, string>;
  readonly method?: string;
}[] = [
  {},
  { headers: { 'accept-encoding': 'br' } },
  { headers: { 'accept-encoding': 'gzip' } },
  { headers: { accept: 'text/markdown' } },
  { headers: { accept: 'application/json' } },
  { headers: { accept: 'application/ld+json' } },
  { headers: { range: 'bytes=0-' } },
  { headers: { range: 'bytes=-4000' } },
  { headers: { 'if-none-match': '*' } },
  {
    headers: {
      'x-http-method-override': 'GET',
      'x-original-url': '/',
      'x-rewrite-url': '/',
      'x-forwarded-host': 'evil.example',
    },
  },
  {
    headers: {
      'x-variant': 'full',
      'x-access': 'full',
      'x-middleware-subrequest': 'pages/_middleware',
      'x-ghost-preview': '1',
    },
  },
  { headers: { 'sec-purpose': 'prefetch;prerender' } },
  { method: 'HEAD' },
  { suffix: '?variant=full' },
  { suffix: '?tier=premium&access=full&preview=1&staff=1' },
  { suffix: '?amp=1' },
  { suffix: '?outputType=amp' },
  { suffix: '?print=1' },
  { suffix: '?lite=1' },
  { suffix: '?full=1' },
  { suffix: '?format=json' },
  { suffix: '?gift=AAAAAAAAAAAAAAAAAAAAAA' },
  { suffix: '?q=1&q=2&variant[]=full' },
  { suffix: '.md' },
  { suffix: '.json' },
  { suffix: '.data' },
  { suffix: '.rsc' },
  { suffix: '/amp' },
  { suffix: '/print' },
  { suffix: '/' },
  { suffix: '/x.css' },
  { suffix: ';.js' },
  { suffix: '%2fx.css' },
  { suffix: '%0a' },
  { suffix: '.' },
];

describe('locked text', () => {
  for (const [who, { full, headers = {} }] of Object.entries(PERSONAS)) {
    it(`is not shown on any declared route to a ${who}`, async () => {
      const asked = paper.routes
        .filter((route) => route.method === 'GET')
        .flatMap((route) => addresses(route.path));
      expect(asked.length).toBeGreaterThan(25);
      for (const path of [...asked, ...UNDECLARED]) {
        const response = await paper.get(path, { cookie: cookies[who], headers });
        const texts = await readings(response);
        for (const story of canaries) {
          const allowed = path === story.path && full.includes(story.kind);
          if (!allowed)
            expect({ path, story: story.kind, leaked: leaked(story, texts) }).toEqual({
              path,
              story: story.kind,
              leaked: [],
            });
        }
      }
    });

    it(`is shown whole, or not at all, to a ${who}, however the request is dressed up`, async () => {
      for (const story of canaries) {
        const mayRead = full.includes(story.kind);
        for (const dress of DRESSES) {
          const response = await paper.get(`${story.path}${dress.suffix ?? ''}`, {
            cookie: cookies[who],
            headers: { ...headers, ...dress.headers },
            ...(dress.method === undefined ? {} : { method: dress.method }),
          });
          const texts = await readings(response);
          const found = leaked(story, texts);
          const about = { who, story: story.kind, dress, status: response.status };
          if (!mayRead || dress.method === 'HEAD')
            expect({ ...about, found }).toEqual({ ...about, found: [] });
          else if (response.status === 200) {
            const missing = story.locked.filter((sentence) => !texts.some((text) => text.includes(sentence)));
            expect({ ...about, missing }).toEqual({ ...about, missing: [] });
          }
        }
      }
    });
  }

  it('stands behind a preview that everybody sees, on an answer that says what it is', async () => {
    const cookie = cookies['visitor who has used up the meter'];
    for (const [kind, status, access] of [
      ['free', 200, 'full'],
      ['registered', 200, 'preview'],
      ['metered', 200, 'full'],
      ['metered-unseen', 200, 'preview'],
      ['premium', 200, 'preview'],
      ['scheduled', 404, null],
      ['embargoed', 404, null],
      ['withdrawn', 410, null],
    ] as const) {
      const story = named(kind);
      const response = await paper.get(story.path, { cookie });
      const text = await response.text();
      expect([kind, response.status, response.headers.get('x-access')]).toEqual([kind, status, access]);
      if (status !== 200) {
        expect(text).not.toContain(story.input.headline);
        expect(text).not.toContain(story.seen);
        continue;
      }
      expect(text).toContain(story.seen);
      expect(text).toContain(`data-access="${access}"`);
      expect(text.includes('data-wall')).toBe(access === 'preview');
      const ld = JSON.parse(/<script type="application\/ld\+json">(.*?)<\/script>/s.exec(text)?.[1] ?? '{}');
      expect([kind, ld.isAccessibleForFree]).toEqual([kind, kind === 'free']);
      expect(JSON.stringify(ld)).not.toMatch(/articleBody|"text"|transcript/);
      const cache = response.headers.get('cache-control');
      expect([kind, cache]).toEqual([kind, kind === 'free' ? 'public, max-age=30' : 'private, no-store']);
    }
  });

  it('does not alternate with who asked before: a full answer is never the next one’s', async () => {
    const story = named('metered-unseen');
    const cookie = cookies['visitor who has used up the meter'];
    for (let round = 0; round < 100; round++) {
      const [full, preview] = await Promise.all([paper.get(story.path), paper.get(story.path, { cookie })]);
      expect(full.headers.get('x-access')).toBe('full');
      expect(preview.headers.get('x-access')).toBe('preview');
      expect(leaked(story, await readings(preview))).toEqual([]);
    }
  });

  it('appears the moment an embargo ends, and in no feed, list or sitemap before', async () => {
    const story = named('embargoed');
    const before = await Promise.all(LISTS.map(async (path) => (await paper.get(path)).text()));
    for (const text of before) expect(text).not.toContain(story.shortId);
    paper.clock.set('2026-11-23T06:31:00Z');
    expect((await paper.get(story.path)).status).toBe(200);
    const after = await Promise.all(LISTS.map(async (path) => (await paper.get(path)).text()));
    expect(after.map((text) => text.includes(story.shortId))).toEqual(LISTS.map(() => true));
  });
});

const LISTS = [
  '/',
  '/nation',
  '/feed.xml',
  '/nation/feed.xml',
  '/sitemaps/2026-11.xml',
  '/news-sitemap.xml',
  '/topics/transport',
];

/** What other systems answer and what an attacker therefore tries. */
const UNDECLARED = [
  '/rss',
  '/amp',
  '/llms.txt',
  '/llms-full.txt',
  '/.git/config',
  '/dist/main/web.js',
  '/dist/main/web.js.map',
  '/api/v1/stories',
  '/api/stories/1/revisions',
  '/p/1',
  '/oembed?url=x',
  '/wp-json/wp/v2/posts',
  '/_next/data/x.json',
  '/data/postgres.json',
  '/assets/../package.json',
  '/assets/%2e%2e/package.json',
  '/assets/manifest.json',
  '/media/original',
  '/feed.xml?full=1',
  '/nation?full=1',
  '/nation/feed.xml?full=1',
  '/sitemap.xml?full=1',
  '/?variant=full',
];
