/** Who may use what, until when: benefits, and the dated grants that give them. */
export { BENEFITS, BENEFITS_OF, type Benefit, PRODUCTS, type Product } from './benefits.ts';
export { rememberGrants } from './grant-memory.ts';
export { forgetGrants, giveGrants, listGrants, type NewGrants, revokeGrants } from './grants.store.ts';
export { endOf, type Grant, type GrantSource, type Holding, holdingAt } from './grants.ts';
export {
  admitPrintSubscribers,
  type PrintChanges,
  type PrintSubscriber,
  takePrintSubscribers,
} from './print-subscribers.store.ts';
