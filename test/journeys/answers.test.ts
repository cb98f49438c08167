import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addPolicy, DEFAULT_POLICY } from '#access';
import { withdrawStory } from '#content';
import { createLogger } from '#platform/log';
import { composePaper, type Paper } from '../../src/main/compose.ts';
import { drain, listen } from '../../src/main/serve.ts';
import { type StoredStory, storeStories, storyInput } from '../builders.ts';
import { cookieOf, type TestPaper, testPaper } from '../paper.ts';
import { type CanaryStory, canaryStory, leaked, readings, until } from './leaks.ts';

/** What goes over the wire, to the last header, from a server that listens: and what it believes of who asks. */
const log = createLogger('silent');
const GOOGLE = '66.249.66.1';
let paper: TestPaper;
const servers: { server: Server; paper: Paper }[] = [];
let stories: Record<'free' | 'metered' | 'unseen' | 'premium' | 'withdrawn', CanaryStory & StoredStory>;
let usedUp = '';
let folder = '';
let port = 0;

beforeAll(async () => {
  paper = await testPaper();
  folder = await mkdtemp(join(tmpdir(), 'broadsheet-test-'));
  const { db } = paper.database;
  const made = (['free', 'metered', 'unseen', 'premium', 'withdrawn'] as const).map((kind, at) =>
    canaryStory(kind, 900 + at, {
      access: kind === 'unseen' ? 'metered' : kind === 'withdrawn' ? 'free' : kind,
    }),
  );
  const stored = await storeStories(
    db,
    made.map((one) => one.input),
  );
  stories = Object.fromEntries(
    made.map((one, at) => [one.kind, { ...one, ...stored[at] }]),
  ) as typeof stories;
  await withdrawStory(db, stories.withdrawn.id, 'a test', paper.clock.now());
  await sql`insert into access.crawler_ranges (crawler, prefixes, fetched_at)
    values ('googlebot', ${['66.249.64.0/19', '2001:4860:4801:10::/64']}::text[], '2026-11-23T00:00:00Z')`.execute(
    db,
  );
  const at = paper.clock.now();
  await addPolicy(db, { ...DEFAULT_POLICY, premiumForCrawlers: true }, { from: at, at, by: 'test' });
  await until(() => paper.access.policy().premiumForCrawlers && paper.access.isVerifiedCrawler(GOOGLE));
  await until(async () => (await paper.get('/nation')).status === 200);
  const more = await storeStories(
    db,
    Array.from({ length: 4 }, () => storyInput()),
  );
  usedUp = cookieOf(await paper.get(stories.metered.path)) as string;
  for (const { path } of more) await paper.get(path, { cookie: usedUp });
  port = await serve(paper);
});

afterAll(async () => {
  for (const one of servers) await drain(one.server, one.paper, log, { atOnce: true });
  for (const one of servers) if (one.paper !== paper) await one.paper.close();
  await paper.end();
  await rm(folder, { recursive: true, force: true });
});

async function serve(one: Paper): Promise<number> {
  const server = await listen(one, { host: '127.0.0.1', port: 0 });
  servers.push({ server, paper: one });
  return (server.address() as AddressInfo).port;
}

/** The same paper as another process would run it: behind proxies, or under another address. */
async function serveAs(given: { trustedProxyHops?: number; baseUrl?: string }): Promise<number> {
  const options = {
    baseUrl: 'http://localhost:3000',
    sandbox: true,
    trustedProxyHops: 0,
    secret: 'a secret of the tests',
    ...given,
  };
  return serve(
    await composePaper({ ...options, databaseUrl: paper.url, dataFolder: folder, clock: paper.clock, log }),
  );
}

type Wired = {
  status: number;
  headers: Record<string, string>;
  cookies: string[];
  body: string;
  texts: readonly string[];
};

/** Sends a request as it stands and reads what comes back until the server closes, so that nothing is tidied away. */
async function send(
  target: string,
  lines: readonly string[] = [],
  method = 'GET',
  to = port,
): Promise<Wired> {
  const socket = connect(to, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (data: Buffer) => chunks.push(data));
  socket.on('error', () => undefined);
  socket.write(
    [`${method} ${target} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...lines, '', ''].join('\r\n'),
  );
  await new Promise((resolve) => socket.on('close', resolve));
  const text = Buffer.concat(chunks).toString('utf8');
  const end = text.indexOf('\r\n\r\n');
  const [first = '', ...rest] = text.slice(0, end).split('\r\n');
  const body = text.slice(end + 4);
  const pairs = rest.map((line) => [
    line.slice(0, line.indexOf(':')).toLowerCase(),
    line.slice(line.indexOf(':') + 2),
  ]);
  return {
    status: Number(first.split(' ')[1]),
    headers: Object.fromEntries(pairs.filter(([name]) => name !== 'set-cookie')),
    cookies: pairs.flatMap(([name, value]) => (name === 'set-cookie' ? [value as string] : [])),
    body,
    texts: await readings(new Response(`${text.slice(0, end)}\n${body}`)),
  };
}

const SECURE = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'strict-origin-when-cross-origin',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'browsing-topics=(), camera=(), geolocation=(), microphone=()',
};
const PRIVATE = { 'cache-control': 'private, no-store' };
const PAGE = { 'content-type': 'text/html; charset=utf-8', vary: 'Accept-Encoding' };

/** The headers that say something of the page: without those that are of the connection, and checked themselves. */
function said({ headers }: Wired): Record<string, string> {
  const {
    connection,
    date,
    'x-request-id': id,
    'content-length': length,
    'keep-alive': alive,
    ...rest
  } = headers;
  expect([connection, alive]).toEqual(['close', undefined]);
  expect(date).toMatch(/GMT$/);
  expect(id).toMatch(/^[\w-]+$/);
  expect(length).toMatch(/^\d+$/);
  return rest;
}

describe('the headers of an answer', () => {
  it('are these and no others: nothing lets a cache keep what was decided for one reader', async () => {
    const { free, metered, premium, unseen, withdrawn } = stories;
    const cookie = `Cookie: ${usedUp}`;
    const cases: [string, Wired, number, Record<string, string>][] = [
      ['a full page that counted', await send(unseen.path), 200, { ...PAGE, ...PRIVATE, 'x-access': 'full' }],
      [
        'a full page, again',
        await send(metered.path, [cookie]),
        200,
        { ...PAGE, ...PRIVATE, 'x-access': 'full' },
      ],
      ['a wall', await send(unseen.path, [cookie]), 200, { ...PAGE, ...PRIVATE, 'x-access': 'preview' }],
      ['a premium wall', await send(premium.path), 200, { ...PAGE, ...PRIVATE, 'x-access': 'preview' }],
      [
        'what counted',
        await send('/meter', [cookie]),
        200,
        { ...PAGE, ...PRIVATE, 'x-robots-tag': 'noindex' },
      ],
      [
        'a prefetch',
        await send(unseen.path, ['Sec-Purpose: prefetch']),
        503,
        { 'content-type': 'text/plain', ...PRIVATE },
      ],
      [
        'a premium prefetch',
        await send(premium.path, ['Sec-Purpose: prefetch']),
        503,
        { 'content-type': 'text/plain', ...PRIVATE },
      ],
      [
        'a story that is gone',
        await send(withdrawn.path),
        410,
        { ...PAGE, 'cache-control': 'no-store', 'x-robots-tag': 'noindex' },
      ],
      [
        'nothing',
        await send('/nation/x-zzzzzzzzzz'),
        404,
        { ...PAGE, 'cache-control': 'no-store', 'x-robots-tag': 'noindex' },
      ],
      [
        'another spelling',
        await send(`/nation/x-${unseen.shortId}`),
        301,
        { location: unseen.path, 'cache-control': 'public, max-age=30' },
      ],
    ];
    for (const [what, answer, status, headers] of cases)
      expect([what, answer.status, said(answer)]).toEqual([what, status, { ...headers, ...SECURE }]);
    const open = await send(free.path);
    const { etag, ...rest } = said(open);
    expect(etag).toMatch(/^W\/"[\w-]{16}"$/);
    expect(rest).toEqual({ ...PAGE, ...SECURE, 'cache-control': 'public, max-age=30', 'x-access': 'full' });
    expect(cases.map(([what, answer]) => (answer.cookies.length > 0 ? what : ''))[0]).toBe(
      'a full page that counted',
    );
    expect([...cases.slice(1).map(([, answer]) => answer), open].flatMap(({ cookies }) => cookies)).toEqual(
      [],
    );
  });

  it('promise https where the paper has it, and name the cookie for where it is read', async () => {
    const [secure, plain] = [
      await serveAs({ baseUrl: 'https://paper.example' }),
      await serveAs({ baseUrl: 'http://paper.example' }),
    ];
    const https = await send(stories.unseen.path, [], 'GET', secure);
    expect(https.headers['strict-transport-security']).toBe('max-age=31536000; includeSubDomains');
    expect(https.cookies[0]).toMatch(/^__Host-visitor=.*; HttpOnly; SameSite=Lax; Secure$/);
    const http = await send(stories.unseen.path, [], 'GET', plain);
    expect(http.headers['strict-transport-security']).toBeUndefined();
    expect(http.cookies[0]).toMatch(/^visitor=.*; HttpOnly; SameSite=Lax$/);
  });
});

describe('HEAD', () => {
  it('tells of the preview, to the byte, whoever asks: the length of the whole text is not known from it', async () => {
    for (const [story, lines] of [
      [stories.unseen, []],
      [stories.unseen, [`Cookie: ${usedUp}`]],
      [stories.metered, [`Cookie: ${usedUp}`]],
      [stories.premium, []],
    ] as const) {
      const head = await send(story.path, lines, 'HEAD');
      expect([head.status, head.body, head.cookies]).toEqual([200, '', []]);
      expect(said(head)).toEqual({ ...PAGE, ...PRIVATE, ...SECURE, 'x-access': 'preview' });
      // The wall that stands before who has used up the meter, or before everybody.
      const preview = story === stories.metered ? undefined : await send(story.path, [`Cookie: ${usedUp}`]);
      const full = await send(story.path, story === stories.unseen ? [] : lines);
      if (preview !== undefined) {
        expect(preview.headers['x-access']).toBe('preview');
        expect(head.headers['content-length']).toBe(preview.headers['content-length']);
      }
      if (full.headers['x-access'] === 'full')
        expect(Number(head.headers['content-length'])).not.toBe(Number(full.headers['content-length']));
      expect(leaked(story, head.texts)).toEqual([]);
    }
    const free = await send(stories.free.path, [], 'HEAD');
    expect([free.body, free.headers['content-length']]).toEqual([
      '',
      (await send(stories.free.path)).headers['content-length'],
    ]);
  });
});

describe('a part of a page, or the page if it changed', () => {
  it('is decided like the whole: no range, tag or date gets past the wall, or saves a count', async () => {
    for (const lines of [
      ['Range: bytes=0-'],
      ['Range: bytes=-3000'],
      ['Range: bytes=0-99,4000-9000'],
      ['Range: bytes=0-99', 'If-Range: W/"x"'],
      ['If-None-Match: *'],
      ['If-None-Match: W/"x", *'],
      ['If-Modified-Since: Fri, 31 Dec 2027 23:59:59 GMT'],
      ['If-Match: *', 'If-Unmodified-Since: Fri, 01 Jan 2027 00:00:00 GMT'],
    ]) {
      const wall = await send(stories.unseen.path, [`Cookie: ${usedUp}`, ...lines]);
      expect([lines, wall.status, wall.headers['x-access'], wall.headers.etag]).toEqual([
        lines,
        200,
        'preview',
        undefined,
      ]);
      expect(leaked(stories.unseen, wall.texts)).toEqual([]);
      const full = await send(stories.unseen.path, lines);
      expect([lines, full.status, full.headers['x-access'], full.cookies.length]).toEqual([
        lines,
        200,
        'full',
        1,
      ]);
      for (const answer of [wall, full])
        for (const header of ['etag', 'last-modified', 'content-range', 'accept-ranges', 'age', 'expires'])
          expect([header, answer.headers[header]]).toEqual([header, undefined]);
    }
  });
});

describe('a search engine’s crawler', () => {
  const premium = async (lines: readonly string[], to: number) =>
    (await send(stories.premium.path, lines, 'GET', to)).headers['x-access'];

  it('is known by the address of the connection: no header makes one, where no proxy is trusted', async () => {
    for (const header of [
      'X-Forwarded-For',
      'X-Real-Ip',
      'True-Client-Ip',
      'Cf-Connecting-Ip',
      'X-Client-Ip',
      'X-Cluster-Client-Ip',
    ])
      expect([header, await premium([`${header}: ${GOOGLE}`, 'User-Agent: Googlebot/2.1'], port)]).toEqual([
        header,
        'preview',
      ]);
    expect(await premium([`Forwarded: for=${GOOGLE}`], port)).toBe('preview');
  });

  it.each<[number, string[], string]>([
    [1, [`X-Forwarded-For: ${GOOGLE}`], 'full'],
    [1, ['X-Forwarded-For: 2001:4860:4801:10::42'], 'full'],
    [1, [`X-Forwarded-For: 203.0.113.9, ${GOOGLE}`], 'full'],
    [1, [`X-Forwarded-For: ${GOOGLE}, 203.0.113.9`], 'preview'],
    [1, [`X-Forwarded-For: ${GOOGLE}`, 'X-Forwarded-For: 203.0.113.9'], 'preview'],
    [1, [`Forwarded: for=${GOOGLE}`], 'preview'],
    [1, [], 'preview'],
    [2, [`X-Forwarded-For: ${GOOGLE}, 203.0.113.9`], 'full'],
    [2, [`X-Forwarded-For: 203.0.113.9, ${GOOGLE}`], 'preview'],
    [2, [`X-Forwarded-For: ${GOOGLE}, 203.0.113.9, 203.0.113.10`], 'preview'],
  ])(
    'behind %d proxies is who the last of them that is ours was called by: %s',
    async (hops, lines, access) => {
      const behind = await serveAs({ trustedProxyHops: hops });
      expect(await premium(lines, behind)).toBe(access);
      // A browser that has a visitor's cookie is a visitor, wherever it comes from.
      expect(await premium([...lines, `Cookie: ${usedUp}`], behind)).toBe('preview');
      const crawled = await send(stories.unseen.path, lines, 'GET', behind);
      expect([crawled.headers['x-access'], crawled.cookies.length]).toEqual([
        'full',
        access === 'full' ? 0 : 1,
      ]);
    },
  );
});

describe('what goes wrong inside', () => {
  it('shows nothing: not the text that was being decided on, and not how the inside is made', async () => {
    const { db } = paper.database;
    const { free, metered, premium, unseen } = stories;
    const [cold] = (await storeStories(db, [canaryStory('cold', 990, { access: 'metered' }).input])) as [
      StoredStory,
    ];
    const coldStory = { ...canaryStory('cold', 990, { access: 'metered' }), ...cold };
    const all = [free, metered, premium, unseen, coldStory];
    for (const [table, away] of [
      ['access.meters', 'meters_away'],
      ['content.bodies', 'bodies_away'],
      ['content.revisions', 'revisions_away'],
      ['content.stories', 'stories_away'],
    ] as const) {
      const [schema = '', name = ''] = table.split('.');
      await sql`alter table ${sql.table(table)} rename to ${sql.id(away)}`.execute(db);
      try {
        const one = await serveAs({});
        for (const accept of ['text/html', 'application/json'])
          for (const story of all)
            for (const method of ['GET', 'HEAD']) {
              const answer = await send(story.path, [`Accept: ${accept}`], method, one);
              const about = { table, story: story.kind, status: answer.status };
              const found = answer.headers['x-access'] === 'full' ? [] : leaked(story, answer.texts);
              expect({ ...about, found }).toEqual({ ...about, found: [] });
              expect(answer.body).not.toMatch(
                /does not exist|relation|\bat .*\.(ts|js)|node_modules|kysely|select /i,
              );
              if (answer.status === 200) continue;
              expect([about, answer.headers['cache-control'], answer.cookies]).toEqual([
                { ...about, status: 500 },
                'no-store',
                [],
              ]);
            }
        const statuses = await Promise.all(
          [free, unseen, premium].map(async ({ path }) => (await send(path, [], 'GET', one)).status),
        );
        // Who may not read a story never comes near its body: the wall stands while there are no bodies at all.
        expect([table, statuses]).toEqual([
          table,
          {
            meters_away: [200, 500, 200],
            bodies_away: [500, 500, 200],
            revisions_away: [500, 500, 500],
            stories_away: [500, 500, 500],
          }[away],
        ]);
      } finally {
        await sql`alter table ${sql.id(schema, away)} rename to ${sql.id(name)}`.execute(db);
      }
    }
    expect((await send(unseen.path)).headers['x-access']).toBe('full');
  });
});
