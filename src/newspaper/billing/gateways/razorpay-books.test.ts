import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import {
  answerOf,
  newIntent,
  rupees,
  type TestAccount,
  testAccount,
} from '../../../../test/stand-ins/razorpay-account.ts';
import { UPI } from '../../../../test/stand-ins/razorpay-instruments.ts';
import type { Gateway, PaymentList } from './gateway.ts';

const accounts: TestAccount[] = [];
let at: TestAccount;
beforeEach(async () => {
  at = await testAccount();
  accounts.push(at);
});
afterAll(() => Promise.all(accounts.map((one) => one.razorpay.close())));

const refund = (gatewayPaymentId: string, minor: bigint, refundId = newIntent()) =>
  at.gateway.refund({ refundId, gatewayPaymentId, amount: rupees(minor) });

type Listed = PaymentList['payments'][number];
async function listed(gateway: Gateway, since: Temporal.Instant): Promise<Map<string, Listed>> {
  const all = new Map<string, Listed>();
  for (let after: string | undefined, pages = 0; ; pages++) {
    const page = answerOf(await gateway.listPayments(since, after));
    for (const one of page.payments) all.set(one.gatewayPaymentId, one);
    ({ after } = page);
    if (after === undefined) return all;
    if (pages > 50) throw new Error('a list without an end');
  }
}

describe('a refund', () => {
  it('is made once under its reference, however often it is asked for', async () => {
    const { id } = await at.paid();
    const refundId = newIntent();
    const [first, again] = [await refund(id, 100_000n, refundId), await refund(id, 100_000n, refundId)];
    expect(answerOf(first)).toMatchObject({
      status: 'processed',
      reference: refundId,
      amount: rupees(100_000n),
    });
    expect(again).toEqual(first);
    expect(at.razorpay.company.balance.get('INR')).toBe(170_000);
  });

  it('has its reference as its key, by which Razorpay knows it again', async () => {
    const { id } = await at.paid();
    const refundId = newIntent();
    await refund(id, 100_000n, refundId);
    const sent = at.razorpay.heard.find(({ method, path }) => method === 'POST' && path.endsWith('/refund'));
    expect(sent?.headers['x-refund-idempotency']).toBe(refundId);
    const others = at.razorpay.heard.filter((one) => one !== sent);
    expect(others.map((one) => one.headers['x-refund-idempotency'])).toEqual(others.map(() => undefined));
  });

  it('of a reference that is too short for a key has a longer one', async () => {
    const { id } = await at.paid();
    expect(answerOf(await refund(id, 100n, 'r1')).reference).toBe('r1');
    expect(answerOf(await refund(id, 100n, 'r1')).reference).toBe('r1');
    expect(at.razorpay.company.refunds.size).toBe(1);
  });

  it('F96 whose answer was lost is found and not made twice', async () => {
    const { id } = await at.paid();
    const refundId = newIntent();
    at.razorpay.fail('POST /payments/*/refund', 'hang-after');
    expect(await refund(id, 270_000n, refundId)).toMatchObject({ kind: 'unknown' });
    expect(answerOf(await refund(id, 270_000n, refundId))).toMatchObject({ reference: refundId });
    expect(at.razorpay.company.refunds.size).toBe(1);
  });

  it('F96 is made once, also when Razorpay has forgotten its key', async () => {
    const { id } = await at.paid();
    const refundId = newIntent();
    const first = await refund(id, 1_000n, refundId);
    at.razorpay.company.refundKeys.clear();
    expect(await refund(id, 1_000n, refundId)).toEqual(first);
    expect(at.razorpay.company.refunds.size).toBe(1);
  });

  it('F96 that is being made at this moment leaves open what was done', async () => {
    const { id } = await at.paid();
    at.razorpay.fail('POST /payments/*/refund', 'conflict');
    expect(await refund(id, 270_000n)).toMatchObject({ kind: 'unknown' });
  });

  it('with another amount is refused', async () => {
    const { id } = await at.paid();
    const refundId = newIntent();
    await refund(id, 100_000n, refundId);
    expect(await refund(id, 90_000n, refundId)).toEqual({
      kind: 'refused',
      code: 'refund_of_another_amount',
    });
  });

  it('F98 of a payment that is older than six months is refused, and a person goes another way', async () => {
    const { id } = await at.paid();
    const before = newIntent();
    await refund(id, 100n, before);
    at.later({ hours: 24 * 200 });
    expect(await refund(id, 270_000n)).toEqual({ kind: 'refused', code: 'payment_too_old' });
    expect(answerOf(await refund(id, 100n, before))).toMatchObject({ reference: before });
  });

  it('F100 gives back a part and no more, and F103 never more than was taken', async () => {
    const { id } = await at.paid();
    expect(answerOf(await refund(id, 70_000n)).amount).toEqual(rupees(70_000n));
    expect(await refund(id, 200_001n)).toEqual({ kind: 'refused', code: 'refund_too_large' });
    expect(answerOf(await refund(id, 200_000n)).amount).toEqual(rupees(200_000n));
    expect(await refund(id, 100n)).toEqual({ kind: 'refused', code: 'refund_too_large' });
  });

  it('that is pending and then fails is told of, with what was given back besides', async () => {
    const { checkoutId } = await at.open();
    const { id } = at.razorpay.company.pay(checkoutId);
    at.razorpay.company.refundOutcomes.push('pending', 'processed');
    const [pending] = [answerOf(await refund(id, 70_000n)), answerOf(await refund(id, 100n))];
    const statuses = async () => {
      const state = answerOf(await at.gateway.readCheckout(checkoutId));
      return state.kind === 'payment' ? state.refunds.map((one) => one.status).sort() : [];
    };
    expect(await statuses()).toEqual(['pending', 'processed']);
    at.razorpay.company.settleRefund(pending.gatewayRefundId, 'failed');
    expect(await statuses()).toEqual(['failed', 'processed']);
  });

  it('F104 that somebody made at Razorpay itself is told of, without a reference', async () => {
    const { checkoutId } = await at.open();
    const { id } = at.razorpay.company.pay(checkoutId);
    at.razorpay.company.refund(id, { amount: 5_000 }, undefined);
    expect(answerOf(await at.gateway.readCheckout(checkoutId))).toMatchObject({
      status: 'succeeded',
      refunds: [{ reference: undefined, amount: rupees(5_000n) }],
    });
  });
});

describe('a dispute', () => {
  it('F101 is open while it is decided, and then won or lost', async () => {
    const { checkoutId } = await at.open();
    const { company } = at.razorpay;
    const { id } = company.pay(checkoutId);
    const dispute = company.dispute(id);
    const standing = async () => {
      const state = answerOf(await at.gateway.readCheckout(checkoutId));
      return state.kind === 'payment' ? state.dispute : undefined;
    };
    expect(await standing()).toMatchObject({ status: 'open', amount: rupees(270_000n) });
    company.decideDispute(dispute.id, 'under_review');
    expect(await standing()).toMatchObject({ status: 'open' });
    company.decideDispute(dispute.id, 'won');
    expect(await standing()).toMatchObject({ status: 'won' });
    company.decideDispute(company.dispute(id, 100).id, 'closed');
    expect((await standing())?.status).toBe('lost');
  });
});

describe('the list of payments', () => {
  it('names the intent of each, and ends', async () => {
    const { intentId, checkoutId } = await at.open();
    const { id } = at.razorpay.company.pay(checkoutId, 'captured', UPI);
    const all = await listed(at.gateway, at.clock.now().subtract({ hours: 1 }));
    expect(all.get(id)).toMatchObject({
      reference: intentId,
      status: 'succeeded',
      method: 'UPI meera@okbank',
    });
    expect(all.size).toBe(1);
  });

  it('goes on past a page, and leaves nothing out', async () => {
    const { company } = at.razorpay;
    for (let each = 0; each < 230; each++)
      company.pay(company.makeOrder({ amount: 100 + each, currency: 'INR' }).id);
    const first = answerOf(await at.gateway.listPayments(at.clock.now(), undefined));
    expect(first.payments.length).toBe(100);
    expect((await listed(at.gateway, at.clock.now())).size).toBe(230);
  });

  it('has an old payment of which something was given back, or that is disputed, since', async () => {
    const [given, disputed, old] = [await at.paid(), await at.paid(), await at.paid()];
    at.later({ hours: 24 * 60 });
    const since = at.clock.now();
    at.later({ hours: 1 });
    await refund(given.id, 100n);
    at.razorpay.company.dispute(disputed.id);
    const all = await listed(at.gateway, since);
    expect([...all.keys()].sort()).toEqual([given.id, disputed.id].sort());
    expect(all.get(given.id)?.refunds.length).toBe(1);
    expect(all.get(disputed.id)?.dispute?.status).toBe('open');
    expect(all.has(old.id)).toBe(false);
  });

  it('has a payment whose refund or dispute was begun before, and came to its end since', async () => {
    const [given, disputed] = [await at.paid(), await at.paid()];
    at.later({ hours: 24 * 40 });
    const dispute = at.razorpay.company.dispute(disputed.id);
    at.later({ hours: 24 * 50 });
    at.razorpay.company.refundOutcomes.push('pending');
    const pending = answerOf(await refund(given.id, 100n));
    at.later({ hours: 24 * 6 });
    const since = at.clock.now();
    at.razorpay.company.settleRefund(pending.gatewayRefundId, 'failed');
    at.razorpay.company.decideDispute(dispute.id, 'lost');
    const all = await listed(at.gateway, since);
    expect(all.get(given.id)?.refunds).toMatchObject([{ status: 'failed' }]);
    expect(all.get(disputed.id)?.dispute?.status).toBe('lost');
  });

  it('names the intent also where the checkout did not write it on the payment', async () => {
    const { checkoutId, intentId } = await at.open();
    const { id } = at.razorpay.company.pay(checkoutId);
    const payment = at.razorpay.company.payments.get(id);
    if (payment !== undefined) at.razorpay.company.payments.set(id, { ...payment, notes: {} });
    expect((await listed(at.gateway, at.clock.now())).get(id)?.reference).toBe(intentId);
  });

  it('has a payment that was begun days before and authorised late', async () => {
    const { id } = await at.paid('created');
    at.later({ hours: 24 * 3 });
    const since = at.clock.now();
    at.razorpay.company.decide(id, 'captured');
    expect((await listed(at.gateway, since)).get(id)?.status).toBe('succeeded');
  });

  it('goes on from no place that it did not name', async () => {
    const since = at.clock.now();
    for (const after of ['', 'payments', 'payments:-1', 'orders:0', 'payments:1e3'])
      expect(await at.gateway.listPayments(since, after)).toEqual({ kind: 'refused', code: 'no_such_page' });
  });
});

describe('the balance', () => {
  it('is what was captured, without what was given back and what banks have asked for', async () => {
    const { company } = at.razorpay;
    const [kept, given, disputed] = [await at.paid(), await at.paid(), await at.paid()];
    await at.paid('authorized');
    await at.paid({ failed: 'payment_cancelled' });
    company.refundOutcomes.push('pending');
    await refund(kept.id, 100n);
    await refund(given.id, 270_000n);
    company.dispute(disputed.id);
    expect(answerOf(await at.gateway.readBalance())).toEqual([rupees(270_000n)]);
  });

  it('I3 is what the list of payments adds up to, and what Razorpay holds, after any history', async () => {
    const act = fc.oneof(
      fc.record({
        do: fc.constant('pay' as const),
        outcome: fc.constantFrom('captured', 'authorized', 'failed'),
      }),
      fc.record({ do: fc.constant('charge' as const), fails: fc.boolean() }),
      fc.record({
        do: fc.constant('refund' as const),
        at: fc.nat(),
        minor: fc.integer({ min: 100, max: 270_000 }),
        pending: fc.boolean(),
      }),
      fc.record({ do: fc.constant('settle' as const), at: fc.nat(), fails: fc.boolean() }),
      fc.record({ do: fc.constant('dispute' as const), at: fc.nat() }),
      fc.record({
        do: fc.constant('decide' as const),
        at: fc.nat(),
        end: fc.constantFrom('won', 'lost', 'closed'),
      }),
      fc.record({ do: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 1_500 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 14 }), async (acts) => {
        at = await testAccount();
        try {
          const since = at.clock.now();
          await live(at, acts);
          const sum = [...(await listed(at.gateway, since)).values()].reduce(
            (all, one) => all + held(one),
            0n,
          );
          expect(sum).toBe(BigInt(at.razorpay.company.balance.get('INR') ?? 0));
          const [balance] = answerOf(await at.gateway.readBalance());
          expect(balance?.minor ?? 0n).toBe(sum);
        } finally {
          await at.razorpay.close();
        }
      }),
      { numRuns: 40 },
    );
  });
});

/** What is left of a payment, as the list tells of it. */
function held({ amount, dispute, refunds, status }: Listed): bigint {
  if (status !== 'succeeded') return 0n;
  const given = refunds.filter((one) => one.status === 'processed').map((one) => one.amount.minor);
  const asked = dispute === undefined || dispute.status === 'won' ? 0n : dispute.amount.minor;
  return given.reduce((left, minor) => left - minor, amount.minor) - asked;
}

type Act = { readonly do: string } & Partial<{
  outcome: string;
  fails: boolean;
  at: number;
  minor: number;
  pending: boolean;
  end: string;
  hours: number;
}>;

async function live(
  { chargeOrder, gateway, later, mandate, paid, razorpay }: TestAccount,
  acts: readonly Act[],
) {
  const { company } = razorpay;
  const token = await mandate();
  const one = <Kind>(all: Iterable<Kind>, index = 0): Kind | undefined => {
    const list = [...all];
    return list[index % Math.max(1, list.length)];
  };
  for (const act of acts) {
    switch (act.do) {
      case 'pay':
        await paid(act.outcome === 'failed' ? { failed: 'payment_cancelled' } : (act.outcome as 'captured'));
        break;
      case 'charge':
        company.debits.push(act.fails ? { failed: 'insufficient_funds' } : 'captured');
        await gateway.charge(chargeOrder(token));
        break;
      case 'refund': {
        const payment = one(company.payments.values(), act.at);
        company.refundOutcomes.splice(0, 1, act.pending ? 'pending' : 'processed');
        if (payment !== undefined)
          await gateway.refund({
            refundId: newIntent(),
            gatewayPaymentId: payment.id,
            amount: rupees(BigInt(act.minor ?? 100)),
          });
        break;
      }
      case 'settle': {
        const pending = one(
          [...company.refunds.values()].filter((refund) => refund.status === 'pending'),
          act.at,
        );
        if (pending !== undefined) company.settleRefund(pending.id, act.fails ? 'failed' : 'processed');
        break;
      }
      case 'dispute': {
        const disputed = new Set([...company.disputes.values()].map((dispute) => dispute.paymentId));
        const payment = one(
          [...company.payments.values()].filter(
            ({ id, status }) => status === 'captured' && !disputed.has(id),
          ),
          act.at,
        );
        if (payment !== undefined) company.dispute(payment.id);
        break;
      }
      case 'decide': {
        const open = one(
          [...company.disputes.values()].filter((dispute) => dispute.status === 'open'),
          act.at,
        );
        if (open !== undefined) company.decideDispute(open.id, act.end as 'won');
        break;
      }
      default:
        later({ hours: act.hours ?? 1 });
    }
  }
}
