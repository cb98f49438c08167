import { randomInt } from 'node:crypto';

/** Without what is taken for one another in print or over the telephone: I, L, O, U, 0 and 1. */
const LETTERS = '23456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * A code that nobody guesses: four groups of four characters out of thirty, which is 78 bits.
 *
 * @returns such as `7KQ2-MB4X-T9HR-C3WZ`
 */
export function randomCode(): string {
  const group = () => Array.from({ length: 4 }, () => LETTERS[randomInt(LETTERS.length)]).join('');
  return [group(), group(), group(), group()].join('-');
}
