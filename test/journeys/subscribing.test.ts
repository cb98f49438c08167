import { setImmediate } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  askOpen,
  askUnanswered,
  type BillingParts,
  beginCheckout,
  besideEachOther,
  type ChargeIntent,
  newestIntent,
  type Plan,
  paymentsOf,
  settleDue,
  settleIntent,
  subscriptionsOf,
  termsOf,
  timelineOf,
} from '#billing';
import { listGrants } from '#entitlements';
import { createLogger } from '#platform/log';
import { signingKeys } from '#platform/signing';
import { runDueJobs } from '../../src/main/jobs.ts';
import { holdWebhooks, sandboxCredentials, settlePending, setWebhooks } from '../../src/sandbox/sandbox.ts';
import { signatureHeader } from '../../src/sandbox/signature.ts';
import { type StoredStory, storeStories, storyInput } from '../builders.ts';
import { seated } from '../desk.ts';
import { mailsTo } from '../mails.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import {
  beginOrder,
  deliver,
  ORDER,
  pay,
  settle,
  signedInBrowser,
  type TestBrowser,
  testBrowser,
} from '../shop.ts';

/** Journey B: a reader subscribes, and every device unlocks. */
let paper: TestPaper;
let premium: StoredStory;
let metered: StoredStory[];
beforeAll(async () => {
  paper = await testPaper();
  const { db } = paper.database;
  [premium] = (await storeStories(db, [storyInput({ access: 'premium' })])) as [StoredStory];
  metered = await storeStories(
    db,
    Array.from({ length: 20 }, () => storyInput()),
  );
});
afterAll(() => paper.end());

let made = 0;
/** Each from a place of their own: one may try only so often. */
const newReader = () =>
  signedInBrowser(paper, `buyer-${++made}@paper.example`, { address: `198.51.100.${made % 250}` });
const accessTo = async (browser: TestBrowser, story = premium) =>
  (await browser.get(story.path)).headers.get('x-access');

async function books(readerId: string) {
  const { db } = paper.database;
  const subscriptions = await subscriptionsOf(db, readerId);
  const payments = await paymentsOf(db, readerId);
  const terms = await Promise.all(subscriptions.map((one) => termsOf(db, one.id)));
  const grants = await listGrants(db, readerId);
  return {
    states: subscriptions.map((one) => one.state),
    paid: payments.filter((one) => one.status === 'succeeded').length,
    terms: terms.flat().length,
    grants: grants.filter((one) => one.revokedAt === undefined).length,
  };
}
async function journalOf({ database: { db } }: TestPaper, readerId: string) {
  const { rows } = await sql<{ kind: string }>`
    select j.kind from billing.journal j join billing.subscriptions s on s.id = j.subscription_id
    where s.reader_id = ${readerId} order by j.at, j.id`.execute(db);
  return rows.map(({ kind }) => kind);
}
const PLACE = { country: 'IN', state: 'KA' };
const log = createLogger('silent');
const ONE_SUBSCRIPTION = { states: ['active'], paid: 1, terms: 1, grants: 7 };

describe('a reader who subscribes', () => {
  it('reads everything from then on, on every device, and has a receipt', async () => {
    const reader = await newReader();
    const phone = testBrowser(paper);
    await phone.post('/login', { email: reader.email, password: 'correct horse battery' });
    expect([await accessTo(reader), await accessTo(phone)]).toEqual(['preview', 'preview']);

    const url = await beginOrder(reader, { next: premium.path });
    expect(await accessTo(reader)).toBe('preview');
    const paid = await pay(paper, url);
    if (paid.kind !== 'returned') throw new Error(paid.kind);
    const back = new URL(paid.to).pathname;
    expect(await (await reader.get(back)).text()).toContain('data-subscription="confirming"');
    expect(await accessTo(reader)).toBe('preview');

    await settle(paper);
    expect(await (await reader.get(back)).text()).toMatch(
      new RegExp(`data-subscription="active"[\\s\\S]*href="${premium.path}"`),
    );
    expect([await accessTo(reader), await accessTo(phone)]).toEqual(['full', 'full']);
    for (const story of metered.slice(0, 12)) expect(await accessTo(reader, story)).toBe('full');
    expect(await books(reader.readerId)).toEqual(ONE_SUBSCRIPTION);
    const [receipt] = await mailsTo(paper, reader.email);
    expect(receipt?.text).toContain('₹2,700');
    const account = await (await reader.get('/account')).text();
    expect(account).toContain('data-subscription="active"');
    expect(account).toContain('22 November 2027');
  });

  it('needs an account, and comes back to the order with one', async () => {
    const stranger = testBrowser(paper);
    const answer = await stranger.get('/subscribe/yearly?next=%2Fworld');
    expect([answer.status, answer.headers.get('location')]).toEqual([
      303,
      '/register?next=%2Fsubscribe%2Fyearly%3Fnext%3D%252Fworld',
    ]);
    expect((await stranger.post('/subscriptions', ORDER)).headers.get('location')).toBe('/login');
  });

  it.each([
    ['no country', { country: '' }],
    ['a country that is none', { country: 'XX' }],
    ['no state in India', { state: '' }],
    ['a state that is none', { state: 'ZZ' }],
    ['no consent', { consent: '' }],
  ])('is asked again for what is missing: %s', async (_, wrong) => {
    const reader = await newReader();
    const answer = await reader.post('/subscriptions', { ...ORDER, ...wrong });
    expect(answer.status).toBe(422);
    expect(await answer.text()).toContain('role="alert"');
    expect(await subscriptionsOf(paper.database.db, reader.readerId)).toEqual([]);
  });

  it('pays what the catalogue says, whatever the form says', async () => {
    const reader = await newReader();
    const url = await beginOrder(reader, {
      amount: '1',
      amount_minor: '1',
      currency: 'JPY',
      price: '0',
      months: '99',
    });
    await pay(paper, url);
    await settle(paper);
    const [subscription] = await subscriptionsOf(paper.database.db, reader.readerId);
    expect(subscription).toMatchObject({ price: { minor: 270000n, currency: 'INR' }, months: 12 });
    expect(
      (await reader.post('/subscriptions', { ...ORDER, plan: 'free-for-ever' })).headers.get('location'),
    ).toBe('/subscribe');
  });

  it('has agreed to words that are kept as they were shown', async () => {
    const reader = await newReader();
    await beginOrder(reader);
    const { rows } = await sql<{ words: string; amount_minor: bigint; months: number }>`
      select words, amount_minor, months from billing.consents where reader_id = ${reader.readerId}`.execute(
      paper.database.db,
    );
    expect(rows).toEqual([
      { words: expect.stringContaining('It costs ₹2,700 for 1 year'), amount_minor: 270000n, months: 12 },
    ]);
    expect(await (await reader.get('/subscribe/yearly')).text()).toContain(
      (rows[0] as { words: string }).words,
    );
  });

  it('is shown the order again where the words have changed since they were shown', async () => {
    const reader = await newReader();
    const page = await (await reader.get('/subscribe/yearly')).text();
    const shown = /name="shown" value="([\w-]{16})"/.exec(page)?.[1] ?? '';
    const answer = await reader.post('/subscriptions', { ...ORDER, shown: 'A'.repeat(16) });
    expect([answer.status, (await answer.text()).includes('has changed meanwhile')]).toEqual([422, true]);
    expect(await beginOrder(reader, { shown })).toContain('/sandbox/checkouts/');
  });
});

describe('one subscription and one charge', () => {
  it('however often the button is clicked, and in however many tabs', async () => {
    const reader = await newReader();
    const urls = await Promise.all(Array.from({ length: 8 }, () => beginOrder(reader)));
    expect(new Set(urls).size).toBe(1);
    await Promise.all(Array.from({ length: 5 }, () => pay(paper, urls[0] as string)));
    await Promise.all([settle(paper), settle(paper)]);
    expect(await books(reader.readerId)).toEqual(ONE_SUBSCRIPTION);
    expect(await mailsTo(paper, reader.email)).toHaveLength(1);
  });

  it('also when another plan is chosen in another tab: the first checkout cannot be paid any more', async () => {
    const reader = await newReader();
    const first = await beginOrder(reader);
    const second = await beginOrder(reader, { plan: 'quarterly' });
    expect(second).not.toBe(first);
    expect((await pay(paper, first)).kind).toBe('not-payable');
    await pay(paper, second);
    await settle(paper);
    expect(await books(reader.readerId)).toEqual(ONE_SUBSCRIPTION);
    expect(await subscriptionsOf(paper.database.db, reader.readerId)).toMatchObject([
      { planSlug: 'quarterly' },
    ]);
  });

  it('also when the first tab pays while the second chooses another plan', async () => {
    const reader = await newReader();
    const url = await beginOrder(reader);
    await pay(paper, url);
    expect(await beginOrder(reader, { plan: 'two-yearly' })).toMatch(/^\/subscriptions\//);
    await settle(paper);
    expect(await books(reader.readerId)).toEqual(ONE_SUBSCRIPTION);
    expect(await subscriptionsOf(paper.database.db, reader.readerId)).toMatchObject([{ planSlug: 'yearly' }]);
  });

  it('also when another plan is chosen while the gateway is still asked for the first', async () => {
    const reader = await newReader();
    const both = await Promise.all([
      reader.post('/subscriptions', { ...ORDER, plan: 'yearly' }),
      reader.post('/subscriptions', { ...ORDER, plan: 'quarterly' }),
      reader.post('/subscriptions', { ...ORDER, plan: 'two-yearly' }),
    ]);
    const pages = both.flatMap((one) => (one.status === 303 ? [one.headers.get('location') as string] : []));
    expect(pages.length).toBeGreaterThan(0);
    const { rows } = await sql<{ open: number }>`
      select count(*)::int as open from sandbox.checkouts where email = ${reader.email} and status = 'open'`.execute(
      paper.database.db,
    );
    expect(rows[0]?.open).toBe(1);
    for (const page of pages) await pay(paper, page);
    await settle(paper);
    expect(await books(reader.readerId)).toMatchObject({ states: ['active'], paid: 1, terms: 1 });
  });

  it('also when the first checkout begins just after the gateway said that it knows of none', async () => {
    const { email, readerId } = await newReader();
    const order = (slug: string) => ({
      ...{ reader: { id: readerId, email }, country: 'IN', state: 'KA', consent: 'Yes.', next: '/' },
      plan: paper.plans().find((one) => one.slug === slug) as Plan,
    });
    const gateway = paper.billing.gateways.named('sandbox');
    const [asked, begun] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const first = beginCheckout(
      {
        ...paper.billing,
        gateways: besideEachOther([
          {
            ...gateway,
            openCheckout: async (given) => {
              await asked.promise;
              return gateway.openCheckout(given);
            },
          },
        ]),
      },
      order('yearly'),
      paper.clock.now(),
    ).finally(begun.resolve);
    while ((await subscriptionsOf(paper.database.db, readerId)).length === 0) await setImmediate();
    const second = await beginCheckout(
      {
        ...paper.billing,
        gateways: besideEachOther([
          {
            ...gateway,
            findCheckout: async (reference) => {
              const answer = await gateway.findCheckout(reference);
              asked.resolve();
              await begun.promise;
              return answer;
            },
          },
        ]),
      },
      order('quarterly'),
      paper.clock.now(),
    );
    expect([(await first).kind, second.kind]).toEqual(['pay', 'pay']);
    const { rows } = await sql<{ open: number }>`
      select count(*)::int as open from sandbox.checkouts where email = ${email} and status = 'open'`.execute(
      paper.database.db,
    );
    expect(rows[0]?.open).toBe(1);
  });

  it('for who subscribes already: another order leads to the one there is', async () => {
    const reader = await newReader();
    await pay(paper, await beginOrder(reader));
    await settle(paper);
    expect(await beginOrder(reader, { plan: 'quarterly' })).toMatch(/^\/subscriptions\//);
    expect(await books(reader.readerId)).toEqual(ONE_SUBSCRIPTION);
  });
});

describe('many readers who buy at the same moment', () => {
  const buyers = (count: number) => Promise.all(Array.from({ length: count }, newReader));
  async function intentOf(readerId: string): Promise<ChargeIntent> {
    const { db } = paper.database;
    const [subscription] = await subscriptionsOf(db, readerId);
    return (await newestIntent(db, subscription?.id ?? '')) as ChargeIntent;
  }

  it('each have what they bought, whoever of them is told of twice', async () => {
    const readers = await buyers(9);
    const urls = await Promise.all(readers.map((one) => beginOrder(one)));
    await Promise.all(urls.map((url) => pay(paper, url)));
    const intents = await Promise.all(readers.map((one) => intentOf(one.readerId)));
    const asked = [...intents, ...intents.slice(0, 4), ...intents.slice(0, 2)];
    await Promise.all(asked.map(({ id }) => settleIntent(paper.billing, id, paper.clock.now())));
    await settle(paper);
    for (const { email, readerId } of readers) {
      expect(await books(readerId)).toEqual(ONE_SUBSCRIPTION);
      expect(await mailsTo(paper, email)).toHaveLength(1);
    }
  });

  it('keep what was said of them last and is an end, where the gateway says two things at the same moment', async () => {
    const reader = await newReader();
    await pay(paper, await beginOrder(reader));
    const { checkoutId = '', id } = await intentOf(reader.readerId);
    const gateway = paper.billing.gateways.named('sandbox');
    const paid = await gateway.readCheckout(checkoutId);
    if (paid.kind !== 'ok' || paid.value.kind !== 'payment') throw new Error(paid.kind);
    const words = [paid, { kind: 'ok', value: { ...paid.value, status: 'pending' } }] as const;
    let reads = 0;
    const billing: BillingParts = {
      ...paper.billing,
      gateways: besideEachOther([
        { ...gateway, readCheckout: async () => words[reads++ % 2] as (typeof words)[number] },
      ]),
    };
    await Promise.all([1, 2].map(() => settleIntent(billing, id, paper.clock.now())));
    expect(reads).toBe(2);
    expect(await books(reader.readerId)).toEqual(ONE_SUBSCRIPTION);
  });

  it('are kept waiting by none of them whose order cannot be kept', async () => {
    const readers = await buyers(5);
    const plan = paper.plans().find((one) => one.slug === 'yearly') as Plan;
    const begun = await Promise.allSettled(
      readers.map(({ email, readerId }, at) =>
        beginCheckout(
          paper.billing,
          // No text of PostgreSQL's holds a zero.
          { reader: { id: readerId, email }, plan, ...PLACE, consent: at === 2 ? '\0' : 'Yes.', next: '/' },
          paper.clock.now(),
        ),
      ),
    );
    expect(begun.map(({ status }) => status === 'fulfilled')).toEqual([true, true, false, true, true]);
    expect(await subscriptionsOf(paper.database.db, readers[2]?.readerId ?? '')).toEqual([]);
  });

  it('are kept waiting by none of them whose payment cannot be kept, and that one is tried again', async () => {
    const { db, pool } = paper.database;
    const readers = await buyers(5);
    for (const reader of readers) await pay(paper, await beginOrder(reader));
    const [, , unlucky] = readers as [TestBrowser, TestBrowser, (typeof readers)[number]];
    const [subscription] = await subscriptionsOf(db, unlucky.readerId);
    // As if a term of this number stood there already.
    await pool.query(
      `insert into billing.terms (id, subscription_id, seq, start_on, end_on, currency, amount_minor, status)
      values (gen_random_uuid(), $1, 0, '2026-01-01', '2027-01-01', 'INR', 1, 'paid')`,
      [subscription?.id],
    );
    const intents = await Promise.all(readers.map((one) => intentOf(one.readerId)));
    const settleAll = () =>
      Promise.allSettled(intents.map(({ id }) => settleIntent(paper.billing, id, paper.clock.now())));
    expect((await settleAll()).map(({ status }) => status === 'fulfilled')).toEqual([
      true,
      true,
      false,
      true,
      true,
    ]);
    for (const one of readers)
      if (one !== unlucky) expect(await books(one.readerId)).toEqual(ONE_SUBSCRIPTION);
    // Nothing of it was kept, so that nothing is missing once it can be.
    expect(await books(unlucky.readerId)).toMatchObject({ states: ['incomplete'], paid: 0, grants: 0 });
    await pool.query('delete from billing.terms where subscription_id = $1', [subscription?.id]);
    await settleAll();
    expect(await books(unlucky.readerId)).toEqual(ONE_SUBSCRIPTION);
  });
});

describe('a payment', () => {
  it('that is declined charges nothing, and can be tried again on the same page', async () => {
    const reader = await newReader();
    const url = await beginOrder(reader);
    expect(await pay(paper, url, 'decline')).toMatchObject({ kind: 'failed' });
    await settle(paper);
    expect(await accessTo(reader)).toBe('preview');
    const [declined] = await subscriptionsOf(paper.database.db, reader.readerId);
    const page = await (await reader.get(`/subscriptions/${declined?.id}`)).text();
    expect([page.includes('data-subscription="failed"'), page.includes('/subscribe/yearly')]).toEqual([
      true,
      true,
    ]);
    expect(await beginOrder(reader)).toBe(url);
    expect(await pay(paper, url, 'authenticate')).toMatchObject({ kind: 'returned' });
    await settle(paper);
    expect(await accessTo(reader)).toBe('full');
    expect(await books(reader.readerId)).toEqual(ONE_SUBSCRIPTION);
  });

  it('that the bank decides on later unlocks when it is decided, and not before', async () => {
    const reader = await newReader();
    const url = await beginOrder(reader);
    const paid = await pay(paper, url, 'later');
    if (paid.kind !== 'returned') throw new Error(paid.kind);
    await settle(paper);
    expect(await accessTo(reader)).toBe('preview');
    expect(await (await reader.get(new URL(paid.to).pathname)).text()).toContain(
      'Your bank has not said yes yet',
    );
    await settlePending(paper.database.db, paper.clock.now());
    await settle(paper);
    expect(await accessTo(reader)).toBe('full');
    expect(await books(reader.readerId)).toEqual(ONE_SUBSCRIPTION);
  });

  it('whose answer was lost is found again, though no webhook ever comes', async () => {
    const reader = await newReader();
    const url = await beginOrder(reader);
    await holdWebhooks(paper.database.db, true);
    expect(await pay(paper, url, 'lost')).toMatchObject({ kind: 'lost' });
    const order = await beginOrder(reader).catch((error: unknown) => error);
    // The reader comes back by hand: the order's own page asks the gateway.
    const [subscription] = await subscriptionsOf(paper.database.db, reader.readerId);
    await reader.get(`/subscriptions/${subscription?.id}`);
    await runDueJobs(paper, log);
    expect(await accessTo(reader)).toBe('full');
    expect(order).toBeDefined();
    await holdWebhooks(paper.database.db, false);
    await settle(paper);
    expect(await books(reader.readerId)).toEqual(ONE_SUBSCRIPTION);
  });

  it('that the bank declines later is told in a mail, and can be tried again', async () => {
    const reader = await newReader();
    const url = await beginOrder(reader);
    await pay(paper, url, 'later_decline');
    await settle(paper);
    await settlePending(paper.database.db, paper.clock.now());
    await settle(paper);
    expect(await books(reader.readerId)).toEqual({ states: ['incomplete'], paid: 0, terms: 0, grants: 0 });
    const mails = await mailsTo(paper, reader.email);
    expect(mails.map((one) => one.subject)).toEqual([expect.stringMatching(/did not go through|payment/i)]);
    expect(mails[0]?.text).toContain(`${paper.baseUrl}/subscribe/yearly`);
    expect(await beginOrder(reader)).toBe(url);
    await pay(paper, url, 'approve');
    await settle(paper);
    expect(await books(reader.readerId)).toEqual(ONE_SUBSCRIPTION);
  });

  it('that comes for what was given up opens nothing and goes back, and its reader and support are told', async () => {
    const { db } = paper.database;
    const reader = await newReader();
    const url = await beginOrder(reader);
    await sql`update billing.charge_intents i set status = 'canceled' from billing.subscriptions s
      where s.id = i.subscription_id and s.reader_id = ${reader.readerId}`.execute(db);
    await pay(paper, url);
    await settle(paper);
    expect(await accessTo(reader)).toBe('preview');
    const [subscription] = await subscriptionsOf(db, reader.readerId);
    const page = await (await reader.get(`/subscriptions/${subscription?.id}`)).text();
    expect(page).toContain('data-subscription="given-back"');
    const support = await seated(paper, 'support');
    const file = await (
      await paper.get(`/desk/readers/${reader.readerId}`, { cookie: support.cookie })
    ).text();
    expect(file).toContain('it goes back: it was paid after the subscription was cancelled or given up');
    expect(await journalOf(paper, reader.readerId)).toEqual(['overpaid', 'refunded']);
  });

  it('that never comes is given up after a day, and its checkout is closed', async () => {
    const reader = await newReader();
    const url = await beginOrder(reader);
    const now = paper.clock.now();
    await settleDue(paper.billing, now.add({ hours: 23 }));
    expect((await books(reader.readerId)).states).toEqual(['incomplete']);
    await settleDue(paper.billing, now.add({ hours: 24 }));
    expect((await books(reader.readerId)).states).toEqual(['canceled']);
    expect((await pay(paper, url)).kind).toBe('not-payable');
    expect(await beginOrder(reader)).not.toBe(url);
  });

  it('told twice, late and in the wrong order has one effect', async () => {
    const { db } = paper.database;
    const reader = await newReader();
    await setWebhooks(db, { duplicate: true, reverse: true });
    const url = await beginOrder(reader);
    await pay(paper, url, 'decline');
    await pay(paper, url, 'approve');
    await settle(paper);
    await settle(paper);
    await setWebhooks(db, { duplicate: false, reverse: false });
    expect(await books(reader.readerId)).toEqual(ONE_SUBSCRIPTION);
    expect(await accessTo(reader)).toBe('full');
    const [subscription] = await subscriptionsOf(db, reader.readerId);
    expect((await timelineOf(db, subscription?.id ?? '')).map((one) => one.fact)).toEqual(['begun', 'paid']);
  });
});

describe('a webhook', () => {
  const tell = (body: string, signature?: string) =>
    paper.app.request(`${paper.baseUrl}/webhooks/sandbox`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(signature === undefined ? {} : { 'sandbox-signature': signature }),
      },
      body,
    });

  it('I35: that is not the gateway’s is refused and leaves nothing behind', async () => {
    const count = async () =>
      (
        await sql<{ events: number }>`select count(*)::int as events from billing.gateway_events`.execute(
          paper.database.db,
        )
      ).rows[0]?.events;
    const before = await count();
    const forged = JSON.stringify({ id: 'evt_1', type: 'payment.succeeded', data: {} });
    const now = Math.floor(Date.now() / 1000);
    for (const signature of [
      undefined,
      '',
      'nonsense',
      `t=${now},v1=${'0'.repeat(64)}`,
      `t=${now - 10_000},v1=x`,
    ]) {
      expect((await tell(forged, signature)).status).toBe(400);
    }
    expect((await tell('x'.repeat(300_000), 't=1,v1=x')).status).toBe(413);
    expect(await count()).toBe(before);
  });

  /** An event as the gateway writes it, about an order of this id. */
  const eventFor = (reference: string, checkoutId = `cs_${'0'.repeat(32)}`) =>
    JSON.stringify({
      id: `evt_${(++made).toString().padStart(32, '0')}`,
      type: 'payment.succeeded',
      created: '2026-11-23T06:30:00Z',
      livemode: false,
      data: { id: checkoutId, reference },
    });
  const signed = (body: string, secret = 'a secret of the tests') =>
    signatureHeader(
      body,
      sandboxCredentials(signingKeys(secret)).webhookSecrets,
      Math.floor(Date.now() / 1000),
    );

  it('signed with the old secret is taken while that is still one of ours, and no longer', async () => {
    const body = eventFor('00000000-0000-7000-8000-000000000000');
    const old = signed(body, 'the old secret');
    expect((await tell(body, old)).status).toBe(400);
    const rotating = await testPaper(undefined, { secret: 'the new secret, the old secret' });
    const reader = await signedInBrowser(rotating, 'rotating@paper.example');
    await setWebhooks(rotating.database.db, { sign: 'old' });
    await pay(rotating, await beginOrder(reader));
    await settle(rotating);
    expect((await subscriptionsOf(rotating.database.db, reader.readerId)).map((one) => one.state)).toEqual([
      'active',
    ]);
    const { headers, method } = { headers: { 'sandbox-signature': old }, method: 'POST' };
    const told = await rotating.app.request(`${rotating.baseUrl}/webhooks/sandbox`, {
      method,
      headers,
      body,
    });
    expect(told.status).toBe(204);
    await rotating.end();
  });

  it('that comes before its order is there is kept, and does its work once the order is', async () => {
    const { db } = paper.database;
    const reader = await newReader();
    const url = await beginOrder(reader);
    // As after a back-up that is a moment older than the gateway: the order is not there yet.
    const { rows } = await sql<{ kept: unknown }>`
      with gone as (delete from billing.charge_intents i using billing.subscriptions s
        where s.id = i.subscription_id and s.reader_id = ${reader.readerId} returning i.*)
      select to_json(gone) as kept from gone`.execute(db);
    await pay(paper, url);
    await settle(paper);
    expect(await books(reader.readerId)).toEqual({ states: ['incomplete'], paid: 0, terms: 0, grants: 0 });
    await sql`insert into billing.charge_intents
      select * from json_populate_record(null::billing.charge_intents, ${JSON.stringify(rows[0]?.kept)}::json)`.execute(
      db,
    );
    await askUnanswered(paper.billing, paper.clock.now().add({ seconds: 30 }));
    await runDueJobs(paper, log);
    expect(await books(reader.readerId)).toEqual(ONE_SUBSCRIPTION);
  });

  it('of an order that nobody knows is kept, and nothing breaks', async () => {
    const body = eventFor('00000000-0000-7000-8000-000000000001');
    expect((await tell(body, signed(body))).status).toBe(204);
    expect(await runDueJobs(paper, log)).toEqual({ done: 1, failed: 0 });
    const without = JSON.stringify({ ...JSON.parse(body), id: 'evt_2', data: {} });
    expect((await tell(without, signed(without))).status).toBe(204);
  });

  it('whose work was lost with the process that took it up is worked on again', async () => {
    const { db, pool } = paper.database;
    const reader = await newReader();
    await pay(paper, await beginOrder(reader));
    const now = paper.clock.now();
    await deliver(paper);
    await pool.query("update jobs._private_jobs set locked_at = now(), locked_by = 'the dead'");
    await askUnanswered(paper.billing, now.add({ seconds: 29 }));
    await pool.query('delete from jobs._private_jobs where locked_by is not null');
    await runDueJobs(paper, log);
    expect((await books(reader.readerId)).states).toEqual(['incomplete']);
    await askUnanswered(paper.billing, now.add({ seconds: 30 }));
    await runDueJobs(paper, log);
    expect(await books(reader.readerId)).toEqual(ONE_SUBSCRIPTION);
    await askUnanswered(paper.billing, now.add({ hours: 24 }));
    expect((await sql`select from jobs._private_jobs`.execute(db)).rows).toEqual([]);
  });

  it('that never comes is not waited for: what is open is asked about', async () => {
    const reader = await newReader();
    await setWebhooks(paper.database.db, { drop: true });
    await pay(paper, await beginOrder(reader));
    await settle(paper);
    await setWebhooks(paper.database.db, { drop: false });
    expect((await books(reader.readerId)).states).toEqual(['incomplete']);
    await askOpen(paper.billing);
    await runDueJobs(paper, log);
    expect(await books(reader.readerId)).toEqual(ONE_SUBSCRIPTION);
  });
});

describe('cancelling', () => {
  it('takes two clicks, ends access with the day that is no longer paid, and can be undone until then', async () => {
    const reader = await newReader();
    await pay(paper, await beginOrder(reader));
    await settle(paper);
    expect(await (await reader.get('/account')).text()).toContain('href="/account/cancellation"');
    expect(await (await reader.get('/account/cancellation')).text()).toContain(
      'action="/account/cancellation"',
    );
    expect((await reader.post('/account/cancellation')).headers.get('location')).toBe(
      '/account?done=cancelled',
    );
    expect(await (await reader.get('/account')).text()).toContain('You have cancelled');
    expect(await accessTo(reader)).toBe('full');
    await reader.post('/account/resumption');
    expect(await (await reader.get('/account')).text()).not.toContain('You have cancelled');
    await reader.post('/account/cancellation');
    await reader.post('/account/cancellation');

    const [subscription] = await subscriptionsOf(paper.database.db, reader.readerId);
    const last = subscription?.paidThroughOn?.toZonedDateTime('Asia/Kolkata').toInstant() as Temporal.Instant;
    await settleDue(paper.billing, last.subtract({ seconds: 1 }));
    expect((await books(reader.readerId)).states).toEqual(['active']);
    await settleDue(paper.billing, last);
    expect((await books(reader.readerId)).states).toEqual(['expired']);
    await settle(paper);
    expect((await mailsTo(paper, reader.email)).map((one) => one.subject)).toHaveLength(4);
    const before = paper.clock.now();
    paper.clock.set(last.toString());
    expect(await accessTo(reader)).toBe('preview');
    paper.clock.set(before.toString());
  });

  it('aside, the account does not say that everything is read once the term is over', async () => {
    const reader = await newReader();
    await pay(paper, await beginOrder(reader));
    await settle(paper);
    const [subscription] = await subscriptionsOf(paper.database.db, reader.readerId);
    const before = paper.clock.now();
    const end = subscription?.paidThroughOn?.toZonedDateTime('Asia/Kolkata').toInstant() as Temporal.Instant;
    paper.clock.set(end.toString());
    const page = await (await reader.get('/account')).text();
    paper.clock.set(before.toString());
    expect([page.includes('You read everything'), page.includes('was not renewed yet')]).toEqual([
      false,
      true,
    ]);
  });

  it('is refused where there is nothing to cancel, and to who is not signed in', async () => {
    const reader = await newReader();
    expect((await reader.post('/account/cancellation')).status).toBe(404);
    expect((await testBrowser(paper).post('/account/cancellation')).headers.get('location')).toBe('/login');
  });
});

describe('a receipt', () => {
  const receiptIn = async (browser: TestBrowser) =>
    /href="(\/account\/receipts\/[0-9a-f-]{36})"/.exec(await (await browser.get('/account')).text())?.[1];

  it('is a page of the account that says what the mail says', async () => {
    const reader = await newReader();
    await pay(paper, await beginOrder(reader));
    expect(await receiptIn(reader)).toBeUndefined();
    await settle(paper);
    const path = (await receiptIn(reader)) ?? '';
    const page = await (await reader.get(path)).text();
    const [mail] = await mailsTo(paper, reader.email);
    const lines =
      mail?.text.match(/^(Plan|Term|Amount|Paid on|Paid with|Payment|Place of supply|Sold by): .+$/gm) ?? [];
    expect(lines).toHaveLength(8);
    for (const line of lines) {
      const [what = '', words = ''] = line.split(/: (.*)/);
      expect(page).toContain(`<dt>${what}</dt><dd>${words}</dd>`);
    }
    expect(page).toContain('<dd>Karnataka, India</dd>');
    expect(page).toContain(`<dd>${reader.email}</dd>`);
  });

  it('is shown to nobody but its reader, and of a payment that bought nothing there is none', async () => {
    const [reader, other] = [await newReader(), await newReader()];
    const url = await beginOrder(reader);
    await pay(paper, url, 'decline');
    await settle(paper);
    expect(await receiptIn(reader)).toBeUndefined();
    const [failed] = await paymentsOf(paper.database.db, reader.readerId);
    expect((await reader.get(`/account/receipts/${failed?.id}`)).status).toBe(404);
    await pay(paper, url);
    await settle(paper);
    const path = (await receiptIn(reader)) ?? '';
    expect((await reader.get(path)).status).toBe(200);
    for (const wrong of [path, '/account/receipts/1', `/account/receipts/${reader.readerId}`])
      expect([(await other.get(wrong)).status, wrong]).toEqual([404, wrong]);
    expect((await testBrowser(paper).get(path)).headers.get('location')).toMatch(/^\/login/);
  });
});

describe('an order', () => {
  it('is shown to nobody but its reader', async () => {
    const [mine, theirs] = [await newReader(), await newReader()];
    await beginOrder(mine);
    const [subscription] = await subscriptionsOf(paper.database.db, mine.readerId);
    const path = `/subscriptions/${subscription?.id}`;
    expect((await mine.get(path)).status).toBe(200);
    expect((await theirs.get(path)).status).toBe(404);
    expect((await testBrowser(paper).get(path)).status).toBe(303);
    for (const other of ['/subscriptions/1', "/subscriptions/'", '/subscriptions/%00']) {
      expect((await mine.get(other)).status).toBe(404);
    }
  });
});

describe('an account that is deleted', () => {
  const remove = (reader: TestBrowser) =>
    reader.post('/account/deletion', { password: 'correct horse battery' });

  it('closes what could still be paid, so that no money comes for who is gone', async () => {
    const reader = await newReader();
    const url = await beginOrder(reader);
    expect((await remove(reader)).status).toBe(303);
    expect((await pay(paper, url)).kind).toBe('not-payable');
  });

  it('waits while a bank decides on a payment, and says so', async () => {
    const reader = await newReader();
    await pay(paper, await beginOrder(reader), 'later');
    await settle(paper);
    const answer = await remove(reader);
    expect(answer.status).toBe(409);
    expect(await answer.text()).toContain('A payment of yours is being decided on');
    await settlePending(paper.database.db, paper.clock.now());
    await settle(paper);
    expect((await remove(reader)).status).toBe(303);
  });

  it('ends what it subscribes to and every session, and leaves the books whole', async () => {
    const reader = await newReader();
    await pay(paper, await beginOrder(reader));
    await settle(paper);
    expect((await reader.post('/account/deletion', { password: 'wrong horse battery' })).status).toBe(422);
    const data = (await (await reader.get('/account/data.json')).json()) as { account: { email: string } };
    expect(data.account.email).toBe(reader.email);
    expect((await reader.post('/account/deletion', { password: 'correct horse battery' })).status).toBe(303);
    expect((await reader.get('/account')).status).toBe(303);
    expect(await accessTo(reader)).toBe('preview');
    const { rows } = await sql`select from readers.readers where id = ${reader.readerId}`.execute(
      paper.database.db,
    );
    expect(rows).toHaveLength(0);
    expect(await books(reader.readerId)).toMatchObject({ states: ['active'], paid: 1, grants: 0 });
  });
});
