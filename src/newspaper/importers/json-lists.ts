/** No element is longer: one that is, is read past without being kept. */
const MOST_ELEMENT = 16 * 1024 * 1024;
/** Names of lists are short; a text that is longer is none. */
const MOST_NAME = 100;

/** An object out of a list that was asked for. Its bytes stand only until more are taken in. */
export type ListElement =
  | { readonly kind: 'element'; readonly list: string; readonly number: number; readonly bytes: Buffer }
  | { readonly kind: 'too-long'; readonly list: string; readonly number: number };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];

type Container = { readonly isList: boolean; readonly name: string; elements: number };

/**
 * Cuts the objects out of the lists of some names in a JSON document, wherever those lists stand, without ever holding
 * more of it than one object: `{"db":[{"data":{"posts":[{…},{…}]}}]}`. What stands inside of an object that is cut out is
 * not looked into: that is for JSON.parse, which finds out what is wrong with it.
 */
export class JsonLists {
  readonly #wanted: ReadonlySet<string>;
  readonly #open: Container[] = [];
  /** What is not done with: from the beginning of the object or text that is being read. */
  #rest: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Where the text that is being read begins, behind its quotation mark; -1 outside of texts. */
  #textFrom = -1;
  /** Whether its beginning was let go of. */
  #textIsLong = false;
  #name = '';
  /** Where the object that is being cut out begins; -1 where none is. */
  #cutFrom = -1;
  /** How many containers are open around it. */
  #cutDepth = 0;
  #isTooLong = false;
  #fault: string | undefined;

  constructor(wanted: Iterable<string>) {
    this.#wanted = new Set(wanted);
  }

  /** Takes the next bytes, and gives the objects that end in them. */
  take(bytes: Buffer): ListElement[] {
    const found: ListElement[] = [];
    if (this.#fault !== undefined) return found;
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    this.#scan(found);
    this.#forget();
    return found;
  }

  /** Why the document is not whole; undefined where it is. To be asked at its end. */
  end(): string | undefined {
    if (this.#fault !== undefined) return this.#fault;
    const inner = this.#open.findLast(({ name }) => name !== '')?.name;
    if (this.#open.length > 0 || this.#textFrom !== -1)
      return `the file ends in the middle of ${inner === undefined ? 'its text' : `"${inner}"`}`;
    return undefined;
  }

  #scan(found: ListElement[]): void {
    const bytes = this.#rest;
    while (this.#at < bytes.length) {
      if (this.#textFrom !== -1) {
        if (!this.#endText(bytes)) return;
        continue;
      }
      const byte = bytes[this.#at++];
      if (byte === QUOTE) this.#textFrom = this.#at;
      else if (byte === OPEN_OBJECT || byte === OPEN_LIST) this.#opened(byte === OPEN_LIST);
      else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
        const container = this.#open.pop();
        if (container === undefined || container.isList !== (byte === CLOSE_LIST)) {
          this.#fault = 'its brackets do not match: it is not JSON';
          return;
        }
        if (this.#cutFrom !== -1 && this.#open.length === this.#cutDepth) this.#cut(bytes, found);
      }
    }
  }

  #opened(isList: boolean): void {
    const around = this.#open.at(-1);
    if (around?.isList) around.elements++;
    if (this.#cutFrom === -1 && !isList && around?.isList && this.#wanted.has(around.name)) {
      this.#cutFrom = this.#at - 1;
      this.#cutDepth = this.#open.length;
    }
    this.#open.push({ isList, name: around?.isList ? '' : this.#name, elements: 0 });
    this.#name = '';
  }

  /** @returns false when the text goes on in the next bytes */
  #endText(bytes: Buffer): boolean {
    for (;;) {
      const quote = bytes.indexOf(QUOTE, this.#at);
      // Whether a quotation mark ends the text depends on how many backslashes stand before it.
      let slashes = 0;
      const end = quote === -1 ? bytes.length : quote;
      while (end - slashes > this.#textFrom && bytes[end - slashes - 1] === BACKSLASH) slashes++;
      if (quote === -1) {
        this.#at = end - slashes;
        return false;
      }
      this.#at = quote + 1;
      if (slashes % 2 === 1) continue;
      const isName = this.#cutFrom === -1 && !this.#textIsLong && quote - this.#textFrom <= MOST_NAME;
      this.#name = isName ? bytes.toString('utf8', this.#textFrom, quote) : '';
      this.#textFrom = -1;
      this.#textIsLong = false;
      return true;
    }
  }

  #cut(bytes: Buffer, found: ListElement[]): void {
    const list = this.#open.at(-1);
    if (list === undefined) return;
    const element = { list: list.name, number: list.elements };
    const cut = bytes.subarray(this.#cutFrom, this.#at);
    if (this.#isTooLong || cut.length > MOST_ELEMENT) found.push({ kind: 'too-long', ...element });
    else found.push({ kind: 'element', ...element, bytes: cut });
    this.#isTooLong = false;
    this.#cutFrom = -1;
  }

  /** Lets go of what nobody needs again: all but the object, or the short text, that goes on in the next bytes. */
  #forget(): void {
    if (this.#cutFrom !== -1 && this.#rest.length - this.#cutFrom > MOST_ELEMENT) this.#isTooLong = true;
    let keepFrom = this.#at;
    if (this.#cutFrom !== -1 && !this.#isTooLong) keepFrom = this.#cutFrom;
    else if (this.#textFrom !== -1 && this.#at - this.#textFrom <= MOST_NAME) keepFrom = this.#textFrom;
    this.#rest = Buffer.from(this.#rest.subarray(keepFrom));
    this.#at -= keepFrom;
    if (this.#cutFrom !== -1) this.#cutFrom = this.#isTooLong ? 0 : this.#cutFrom - keepFrom;
    if (this.#textFrom === -1) return;
    this.#textIsLong ||= this.#textFrom < keepFrom;
    this.#textFrom = Math.max(0, this.#textFrom - keepFrom);
  }
}
