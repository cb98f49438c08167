import type { Tx } from '#platform/db';
import { dayAt } from '#values/term';
import type { PaidTerm } from './agreement.ts';
import { insertEntries } from './books.store.ts';
import type { ChargeIntent } from './charges.store.ts';
import type { GatewayDispute, GatewayPayment } from './gateways/gateway.ts';
import { disputed, disputeLost, disputeWon, type Entry } from './ledger.ts';
import type { BillingParts } from './parts.ts';
import {
  findDispute,
  hasOpenDispute,
  insertRefunds,
  markPayment,
  refundsOfPayments,
  saveDispute,
  takenOf,
} from './refunds.store.ts';
import { keepRefund, takeBack } from './refunds.ts';
import { applyFactIn } from './standing.ts';
import type { Fact } from './subscription.ts';
import { lockSubscription } from './subscriptions.store.ts';

/** A payment as a gateway tells of it, and the attempt that it was. */
type Told = {
  readonly intent: ChargeIntent;
  readonly subscription: { readonly id: string };
  readonly settlement: { readonly payment?: GatewayPayment };
};

/**
 * Keeps what gateways say went back of payments: refunds that the paper asked for, refunds that somebody made at the
 * gateway itself, and what payers' banks took. Few payments have any. @param tx holds the subscriptions' locks
 */
export async function projectReturns(
  parts: BillingParts,
  tx: Tx,
  told: readonly Told[],
  now: Temporal.Instant,
): Promise<void> {
  for (const { intent, settlement, subscription } of told) {
    const { payment } = settlement;
    if (payment === undefined) continue;
    if (payment.refunds.length > 0) await projectRefunds(parts, tx, intent, payment, subscription.id, now);
    if (payment.dispute !== undefined) await projectDispute(parts, tx, intent, payment, subscription.id, now);
  }
}

async function projectRefunds(
  parts: BillingParts,
  tx: Tx,
  { gateway }: ChargeIntent,
  { gatewayPaymentId, refunds }: GatewayPayment,
  subscriptionId: string,
  now: Temporal.Instant,
): Promise<void> {
  const known = await refundsOfPayments(tx, [gatewayPaymentId]);
  for (const said of refunds) {
    const ours = known.find(
      (one) => one.gatewayRefundId === said.gatewayRefundId || one.id === said.reference,
    );
    if (ours !== undefined) {
      await keepRefund(parts, tx, ours.id, said, now);
      continue;
    }
    if (said.status === 'failed') continue;
    // Made at the gateway, and not by us: the books follow.
    const [taken] = await takenOf(tx, { gatewayPaymentId });
    const subscription = await lockSubscription(tx, subscriptionId);
    if (taken === undefined || subscription === undefined) continue;
    const { amount, gatewayRefundId } = said;
    const by = { actor: gateway, reason: 'It was refunded at the gateway.' };
    const creditNoteId = await takeBack(parts, tx, { taken, amount, subscription, ...by }, now);
    const [id] = await insertRefunds(
      tx,
      [{ ...by, gateway, gatewayPaymentId, gatewayRefundId, amount, creditNoteId, status: 'pending' }],
      now,
    );
    if (id !== undefined) await keepRefund(parts, tx, id, said, now);
  }
}

async function projectDispute(
  parts: BillingParts,
  tx: Tx,
  { gateway, invoiceId }: ChargeIntent,
  { dispute, gatewayPaymentId }: GatewayPayment,
  subscriptionId: string,
  now: Temporal.Instant,
): Promise<void> {
  if (dispute === undefined) return;
  const { gatewayDisputeId, status } = dispute;
  const before = await findDispute(tx, gateway, gatewayDisputeId);
  const entries = disputeEntries(before?.status, dispute, gateway);
  if (entries === undefined) return;
  await saveDispute(tx, { ...dispute, gateway, gatewayPaymentId });
  await insertEntries(
    tx,
    entries.map((entry) => ({ entry, subscriptionId, invoiceId })),
    dayAt(now, parts.publication().zone),
    now,
  );
  await markPayment(tx, gateway, gatewayPaymentId, status === 'won' ? 'succeeded' : 'disputed');
  const subscription = await lockSubscription(tx, subscriptionId);
  const [taken] = await takenOf(tx, { gatewayPaymentId });
  if (subscription === undefined) return;
  const by = { actor: gateway };
  let is = subscription;
  const isOtherOpen = await hasOpenDispute(tx, subscriptionId);
  for (const fact of disputeFacts(before?.status, status, taken?.term, isOtherOpen))
    is = (await applyFactIn(parts, tx, is, fact, by, now)) ?? is;
}

/** What is booked where a bank asks for money, or has decided; undefined where that is known. What is decided stays so. */
export function disputeEntries(
  before: GatewayDispute['status'] | undefined,
  { amount, gatewayDisputeId, status }: GatewayDispute,
  gateway: string,
): Entry[] | undefined {
  if (before !== undefined && (before === status || before !== 'open')) return undefined;
  return [
    ...(before === undefined ? [disputed(gatewayDisputeId, gateway, amount)] : []),
    ...(status === 'won' ? [disputeWon(gatewayDisputeId, gateway, amount)] : []),
    ...(status === 'lost' ? [disputeLost(gatewayDisputeId, amount)] : []),
  ];
}

/**
 * What that is to the subscription, in order.
 *
 * @param term that was paid with the money
 * @param isOtherOpen whether a bank asks for other money of the same subscription: then it goes on waiting
 */
export function disputeFacts(
  before: GatewayDispute['status'] | undefined,
  status: GatewayDispute['status'],
  term: PaidTerm | undefined,
  isOtherOpen: boolean,
): Fact[] {
  const begun: Fact[] = before === undefined ? [{ kind: 'dispute' }] : [];
  if (status === 'open') return begun;
  if (status === 'won') return [...begun, ...(isOtherOpen ? [] : [{ kind: 'dispute won' } as const])];
  return [...begun, { kind: 'dispute lost', term }, ...(isOtherOpen ? [{ kind: 'dispute' } as const] : [])];
}
