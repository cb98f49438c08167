import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { paymentsOf, reconcile, refundPayment, subscriptionsOf, takeEvent } from '#billing';
import { systemClock } from '#platform/clock';
import type { TestPaper } from '../paper.ts';
import { beginOrder } from '../shop.ts';
import { type StripeStandIn, stripeStandIn } from '../stand-ins/stripe.ts';
import { type StripePaper, stripePaper } from '../stand-ins/stripe-paper.ts';
import { declined } from '../stand-ins/stripe-payments.ts';

/** A reader subscribes through Stripe, at a page of Stripe's; money goes back, and cards change. */
let stripe: StripeStandIn;
let at: StripePaper;
let paper: TestPaper;
beforeAll(async () => {
  stripe = await stripeStandIn(systemClock);
  at = await stripePaper(stripe);
  paper = at.paper;
});
beforeEach(() => {
  stripe.company.events.length = 0;
});
afterAll(async () => {
  await paper.end();
  await stripe.close();
});

describe('an order through Stripe', () => {
  it('leads to a page of Stripe’s, and the pages that lead there allow it; no other does', async () => {
    const browser = await at.newReader();
    const url = await beginOrder(browser, { plan: 'quarterly', country: 'GB', state: '' });
    expect(url).toMatch(new RegExp(`^${stripe.apiBase}/c/pay/cs_test_`));
    const { email, readerId } = await at.subscriber();
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
    const reader = await at.subscriber();
    expect(await at.currentOf(reader.readerId)).toMatchObject({
      nextSeq: 1,
      mandate: { gateway: 'stripe', rail: 'card_intl', status: 'active', method: 'Visa ending 4242' },
    });
    const { rows } = await sql<{ n: number; done: number }>`
      select count(*)::int as n, count(processed_at)::int as done from billing.gateway_events
      where intent_id = (select id from billing.charge_intents where checkout_id = ${reader.checkoutId})`.execute(
      paper.database.db,
    );
    expect(rows[0]).toEqual({ n: 4, done: 4 });
    await at.booksHold();
  });

  it('F16 is seen by a reader who is back before any webhook', async () => {
    const browser = await at.newReader();
    const checkoutId = await at.order(browser);
    stripe.company.pay(checkoutId);
    const back = stripe.company.sessions.get(checkoutId)?.successUrl ?? '';
    expect((await browser.get(back.slice(paper.baseUrl.length))).status).toBe(200);
    await at.settle();
    expect(await at.currentOf(browser.readerId)).toMatchObject({ state: 'active' });
    await at.deliver();
    await at.booksHold();
  });

  it('is not made by a reader who comes back without having paid', async () => {
    const browser = await at.newReader();
    const checkoutId = await at.order(browser);
    stripe.company.pay(checkoutId, declined('insufficient_funds'));
    const back = stripe.company.sessions.get(checkoutId)?.successUrl ?? '';
    await browser.get(back.slice(paper.baseUrl.length));
    await at.deliver();
    expect(await at.currentOf(browser.readerId)).toMatchObject({ state: 'incomplete' });
    // Trying again leads to the same page, where another card may be given.
    expect(await at.order(browser)).toBe(checkoutId);
    stripe.company.pay(checkoutId);
    await at.deliver();
    expect(await at.currentOf(browser.readerId)).toMatchObject({ state: 'active' });
  });

  it('waits for a reader whom their bank wants to see, and is made once it has', async () => {
    const reader = await at.newReader();
    const checkoutId = await at.order(reader);
    const payment = stripe.company.pay(checkoutId, 'requires_action');
    await at.deliver();
    expect(await at.currentOf(reader.readerId)).toMatchObject({ state: 'incomplete' });
    // Whoever begins again meanwhile is led to the same page, where the bank’s answer is awaited.
    expect(await at.order(reader)).toBe(checkoutId);
    stripe.company.decide(payment?.id ?? '', 'succeeded');
    await at.deliver();
    expect(await at.currentOf(reader.readerId)).toMatchObject({ state: 'active' });
    await at.booksHold();
  });

  it('F01 is closed at Stripe once another one is begun in its place', async () => {
    const browser = await at.newReader();
    const first = await at.order(browser);
    const second = await at.order(browser, { plan: 'yearly' });
    expect(second).not.toBe(first);
    expect(stripe.company.sessions.get(first)?.status).toBe('expired');
    stripe.company.pay(second);
    await at.deliver();
    expect(await at.currentOf(browser.readerId)).toMatchObject({ state: 'active', planSlug: 'yearly' });
  });

  it('F34 F37 F44 F45: what is not signed now is refused, and what is not ours is taken', async () => {
    const about = { id: 'pi_1', metadata: { intent: '01990000-0000-7000-8000-000000000001' } };
    const { company } = stripe;
    expect(await at.send(company.sign('payment_intent.succeeded', about, { secrets: ['another'] }))).toBe(
      400,
    );
    const old = company.now() - 400;
    expect(await at.send(company.sign('payment_intent.succeeded', about, { sentAt: old }))).toBe(400);
    expect(await at.send(company.sign('invoice.paid', { id: 'in_1' }))).toBe(204);
    expect(await at.send(company.sign('payment_intent.succeeded', about, { livemode: true }))).toBe(204);
    const { status } = await paper.app.request(`${paper.baseUrl}/webhooks/razorpay`, { method: 'POST' });
    expect(status).toBe(404);
  });

  it('F12 F45: a subscription that Stripe charges itself, and play money, are warned of and lead to nothing', async () => {
    const { company } = stripe;
    const reader = await at.subscriber();
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
    await at.settle();
    expect((await subscriptionsOf(paper.database.db, reader.readerId)).length).toBe(1);
    await at.booksHold();
  });

  it('F41 whose webhooks were all lost is found by asking', async () => {
    const browser = await at.newReader();
    const checkoutId = await at.order(browser);
    stripe.company.pay(checkoutId);
    stripe.company.events.length = 0;
    expect(await at.currentOf(browser.readerId)).toMatchObject({ state: 'incomplete' });
    expect(await reconcile(paper.billing, systemClock.now())).toMatchObject({ missingHere: 1, unknown: [] });
    await at.settle();
    expect(await at.currentOf(browser.readerId)).toMatchObject({ state: 'active' });
    expect(await reconcile(paper.billing, systemClock.now())).toMatchObject({
      missingHere: 0,
      amountDiffers: 0,
      statusDiffers: 0,
      returnsDiffer: 0,
    });
    await at.booksHold();
  });
});

describe('what goes back', () => {
  it('F94 F96 F100: is given back through Stripe once, in part and then in full', async () => {
    const { readerId } = await at.subscriber();
    const given = { readerId, reason: 'The e-paper failed.', actor: 'support' };
    stripe.company.refundOutcomes.push('pending');
    stripe.fail('POST /refunds', 'hang-after');
    await refundPayment(paper.billing, { ...given, minor: 500n }, paper.clock.now());
    await at.settle();
    await at.deliver();
    const mine = () => [...stripe.company.refunds.values()].filter(isOf(readerId));
    expect(mine()).toMatchObject([{ amount: 500, status: 'pending' }]);
    stripe.company.settleRefund(mine()[0]?.id ?? '', 'succeeded');
    await at.deliver();
    await at.booksHold();
    await refundPayment(paper.billing, given, paper.clock.now());
    await at.settle();
    await at.deliver();
    expect(mine().map(({ amount }) => amount)).toEqual([500, 2_500]);
    expect(await at.currentOf(readerId)).toMatchObject({ state: 'canceled', endedReason: 'refund' });
    await at.booksHold();
  });

  it('F104 that was given back in Stripe’s own pages is in the books, with a credit note', async () => {
    const { readerId } = await at.subscriber();
    const [payment] = await paymentsOf(paper.database.db, readerId);
    stripe.company.refund({ payment_intent: payment?.gatewayPaymentId, amount: 700 });
    await at.deliver();
    await at.booksHold();
    const { rows } = await sql<{ n: number }>`
      select count(*)::int as n from billing.credit_notes c join billing.invoices i on i.id = c.invoice_id
      where i.reader_id = ${readerId}`.execute(paper.database.db);
    expect(rows[0]?.n).toBe(1);
  });

  it.each([
    ['won', 'active'],
    ['lost', 'canceled'],
  ] as const)('F101 that a bank asks back and that is %s leaves the subscription %s', async (end, state) => {
    const { readerId } = await at.subscriber();
    const [payment] = await paymentsOf(paper.database.db, readerId);
    const dispute = stripe.company.dispute(payment?.gatewayPaymentId ?? '');
    await at.deliver();
    expect(await at.currentOf(readerId)).toMatchObject({ isDisputed: true, state: 'active' });
    stripe.company.decideDispute(dispute.id, end);
    await at.deliver();
    expect(await at.currentOf(readerId)).toMatchObject({ state, isDisputed: false });
    await at.booksHold();
  });

  const isOf = (readerId: string) => (one: { paymentId: string }) =>
    stripe.company.payments.get(one.paymentId)?.metadata.reader === readerId;
});

describe('a card that is kept', () => {
  it('F81 and is replaced by its bank is good for as long as the new one', async () => {
    const { readerId } = await at.subscriber();
    const before = await at.currentOf(readerId);
    const methodId = before?.mandate?.token.split(':')[1] ?? '';
    expect(before?.mandate?.expiresOn?.toString()).toBe('2030-09-01');
    stripe.company.renewCard(methodId, 2035);
    await at.deliver();
    expect((await at.currentOf(readerId))?.mandate).toMatchObject({ status: 'active' });
    expect((await at.currentOf(readerId))?.mandate?.expiresOn?.toString()).toBe('2035-09-01');
  });

  it('F69 and was removed at Stripe is charged no more, and its reader is asked for another', async () => {
    const { readerId } = await at.subscriber();
    const token = (await at.currentOf(readerId))?.mandate?.token ?? '';
    stripe.company.detach(token.split(':')[1] ?? '');
    await at.deliver();
    expect(await at.currentOf(readerId)).toMatchObject({ needsMethod: true, mandate: { status: 'revoked' } });
  });

  it('is given back where nothing is charged to it any more', async () => {
    const { readerId } = await at.subscriber();
    const methodId = (await at.currentOf(readerId))?.mandate?.token.split(':')[1] ?? '';
    await refundPayment(
      paper.billing,
      { readerId, reason: 'Left at once.', actor: 'support' },
      paper.clock.now(),
    );
    await at.settle();
    await at.deliver();
    await at.settle();
    expect(stripe.company.methods.get(methodId)?.customerId).toBeNull();
  });
});
