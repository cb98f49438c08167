import { type ChangeFeed, keepCurrent } from '#platform/change-feed';
import type { Db } from '#platform/db';
import { isAmong } from '#values/term';
import { listPricedPlans } from './catalog.store.ts';
import { type Plan, plansOn } from './catalog.ts';
import { listOffers } from './offers.store.ts';
import type { Offer } from './offers.ts';

export { type Plan, priceFor } from './catalog.ts';

/** The plans on sale today, as they are now known to this process. */
export async function openCatalog(
  db: Db,
  changes: ChangeFeed,
  today: () => Temporal.PlainDate,
): Promise<() => readonly Plan[]> {
  const priced = await keepCurrent(changes, ['billing.plans', 'billing.prices', 'publication.settings'], () =>
    listPricedPlans(db),
  );
  return onDay(priced, today, plansOn);
}

/** The offers that are open today and need no code, as they are now known to this process. */
export async function openOffers(
  db: Db,
  changes: ChangeFeed,
  today: () => Temporal.PlainDate,
): Promise<() => readonly Offer[]> {
  const offers = await keepCurrent(changes, ['billing.offers', 'billing.offer_phases'], () => listOffers(db));
  return onDay(offers, today, (all, on) => all.filter((one) => !one.needsCode && isAmong(on, one)));
}

/** The same list until the day or what it is made from is another: pages are printed anew for another one. */
function onDay<From, To>(
  from: () => From,
  today: () => Temporal.PlainDate,
  make: (from: From, on: Temporal.PlainDate) => To,
): () => To {
  let kept: { from: From; day: string; made: To } | undefined;
  return () => {
    const [known, on] = [from(), today()];
    if (kept?.from !== known || kept.day !== on.toString())
      kept = { from: known, day: on.toString(), made: make(known, on) };
    return kept.made;
  };
}

export {
  agreedPrice,
  boughtNext,
  canBeCancelled,
  dearestAgreed,
  isGroup,
  isOver,
  type SubscriptionState,
} from './agreement.ts';
export { askLater, REVOKE_MANDATE, SETTLE_CHECKOUT } from './asking.ts';
export { type Broken, brokenBooks, gatewayFigures, heldBy, INVARIANT_COUNT } from './books.query.ts';
export { taxRates } from './books.store.ts';
export { listPricedPlans, setPrice } from './catalog.store.ts';
export {
  changeBuyer,
  changePlanLater,
  changeSeatsLater,
  endPause,
  pauseSubscription,
  releaseSubscription,
} from './changes.ts';
export {
  beginPriceChange,
  estimatePriceChange,
  type PriceEstimate,
  priceChangeFault,
  stopPriceChange,
} from './changing-prices.ts';
export type { ChargeIntent } from './charges.store.ts';
export { findIntentByCheckout, newestIntent } from './charges.store.ts';
export { beginCheckout, MOST_SEATS, type Order } from './checkout.ts';
export { type Begun, closeOpenCheckout } from './checkout-page.ts';
export { conditionWords, offerBeside, offerWords, termText } from './condition-words.ts';
export { consentsOf } from './consents.store.ts';
export { settleDue } from './due.ts';
export { type TimelineEntry, timelineOf } from './facts.store.ts';
export { countedGateway, type GatewayCalls } from './gateways/counted.ts';
export { GATEWAY_NAMES, type Gateway } from './gateways/gateway.ts';
export { besideEachOther, type Gateways } from './gateways/gateways.ts';
export {
  type CheckoutPage,
  type RazorpayAccount,
  type RazorpayPages,
  razorpayGateway,
  razorpayPages,
} from './gateways/razorpay.ts';
export { sandboxGateway } from './gateways/sandbox.ts';
export { examineStripe, type StripeAccount, stripeGateway } from './gateways/stripe.ts';
export { forgetGifts, type Gift, giftsOf, nextDeliveryAt } from './gifts.store.ts';
export { beginGift, deliverGifts, type GiftOrder, giftCode } from './gifts.ts';
export {
  type HelpingFact,
  helpWithSubscription,
  letGoOn,
  MOST_GIVEN_DAYS,
  resolveAttempt,
} from './helping.ts';
export type { CreditNote, Invoice } from './invoice.ts';
export { invoiceWords } from './invoice-words.ts';
export { creditNotesOf, invoicesOf } from './invoices.query.ts';
export { resendReceipt } from './letters.ts';
export { nextDueAt } from './looks.store.ts';
export {
  type ChosenOffer,
  endOffer,
  findOfferByCode,
  insertOffer,
  listOffers,
  offerFigures,
  offerRefusal,
} from './offers.store.ts';
export {
  OFFER_AUDIENCES,
  type Offer,
  type OfferAudience,
  type OfferPhase,
  type OfferRefusal,
  offerFault,
  phasesOf,
} from './offers.ts';
export { countParked, listParked, type Parked } from './parked.query.ts';
export type { BillingParts } from './parts.ts';
export {
  beginPayment,
  isOverdue,
  isPaidByHand,
  mayPayAhead,
  type Quote,
  quoteChange,
  quoteSeats,
  type SeatQuote,
} from './paying.ts';
export type { Payment } from './payments.store.ts';
export { paymentsOf } from './payments.store.ts';
export { type NewPriceChange, type PriceChangeFigures, priceChanges } from './price-changes.store.ts';
export { NOTICE_DAYS } from './price-changes.ts';
export { findReceipt, hasReceipt, type Receipt, receiptLines } from './receipts.ts';
export { type Reconciliation, reconcile } from './reconciling.ts';
export { findGift, type Redeemed, redeemGift } from './redeeming.ts';
export { type Taken, takenOf } from './refunds.store.ts';
export { askRefunds, leftOf, refundPayment, SEND_REFUND, seeToRefund, sendRefund } from './refunds.ts';
export { mandateFor, mayTake } from './renewal.ts';
export {
  type JournalPlace,
  journalPage,
  type MonthFigures,
  monthFigures,
  type Posting,
} from './revenue.query.ts';
export { churnPercent, endedIn, figureRows, JOURNAL_HEADINGS, journalRows } from './revenue-tables.ts';
export { PAUSE_DAYS } from './rights.ts';
export { forgetSeats, type Seat, seatsOfReader } from './seats.store.ts';
export {
  acceptSeat,
  capacityOf,
  findGroup,
  findInvitation,
  type Group,
  inviteToSeats,
  nameManager,
  withdrawSeat,
} from './seats.ts';
export { TRIAL_USED } from './settlement.ts';
export {
  askOpen,
  askUnanswered,
  READ_MANDATE,
  settleIntent,
  settleTold,
  takeEvent,
} from './settling.ts';
export {
  cancelSubscription,
  resumeSubscription,
  revokeMandate,
  settleMandate,
} from './standing.ts';
export {
  type BuyerDetails,
  findSubscription,
  newestSubscriptions,
  type Subscription,
  subscriptionsOf,
} from './subscriptions.store.ts';
export type { TaxRate } from './tax.ts';
export { setTaxRate } from './tax-rates.store.ts';
export { type Term, termsOf } from './terms.store.ts';
export { forgetOffersWanted } from './win-back.store.ts';
export { askBack, chooseOffers, readOffersLink } from './win-back.ts';
export { type Withdrawal, withdrawalOf, withdrawSubscription } from './withdrawing.ts';
