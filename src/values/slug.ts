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
const NOT_A_WORD = /[^\p{L}\p{N}\p{Mark}]+/gu;
/** A letter or digit that is left of what an address in ASCII cannot say. */
const LOST = /(?!\p{ASCII})[\p{L}\p{N}]/u;
const ASCII_SLUG = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
/** The longest slug of ASCII letters, in characters, but for the code behind it. */
const MOST_ASCII = 60;
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
 * addresses of feeds. Where letters of another script are lost on the way, a short, stable code of the words stands for
 * them: `x-2bd7a81c`, `budget-9e01f2aa`.
 *
 * @param given what another system has called it by: taken where the words alone cannot be said in ASCII
 */
export function asciiSlug(words: string, given = ''): string {
  const bare = slugify(words, MOST_ASCII).normalize('NFKD').replace(MARKS, '');
  const ascii = bare.replace(/[^a-z0-9]+/gu, '-').replace(/^-+|-+$/gu, '');
  if (ascii !== '' && !LOST.test(bare)) return ascii;
  return ASCII_SLUG.test(given) && given.length <= MOST_ASCII
    ? given
    : `${ascii || 'x'}-${fingerprint(words)}`;
}

/**
 * FNV-1a over the UTF-16 code units of the words alone, or of the text where there are none: eight hex digits that are the
 * same wherever they are computed.
 */
function fingerprint(text: string): string {
  const words = text.toLowerCase().normalize('NFC').replace(NOT_A_WORD, ' ').trim() || text;
  let hash = 0x811c9dc5;
  for (let i = 0; i < words.length; i++) {
    hash = Math.imul(hash ^ words.charCodeAt(i), 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, '0');
}
