import { sql } from 'kysely';
import type { Product } from '#entitlements';
import { type Db, type Tx, toInstant } from '#platform/db';
import { uuidv7 } from '#platform/ids';
import type { Money } from '#values/money';
import type { EndedReason, Standing, SubscriptionState } from './subscription.ts';

/** A subscription as it is kept. */
export type Subscription = Standing & {
  readonly id: string;
  readonly readerId: string;
  readonly product: Product;
  readonly planSlug: string;
  readonly planName: string;
  readonly price: Money;
  readonly country: string;
  readonly countryState: string | undefined;
  readonly createdAt: Temporal.Instant;
};

type SubscriptionRow = {
  id: string;
  reader_id: string;
  product: Product;
  plan_slug: string;
  plan_name: string;
  currency: string;
  amount_minor: bigint;
  months: number;
  zone: string;
  country: string;
  country_state: string | null;
  state: SubscriptionState;
  anchor_on: string | null;
  paid_through_on: string | null;
  cancel_on: string | null;
  ended_reason: EndedReason | null;
  created_at: string;
};

const COLUMNS = sql`s.id, s.reader_id, s.product, s.plan_slug, p.name as plan_name, s.currency, s.amount_minor, s.months,
  s.zone, s.country, s.country_state, s.state, s.anchor_on, s.paid_through_on, s.cancel_on, s.ended_reason, s.created_at`;

const day = (text: string | null) => (text === null ? undefined : Temporal.PlainDate.from(text));

function toSubscription(row: SubscriptionRow): Subscription {
  return {
    id: row.id,
    readerId: row.reader_id,
    product: row.product,
    planSlug: row.plan_slug,
    planName: row.plan_name,
    price: { minor: row.amount_minor, currency: row.currency },
    months: row.months,
    zone: row.zone,
    country: row.country,
    countryState: row.country_state ?? undefined,
    state: row.state,
    anchorOn: day(row.anchor_on),
    paidThroughOn: day(row.paid_through_on),
    cancelOn: day(row.cancel_on),
    endedReason: row.ended_reason ?? undefined,
    createdAt: toInstant(row.created_at),
  };
}

/** Every subscription that a reader has or had, newest first. */
export async function subscriptionsOf(db: Db, readerId: string): Promise<Subscription[]> {
  const { rows } = await sql<SubscriptionRow>`
    select ${COLUMNS} from billing.subscriptions s join billing.plans p on p.slug = s.plan_slug
    where s.reader_id = ${readerId} order by s.created_at desc, s.id desc`.execute(db);
  return rows.map(toSubscription);
}

export async function findSubscription(db: Db, id: string): Promise<Subscription | undefined> {
  const { rows } = await sql<SubscriptionRow>`
    select ${COLUMNS} from billing.subscriptions s join billing.plans p on p.slug = s.plan_slug
    where s.id = ${id}`.execute(db);
  return rows[0] === undefined ? undefined : toSubscription(rows[0]);
}

/** Holds a subscription for the rest of a transaction: what is decided about it is decided by one at a time. */
export async function lockSubscription(tx: Tx, id: string): Promise<Subscription | undefined> {
  const { rows } = await sql<SubscriptionRow>`
    select ${COLUMNS} from billing.subscriptions s join billing.plans p on p.slug = s.plan_slug
    where s.id = ${id} for update of s`.execute(tx);
  return rows[0] === undefined ? undefined : toSubscription(rows[0]);
}

/** The reader's subscription of a product that is not over, held for the rest of the transaction. */
export async function lockCurrent(
  tx: Tx,
  readerId: string,
  product: Product,
): Promise<Subscription | undefined> {
  const { rows } = await sql<SubscriptionRow>`
    select ${COLUMNS} from billing.subscriptions s join billing.plans p on p.slug = s.plan_slug
    where s.reader_id = ${readerId} and s.product = ${product} and s.state not in ('canceled', 'expired')
    for update of s`.execute(tx);
  return rows[0] === undefined ? undefined : toSubscription(rows[0]);
}

export type NewSubscription = Pick<
  Subscription,
  'readerId' | 'product' | 'planSlug' | 'price' | 'months' | 'zone' | 'country' | 'countryState'
>;

/** @returns its id, or undefined when another request has begun one of the same product a moment ago */
export async function insertSubscription(
  tx: Tx,
  given: NewSubscription,
  now: Temporal.Instant,
): Promise<string | undefined> {
  const id = uuidv7();
  const { rows } = await sql<{ id: string }>`
    insert into billing.subscriptions (id, reader_id, product, plan_slug, currency, amount_minor, months, zone, country,
      country_state, state, created_at)
    values (${id}, ${given.readerId}, ${given.product}, ${given.planSlug}, ${given.price.currency},
      ${given.price.minor}, ${given.months}, ${given.zone}, ${given.country}, ${given.countryState ?? null},
      'incomplete', ${now.toString()})
    on conflict (reader_id, product) where state not in ('canceled', 'expired') do nothing
    returning id`.execute(tx);
  return rows[0]?.id;
}

/** Changes what is bought while nothing is paid yet. */
export async function changeChoice(tx: Tx, id: string, given: NewSubscription): Promise<void> {
  await sql`
    update billing.subscriptions set plan_slug = ${given.planSlug}, currency = ${given.price.currency},
      amount_minor = ${given.price.minor}, months = ${given.months}, country = ${given.country},
      country_state = ${given.countryState ?? null}, version = version + 1
    where id = ${id} and state = 'incomplete'`.execute(tx);
}

/** Writes what a transition made of a subscription that is held. */
export async function saveStanding(
  tx: Tx,
  id: string,
  standing: Standing,
  now: Temporal.Instant,
): Promise<void> {
  const { anchorOn, cancelOn, endedReason, paidThroughOn, state } = standing;
  await sql`
    update billing.subscriptions set state = ${state}, anchor_on = ${anchorOn?.toString() ?? null},
      paid_through_on = ${paidThroughOn?.toString() ?? null}, cancel_on = ${cancelOn?.toString() ?? null},
      ended_reason = ${endedReason ?? null},
      ended_at = case when ${endedReason ?? null}::text is null then null else ${now.toString()}::timestamptz end,
      version = version + 1
    where id = ${id}`.execute(tx);
}

/** Adds to the subscription's history. */
export async function insertFact(
  tx: Tx,
  fact: { subscriptionId: string; fact: string; actor: string; reason?: string; at: Temporal.Instant },
): Promise<void> {
  await sql`
    insert into billing.subscription_facts (id, subscription_id, fact, actor, reason, at)
    values (${uuidv7()}, ${fact.subscriptionId}, ${fact.fact}, ${fact.actor}, ${fact.reason ?? ''},
      ${fact.at.toString()})`.execute(tx);
}

/** What happened to a subscription, in order. */
export type TimelineEntry = {
  readonly fact: string;
  readonly actor: string;
  readonly reason: string;
  readonly at: Temporal.Instant;
};

export async function timelineOf(db: Db, subscriptionId: string): Promise<TimelineEntry[]> {
  const { rows } = await sql<{ fact: string; actor: string; reason: string; at: string }>`
    select fact, actor, reason, at from billing.subscription_facts
    where subscription_id = ${subscriptionId} order by at, id`.execute(db);
  return rows.map((row) => ({ ...row, at: toInstant(row.at) }));
}

/** A paid stretch of a subscription. */
export type Term = {
  readonly id: string;
  readonly seq: number;
  readonly startOn: Temporal.PlainDate;
  /** The first day that is no longer paid. */
  readonly endOn: Temporal.PlainDate;
  readonly price: Money;
  readonly status: string;
};

export async function insertTerm(
  tx: Tx,
  subscriptionId: string,
  term: Pick<Term, 'seq' | 'startOn' | 'endOn' | 'price'>,
): Promise<string> {
  const id = uuidv7();
  await sql`
    insert into billing.terms (id, subscription_id, seq, start_on, end_on, currency, amount_minor, status)
    values (${id}, ${subscriptionId}, ${term.seq}, ${term.startOn.toString()}, ${term.endOn.toString()},
      ${term.price.currency}, ${term.price.minor}, 'paid')`.execute(tx);
  return id;
}

export async function termsOf(db: Db, subscriptionId: string): Promise<Term[]> {
  const { rows } = await sql<{
    id: string;
    seq: number;
    start_on: string;
    end_on: string;
    currency: string;
    amount_minor: bigint;
    status: string;
  }>`
    select id, seq, start_on, end_on, currency, amount_minor, status from billing.terms
    where subscription_id = ${subscriptionId} order by seq`.execute(db);
  return rows.map((row) => ({
    id: row.id,
    seq: row.seq,
    startOn: Temporal.PlainDate.from(row.start_on),
    endOn: Temporal.PlainDate.from(row.end_on),
    price: { minor: row.amount_minor, currency: row.currency },
    status: row.status,
  }));
}

/** Keeps what a reader agreed to, in the words that were shown. */
export async function insertConsent(
  tx: Tx,
  consent: {
    readonly readerId: string;
    readonly subscriptionId: string;
    readonly words: string;
    readonly price: Money;
    readonly months: number;
    readonly at: Temporal.Instant;
  },
): Promise<void> {
  const { at, months, price, readerId, subscriptionId, words } = consent;
  await sql`
    insert into billing.consents (id, reader_id, subscription_id, words, currency, amount_minor, months, at)
    values (${uuidv7()}, ${readerId}, ${subscriptionId}, ${words}, ${price.currency}, ${price.minor}, ${months},
      ${at.toString()})`.execute(tx);
}

/** What a reader agreed to, in the words that were shown, newest last. */
export async function consentsOf(
  db: Db,
  readerId: string,
): Promise<{ words: string; price: Money; months: number; at: Temporal.Instant }[]> {
  const { rows } = await sql<{
    words: string;
    currency: string;
    amount_minor: bigint;
    months: number;
    at: string;
  }>`
    select words, currency, amount_minor, months, at from billing.consents
    where reader_id = ${readerId} order by at, id`.execute(db);
  return rows.map(({ amount_minor, at, currency, months, words }) => ({
    words,
    price: { minor: amount_minor, currency },
    months,
    at: toInstant(at),
  }));
}

/** What falls due by the clock alone: an instant, and the subscription that it concerns. */
export type Due = { readonly subscriptionId: string; readonly at: Temporal.Instant };

/**
 * Subscriptions that fall due by `until`, the first first: those that were begun and not paid for `hours`, and those
 * whose reader cancelled them and whose last day is over.
 */
export async function dueSubscriptions(
  db: Db,
  until: Temporal.Instant,
  hours: number,
  limit: number,
): Promise<Due[]> {
  const { rows } = await sql<{ id: string; at: string }>`
    select id, at from (
      select id, created_at + make_interval(hours => ${hours}) as at from billing.subscriptions
      where state = 'incomplete'
      union all
      select id, cancel_on::timestamp at time zone zone from billing.subscriptions
      where cancel_on is not null and state not in ('canceled', 'expired')
    ) as due where at <= ${until.toString()} order by at, id limit ${limit}`.execute(db);
  return rows.map((row) => ({ subscriptionId: row.id, at: toInstant(row.at) }));
}
