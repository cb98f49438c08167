import { createRequire } from 'node:module';
import type Stripe from 'stripe';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pounds, type TestAccount, testAccount } from '../../../../test/stand-ins/stripe-account.ts';
import type { SentEvent } from '../../../../test/stand-ins/stripe-events.ts';
import { VISA } from '../../../../test/stand-ins/stripe-instruments.ts';
import { declined } from '../../../../test/stand-ins/stripe-payments.ts';
import { EVENTS } from './stripe/webhooks.ts';
import type { StripeAccount } from './stripe.ts';
import { stripeGateway } from './stripe.ts';

let at: TestAccount;
beforeAll(async () => {
  at = await testAccount();
});
beforeEach(() => {
  at.stripe.company.events.length = 0;
});
afterAll(() => at.stripe.close());

type Sent = Pick<SentEvent, 'body' | 'headers'>;
const verify = ({ body, headers }: Sent, over: Partial<StripeAccount> = {}) =>
  stripeGateway({ ...at.account, ...over }).verifyWebhook(body, (name) => headers[name]);
const kindOf = (event: Sent, over: Partial<StripeAccount> = {}) => verify(event, over).kind;
const sign = (over: Parameters<typeof at.stripe.company.sign>[2] = {}) =>
  at.stripe.company.sign('payment_intent.succeeded', { id: 'pi_1', metadata: { intent: 'an intent' } }, over);
const seconds = (duration: Temporal.DurationLike) => at.clock.now().add(duration).epochMilliseconds / 1_000;

describe('a webhook of Stripe’s', () => {
  it('is genuine as its own SDK signs it, and as the stand-in does', () => {
    const load = createRequire(import.meta.url);
    const Client = load('stripe') as typeof Stripe;
    const { body, headers } = sign();
    const timestamp = seconds({ seconds: 0 });
    const signed = Client.webhooks.generateTestHeaderString({
      payload: body.toString(),
      secret: at.stripe.webhookSecret,
      timestamp,
    });
    expect(headers['stripe-signature']).toBe(`${signed},v0=${'0'.repeat(64)}`);
    expect(kindOf({ body, headers: { 'stripe-signature': signed } })).toBe('event');
  });

  it('F34 is forged once a byte of it is another, also where it reads the same', () => {
    const { body, headers } = sign();
    expect(kindOf({ body, headers })).toBe('event');
    const rewritten = Buffer.from(JSON.stringify(JSON.parse(body.toString()), undefined, 1));
    expect(kindOf({ body: rewritten, headers })).toBe('forged');
  });

  it.each([
    [{ seconds: -300 }, 'event'],
    [{ seconds: -301 }, 'forged'],
    [{ seconds: 300 }, 'event'],
    [{ seconds: 301 }, 'forged'],
    [{ hours: 24 * 365 }, 'forged'],
  ] as const)('F37 that was signed %o from now is %s', (duration, kind) => {
    expect(kindOf(sign({ sentAt: seconds(duration) }))).toBe(kind);
  });

  it('F39 is genuine by the new secret and by the old one, and by no other', () => {
    const webhookSecrets = ['whsec_new', 'whsec_old'];
    for (const secrets of [['whsec_new'], ['whsec_old'], ['whsec_gone', 'whsec_old']])
      expect(kindOf(sign({ secrets }), { webhookSecrets })).toBe('event');
    expect(kindOf(sign({ secrets: ['whsec_gone'] }), { webhookSecrets })).toBe('forged');
  });

  it('F35 is forged where there is no secret, or an empty one', () => {
    expect(kindOf(sign({ secrets: [''] }), { webhookSecrets: [''] })).toBe('forged');
    expect(kindOf(sign(), { webhookSecrets: [] })).toBe('forged');
  });

  it.each([
    [undefined],
    [''],
    ['t=1'],
    ['v1=00'],
    [`t=${'9'.repeat(13)},v1=${'0'.repeat(64)}`],
    [`v1=${'0'.repeat(64)},`.repeat(50)],
  ])('is forged with the signature %j', (signature) => {
    const { body } = sign();
    expect(kindOf({ body, headers: signature === undefined ? {} : { 'stripe-signature': signature } })).toBe(
      'forged',
    );
  });

  it('F45 of live money is about nothing for a test key, and the other way round', () => {
    const { body, headers } = sign({ livemode: true });
    expect(verify({ body, headers })).toMatchObject({ kind: 'other', concern: 'other-mode' });
    for (const secretKey of ['sk_live_1', 'rk_live_1'])
      expect(kindOf({ body, headers }, { secretKey })).toBe('event');
    expect(kindOf(sign(), { secretKey: 'sk_live_1' })).toBe('other');
  });

  it.each(['{', '[]', '{"object":"event"}', '{"id":"evt_1","object":"v2.core.event"}'])(
    'that is signed and no event is none: %s',
    (text) => {
      const body = Buffer.from(text);
      const Client = createRequire(import.meta.url)('stripe') as typeof Stripe;
      const signed = Client.webhooks.generateTestHeaderString({
        payload: text,
        secret: at.stripe.webhookSecret,
        timestamp: seconds({ seconds: 0 }),
      });
      expect(kindOf({ body, headers: { 'stripe-signature': signed } })).toBe('forged');
    },
  );
});

/** What the company sent, as the paper reads it, by its type. */
const told = () =>
  Object.fromEntries(at.stripe.company.events.map((event) => [event.type, verify(event) as object]));

describe('what an event says to ask about', () => {
  it('is the intent of a checkout, and that it is paid', async () => {
    const { checkoutId, intentId } = await at.open();
    const payment = at.stripe.company.pay(checkoutId);
    const named = { kind: 'event', eventId: expect.stringMatching(/^evt_/), reference: intentId };
    expect(told()).toMatchObject({
      'checkout.session.completed': { ...named, checkoutId, saysPaid: true },
      'payment_intent.succeeded': { ...named, gatewayPaymentId: payment?.id, saysPaid: true },
      'payment_intent.created': { ...named, saysPaid: false },
      'charge.succeeded': { ...named, gatewayPaymentId: payment?.id, saysPaid: false },
    });
  });

  it('is the intent of what failed, is pending, is closed, or was given', async () => {
    const failed = await at.open();
    at.stripe.company.pay(failed.checkoutId, declined('insufficient_funds'));
    expect(told()).toMatchObject({
      'payment_intent.payment_failed': { reference: failed.intentId, saysPaid: false },
    });
    const pending = await at.open();
    const payment = at.stripe.company.pay(pending.checkoutId, 'processing');
    expect(told()).toMatchObject({
      'checkout.session.completed': { checkoutId: pending.checkoutId, saysPaid: false },
      'payment_intent.processing': { reference: pending.intentId },
    });
    at.stripe.company.decide(payment?.id ?? '', 'succeeded');
    expect(told()).toMatchObject({
      'checkout.session.async_payment_succeeded': { checkoutId: pending.checkoutId, saysPaid: true },
    });
    await at.gateway.expireCheckout(failed.checkoutId);
    expect(told()).toMatchObject({ 'checkout.session.expired': { checkoutId: failed.checkoutId } });
    const given = await at.open({ amount: pounds(0n), mandate: { maxAmount: pounds(4_500n), months: 3 } });
    at.stripe.company.pay(given.checkoutId, 'succeeded', VISA);
    expect(told()).toMatchObject({ 'setup_intent.succeeded': { kind: 'event', reference: given.intentId } });
  });

  it('F104 is the payment of what went back, whoever asked for it, or is asked back', async () => {
    const payment = await at.paid();
    const refund = { payment_intent: payment.id, amount: 100 };
    at.stripe.company.refundOutcomes.push('pending');
    at.stripe.company.settleRefund(at.stripe.company.refund(refund).id, 'failed');
    at.stripe.company.refund(refund);
    const { id } = at.stripe.company.dispute(payment.id);
    at.stripe.company.decideDispute(id, 'won');
    const all = told();
    for (const type of [
      'charge.refunded',
      'refund.created',
      'refund.updated',
      'refund.failed',
      'charge.dispute.created',
      'charge.dispute.funds_withdrawn',
      'charge.dispute.funds_reinstated',
      'charge.dispute.closed',
    ])
      expect(all[type]).toMatchObject({ kind: 'event', gatewayPaymentId: payment.id, saysPaid: false });
  });

  it.each([
    ['payment_intent.succeeded', { id: 'pi_1', metadata: {} }],
    ['charge.refunded', { id: 'ch_1', payment_intent: null }],
    ['mandate.updated', { id: 'mandate_1' }],
    ['payment_method.attached', { id: 'pm_1', customer: null }],
    ['invoice.paid', { id: 'in_1' }],
    ['balance.available', { object: 'balance' }],
    ['something.of.next.year', {}],
  ])('F44 is nothing of %s about %j, which is kept all the same', (type, about) => {
    expect(verify(at.stripe.company.sign(type, about))).toEqual({
      kind: 'other',
      eventId: expect.stringMatching(/^evt_/),
      type,
    });
  });

  it.each([
    ['customer.subscription.created', { id: 'sub_1', customer: 'cus_1', metadata: { intent: 'an intent' } }],
    ['customer.subscription.trial_will_end', { id: 'sub_1' }],
    ['subscription_schedule.aborted', { id: 'sub_sched_1' }],
    ['invoice.paid', { id: 'in_1', parent: { subscription_details: { subscription: 'sub_1' } } }],
    ['invoice.upcoming', { parent: { subscription_details: { subscription: { id: 'sub_1' } } } }],
    // As endpoints of an old version have it.
    ['invoice.payment_failed', { id: 'in_1', subscription: 'sub_1' }],
  ])('F12 F47 is nothing but a warning of %s: Stripe charges that itself', (type, about) => {
    expect(verify(at.stripe.company.sign(type, about))).toEqual({
      kind: 'other',
      eventId: expect.stringMatching(/^evt_/),
      type,
      concern: 'own-subscription',
    });
  });

  it('is on the list of events that an operator is told to have sent', async () => {
    const { company } = at.stripe;
    const { checkoutId } = await at.open();
    company.pay(checkoutId, declined('insufficient_funds'));
    const waiting = company.pay(checkoutId, 'requires_action');
    company.decide(waiting?.id ?? '', 'succeeded');
    const late = await at.open();
    const payment = company.pay(late.checkoutId, 'processing');
    company.decide(payment?.id ?? '', 'succeeded');
    await at.gateway.expireCheckout((await at.open()).checkoutId);
    company.dispute((await at.paid()).id);
    const token = await at.mandate();
    company.renewCard(token.split(':')[1] ?? '', 2035);
    await at.gateway.revokeMandate(token);
    // What is told besides says nothing that one of these does not say.
    const besides = ['charge.failed', 'charge.succeeded', 'payment_intent.created'];
    const unlisted = Object.keys(told()).filter((type) => !(EVENTS as readonly string[]).includes(type));
    expect(unlisted.toSorted()).toEqual(besides);
  });
});
