import { figureRows, JOURNAL_HEADINGS, journalPage, journalRows, monthFigures } from '#billing';
import { type Cell, csvOf } from '#platform/csv';
import type { Answer, Ask } from '#platform/http';
import { Invalid } from '#values/errors';
import { dayAt } from '#values/term';
import { deskFile, deskPage, frameFor } from './desk-answer.ts';
import { renderRevenue } from './pages/revenue-page.tsx';
import type { Desk } from './parts.ts';

/** A year, as an accountant closes one. */
const MONTHS = 12;
/** More is asked for on the command line, which writes into a file. */
const MOST_DAYS = 366;
const MOST_ENTRIES = 100_000;

/** What the paper earns and lives on, and its journal, to be looked at and to be taken along. */
export function revenueAnswers(desk: Desk) {
  const { billing, clock } = desk;

  function monthsAskedFor(ask: Ask): Temporal.PlainYearMonth[] {
    const given = ask.query('until') ?? '';
    const today = dayAt(clock.now(), desk.publication().zone);
    const until = /^\d{4}-(0[1-9]|1[0-2])$/.test(given)
      ? Temporal.PlainYearMonth.from(given)
      : today.toPlainYearMonth();
    return Array.from({ length: MONTHS }, (_, back) => until.subtract({ months: MONTHS - 1 - back }));
  }

  const figures = (months: readonly Temporal.PlainYearMonth[]) =>
    monthFigures(billing.db, months, desk.publication().zone);

  return {
    async show(ask: Ask): Promise<Answer> {
      const months = monthsAskedFor(ask);
      return deskPage(renderRevenue({ frame: frameFor(desk, ask), months, figures: await figures(months) }));
    },

    async download(ask: Ask): Promise<Answer> {
      const months = monthsAskedFor(ask);
      const text = csvOf(figureRows(await figures(months)));
      return deskFile(`revenue-${months[0]}-to-${months.at(-1)}.csv`, text);
    },

    async journal(ask: Ask): Promise<Answer> {
      const [from, until] = [day(ask.query('from')), day(ask.query('until'))];
      if (from === undefined || until === undefined || from.until(until).days < 1)
        throw new Invalid('bad-days', 'a journal is of the days from one to before another');
      if (from.until(until).days > MOST_DAYS)
        throw new Invalid('too-many-days', `at most ${MOST_DAYS} days at once; \`ledger export\` gives more`);
      const rows: (readonly Cell[])[] = [JOURNAL_HEADINGS];
      const { last, postings } = await journalPage(billing.db, from, until, undefined, MOST_ENTRIES);
      if (last !== undefined)
        throw new Invalid(
          'too-many-entries',
          `these days have more than ${MOST_ENTRIES} entries: take fewer of them, or \`ledger export\``,
        );
      rows.push(...journalRows(postings));
      return deskFile(`journal-${from}-to-${until}.csv`, csvOf(rows));
    },
  };
}

function day(text: string | undefined): Temporal.PlainDate | undefined {
  try {
    return text === undefined ? undefined : Temporal.PlainDate.from(text);
  } catch {
    return undefined;
  }
}
