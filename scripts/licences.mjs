/** Permissive, for fonts, or weak copyleft: what a publisher may run and change. SPDX. */
const ALLOWED = new Set([
  ...(
    'MIT MIT-0 ISC BSD-2-Clause BSD-3-Clause 0BSD Apache-2.0 BlueOak-1.0.0 CC0-1.0 Unlicense Python-2.0 PSF-2.0 Zlib ' +
    'OFL-1.1 MPL-2.0 LGPL-3.0-or-later LGPL-3.0-only LGPL-2.1-or-later CC-BY-4.0'
  ).split(' '),
  // Named in whole: what goes by the name of an exception elsewhere may take a right away, as the Commons Clause does.
  'Apache-2.0 WITH LLVM-exception',
]);

/** A licence or an exception, and none of the words between them. */
const ID = /^(?!(?:AND|OR|WITH)$)[A-Za-z0-9.-]+\+?$/;

/**
 * Reads an expression of SPDX (2.3, annex D): AND binds tighter than OR, `+` and WITH belong to a single licence. Pure.
 *
 * @typedef {string | { any: Licence[] } | { all: Licence[] }} Licence a single one as it is written, or several
 * @param {string} text
 * @returns {Licence | undefined} undefined where it is no such expression
 */
export function parseLicence(text) {
  const words = text.match(/[()]|[^\s()]+/g) ?? [];
  let at = 0;
  const whole = alternatives();
  return at === words.length ? whole : undefined;

  function alternatives() {
    return between('OR', 'any', () => between('AND', 'all', single));
  }

  function between(word, kind, part) {
    const parts = [part()];
    while (isNext(word)) parts.push(part());
    if (parts.includes(undefined)) return undefined;
    return parts.length === 1 ? parts[0] : { [kind]: parts };
  }

  function single() {
    if (isNext('(')) {
      const inner = alternatives();
      return isNext(')') ? inner : undefined;
    }
    const licence = id();
    if (!isNext('WITH')) return licence;
    const exception = id();
    return licence && exception && `${licence} WITH ${exception}`;
  }

  function id() {
    const word = words[at++];
    return word !== undefined && ID.test(word) ? word : undefined;
  }

  /** Whether this word comes next; it is passed over then. */
  function isNext(word) {
    if (words[at] !== word) return false;
    at++;
    return true;
  }
}

/**
 * Why a package may not be used, by what it says of its licence: an expression of SPDX, or one of the shapes from before,
 * `{ type }` and a list of them, of which all have to be allowed. Pure; whatever else stands there is a reason too.
 *
 * @param {{ license?: unknown, licenses?: unknown }} declared
 * @returns {string | undefined} undefined where it may be used
 */
export function licenceProblem({ license, licenses }) {
  const all = [license, licenses].flat().filter((one) => one !== undefined && one !== null && one !== '');
  if (all.length === 0) return 'says nothing of its licence';
  return all.map(oneProblem).find((problem) => problem !== undefined);
}

function oneProblem(declared) {
  const text = typeof declared === 'object' ? declared.type : declared;
  if (typeof text !== 'string') return `${JSON.stringify(declared)} names no licence`;
  if (/^SEE LICEN[CS]E IN /.test(text)) return `${text}: has terms of its own`;
  const licence = parseLicence(text);
  if (licence === undefined) return `${text}: is no expression of SPDX`;
  return isAllowed(licence) ? undefined : `${text}: is not allowed`;
}

function isAllowed(licence) {
  if (typeof licence === 'object')
    return 'any' in licence ? licence.any.some(isAllowed) : licence.all.every(isAllowed);
  if (!licence.endsWith('+')) return ALLOWED.has(licence);
  // This version or any later one: whoever is given it may take either.
  const version = licence.slice(0, -1);
  return ALLOWED.has(version) || ALLOWED.has(`${version}-or-later`);
}
