import { createHash } from 'node:crypto';
import type { Db } from '#platform/db';
import { randomId } from '#platform/ids';
import type { ObjectStore } from '#platform/object-store';
import { Invalid } from '#values/errors';
import { findByDigest, insertPicture } from './pictures.store.ts';

export type PictureStore = { readonly db: Db; readonly objects: ObjectStore };

/** What browsers show and cameras write. SVG is a program, and is refused. */
const FORMATS = new Set(['jpeg', 'png', 'webp', 'avif', 'gif', 'tiff', 'heif']);
/** About 8,000 × 8,000: more than any page needs, and no more than a decoder may unpack. */
const MOST_PIXELS = 64_000_000;
const MOST_BYTES = 40_000_000;
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
): Promise<{ readonly id: string }> {
  if (bytes.length > MOST_BYTES) throw new Invalid('picture-too-large', 'a picture may have at most 40 MB');
  const digest = createHash('sha256').update(bytes).digest();
  const known = await findByDigest(db, digest);
  if (known !== undefined) return { id: known };
  const { default: sharp } = await import('sharp');
  const facts = await sharp(bytes, { limitInputPixels: MOST_PIXELS })
    .metadata()
    .catch((error: unknown) => {
      throw new Invalid('not-a-picture', 'this is not a picture that can be read', { cause: error });
    });
  if (!FORMATS.has(facts.format))
    throw new Invalid('picture-format', `a picture of kind ${facts.format} cannot be shown`);
  const id = randomId();
  await objects.put(`media/${id}/original`, bytes);
  await insertPicture(db, {
    id,
    digest,
    format: facts.format,
    width: facts.width,
    height: facts.height,
    bytes: bytes.length,
    at: now,
  });
  return { id };
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
  const { default: sharp } = await import('sharp');
  const bytes = await sharp(original, { limitInputPixels: MOST_PIXELS })
    .rotate()
    .resize({ width, withoutEnlargement: true })
    .webp({ quality: QUALITY })
    .toBuffer();
  await objects.put(name, bytes);
  return bytes;
}
