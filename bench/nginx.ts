import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openEmbeddedPostgres } from '../src/platform/embedded-postgres.ts';
import { createLogger } from '../src/platform/log.ts';
import { around, configurationAt, SHIPPED } from '../test/nginx.ts';
import { BROWSER, listStories, machine, need, pathOf, say, scratchFolder, visitorCookie } from './paper.ts';
import { ask, end, load, MEASURED_CPU, median, start, untilReady } from './processes.ts';

/**
 * Measures two processes of the paper behind nginx with the configuration that docs/operations.md gives, over TLS as there:
 * a free story out of nginx's cache against a static file of the same bytes, and a metered one with the cache against
 * without.
 *
 *     npm run bench:nginx
 *     npm run bench:nginx -- --conf FILE     another configuration
 */
const { values: OPTIONS } = parseArgs({
  options: { conf: { type: 'string', default: SHIPPED } },
});
const [ROUNDS, SECONDS] = [7, 2];
const WEBS = [4351, 4352] as const;
const [CACHED, PLAIN, STATIC, TO_TLS] = [4353, 4354, 4355, 4356];
const BASE = `https://localhost:${CACHED}`;
const TLS_OPTIONS = 'ssl http2 backlog=2048';
const SENT = { ...BROWSER, Host: `localhost:${CACHED}` };

need('nginx', 'wrk', 'openssl');

const folder = scratchFolder();
const data = join(folder, 'data');
const postgres = await openEmbeddedPostgres({ data, log: createLogger('warn') });
const env = { BASE_URL: BASE, BROADSHEET_DATA: data, LOG_LEVEL: 'warn', TRUSTED_PROXY_HOPS: '1', DEMO: '1' };
const running: ReturnType<typeof start>[] = [];
try {
  for (const port of WEBS) {
    running.push(
      start(MEASURED_CPU, process.execPath, ['--max-semi-space-size=8', 'dist/main/web.js'], {
        ...env,
        PORT: String(port),
      }),
    );
    await untilReady(`http://127.0.0.1:${port}/readyz`);
  }
  const stories = listStories(env);
  const free = pathOf(stories, 'free');
  const metered = pathOf(stories, 'metered');
  const story = await ask(`http://127.0.0.1:${WEBS[0]}${free}`, SENT);
  mkdirSync(join(folder, 'static'));
  writeFileSync(join(folder, 'static/story.html'), story.body);
  certificate();
  running.push(start(MEASURED_CPU, 'nginx', ['-c', await configuration()]));
  await untilReady(`http://127.0.0.1:${TO_TLS}/`, 301);
  say(`${machine()}; ${nginxVersion()}; ${story.body.length} bytes`);
  say(`${ROUNDS} rounds of three turns of ${SECONDS} s, 64 connections; medians\n`);
  say('| behind nginx | requests a second | ratio (min–max) | wanted |\n|---|---|---|---|');
  compare('a free story out of the cache', 0.8, {
    bare: () => load(`https://127.0.0.1:${STATIC}/story.html`, SECONDS, SENT),
    paper: () => load(`https://127.0.0.1:${CACHED}${free}`, SECONDS, SENT),
  });
  const reader = { ...SENT, cookie: await visitorCookie(`http://127.0.0.1:${WEBS[0]}${metered}`) };
  for (let warm = 0; warm < 3; warm++) load(`https://127.0.0.1:${PLAIN}${metered}`, 4, reader);
  compare('a metered story, with the cache and without', 1, {
    bare: () => load(`https://127.0.0.1:${PLAIN}${metered}`, SECONDS, reader),
    paper: () => load(`https://127.0.0.1:${CACHED}${metered}`, SECONDS, reader),
  });
} finally {
  for (const one of running.toReversed()) await end(one);
  await postgres.release();
  rmSync(folder, { recursive: true, force: true });
}

type Turn = () => { readonly perSecond: number; readonly failed: number };

/** In turns, so that what the machine does besides cancels out; the yardstick before and after. */
function compare(name: string, wanted: number, { bare, paper }: { bare: Turn; paper: Turn }): void {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const before = bare();
    const own = paper();
    const after = bare();
    if (own.failed + before.failed + after.failed > 0) throw new Error(`${name}: some answers were errors`);
    return { own: own.perSecond, yardstick: (before.perSecond + after.perSecond) / 2 };
  });
  const ratios = rounds.map(({ own, yardstick }) => own / yardstick);
  const [low, high] = [Math.min(...ratios), Math.max(...ratios)].map((one) => one.toFixed(2));
  const [own, yardstick] = [median(rounds.map((one) => one.own)), median(rounds.map((one) => one.yardstick))];
  say(
    `| ${name} | ${Math.round(own)} of ${Math.round(yardstick)} | ${median(ratios).toFixed(2)} (${low}–${high}) | ${wanted} |`,
  );
}

/** The configuration as it is given, on ports of this machine, once with the cache and once without; and a static file. */
async function configuration(): Promise<string> {
  const at = (port: number) =>
    configurationAt(
      { folder, webs: WEBS, toTls: TO_TLS, listen: `127.0.0.1:${port} ${TLS_OPTIONS}` },
      OPTIONS.conf,
    );
  const plain = /^server \{\n {4}listen 127\.0\.0\.1:\d+ ssl[\s\S]*?^\}$/m
    .exec(await at(PLAIN))?.[0]
    .replace('proxy_cache paper;', 'proxy_cache off;');
  if (plain === undefined) throw new Error('the configuration has no server that reads the paper');
  const file = join(folder, 'nginx.conf');
  const still = `server {
    listen 127.0.0.1:${STATIC} ${TLS_OPTIONS}; root ${join(folder, 'static')};
    ssl_certificate ${join(folder, 'fullchain.pem')}; ssl_certificate_key ${join(folder, 'privkey.pem')};
    sendfile on; tcp_nopush on; open_file_cache max=100; add_header Content-Encoding br;
  }`;
  writeFileSync(
    file,
    around(`include /etc/nginx/mime.types; ${await at(CACHED)}\n${plain}\n${still}`, folder),
  );
  return file;
}

/** One for this hour, signed by itself: wrk does not ask who signed. */
function certificate(): void {
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const files = ['-keyout', join(folder, 'privkey.pem'), '-out', join(folder, 'fullchain.pem')];
  const made = spawnSync('openssl', [
    'req',
    '-x509',
    ...kind,
    '-days',
    '2',
    '-subj',
    '/CN=localhost',
    ...files,
  ]);
  if (made.status !== 0) throw new Error(`openssl failed: ${made.stderr}`);
}

function nginxVersion(): string {
  return spawnSync('nginx', ['-v'], { encoding: 'utf8' }).stderr.trim().replace('nginx version: ', '');
}
