import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import {
  answerOf,
  newIntent,
  rupees,
  type TestAccount,
  testAccount,
} from '../../../../test/stand-ins/razorpay-account.ts';
import { FOREIGN_CARD, RUPAY, UPI } from '../../../../test/stand-ins/razorpay-instruments.ts';
import type { ChargeOrder } from './gateway.ts';
import { razorpayGateway } from './razorpay.ts';

const accounts: TestAccount[] = [];
let at: TestAccount;
beforeEach(async () => {
  at = await testAccount();
  accounts.push(at);
});
afterAll(() => Promise.all(accounts.map((one) => one.razorpay.close())));

const charge = async (token: string, over: Partial<ChargeOrder> = {}) => {
  const order = at.chargeOrder(token, over);
  return { order, called: await at.gateway.charge(order) };
};
const found = async (intentId: string) => answerOf(await at.gateway.findCharge(intentId));
const tokenIdOf = (token: string) => token.split(':')[0] as string;
const recurring = () => at.razorpay.heard.filter(({ path }) => path.endsWith('/create/recurring'));

describe('a charge by a mandate', () => {
  it('is announced a day before, is pending until the bank debits it, and is taken then', async () => {
    const token = await at.mandate();
    const { called, order } = await charge(token);
    expect(answerOf(called)).toMatchObject({ status: 'pending', amount: rupees(270_000n) });
    at.later({ hours: 35 });
    expect(await found(order.intentId)).toMatchObject({ status: 'pending' });
    at.later({ hours: 2 });
    expect(await found(order.intentId)).toMatchObject({ status: 'succeeded', method: 'Visa ending 1111' });
  });

  it('F73 that would be debited before its notice is a day old is refused', async () => {
    const token = await at.mandate();
    const { called } = await charge(token, { notBefore: at.clock.now().add({ hours: 20 }) });
    expect(called).toMatchObject({ kind: 'refused' });
    expect(recurring()).toEqual([]);
  });

  it('of a card from abroad needs no notice, and is decided at once', async () => {
    const token = await at.mandate(FOREIGN_CARD);
    at.razorpay.company.debits.push('captured', { failed: 'card_expired' });
    const over = { rail: 'card_intl', notBefore: undefined } as const;
    expect(answerOf((await charge(token, over)).called)).toMatchObject({ status: 'succeeded' });
    expect(answerOf((await charge(token, over)).called)).toMatchObject({
      status: 'failed',
      failureCode: 'card_expired',
      failureKind: 'never',
    });
  });

  it.each([
    ['insufficient_funds', 'later'],
    ['gateway_technical_error', 'later'],
    ['a_reason_of_next_year', 'later'],
    ['card_expired', 'never'],
    ['debit_instrument_blocked', 'never'],
    ['authentication_failed', 'authenticate'],
  ])('F64 that fails with %s may be tried: %s', async (reason, failureKind) => {
    const token = await at.mandate();
    at.razorpay.company.debits.push({ failed: reason });
    const { order } = await charge(token);
    at.later({ hours: 37 });
    expect(await found(order.intentId)).toMatchObject({
      status: 'failed',
      failureCode: reason,
      failureKind,
    });
  });

  it('takes money once, however often and at once it is sent', async () => {
    const token = await at.mandate();
    const order = at.chargeOrder(token);
    const all = await Promise.all([1, 2, 3].map(() => at.gateway.charge(order)));
    expect(new Set(all.map((called) => answerOf(called).gatewayPaymentId)).size).toBe(1);
    at.later({ hours: 37 });
    expect(answerOf(await at.gateway.charge(order))).toMatchObject({ status: 'succeeded' });
    expect(recurring().length).toBe(1);
  });

  it('F03 takes money once, when two processes send it at the same moment', async () => {
    const token = await at.mandate();
    const order = at.chargeOrder(token);
    const before = at.razorpay.company.balance.get('INR') ?? 0;
    const processes = [1, 2, 3].map(() => razorpayGateway(at.account));
    await Promise.all(processes.map((gateway) => gateway.charge(order)));
    at.later({ hours: 37 });
    expect(await found(order.intentId)).toMatchObject({ status: 'succeeded' });
    expect((at.razorpay.company.balance.get('INR') ?? 0) - before).toBe(270_000);
  });

  it('with another amount is refused', async () => {
    const token = await at.mandate();
    const { order } = await charge(token);
    expect(await at.gateway.charge({ ...order, amount: rupees(100n) })).toEqual({
      kind: 'refused',
      code: 'intent_of_another_amount',
    });
  });
});

describe('a charge that nobody answered', () => {
  it('F04 goes on with the order that was made before the crash, and makes no second one', async () => {
    const token = await at.mandate();
    const order = at.chargeOrder(token);
    at.razorpay.fail('POST /payments/create/recurring', 'reset');
    expect(await at.gateway.charge(order)).toMatchObject({ kind: 'unknown' });
    expect(await found(order.intentId)).toBeUndefined();
    expect(answerOf(await at.gateway.charge(order))).toMatchObject({ status: 'pending' });
    const ofIt = [...at.razorpay.company.orders.values()].filter((one) => one.receipt === order.intentId);
    expect(ofIt.length).toBe(1);
  });

  it('F05 that was made all the same is found, and not made again', async () => {
    const token = await at.mandate();
    const order = at.chargeOrder(token);
    at.razorpay.fail('POST /payments/create/recurring', 'hang-after');
    expect(await at.gateway.charge(order)).toMatchObject({ kind: 'unknown' });
    expect(await found(order.intentId)).toMatchObject({ status: 'pending' });
    expect(answerOf(await at.gateway.charge(order))).toMatchObject({ status: 'pending' });
    expect(recurring().length).toBe(1);
  });

  it('F05 whose order was made, and whose answer was lost, goes on with it', async () => {
    const token = await at.mandate();
    const order = at.chargeOrder(token);
    at.razorpay.fail('POST /orders', 'reset-after');
    expect(await at.gateway.charge(order)).toMatchObject({ kind: 'unknown' });
    expect(answerOf(await at.gateway.charge(order))).toMatchObject({ status: 'pending' });
    const ofIt = [...at.razorpay.company.orders.values()].filter((one) => one.receipt === order.intentId);
    expect(ofIt.length).toBe(1);
  });

  it('of an intent that Razorpay never heard of may be sent', async () => {
    expect(await found(newIntent())).toBeUndefined();
  });
});

describe('a charge that cannot be tried', () => {
  it('F69 by a mandate that was taken back leaves no order behind', async () => {
    const token = await at.mandate();
    at.razorpay.company.setToken(tokenIdOf(token), 'cancelled');
    const { called, order } = await charge(token);
    expect(called).toEqual({ kind: 'refused', code: 'mandate_revoked' });
    expect(await found(order.intentId)).toBeUndefined();
  });

  it('F69 is not debited, when the mandate was taken back after its notice', async () => {
    const token = await at.mandate();
    const { order } = await charge(token);
    at.razorpay.company.setToken(tokenIdOf(token), 'cancelled');
    at.later({ hours: 37 });
    expect(await found(order.intentId)).toMatchObject({ status: 'failed', failureKind: 'never' });
  });

  it('F70 by one that its reader paused is refused, and only they go on with it', async () => {
    const token = await at.mandate(UPI);
    at.razorpay.company.setToken(tokenIdOf(token), 'paused');
    expect((await charge(token)).called).toEqual({ kind: 'refused', code: 'mandate_paused' });
    expect(answerOf(await at.gateway.readMandate(token)).status).toBe('paused');
    at.razorpay.company.setToken(tokenIdOf(token), 'confirmed');
    expect((await charge(token, { rail: 'upi' })).called.kind).toBe('ok');
  });

  it('F71 for more than the mandate allows is refused', async () => {
    const token = await at.mandate();
    expect((await charge(token, { amount: rupees(405_001n) })).called).toEqual({
      kind: 'refused',
      code: 'amount_above_mandate',
    });
    expect((await charge(token, { amount: rupees(405_000n) })).called.kind).toBe('ok');
  });

  it('F72 a second time in a cycle of UPI is refused, and in the next is not', async () => {
    const token = await at.mandate(UPI);
    const first = await charge(token, { rail: 'upi' });
    at.later({ hours: 37 });
    expect(await found(first.order.intentId)).toMatchObject({ status: 'succeeded' });
    expect((await charge(token, { rail: 'upi' })).called).toEqual({
      kind: 'refused',
      code: 'debit_limit_reached',
    });
    at.clock.set('2027-02-20T06:30:00Z');
    expect((await charge(token, { rail: 'upi' })).called.kind).toBe('ok');
  });

  it('F74 with RuPay has one notice of an amount under way', async () => {
    const token = await at.mandate(RUPAY);
    expect((await charge(token)).called.kind).toBe('ok');
    expect((await charge(token)).called).toEqual({ kind: 'refused', code: 'notification_pending' });
    expect((await charge(token, { amount: rupees(260_000n) })).called.kind).toBe('ok');
  });

  it('F78 by a mandate that is another customer’s is refused', async () => {
    const [hers, his] = [await at.mandate(), await at.mandate(UPI, { email: 'arjun@example.com' })];
    const mixed = `${tokenIdOf(hers)}:${his.split(':')[1]}`;
    expect((await charge(mixed)).called).toEqual({ kind: 'refused', code: 'not_found' });
    expect(recurring()).toEqual([]);
  });

  it('of a customer whose telephone Razorpay does not know has no bank announce anything', async () => {
    const token = await at.mandate();
    const customer = at.razorpay.company.customers.get(token.split(':')[1] as string);
    if (customer !== undefined) customer.contact = null;
    const { called, order } = await charge(token);
    expect(called).toEqual({ kind: 'refused', code: 'customer_without_contact' });
    expect([...at.razorpay.company.orders.values()].some((one) => one.receipt === order.intentId)).toBe(
      false,
    );
  });

  it.each([
    [''],
    ['token_1'],
    ['cust_1:token_1'],
    ['token_1:cust_1:more'],
    ['token_1/../x:cust_1'],
    ['tok_1:cust_1'],
  ])('by what is no mandate’s name is refused and not even asked about: %s', async (token) => {
    expect((await charge(token)).called).toEqual({ kind: 'refused', code: 'not_a_mandate' });
    expect(at.razorpay.heard).toEqual([]);
  });
});

describe('a mandate', () => {
  it.each([
    ['initiated', 'initiated'],
    ['confirmed', 'active'],
    ['paused', 'paused'],
    ['cancelled', 'revoked'],
    ['cancellation_initiated', 'revoked'],
    ['rejected', 'rejected'],
  ] as const)('that is %s at Razorpay is %s', async (theirs, ours) => {
    const token = await at.mandate();
    at.razorpay.company.setToken(tokenIdOf(token), theirs);
    expect(answerOf(await at.gateway.readMandate(token)).status).toBe(ours);
  });

  it('is expired once its card or its end is', async () => {
    const token = await at.mandate();
    at.clock.set('2036-11-23T06:30:01Z');
    expect(answerOf(await at.gateway.readMandate(token)).status).toBe('expired');
  });

  it('is taken back, also twice, and where its reader did so at their bank', async () => {
    const token = await at.mandate();
    expect(await at.gateway.revokeMandate(token)).toEqual({ kind: 'ok', value: undefined });
    expect(answerOf(await at.gateway.readMandate(token)).status).toBe('revoked');
    expect(await at.gateway.revokeMandate(token)).toEqual({ kind: 'ok', value: undefined });
    at.razorpay.company.setToken(tokenIdOf(token), 'cancelled');
    expect(await at.gateway.revokeMandate(token)).toEqual({ kind: 'ok', value: undefined });
    expect(await at.gateway.revokeMandate('token_99999999999999:cust_99999999999999')).toEqual({
      kind: 'ok',
      value: undefined,
    });
  });

  it('is found by its token alone, which is all that a webhook says', async () => {
    const token = await at.mandate();
    expect(answerOf(await at.gateway.readMandate(tokenIdOf(token))).token).toBe(token);
  });
});
