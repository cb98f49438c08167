import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CreditNote, Invoice } from '#billing';
import { invoiceWords } from '#billing';
import { type ReadPdf, readPdf } from '../../../test/pdf.ts';
import { type InvoicePress, openInvoicePress } from './invoice-sheet.ts';

const PAPER = { language: 'en-IN', zone: 'Asia/Kolkata' };
const day = Temporal.PlainDate.from;
const LINE: Invoice['lines'][number] = {
  description: 'The Courier: Yearly',
  serviceCode: '998431',
  fromOn: day('2026-11-23'),
  untilOn: day('2027-11-23'),
  amount: 270_000n,
};
const BUYER: Invoice['buyer'] = {
  name: '',
  email: 'asha@post.example',
  country: 'IN',
  state: 'KA',
  gstin: undefined,
};
const INVOICE: Invoice = {
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
  buyer: BUYER,
  placeOfSupply: 'IN-KA',
  currency: 'INR',
  lines: [LINE],
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
};
const { credited: _, payment: __, status: ___, ...BOTH } = INVOICE;
const NOTE: CreditNote = {
  ...BOTH,
  kind: 'credit-note',
  number: 'CRN/2627/0000001',
  of: { number: INVOICE.number, issuedOn: INVOICE.issuedOn },
  reason: 'a bad week',
};

let press: InvoicePress;
beforeAll(async () => {
  press = await openInvoicePress();
});
afterAll(() => press.close());

async function sheet(document: Invoice | CreditNote, paper = PAPER): Promise<ReadPdf> {
  const made = await press.sheet(document, paper);
  if (made.kind !== 'pdf') throw new Error(`it is ${made.kind}`);
  return readPdf(made.bytes);
}

/** Where a line ends and how wide a space is says nothing. */
const letters = (text: string) => text.normalize('NFC').replace(/\s+/g, '');

/** Every word that a document says, one after the other. */
function saidBy(document: Invoice | CreditNote, paper = PAPER): string[] {
  const all = (value: unknown): string[] =>
    typeof value === 'string' ? [value] : Object.values(value ?? {}).flatMap(all);
  return all(invoiceWords(document, paper));
}

describe('the sheet of an invoice', () => {
  it.each([
    ['an invoice', INVOICE],
    ['a credit note', NOTE],
    ['an invoice that nobody has paid', { ...INVOICE, status: 'open' as const, payment: undefined }],
    ['an export', { ...INVOICE, tax: [], taxable: 270_000n, placeOfSupply: 'US' }],
    ['a sale with VAT', { ...INVOICE, tax: [{ name: 'VAT', basisPoints: 210, amount: 5_553n }] }],
  ])('says all that its page says: %s', async (_, document) => {
    const text = letters((await sheet(document)).text);
    for (const said of saidBy(document)) expect(text).toContain(letters(said));
  });

  it('can be read aloud: it has a title, a language, headings and a table', async () => {
    const read = await sheet(NOTE, { ...PAPER, language: 'en-GB' });
    expect(read).toMatchObject({
      title: 'Credit note CRN/2627/0000001',
      language: 'en-GB',
      isTagged: true,
      claimsAccessibility: true,
      pages: 1,
    });
    expect([...read.elements]).toEqual(expect.arrayContaining(['H1', 'H2', 'Table', 'TH', 'TD', 'P']));
  });

  it.each([
    '#panic("no") #{ 1 + 1 } $x^2$ *bold* _it_ ] [ <label> @ref',
    '// no comment /* nor this */ \\ "quoted" \'s -- --- ... ~ `raw` = heading',
    'D’Souza & Söhne, Łódź, Ὀδυσσεύς, Владимир',
  ])('sets what somebody is called as they wrote it: %s', async (name) => {
    const { text } = await sheet({ ...INVOICE, buyer: { ...BUYER, name } });
    expect(letters(text)).toContain(letters(name));
  });

  it('sets any name at all as it was written', async () => {
    const name = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 120 });
    await fc.assert(
      fc.asyncProperty(name, async (given) => {
        const { text } = await sheet({ ...INVOICE, buyer: { ...BUYER, name: given } });
        expect(letters(text)).toContain(letters(`Sold to${given}asha@`));
      }),
      { numRuns: 60 },
    );
  });

  it('sets Hindi and Tamil, and dates in the paper’s own language', async () => {
    const hindi = { ...PAPER, language: 'hi-IN' };
    const address = 'नई दिल्ली, कनॉट प्लेस\nவேளச்சேரி முதன்மை சாலை, சென்னை';
    const document = { ...INVOICE, buyer: { ...BUYER, address } };
    const read = await sheet(document, hindi);
    expect(read).toMatchObject({ language: 'hi-IN', claimsAccessibility: true });
    for (const said of saidBy(document, hindi)) expect(letters(read.text)).toContain(letters(said));
    expect(read.text).toContain('नवंबर');
  });

  it('breaks a word that is wider than its column, and puts nothing between its parts', async () => {
    const address = 'W'.repeat(60);
    const { text } = await sheet({ ...INVOICE, buyer: { ...BUYER, address } });
    expect(letters(text)).toContain(address);
    expect(text).not.toContain(address);
  });

  it('goes on to a second page, with the heads of its columns', async () => {
    const lines = Array.from({ length: 30 }, (_, at) => ({ ...LINE, description: `The Courier, ${at + 1}` }));
    const { pages, text } = await sheet({ ...INVOICE, lines });
    expect(pages).toBe(2);
    expect(text.match(/Amount with tax \(INR\)/g)).toHaveLength(2);
    expect(text).toContain('The Courier, 30');
  });

  it('is the same file each time: it does not say when it was made', async () => {
    const [one, two] = [await press.sheet(INVOICE, PAPER), await press.sheet(INVOICE, PAPER)];
    expect(one).toEqual(two);
    expect(one.kind === 'pdf' && one.bytes.includes('/CreationDate')).toBe(false);
  });

  it.each(['zxx', 'abcde', 'en', 'sr-Latn-RS', 'es-419'])(
    'is set in a paper of the language %s',
    async (language) => {
      expect((await sheet(INVOICE, { ...PAPER, language })).claimsAccessibility).toBe(true);
    },
  );
});
