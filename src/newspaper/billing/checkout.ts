import type { Tx } from '#platform/db';
import { groupedOver, oneOfEach } from '#platform/grouped';
import { setReaderPlaces } from '#readers';
import { Conflict, Invalid } from '#values/errors';
import { isGstin, isGstinOf } from '#values/gstin';
import { latestOf } from '#values/instants';
import { isSameMoney, type Money } from '#values/money';
import { isPlace } from '#values/places';
import { dayAt } from '#values/term';
import { type Plan, priceFor } from './catalog.ts';
import {
  type ChargeIntent,
  insertIntents,
  isOpen,
  type NewIntent,
  newestIntents,
  setNext,
} from './charges.store.ts';
import { type Begun, closeCheckout, ELSEWHERE, type Elsewhere, openAtGateway } from './checkout-page.ts';
import { insertConsents, type NewConsent } from './consents.store.ts';
import { insertFacts, type NewFact } from './facts.store.ts';
import { type ChosenOffer, lockOffers, offerRefusal, reserveOffers } from './offers.store.ts';
import { type OfferRefusal, phasesOf } from './offers.ts';
import type { BillingParts } from './parts.ts';
import {
  type BuyerDetails,
  changeChoice,
  insertSubscriptions,
  lockCurrents,
  type NewSubscription,
  NO_DETAILS,
  type Subscription,
} from './subscriptions.store.ts';

/** What a reader has chosen and agreed to. */
export type Order = {
  readonly reader: { readonly id: string; readonly email: string };
  readonly plan: Plan;
  /** Other conditions to begin it on; undefined for the plan as it is. */
  readonly offer?: ChosenOffer | undefined;
  /** How many readers it is for; one unless said. */
  readonly seats?: number;
  /** Who buys, where that is a company. */
  readonly buyer?: BuyerDetails;
  /** ISO 3166-1, and the state's code in India: tax needs them. */
  readonly country: string;
  readonly state: string | undefined;
  /** The words that the reader agreed to, as they were shown. */
  readonly consent: string;
  /** Whether these words ask that it begins before the days of withdrawal are over. */
  readonly beginsAtOnce?: boolean;
  /** Where the browser goes on once the reader may read: a path of the paper. */
  readonly next: string;
};

/** It cannot be begun with the offer that was chosen. */
export type OfferRefused = { readonly kind: 'offer-refused'; readonly reason: OfferRefusal };

/**
 * Begins to sell, or goes on with what was begun: however often and in however many tabs a reader begins, there is one
 * subscription and one checkout that can be paid. It is written down before the gateway hears of it (billing, 1.5).
 */
export async function beginCheckout(
  parts: BillingParts,
  order: Order,
  now: Temporal.Instant,
): Promise<Begun | OfferRefused> {
  checkPlace(order);
  checkGroup(order);
  for (let tries = 0; tries < 5; tries++) {
    const planned = await plan(parts, { order, now });
    if (planned.kind === 'begun-elsewhere') continue;
    if (planned.kind === 'open') {
      const { name, months, slug } = order.plan;
      const page = {
        planName: name,
        price: priceFor(order.plan, order.seats ?? 1),
        months,
        returnPath: `/subscriptions/${planned.intent.subscriptionId}`,
        cancelPath: `/subscribe/${slug}`,
      };
      const opened = await openAtGateway(parts, planned.intent, order.reader, page, now);
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

/** More is a contract that people make with each other. */
export const MOST_SEATS = 1_000;

function checkGroup({ buyer, country, offer, seats = 1, state }: Order): void {
  if (!Number.isInteger(seats) || seats < 1 || seats > MOST_SEATS)
    throw new Invalid('bad-seats', `a subscription is for 1 to ${MOST_SEATS} readers`);
  if (seats > 1 && offer !== undefined)
    throw new Invalid('offer-for-one', 'an offer is for one reader, and not for a group');
  if (buyer !== undefined) checkBuyer(buyer, country, state);
}

/**
 * Which state a buyer is in decides how GST is split, so two that differ are not left for the invoice to choose from.
 *
 * @throws Invalid `bad-gstin`, `gstin-elsewhere`
 */
export function checkBuyer({ gstin }: BuyerDetails, country: string, state: string | undefined): void {
  if (gstin === '') return;
  if (!isGstin(gstin))
    throw new Invalid('bad-gstin', 'a GSTIN has 15 letters and digits, of which the last proves the others');
  if (!isGstinOf(gstin, country, state))
    throw new Invalid('gstin-elsewhere', 'that GSTIN is of another state than the one that was given');
}

type Planned =
  | { readonly kind: 'open'; readonly intent: ChargeIntent }
  | { readonly kind: 'close-first'; readonly intent: ChargeIntent }
  | Elsewhere
  | OfferRefused
  | Begun;

type Asked = { readonly order: Order; readonly now: Temporal.Instant };

/** Orders that come at once are planned together, with one statement for each kind of change. */
const plan = groupedOver(
  async (parts: BillingParts, asked: Asked[]): Promise<Planned[]> => {
    const planned = new Map<Asked, Planned>();
    // A reader's second click finds what the first one left.
    for (const some of oneOfEach(asked, ({ order }) => order.reader.id)) {
      const these = await parts.db.transaction().execute((tx) => planEach(parts, tx, some));
      for (const [one, result] of these) planned.set(one, result);
    }
    return asked.map((one) => planned.get(one) ?? ELSEWHERE);
  },
  { most: 50, inFlight: 1, apart: true },
);

/** An order on its way to an attempt to be paid. */
type Placed = {
  readonly asked: Asked;
  readonly subscriptionId: string;
  /** As it was begun before, and is not paid yet. */
  readonly known: Subscription | undefined;
};

/** @param asked at most one of each reader */
async function planEach(
  parts: BillingParts,
  tx: Tx,
  asked: readonly Asked[],
): Promise<ReadonlyMap<Asked, Planned>> {
  const now = latestOf(asked.map((one) => one.now));
  const planned = new Map<Asked, Planned>();
  await refuseOffers(parts, tx, asked, planned, now);
  const placed = await place(
    parts,
    tx,
    asked.filter((one) => !planned.has(one)),
    planned,
    now,
  );
  const open = await newestIntents(
    tx,
    placed.flatMap(({ known }) => (known === undefined ? [] : [known.id])),
  );
  const toCharge: Placed[] = [];
  for (const one of placed) {
    const intent = open.get(one.subscriptionId);
    if (intent !== undefined && isOpen(intent)) planned.set(one.asked, await goOn(tx, one, intent));
    else toCharge.push(one);
  }
  const intents = await agree(parts, tx, toCharge, now);
  toCharge.forEach((one, at) => {
    planned.set(one.asked, { kind: 'open', intent: intents[at] as ChargeIntent });
  });
  return planned;
}

/** Whoever counts how often an offer is taken holds it. @param planned gets the orders that cannot have theirs */
async function refuseOffers(
  parts: BillingParts,
  tx: Tx,
  asked: readonly Asked[],
  planned: Map<Asked, Planned>,
  now: Temporal.Instant,
): Promise<void> {
  const offered = asked.filter(({ order }) => order.offer !== undefined);
  if (offered.length === 0) return;
  // One of each at a time: what the first of a group takes, the next one counts.
  await lockOffers(
    tx,
    offered.map(({ order }) => order.offer?.offer.slug ?? ''),
  );
  const taken = new Set<string>();
  for (const one of offered) {
    const { offer, plan, reader } = one.order;
    if (offer === undefined) continue;
    const { slug } = offer.offer;
    const today = dayAt(now, parts.publication().zone);
    const reason = await offerRefusal(tx, offer, plan, reader.id, today);
    if (reason !== undefined) planned.set(one, { kind: 'offer-refused', reason });
    else if (taken.has(slug)) planned.set(one, ELSEWHERE);
    else taken.add(slug);
  }
}

/** Finds or begins the subscription of each order. @param planned gets those that end here */
async function place(
  parts: BillingParts,
  tx: Tx,
  asked: readonly Asked[],
  planned: Map<Asked, Planned>,
  now: Temporal.Instant,
): Promise<Placed[]> {
  const currents = await lockCurrents(
    tx,
    asked.map(({ order }) => order.reader.id),
  );
  const placed: Placed[] = [];
  const fresh: Asked[] = [];
  for (const one of asked) {
    const { plan, reader } = one.order;
    const known = currents.find((sub) => sub.readerId === reader.id && sub.product === plan.product);
    if (known === undefined) fresh.push(one);
    else if (known.state === 'incomplete') placed.push({ asked: one, subscriptionId: known.id, known });
    else planned.set(one, { kind: 'already-subscribed', subscriptionId: known.id });
  }
  const begun = await insertSubscriptions(
    tx,
    fresh.map(({ order }) => wantedBy(parts, order)),
    now,
  );
  const facts: NewFact[] = [];
  fresh.forEach((one, at) => {
    const subscriptionId = begun[at];
    if (subscriptionId === undefined) return;
    placed.push({ asked: one, subscriptionId, known: undefined });
    facts.push({ subscriptionId, fact: 'begun', actor: 'reader' });
  });
  await insertFacts(tx, facts, now);
  return placed;
}

function wantedBy(
  parts: BillingParts,
  { buyer = NO_DETAILS, country, offer, plan, reader, seats = 1, state }: Order,
): NewSubscription {
  return {
    readerId: reader.id,
    product: plan.product,
    planSlug: plan.slug,
    price: priceFor(plan, seats),
    seats,
    buyer,
    phases: offer === undefined ? [] : phasesOf(offer.offer, plan),
    months: plan.months,
    zone: parts.publication().zone,
    country,
    countryState: state,
    offerSlug: offer?.offer.slug,
    trialDays: offer?.offer.trialDays ?? 0,
  };
}

/** What is paid at once: nothing, where it begins with days that cost nothing. */
function firstAmount({ offer, plan, seats = 1 }: Order): Money {
  if (offer === undefined) return priceFor(plan, seats);
  if (offer.offer.trialDays > 0) return { ...plan.price, minor: 0n };
  return phasesOf(offer.offer, plan)[0]?.price ?? plan.price;
}

/** With an attempt that may still be paid: it is that one, unless something else is bought now. */
async function goOn(tx: Tx, { asked: { order }, known }: Placed, open: ChargeIntent): Promise<Planned> {
  if (open.status === 'pending') return { kind: 'confirming', subscriptionId: open.subscriptionId };
  const same =
    known?.planSlug === order.plan.slug &&
    isSameMoney(open.amount, firstAmount(order)) &&
    known.offerSlug === order.offer?.offer.slug &&
    known.seats === (order.seats ?? 1) &&
    isSameBuyer(known.buyer, order.buyer ?? NO_DETAILS) &&
    known.country === order.country &&
    known.countryState === order.state;
  if (!same) return { kind: 'close-first', intent: open };
  await setNext(tx, open.id, order.next);
  return { kind: 'open', intent: { ...open, next: order.next } };
}

function isSameBuyer(one: BuyerDetails, other: BuyerDetails): boolean {
  return one.name === other.name && one.address === other.address && one.gstin === other.gstin;
}

/** Keeps what readers chose and agreed to, and that they are about to be asked for the money. */
async function agree(
  parts: BillingParts,
  tx: Tx,
  placed: readonly Placed[],
  now: Temporal.Instant,
): Promise<ChargeIntent[]> {
  for (const { asked, known } of placed)
    if (known !== undefined) await changeChoice(tx, known.id, wantedBy(parts, asked.order));
  await reserveOffers(
    tx,
    placed
      .filter(({ asked, known }) => asked.order.offer !== undefined || known?.offerSlug !== undefined)
      .map(({ asked: { order }, subscriptionId }) => ({
        subscriptionId,
        readerId: order.reader.id,
        chosen: order.offer,
      })),
    now,
  );
  await setReaderPlaces(
    tx,
    placed.map(({ asked: { order } }) => ({
      readerId: order.reader.id,
      country: order.country,
      state: order.state,
    })),
  );
  await insertConsents(
    tx,
    placed.map(
      ({ asked: { order }, subscriptionId }): NewConsent => ({
        readerId: order.reader.id,
        subscriptionId,
        words: order.consent,
        beginsAtOnce: order.beginsAtOnce ?? false,
        price: priceFor(order.plan, order.seats ?? 1),
        months: order.plan.months,
      }),
    ),
    now,
  );
  return insertIntents(
    tx,
    placed.map(
      ({ asked: { order }, subscriptionId }): NewIntent => ({
        subscriptionId,
        termSeq: 0,
        gateway: parts.gateways.taking(order.plan.price.currency).name,
        amount: firstAmount(order),
        next: order.next,
        mandateId: undefined,
        invoiceId: undefined,
        notBefore: undefined,
      }),
    ),
    now,
  );
}
