/** Numbers of invoices and of credit notes: each series is gapless in each financial year. */
export type Series = 'INV' | 'CRN';

/**
 * The financial year of a day, as its number's middle part has it: India's begins in April (`2627` is April 2026 to March
 * 2027), and elsewhere it is the calendar's (`2026`).
 */
export function financialYear(on: Temporal.PlainDate, sellerCountry: string): string {
  if (sellerCountry !== 'IN') return String(on.year);
  const first = on.month >= 4 ? on.year : on.year - 1;
  return `${twoDigits(first)}${twoDigits(first + 1)}`;
}

function twoDigits(year: number): string {
  return String(year % 100).padStart(2, '0');
}

/** At most 16 characters (India, Rule 46): `INV/2627/0000001`. */
export function documentNumber(series: Series, year: string, serial: number): string {
  return `${series}/${year}/${String(serial).padStart(7, '0')}`;
}
