import { type FileHandle, open } from 'node:fs/promises';
import { createGunzip, type Gunzip } from 'node:zlib';
import { Invalid, NotFound } from '#values/errors';

/** Read at once. Compressed text is taken in smaller bites, since each may unfold a thousandfold. */
const PLAIN_BITE = 1024 * 1024;
const GZIP_BITE = 16 * 1024;

/**
 * Reads a file, plain or gzipped, a megabyte at a time, however long it is.
 *
 * @throws NotFound when there is no such file; Invalid when it is of a kind that has no text to read
 */
export async function* readBites(path: string): AsyncGenerator<Bites> {
  const file = await openFile(path);
  try {
    const head = Buffer.alloc(4);
    const { bytesRead } = await file.read(head, 0, 4, 0);
    const start = head.subarray(0, bytesRead);
    refuseOtherKinds(path, start);
    const isGzip = start[0] === 0x1f && start[1] === 0x8b;
    yield* isGzip ? unzipped(file) : plain(file);
  } finally {
    await file.close();
  }
}

/**
 * Looks whether a file is there to be read, before anything else is begun.
 *
 * @throws as `readBites` does
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

/** @throws Invalid when the first bytes are of something that is no text in UTF-8 */
export function refuseOtherKinds(path: string, start: Buffer): void {
  const hex = start.toString('hex');
  const other = OTHER_KINDS.find(([magic]) => hex.startsWith(magic));
  if (other)
    throw new Invalid('wrong-file', `${path} is ${other[1]}; plain or gzipped text in UTF-8 is needed`);
}

/** Some bytes in order, which stand only until the next are asked for. `cut` is on the last ones of a file that breaks off. */
export type Bites = { readonly bites: readonly Buffer[]; readonly cut?: string };

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
