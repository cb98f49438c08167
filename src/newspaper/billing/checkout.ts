import { BENEFITS_OF, giveGrants } from '#entitlements';
import { type MailPayload, type NewMail, postMail } from '#mail';
import type { Db, Tx } from '#platform/db';
import type { Logger } from '#platform/log';
import { enqueue } from '#platform/queue';
import type { Publication } from '#publication';
import { findReader } from '#readers';
import { Conflict, Invalid, NotFound } from '#values/errors';
import type { Money } from '#values/money';
import { isPlace } from '#values/places';
import { startOfDay } from '#values/term';
import type { Plan } from './catalog.ts';
import {
  type ChargeIntent,
  findIntent,
  insertEvent,
  insertIntent,
  markProcessed,
  newestIntent,
  noteCheckout,
  parkIntent,
  paymentsOf,
  savePayment,
  setIntentStatus,
  setNext,
} from './charges.store.ts';
import type { CheckoutState, Gateway, GatewayPayment } from './gateways/gateway.ts';
import { type Fact, isOver, transition } from './subscription.ts';
import {
  changeChoice,
  dueSubscriptions,
  findSubscription,
  insertConsent,
  insertFact,
  insertSubscription,
  insertTerm,
  lockCurrent,
  lockSubscription,
  type NewSubscription,
  type Subscription,
  saveStanding,
  subscriptionsOf,
  type Term,
  termsOf,
} from './subscriptions.store.ts';

/** Something that was begun and not paid is given up after this long, and its checkout closed. */
const HOURS_TO_PAY = 24;
/** Where a reader cancels: every receipt says so. */
const CANCEL_PATH = '/account/cancellation';
/** The task of jobs/tasks.ts that asks a gateway what became of a checkout. */
export const SETTLE_CHECKOUT = 'settle-checkout';

/** What billing works with. */
export type BillingParts = {
  readonly db: Db;
  readonly gateway: Gateway;
  readonly baseUrl: string;
  readonly publication: () => Publication;
  readonly log: Logger;
};

/** What a reader has chosen and agreed to. */
export type Order = {
  readonly reader: { readonly id: string; readonly email: string };
  readonly plan: Plan;
  /** ISO 3166-1, and the state's code in India: tax needs them. */
  readonly country: string;
  readonly state: string | undefined;
  /** The words that the reader agreed to, as they were shown. */
  readonly consent: string;
  /** Where the browser goes on once the reader may read: a path of the paper. */
  readonly next: string;
};

export type Begun =
  /** The gateway's own page, on which the reader pays. */
  | { readonly kind: 'pay'; readonly subscriptionId: string; readonly url: string }
  /** Something is being paid just now: to be waited for. */
  | { readonly kind: 'confirming'; readonly subscriptionId: string }
  | { readonly kind: 'already-subscribed'; readonly subscriptionId: string }
  /** The gateway does not answer; nothing was charged, and trying again goes on from here. */
  | { readonly kind: 'try-again'; readonly subscriptionId: string };

/**
 * Begins to sell, or goes on with what was begun: however often and in however many tabs a reader begins, there is one
 * subscription and one checkout that can be paid. It is written down before the gateway hears of it (billing, 1.5).
 */
export async function beginCheckout(
  parts: BillingParts,
  order: Order,
  now: Temporal.Instant,
): Promise<Begun> {
  checkPlace(order);
  for (let tries = 0; tries < 5; tries++) {
    const planned = await plan(parts, order, now);
    if (planned.kind === 'begun-elsewhere') continue;
    if (planned.kind === 'open') return openCheckout(parts, order, planned.intent);
    if (planned.kind !== 'close-first') return planned;
    // Another plan was chosen: the checkout of the one before is closed before a second one can be paid.
    const closed = await closeCheckout(parts, planned.intent, now);
    if (closed !== 'closed') {
      const kind = closed === 'paid' ? 'confirming' : 'try-again';
      return { kind, subscriptionId: planned.intent.subscriptionId };
    }
  }
  throw new Conflict('begun-elsewhere', 'another window is buying at this moment');
}

function checkPlace({ country, state }: Order): void {
  if (isPlace(country, state)) return;
  throw new Invalid('bad-place', 'tax needs the country, such as IN, and in India the state, such as KA');
}

type Planned =
  | { readonly kind: 'open'; readonly intent: ChargeIntent }
  | { readonly kind: 'close-first'; readonly intent: ChargeIntent }
  /** In another tab, between two of our statements: to be looked at again. */
  | { readonly kind: 'begun-elsewhere' }
  | Begun;

async function plan(parts: BillingParts, order: Order, now: Temporal.Instant): Promise<Planned> {
  const wanted: NewSubscription = {
    readerId: order.reader.id,
    product: order.plan.product,
    planSlug: order.plan.slug,
    price: order.plan.price,
    months: order.plan.months,
    zone: parts.publication().zone,
    country: order.country,
    countryState: order.state,
  };
  return parts.db.transaction().execute(async (tx): Promise<Planned> => {
    const known = await lockCurrent(tx, order.reader.id, order.plan.product);
    if (known !== undefined && known.state !== 'incomplete') {
      return { kind: 'already-subscribed', subscriptionId: known.id };
    }
    const subscriptionId = known?.id ?? (await insertSubscription(tx, wanted, now));
    if (subscriptionId === undefined) return { kind: 'begun-elsewhere' };
    if (known === undefined)
      await insertFact(tx, { subscriptionId, fact: 'begun', actor: 'reader', at: now });
    const open = await newestIntent(tx, subscriptionId);
    if (open !== undefined && isOpen(open)) {
      if (open.status === 'pending') return { kind: 'confirming', subscriptionId };
      const same =
        known?.planSlug === wanted.planSlug &&
        sameMoney(open.amount, wanted.price) &&
        known.country === wanted.country &&
        known.countryState === wanted.countryState;
      if (!same) return { kind: 'close-first', intent: open };
      await setNext(tx, open.id, order.next);
      return { kind: 'open', intent: { ...open, next: order.next } };
    }
    await changeChoice(tx, subscriptionId, wanted);
    await insertConsent(tx, {
      readerId: order.reader.id,
      subscriptionId,
      words: order.consent,
      price: wanted.price,
      months: wanted.months,
      at: now,
    });
    const id = await insertIntent(
      tx,
      { subscriptionId, termSeq: 0, gateway: parts.gateway.name, amount: wanted.price, next: order.next },
      now,
    );
    const intent = await findIntent(tx, { id });
    if (intent === undefined) throw new Error(`the charge intent ${id} was written and is gone`);
    return { kind: 'open', intent };
  });
}

function isOpen({ status }: ChargeIntent): boolean {
  return status !== 'succeeded' && status !== 'failed' && status !== 'canceled';
}

function sameMoney(a: Money, b: Money): boolean {
  return a.minor === b.minor && a.currency === b.currency;
}

async function openCheckout(parts: BillingParts, order: Order, intent: ChargeIntent): Promise<Begun> {
  const { subscriptionId } = intent;
  if (intent.checkoutUrl !== undefined) return { kind: 'pay', subscriptionId, url: intent.checkoutUrl };
  const opened = await parts.gateway.openCheckout({
    intentId: intent.id,
    amount: intent.amount,
    description: `${parts.publication().name}: ${order.plan.name}`,
    email: order.reader.email,
    returnUrl: `${parts.baseUrl}/subscriptions/${subscriptionId}`,
    cancelUrl: `${parts.baseUrl}/subscribe/${order.plan.slug}`,
  });
  switch (opened.kind) {
    case 'ok':
      await noteCheckout(parts.db, intent.id, opened.value);
      return { kind: 'pay', subscriptionId, url: opened.value.url };
    case 'refused':
      parts.log.error({ intentId: intent.id, code: opened.code }, 'the gateway refuses a checkout');
      await setIntentStatus(parts.db, intent.id, 'failed', { failureCode: opened.code });
      return { kind: 'try-again', subscriptionId };
    case 'unknown':
      parts.log.warn({ intentId: intent.id, reason: opened.reason }, 'the gateway does not answer');
      return { kind: 'try-again', subscriptionId };
    default:
      return opened satisfies never;
  }
}

/** Sees to it that an open checkout is never paid, or finds that it was. */
async function closeCheckout(
  parts: BillingParts,
  intent: ChargeIntent,
  now: Temporal.Instant,
): Promise<'closed' | 'paid' | 'unknown'> {
  const { db, gateway } = parts;
  let { checkoutId } = intent;
  if (checkoutId === undefined) {
    const found = await gateway.findCheckout(intent.id);
    if (found.kind !== 'ok') return 'unknown';
    if (found.value === undefined) {
      await setIntentStatus(db, intent.id, 'canceled');
      return 'closed';
    }
    await noteCheckout(db, intent.id, found.value);
    checkoutId = found.value.checkoutId;
  }
  const expired = await gateway.expireCheckout(checkoutId);
  if (expired.kind !== 'ok') return 'unknown';
  if (expired.value !== 'expired') {
    await settleIntent(parts, intent.id, now);
    return 'paid';
  }
  await setIntentStatus(db, intent.id, 'canceled');
  return 'closed';
}

// -------------------------------------------------------------------------------------------------------- settling

/**
 * Takes in what a gateway sent. A genuine event is kept, once, and says only which checkout to ask about; nothing that
 * it claims is believed.
 *
 * @returns whether it was genuine
 */
export async function takeEvent(
  parts: BillingParts,
  rawBody: Buffer,
  header: (name: string) => string | undefined,
  now: Temporal.Instant,
): Promise<boolean> {
  const { db, gateway } = parts;
  const event = gateway.verifyWebhook(rawBody, header);
  if (event.kind === 'forged') return false;
  await db.transaction().execute(async (tx) => {
    const checkoutId = event.kind === 'event' ? event.checkoutId : undefined;
    const { eventId, type } = event;
    const isNew = await insertEvent(
      tx,
      { gateway: gateway.name, eventId, type, checkoutId, body: rawBody },
      now,
    );
    if (isNew && event.kind === 'event') await askLater(tx, event.reference);
  });
  return true;
}

/** Has a gateway asked what became of an intent, once however often that is wished. */
export async function askLater(on: Db | Tx, intentId: string): Promise<void> {
  await enqueue(on, SETTLE_CHECKOUT, { intentId }, { key: `settle ${intentId}` });
}

/**
 * Asks the gateway what became of an intent, and applies it: under the subscription's lock, so that a webhook, a
 * reader who comes back and the command line, all at once, have one effect.
 *
 * @throws when the gateway does not answer, so that a job tries again
 */
export async function settleIntent(
  parts: BillingParts,
  intentId: string,
  now: Temporal.Instant,
): Promise<void> {
  const { db, gateway, log } = parts;
  const intent = await findIntent(db, { id: intentId });
  if (intent === undefined) {
    log.warn({ intentId }, 'a gateway knows an order that this paper does not');
    return;
  }
  const found =
    intent.checkoutId === undefined
      ? await gateway.findCheckout(intent.id)
      : await gateway.readCheckout(intent.checkoutId);
  if (found.kind === 'unknown')
    throw new Error(`the gateway does not say what became of ${intentId}: ${found.reason}`);
  if (found.kind === 'refused') {
    log.error({ intentId, code: found.code }, 'the gateway refuses to say what became of a checkout');
    await parkIntent(db, intentId, `gateway: ${found.code}`);
    return;
  }
  if (found.value === undefined) return;
  const state: CheckoutState = 'state' in found.value ? found.value.state : found.value;
  if ('state' in found.value) await noteCheckout(db, intentId, found.value);
  await db.transaction().execute((tx) => apply(parts, tx, intentId, state, now));
  const checkoutId = intent.checkoutId ?? ('state' in found.value ? found.value.checkoutId : undefined);
  if (checkoutId !== undefined) await markProcessed(db, intent.gateway, checkoutId, now);
}

async function apply(
  parts: BillingParts,
  tx: Tx,
  intentId: string,
  state: CheckoutState,
  now: Temporal.Instant,
): Promise<void> {
  const before = await findIntent(tx, { id: intentId });
  const subscription = before && (await lockSubscription(tx, before.subscriptionId));
  // Read again under the lock: another may have been faster.
  const intent = await findIntent(tx, { id: intentId });
  if (intent === undefined || subscription === undefined) return;
  if (state.kind === 'payment') return applyPayment(parts, tx, intent, subscription, state, now);
  if (state.kind === 'expired' && isOpen(intent)) await setIntentStatus(tx, intentId, 'canceled');
}

async function applyPayment(
  parts: BillingParts,
  tx: Tx,
  intent: ChargeIntent,
  subscription: Subscription,
  payment: GatewayPayment,
  now: Temporal.Instant,
): Promise<void> {
  await savePayment(tx, intent, payment);
  if (intent.status === 'succeeded') return;
  if (payment.status === 'pending' || payment.status === 'requires_action') {
    if (isOpen(intent)) await setIntentStatus(tx, intent.id, payment.status);
    return;
  }
  if (payment.status === 'failed') {
    // At its own page the reader may try again, so the attempt stays open until the checkout closes.
    if (intent.status === 'pending') await tellFailed(tx, intent, subscription, now);
    if (isOpen(intent)) {
      await setIntentStatus(tx, intent.id, 'submitted', { failureCode: payment.failureCode });
    }
    return;
  }
  const wrong = whatIsWrong(intent, subscription, payment);
  await setIntentStatus(tx, intent.id, 'succeeded', wrong === undefined ? {} : { parkedReason: wrong });
  if (wrong !== undefined) {
    parts.log.error(
      { intentId: intent.id, subscriptionId: subscription.id },
      `money came that fits nothing: ${wrong}`,
    );
    await insertFact(tx, {
      subscriptionId: subscription.id,
      fact: 'parked',
      actor: intent.gateway,
      reason: wrong,
      at: now,
    });
    return;
  }
  await activate(parts, tx, intent, subscription, payment, now);
}

/** Why a payment that came is not simply taken: staff have to look at it, and nothing is done by itself. */
function whatIsWrong(
  intent: ChargeIntent,
  subscription: Subscription,
  payment: GatewayPayment,
): string | undefined {
  if (!sameMoney(payment.amount, intent.amount)) return 'the amount is another one than was asked for';
  if (intent.status === 'canceled' || isOver(subscription)) return 'it was paid after it was given up';
  if (subscription.state !== 'incomplete') return 'it was paid twice';
  return undefined;
}

/** Term, grants, history and receipt, in the transaction in which the payment is noted: all of it or nothing. */
async function activate(
  parts: BillingParts,
  tx: Tx,
  intent: ChargeIntent,
  subscription: Subscription,
  payment: GatewayPayment,
  now: Temporal.Instant,
): Promise<void> {
  const result = transition(subscription, { kind: 'paid' }, now);
  if (result.kind === 'unchanged' || result.term === undefined) return;
  const { standing, term } = result;
  await saveStanding(tx, subscription.id, standing, now);
  const termId = await insertTerm(tx, subscription.id, { ...term, price: subscription.price });
  await giveGrants(
    tx,
    {
      readerId: subscription.readerId,
      benefits: BENEFITS_OF[subscription.product],
      source: 'term',
      sourceId: termId,
      from: now,
      until: startOfDay(term.endOn, subscription.zone),
    },
    now,
  );
  await insertFact(tx, { subscriptionId: subscription.id, fact: 'paid', actor: intent.gateway, at: now });
  await mailReceipt(parts, tx, subscription, term, { ...payment, amount: intent.amount }, now);
}

/** What was paid, for what and until when, with everything that the seller has to say of itself. */
async function mailReceipt(
  parts: BillingParts,
  tx: Tx,
  subscription: Subscription,
  term: Pick<Term, 'startOn' | 'endOn'>,
  payment: Pick<GatewayPayment, 'amount' | 'at' | 'method' | 'gatewayPaymentId'>,
  now: Temporal.Instant,
): Promise<void> {
  const { sellerAddress, sellerName, name } = parts.publication();
  const payload = {
    planName: subscription.planName,
    amount: payment.amount,
    termFrom: term.startOn,
    termUntil: term.endOn,
    paidAt: payment.at,
    method: payment.method,
    paymentId: payment.gatewayPaymentId,
    sellerName: sellerName || name,
    sellerAddress,
    country: subscription.country,
    ...(subscription.countryState === undefined ? {} : { state: subscription.countryState }),
    renewsOn: term.endOn,
    cancelPath: CANCEL_PATH,
  };
  await mailReader(tx, subscription, { kind: 'receipt', payload }, now);
}

/**
 * Sends the receipt of a reader's newest paid term once more.
 *
 * @param record is called in the same transaction, where there is one to send
 */
export async function resendReceipt(
  parts: BillingParts,
  readerId: string,
  record: (tx: Tx) => Promise<void>,
  now: Temporal.Instant,
): Promise<'sent' | 'not-there'> {
  const paid = (await subscriptionsOf(parts.db, readerId)).find((one) => one.anchorOn !== undefined);
  const term = paid && (await termsOf(parts.db, paid.id)).findLast((one) => one.status === 'paid');
  const payment = (await paymentsOf(parts.db, readerId)).find((one) => one.status === 'succeeded');
  if (paid === undefined || term === undefined || payment === undefined) return 'not-there';
  await parts.db.transaction().execute(async (tx) => {
    await mailReceipt(parts, tx, paid, term, payment, now);
    await record(tx);
  });
  return 'sent';
}

async function tellFailed(
  tx: Tx,
  intent: ChargeIntent,
  subscription: Subscription,
  now: Temporal.Instant,
): Promise<void> {
  const payload = {
    planName: subscription.planName,
    amount: intent.amount,
    tryAgainPath: `/subscribe/${subscription.planSlug}`,
  };
  await mailReader(tx, subscription, { kind: 'payment-failed', payload }, now);
}

/** Mails the reader who owns a subscription; who has deleted the account since gets nothing. */
async function mailReader(
  tx: Tx,
  subscription: Pick<Subscription, 'readerId'>,
  mail: SubscriptionMail,
  now: Temporal.Instant,
): Promise<void> {
  const reader = await findReader(tx, { id: subscription.readerId });
  if (reader === undefined) return;
  await postMail(tx, { ...mail, to: reader.email, readerId: reader.id } as NewMail, now);
}

type SubscriptionMail = {
  readonly [Kind in 'receipt' | 'payment-failed' | 'subscription-ends' | 'subscription-goes-on']: {
    readonly kind: Kind;
    readonly payload: MailPayload<Kind>;
  };
}['receipt' | 'payment-failed' | 'subscription-ends' | 'subscription-goes-on'];

// ------------------------------------------------------------------------------------------------- what falls due

/** At once in one sitting: more are found by the next. */
const MOST_DUE = 500;

/** When the next subscription falls due, if that is by `until`. */
export async function nextDueAt(db: Db, until: Temporal.Instant): Promise<Temporal.Instant | undefined> {
  return (await dueSubscriptions(db, until, HOURS_TO_PAY, 1))[0]?.at;
}

/**
 * Does what has fallen due by the clock alone: gives up what was begun and never paid, and ends what its reader
 * cancelled. Safe to repeat, and to run in several processes at once.
 */
export async function settleDue(parts: BillingParts, now: Temporal.Instant): Promise<void> {
  for (const { subscriptionId } of await dueSubscriptions(parts.db, now, HOURS_TO_PAY, MOST_DUE)) {
    const subscription = await findSubscription(parts.db, subscriptionId);
    if (subscription?.state === 'incomplete') await giveUp(parts, subscription, now);
    else if (subscription !== undefined)
      await applyFact(parts, subscriptionId, { kind: 'day' }, 'the calendar', now);
  }
}

/** Closes the checkout at the gateway first: what cannot be paid any more can be given up, and nothing else. */
async function giveUp(parts: BillingParts, subscription: Subscription, now: Temporal.Instant): Promise<void> {
  const intent = await newestIntent(parts.db, subscription.id);
  if (intent !== undefined && isOpen(intent)) {
    const closed = await closeCheckout(parts, intent, now);
    if (closed !== 'closed') return;
  }
  await applyFact(parts, subscription.id, { kind: 'never paid' }, 'the calendar', now);
}

// --------------------------------------------------------------------------------------------- cancelling, and back

/** @returns the subscription as it then is, or undefined when the fact changes nothing */
async function applyFact(
  parts: BillingParts,
  subscriptionId: string,
  fact: Fact,
  actor: string,
  now: Temporal.Instant,
): Promise<Subscription | undefined> {
  return parts.db.transaction().execute(async (tx) => {
    const subscription = await lockSubscription(tx, subscriptionId);
    if (subscription === undefined) return undefined;
    const result = transition(subscription, fact, now);
    if (result.kind === 'unchanged') return undefined;
    const after = { ...subscription, ...result.standing };
    await saveStanding(tx, subscriptionId, result.standing, now);
    await insertFact(tx, { subscriptionId, fact: fact.kind, actor, at: now });
    await tellOf(tx, fact, after, now);
    return after;
  });
}

async function tellOf(tx: Tx, fact: Fact, after: Subscription, now: Temporal.Instant): Promise<void> {
  const { cancelOn, paidThroughOn, planName } = after;
  if (fact.kind === 'cancel' && cancelOn !== undefined) {
    const payload = { planName, endsOn: cancelOn, undoPath: '/account' };
    await mailReader(tx, after, { kind: 'subscription-ends', payload }, now);
  } else if (fact.kind === 'undo cancel' && paidThroughOn !== undefined) {
    const payload = { planName, renewsOn: paidThroughOn, cancelPath: CANCEL_PATH };
    await mailReader(tx, after, { kind: 'subscription-goes-on', payload }, now);
  }
}

/**
 * Says that a reader's subscription shall not renew; it runs to the end of what is paid.
 *
 * @param actor who says so: `reader`, `command line`, or a member of staff
 * @throws NotFound `no-subscription` when there is none that could be cancelled
 */
export async function cancelSubscription(
  parts: BillingParts,
  readerId: string,
  actor: string,
  now: Temporal.Instant,
): Promise<Subscription> {
  const current = (await subscriptionsOf(parts.db, readerId)).find((one) => !isOver(one));
  if (current !== undefined && current.cancelOn !== undefined) return current;
  const after = current && (await applyFact(parts, current.id, { kind: 'cancel' }, actor, now));
  if (after === undefined) throw new NotFound('no-subscription', 'there is no subscription to cancel');
  return after;
}

/**
 * Takes a cancellation back, while there is time.
 *
 * @throws NotFound `nothing-cancelled` when there is nothing to take back
 */
export async function resumeSubscription(
  parts: BillingParts,
  readerId: string,
  actor: string,
  now: Temporal.Instant,
): Promise<Subscription> {
  const current = (await subscriptionsOf(parts.db, readerId)).find((one) => !isOver(one));
  if (current !== undefined && current.state !== 'incomplete' && current.cancelOn === undefined)
    return current;
  const after = current && (await applyFact(parts, current.id, { kind: 'undo cancel' }, actor, now));
  if (after === undefined)
    throw new NotFound('nothing-cancelled', 'there is no cancelled subscription that could go on');
  return after;
}
