import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import {
  answerOf,
  pounds,
  rupees,
  type TestAccount,
  testAccount,
} from '../../../../test/stand-ins/stripe-account.ts';
import { UPI } from '../../../../test/stand-ins/stripe-instruments.ts';
import { declined } from '../../../../test/stand-ins/stripe-payments.ts';
import type { PaymentList, RefundOrder } from './gateway.ts';

const accounts: TestAccount[] = [];
let at: TestAccount;
beforeEach(async () => {
  at = await testAccount();
  accounts.push(at);
});
afterAll(() => Promise.all(accounts.map((one) => one.stripe.close())));

const order = (gatewayPaymentId: string, minor = 1_000n, over: Partial<RefundOrder> = {}): RefundOrder => ({
  refundId: at.newIntent(),
  gatewayPaymentId,
  amount: pounds(minor),
  ...over,
});
const readBack = async (sessionId: string | undefined) => {
  const state = answerOf(await at.gateway.readCheckout(sessionId ?? ''));
  if (state.kind !== 'payment') throw new Error(state.kind);
  return state;
};

/** A whole list, page after page. */
async function listed(since = at.clock.now()): Promise<PaymentList['payments']> {
  const all: PaymentList['payments'][number][] = [];
  let after: string | undefined;
  do {
    const page = answerOf(await at.gateway.listPayments(since, after));
    all.push(...page.payments);
    after = page.after;
  } while (after !== undefined);
  return all;
}

describe('a refund', () => {
  it('gives back once, however often and at once it is sent, also days later', async () => {
    const payment = await at.paid();
    const wanted = order(payment.id);
    const all = await Promise.all([1, 2, 3].map(() => at.gateway.refund(wanted)));
    at.later({ hours: 48 });
    all.push(await at.another().refund(wanted));
    expect(new Set(all.map((called) => answerOf(called).gatewayRefundId)).size).toBe(1);
    expect(answerOf(all[0] ?? { kind: 'unknown', reason: '' })).toMatchObject({
      reference: wanted.refundId,
      amount: pounds(1_000n),
      status: 'processed',
    });
    expect(at.stripe.company.refunds.size).toBe(1);
    expect(await at.gateway.refund({ ...wanted, amount: pounds(1n) })).toEqual({
      kind: 'refused',
      code: 'refund_of_another_amount',
    });
  });

  it('F96 whose answer was lost is found, and given once', async () => {
    const payment = await at.paid();
    const wanted = order(payment.id);
    at.stripe.fail('POST /refunds', 'hang-after');
    expect(await at.gateway.refund(wanted)).toMatchObject({ kind: 'unknown' });
    expect(answerOf(await at.another().refund(wanted))).toMatchObject({ reference: wanted.refundId });
    expect(at.stripe.company.refunds.size).toBe(1);
  });

  it('stands with its payment: on its way, done, or failed', async () => {
    const payment = await at.paid();
    at.stripe.company.refundOutcomes.push('pending', 'pending');
    const [one, other] = [
      answerOf(await at.gateway.refund(order(payment.id))),
      answerOf(await at.gateway.refund(order(payment.id))),
    ];
    const statuses = async () =>
      (await readBack(payment.sessionId)).refunds.map(({ gatewayRefundId, status }) => [
        gatewayRefundId,
        status,
      ]);
    expect(one.status).toBe('pending');
    at.stripe.company.settleRefund(one.gatewayRefundId, 'succeeded');
    at.stripe.company.settleRefund(other.gatewayRefundId, 'failed');
    expect(new Map((await statuses()) as [string, string][])).toEqual(
      new Map([
        [one.gatewayRefundId, 'processed'],
        [other.gatewayRefundId, 'failed'],
      ]),
    );
  });

  it('F104 that somebody made at Stripe itself bears no reference', async () => {
    const payment = await at.paid();
    at.stripe.company.refund({ payment_intent: payment.id, amount: 700 });
    expect((await readBack(payment.sessionId)).refunds).toMatchObject([
      { reference: undefined, amount: pounds(700n), status: 'processed' },
    ]);
  });

  it('of more than was taken, of nothing that is known, or while it is disputed, is refused', async () => {
    const payment = await at.paid();
    expect(await at.gateway.refund(order(payment.id, 3_001n))).toMatchObject({ kind: 'refused' });
    expect(await at.gateway.refund(order('pi_00000000009999'))).toMatchObject({ kind: 'refused' });
    expect(await at.gateway.refund(order('pi_../../customers'))).toMatchObject({ kind: 'refused' });
    answerOf(await at.gateway.refund(order(payment.id, 3_000n)));
    expect(await at.gateway.refund(order(payment.id))).toMatchObject({
      kind: 'refused',
      code: 'charge_already_refunded',
    });
    const disputed = await at.paid();
    at.stripe.company.dispute(disputed.id);
    expect(await at.gateway.refund(order(disputed.id))).toMatchObject({
      kind: 'refused',
      code: 'charge_disputed',
    });
  });

  it('F99 of a payment whose card was taken back goes through', async () => {
    const token = await at.mandate();
    const { gatewayPaymentId } = answerOf(await at.gateway.charge(at.chargeOrder(token)));
    answerOf(await at.gateway.revokeMandate(token));
    expect(answerOf(await at.gateway.refund(order(gatewayPaymentId)))).toMatchObject({ status: 'processed' });
  });
});

describe('F101 a dispute', () => {
  it.each([
    ['needs_response', 'open'],
    ['under_review', 'open'],
    ['won', 'won'],
    ['lost', 'lost'],
    ['appeal_under_review', 'lost'],
    ['a_word_of_next_year', 'open'],
  ] as const)('that is %s is %s', async (status, expected) => {
    const payment = await at.paid();
    const { id } = at.stripe.company.dispute(payment.id);
    at.stripe.company.decideDispute(id, status);
    expect((await readBack(payment.sessionId)).dispute).toMatchObject({
      gatewayDisputeId: id,
      amount: pounds(3_000n),
      status: expected,
    });
  });

  it('is none where a bank only asks, and has taken nothing', async () => {
    const payment = await at.paid();
    const { id } = at.stripe.company.dispute(payment.id, { isInquiry: true });
    expect((await readBack(payment.sessionId)).dispute).toBeUndefined();
    at.stripe.company.decideDispute(id, 'warning_closed');
    expect((await readBack(payment.sessionId)).dispute).toBeUndefined();
    expect(answerOf(await at.gateway.readBalance())).toEqual([pounds(3_000n)]);
  });

  it('is the newest of two, and takes no more than was paid, whatever its bank reckoned it to be', async () => {
    const payment = await at.paid();
    const first = at.stripe.company.dispute(payment.id);
    at.stripe.company.decideDispute(first.id, 'won');
    at.later({ hours: 1 });
    const second = at.stripe.company.dispute(payment.id, { amount: 3_512, currency: 'usd' });
    expect((await readBack(payment.sessionId)).dispute).toMatchObject({
      gatewayDisputeId: second.id,
      amount: pounds(3_000n),
      status: 'open',
    });
    expect(answerOf(await at.gateway.readBalance())).toEqual([pounds(0n)]);
  });
});

describe('the list of payments', () => {
  it('tells every payment that was tried, with its intent, what went back of it and its dispute', async () => {
    const { checkoutId, intentId } = await at.open();
    at.stripe.company.pay(checkoutId);
    const failed = await at.paid(declined('insufficient_funds'));
    await at.open();
    const disputed = await at.paid();
    at.stripe.company.dispute(disputed.id);
    const given = await at.paid();
    answerOf(await at.gateway.refund(order(given.id)));
    const all = new Map((await listed()).map((one) => [one.gatewayPaymentId, one]));
    expect(all.size).toBe(4);
    expect([...all.values()].find(({ reference }) => reference === intentId)).toMatchObject({
      status: 'succeeded',
      method: 'Visa ending 4242',
      refunds: [],
      dispute: undefined,
    });
    expect(all.get(failed.id)).toMatchObject({ status: 'failed', failureCode: 'insufficient_funds' });
    expect(all.get(disputed.id)).toMatchObject({ dispute: { status: 'open' } });
    expect(all.get(given.id)).toMatchObject({ refunds: [{ amount: pounds(1_000n) }] });
  });

  it('goes on from page to page, and misses none', async () => {
    const token = await at.mandate();
    for (let more = 0; more < 104; more++) answerOf(await at.gateway.charge(at.chargeOrder(token)));
    const first = answerOf(await at.gateway.listPayments(at.clock.now(), undefined));
    expect(first.payments.length).toBe(100);
    expect(first.after).toBe(`payments:${first.payments.at(-1)?.gatewayPaymentId}`);
    expect(new Set((await listed()).map(({ gatewayPaymentId }) => gatewayPaymentId)).size).toBe(105);
  });

  it('holds an old payment of which something went back, or is asked back, since', async () => {
    const [refunded, disputed, untouched] = [await at.paid(), await at.paid(), await at.paid()];
    at.later({ hours: 24 * 60 });
    at.stripe.company.refund({ payment_intent: refunded.id, amount: 500 });
    at.stripe.company.dispute(disputed.id);
    const all = await listed();
    const ids = all.map(({ gatewayPaymentId }) => gatewayPaymentId);
    expect(ids).toContain(refunded.id);
    expect(ids).toContain(disputed.id);
    expect(ids).not.toContain(untouched.id);
    expect(all.find(({ gatewayPaymentId }) => gatewayPaymentId === refunded.id)?.refunds).toMatchObject([
      { amount: pounds(500n), status: 'processed' },
    ]);
  });

  it('holds a payment that was asked for days ago, and taken since', async () => {
    const token = await at.mandate(UPI);
    const over = { rail: 'upi', amount: rupees(270_000n) } as const;
    const { gatewayPaymentId } = answerOf(await at.gateway.charge(at.chargeOrder(token, over)));
    at.later({ hours: 48 });
    expect(await listed(at.clock.now().subtract({ hours: 1 }))).toContainEqual(
      expect.objectContaining({ gatewayPaymentId, status: 'succeeded', reference: expect.any(String) }),
    );
  });

  it('is of an unknown end where a part of it is not answered; a page that is none is refused', async () => {
    await at.paid();
    at.stripe.fail('GET /disputes', 'bad-gateway');
    expect(await at.gateway.listPayments(at.clock.now(), undefined)).toMatchObject({ kind: 'unknown' });
    for (const after of ['payments', 'payments:1', 'refunds:0', 'charges:ch_1', 'payments:pi_1 '])
      expect(await at.gateway.listPayments(at.clock.now(), after)).toEqual({
        kind: 'refused',
        code: 'no_such_page',
      });
  });
});

describe('the balance', () => {
  it('is what Stripe holds by its own sums, in the currency in which readers paid', async () => {
    const token = await at.mandate();
    answerOf(await at.gateway.charge(at.chargeOrder(token)));
    at.stripe.company.debits.push(declined('insufficient_funds'));
    answerOf(await at.gateway.charge(at.chargeOrder(token)));
    const yen = await at.paid('succeeded', { amount: { minor: 1_200n, currency: 'JPY' } });
    answerOf(await at.gateway.refund({ ...order(yen.id), amount: { minor: 200n, currency: 'JPY' } }));
    const pending = await at.paid();
    at.stripe.company.refundOutcomes.push('pending');
    answerOf(await at.gateway.refund(order(pending.id)));
    for (const status of ['won', 'lost'] as const) {
      const { id } = await at.paid();
      at.stripe.company.decideDispute(at.stripe.company.dispute(id).id, status);
    }
    const said = answerOf(await at.gateway.readBalance());
    expect(new Map(said.map(({ currency, minor }) => [currency.toLowerCase(), Number(minor)]))).toEqual(
      at.stripe.company.balance,
    );
    expect(at.stripe.company.balance).toEqual(
      new Map([
        ['gbp', 12_000],
        ['jpy', 1_000],
      ]),
    );
  });

  it('is unknown where a list is not answered', async () => {
    at.stripe.fail('GET /refunds', 'too-many');
    expect(await at.gateway.readBalance()).toMatchObject({ kind: 'unknown' });
  });
});
