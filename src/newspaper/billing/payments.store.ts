import { sql } from 'kysely';
import { type Db, type Tx, toInstant } from '#platform/db';
import { uuidv7 } from '#platform/ids';
import { type Money, moneyRecord } from '#values/money';
import type { ChargeIntent } from './charges.store.ts';
import type { Gateway, GatewayPayment } from './gateways/gateway.ts';

/** Keeps what the gateway says of payments: an end stays an end, whatever comes late. */
export async function savePayments(
  tx: Tx,
  said: readonly { readonly intent: ChargeIntent; readonly payment: GatewayPayment }[],
): Promise<void> {
  if (said.length === 0) return;
  // Each once, in one order for all processes.
  const byId = new Map(said.map((one) => [one.payment.gatewayPaymentId, one]));
  const rows = [...byId.values()]
    .map(({ intent, payment: { amount, at, failureCode, gatewayPaymentId, method, status } }) => ({
      id: uuidv7(),
      intentId: intent.id,
      gateway: intent.gateway,
      gatewayPaymentId,
      status,
      method,
      failureCode,
      at,
      ...moneyRecord(amount),
    }))
    .toSorted((a, b) => (a.gatewayPaymentId < b.gatewayPaymentId ? -1 : 1));
  await sql`
    insert into billing.payments as old
      (id, intent_id, gateway, gateway_payment_id, currency, amount_minor, status, method, failure_code, at)
    select id, "intentId", gateway, "gatewayPaymentId", currency, minor, status, method, "failureCode", at
    from json_to_recordset(${JSON.stringify(rows)}::json) as new (
      id uuid, "intentId" uuid, gateway text, "gatewayPaymentId" text, currency text, minor bigint, status text,
      method text, "failureCode" text, at timestamptz)
    on conflict (gateway, gateway_payment_id) do update
      set status = excluded.status, method = excluded.method, failure_code = excluded.failure_code, at = excluded.at
      -- A bank may say yes days after it said no; what was taken stays taken.
      where old.status in ('pending', 'requires_action')
        or (old.status = 'failed' and excluded.status = 'succeeded')`.execute(tx);
}

/** A payment as the reader and support see it. */
export type Payment = {
  readonly id: string;
  readonly gateway: Gateway['name'];
  readonly gatewayPaymentId: string;
  readonly amount: Money;
  readonly status: string;
  readonly failureCode: string | undefined;
  readonly method: string;
  readonly at: Temporal.Instant;
  /** What it is for. */
  readonly subscriptionId: string;
  readonly termSeq: number;
  /** Why a person has to look at it: it was taken, and is good for nothing. */
  readonly parkedReason: string | undefined;
  /** Why it went back by itself: it bought nothing. */
  readonly givenBackReason: string | undefined;
};

export async function paymentsOf(db: Db, readerId: string): Promise<Payment[]> {
  const { rows } = await sql<{
    id: string;
    gateway: Gateway['name'];
    gateway_payment_id: string;
    currency: string;
    amount_minor: bigint;
    status: string;
    failure_code: string | null;
    method: string;
    at: string;
    subscription_id: string;
    term_seq: number;
    parked_reason: string | null;
    given_back_reason: string | null;
  }>`
    select p.id, p.gateway, p.gateway_payment_id, p.currency, p.amount_minor, p.status, p.failure_code, p.method, p.at,
      i.subscription_id, i.term_seq, i.parked_reason, i.given_back_reason
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
    subscriptionId: row.subscription_id,
    termSeq: row.term_seq,
    parkedReason: row.parked_reason ?? undefined,
    givenBackReason: row.given_back_reason ?? undefined,
  }));
}
