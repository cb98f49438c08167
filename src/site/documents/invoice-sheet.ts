import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type CreditNote, type Invoice, invoiceWords } from '#billing';
import { openTypesetter, type Typeset, type TypesetterOptions } from '#platform/typeset';
import type { Paper } from '#values/dates';

/** Makes invoices and credit notes as sheets to print and to file. */
export type InvoicePress = {
  /** A PDF that says what the document's page says, word for word. */
  sheet(document: Invoice | CreditNote, paper: Paper): Promise<Typeset>;
  close(): Promise<void>;
};

/** Static faces, since the typesetter knows no others; what they lack is taken from those of the machine. */
const FACES = [
  '@expo-google-fonts/libre-franklin/400Regular/LibreFranklin_400Regular.ttf',
  '@expo-google-fonts/libre-franklin/600SemiBold/LibreFranklin_600SemiBold.ttf',
  '@expo-google-fonts/stix-two-text/400Regular/STIXTwoText_400Regular.ttf',
  '@expo-google-fonts/stix-two-text/600SemiBold/STIXTwoText_600SemiBold.ttf',
  '@expo-google-fonts/noto-sans-devanagari/400Regular/NotoSansDevanagari_400Regular.ttf',
  '@expo-google-fonts/noto-sans-devanagari/600SemiBold/NotoSansDevanagari_600SemiBold.ttf',
  '@expo-google-fonts/noto-sans-tamil/400Regular/NotoSansTamil_400Regular.ttf',
  '@expo-google-fonts/noto-sans-tamil/600SemiBold/NotoSansTamil_600SemiBold.ttf',
];

/** Reads the template, which lies beside this file, as it was written and as it was built. */
export async function openInvoicePress(options?: TypesetterOptions): Promise<InvoicePress> {
  const template = await readFile(new URL('./invoice.typ', import.meta.url), 'utf8');
  const { resolve } = createRequire(import.meta.url);
  const typesetter = openTypesetter({ template, faces: FACES.map((face) => resolve(face)) }, options);
  return {
    sheet: (document, paper) =>
      typesetter.typeset({
        ...tongue(paper.language),
        number: document.number,
        words: JSON.stringify(invoiceWords(document, paper)),
      }),
    close: () => typesetter.close(),
  };
}

/** @param language BCP 47. @returns as Typst takes it: a language of two or three letters, a region of two or none */
function tongue(language: string): { readonly language: string; readonly region: string } {
  const { language: tag, region = '' } = new Intl.Locale(language);
  return {
    language: /^[a-z]{2,3}$/.test(tag) ? tag : 'en',
    region: /^[A-Z]{2}$/.test(region) ? region : '',
  };
}
