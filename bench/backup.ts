import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { generateStories } from '../demo/generate.ts';
import { monotonicMs, systemClock } from '../src/platform/clock.ts';
import { openEmbeddedPostgres } from '../src/platform/embedded-postgres.ts';
import { createLogger } from '../src/platform/log.ts';
import { machine, say, scratchFolder } from './paper.ts';
import { end, untilReady } from './processes.ts';

/**
 * Measures a back-up of 100,000 stories while the paper is read, what readers notice of it, and a restore.
 *
 *     node bench/backup.ts [STORIES]
 */
const STORIES = Number(process.argv[2] ?? 100_000);
const PORT = 4340;
/** Readers who come evenly, whatever the answers take: what they wait is what they notice. */
const PER_SECOND = 100;
const CALM_MS = 15_000;

const folder = scratchFolder();
const data = join(folder, 'data');
const server = await openEmbeddedPostgres({ data, log: createLogger('warn') });
const env = {
  ...process.env,
  BROADSHEET_DATA: data,
  DEMO: '0',
  PORT: String(PORT),
  BASE_URL: `http://localhost:${PORT}`,
};
try {
  say(`${machine()}; ${STORIES} stories\n`);
  const archive = join(folder, 'stories.ndjson');
  await writeFile(
    archive,
    generateStories(STORIES, { seed: 1, until: systemClock.now() }).map((line) => `${line}\n`),
  );
  await command(['import', 'ndjson', archive]);
  const paths = await storyPaths(server.url);
  const web = spawn(process.execPath, ['--max-semi-space-size=8', 'dist/main/web.js'], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await untilReady(`http://127.0.0.1:${PORT}/readyz`);
  await read(paths, sleep(5_000));
  const calm = await read(paths, sleep(CALM_MS));
  const backup = join(folder, 'paper.backup');
  let seconds = 0;
  const busy = await read(
    paths,
    command(['backup', backup]).then((took) => {
      seconds = took;
    }),
  );
  const megabytes = Math.round(statSync(backup).size / 1024 ** 2);
  await end(web);
  const restored = await command(['restore', backup, '--replace']);
  say('| | measured | wanted |\n|---|---|---|');
  say(
    `| back-up while ${PER_SECOND} readers a second come, ${megabytes} MB | ${seconds.toFixed(1)} s | 60 |`,
  );
  say(
    `| what 99 of 100 readers wait at most: before, meanwhile | ${calm.toFixed(1)}, ${busy.toFixed(1)} ms: ${(busy / calm).toFixed(2)} times | 2 |`,
  );
  say(`| restore, checked | ${restored.toFixed(1)} s | 120 |`);
} finally {
  await server.release();
  rmSync(folder, { recursive: true, force: true });
}

/** @returns how many seconds it took */
async function command(args: readonly string[]): Promise<number> {
  const began = monotonicMs();
  const child = spawn(process.execPath, ['dist/main/cli.js', ...args], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${args[0]} ended with ${code}`);
  return (monotonicMs() - began) / 1000;
}

async function storyPaths(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ path: string }>(
    `select '/' || section || '/' || slug || '-' || short_id as path from content.stories order by md5(short_id) limit 20000`,
  );
  await client.end();
  return rows.map(({ path }) => path);
}

/** Reads stories in random order until something is done; gives the 99th of a hundred waits, in milliseconds. */
async function read(paths: readonly string[], until: Promise<unknown>): Promise<number> {
  const waits: number[] = [];
  const underWay: Promise<void>[] = [];
  let isDone = false;
  const ended = until.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    const began = monotonicMs();
    const path = paths[Math.floor(Math.random() * paths.length)] ?? '/';
    underWay.push(
      fetch(`http://127.0.0.1:${PORT}${path}`, { redirect: 'manual' })
        .then((answer) => answer.arrayBuffer())
        .then(() => {
          waits.push(monotonicMs() - began);
        }),
    );
    await sleep(1_000 / PER_SECOND);
  }
  await ended;
  await Promise.all(underWay);
  waits.sort((a, b) => a - b);
  return waits[Math.floor(waits.length * 0.99)] ?? 0;
}
