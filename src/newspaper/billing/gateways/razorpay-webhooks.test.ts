import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestAccount, testAccount } from '../../../../test/stand-ins/razorpay-account.ts';
import type { SentEvent } from '../../../../test/stand-ins/razorpay-events.ts';
import type { Webhook } from './gateway.ts';
import { razorpayGateway, razorpayPages } from './razorpay.ts';

let at: TestAccount;
beforeAll(async () => {
  at = await testAccount();
});
afterAll(() => at.razorpay.close());

const reading =
  (secrets: readonly string[] = [at.razorpay.webhookSecret]) =>
  ({ body, headers }: Pick<SentEvent, 'body' | 'headers'>): Webhook =>
    razorpayGateway({ ...at.account, webhookSecrets: secrets }).verifyWebhook(body, (name) => headers[name]);

/** What was sent of a purchase. */
async function sent(): Promise<{ events: SentEvent[]; checkoutId: string; intentId: string }> {
  const { company } = at.razorpay;
  company.events.length = 0;
  const opened = await at.open();
  company.pay(opened.checkoutId);
  return { ...opened, events: [...company.events] };
}

describe('a webhook', () => {
  it('F27 of one purchase names its intent and its order, whichever of the events it is', async () => {
    const { checkoutId, events, intentId } = await sent();
    expect(events.map(({ type }) => type)).toEqual(['payment.authorized', 'payment.captured', 'order.paid']);
    for (const event of events)
      expect(reading()(event)).toEqual({
        kind: 'event',
        saysPaid: event.type !== 'payment.authorized',
        eventId: event.headers['x-razorpay-event-id'],
        type: event.type,
        reference: intentId,
        checkoutId,
      });
  });

  it('of what is given back or disputed names the intent that it was paid for', async () => {
    const { checkoutId, intentId } = await sent();
    const { company } = at.razorpay;
    const [payment] = [...company.payments.values()].filter((one) => one.orderId === checkoutId);
    company.events.length = 0;
    company.refund(payment?.id ?? '', { amount: 100 }, undefined);
    company.dispute(payment?.id ?? '');
    expect(company.events.map((event) => reading()(event))).toMatchObject([
      { kind: 'event', type: 'refund.created', reference: intentId },
      { kind: 'event', type: 'refund.processed', reference: intentId },
      { kind: 'event', type: 'payment.dispute.created', reference: intentId },
    ]);
  });

  it('F104: that names only the payment leads to whatever it was paid for', () => {
    const { body, headers } = at.razorpay.company.sign('payment.dispute.lost', {
      payment: { id: 'pay_00000000000001' },
    });
    expect(reading()({ body, headers })).toMatchObject({
      kind: 'event',
      type: 'payment.dispute.lost',
      reference: undefined,
      checkoutId: undefined,
      gatewayPaymentId: 'pay_00000000000001',
    });
  });

  it('of a mandate names its token, which is all that it says', async () => {
    const token = await at.mandate();
    const [tokenId = ''] = token.split(':');
    at.razorpay.company.events.length = 0;
    at.razorpay.company.setToken(tokenId, 'cancelled');
    const event = at.razorpay.company.events[0] as SentEvent;
    expect(reading()(event)).toMatchObject({ kind: 'mandate', type: 'token.cancelled', token: tokenId });
    const { body, headers } = at.razorpay.company.sign('token.paused', {
      token: { id: tokenId, customer_id: token.split(':')[1] },
    });
    expect(reading()({ body, headers })).toMatchObject({ kind: 'mandate', token });
  });

  it('F26 and F38 is the same event however often and late it comes: its id says so', async () => {
    const { events } = await sent();
    const event = events[0] as SentEvent;
    const first = reading()(event);
    at.later({ hours: 24 * 9 });
    expect(reading()(event)).toEqual(first);
  });

  it('F38 without an id has one that follows from its bytes', async () => {
    const { events } = await sent();
    const [one, other] = events as [SentEvent, SentEvent];
    const bare = ({ body, headers }: SentEvent) =>
      reading()({
        body,
        headers: { 'x-razorpay-signature': headers['x-razorpay-signature'] ?? '' },
      });
    expect(bare(one)).toEqual(bare(one));
    expect(bare(one)).toMatchObject({
      kind: 'event',
      eventId: expect.stringMatching(/^sha256-[0-9a-f]{64}$/),
    });
    expect(bare(one)).not.toEqual(bare(other));
  });

  it('F34 is checked over the bytes as they came: parsed and written again it is another one', async () => {
    const body = Buffer.from('{ "entity":"event",  "event":"payment.captured", "payload":{} }');
    const signature = at.razorpay.company.sign('x', {}).headers;
    const { createHmac } = await import('node:crypto');
    const headers = {
      ...signature,
      'x-razorpay-signature': createHmac('sha256', at.razorpay.webhookSecret).update(body).digest('hex'),
    };
    expect(reading()({ body, headers })).toMatchObject({ kind: 'other', type: 'payment.captured' });
    const rewritten = Buffer.from(JSON.stringify(JSON.parse(body.toString())));
    expect(reading()({ body: rewritten, headers })).toEqual({ kind: 'forged' });
  });

  it('F35 is forged where no secret is configured, or an empty one', async () => {
    const { events } = await sent();
    for (const event of events) {
      expect(reading([])(event)).toEqual({ kind: 'forged' });
      expect(reading([''])(event)).toEqual({ kind: 'forged' });
      const signedWithNothing = at.razorpay.company.sign(event.type, {}, '');
      expect(reading([''])(signedWithNothing)).toEqual({ kind: 'forged' });
    }
  });

  it('F39 may be signed with an old secret while that is still on the list', async () => {
    const { events } = await sent();
    const event = events[0] as SentEvent;
    expect(reading(['a newer secret', at.razorpay.webhookSecret])(event).kind).toBe('event');
    expect(reading(['a newer secret'])(event).kind).toBe('forged');
  });

  it.each([
    ['nothing', undefined],
    ['no hexadecimal', 'x'.repeat(64)],
    ['too little', 'ab'],
    ['capitals', 'A'.repeat(64)],
    ['two of them', `${'a'.repeat(64)},${'a'.repeat(64)}`],
  ])('signed with %s is forged', async (_, signature) => {
    const { events } = await sent();
    const { body, headers } = events[0] as SentEvent;
    const { 'x-razorpay-signature': __, ...rest } = headers;
    const given = signature === undefined ? rest : { ...rest, 'x-razorpay-signature': signature };
    expect(reading()({ body, headers: given })).toEqual({ kind: 'forged' });
  });

  it('F44 about what is none of ours is kept and answered, whatever its shape', () => {
    const { company } = at.razorpay;
    for (const event of [
      company.sign('invoice.paid', {}),
      company.sign('payment.downtime.started', { 'payment.downtime': { id: 'down_1' } }),
      company.sign('payment.captured', { payment: { id: 'pay_1', order_id: null, notes: [] } }),
      company.sign('payment.captured', { payment: { id: 7 } }),
      company.sign('token.confirmed', {}),
      company.sign('of.next.year', {}),
    ])
      expect(reading()(event)).toEqual({
        kind: 'other',
        eventId: event.headers['x-razorpay-event-id'],
        type: event.type,
      });
  });

  it('F12 about a subscription that Razorpay charges itself is none of ours, and warned of', () => {
    const payment = { id: 'pay_1', order_id: 'order_1', notes: { intent: 'an intent' } };
    for (const type of ['subscription.charged', 'subscription.activated', 'subscription.halted']) {
      const event = at.razorpay.company.sign(type, { subscription: { id: 'sub_1' }, payment });
      expect(reading()(event)).toMatchObject({ kind: 'other', type, concern: 'own-subscription' });
    }
  });

  it('F46 is read with its quirks: no notes are a list, and true is "1"', () => {
    const { company } = at.razorpay;
    const event = company.sign('payment.captured', {
      payment: { id: 'pay_1', order_id: 'order_1', captured: '1', notes: [], created_at: 1 },
    });
    expect(reading()(event)).toMatchObject({ kind: 'event', checkoutId: 'order_1', reference: undefined });
  });
});

describe('a browser that comes back from the checkout', () => {
  const returned = (orderId: string, paymentId: string) => ({
    orderId,
    paymentId,
    signature: at.razorpay.signReturn(orderId, paymentId),
  });

  it('has what Razorpay signed for that order and that payment, and no other', () => {
    const pages = razorpayPages(at.account);
    const right = returned('order_1', 'pay_1');
    expect(pages.isSignedReturn(right)).toBe(true);
    expect(pages.isSignedReturn({ ...right, orderId: 'order_2' })).toBe(false);
    expect(pages.isSignedReturn({ ...right, paymentId: 'pay_2' })).toBe(false);
    expect(pages.isSignedReturn({ ...right, signature: '' })).toBe(false);
    expect(razorpayPages({ ...at.account, keySecret: 'another' }).isSignedReturn(right)).toBe(false);
  });
});
