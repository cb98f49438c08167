import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { monotonicMs } from '../src/platform/clock.ts';
import { openEmbeddedPostgres } from '../src/platform/embedded-postgres.ts';
import { createLogger } from '../src/platform/log.ts';
import { command, machine, say, scratchFolder } from './paper.ts';
import { cpuMs, end, residentMb, start, untilReady } from './processes.ts';

/**
 * Measures how many renewals two workers plan and charge in a second through the sandbox gateway, over HTTP and with its
 * webhooks, and what memory they take for it: everybody's term ends on one day. Then holds all of it against the
 * gateway's list of payments.
 *
 *     npm run bench:renewals
 *     npm run bench:renewals -- --readers 100000
 */
const { values: OPTIONS } = parseArgs({ options: { readers: { type: 'string', default: '4000' } } });
const READERS = Number(OPTIONS.readers);
const WANTED = 400;
const PORTS = [4330, 4331] as const;
const BASE = `http://127.0.0.1:${PORTS[0]}`;

const folder = scratchFolder();
const data = join(folder, 'data');
const postgres = await openEmbeddedPostgres({ data, log: createLogger('warn') });
const pool = new pg.Pool({ connectionString: postgres.url, max: 4 });
const env = { BASE_URL: BASE, BROADSHEET_DATA: data, LOG_LEVEL: 'error', DEMO: '0' };
const workers: ReturnType<typeof start>[] = [];

try {
  for (const port of PORTS) {
    const args = ['--max-semi-space-size=8', 'dist/main/web.js'];
    workers.push(start('0,1', process.execPath, args, { ...env, PORT: String(port) }));
    await untilReady(`http://127.0.0.1:${port}/readyz`);
  }
  say(machine());
  await subscribers();
  await moveClock();
  const before = workers.map(({ pid }) => residentMb(pid ?? 0));
  await pool.query("select jobs.add_job('settle-due', '{}'::json)");
  await pool.query("select jobs.add_job('settle-due', '{}'::json)");
  const pids = workers.map(({ pid }) => pid ?? 0);
  const server = postmasterOf(data);
  const used = [cpuMs(pids), cpuMs([server])];
  const began = monotonicMs();
  let most = 0;
  for (let left = READERS; left > 0; await sleep(100)) {
    most = Math.max(most, ...workers.map(({ pid }) => residentMb(pid ?? 0)));
    const { rows } = await pool.query<{ left: number }>(
      'select count(*)::int as left from billing.subscriptions where next_seq = 1',
    );
    left = rows[0]?.left ?? 0;
    if (monotonicMs() - began > 30 * 60_000) throw new Error(`${left} are not renewed after half an hour`);
  }
  const seconds = (monotonicMs() - began) / 1_000;
  const perSecond = READERS / seconds;
  say('');
  const each = [cpuMs(pids), cpuMs([server])].map((ms, at) => ((ms - (used[at] ?? 0)) / READERS).toFixed(2));
  say(
    '| renewals | a second, two workers | wanted | memory before, MB | at most, MB | processor, ms each: workers | PostgreSQL |',
  );
  say('|---|---|---|---|---|---|---|');
  say(
    `| ${READERS} | ${Math.round(perSecond)} | ${WANTED} | ${Math.max(...before)} | ${most} | ${each[0]} | ${each[1]} |`,
  );
  const { rows } = await pool.query<{ paid: number; numbered: number; charges: number }>(`
    select (select count(*)::int from billing.terms where seq = 1 and status = 'paid') as paid,
      (select count(*)::int from billing.invoices where status = 'paid' and term_seq = 1) as numbered,
      (select count(*)::int from sandbox.charges) as charges`);
  say(JSON.stringify(rows[0]));
  const asked = monotonicMs();
  const found = command(env, 'ledger', 'reconcile');
  say(
    `reconciled in ${((monotonicMs() - asked) / 1_000).toFixed(1)} s, the command's start included: ${found.trim()}`,
  );
} finally {
  for (const worker of workers) await end(worker);
  await pool.end();
  await postgres.release();
  rmSync(folder, { recursive: true, force: true });
}

/** PostgreSQL's first process, whose children do the work. */
function postmasterOf(folderOfData: string): number {
  return Number(readFileSync(join(folderOfData, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
}

/** One reader subscribes through the gateway's page; the others are made from what that left. */
async function subscribers(): Promise<void> {
  command(env, 'reader', 'create', '--email', 'first@paper.example');
  command(env, 'subscribe', 'first@paper.example', '--plan', 'quarterly');
  await pool.query(`
    create table public.copies as select number, gen_random_uuid() as reader, gen_random_uuid() as subscription,
      gen_random_uuid() as mandate, gen_random_uuid() as term, 'cs_' || md5('c' || number) as checkout,
      'man_' || md5('m' || number) as token, 'pay_' || md5('p' || number) as payment
    from generate_series(1, ${READERS - 1}) number`);
  await pool.query(`
    insert into readers.readers select (jsonb_populate_record(r, jsonb_build_object('id', c.reader,
      'email', 'reader-' || c.number || '@paper.example'))).* from readers.readers r, public.copies c where r.email like 'first@%';
    insert into sandbox.checkouts select (jsonb_populate_record(k, jsonb_build_object('id', c.checkout, 'idempotency_key',
      'copy ' || c.number, 'email', 'reader-' || c.number || '@paper.example'))).* from sandbox.checkouts k, public.copies c
      where k.email like 'first@%';
    insert into sandbox.mandates select (jsonb_populate_record(m, jsonb_build_object('id', c.token, 'checkout_id', c.checkout,
      'customer', c.reader, 'email', 'reader-' || c.number || '@paper.example'))).* from sandbox.mandates m, public.copies c
      where m.email like 'first@%';
    insert into sandbox.payments select (jsonb_populate_record(p, jsonb_build_object('id', c.payment, 'checkout_id', c.checkout,
      'mandate_id', c.token))).* from sandbox.payments p, public.copies c;
    insert into sandbox.captures select (jsonb_populate_record(k, jsonb_build_object('payment_id', c.payment, 'checkout_id',
      c.checkout))).* from sandbox.captures k, public.copies c;
    insert into billing.mandates select (jsonb_populate_record(m, jsonb_build_object('id', c.mandate, 'reader_id', c.reader,
      'token', c.token))).* from billing.mandates m, public.copies c;
    insert into billing.subscriptions select (jsonb_populate_record(s, jsonb_build_object('id', c.subscription, 'reader_id',
      c.reader, 'mandate_id', c.mandate))).* from billing.subscriptions s, public.copies c;
    insert into billing.terms select (jsonb_populate_record(t, jsonb_build_object('id', c.term, 'subscription_id',
      c.subscription))).* from billing.terms t, public.copies c;
    drop table public.copies;
    update billing.subscriptions set reminded_seq = 1, due_at = (paid_through_on - 1)::timestamp at time zone zone;
    insert into billing.notices select id, 1, 'renewal', currency, amount_minor, now() from billing.subscriptions;
    analyze;`);
}

/** Every term ends within the next day, by the domain's clock. */
async function moveClock(): Promise<void> {
  await pool.query(`
    update platform.domain_clock set ahead_ms = 1000 * ceil(extract(epoch from
      (select max(due_at) from billing.subscriptions) - now()) + 60)`);
}
