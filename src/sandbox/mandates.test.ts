import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  beginCheckout,
  chargeMandate,
  checkoutRequest,
  giveMandate,
  press,
  type TestCompany,
  testCompany,
} from '../../test/company.ts';
import type { Rail } from './methods.ts';
import { changeMandate } from './sandbox.ts';

/** What payers allow, over HTTP and in a real database. */
let company: TestCompany;
beforeAll(async () => {
  company = await testCompany();
});
afterAll(() => company.end());

const database = () => company.database.db;
const now = () => company.clock.now();
/** The soonest that a bank in India lets a debit be made. */
const tomorrow = () => now().add({ hours: 24 }).toString();
const give = (rail: Rail, over: Record<string, unknown> = {}) => giveMandate(company, { rail, ...over });
const charge = (mandate: { id: string; customer: string }, over: Record<string, unknown> = {}) =>
  chargeMandate(company, mandate, over);
const balance = async () => (await company.api('GET', '/balance')).json.balance_minor.INR ?? 0;
/** What was written down to be told of something, in order. */
async function eventsOf(id: string): Promise<string[]> {
  const { rows } = await company.database.pool.query('select body from sandbox.events order by seq');
  return rows
    .map(({ body }) => JSON.parse(body))
    .filter(({ data }) => data.id === id)
    .map(({ type }) => type);
}

describe('a mandate', () => {
  it.each([
    ['card_intl', { kind: 'card', brand: 'visa', last4: '4242' }, '2030-11-23'],
    ['card_in', { kind: 'card', brand: 'rupay', last4: '4242' }, '2030-11-23'],
    ['upi', { kind: 'upi', address: 'meera@sandbox' }, '2036-11-23'],
  ] as const)('is given by %s with the payment that asked for it', async (rail, method, expires_on) => {
    const before = await balance();
    const { checkoutId, id } = await give(rail, { amount_minor: 90_000 });
    const { json } = await company.api('GET', `/checkouts/${checkoutId}`);
    expect(json).toMatchObject({
      status: 'complete',
      customer: 'reader-meera',
      payment: { status: 'succeeded', amount_minor: 90_000, method },
      mandate: {
        id: expect.stringMatching(/^man_[0-9a-f]{32}$/),
        status: 'active',
        rail,
        method,
        max_amount_minor: 400_000,
        currency: 'INR',
        months: 3,
        customer: 'reader-meera',
        expires_on,
      },
    });
    expect((await company.api('GET', `/mandates/${id}`)).json).toEqual(json.mandate);
    expect(await balance()).toBe(before + 90_000);
  });

  it('is given with nothing paid, where the page says that nothing is charged', async () => {
    const before = await balance();
    const { id, url } = await beginCheckout(company, {
      amount_minor: 0,
      customer: 'reader-asha',
      mandate: { max_amount_minor: 135_000, months: 1 },
    });
    const page = await (await fetch(url)).text();
    for (const words of ['Nothing to pay now', 'Up to ₹1,350 a month', 'Nothing is charged', 'UPI AutoPay'])
      expect(page).toContain(words);
    expect((await press(url, { outcome: 'decline', rail: 'upi' })).location).toBe(url);
    expect((await company.api('GET', `/checkouts/${id}`)).json).toMatchObject({
      payment: { status: 'failed' },
      mandate: null,
    });
    expect((await press(url, { outcome: 'authenticate', rail: 'card_in' })).location).toBe(url);
    await press(url, { answer: 'approve' }, 'authentication');
    expect((await company.api('GET', `/checkouts/${id}`)).json).toMatchObject({
      status: 'complete',
      mandate: { rail: 'card_in', method: { last4: '3220' } },
    });
    expect(await (await fetch(url)).text()).toContain('Nothing was charged');
    expect(await balance()).toBe(before);
  });

  it('is not given by a payment that came to nothing, nor twice by two who press at once', async () => {
    const { id, url } = await beginCheckout(company, {
      customer: 'reader-asha',
      mandate: { max_amount_minor: 400_000, months: 3 },
    });
    await press(url, { outcome: 'expired_card' });
    expect((await company.api('GET', `/checkouts/${id}`)).json.mandate).toBeNull();
    await Promise.all([press(url, { outcome: 'approve' }), press(url, { outcome: 'approve', rail: 'upi' })]);
    const { rows } = await company.database.pool.query(
      'select count(*)::int as n from sandbox.mandates where checkout_id = $1',
      [id],
    );
    expect(rows[0].n).toBe(1);
  });

  it.each<[string, Record<string, unknown>]>([
    ['nothing to pay and no mandate', { amount_minor: 0 }],
    ['a mandate and nobody to give it', { mandate: { max_amount_minor: 400_000, months: 3 } }],
    ['less allowed than is paid', { customer: 'x', mandate: { max_amount_minor: 1, months: 3 } }],
    ['no months', { customer: 'x', mandate: { max_amount_minor: 400_000, months: 0 } }],
    ['more of a mandate', { customer: 'x', mandate: { max_amount_minor: 400_000, months: 3, rail: 'upi' } }],
  ])('is not asked for with %s', async (_, over) => {
    const body = checkoutRequest(company.baseUrl, over);
    const headers = { 'idempotency-key': String(body.reference) };
    const { json, status } = await company.api('POST', '/checkouts', { body, headers });
    expect([status, json.error?.code]).toEqual([400, 'parameter_invalid']);
  });

  it('by UPI or an Indian card is not there for dollars', async () => {
    const { url } = await beginCheckout(company, { currency: 'USD' });
    expect(await (await fetch(url)).text()).not.toContain('name="rail"');
    expect((await press(url, { outcome: 'approve', rail: 'upi' })).status).toBe(422);
    expect((await press(url, { outcome: 'approve', rail: 'cheque' })).status).toBe(422);
  });

  it('is revoked by the merchant, once and again, and nothing is taken by it any more', async () => {
    const { customer, id } = await give('card_intl');
    for (let twice = 0; twice < 2; twice++) {
      expect(await company.api('POST', `/mandates/${id}/revocation`)).toMatchObject({
        status: 200,
        json: { status: 'revoked' },
      });
    }
    expect(await charge({ customer, id })).toMatchObject({
      status: 402,
      json: { error: { type: 'payment_error', code: 'mandate_not_active' } },
    });
    expect(await eventsOf(id)).toEqual(['mandate.revoked']);
  });

  it('F70: that was paused in the payer’s app is resumed there alone', async () => {
    const mandate = await give('upi');
    await changeMandate(database(), mandate.id, 'pause', now());
    const refused = await charge(mandate, { not_before: tomorrow() });
    expect(refused.json.error.code).toBe('mandate_not_active');
    await changeMandate(database(), mandate.id, 'resume', now());
    expect((await charge(mandate, { not_before: tomorrow() })).status).toBe(201);
    expect(await eventsOf(mandate.id)).toEqual(['mandate.paused', 'mandate.resumed']);
  });
});
