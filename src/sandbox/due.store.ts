import { sql } from 'kysely';
import { type Db, toInstant } from '#platform/db';

/** Something that has its own time: a checkout, a payment by a mandate, or a refund. */
export type Due = { readonly kind: 'checkout' | 'charge' | 'refund'; readonly id: string };

/** What has something due by `now`, in the order in which it fell due. */
export async function listDue(db: Db, now: Temporal.Instant, most: number): Promise<Due[]> {
  const until = now.toString();
  const { rows } = await sql<Due>`
    select kind, id from (
      select case when checkout_id is null then 'charge' else 'checkout' end as kind, coalesce(checkout_id, id) as id,
        settles_at as due_at
      from sandbox.payments where status = 'pending' and settles_at <= ${until}
      union all
      select 'charge', id, late_at from sandbox.payments where late_at <= ${until}
      union all
      select 'refund', id, settles_at from sandbox.refunds where status = 'pending' and settles_at <= ${until}
      union all
      select 'checkout', id, expires_at from sandbox.checkouts c
      where status = 'open' and expires_at <= ${until}
        and not exists (select from sandbox.payments p where p.checkout_id = c.id and p.status = 'pending')
    ) as due order by due_at, id limit ${most}`.execute(db);
  return rows;
}

/** When the company next learns from a bank what became of money, if that is by `until`. */
export async function nextSettlementAt(
  db: Db,
  until: Temporal.Instant,
): Promise<Temporal.Instant | undefined> {
  const { rows } = await sql<{ at: string | null }>`
    select least(
      (select min(settles_at) from sandbox.payments where status = 'pending'),
      (select min(late_at) from sandbox.payments where late_at is not null),
      (select min(settles_at) from sandbox.refunds where status = 'pending')) as at`.execute(db);
  if (typeof rows[0]?.at !== 'string') return undefined;
  const at = toInstant(rows[0].at);
  return Temporal.Instant.compare(at, until) <= 0 ? at : undefined;
}
