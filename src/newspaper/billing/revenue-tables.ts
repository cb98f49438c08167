import type { Cell } from '#platform/csv';
import { minorText } from '#values/money';
import type { MonthFigures, Posting } from './revenue.query.ts';

/** The figures of months as rows of a table, with their headings. Amounts are in whole units of the currency. */
export function figureRows(figures: readonly MonthFigures[]): Cell[][] {
  const reasons = [...new Set(figures.flatMap(({ ended }) => [...ended.keys()]))].sort();
  return [
    [
      'month',
      'currency',
      'earned_net',
      'invoiced_net',
      'invoiced_tax',
      'credited_net',
      'credited_tax',
      'received',
      'returned',
      'deferred_net',
      'recurring_net_a_month',
      'subscribers_at_end',
      'begun',
      'ended',
      ...reasons.map((reason) => `ended_${reason}`),
      'churn_percent',
      'charges_failed',
      'terms_recovered',
    ],
    ...figures.map((one): Cell[] => {
      const money = (minor: bigint): Cell => ({ decimal: minorText({ minor, currency: one.currency }) });
      const count = (n: number): Cell => ({ decimal: String(n) });
      return [
        one.month.toString(),
        one.currency,
        money(one.earned),
        money(one.invoiced.net),
        money(one.invoiced.tax),
        money(one.credited.net),
        money(one.credited.tax),
        money(one.received),
        money(one.returned),
        money(one.deferred),
        money(one.recurring),
        count(one.subscribers),
        count(one.begun),
        count(endedIn(one)),
        ...reasons.map((reason) => count(one.ended.get(reason) ?? 0)),
        { decimal: churnPercent(one)?.toFixed(2) ?? '' },
        count(one.failed),
        count(one.recovered),
      ];
    }),
  ];
}

export function endedIn({ ended }: MonthFigures): number {
  return [...ended.values()].reduce((sum, n) => sum + n, 0);
}

/** Of a hundred who subscribed as the month began, so many ended in it; undefined where nobody did. */
export function churnPercent(figures: MonthFigures): number | undefined {
  const { subscribersBefore } = figures;
  return subscribersBefore === 0 ? undefined : (100 * endedIn(figures)) / subscribersBefore;
}

export const JOURNAL_HEADINGS: readonly Cell[] = [
  'date',
  'kind',
  'document',
  'account',
  'debit',
  'credit',
  'currency',
  'entry',
  'subscription',
];

/** Postings of the journal as rows of a table: a debit and a credit stand in columns of their own. */
export function journalRows(postings: readonly Posting[]): Cell[][] {
  return postings.map((one) => {
    const { amount, currency } = one;
    const text = (minor: bigint): Cell => ({ decimal: minor > 0n ? minorText({ minor, currency }) : '' });
    return [
      one.on,
      one.kind,
      one.document ?? '',
      one.account,
      text(amount),
      text(-amount),
      currency,
      one.entry,
      one.subscriptionId,
    ];
  });
}
