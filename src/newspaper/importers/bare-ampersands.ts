const CDATA = '<![CDATA[';
const CDATA_END = ']]>';
/** An ampersand that begins no reference: `?a=1&b=2` in an address that nobody escaped. */
const BARE = /&(?!(?:[a-z][\w.-]{0,31}|#\d{1,7}|#x[\da-f]{1,6});)/gi;
/** Longer than a reference, and than what begins or ends a stretch of CDATA: kept back where a piece ends. */
const HELD = 48;

/**
 * Escapes ampersands that stand bare in XML, a piece at a time: strict parsers read from one to whatever semicolon comes
 * next, and lose all that lies between. What stands in CDATA is left as it is.
 */
export class BareAmpersands {
  #held = '';
  #inCdata = false;

  /** @returns what of the text so far is settled */
  take(piece: string): string {
    return this.#mend(this.#held + piece, HELD);
  }

  /** @returns the rest */
  end(): string {
    return this.#mend(this.#held, 0);
  }

  #mend(text: string, hold: number): string {
    const settled = text.length - hold;
    let mended = '';
    let at = 0;
    while (at < settled) {
      const mark = this.#inCdata ? CDATA_END : CDATA;
      const found = text.indexOf(mark, at);
      const to = found >= 0 ? found + mark.length : this.#edge(text, at, settled, hold);
      if (to === at) break;
      const part = text.slice(at, to);
      mended += this.#inCdata || !part.includes('&') ? part : part.replace(BARE, '&amp;');
      if (found >= 0) this.#inCdata = !this.#inCdata;
      at = to;
    }
    this.#held = text.slice(at);
    return mended;
  }

  /** Where what is settled ends: not within what may yet turn out to be a reference. */
  #edge(text: string, at: number, settled: number, hold: number): number {
    if (this.#inCdata || hold === 0) return settled;
    const ampersand = text.lastIndexOf('&', settled - 1);
    return ampersand >= Math.max(at, settled - HELD) ? ampersand : settled;
  }
}
