import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  beginCheckout,
  beginPayment,
  besideEachOther,
  brokenBooks,
  subscriptionsOf,
  takeEvent,
} from '#billing';
import { createLogger } from '#platform/log';
import { runDueJobs } from '../../src/main/jobs.ts';
import { newestMandate } from '../../src/sandbox/sandbox.ts';
import { live } from '../living.ts';
import { type TestClock, type TestPaper, testClock, testPaper } from '../paper.ts';
import { beginOrder, pay as payAt, settle as settleAll, signedInBrowser, testBrowser } from '../shop.ts';
import { type RazorpayStandIn, razorpayStandIn } from '../stand-ins/razorpay.ts';
import type { SentEvent } from '../stand-ins/razorpay-events.ts';

/** A reader subscribes through Razorpay, whose checkout opens over a page of the paper. */
let paper: TestPaper;
let razorpay: RazorpayStandIn;
const clock: TestClock = testClock('2026-11-23T06:30:00Z');
beforeAll(async () => {
  razorpay = await razorpayStandIn(clock);
  const { apiBase, keyId, keySecret, webhookSecret } = razorpay;
  paper = await testPaper('2026-11-23T06:30:00Z', {
    razorpay: { apiBase, keyId, keySecret, webhookSecrets: [webhookSecret] },
  });
});
afterAll(async () => {
  await paper.end();
  await razorpay.close();
});

let made = 0;
const newReader = () =>
  signedInBrowser(paper, `payer-${++made}@paper.example`, { address: `203.0.113.${made % 250}` });

async function ordered(more: Record<string, string> = {}) {
  const browser = await newReader();
  const url = await beginOrder(browser, more);
  const path = url.slice(paper.baseUrl.length);
  return { browser, path, orderId: path.split('/')[3] as string };
}

const send = async ({ body, headers }: Pick<SentEvent, 'body' | 'headers'>) =>
  (
    await paper.app.request(`${paper.baseUrl}/webhooks/razorpay`, {
      method: 'POST',
      headers,
      body: body.toString(),
    })
  ).status;
const settle = () => runDueJobs(paper, createLogger('silent'));
const stateOf = async (readerId: string) =>
  (await subscriptionsOf(paper.database.db, readerId)).map(({ state }) => state);

/** Pays, and lets the webhooks come in an order that nobody would wish for, each of them twice. */
async function pay(orderId: string) {
  razorpay.company.events.length = 0;
  const payment = razorpay.company.pay(orderId);
  const events = [...razorpay.company.events].toReversed();
  for (const event of [...events, ...events]) expect(await send(event)).toBe(204);
  await settle();
  return payment;
}

describe('the page that pays through Razorpay', () => {
  it('opens the checkout with what is Razorpay’s to know, and with no secret', async () => {
    const { browser, orderId, path } = await ordered();
    expect(path).toBe(`/pay/razorpay/${orderId}`);
    const answer = await browser.get(path);
    const html = await answer.text();
    expect(answer.status).toBe(200);
    const said = /data-razorpay="([^"]+)"/.exec(html)?.[1]?.replaceAll('&quot;', '"') ?? '{}';
    expect(JSON.parse(said)).toMatchObject({
      key: razorpay.keyId,
      order_id: orderId,
      amount: 270_000,
      currency: 'INR',
      prefill: { email: browser.email },
      customer_id: expect.stringMatching(/^cust_/),
      recurring: '1',
    });
    for (const secret of [razorpay.keySecret, razorpay.webhookSecret]) expect(html).not.toContain(secret);
  });

  it('lets Razorpay in, and nobody else; no other page does', async () => {
    const { browser, path } = await ordered();
    const answer = await browser.get(path);
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/^default-src 'none'; script-src 'self' https:\/\/checkout\.razorpay\.com;/);
    expect(policy.match(/https:\/\/[^\s;]+/g)?.every((host) => host.endsWith('.razorpay.com'))).toBe(true);
    expect(policy).not.toMatch(/script-src[^;]*unsafe/);
    expect(answer.headers.get('cache-control')).toBe('private, no-store');
    // A bank's page opens in a window that has to tell the checkout how it went.
    expect(answer.headers.get('cross-origin-opener-policy')).toBe('same-origin-allow-popups');
    const other = await browser.get('/subscribe');
    expect(other.headers.get('content-security-policy')).not.toContain('razorpay');
    expect(other.headers.get('cross-origin-opener-policy')).toBe('same-origin');
  });

  it('says without scripts that paying needs one, and gives the way back', async () => {
    const { browser, path } = await ordered();
    const html = await (await browser.get(path)).text();
    expect(html).toMatch(/<noscript>.*scripts are off.*<\/noscript>/s);
    expect(html).toContain('href="/subscribe/yearly"');
    expect(html).toMatch(/<button[^>]*hidden/);
  });

  it('is its reader’s alone, and of no order that we do not know', async () => {
    const { path } = await ordered();
    const stranger = await testBrowser(paper).get(path);
    expect([stranger.status, stranger.headers.get('location')]).toEqual([
      303,
      `/login?next=${encodeURIComponent(path)}`,
    ]);
    const another = await newReader();
    expect((await another.get(path)).status).toBe(404);
    const unknown = razorpay.company.makeOrder({ amount: 270_000, currency: 'INR' });
    expect((await another.get(`/pay/razorpay/${unknown.id}`)).status).toBe(404);
    expect((await another.get('/pay/razorpay/order_%2e%2e')).status).toBe(404);
  });

  it('F01 opens no order in whose place another one was begun', async () => {
    const { browser, path } = await ordered();
    const other = await beginOrder(browser, { plan: 'quarterly' });
    expect(other).not.toContain(path);
    const closed = await browser.get(path);
    expect(closed.status).toBe(410);
    expect(await closed.text()).toContain('Nothing was charged');
  });

  it('says so where Razorpay does not answer', async () => {
    const { browser, path } = await ordered();
    razorpay.fail('GET /orders/*', 'error-500');
    const answer = await browser.get(path);
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('Try again');
    expect((await browser.get(path)).status).toBe(200);
  });

  it('leads a reader who has paid to what they bought', async () => {
    const { browser, orderId, path } = await ordered();
    await pay(orderId);
    const answer = await browser.get(path);
    expect([answer.status, answer.headers.get('location')]).toEqual([
      303,
      expect.stringMatching(/^\/subscriptions\//),
    ]);
  });
});

describe('a purchase through Razorpay', () => {
  it('F26 and F27 is one, however often and in whatever order its webhooks come', async () => {
    const { browser, orderId } = await ordered();
    await pay(orderId);
    expect(await stateOf(browser.readerId)).toEqual(['active']);
    const { rows } = await paper.database.pool.query(
      'select count(*)::int as n from billing.gateway_events where checkout_id = $1',
      [orderId],
    );
    expect(rows[0].n).toBe(3);
  });

  it('is not made by a browser that comes back: Razorpay is asked, and says that nothing was paid', async () => {
    const { browser, orderId, path } = await ordered();
    const { id } = razorpay.company.pay(orderId, 'created');
    const signature = razorpay.signReturn(orderId, id);
    const back = await browser.post(`${path}/return`, {
      razorpay_payment_id: id,
      razorpay_signature: signature,
    });
    expect([back.status, back.headers.get('location')]).toEqual([
      303,
      expect.stringMatching(/^\/subscriptions\//),
    ]);
    await settle();
    expect(await stateOf(browser.readerId)).toEqual(['incomplete']);
    razorpay.company.decide(id, 'captured');
    await browser.post(`${path}/return`, { razorpay_payment_id: id, razorpay_signature: signature });
    await settle();
    expect(await stateOf(browser.readerId)).toEqual(['active']);
  });

  it('that a browser claims with a signature of another order is refused', async () => {
    const [hers, his] = [await ordered(), await ordered()];
    const { id } = razorpay.company.pay(his.orderId);
    const claimed = await hers.browser.post(`${hers.path}/return`, {
      razorpay_order_id: his.orderId,
      razorpay_payment_id: id,
      razorpay_signature: razorpay.signReturn(his.orderId, id),
    });
    expect(claimed.status).toBe(422);
    const others = await hers.browser.post(`${his.path}/return`, {
      razorpay_payment_id: id,
      razorpay_signature: razorpay.signReturn(his.orderId, id),
    });
    expect(others.status).toBe(404);
    await settle();
    expect(await stateOf(hers.browser.readerId)).toEqual(['incomplete']);
  });

  it('F34 and F44: what is not signed is refused, and what is not ours is taken', async () => {
    const { body, headers } = razorpay.company.sign('payment.captured', {}, 'another secret');
    expect(await send({ body, headers })).toBe(400);
    expect(await send(razorpay.company.sign('settlement.processed', { settlement: { id: 'setl_1' } }))).toBe(
      204,
    );
    const { status } = await paper.app.request(`${paper.baseUrl}/webhooks/stripe`, { method: 'POST' });
    expect(status).toBe(404);
  });

  it('F12: a subscription that Razorpay charges itself is warned of, and leads to nothing', async () => {
    const { browser, orderId } = await ordered();
    const event = razorpay.company.sign('subscription.charged', {
      subscription: { id: 'sub_1' },
      payment: { id: 'pay_of_another_clock', order_id: orderId },
    });
    const warned: unknown[] = [];
    const log = { warn: (...line: unknown[]) => void warned.push(...line) };
    const parts = { ...paper.billing, log: log as never };
    const gateway = paper.billing.gateways.named('razorpay');
    const header = (name: string) => event.headers[name];
    expect(await takeEvent(parts, gateway, event.body, header, clock.now())).toBe(true);
    expect(warned).toEqual([
      expect.objectContaining({ gateway: 'razorpay', type: event.type }),
      expect.stringMatching(/charges itself/),
    ]);
    await settle();
    expect(await stateOf(browser.readerId)).toEqual(['incomplete']);
  });
});

describe('an account at Razorpay beside the sandbox', () => {
  it('charges what was begun elsewhere there, takes what is new, and gives the old mandate back', async () => {
    const browser = await newReader();
    const before = {
      ...paper,
      billing: { ...paper.billing, gateways: besideEachOther([paper.billing.gateways.named('sandbox')]) },
    };
    const reader = { id: browser.readerId, email: browser.email };
    const [plan] = paper.plans();
    if (plan === undefined) throw new Error('there is no plan');
    const order = { reader, plan, country: 'IN', state: 'KA', consent: 'I agree.', next: '/' };
    const begun = await beginCheckout(before.billing, order, paper.clock.now());
    if (begun.kind !== 'pay') throw new Error(begun.kind);
    await payAt(paper, begun.url);
    const current = async () => (await subscriptionsOf(paper.database.db, reader.id))[0];
    await settleAll(paper);
    await live(paper, '2027-02-24T06:30:00Z');
    expect(await current()).toMatchObject({ nextSeq: 2, mandate: { gateway: 'sandbox', status: 'active' } });

    const old = (await newestMandate(paper.database.db, reader.email))?.id;
    const another = await beginPayment(paper.billing, reader, paper.clock.now());
    if (another.kind !== 'pay') throw new Error(another.kind);
    const orderId = another.url.split('/').at(-1) as string;
    await pay(orderId);
    expect((await current())?.mandate).toMatchObject({ gateway: 'razorpay', status: 'active' });
    expect(await newestMandate(paper.database.db, reader.email)).toMatchObject({
      id: old,
      status: 'revoked',
    });
    expect(await brokenBooks(paper.database.db)).toEqual([]);
  });
});
