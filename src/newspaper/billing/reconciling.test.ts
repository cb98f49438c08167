import { describe, expect, it } from 'vitest';
import type { PaymentList } from './gateways/gateway.ts';
import { differenceOf } from './reconciling.ts';

const AT = Temporal.Instant.from('2026-11-23T06:30:00Z');
const RUPEES = (minor: bigint) => ({ minor, currency: 'INR' });

type Listed = PaymentList['payments'][number];
const theirs = (given: Partial<Listed> = {}): Listed => ({
  gatewayPaymentId: 'pay_1',
  reference: 'intent',
  status: 'succeeded',
  amount: RUPEES(90_000n),
  failureCode: undefined,
  failureKind: undefined,
  method: 'Visa ending 4242',
  at: AT,
  mandate: undefined,
  refunds: [],
  dispute: undefined,
  ...given,
});

type Kept = Parameters<typeof differenceOf>[1];
const ours = (given: Partial<Kept> = {}): Kept => ({
  intentId: 'intent',
  status: 'succeeded',
  minor: 90_000n,
  currency: 'INR',
  refunded: 0n,
  refunding: 0n,
  dispute: undefined,
  ...given,
});

const refund = (minor: bigint, status: 'pending' | 'processed' | 'failed' = 'processed') => ({
  gatewayRefundId: 're_1',
  reference: undefined,
  amount: RUPEES(minor),
  status,
  at: AT,
});
const dispute = (status: 'open' | 'won' | 'lost') => ({
  gatewayDisputeId: 'dp_1',
  amount: RUPEES(90_000n),
  status,
  at: AT,
});

describe('a payment that a gateway lists', () => {
  it.each([
    ['as we have it', theirs(), ours(), undefined],
    ['F41: that we never heard of', theirs(), ours({ status: undefined }), 'missingHere'],
    ['F41: that we gave up', theirs(), ours({ status: undefined }), 'missingHere'],
    [
      'that failed before its reader tried again',
      theirs({ status: 'failed' }),
      ours({ status: undefined }),
      undefined,
    ],
    ['of another amount', theirs({ amount: RUPEES(1n) }), ours(), 'amountDiffers'],
    ['in another currency', theirs({ amount: { minor: 90_000n, currency: 'USD' } }), ours(), 'amountDiffers'],
    ['that was taken while we wait', theirs(), ours({ status: 'pending' }), 'statusDiffers'],
    ['that failed while we wait', theirs({ status: 'failed' }), ours({ status: 'pending' }), 'statusDiffers'],
    ['F104: of which something went back', theirs({ refunds: [refund(5n)] }), ours(), 'returnsDiffer'],
    [
      'of which what went back is known',
      theirs({ refunds: [refund(90_000n)] }),
      ours({ refunded: 90_000n, status: 'refunded' }),
      undefined,
    ],
    [
      'of which something is on its way back',
      theirs({ refunds: [refund(5n, 'pending')] }),
      ours({ refunding: 5n }),
      undefined,
    ],
    [
      'F104: of which something is on its way back that we did not ask for',
      theirs({ refunds: [refund(5n, 'pending')] }),
      ours(),
      'returnsDiffer',
    ],
    [
      'of which nothing went back, though it was tried',
      theirs({ refunds: [refund(5n, 'failed')] }),
      ours(),
      undefined,
    ],
    ['that a bank asks back', theirs({ dispute: dispute('open') }), ours(), 'returnsDiffer'],
    [
      'that a bank took for good',
      theirs({ dispute: dispute('lost') }),
      ours({ dispute: 'open', status: 'disputed' }),
      'returnsDiffer',
    ],
    [
      'that a bank asks back, as we know',
      theirs({ dispute: dispute('open') }),
      ours({ dispute: 'open', status: 'disputed' }),
      undefined,
    ],
  ] as const)('%s', (_, listed, kept, difference) => {
    expect(differenceOf(listed, kept)).toBe(difference);
  });
});
