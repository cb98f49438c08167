import { sql } from 'kysely';
import type { Db } from '#platform/db';

/** What a paper has earned and what it lives on, of one month and one currency. Amounts are minor units. */
export type MonthFigures = {
  readonly month: Temporal.PlainYearMonth;
  readonly currency: string;
  /** Of invoices that were made in the month, and of credit notes. */
  readonly invoiced: { readonly net: bigint; readonly tax: bigint };
  readonly credited: { readonly net: bigint; readonly tax: bigint };
  /** Without tax: what of everything that was sold fell on the days of this month. */
  readonly earned: bigint;
  /** Without tax: sold, not credited and not yet delivered, at the end of the month. */
  readonly deferred: bigint;
  /** Taken by gateways, and given back or lost to payers' banks. */
  readonly received: bigint;
  readonly returned: bigint;
  /** What the terms of the last day come to in a month, without tax: a day of them, times 365 / 12. */
  readonly recurring: bigint;
  /** With a paid term on the last day; and before the first. */
  readonly subscribers: number;
  readonly subscribersBefore: number;
  readonly begun: number;
  /** Those that ended in the month and were paid once, by why. */
  readonly ended: ReadonlyMap<string, number>;
  /** Charges by a mandate that were declined, and terms that were paid after one was. */
  readonly failed: number;
  readonly recovered: number;
};

/** The rule of revenue.ts, for all sales at once: what is left of them and what is earned, before each of some days. */
const sales = (days: readonly string[]) => sql`
  with days as (select unnest(${days}::date[]) as day),
  sold as materialized (
    select v.id, v.currency, v.issued_on, v.taxable_minor as net, t.end_on as cut_on,
      -- A gift is earned on the days on which it is read by, which are known once it is redeemed.
      case s.gift when 'waiting' then 'infinity' when 'redeemed' then t.start_on else (v.lines->0->>'fromOn')::date end as from_on,
      case s.gift when 'waiting' then 'infinity' when 'redeemed' then t.end_on else (v.lines->0->>'untilOn')::date end as until_on
    from billing.invoices v join billing.subscriptions s on s.id = v.subscription_id left join billing.terms t on t.subscription_id = v.subscription_id and t.seq = v.term_seq
    where v.number is not null),
  credits as materialized (
    select c.invoice_id, d.day, sum(c.taxable_minor) as net
    from billing.credit_notes c join days d on c.issued_on < d.day group by c.invoice_id, d.day),
  spread as (
    select d.day, s.currency, s.net - coalesce(c.net, 0) as rest,
      case when s.from_on = 'infinity' then 0 else d.day - s.from_on end as passed,
      case when s.from_on = 'infinity' then 1
        when s.cut_on < s.until_on and s.cut_on < d.day then s.cut_on - s.from_on
        else s.until_on - s.from_on end as length
    from days d join sold s on s.issued_on < d.day left join credits c on c.invoice_id = s.id and c.day = d.day)
  select day::text as day, currency, sum(rest)::text as rest,
    sum(case when length <= 0 then rest
      else div(rest * least(length, greatest(0, passed)), length) end)::text as earned
  from spread group by day, currency`;

/**
 * The figures of months, each in every currency that was sold in; months without any are left out.
 *
 * @param zone of the paper: days and months are its own
 */
export async function monthFigures(
  db: Db,
  months: readonly Temporal.PlainYearMonth[],
  zone: string,
): Promise<MonthFigures[]> {
  const [first, last] = [months[0], months.at(-1)];
  if (first === undefined || last === undefined) return [];
  const starts = months.map((month) => month.toPlainDate({ day: 1 }).toString());
  const after = last.add({ months: 1 }).toPlainDate({ day: 1 }).toString();
  const edges = [...starts, after];
  const [sold, documents, cash, terms, begun, ended, charges] = await Promise.all([
    sales(edges).$castTo<{ day: string; currency: string; rest: string; earned: string }>().execute(db),
    sql<{ month: string; currency: string; kind: string; net: string; tax: string }>`
      select to_char(issued_on, 'YYYY-MM') as month, currency, kind, sum(net)::text as net, sum(tax)::text as tax
      from (select issued_on, currency, 'invoiced' as kind, taxable_minor as net, tax_minor as tax
          from billing.invoices where number is not null
        union all select issued_on, currency, 'credited', taxable_minor, tax_minor from billing.credit_notes) as one
      where issued_on >= ${starts[0]} and issued_on < ${after} group by 1, 2, 3`.execute(db),
    sql<{ month: string; currency: string; received: string; returned: string }>`
      select to_char(j.on_day, 'YYYY-MM') as month, j.currency,
        coalesce(sum(p.amount) filter (where j.kind in ('captured', 'overpaid')), 0)::text as received,
        coalesce(-sum(p.amount) filter (where j.kind not in ('captured', 'overpaid')), 0)::text as returned
      from billing.journal j, unnest(j.accounts, j.amounts) as p (account, amount)
      where p.account like 'cash:%' and j.on_day >= ${starts[0]} and j.on_day < ${after} group by 1, 2`.execute(
      db,
    ),
    sql<{ day: string; currency: string; recurring: string; subscribers: number }>`
      select d.day::text as day, t.currency, count(distinct t.subscription_id)::int as subscribers,
        sum(div(v.taxable_minor * 365, 12 * (t.end_on - t.start_on)))::text as recurring
      from unnest(${edges}::date[]) as d (day)
        join billing.terms t on t.status = 'paid' and t.start_on < d.day and t.end_on >= d.day
        join billing.invoices v on v.subscription_id = t.subscription_id and v.term_seq = t.seq and v.status = 'paid'
      group by d.day, t.currency`.execute(db),
    sql<{ month: string; currency: string; begun: number }>`
      select to_char(start_on, 'YYYY-MM') as month, currency, count(*)::int as begun from billing.terms
      where seq = 0 and start_on >= ${starts[0]} and start_on < ${after} group by 1, 2`.execute(db),
    sql<{ month: string; currency: string; reason: string; ended: number }>`
      select to_char(ended_at at time zone ${zone}, 'YYYY-MM') as month, currency, ended_reason as reason,
        count(*)::int as ended
      from billing.subscriptions where ended_at is not null and next_seq > 0
        and (ended_at at time zone ${zone})::date >= ${starts[0]} and (ended_at at time zone ${zone})::date < ${after}
      group by 1, 2, 3`.execute(db),
    sql<{ month: string; currency: string; failed: number; recovered: number }>`
      select to_char(i.decided_at at time zone ${zone}, 'YYYY-MM') as month, i.currency,
        count(*) filter (where i.status = 'failed' and i.mandate_id is not null)::int as failed,
        count(*) filter (where i.status = 'succeeded' and exists (
          select from billing.charge_intents b where b.subscription_id = i.subscription_id and b.term_seq = i.term_seq
            and b.attempt < i.attempt and b.status = 'failed' and b.mandate_id is not null))::int as recovered
      from billing.charge_intents i
      where (i.decided_at at time zone ${zone})::date >= ${starts[0]} and (i.decided_at at time zone ${zone})::date < ${after}
      group by 1, 2`.execute(db),
  ]);
  const currencies = [...new Set([...sold.rows, ...cash.rows].map(({ currency }) => currency))].sort();
  const big = (text: string | undefined) => BigInt(text ?? '0');
  return currencies.flatMap((currency) =>
    months.map((month, at): MonthFigures => {
      const [from, until] = [edges[at], edges[at + 1]];
      const isMonth = (row: { month: string; currency: string }) =>
        row.month === month.toString() && row.currency === currency;
      const onDay = <Row extends { day: string; currency: string }>(
        rows: readonly Row[],
        day: string | undefined,
      ) => rows.find((row) => row.day === day && row.currency === currency);
      const [before, then] = [onDay(sold.rows, from), onDay(sold.rows, until)];
      const document = (kind: string) => {
        const row = documents.rows.find((one) => isMonth(one) && one.kind === kind);
        return { net: big(row?.net), tax: big(row?.tax) };
      };
      const money = cash.rows.find(isMonth);
      const tried = charges.rows.find(isMonth);
      return {
        month,
        currency,
        invoiced: document('invoiced'),
        credited: document('credited'),
        earned: big(then?.earned) - big(before?.earned),
        deferred: big(then?.rest) - big(then?.earned),
        received: big(money?.received),
        returned: big(money?.returned),
        recurring: big(onDay(terms.rows, until)?.recurring),
        subscribers: onDay(terms.rows, until)?.subscribers ?? 0,
        subscribersBefore: onDay(terms.rows, from)?.subscribers ?? 0,
        begun: begun.rows.find(isMonth)?.begun ?? 0,
        ended: new Map(ended.rows.filter(isMonth).map(({ ended: n, reason }) => [reason, n])),
        failed: tried?.failed ?? 0,
        recovered: tried?.recovered ?? 0,
      };
    }),
  );
}

/** One posting of the journal, as an accountant imports it. */
export type Posting = {
  readonly on: string;
  readonly kind: string;
  /** Of the invoice or credit note that it is about; undefined where it is about neither. */
  readonly document: string | undefined;
  readonly entry: string;
  readonly account: string;
  /** In minor units: a debit above zero, a credit below. */
  readonly amount: bigint;
  readonly currency: string;
  readonly subscriptionId: string;
};

/** How far the journal has been read. */
export type JournalPlace = { readonly on: string; readonly id: string };

/** Entries of the days from one to before another, in the order of days, some at a time; each whole. */
export async function journalPage(
  db: Db,
  from: Temporal.PlainDate,
  until: Temporal.PlainDate,
  after: JournalPlace | undefined,
  most: number,
): Promise<{ readonly postings: readonly Posting[]; readonly last: JournalPlace | undefined }> {
  const { rows } = await sql<{
    id: string;
    on: string;
    kind: string;
    key: string;
    document: string | null;
    accounts: string[];
    amounts: string[];
    currency: string;
    subscription_id: string;
  }>`
    select j.id, j.on_day::text as on, j.kind, j.key, j.currency, j.accounts, j.amounts, j.subscription_id,
      coalesce(c.number, v.number) as document
    from billing.journal j left join billing.invoices v on v.id = j.invoice_id
      left join billing.credit_notes c on j.kind = 'credited' and j.key = 'credited ' || c.id
    where j.on_day >= ${from.toString()} and j.on_day < ${until.toString()}
      and (${after === undefined} or (j.on_day, j.id) > (${after?.on ?? from.toString()}::date, ${after?.id ?? '00000000-0000-0000-0000-000000000000'}::uuid))
    order by j.on_day, j.id limit ${most}`.execute(db);
  const last = rows.at(-1);
  return {
    postings: rows.flatMap((row) =>
      row.accounts.map((account, at) => ({
        on: row.on,
        kind: row.kind,
        document: row.document ?? undefined,
        entry: row.key,
        account,
        amount: BigInt(row.amounts[at] ?? '0'),
        currency: row.currency,
        subscriptionId: row.subscription_id,
      })),
    ),
    last: rows.length < most || last === undefined ? undefined : { on: last.on, id: last.id },
  };
}
