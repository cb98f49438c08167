import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openEmbeddedPostgres } from '../src/platform/embedded-postgres.ts';
import { createLogger } from '../src/platform/log.ts';
import {
  BROWSER,
  command,
  type Listed,
  listStories,
  machine,
  need,
  pinDatabase,
  say,
  scratchFolder,
  subscriberCookie,
  visitorCookie,
} from './paper.ts';
import {
  ask,
  end,
  type Load,
  load,
  MEASURED_CPU,
  median,
  residentMb,
  start,
  untilReady,
} from './processes.ts';

/**
 * Measures the reader's pages: each against a bare node:http server that sends the same bytes and headers, in turns in
 * one run, so that what the machine does besides cancels out.
 *
 *     npm run bench                          everything, 100,000 stories
 *     npm run bench -- --quick               a short look
 *     npm run bench -- --only "new visitor"  the pages whose name holds these words
 */
const { values: OPTIONS } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string', default: '' } },
});
const QUICK = OPTIONS.quick;
const STORIES = QUICK ? 5_000 : 100_000;
/**
 * Many short turns, bare-paper-paper-bare, so that neither comes first: on a shared machine the speed changes by half from
 * one second to the next.
 */
const ROUNDS = QUICK ? 2 : 5;
const SECONDS = 2;
const [PAPER, BARE] = [4310, 4311];
const BASE = `http://127.0.0.1:${PAPER}`;

need('wrk');

const folder = scratchFolder();
const log = createLogger('warn');
const postgres = await openEmbeddedPostgres({ data: join(folder, 'data'), log });
const env = {
  PORT: String(PAPER),
  BASE_URL: BASE,
  BROADSHEET_DATA: join(folder, 'data'),
  DATABASE_URL: postgres.url,
  LOG_LEVEL: 'warn',
  DEMO: '0',
};

try {
  pinDatabase(env.BROADSHEET_DATA);
  say(machine());
  say(`${STORIES} stories; ${ROUNDS} rounds of four turns of ${SECONDS} s, 64 connections; medians`);
  fill();
  const paper = start(MEASURED_CPU, process.execPath, ['--max-semi-space-size=8', 'dist/main/web.js'], env);
  try {
    await untilReady(`${BASE}/readyz`);
    await sleep(1_000);
    const idle = residentMb(paper.pid as number);
    const stories = listStories(env, STORIES);
    await ratios(stories);
    const spread = overAll(stories);
    await sleep(500);
    say('');
    say(`| memory | MB |`);
    say(`|---|---|`);
    say(`| web process, idle | ${idle} |`);
    say(
      `| web process, after ${stories.length} stories in random order (${Math.round(spread)} a second) | ${residentMb(paper.pid as number)} |`,
    );
  } finally {
    await end(paper);
  }
} finally {
  await postgres.release();
  rmSync(folder, { recursive: true, force: true });
}

async function ratios(stories: readonly Listed[]): Promise<void> {
  const of = (access: string) => stories.find((story) => story.access === access)?.url ?? '';
  const metered = stories.filter((story) => story.access === 'metered').map((story) => story.url);
  const visitor = await visitorCookie(metered[0] as string);
  const exhausted = await visitorCookie(metered[0] as string);
  for (const url of metered.slice(1, 12)) await ask(url, { cookie: exhausted });
  const subscriber = await subscriberCookie(env, BASE);
  const scenarios: readonly { name: string; floor: number; url: string; cookie?: string }[] = [
    { name: 'free story', floor: 0.7, url: of('free') },
    { name: 'metered story already read', floor: 0.6, url: metered[0] as string, cookie: visitor },
    { name: 'metered story, a new visitor each time', floor: 0.25, url: metered[0] as string },
    { name: 'the wall', floor: 0.6, url: metered[20] as string, cookie: exhausted },
    { name: 'premium story, to a subscriber', floor: 0.5, url: of('premium'), cookie: subscriber },
    { name: 'front', floor: 0.7, url: `${BASE}/` },
  ];
  const headersOf = (cookie: string | undefined) => ({
    ...BROWSER,
    ...(cookie === undefined ? {} : { cookie }),
  });
  // A process takes half a minute until its code is compiled as well as it will be: the first page is not to pay for it.
  for (const { cookie, url } of scenarios) load(url, QUICK ? 1 : 5, headersOf(cookie));
  say('');
  say('| page | bytes | bare, a second | paper, a second | ratio (min–max) | floor | p99 ms |');
  say('|---|---|---|---|---|---|---|');
  for (const { cookie, floor, name, url } of scenarios) {
    if (!name.includes(OPTIONS.only)) continue;
    const headers = headersOf(cookie);
    const recorded = await ask(url, headers);
    if (recorded.status !== 200) throw new Error(`${name}: ${url} answered ${recorded.status}`);
    const file = join(folder, 'recorded.json');
    writeFileSync(file, JSON.stringify({ ...recorded, body: recorded.body.toString('base64') }));
    const bare = start(MEASURED_CPU, process.execPath, [
      join(import.meta.dirname, 'bare-server.ts'),
      file,
      String(BARE),
    ]);
    try {
      const bareUrl = `http://127.0.0.1:${BARE}/`;
      await untilReady(bareUrl);
      load(url, 2, headers);
      load(bareUrl, 2, headers);
      const rounds = Array.from({ length: ROUNDS }, () => {
        const before = load(bareUrl, SECONDS, headers);
        const paper = [load(url, SECONDS, headers), load(url, SECONDS, headers)];
        return { bare: [before, load(bareUrl, SECONDS, headers)], paper };
      });
      const [bareRuns, paperRuns] = [rounds.flatMap((one) => one.bare), rounds.flatMap((one) => one.paper)];
      const failed = paperRuns.reduce((sum, { failed }) => sum + failed, 0);
      if (failed > 0) throw new Error(`${name}: ${failed} answers were errors`);
      const each = rounds.map(({ bare, paper }) => answered(paper) / answered(bare));
      const [low, high] = [Math.min(...each), Math.max(...each)].map((one) => one.toFixed(2));
      say(
        `| ${name} | ${recorded.body.length} | ${Math.round(median(bareRuns.map((one) => one.perSecond)))} | ` +
          `${Math.round(median(paperRuns.map((one) => one.perSecond)))} | ${median(each).toFixed(2)} (${low}–${high}) | ` +
          `${floor} | ${median(paperRuns.map((one) => one.p99Ms)).toFixed(1)} |`,
      );
    } finally {
      await end(bare);
    }
  }
}

function answered(runs: readonly Load[]): number {
  return runs.reduce((sum, { perSecond }) => sum + perSecond, 0);
}

/** Every story in random order, so that memory holds as much as it ever will. */
function overAll(stories: readonly Listed[]): number {
  const script = join(folder, 'spread.lua');
  const paths = stories.map((story) => new URL(story.url).pathname);
  writeFileSync(join(folder, 'paths.txt'), paths.join('\n'));
  writeFileSync(
    script,
    `local paths = {}
for line in io.lines("${join(folder, 'paths.txt')}") do paths[#paths + 1] = line end
math.randomseed(7)
request = function() return wrk.format("GET", paths[math.random(#paths)]) end
`,
  );
  return load(BASE, QUICK ? 5 : 30, BROWSER, script).perSecond;
}

function fill(): void {
  const generated = join(folder, 'stories.ndjson');
  spawnSync('sh', ['-c', `'${process.execPath}' demo/generate.ts ${STORIES} --seed 1 > '${generated}'`], {
    stdio: 'inherit',
  });
  command(env, 'import', 'ndjson', generated);
  rmSync(generated);
}
