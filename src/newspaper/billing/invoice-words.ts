import { type Paper, writeDate, writeDay } from '#values/dates';
import { formatMoney } from '#values/money';
import { INDIAN_STATES } from '#values/places';
import type { CreditNote, Invoice, Seller } from './invoice.ts';

/** What an invoice or a credit note says, in the order in which it is read: a page and a printed sheet say the same. */
export type InvoiceWords = {
  readonly title: string;
  /** Number, day, parties, place of supply: what India's Rules 46 and 53 ask for. */
  readonly facts: readonly (readonly [string, string])[];
  readonly lines: readonly {
    readonly description: string;
    readonly period: string;
    readonly serviceCode: string;
    readonly amount: string;
  }[];
  /** Taxable value, each head of tax with its rate, and the total, which is last. */
  readonly sums: readonly (readonly [string, string])[];
  /** What has become of it, in a sentence. */
  readonly state: string;
  readonly foot: readonly string[];
};

export function invoiceWords(document: Invoice | CreditNote, paper: Paper): InvoiceWords {
  const { language } = paper;
  const { buyer, currency, issuedOn, number, placeOfSupply, seller, tax, taxable, total } = document;
  const money = (minor: bigint) => formatMoney({ minor, currency }, language);
  const isIndian = seller.country === 'IN';
  return {
    title: titleOf(document),
    facts: [
      ['Number', number],
      ['Date', writeDate(issuedOn, language)],
      ...(document.kind === 'credit-note'
        ? ([
            ['For the invoice', `${document.of.number} of ${writeDate(document.of.issuedOn, language)}`],
            ['Reason', document.reason],
          ] as const)
        : []),
      ['Sold by', sellerWords(seller)],
      ...(seller.gstin === undefined ? [] : ([['GSTIN', seller.gstin]] as const)),
      [
        'Sold to',
        [buyer.name, buyer.address?.replace(/\s*\n\s*/g, ', '), buyer.email].filter(Boolean).join(', ') ||
          'A reader whose account is deleted',
      ],
      ...(buyer.gstin === undefined ? [] : ([['GSTIN of the buyer', buyer.gstin]] as const)),
      ['Place of supply', placeWords(placeOfSupply, isIndian, language)],
      ...(isIndian ? ([['Tax payable on reverse charge', 'No']] as const) : []),
    ],
    lines: document.lines.map(({ amount, description, fromOn, serviceCode, untilOn }) => ({
      description,
      // The days are half open; people say the last one.
      period: `${writeDate(fromOn, language)} to ${writeDate(untilOn.subtract({ days: 1 }), language)}`,
      serviceCode,
      amount: money(amount),
    })),
    sums: [
      ...(tax.length === 0 ? [] : ([['Taxable value', money(taxable)]] as const)),
      ...tax.map(
        ({ amount, basisPoints, name }) => [`${name} ${percent(basisPoints)}`, money(amount)] as const,
      ),
      ['Total', money(total)],
    ],
    state: stateWords(document, money, paper),
    foot: [
      ...(tax.length === 0 ? ['No tax is charged on this sale.'] : ['The total includes the tax.']),
      'Issued electronically, and valid without a signature.',
    ],
  };
}

function titleOf({ kind, seller, tax }: Invoice | CreditNote): string {
  if (kind === 'credit-note') return 'Credit note';
  return seller.country === 'IN' && tax.length > 0 ? 'Tax invoice' : 'Invoice';
}

function sellerWords({ address, country, name, state }: Seller): string {
  const where = state === undefined ? undefined : (country === 'IN' && INDIAN_STATES[state]) || state;
  return [name, ...address.split(/\s*\n\s*/), where].filter(Boolean).join(', ');
}

/** `IN-KA` is Karnataka (KA); of a sale by an Indian seller to elsewhere the law's code is 96. */
function placeWords(place: string, isIndian: boolean, language: string): string {
  const [country = place, state] = place.split('-');
  if (country === 'IN' && state !== undefined) return `${INDIAN_STATES[state] ?? state} (${state})`;
  const name = new Intl.DisplayNames(language, { type: 'region' }).of(country) ?? country;
  return isIndian && country !== 'IN' ? `${name}, outside India (96)` : name;
}

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
