import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  brokenBooks,
  cancelSubscription,
  heldBy,
  paymentsOf,
  reconcile,
  refundPayment,
  subscriptionsOf,
  takeEvent,
} from '#billing';
import { systemClock } from '#platform/clock';
import { createLogger } from '#platform/log';
import { setPublication } from '#publication';
import { runDueJobs } from '../../src/main/jobs.ts';
import { live } from '../living.ts';
import { mailsTo } from '../mails.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { beginOrder, signedInBrowser } from '../shop.ts';
import { type StripeStandIn, stripeStandIn } from '../stand-ins/stripe.ts';
import type { SentEvent } from '../stand-ins/stripe-events.ts';
import { UPI } from '../stand-ins/stripe-instruments.ts';
import { AUTHENTICATION, declined, type Outcome } from '../stand-ins/stripe-payments.ts';

/** A reader subscribes through Stripe, at a page of Stripe's, whose clock is the world's wherever the paper's was moved. */
let paper: TestPaper;
let stripe: StripeStandIn;

/** @param at where the paper's clock stands */
async function open(at: Temporal.Instant): Promise<TestPaper> {
  const { apiBase, secretKey, webhookSecret } = stripe;
  return testPaper(at.toString(), {
    stripe: { apiBase, checkoutOrigin: apiBase, secretKey, timeoutMs: 500, webhookSecrets: [webhookSecret] },
  });
}

async function sellInPounds({ database: { db }, plans }: TestPaper): Promise<void> {
  await setPublication(db, 'currency', 'GBP');
  await sql`
    insert into billing.prices (plan_slug, currency, amount_minor, valid_from_on, version)
    select slug, 'GBP', months * 1000, '2020-01-01', 1 from billing.plans`.execute(db);
  const isSold = () => plans().some(({ price }) => price.currency === 'GBP');
  for (let waited = 0; !isSold() && waited < 100; waited++) await sleep(20);
}

beforeAll(async () => {
  stripe = await stripeStandIn(systemClock);
  paper = await open(systemClock.now());
  await sellInPounds(paper);
});
beforeEach(() => {
  stripe.company.events.length = 0;
});
afterAll(async () => {
  await paper.end();
  await stripe.close();
});

const BRITISH = { country: 'GB', state: '' };
let made = 0;
const newReader = (at = paper) =>
  signedInBrowser(at, `payer-${++made}@paper.example`, { address: `203.0.113.${made % 250}` });
const sessionIn = (url: string) => url.split('/').at(-1) as string;

const send = async ({ body, headers }: Pick<SentEvent, 'body' | 'headers'>, to = paper) =>
  (await to.app.request(`${to.baseUrl}/webhooks/stripe`, { method: 'POST', headers, body: body.toString() }))
    .status;
const settle = (on = paper) => runDueJobs(on, createLogger('silent'));

/** Lets the webhooks come in an order that nobody would wish for, each of them twice. */
async function deliver(to = paper): Promise<void> {
  const events = stripe.company.events.splice(0).toReversed();
  for (const event of [...events, ...events]) expect(await send(event, to)).toBe(204);
  await settle(to);
}

const currentOf = async (readerId: string, of = paper) =>
  (await subscriptionsOf(of.database.db, readerId))[0];

async function subscriber(more: Record<string, string> = { plan: 'quarterly' }) {
  const browser = await newReader();
  const checkoutId = sessionIn(await beginOrder(browser, { ...BRITISH, ...more }));
  stripe.company.pay(checkoutId);
  await deliver();
  expect(await currentOf(browser.readerId)).toMatchObject({ state: 'active' });
  return { ...browser, checkoutId };
}

/** Charges of a reader with nobody there. */
const chargesOf = (readerId: string) =>
  [...stripe.company.payments.values()].filter((one) => one.offSession && one.metadata.reader === readerId);

/** The books hold, and Stripe has what they say that it has, by its own sums. */
async function booksHold(of = paper): Promise<void> {
  const { db } = of.database;
  expect(await brokenBooks(db)).toEqual([]);
  const held = await heldBy(db, 'stripe');
  expect(await of.billing.gateways.named('stripe').readBalance()).toEqual({ kind: 'ok', value: held });
  expect(new Map(held.map(({ currency, minor }) => [currency.toLowerCase(), Number(minor)]))).toEqual(
    stripe.company.balance,
  );
}

describe('an order through Stripe', () => {
  it('leads to a page of Stripe’s, and the pages that lead there allow it; no other does', async () => {
    const browser = await newReader();
    const url = await beginOrder(browser, { ...BRITISH, plan: 'quarterly' });
    expect(url).toMatch(new RegExp(`^${stripe.apiBase}/c/pay/cs_test_`));
    const { email, readerId } = await subscriber();
    await browser.post('/login', { email, password: 'correct horse battery' });
    expect(readerId).toBeDefined();
    const policyOf = async (path: string) => {
      const answer = await browser.get(path);
      expect(answer.status, path).toBe(200);
      return answer.headers.get('content-security-policy') ?? '';
    };
    const leading = [
      '/subscribe/quarterly',
      '/subscribe/gift?plan=quarterly',
      '/subscribe/group?plan=quarterly&seats=5',
      '/account/payment',
      '/account/changes',
    ];
    for (const path of leading)
      expect(await policyOf(path), path).toContain(`form-action 'self' ${stripe.apiBase};`);
    for (const path of ['/', '/subscribe', '/account', '/account/password'])
      expect(await policyOf(path), path).toContain("form-action 'self';");
  });

  it('F26 and F27 is one purchase, however often and in whatever order its webhooks come', async () => {
    const reader = await subscriber();
    expect(await currentOf(reader.readerId)).toMatchObject({
      nextSeq: 1,
      mandate: { gateway: 'stripe', rail: 'card_intl', status: 'active', method: 'Visa ending 4242' },
    });
    const { rows } = await sql<{ n: number; done: number }>`
      select count(*)::int as n, count(processed_at)::int as done from billing.gateway_events
      where intent_id = (select id from billing.charge_intents where checkout_id = ${reader.checkoutId})`.execute(
      paper.database.db,
    );
    expect(rows[0]).toEqual({ n: 4, done: 4 });
    await booksHold();
  });

  it('F16 is seen by a reader who is back before any webhook', async () => {
    const browser = await newReader();
    const checkoutId = sessionIn(await beginOrder(browser, { ...BRITISH, plan: 'quarterly' }));
    stripe.company.pay(checkoutId);
    const back = stripe.company.sessions.get(checkoutId)?.successUrl ?? '';
    expect((await browser.get(back.slice(paper.baseUrl.length))).status).toBe(200);
    await settle();
    expect(await currentOf(browser.readerId)).toMatchObject({ state: 'active' });
    await deliver();
    await booksHold();
  });

  it('is not made by a reader who comes back without having paid', async () => {
    const browser = await newReader();
    const checkoutId = sessionIn(await beginOrder(browser, { ...BRITISH, plan: 'quarterly' }));
    stripe.company.pay(checkoutId, declined('insufficient_funds'));
    const back = stripe.company.sessions.get(checkoutId)?.successUrl ?? '';
    await browser.get(back.slice(paper.baseUrl.length));
    await deliver();
    expect(await currentOf(browser.readerId)).toMatchObject({ state: 'incomplete' });
    // Trying again leads to the same page, where another card may be given.
    expect(sessionIn(await beginOrder(browser, { ...BRITISH, plan: 'quarterly' }))).toBe(checkoutId);
    stripe.company.pay(checkoutId);
    await deliver();
    expect(await currentOf(browser.readerId)).toMatchObject({ state: 'active' });
  });

  it('F01 is closed at Stripe once another one is begun in its place', async () => {
    const browser = await newReader();
    const first = sessionIn(await beginOrder(browser, { ...BRITISH, plan: 'quarterly' }));
    const second = sessionIn(await beginOrder(browser, { ...BRITISH, plan: 'yearly' }));
    expect(second).not.toBe(first);
    expect(stripe.company.sessions.get(first)?.status).toBe('expired');
    stripe.company.pay(second);
    await deliver();
    expect(await currentOf(browser.readerId)).toMatchObject({ state: 'active', planSlug: 'yearly' });
  });

  it('F34 F37 F44 F45: what is not signed now is refused, and what is not ours is taken', async () => {
    const about = { id: 'pi_1', metadata: { intent: '01990000-0000-7000-8000-000000000001' } };
    const { company } = stripe;
    expect(await send(company.sign('payment_intent.succeeded', about, { secrets: ['another'] }))).toBe(400);
    const old = company.now() - 400;
    expect(await send(company.sign('payment_intent.succeeded', about, { sentAt: old }))).toBe(400);
    expect(await send(company.sign('invoice.paid', { id: 'in_1' }))).toBe(204);
    expect(await send(company.sign('payment_intent.succeeded', about, { livemode: true }))).toBe(204);
    const { status } = await paper.app.request(`${paper.baseUrl}/webhooks/razorpay`, { method: 'POST' });
    expect(status).toBe(404);
  });

  it('F12 F45: a subscription that Stripe charges itself, and play money, are warned of and lead to nothing', async () => {
    const { company } = stripe;
    const reader = await subscriber();
    const theirs = { id: 'sub_1', customer: 'cus_1', metadata: { reader: reader.readerId } };
    const event = company.sign('customer.subscription.created', theirs);
    const live = company.sign('charge.refunded', { id: 'ch_1', payment_intent: 'pi_1' }, { livemode: true });
    const warned: unknown[][] = [];
    const log = { warn: (...line: unknown[]) => void warned.push(line) };
    const parts = { ...paper.billing, log: log as never };
    const gateway = paper.billing.gateways.named('stripe');
    for (const { body, headers } of [event, live])
      expect(await takeEvent(parts, gateway, body, (name) => headers[name], systemClock.now())).toBe(true);
    expect(warned).toEqual([
      [
        expect.objectContaining({ gateway: 'stripe', type: event.type }),
        expect.stringMatching(/charges itself/),
      ],
      [expect.objectContaining({ gateway: 'stripe', type: live.type }), expect.stringMatching(/play money/)],
    ]);
    const { rows } = await sql<{ type: string; isDone: boolean; body: Buffer }>`
      select type, processed_at is not null as "isDone", body from billing.gateway_events
      where type = ${event.type}`.execute(paper.database.db);
    expect(rows).toEqual([{ type: event.type, isDone: true, body: event.body }]);
    await settle();
    expect((await subscriptionsOf(paper.database.db, reader.readerId)).length).toBe(1);
    await booksHold();
  });

  it('F41 whose webhooks were all lost is found by asking', async () => {
    const browser = await newReader();
    const checkoutId = sessionIn(await beginOrder(browser, { ...BRITISH, plan: 'quarterly' }));
    stripe.company.pay(checkoutId);
    stripe.company.events.length = 0;
    expect(await currentOf(browser.readerId)).toMatchObject({ state: 'incomplete' });
    expect(await reconcile(paper.billing, systemClock.now())).toMatchObject({ missingHere: 1, unknown: [] });
    await settle();
    expect(await currentOf(browser.readerId)).toMatchObject({ state: 'active' });
    expect(await reconcile(paper.billing, systemClock.now())).toMatchObject({
      missingHere: 0,
      amountDiffers: 0,
      statusDiffers: 0,
      returnsDiffer: 0,
    });
    await booksHold();
  });
});

describe('what goes back', () => {
  it('F94 F96 F100: is given back through Stripe once, in part and then in full', async () => {
    const { readerId } = await subscriber();
    const given = { readerId, reason: 'The e-paper failed.', actor: 'support' };
    stripe.company.refundOutcomes.push('pending');
    stripe.fail('POST /refunds', 'hang-after');
    await refundPayment(paper.billing, { ...given, minor: 500n }, paper.clock.now());
    await settle();
    await deliver();
    const mine = () => [...stripe.company.refunds.values()].filter(isOf(readerId));
    expect(mine()).toMatchObject([{ amount: 500, status: 'pending' }]);
    stripe.company.settleRefund(mine()[0]?.id ?? '', 'succeeded');
    await deliver();
    await booksHold();
    await refundPayment(paper.billing, given, paper.clock.now());
    await settle();
    await deliver();
    expect(mine().map(({ amount }) => amount)).toEqual([500, 2_500]);
    expect(await currentOf(readerId)).toMatchObject({ state: 'canceled', endedReason: 'refund' });
    await booksHold();
  });

  it('F104 that was given back in Stripe’s own pages is in the books, with a credit note', async () => {
    const { readerId } = await subscriber();
    const [payment] = await paymentsOf(paper.database.db, readerId);
    stripe.company.refund({ payment_intent: payment?.gatewayPaymentId, amount: 700 });
    await deliver();
    await booksHold();
    const { rows } = await sql<{ n: number }>`
      select count(*)::int as n from billing.credit_notes c join billing.invoices i on i.id = c.invoice_id
      where i.reader_id = ${readerId}`.execute(paper.database.db);
    expect(rows[0]?.n).toBe(1);
  });

  it.each([
    ['won', 'active'],
    ['lost', 'canceled'],
  ] as const)('F101 that a bank asks back and that is %s leaves the subscription %s', async (end, state) => {
    const { readerId } = await subscriber();
    const [payment] = await paymentsOf(paper.database.db, readerId);
    const dispute = stripe.company.dispute(payment?.gatewayPaymentId ?? '');
    await deliver();
    expect(await currentOf(readerId)).toMatchObject({ isDisputed: true, state: 'active' });
    stripe.company.decideDispute(dispute.id, end);
    await deliver();
    expect(await currentOf(readerId)).toMatchObject({ state, isDisputed: false });
    await booksHold();
  });

  const isOf = (readerId: string) => (one: { paymentId: string }) =>
    stripe.company.payments.get(one.paymentId)?.metadata.reader === readerId;
});

describe('a card that is kept', () => {
  it('F81 and is replaced by its bank is good for as long as the new one', async () => {
    const { readerId } = await subscriber();
    const before = await currentOf(readerId);
    const methodId = before?.mandate?.token.split(':')[1] ?? '';
    expect(before?.mandate?.expiresOn?.toString()).toBe('2030-09-01');
    stripe.company.renewCard(methodId, 2035);
    await deliver();
    expect((await currentOf(readerId))?.mandate).toMatchObject({ status: 'active' });
    expect((await currentOf(readerId))?.mandate?.expiresOn?.toString()).toBe('2035-09-01');
  });

  it('F69 and was removed at Stripe is charged no more, and its reader is asked for another', async () => {
    const { readerId } = await subscriber();
    const token = (await currentOf(readerId))?.mandate?.token ?? '';
    stripe.company.detach(token.split(':')[1] ?? '');
    await deliver();
    expect(await currentOf(readerId)).toMatchObject({ needsMethod: true, mandate: { status: 'revoked' } });
  });

  it('is given back where nothing is charged to it any more', async () => {
    const { readerId } = await subscriber();
    const methodId = (await currentOf(readerId))?.mandate?.token.split(':')[1] ?? '';
    await refundPayment(
      paper.billing,
      { readerId, reason: 'Left at once.', actor: 'support' },
      paper.clock.now(),
    );
    await settle();
    await deliver();
    await settle();
    expect(stripe.company.methods.get(methodId)?.customerId).toBeNull();
  });
});

describe('a term that begins three months later', () => {
  /** Each on a paper of its own, since the clock moves. */
  async function renewing(...outcomes: Outcome[]) {
    const of = await open(systemClock.now());
    await sellInPounds(of);
    const browser = await newReader(of);
    stripe.company.pay(sessionIn(await beginOrder(browser, { ...BRITISH, plan: 'quarterly' })));
    await deliver(of);
    stripe.company.debits.push(...outcomes);
    const due = (await currentOf(browser.readerId, of))?.paidThroughOn;
    if (due === undefined) throw new Error('nothing was bought');
    return { ...browser, of, due: due as Temporal.PlainDate };
  }

  it('is paid with nobody there, once', async () => {
    const { due, of, readerId } = await renewing();
    await live(of, due.add({ days: 1 }).toString());
    await deliver(of);
    expect(chargesOf(readerId)).toMatchObject([{ amount: 3_000, status: 'succeeded' }]);
    expect(await currentOf(readerId, of)).toMatchObject({
      state: 'active',
      nextSeq: 2,
      paidThroughOn: due.add({ months: 3 }),
    });
    expect(await brokenBooks(of.database.db)).toEqual([]);
    await of.end();
  });

  it('F65 that is declined is tried again, and keeps its days', async () => {
    const { due, email, of, readerId } = await renewing(declined('insufficient_funds'));
    await live(of, due.add({ days: 3 }).toString());
    await deliver(of);
    expect(chargesOf(readerId).map(({ status }) => status)).toEqual(['requires_payment_method', 'succeeded']);
    expect(new Set(chargesOf(readerId).map(({ metadata }) => metadata.intent)).size).toBe(2);
    expect(await currentOf(readerId, of)).toMatchObject({
      state: 'active',
      paidThroughOn: due.add({ months: 3 }),
    });
    expect((await mailsTo(of, email)).map(({ subject }) => subject).join()).toContain('was not paid');
    await of.end();
  });

  it('F64 by a card that is lost is not tried again', async () => {
    const { due, of, readerId } = await renewing(declined('lost_card'));
    await live(of, due.add({ days: 5 }).toString());
    await deliver(of);
    expect(chargesOf(readerId).length).toBe(1);
    expect(await currentOf(readerId, of)).toMatchObject({ state: 'past_due', needsMethod: true });
    await of.end();
  });

  it('F67 that the bank wants its reader for is paid by them, and charged to the card that they then gave', async () => {
    const { due, of, readerId, ...browser } = await renewing(AUTHENTICATION);
    await live(of, due.add({ days: 1 }).toString());
    await deliver(of);
    expect(await currentOf(readerId, of)).toMatchObject({ state: 'past_due' });
    const answer = await browser.post('/account/payment');
    const url = answer.headers.get('location') ?? '';
    expect(url).toContain(stripe.apiBase);
    stripe.company.pay(sessionIn(url));
    await deliver(of);
    expect(await currentOf(readerId, of)).toMatchObject({
      state: 'active',
      paidThroughOn: due.add({ months: 3 }),
      mandate: { status: 'active', gateway: 'stripe' },
    });
    expect(chargesOf(readerId).length).toBe(1);
    await of.end();
  });

  it('F05 whose answer was lost is asked about, and charged once', async () => {
    const { due, of, readerId } = await renewing();
    stripe.fail('POST /payment_intents', 'hang-after');
    await live(of, due.add({ days: 1 }).toString());
    await deliver(of);
    await live(of, due.add({ days: 2 }).toString());
    expect(chargesOf(readerId)).toMatchObject([{ status: 'succeeded' }]);
    expect(await currentOf(readerId, of)).toMatchObject({ state: 'active', nextSeq: 2 });
    await of.end();
  }, 60_000);

  it('F82 that was cancelled is not charged', async () => {
    const { due, of, readerId } = await renewing();
    await cancelSubscription(of.billing, readerId, 'reader', of.clock.now());
    await live(of, due.add({ days: 2 }).toString());
    expect(chargesOf(readerId)).toEqual([]);
    expect(await currentOf(readerId, of)).toMatchObject({ state: 'expired' });
    await of.end();
  });

  it('in rupees is taken by UPI, once its bank has announced it', async () => {
    const of = await open(systemClock.now());
    const browser = await newReader(of);
    stripe.company.pay(sessionIn(await beginOrder(browser, { plan: 'quarterly' })), 'succeeded', UPI);
    await deliver(of);
    const bought = await currentOf(browser.readerId, of);
    expect(bought?.mandate).toMatchObject({ gateway: 'stripe', rail: 'upi', method: 'UPI meera@okbank' });
    const due = bought?.paidThroughOn as Temporal.PlainDate;
    await live(of, due.subtract({ days: 1 }).toString());
    const [debit] = chargesOf(browser.readerId);
    expect(debit).toMatchObject({ status: 'processing', currency: 'inr' });
    expect(await currentOf(browser.readerId, of)).toMatchObject({ state: 'active', nextSeq: 1 });
    stripe.company.decide(debit?.id ?? '', 'succeeded');
    await deliver(of);
    expect(await currentOf(browser.readerId, of)).toMatchObject({ nextSeq: 2 });
    expect(chargesOf(browser.readerId).length).toBe(1);
    expect(await brokenBooks(of.database.db)).toEqual([]);
    await of.end();
  });
});
