import { stringify } from 'csv-stringify/sync';

/** A cell: text that somebody wrote, or a number in decimal digits that we did. */
export type Cell = string | { readonly decimal: string };

/** What spreadsheets take for a formula: with it an export could call out to anywhere when it is opened (OWASP, CSV injection). */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/u;

/**
 * Rows as a table that spreadsheets open (RFC 4180, UTF-8 with the mark that they look for). Text that looks like a formula
 * is made plain text with an apostrophe before it; numbers stay numbers.
 */
export function csvOf(rows: readonly (readonly Cell[])[], { mark = true } = {}): string {
  const text = stringify(
    rows.map((row) =>
      row.map((cell) => {
        if (typeof cell !== 'string') return cell.decimal;
        return FORMULA.test(cell) ? `'${cell}` : cell;
      }),
    ),
    { record_delimiter: '\r\n', quoted_match: /[\r\n]/ },
  );
  return mark ? `\ufeff${text}` : text;
}
