import { type ChangeFeed, keepCurrent } from '#platform/change-feed';
import type { Db } from '#platform/db';
import { listPlans } from './catalog.store.ts';
import type { Plan } from './catalog.ts';

export type { Plan } from './catalog.ts';
export { listPlans };

/** The plans on sale, as they are now known to this process. */
export function openCatalog(
  db: Db,
  changes: ChangeFeed,
  today: () => Temporal.PlainDate,
): Promise<() => readonly Plan[]> {
  return keepCurrent(changes, ['billing.plans', 'billing.prices', 'publication.settings'], () =>
    listPlans(db, today()),
  );
}
export type { ChargeIntent, Payment } from './charges.store.ts';
export { newestIntent, paymentsOf } from './charges.store.ts';
export {
  askLater,
  type Begun,
  type BillingParts,
  beginCheckout,
  cancelSubscription,
  nextDueAt,
  type Order,
  resendReceipt,
  resumeSubscription,
  SETTLE_CHECKOUT,
  settleDue,
  settleIntent,
  takeEvent,
} from './checkout.ts';
export type { Gateway } from './gateways/gateway.ts';
export { noGateway } from './gateways/none.ts';
export { sandboxGateway } from './gateways/sandbox.ts';
export { canBeCancelled, isOver, type SubscriptionState } from './subscription.ts';
export {
  findSubscription,
  type Subscription,
  subscriptionsOf,
  type Term,
  type TimelineEntry,
  termsOf,
  timelineOf,
} from './subscriptions.store.ts';
