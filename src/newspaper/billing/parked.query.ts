import { sql } from 'kysely';
import { type Db, toInstant } from '#platform/db';
import type { Money } from '#values/money';

/** Something that nothing is done about by itself, until a person has looked at it. */
export type Parked = {
  readonly kind: 'subscription' | 'attempt' | 'refund' | 'dispute';
  /** Of the attempt or refund; of a subscription, its own. */
  readonly id: string;
  readonly subscriptionId: string;
  readonly email: string | undefined;
  readonly planName: string;
  readonly amount: Money | undefined;
  readonly reason: string;
  readonly at: Temporal.Instant;
};

/** Attempts of which somebody has to see what became: what was paid and not given back, and what may still be. */
const ATTEMPTS = sql`
  select 'attempt' as kind, i.id, i.subscription_id, i.currency, i.amount_minor, i.parked_reason as reason, i.created_at as at
  from billing.charge_intents i
  where i.parked_reason is not null and (i.status not in ('succeeded', 'failed', 'canceled') or exists (
    select from billing.payments p where p.intent_id = i.id and p.status = 'succeeded'))`;
const SUBSCRIPTIONS = sql`
  select 'subscription', s.id, s.id, null::text, null::bigint, s.parked_reason, coalesce(s.due_at, s.created_at)
  from billing.subscriptions s where s.parked_reason is not null and s.state not in ('canceled', 'expired')`;
/** Refused by the gateway, and not given back another way since. */
const REFUNDS = sql`
  select 'refund', r.id, i.subscription_id, r.currency, r.amount_minor, 'the gateway refused to give it back', r.created_at
  from billing.refunds r join billing.payments p on p.id = r.payment_id join billing.charge_intents i on i.id = p.intent_id
  where r.status = 'failed' and r.seen_to_at is null and not exists (
    select from billing.refunds later where later.payment_id = r.payment_id and later.created_at > r.created_at
      and later.status <> 'failed')`;
const DISPUTES = sql`
  select 'dispute', d.id, i.subscription_id, d.currency, d.amount_minor, 'the payer’s bank has taken it back, and has not decided', d.opened_at
  from billing.disputes d join billing.payments p on p.id = d.payment_id join billing.charge_intents i on i.id = p.intent_id
  where d.status = 'open'`;
const ALL = sql`${ATTEMPTS} union all ${SUBSCRIPTIONS} union all ${REFUNDS} union all ${DISPUTES}`;

/** What waits for a person, the oldest first; at most so many. */
export async function listParked(db: Db, limit: number): Promise<Parked[]> {
  const { rows } = await sql<{
    kind: Parked['kind'];
    id: string;
    subscription_id: string;
    email: string | null;
    plan_name: string;
    currency: string | null;
    amount_minor: bigint | null;
    reason: string;
    at: string;
  }>`
    select one.*, p.name as plan_name, r.email from (${ALL}) as one
      join billing.subscriptions s on s.id = one.subscription_id join billing.plans p on p.slug = s.plan_slug
      left join readers.readers r on r.id = s.reader_id
    order by one.at, one.id limit ${limit}`.execute(db);
  return rows.map((row) => ({
    kind: row.kind,
    id: row.id,
    subscriptionId: row.subscription_id,
    email: row.email ?? undefined,
    planName: row.plan_name,
    amount: row.currency === null ? undefined : { minor: row.amount_minor ?? 0n, currency: row.currency },
    reason: row.reason,
    at: toInstant(row.at),
  }));
}

export async function countParked(db: Db): Promise<number> {
  const { rows } = await sql<{ parked: number }>`select count(*)::int as parked from (${ALL}) as one`.execute(
    db,
  );
  return rows[0]?.parked ?? 0;
}
