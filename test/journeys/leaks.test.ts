import { brotliCompressSync, gzipSync } from 'node:zlib';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addPolicy, DEFAULT_POLICY } from '#access';
import { loadBody, setStory, withdrawStory } from '#content';
import { BENEFITS_OF, type Benefit, giveGrants, revokeGrants } from '#entitlements';
import { setPicks } from '#fronts';
import { uuidv7 } from '#platform/ids';
import { ROLES } from '#staff';
import { rememberRelated } from '#topics';
import { type StoredStory, storeStories } from '../builders.ts';
import { seated } from '../desk.ts';
import { cookieOf, type TestPaper, testPaper } from '../paper.ts';
import { signedInBrowser } from '../shop.ts';
import {
  askFrom,
  type CanaryStory,
  canaryStory,
  leaked,
  readings,
  revealed,
  until,
  withheld,
} from './leaks.ts';

/**
 * Every declared route, asked by every kind of person about every kind of story, in every way that a request can be
 * dressed up: the locked text comes to whom the decision allows it, and to nobody else.
 */
const NOW = '2026-11-23T06:30:00Z';
const GOOGLE = '66.249.66.1';
const ANYBODY = '203.0.113.9';
const USED_UP = 'visitor who has used up the meter';
const STAFF = 'member of staff: ';

type Canary = CanaryStory & StoredStory;
let paper: TestPaper;
let canaries: Canary[];
let filler: StoredStory[];
const cookies: Record<string, string | undefined> = {};
/** A reader of whom support sees what was read and which walls were met. */
let wallMet = '';

const at = (instant: string) => Temporal.Instant.from(instant);
/** What only a story that nobody may know of has: pages of its author and topic, and words of its own in each list. */
const secretly = (kind: string) => ({
  standfirst: `What ${kind} is about.`,
  authors: [
    { slug: 'tara-nambiar', name: 'Tara Nambiar' },
    { slug: `writer-of-${kind}`, name: `Writer of ${kind}` },
  ],
  topics: [
    { slug: 'transport', name: 'Transport' },
    { slug: `topic-of-${kind}`, name: `Topic of ${kind}` },
  ],
});

/** Stories that the public may know of: some of them read to the end, by some. */
const SEEN: readonly CanaryStory[] = [
  canaryStory('free', 1, { access: 'free' }),
  canaryStory('registered', 2, { access: 'registered' }),
  canaryStory('metered', 3, { access: 'metered' }),
  canaryStory('premium', 4, { access: 'premium' }),
  canaryStory('metered-unseen', 8, { access: 'metered' }),
  // Free, and remembered as such by every memory, until a moment ago.
  canaryStory('became-premium', 9, { access: 'free' }),
  // Free, in a section that the policy closes.
  canaryStory('closed', 10, { access: 'free', section: { slug: 'sealed', name: 'Sealed' } }),
];

/** Stories that nobody outside may know of, or not any more. */
const UNSEEN: readonly CanaryStory[] = [
  canaryStory('scheduled', 5, {
    access: 'free',
    publishedAt: at('2026-12-02T00:00:00Z'),
    ...secretly('scheduled'),
  }),
  canaryStory('embargoed', 6, {
    access: 'free',
    embargoUntil: at('2026-11-23T06:31:00Z'),
    ...secretly('embargoed'),
  }),
  canaryStory('withdrawn', 7, {
    access: 'free',
    publishedAt: at('2026-11-22T20:00:00Z'),
    ...secretly('withdrawn'),
  }),
  canaryStory('draft', 11, { access: 'free', publishedAt: at('2026-11-22T21:00:00Z'), ...secretly('draft') }),
  canaryStory('old-draft', 12, {
    access: 'metered',
    publishedAt: at('2026-09-10T06:00:00Z'),
    ...secretly('old-draft'),
  }),
  // Published and remembered, until it was embargoed a moment ago.
  canaryStory('re-embargoed', 13, {
    access: 'free',
    publishedAt: at('2026-11-22T22:00:00Z'),
    ...secretly('re-embargoed'),
  }),
];

/** Who asks, from where, and which kinds of story they may read in full. */
type Persona = {
  readonly full: readonly string[];
  readonly headers?: Record<string, string>;
  readonly address?: string;
  /** The publisher lets verified crawlers read premium stories, unless this is said. */
  readonly premiumForCrawlers?: boolean;
};
const METERED = ['free', 'metered', 'metered-unseen'];
const SAYS_TO_BE_GOOGLE = {
  'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
};
const PERSONAS: Readonly<Record<string, Persona>> = {
  [USED_UP]: { full: ['free', 'metered'] },
  'visitor with a forged cookie, made to look used': { full: METERED },
  'visitor with reads left': { full: METERED },
  stranger: { full: METERED },
  'stranger who says to be a crawler': {
    full: METERED,
    headers: {
      ...SAYS_TO_BE_GOOGLE,
      'x-forwarded-for': GOOGLE,
      forwarded: `for=${GOOGLE}`,
      'x-real-ip': GOOGLE,
      'true-client-ip': GOOGLE,
      'cf-connecting-ip': GOOGLE,
      referer: 'https://www.google.com/',
    },
  },
  'crawler that came from its own address': {
    full: [...METERED, 'premium', 'became-premium'],
    address: GOOGLE,
  },
  'crawler whom the publisher does not give premium stories': {
    full: METERED,
    address: GOOGLE,
    headers: SAYS_TO_BE_GOOGLE,
    premiumForCrawlers: false,
  },
  'reader with an account': { full: [...METERED, 'registered'] },
  'reader who has used up the meter': { full: ['free', 'registered', 'metered'] },
  subscriber: { full: [...METERED, 'registered', 'premium', 'became-premium'] },
  'reader whose subscription is over': { full: [...METERED, 'registered'] },
  'reader who was refunded': { full: [...METERED, 'registered'] },
  'reader of a benefit that opens no story': { full: [...METERED, 'registered'] },
  'subscriber who has signed out': { full: METERED },
  'subscriber whose session cookie was changed': { full: METERED },
  // Who works here reads the paper like anybody else: the desk opens no story on the reader's site.
  ...Object.fromEntries(ROLES.map((role) => [`${STAFF}${role}`, { full: METERED }])),
};

beforeAll(async () => {
  paper = await testPaper(NOW);
  const { db } = paper.database;
  const all = [...SEEN, ...UNSEEN];
  const stored = await storeStories(
    db,
    all.map((story) => story.input),
  );
  canaries = all.map((story, index) => ({ ...story, ...(stored[index] as StoredStory) }));
  filler = await storeStories(
    db,
    Array.from({ length: 12 }, () => ({
      ...canaryStory('filler', 99, { access: 'metered' }).input,
      sourceId: `filler-${Math.random()}`,
    })),
  );
  await sql`insert into access.crawler_ranges (crawler, prefixes, fetched_at)
    values ('googlebot', ${['66.249.64.0/19']}::text[], ${NOW})`.execute(db);
  await until(() => paper.access.isVerifiedCrawler(GOOGLE));
  await allowCrawlers(true);
  await sql`update content.stories set state = 'draft' where id in (${named('draft').id}, ${named('old-draft').id})`.execute(
    db,
  );
  await until(async () => (await paper.get('/sealed')).status === 200);
  // What is about to change is in every memory as it was before, on the front too, where the editors put it.
  await setPicks(db, 'home', [...UNSEEN.map(({ kind }) => named(kind).id), named('became-premium').id]);
  for (const kind of ['withdrawn', 're-embargoed', 'became-premium']) {
    await until(async () => (await (await paper.get('/')).text()).includes(named(kind).shortId));
    expect((await paper.get(named(kind).path)).headers.get('x-access')).toBe('full');
    expect((await paper.get(named(kind).path)).headers.get('x-access')).toBe('full');
  }
  for (const path of LISTS) expect((await paper.get(path)).status).toBe(200);
  await withdrawStory(db, named('withdrawn').id, 'a test', paper.clock.now());
  await setStory(
    db,
    named('re-embargoed').id,
    { embargoUntil: at('2026-11-24T06:00:00Z') },
    paper.clock.now(),
  );
  await setStory(db, named('became-premium').id, { access: 'premium' }, paper.clock.now());
  const became = named('became-premium').path;
  await until(async () => (await paper.get(became)).headers.get('x-access') === 'preview');

  // The exhausted visitor has read the metered story and as many others as the meter allows.
  let cookie = cookieOf(await paper.get(named('metered').path));
  for (const { path } of filler) cookie = cookieOf(await paper.get(path, { cookie })) ?? cookie;
  cookies[USED_UP] = cookie;
  cookies['visitor with a forged cookie, made to look used'] = `${cookie?.slice(0, -3)}AAA`;
  cookies['visitor with reads left'] = cookieOf(await paper.get((filler[0] as StoredStory).path));
  await signReadersIn();
  for (const role of ROLES) cookies[`${STAFF}${role}`] = (await seated(paper, role)).cookie;
});

/** Accounts of each kind, and the cookies with which they are signed in. */
async function signReadersIn(): Promise<void> {
  const { db } = paper.database;
  const month = { from: at(NOW).subtract({ hours: 24 }), until: at(NOW).add({ hours: 24 * 30 }) };
  const readers = new Map<string, Awaited<ReturnType<typeof signedInBrowser>>>();
  for (const who of Object.keys(PERSONAS).filter((one) => /reader|subscriber/.test(one))) {
    const browser = await signedInBrowser(paper, `${who.replaceAll(/[^a-z]/g, '-')}@paper.example`);
    readers.set(who, browser);
    cookies[who] = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }
  const of = (who: string) => readers.get(who) as NonNullable<ReturnType<typeof readers.get>>;
  const give = (who: string, benefits: readonly Benefit[], { from, until: end } = month) => {
    const sourceId = uuidv7();
    const grants = {
      readerId: of(who).readerId,
      benefits,
      source: 'term' as const,
      sourceId,
      from,
      until: end,
    };
    return db.transaction().execute(async (tx) => {
      await giveGrants(tx, [grants], at(NOW));
      return sourceId;
    });
  };
  wallMet = of('reader who has used up the meter').readerId;
  for (const { path } of [
    named('metered'),
    ...filler.slice(0, 9),
    named('premium'),
    named('metered-unseen'),
  ]) {
    await of('reader who has used up the meter').get(path);
  }
  for (const who of [
    'subscriber',
    'subscriber who has signed out',
    'subscriber whose session cookie was changed',
  ]) {
    await give(who, BENEFITS_OF.paper);
  }
  await give('reader whose subscription is over', BENEFITS_OF.paper, { from: month.from, until: at(NOW) });
  const refunded = await give('reader who was refunded', BENEFITS_OF.paper);
  const premium = named('premium').path;
  const opened = async (who: string) => (await of(who).get(premium)).headers.get('x-access');
  await until(async () => (await opened('reader who was refunded')) === 'full');
  await db.transaction().execute((tx) => revokeGrants(tx, [refunded], 'refund', at(NOW)));
  await until(async () => (await opened('reader who was refunded')) === 'preview');
  await give('reader of a benefit that opens no story', [
    'epaper',
    'newsletters',
    'ad-free',
    'investor',
    'archive',
  ]);
  await until(async () => (await opened('subscriber')) === 'full');
  await until(async () => (await opened('subscriber who has signed out')) === 'full');
  // A copy of the cookie stays with somebody, and the session is over.
  await of('subscriber who has signed out').post('/account/sign-out');
  const changed = 'subscriber whose session cookie was changed';
  cookies[changed] = cookies[changed]?.replace(/.(?=$|;)/, (last) => (last === 'A' ? 'B' : 'A'));
}

afterAll(() => paper.end());

function named(kind: string): Canary {
  const story = canaries.find((one) => one.kind === kind);
  if (story === undefined) throw new Error(kind);
  return story;
}

const isUnseen = (story: CanaryStory): boolean => UNSEEN.some(({ kind }) => kind === story.kind);

/** The default policy, with a closed section in it. */
async function allowCrawlers(premiumForCrawlers: boolean): Promise<void> {
  if (paper.access.policy().premiumForCrawlers === premiumForCrawlers && paper.access.policy().version > 1)
    return;
  const sealed = {
    name: 'the sealed section',
    when: { sections: ['sealed'] },
    terms: { kind: 'closed' },
  } as const;
  const policy = { ...DEFAULT_POLICY, rules: [sealed, ...DEFAULT_POLICY.rules], premiumForCrawlers };
  const before = paper.access.policy().version;
  await addPolicy(paper.database.db, policy, { from: at(NOW), at: at(NOW), by: 'test' });
  await until(() => paper.access.policy().version > before);
}

/** Asks as one of the personas, from their own address and with their cookie. */
function ask(who: string, path: string, dress: { headers?: Record<string, string>; method?: string } = {}) {
  const { address = ANYBODY, headers = {} } = PERSONAS[who] as Persona;
  return askFrom(paper.app, address, path, {
    cookie: cookies[who],
    headers: { ...headers, ...dress.headers },
    ...(dress.method === undefined ? {} : { method: dress.method }),
  });
}

/** Concrete addresses for a declared route: with every story, section, topic, author and month that there is. */
function addresses(route: string): string[] {
  const options: Readonly<Record<string, readonly string[]>> = {
    ':file': ['site.css', '800.webp'],
    ':picture': [
      '00000000-0000-0000-0000-000000000000',
      ...canaries.map((story) => story.addresses[0] as string),
    ],
    ':month': ['2026-12.xml', '2026-11.xml', '2026-11-2.xml', '2026-10.xml', '2026-09.xml'],
    ':topic': ['transport', ...UNSEEN.map(({ kind }) => `topic-of-${kind}`)],
    ':author': ['tara-nambiar', ...UNSEEN.map(({ kind }) => `writer-of-${kind}`)],
    ':section': ['nation', 'sealed'],
    ':plan': ['yearly'],
    ':subscription': ['01a2152e-9c49-79f0-88f9-b9c2077a8e96'],
    ':session': ['01a2152e-9c49-79f0-88f9-b9c2077a8e96'],
    ':reader': [wallMet],
    ':token': ['A'.repeat(43)],
    ':mail': ['01a2152e-9c49-79f0-88f9-b9c2077a8e96'],
    ':id': ['cs_00000000000000000000000000000000'],
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
  /** What becomes of a story that is there, where it is not the page. */
  readonly status?: number;
}[] = [
  {},
  { headers: { 'accept-encoding': 'br' } },
  { headers: { 'accept-encoding': 'gzip' } },
  { headers: { accept: 'text/markdown' } },
  { headers: { accept: 'application/json' } },
  { headers: { accept: 'application/ld+json' } },
  { headers: { range: 'bytes=0-' } },
  { headers: { range: 'bytes=-4000' } },
  { headers: { range: 'bytes=0-9,4000-4100', 'if-range': 'W/"x"' } },
  { headers: { 'if-none-match': '*' } },
  { headers: { 'if-none-match': 'W/"x"', 'if-modified-since': 'Fri, 31 Dec 2027 23:59:59 GMT' } },
  { headers: { 'cache-control': 'only-if-cached', authorization: 'Bearer staff', 'x-staff': '1' } },
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
  { headers: { 'sec-purpose': 'prefetch;prerender' }, status: 503 },
  { headers: { purpose: 'preview' }, status: 503 },
  { method: 'HEAD' },
  { method: 'POST', status: 404 },
  { method: 'OPTIONS', status: 404 },
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
  { suffix: '.md', status: 404 },
  { suffix: '.json', status: 404 },
  { suffix: '.data', status: 404 },
  { suffix: '.rsc', status: 404 },
  { suffix: '/amp', status: 404 },
  { suffix: '/print', status: 404 },
  { suffix: '/', status: 404 },
  { suffix: '/x.css', status: 404 },
  { suffix: ';.js', status: 404 },
  { suffix: '%2fx.css', status: 404 },
  { suffix: '%0a', status: 404 },
  { suffix: '.', status: 404 },
];

/** What is asked of every page beside those that routes name: addresses made from what stands in other addresses. */
const made = () => [
  ...UNDECLARED,
  ...canaries
    .filter((story) => !isUnseen(story))
    .flatMap(({ shortId }) => ['/nation', '/topics/transport'].map((path) => `${path}?after=${shortId}`)),
];

describe('locked text', () => {
  for (const [who, { full, premiumForCrawlers = true }] of Object.entries(PERSONAS)) {
    it(`is not shown on any declared route to a ${who}, and what is not in the paper is not named`, async () => {
      await allowCrawlers(premiumForCrawlers);
      const asked = paper.routes
        .filter((route) => route.method === 'GET')
        .flatMap((route) => addresses(route.path));
      expect(asked.length).toBeGreaterThan(25);
      for (const path of [...asked, ...made()]) {
        const texts = await readings(await ask(who, path));
        for (const story of canaries) {
          const allowed = path === story.path && full.includes(story.kind);
          const found = isUnseen(story) ? revealed(story, texts) : allowed ? [] : leaked(story, texts);
          expect({ path, story: story.kind, found }).toEqual({ path, story: story.kind, found: [] });
        }
      }
    });

    // On the reader's site one member of staff is as good as another.
    if (who.startsWith(STAFF) && who !== `${STAFF}administrator`) continue;
    it(`is shown whole, or not at all, to a ${who}, however the request is dressed up`, async () => {
      await allowCrawlers(premiumForCrawlers);
      for (const story of canaries) {
        const mayRead = full.includes(story.kind);
        for (const { suffix = '', ...dress } of DRESSES) {
          const response = await ask(who, `${story.path}${suffix}`, dress);
          const texts = await readings(response);
          const about = { who, story: story.kind, suffix, dress };
          expect({ ...about, status: response.status }).toEqual({
            ...about,
            status: statusOf(story, suffix, dress),
          });
          const found = isUnseen(story) ? revealed(story, texts) : leaked(story, texts);
          if (!mayRead || response.status !== 200 || dress.method === 'HEAD')
            expect({ ...about, found }).toEqual({ ...about, found: [] });
          else expect({ ...about, missing: withheld(story, texts) }).toEqual({ ...about, missing: [] });
        }
      }
    });
  }

  /** What a request is answered with, whoever asks. */
  function statusOf(story: Canary, suffix: string, dress: (typeof DRESSES)[number]): number {
    const moved = dress.status === 404;
    if (isUnseen(story)) return story.kind === 'withdrawn' && !moved ? 410 : 404;
    // What is the same for everybody may be fetched ahead.
    if (dress.status === 503) return story.kind === 'free' ? 200 : 503;
    return moved && suffix === '' ? 404 : (dress.status ?? 200);
  }

  it.each([
    [USED_UP, { registered: 'registration-required', 'metered-unseen': 'limit-reached' }],
    ['stranger', { registered: 'registration-required' }],
    ['crawler that came from its own address', { registered: 'registration-required' }],
  ])(
    'stands behind a preview that everybody sees, on an answer that says what it is: to a %s',
    async (who, why) => {
      await allowCrawlers(true);
      const { full } = PERSONAS[who] as Persona;
      const reasons: Record<string, string> = {
        premium: 'subscribers-only',
        'became-premium': 'subscribers-only',
        closed: 'closed',
        ...why,
      };
      for (const story of canaries.filter((one) => !isUnseen(one))) {
        const { kind } = story;
        const access = full.includes(kind) ? 'full' : 'preview';
        const response = await ask(who, story.path);
        const text = await response.text();
        expect([kind, response.status, response.headers.get('x-access')]).toEqual([kind, 200, access]);
        expect(text).toContain(story.seen);
        expect(text).toContain(`data-access="${access}"`);
        const reason = /data-wall="?[^>]*data-reason="([\w-]+)"/.exec(text)?.[1];
        expect([kind, reason]).toEqual([kind, access === 'full' ? undefined : reasons[kind]]);
        const ld = [...text.matchAll(/<script type="application\/ld\+json">(.*?)<\/script>/gs)].map(
          ([, json]) => JSON.parse(json as string),
        );
        expect(ld).toHaveLength(1);
        expect([kind, ld[0].isAccessibleForFree]).toEqual([kind, kind === 'free']);
        expect(JSON.stringify(ld)).not.toMatch(/articleBody|"text"|transcript/);
        // What the structured data calls locked is on the page, once, and holds what only some may read.
        const isLocked = access === 'full' && kind !== 'free';
        expect([kind, ld[0].hasPart?.cssSelector]).toEqual([kind, isLocked ? '.story-locked' : undefined]);
        expect([kind, text.split('class="story-locked"').length - 1]).toEqual([kind, isLocked ? 1 : 0]);
        if (isLocked) {
          const [before = '', behind = ''] = text.split('class="story-locked"');
          expect(leaked(story, [before])).toEqual([]);
          expect(withheld({ ...story, seen: '' }, [behind])).toEqual([]);
        }
        expect([kind, /<meta name="robots" content="([^"]*)"/.exec(text)?.[1]]).toEqual([
          kind,
          kind === 'free' ? 'max-image-preview:large' : 'max-image-preview:large, noarchive',
        ]);
      }
    },
  );

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

  it('is not among what else there is to read: nobody is led to what is not in the paper', async () => {
    const related = rememberRelated(paper.database.db, paper.changes, paper.clock);
    const unseen = new Set(UNSEEN.map(({ kind }) => named(kind).id));
    for (const story of canaries) {
      const topics = story.input.topics.map((topic) => topic.slug);
      const near = await related({ id: story.id, section: 'nation', topics }, 50);
      expect(near.length).toBeGreaterThan(5);
      expect(near.filter((id) => unseen.has(id))).toEqual([]);
    }
  });

  it('of a story that was read and is gone is not on the page that says what counted', async () => {
    const cookie = cookieOf(await paper.get((filler[0] as StoredStory).path));
    const book = paper.access.visitor([cookie?.split('=')[1] as string]);
    if (book.kind !== 'visitor') throw new Error('no visitor');
    const read = UNSEEN.map(({ kind }) => named(kind).id);
    await sql`update access.meters set story_ids = ${read}::uuid[], opened_at = array_fill(now(), array[6]),
      policy_versions = array_fill(1, array[6]) where holder_id = ${book.id}`.execute(paper.database.db);
    const texts = await readings(await paper.get('/meter', { cookie }));
    expect(texts.join(' ').match(/A story that is no longer published/g)?.length).toBeGreaterThanOrEqual(6);
    for (const { kind } of UNSEEN) expect([kind, revealed(named(kind), texts)]).toEqual([kind, []]);
  });

  it('is as if it were not there while nobody may know of it: the same answer, byte for byte', async () => {
    const swap = (path: string, shortId: string) => path.replace(/.{10}$/, shortId);
    const whole = async (path: string, headers: Record<string, string>, method = 'GET') => {
      const response = await paper.get(path, { headers, method });
      // The number of the request stands in a header, and where the page says what to quote.
      const id = response.headers.get('x-request-id') as string;
      const head = [...response.headers].filter(([name]) => name !== 'x-request-id');
      return {
        status: response.status,
        head,
        body: (await response.text()).replace(id, 'a'.repeat(id.length)),
      };
    };
    for (const kind of ['scheduled', 'embargoed', 'draft', 'old-draft', 're-embargoed']) {
      const story = named(kind);
      const nothing = swap(story.path, 'zzzzzzzzzz');
      for (const headers of [{}, { accept: 'application/json' }, { 'sec-purpose': 'prefetch' }])
        for (const method of ['GET', 'HEAD'])
          for (const [path, other] of [
            [story.path, nothing],
            [`/nation/x-${story.shortId}`, '/nation/x-zzzzzzzzzz'],
            [`${story.path}?preview=1`, `${nothing}?preview=1`],
            [`/topics/topic-of-${kind}`, '/topics/topic-of-nothing'],
            [`/authors/writer-of-${kind}`, '/authors/writer-of-nothing'],
          ] as const)
            expect([kind, path, await whole(path, headers, method)]).toEqual([
              kind,
              path,
              await whole(other, headers, method),
            ]);
    }
    const sitemap = await (await paper.get('/sitemap.xml')).text();
    expect(sitemap.match(/sitemaps\/[\d-]+\.xml/g)).toEqual(['sitemaps/2026-11.xml']);
  });

  it('is not loaded for a pass that somebody makes in the way of a genuine one, with whatever it takes', async () => {
    const { db } = paper.database;
    const [free, premium] = [named('free'), named('premium')];
    const reader = {
      who: { kind: 'stranger' },
      benefits: new Set<string>(),
      verifiedCrawler: false,
    } as const;
    const opened = await paper.access.openStory(
      { ...free.input, id: free.id, level: 'free', section: 'nation', topics: [] },
      reader,
      { bodyAtHand: () => false },
    );
    if (opened.kind !== 'full') throw new Error('a free story is open');
    expect(await loadBody(db, opened.pass, 1)).toEqual(free.input.body);
    const makeOf = opened.pass.constructor;
    for (const mint of [premium.id, Symbol('mint'), Symbol.for('mint'), undefined, opened.pass])
      expect(() => Reflect.construct(makeOf, [mint, premium.id])).toThrow(/did not give out/);
    for (const forged of [
      { ...opened.pass, storyId: premium.id },
      Object.create(opened.pass),
      { storyId: premium.id },
    ])
      await expect(loadBody(db, forged as typeof opened.pass, 1)).rejects.toThrow(/did not give out/);
  });

  it('is in no answer to a form that is sent to any declared route, by anybody', async () => {
    const forms = paper.routes.filter((route) => route.method === 'POST');
    expect(forms.length).toBeGreaterThan(20);
    const headers = {
      origin: 'http://localhost:3000',
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'text/html',
    };
    // Who signs out does so last.
    const isLast = (path: string) => path.endsWith('/sign-out');
    const paths = forms
      .flatMap((route) => addresses(route.path))
      .sort((a, b) => Number(isLast(a)) - Number(isLast(b)));
    for (const who of Object.keys(PERSONAS)) {
      for (const path of paths) {
        const response = await ask(who, path, { method: 'POST', headers });
        expect([who, path, response.status < 500]).toEqual([who, path, true]);
        const texts = await readings(response);
        const found = canaries.flatMap((story) =>
          isUnseen(story) ? revealed(story, texts) : leaked(story, texts),
        );
        expect({ who, path, found }).toEqual({ who, path, found: [] });
      }
    }
  });

  it('appears the moment an embargo ends, and in no feed, list or sitemap before', async () => {
    const story = named('embargoed');
    const before = await Promise.all(LISTS.map(async (path) => (await paper.get(path)).text()));
    for (const text of before) expect(revealed(story, [text])).toEqual([]);
    paper.clock.set('2026-11-23T06:31:00Z');
    expect((await paper.get(story.path)).status).toBe(200);
    const after = await Promise.all(LISTS.map(async (path) => (await paper.get(path)).text()));
    expect(after.map((text) => text.includes(story.shortId))).toEqual(LISTS.map(() => true));
  });
});

/** The oracle finds what it is to find: one that found nothing would let everything pass. */
describe('a leak is found', () => {
  const story = canaryStory('told', 77, { access: 'premium' });
  const [first = ''] = story.locked;
  const words = first.replace('.', '').split(' ');

  it.each<[string, string, Record<string, string>?]>([
    ['in plain text', `<p>${first}</p>`],
    ['from the middle of a sentence', words.slice(3, 11).join(' ')],
    ['through marks between its words', words.map((word) => `<b>${word}</b>`).join(' ')],
    ['through marks within its words', first.replace(/(\w)(\w)/g, '$1<i>$2</i>')],
    ['in capitals, without its spaces as they were', first.toUpperCase().replaceAll(' ', '\n\t')],
    ['in an attribute', `<p data-x="${first}">`],
    ['in a comment', `<!-- ${first} -->`],
    ['as HTML entities', first.replace(/./g, (one) => `&#x${one.charCodeAt(0).toString(16)};`)],
    ['as decimal entities', first.replace(/./g, (one) => `&#${one.charCodeAt(0)};`)],
    ['as JSON escapes', first.replace(/[a-z]/g, (one) => `\\u00${one.charCodeAt(0).toString(16)}`)],
    ['with escaped spaces', first.replaceAll(' ', '\\n')],
    ['percent-encoded', first.replace(/./g, (one) => `%${one.charCodeAt(0).toString(16)}`)],
    ['in base64', Buffer.from(first).toString('base64')],
    ['in base64 for addresses', Buffer.from(first).toString('base64url')],
    ['in a header', '', { 'x-text': first }],
    ['in an encoded header', '', { link: `<https://x.example/?t=${encodeURIComponent(first)}>` }],
    ['by the name of its picture', `<img src="/media/${story.addresses[0]}/400.webp">`],
  ])('%s', async (_, body, headers = {}) => {
    for (const [coding, bytes] of [
      ['', Buffer.from(body)],
      ['gzip', gzipSync(body)],
      ['br', brotliCompressSync(body)],
    ] as const) {
      const all = { ...headers, ...(coding === '' ? {} : { 'content-encoding': coding }) };
      expect(
        leaked(story, await readings(new Response(new Uint8Array(bytes), { headers: all }))),
      ).not.toEqual([]);
    }
    expect(
      leaked(story, await readings(new Response(`${words.slice(0, 7).join(' ')} ${story.seen}`))),
    ).toEqual([]);
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
