// The parser takes text character by character and hands it on word by word, which was a quarter of an import. So it is
// given one sign in place of each stretch of text, and whoever builds the tree puts the text back: what a stretch holds
// can neither begin nor end anything.

/** Signs that Unicode keeps free for whoever needs some. */
const FIRST_SIGN = 0xe000;
const SIGNS = /[\ue000-\uf8ff]/g;
const SIGN = /[\ue000-\uf8ff]/;
const MOST_RUNS = 0xf900 - FIRST_SIGN;

/** Text up to the next reference, or from behind one. Line ends that the parser would change stay outside. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: U+0000 is what the parser drops
const RUN = /(?:^|;)[^&\r\u0000]{8,}/g;

/** A tag or comment that is written as it should be: there is no doubt where it ends. */
const TAG =
  /<(?:\/?([a-z][a-z0-9:-]*)(?:[\t\n\f\r ]+[a-z][a-z0-9:_-]*(?:[\t\n\f\r ]*=[\t\n\f\r ]*(?:"[^"]*"|'[^']*'|[^\t\n\f\r "'<>=`]+))?)*[\t\n\f\r ]*\/?|!--[^>-][^-]*--)>/iy;

/** Behind these, text may not be read as markup at all, or (in a template's columns) its white space alone counts. */
const OTHERWISE = new Set(
  'script style title textarea xmp iframe noembed noframes noscript plaintext template frameset'.split(' '),
);

/**
 * Puts signs in the place of text, as far as the tags are written as they should be, and adds that text to `runs`. A
 * body that has such signs itself, from a font of icons say, stays as it is.
 */
export function withSigns(html: string, runs: string[]): string {
  if (SIGN.test(html)) return html;
  let signed = '';
  for (let at = 0; ; at = TAG.lastIndex) {
    const open = html.indexOf('<', at);
    signed += signText(html.slice(at, open < 0 ? html.length : open), runs);
    if (open < 0) return signed;
    TAG.lastIndex = open;
    const tag = TAG.exec(html);
    if (tag === null || OTHERWISE.has((tag[1] ?? '').toLowerCase())) return signed + html.slice(open);
    signed += tag[0];
  }
}

function signText(text: string, runs: string[]): string {
  if (text.length < 8) return text;
  return text.replace(RUN, (found) => {
    // White space around it means something to the parser: in a table, say. A reference before it keeps its end.
    const lead = found.startsWith(';') ? 1 : 0;
    const run = found.slice(lead).trim();
    if (run === '' || runs.length === MOST_RUNS) return found;
    const at = found.indexOf(run, lead);
    runs.push(run);
    return (
      found.slice(0, at) + String.fromCharCode(FIRST_SIGN + runs.length - 1) + found.slice(at + run.length)
    );
  });
}

/** Puts the text back that `withSigns` took. */
export function withRuns(text: string, runs: readonly string[]): string {
  // By far the most: one stretch as the parser hands it on, or white space.
  if (text.length === 1) {
    const unit = text.charCodeAt(0);
    return unit < FIRST_SIGN ? text : (runs[unit - FIRST_SIGN] ?? text);
  }
  if (runs.length === 0 || !SIGN.test(text)) return text;
  return text.replace(SIGNS, (sign) => runs[sign.charCodeAt(0) - FIRST_SIGN] as string);
}
