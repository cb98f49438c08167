import type { StoryElement, StoryInput } from '#content';
import { type Attachment, findOrigins, listGalleries, type Origin } from '#media';
import type { Db } from '#platform/db';
import { CallerError } from '#values/errors';
import { LONGEST_ADDRESS, overAll, placesOf } from './bring-pictures.ts';
import { PackedAddresses } from './packed-addresses.ts';
import type { PicturePlace } from './picture-places.ts';

/** Addresses that are asked of the database together. */
const PAGE = 500;
const MOST_TOLD = 50;
/** An archive's stories come from one site, or a few. */
const MOST_HOSTS = 250;

/** What would become of the pictures that an archive's stories show, each counted once. */
export type PicturesAhead = {
  readonly shown: number;
  /** Brought here before. */
  readonly here: number;
  /** Lie in the folder or archive. */
  readonly found: number;
  /** The old site would be asked for. */
  readonly toAsk: number;
  /** Stay links: they are another site's, or nobody said where they are. */
  readonly links: number;
  readonly missing: number;
  readonly missingFirst: readonly { readonly at: string; readonly reason: string }[];
};

/** The numbers beside an address: what it is, the id of its file in the library, and of the gallery that it belongs to. */
const [WHAT, FILE, GALLERY] = [0, 1, 2] as const;
const [IS_SHOWN, IS_GALLERY, IS_COUNTED] = [1, 2, 4];
/** Above those, which site's story shows it. */
const HOST = 8;

/**
 * Looks ahead at pictures, for a run that keeps nothing: the library of an archive is known when all of it was read, so
 * until then addresses are held.
 */
export class PictureOutlook {
  readonly #addresses = new PackedAddresses();
  /** The first is unknown. */
  readonly #hosts: (string | undefined)[] = [undefined];

  /** Takes in what the library says. */
  knowLibrary(attachments: readonly Attachment[]): void {
    for (const { address, fileAddress, gallery } of attachments) {
      const id = this.#addresses.note(address);
      this.#addresses.setNumber(id, FILE, this.#addresses.note(fileAddress));
      if (gallery === undefined) continue;
      const of = this.#addresses.note(gallery);
      this.#addresses.setNumber(id, GALLERY, of);
      this.#mark(of, IS_GALLERY);
    }
  }

  /** Takes in which pictures a story shows that are not known to be here. */
  show({ body, originUrl, picture, preview }: StoryInput): void {
    const shown = [...(preview ?? []), ...body].flatMap(addressIn);
    if (picture !== undefined && 'url' in picture) shown.push(picture.url);
    for (const address of shown)
      if (address.length <= LONGEST_ADDRESS)
        this.#show(this.#addresses.note(address), this.#hostOf(originUrl));
  }

  /** Says of each what would become of it. */
  async tell(db: Db, place: PicturePlace | undefined): Promise<PicturesAhead> {
    await this.#openGalleries(db);
    const told = { shown: 0, here: 0, found: 0, toAsk: 0, links: 0, missing: 0, missingFirst: [] as Note[] };
    for (const page of this.#pages((id) => this.#isPictureShown(id))) {
      const pictures = page.map((id) => {
        const address = this.#addresses.at(id);
        return { address, places: placesOf(address), host: this.#hosts[this.#hostNumber(id)] };
      });
      const origins = await this.#origins(
        db,
        pictures.flatMap(({ places }) => places),
      );
      await overAll(pictures, async ({ address, host, places }) => {
        const known = places.flatMap((one) => origins.get(one) ?? []);
        const addresses = [...new Set(known.map((one) => one.fileAddress))];
        const [file = address] = addresses;
        if (!this.#countOnce(file)) return;
        told.shown++;
        if (known.some((one) => one.pictureId !== undefined)) {
          told.here++;
          return;
        }
        const isOfLibrary = known.some((one) => one.isOfLibrary);
        const found = await place?.look({ addresses, isOfLibrary, host }).catch(reasonOf);
        if (found === 'there') told.found++;
        else if (found === 'to-ask') told.toAsk++;
        else if (found === undefined) told.links++;
        else if (++told.missing <= MOST_TOLD) told.missingFirst.push({ at: file, reason: found.reason });
      });
    }
    return told;
  }

  /** What belongs to a gallery that a story shows is shown; galleries of archives that came before are known here. */
  async #openGalleries(db: Db): Promise<void> {
    for (const page of this.#pages((id) => this.#is(id, IS_SHOWN))) {
      const byAddress = new Map(page.map((id) => [this.#addresses.at(id), id]));
      for (const [gallery, members] of await listGalleries(db, [...byAddress.keys()])) {
        const id = byAddress.get(gallery) ?? 0;
        this.#mark(id, IS_GALLERY);
        for (const member of members) this.#show(this.#addresses.note(member), this.#hostNumber(id));
      }
    }
  }

  /** What is known of addresses, here and in this archive; the archive's is the newer word. */
  async #origins(db: Db, addresses: readonly string[]): Promise<Map<string, Origin>> {
    const files = new Map<string, string>();
    for (const address of addresses) {
      const file = this.#fileOf(address);
      if (file !== undefined) files.set(address, file);
    }
    const origins = await findOrigins(db, [...new Set([...addresses, ...files.values()])]);
    for (const [address, file] of files) {
      const known = origins.get(file);
      if (known !== undefined) origins.set(address, { ...known, fileAddress: file, isOfLibrary: true });
    }
    return origins;
  }

  #fileOf(address: string): string | undefined {
    const id = this.#addresses.find(address);
    const file = id === undefined ? 0 : this.#addresses.number(id, FILE);
    return file === 0 ? undefined : this.#addresses.at(file);
  }

  #isPictureShown(id: number): boolean {
    if (this.#is(id, IS_GALLERY)) return false;
    const gallery = this.#addresses.number(id, GALLERY);
    return this.#is(id, IS_SHOWN) || (gallery !== 0 && this.#is(gallery, IS_SHOWN));
  }

  #is(id: number, what: number): boolean {
    return (this.#addresses.number(id, WHAT) & what) !== 0;
  }

  #mark(id: number, what: number): void {
    this.#addresses.setNumber(id, WHAT, this.#addresses.number(id, WHAT) | what);
  }

  #show(id: number, host: number): void {
    if (!this.#is(id, IS_SHOWN)) this.#mark(id, IS_SHOWN | (host * HOST));
  }

  /** @returns whether an address is counted for the first time */
  #countOnce(address: string): boolean {
    const id = this.#addresses.note(address);
    const isFirst = !this.#is(id, IS_COUNTED);
    this.#mark(id, IS_COUNTED);
    return isFirst;
  }

  #hostNumber(id: number): number {
    return Math.floor(this.#addresses.number(id, WHAT) / HOST);
  }

  #hostOf(originUrl: string | undefined): number {
    const host = originUrl === undefined ? undefined : new URL(originUrl).host;
    const known = this.#hosts.indexOf(host);
    if (known >= 0) return known;
    return this.#hosts.length > MOST_HOSTS ? 0 : this.#hosts.push(host) - 1;
  }

  /** The ids of those addresses of which something holds, a page at a time. */
  *#pages(holds: (id: number) => boolean): Generator<number[]> {
    let page: number[] = [];
    for (const id of this.#addresses.ids()) {
      if (holds(id)) page.push(id);
      if (page.length < PAGE) continue;
      yield page;
      page = [];
    }
    if (page.length > 0) yield page;
  }
}

type Note = { readonly at: string; readonly reason: string };

function addressIn(element: StoryElement): string[] {
  return element.kind === 'picture' && element.pictureId === undefined && element.url !== undefined
    ? [element.url]
    : [];
}

function reasonOf(error: unknown): { readonly reason: string } {
  if (!(error instanceof CallerError)) throw error;
  return { reason: error.message };
}
