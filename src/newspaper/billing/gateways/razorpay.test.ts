import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  answerOf,
  newIntent,
  rupees,
  type TestAccount,
  testAccount,
} from '../../../../test/stand-ins/razorpay-account.ts';
import { FOREIGN_CARD, UPI, VISA } from '../../../../test/stand-ins/razorpay-instruments.ts';
import { razorpayGateway, razorpayPages } from './razorpay.ts';

let at: TestAccount;
beforeAll(async () => {
  at = await testAccount();
});
afterAll(() => at.razorpay.close());

const stateOf = async (checkoutId: string) => answerOf(await at.gateway.readCheckout(checkoutId));

describe('a checkout', () => {
  it('is a page of the paper, for one order that bears the intent as its receipt', async () => {
    const { checkoutId, intentId, url } = await at.open();
    expect(url).toBe(`https://paper.example/pay/razorpay/${checkoutId}`);
    expect(at.razorpay.company.orders.get(checkoutId)).toMatchObject({ amount: 270_000, receipt: intentId });
  });

  it('F13 is the same one for the same intent, however often and at once it is opened', async () => {
    const order = at.checkoutOrder();
    const all = await Promise.all([1, 2, 3].map(() => at.gateway.openCheckout(order)));
    expect(new Set(all.map((called) => answerOf(called).checkoutId)).size).toBe(1);
    expect(answerOf(await at.gateway.openCheckout(order))).toEqual(answerOf(all[0] as never));
    const ofIt = [...at.razorpay.company.orders.values()].filter((one) => one.receipt === order.intentId);
    expect(ofIt.length).toBe(1);
  });

  it('with another amount is refused', async () => {
    const order = at.checkoutOrder();
    await at.gateway.openCheckout(order);
    expect(await at.gateway.openCheckout({ ...order, amount: rupees(100n) })).toEqual({
      kind: 'refused',
      code: 'intent_of_another_amount',
    });
  });

  it('F05 whose opening got no answer is found again, and is not made twice', async () => {
    const order = at.checkoutOrder();
    at.razorpay.fail('POST /orders', 'reset-after');
    expect(await at.gateway.openCheckout(order)).toMatchObject({ kind: 'unknown' });
    const found = answerOf(await at.gateway.findCheckout(order.intentId));
    expect(found?.state).toEqual({ kind: 'open' });
    expect(answerOf(await at.gateway.openCheckout(order)).checkoutId).toBe(found?.checkoutId);
  });

  it('of an intent that Razorpay never heard of is none', async () => {
    expect(await at.gateway.findCheckout(newIntent())).toEqual({ kind: 'ok', value: undefined });
  });

  it('of an intent with a longer name has a receipt that Razorpay takes, and is found by the name', async () => {
    const intentId = `an intent of another time, & ${'long '.repeat(12)}`;
    const { checkoutId } = await at.open({ intentId });
    expect(at.razorpay.company.orders.get(checkoutId)?.receipt).toMatch(/^[0-9a-f]{40}$/);
    expect(answerOf(await at.gateway.findCheckout(intentId))?.checkoutId).toBe(checkoutId);
  });

  it('that nobody knows is refused, and an id that is none is not even asked about', async () => {
    expect(await at.gateway.readCheckout('order_00000000009999')).toEqual({
      kind: 'refused',
      code: 'not_found',
    });
    const before = at.razorpay.heard.length;
    expect(await at.gateway.readCheckout('order_1/../../payments')).toEqual({
      kind: 'refused',
      code: 'not_found',
    });
    expect(at.razorpay.heard.length).toBe(before);
  });
});

describe('what became of a checkout', () => {
  const payment = {
    kind: 'payment',
    gatewayPaymentId: expect.stringMatching(/^pay_/),
    amount: rupees(270_000n),
    failureCode: undefined,
    failureKind: undefined,
    method: 'Visa ending 1111',
    at: Temporal.Instant.from('2026-11-23T06:30:00Z'),
    mandate: undefined,
    refunds: [],
    dispute: undefined,
  };

  it('is read in the paper’s own words', async () => {
    const { company } = at.razorpay;
    const open = await at.open();
    expect(await stateOf(open.checkoutId)).toEqual({ kind: 'open' });
    company.pay(open.checkoutId, { failed: 'insufficient_funds' });
    expect(await stateOf(open.checkoutId)).toMatchObject({
      status: 'failed',
      failureCode: 'insufficient_funds',
      failureKind: 'later',
    });
    company.pay(open.checkoutId, 'captured');
    expect(await stateOf(open.checkoutId)).toEqual({ ...payment, status: 'succeeded' });
  });

  it('is that the reader is at their bank, or that the bank has said yes and the money is not there', async () => {
    const { company } = at.razorpay;
    const [atBank, late] = [await at.open(), await at.open()];
    company.pay(atBank.checkoutId, 'created');
    expect(await stateOf(atBank.checkoutId)).toMatchObject({ status: 'requires_action' });
    const { id } = company.pay(late.checkoutId, 'authorized', UPI);
    expect(await stateOf(late.checkoutId)).toMatchObject({ status: 'pending', method: 'UPI meera@okbank' });
    company.decide(id, 'captured');
    expect(await stateOf(late.checkoutId)).toMatchObject({ status: 'succeeded' });
  });

  it('F31 stays what it was, when an older copy of the payment is read after its capture', async () => {
    const { checkoutId } = await at.open();
    const { company } = at.razorpay;
    const stored = company.pay(checkoutId, 'captured');
    stored.status = 'authorized';
    expect(await stateOf(checkoutId)).toMatchObject({ status: 'succeeded' });
  });

  it('F29 is the payment that took money, whatever failed before or after it', async () => {
    const { checkoutId } = await at.open();
    const { company } = at.razorpay;
    company.pay(checkoutId, { failed: 'payment_cancelled' });
    const second = company.pay(checkoutId, 'created');
    const third = company.pay(checkoutId, 'captured');
    company.decide(second.id, 'captured');
    expect(company.payments.get(second.id)?.status).toBe('failed');
    expect(await stateOf(checkoutId)).toMatchObject({ status: 'succeeded', gatewayPaymentId: third.id });
  });

  it('is not guessed, where an order is paid and its payment is not on the list yet', async () => {
    const { checkoutId } = await at.open();
    const order = at.razorpay.company.orders.get(checkoutId);
    if (order !== undefined) order.status = 'paid';
    expect(await at.gateway.readCheckout(checkoutId)).toMatchObject({ kind: 'unknown' });
  });

  it('is what was paid of another order of its intent, where two processes made one each at once', async () => {
    const { checkoutId, intentId } = await at.open();
    const { company } = at.razorpay;
    const twin = company.makeOrder({
      amount: 270_000,
      currency: 'INR',
      receipt: intentId,
      notes: { intent: intentId },
    });
    const { id } = company.pay(twin.id, 'captured');
    expect(await stateOf(checkoutId)).toMatchObject({ status: 'succeeded', gatewayPaymentId: id });
    expect(await at.gateway.expireCheckout(checkoutId)).toEqual({ kind: 'ok', value: 'already-paid' });
  });
});

describe('a checkout that is closed', () => {
  const expire = async (checkoutId: string) => answerOf(await at.gateway.expireCheckout(checkoutId));

  it('is opened by nobody any more: the paper’s page has it from the order itself', async () => {
    const pages = razorpayPages(at.account);
    const { checkoutId, intentId } = await at.open();
    expect(answerOf(await pages.readPage(checkoutId))).toMatchObject({ kind: 'open', intentId });
    expect(await expire(checkoutId)).toBe('expired');
    expect(await stateOf(checkoutId)).toEqual({ kind: 'expired' });
    expect(answerOf(await pages.readPage(checkoutId))).toEqual({ kind: 'closed' });
    expect(await expire(checkoutId)).toBe('expired');
  });

  it('is so with all orders of its intent', async () => {
    const { checkoutId, intentId } = await at.open();
    const twin = at.razorpay.company.makeOrder({
      amount: 270_000,
      currency: 'INR',
      receipt: intentId,
      notes: { intent: intentId },
    });
    expect(await expire(checkoutId)).toBe('expired');
    expect(answerOf(await razorpayPages(at.account).readPage(twin.id))).toEqual({ kind: 'closed' });
  });

  it('is none while money is on its way, or where it came', async () => {
    const { company } = at.razorpay;
    const [paid, late, atBank, failed] = [await at.open(), await at.open(), await at.open(), await at.open()];
    company.pay(paid.checkoutId, 'captured');
    company.pay(late.checkoutId, 'authorized');
    company.pay(atBank.checkoutId, 'created');
    company.pay(failed.checkoutId, { failed: 'payment_cancelled' });
    expect(await expire(paid.checkoutId)).toBe('already-paid');
    expect(await expire(late.checkoutId)).toBe('pending');
    expect(await expire(atBank.checkoutId)).toBe('pending');
    expect(await expire(failed.checkoutId)).toBe('expired');
    expect(await stateOf(failed.checkoutId)).toEqual({ kind: 'expired' });
  });

  it('and is paid all the same, in a browser that had it open, is a payment: no money is lost', async () => {
    const { checkoutId } = await at.open();
    await expire(checkoutId);
    at.razorpay.company.pay(checkoutId, 'captured');
    expect(await stateOf(checkoutId)).toMatchObject({ kind: 'payment', status: 'succeeded' });
    expect(await expire(checkoutId)).toBe('already-paid');
  });

  it('keeps what else is written on its order', async () => {
    const { checkoutId, intentId } = await at.open();
    await expire(checkoutId);
    expect(at.razorpay.company.orders.get(checkoutId)?.notes).toEqual({
      intent: intentId,
      description: 'The Courier, three months',
      closed: '1',
    });
  });
});

describe('a mandate that is asked for', () => {
  const mandate = { maxAmount: rupees(405_000n), months: 3 };

  it.each([
    [1, 'monthly'],
    [3, 'quarterly'],
    [12, 'yearly'],
    [24, 'as_presented'],
  ])('for every %i months is %s to Razorpay, with a most and an end', async (months, frequency) => {
    const { checkoutId } = await at.open({ mandate: { ...mandate, months } });
    expect(at.razorpay.company.orders.get(checkoutId)?.token).toEqual({
      max_amount: 405_000,
      expire_at: Temporal.Instant.from('2036-11-23T06:30:00Z').epochMilliseconds / 1_000,
      frequency,
    });
  });

  it('comes with the payment, and belongs to the reader’s one customer', async () => {
    const [first, second] = [await at.open({ mandate }), await at.open({ mandate })];
    const { company } = at.razorpay;
    expect(company.orders.get(first.checkoutId)?.customerId).toBe(
      company.orders.get(second.checkoutId)?.customerId,
    );
    company.pay(first.checkoutId, 'captured', VISA);
    expect(await stateOf(first.checkoutId)).toMatchObject({
      status: 'succeeded',
      mandate: {
        token: expect.stringMatching(/^token_\d+:cust_\d+$/),
        rail: 'card_in',
        status: 'active',
        method: 'Visa ending 1111',
        expiresOn: Temporal.PlainDate.from('2036-11-23'),
      },
    });
  });

  it('keeps the telephone number that later payments have to say, with Razorpay and not here', async () => {
    const email = 'contact@example.com';
    const { checkoutId } = await at.open({ mandate, email });
    const { company } = at.razorpay;
    company.pay(checkoutId);
    await stateOf(checkoutId);
    expect([...company.customers.values()].find((one) => one.email === email)?.contact).toBe('+919876543210');
  });

  it('alone is checked with a rupee, and is saved when it was given', async () => {
    const { checkoutId } = await at.open({ amount: rupees(0n), mandate });
    const { company } = at.razorpay;
    expect(company.orders.get(checkoutId)?.amount).toBe(100);
    expect(answerOf(await razorpayPages(at.account).readPage(checkoutId))).toMatchObject({
      saves: true,
      amount: rupees(100n),
    });
    company.pay(checkoutId, 'captured', UPI);
    expect(await stateOf(checkoutId)).toMatchObject({
      kind: 'saved',
      mandate: { rail: 'upi', method: 'UPI meera@okbank', fingerprint: expect.stringMatching(/^\w{32}$/) },
    });
  });

  it('of a card from abroad is on another rail, and one in another currency there is none', async () => {
    const { checkoutId } = await at.open({ mandate });
    at.razorpay.company.pay(checkoutId, 'captured', FOREIGN_CARD);
    expect(await stateOf(checkoutId)).toMatchObject({ mandate: { rail: 'card_intl' } });
    expect(
      await at.gateway.openCheckout(at.checkoutOrder({ amount: { minor: 900n, currency: 'USD' }, mandate })),
    ).toEqual({ kind: 'refused', code: 'mandates_are_in_rupees' });
  });
});

describe('an answer that does not come, or is none', () => {
  it.each([
    ['hang'],
    ['hang-after'],
    ['reset'],
    ['reset-after'],
    ['error-500'],
    ['bad-gateway'],
    ['conflict'],
    ['too-many'],
    ['nonsense'],
  ] as const)('F08 leaves open what was done: %s', async (fault) => {
    at.razorpay.fail('POST /orders', fault);
    const order = at.checkoutOrder();
    expect(await at.gateway.openCheckout(order)).toMatchObject({ kind: 'unknown' });
    expect(await at.gateway.openCheckout(order)).toMatchObject({ kind: 'ok' });
    const ofIt = [...at.razorpay.company.orders.values()].filter((one) => one.receipt === order.intentId);
    expect(ofIt.length).toBe(1);
  });

  it('F08 is not waited for without end, be it that it comes in drops', async () => {
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const drops = setInterval(() => response.write(' '), 50);
      response.on('close', () => clearInterval(drops));
    });
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
    );
    const gateway = razorpayGateway({ ...at.account, apiBase: `http://127.0.0.1:${port}`, timeoutMs: 200 });
    expect(await gateway.readCheckout('order_00000000000001')).toMatchObject({ kind: 'unknown' });
    server.closeAllConnections();
    server.close();
  });

  it('F08 is the same where nobody listens at all', async () => {
    const gateway = razorpayGateway({ ...at.account, apiBase: 'http://127.0.0.1:9' });
    expect(await gateway.findCheckout(newIntent())).toEqual({
      kind: 'unknown',
      reason: 'orders.all: no answer',
    });
  });

  it('is refused to whoever has another key', async () => {
    const stranger = razorpayGateway({ ...at.account, keySecret: 'somebody-else-entirely' });
    expect(await stranger.openCheckout(at.checkoutOrder())).toEqual({ kind: 'refused', code: 'wrong_key' });
  });
});

describe('a secret', () => {
  it('stands in no reason, no code and no line of the log, whatever goes wrong', async () => {
    const lines: unknown[] = [];
    const note = (...given: unknown[]) => void lines.push(given);
    const log = { warn: note, error: note, info: note, debug: note } as never;
    const gateway = razorpayGateway({ ...at.account, log });
    const called: unknown[] = [];
    for (const fault of ['hang', 'reset', 'error-500', 'bad-gateway', 'nonsense'] as const) {
      at.razorpay.fail('GET /orders', fault);
      called.push(await gateway.openCheckout(at.checkoutOrder()));
    }
    const wrong = razorpayGateway({ ...at.account, keySecret: 'a-wrong-secret', log });
    called.push(await wrong.openCheckout(at.checkoutOrder()));
    called.push(await gateway.readCheckout('order_00000000009998'));
    called.push(await gateway.openCheckout(at.checkoutOrder({ amount: rupees(1n) })));
    expect(lines.length).toBeGreaterThan(1);
    const said = JSON.stringify([lines, called]);
    for (const secret of [
      at.account.keySecret,
      'a-wrong-secret',
      at.razorpay.webhookSecret,
      'meera@example.com',
      Buffer.from(`${at.account.keyId}:${at.account.keySecret}`).toString('base64'),
    ])
      expect(said).not.toContain(secret);
  });
});
