import { sql } from 'kysely';
import { type Db, type Tx, toInstant } from '#platform/db';
import { uuidv7 } from '#platform/ids';
import type { Money } from '#values/money';
import type { Gateway } from './gateways/gateway.ts';

export type RefundStatus = 'requested' | 'pending' | 'processed' | 'failed';

/** Money that goes back, and the payment that it is of. */
export type Refund = {
  readonly id: string;
  readonly subscriptionId: string;
  /** The attempt whose payment it is of. */
  readonly intentId: string;
  readonly paymentId: string;
  readonly gatewayPaymentId: string;
  readonly gateway: Gateway['name'];
  readonly gatewayRefundId: string | undefined;
  readonly invoiceId: string | undefined;
  readonly amount: Money;
  readonly status: RefundStatus;
  readonly reason: string;
  readonly createdAt: Temporal.Instant;
};

type RefundRow = {
  id: string;
  subscription_id: string;
  intent_id: string;
  payment_id: string;
  gateway_payment_id: string;
  gateway: Gateway['name'];
  gateway_refund_id: string | null;
  invoice_id: string | null;
  currency: string;
  amount_minor: bigint;
  status: RefundStatus;
  reason: string;
  created_at: string;
};

function toRefund(row: RefundRow): Refund {
  return {
    id: row.id,
    subscriptionId: row.subscription_id,
    intentId: row.intent_id,
    paymentId: row.payment_id,
    gatewayPaymentId: row.gateway_payment_id,
    gateway: row.gateway,
    gatewayRefundId: row.gateway_refund_id ?? undefined,
    invoiceId: row.invoice_id ?? undefined,
    amount: { minor: row.amount_minor, currency: row.currency },
    status: row.status,
    reason: row.reason,
    createdAt: toInstant(row.created_at),
  };
}

const SELECT = sql`select r.id, i.subscription_id, i.id as intent_id, r.payment_id, p.gateway_payment_id, r.gateway, r.gateway_refund_id,
  i.invoice_id, r.currency, r.amount_minor, r.status, r.reason, r.created_at
  from billing.refunds r join billing.payments p on p.id = r.payment_id join billing.charge_intents i on i.id = p.intent_id`;

export async function findRefund(db: Db | Tx, id: string): Promise<Refund | undefined> {
  const { rows } = await sql<RefundRow>`${SELECT} where r.id = ${id}`.execute(db);
  return rows[0] === undefined ? undefined : toRefund(rows[0]);
}

/** Refunds of payments, oldest first. */
export async function refundsOfPayments(
  db: Db | Tx,
  gatewayPaymentIds: readonly string[],
): Promise<Refund[]> {
  if (gatewayPaymentIds.length === 0) return [];
  const { rows } = await sql<RefundRow>`
    ${SELECT} where p.gateway_payment_id = any(${gatewayPaymentIds}::text[]) order by r.created_at, r.id`.execute(
    db,
  );
  return rows.map(toRefund);
}

/** Refunds of which the gateway may not have heard, or has not said how they ended; oldest first. */
export async function openRefunds(db: Db, limit: number): Promise<Refund[]> {
  const { rows } = await sql<RefundRow>`
    ${SELECT} where r.status in ('requested', 'pending') order by r.created_at, r.id limit ${limit}`.execute(
    db,
  );
  return rows.map(toRefund);
}

export type NewRefund = {
  readonly gateway: Gateway['name'];
  readonly gatewayPaymentId: string;
  /** Left out, everything that was taken. */
  readonly amount?: Money;
  readonly reason: string;
  readonly actor: string;
  readonly creditNoteId?: string | undefined;
  /** Where the gateway told of it first. */
  readonly gatewayRefundId?: string;
  readonly status?: RefundStatus;
};

/** Writes down that money goes back. @returns the ids, in the order given */
export async function insertRefunds(
  tx: Tx,
  given: readonly NewRefund[],
  now: Temporal.Instant,
): Promise<string[]> {
  const rows = given.map(({ amount, ...one }) => ({
    ...one,
    id: uuidv7(),
    minor: amount?.minor.toString(),
    currency: amount?.currency,
  }));
  if (rows.length === 0) return [];
  await sql`
    insert into billing.refunds (id, payment_id, gateway, gateway_refund_id, currency, amount_minor, status, reason, actor,
      credit_note_id, created_at)
    select new.id, p.id, new.gateway, "gatewayRefundId", coalesce(new.currency, p.currency),
      coalesce(minor, p.amount_minor), coalesce(new.status, 'requested'), reason, actor, "creditNoteId", ${now.toString()}
    from json_to_recordset(${JSON.stringify(rows)}::json) as new (
      id uuid, gateway text, "gatewayPaymentId" text, "gatewayRefundId" text, minor bigint, currency text, status text,
      reason text, actor text, "creditNoteId" uuid)
    join billing.payments p on p.gateway = new.gateway and p.gateway_payment_id = new."gatewayPaymentId"`.execute(
    tx,
  );
  return rows.map(({ id }) => id);
}

export async function setRefund(
  tx: Tx,
  id: string,
  status: RefundStatus,
  gatewayRefundId: string | undefined,
): Promise<void> {
  await sql`
    update billing.refunds set status = ${status},
      gateway_refund_id = coalesce(${gatewayRefundId ?? null}, gateway_refund_id) where id = ${id}`.execute(
    tx,
  );
}

/** Somebody saw to a refund that was refused. */
export async function markSeenTo(tx: Tx, id: string, now: Temporal.Instant): Promise<void> {
  await sql`update billing.refunds set seen_to_at = ${now.toString()} where id = ${id}`.execute(tx);
}

/** A payer's bank asked for money back, or has decided. */
export type Dispute = { readonly gatewayDisputeId: string; readonly status: 'open' | 'won' | 'lost' };

export async function findDispute(
  tx: Tx,
  gateway: string,
  gatewayDisputeId: string,
): Promise<Dispute | undefined> {
  const { rows } = await sql<{ status: Dispute['status'] }>`
    select status from billing.disputes
    where gateway = ${gateway} and gateway_dispute_id = ${gatewayDisputeId}`.execute(tx);
  return rows[0] === undefined ? undefined : { gatewayDisputeId, status: rows[0].status };
}

export async function saveDispute(
  tx: Tx,
  given: {
    readonly gateway: Gateway['name'];
    readonly gatewayPaymentId: string;
    readonly gatewayDisputeId: string;
    readonly amount: Money;
    readonly status: Dispute['status'];
    readonly at: Temporal.Instant;
  },
): Promise<void> {
  await sql`
    insert into billing.disputes (id, payment_id, gateway, gateway_dispute_id, currency, amount_minor, status, opened_at)
    select ${uuidv7()}, p.id, p.gateway, ${given.gatewayDisputeId}, ${given.amount.currency}, ${given.amount.minor},
      ${given.status}, ${given.at.toString()}
    from billing.payments p where p.gateway = ${given.gateway} and p.gateway_payment_id = ${given.gatewayPaymentId}
    on conflict (gateway, gateway_dispute_id) do update set status = excluded.status`.execute(tx);
}

/** Whether a bank asks for any money of a subscription at this moment. */
export async function hasOpenDispute(tx: Tx, subscriptionId: string): Promise<boolean> {
  const { rows } = await sql<{ is_open: boolean }>`
    select exists (select from billing.disputes d join billing.payments p on p.id = d.payment_id
      join billing.charge_intents i on i.id = p.intent_id
      where i.subscription_id = ${subscriptionId} and d.status = 'open') as is_open`.execute(tx);
  return rows[0]?.is_open === true;
}

/** How a payment stands, now that money of it went back or is asked back. */
export async function markPayment(
  tx: Tx,
  gateway: string,
  gatewayPaymentId: string,
  status: 'succeeded' | 'refunded' | 'disputed',
): Promise<void> {
  await sql`
    update billing.payments set status = ${status}
    where gateway = ${gateway} and gateway_payment_id = ${gatewayPaymentId}
      and status in ('succeeded', 'refunded', 'disputed')`.execute(tx);
}

/** A payment that took money, and what of it has gone back or is on its way. */
export type Taken = {
  readonly gateway: Gateway['name'];
  readonly gatewayPaymentId: string;
  readonly subscriptionId: string;
  readonly amount: Money;
  /** Refunds that did not fail, in minor units. */
  readonly refunded: bigint;
  /** Asked back by the payer's bank and not won. */
  readonly disputed: bigint;
  readonly hasOpenDispute: boolean;
  /** What is left of its invoice that was not credited, in minor units; undefined where it was for none. */
  readonly uncredited: bigint | undefined;
  readonly invoiceId: string | undefined;
  readonly term:
    | {
        readonly seq: number;
        readonly startOn: Temporal.PlainDate;
        readonly endOn: Temporal.PlainDate;
      }
    | undefined;
};

/** A reader's payments that took money, newest first; or one payment, by its gateway's name for it. */
export async function takenOf(
  db: Db | Tx,
  by: { readonly readerId: string } | { readonly gatewayPaymentId: string },
): Promise<Taken[]> {
  const { rows } = await sql<{
    gateway: Gateway['name'];
    gateway_payment_id: string;
    subscription_id: string;
    currency: string;
    amount_minor: bigint;
    refunded: string;
    disputed: string;
    has_open_dispute: boolean;
    uncredited: string | null;
    invoice_id: string | null;
    seq: number | null;
    start_on: string;
    end_on: string;
  }>`
    select p.gateway, p.gateway_payment_id, i.subscription_id, p.currency, p.amount_minor, i.invoice_id, t.seq, t.start_on,
      t.end_on,
      (select coalesce(sum(r.amount_minor), 0) from billing.refunds r
        where r.payment_id = p.id and r.status <> 'failed')::text as refunded,
      (select coalesce(sum(d.amount_minor), 0) from billing.disputes d
        where d.payment_id = p.id and d.status <> 'won')::text as disputed,
      exists (select from billing.disputes d where d.payment_id = p.id and d.status = 'open') as has_open_dispute,
      (v.total_minor - (select coalesce(sum(c.total_minor), 0) from billing.credit_notes c
        where c.invoice_id = v.id))::text as uncredited
    from billing.payments p join billing.charge_intents i on i.id = p.intent_id
      join billing.subscriptions s on s.id = i.subscription_id
      left join billing.invoices v on v.id = i.invoice_id
      left join billing.terms t on t.subscription_id = s.id and t.seq = v.term_seq
    where p.status in ('succeeded', 'refunded', 'disputed')
      and ${'readerId' in by ? sql`s.reader_id = ${by.readerId}` : sql`p.gateway_payment_id = ${by.gatewayPaymentId}`}
    order by p.at desc, p.id desc`.execute(db);
  return rows.map((row) => ({
    gateway: row.gateway,
    gatewayPaymentId: row.gateway_payment_id,
    subscriptionId: row.subscription_id,
    amount: { minor: row.amount_minor, currency: row.currency },
    refunded: BigInt(row.refunded),
    disputed: BigInt(row.disputed),
    hasOpenDispute: row.has_open_dispute,
    uncredited: row.uncredited === null ? undefined : BigInt(row.uncredited),
    invoiceId: row.invoice_id ?? undefined,
    term:
      row.seq === null
        ? undefined
        : {
            seq: row.seq,
            startOn: Temporal.PlainDate.from(row.start_on),
            endOn: Temporal.PlainDate.from(row.end_on),
          },
  }));
}
