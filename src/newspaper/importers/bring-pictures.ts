import {
  bringPicturesHome,
  type LeadPicture,
  listWithPicturesElsewhere,
  type PictureElsewhere,
  type StoryOfElsewhere,
} from '#content';
import {
  addPicture,
  beforeResizing,
  findOrigins,
  keepOrigin,
  listGalleries,
  type PictureStore,
} from '#media';
import { CallerError } from '#values/errors';
import type { PicturePlace, Wanted } from './picture-places.ts';

/** Stories that are looked at together. */
const PAGE = 50;
/** Pictures that are fetched or read at a time: an old site is not to fall over on its last weekend. */
const AT_ONCE = 4;
/** After this many of a site's pictures came too slowly, one after the other, the rest is left for the next run. */
const MOST_TIMEOUTS = 8;
const MOST_TOLD = 10_000;

/** What became of the pictures of an import. */
export type PicturesReport = {
  /** Pictures that were brought here. */
  readonly added: number;
  /** Stories that show pictures of ours where they had addresses. */
  readonly stories: number;
  /** Pictures of other sites: they stay links. */
  readonly elsewhere: number;
  readonly refused: readonly { readonly at: string; readonly reason: string }[];
};

/**
 * Brings the pictures of imported stories here, from the place where their archive's files are, and puts them into the
 * stories. What cannot be had is told and stays a link; another run asks again for it, and for nothing that is here.
 */
export async function bringPictures(
  store: PictureStore,
  options: {
    /** Of the stories that are looked at. */
    readonly sources: readonly string[];
    /** Where files are to be had; left out, only what came here before is put into its place. */
    readonly place?: PicturePlace;
    readonly now: Temporal.Instant;
    /** Told now and then what became of them so far. */
    readonly onProgress?: (report: PicturesReport) => void;
  },
): Promise<PicturesReport> {
  const run = new PictureRun(store, options.place, options.now);
  let after: string | undefined;
  for (;;) {
    const page = await listWithPicturesElsewhere(store.db, {
      sources: options.sources,
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    });
    const last = page.at(-1);
    if (last === undefined) return run.report;
    await run.bring(page);
    options.onProgress?.(run.report);
    after = last.id;
  }
}

class PictureRun {
  readonly #store: PictureStore;
  readonly #place: PicturePlace | undefined;
  readonly #now: Temporal.Instant;
  readonly report = { added: 0, stories: 0, elsewhere: 0, refused: [] as { at: string; reason: string }[] };
  /** Addresses that were asked for in vain, so that none is asked for twice. */
  readonly #inVain = new Set<string>();
  #timeouts = 0;

  constructor(store: PictureStore, place: PicturePlace | undefined, now: Temporal.Instant) {
    this.#store = store;
    this.#place = place;
    this.#now = now;
  }

  async bring(stories: readonly StoryOfElsewhere[]): Promise<void> {
    const { db } = this.#store;
    const named = [...new Set(stories.flatMap(({ addresses }) => addresses))];
    const galleries = await listGalleries(db, named);
    const hosts = new Map(
      stories.flatMap(({ addresses, host }) =>
        addresses.flatMap((one) => (galleries.get(one) ?? [one]).map((at) => [at, host] as const)),
      ),
    );
    const places = new Map([...hosts.keys()].map((address) => [address, placesOf(address)]));
    const origins = await findOrigins(db, [...new Set([...places.values()].flat())]);
    const pictures = new Map<string, LeadPicture | PictureElsewhere>();
    await overAll([...places], async ([address, at]) => {
      const known = at.flatMap((one) => origins.get(one) ?? []);
      const pictureId =
        known.find((one) => one.pictureId !== undefined)?.pictureId ??
        (await this.#fetch(address, {
          addresses: [...new Set(known.map((one) => one.fileAddress))],
          isOfLibrary: known.some((one) => one.isOfLibrary),
          host: hosts.get(address),
        }));
      const { alt = '', caption = '', credit = '' } = known.find((one) => one.isOfLibrary) ?? {};
      const where = pictureId === undefined ? { url: address } : { pictureId };
      pictures.set(address, { ...where, alt, caption, credit });
    });
    const found = new Map<string, (LeadPicture | PictureElsewhere)[]>();
    for (const address of named) {
      const all = (galleries.get(address) ?? [address]).flatMap((at) => pictures.get(at) ?? []);
      // Of a gallery, those that cannot be had yet stand among the others.
      if (all.some((one) => 'pictureId' in one)) found.set(address, all);
    }
    for (const { addresses, id } of stories) {
      if (!addresses.some((address) => found.has(address))) continue;
      await bringPicturesHome(db, id, found, this.#now);
      this.report.stories++;
    }
  }

  /** @returns the id of the picture, or undefined where it cannot be had */
  async #fetch(address: string, wanted: Wanted): Promise<string | undefined> {
    if (this.#place === undefined || this.#inVain.has(address)) return undefined;
    try {
      if (this.#timeouts >= MOST_TIMEOUTS) {
        this.#refuse(address, 'its site is too slow; the next import asks again');
        return undefined;
      }
      const file = await this.#place.read(wanted);
      this.#timeouts = 0;
      if (file === undefined) {
        this.report.elsewhere++;
        this.#inVain.add(address);
        return undefined;
      }
      const { id, isNew } = await addPicture(this.#store, file.bytes, this.#now);
      await keepOrigin(this.#store.db, file.address, id);
      if (isNew) this.report.added++;
      return id;
    } catch (error) {
      if (!(error instanceof CallerError)) throw error;
      if (error.code === 'fetch-timeout') this.#timeouts++;
      this.#refuse(address, error.message);
      return undefined;
    }
  }

  #refuse(address: string, reason: string): void {
    this.#inVain.add(address);
    if (this.report.refused.length < MOST_TOLD) this.report.refused.push({ at: address, reason });
  }
}

/** A service that makes the pictures of other sites smaller: the site's address stands in its own. */
const RESIZED_BY_PHOTON = /^https?:\/\/i\d\.wp\.com\//;

/** Longer ones are no places of pictures, and are not kept. */
export const LONGEST_ADDRESS = 2_000;

/** Where a picture may lie that is named by an address: as it was before a site made it smaller, and as it is named. */
export function placesOf(address: string): string[] {
  if (address.length > LONGEST_ADDRESS) return [];
  const own = address.replace(RESIZED_BY_PHOTON, 'https://');
  const [path = own] = own.split('?');
  // Where the number in the address is all that names it, it is kept.
  const isFile = /\.[a-z]{3,4}$/i.test(path);
  return [...new Set(isFile ? [beforeResizing(path), path, address] : [address])];
}

/** Does something with each of a list, a few at a time. */
export async function overAll<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const ahead = all.values();
  const workers = Array.from({ length: AT_ONCE }, async () => {
    for (const one of ahead) await work(one);
  });
  await Promise.all(workers);
}
