import { createHash } from 'node:crypto';
import type { Sharp } from 'sharp';
import type { Db } from '#platform/db';
import { randomId } from '#platform/ids';
import type { ObjectStore } from '#platform/object-store';
import { Invalid } from '#values/errors';
import { findByDigest, insertPicture } from './pictures.store.ts';
import { PixelsInWork } from './pixels-in-work.ts';

export type PictureStore = { readonly db: Db; readonly objects: ObjectStore };

/**
 * What browsers show and cameras write, by how it begins. Whatever else a decoder could read is not given to it; SVG is
 * a program.
 */
const KINDS: readonly RegExp[] = [
  /^\xff\xd8\xff/,
  /^\x89PNG\r\n/,
  /^GIF8[79]a/,
  /^RIFF[\s\S]{4}WEBP/,
  // AVIF and HEIF
  /^[\s\S]{4}ftyp(?:avi[fs]|hei[cxms]|mif1|msf1)/,
  // TIFF
  /^(?:II\*\0|MM\0\*)/,
];
/** About 8,000 × 8,000: more than any page needs, and no more than a decoder may unpack. */
const MOST_PIXELS = 64_000_000;
/**
 * All that are in work at the same time have no more either: an interlaced or progressive one of 62 million pixels takes
 * 300 MB while it is made smaller, and four of them at once took a gigabyte.
 */
const inWork = new PixelsInWork(MOST_PIXELS);
/** A camera's largest, twice over. */
export const MOST_PICTURE_BYTES = 40_000_000;
/** Good enough to print small; a step more costs a third more bytes. */
const QUALITY = 74;

/**
 * Takes a picture in: checks it, keeps the original as it came, and gives it a name that cannot be guessed. The same
 * bytes again are the same picture.
 *
 * @throws Invalid when the bytes are not a picture that can be shown, with the reason
 */
export async function addPicture(
  { db, objects }: PictureStore,
  bytes: Buffer,
  now: Temporal.Instant,
): Promise<{ readonly id: string; readonly isNew: boolean }> {
  if (bytes.length > MOST_PICTURE_BYTES)
    throw new Invalid('picture-too-large', 'a picture may have at most 40 MB');
  const digest = createHash('sha256').update(bytes).digest();
  const known = await findByDigest(db, digest);
  if (known !== undefined) return { id: known, isNew: false };
  const { format, height, width } = await lookAt(bytes);
  const id = randomId();
  await objects.put(`media/${id}/original`, bytes);
  const kept = await insertPicture(db, { id, digest, format, width, height, bytes: bytes.length, at: now });
  // Somebody else brought the same bytes meanwhile.
  if (kept !== id) await objects.remove(`media/${id}/original`);
  return { id: kept, isNew: kept === id };
}

/** Decodes it once, small: a picture that breaks off or unpacks without end must not be found out by a reader. */
async function lookAt(bytes: Buffer): Promise<{ format: string; width: number; height: number }> {
  const start = bytes.toString('latin1', 0, 12);
  if (!KINDS.some((begins) => begins.test(start)))
    throw new Invalid('picture-format', `it is not a picture that can be shown, but ${otherKind(bytes)}`);
  const picture = await decode(bytes);
  try {
    const { format, height, width } = await picture.metadata();
    await inWork.during(width * height, () => picture.resize({ width: 16, height: 16 }).raw().toBuffer());
    return { format, height, width };
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : '';
    if (/pixel limit/i.test(reason))
      throw new Invalid('picture-too-large', 'a picture may have at most 64 million pixels', {
        cause: error,
      });
    throw new Invalid('not-a-picture', 'it is not a picture that can be read', { cause: error });
  }
}

/** Loaded when the first picture comes: most commands see none. */
async function decode(bytes: Buffer): Promise<Sharp> {
  const { default: sharp } = await import('sharp');
  // What it remembers of the last hundred holds their decoders too: 180 MB for each large progressive picture.
  sharp.cache(false);
  return sharp(bytes, { limitInputPixels: MOST_PIXELS });
}

function otherKind(bytes: Buffer): string {
  const start = bytes.toString('utf8', 0, 1_000);
  if (/<svg[\s>]/i.test(start)) return 'a drawing that may hold a program (SVG)';
  if (/^\s*<(?:!doctype html|html|\?xml|head|body)/i.test(start)) return 'a page of text';
  return bytes.length === 0 ? 'an empty file' : 'a file of another kind';
}

const making = new Map<string, Promise<Buffer | undefined>>();

/**
 * A picture as WebP in one width, made the first time it is asked for and kept. Wider than the original is the
 * original's width. What a camera wrote into the file (place, owner, captions) is left out.
 *
 * @returns undefined when there is no such picture
 */
export async function openPicture(
  objects: ObjectStore,
  id: string,
  width: number,
): Promise<Buffer | undefined> {
  const name = `media/${id}/${width}.webp`;
  const kept = await objects.get(name);
  if (kept !== undefined) return kept;
  const underWay = making.get(name);
  if (underWay !== undefined) return underWay;
  const made = makeWidth(objects, id, width, name).finally(() => making.delete(name));
  making.set(name, made);
  return made;
}

async function makeWidth(
  objects: ObjectStore,
  id: string,
  width: number,
  name: string,
): Promise<Buffer | undefined> {
  const original = await objects.get(`media/${id}/original`);
  if (original === undefined) return undefined;
  const picture = await decode(original);
  const whole = await picture.metadata();
  const bytes = await inWork.during(whole.width * whole.height, () =>
    picture.rotate().resize({ width, withoutEnlargement: true }).webp({ quality: QUALITY }).toBuffer(),
  );
  await objects.put(name, bytes);
  return bytes;
}
