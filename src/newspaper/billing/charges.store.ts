import { sql } from 'kysely';
import { type Db, type Tx, toInstant } from '#platform/db';
import { uuidv7 } from '#platform/ids';
import type { Money } from '#values/money';
import type { Gateway, GatewayPayment } from './gateways/gateway.ts';

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
  readonly parkedReason: string | undefined;
};

/** Whether money may still come of it. */
export function isOpen({ status }: ChargeIntent): boolean {
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
  parked_reason: string | null;
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
    parkedReason: row.parked_reason ?? undefined,
  };
}

const COLUMNS = sql`id, subscription_id, term_seq, attempt, gateway, currency, amount_minor, status, checkout_id,
  checkout_url, next, failure_code, parked_reason`;

export async function findIntent(
  db: Db | Tx,
  by: { readonly id: string } | { readonly gateway: string; readonly checkoutId: string },
): Promise<ChargeIntent | undefined> {
  const which =
    'id' in by ? sql`id = ${by.id}` : sql`gateway = ${by.gateway} and checkout_id = ${by.checkoutId}`;
  const { rows } = await sql<IntentRow>`
    select ${COLUMNS} from billing.charge_intents where ${which}`.execute(db);
  return rows[0] === undefined ? undefined : toIntent(rows[0]);
}

/** The newest attempt of a subscription: the open one, where one is open. */
export async function newestIntent(db: Db | Tx, subscriptionId: string): Promise<ChargeIntent | undefined> {
  const { rows } = await sql<IntentRow>`
    select ${COLUMNS} from billing.charge_intents where subscription_id = ${subscriptionId}
    order by term_seq desc, attempt desc limit 1`.execute(db);
  return rows[0] === undefined ? undefined : toIntent(rows[0]);
}

/** Attempts of which money may still come, and that no person was asked to look at: oldest first. */
export async function openIntents(db: Db, limit: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from billing.charge_intents
    where status not in ('succeeded', 'failed', 'canceled') and parked_reason is null
    order by created_at, id limit ${limit}`.execute(db);
  return rows.map((row) => row.id);
}

/** Attempts of which a gateway has sent word, by `before`, that nobody has acted upon. */
export async function unansweredIntents(db: Db, before: Temporal.Instant, limit: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select distinct i.id from billing.gateway_events e
      join billing.charge_intents i on i.gateway = e.gateway and i.checkout_id = e.checkout_id
    where e.processed_at is null and e.received_at <= ${before.toString()} and i.parked_reason is null
    limit ${limit}`.execute(db);
  return rows.map((row) => row.id);
}

/** Writes down that the gateway is about to be asked for money. */
export async function insertIntent(
  tx: Tx,
  given: Pick<ChargeIntent, 'subscriptionId' | 'termSeq' | 'gateway' | 'amount' | 'next'>,
  now: Temporal.Instant,
): Promise<ChargeIntent> {
  const { rows } = await sql<IntentRow>`
    insert into billing.charge_intents
      (id, subscription_id, term_seq, attempt, gateway, currency, amount_minor, status, next, created_at)
    select ${uuidv7()}, ${given.subscriptionId}, ${given.termSeq}, coalesce(max(attempt), 0) + 1, ${given.gateway},
      ${given.amount.currency}, ${given.amount.minor}, 'submitted', ${given.next}, ${now.toString()}
    from billing.charge_intents where subscription_id = ${given.subscriptionId} and term_seq = ${given.termSeq}
    returning ${COLUMNS}`.execute(tx);
  return toIntent(rows[0] as IntentRow);
}

/**
 * The gateway has begun a checkout for an intent.
 *
 * @returns whether that is still wanted: the intent may have been given up while the gateway was asked
 */
export async function noteCheckout(
  db: Db | Tx,
  intentId: string,
  checkout: { readonly checkoutId: string; readonly url: string },
): Promise<boolean> {
  const { numAffectedRows = 0n } = await sql`
    update billing.charge_intents set checkout_id = ${checkout.checkoutId}, checkout_url = ${checkout.url}
    where id = ${intentId} and status not in ('failed', 'canceled')`.execute(db);
  return numAffectedRows > 0n;
}

export async function setIntentStatus(
  db: Db | Tx,
  intentId: string,
  status: IntentStatus,
  why: { readonly failureCode?: string | undefined; readonly parkedReason?: string } = {},
): Promise<void> {
  await sql`
    update billing.charge_intents set status = ${status}, failure_code = ${why.failureCode ?? null},
      parked_reason = coalesce(${why.parkedReason ?? null}, parked_reason)
    where id = ${intentId}`.execute(db);
}

/** Notes that a person has to look at an intent. How it stands is left alone: another may just have settled it. */
export async function parkIntent(db: Db | Tx, intentId: string, reason: string): Promise<void> {
  await sql`update billing.charge_intents set parked_reason = ${reason} where id = ${intentId}`.execute(db);
}

/** Where the browser goes on is said anew each time that its reader begins. */
export async function setNext(tx: Tx, intentId: string, next: string): Promise<void> {
  await sql`update billing.charge_intents set next = ${next} where id = ${intentId}`.execute(tx);
}

/** Keeps what the gateway says of a payment: an end stays an end, whatever comes late. */
export async function savePayment(tx: Tx, intent: ChargeIntent, payment: GatewayPayment): Promise<void> {
  await sql`
    insert into billing.payments as old
      (id, intent_id, gateway, gateway_payment_id, currency, amount_minor, status, method, failure_code, at)
    values (${uuidv7()}, ${intent.id}, ${intent.gateway}, ${payment.gatewayPaymentId}, ${payment.amount.currency},
      ${payment.amount.minor}, ${payment.status}, ${payment.method}, ${payment.failureCode ?? null},
      ${payment.at.toString()})
    on conflict (gateway, gateway_payment_id) do update
      set status = excluded.status, method = excluded.method, failure_code = excluded.failure_code, at = excluded.at
      where old.status in ('pending', 'requires_action')`.execute(tx);
}

/** A payment as the reader and support see it. */
export type Payment = {
  readonly id: string;
  readonly gateway: string;
  readonly gatewayPaymentId: string;
  readonly amount: Money;
  readonly status: string;
  readonly failureCode: string | undefined;
  readonly method: string;
  readonly at: Temporal.Instant;
  /** Why a person has to look at it: it was taken, and is good for nothing. */
  readonly parkedReason: string | undefined;
};

export async function paymentsOf(db: Db, readerId: string): Promise<Payment[]> {
  const { rows } = await sql<{
    id: string;
    gateway: string;
    gateway_payment_id: string;
    currency: string;
    amount_minor: bigint;
    status: string;
    failure_code: string | null;
    method: string;
    at: string;
    parked_reason: string | null;
  }>`
    select p.id, p.gateway, p.gateway_payment_id, p.currency, p.amount_minor, p.status, p.failure_code, p.method, p.at,
      i.parked_reason
    from billing.payments p join billing.charge_intents i on i.id = p.intent_id
      join billing.subscriptions s on s.id = i.subscription_id
    where s.reader_id = ${readerId} order by p.at desc, p.id desc`.execute(db);
  return rows.map((row) => ({
    id: row.id,
    gateway: row.gateway,
    gatewayPaymentId: row.gateway_payment_id,
    amount: { minor: row.amount_minor, currency: row.currency },
    status: row.status,
    failureCode: row.failure_code ?? undefined,
    method: row.method,
    at: toInstant(row.at),
    parkedReason: row.parked_reason ?? undefined,
  }));
}

/** Keeps a genuine event as it came. @returns whether it is new */
export async function insertEvent(
  tx: Tx,
  event: {
    readonly gateway: string;
    readonly eventId: string;
    readonly type: string;
    readonly checkoutId: string | undefined;
    readonly body: Buffer;
  },
  now: Temporal.Instant,
): Promise<boolean> {
  const { numAffectedRows = 0n } = await sql`
    insert into billing.gateway_events (gateway, event_id, type, checkout_id, body, received_at)
    values (${event.gateway}, ${event.eventId}, ${event.type}, ${event.checkoutId ?? null}, ${event.body},
      ${now.toString()})
    on conflict do nothing`.execute(tx);
  return numAffectedRows > 0n;
}

export async function markProcessed(
  db: Db | Tx,
  gateway: string,
  checkoutId: string,
  now: Temporal.Instant,
): Promise<void> {
  await sql`
    update billing.gateway_events set processed_at = ${now.toString()}
    where gateway = ${gateway} and checkout_id = ${checkoutId} and processed_at is null`.execute(db);
}
