import { sql } from 'kysely';
import type { Db } from '#platform/db';
import type { PaymentRecord } from './payment.ts';
import { readRecords } from './payments.store.ts';

/** How far a list has been read: when the last payment on it was changed, in microseconds, and which that is. */
export type ListPlace = { readonly micros: string; readonly id: string };

/**
 * Payments that were made since, or of which something was: settled, given back, asked for. In the order of that, so that
 * one that is changed while the list is read comes again at its end. Nothing of those that took nothing: attempts that
 * were called off, and those of checkouts of nothing.
 */
export async function listPayments(
  db: Db,
  since: Temporal.Instant,
  after: ListPlace | undefined,
  most: number,
): Promise<{ readonly records: readonly PaymentRecord[]; readonly last: ListPlace | undefined }> {
  // Of a payment and what was captured of it the one that changed last says where it stands: 223 s for 100,000 payments
  // where each page worked that out for all of them, and a part of that where each reads on from the one before.
  const from = after === undefined ? since.toString() : instantOf(after.micros);
  const id = after?.id ?? '';
  const { rows } = await sql<{ id: string; micros: string }>`
    with settled as (
      select p.id, p.changed_at as at from sandbox.payments p
      where (p.changed_at, p.id) > (${from}::timestamptz, ${id}) and p.changed_at >= ${since.toString()}
        and p.status <> 'canceled'
        and not exists (select from sandbox.captures c where c.payment_id = p.id and c.changed_at >= p.changed_at)
        and coalesce((select c.amount_minor from sandbox.checkouts c where c.id = p.checkout_id), 1) > 0
      order by p.changed_at, p.id limit ${most}
    ), returned as (
      select c.payment_id as id, c.changed_at as at
      from sandbox.captures c join sandbox.payments p on p.id = c.payment_id and p.changed_at <= c.changed_at
      where (c.changed_at, c.payment_id) > (${from}::timestamptz, ${id}) and c.changed_at >= ${since.toString()}
        and p.status <> 'canceled'
        and coalesce((select k.amount_minor from sandbox.checkouts k where k.id = p.checkout_id), 1) > 0
      order by c.changed_at, c.payment_id limit ${most}
    )
    select id, (extract(epoch from at) * 1000000)::bigint::text as micros
    from (select * from settled union all select * from returned) as one
    order by at, id limit ${most}`.execute(db);
  const records = await readRecords(
    db,
    rows.map(({ id }) => id),
  );
  return { records: rows.flatMap(({ id }) => records.get(id) ?? []), last: rows.at(-1) };
}

/** An instant as PostgreSQL reads it, to the microsecond that it keeps. */
function instantOf(micros: string): string {
  return Temporal.Instant.fromEpochNanoseconds(BigInt(micros) * 1_000n).toString();
}

/** The sums of the company's book, by currency: what came, what went, and what is left. */
export async function readBalance(db: Db): Promise<readonly Balance[]> {
  const { rows } = await sql<Balance>`
    select currency, sum(amount_minor)::bigint as remaining,
      coalesce(sum(amount_minor) filter (where kind = 'captured'), 0)::bigint as captured,
      -coalesce(sum(amount_minor) filter (where kind = 'refunded'), 0)::bigint as refunded,
      -coalesce(sum(amount_minor) filter (where kind in ('disputed', 'reinstated')), 0)::bigint as disputed
    from sandbox.movements group by currency order by currency`.execute(db);
  return rows;
}

export type Balance = {
  readonly currency: string;
  readonly remaining: bigint;
  readonly captured: bigint;
  readonly refunded: bigint;
  /** Taken by payers' banks and not given back. */
  readonly disputed: bigint;
};
