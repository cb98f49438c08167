import { createReadStream, createWriteStream } from 'node:fs';
import { lstat, open, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ReadableStream } from 'node:stream/web';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { Decrypter, Encrypter } from 'age-encryption';
import { createTarDecoder, createTarPacker } from 'modern-tar';
import { Invalid } from '#values/errors';
import { randomId } from './ids.ts';

/**
 * How a back-up lies in a file: a tar archive (POSIX), packed with zstd (RFC 8878) and, where a passphrase is given,
 * encrypted as age does it (age-encryption.org/v1), so that other programs can open one without ours.
 */
export type BackupEntry = { readonly name: string; readonly bytes: Uint8Array };

/** Work to guess one passphrase: a second on this machine; 2 to the power of it (scrypt's N). */
const SCRYPT_LOG_N = 18;
const AGE_START = 'age-encryption.org/v1';
const ZSTD_START = '28b52ffd';
const TAR_BLOCK = 512;

/** Pieces are half a megabyte and pictures forty at most: what claims to be more is none of ours. */
const MOST_ENTRY_BYTES = 64 * 1024 ** 2;

/**
 * Writes entries to a file that is there whole or not at all, for this user alone.
 *
 * @param passphrase left out, the file is not encrypted
 * @throws Invalid `not-a-file` where the path leads to something else; whatever the entries or the disk throw, and then
 *   what was at the path before is untouched
 */
export async function writeBackupFile(
  path: string,
  entries: AsyncIterable<BackupEntry>,
  passphrase: string | undefined,
): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there !== undefined && !there.isFile())
    throw new Invalid('not-a-file', `${path} is there and is no file: a back-up is not put in its place`);
  // A name that nobody else writes to: two back-ups to one place follow each other whole.
  const unfinished = `${path}.${randomId()}.unfinished`;
  const { controller, readable } = createTarPacker();
  const packing = pack(entries, controller);
  const writing = pipeline([
    Readable.fromWeb(readable as ReadableStream<Uint8Array>),
    createZstdCompress({
      params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 },
    }),
    ...(passphrase === undefined ? [] : [encryption(passphrase)]),
    createWriteStream(unfinished, { flags: 'wx', mode: 0o600, flush: true }),
  ]);
  try {
    // Whichever fails ends the other: neither would notice by itself, and both would wait for ever.
    packing.catch((error: unknown) => controller.error(error));
    writing.catch((error: unknown) => controller.error(error));
    await Promise.all([packing, writing]);
    await rename(unfinished, path);
  } catch (error) {
    await Promise.allSettled([packing, writing]);
    await rm(unfinished, { force: true });
    throw error;
  }
}

async function pack(
  entries: AsyncIterable<BackupEntry>,
  controller: ReturnType<typeof createTarPacker>['controller'],
): Promise<void> {
  for await (const { bytes, name } of entries) {
    const writer = controller
      .add({ name, size: bytes.length, mode: 0o600, mtime: new Date(0), type: 'file' })
      .getWriter();
    await writer.write(bytes);
    await writer.close();
  }
  controller.finalize();
}

/** A part of a pipeline that encrypts what goes through it. */
function encryption(passphrase: string) {
  const encrypter = new Encrypter();
  encrypter.setScryptWorkFactor(SCRYPT_LOG_N);
  encrypter.setPassphrase(passphrase);
  return async function* (packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const plain = ReadableStream.from(packed) as globalThis.ReadableStream<Uint8Array>;
    yield* (await encrypter.encrypt(plain)) as unknown as ReadableStream<Uint8Array>;
  };
}

/**
 * Reads the entries of a back-up, in order, each into memory: they are small pieces.
 *
 * @param passphrase for one that is encrypted
 * @throws Invalid `wrong-file` when it is none, `needs-passphrase`, `wrong-passphrase`, or `broken-file` when it is cut or
 *   was changed
 */
export async function* readBackupFile(
  path: string,
  passphrase: string | undefined,
): AsyncGenerator<BackupEntry> {
  const kind = await kindOf(path);
  if (kind === undefined) throw new Invalid('wrong-file', `${path} is no back-up`);
  if (kind === 'encrypted' && passphrase === undefined)
    throw new Invalid(
      'needs-passphrase',
      `${path} is encrypted: BROADSHEET_PASSPHRASE has to hold its passphrase`,
    );
  const file = createReadStream(path, { highWaterMark: 256 * 1024 });
  try {
    const packed = kind === 'encrypted' ? await decrypted(file, passphrase ?? '', path) : file;
    const unpacked = packed.pipe(createZstdDecompress());
    packed.on('error', (error) => unpacked.destroy(error));
    const tar = (Readable.toWeb(unpacked) as unknown as globalThis.ReadableStream<Uint8Array>).pipeThrough(
      createTarDecoder({ strict: true }),
    );
    for await (const { body, header } of tar) {
      if (header.type !== 'file')
        throw new Invalid('broken-file', `${path} holds what no back-up does: ${header.name}`);
      if (header.size > MOST_ENTRY_BYTES)
        throw new Invalid(
          'broken-file',
          `${path} holds more than a back-up does in one piece: ${header.name}`,
        );
      yield { name: header.name, bytes: new Uint8Array(await new Response(body).arrayBuffer()) };
    }
  } catch (error) {
    if (error instanceof Invalid) throw error;
    throw new Invalid('broken-file', `${path} is cut or was changed (${reasonOf(error)})`, { cause: error });
  } finally {
    file.destroy();
  }
}

async function decrypted(file: Readable, passphrase: string, path: string): Promise<Readable> {
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  const sealed = Readable.toWeb(file) as unknown as globalThis.ReadableStream<Uint8Array>;
  try {
    return Readable.fromWeb((await decrypter.decrypt(sealed)) as unknown as ReadableStream<Uint8Array>);
  } catch (error) {
    throw new Invalid('wrong-passphrase', `${path} does not open with this passphrase`, { cause: error });
  }
}

async function kindOf(path: string): Promise<'plain' | 'encrypted' | undefined> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw new Invalid('no-such-file', `${path} cannot be read (${reasonOf(error)})`, { cause: error });
  });
  try {
    const start = Buffer.alloc(TAR_BLOCK);
    await file.read(start, 0, TAR_BLOCK, 0);
    if (start.toString('hex', 0, 4) === ZSTD_START) return 'plain';
    return start.toString('latin1', 0, AGE_START.length) === AGE_START ? 'encrypted' : undefined;
  } finally {
    await file.close();
  }
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 100);
}
