import { type Paper, writeDate, writeDay } from '#values/dates';
import { formatExactly } from '#values/money';
import { GST_ABROAD, stateWithGstCode } from '#values/places';
import type { Buyer, CreditNote, Invoice, Seller } from './invoice.ts';
import type { Place } from './tax.ts';

/**
 * What an invoice or a credit note says, in the order in which it is read: the page and the printed sheet say the same. It is
 * what India's Rules 46 and 53(1A) of the CGST Rules ask for, and what the Union asks for (Directive 2006/112, article 226b).
 */
export type InvoiceWords = {
  readonly title: string;
  /** Whose copy it is (rule 48); undefined where nobody asks. */
  readonly copy: string | undefined;
  /** What has become of it, in a sentence. */
  readonly state: string;
  /** Number and day, what it is about, where it is supplied. */
  readonly facts: readonly (readonly [string, string])[];
  /** Who sells and who buys, each line by line as on an envelope, with their numbers. */
  readonly parties: readonly { readonly role: string; readonly lines: readonly string[] }[];
  readonly columns: { readonly service: string; readonly serviceCode: string; readonly amount: string };
  readonly lines: readonly {
    readonly description: string;
    readonly period: string;
    readonly serviceCode: string;
    readonly amount: string;
  }[];
  /** Taxable value, each head of tax with its rate, and the total, which is last. */
  readonly sums: readonly (readonly [string, string])[];
  readonly foot: readonly string[];
  /** What stands above and below the line on which somebody signs; undefined where nobody has to. */
  readonly signature: readonly [string, string] | undefined;
};

export function invoiceWords(document: Invoice | CreditNote, paper: Paper): InvoiceWords {
  const { language } = paper;
  const { buyer, currency, issuedOn, number, placeOfSupply, seller, tax, taxable, total } = document;
  const money = (minor: bigint) => formatExactly({ minor, currency }, language);
  const isTaxed = tax.length > 0;
  return {
    title: titleOf(document),
    copy: isIndian(seller) && document.kind === 'invoice' ? 'Original for recipient' : undefined,
    state: stateWords(document, money, paper),
    facts: [
      ['Number', number],
      ['Date', writeDate(issuedOn, language)],
      ...(document.kind === 'credit-note'
        ? ([
            ['For the invoice', `${document.of.number} of ${writeDate(document.of.issuedOn, language)}`],
            ['Reason', document.reason],
          ] as const)
        : []),
      ['Place of supply', supplyWords(placeOfSupply, seller, language)],
      ...(isIndian(seller) ? ([['Tax payable on reverse charge', 'No']] as const) : []),
    ],
    parties: [
      { role: 'Sold by', lines: sellerLines(document, language) },
      { role: 'Sold to', lines: buyerLines(buyer, language) },
    ],
    columns: {
      service: 'Service',
      // Elsewhere nobody knows that code by these letters.
      serviceCode: isIndian(seller) ? 'SAC' : 'Code',
      amount: isTaxed ? `Amount with tax (${currency})` : `Amount (${currency})`,
    },
    lines: document.lines.map(({ amount, description, fromOn, serviceCode, untilOn }) => ({
      description,
      // The days are half open; people say the last one.
      period: `${writeDate(fromOn, language)} to ${writeDate(untilOn.subtract({ days: 1 }), language)}`,
      serviceCode,
      amount: money(amount),
    })),
    sums: [
      // What is exported has a taxable value too, at no tax.
      ...(isTaxed || isIndian(seller) ? ([['Taxable value', money(taxable)]] as const) : []),
      ...tax.map(
        ({ amount, basisPoints, name }) => [`${name} ${percent(basisPoints)}`, money(amount)] as const,
      ),
      ['Total', money(total)],
    ],
    foot: [
      isTaxed ? 'The total includes the tax.' : 'No tax is charged on this sale.',
      ...formalities(document),
    ],
    signature:
      isIndian(seller) && document.kind === 'credit-note'
        ? [`For ${seller.name}`, 'Authorised signatory']
        : undefined,
  };
}

const isIndian = ({ country }: Place): boolean => country === 'IN';
const isExport = ({ placeOfSupply, seller }: Invoice | CreditNote): boolean =>
  isIndian(seller) && !placeOfSupply.startsWith('IN');

/** An export is a taxable supply too, at no tax, so that its invoice is a tax invoice of who is registered (IGST Act, 16). */
function titleOf({ kind, seller, tax }: Invoice | CreditNote): string {
  if (kind === 'credit-note') return 'Credit note';
  return isIndian(seller) && (tax.length > 0 || seller.gstin !== undefined) ? 'Tax invoice' : 'Invoice';
}

/**
 * Rule 46 asks for no signature on an invoice that is issued electronically by the Information Technology Act (its proviso of
 * 31 December 2018), and rule 53(1A), on credit notes, has no such proviso: so these keep a line for it. Elsewhere no law
 * asks for one (Directive 2006/112, article 229).
 */
function formalities(document: Invoice | CreditNote): string[] {
  const { kind, seller } = document;
  const endorsement =
    isExport(document) && seller.lutNumber !== undefined
      ? [
          'Supply meant for export under bond or letter of undertaking without payment of integrated tax. ' +
            `Letter of undertaking: ${seller.lutNumber}.`,
        ]
      : [];
  if (!isIndian(seller)) return ['Issued electronically, and valid without a signature.'];
  return kind === 'credit-note'
    ? endorsement
    : [
        ...endorsement,
        'Issued electronically in accordance with the Information Technology Act, 2000: no signature is required (CGST Rules, rule 46).',
      ];
}

function sellerLines({ seller, tax }: Invoice | CreditNote, language: string): string[] {
  const isVat = tax.some(({ name }) => name === 'VAT');
  return [
    seller.name,
    ...envelope(seller.address),
    placeLine(seller, language),
    ...(seller.gstin === undefined ? [] : [`GSTIN ${seller.gstin}`]),
    ...(isVat && seller.vatNumber !== undefined ? [`VAT number ${seller.vatNumber}`] : []),
  ].filter(Boolean);
}

/** Of a reader no address is known but the State, which the law takes for it (rule 46, the proviso on online services). */
function buyerLines(buyer: Buyer, language: string): string[] {
  const known = [buyer.name, ...envelope(buyer.address ?? ''), buyer.email].filter(Boolean);
  return [
    ...(known.length === 0 ? ['A reader whose account is deleted'] : known),
    placeLine(buyer, language),
    ...(buyer.gstin === undefined ? [] : [`GSTIN ${buyer.gstin}`]),
  ];
}

const envelope = (address: string): string[] => address.split('\n').map((line) => line.trim());

/** Karnataka (29), India. */
function placeLine({ country, state }: Place, language: string): string {
  const name = countryName(country, language);
  return state === undefined
    ? name
    : `${isIndian({ country, state }) ? stateWithGstCode(state) : state}, ${name}`;
}

/** @param place `IN-KA`, `DE`. @returns Karnataka (29); of what an Indian seller sells abroad, with that number too */
function supplyWords(place: string, seller: Seller, language: string): string {
  const [country = place, state] = place.split('-');
  if (state !== undefined) return country === 'IN' ? stateWithGstCode(state) : state;
  const name = countryName(country, language);
  return isIndian(seller) && country !== 'IN' ? `${name}, outside India (${GST_ABROAD})` : name;
}

const countryName = (country: string, language: string): string =>
  new Intl.DisplayNames(language, { type: 'region' }).of(country) ?? country;

/** 1800 is 18 %, 210 is 2.1 %. */
function percent(basisPoints: number): string {
  return `${basisPoints / 100} %`;
}

function stateWords(document: Invoice | CreditNote, money: (minor: bigint) => string, paper: Paper): string {
  if (document.kind === 'credit-note') return 'It takes back what it says of the invoice.';
  const { credited, payment, status } = document;
  const taken = credited === 0n ? '' : ` ${money(credited)} of it were credited.`;
  switch (status) {
    case 'paid':
      return payment === undefined
        ? `Paid.${taken}`
        : `Paid on ${writeDay(payment.at, paper)} with ${payment.method}.${taken}`;
    case 'open':
      return 'Not paid yet.';
    case 'void':
      return 'Void: it was credited in full, and nothing is to be paid.';
    case 'uncollectible':
      return 'Not paid, and given up.';
    default:
      return status satisfies never;
  }
}
