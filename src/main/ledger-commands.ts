import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { JOURNAL_HEADINGS, type JournalPlace, journalPage, journalRows, type Posting } from '#billing';
import { csvOf } from '#platform/csv';
import type { Db } from '#platform/db';
import { type Command, type CommandContext, type CommandResult, day, Misuse, text } from './command.ts';

/** The books, to be taken along. */
export const LEDGER_COMMANDS: readonly Command[] = [
  {
    name: 'ledger export',
    usage: '--from DATE --until DATE [--out FILE]',
    does: 'the journal of the days from one to before another: as a table into a file, or with --json',
    run: exportJournal,
  },
];

/** Entries that are read at once: a year of a large paper is written without being held. */
const AT_ONCE = 5_000;

async function exportJournal({ options, paper }: CommandContext): Promise<CommandResult> {
  const { db } = paper.database;
  const [from, until] = [day(options.from, '--from'), day(options.until, '--until')];
  if (from === undefined || until === undefined) throw new Misuse('--from and --until are needed');
  if (from.until(until).days < 1) throw new Misuse('--until is a day after --from');
  if (options.out === undefined) {
    const postings: Posting[] = [];
    for await (const page of pages(db, from, until)) postings.push(...page);
    return {
      text: csvOf([JOURNAL_HEADINGS, ...journalRows(postings)], { mark: false }).trimEnd(),
      json: postings.map(({ amount, document, entry, kind, on, ...one }) => ({
        date: on,
        kind,
        document: document ?? null,
        account: one.account,
        amount_minor: amount,
        currency: one.currency,
        entry,
        subscription: one.subscriptionId,
      })),
    };
  }
  const path = text(options.out, '--out');
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
  let rows = 0;
  file.write(csvOf([JOURNAL_HEADINGS]));
  for await (const page of pages(db, from, until)) {
    rows += page.length;
    if (!file.write(csvOf(journalRows(page), { mark: false })))
      await new Promise((resolve) => file.once('drain', resolve));
  }
  file.end();
  await finished(file);
  return { text: `${rows} postings in ${path}`, json: { file: path, postings: rows } };
}

async function* pages(db: Db, from: Temporal.PlainDate, until: Temporal.PlainDate) {
  let after: JournalPlace | undefined;
  do {
    const page = await journalPage(db, from, until, after, AT_ONCE);
    yield page.postings;
    after = page.last;
  } while (after !== undefined);
}
