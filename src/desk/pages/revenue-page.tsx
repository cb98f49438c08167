import { churnPercent, endedIn, type MonthFigures } from '#billing';
import { formatMoney } from '#values/money';
import { documentText } from '../components/document.ts';
import { Field } from '../components/field.tsx';
import { Layout } from '../components/layout.tsx';
import type { Frame } from '../frame.ts';
import { DESK, withQuery } from '../urls.ts';

/** What the paper earns, who pays for it, and what fails: a year by its months, each figure from the books. */
export function renderRevenue(given: {
  frame: Frame;
  months: readonly Temporal.PlainYearMonth[];
  figures: readonly MonthFigures[];
}): string {
  const { figures, frame, months } = given;
  const [first, last] = [months[0], months.at(-1)];
  const currencies = [...new Set(figures.map(({ currency }) => currency))];
  const from = first?.toPlainDate({ day: 1 }).toString() ?? '';
  const until = last?.add({ months: 1 }).toPlainDate({ day: 1 }).toString() ?? '';
  return documentText(
    <Layout frame={frame} title="Revenue" current={DESK.revenue}>
      <header class="page-head">
        <h1>Revenue</h1>
        <p class="standfirst">
          {name(first, frame)} to {name(last, frame)}. Earned is what of everything that was sold fell on the
          days of a month, without its tax; the rest of it waits as deferred.
        </p>
      </header>
      <nav class="page-turns" aria-label="Years">
        <a href={withQuery(DESK.revenue, { until: first?.subtract({ months: 1 }).toString() })}>Earlier</a>
        <a href={withQuery(DESK.revenue, { until: last?.add({ months: 12 }).toString() })}>Later</a>
        <a href={withQuery(DESK.revenueFile, { until: last?.toString() })} download>
          These figures as a table
        </a>
      </nav>
      {currencies.length === 0 && <p class="empty">Nothing has been sold in these months.</p>}
      {currencies.map((currency) => (
        <OneCurrency
          frame={frame}
          currency={currency}
          several={currencies.length > 1}
          figures={figures.filter((one) => one.currency === currency).toReversed()}
        />
      ))}
      <section aria-labelledby="journal">
        <h2 id="journal">The journal</h2>
        <p>
          Every entry of the books, with the number of its document, as accounting programs take it in. Days
          are half open: the last is not in it.
        </p>
        <form class="inline-form" method="get" action={DESK.journalFile}>
          <Field
            id="from"
            name="from"
            label="From"
            value={from}
            input={{ required: true, autocomplete: 'off' }}
          />
          <Field
            id="until"
            name="until"
            label="To before"
            value={until}
            input={{ required: true, autocomplete: 'off' }}
          />
          <button type="submit" class="quiet">
            Download
          </button>
        </form>
      </section>
    </Layout>,
  );
}

function name(month: Temporal.PlainYearMonth | undefined, frame: Frame): string {
  if (month === undefined) return '';
  const format = new Intl.DateTimeFormat(frame.paper.language, {
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  });
  return format.format(new Date(Date.UTC(month.year, month.month - 1, 1)));
}

function OneCurrency(props: {
  frame: Frame;
  currency: string;
  several: boolean;
  figures: readonly MonthFigures[];
}) {
  const { currency, figures, frame, several } = props;
  const { language } = frame.paper;
  const money = (minor: bigint) =>
    minor < 0n
      ? `−${formatMoney({ minor: -minor, currency }, language)}`
      : formatMoney({ minor, currency }, language);
  const number = new Intl.NumberFormat(language);
  const percent = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  return (
    <>
      <Table
        title={several ? `Money in ${currency}` : 'Money'}
        headings={[
          'Earned',
          'Invoiced',
          'Its tax',
          'Credited',
          'Received',
          'Given back',
          'Deferred at the end',
        ]}
        rows={figures.map((one) => [
          name(one.month, frame),
          money(one.earned),
          money(one.invoiced.net),
          money(one.invoiced.tax),
          money(one.credited.net + one.credited.tax),
          money(one.received),
          money(one.returned),
          money(one.deferred),
        ])}
      />
      <Table
        title={several ? `Subscribers who pay in ${currency}` : 'Subscribers'}
        headings={['Recurring a month', 'At the end', 'New', 'Ended', 'Of a hundred']}
        rows={figures.map((one) => {
          const churn = churnPercent(one);
          return [
            name(one.month, frame),
            money(one.recurring),
            number.format(one.subscribers),
            number.format(one.begun),
            `${number.format(endedIn(one))}${reasons(one)}`,
            churn === undefined ? '' : percent.format(churn),
          ];
        })}
      />
      <Table
        title={several ? `Charges in ${currency}` : 'Charges'}
        headings={['Declined', 'Terms paid after that']}
        rows={figures.map((one) => [
          name(one.month, frame),
          number.format(one.failed),
          number.format(one.recovered),
        ])}
      />
    </>
  );
}

function reasons({ ended }: MonthFigures): string {
  if (ended.size === 0) return '';
  return ` (${[...ended].map(([reason, n]) => `${reason.replaceAll('_', ' ')} ${n}`).join(', ')})`;
}

function Table(props: { title: string; headings: readonly string[]; rows: readonly (readonly string[])[] }) {
  const id = props.title.toLowerCase().replaceAll(/[^a-z]+/g, '-');
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{props.title}</h2>
      <section class="wide-table" aria-labelledby={id} tabindex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">Month</th>
              {props.headings.map((heading) => (
                <th scope="col" class="number">
                  {heading}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {props.rows.map(([month = '', ...cells]) => (
              <tr>
                <th scope="row">{month}</th>
                {cells.map((cell) => (
                  <td class="number">{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}
