import { sql } from 'kysely';
import type { Product } from '#entitlements';
import { type Db, type Tx, toInstant } from '#platform/db';
import { uuidv7 } from '#platform/ids';
import { type Money, moneyRecord } from '#values/money';
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
  months_paid: number;
  next_seq: number;
  trial_ends_on: string | null;
  cancel_on: string | null;
  banked_days: number | null;
  resumes_on: string | null;
  pending_plan: string | null;
  pending_months: number | null;
  is_disputed: boolean;
  needs_method: boolean;
  ended_reason: EndedReason | null;
  created_at: string;
};

const COLUMNS = sql`s.id, s.reader_id, s.product, s.plan_slug, p.name as plan_name, s.currency, s.amount_minor, s.months,
  s.zone, s.country, s.country_state, s.state, s.anchor_on, s.months_paid, s.next_seq, s.paid_through_on, s.trial_ends_on,
  s.cancel_on, s.banked_days, s.resumes_on, s.pending_plan, s.pending_months, s.is_disputed, s.needs_method,
  s.ended_reason, s.created_at`;

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
    monthsPaid: row.months_paid,
    nextSeq: row.next_seq,
    paidThroughOn: day(row.paid_through_on),
    trialEndsOn: day(row.trial_ends_on),
    cancelOn: day(row.cancel_on),
    pause:
      row.resumes_on === null
        ? undefined
        : { bankedDays: row.banked_days ?? 0, resumesOn: Temporal.PlainDate.from(row.resumes_on) },
    pendingChange:
      row.pending_plan === null ? undefined : { planSlug: row.pending_plan, months: row.pending_months ?? 0 },
    isDisputed: row.is_disputed,
    needsMethod: row.needs_method,
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
  return (await lockSubscriptions(tx, [id])).get(id);
}

/** Several, in one order for all processes. */
export async function lockSubscriptions(
  tx: Tx,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Subscription>> {
  const { rows } = await sql<SubscriptionRow>`
    select ${COLUMNS} from billing.subscriptions s join billing.plans p on p.slug = s.plan_slug
    where s.id = any(${ids}::uuid[]) order by s.id for update of s`.execute(tx);
  return new Map(rows.map((row) => [row.id, toSubscription(row)]));
}

/** Readers' subscriptions that are not over, of whatever product, held for the rest of the transaction. */
export async function lockCurrents(tx: Tx, readerIds: readonly string[]): Promise<Subscription[]> {
  const { rows } = await sql<SubscriptionRow>`
    select ${COLUMNS} from billing.subscriptions s join billing.plans p on p.slug = s.plan_slug
    where s.reader_id = any(${readerIds}::uuid[]) and s.state not in ('canceled', 'expired')
    order by s.id for update of s`.execute(tx);
  return rows.map(toSubscription);
}

export type NewSubscription = Pick<
  Subscription,
  'readerId' | 'product' | 'planSlug' | 'price' | 'months' | 'zone' | 'country' | 'countryState'
>;

/**
 * Begins subscriptions, at most one of a product for each reader.
 *
 * @returns the id of each, in the order given; undefined where another request has begun one a moment ago
 */
export async function insertSubscriptions(
  tx: Tx,
  given: readonly NewSubscription[],
  now: Temporal.Instant,
): Promise<(string | undefined)[]> {
  if (given.length === 0) return [];
  // In one order for all processes: each waits for another's of the same reader, and none in a circle.
  const rows = given
    .map(({ price, ...one }) => ({
      ...one,
      id: uuidv7(),
      ...moneyRecord(price),
    }))
    .toSorted((a, b) => (a.readerId < b.readerId ? -1 : 1));
  const made = await sql<{ id: string; reader_id: string; product: string }>`
    insert into billing.subscriptions (id, reader_id, product, plan_slug, currency, amount_minor, months, zone, country,
      country_state, state, created_at)
    select id, "readerId", product, "planSlug", currency, minor, months, zone, country, "countryState", 'incomplete',
      ${now.toString()}
    from json_to_recordset(${JSON.stringify(rows)}::json) as new (
      id uuid, "readerId" uuid, product text, "planSlug" text, currency text, minor bigint, months integer, zone text,
      country text, "countryState" text)
    on conflict (reader_id, product) where state not in ('canceled', 'expired') do nothing
    returning id, reader_id, product`.execute(tx);
  const ids = new Map(made.rows.map((row) => [`${row.reader_id} ${row.product}`, row.id]));
  return given.map(({ product, readerId }) => ids.get(`${readerId} ${product}`));
}

/** Changes what is bought while nothing is paid yet. */
export async function changeChoice(tx: Tx, id: string, given: NewSubscription): Promise<void> {
  await sql`
    update billing.subscriptions set plan_slug = ${given.planSlug}, currency = ${given.price.currency},
      amount_minor = ${given.price.minor}, months = ${given.months}, country = ${given.country},
      country_state = ${given.countryState ?? null}, version = version + 1
    where id = ${id} and state = 'incomplete'`.execute(tx);
}

/** Writes what transitions made of subscriptions that are held. */
export async function saveStandings(
  tx: Tx,
  changed: readonly { readonly id: string; readonly standing: Standing }[],
  now: Temporal.Instant,
): Promise<void> {
  if (changed.length === 0) return;
  const rows = changed.map(({ id, standing }) => ({
    id,
    state: standing.state,
    months: standing.months,
    anchorOn: standing.anchorOn,
    monthsPaid: standing.monthsPaid,
    nextSeq: standing.nextSeq,
    paidThroughOn: standing.paidThroughOn,
    trialEndsOn: standing.trialEndsOn,
    cancelOn: standing.cancelOn,
    bankedDays: standing.pause?.bankedDays,
    resumesOn: standing.pause?.resumesOn,
    pendingPlan: standing.pendingChange?.planSlug,
    pendingMonths: standing.pendingChange?.months,
    isDisputed: standing.isDisputed,
    needsMethod: standing.needsMethod,
    endedReason: standing.endedReason,
  }));
  await sql`
    update billing.subscriptions s set state = now.state, months = now.months, anchor_on = now."anchorOn",
      months_paid = now."monthsPaid", next_seq = now."nextSeq", paid_through_on = now."paidThroughOn",
      trial_ends_on = now."trialEndsOn", cancel_on = now."cancelOn", banked_days = now."bankedDays",
      resumes_on = now."resumesOn", pending_plan = now."pendingPlan", pending_months = now."pendingMonths",
      is_disputed = now."isDisputed", needs_method = now."needsMethod", ended_reason = now."endedReason",
      ended_at = case when now."endedReason" is null then null else coalesce(s.ended_at, ${now.toString()}::timestamptz) end,
      version = s.version + 1
    from json_to_recordset(${JSON.stringify(rows)}::json) as now (
      id uuid, state text, months integer, "anchorOn" date, "monthsPaid" integer, "nextSeq" integer, "paidThroughOn" date,
      "trialEndsOn" date, "cancelOn" date, "bankedDays" integer, "resumesOn" date, "pendingPlan" text,
      "pendingMonths" integer, "isDisputed" boolean, "needsMethod" boolean, "endedReason" text)
    where s.id = now.id`.execute(tx);
}

export type NewFact = {
  readonly subscriptionId: string;
  readonly fact: string;
  readonly actor: string;
  readonly reason?: string | undefined;
};

/** Adds to the histories of subscriptions. */
export async function insertFacts(tx: Tx, facts: readonly NewFact[], at: Temporal.Instant): Promise<void> {
  if (facts.length === 0) return;
  const rows = facts.map((one) => ({ reason: '', ...one, id: uuidv7() }));
  await sql`
    insert into billing.subscription_facts (id, subscription_id, fact, actor, reason, at)
    select id, "subscriptionId", fact, actor, reason, ${at.toString()}
    from json_to_recordset(${JSON.stringify(rows)}::json) as new (
      id uuid, "subscriptionId" uuid, fact text, actor text, reason text)`.execute(tx);
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

/** A term that begins, and has its id already. */
export type NewTerm = Pick<Term, 'id' | 'seq' | 'startOn' | 'endOn' | 'price'> & {
  readonly subscriptionId: string;
};

export async function insertTerms(tx: Tx, terms: readonly NewTerm[]): Promise<void> {
  if (terms.length === 0) return;
  const rows = terms.map(({ price, ...one }) => ({
    ...one,
    ...moneyRecord(price),
  }));
  await sql`
    insert into billing.terms (id, subscription_id, seq, start_on, end_on, currency, amount_minor, status)
    select id, "subscriptionId", seq, "startOn", "endOn", currency, minor, 'paid'
    from json_to_recordset(${JSON.stringify(rows)}::json) as new (
      id uuid, "subscriptionId" uuid, seq integer, "startOn" date, "endOn" date, currency text, minor bigint)`.execute(
    tx,
  );
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

export type NewConsent = {
  readonly readerId: string;
  readonly subscriptionId: string;
  readonly words: string;
  readonly price: Money;
  readonly months: number;
};

/** Keeps what readers agreed to, in the words that were shown. */
export async function insertConsents(
  tx: Tx,
  consents: readonly NewConsent[],
  at: Temporal.Instant,
): Promise<void> {
  if (consents.length === 0) return;
  const rows = consents.map(({ price, ...one }) => ({
    ...one,
    id: uuidv7(),
    ...moneyRecord(price),
  }));
  await sql`
    insert into billing.consents (id, reader_id, subscription_id, words, currency, amount_minor, months, at)
    select id, "readerId", "subscriptionId", words, currency, minor, months, ${at.toString()}
    from json_to_recordset(${JSON.stringify(rows)}::json) as new (
      id uuid, "readerId" uuid, "subscriptionId" uuid, words text, currency text, minor bigint, months integer)`.execute(
    tx,
  );
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
