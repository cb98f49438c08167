import { sql } from 'kysely';
import type { Db } from '#platform/db';
import { isUuid } from '#platform/ids';
import type { GatewayDispute } from './gateways/gateway.ts';

/** What our books have of a payment; without a status where they have only the attempt that it was. */
export type Kept = {
  readonly intentId: string;
  readonly status: string | undefined;
  readonly minor: bigint;
  readonly currency: string;
  /** Refunds that are done, in minor units. */
  readonly refunded: bigint;
  /** Refunds that the gateway knows of, and that are not done. */
  readonly refunding: bigint;
  /** How the newest dispute stands. */
  readonly dispute: GatewayDispute['status'] | undefined;
};

/** What is kept of payments, by their gateway's names for them; those without an attempt of ours are left out. */
export async function keptPayments(
  db: Db,
  gateway: string,
  listed: readonly { readonly gatewayPaymentId: string; readonly reference: string | undefined }[],
): Promise<ReadonlyMap<string, Kept>> {
  const { rows } = await sql<{
    gateway_payment_id: string;
    intent_id: string;
    status: string | null;
    minor: bigint;
    currency: string;
    refunded: string;
    refunding: string;
    dispute: GatewayDispute['status'] | null;
  }>`
    select listed.id as gateway_payment_id, i.id as intent_id, p.status,
      coalesce(p.amount_minor, i.amount_minor) as minor, coalesce(p.currency, i.currency) as currency,
      (select coalesce(sum(r.amount_minor), 0) from billing.refunds r
        where r.payment_id = p.id and r.status = 'processed')::text as refunded,
      (select coalesce(sum(r.amount_minor), 0) from billing.refunds r
        where r.payment_id = p.id and r.status = 'pending')::text as refunding,
      (select d.status from billing.disputes d where d.payment_id = p.id order by d.opened_at desc limit 1) as dispute
    from unnest(${listed.map((one) => one.gatewayPaymentId)}::text[],
      ${listed.map(({ reference }) => (reference !== undefined && isUuid(reference) ? reference : null))}::uuid[])
      as listed (id, reference)
    left join billing.payments p on p.gateway = ${gateway} and p.gateway_payment_id = listed.id
    join billing.charge_intents i on i.id = coalesce(p.intent_id, listed.reference)`.execute(db);
  return new Map(
    rows.map((row) => [
      row.gateway_payment_id,
      {
        intentId: row.intent_id,
        status: row.status ?? undefined,
        minor: row.minor,
        currency: row.currency,
        refunded: BigInt(row.refunded),
        refunding: BigInt(row.refunding),
        dispute: row.dispute ?? undefined,
      },
    ]),
  );
}
