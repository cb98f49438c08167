import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { HOME } from '../../src/main/compose.ts';
import { type StoredStory, storeStories, storyInput } from '../builders.ts';
import { type TestDatabase, testDatabase } from '../db.ts';
import { scratchFolder } from '../scratch-folder.ts';

/** The programs as an operator runs them: built, as processes of their own. */
let database: TestDatabase;
let data: string;
let stories: StoredStory[];
const running: ChildProcess[] = [];

beforeAll(async () => {
  database = await testDatabase();
  data = await scratchFolder('program');
  await run('cli', ['meter', 'show']);
  stories = await storeStories(
    database.db,
    Array.from({ length: 60 }, () => storyInput()),
  );
}, 60_000);

afterEach(async () => {
  for (const child of running.splice(0)) await end(child);
});
afterAll(() => database.drop());

function environment(more: Record<string, string> = {}): Record<string, string> {
  const { PATH = '' } = process.env;
  return { PATH, DATABASE_URL: database.url, BROADSHEET_DATA: data, DEMO: '0', ...more };
}

/** Runs a program to its end. */
function run(program: 'cli' | 'web', args: readonly string[], more: Record<string, string> = {}) {
  return new Promise<{ code: number; out: string; err: string }>((resolve) => {
    execFile(
      process.execPath,
      [join(HOME, 'dist', 'main', `${program}.js`), ...args],
      { env: environment(more), timeout: 30_000 },
      (error, out, err) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out, err }),
    );
  });
}

async function json(...args: string[]) {
  const { code, err, out } = await run('cli', [...args, '--json']);
  expect([args, code, err]).toEqual([args, 0, '']);
  return JSON.parse(out);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts a web process and waits until it is ready. */
type Started = { readonly base: string; readonly child: ChildProcess; readonly logged: readonly string[] };

async function start(more: Record<string, string> = {}): Promise<Started> {
  const port = await freePort();
  const child = spawn(process.execPath, [join(HOME, 'dist', 'main', 'web.js')], {
    env: environment({ PORT: String(port), LOG_LEVEL: 'warn', ...more }),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.push(child);
  const logged: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => logged.push(chunk.toString()));
  const base = `http://localhost:${port}`;
  await expect
    .poll(
      () =>
        fetch(`${base}/readyz`).then(
          (one) => one.status,
          () => 0,
        ),
      { timeout: 15_000 },
    )
    .toBe(200);
  return { base, child, logged };
}

async function end(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const [code] = await exited;
  return code;
}

describe('a start that cannot succeed', () => {
  it.each([
    ['a wrong value', { PORT: 'three' }, /PORT/],
    ['a wrong zone of time', { TRUSTED_PROXY_HOPS: '-1' }, /TRUSTED_PROXY_HOPS/],
    ['an address that is none', { BASE_URL: 'paper.example' }, /BASE_URL/],
    ['a secret that can be guessed', { BROADSHEET_SECRET: 'abc' }, /BROADSHEET_SECRET/],
    [
      'a database that is not there',
      { DATABASE_URL: 'postgresql://nobody:secret@127.0.0.1:9/none' },
      /127\.0\.0\.1:9|database/i,
    ],
    ['a data folder that cannot be', { DATABASE_URL: '', BROADSHEET_DATA: '/proc/none' }, /BROADSHEET_DATA/],
  ])('because of %s says so in one line and exits', async (_, more, says) => {
    const given = environment(more);
    if (given.DATABASE_URL === '') delete given.DATABASE_URL;
    const { code, err } = await new Promise<{ code: number; err: string }>((resolve) => {
      execFile(
        process.execPath,
        [join(HOME, 'dist', 'main', 'web.js')],
        {
          env: { PORT: '0', ...given, ...((more as { PORT?: string }).PORT ? {} : { PORT: '39999' }) },
          timeout: 30_000,
        },
        (error, _out, err) => resolve({ code: typeof error?.code === 'number' ? error.code : -1, err }),
      );
    });
    expect(code).toBe(1);
    expect(err).toMatch(says);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(err).not.toContain('secret@');
  });

  it('because its port is taken names the port', async () => {
    const { base } = await start();
    const { code, err } = await run('web', [], { PORT: new URL(base).port });
    expect([code, err]).toEqual([1, expect.stringMatching(/^broadsheet: PORT \d+ .* already taken/)]);
  });
});

describe('web processes', () => {
  it('open exactly as many stories as the limit when one visitor asks two of them for fifty at once', async () => {
    const [a, b] = [await start(), await start()];
    const first = await fetch(`${a.base}${stories[0]?.path}`);
    const cookie = first.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const answers = await Promise.all(
      stories.slice(1, 51).map(async ({ path }, at) => {
        const response = await fetch(`${at % 2 ? a.base : b.base}${path}`, { headers: { cookie } });
        await response.text();
        return response.headers.get('x-access');
      }),
    );
    expect(answers.filter((one) => one === 'full')).toHaveLength(4);
    expect(answers.filter((one) => one === 'preview')).toHaveLength(46);
  }, 30_000);

  it('hear within a second what a command changed', async () => {
    const { base } = await start();
    const [story] = (await storeStories(database.db, [storyInput({ access: 'free' })])) as [StoredStory];
    const status = async () =>
      (await fetch(`${base}${story.path}`, { redirect: 'manual' })).headers.get('x-access');
    await expect.poll(status).toBe('full');
    await json('story', 'set', story.id, '--access', 'premium');
    await expect.poll(status, { timeout: 1_000 }).toBe('preview');
    await json('story', 'withdraw', story.id, '--reason', 'a test');
    await expect.poll(async () => (await fetch(`${base}${story.path}`)).status, { timeout: 1_000 }).toBe(410);
  }, 30_000);

  it('finish the requests that are under way when told to stop, and exit 0', async () => {
    const { base, child, logged } = await start();
    // A browser connects before it knows what it will ask for.
    const early = connect(Number(new URL(base).port), '127.0.0.1');
    await once(early, 'connect');
    const asked = Array.from({ length: 30 }, (_, at) => fetch(`${base}${stories[at]?.path}`));
    await Promise.race(asked);
    const [code, answers] = await Promise.all([end(child), Promise.allSettled(asked)]);
    expect(code).toBe(0);
    // What was accepted was answered whole; what had not been accepted yet was refused, not cut off.
    for (const one of answers)
      if (one.status === 'fulfilled') expect((await one.value.text()).endsWith('</html>')).toBe(true);
    expect(answers.filter((one) => one.status === 'fulfilled').length).toBeGreaterThan(0);
    // Nothing was left to wait for.
    expect(logged.join('')).not.toContain('cut off');
    early.destroy();
  }, 30_000);
});

describe('the command line', () => {
  it('lists, shows, changes, corrects and withdraws stories', async () => {
    const [story] = (await storeStories(database.db, [
      storyInput({ publishedAt: Temporal.Instant.from('2026-11-22T00:00:00Z') }),
    ])) as [StoredStory];
    const [newest] = await json('story', 'list', '--limit', '1');
    expect(newest).toEqual(
      expect.objectContaining({
        id: story.id,
        source_id: story.input.sourceId,
        headline: story.input.headline,
        access: 'metered',
        section: 'nation',
        published_at: '2026-11-22T00:00:00Z',
      }),
    );
    expect(newest.url.endsWith(story.path)).toBe(true);
    for (const name of [story.id, story.shortId, story.input.sourceId, newest.url]) {
      expect((await json('story', 'show', name)).id).toBe(story.id);
    }
    expect((await json('story', 'set', story.id, '--access', 'free')).access).toBe('free');
    expect((await json('story', 'correct', story.id, '--text', 'It was nine, not eight.')).revision).toBe(2);
    expect((await json('story', 'withdraw', story.id)).state).toBe('withdrawn');
    expect((await json('story', 'publish', story.id)).state).toBe('published');
  }, 60_000);

  it('sets and shows the paper, its meter and its plans', async () => {
    expect(await json('publication', 'set', 'name', 'The Test Courier')).toMatchObject({
      name: 'The Test Courier',
    });
    expect(await json('publication', 'show')).toMatchObject({
      name: 'The Test Courier',
      zone: 'Asia/Kolkata',
      currency: 'INR',
    });
    expect(await json('meter', 'set', '--visitors', '4', '--readers', '9')).toEqual({
      visitors: 4,
      readers: 9,
    });
    expect(await json('meter', 'show')).toMatchObject({ meters: { main: { visitors: 4, readers: 9 } } });
    await json('meter', 'set', '--visitors', '5', '--readers', '10');
    expect(
      (await json('plan', 'list')).map((plan: Record<string, unknown>) => [
        plan.slug,
        plan.months,
        plan.amount_minor,
        plan.currency,
        plan.per_month_minor,
      ]),
    ).toEqual([
      ['quarterly', 3, 90000, 'INR', 30000],
      ['yearly', 12, 270000, 'INR', 22500],
      ['two-yearly', 24, 390000, 'INR', 16200],
    ]);
    // What a web process of this file's put off until half a minute after its start may be due.
    expect(await json('jobs', 'run')).toMatchObject({ failed: 0 });
    expect(await json('jobs', 'run')).toEqual({ done: 0, failed: 0 });
    const routes = await json('routes');
    expect(routes).toContainEqual({ method: 'GET', path: '/:section/:story', who: 'anyone' });
  }, 60_000);

  it.each([
    [['nonsense'], 2],
    [['story', 'set'], 2],
    [['story', 'set', 'x', '--access', 'secret'], 2],
    [['story', 'list', '--limit', 'many'], 2],
    [['story', 'list', '--nope'], 2],
    [['meter', 'set'], 2],
    [['import', 'xml', 'x'], 2],
    [['import', 'ndjson'], 2],
    [['story', 'show', 'nothing-like-it'], 1],
    [['publication', 'set', 'zone', 'Mars/Olympus'], 1],
    [['publication', 'set', 'colour', 'blue'], 1],
    [['meter', 'set', '--visitors', '999999'], 1],
    [['import', 'ndjson', '/nowhere/at/all.ndjson'], 1],
  ])('answers %j with exit %i and one line that says why', async (args, code) => {
    const answer = await run('cli', args);
    expect([answer.code, answer.out]).toEqual([code, '']);
    expect(answer.err).toMatch(/^broadsheet: .+\n$/);
  });
});

describe('the desk, from the command line', () => {
  it('gets its people, and each of them a link that works once, for half an hour', async () => {
    const made = await json(
      'staff',
      'create',
      '--email',
      'Ana@Paper.example',
      '--role',
      'editor',
      '--name',
      'Ana Ilić',
    );
    expect(made).toMatchObject({
      email: 'ana@paper.example',
      role: 'editor',
      name: 'Ana Ilić',
      disabled_at: null,
    });
    expect(await json('staff', 'list')).toEqual([made]);
    const { base } = await start();
    const more = { BASE_URL: base };
    const { out } = await run('cli', ['staff', 'link', 'ana@paper.example'], more);
    expect(out).toMatch(new RegExp(`^${base}/desk/sign-in/[\\w-]{43}\n$`));
    expect(await (await fetch(out.trim())).text()).toContain('ana@paper.example');
    const newer = JSON.parse((await run('cli', ['staff', 'link', 'ana@paper.example', '--json'], more)).out);
    expect(Temporal.Now.instant().until(newer.ends_at).total('minutes')).toBeGreaterThan(29);
    expect((await fetch(out.trim())).status).toBe(410);
    const begun = await fetch(`${base}/desk/sessions`, {
      method: 'POST',
      headers: { origin: base },
      body: new URLSearchParams({ token: newer.link.split('/').at(-1) }),
      redirect: 'manual',
    });
    expect([begun.status, begun.headers.get('location')]).toEqual([303, '/desk/second-factor']);
    expect(await json('staff', 'set', 'ana@paper.example', '--role', 'support')).toMatchObject({
      role: 'support',
    });
    expect(await json('staff', 'disable', 'ana@paper.example')).toMatchObject({
      disabled_at: expect.any(String),
    });
    expect(await json('staff', 'enable', 'ana@paper.example')).toMatchObject({ disabled_at: null });
    expect(await json('staff', 'reset-second-factor', 'ana@paper.example')).toMatchObject({
      has_second_factor: false,
    });
    const { rows } = await database.pool.query(
      "select actor, what from staff.actions where what <> 'sign-in-link' order by done_at, id",
    );
    expect(rows).toEqual(
      ['staff-addition', 'staff-change', 'staff-disabling', 'staff-enabling', 'second-factor-reset'].map(
        (what) => ({
          actor: 'command line',
          what,
        }),
      ),
    );
  });

  it.each([
    [['staff', 'create', '--email', 'ben@paper.example'], 2, /needs --email and --role/],
    [['staff', 'create', '--email', 'ben@paper.example', '--role', 'owner'], 2, /--role is one of reporter/],
    [['staff', 'create', '--email', 'ben', '--role', 'editor'], 1, /no e-mail address/],
    [['staff', 'link', 'nobody@paper.example'], 1, /nobody on the staff has that address/],
    [['staff', 'link'], 2, /usage: staff link EMAIL/],
    [['staff', 'set', 'ana@paper.example'], 2, /needs --role, --name or both/],
    [['staff', 'fire', 'ana@paper.example'], 2, /there is no command "staff fire"/],
  ] as const)('says what is wrong with %j', async (args, code, says) => {
    const result = await run('cli', args);
    expect([result.code, result.out]).toEqual([code, '']);
    expect(result.err).toMatch(says);
  });

  it('says of every address who may call it, and of the desk the least role', async () => {
    const routes = await json('routes');
    for (const { who } of routes)
      expect(who).toMatch(
        /^(anyone|reader|gateway|operator|staff:(reporter|editor|chief-editor|support|circulation|administrator))$/,
      );
    expect(routes).toContainEqual({
      method: 'GET',
      path: '/desk/readers',
      who: 'staff:support',
      roles: ['support', 'circulation', 'administrator'],
      permission: 'readers.see',
    });
  });
});

describe('the first start of the demonstration newspaper', () => {
  it('says where the desk is, with a link for its editor in the sandbox and how to make one elsewhere', async () => {
    const own = await testDatabase();
    try {
      const greeting = async (more: Record<string, string>) => {
        const port = await freePort();
        const child = spawn(process.execPath, [join(HOME, 'dist', 'main', 'web.js')], {
          env: environment({
            PORT: String(port),
            LOG_LEVEL: 'warn',
            DATABASE_URL: own.url,
            DEMO: '1',
            ...more,
          }),
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        running.push(child);
        let told = '';
        child.stdout.on('data', (data: Buffer) => {
          told += data.toString();
        });
        await expect.poll(() => told, { timeout: 30_000 }).toContain('Stop with Ctrl-C');
        return { told, base: `http://localhost:${port}` };
      };
      const { base, told } = await greeting({});
      expect(told).toContain(`The desk is at ${base}/desk, sign in once with`);
      const link = /http:\S+\/desk\/sign-in\/\S+/.exec(told)?.[0] ?? '';
      expect(await (await fetch(link)).text()).toContain('editor@tamarind-courier.example');
      // Its second start makes a new link, and one outside the sandbox none.
      const again = await greeting({});
      expect(again.told).toContain('sign in once with');
      expect((await fetch(link)).status).toBe(410);
      const earnest = await greeting({ SANDBOX: '0' });
      expect(earnest.told).toContain('staff link');
      expect(earnest.told).not.toContain('/desk/sign-in/');
    } finally {
      for (const child of running.splice(0)) await end(child);
      await own.drop();
    }
  }, 90_000);
});
