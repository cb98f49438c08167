import { type RawBuilder, sql } from 'kysely';
import { BENEFITS_OF } from '#entitlements';
import type { Db } from '#platform/db';
import type { Money } from '#values/money';

/** Something in the books that must never be. */
export type Broken = { readonly invariant: string; readonly what: string };

/** Rows that break an invariant, each in words that say where. So many of one kind are told. */
const MOST_TOLD = 100;

type Invariant = { readonly name: string; readonly broken: RawBuilder<{ what: string }> };

/** What has to hold, and the rows for which it does not. What the database refuses by itself is not asked again. */
const INVARIANTS: readonly Invariant[] = [
  {
    name: 'each charge that succeeded has one payment that did, of the same amount, and no other has one',
    broken: sql`
      select format('charge %s is %s and has %s succeeded payments', i.id, i.status, count(p.id)) as what
      from billing.charge_intents i left join billing.payments p on p.intent_id = i.id and p.status in ('succeeded', 'refunded', 'disputed')
      group by i.id having count(p.id) <> case when i.status = 'succeeded' then 1 else 0 end
        or bool_or(p.amount_minor <> i.amount_minor or p.currency <> i.currency)`,
  },
  {
    name: 'each term that is paid has one charge that succeeded, of the same amount',
    broken: sql`
      select format('term %s of subscription %s has %s succeeded charges', t.seq, t.subscription_id, count(i.id)) as what
      from billing.terms t left join billing.charge_intents i
        on i.subscription_id = t.subscription_id and i.term_seq = t.seq and i.status = 'succeeded'
      where t.status = 'paid' group by t.id having count(i.id) <> 1
        or bool_or(i.amount_minor <> t.amount_minor or i.currency <> t.currency)`,
  },
  {
    name: 'each charge that succeeded has paid for a term, or a person was asked to look at it',
    broken: sql`
      select format('charge %s has paid for nothing', i.id) as what
      from billing.charge_intents i
      where i.status = 'succeeded' and i.parked_reason is null and not exists (
        select from billing.terms t where t.subscription_id = i.subscription_id and t.seq = i.term_seq
          and t.status in ('paid', 'refunded', 'charged_back'))`,
  },
  {
    name: 'a subscription is paid through the end of its last paid term',
    broken: sql`
      select format('subscription %s is paid through %s, and its terms to %s', s.id, s.paid_through_on, max(t.end_on)) as what
      from billing.subscriptions s left join billing.terms t on t.subscription_id = s.id and t.status = 'paid'
      group by s.id having s.paid_through_on is distinct from max(t.end_on)
        and not exists (select from billing.terms r where r.subscription_id = s.id and r.status in ('refunded', 'charged_back'))`,
  },
  {
    name: 'terms follow each other without a gap, from the anchor on',
    broken: sql`
      select format('term %s of subscription %s begins on %s', seq, subscription_id, start_on) as what
      from (select t.*, s.anchor_on, lag(t.end_on) over (partition by t.subscription_id order by t.seq) as before
        from billing.terms t join billing.subscriptions s on s.id = t.subscription_id where t.status <> 'void') terms
      where start_on is distinct from coalesce(before, anchor_on)`,
  },
  {
    name: 'who has paid may read: a paid term gives every benefit of its product, from its first day to its last',
    broken: sql`
      select format('term %s of subscription %s gives %s of %s benefits', t.seq, s.id, count(distinct g.benefit), products.benefits) as what
      from billing.terms t join billing.subscriptions s on s.id = t.subscription_id
        join (values ${sql.join(
          Object.entries(BENEFITS_OF).map(([product, { length }]) => sql`(${product}, ${length}::int)`),
        )}) as products (product, benefits) on products.product = s.product
        left join entitlements.grants g on g.source_id = t.id and g.reader_id = s.reader_id
          and (g.revoked_at is not null or g.until_at = t.end_on::timestamp at time zone s.zone)
      where t.status = 'paid' and exists (select from readers.readers r where r.id = s.reader_id)
      group by t.id, s.id, products.benefits having count(distinct g.benefit) <> products.benefits`,
  },
  {
    name: 'nobody has a right from a term that nobody paid for',
    broken: sql`
      select format('reader %s has %s from %s', g.reader_id, g.benefit, g.source_id) as what
      from entitlements.grants g left join billing.terms t on t.id = g.source_id
      where g.source = 'term' and g.revoked_at is null and (t.id is null or t.status <> 'paid')`,
  },
];

/** Everything in the books that must never be; none where all is well. */
export async function brokenBooks(db: Db): Promise<Broken[]> {
  const all: Broken[] = [];
  for (const { broken, name } of INVARIANTS) {
    const { rows } = await sql<{
      what: string;
    }>`select what from (${broken}) found limit ${MOST_TOLD}`.execute(db);
    all.push(...rows.map(({ what }) => ({ invariant: name, what })));
  }
  return all;
}

/** So many things are proven. */
export const INVARIANT_COUNT = INVARIANTS.length;

/** What a gateway took for us, as our own books have it, by currency. */
export async function takenThrough(db: Db, gateway: string): Promise<Money[]> {
  const { rows } = await sql<{ currency: string; minor: string }>`
    select currency, sum(amount_minor)::text as minor from billing.payments
    where gateway = ${gateway} and status in ('succeeded', 'refunded', 'disputed') group by currency order by currency`.execute(
    db,
  );
  return rows.map(({ currency, minor }) => ({ currency, minor: BigInt(minor) }));
}

/** What an operator watches of payments. */
export async function gatewayFigures(db: Db): Promise<{
  readonly open: number;
  readonly parked: number;
  readonly unprocessed: number;
  /** Since the last webhook came; undefined where none ever did. */
  readonly silentSeconds: number | undefined;
}> {
  const { rows } = await sql<{ open: number; parked: number; unprocessed: number; silent: number | null }>`
    select
      (select count(*)::int from billing.charge_intents
        where status in ('created', 'submitted', 'unknown', 'pending', 'requires_action')) as open,
      (select count(*)::int from billing.charge_intents where parked_reason is not null) as parked,
      (select count(*)::int from billing.gateway_events where processed_at is null) as unprocessed,
      (select extract(epoch from now() - max(received_at))::float8 from billing.gateway_events) as silent`.execute(
    db,
  );
  const [row] = rows;
  return {
    open: row?.open ?? 0,
    parked: row?.parked ?? 0,
    unprocessed: row?.unprocessed ?? 0,
    silentSeconds: row?.silent ?? undefined,
  };
}
