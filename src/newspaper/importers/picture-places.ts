import { readFile, realpath, stat } from 'node:fs/promises';
import type { LookupFunction } from 'node:net';
import { join, sep } from 'node:path';
import { MOST_PICTURE_BYTES } from '#media';
import { fetchOutside } from '#platform/fetch-outside';
import { Invalid, NotFound } from '#values/errors';
import type { ZipArchive } from './zip-archive.ts';

/** A picture that a story names, as its archive knows it. */
export type Wanted = {
  /** Where the file lay: http(s) addresses, or paths of a site that nobody named; the best first. */
  readonly addresses: readonly string[];
  /** Whether the archive's own library names it, wherever it lies. */
  readonly isOfLibrary: boolean;
  /** The host of the site that the story came from, where that is known. */
  readonly host: string | undefined;
};

/** Where the pictures of an archive are to be had. */
export type PicturePlace = {
  /**
   * Reads a picture's file.
   *
   * @returns the file, and which of the addresses it lay at; undefined when it is none of the archive's own, but some
   *   other site's
   * @throws NotFound or Invalid with the reason when it cannot be had; Invalid `fetch-timeout` when its site is too slow
   */
  read(wanted: Wanted): Promise<{ readonly bytes: Buffer; readonly address: string } | undefined>;
  close(): void;
};

/** One file gets this long, however slowly it drips. */
const PATIENCE_MS = 30_000;

/**
 * A copy of the old site's files, or of a part of them such as `wp-content/uploads` or Ghost's `content/images`. An
 * address is looked up by the longest end of its path that is there.
 *
 * @throws NotFound when there is no such folder
 */
export async function pictureFolder(folder: string): Promise<PicturePlace> {
  const root = await realpath(folder).catch((error: unknown) => {
    throw new NotFound('no-such-folder', `there is no folder ${folder}`, { cause: error });
  });
  return {
    async read({ addresses }) {
      for (const address of addresses) {
        for (const path of pathsOf(address)) {
          const bytes = await readInside(root, path);
          if (bytes !== undefined) return { bytes, address };
        }
      }
      throw new NotFound('no-such-picture', 'it is not in the folder of pictures');
    },
    close() {},
  };
}

/** What completes a path, to be read like an address. */
const NOWHERE = 'http://nowhere.invalid';

/** Ends of an address's path, the longest first. */
function pathsOf(address: string): string[] {
  let path: string;
  try {
    path = decodeURIComponent(new URL(address, NOWHERE).pathname);
  } catch {
    return [];
  }
  const segments = path.split('/').filter((one) => one !== '');
  if (segments.some((one) => one === '..' || one === '.' || /[\\\0]/.test(one))) return [];
  return segments.map((_, at) => segments.slice(at).join('/'));
}

/** The pictures that lie in a zip archive beside an export, in the folders that Ghost keeps them in, or in one around those. */
export function pictureZip(zip: ZipArchive): PicturePlace {
  const names = new Map<string, string>();
  for (const name of zip.files.keys()) {
    if (!/\.(?:jpe?g|png|gif|webp|avif|tiff?|svg)$/i.test(name)) continue;
    const ends = [
      name,
      name.replace(/^.*?(?=content\/images\/)/, ''),
      name.replace(/^(?:.*?\/)?images\//, ''),
    ];
    for (const end of ends) if (!names.has(end)) names.set(end, name);
  }
  return {
    async read({ addresses }) {
      for (const address of addresses) {
        const name = pathsOf(address)
          .map((path) => names.get(path))
          .find((one) => one !== undefined);
        if (name !== undefined) return { bytes: await zip.readWhole(name, MOST_PICTURE_BYTES), address };
      }
      throw new NotFound('no-such-picture', 'it is not in the archive');
    },
    close() {},
  };
}

/** Several places, the first of which has what is asked for. */
export function firstOf(places: readonly PicturePlace[]): PicturePlace {
  return {
    async read(wanted) {
      let missing: unknown;
      for (const place of places) {
        try {
          return await place.read(wanted);
        } catch (error) {
          if (!(error instanceof NotFound)) throw error;
          missing = error;
        }
      }
      throw missing;
    },
    close() {
      for (const place of places) place.close();
    },
  };
}

/** A file that lies in the folder itself: a link that leads out of it is as if it were not there. */
async function readInside(root: string, path: string): Promise<Buffer | undefined> {
  const found = await realpath(join(root, path)).catch(() => undefined);
  if (found === undefined || !found.startsWith(root + sep)) return undefined;
  const facts = await stat(found);
  // Looked at before it is opened: a pipe would be waited for.
  if (!facts.isFile()) return undefined;
  if (facts.size > MOST_PICTURE_BYTES)
    throw new Invalid('picture-too-large', 'a picture may have at most 40 MB');
  return await readFile(found).catch((error: Error) => {
    throw new Invalid('unreadable-picture', `it cannot be read from the folder (${error.message})`, {
      cause: error,
    });
  });
}

/**
 * The old site itself, which is asked for its own pictures and for those that its library names, and for no others.
 *
 * @param origin as its operator named it: the site's own, or that of a machine which has the same files
 * @param options.lookup resolves names; left out, as the machine does
 * @param options.patienceMs how long one file may take
 */
export function pictureSite(
  origin: string,
  {
    lookup,
    patienceMs = PATIENCE_MS,
  }: { readonly lookup?: LookupFunction; readonly patienceMs?: number } = {},
): PicturePlace {
  const named = new URL(origin);
  const outside = fetchOutside({ trusted: named.origin, ...(lookup === undefined ? {} : { lookup }) });
  return {
    async read({ addresses, host, isOfLibrary }) {
      const isOwn = (address: string) => {
        const { host: at } = new URL(address, named);
        return isSameSite(at, host) || isSameSite(at, named.host);
      };
      const asked = addresses.filter((address) => isOwn(address) || isOfLibrary);
      if (asked.length === 0) return undefined;
      for (const [index, address] of asked.entries()) {
        const { pathname, search } = new URL(address, named);
        const at = isOwn(address) ? named.origin + pathname + search : address;
        try {
          const bytes = await outside.fetch(at, { mostBytes: MOST_PICTURE_BYTES, timeoutMs: patienceMs });
          return { bytes, address };
        } catch (error) {
          const isMissing = error instanceof Invalid && error.code === 'fetch-missing';
          if (!isMissing || index === asked.length - 1) throw error;
        }
      }
      return undefined;
    },
    close: () => outside.close(),
  };
}

function isSameSite(host: string, site: string | undefined): boolean {
  return site !== undefined && host.replace(/^www\./, '') === site.replace(/^www\./, '');
}
