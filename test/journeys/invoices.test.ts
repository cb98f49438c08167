import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { refundPayment } from '#billing';
import { setPublication } from '#publication';
import { openInvoicePress } from '../../src/site/documents/invoice-sheet.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { readPdf } from '../pdf.ts';
import { beginOrder, pay, settle, signedInBrowser, type TestBrowser, testBrowser } from '../shop.ts';

const SELLER = {
  seller_name: 'Courier & Sons #1 *Media*',
  seller_address: '1 Quay Road\nKadalpur 560001',
  seller_state: 'Karnataka',
  seller_gstin: '29ABCDE1234F1Z5',
  lut_number: 'AD290426000001X',
};

let paper: TestPaper;
beforeAll(async () => {
  paper = await testPaper('2026-11-23T06:30:00Z');
  for (const [name, value] of Object.entries(SELLER)) await setPublication(paper.database.db, name, value);
  await vi.waitFor(() => expect(paper.publication().lutNumber).toBe(SELLER.lut_number));
});
afterAll(() => paper.end());

async function subscriber(name: string, place: Record<string, string> = {}, on = paper) {
  const reader = await signedInBrowser(on, `${name}@paper.example`);
  await pay(on, await beginOrder(reader, { plan: 'yearly', ...place }));
  await settle(on);
  return reader;
}

/** Pages of a reader's invoices and credit notes, newest first. */
async function documentsOf(reader: TestBrowser): Promise<string[]> {
  const account = await (await reader.get('/account')).text();
  return [...account.matchAll(/href="(\/account\/invoices\/[^"]+)"/g)].map(([, path]) => path ?? '');
}

const letters = (text: string) => text.replace(/\s+/g, '');

/** What stands in a page's lists, tables and lines. */
function saidBy(page: string): string[] {
  const main = /<main[\s\S]*<\/main>/.exec(page)?.[0] ?? '';
  return [...main.matchAll(/<(dt|dd|th|td|span|p)\b[^>]*>([\s\S]*?)<\/\1>/g)]
    .flatMap(([, , inside = '']) => inside.split(/<[^>]*>/))
    .map((text) => text.replaceAll('&amp;', '&').replaceAll('&#39;', "'").replaceAll('&quot;', '"'))
    .filter((text) => text.trim() !== '');
}

/** The sheet behind a page's link, and what of the page it lacks. */
async function sheetOf(reader: TestBrowser, path: string) {
  const page = await (await reader.get(path)).text();
  const link = /href="([^"]+)">Download as PDF</.exec(page)?.[1] ?? '';
  const answer = await reader.get(link);
  expect(answer.status).toBe(200);
  const read = readPdf(new Uint8Array(await answer.arrayBuffer()));
  const text = letters(read.text);
  const said = saidBy(page);
  expect(said.length).toBeGreaterThan(15);
  return {
    ...read,
    link,
    headers: answer.headers,
    lacking: said.filter((one) => !text.includes(letters(one))),
  };
}

describe('an invoice as a PDF', () => {
  it('is behind a link of its page, says the same, and is named by its number', async () => {
    const reader = await subscriber('asha');
    const [path = ''] = await documentsOf(reader);
    const sheet = await sheetOf(reader, path);
    expect(sheet.lacking).toEqual([]);
    expect(sheet).toMatchObject({ title: 'Tax invoice INV/2627/0000001', claimsAccessibility: true });
    for (const said of [
      'Courier & Sons #1 *Media*',
      '29ABCDE1234F1Z5',
      'INV/2627/0000001',
      '23 November 2026',
      'asha@paper.example',
      'Karnataka (29)',
      '998431',
      '₹2,700.00',
      '₹2,288.14',
      'CGST 9 %',
      'SGST 9 %',
      '₹205.93',
      'Tax payable on reverse charge No',
      'no signature is required',
    ])
      expect(sheet.text).toContain(said);
    expect(sheet.headers.get('content-type')).toBe('application/pdf');
    expect(sheet.headers.get('content-disposition')).toBe('attachment; filename="INV-2627-0000001.pdf"');
    expect(sheet.headers.get('cache-control')).toBe('private, no-store');
    expect(sheet.headers.get('x-robots-tag')).toBe('noindex');
  });

  it('a credit note names its invoice, and has a line to sign on (Rule 53)', async () => {
    const reader = await subscriber('bela', { state: 'TN' });
    await refundPayment(
      paper.billing,
      { readerId: reader.readerId, minor: 50_000n, reason: 'a week without a paper', actor: 'support' },
      paper.clock.now(),
    );
    await settle(paper);
    const sheets = [];
    for (const path of await documentsOf(reader)) sheets.push(await sheetOf(reader, path));
    const note = sheets.find(({ title }) => title?.startsWith('Credit note'));
    expect(note?.lacking).toEqual([]);
    for (const said of [
      'For the invoice INV/2627/0000002 of 23 November 2026',
      'a week without a paper',
      'Tamil Nadu (33)',
      'IGST 18 %',
      '₹500.00',
      'Authorised signatory',
    ])
      expect(note?.text).toContain(said);
  });

  it('of an export has the words that the law asks for', async () => {
    const reader = await subscriber('dora', { country: 'US', state: '' });
    const [path = ''] = await documentsOf(reader);
    const { lacking, text } = await sheetOf(reader, path);
    expect(lacking).toEqual([]);
    expect(text).toContain('United States, outside India (96)');
    expect(text).toContain('without payment of integrated tax');
    expect(text).toContain('AD290426000001X');
  });

  it('is its reader’s alone', async () => {
    const reader = await subscriber('ella');
    const [path = ''] = await documentsOf(reader);
    const other = await signedInBrowser(paper, 'curious@paper.example', { address: '198.51.100.77' });
    expect((await other.get(`${path}/sheet.pdf`)).status).toBe(404);
    expect((await reader.get('/account/invoices/nothing/sheet.pdf')).status).toBe(404);
    const stranger = await testBrowser(paper).get(`${path}/sheet.pdf`);
    expect(stranger.status).toBe(303);
    expect(stranger.headers.get('location')).toMatch(/^\/login\?/);
  });

  it('is put off while too many others are made', async () => {
    const invoicePress = await openInvoicePress({ mostWaiting: 0 });
    const busy = await testPaper('2026-11-23T06:30:00Z', { invoicePress });
    try {
      const reader = await subscriber('fay', {}, busy);
      const [path = ''] = await documentsOf(reader);
      const answer = await reader.get(`${path}/sheet.pdf`);
      expect(answer.status).toBe(503);
      expect(answer.headers.get('retry-after')).toBe('5');
    } finally {
      await busy.end();
    }
  });
});
