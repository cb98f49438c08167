import { sql } from 'kysely';
import type { Product } from '#entitlements';
import { type Db, type Tx, toInstant } from '#platform/db';
import { groupedOver } from '#platform/grouped';
import { uuidv7 } from '#platform/ids';
import { moneyRecord } from '#values/money';
import type { EndedReason, Standing, SubscriptionState } from './agreement.ts';
import type { Gateway, GatewayMandate, Rail } from './gateways/gateway.ts';
import type { WaitingChange } from './price-changes.ts';

/** Something that was begun and not paid is given up after this long, and its checkout closed. */
export const HOURS_TO_PAY = 24;

/** A subscription as it is kept. */
export type Subscription = Standing & {
  readonly id: string;
  readonly readerId: string;
  readonly product: Product;
  readonly planName: string;
  /** Of what the next term is of. */
  readonly nextPlanName: string;
  readonly country: string;
  readonly countryState: string | undefined;
  readonly createdAt: Temporal.Instant;
  /** What its reader allows to be taken without them. */
  readonly mandate: Mandate | undefined;
  /** The number of the term that its reader was last reminded of. */
  readonly remindedSeq: number | undefined;
  /** Why a person has to look at it before anything is charged again. */
  readonly parkedReason: string | undefined;
  /** What it was begun with besides its plan, and how many days of that cost nothing. */
  readonly offerSlug: string | undefined;
  readonly trialDays: number;
  /** Who buys, where that is not its reader alone. */
  readonly buyer: BuyerDetails;
  /** A change of its price that its reader is still to be told of. */
  readonly priceChange?: WaitingChange | undefined;
};

/** What a company's invoice says of it; empty where a reader buys for themselves. */
export type BuyerDetails = { readonly name: string; readonly address: string; readonly gstin: string };
export const NO_DETAILS: BuyerDetails = { name: '', address: '', gstin: '' };

/** A mandate as it is kept. */
export type Mandate = Omit<GatewayMandate, 'fingerprint'> & {
  readonly id: string;
  readonly gateway: Gateway['name'];
};

type SubscriptionRow = {
  id: string;
  reader_id: string;
  product: Product;
  plan_slug: string;
  plan_name: string;
  next_plan_name: string | null;
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
  pending_minor: bigint | null;
  is_disputed: boolean;
  needs_method: boolean;
  ended_reason: EndedReason | null;
  created_at: string;
  reminded_seq: number | null;
  parked_reason: string | null;
  offer_slug: string | null;
  trial_days: number;
  gift: 'waiting' | 'redeemed' | null;
  seats: number;
  pending_seats: number | null;
  buyer_name: string;
  buyer_address: string;
  buyer_gstin: string;
  phase_terms: number[];
  /** The driver gives lists of whole numbers as text. */
  phase_minor: string[];
  announced_minor: bigint | null;
  announced_on: string | null;
  priced_on: string | null;
  change_id: string | null;
  change_plan: string;
  change_currency: string;
  change_minor: bigint;
  change_from_on: string;
  notice_days: number;
  cap_percent: number | null;
  not_before_on: string | null;
  mandate_id: string | null;
  mandate_gateway: Gateway['name'];
  token: string;
  rail: Rail;
  mandate_status: GatewayMandate['status'];
  max_currency: string | null;
  max_minor: bigint | null;
  expires_on: string | null;
  method: string;
};

const COLUMNS = sql`s.id, s.reader_id, s.product, s.plan_slug, p.name as plan_name, n.name as next_plan_name, s.currency, s.amount_minor, s.months,
  s.zone, s.country, s.country_state, s.state, s.anchor_on, s.months_paid, s.next_seq, s.paid_through_on, s.trial_ends_on,
  s.cancel_on, s.banked_days, s.resumes_on, s.pending_plan, s.pending_months, s.pending_minor, s.is_disputed,
  s.needs_method, s.ended_reason, s.created_at, s.reminded_seq, s.parked_reason, s.offer_slug, s.trial_days,
  s.phase_terms, s.phase_minor, s.gift, s.seats, s.pending_seats, s.buyer_name, s.buyer_address, s.buyer_gstin, m.id as mandate_id,
  m.gateway as mandate_gateway, m.token, m.rail, m.status as mandate_status, m.currency as max_currency, m.max_minor,
  m.expires_on, m.method, s.announced_minor, s.announced_on, s.priced_on, c.id as change_id, c.plan_slug as change_plan,
  c.currency as change_currency, c.amount_minor as change_minor, c.from_on as change_from_on, c.notice_days, c.cap_percent, w.not_before_on`;
/** What belongs to a subscription besides its row. */
const JOINED = sql`join billing.plans p on p.slug = s.plan_slug
    left join billing.plans n on n.slug = s.pending_plan left join billing.mandates m on m.id = s.mandate_id
    left join billing.price_change_subscriptions w on w.subscription_id = s.id and w.status = 'waiting'
    left join billing.price_changes c on c.id = w.change_id`;
const TABLES = sql`billing.subscriptions s ${JOINED}`;

const day = (text: string | null) => (text === null ? undefined : Temporal.PlainDate.from(text));

/** What stands on a gift's documents too. */
const named = (plan: string, { product }: SubscriptionRow) => (product === 'gift' ? `Gift: ${plan}` : plan);

function toSubscription(row: SubscriptionRow): Subscription {
  return {
    id: row.id,
    readerId: row.reader_id,
    product: row.product,
    planSlug: row.plan_slug,
    planName: named(row.plan_name, row),
    nextPlanName: named(row.next_plan_name ?? row.plan_name, row),
    price: { minor: row.amount_minor, currency: row.currency },
    phases: row.phase_terms.map((terms, at) => ({
      terms,
      price: { minor: BigInt(row.phase_minor[at] ?? '0'), currency: row.currency },
    })),
    months: row.months,
    seats: row.seats,
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
      row.pending_plan === null
        ? undefined
        : {
            planSlug: row.pending_plan,
            months: row.pending_months ?? 0,
            price: { minor: row.pending_minor ?? 0n, currency: row.currency },
            ...(row.pending_seats === null ? {} : { seats: row.pending_seats }),
          },
    isDisputed: row.is_disputed,
    needsMethod: row.needs_method,
    gift: row.gift ?? undefined,
    endedReason: row.ended_reason ?? undefined,
    createdAt: toInstant(row.created_at),
    mandate: row.mandate_id === null ? undefined : toMandate(row, row.mandate_id),
    remindedSeq: row.reminded_seq ?? undefined,
    parkedReason: row.parked_reason ?? undefined,
    offerSlug: row.offer_slug ?? undefined,
    trialDays: row.trial_days,
    buyer: { name: row.buyer_name, address: row.buyer_address, gstin: row.buyer_gstin },
    announced:
      row.announced_on === null
        ? undefined
        : {
            price: { minor: row.announced_minor ?? 0n, currency: row.currency },
            fromOn: Temporal.PlainDate.from(row.announced_on),
          },
    pricedOn: day(row.priced_on),
    priceChange: row.change_id === null ? undefined : toWaitingChange(row, row.change_id),
  };
}

function toWaitingChange(row: SubscriptionRow, id: string): WaitingChange {
  return {
    id,
    planSlug: row.change_plan,
    price: { minor: row.change_minor, currency: row.change_currency },
    fromOn: Temporal.PlainDate.from(row.change_from_on),
    noticeDays: row.notice_days,
    capPercent: row.cap_percent ?? undefined,
    notBeforeOn: day(row.not_before_on),
  };
}

function toMandate(row: SubscriptionRow, id: string): Mandate {
  return {
    id,
    gateway: row.mandate_gateway,
    token: row.token,
    rail: row.rail,
    status: row.mandate_status,
    maxAmount:
      row.max_currency === null ? undefined : { minor: row.max_minor ?? 0n, currency: row.max_currency },
    expiresOn: day(row.expires_on),
    method: row.method,
  };
}

/** Every subscription that a reader has or had for themselves, newest first. */
export async function subscriptionsOf(db: Db, readerId: string): Promise<Subscription[]> {
  const { rows } = await sql<SubscriptionRow>`
    select ${COLUMNS} from ${TABLES}
    where s.reader_id = ${readerId} and s.product <> 'gift' order by s.created_at desc, s.id desc`.execute(
    db,
  );
  return rows.map(toSubscription);
}

/** The newest subscription of each of these readers who has or had one. */
export async function newestSubscriptions(
  db: Db,
  readerIds: readonly string[],
): Promise<ReadonlyMap<string, Subscription>> {
  const { rows } = await sql<SubscriptionRow>`
    select distinct on (s.reader_id) ${COLUMNS} from ${TABLES}
    where s.reader_id = any(${readerIds}::uuid[]) and s.product <> 'gift' order by s.reader_id, s.created_at desc, s.id desc`.execute(
    db,
  );
  return new Map(rows.map((row) => [row.reader_id, toSubscription(row)]));
}

/** Many in one statement. */
export const findSubscription = groupedOver(
  async (db: Db, ids: string[]): Promise<(Subscription | undefined)[]> => {
    const { rows } = await sql<SubscriptionRow>`
      select ${COLUMNS} from ${TABLES} where s.id = any(${[...new Set(ids)]}::uuid[])`.execute(db);
    const found = new Map(rows.map((row) => [row.id, toSubscription(row)]));
    return ids.map((id) => found.get(id));
  },
  { most: 100, inFlight: 2 },
);

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
    select ${COLUMNS} from ${TABLES}
    where s.id = any(${ids}::uuid[]) order by s.id for update of s`.execute(tx);
  return new Map(rows.map((row) => [row.id, toSubscription(row)]));
}

/** Those that are begun with a plan and not over, in its currency. */
export async function subscriptionsOfPlan(
  db: Db | Tx,
  planSlug: string,
  currency: string,
): Promise<Subscription[]> {
  const { rows } = await sql<SubscriptionRow>`
    select ${COLUMNS} from ${TABLES}
    where s.plan_slug = ${planSlug} and s.currency = ${currency}
      and s.state not in ('incomplete', 'canceled', 'expired') order by s.id`.execute(db);
  return rows.map(toSubscription);
}

/** Readers' subscriptions that are not over, of whatever product, held for the rest of the transaction. */
export async function lockCurrents(tx: Tx, readerIds: readonly string[]): Promise<Subscription[]> {
  const { rows } = await sql<SubscriptionRow>`
    select ${COLUMNS} from ${TABLES}
    where s.reader_id = any(${readerIds}::uuid[]) and s.state not in ('canceled', 'expired') and s.product <> 'gift'
    order by s.id for update of s`.execute(tx);
  return rows.map(toSubscription);
}

export type NewSubscription = Pick<
  Subscription,
  | 'readerId'
  | 'product'
  | 'planSlug'
  | 'price'
  | 'phases'
  | 'months'
  | 'zone'
  | 'country'
  | 'countryState'
  | 'offerSlug'
  | 'trialDays'
  | 'seats'
  | 'buyer'
>;

function buyerColumns({ address, gstin, name }: BuyerDetails) {
  return { buyerName: name, buyerAddress: address, buyerGstin: gstin };
}

/** Phases as they are kept: two lists of one length. */
function phaseLists(phases: Standing['phases']) {
  return {
    phaseTerms: phases.map(({ terms }) => terms),
    phaseMinor: phases.map(({ price }) => price.minor.toString()),
  };
}

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
    .map(({ buyer, phases, price, ...one }) => ({
      ...one,
      ...buyerColumns(buyer),
      id: uuidv7(),
      ...moneyRecord(price),
      ...phaseLists(phases),
    }))
    .toSorted((a, b) => (a.readerId < b.readerId ? -1 : 1));
  const made = await sql<{ id: string; reader_id: string; product: string }>`
    insert into billing.subscriptions (id, reader_id, product, plan_slug, currency, amount_minor, months, zone, country,
      country_state, offer_slug, trial_days, phase_terms, phase_minor, seats, buyer_name, buyer_address, buyer_gstin, state, created_at, due_at, previous_id)
    select id, "readerId", product, "planSlug", currency, minor, months, zone, country, "countryState", "offerSlug",
      "trialDays", "phaseTerms", "phaseMinor", seats, "buyerName", "buyerAddress", "buyerGstin", 'incomplete', ${now.toString()},
      ${now.add({ hours: HOURS_TO_PAY }).toString()}, (
        select old.id from billing.subscriptions old
        where old.reader_id = "readerId" and old.product = new.product and old.ended_reason <> 'never_paid'
        order by old.created_at desc limit 1)
    from json_to_recordset(${JSON.stringify(rows)}::json) as new (
      id uuid, "readerId" uuid, product text, "planSlug" text, currency text, minor bigint, months integer, zone text,
      country text, "countryState" text, "offerSlug" text, "trialDays" integer, "phaseTerms" integer[],
      "phaseMinor" bigint[], seats integer, "buyerName" text, "buyerAddress" text, "buyerGstin" text)
    on conflict (reader_id, product) where state not in ('canceled', 'expired') and product <> 'gift' do nothing
    returning id, reader_id, product`.execute(tx);
  const ids = new Map(made.rows.map((row) => [`${row.reader_id} ${row.product}`, row.id]));
  return given.map(({ product, readerId }) => ids.get(`${readerId} ${product}`));
}

/** Begins to sell a gift, once by its id. @returns whether it is new */
export async function insertGiftSubscription(
  tx: Tx,
  { id, price, ...given }: NewSubscription & { readonly id: string },
  now: Temporal.Instant,
): Promise<boolean> {
  const { rows } = await sql`
    insert into billing.subscriptions (id, reader_id, product, gift, plan_slug, currency, amount_minor, months, zone, country,
      country_state, state, created_at, due_at)
    values (${id}, ${given.readerId}, 'gift', 'waiting', ${given.planSlug}, ${price.currency}, ${price.minor}, ${given.months},
      ${given.zone}, ${given.country}, ${given.countryState ?? null}, 'incomplete', ${now.toString()},
      ${now.add({ hours: HOURS_TO_PAY }).toString()})
    on conflict (id) do nothing returning id`.execute(tx);
  return rows.length > 0;
}

/** Changes what is bought while nothing is paid yet. */
export async function changeChoice(tx: Tx, id: string, given: NewSubscription): Promise<void> {
  const { phaseMinor, phaseTerms } = phaseLists(given.phases);
  await sql`
    update billing.subscriptions set plan_slug = ${given.planSlug}, currency = ${given.price.currency},
      amount_minor = ${given.price.minor}, months = ${given.months}, country = ${given.country},
      country_state = ${given.countryState ?? null}, offer_slug = ${given.offerSlug ?? null},
      trial_days = ${given.trialDays}, phase_terms = ${phaseTerms}::integer[], phase_minor = ${phaseMinor}::bigint[],
      seats = ${given.seats}, buyer_name = ${given.buyer.name}, buyer_address = ${given.buyer.address},
      buyer_gstin = ${given.buyer.gstin}, version = version + 1
    where id = ${id} and state = 'incomplete'`.execute(tx);
}

/** Says who buys, where that is not its reader alone. */
export async function setBuyer(tx: Tx, id: string, { address, gstin, name }: BuyerDetails): Promise<void> {
  await sql`
    update billing.subscriptions set buyer_name = ${name}, buyer_address = ${address}, buyer_gstin = ${gstin},
      version = version + 1
    where id = ${id}`.execute(tx);
}

/** What became of a subscription, and when it is to be looked at next. */
export type Changed = {
  readonly id: string;
  readonly standing: Standing;
  readonly dueAt: Temporal.Instant | undefined;
};

/** Writes what transitions made of subscriptions that are held. */
export async function saveStandings(
  tx: Tx,
  changed: readonly Changed[],
  now: Temporal.Instant,
): Promise<void> {
  if (changed.length === 0) return;
  const rows = changed.map(({ dueAt, id, standing }) => ({
    id,
    dueAt,
    state: standing.state,
    planSlug: standing.planSlug,
    months: standing.months,
    minor: standing.price.minor.toString(),
    ...phaseLists(standing.phases),
    seats: standing.seats,
    pendingSeats: standing.pendingChange?.seats,
    announcedMinor: standing.announced?.price.minor.toString(),
    announcedOn: standing.announced?.fromOn,
    pricedOn: standing.pricedOn,
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
    pendingMinor: standing.pendingChange?.price.minor.toString(),
    isDisputed: standing.isDisputed,
    needsMethod: standing.needsMethod,
    gift: standing.gift,
    endedReason: standing.endedReason,
  }));
  await sql`
    update billing.subscriptions s set state = now.state, due_at = now."dueAt", plan_slug = now."planSlug",
      months = now.months, amount_minor = now.minor, phase_terms = now."phaseTerms", phase_minor = now."phaseMinor",
      seats = now.seats, pending_seats = now."pendingSeats", pending_minor = now."pendingMinor", anchor_on = now."anchorOn",
      months_paid = now."monthsPaid", next_seq = now."nextSeq", paid_through_on = now."paidThroughOn",
      trial_ends_on = now."trialEndsOn", cancel_on = now."cancelOn", banked_days = now."bankedDays",
      resumes_on = now."resumesOn", pending_plan = now."pendingPlan", pending_months = now."pendingMonths",
      is_disputed = now."isDisputed", needs_method = now."needsMethod", gift = now.gift, ended_reason = now."endedReason",
      announced_minor = now."announcedMinor", announced_on = now."announcedOn", priced_on = now."pricedOn",
      ended_at = case when now."endedReason" is null then null else coalesce(s.ended_at, ${now.toString()}::timestamptz) end,
      -- Whoever was told of another day or another price is told again.
      reminded_seq = case when s.paid_through_on is not distinct from now."paidThroughOn"
        and s.pending_minor is not distinct from now."pendingMinor" then s.reminded_seq end,
      version = s.version + 1
    from json_to_recordset(${JSON.stringify(rows)}::json) as now (
      id uuid, "dueAt" timestamptz, state text, "planSlug" text, months integer, minor bigint, "phaseTerms" integer[],
      "phaseMinor" bigint[], seats integer, "pendingSeats" integer, "pendingMinor" bigint, "anchorOn" date, "monthsPaid" integer, "nextSeq" integer, "paidThroughOn" date,
      "trialEndsOn" date, "cancelOn" date, "bankedDays" integer, "resumesOn" date, "pendingPlan" text,
      "announcedMinor" bigint, "announcedOn" date, "pricedOn" date, "pendingMonths" integer, "isDisputed" boolean, "needsMethod" boolean, gift text, "endedReason" text)
    where s.id = now.id`.execute(tx);
}

/** Holds those that are due, the first first, and leaves out what another process is at. @param only this one */
export async function lockDue(
  tx: Tx,
  now: Temporal.Instant,
  limit: number,
  only?: string,
): Promise<Subscription[]> {
  const which = only === undefined ? sql`true` : sql`id = ${only}`;
  const { rows } = await sql<SubscriptionRow>`
    select ${COLUMNS} from (
      select id from billing.subscriptions where due_at <= ${now.toString()} and ${which}
      order by due_at, id limit ${limit} for update skip locked) as due
    join billing.subscriptions s on s.id = due.id ${JOINED}
    -- Read as they now are, and not as they were when the statement began: another may have changed one in between.
    order by s.id for update of s`.execute(tx);
  return rows.map(toSubscription);
}
