import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import {
  askOpen,
  askRefunds,
  askUnanswered,
  beginCheckout,
  brokenBooks,
  heldBy,
  nextDueAt,
  reconcile,
} from '#billing';
import { monotonicMs } from '#platform/clock';
import { moveDomainClock } from '#platform/domain-clock';
import { openEmbeddedPostgres } from '#platform/embedded-postgres';
import { uuidv7 } from '#platform/ids';
import { createLogger } from '#platform/log';
import { Dice } from '../../demo/dice.ts';
import { composePaper, type Paper } from '../../src/main/compose.ts';
import { deliverHeld, nextSettlementAt, payAsReader, RAILS } from '../../src/sandbox/sandbox.ts';
import { openShop, type Shop } from '../crashes.ts';
import { freePort } from '../free-port.ts';
import { scratchFolder } from '../scratch-folder.ts';

/**
 * Renewals while the two processes that do them are killed (SIGKILL) at random moments, one of them or both: a few times
 * here, and as often as it is told by `npm run soak -- --renewal-kills`. Everybody's term ends on one day, so that there is always
 * much to do when one dies.
 */
const KILLS = Number(process.env.SOAK_RENEWAL_KILLS ?? 3);
const SEED = Number(process.env.SOAK_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** So many that a kill finds them at work, and that no card runs out (after four years) before the last kill. */
const READERS = Math.max(60, 2 * KILLS);
const MOST_YEARS = 3;
/** How long after a process is at work again it is killed once more, at the most. */
const LIVES_MS = 900;
/** The longest that anything is waited for. */
const PATIENCE_MS = 240_000;
const SECRET = 'a secret of the tests';
const log = createLogger('silent');

type Books = { readonly email: string } & Readonly<Record<keyof typeof RIGHT, unknown>>;

/** What the gateway took from each reader for each term, and what the paper made of it. */
const BOOKS = `
  select r.email, s.state, s.parked_reason is null as free,
    (select count(*)::int from sandbox.captures c join sandbox.payments p on p.id = c.payment_id
      left join sandbox.mandates m on m.id = p.mandate_id left join sandbox.checkouts k on k.id = c.checkout_id
      where coalesce(m.email, k.email) = r.email) - s.next_seq as "takenBesidesTerms",
    s.next_seq - (select count(*)::int from billing.terms t where t.subscription_id = s.id and t.status = 'paid') as "unpaid",
    (select count(*)::int from billing.subscription_facts f where f.subscription_id = s.id and f.reason = 'suspended') as "shutOut",
    (select count(*)::int from billing.refunds f join billing.payments p on p.id = f.payment_id
      join billing.charge_intents i on i.id = p.intent_id where i.subscription_id = s.id) as refunds,
    (select count(*)::int from mail.mails m where m.reader_id = r.id and m.kind = 'receipt') - s.next_seq as "receiptsBesidesTerms",
    (select count(*)::int from billing.charge_intents i where i.subscription_id = s.id
      and i.status not in ('succeeded', 'failed', 'canceled')) as open,
    exists (select from entitlements.grants g where g.reader_id = r.id and g.benefit = 'premium' and g.revoked_at is null
      and g.from_at <= $1 and g.until_at > $1) as reads
  from readers.readers r join billing.subscriptions s on s.reader_id = r.id order by r.email`;

const RIGHT = {
  state: 'active',
  free: true,
  takenBesidesTerms: 0,
  unpaid: 0,
  shutOut: 0,
  refunds: 0,
  receiptsBesidesTerms: 0,
  open: 0,
  reads: true,
};

describe('renewals', () => {
  it(
    `are charged once and give what they cost, whoever is killed while they are made (SOAK_SEED=${SEED})`,
    async () => {
      const dice = new Dice(SEED);
      const data = await scratchFolder('renewal-kills');
      const postgres = await openEmbeddedPostgres({ data, log, settings: { fsync: 'off' } });
      const port = await freePort();
      const baseUrl = `http://127.0.0.1:${port}`;
      const paper = await composePaper({
        databaseUrl: postgres.url,
        dataFolder: data,
        baseUrl,
        secret: SECRET,
        trustedProxyHops: 0,
        sandbox: true,
        inProcess: true,
        log,
      });
      const pool = new pg.Pool({ connectionString: postgres.url, max: 2 });
      pool.on('error', () => undefined);
      await subscribers(paper, pool);
      const shop = await openShop(data, { BROADSHEET_SECRET: SECRET }, { port, href: baseUrl });
      try {
        const { db } = paper.database;
        const until = paper.clock.now().add({ hours: MOST_YEARS * 365 * 24 });
        let atWork = 0;
        for (let kill = 0; kill < KILLS; kill++) {
          const victim = dice.of(['one web process', 'one web process', 'the other', 'both'] as const);
          await untilAtWork(shop, victim === 'the other' ? 1 : 0);
          // There is something to do again, and both are told at once.
          while (!(await isMuchDue(pool, paper))) {
            await untilNothingWaits(pool);
            if ((await moveOn(paper, pool, until)) === undefined) break;
          }
          await work(pool);
          await sleep(dice.whole(0, LIVES_MS));
          await shop.kill(victim);
          if (await isUnderWay(pool)) atWork++;
          if (process.env.SOAK_PROGRESS !== undefined && (kill + 1) % 10 === 0)
            process.stderr.write(`${kill + 1} of ${KILLS} kills\n`);
        }
        await untilAtWork(shop, 0);
        await untilAtWork(shop, 1);
        await untilAllIsDone(paper, pool, until);
        const books = await booksOf(pool, paper);
        expect(books.filter((one) => !isRight(one))).toEqual([]);
        expect(books.length).toBe(READERS);
        expect(await brokenBooks(db)).toEqual([]);
        const theirs = await paper.billing.gateways.named('sandbox').readBalance();
        expect(theirs).toEqual({ kind: 'ok', value: await heldBy(db, 'sandbox') });
        expect(await reconcile(paper.billing, paper.clock.now())).toMatchObject({
          missingHere: 0,
          amountDiffers: 0,
          statusDiffers: 0,
          returnsDiffer: 0,
          unknown: [],
        });
        expect(shop.fallen).toEqual([]);
        const { rows } = await pool.query<{ renewals: number }>(
          'select count(*) filter (where seq > 0)::int as renewals from billing.terms',
        );
        expect(rows[0]?.renewals).toBeGreaterThanOrEqual(READERS);
        process.stderr.write(
          `${KILLS} kills, ${atWork} of them while charges were under way; ${READERS} readers, ${rows[0]?.renewals} renewals\n`,
        );
      } finally {
        await shop.stop();
        await pool.end();
        await paper.close();
        await postgres.release();
      }
    },
    300_000 + KILLS * 20_000,
  );
});

/** Readers who bought, and pay by one rail or another. */
async function subscribers(paper: Paper, pool: pg.Pool): Promise<void> {
  const plan = paper.plans().find(({ slug }) => slug === 'quarterly');
  if (plan === undefined) throw new Error('there is no quarterly plan');
  const now = paper.clock.now();
  const readers = Array.from({ length: READERS }, (_, at) => ({
    id: uuidv7(),
    email: `reader-${String(at).padStart(4, '0')}@paper.example`,
  }));
  await pool.query(
    `insert into readers.readers (id, email, email_verified, created_at, updated_at)
    select id, email, true, $3, $3 from unnest($1::uuid[], $2::text[]) as new (id, email)`,
    [readers.map(({ id }) => id), readers.map(({ email }) => email), now.toString()],
  );
  const order = { plan, country: 'IN', state: 'KA', consent: 'I agree.', next: '/' };
  await Promise.all(
    Array.from({ length: 8 }, async (_, lane) => {
      for (let at = lane; at < READERS; at += 8) {
        const reader = readers[at] as (typeof readers)[number];
        const begun = await beginCheckout(paper.billing, { ...order, reader }, now);
        if (begun.kind !== 'pay' || paper.send === undefined) throw new Error(`an order was ${begun.kind}`);
        const rail = RAILS[at % RAILS.length] ?? 'upi';
        await payAsReader({ url: begun.url, rail, send: paper.send, outcome: 'approve' });
      }
    }),
  );
  await deliverHeld({
    db: paper.database.db,
    baseUrl: paper.baseUrl,
    webhookSecrets: paper.credentials.webhookSecrets,
    log,
    ...(paper.send === undefined ? {} : { send: paper.send }),
  });
}

async function untilAtWork(shop: Shop, which: 0 | 1): Promise<void> {
  const until = monotonicMs() + PATIENCE_MS;
  for (;;) {
    const ready = await fetch(`http://127.0.0.1:${shop.ports[which]}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) return;
    if (monotonicMs() > until) throw new Error('a killed process does not come back');
    await sleep(50);
  }
}

/** Both processes look for what is due, and for what is to be asked, without waiting for the full minute. */
async function work(pool: pg.Pool): Promise<void> {
  for (const task of ['settle-due', 'settle-due', 'ask-unanswered'])
    await pool.query(`select jobs.add_job($1, '{}'::json)`, [task]);
}

/** Whether something was written down and not finished at the moment of a kill. */
async function isUnderWay(pool: pg.Pool): Promise<boolean> {
  const { rows } = await pool.query<{ open: boolean }>(
    `select exists (select from billing.charge_intents where status = 'submitted' and mandate_id is not null) as open`,
  );
  return rows[0]?.open === true;
}

async function isMuchDue(pool: pg.Pool, { clock }: Paper): Promise<boolean> {
  const { rows } = await pool.query<{ due: number }>(
    'select count(*)::int as due from billing.subscriptions where due_at <= $1',
    [clock.now().toString()],
  );
  return (rows[0]?.due ?? 0) > READERS / 10;
}

/** Moves the clock on to when something falls due, here or at the gateway. @returns undefined where nothing does by `until` */
async function moveOn(
  paper: Paper,
  pool: pg.Pool,
  until: Temporal.Instant,
): Promise<'moved' | 'due' | undefined> {
  const { clock, database } = paper;
  const [next] = [await nextDueAt(database.db, until), await nextSettlementAt(database.db, until)]
    .filter((one) => one !== undefined)
    .toSorted(Temporal.Instant.compare);
  if (next === undefined) return undefined;
  // What is late by a little is done with what comes soon after.
  const to = next.add({ minutes: 20 });
  if (Temporal.Instant.compare(to, clock.now()) <= 0) {
    // It has come, and nobody has done it yet.
    await work(pool);
    await sleep(200);
    return 'due';
  }
  await moveDomainClock(database.db, to);
  while (Temporal.Instant.compare(clock.now(), to) < 0) await sleep(5);
  return 'moved';
}

/**
 * Lets everybody come to rest behind the same renewal: what was lost is asked for, and what is due is done. A machine may be as
 * slow as it likes, while something still changes.
 */
async function untilAllIsDone(paper: Paper, pool: pg.Pool, until: Temporal.Instant): Promise<void> {
  let [before, changedMs] = ['', monotonicMs()];
  let [moves, hasAsked] = [0, false];
  for (;;) {
    await takeUpAgain(pool);
    const { rows } = await pool.query<{ open: number; waiting: number; seqs: number; least: number }>(`
      select (select count(*)::int from billing.charge_intents where status not in ('succeeded', 'failed', 'canceled')) as open,
        (select count(*)::int from jobs.jobs where task_identifier in ('settle-checkout', 'settle-due', 'ask-unanswered') and run_at <= now()
          and attempts < max_attempts) as waiting,
        (select count(distinct next_seq)::int from billing.subscriptions) as seqs,
        (select min(next_seq) from billing.subscriptions) as least`);
    const [left] = rows;
    const now = paper.clock.now();
    if (left?.open === 0 && left.seqs === 1 && left.least > 1) {
      await reconcile(paper.billing, now);
      await sleep(1_000);
      return;
    }
    const is = JSON.stringify([left, moves]);
    if (is !== before) [before, changedMs] = [is, monotonicMs()];
    if (monotonicMs() > changedMs + PATIENCE_MS)
      throw new Error(`all is not done: ${is}, ${JSON.stringify(await statesOf(pool))}`);
    if (left?.waiting !== 0) {
      await sleep(200);
    } else if (hasAsked) {
      if ((await moveOn(paper, pool, until)) === 'moved') moves++;
      hasAsked = false;
      await work(pool);
    } else {
      // Once in between: asked about all the time, those that wait for a bank would keep everybody busy.
      hasAsked = true;
      await askUnanswered(paper.billing, now.add({ hours: 1 }));
      await askOpen(paper.billing);
      await askRefunds(paper.billing);
      await work(pool);
    }
  }
}

/** What nobody is at any more, and what failed, is tried at once: the queue would wait, by the machine's own clock. */
async function takeUpAgain(pool: pg.Pool): Promise<void> {
  await pool.query(`select jobs.force_unlock_workers(array(select distinct locked_by from jobs.jobs
    where locked_at < now() - interval '10 s'))`);
  await pool.query(`update jobs._private_jobs set run_at = now() where run_at > now() and attempts > 0`);
}

/**
 * Until all that was to be done at this time has been: the clock of a test goes by days where the queue tries again within minutes,
 * and readers would be shut out whose charge is asked about in one.
 */
async function untilNothingWaits(pool: pg.Pool): Promise<void> {
  const until = monotonicMs() + PATIENCE_MS;
  while (monotonicMs() < until) {
    await takeUpAgain(pool);
    const { rows } = await pool.query<{ waits: boolean }>(`
      select exists (select from jobs.jobs where task_identifier in ('settle-checkout', 'settle-due', 'ask-unanswered')
        and run_at <= now() and attempts < max_attempts) as waits`);
    if (rows[0]?.waits !== true) return;
    await sleep(100);
  }
  throw new Error('jobs wait, and nobody does them');
}

/** How everybody stands, to be told where they do not come to rest. */
async function statesOf(pool: pg.Pool): Promise<unknown[]> {
  const { rows } = await pool.query(`
    select s.state, s.ended_reason, s.parked_reason, s.next_seq, s.needs_method, m.status as mandate, m.rail,
      i.status as newest, i.failure_code, i.parked_reason as attempt_parked, count(*)::int, min(s.due_at), max(s.due_at),
      (select jsonb_object_agg(task_identifier, n) from (select task_identifier, count(*) as n from jobs.jobs group by 1) j) as jobs
    from billing.subscriptions s left join billing.mandates m on m.id = s.mandate_id
      left join lateral (select * from billing.charge_intents i where i.subscription_id = s.id order by i.id desc limit 1) i on true
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 order by count(*) desc limit 40`);
  return rows;
}

async function booksOf(pool: pg.Pool, { clock }: Paper): Promise<Books[]> {
  return (await pool.query<Books>(BOOKS, [clock.now().toString()])).rows;
}

function isRight(books: Books): boolean {
  return Object.entries(RIGHT).every(([what, right]) => books[what as keyof typeof RIGHT] === right);
}
