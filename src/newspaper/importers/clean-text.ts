/**
 * Characters that have no business in a story: controls (PostgreSQL refuses U+0000 in text), halves of a surrogate
 * pair, byte order marks and zero-width spaces, overrides of the writing direction (text that reads otherwise than
 * it stands), non-characters. Zero-width joiners stay: Hindi is spelled with them.
 */
const UNWANTED =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b\u202d\u202e\u2060\ufeff\ufff9-\ufffc\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
/** A quick look for the above, which nearly every text passes; whole pairs of surrogates are looked at again. */
const SUSPICIOUS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: as above
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b\u202d\u202e\u2060\ud800-\udfff\ufeff\ufff9-\ufffc\ufffe\uffff]/;

/** What old Windows programs meant by bytes that arrived as C1 controls: quotation marks, dashes, dots. */
const WINDOWS_1252: Readonly<Record<string, string>> = {
  '\u0080': '€',
  '\u0082': '‚',
  '\u0084': '„',
  '\u0085': '…',
  '\u0088': 'ˆ',
  '\u008a': 'Š',
  '\u008b': '‹',
  '\u008c': 'Œ',
  '\u008e': 'Ž',
  '\u0091': '‘',
  '\u0092': '’',
  '\u0093': '“',
  '\u0094': '”',
  '\u0095': '•',
  '\u0096': '–',
  '\u0097': '—',
  '\u0099': '™',
  '\u009a': 'š',
  '\u009b': '›',
  '\u009c': 'œ',
  '\u009e': 'ž',
  '\u009f': 'Ÿ',
};

/** Takes out what cannot be shown or stored, and repairs punctuation that a wrong encoding turned into controls. */
export function cleanText(text: string): string {
  return SUSPICIOUS.test(text) ? text.replace(UNWANTED, (found) => WINDOWS_1252[found] ?? '') : text;
}

// Also the line and paragraph separators, the vertical tab's kin and the ideographic space; a lone no-break space is
// kept inside a line, since French typography and figures with units need it.
const TO_COLLAPSE = /[\t\n\r\u2028\u2029]|[ \u00a0]{2}/;
const BLANKS = /[ \t\n\r\u00a0\u2028\u2029]+/g;

/** Turns every stretch of white space into one space; a single no-break space stays what it is. */
export function collapseSpace(text: string): string {
  return TO_COLLAPSE.test(text) ? text.replace(BLANKS, (blank) => (blank === '\u00a0' ? blank : ' ')) : text;
}

/** Clean words on one line, without white space at either end. */
export function oneLine(text: string): string {
  return collapseSpace(cleanText(text)).replace(/^[ \u00a0]+|[ \u00a0]+$/g, '');
}
