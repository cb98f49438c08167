import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { openEmbeddedPostgres } from '#platform/embedded-postgres';
import { createLogger } from '#platform/log';
import { Dice } from '../../demo/dice.ts';
import { composePaper } from '../../src/main/compose.ts';
import { storeStories, storyInput } from '../builders.ts';
import { type Buyer, buy, openShop, VICTIMS } from '../crashes.ts';
import { freePort } from '../free-port.ts';
import { scratchFolder } from '../scratch-folder.ts';
import { signedInBrowser } from '../shop.ts';

/**
 * Purchases while web processes and PostgreSQL are killed (SIGKILL) at random points of them: a few times here, and as
 * often as it is told by `npm run soak`.
 */
const KILLS = Number(process.env.SOAK_KILLS ?? 4);
const SEED = Number(process.env.SOAK_SEED ?? Math.floor(Math.random() * 2 ** 31));
const BUYERS_PER_KILL = 3;
const log = createLogger('silent');
const SECRET = 'a secret of the tests';

/** What a process died over is found again half a minute later, or by the first full minute in which nothing dies. */
const REST_MS = 200_000;

type Books = {
  readonly email: string;
  readonly subscriptions: number;
  readonly state: string;
  readonly captures: number;
  readonly payments: number;
  readonly terms: number;
  readonly grants: number;
  readonly doubled: number;
  readonly receipts: number;
  readonly parked: number;
  readonly unanswered: number;
};

/** What the gateway took from each reader, and what the paper made of it. */
const BOOKS = `
  select r.email, count(distinct s.id)::int as subscriptions, min(s.state) as state,
    (select count(*)::int from sandbox.captures c join sandbox.checkouts k on k.id = c.checkout_id
      where k.email = r.email) as captures,
    (select count(*)::int from billing.payments p join billing.charge_intents i on i.id = p.intent_id
      where i.subscription_id = any(array_agg(s.id)) and p.status = 'succeeded') as payments,
    (select count(*)::int from billing.terms t where t.subscription_id = any(array_agg(s.id))) as terms,
    (select count(*)::int from entitlements.grants g where g.reader_id = r.id) as grants,
    (select count(*)::int from (select from entitlements.grants g where g.reader_id = r.id
      group by g.benefit having count(*) > 1) as twice) as doubled,
    (select count(*)::int from mail.mails m where m.reader_id = r.id and m.kind = 'receipt') as receipts,
    (select count(*)::int from billing.charge_intents i
      where i.subscription_id = any(array_agg(s.id)) and i.parked_reason is not null) as parked,
    (select count(*)::int from billing.gateway_events e join billing.charge_intents i on i.checkout_id = e.checkout_id
      where i.subscription_id = any(array_agg(s.id)) and e.processed_at is null) as unanswered
  from readers.readers r left join billing.subscriptions s on s.reader_id = r.id
  group by r.id, r.email order by r.email`;

const RIGHT = {
  subscriptions: 1,
  state: 'active',
  captures: 1,
  payments: 1,
  terms: 1,
  doubled: 0,
  receipts: 1,
  parked: 0,
  unanswered: 0,
};

describe('a purchase', () => {
  it(
    `is paid once and granted once, whatever is killed (SOAK_SEED=${SEED})`,
    async () => {
      const dice = new Dice(SEED);
      const data = await scratchFolder('crashes');
      const postgres = await openEmbeddedPostgres({ data, log });
      const port = await freePort();
      const base = `http://127.0.0.1:${port}`;
      const { buyers, premium } = await prepare(postgres.url, data, base);
      const shop = await openShop(data, { BROADSHEET_SECRET: SECRET }, { port, href: base });
      const pool = new pg.Pool({ connectionString: postgres.url });
      pool.on('error', () => undefined);
      try {
        const purchases: Promise<void>[] = [];
        for (let kill = 0; kill < KILLS; kill++) {
          for (const buyer of buyers.slice(kill * BUYERS_PER_KILL, (kill + 1) * BUYERS_PER_KILL)) {
            purchases.push(sleep(dice.whole(0, 800)).then(() => buy(base, buyer, premium, dice)));
          }
          await sleep(dice.whole(200, 2_500));
          await shop.kill(dice.of(VICTIMS));
        }
        const failures = (await Promise.allSettled(purchases)).flatMap((one) =>
          one.status === 'rejected' ? [one.reason] : [],
        );
        expect(failures).toEqual([]);
        await expect
          .poll(() => booksOf(pool), { timeout: REST_MS, interval: 1_000 })
          .toEqual(buyers.map(({ email }) => expect.objectContaining({ ...RIGHT, email })));
        expect(new Set((await booksOf(pool)).map((one) => one.grants)).size).toBe(1);
        expect(shop.fallen).toEqual([]);
      } finally {
        await shop.stop();
        await pool.end();
        await postgres.release();
      }
    },
    300_000 + KILLS * 20_000,
  );
});

async function booksOf(pool: pg.Pool): Promise<Books[]> {
  return (await pool.query<Books>(BOOKS)).rows;
}

/** A premium story, and readers who are signed in. */
async function prepare(
  databaseUrl: string,
  dataFolder: string,
  baseUrl: string,
): Promise<{ buyers: Buyer[]; premium: string }> {
  const paper = await composePaper({
    databaseUrl,
    dataFolder,
    baseUrl,
    secret: SECRET,
    trustedProxyHops: 0,
    sandbox: true,
    inProcess: true,
    log,
  });
  try {
    const [story] = await storeStories(paper.database.db, [storyInput({ access: 'premium' })]);
    const buyers: Buyer[] = [];
    for (let number = 0; number < KILLS * BUYERS_PER_KILL; number++) {
      const email = `buyer-${String(number).padStart(4, '0')}@paper.example`;
      // From different places: one may try only so often.
      const { cookies } = await signedInBrowser(paper, email, { address: `198.51.100.${number % 250}` });
      buyers.push({ email, cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') });
    }
    return { buyers, premium: story?.path ?? '' };
  } finally {
    await paper.close();
  }
}
