import { isUtf8 } from 'node:buffer';
import { parseJson } from '#values/json';
import { readBites, refuseOtherKinds } from './archive-file.ts';

/** No record is longer: a line that is, is read past without being kept. */
const MOST_LINE = 16 * 1024 * 1024;
/**
 * One line that is not blank, without its end; or what is wrong with it, when it cannot be read. Its bytes are the
 * reader's own, and stand only until the next lines are asked for.
 */
export type Line =
  | { readonly kind: 'line'; readonly number: number; readonly bytes: Buffer }
  | { readonly kind: 'unreadable'; readonly number: number; readonly reason: string };

/** Some lines in order. `cut` is on the last ones of a file that breaks off. */
export type Lines = {
  readonly lines: readonly Line[];
  /** Why the file cannot be read to its end; what came before stands. */
  readonly cut?: string;
};

/**
 * Reads a text file in UTF-8, plain or gzipped, a megabyte at a time, however long the file or a line of it is.
 *
 * @throws NotFound when there is no such file; Invalid when it is of a kind that has no lines to read
 */
export async function* readLines(path: string): AsyncGenerator<Lines> {
  const splitter = new Splitter(path);
  for await (const { bites, cut } of readBites(path)) {
    const lines = bites.flatMap((bite) => splitter.take(bite));
    yield cut === undefined ? { lines } : { lines, cut };
    if (cut !== undefined) return;
  }
  yield splitter.end();
}

/** Cuts bytes into lines, wherever the pieces they come in end. */
class Splitter {
  readonly #path: string;
  #number = 1;
  #begun: Buffer[] = [];
  #begunLength = 0;
  #isFirst = true;

  constructor(path: string) {
    this.#path = path;
  }

  take(bite: Buffer): Line[] {
    const lines: Line[] = [];
    let from = 0;
    for (let end = bite.indexOf(10); end >= 0; end = bite.indexOf(10, from)) {
      this.#finish(bite.subarray(from, end), lines);
      from = end + 1;
    }
    const rest = bite.subarray(from);
    // A long line is counted, not kept.
    if (this.#begunLength + rest.length > MOST_LINE) this.#begun = [];
    else if (rest.length > 0) this.#begun.push(Buffer.from(rest));
    this.#begunLength += rest.length;
    return lines;
  }

  /** The line that ends with the file. When it is not whole JSON, the file was cut in the middle of it. */
  end(): Lines {
    const lines: Line[] = [];
    const number = this.#number;
    this.#finish(Buffer.alloc(0), lines);
    const [last] = lines;
    if (last?.kind !== 'line' || isWhole(last.bytes)) return { lines };
    return { lines: [], cut: `the file ends in the middle of line ${number}` };
  }

  #finish(rest: Buffer, lines: Line[]): void {
    const number = this.#number++;
    const length = this.#begunLength + rest.length;
    const parts = this.#begun;
    this.#begun = [];
    this.#begunLength = 0;
    if (length > MOST_LINE) {
      const reason = `a line of ${Math.round(length / 1_048_576)} MB is over the limit of ${MOST_LINE / 1_048_576} MB`;
      lines.push({ kind: 'unreadable', number, reason });
      return;
    }
    let bytes = parts.length === 0 ? rest : Buffer.concat([...parts, rest]);
    if (this.#isFirst) {
      this.#isFirst = false;
      if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) bytes = bytes.subarray(3);
      else refuseOtherKinds(this.#path, bytes.subarray(0, 4));
    }
    if (bytes.at(-1) === 13) bytes = bytes.subarray(0, -1);
    if (isBlank(bytes)) return;
    if (isUtf8(bytes)) lines.push({ kind: 'line', number, bytes });
    else lines.push({ kind: 'unreadable', number, reason: 'not UTF-8' });
  }
}

function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 32 && byte !== 9) return false;
  return true;
}

function isWhole(bytes: Buffer): boolean {
  try {
    parseJson(bytes.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}
