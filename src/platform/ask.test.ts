import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { TooLarge } from '#values/errors';
import { type App, serveRoutes } from './app.ts';
import { WebAsk } from './ask.ts';
import { type Answer, type Ask, answer } from './http.ts';
import { createLogger } from './log.ts';

const asked = (target: string, headers: Record<string, string> = {}, peer = '203.0.113.7', hops = 0) =>
  new WebAsk(new Request(`http://paper.example${target}`, { headers }), peer, hops);

describe('the cookies of a name', () => {
  const cookies = (header: string) => asked('/', { cookie: header }).cookies('visitor');

  it.each([
    ['visitor=a', ['a']],
    ['other=1; visitor=a', ['a']],
    ['visitor=a; visitor=b', ['a', 'b']],
    ['visitor=a;visitor=b', ['a', 'b']],
    [' visitor = a ; other=1', ['a']],
    ['visitor=', ['']],
    ['visitor=a=b', ['a=b']],
    ['visitor=visitor', ['visitor']],
    ['other=visitor; visitor=a', ['a']],
    ['xvisitor=1; visitors=2; __Host-visitor=3', []],
    ['visitor', []],
    ['visitor; visitor=a', ['a']],
    ['', []],
  ])('in %j are %j', (header, values) => {
    expect(cookies(header)).toEqual(values);
  });

  it('are those of a plain reading of the whole header', () => {
    const piece = fc.array(fc.constantFrom('visitor', '=', ';', ' ', 'x'), { maxLength: 12 });
    fc.assert(
      fc.property(piece, (pieces) => {
        const header = pieces.join('').trim();
        const plainly = header.split(';').flatMap((pair) => {
          const equals = pair.indexOf('=');
          return equals > 0 && pair.slice(0, equals).trim() === 'visitor'
            ? [pair.slice(equals + 1).trim()]
            : [];
        });
        expect(cookies(header)).toEqual(plainly);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('what follows a path', () => {
  it.each([
    ['/a?x=1', '/a', '1'],
    ['/a?x=1#x=2', '/a', '1'],
    ['/a#?x=1', '/a', undefined],
    ['/a?x=a+b%20c', '/a', 'a b c'],
    ['/a?x=1&x=2', '/a', undefined],
    ['/%E0%A4%85?x=%ff', '/%E0%A4%85', '\ufffd'],
  ])('%s', (target, path, x) => {
    const ask = asked(target);
    expect([ask.path, ask.query('x')]).toEqual([path, x]);
  });
});

describe('the address of a caller', () => {
  it.each([
    [0, '198.51.100.1', '203.0.113.7'],
    [1, '198.51.100.1', '198.51.100.1'],
    [1, '192.0.2.66, 198.51.100.1', '198.51.100.1'],
    [2, '192.0.2.66, 198.51.100.1', '192.0.2.66'],
    [2, '198.51.100.1', '198.51.100.1'],
  ])('behind %i proxies of ours, of which %s is told, is %s', (hops, told, address) => {
    expect(asked('/', { 'x-forwarded-for': told }, '203.0.113.7', hops).address).toBe(address);
    expect(asked('/', {}, '203.0.113.7', hops).address).toBe('203.0.113.7');
  });
});

describe('over a connection', () => {
  let server: Server;
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  /** An app whose only route does this, listening. */
  async function serve(handle: (ask: Ask) => Answer | Promise<Answer>): Promise<number> {
    const app: App = serveRoutes([{ method: 'POST', path: '/:thing', who: 'gateway', handle }], {
      origin: 'http://paper.example',
      trustedProxyHops: 0,
      log: createLogger('silent'),
      secure: false,
      failed: (status) => answer(status, 'text/plain', `failed ${status}`),
      admit: () => undefined,
    });
    server = createServer(app.listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  const post = (port: number, body: string | Uint8Array<ArrayBuffer>) =>
    fetch(`http://127.0.0.1:${port}/thing`, { method: 'POST', body });

  it('a body arrives as it was sent', async () => {
    const port = await serve(async (ask) => answer(200, 'text/plain', await ask.body(1_000_000)));
    const bytes = crypto.getRandomValues(new Uint8Array(50_000));
    expect(new Uint8Array(await (await post(port, bytes)).arrayBuffer())).toEqual(bytes);
  });

  it('a body that is too long is refused, also where its length was not told, and the connection goes on', async () => {
    const port = await serve((ask) =>
      ask.body(100).then(
        (bytes) => answer(200, 'text/plain', bytes),
        (error: unknown) => answer(error instanceof TooLarge ? 413 : 500, 'text/plain', ask.address),
      ),
    );
    expect((await post(port, 'x'.repeat(101))).status).toBe(413);
    const socket = connect(port, '127.0.0.1').setEncoding('latin1');
    const chunk = `65\r\n${'x'.repeat(101)}\r\n`;
    socket.write(`POST /thing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`);
    expect(await once(socket, 'data')).toEqual([expect.stringMatching(/^HTTP\/1.1 413 .*127\.0\.0\.1$/s)]);
    socket.write('5\r\nrest.\r\n0\r\n\r\n');
    socket.write('POST /thing HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nshort');
    expect(await once(socket, 'data')).toEqual([expect.stringMatching(/^HTTP\/1.1 200 /)]);
    socket.destroy();
  });

  it('a body that ends too early is the caller’s mistake', async () => {
    let failure: unknown;
    const told = Promise.withResolvers<void>();
    const port = await serve(async (ask) => {
      await ask.body(100).catch((error: unknown) => {
        failure = error;
        told.resolve();
      });
      return answer(200, 'text/plain', 'done');
    });
    const socket = connect(port, '127.0.0.1');
    socket.write('POST /thing HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhalf', () => socket.destroy());
    await told.promise;
    expect(failure).toMatchObject({ code: 'cut-short', status: 422 });
  });

  it.each([
    ['at once', (made: Answer) => made],
    ['later', async (made: Answer) => made],
  ])('an answer that cannot be sent, made %s, ends no more than itself', async (_, made) => {
    const port = await serve(() => made(answer(200, 'text/plain', 'done', ['X-Told', 'two\nlines'])));
    expect((await post(port, '')).status).toBe(500);
    expect((await post(port, '')).status).toBe(500);
  });
});
