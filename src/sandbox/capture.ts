import type { Money } from '#values/money';
import { isAnnounced, type Rail } from './methods.ts';

/** Money that was taken with a payment, and what has become of it since. */
export type Capture = {
  readonly paymentId: string;
  readonly amount: Money;
  readonly rail: Rail;
  readonly capturedAt: Temporal.Instant;
  /** Given back, or on its way to the payer. */
  readonly refundedMinor: bigint;
  /** Taken back by the payer's bank, for now or for good. */
  readonly disputedMinor: bigint;
  readonly openDispute: Dispute | undefined;
};

export type Refund = {
  readonly id: string;
  /** The merchant's; undefined where it was made at the company's dashboard. */
  readonly reference: string | undefined;
  readonly minor: bigint;
  readonly status: 'pending' | 'processed' | 'failed';
  /** Of a pending one: that it fails in the end. */
  readonly thenFails: boolean;
  readonly createdAt: Temporal.Instant;
  readonly changedAt: Temporal.Instant;
  readonly settlesAt: Temporal.Instant | undefined;
};

/** `open`: the money is gone and may come back. */
export type Dispute = {
  readonly id: string;
  readonly minor: bigint;
  readonly status: 'open' | 'won' | 'lost';
  readonly createdAt: Temporal.Instant;
  readonly changedAt: Temporal.Instant;
};

/** A line of the company's book: what came, above zero, and what went, below. */
export type Movement = {
  readonly kind: 'captured' | 'refunded' | 'disputed' | 'reinstated';
  readonly paymentId: string;
  /** The payment, the refund or the dispute. */
  readonly aboutId: string;
  readonly amount: Money;
  readonly at: Temporal.Instant;
};

export type ReturnEvent =
  | 'refund.pending'
  | 'refund.processed'
  | 'refund.failed'
  | 'dispute.opened'
  | 'dispute.won'
  | 'dispute.lost';

/** What one refund or dispute does to a capture, to the book, and what the merchant is told. */
export type Return = {
  readonly capture: Capture;
  readonly refund?: Refund;
  readonly dispute?: Dispute;
  readonly movement: Movement | undefined;
  readonly event: ReturnEvent;
  readonly at: Temporal.Instant;
};

/** Indian rails give nothing back of a payment that is older than this (as with Razorpay). */
const MONTHS_TO_REFUND = 6;
/** A bank behind UPI takes its time. */
const UPI_REFUND_DAYS = 1;

export type RefundRefusal = 'payment_disputed' | 'payment_too_old' | 'amount_above_refundable';

/** Why an amount of a capture cannot be given back; undefined where it can. */
export function refundRefusal(
  capture: Capture,
  minor: bigint,
  now: Temporal.Instant,
): RefundRefusal | undefined {
  // While a bank asks for the money, giving it back too would give it twice.
  if (capture.openDispute !== undefined) return 'payment_disputed';
  if (isAnnounced(capture.rail) && Temporal.Instant.compare(lastRefundAt(capture), now) < 0)
    return 'payment_too_old';
  return minor > leftOf(capture) ? 'amount_above_refundable' : undefined;
}

function lastRefundAt({ capturedAt }: Capture): Temporal.Instant {
  return capturedAt.toZonedDateTimeISO('UTC').add({ months: MONTHS_TO_REFUND }).toInstant();
}

/** What of a capture is still with the company. */
function leftOf({ amount, disputedMinor, refundedMinor }: Capture): bigint {
  return amount.minor - refundedMinor - disputedMinor;
}

/** Begins a refund that nothing speaks against. What is on its way counts as gone, so that it cannot go twice. */
export function beginRefund(
  capture: Capture,
  asked: { readonly id: string; readonly reference: string | undefined; readonly minor: bigint },
  fails: boolean,
  now: Temporal.Instant,
): Return {
  const pending: Refund = {
    ...asked,
    status: 'pending',
    thenFails: fails,
    createdAt: now,
    changedAt: now,
    settlesAt: now.add({ hours: 24 * UPI_REFUND_DAYS }),
  };
  const reserved = { ...capture, refundedMinor: capture.refundedMinor + asked.minor };
  return capture.rail === 'upi'
    ? { capture: reserved, refund: pending, movement: undefined, event: 'refund.pending', at: now }
    : settleRefund(reserved, pending, now);
}

/** What a refund's own time brings by `now`; undefined where nothing is due. */
export function dueRefund(capture: Capture, refund: Refund, now: Temporal.Instant): Return | undefined {
  const { settlesAt } = refund;
  if (settlesAt === undefined || Temporal.Instant.compare(settlesAt, now) > 0) return undefined;
  return settleRefund(capture, refund, settlesAt);
}

function settleRefund(capture: Capture, refund: Refund, at: Temporal.Instant): Return {
  const settled = { ...refund, changedAt: at, settlesAt: undefined, thenFails: false };
  if (refund.thenFails) {
    return {
      capture: { ...capture, refundedMinor: capture.refundedMinor - refund.minor },
      refund: { ...settled, status: 'failed' },
      movement: undefined,
      event: 'refund.failed',
      at,
    };
  }
  return {
    capture,
    refund: { ...settled, status: 'processed' },
    movement: moved(capture, 'refunded', refund.id, -refund.minor, at),
    event: 'refund.processed',
    at,
  };
}

/** The payer's bank takes back what is left; undefined where nothing is, or where it has asked already. */
export function openDispute(capture: Capture, id: string, now: Temporal.Instant): Return | undefined {
  const minor = leftOf(capture);
  if (capture.openDispute !== undefined || minor <= 0n) return undefined;
  const dispute: Dispute = { id, minor, status: 'open', createdAt: now, changedAt: now };
  return {
    capture: { ...capture, disputedMinor: capture.disputedMinor + minor, openDispute: dispute },
    dispute,
    movement: moved(capture, 'disputed', id, -minor, now),
    event: 'dispute.opened',
    at: now,
  };
}

/** The bank decides: the money comes back, or stays away. Undefined where there is nothing to decide. */
export function closeDispute(
  capture: Capture,
  status: 'won' | 'lost',
  now: Temporal.Instant,
): Return | undefined {
  const open = capture.openDispute;
  if (open === undefined) return undefined;
  const isBack = status === 'won';
  return {
    capture: {
      ...capture,
      disputedMinor: isBack ? capture.disputedMinor - open.minor : capture.disputedMinor,
      openDispute: undefined,
    },
    dispute: { ...open, status, changedAt: now },
    movement: isBack ? moved(capture, 'reinstated', open.id, open.minor, now) : undefined,
    event: `dispute.${status}`,
    at: now,
  };
}

function moved(
  { amount, paymentId }: Capture,
  kind: Movement['kind'],
  aboutId: string,
  minor: bigint,
  at: Temporal.Instant,
): Movement {
  return { kind, paymentId, aboutId, amount: { minor, currency: amount.currency }, at };
}
