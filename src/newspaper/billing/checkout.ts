import { setReaderPlace } from '#readers';
import { Conflict, Invalid } from '#values/errors';
import { isSameMoney } from '#values/money';
import { isPlace } from '#values/places';
import type { Plan } from './catalog.ts';
import {
  type ChargeIntent,
  insertIntent,
  isOpen,
  newestIntent,
  noteCheckout,
  setIntentStatus,
  setNext,
} from './charges.store.ts';
import type { BillingParts } from './parts.ts';
import { settleIntent } from './settling.ts';
import {
  changeChoice,
  insertConsent,
  insertFact,
  insertSubscription,
  lockCurrent,
  type NewSubscription,
} from './subscriptions.store.ts';

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
    if (planned.kind === 'open') {
      const opened = await openCheckout(parts, order, planned.intent);
      if (opened.kind === 'begun-elsewhere') continue;
      return opened;
    }
    if (planned.kind !== 'close-first') return planned;
    // Another plan was chosen: the checkout of the one before is closed before a second one can be paid.
    const closed = await closeCheckout(parts, planned.intent, now);
    if (closed !== 'closed') {
      const kind = closed === 'unknown' ? 'try-again' : 'confirming';
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
  | Elsewhere
  | Begun;
/** In another tab, between two of our statements: to be looked at again. */
type Elsewhere = { readonly kind: 'begun-elsewhere' };

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
        isSameMoney(open.amount, wanted.price) &&
        known.country === wanted.country &&
        known.countryState === wanted.countryState;
      if (!same) return { kind: 'close-first', intent: open };
      await setNext(tx, open.id, order.next);
      return { kind: 'open', intent: { ...open, next: order.next } };
    }
    if (known !== undefined) await changeChoice(tx, subscriptionId, wanted);
    await setReaderPlace(tx, order.reader.id, order);
    await insertConsent(tx, {
      readerId: order.reader.id,
      subscriptionId,
      words: order.consent,
      price: wanted.price,
      months: wanted.months,
      at: now,
    });
    const intent = await insertIntent(
      tx,
      { subscriptionId, termSeq: 0, gateway: parts.gateway.name, amount: wanted.price, next: order.next },
      now,
    );
    return { kind: 'open', intent };
  });
}

async function openCheckout(
  parts: BillingParts,
  order: Order,
  intent: ChargeIntent,
): Promise<Begun | Elsewhere> {
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
      if (await noteCheckout(parts.db, intent.id, opened.value)) {
        return { kind: 'pay', subscriptionId, url: opened.value.url };
      }
      // Another tab chose another plan meanwhile, before there was a checkout to close: this one is never to be paid.
      await parts.gateway.expireCheckout(opened.value.checkoutId);
      return { kind: 'begun-elsewhere' };
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

/**
 * Sees to it that nothing of a subscription is paid any more, or finds that it was, or will be.
 *
 * @returns `pending` while a bank decides, and `unknown` where the gateway does not answer
 */
export async function closeOpenCheckout(
  parts: BillingParts,
  subscriptionId: string,
  now: Temporal.Instant,
): Promise<'closed' | 'paid' | 'pending' | 'unknown'> {
  const intent = await newestIntent(parts.db, subscriptionId);
  if (intent === undefined || !isOpen(intent)) return 'closed';
  if (intent.status === 'pending') return 'pending';
  return closeCheckout(parts, intent, now);
}

/** Sees to it that an open checkout is never paid, or finds that it was. */
async function closeCheckout(
  parts: BillingParts,
  intent: ChargeIntent,
  now: Temporal.Instant,
): Promise<'closed' | 'paid' | 'pending' | 'unknown'> {
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
    const settled = await newestIntent(db, intent.subscriptionId);
    return settled?.status === 'pending' ? 'pending' : 'paid';
  }
  await setIntentStatus(db, intent.id, 'canceled');
  return 'closed';
}
