import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setStory, withdrawStory } from '#content';
import { type StoredStory, storeStories } from '../builders.ts';
import { freePort } from '../free-port.ts';
import { around, configurationAt } from '../nginx.ts';
import { cookieOf, type TestPaper, testPaper } from '../paper.ts';
import { scratchFolder } from '../scratch-folder.ts';
import { beginOrder, pay, settle, signedInBrowser } from '../shop.ts';
import { type CanaryStory, canaryStory, leaked, readings, until, withheld } from './leaks.ts';

/** Two processes of the paper behind nginx as docs/operations.md has it, its cache included; without TLS alone. */
const nginx = process.env.NGINX_PATH ?? '';
type Canary = CanaryStory & StoredStory;
let paper: TestPaper;
let folder: string;
let front: string;
let proxy: ChildProcess;
let subscriber: string;
const canaries = new Map<string, Canary>();
const webs: { server: Server; asked: string[] }[] = [];

beforeAll(async () => {
  if (nginx === '') throw new Error('NGINX_PATH names no nginx: run the tests through npm test');
  folder = await scratchFolder('nginx');
  paper = await testPaper();
  for (const one of [paper, await paper.another()]) {
    const asked: string[] = [];
    const server = createServer((incoming, outgoing) => {
      asked.push(incoming.url ?? '');
      one.app.listener(incoming, outgoing);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    webs.push({ server, asked });
  }
  const [port, toTls] = [await freePort(), await freePort()];
  front = `http://127.0.0.1:${port}`;
  const [a = 0, b = 0] = webs.map(({ server }) => (server.address() as { port: number }).port);
  const given = await configurationAt({ folder, webs: [a, b], toTls, listen: `127.0.0.1:${port}` });
  await writeFile(join(folder, 'nginx.conf'), around(given.replace(/^ *ssl_.*$/gm, ''), folder));
  proxy = spawn(nginx, ['-c', join(folder, 'nginx.conf')], { stdio: 'inherit' });
  const kinds = [
    canaryStory('free', 1, { access: 'free' }),
    canaryStory('registered', 2, { access: 'registered' }),
    canaryStory('metered', 3, { access: 'metered' }),
    canaryStory('premium', 4, { access: 'premium' }),
    canaryStory('becomes premium', 5, { access: 'free' }),
    canaryStory('is withdrawn', 6, { access: 'free' }),
  ];
  const stored = await storeStories(
    paper.database.db,
    kinds.map((one) => one.input),
  );
  for (const [at, one] of kinds.entries()) canaries.set(one.kind, { ...one, ...(stored[at] as StoredStory) });
  const reader = await signedInBrowser(paper, 'asha@post.example');
  await pay(paper, await beginOrder(reader));
  await settle(paper);
  subscriber = [...reader.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  await until(async () => (await get('/livez').catch(() => undefined))?.status === 200);
});
afterAll(async () => {
  const ended = once(proxy, 'exit');
  proxy.kill('SIGTERM');
  await ended;
  for (const { server } of webs) {
    server.closeAllConnections();
    server.close();
  }
  await paper.end();
  await rm(folder, { recursive: true, force: true });
});

const the = (kind: string) => canaries.get(kind) as Canary;
const asked = (path: string) => webs.flatMap((one) => one.asked).filter((one) => one === path).length;

/** Asks nginx; the answer's bytes are as they came. */
function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> {
  return new Promise((resolve, reject) => {
    const asking = request(
      front + path,
      { method, agent: false, headers: { host: 'localhost', ...headers } },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => {
          const all = new Headers();
          for (let at = 0; at < answer.rawHeaders.length; at += 2)
            all.append(answer.rawHeaders[at] as string, answer.rawHeaders[at + 1] as string);
          // There is nothing to unpack.
          if (method === 'HEAD') all.delete('content-encoding');
          const status = answer.statusCode ?? 0;
          resolve(new Response(status === 304 ? null : Buffer.concat(chunks), { status, headers: all }));
        });
      },
    );
    asking.on('error', reject).end();
  });
}

/** Ways to dress up a request, each of which some cache somewhere fell for. */
const DRESSES: readonly Record<string, string>[] = [
  {},
  { 'accept-encoding': 'br' },
  { 'accept-encoding': 'gzip, deflate' },
  { range: 'bytes=0-999999' },
  { cookie: 'session=made-up' },
  { cookie: 'xsession=made-up; visitor=made-up' },
  { authorization: 'Bearer made-up' },
  { 'x-forwarded-for': '66.249.66.1', 'user-agent': 'Googlebot/2.1' },
  { 'x-forwarded-host': 'elsewhere.example', 'x-original-url': '/account' },
  { 'cache-control': 'no-cache', pragma: 'no-cache' },
];

describe('behind nginx and its cache', () => {
  it('nobody gets what a subscriber was given, whatever they send, and the subscriber gets it every time', async () => {
    for (const kind of ['premium', 'registered']) {
      const { path } = the(kind);
      for (const dress of DRESSES) {
        for (const address of [path, `${path}?utm_source=mail`]) {
          const own = await readings(await get(address, { cookie: subscriber, ...coding(dress) }));
          expect([kind, withheld(the(kind), own)]).toEqual([kind, []]);
          for (const method of ['GET', 'HEAD']) {
            const told = await readings(await get(address, dress, method));
            expect([kind, dress, method, leaked(the(kind), told)]).toEqual([kind, dress, method, []]);
            expect(told.join().includes('asha@post.example')).toBe(false);
          }
        }
      }
    }
  });

  it('each visitor has a count of their own', async () => {
    const answers = [await get(the('metered').path), await get(the('metered').path)];
    const [first, second] = answers.map(cookieOf);
    expect([first === undefined, first === second]).toEqual([false, false]);
  });

  it('a free story is made once for all whose browsers can unpack the same, and never with a cookie', async () => {
    const { path } = the('free');
    const before = asked(path);
    const codings = ['gzip, deflate, br, zstd', 'br;q=1.0, gzip;q=0.8', 'br', 'gzip, br'];
    for (const one of codings) {
      const answer = await get(path, { 'accept-encoding': one });
      expect([answer.headers.get('content-encoding'), answer.headers.getSetCookie()]).toEqual(['br', []]);
      expect(withheld(the('free'), await readings(answer))).toEqual([]);
    }
    expect(asked(path) - before).toBe(1);
    await get(path, { cookie: subscriber, 'accept-encoding': 'br' });
    expect(asked(path) - before).toBe(2);
  });

  it('what becomes premium or is withdrawn is given to nobody half a minute later', async () => {
    const { db } = paper.database;
    const [premium, gone] = [the('becomes premium'), the('is withdrawn')];
    for (const one of [premium, gone]) expect(withheld(one, await readings(await get(one.path)))).toEqual([]);
    const now = paper.clock.now();
    await setStory(db, premium.id, { access: 'premium' }, now);
    await withdrawStory(db, gone.id, 'a mistake', now);
    const changed = async (one: Canary) => {
      for (const { server } of webs) {
        const { port } = server.address() as { port: number };
        const answer = await fetch(`http://127.0.0.1:${port}${one.path}`);
        if (leaked(one, [await answer.text()]).length > 0) return false;
      }
      return true;
    };
    await until(async () => (await changed(premium)) && (await changed(gone)));
    // As long as such an answer says that it may be kept, in nginx's own time.
    await sleep(31_000);
    for (const one of [premium, gone, premium, gone])
      expect([one.kind, leaked(one, await readings(await get(one.path)))]).toEqual([one.kind, []]);
    expect((await get(gone.path)).status).toBe(410);
  });

  it('what is for who watches is for nobody', async () => {
    for (const path of ['/metrics', '/readyz', '//metrics', '/%6detrics', '/metrics?x=1'])
      expect([path, (await get(path)).status]).toEqual([path, 404]);
  });

  it('a process that is gone is missed by nobody', async () => {
    const [gone] = webs;
    gone?.server.close();
    gone?.server.closeAllConnections();
    for (let at = 0; at < 20; at++) expect((await get(`${the('metered').path}?at=${at}`)).status).toBe(200);
  });
});

/** Only what says how an answer is to be packed: the rest is a stranger's to send. */
function coding(dress: Record<string, string>): Record<string, string> {
  const { 'accept-encoding': accepted } = dress;
  return accepted === undefined ? {} : { 'accept-encoding': accepted };
}
