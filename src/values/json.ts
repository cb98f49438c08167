/**
 * How JSON.stringify is to write what JSON has no type for: 64-bit numbers as numbers. Instants and days write themselves.
 */
export function jsonValue(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}

/** Nothing that anybody sends us lies deeper in itself. */
const DEEPEST = 1_000;

/**
 * Reads JSON that comes from elsewhere. Node 26 dies, a moment later, of text that is nested some eight thousand deep and
 * then turns out to be none: so what is nested beyond reason is not even tried.
 *
 * @throws SyntaxError when it is not JSON, or nested too deep
 */
export function parseJson(text: string): unknown {
  if (isDeep(text)) throw new SyntaxError(`nested more than ${DEEPEST} deep`);
  return JSON.parse(text);
}

function isDeep(text: string): boolean {
  if (!hasMany(text, '[') && !hasMany(text, '{')) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (sign === '"') at = endOfString(text, at);
    else if (sign === '[' || sign === '{') {
      if (++depth > DEEPEST) return true;
    } else if (sign === ']' || sign === '}') depth--;
  }
  return false;
}

/** Whether a sign stands so often that it may be that deep. */
function hasMany(text: string, sign: string): boolean {
  let at = -1;
  for (let count = 0; count < DEEPEST / 2; count++) {
    at = text.indexOf(sign, at + 1);
    if (at < 0) return false;
  }
  return true;
}

/** The quotation mark that ends the string which begins here, or the end of the text. */
function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at;
  }
  return text.length;
}
