import { sql } from 'kysely';
import { type Db, type Tx, toInstant } from '#platform/db';
import { groupedOver } from '#platform/grouped';
import { uuidv7 } from '#platform/ids';
import { type Money, moneyRecord } from '#values/money';
import type { Change } from './agreement.ts';
import type { FailureKind, Gateway } from './gateways/gateway.ts';

export type IntentStatus =
  | 'created'
  | 'submitted'
  | 'unknown'
  | 'pending'
  | 'requires_action'
  | 'succeeded'
  | 'failed'
  | 'canceled';

/** An attempt to be paid for one term. */
export type ChargeIntent = {
  readonly id: string;
  readonly subscriptionId: string;
  readonly termSeq: number;
  readonly attempt: number;
  readonly gateway: Gateway['name'];
  readonly amount: Money;
  readonly status: IntentStatus;
  readonly checkoutId: string | undefined;
  readonly checkoutUrl: string | undefined;
  readonly next: string;
  /** Why the newest try of its reader failed; gone with the next. */
  readonly failureCode: string | undefined;
  readonly failureKind: FailureKind | undefined;
  readonly parkedReason: string | undefined;
  /** Why what was taken goes back by itself: it bought nothing. */
  readonly givenBackReason: string | undefined;
  /** The mandate that is charged; undefined where its reader pays at the gateway's page. */
  readonly mandateId: string | undefined;
  readonly invoiceId: string | undefined;
  /** No earlier than this may the money be taken. */
  readonly notBefore: Temporal.Instant | undefined;
  readonly createdAt: Temporal.Instant;
  /** When it came to its end. */
  readonly decidedAt: Temporal.Instant | undefined;
  /** How often its gateway was asked what became of it. */
  readonly polls: number;
  /** What is bought at once instead of what runs, and what is credited for the days that are left, in minor units. */
  readonly change: (Change & { readonly planName: string; readonly credit: bigint }) | undefined;
};

/** Whether money may still come of it. */
export function isOpen({ status }: Pick<ChargeIntent, 'status'>): boolean {
  return status !== 'succeeded' && status !== 'failed' && status !== 'canceled';
}

type IntentRow = {
  id: string;
  subscription_id: string;
  term_seq: number;
  attempt: number;
  gateway: Gateway['name'];
  currency: string;
  amount_minor: bigint;
  status: IntentStatus;
  checkout_id: string | null;
  checkout_url: string | null;
  next: string;
  failure_code: string | null;
  failure_kind: FailureKind | null;
  parked_reason: string | null;
  given_back_reason: string | null;
  mandate_id: string | null;
  invoice_id: string | null;
  not_before: string | null;
  created_at: string;
  decided_at: string | null;
  polls: number;
  change_plan: string | null;
  change_name: string | null;
  change_months: number | null;
  change_minor: bigint | null;
  change_seats: number | null;
  credit_minor: bigint;
};

function toIntent(row: IntentRow): ChargeIntent {
  return {
    id: row.id,
    subscriptionId: row.subscription_id,
    termSeq: row.term_seq,
    attempt: row.attempt,
    gateway: row.gateway,
    amount: { minor: row.amount_minor, currency: row.currency },
    status: row.status,
    checkoutId: row.checkout_id ?? undefined,
    checkoutUrl: row.checkout_url ?? undefined,
    next: row.next,
    failureCode: row.failure_code ?? undefined,
    failureKind: row.failure_kind ?? undefined,
    parkedReason: row.parked_reason ?? undefined,
    givenBackReason: row.given_back_reason ?? undefined,
    mandateId: row.mandate_id ?? undefined,
    invoiceId: row.invoice_id ?? undefined,
    notBefore: row.not_before === null ? undefined : toInstant(row.not_before),
    createdAt: toInstant(row.created_at),
    decidedAt: row.decided_at === null ? undefined : toInstant(row.decided_at),
    polls: row.polls,
    change:
      row.change_plan === null
        ? undefined
        : {
            planSlug: row.change_plan,
            planName: row.change_name ?? row.change_plan,
            months: row.change_months ?? 0,
            price: { minor: row.change_minor ?? 0n, currency: row.currency },
            credit: row.credit_minor,
            ...(row.change_seats === null ? {} : { seats: row.change_seats }),
          },
  };
}

const COLUMNS = sql`id, subscription_id, term_seq, attempt, gateway, currency, amount_minor, status, checkout_id,
  checkout_url, next, failure_code, failure_kind, parked_reason, given_back_reason, mandate_id, invoice_id, not_before, created_at,
  decided_at, polls, change_plan, change_months, change_minor, change_seats, credit_minor,
  (select p.name from billing.plans p where p.slug = change_plan) as change_name`;

/** An attempt as it stands; many in one statement. */
export const findIntent = groupedOver(
  async (db: Db, ids: string[]): Promise<(ChargeIntent | undefined)[]> => {
    const found = await findIntents(db, ids);
    return ids.map((id) => found.get(id));
  },
  { most: 100, inFlight: 2 },
);

export async function findIntents(
  on: Db | Tx,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ChargeIntent>> {
  const { rows } = await sql<IntentRow>`
    select ${COLUMNS} from billing.charge_intents where id = any(${ids}::uuid[])`.execute(on);
  return new Map(rows.map((row) => [row.id, toIntent(row)]));
}

/** The attempt that a checkout was begun for. */
export async function findIntentByCheckout(
  db: Db,
  gateway: Gateway['name'],
  checkoutId: string,
): Promise<ChargeIntent | undefined> {
  const { rows } = await sql<IntentRow>`
    select ${COLUMNS} from billing.charge_intents
    where gateway = ${gateway} and checkout_id = ${checkoutId}`.execute(db);
  return rows[0] === undefined ? undefined : toIntent(rows[0]);
}

/** The newest attempt of a subscription: the open one, where one is open. */
export async function newestIntent(db: Db | Tx, subscriptionId: string): Promise<ChargeIntent | undefined> {
  return (await newestIntents(db, [subscriptionId])).get(subscriptionId);
}

/** The newest attempt of each subscription that has one, by the subscription's id. */
export async function newestIntents(
  db: Db | Tx,
  subscriptionIds: readonly string[],
): Promise<ReadonlyMap<string, ChargeIntent>> {
  if (subscriptionIds.length === 0) return new Map();
  const { rows } = await sql<IntentRow>`
    select distinct on (subscription_id) ${COLUMNS} from billing.charge_intents
    where subscription_id = any(${subscriptionIds}::uuid[])
    order by subscription_id, term_seq desc, attempt desc`.execute(db);
  return new Map(rows.map((row) => [row.subscription_id, toIntent(row)]));
}

/** Attempts of which money may still come, and that no person was asked to look at: oldest first. */
export async function openIntents(db: Db, limit: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from billing.charge_intents
    where status not in ('succeeded', 'failed', 'canceled') and parked_reason is null
    order by created_at, id limit ${limit}`.execute(db);
  return rows.map((row) => row.id);
}

export type NewIntent = Pick<
  ChargeIntent,
  'subscriptionId' | 'termSeq' | 'gateway' | 'amount' | 'next' | 'mandateId' | 'invoiceId' | 'notBefore'
> & { readonly change?: ChargeIntent['change'] };

/** Writes down that the gateway is about to be asked for money. @returns the attempts in the order given */
export async function insertIntents(
  tx: Tx,
  given: readonly NewIntent[],
  now: Temporal.Instant,
): Promise<ChargeIntent[]> {
  if (given.length === 0) return [];
  const rows = given.map(({ amount, change, ...one }) => ({
    ...one,
    id: uuidv7(),
    ...moneyRecord(amount),
    changePlan: change?.planSlug,
    changeMonths: change?.months,
    changeMinor: change?.price.minor.toString(),
    changeSeats: change?.seats,
    creditMinor: (change?.credit ?? 0n).toString(),
  }));
  const made = await sql<IntentRow>`
    insert into billing.charge_intents
      (id, subscription_id, term_seq, attempt, gateway, currency, amount_minor, status, next, mandate_id, invoice_id,
      not_before, change_plan, change_months, change_minor, change_seats, credit_minor, created_at)
    select id, "subscriptionId", "termSeq", 1 + coalesce((
        select max(attempt) from billing.charge_intents before
        where before.subscription_id = "subscriptionId" and before.term_seq = "termSeq"), 0),
      gateway, currency, minor, 'submitted', next, "mandateId", "invoiceId", "notBefore", "changePlan", "changeMonths",
      "changeMinor", "changeSeats", "creditMinor", ${now.toString()}
    from json_to_recordset(${JSON.stringify(rows)}::json) as new (
      id uuid, "subscriptionId" uuid, "termSeq" integer, gateway text, currency text, minor bigint, next text,
      "mandateId" uuid, "invoiceId" uuid, "notBefore" timestamptz, "changePlan" text, "changeMonths" integer,
      "changeMinor" bigint, "changeSeats" integer, "creditMinor" bigint)
    returning ${COLUMNS}`.execute(tx);
  const byId = new Map(made.rows.map((row) => [row.id, toIntent(row)]));
  return rows.map(({ id }) => byId.get(id) as ChargeIntent);
}

/**
 * The gateway has begun a checkout for an intent; many in one statement.
 *
 * @returns whether that is still wanted: the intent may have been given up while the gateway was asked
 */
export const noteCheckout = groupedOver(
  async (
    db: Db,
    noted: { readonly intentId: string; readonly checkoutId: string; readonly url: string }[],
  ): Promise<boolean[]> => {
    const { rows } = await sql<{ id: string }>`
      update billing.charge_intents i set checkout_id = noted.checkout_id, checkout_url = noted.url
      from unnest(${noted.map((one) => one.intentId)}::uuid[], ${noted.map((one) => one.checkoutId)}::text[],
        ${noted.map((one) => one.url)}::text[]) as noted (id, checkout_id, url)
      where i.id = noted.id and i.status not in ('failed', 'canceled')
      returning i.id`.execute(db);
    const wanted = new Set(rows.map(({ id }) => id));
    return noted.map(({ intentId }) => wanted.has(intentId));
  },
  { most: 100, inFlight: 1, apart: true },
);

/** How an attempt stands now. */
export type IntentChange = {
  readonly intentId: string;
  readonly status: IntentStatus;
  readonly failureCode?: string | undefined;
  readonly failureKind?: FailureKind | undefined;
  /** Why a person has to look at it; what was waited for until now is not, once it is decided. */
  readonly parkedReason?: string | undefined;
  readonly givenBackReason?: string | undefined;
};

export async function setIntentStatuses(
  db: Db | Tx,
  changes: readonly IntentChange[],
  now: Temporal.Instant,
): Promise<void> {
  if (changes.length === 0) return;
  await sql`
    update billing.charge_intents i set status = now.status, failure_code = now."failureCode",
      failure_kind = now."failureKind", parked_reason = case when now.status in ('succeeded', 'failed', 'canceled')
        then now."parkedReason" else coalesce(now."parkedReason", i.parked_reason) end,
      given_back_reason = coalesce(now."givenBackReason", i.given_back_reason),
      decided_at = case when now.status in ('succeeded', 'failed', 'canceled')
        then coalesce(i.decided_at, ${now.toString()}::timestamptz) end
    from json_to_recordset(${JSON.stringify(changes)}::json) as now (
      "intentId" uuid, status text, "failureCode" text, "failureKind" text, "parkedReason" text, "givenBackReason" text)
    where i.id = now."intentId"`.execute(db);
  const canceled = changes.filter(({ status }) => status === 'canceled').map(({ intentId }) => intentId);
  if (canceled.length === 0) return;
  // What waited for its reader's bank at a page that was closed took nothing, and never will.
  await sql`
    update billing.payments set status = 'failed', failure_code = 'canceled', at = ${now.toString()}
    where intent_id = any(${canceled}::uuid[]) and status in ('pending', 'requires_action')`.execute(db);
}

/** Counts that the gateway is asked what became of attempts. */
export async function countPolls(tx: Tx, intentIds: readonly string[]): Promise<void> {
  if (intentIds.length === 0) return;
  await sql`update billing.charge_intents set polls = polls + 1 where id = any(${intentIds}::uuid[])`.execute(
    tx,
  );
}

/**
 * Puts off from when the money of an attempt may be taken, which its gateway has not heard of.
 *
 * @returns that instant; another process may have put it off to another one
 */
export async function putOffCharge(
  db: Db,
  { id, notBefore }: Pick<ChargeIntent, 'id' | 'notBefore'>,
  to: Temporal.Instant | undefined,
): Promise<Temporal.Instant | undefined> {
  await sql`
    update billing.charge_intents set not_before = ${to?.toString() ?? null}
    where id = ${id} and not_before is not distinct from ${notBefore?.toString() ?? null}::timestamptz`.execute(
    db,
  );
  return (await findIntent(db, id))?.notBefore;
}

/** How much was taken of subscriptions since: payments that came, and attempts that were made. */
export async function chargedSince(
  tx: Tx,
  subscriptionIds: readonly string[],
  since: Temporal.Instant,
): Promise<ReadonlyMap<string, { readonly paid: number; readonly tried: number }>> {
  if (subscriptionIds.length === 0) return new Map();
  const { rows } = await sql<{ id: string; paid: number; tried: number }>`
    select subscription_id as id, count(*) filter (where decided_at > ${since.toString()} and status = 'succeeded')::int as paid,
      count(*) filter (where created_at > ${since.toString()} and mandate_id is not null)::int as tried
    from billing.charge_intents where subscription_id = any(${subscriptionIds}::uuid[])
    group by subscription_id`.execute(tx);
  return new Map(rows.map(({ id, paid, tried }) => [id, { paid, tried }]));
}

/**
 * Gives up an attempt that the gateway has not heard of, as far as anybody knows.
 *
 * @returns whether it was given up: a checkout may have been begun for it since it was read
 */
export async function giveUpUnopened(db: Db, intentId: string, now: Temporal.Instant): Promise<boolean> {
  const { rows } = await sql`
    update billing.charge_intents set status = 'canceled', decided_at = ${now.toString()}
    where id = ${intentId} and checkout_id is null and status not in ('succeeded', 'failed')
    returning id`.execute(db);
  return rows.length > 0;
}

/** Which invoice an attempt has paid, by the attempt. */
export async function noteInvoices(tx: Tx, paid: ReadonlyMap<string, string>): Promise<void> {
  if (paid.size === 0) return;
  await sql`
    update billing.charge_intents i set invoice_id = paid.invoice_id
    from unnest(${[...paid.keys()]}::uuid[], ${[...paid.values()]}::uuid[]) as paid (id, invoice_id)
    where i.id = paid.id`.execute(tx);
}

/**
 * Notes that a person has to look at an intent, or has. How it stands is left alone: another may just have settled it.
 *
 * @param reason undefined where somebody has looked: then it is asked about as often as a new one
 */
export async function parkIntent(db: Db | Tx, intentId: string, reason: string | undefined): Promise<void> {
  await sql`
    update billing.charge_intents set parked_reason = ${reason ?? null},
      polls = case when ${reason ?? null}::text is null then 0 else polls end
    where id = ${intentId}`.execute(db);
}

/** Where the browser goes on is said anew each time that its reader begins. */
export async function setNext(tx: Tx, intentId: string, next: string): Promise<void> {
  await sql`update billing.charge_intents set next = ${next} where id = ${intentId}`.execute(tx);
}
