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

describe('what an invoice says', () => {
  it('everything that India’s Rule 46 asks for, within a State', () => {
    const words = invoiceWords(invoice(), PAPER);
    expect(words.title).toBe('Tax invoice');
    expect(Object.fromEntries(words.facts)).toEqual({
      Number: 'INV/2627/0000001',
      Date: '23 November 2026',
      'Sold by': 'Courier Media, 1 Quay Road, Kadalpur, Karnataka',
      GSTIN: '29ABCDE1234F1Z5',
      'Sold to': 'asha@post.example',
      'Place of supply': 'Karnataka (KA)',
      'Tax payable on reverse charge': 'No',
    });
    expect(words.lines).toEqual([
      {
        description: 'The Courier: Yearly',
        period: '23 November 2026 to 22 November 2027',
        serviceCode: '998431',
        amount: '₹2,700',
      },
    ]);
    expect(words.sums).toEqual([
      ['Taxable value', '₹2,288.14'],
      ['CGST 9 %', '₹205.93'],
      ['SGST 9 %', '₹205.93'],
      ['Total', '₹2,700'],
    ]);
    expect(words.state).toBe('Paid on 23 November 2026 with Visa ending 4242.');
  });

  it.each([
    ['another State', 'IN-TN', 'Tamil Nadu (TN)'],
    ['abroad', 'DE', 'Germany, outside India (96)'],
  ])('where it is sold to: %s', (_, placeOfSupply, words) => {
    const facts = Object.fromEntries(invoiceWords(invoice({ placeOfSupply }), PAPER).facts);
    expect(facts['Place of supply']).toBe(words);
  });

  it('that no tax is charged, where none is', () => {
    const words = invoiceWords(invoice({ tax: [], taxable: 270_000n, placeOfSupply: 'US' }), PAPER);
    expect(words.title).toBe('Invoice');
    expect(words.sums).toEqual([['Total', '₹2,700']]);
    expect(words.foot[0]).toBe('No tax is charged on this sale.');
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
    ['paid', 50_000n, 'Paid on 23 November 2026 with Visa ending 4242. ₹500 of it were credited.'],
  ] as const)('what became of it: %s', (status, credited, words) => {
    expect(invoiceWords(invoice({ status, credited }), PAPER).state).toBe(words);
  });

  it('of a credit note the invoice and the reason (Rule 53)', () => {
    const { credited: _, payment: __, status: ___, ...rest } = invoice();
    const note: CreditNote = {
      ...rest,
      kind: 'credit-note',
      number: 'CRN/2627/0000001',
      of: { number: 'INV/2627/0000001', issuedOn: day('2026-11-23') },
      reason: 'a bad week',
    };
    const words = invoiceWords(note, PAPER);
    expect(words.title).toBe('Credit note');
    expect(Object.fromEntries(words.facts)).toMatchObject({
      'For the invoice': 'INV/2627/0000001 of 23 November 2026',
      Reason: 'a bad week',
    });
  });
});
