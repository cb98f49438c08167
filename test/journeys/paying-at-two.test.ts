import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { beginPayment, brokenBooks, heldBy, reconcile, refundPayment, subscriptionsOf } from '#billing';
import { systemClock } from '#platform/clock';
import { createLogger } from '#platform/log';
import { setPublication } from '#publication';
import { runDueJobs } from '../../src/main/jobs.ts';
import { live } from '../living.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { beginOrder, signedInBrowser } from '../shop.ts';
import { type RazorpayStandIn, razorpayStandIn } from '../stand-ins/razorpay.ts';
import { UPI } from '../stand-ins/razorpay-instruments.ts';
import { type StripeStandIn, stripeStandIn } from '../stand-ins/stripe.ts';

/**
 * A paper with accounts at Razorpay and at Stripe, which sold in rupees, and sells in pounds now: each purchase is charged,
 * renewed and given back where it was made.
 */
let paper: TestPaper;
let razorpay: RazorpayStandIn;
let stripe: StripeStandIn;
beforeAll(async () => {
  razorpay = await razorpayStandIn(systemClock);
  stripe = await stripeStandIn(systemClock);
  const { keyId, keySecret } = razorpay;
  paper = await testPaper(systemClock.now().toString(), {
    razorpay: { apiBase: razorpay.apiBase, keyId, keySecret, webhookSecrets: [razorpay.webhookSecret] },
    stripe: {
      apiBase: stripe.apiBase,
      checkoutOrigin: stripe.apiBase,
      secretKey: stripe.secretKey,
      webhookSecrets: [stripe.webhookSecret],
    },
  });
  await sql`
    insert into billing.prices (plan_slug, currency, amount_minor, valid_from_on, version)
    select slug, 'GBP', months * 1000, '2020-01-01', 1 from billing.plans`.execute(paper.database.db);
});
afterAll(async () => {
  await paper.end();
  await stripe.close();
  await razorpay.close();
});

async function sellIn(currency: string): Promise<void> {
  await setPublication(paper.database.db, 'currency', currency);
  const isSold = () => paper.plans().every(({ price }) => price.currency === currency);
  for (let waited = 0; !isSold() && waited < 100; waited++) await sleep(20);
}

type Sent = { readonly body: Buffer; readonly headers: Record<string, string> };
const send = async (gateway: 'razorpay' | 'stripe', { body, headers }: Sent) =>
  (
    await paper.app.request(`${paper.baseUrl}/webhooks/${gateway}`, {
      method: 'POST',
      headers,
      body: body.toString(),
    })
  ).status;
const settle = () => runDueJobs(paper, createLogger('silent'));

/** What both send, the newest first, and twice. */
async function deliver(): Promise<void> {
  for (const [gateway, company] of [
    ['razorpay', razorpay.company],
    ['stripe', stripe.company],
  ] as const)
    for (const event of company.events.splice(0).toReversed())
      for (const again of [event, event]) expect(await send(gateway, again)).toBe(204);
  await settle();
}

let made = 0;
const newReader = () =>
  signedInBrowser(paper, `of-two-${++made}@paper.example`, { address: `203.0.113.${made % 250}` });
const currentOf = async (readerId: string) => (await subscriptionsOf(paper.database.db, readerId))[0];

/** The books hold, and each has what they say that it has, by its own sums. */
async function booksHold(): Promise<void> {
  const { db } = paper.database;
  expect(await brokenBooks(db)).toEqual([]);
  for (const name of ['razorpay', 'stripe'] as const) {
    const held = await heldBy(db, name);
    expect(await paper.billing.gateways.named(name).readBalance()).toEqual({ kind: 'ok', value: held });
  }
}

async function inRupees() {
  await sellIn('INR');
  const browser = await newReader();
  const orderId = (await beginOrder(browser, { plan: 'quarterly' })).split('/').at(-1) as string;
  return { browser, orderId };
}

async function inPounds() {
  await sellIn('GBP');
  const browser = await newReader();
  const url = await beginOrder(browser, { plan: 'quarterly', country: 'GB', state: '' });
  return { browser, url, checkoutId: url.split('/').at(-1) as string };
}

describe('two gateways beside each other', () => {
  it('take what is right for each: rupees at Razorpay, pounds at Stripe; and keep it for good', async () => {
    const asha = await inRupees();
    expect(asha.orderId).toMatch(/^order_/);
    const george = await inPounds();
    expect(george.url).toMatch(new RegExp(`^${stripe.apiBase}/c/pay/cs_`));
    razorpay.company.pay(asha.orderId, 'captured', UPI);
    stripe.company.pay(george.checkoutId);
    await deliver();
    const mandateOf = async (readerId: string) => (await currentOf(readerId))?.mandate;
    expect(await mandateOf(asha.browser.readerId)).toMatchObject({ gateway: 'razorpay', rail: 'upi' });
    expect(await mandateOf(george.browser.readerId)).toMatchObject({ gateway: 'stripe', rail: 'card_intl' });
    await booksHold();

    // The paper sells in pounds, and what was bought in rupees is renewed in rupees, where it was bought.
    const before = await currentOf(asha.browser.readerId);
    const due = before?.paidThroughOn as Temporal.PlainDate;
    await live(paper, due.subtract({ days: 1 }).toString());
    const [debit] = [...razorpay.company.payments.values()].filter((one) => one.status === 'created');
    expect(debit).toMatchObject({ amount: 90_000, currency: 'INR' });
    razorpay.company.decide(debit?.id ?? '', 'captured');
    await deliver();
    await live(paper, due.add({ days: 1 }).toString());
    await deliver();
    const charges = [...stripe.company.payments.values()].filter((one) => one.offSession);
    expect(charges).toMatchObject([{ amount: 3_000, currency: 'gbp', status: 'succeeded' }]);
    for (const { browser } of [asha, george])
      expect(await currentOf(browser.readerId)).toMatchObject({ state: 'active', nextSeq: 2 });
    await booksHold();

    for (const { browser } of [asha, george])
      await refundPayment(
        paper.billing,
        { readerId: browser.readerId, reason: 'Left.', actor: 'support' },
        paper.clock.now(),
      );
    await settle();
    await deliver();
    expect([...razorpay.company.refunds.values()].map(({ amount }) => amount)).toEqual([90_000]);
    expect([...stripe.company.refunds.values()].map(({ amount }) => amount)).toEqual([3_000]);
    await booksHold();
  });

  it('F41 and when all webhooks are lost both are asked, and one that does not answer keeps nobody from the other', async () => {
    const [asha, george] = [await inRupees(), await inPounds()];
    razorpay.company.pay(asha.orderId);
    stripe.company.pay(george.checkoutId);
    razorpay.company.events.length = 0;
    stripe.company.events.length = 0;
    stripe.fail('GET /payment_intents', 'error-500');
    await expect(reconcile(paper.billing, systemClock.now())).rejects.toThrow(/^stripe lists no payments/);
    await settle();
    expect(await currentOf(asha.browser.readerId)).toMatchObject({ state: 'active' });
    expect(await currentOf(george.browser.readerId)).toMatchObject({ state: 'incomplete' });
    expect(await reconcile(paper.billing, systemClock.now())).toMatchObject({ missingHere: 1, unknown: [] });
    await settle();
    expect(await currentOf(george.browser.readerId)).toMatchObject({ state: 'active' });
    await booksHold();
  });

  it('F34 believe no webhook that the other has signed', async () => {
    const { browser, checkoutId } = await inPounds();
    stripe.company.pay(checkoutId);
    for (const event of stripe.company.events) expect(await send('razorpay', event)).toBe(400);
    const forged = razorpay.company.sign('payment.captured', {});
    expect(await send('stripe', forged)).toBe(400);
    await settle();
    expect(await currentOf(browser.readerId)).toMatchObject({ state: 'incomplete' });
    await deliver();
    expect(await currentOf(browser.readerId)).toMatchObject({ state: 'active' });
  });

  it('take another card where the currency is right: rupees stay at Razorpay, whatever the paper sells in', async () => {
    const asha = await inRupees();
    razorpay.company.pay(asha.orderId, 'captured', UPI);
    await deliver();
    await sellIn('GBP');
    const again = await beginPayment(
      paper.billing,
      { id: asha.browser.readerId, email: asha.browser.email },
      paper.clock.now(),
    );
    expect(again).toMatchObject({ kind: 'pay', url: expect.stringContaining('/pay/razorpay/order_') });
  });
});
