import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOME } from '../../src/main/compose.ts';
import { type StoredStory, storeStories, storyInput } from '../builders.ts';
import { type TestDatabase, testDatabase } from '../db.ts';
import { freePort } from '../free-port.ts';
import { scratchFolder } from '../scratch-folder.ts';
import { until } from './leaks.ts';

/** Readers, subscriptions and the sandbox by the command line alone, as an operator or an outsider's script has them. */
let database: TestDatabase;
let data: string;
let premium: StoredStory;
let port: number;
beforeAll(async () => {
  database = await testDatabase();
  data = await scratchFolder('commands');
  port = await freePort();
  [premium] = (await storeStories(database.db, [storyInput({ access: 'premium' })])) as [StoredStory];
});
afterAll(() => database.drop());

const environment = () => ({
  PATH: process.env.PATH ?? '',
  DATABASE_URL: database.url,
  BROADSHEET_DATA: data,
  BASE_URL: `http://127.0.0.1:${port}`,
  PORT: String(port),
  DEMO: '0',
});

function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(HOME, 'dist', 'main', 'cli.js'), ...args],
      { env: environment(), timeout: 60_000 },
      (error, out, err) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out, err }),
    );
  });
}

// biome-ignore lint/suspicious/noExplicitAny: what a command prints, read as an outsider's script would
async function json(...args: string[]): Promise<any> {
  const { code, err, out } = await run(...args, '--json');
  expect([args, code, err]).toEqual([args, 0, '']);
  return JSON.parse(out);
}

const email = (name: string) => `${name}@paper.example`;
const create = (name: string) =>
  json('reader', 'create', '--email', email(name), '--password', 'correct horse battery');
const subscription = async (name: string) => (await json('reader', 'show', email(name))).subscriptions[0];
/** Midnight at the beginning of a day in the paper's zone. */
const midnight = (day: string) => Temporal.PlainDate.from(day).toZonedDateTime('Asia/Kolkata').toInstant();
const now = async () => Temporal.Instant.from((await json('sandbox', 'clock', '+PT0S')).now);

describe('a reader, by the command line', () => {
  it('is made, subscribes, cancels, resumes, is explained, exported and deleted, and each of it is kept', async () => {
    expect(await create('ana')).toMatchObject({ email: email('ana') });
    expect(
      (await run('reader', 'create', '--email', email('ana'), '--password', 'another one')).code,
    ).not.toBe(0);
    const before = await json('reader', 'explain', email('ana'), '--story', premium.id);
    expect(before).toMatchObject({ decision: 'preview', reason: 'subscribers-only' });

    await json('subscribe', email('ana'), '--plan', 'yearly');
    expect(await subscription('ana')).toMatchObject({ plan: 'yearly', state: 'active' });
    expect(await json('reader', 'explain', email('ana'), '--story', premium.id)).toMatchObject({
      decision: 'full',
      reason: 'subscriber',
    });
    await json('subscribe', email('ana'), '--plan', 'yearly');
    expect((await json('reader', 'show', email('ana'))).payments).toHaveLength(1);

    await json('cancel', email('ana'));
    expect((await subscription('ana')).cancel_at).not.toBeNull();
    await json('resume', email('ana'));
    expect((await subscription('ana')).cancel_at).toBeNull();

    const all = await json('reader', 'export', email('ana'));
    expect(all).toMatchObject({
      account: { email: email('ana') },
      agreed_to: [{ words: expect.any(String), months: 12 }],
      subscriptions: [{ country: 'IN' }],
    });
    await json('reader', 'delete', email('ana'));
    expect((await run('reader', 'show', email('ana'))).code).not.toBe(0);
    const { rows } = await database.pool.query(
      "select what from staff.actions where actor = 'command line' and subject_kind = 'reader' order by id",
    );
    expect(rows.map((row) => row.what)).toEqual([
      'cancellation',
      'resumption',
      'data-export',
      'account-deletion',
    ]);
  }, 120_000);

  it('renews as time passes, with an invoice each time, and has a part of it back', async () => {
    await create('rani');
    await json('subscribe', email('rani'), '--plan', 'quarterly', '--state', 'KA');
    await json('sandbox', 'clock', '+P4M');
    const shown = await json('reader', 'show', email('rani'));
    expect(shown.subscriptions[0]).toMatchObject({
      state: 'active',
      flags: [],
      terms: [{ status: 'paid' }, { status: 'paid' }],
    });
    expect(shown.invoices).toMatchObject([
      { number: expect.stringMatching(/^INV\/\d{4}\/\d{7}$/), total_minor: 90_000, status: 'paid' },
      { total_minor: 90_000, place_of_supply: 'IN-KA' },
    ]);
    expect(shown.invoices[0].tax_minor).toBeGreaterThan(13_000);
    const after = await json('refund', email('rani'), '--amount-minor', '30000', '--reason', 'a bad week');
    expect(after.credit_notes).toMatchObject([{ total_minor: 30_000, reason: 'a bad week' }]);
    expect(after.subscriptions[0].state).toBe('active');
    expect((await run('refund', email('rani'), '--amount-minor', '60001')).code).toBe(1);
    expect((await json('ledger', 'check')).broken).toEqual([]);
  }, 120_000);

  it('who is declined pays nothing, and the next payment ends as was chosen beforehand', async () => {
    await create('bo');
    await run('subscribe', email('bo'), '--plan', 'yearly', '--outcome', 'decline');
    expect((await subscription('bo')).state).toBe('incomplete');
    await json('sandbox', 'outcome', 'insufficient_funds');
    await run('subscribe', email('bo'), '--plan', 'yearly');
    expect((await subscription('bo')).state).toBe('incomplete');
    await json('subscribe', email('bo'), '--plan', 'yearly', '--outcome', 'lost');
    await json('sandbox', 'deliver');
    await json('jobs', 'run');
    expect((await subscription('bo')).state).toBe('active');
  }, 120_000);
});

describe('the sandbox’s clock', () => {
  it('ends a cancelled subscription at the first moment of the day that is no longer paid, and not before', async () => {
    await create('cy');
    await json('subscribe', email('cy'), '--plan', 'quarterly');
    await json('cancel', email('cy'));
    const end = midnight((await subscription('cy')).paid_through_on);
    await json('sandbox', 'clock', end.subtract({ seconds: 30 }).toString());
    expect((await subscription('cy')).state).toBe('active');
    expect(await json('sandbox', 'clock', end.toString())).toEqual({ now: end.toString() });
    expect((await subscription('cy')).state).toBe('expired');
  }, 120_000);

  it('lives through several that fall due within a moment of each other', async () => {
    for (const name of ['di', 'ed', 'fa']) {
      await create(name);
      await run('subscribe', email(name), '--plan', 'yearly', '--outcome', 'decline');
    }
    await json('sandbox', 'clock', '+P3D');
    for (const name of ['di', 'ed', 'fa']) expect((await subscription(name)).state).toBe('canceled');
  }, 120_000);

  it('settles what a bank decides on later at its own time, also where much more is lived through', async () => {
    await create('gi');
    const before = await now();
    await run('subscribe', email('gi'), '--plan', 'yearly', '--outcome', 'later');
    expect((await subscription('gi')).state).toBe('incomplete');
    await json('sandbox', 'clock', '+P2D');
    const { plan, state, paid_through_on } = await subscription('gi');
    const bought = before.toZonedDateTimeISO('Asia/Kolkata').toPlainDate();
    expect([plan, state]).toEqual(['yearly', 'active']);
    // A few minutes later than it was bought: the day is that one, or, around midnight, the next.
    const anchor = Temporal.PlainDate.from(paid_through_on).subtract({ years: 1 });
    expect(anchor.since(bought).days).toBeLessThanOrEqual(1);
    const { rows } = await database.pool.query(
      `select g.from_at from entitlements.grants g join readers.readers r on r.id = g.reader_id
      where r.email = $1 limit 1`,
      [email('gi')],
    );
    const from = Temporal.Instant.from(String(rows[0].from_at).replace(' ', 'T').replace(/\+00$/, 'Z'));
    expect(from.since(before).total('minutes')).toBeLessThan(30);
  }, 120_000);

  it('runs forward alone', async () => {
    const { code, err } = await run('sandbox', 'clock', '2020-01-01T00:00:00Z');
    expect([code === 0, err.includes('forward only')]).toEqual([false, true]);
    expect((await run('sandbox', 'clock', 'tomorrow')).code).not.toBe(0);
  });
});

describe('an import', () => {
  it('that is told to stop leaves its report, of what was done up to then', async () => {
    const path = join(data, 'long.ndjson');
    const body = `<p>${'The harbour board said so. '.repeat(40)}</p>`;
    const lines = Array.from({ length: 20_000 }, (_, id) =>
      JSON.stringify({ id, headline: `Ferry ${id}`, body, published_at: '2019-01-05' }),
    );
    await writeFile(path, lines.join('\n'));
    const cli = join(HOME, 'dist', 'main', 'cli.js');
    const importing = spawn(process.execPath, [cli, 'import', 'ndjson', path], { env: environment() });
    const ended = once(importing, 'exit');
    const count = async () =>
      (await database.pool.query(`select from content.stories where source = 'ndjson'`)).rowCount ?? 0;
    await until(async () => (await count()) > 0);
    importing.kill('SIGTERM');
    expect((await ended)[0]).toBe(130);
    const { rows } = await database.pool.query('select report from importers.runs');
    expect(rows).toEqual([{ report: expect.objectContaining({ failed: 'it was told to stop' }) }]);
    expect(rows[0].report.created).toBeGreaterThan(0);
    expect(await count()).toBeLessThan(20_000);
  }, 60_000);
});

describe('while a server runs', () => {
  let web: ChildProcess;
  beforeAll(async () => {
    web = spawn(process.execPath, [join(HOME, 'dist', 'main', 'web.js')], {
      env: { ...environment(), LOG_LEVEL: 'warn' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const isReady = () =>
      fetch(`http://127.0.0.1:${port}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until(isReady);
  });
  afterAll(async () => {
    const exited = once(web, 'exit');
    web.kill('SIGTERM');
    await exited;
  });

  it('the same commands buy through it, and its pages follow the clock', async () => {
    await create('ho');
    await json('subscribe', email('ho'), '--plan', 'yearly');
    expect((await subscription('ho')).state).toBe('active');
    const { now: later } = await json('sandbox', 'clock', '+P1M');
    const { rows } = await database.pool.query('select ahead_ms from platform.domain_clock');
    expect(Date.now() + Number(rows[0].ahead_ms)).toBeGreaterThanOrEqual(
      Temporal.Instant.from(later).epochMilliseconds,
    );
  }, 60_000);
});
