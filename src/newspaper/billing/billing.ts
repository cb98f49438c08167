import { type ChangeFeed, keepCurrent } from '#platform/change-feed';
import type { Db } from '#platform/db';
import { listOffers } from './catalog.store.ts';
import { type Plan, plansOn } from './catalog.ts';

export type { Plan } from './catalog.ts';

/** The plans on sale today, as they are now known to this process. */
export async function openCatalog(
  db: Db,
  changes: ChangeFeed,
  today: () => Temporal.PlainDate,
): Promise<() => readonly Plan[]> {
  const offers = await keepCurrent(changes, ['billing.plans', 'billing.prices', 'publication.settings'], () =>
    listOffers(db),
  );
  return () => plansOn(offers(), today());
}
export { type Broken, brokenBooks, gatewayFigures, INVARIANT_COUNT, takenThrough } from './books.query.ts';
export type { ChargeIntent, Payment } from './charges.store.ts';
export { findIntentByCheckout, newestIntent, paymentsOf } from './charges.store.ts';
export { type Begun, beginCheckout, closeOpenCheckout, type Order } from './checkout.ts';
export { nextDueAt, settleDue } from './due.ts';
export { countedGateway } from './gateways/counted.ts';
export type { Gateway } from './gateways/gateway.ts';
export { noGateway } from './gateways/none.ts';
export {
  type CheckoutPage,
  type RazorpayAccount,
  type RazorpayPages,
  razorpayGateway,
  razorpayPages,
} from './gateways/razorpay.ts';
export { sandboxGateway } from './gateways/sandbox.ts';
export { resendReceipt } from './letters.ts';
export type { BillingParts } from './parts.ts';
export { findReceipt, hasReceipt, type Receipt, receiptLines } from './receipts.ts';
export { askLater, askOpen, askUnanswered, SETTLE_CHECKOUT, settleIntent, takeEvent } from './settling.ts';
export { cancelSubscription, resumeSubscription } from './standing.ts';
export { canBeCancelled, isOver, type SubscriptionState } from './subscription.ts';
export {
  consentsOf,
  findSubscription,
  type Subscription,
  subscriptionsOf,
  type Term,
  type TimelineEntry,
  termsOf,
  timelineOf,
} from './subscriptions.store.ts';
