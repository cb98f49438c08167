import { Agent, type IncomingMessage, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setStory } from '#content';
import { serveRoutes } from '#platform/app';
import { type Ask, answer, type Route, type Who } from '#platform/http';
import { createLogger } from '#platform/log';
import { TooMany } from '#values/errors';
import { drain, listen } from '../../src/main/serve.ts';
import { type StoredStory, storeStories, storyInput } from '../builders.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { until } from './leaks.ts';

/** Requests as they come off the wire, well made and not: each gets a clear answer, and the server stays up. */
let paper: TestPaper;
let server: Server;
let port: number;
let free: StoredStory;
let metered: StoredStory;

beforeAll(async () => {
  paper = await testPaper();
  [free, metered] = (await storeStories(paper.database.db, [
    storyInput({ access: 'free' }),
    storyInput({ access: 'metered' }),
  ])) as [StoredStory, StoredStory];
  // The section is heard of a moment after it is there.
  await until(async () => (await paper.get('/nation')).status === 200);
  server = await listen(paper, { host: '127.0.0.1', port: 0 });
  port = (server.address() as AddressInfo).port;
});

afterAll(async () => {
  await drain(server, paper, createLogger('silent'), { atOnce: true });
  await paper.end();
});

/** Sends exactly these bytes and gives what came back. */
async function raw(bytes: string | Buffer): Promise<{ status: number; head: string; body: string }> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (data: Buffer) => chunks.push(data));
  socket.on('error', () => undefined);
  socket.write(bytes);
  await new Promise((resolve) => socket.on('close', resolve));
  const text = Buffer.concat(chunks).toString('utf8');
  const [head = '', body = ''] = text.split('\r\n\r\n', 2);
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? 0), head, body };
}

const get = (target: string, ...headers: string[]) =>
  raw(
    `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers.map((one) => `${one}\r\n`).join('')}\r\n`,
  );

describe('a request that is not as it should be', () => {
  it.each([
    ['a path of 10,000 characters', () => `/${'a'.repeat(10_000)}`, 414],
    ['a story with 10,000 characters behind it', () => `${free.path}?${'a'.repeat(10_000)}`, 414],
    ['bytes that are not UTF-8', () => '/nation/%ff%fe%c0%80-0000000000', 404],
    ['a broken escape', () => '/nation/%zz%', 404],
    ['a NUL', () => '/nation/%00', 404],
    ['a way out of the folder', () => '/assets/..%2f..%2fpackage.json', 404],
    ['a way out of the folder, plainly', () => '/assets/../../package.json', 404],
    ['slashes doubled', () => free.path.replace('/', '//'), 404],
    ['an unknown short id', () => '/nation/words-zzzzzzzzzz', 404],
    ['no short id', () => '/nation/words', 404],
    ['an unknown section', () => '/nowhere', 404],
    ['an unknown page', () => '/topics/nothing', 404],
    ['a month that there is not', () => '/sitemaps/2026-13.xml', 404],
    ['a list after nothing', () => '/nation?after=zzzzzzzzzz', 404],
    ['a picture of no width', () => '/media/00000000-0000-0000-0000-000000000000/1.webp', 404],
  ])('such as %s is answered', async (_, target, status) => {
    const answer = await get(target());
    expect(answer.status).toBe(status);
    expect(answer.body).not.toMatch(/\bat .*\.(ts|js):\d+|node_modules|Error:/);
    expect((await get('/livez')).status).toBe(200);
  });

  it('such as parameters given as lists is read as if they were not given', async () => {
    for (const query of ['?after=1&after=2', '?after[]=1', '?after[x]=1', '?plan=a&plan=b', '?=&&&?']) {
      expect([query, (await get(`/nation${query}`)).status]).toEqual([query, 200]);
      expect([query, (await get(`/subscribe${query}`)).status]).toEqual([query, 200]);
    }
  });

  it('such as one that is no HTTP, or has headers of 20 KB, is refused without harm', async () => {
    expect((await raw('hello\r\n\r\n')).status).toBe(400);
    expect((await get('/', `Cookie: a=${'b'.repeat(20_000)}`)).status).toBe(431);
    expect(
      (await raw(Buffer.from('GET /caf\xe9 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 'latin1')))
        .status,
    ).toBeGreaterThanOrEqual(400);
    expect((await raw('GET / HTTP/1.1\r\nConnection: close\r\n\r\n')).status).toBe(400);
    expect(
      (
        await raw(
          'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n',
        )
      ).status,
    ).toBe(400);
    expect((await get('/livez')).status).toBe(200);
  });

  it('such as one for another method or from another site changes nothing', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']) {
      const answer = await raw(
        `${method} ${metered.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      );
      expect([method, answer.status]).toEqual([method, 404]);
    }
  });

  it('is told what is wrong in the language of programs when a program asks', async () => {
    for (const [target, status] of [
      ['/nowhere', 404],
      ['/nation/words-zzzzzzzzzz', 404],
      [`/${'a'.repeat(3_000)}`, 414],
    ] as const) {
      const { head, body } = await get(target, 'Accept: application/json');
      expect(head).toMatch(/content-type: application\/problem\+json/i);
      expect(JSON.parse(body)).toMatchObject({ status });
    }
  });
});

describe('a route', () => {
  const options = {
    origin: 'https://paper.example',
    trustedProxyHops: 0,
    log: createLogger('silent'),
    secure: true,
    failed: (status: number) => answer(status, 'text/plain', `failed ${status}`),
    admit: (who: Who, ask: Ask) =>
      who === 'gateway' || ask.header('x-may') === who ? undefined : answer(403, 'text/plain', 'not you'),
  };
  const route = (given: Partial<Route>): Route => ({
    method: 'POST',
    path: '/thing',
    who: 'anyone',
    handle: () => answer(200, 'text/plain', 'done'),
    ...given,
  });

  it.each([undefined, '', 'everyone', 'staff:', 'anyone else', 'reader\n'])(
    'that does not say who may call it does not start: %j',
    (who) => {
      expect(() => serveRoutes([route({}), route({ path: '/other', who: who as never })], options)).toThrow(
        /\/other/,
      );
    },
  );

  it('that changes something is called from the paper’s own pages alone, or by a gateway that proves itself', async () => {
    let calls = 0;
    const handle = () => {
      calls++;
      return answer(200, 'text/plain', 'done');
    };
    const app = serveRoutes([route({ handle }), route({ path: '/hook', who: 'gateway', handle })], options);
    const post = async (headers: Record<string, string>, target = '/thing') =>
      (await app.request(`https://paper.example${target}`, { method: 'POST', headers })).status;
    for (const headers of [
      {},
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: 'http://paper.example' },
      { origin: 'https://paper.example.evil.example' },
      { origin: 'https://paper.example:8443' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'none' },
      { 'sec-fetch-site': 'cross-site', origin: 'https://paper.example' },
      { referer: 'https://paper.example/' },
      { host: 'paper.example', 'x-forwarded-host': 'paper.example' },
    ] as Record<string, string>[])
      expect([headers, await post(headers)]).toEqual([headers, 403]);
    expect(calls).toBe(0);
    expect(await post({ origin: 'https://paper.example' })).toBe(200);
    expect(await post({ 'sec-fetch-site': 'same-origin' })).toBe(200);
    expect(await post({}, '/hook')).toBe(200);
    expect(calls).toBe(3);
  });

  it('for some runs for them alone', async () => {
    let calls = 0;
    const handle = () => {
      calls++;
      return answer(200, 'text/plain', 'done');
    };
    const app = serveRoutes(
      [
        route({ method: 'GET', who: 'reader', handle }),
        route({ method: 'GET', path: '/desk', who: 'staff:editor', handle }),
      ],
      options,
    );
    const get = async (path: string, may?: string) =>
      (
        await app.request(
          `https://paper.example${path}`,
          may === undefined ? {} : { headers: { 'x-may': may } },
        )
      ).status;
    expect([await get('/thing'), await get('/desk'), await get('/desk', 'reader')]).toEqual([403, 403, 403]);
    expect(calls).toBe(0);
    expect([await get('/thing', 'reader'), await get('/desk', 'staff:editor')]).toEqual([200, 200]);
    expect(calls).toBe(2);
  });

  it('reads a form of up to 64 KB in UTF-8, and a field that was sent twice as none', async () => {
    const handle = async (ask: Ask) => {
      const form = await ask.form();
      return answer(200, 'text/plain', JSON.stringify([form.field('email'), form.field('next')]));
    };
    const app = serveRoutes([route({ handle })], options);
    const post = async (
      body: string | Uint8Array<ArrayBuffer>,
      type = 'application/x-www-form-urlencoded',
    ) => {
      const headers = { origin: 'https://paper.example', 'content-type': type };
      const response = await app.request('https://paper.example/thing', { method: 'POST', headers, body });
      return `${response.status} ${await response.text()}`;
    };
    expect(await post('email=a%40b.example&next=%2Fworld')).toBe('200 ["a@b.example","/world"]');
    expect(await post('email=a&email=b', 'application/x-www-form-urlencoded; charset=utf-8')).toBe(
      '200 [null,null]',
    );
    expect(await post('{"email":"a"}', 'application/json')).toBe('422 failed 422');
    expect(await post('------x', 'multipart/form-data; boundary=x')).toBe('422 failed 422');
    expect(await post(new Uint8Array([101, 61, 255]))).toBe('422 failed 422');
    expect(await post(`email=${'x'.repeat(64 * 1024)}`)).toBe('413 failed 413');
  });

  it('that was tried too often says when it may be tried again', async () => {
    const app = serveRoutes(
      [
        route({
          handle: () => {
            throw new TooMany('too-many', 'too often', 42);
          },
        }),
      ],
      options,
    );
    const response = await app.request('https://paper.example/thing', {
      method: 'POST',
      headers: { origin: 'https://paper.example' },
    });
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '42']);
  });

  it('that throws says that it failed, and not what or where; one whose page of errors throws, too', async () => {
    const boom = () => {
      throw new Error('the locked text');
    };
    const late = async () => boom();
    const failing = { ...options, failed: boom };
    for (const [given, handle] of [
      [options, boom],
      [options, late],
      [failing, boom],
      [failing, late],
    ] as const) {
      const app = serveRoutes([route({ method: 'GET', handle })], given);
      const response = await app.request('https://paper.example/thing');
      const text = await response.text();
      expect([response.status, text.includes('locked'), /\bat /.test(text)]).toEqual([500, false, false]);
      expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    }
  });
});

describe('every answer', () => {
  it('says what the browser may do with it', async () => {
    for (const target of ['/', free.path, metered.path, '/nowhere', '/feed.xml', '/livez', '/robots.txt']) {
      const { head } = await get(target);
      for (const header of [
        /^content-security-policy: default-src 'none';.*frame-ancestors 'none'/im,
        /^x-content-type-options: nosniff/im,
        /^referrer-policy: strict-origin-when-cross-origin/im,
        /^cross-origin-opener-policy: same-origin/im,
        /^x-request-id: \S+/im,
      ]) {
        expect(head).toMatch(header);
      }
      expect(head).not.toMatch(/^(x-powered-by|server):/im);
    }
  });

  it('takes its links from the configured address, never from the Host header', async () => {
    for (const target of ['/', free.path, '/feed.xml', '/sitemap.xml', '/robots.txt']) {
      const { head, body } = await raw(
        `GET ${target} HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n`,
      );
      expect(head + body).not.toContain('evil.example');
    }
  });

  it('is compressed for who can read it, and the same text', async () => {
    const plain = await fetch(`http://127.0.0.1:${port}${free.path}`, {
      headers: { 'accept-encoding': 'identity' },
    });
    const text = await plain.text();
    for (const coding of ['br', 'gzip']) {
      const packed = await fetch(`http://127.0.0.1:${port}${free.path}`, {
        headers: { 'accept-encoding': coding },
      });
      expect(packed.headers.get('content-encoding')).toBe(coding);
      expect(packed.headers.get('vary')).toBe('Accept-Encoding');
      expect(await packed.text()).toBe(text);
      expect(Number(packed.headers.get('content-length'))).toBeLessThan(text.length / 2);
    }
  });

  it('that is the same for everybody is not sent twice; one that was decided for a reader always is', async () => {
    for (const target of ['/', '/nation', '/feed.xml', '/about', free.path]) {
      const { head } = await get(target);
      const tag = /^etag: (.*)$/im.exec(head)?.[1] ?? '';
      expect([target, (await get(target, `If-None-Match: ${tag}`)).status]).toEqual([target, 304]);
      expect([target, (await get(target, 'If-None-Match: W/"something else"')).status]).toEqual([
        target,
        200,
      ]);
    }
    const { head } = await get(metered.path);
    expect(head).not.toMatch(/^(etag|last-modified):/im);
  });
});

describe('a story under an address in another script', () => {
  it('opens, and every other spelling of its address leads there', async () => {
    const [hindi] = (await storeStories(paper.database.db, [
      storyInput({ headline: 'नौ साल बाद पुल खुला', language: 'hi', access: 'free' }),
    ])) as [StoredStory];
    expect((await get(hindi.path)).status).toBe(200);
    const words = decodeURIComponent(hindi.path);
    for (const other of [
      hindi.path.toLowerCase(),
      encodeURI(words.replace('नौ', 'दस')),
      `/markets/anything-${hindi.shortId}`,
      `/nation/${hindi.shortId}`,
    ]) {
      if (other === hindi.path) continue;
      const { status, head } = await get(other);
      expect([other, status, /^location: (.*)$/im.exec(head)?.[1]]).toEqual([other, 301, hindi.path]);
    }
  });

  it('keeps its readers when the headline, the section or the access changes', async () => {
    const [story] = (await storeStories(paper.database.db, [storyInput({ access: 'free' })])) as [
      StoredStory,
    ];
    expect((await get(story.path)).head).toMatch(/^x-access: full/im);
    await setStory(
      paper.database.db,
      story.id,
      { headline: 'A second thought', access: 'premium' },
      paper.clock.now(),
    );
    await expect.poll(async () => (await get(story.path)).status).toBe(301);
    const moved = /^location: (.*)$/im.exec((await get(story.path)).head)?.[1] as string;
    expect(moved).toMatch(/\/nation\/a-second-thought-/);
    expect((await get(moved)).head).toMatch(/^x-access: preview/im);
  });
});

describe('a stop', () => {
  it('loses nobody who has a connection: it is answered once more on it, and closed; new ones are refused', async () => {
    const other = await testPaper();
    const stopping = await listen(other, { host: '127.0.0.1', port: 0 });
    const at = { host: '127.0.0.1', port: (stopping.address() as AddressInfo).port };
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = () =>
      new Promise<IncomingMessage>((resolve, reject) => {
        const asking = request({ ...at, path: '/livez', agent }, (answer) => {
          answer.resume().on('end', () => resolve(answer));
        });
        asking.on('error', reject).end();
      });
    expect((await ask()).headers.connection).toBe('keep-alive');
    const stopped = drain(stopping, other, createLogger('silent'), { atOnce: false });
    await until(() => !stopping.listening);
    const last = await ask();
    expect([last.statusCode, last.headers.connection]).toEqual([200, 'close']);
    await expect(ask()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await stopped;
    await other.end();
  });

  it('loses nobody whom the system has let in, though each who is answered connects and asks again', async () => {
    const other = await testPaper();
    const stopping = await listen(other, { host: '127.0.0.1', port: 0 });
    const { port: to } = stopping.address() as AddressInfo;
    let answered = 0;
    /** What ends it: the code of what went wrong. */
    const askOnAndOn = (): Promise<string | undefined> =>
      new Promise((resolve) => {
        request({ host: '127.0.0.1', port: to, path: '/livez', agent: false }, (answer) => {
          answered++;
          answer.resume().on('end', () => resolve(askOnAndOn()));
        })
          .on('error', (error: NodeJS.ErrnoException) => resolve(error.code))
          .end();
      });
    const ends = Array.from({ length: 50 }, askOnAndOn);
    await until(() => answered > 500);
    await drain(stopping, other, createLogger('silent'), { atOnce: false });
    expect(new Set(await Promise.all(ends))).toEqual(new Set(['ECONNREFUSED']));
    await other.end();
  });
});
