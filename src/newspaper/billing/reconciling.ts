import { enqueue } from '#platform/queue';
import { SETTLE_CHECKOUT } from './asking.ts';
import type { Gateway, PaymentList } from './gateways/gateway.ts';
import { markForeign } from './inbox.store.ts';
import type { BillingParts } from './parts.ts';
import { type Kept, keptPayments } from './reconciling.query.ts';

/** How far back a gateway is asked: longer than it goes on sending a webhook that was not taken. */
const DAYS_BACK = 7;

/** Where a gateway's word and our books differ, and how often. */
export type Reconciliation = {
  readonly looked: number;
  /** It took or tried something that we know nothing of. */
  readonly missingHere: number;
  readonly amountDiffers: number;
  readonly statusDiffers: number;
  /** More went back than we know of, or a bank asks for it. */
  readonly returnsDiffer: number;
  /** Payments of which it knows no attempt of ours: a person has to look at them. */
  readonly unknown: readonly string[];
};

type Listed = PaymentList['payments'][number];
type Difference = Exclude<keyof Reconciliation, 'looked' | 'unknown'>;

/**
 * Holds what each gateway says of the last seven days against our books, and has everything that differs read again: through
 * the same door as a webhook, so that a webhook that was lost ends as one that came (billing, 1.10). Where nothing
 * differs nothing is written.
 *
 * @throws when one of them does not answer, so that a job tries again
 */
export async function reconcile(parts: BillingParts, now: Temporal.Instant): Promise<Reconciliation> {
  const since = now.subtract({ hours: 24 * DAYS_BACK });
  const held = await Promise.allSettled(parts.gateways.all.map((one) => reconcileWith(parts, one, since)));
  // That one does not answer keeps nobody from asking the others.
  const all = held.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
  // What no list has told of in all that time is about payments of somebody else who uses the same account.
  await markForeign(parts.db, since, now);
  const sum = (of: (one: Reconciliation) => number) => all.reduce((so, one) => so + of(one), 0);
  const unknown = all.flatMap((one) => one.unknown);
  if (unknown.length > 0)
    parts.log.error(
      { payments: unknown.slice(0, 20) },
      `${unknown.length} payments belong to no attempt of ours`,
    );
  return {
    looked: sum(({ looked }) => looked),
    missingHere: sum(({ missingHere }) => missingHere),
    amountDiffers: sum(({ amountDiffers }) => amountDiffers),
    statusDiffers: sum(({ statusDiffers }) => statusDiffers),
    returnsDiffer: sum(({ returnsDiffer }) => returnsDiffer),
    unknown,
  };
}

async function reconcileWith(
  { db }: BillingParts,
  gateway: Gateway,
  since: Temporal.Instant,
): Promise<Reconciliation> {
  const counts = { looked: 0, missingHere: 0, amountDiffers: 0, statusDiffers: 0, returnsDiffer: 0 };
  const unknown: string[] = [];
  let after: string | undefined;
  do {
    const listed = await gateway.listPayments(since, after);
    if (listed.kind !== 'ok')
      throw new Error(
        `${gateway.name} lists no payments: ${listed.kind === 'unknown' ? listed.reason : listed.code}`,
      );
    const { payments } = listed.value;
    const kept = await keptPayments(
      db,
      gateway.name,
      payments.map(({ gatewayPaymentId, reference }) => ({ gatewayPaymentId, reference })),
    );
    const toAsk = new Set<string>();
    for (const payment of payments) {
      counts.looked++;
      const ours = kept.get(payment.gatewayPaymentId);
      if (ours === undefined) {
        if (payment.status === 'succeeded') unknown.push(payment.gatewayPaymentId);
        continue;
      }
      const difference = differenceOf(payment, ours);
      if (difference === undefined) continue;
      counts[difference]++;
      toAsk.add(ours.intentId);
    }
    if (toAsk.size > 0)
      await enqueue(
        db,
        SETTLE_CHECKOUT,
        [...toAsk].map((intentId) => ({ intentId })),
      );
    after = listed.value.after;
  } while (after !== undefined);
  return { ...counts, unknown };
}

/** Where a payment differs from what is kept of it; undefined where it does not. Pure. */
export function differenceOf(theirs: Listed, ours: Kept): Difference | undefined {
  // Of what failed at a page only the newest try is kept, for its reader may have tried again there.
  if (ours.status === undefined) return theirs.status === 'failed' ? undefined : 'missingHere';
  if (theirs.amount.minor !== ours.minor || theirs.amount.currency !== ours.currency) return 'amountDiffers';
  // What went back or is asked back was taken.
  const isKeptAsTaken = ours.status === 'refunded' || ours.status === 'disputed';
  if (theirs.status !== (isKeptAsTaken ? 'succeeded' : ours.status)) return 'statusDiffers';
  const isSame =
    sumOf(theirs, 'processed') === ours.refunded &&
    sumOf(theirs, 'pending') === ours.refunding &&
    theirs.dispute?.status === ours.dispute;
  return isSame ? undefined : 'returnsDiffer';
}

function sumOf({ refunds }: Listed, status: 'processed' | 'pending'): bigint {
  return refunds.reduce((sum, one) => (one.status === status ? sum + one.amount.minor : sum), 0n);
}
