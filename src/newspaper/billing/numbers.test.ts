import { describe, expect, it } from 'vitest';
import { documentNumber, financialYear } from './numbers.ts';

describe('numbers of invoices', () => {
  it.each([
    ['2026-03-31', 'IN', '2526'],
    ['2026-04-01', 'IN', '2627'],
    ['2027-03-31', 'IN', '2627'],
    ['2099-04-01', 'IN', '9900'],
    ['2026-03-31', 'DE', '2026'],
    ['2026-12-31', 'GB', '2026'],
  ])('F58: %s in %s is of the financial year %s', (on, country, year) => {
    expect(financialYear(Temporal.PlainDate.from(on), country)).toBe(year);
  });

  it('I18: have at most sixteen characters, of those that India’s Rule 46 allows', () => {
    for (const series of ['INV', 'CRN'] as const)
      for (const serial of [1, 9_999_999])
        expect(documentNumber(series, '2627', serial)).toMatch(/^[A-Z0-9][A-Za-z0-9/-]{0,15}$/);
    expect(documentNumber('INV', '2627', 42)).toBe('INV/2627/0000042');
  });
});
