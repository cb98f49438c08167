import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  answerOf,
  rupees,
  type TestAccount,
  testAccount,
} from '../../../../test/stand-ins/stripe-account.ts';
import { UPI, VISA } from '../../../../test/stand-ins/stripe-instruments.ts';
import { declined } from '../../../../test/stand-ins/stripe-payments.ts';
import type { Gateway, PaymentList } from './gateway.ts';

type Act =
  | { readonly do: 'pay'; readonly outcome: 'succeeded' | 'processing' | 'requires_action' | 'declined' }
  | { readonly do: 'charge'; readonly fails: boolean; readonly inRupees: boolean }
  | { readonly do: 'refund'; readonly at: number; readonly minor: number; readonly pending: boolean }
  | { readonly do: 'settle'; readonly at: number; readonly fails: boolean }
  | { readonly do: 'decide'; readonly at: number; readonly fails: boolean }
  | { readonly do: 'dispute'; readonly at: number; readonly isInquiry: boolean }
  | { readonly do: 'judge'; readonly at: number; readonly end: 'won' | 'lost' | 'under_review' }
  | { readonly do: 'wait'; readonly hours: number };

const ACT: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    do: fc.constant('pay' as const),
    outcome: fc.constantFrom('succeeded', 'succeeded', 'processing', 'requires_action', 'declined'),
  }),
  fc.record({ do: fc.constant('charge' as const), fails: fc.boolean(), inRupees: fc.boolean() }),
  fc.record({
    do: fc.constant('refund' as const),
    at: fc.nat(),
    minor: fc.integer({ min: 1, max: 3_000 }),
    pending: fc.boolean(),
  }),
  fc.record({ do: fc.constant('settle' as const), at: fc.nat(), fails: fc.boolean() }),
  fc.record({ do: fc.constant('decide' as const), at: fc.nat(), fails: fc.boolean() }),
  fc.record({ do: fc.constant('dispute' as const), at: fc.nat(), isInquiry: fc.boolean() }),
  fc.record({
    do: fc.constant('judge' as const),
    at: fc.nat(),
    end: fc.constantFrom('won', 'lost', 'under_review'),
  }),
  fc.record({ do: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 1_500 }) }),
);

it('I3 what the list adds up to is the balance, and what Stripe holds by its own sums, after any history', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(ACT, { maxLength: 16 }), async (acts) => {
      const at = await testAccount();
      try {
        const since = at.clock.now();
        await live(at, acts);
        const sums = new Map<string, number>();
        for (const [currency, minor] of (await listed(at.gateway, since)).map(held))
          sums.set(currency, (sums.get(currency) ?? 0) + minor);
        const balance = answerOf(await at.gateway.readBalance()).map(
          ({ currency, minor }): [string, number] => [currency.toLowerCase(), Number(minor)],
        );
        const theirs = [...at.stripe.company.balance];
        const some = (all: Iterable<[string, number]>) =>
          new Map([...all].filter(([, minor]) => minor !== 0));
        expect(some(sums)).toEqual(some(theirs));
        expect(some(balance)).toEqual(some(theirs));
        for (const [, minor] of theirs) expect(minor).toBeGreaterThanOrEqual(0);
      } finally {
        await at.stripe.close();
      }
    }),
    { numRuns: 20 },
  );
}, 60_000);

type Listed = PaymentList['payments'][number];

/** The whole list; of what came more than once, the last. */
async function listed(gateway: Gateway, since: Temporal.Instant): Promise<Listed[]> {
  const all = new Map<string, Listed>();
  let after: string | undefined;
  do {
    const page = answerOf(await gateway.listPayments(since, after));
    for (const one of page.payments) all.set(one.gatewayPaymentId, one);
    after = page.after;
  } while (after !== undefined);
  return [...all.values()];
}

/** What is left of a payment, as the list tells of it. */
function held({ amount, dispute, refunds, status }: Listed): [string, number] {
  const given = refunds.reduce((sum, one) => (one.status === 'processed' ? sum + one.amount.minor : sum), 0n);
  const asked = dispute === undefined || dispute.status === 'won' ? 0n : dispute.amount.minor;
  const left = status === 'succeeded' ? amount.minor - given - asked : 0n;
  return [amount.currency.toLowerCase(), Number(left)];
}

async function live(at: TestAccount, acts: readonly Act[]): Promise<void> {
  const { company } = at.stripe;
  const tokens = { gbp: await at.mandate(VISA), inr: await at.mandate(UPI) };
  const some = <One>(all: Iterable<One>, place: number): One | undefined => {
    const list = [...all];
    return list[place % Math.max(1, list.length)];
  };
  const withStatus = (...statuses: string[]) =>
    [...company.payments.values()].filter(({ status }) => statuses.includes(status));
  for (const act of acts) {
    switch (act.do) {
      case 'pay':
        await at.paid(act.outcome === 'declined' ? declined('insufficient_funds') : act.outcome);
        break;
      case 'charge':
        if (act.fails && !act.inRupees) company.debits.push(declined('insufficient_funds'));
        await at.gateway.charge(
          act.inRupees
            ? at.chargeOrder(tokens.inr, { rail: 'upi', amount: rupees(90_000n) })
            : at.chargeOrder(tokens.gbp),
        );
        break;
      case 'refund': {
        const payment = some(withStatus('succeeded'), act.at);
        if (payment === undefined) break;
        company.refundOutcomes.length = 0;
        company.refundOutcomes.push(act.pending ? 'pending' : 'succeeded');
        const amount = { minor: BigInt(act.minor), currency: payment.currency.toUpperCase() };
        await at.gateway.refund({ refundId: at.newIntent(), gatewayPaymentId: payment.id, amount });
        break;
      }
      case 'settle': {
        const refund = some(
          [...company.refunds.values()].filter(({ status }) => status === 'pending'),
          act.at,
        );
        if (refund !== undefined) company.settleRefund(refund.id, act.fails ? 'failed' : 'succeeded');
        break;
      }
      case 'decide': {
        const payment = some(withStatus('processing', 'requires_action'), act.at);
        if (payment !== undefined)
          company.decide(payment.id, act.fails ? declined('insufficient_funds') : 'succeeded');
        break;
      }
      case 'dispute': {
        const disputed = new Set([...company.disputes.values()].map(({ paymentId }) => paymentId));
        const payment = some(
          withStatus('succeeded').filter(({ id }) => !disputed.has(id)),
          act.at,
        );
        if (payment !== undefined) company.dispute(payment.id, { isInquiry: act.isInquiry });
        break;
      }
      case 'judge': {
        const open = [...company.disputes.values()].filter(({ status }) => !['won', 'lost'].includes(status));
        const dispute = some(
          open.filter(({ isWithdrawn }) => isWithdrawn),
          act.at,
        );
        if (dispute !== undefined) company.decideDispute(dispute.id, act.end);
        break;
      }
      case 'wait':
        at.later({ hours: act.hours });
    }
  }
}
