import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { monotonicMs } from '../src/platform/clock.ts';
import { openEmbeddedPostgres } from '../src/platform/embedded-postgres.ts';
import { createLogger } from '../src/platform/log.ts';
import {
  BROWSER,
  listStories,
  machine,
  need,
  pathOf,
  pinDatabase,
  say,
  scratchFolder,
  subscriberCookie,
} from './paper.ts';
import { end, load, MEASURED_CPU, median, OTHER_CPU, residentMb, start, untilReady } from './processes.ts';

/**
 * Measures a minute in which four times as many strangers come as one web process can serve, whatever the answers take,
 * while subscribers go on reading: what those wait, what the process's memory does, and how soon all is as before.
 *
 *     npm run bench:overload
 */
const PORT = 4361;
const BASE = `http://localhost:${PORT}`;
const [TIMES, SECONDS, SUBSCRIBERS_A_SECOND] = [4, 60, 50];
/** As before: every stranger is answered, and nobody waits so long. */
const NORMAL_MS = 100;

need('wrk');
const folder = scratchFolder();
const data = join(folder, 'data');
const postgres = await openEmbeddedPostgres({ data, log: createLogger('warn') });
const env = { PORT: String(PORT), BASE_URL: BASE, BROADSHEET_DATA: data, LOG_LEVEL: 'warn', DEMO: '1' };
const agent = new Agent({ keepAlive: true, maxSockets: 256 });
const web = start(MEASURED_CPU, process.execPath, ['--max-semi-space-size=8', 'dist/main/web.js'], env);
try {
  pinDatabase(data);
  await untilReady(`${BASE}/readyz`);
  const stories = listStories(env);
  const cookie = await subscriberCookie(env, BASE);
  const read = stories.map((one) => new URL(one.url).pathname);
  const strangers = ['/', pathOf(stories, 'free'), ...read.slice(0, 30)];

  const bearable = median(strangers.map((path) => load(BASE + path, 1, BROWSER).perSecond));
  const perSecond = Math.round((TIMES * bearable) / 1_000) * 1_000;
  const calm = await subscribers(read, cookie, 10);
  const beforeMb = residentMb(web.pid as number);

  const memory: number[] = [];
  const watching = setInterval(() => memory.push(residentMb(web.pid as number)), 1_000);
  const crowd = promisify(execFile)('taskset', [
    ...['-c', OTHER_CPU, process.execPath, 'bench/open-loop.ts'],
    ...[PORT, perSecond, SECONDS].map(String),
    ...strangers,
  ]);
  const [{ stdout }, during] = await Promise.all([
    crowd,
    sleep(1_000).then(() => subscribers(read, cookie, SECONDS - 3)),
  ]);
  const came = JSON.parse(stdout) as Crowd;
  const over = monotonicMs();
  clearInterval(watching);
  const normalMs = await untilNormal(strangers, over);
  const after = await subscribers(read, cookie, 10);

  say(machine());
  say(`one web process; what it can bear of these pages: ${Math.round(bearable)} a second\n`);
  say(`strangers: ${JSON.stringify({ perSecond, ...came })}\n`);
  say(
    '| subscribers | answered, refused | median ms | p99 ms | longest ms | wanted |\n|---|---|---|---|---|---|',
  );
  row('before', calm, '');
  row(`while ${TIMES} times as many strangers come`, during, 'p99 1000');
  row('after', after, '');
  say('\n| | measured | wanted |\n|---|---|---|');
  const half = Math.floor(memory.length / 2);
  const [first, second] = [Math.max(...memory.slice(0, half)), Math.max(...memory.slice(half))];
  say(
    `| memory before; most in the first half minute, in the second | ${beforeMb}; ${first}, ${second} MB | flat |`,
  );
  say(`| until strangers are answered as before | ${(normalMs / 1_000).toFixed(1)} s | 5 |`);
} finally {
  agent.destroy();
  await end(web);
  await postgres.release();
  rmSync(folder, { recursive: true, force: true });
}

/** What bench/open-loop.ts prints. */
type Crowd = {
  readonly came: number;
  readonly lost: number;
  readonly broken: number;
  readonly connections: number;
  readonly answered: Readonly<Record<string, number>>;
};
type Waits = { readonly ms: readonly number[]; readonly refused: number };

/** Subscribers who come evenly for so many seconds, and what each waited. */
async function subscribers(paths: readonly string[], cookie: string, seconds: number): Promise<Waits> {
  const ms: number[] = [];
  let refused = 0;
  const underWay: Promise<void>[] = [];
  const began = monotonicMs();
  for (let number = 0; monotonicMs() - began < seconds * 1_000; number++) {
    const path = paths[number % paths.length] as string;
    const one = answerTo(path, { ...BROWSER, cookie }).then((answer) => {
      ms.push(answer.ms);
      if (answer.status !== 200) refused++;
    });
    underWay.push(one);
    const due = ((number + 1) * 1_000) / SUBSCRIBERS_A_SECOND;
    await sleep(Math.max(0, due - (monotonicMs() - began)));
  }
  await Promise.all(underWay);
  return { ms: ms.toSorted((a, b) => a - b), refused };
}

/** @returns how long after the crowd the last stranger was refused, or waited longer than is normal, in milliseconds */
async function untilNormal(paths: readonly string[], over: number): Promise<number> {
  let last = over;
  while (monotonicMs() - last < 3_000) {
    const path = paths[Math.floor(Math.random() * paths.length)] as string;
    const { ms, status } = await answerTo(path, BROWSER);
    if (status !== 200 || ms > NORMAL_MS) last = monotonicMs();
    await sleep(50);
  }
  return last - over;
}

function answerTo(path: string, headers: Record<string, string>): Promise<{ status: number; ms: number }> {
  const began = monotonicMs();
  return new Promise((resolve) => {
    const done = (status: number) => resolve({ status, ms: monotonicMs() - began });
    request(BASE + path, { headers, agent }, (response) => {
      response.resume();
      response.on('end', () => done(response.statusCode ?? 0));
    })
      .on('error', () => done(0))
      .end();
  });
}

function row(name: string, { ms, refused }: Waits, wanted: string): void {
  const at = (part: number) => (ms[Math.min(ms.length - 1, Math.floor(ms.length * part))] ?? 0).toFixed(1);
  say(`| ${name} | ${ms.length}, ${refused} | ${at(0.5)} | ${at(0.99)} | ${at(1)} | ${wanted} |`);
}
