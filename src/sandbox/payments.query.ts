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
  const from = since.toString();
  const { rows } = await sql<{ id: string; micros: string }>`
    with touched as (
      select id, changed_at as at from sandbox.payments where changed_at >= ${from}
      union all
      select payment_id, changed_at from sandbox.captures where changed_at >= ${from}
    ), newest as (
      select id, (extract(epoch from max(at)) * 1000000)::bigint as micros from touched group by id
    )
    select newest.id, newest.micros::text as micros from newest join sandbox.payments p on p.id = newest.id
      left join sandbox.checkouts c on c.id = p.checkout_id
    where p.status <> 'canceled' and coalesce(c.amount_minor, 1) > 0
      and (${after === undefined} or (newest.micros, newest.id) > (${after?.micros ?? '0'}::bigint, ${after?.id ?? ''}))
    order by newest.micros, newest.id limit ${most}`.execute(db);
  const records = await readRecords(
    db,
    rows.map(({ id }) => id),
  );
  return { records: rows.flatMap(({ id }) => records.get(id) ?? []), last: rows.at(-1) };
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
