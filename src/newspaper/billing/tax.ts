import { Conflict } from '#values/errors';
import { shareOf } from '#values/money';
import { isAmong } from '#values/term';

/** Where a buyer lives or a seller is: ISO 3166-1, and in India the state. */
export type Place = { readonly country: string; readonly state: string | undefined };

/** A rate, and the days for which it is in force: law, so it is kept as data and not known by the program. */
export type TaxRate = {
  readonly country: string;
  readonly kind: 'gst' | 'vat';
  /** In hundredths of a per cent: 1800 is 18 %. */
  readonly basisPoints: number;
  readonly fromOn: Temporal.PlainDate;
  /** The first day on which it is not in force any more. */
  readonly untilOn: Temporal.PlainDate | undefined;
};

/** One head of tax, in minor units of the invoice's currency. */
export type TaxLine = { readonly name: string; readonly basisPoints: number; readonly amount: bigint };

/** A price with the tax in it taken apart: `taxable` and the lines add up to it. */
export type Taxed = {
  /** ISO 3166-2 in India (`IN-KA`), else the country. */
  readonly placeOfSupply: string;
  readonly taxable: bigint;
  readonly lines: readonly TaxLine[];
};

/** Union territories without a parliament of their own: there the second head has another name. */
const UNION_TERRITORIES: ReadonlySet<string> = new Set(['AN', 'CH', 'DH', 'LA', 'LD']);

/**
 * Takes the tax out of a price that includes it. In India a sale within a state is taxed in two equal heads, and any other
 * in one; in a country that has a rate here, by that; and elsewhere not at all, as an export.
 *
 * @param gross in minor units
 * @param on the day of the invoice, which decides the rate
 * @throws Conflict `no-tax-rate` in India, where an invoice without tax would be a wrong one
 */
export function taxIncluded(
  gross: bigint,
  buyer: Place,
  seller: Place,
  rates: readonly TaxRate[],
  on: Temporal.PlainDate,
): Taxed {
  const placeOfSupply = buyer.state === undefined ? buyer.country : `${buyer.country}-${buyer.state}`;
  const rate = rates.find((one) => one.country === buyer.country && isAmong(on, one));
  if (rate === undefined) {
    if (buyer.country === 'IN') throw new Conflict('no-tax-rate', `there is no rate of GST for ${on}`);
    return { placeOfSupply, taxable: gross, lines: [] };
  }
  const lines = headsOf(rate, buyer, seller).map(
    ({ basisPoints, name }): TaxLine => ({
      name,
      basisPoints,
      amount: shareOf(gross, BigInt(basisPoints), BigInt(10_000 + rate.basisPoints)),
    }),
  );
  return { placeOfSupply, taxable: lines.reduce((rest, { amount }) => rest - amount, gross), lines };
}

function headsOf(
  { basisPoints, kind }: TaxRate,
  buyer: Place,
  seller: Place,
): readonly Pick<TaxLine, 'name' | 'basisPoints'>[] {
  if (kind === 'vat') return [{ name: 'VAT', basisPoints }];
  const isWithin = seller.country === buyer.country && seller.state === buyer.state;
  if (!isWithin) return [{ name: 'IGST', basisPoints }];
  const second = UNION_TERRITORIES.has(buyer.state ?? '') ? 'UTGST' : 'SGST';
  return ['CGST', second].map((name) => ({ name, basisPoints: basisPoints / 2 }));
}

/**
 * The tax in a part of an invoice that is credited. Parts that add up to the whole have its tax to the last minor unit,
 * and no part takes back more than is left.
 *
 * @param before what was credited already, in minor units
 * @throws RangeError when it is more than is left of the invoice
 */
export function taxOfCredit(invoice: Taxed, before: bigint, credit: bigint): Taxed {
  const total = invoice.lines.reduce((sum, { amount }) => sum + amount, invoice.taxable);
  if (before < 0n || credit <= 0n || before + credit > total)
    throw new RangeError(`a credit of ${credit} after ${before} of ${total}`);
  const lines = invoice.lines.map(
    (line): TaxLine => ({
      ...line,
      amount: (line.amount * (before + credit)) / total - (line.amount * before) / total,
    }),
  );
  return {
    ...invoice,
    taxable: lines.reduce((rest, { amount }) => rest - amount, credit),
    lines,
  };
}
