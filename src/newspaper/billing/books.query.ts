import { type RawBuilder, sql } from 'kysely';
import { BENEFITS_OF } from '#entitlements';
import type { Db } from '#platform/db';
import type { Money } from '#values/money';
import { PATIENCE } from './subscription.ts';

/** Something in the books that must never be. */
export type Broken = { readonly invariant: string; readonly what: string };

/** Rows that break an invariant, each in words that say where. So many of one kind are told. */
const MOST_TOLD = 100;

type Invariant = { readonly name: string; readonly broken: RawBuilder<{ what: string }> };

/** Payments that took money, whatever became of it since. */
const TOOK = sql`status in ('succeeded', 'refunded', 'disputed')`;

/** What an account has come to for each invoice. */
const onInvoices = (account: string) => sql`
  select j.invoice_id, sum(p.amount) as amount from billing.journal j, unnest(j.accounts, j.amounts) as p (account, amount)
  where p.account = ${account} and j.invoice_id is not null group by j.invoice_id`;

/**
 * What has to hold, and the rows for which it does not. What the database refuses by itself is not asked again. The
 * numbers are those of the specification (billing, 4).
 */
const INVARIANTS: readonly Invariant[] = [
  {
    name: 'I1: the whole journal comes to nothing in each currency',
    broken: sql`
      select format('%s is out by %s', currency, sum(p.amount)) as what
      from billing.journal j, unnest(j.amounts) as p (amount) group by currency having sum(p.amount) <> 0`,
  },
  {
    name: 'I2: what is asked for with an invoice and not paid is what the journal has of it, and never below nothing',
    broken: sql`
      select format('invoice %s of %s is %s, and %s of it is receivable', i.number, i.total_minor, i.status, coalesce(r.amount, 0)) as what
      from billing.invoices i left join (${onInvoices('receivable')}) r on r.invoice_id = i.id
      where i.number is not null and coalesce(r.amount, 0) <> case i.status when 'open' then i.total_minor - (
        select coalesce(sum(c.total_minor), 0) from billing.credit_notes c where c.invoice_id = i.id) else 0 end`,
  },
  {
    name: 'I4: what is sold and not credited is in the journal, apart from its tax',
    broken: sql`
      select format('invoice %s has %s deferred', i.number, -coalesce(d.amount, 0)) as what
      from billing.invoices i left join (${onInvoices('deferred')}) d on d.invoice_id = i.id
      where i.number is not null and -coalesce(d.amount, 0) <> i.taxable_minor - (
        select coalesce(sum(c.taxable_minor), 0) from billing.credit_notes c where c.invoice_id = i.id)`,
  },
  {
    name: 'I3: each payment that took money is booked once, in its amount, and nothing else is',
    broken: sql`
      select format('payment %s of %s is booked as %s', coalesce(p.gateway_payment_id, j.key), p.amount_minor, j.amounts[1]) as what
      from (select * from billing.payments where ${TOOK}) p
        full join (select * from billing.journal where kind in ('captured', 'overpaid')) j on j.key = 'captured ' || p.gateway_payment_id
      where p.id is null or j.id is null or j.amounts[1] <> p.amount_minor or j.currency <> p.currency`,
  },
  {
    name: 'nobody is owed less than nothing',
    broken: sql`
      select format('subscription %s is owed %s %s', j.subscription_id, -sum(p.amount), j.currency) as what
      from billing.journal j, unnest(j.accounts, j.amounts) as p (account, amount)
      where p.account = 'owed' group by j.subscription_id, j.currency having sum(p.amount) > 0`,
  },
  {
    name: 'each charge that succeeded has one payment that did, of the same amount, and no other has one',
    broken: sql`
      select format('charge %s is %s and has %s succeeded payments', i.id, i.status, count(p.id)) as what
      from billing.charge_intents i left join billing.payments p on p.intent_id = i.id and p.${TOOK}
      where i.amount_minor > 0
      group by i.id having count(p.id) <> case when i.status = 'succeeded' then 1 else 0 end
        or bool_or((p.amount_minor <> i.amount_minor or p.currency <> i.currency) and i.parked_reason is null)`,
  },
  {
    name: 'I5: each term that is paid has one charge that paid its invoice, and no other charge has',
    broken: sql`
      select format('term %s of subscription %s has %s charges', t.seq, t.subscription_id, count(i.id)) as what
      from billing.terms t
        left join billing.invoices v on v.subscription_id = t.subscription_id and v.term_seq = t.seq and v.status = 'paid'
        left join billing.charge_intents i on i.invoice_id = v.id and i.status = 'succeeded'
      where t.status = 'paid' group by t.id having count(i.id) <> 1
        or bool_or(i.amount_minor + i.credit_minor <> t.amount_minor or i.currency <> t.currency)`,
  },
  {
    name: 'each charge that succeeded has paid an invoice, has gone back, or a person was asked to look at it',
    broken: sql`
      select format('charge %s has paid for nothing', i.id) as what
      from billing.charge_intents i
      where i.status = 'succeeded' and i.amount_minor > 0 and i.parked_reason is null and i.invoice_id is null and not exists (
        select from billing.refunds r join billing.payments p on p.id = r.payment_id where p.intent_id = i.id)`,
  },
  {
    name: 'I9: nothing is charged of a subscription that is over',
    broken: sql`
      select format('charge %s was made after subscription %s had ended', i.id, s.id) as what
      from billing.charge_intents i join billing.subscriptions s on s.id = i.subscription_id
      where i.mandate_id is not null and i.created_at > s.ended_at`,
  },
  {
    name: 'a subscription is paid through the end of its last paid term, unless days were given or wait',
    broken: sql`
      select format('subscription %s is paid through %s, and its terms to %s', s.id, s.paid_through_on, max(t.end_on)) as what
      from billing.subscriptions s left join billing.terms t on t.subscription_id = s.id and t.status = 'paid'
      where not exists (select from billing.given_days g where g.subscription_id = s.id and g.source in ('gift', 'term'))
      group by s.id having s.paid_through_on is distinct from max(t.end_on)
        and not exists (select from billing.terms r where r.subscription_id = s.id and r.status in ('refunded', 'charged_back'))`,
  },
  {
    name: 'I10 I13: terms are numbered without a gap, and each begins where the one before it ends, unless its reader was shut out',
    broken: sql`
      select format('term %s of subscription %s begins on %s', seq, subscription_id, start_on) as what
      from (select t.*, lag(t.end_on) over w as before, lag(t.status) over w as before_status, row_number() over w - 1 as place
        from billing.terms t window w as (partition by t.subscription_id order by t.seq)) terms
      where seq <> place or (start_on < before and before_status <> 'void') or (start_on > before and start_on < before + ${PATIENCE.graceDays}::int
        and not exists (select from billing.given_days g where g.subscription_id = terms.subscription_id and g.source in ('gift', 'term')))`,
  },
  {
    name: 'I14: who has paid may read: a paid term that is not over gives every benefit of its product, to its last day',
    broken: sql`
      select format('term %s of subscription %s gives %s of %s benefits', t.seq, s.id, count(distinct g.benefit), products.benefits) as what
      from billing.terms t join billing.subscriptions s on s.id = t.subscription_id
        join (values ${sql.join(
          Object.entries(BENEFITS_OF).map(([product, { length }]) => sql`(${product}, ${length}::int)`),
        )}) as products (product, benefits) on products.product = s.product
        left join entitlements.grants g on g.source_id = t.id and g.reader_id = s.reader_id
          and (g.revoked_at is not null or g.until_at = t.end_on::timestamp at time zone s.zone)
      where t.status = 'paid' and s.seats = 1 and exists (select from readers.readers r where r.id = s.reader_id)
      group by t.id, s.id, products.benefits having count(distinct g.benefit) <> products.benefits`,
  },
  {
    name: 'I14: nobody has a right from a term that nobody paid for, or from days that nobody gave',
    broken: sql`
      select format('reader %s has %s from %s', g.reader_id, g.benefit, g.source_id) as what
      from entitlements.grants g left join billing.terms t on t.id = g.source_id
        left join billing.given_days d on d.id = g.source_id and d.source = g.source
      where g.source in ('term', 'grace', 'trial') and g.revoked_at is null
        and (t.id is null or t.status <> 'paid' or g.source <> 'term') and d.id is null`,
  },
  {
    name: 'I17: a group has no more readers than seats, and nobody reads by one without a seat, or for longer than it is paid',
    broken: sql`
      select format('group %s of %s has %s', s.id, s.seats, count(*)) as what
      from billing.subscriptions s join billing.seats seat on seat.subscription_id = s.id and seat.removed_at is null
      where s.state not in ('canceled', 'expired') group by s.id having count(*) > s.seats
      union all select format('reader %s has %s from %s', g.reader_id, g.benefit, g.source_id)
      from entitlements.grants g
        left join (select id, subscription_id, end_on from billing.terms
          union all select id, subscription_id, until_on from billing.given_days) days on days.id = g.source_id
        left join billing.subscriptions s on s.id = days.subscription_id
      where g.source = 'seat' and g.revoked_at is null and (s.id is null or g.until_at > days.end_on::timestamp at time zone s.zone
        or not exists (select from billing.seats seat where seat.subscription_id = s.id and seat.reader_id = g.reader_id
          and (seat.removed_at is null or seat.removed_at >= g.until_at)))`,
  },
  {
    name: 'I16: nobody reads on credit for more than the days of grace',
    broken: sql`
      select format('subscription %s has grace from %s to %s', subscription_id, from_on, until_on) as what
      from billing.given_days where source = 'grace' and until_on - from_on > ${PATIENCE.graceDays}::int`,
  },
  ...(['invoices', 'credit_notes'] as const).map(
    (table): Invariant => ({
      name: `I18: the numbers of ${table.replace('_', ' ')} have no gap in a financial year, and their days do not run back`,
      broken: sql`
      select format('%s of %s comes after %s of %s', number, issued_on, before, before_on) as what
      from (select number, serial, issued_on, row_number() over w as place, lag(number) over w as before,
          lag(issued_on) over w as before_on
        from ${sql.table(`billing.${table}`)} where number is not null
        window w as (partition by financial_year order by serial)) numbered
      where serial <> place or issued_on < before_on`,
    }),
  ),
  {
    name: 'I19: lines and tax of an invoice add up, and India’s two heads are equal or there is one',
    broken: sql`
      select format('invoice %s does not add up', number) as what
      from billing.invoices i,
        lateral (select coalesce(sum((line->>'amount')::bigint), 0) as total from jsonb_array_elements(i.lines) line) lines,
        lateral (select coalesce(sum((head->>'amount')::bigint), 0) as total,
            coalesce(sum((head->>'amount')::bigint) filter (where head->>'name' = 'CGST'), 0) as central,
            coalesce(sum((head->>'amount')::bigint) filter (where head->>'name' in ('SGST', 'UTGST')), 0) as state,
            count(*) filter (where head->>'name' = 'IGST') as integrated
          from jsonb_array_elements(i.tax) head) tax
      where number is not null and (lines.total <> total_minor or tax.total <> tax_minor or central <> state
        or (integrated > 0 and central > 0))`,
  },
  {
    name: 'I20: no more is credited of an invoice than it says, and no more tax',
    broken: sql`
      select format('invoice %s of %s is credited with %s', i.number, i.total_minor, sum(c.total_minor)) as what
      from billing.invoices i join billing.credit_notes c on c.invoice_id = i.id
      group by i.id having sum(c.total_minor) > i.total_minor or sum(c.tax_minor) > i.tax_minor`,
  },
  {
    // What its gateway has not heard of may still be refused by it: a bank was faster.
    name: 'I21: no more goes back of a payment than was taken',
    broken: sql`
      select format('of payment %s of %s went back %s', p.gateway_payment_id, p.amount_minor, gone.minor) as what
      from billing.payments p, lateral (select
        (select coalesce(sum(r.amount_minor), 0) from billing.refunds r where r.payment_id = p.id and r.status in ('pending', 'processed'))
        + (select coalesce(sum(d.amount_minor), 0) from billing.disputes d where d.payment_id = p.id and d.status <> 'won')
        as minor) gone
      where gone.minor > p.amount_minor`,
  },
  {
    name: 'I22: no more is charged than its reader was told, or than the mandate allows',
    broken: sql`
      select format('charge %s of %s was announced as %s', i.id, i.amount_minor, min(n.amount_minor)) as what
      from billing.charge_intents i join billing.mandates m on m.id = i.mandate_id
        left join billing.notices n on n.subscription_id = i.subscription_id and n.term_seq = i.term_seq
          and n.sent_at <= i.created_at
          -- What was said of one plan's price is no promise about another, which its reader has chosen since.
          and (n.kind <> 'price' or n.plan_slug = (select d.plan_slug from billing.notices d
            where d.subscription_id = i.subscription_id and d.term_seq = i.term_seq and d.kind = 'debit'))
      group by i.id, m.max_minor having count(n.kind) = 0 or i.amount_minor > min(n.amount_minor)
        or i.amount_minor > m.max_minor`,
  },
  {
    name: 'I23: no more readers have an offer, or use a code, than it is for, and none is held for what is given up',
    broken: sql`
      select format('offer %s for %s is had by %s', o.slug, o.most, count(*)) as what
      from billing.offers o join billing.redemptions r on r.offer_slug = o.slug and r.status <> 'released'
      group by o.slug having count(*) > o.most
      union all select format('a code of offer %s for %s is used by %s', c.offer_slug, c.most, count(*))
      from billing.offer_codes c join billing.redemptions r on r.code_hash = c.code_hash and r.status <> 'released'
      group by c.code_hash having count(*) > c.most
      union all select format('offer %s is held for subscription %s', r.offer_slug, s.id)
      from billing.redemptions r join billing.subscriptions s on s.id = r.subscription_id
      where r.status = 'reserved' and s.state <> 'incomplete'`,
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

/** What a gateway holds for us, as our own books have it, by currency: taken, less what went back. */
export async function heldBy(db: Db, gateway: string): Promise<Money[]> {
  const { rows } = await sql<{ currency: string; minor: string }>`
    select j.currency, sum(p.amount)::text as minor
    from billing.journal j, unnest(j.accounts, j.amounts) as p (account, amount)
    where p.account = ${`cash:${gateway}`} group by j.currency order by j.currency`.execute(db);
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
      (select count(*)::int from billing.charge_intents where parked_reason is not null)
        + (select count(*)::int from billing.subscriptions where parked_reason is not null
            and state not in ('canceled', 'expired')) as parked,
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
