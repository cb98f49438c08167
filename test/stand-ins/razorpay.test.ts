import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testClock } from '../paper.ts';
import { type RazorpayStandIn, razorpayStandIn } from './razorpay.ts';

/** The stand-in is worth as much as it is strict: what the real one refuses must not pass here. */
let razorpay: RazorpayStandIn;
const clock = testClock('2026-11-23T06:30:00Z');
beforeAll(async () => {
  razorpay = await razorpayStandIn(clock);
});
afterAll(() => razorpay.close());

async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const { apiBase, keyId, keySecret } = razorpay;
  const answer = await fetch(`${apiBase}/v1${path}`, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(`${keyId}:${keySecret}`).toString('base64')}`,
      'content-type': 'application/json',
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: what a test expects of it, it says itself
  const json: any = await answer.json();
  return { status: answer.status, json, says: json.error?.description };
}

const ORDER = { amount: 50_000, currency: 'INR', receipt: 'receipt-1' };

describe('a request', () => {
  it('without the right key is refused', async () => {
    expect(await ask('GET', '/orders', undefined, { authorization: 'Basic eDp5' })).toMatchObject({
      status: 401,
      json: {
        error: {
          code: 'BAD_REQUEST_ERROR',
          description: 'Authentication failed',
          source: 'business',
          step: 'NA',
          reason: 'NA',
          metadata: {},
        },
      },
    });
  });

  it.each([
    [
      'a field that it does not have',
      { ...ORDER, colour: 'red' },
      'colour is/are not required and should not be sent',
    ],
    ['no amount', { currency: 'INR' }, 'The amount field is required.'],
    ['an amount in words', { ...ORDER, amount: '50000' }, 'The amount is invalid.'],
    ['a fraction', { ...ORDER, amount: 500.5 }, 'The amount is invalid.'],
    ['less than a rupee', { ...ORDER, amount: 99 }, 'The amount must be at least 100.'],
    [
      'a receipt of 41 letters',
      { ...ORDER, receipt: 'r'.repeat(41) },
      'The receipt may not be greater than 40.',
    ],
    [
      'a mandate of nobody',
      { ...ORDER, token: { max_amount: 60_000, expire_at: 2_709_971_120, frequency: 'monthly' } },
      'The customer id field is required.',
    ],
    [
      'a customer of nobody',
      { ...ORDER, customer_id: 'cust_00000000009999' },
      'The id provided does not exist',
    ],
  ])('for an order with %s is refused', async (_, body, says) => {
    expect(await ask('POST', '/orders', body)).toMatchObject({ status: 400, says });
  });

  it('for more than a hundred at once is refused, and for an address that is none', async () => {
    expect((await ask('GET', '/orders?count=101')).says).toBe('The count may not be greater than 100.');
    expect((await ask('GET', '/orders?limit=10')).status).toBe(400);
    expect((await ask('GET', '/nothing')).status).toBe(404);
  });
});

describe('a refund’s key', () => {
  it('makes it once, with the same body; a shorter one, or one of another body, is refused', async () => {
    const { json } = await ask('POST', '/orders', ORDER);
    const { id } = razorpay.company.pay(json.id);
    const refund = (amount: number, key: string) =>
      ask('POST', `/payments/${id}/refund`, { amount }, { 'x-refund-idempotency': key });
    const first = await refund(1_000, 'a-key-of-ours');
    expect(first.status).toBe(200);
    expect((await refund(1_000, 'a-key-of-ours')).json).toEqual(first.json);
    expect((await refund(1_001, 'a-key-of-ours')).says).toMatch(/same idempotency key/);
    expect((await refund(1_000, 'short')).status).toBe(400);
    expect(razorpay.company.refunds.size).toBe(1);
  });
});

describe('an order', () => {
  it('is paid once, whoever tries', async () => {
    const { json } = await ask('POST', '/orders', ORDER);
    const second = razorpay.company.pay(json.id, 'created');
    razorpay.company.pay(json.id);
    expect(() => razorpay.company.pay(json.id)).toThrow();
    razorpay.company.decide(second.id, 'captured');
    expect(second.status).toBe('failed');
    expect((await ask('GET', `/orders/${json.id}`)).json).toMatchObject({
      status: 'paid',
      amount_paid: 50_000,
      attempts: 2,
    });
  });

  it('has its newest payment first on its list, with true as "1" and no notes as a list', async () => {
    const { json } = await ask('POST', '/orders', ORDER);
    razorpay.company.pay(json.id, { failed: 'payment_cancelled' });
    const { id } = razorpay.company.pay(json.id);
    const { items } = (await ask('GET', `/orders/${json.id}/payments`)).json;
    expect(items[0]).toMatchObject({ id, captured: '1', notes: [] });
    expect(items[1]).toMatchObject({ captured: '0', error_reason: 'payment_cancelled' });
  });
});
