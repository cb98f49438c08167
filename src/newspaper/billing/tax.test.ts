import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Place, type TaxRate, taxIncluded, taxOfCredit } from './tax.ts';

const day = (text: string) => Temporal.PlainDate.from(text);
const RATES: readonly TaxRate[] = [
  { country: 'IN', kind: 'gst', basisPoints: 1_800, fromOn: day('2017-07-01'), untilOn: day('2027-04-01') },
  { country: 'IN', kind: 'gst', basisPoints: 500, fromOn: day('2027-04-01'), untilOn: undefined },
  { country: 'DE', kind: 'vat', basisPoints: 700, fromOn: day('2020-01-01'), untilOn: undefined },
  { country: 'GB', kind: 'vat', basisPoints: 0, fromOn: day('2020-05-01'), untilOn: undefined },
];
const at = (country: string, state?: string): Place => ({ country, state });
const SELLER = at('IN', 'KA');
const taxed = (gross: bigint, buyer: Place, on = '2026-11-23') =>
  taxIncluded(gross, buyer, SELLER, RATES, day(on));

/** In few words: the taxable amount, then each head. */
function inShort({ lines, taxable }: ReturnType<typeof taxed>): string {
  return [taxable, ...lines.map(({ amount, basisPoints, name }) => `${name} ${basisPoints} ${amount}`)].join(
    ', ',
  );
}

describe('tax in a price (F106)', () => {
  it.each([
    [90_000n, '76271, IGST 1800 13729', '76272, CGST 900 6864, SGST 900 6864'],
    [270_000n, '228814, IGST 1800 41186', '228814, CGST 900 20593, SGST 900 20593'],
    [390_000n, '330508, IGST 1800 59492', '330508, CGST 900 29746, SGST 900 29746'],
    [29_900n, '25339, IGST 1800 4561', '25338, CGST 900 2281, SGST 900 2281'],
  ])(
    'of %i paise is one head between states, and two that are equal within one',
    (gross, between, within) => {
      expect(inShort(taxed(gross, at('IN', 'MH')))).toBe(between);
      expect(inShort(taxed(gross, at('IN', 'KA')))).toBe(within);
    },
  );

  it('goes by the buyer’s country, the day (F114), and for some territories another name', () => {
    expect(inShort(taxed(90_000n, at('IN', 'MH'), '2027-04-01'))).toBe('85714, IGST 500 4286');
    expect(inShort(taxed(10_700n, at('DE')))).toBe('10000, VAT 700 700');
    expect(inShort(taxed(10_700n, at('GB')))).toBe('10700, VAT 0 0');
    expect(inShort(taxed(10_700n, at('US')))).toBe('10700');
    expect(inShort(taxIncluded(90_000n, at('IN', 'CH'), at('IN', 'CH'), RATES, day('2026-11-23')))).toBe(
      '76272, CGST 900 6864, UTGST 900 6864',
    );
    expect(taxed(90_000n, at('IN', 'MH')).placeOfSupply).toBe('IN-MH');
  });

  it('is not made up where nobody said what it is', () => {
    expect(() => taxed(90_000n, at('IN', 'MH'), '2017-06-30')).toThrow(/no rate of GST/);
  });
});

describe('tax in a credit (F105, F113)', () => {
  it('adds up to that of the invoice, however it is divided, and never to more', () => {
    const parts = fc.array(fc.bigInt({ min: 1n, max: 50_000n }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(
        parts,
        fc.constantFrom(at('IN', 'KA'), at('IN', 'MH'), at('DE'), at('US')),
        (credits, buyer) => {
          const gross = credits.reduce((sum, part) => sum + part, 0n);
          const invoice = taxed(gross, buyer);
          let before = 0n;
          const sums = invoice.lines.map(() => 0n);
          let taxable = 0n;
          for (const credit of credits) {
            const part = taxOfCredit(invoice, before, credit);
            expect(part.lines.reduce((sum, { amount }) => sum + amount, part.taxable)).toBe(credit);
            for (const [index, { amount }] of part.lines.entries()) {
              expect(amount).toBeGreaterThanOrEqual(0n);
              sums[index] = (sums[index] ?? 0n) + amount;
            }
            taxable += part.taxable;
            before += credit;
          }
          expect([taxable, ...sums]).toEqual([invoice.taxable, ...invoice.lines.map(({ amount }) => amount)]);
          expect(() => taxOfCredit(invoice, before, 1n)).toThrow(RangeError);
        },
      ),
    );
  });
});
