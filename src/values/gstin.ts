import { gstCodeOf } from './places.ts';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/**
 * Whether a text is a GSTIN of India: the state's two digits, a PAN, the number of the registration, Z, and a letter or digit
 * that proves the others. Each character counts by its place among the digits and letters, every second one twice; of what
 * is above 36 both "digits" are added, as GSTN specifies.
 */
export function isGstin(text: string): boolean {
  if (!/^\d{2}[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[0-9A-Z]$/.test(text)) return false;
  let sum = 0;
  for (let at = 0; at < 14; at++) {
    const product = ALPHABET.indexOf(text[at] ?? '') * (at % 2 === 0 ? 1 : 2);
    sum += Math.floor(product / 36) + (product % 36);
  }
  return ALPHABET[(36 - (sum % 36)) % 36] === text[14];
}

/** Whether a GSTIN is of a place: it begins with the state's number, and belongs to nobody abroad. */
export function isGstinOf(gstin: string, country: string, state: string | undefined): boolean {
  return country === 'IN' && state !== undefined && gstin.startsWith(gstCodeOf(state) ?? '-');
}
