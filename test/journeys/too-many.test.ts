import { createServer, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { NO_LOAD } from '#platform/load';
import { type StoredStory, storeStories, storyInput } from '../builders.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { signedInBrowser, type TestBrowser } from '../shop.ts';

/** More ask than can be answered, because the database hardly answers any more. */
let paper: TestPaper;
let server: Server;
let stories: StoredStory[];
beforeAll(async () => {
  paper = await testPaper();
  stories = await storeStories(
    paper.database.db,
    Array.from({ length: 3 }, () => storyInput()),
  );
  server = createServer(paper.app.listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await paper.end();
});

function ask(
  path: string,
  cookie?: string,
  of = server,
): Promise<{ status: number; retry: string | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const { port } = of.address() as AddressInfo;
    request(
      { host: '127.0.0.1', port, path, agent: false, headers: cookie === undefined ? {} : { cookie } },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            retry: answer.headers['retry-after'],
            text: Buffer.concat(chunks).toString(),
          }),
        );
      },
    )
      .on('error', reject)
      .end();
  });
}

const cookieOf = (browser: TestBrowser) =>
  [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');

describe('when too many wait', () => {
  it('strangers are turned away with a word and a time, and readers, who pays and who watches are not', async () => {
    const reader = await signedInBrowser(paper, 'asha@post.example');
    const cookie = cookieOf(reader);
    // Every first read of a visitor is a write, and the table of meters is locked.
    const client = await paper.database.pool.connect();
    await client.query('begin');
    await client.query('lock table access.meters in access exclusive mode');
    const path = stories[0]?.path ?? '';
    onTestFinished(async () => client.release(true));
    const waiting = Array.from({ length: 450 }, () => ask(path).catch(() => undefined));
    await expect.poll(async () => (await ask(path)).status, { timeout: 10_000 }).toBe(503);
    const { retry, status, text } = await ask(path);
    expect([status, retry]).toEqual([503, '5']);
    expect(text).toContain('Please try again in a moment');
    expect(text).not.toContain('says something that is worth a line');
    expect((await ask('/account', cookie)).status).toBe(200);
    const madeUp = cookie.replace(/session=[^;]{5}/, 'session=aaaaa');
    expect((await ask(path, madeUp)).status).toBe(503);
    for (const always of ['/livez', '/subscribe', '/login', '/desk/sign-in'])
      expect([always, (await ask(always)).status]).toEqual([always, 200]);
    await client.query('rollback');
    await Promise.all(waiting);
    await expect.poll(async () => (await ask(path)).status, { timeout: 10_000 }).toBe(200);
  }, 40_000);

  it('nobody is turned away because many have begun to send a form and do not go on', async () => {
    const { port } = server.address() as AddressInfo;
    const half =
      'POST /login HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:3000\r\n' +
      'Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nemail=';
    const sockets = await Promise.all(
      Array.from({ length: 450 }, async () => {
        const socket = connect(port, '127.0.0.1');
        await new Promise((resolve) => socket.write(half, resolve));
        return socket;
      }),
    );
    // Those came first: this one is taken up behind them.
    expect((await ask(stories[0]?.path ?? '')).status).toBe(200);
    for (const socket of sockets) socket.destroy();
  });
});

it('a process that is late turns strangers away, at once or a little later, and nobody else', async () => {
  const load = { ...NO_LOAD, strangers: 1, holdMs: 0 };
  const late = await testPaper(undefined, {
    load: { load, isTooMuchFor: (claim) => claim() === 'stranger', stop: () => undefined },
  });
  const [story] = await storeStories(late.database.db, [storyInput()]);
  const reader = await signedInBrowser(late, 'ravi@post.example');
  const lateServer = createServer(late.app.listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => lateServer.once('listening', resolve));
  const statusOf = async (path: string, cookie?: string) => (await ask(path, cookie, lateServer)).status;
  const path = story?.path ?? '';
  for (load.holdMs of [0, 20]) {
    expect(await statusOf(path)).toBe(503);
    expect(await statusOf(path, cookieOf(reader))).toBe(200);
    for (const always of ['/livez', '/subscribe', '/login', '/desk/sign-in'])
      expect([always, await statusOf(always)]).toEqual([always, 200]);
  }
  lateServer.closeAllConnections();
  await new Promise((resolve) => lateServer.close(resolve));
  await late.end();
});
