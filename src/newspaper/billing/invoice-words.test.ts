import { describe, expect, it } from 'vitest';
import type { CreditNote, Invoice } from './invoice.ts';
import { invoiceWords } from './invoice-words.ts';

const PAPER = { language: 'en-IN', zone: 'Asia/Kolkata' };
const day = Temporal.PlainDate.from;
const invoice = (given: Partial<Invoice> = {}): Invoice => ({
  kind: 'invoice',
  id: 'i1',
  number: 'INV/2627/0000001',
  issuedOn: day('2026-11-23'),
  seller: {
    name: 'Courier Media',
    address: '1 Quay Road\nKadalpur',
    country: 'IN',
    state: 'KA',
    gstin: '29ABCDE1234F1Z5',
  },
  buyer: { name: '', email: 'asha@post.example', country: 'IN', state: 'KA', gstin: undefined },
  placeOfSupply: 'IN-KA',
  currency: 'INR',
  lines: [
    {
      description: 'The Courier: Yearly',
      serviceCode: '998431',
      fromOn: day('2026-11-23'),
      untilOn: day('2027-11-23'),
      amount: 270_000n,
    },
  ],
  taxable: 228_814n,
  tax: [
    { name: 'CGST', basisPoints: 900, amount: 20_593n },
    { name: 'SGST', basisPoints: 900, amount: 20_593n },
  ],
  total: 270_000n,
  status: 'paid',
  payment: {
    at: Temporal.Instant.from('2026-11-23T06:30:00Z'),
    method: 'Visa ending 4242',
    gatewayPaymentId: 'pay_1',
  },
  credited: 0n,
  ...given,
});

const facts = (document: Invoice | CreditNote) => Object.fromEntries(invoiceWords(document, PAPER).facts);
const party = (document: Invoice | CreditNote, role: string) =>
  invoiceWords(document, PAPER).parties.find((one) => one.role === role)?.lines;

function creditNote(given: Partial<CreditNote> = {}): CreditNote {
  const { credited: _, payment: __, status: ___, ...rest } = invoice();
  return {
    ...rest,
    kind: 'credit-note',
    number: 'CRN/2627/0000001',
    of: { number: 'INV/2627/0000001', issuedOn: day('2026-11-23') },
    reason: 'a bad week',
    ...given,
  };
}

describe('what an invoice says', () => {
  it('everything that India’s Rule 46 asks for, within a State', () => {
    const words = invoiceWords(invoice(), PAPER);
    expect(words).toMatchObject({
      title: 'Tax invoice',
      copy: 'Original for recipient',
      signature: undefined,
    });
    expect(Object.fromEntries(words.facts)).toEqual({
      Number: 'INV/2627/0000001',
      Date: '23 November 2026',
      'Place of supply': 'Karnataka (29)',
      'Tax payable on reverse charge': 'No',
    });
    expect(words.parties).toEqual([
      {
        role: 'Sold by',
        lines: ['Courier Media', '1 Quay Road', 'Kadalpur', 'Karnataka (29), India', 'GSTIN 29ABCDE1234F1Z5'],
      },
      { role: 'Sold to', lines: ['asha@post.example', 'Karnataka (29), India'] },
    ]);
    expect(words.columns).toEqual({
      service: 'Service',
      serviceCode: 'SAC',
      amount: 'Amount with tax (INR)',
    });
    expect(words.lines).toEqual([
      {
        description: 'The Courier: Yearly',
        period: '23 November 2026 to 22 November 2027',
        serviceCode: '998431',
        amount: '₹2,700.00',
      },
    ]);
    expect(words.sums).toEqual([
      ['Taxable value', '₹2,288.14'],
      ['CGST 9 %', '₹205.93'],
      ['SGST 9 %', '₹205.93'],
      ['Total', '₹2,700.00'],
    ]);
    expect(words.state).toBe('Paid on 23 November 2026 with Visa ending 4242.');
    expect(words.foot.join(' ')).toMatch(/The total includes the tax\. .*no signature is required/);
  });

  it.each([
    ['another State', 'IN-TN', 'Tamil Nadu (33)'],
    ['abroad', 'DE', 'Germany, outside India (96)'],
  ])('where it is sold to: %s', (_, placeOfSupply, words) => {
    expect(facts(invoice({ placeOfSupply }))['Place of supply']).toBe(words);
  });

  it('who buys for a company, with its address and GSTIN', () => {
    const buyer = {
      name: 'Coastal Shipping Limited',
      address: '14 Quay Road\nMangaluru 575001',
      email: 'desk@coastal.example',
      country: 'IN',
      state: 'MH',
      gstin: '27AAPFU0939F1ZV',
    };
    expect(party(invoice({ buyer }), 'Sold to')).toEqual([
      'Coastal Shipping Limited',
      '14 Quay Road',
      'Mangaluru 575001',
      'desk@coastal.example',
      'Maharashtra (27), India',
      'GSTIN 27AAPFU0939F1ZV',
    ]);
  });

  it('of a reader whose account is deleted the State, which the law takes for an address', () => {
    const buyer = { ...invoice().buyer, email: '' };
    expect(party(invoice({ buyer }), 'Sold to')).toEqual([
      'A reader whose account is deleted',
      'Karnataka (29), India',
    ]);
  });

  it('of an export by a registered seller the taxable value, and the endorsement where there is an undertaking', () => {
    const exported = { tax: [], taxable: 270_000n, placeOfSupply: 'US' };
    const words = invoiceWords(invoice(exported), PAPER);
    expect(words.title).toBe('Tax invoice');
    expect(words.sums).toEqual([
      ['Taxable value', '₹2,700.00'],
      ['Total', '₹2,700.00'],
    ]);
    expect(words.foot[0]).toBe('No tax is charged on this sale.');
    expect(words.foot.join(' ')).not.toContain('undertaking');
    const seller = { ...invoice().seller, lutNumber: 'AD290426000001X' };
    const endorsement = /meant for export under bond or letter of undertaking .*AD290426000001X/;
    expect(invoiceWords(invoice({ ...exported, seller }), PAPER).foot.join(' ')).toMatch(endorsement);
    expect(invoiceWords(creditNote({ ...exported, seller }), PAPER).foot.join(' ')).toMatch(endorsement);
    expect(invoiceWords(invoice({ seller }), PAPER).foot.join(' ')).not.toMatch(endorsement);
  });

  it('of a sale with VAT the seller’s number for it, and of no other', () => {
    const seller = { ...invoice().seller, vatNumber: 'EU372000041' };
    const tax = [{ name: 'VAT', basisPoints: 700, amount: 17_664n }];
    expect(party(invoice({ seller, tax }), 'Sold by')).toContain('VAT number EU372000041');
    expect(party(invoice({ seller }), 'Sold by')).not.toContain('VAT number EU372000041');
  });

  it('by a seller elsewhere nothing of India’s law', () => {
    const seller = {
      name: 'Küstenblatt GmbH',
      address: 'Am Kai 1\n20457 Hamburg',
      country: 'DE',
      state: undefined,
      gstin: undefined,
      vatNumber: 'DE123456789',
    };
    const buyer = { ...invoice().buyer, country: 'DE', state: undefined };
    const sold = { seller, buyer, placeOfSupply: 'DE', currency: 'EUR' };
    const tax = [{ name: 'VAT', basisPoints: 700, amount: 17_664n }];
    const words = invoiceWords(invoice({ ...sold, tax, taxable: 252_336n }), PAPER);
    expect(words).toMatchObject({ title: 'Invoice', copy: undefined, signature: undefined });
    expect(Object.keys(Object.fromEntries(words.facts))).toEqual(['Number', 'Date', 'Place of supply']);
    expect(words.foot).toEqual([
      'The total includes the tax.',
      'Issued electronically, and valid without a signature.',
    ]);
    expect(invoiceWords(creditNote({ ...sold, tax }), PAPER).signature).toBeUndefined();
    expect(invoiceWords(invoice({ ...sold, tax: [] }), PAPER).sums).toEqual([['Total', '€2,700.00']]);
  });

  it.each([
    ['JPY', 2_700n, '¥2,700'],
    ['KWD', 4_500n, 'KWD 4.500'],
    ['USD', 1_234_567n, '$12,345.67'],
    ['INR', 123_456_700n, '₹12,34,567.00'],
  ])('amounts to the last minor unit: %s (F110, F111)', (currency, total, words) => {
    const said = invoiceWords(invoice({ currency, total }), PAPER);
    expect(said.sums.at(-1)?.[1].replace(/\u00a0/g, ' ')).toBe(words);
    expect(said.columns.amount).toContain(currency);
  });

  it('a rate of a tenth of a per cent as it is', () => {
    const tax = [{ name: 'VAT', basisPoints: 210, amount: 5_553n }];
    expect(
      invoiceWords(invoice({ tax, taxable: 264_447n }), { ...PAPER, language: 'en-GB' }).sums[1]?.[0],
    ).toBe('VAT 2.1 %');
  });

  it.each([
    ['open', 0n, 'Not paid yet.'],
    ['void', 270_000n, 'Void: it was credited in full, and nothing is to be paid.'],
    ['paid', 50_000n, 'Paid on 23 November 2026 with Visa ending 4242. ₹500.00 of it were credited.'],
  ] as const)('what became of it: %s', (status, credited, words) => {
    expect(invoiceWords(invoice({ status, credited }), PAPER).state).toBe(words);
  });

  it('of a credit note the invoice and the reason, and a line to sign on (Rule 53)', () => {
    const note = creditNote();
    const words = invoiceWords(note, PAPER);
    expect(words).toMatchObject({ title: 'Credit note', copy: undefined });
    expect(facts(note)).toMatchObject({
      'For the invoice': 'INV/2627/0000001 of 23 November 2026',
      Reason: 'a bad week',
    });
    expect(words.signature).toEqual(['For Courier Media', 'Authorised signatory']);
    expect(words.foot.join(' ')).not.toContain('signature');
  });
});
