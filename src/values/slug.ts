/** Latin letters that do not fall apart into a base letter and an accent under NFKD. */
const SPELLED_OUT: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ł: 'l',
  ı: 'i',
};

const MARKS = /\p{Mark}/gu;
const NOT_A_WORD = /[^\p{L}\p{N}]+/gu;
const LATIN_ACCENTED = /[\u00c0-\u024f\u1e00-\u1eff]/u;

/**
 * Turns words into the part of an address that a person can read: lower case, accents taken off Latin letters, other
 * scripts kept as they are (Devanagari vowel signs are part of the letter), words joined by hyphens.
 *
 * @param words any text, of any length
 * @param limit the most characters of the result; cut between words where there is a place to cut
 * @returns the slug; empty where the words have no letter and no digit
 */
export function slugify(words: string, limit = 80): string {
  const lower = words.slice(0, 4 * limit).toLowerCase();
  const plain = LATIN_ACCENTED.test(lower)
    ? lower
        .replace(/[ßæœøđðþłı]/gu, (letter) => SPELLED_OUT[letter] ?? letter)
        .normalize('NFD')
        .replace(/([a-z])\p{Mark}+/gu, '$1')
        .normalize('NFC')
    : lower.normalize('NFC');
  const slug = plain
    .replace(/['’ʼ]/gu, '')
    .replace(/[^\p{L}\p{N}\p{Mark}]+/gu, '-')
    .replace(/^-+|-+$/gu, '');
  if (slug.length <= limit) return slug;
  const cut = slug.lastIndexOf('-', limit);
  return slug.slice(0, cut > limit / 2 ? cut : limit).replace(/-+$/u, '');
}

/**
 * A slug of ASCII letters and digits alone, for sections, topics and authors, whose slugs stand in tables and in the
 * addresses of feeds. Words in another script become a short, stable code of those words.
 */
export function asciiSlug(words: string, limit = 60): string {
  const ascii = slugify(words, limit)
    .normalize('NFKD')
    .replace(MARKS, '')
    .replace(/[^a-z0-9]+/gu, '-')
    .replace(/^-+|-+$/gu, '');
  return ascii === '' ? `x-${fingerprint(words.replace(NOT_A_WORD, ' ').trim())}` : ascii;
}

/** FNV-1a over UTF-16 code units: eight hex digits that are the same wherever they are computed. */
function fingerprint(words: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < words.length; i++) {
    hash = Math.imul(hash ^ words.charCodeAt(i), 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, '0');
}
