import { isUtf8 } from 'node:buffer';
import { type FileHandle, open } from 'node:fs/promises';
import { createGunzip, type Gunzip } from 'node:zlib';
import { Invalid, NotFound } from '#values/errors';

/** No record is longer: a line that is, is read past without being kept. */
const MOST_LINE = 16 * 1024 * 1024;
/** Read at once. Compressed text is taken in smaller bites, since each may unfold a thousandfold. */
const PLAIN_BITE = 1024 * 1024;
const GZIP_BITE = 16 * 1024;

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
  const file = await openFile(path);
  try {
    const head = Buffer.alloc(4);
    const { bytesRead } = await file.read(head, 0, 4, 0);
    const start = head.subarray(0, bytesRead);
    const isGzip = start[0] === 0x1f && start[1] === 0x8b;
    refuseOtherKinds(path, start);
    const splitter = new Splitter(path);
    for await (const { bites, cut } of isGzip ? unzipped(file) : plain(file)) {
      const lines = bites.flatMap((bite) => splitter.take(bite));
      yield cut === undefined ? { lines } : { lines, cut };
      if (cut !== undefined) return;
    }
    yield splitter.end();
  } finally {
    await file.close();
  }
}

/**
 * Looks whether a file is there to be read, before anything else is begun.
 *
 * @throws as `readLines` does
 */
export async function checkFile(path: string): Promise<void> {
  await (await openFile(path)).close();
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    const file = await open(path, 'r');
    if ((await file.stat()).isDirectory()) {
      await file.close();
      throw new Invalid('not-a-file', `${path} is a folder`);
    }
    return file;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') throw new NotFound('no-such-file', `there is no file ${path}`, { cause: error });
    if (code === 'EACCES') throw new Invalid('unreadable-file', `${path} may not be read`, { cause: error });
    throw error;
  }
}

const OTHER_KINDS: readonly [magic: string, what: string][] = [
  ['0000feff', 'in UTF-32'],
  ['fffe0000', 'in UTF-32'],
  ['fffe', 'in UTF-16'],
  ['feff', 'in UTF-16'],
  ['7b00', 'in UTF-16'],
  ['007b', 'in UTF-16'],
  ['28b52ffd', 'compressed with zstd'],
  ['504b0304', 'a zip archive'],
  ['425a68', 'compressed with bzip2'],
  ['fd377a58', 'compressed with xz'],
];

function refuseOtherKinds(path: string, start: Buffer): void {
  const hex = start.toString('hex');
  const other = OTHER_KINDS.find(([magic]) => hex.startsWith(magic));
  if (other)
    throw new Invalid('wrong-file', `${path} is ${other[1]}; plain or gzipped text in UTF-8 is needed`);
}

type Bites = { readonly bites: readonly Buffer[]; readonly cut?: string };

async function* plain(file: FileHandle): AsyncGenerator<Bites> {
  const bite = Buffer.allocUnsafe(PLAIN_BITE);
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(bite, 0, PLAIN_BITE, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield { bites: [bite.subarray(0, bytesRead)] };
  }
}

/** What came before the place where a compressed file is cut or broken is not lost. */
async function* unzipped(file: FileHandle): AsyncGenerator<Bites> {
  const gunzip = createGunzip({ chunkSize: 256 * 1024 });
  let bites: Buffer[] = [];
  let failure: Error | undefined;
  gunzip.on('data', (bite: Buffer) => bites.push(bite));
  gunzip.on('error', (error) => {
    failure = error;
  });
  try {
    const compressed = Buffer.allocUnsafe(GZIP_BITE);
    for (let at = 0; ; ) {
      const { bytesRead } = await file.read(compressed, 0, GZIP_BITE, at);
      at += bytesRead;
      if (bytesRead === 0) await settled(gunzip, (done) => gunzip.once('end', done).end());
      else
        await settled(gunzip, (done) => gunzip.write(Buffer.from(compressed.subarray(0, bytesRead)), done));
      const taken = bites;
      bites = [];
      if (failure !== undefined) {
        yield { bites: taken, cut: `the compressed file is cut or damaged (${failure.message})` };
        return;
      }
      yield { bites: taken };
      if (bytesRead === 0) return;
    }
  } finally {
    gunzip.destroy();
  }
}

/** Waits until a piece was worked through, or until it turned out that it cannot be. */
function settled(gunzip: Gunzip, give: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    gunzip.once('error', resolve);
    give(() => {
      gunzip.off('error', resolve);
      resolve();
    });
  });
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
    JSON.parse(bytes.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}
