import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openEmbeddedPostgres } from '../src/platform/embedded-postgres.ts';
import { createLogger } from '../src/platform/log.ts';
import { around, configurationAt } from '../test/nginx.ts';
import { listStories, machine, need, say, scratchFolder } from './paper.ts';
import { end, MEASURED_CPU, OTHER_CPU, start, untilReady } from './processes.ts';

/**
 * Restarts two processes of the paper behind nginx, with the shipped configuration, one after the other, while readers
 * read and send forms: how many of them notice.
 *
 *     npm run bench:restart
 *     npm run bench:restart -- --keepalive 4 --readers 0 --writers 60     nearly each form comes on a new connection
 */
const { values: OPTIONS } = parseArgs({
  options: {
    keepalive: { type: 'string', default: '64' },
    readers: { type: 'string', default: '12' },
    writers: { type: 'string', default: '24' },
  },
});
const WEBS = [4371, 4372] as const;
const [FRONT, TO_TLS] = [4373, 4374];
const BASE = `http://localhost:${FRONT}`;
const [RESTARTS, READERS, WRITERS] = [6, Number(OPTIONS.readers), Number(OPTIONS.writers)];

need('nginx');
const folder = scratchFolder();
const data = join(folder, 'data');
const postgres = await openEmbeddedPostgres({ data, log: createLogger('warn') });
const env = { BASE_URL: BASE, BROADSHEET_DATA: data, LOG_LEVEL: 'warn', TRUSTED_PROXY_HOPS: '1', DEMO: '1' };
const agent = new Agent({ keepAlive: true, maxSockets: READERS + WRITERS });
const webs: ReturnType<typeof start>[] = [];
let nginx: ReturnType<typeof start> | undefined;
try {
  for (const at of WEBS.keys()) await startWeb(at);
  const given = await configurationAt({ folder, webs: WEBS, toTls: TO_TLS, listen: `127.0.0.1:${FRONT}` });
  const file = join(folder, 'nginx.conf');
  const plain = given.replace(/^ *ssl_.*$/gm, '').replace('keepalive 64;', `keepalive ${OPTIONS.keepalive};`);
  writeFileSync(file, around(plain, folder));
  nginx = start(OTHER_CPU, 'nginx', ['-c', file]);
  await untilReady(`http://127.0.0.1:${TO_TLS}/`, 301);
  const metered = listStories(env)
    .filter((one) => one.access === 'metered')
    .map((one) => new URL(one.url).pathname);

  const answered = { GET: new Map<string, number>(), POST: new Map<string, number>() };
  let isOver = false;
  const asking = Array.from({ length: READERS + WRITERS }, async (_, who) => {
    const method = who < READERS ? 'GET' : 'POST';
    for (let at = who; !isOver; at++) {
      const path = method === 'POST' ? '/login' : (metered[at % metered.length] as string);
      const status = await ask(method, path);
      answered[method].set(status, (answered[method].get(status) ?? 0) + 1);
      await sleep(4 * Math.random());
    }
  });
  await sleep(2_000);
  for (let restart = 0; restart < RESTARTS; restart++) {
    const at = restart % WEBS.length;
    await end(webs[at] as ReturnType<typeof start>);
    await startWeb(at);
  }
  await sleep(1_000);
  isOver = true;
  await Promise.all(asking);
  if (process.env.LOGS) process.stderr.write(readFileSync(join(folder, 'error.log'), 'utf8').slice(0, 3000));
  say(`${machine()}\n`);
  say(`| ${RESTARTS} restarts, one after the other | answered, by status |\n|---|---|`);
  for (const [method, statuses] of Object.entries(answered))
    say(`| ${method} | ${[...statuses].map(([status, times]) => `${status}: ${times}`).join(', ')} |`);
} finally {
  agent.destroy();
  for (const one of [nginx, ...webs]) if (one !== undefined) await end(one);
  await postgres.release();
  rmSync(folder, { recursive: true, force: true });
}

async function startWeb(at: number): Promise<void> {
  const port = String(WEBS[at]);
  webs[at] = start(MEASURED_CPU, process.execPath, ['dist/main/web.js'], { ...env, PORT: port });
  await untilReady(`http://127.0.0.1:${port}/readyz`);
}

/** @returns the status, or what went wrong with the connection to nginx */
function ask(method: 'GET' | 'POST', path: string): Promise<string> {
  const form = { origin: BASE, 'content-type': 'application/x-www-form-urlencoded' };
  const headers = { host: `localhost:${FRONT}`, ...(method === 'POST' ? form : {}) };
  return new Promise((resolve) => {
    request({ host: '127.0.0.1', port: FRONT, path, method, agent, headers }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(String(answer.statusCode)));
    })
      .on('error', (error) => resolve(error.message))
      .end(method === 'POST' ? 'email=nobody' : undefined);
  });
}
