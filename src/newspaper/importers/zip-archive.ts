import { type Entry, getFileNameLowLevel, openPromise, validateFileName, type ZipFile } from 'yauzl';
import { Invalid } from '#values/errors';
import type { Bites } from './archive-file.ts';

/** A site of decades has some hundred thousand files. */
const MOST_FILES = 1_000_000;
/** Text becomes a tenth when it is packed; what unpacks to more than this many times is made to fill a disk. */
const MOST_RATIO = 200;
/** Where that begins to matter. */
const SMALL = 16 * 1024 * 1024;
/** What a file is, in the upper half of the attributes that Unix programs write (stat(2)). */
const [KIND, PLAIN_FILE, NO_KIND] = [0xf000, 0x8000, 0];

/** A zip archive that is read where it lies: nothing in it is ever written to a place that it names. */
export type ZipArchive = {
  /** The files that may be read, by their paths. */
  readonly files: ReadonlyMap<string, Entry>;
  /** Files that may not, and why. */
  readonly refused: readonly { readonly at: string; readonly reason: string }[];
  /** A file a piece at a time. */
  readBites(path: string): AsyncGenerator<Bites>;
  /**
   * A file at once.
   *
   * @throws Invalid when it has more bytes than may be, or is broken
   */
  readWhole(path: string, mostBytes: number): Promise<Buffer>;
  close(): void;
};

/**
 * Opens a zip archive.
 *
 * @throws Invalid when it is none, or is broken, or has more files than any site
 */
export async function openZip(path: string): Promise<ZipArchive> {
  const zip = await openPromise(path, { autoClose: false, decodeStrings: false }).catch((error: unknown) => {
    throw new Invalid('wrong-file', `${path} is no zip archive that can be read: ${reasonOf(error)}`, {
      cause: error,
    });
  });
  try {
    const { files, refused } = await listFiles(zip);
    return { files, refused, ...readersOf(zip, files), close: () => zip.close() };
  } catch (error) {
    zip.close();
    throw error instanceof Invalid
      ? error
      : new Invalid('wrong-file', `${path} is a broken zip archive: ${reasonOf(error)}`, { cause: error });
  }
}

async function listFiles(zip: ZipFile): Promise<Pick<ZipArchive, 'files' | 'refused'>> {
  if (zip.entryCount > MOST_FILES)
    throw new Invalid('wrong-file', `it has ${zip.entryCount} files, which is more than any site has`);
  const files = new Map<string, Entry>();
  const refused: { at: string; reason: string }[] = [];
  for await (const entry of zip.eachEntry()) {
    const name = getFileNameLowLevel(
      entry.generalPurposeBitFlag,
      entry.fileNameRaw,
      entry.extraFields,
      false,
    );
    if (name.endsWith('/')) continue;
    const reason = whyNot(entry, name);
    if (reason !== undefined) refused.push({ at: name.slice(0, 200), reason });
    else if (files.has(name))
      refused.push({ at: name.slice(0, 200), reason: 'a file of this name stood already before' });
    else files.set(name, entry);
  }
  return { files, refused };
}

function whyNot(entry: Entry, name: string): string | undefined {
  if (validateFileName(name) !== null || name.includes('\0')) return 'its name leads out of the archive';
  const kind = (entry.externalFileAttributes >>> 16) & KIND;
  if (kind !== PLAIN_FILE && kind !== NO_KIND) return 'it is a link to another file, or no file at all';
  if (!entry.canDecodeFileData()) return 'it is encrypted, or packed in a way that cannot be read';
  const { compressedSize, uncompressedSize } = entry;
  if (uncompressedSize > SMALL && uncompressedSize > MOST_RATIO * compressedSize)
    return `it unpacks to ${Math.round(uncompressedSize / 1_048_576)} MB, more than ${MOST_RATIO} times of its size`;
  return undefined;
}

function readersOf(
  zip: ZipFile,
  files: ReadonlyMap<string, Entry>,
): Pick<ZipArchive, 'readBites' | 'readWhole'> {
  const find = (path: string): Entry => {
    const entry = files.get(path);
    if (entry === undefined) throw new RangeError(`there is no file ${path} in the archive`);
    return entry;
  };
  return {
    async *readBites(path) {
      try {
        for await (const bite of await zip.openReadStreamPromise(find(path)))
          yield { bites: [bite as Buffer] };
      } catch (error) {
        yield { bites: [], cut: `the archive is cut or damaged (${reasonOf(error)})` };
      }
    },
    async readWhole(path, mostBytes) {
      const entry = find(path);
      if (entry.uncompressedSize > mostBytes)
        throw new Invalid('file-too-large', `it has more than ${Math.round(mostBytes / 1_000_000)} MB`);
      try {
        // The library holds a file to the size that it says.
        return Buffer.concat(await Array.fromAsync(await zip.openReadStreamPromise(entry)));
      } catch (error) {
        throw new Invalid('broken-file', `it is cut or damaged (${reasonOf(error)})`, { cause: error });
      }
    },
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 100) : String(error);
}
