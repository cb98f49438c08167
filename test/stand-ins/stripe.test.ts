import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testClock } from '../paper.ts';
import { type StripeStandIn, stripeStandIn } from './stripe.ts';
import { UPI } from './stripe-instruments.ts';

/** The stand-in is worth as much as it is strict: what the real one refuses must not pass here. */
let stripe: StripeStandIn;
const clock = testClock('2026-11-23T06:30:00Z');
beforeAll(async () => {
  stripe = await stripeStandIn(clock);
});
afterAll(() => stripe.close());

let keys = 0;

async function ask(method: string, path: string, form?: string, headers: Record<string, string> = {}) {
  const answer = await fetch(`${stripe.apiBase}/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${stripe.secretKey}`,
      'stripe-version': '2026-10-28.endive',
      'content-type': 'application/x-www-form-urlencoded',
      ...(method === 'POST' ? { 'idempotency-key': `key ${++keys}` } : {}),
      ...headers,
    },
    ...(form === undefined ? {} : { body: form }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: what a test expects of it, it says itself
  const json: any = await answer.json();
  return { status: answer.status, json, headers: answer.headers, error: json.error };
}

const NOW = clock.now().epochMilliseconds / 1_000;
const SESSION =
  'mode=payment&success_url=https://paper.example/thanks&line_items[0][quantity]=1' +
  '&line_items[0][price_data][currency]=gbp&line_items[0][price_data][unit_amount]=3000' +
  '&line_items[0][price_data][product_data][name]=The+Courier';
const refused = async (path: string, form: string) => (await ask('POST', path, form)).error;

describe('a request', () => {
  it('without the right key, or of another version of the API, is refused', async () => {
    expect(await ask('GET', '/refunds', undefined, { authorization: 'Bearer sk_test_other' })).toMatchObject({
      status: 401,
      error: { type: 'invalid_request_error', message: 'Invalid API Key provided: sk_test_****' },
    });
    expect((await ask('GET', '/refunds', undefined, { 'stripe-version': '2022-04-12' })).status).toBe(400);
  });

  it('that is no form is refused, and one to an address that is none', async () => {
    expect((await ask('POST', '/customers', '{}', { 'content-type': 'application/json' })).status).toBe(400);
    expect((await ask('GET', '/nothing')).status).toBe(404);
    expect((await ask('GET', '/payment_intents/pi_00000000009999')).error).toMatchObject({
      code: 'resource_missing',
      param: 'id',
    });
  });

  it.each([
    ['an unknown parameter', `${SESSION}&colour=red`, { code: 'parameter_unknown', param: 'colour' }],
    [
      'an unknown parameter deep within',
      `${SESSION}&payment_intent_data[colour]=red`,
      { code: 'parameter_unknown', param: 'payment_intent_data[colour]' },
    ],
    ['no mode', SESSION.replace('mode=payment&', ''), { code: 'parameter_missing', param: 'mode' }],
    [
      'an amount that is none',
      SESSION.replace('=3000', '=30.00'),
      { code: 'parameter_invalid_integer', param: 'line_items[0][price_data][unit_amount]' },
    ],
    ['an empty word', `${SESSION}&client_reference_id=`, { code: 'parameter_invalid_empty' }],
    ['less than it takes', SESSION.replace('=3000', '=29'), { code: 'amount_too_small' }],
    ['an address that is none', SESSION.replace('https://', ''), { param: 'success_url' }],
    ['an end in half an hour less a second', `${SESSION}&expires_at=${NOW + 1_799}`, { param: 'expires_at' }],
    ['an end in a day and a second', `${SESSION}&expires_at=${NOW + 86_401}`, { param: 'expires_at' }],
    ['a customer of nobody', `${SESSION}&customer=cus_1`, { code: 'resource_missing', param: 'customer' }],
    [
      'a mandate of UPI in pounds',
      `${SESSION}&payment_method_options[upi][mandate_options][amount]=100`,
      { param: 'payment_method_options[upi]' },
    ],
    [
      'F77 a mandate whose end is past',
      `${SESSION.replace('gbp', 'inr')}&payment_method_options[upi][mandate_options][end_date]=${NOW - 1}`,
      { param: 'payment_method_options[upi][mandate_options][end_date]' },
    ],
    ['a subscription of its own', SESSION.replace('=payment', '=subscription'), { param: 'mode' }],
    ['what it does not expand', `${SESSION}&expand[]=line_items`, { message: 'Invalid request: expand[]' }],
  ])('for a checkout with %s is refused', async (_, form, error) => {
    expect(await refused('/checkout/sessions', form)).toMatchObject(error);
  });

  it('for more than a hundred at once is refused, and behind what is not there', async () => {
    expect((await ask('GET', '/refunds?limit=101')).error).toMatchObject({ param: 'limit' });
    expect((await ask('GET', '/refunds?starting_after=re_1')).error).toMatchObject({
      param: 'starting_after',
    });
    expect((await ask('GET', '/refunds?expand[0]=data.colour')).status).toBe(200);
  });
});

describe('a key', () => {
  const key = { 'idempotency-key': 'a key of ours' };

  it('has a request done once, and answers the same; another request by it is refused', async () => {
    const first = await ask('POST', '/customers', 'email=meera@example.com', key);
    const again = await ask('POST', '/customers', 'email=meera@example.com', key);
    expect(again.json).toEqual(first.json);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(await ask('POST', '/customers', 'email=ravi@example.com', key)).toMatchObject({
      status: 400,
      error: { type: 'idempotency_error' },
    });
    expect(stripe.company.customers.size).toBe(1);
  });

  it('keeps a refusal of what was looked at, and a 500; nothing of what was wrong from the beginning', async () => {
    const declined = { 'idempotency-key': 'of nobody' };
    const missing =
      'customer=cus_1&amount=100&currency=gbp&confirm=true&off_session=true&return_url=https://x.example';
    const first = await ask('POST', '/payment_intents', missing, declined);
    const replayed = await ask('POST', '/payment_intents', missing, declined);
    expect([first.error, replayed.headers.get('idempotent-replayed')]).toEqual([replayed.error, 'true']);
    stripe.fail('POST /customers', 'kept-500');
    const broken = { 'idempotency-key': 'broken' };
    for (const _ of [1, 2]) expect((await ask('POST', '/customers', 'name=A', broken)).status).toBe(500);
    const wrong = { 'idempotency-key': 'wrong' };
    expect((await ask('POST', '/customers', 'colour=red', wrong)).status).toBe(400);
    expect((await ask('POST', '/customers', 'name=A', wrong)).status).toBe(200);
  });

  it('is missed, and is forgotten after a day', async () => {
    expect((await ask('POST', '/customers', 'name=A', { 'idempotency-key': '' })).status).toBe(400);
    const before = stripe.company.customers.size;
    clock.set(clock.now().add({ hours: 24 }).toString());
    await ask('POST', '/customers', 'email=meera@example.com', key);
    expect(stripe.company.customers.size).toBe(before + 1);
  });

  it('of two requests at once lets one through', async () => {
    stripe.fail('POST /customers', 'slow');
    const both = { 'idempotency-key': 'both' };
    const all = await Promise.all([1, 2].map(() => ask('POST', '/customers', 'name=Both', both)));
    expect(all.map(({ status }) => status).toSorted()).toEqual([200, 409]);
    expect(all.find(({ status }) => status === 409)?.error).toMatchObject({ code: 'idempotency_key_in_use' });
  });
});

describe('a payment with nobody there', () => {
  const PAYMENT = 'amount=3000&currency=gbp&confirm=true&off_session=true&return_url=https://paper.example';

  it.each([
    ['no place to return to', PAYMENT.replace(/&return_url.*/, ''), { param: 'return_url' }],
    ['nobody’s card', `${PAYMENT}&payment_method=pm_1`, { code: 'resource_missing' }],
    ['an amount in words', PAYMENT.replace('3000', 'three'), { code: 'parameter_invalid_integer' }],
    ['a clock of Stripe’s', `${PAYMENT}&subscription=sub_1`, { code: 'parameter_unknown' }],
  ])('and with %s is refused', async (_, form, error) => {
    expect(await refused('/payment_intents', form)).toMatchObject(error);
  });
});

describe('a page', () => {
  it('offers what it was told to, and what its currency has', async () => {
    const { json } = await ask(
      'POST',
      '/checkout/sessions',
      `${SESSION}&allowed_payment_method_types[0]=card`,
    );
    expect(() => stripe.company.pay(json.id, 'succeeded', UPI)).toThrow('does not offer upi');
    expect(() => stripe.company.pay(json.id, 'succeeded', { type: 'link' })).toThrow('does not offer link');
    stripe.company.pay(json.id);
    expect(() => stripe.company.pay(json.id)).toThrow('is over');
    expect((await ask('GET', `/checkout/sessions/${json.id}`)).json).toMatchObject({
      status: 'complete',
      payment_status: 'paid',
      url: null,
    });
  });

  it('closes by itself, with the payment that was begun there', async () => {
    const { json } = await ask('POST', '/checkout/sessions', SESSION);
    const payment = stripe.company.pay(json.id, 'requires_action');
    clock.set(clock.now().add({ hours: 24 }).toString());
    expect((await ask('GET', `/checkout/sessions/${json.id}`)).json).toMatchObject({ status: 'expired' });
    expect((await ask('GET', `/payment_intents/${payment?.id}`)).json).toMatchObject({ status: 'canceled' });
  });
});
