import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { machineMs } from '../src/platform/clock.ts';
import { openEmbeddedPostgres } from '../src/platform/embedded-postgres.ts';
import { uuidv7 } from '../src/platform/ids.ts';
import { createLogger } from '../src/platform/log.ts';
import { sign, signingKeys } from '../src/platform/signing.ts';
import { payAsReader } from '../src/sandbox/reader.ts';
import { command, listStories, machine, pathOf, say, scratchFolder } from './paper.ts';
import {
  end,
  family,
  load,
  MEASURED_CPU,
  median,
  OTHER_CPU,
  processorMs,
  start,
  untilReady,
} from './processes.ts';

/**
 * Measures what readers do besides reading: signing in beside others who read, buying, and how soon a purchase unlocks
 * the other device.
 *
 *     npm run bench:readers
 *     npm run bench:readers -- --only sign-ins     or unlocking, or purchases
 */
const { values: OPTIONS } = parseArgs({ options: { only: { type: 'string', default: '' } } });
const PORTS = [4320, 4321] as const;
const BASE = `http://127.0.0.1:${PORTS[0]}`;
const BASES = PORTS.map((port) => `http://127.0.0.1:${port}`);
const PASSWORD = 'correct horse battery';
const [SIGN_INS, UNLOCKINGS, PURCHASES, AT_ONCE] = [50, 40, 2_000, 48];
const CONSENT = { plan: 'yearly', country: 'IN', state: 'KA', consent: 'yes' };

const folder = scratchFolder();
const data = join(folder, 'data');
const postgres = await openEmbeddedPostgres({ data, log: createLogger('warn') });
const pool = new pg.Pool({ connectionString: postgres.url, max: 4 });
const env = { BASE_URL: BASE, BROADSHEET_DATA: data, LOG_LEVEL: 'warn', TRUSTED_PROXY_HOPS: '1' };
const agent = new Agent({ keepAlive: true, maxSockets: 2 * AT_ONCE });
const webs: ReturnType<typeof start>[] = [];

try {
  for (const port of PORTS) {
    const given = { ...env, PORT: String(port), DEMO: '1' };
    webs.push(start(MEASURED_CPU, process.execPath, ['--max-semi-space-size=8', 'dist/main/web.js'], given));
    await untilReady(`http://127.0.0.1:${port}/readyz`);
  }
  say(machine());
  const stories = listStories(env);
  if ('sign-ins'.includes(OPTIONS.only)) await signIns(pathOf(stories, 'free'));
  for (const web of webs) spawnSync('taskset', ['-acp', '0,1', String(web.pid)]);
  if ('unlocking'.includes(OPTIONS.only)) await unlocking(pathOf(stories, 'premium'));
  if ('purchases'.includes(OPTIONS.only)) await purchases();
} finally {
  for (const web of webs) await end(web);
  agent.destroy();
  await pool.end();
  await postgres.release();
  rmSync(folder, { recursive: true, force: true });
}

/** Story pages at full load on the processor of one web process, alone and while fifty readers sign in over and over. */
async function signIns(path: string): Promise<void> {
  const emails = Array.from({ length: SIGN_INS }, (_, number) => `sign-in-${number}@paper.example`);
  const [first = ''] = emails;
  command(env, 'reader', 'create', '--email', first, '--password', PASSWORD);
  // Everybody has the same password: what it costs to check is the same.
  for (const email of emails.slice(1)) {
    const id = await addReader(email);
    await pool.query(
      `insert into readers.credentials (id, reader_id, provider, provider_account_id, password_hash, created_at, updated_at)
      select $1, $2, 'credential', $3, password_hash, now(), now() from readers.credentials limit 1`,
      [uuidv7(), id, id],
    );
  }
  const url = BASE + path;
  const seconds = 4;
  load(url, 8);
  const ratios: number[] = [];
  const alone: number[] = [];
  const beside: number[] = [];
  const took: number[] = [];
  for (let round = 0; round < 5; round++) {
    const before = load(url, seconds).perSecond;
    let going = true;
    const signingIn = emails.map(async (email, number) => {
      while (going) {
        const began = performance.now();
        const answer = await post(BASE, '/login', { email, password: PASSWORD }, '', `198.51.100.${number}`);
        if (answer.status !== 303) throw new Error(`signing in answered ${answer.status}`);
        took.push(performance.now() - began);
        // Of each account only so many are tried in a quarter of an hour.
        await pool.query('delete from readers.attempts');
      }
    });
    await sleep(300);
    const during = (await loadAside(url, seconds)).perSecond;
    going = false;
    await Promise.all(signingIn);
    alone.push(before);
    beside.push(during);
    ratios.push(during / before);
  }
  say('');
  say(
    '| story pages a second | alone | while 50 sign in at once | ratio (min–max) | wanted | sign-ins a second | one sign-in, ms |',
  );
  say('|---|---|---|---|---|---|---|');
  say(
    `| free story | ${Math.round(median(alone))} | ${Math.round(median(beside))} | ${median(ratios).toFixed(2)} ` +
      `(${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}) | 0.8 | ` +
      `${(took.length / (5 * (seconds + 0.3))).toFixed(1)} | ${Math.round(median(took))} |`,
  );
}

/** From a webhook's arrival at one process to the page that the other opens on another device. */
async function unlocking(premium: string): Promise<void> {
  const times: number[] = [];
  for (let number = 0; number < UNLOCKINGS; number++) {
    const { cookie, email } = await signedIn(`unlock-${number}@paper.example`);
    const isOpen = async () =>
      (await get(BASES[1] as string, premium, cookie)).headers['x-access'] === 'full';
    if (await isOpen()) throw new Error('it was open before');
    await buy(BASE, cookie);
    while (!(await isOpen())) await sleep(5);
    const openedMs = machineMs();
    const { rows } = await pool.query<{ at: Date }>(
      `select min(e.received_at) as at from billing.gateway_events e join billing.charge_intents i
        on i.checkout_id = e.checkout_id join billing.subscriptions s on s.id = i.subscription_id
        join readers.readers r on r.id = s.reader_id where r.email = $1`,
      [email],
    );
    times.push(openedMs - (rows[0]?.at.getTime() ?? Number.NaN));
  }
  times.sort((a, b) => a - b);
  say('');
  say('| from a webhook’s arrival to the second device, ms | median | p95 | longest | wanted |');
  say('|---|---|---|---|---|');
  say(
    `| ${UNLOCKINGS} purchases, two web processes | ${median(times)} | ${times[Math.floor(times.length * 0.95)]} | ${times.at(-1)} | 1000 |`,
  );
}

/** Whole purchases through the sandbox gateway, until the last of them is active. */
async function purchases(): Promise<void> {
  const buyers: { readonly cookie: string }[] = [];
  for (let number = 0; number < PURCHASES; number++)
    buyers.push(await signedIn(`buyer-${number}@paper.example`));
  const spent = spentMs();
  const began = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async (_, lane) => {
      while (next < buyers.length) {
        const { cookie } = buyers[next++] as { readonly cookie: string };
        await buy(BASES[lane % 2] as string, cookie);
      }
    }),
  );
  const paidMs = performance.now() - began;
  const active = async () =>
    Number(
      (
        await pool.query(
          `select count(*) as active from billing.subscriptions s join readers.readers r on r.id = s.reader_id
          where s.state = 'active' and r.email like 'buyer-%'`,
        )
      ).rows[0].active,
    );
  while ((await active()) < PURCHASES) await sleep(50);
  const allMs = performance.now() - began;
  const perSecond = (ms: number) => Math.round(PURCHASES / (ms / 1_000));
  const after = spentMs();
  const each = (who: keyof typeof spent) => ((after[who] - spent[who]) / PURCHASES).toFixed(1);
  say('');
  say(
    '| purchases a second, two web processes | paid | paid, told, settled and granted | wanted | processor, ms a purchase: paper and gateway | PostgreSQL | who buys |',
  );
  say('|---|---|---|---|---|---|---|');
  say(
    `| ${PURCHASES}, ${AT_ONCE} at once | ${perSecond(paidMs)} | ${perSecond(allMs)} | 200 | ` +
      `${each('webs')} | ${each('postgres')} | ${each('buyers')} |`,
  );
}

/** What the processors have done so far for each of those who take part. */
function spentMs(): { webs: number; postgres: number; buyers: number } {
  const { system, user } = process.cpuUsage();
  return {
    webs: webs.reduce((sum, { pid }) => sum + processorMs([pid as number]), 0),
    postgres: processorMs(
      family(Number(readFileSync(join(data, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0])),
    ),
    buyers: (system + user) / 1_000,
  };
}

/** Orders and pays as a reader's browser does. */
async function buy(base: string, cookie: string): Promise<void> {
  const { headers, status } = await post(base, '/subscriptions', CONSENT, cookie);
  if (status !== 303) throw new Error(`ordering answered ${status}`);
  const paid = await payAsReader({ url: String(headers.location), outcome: 'approve' });
  if (paid.kind !== 'returned') throw new Error(`paying ended as ${paid.kind}`);
}

async function addReader(email: string): Promise<string> {
  const id = uuidv7();
  await pool.query(
    'insert into readers.readers (id, email, email_verified, created_at, updated_at) values ($1, $2, true, now(), now())',
    [id, email],
  );
  return id;
}

/** A reader who is signed in, as the paper itself would have it. */
async function signedIn(email: string): Promise<{ email: string; cookie: string }> {
  const readerId = await addReader(email);
  const token = randomBytes(16).toString('hex');
  await pool.query(
    `insert into readers.sessions (id, reader_id, token, expires_at, created_at, updated_at)
    values ($1, $2, $3, now() + interval '30 days', now(), now())`,
    [uuidv7(), readerId, token],
  );
  const keys = signingKeys(readFileSync(join(data, 'secret'), 'utf8'));
  return { email, cookie: `session=${sign(keys, 'reader session', token)}` };
}

type Answered = { readonly status: number; readonly headers: Record<string, string | string[] | undefined> };

function get(base: string, path: string, cookie: string): Promise<Answered> {
  return send(base + path, 'GET', { cookie });
}

function post(
  base: string,
  path: string,
  fields: Record<string, string>,
  cookie: string,
  from = '198.51.100.250',
): Promise<Answered> {
  const headers = {
    cookie,
    origin: BASE,
    'x-forwarded-for': from,
    'content-type': 'application/x-www-form-urlencoded',
  };
  return send(base + path, 'POST', headers, new URLSearchParams(fields).toString());
}

function send(
  url: string,
  method: string,
  headers: Record<string, string>,
  body?: string,
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    request(url, { method, headers, agent }, (response) => {
      response.resume();
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers }));
    })
      .on('error', reject)
      .end(body);
  });
}

/** The same as `load`, while this process goes on with its own work. */
function loadAside(url: string, seconds: number): Promise<{ perSecond: number }> {
  return new Promise((resolve, reject) => {
    execFile('taskset', ['-c', OTHER_CPU, 'wrk', '-t1', '-c64', `-d${seconds}s`, url], (error, stdout) => {
      const rate = /Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1];
      if (error !== null || rate === undefined) reject(error ?? new Error(stdout));
      else resolve({ perSecond: Number(rate) });
    });
  });
}
