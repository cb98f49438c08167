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
  /**
   * Looks for a picture without reading it, and asks no site for it.
   *
   * @returns whether it lies there, or its site would be asked for it; undefined as with `read`
   * @throws as `read` does
   */
  look(wanted: Wanted): Promise<'there' | 'to-ask' | undefined>;
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
  async function find({ addresses }: Wanted): Promise<{ readonly path: string; readonly address: string }> {
    for (const address of addresses) {
      for (const end of pathsOf(address)) {
        const path = await findInside(root, end);
        if (path !== undefined) return { path, address };
      }
    }
    throw new NotFound('no-such-picture', 'it is not in the folder of pictures');
  }
  return {
    async read(wanted) {
      const { address, path } = await find(wanted);
      const bytes = await readFile(path).catch((error: Error) => {
        throw new Invalid('unreadable-picture', `it cannot be read from the folder (${error.message})`, {
          cause: error,
        });
      });
      return { bytes, address };
    },
    look: async (wanted) => {
      await find(wanted);
      return 'there';
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
  function find({ addresses }: Wanted): { readonly name: string; readonly address: string } {
    for (const address of addresses) {
      const name = pathsOf(address)
        .map((path) => names.get(path))
        .find((one) => one !== undefined);
      if (name !== undefined) return { name, address };
    }
    throw new NotFound('no-such-picture', 'it is not in the archive');
  }
  return {
    async read(wanted) {
      const { address, name } = find(wanted);
      return { bytes: await zip.readWhole(name, MOST_PICTURE_BYTES), address };
    },
    look: async (wanted) => {
      find(wanted);
      return 'there';
    },
    close() {},
  };
}

/** Several places, the first of which has what is asked for. */
export function firstOf(places: readonly PicturePlace[]): PicturePlace {
  async function first<Found>(ask: (place: PicturePlace) => Promise<Found>): Promise<Found> {
    let missing: unknown;
    for (const place of places) {
      try {
        return await ask(place);
      } catch (error) {
        if (!(error instanceof NotFound)) throw error;
        missing = error;
      }
    }
    throw missing;
  }
  return {
    read: (wanted) => first((place) => place.read(wanted)),
    look: (wanted) => first((place) => place.look(wanted)),
    close() {
      for (const place of places) place.close();
    },
  };
}

/** A file that lies in the folder itself: a link that leads out of it is as if it were not there. */
async function findInside(root: string, path: string): Promise<string | undefined> {
  const found = await realpath(join(root, path)).catch(() => undefined);
  if (found === undefined || !found.startsWith(root + sep)) return undefined;
  const facts = await stat(found);
  // Looked at before it is opened: a pipe would be waited for.
  if (!facts.isFile()) return undefined;
  if (facts.size > MOST_PICTURE_BYTES)
    throw new Invalid('picture-too-large', 'a picture may have at most 40 MB');
  return found;
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
  const isOwn = (address: string, host: string | undefined) => {
    const { host: at } = new URL(address, named);
    return isSameSite(at, host) || isSameSite(at, named.host);
  };
  const askedFor = ({ addresses, host, isOfLibrary }: Wanted) =>
    addresses.filter((address) => isOwn(address, host) || isOfLibrary);
  return {
    async read(wanted) {
      const asked = askedFor(wanted);
      for (const [index, address] of asked.entries()) {
        const { pathname, search } = new URL(address, named);
        const at = isOwn(address, wanted.host) ? named.origin + pathname + search : address;
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
    look: async (wanted) => (askedFor(wanted).length > 0 ? 'to-ask' : undefined),
    close: () => outside.close(),
  };
}

function isSameSite(host: string, site: string | undefined): boolean {
  return site !== undefined && host.replace(/^www\./, '') === site.replace(/^www\./, '');
}
