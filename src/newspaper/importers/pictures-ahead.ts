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

/** Of each address: what it is, the address of its file in the library, and of the gallery that it belongs to. */
const ROW = 3;
const [IS_SHOWN, IS_GALLERY, IS_COUNTED] = [1, 2, 4];
/** Above those, whose site's story shows it. */
const HOST = 8;

/**
 * Looks ahead at pictures, for a run that keeps nothing: the library of an archive is known when all of it was read, so
 * until then addresses are held, some 90 bytes for each.
 */
export class PictureOutlook {
  readonly #addresses = new PackedAddresses();
  #rows = new Int32Array(ROW << 10);
  /** The first is unknown. */
  readonly #hosts: (string | undefined)[] = [undefined];

  /** Takes in what the library says; numbers are kept one higher, so that 0 is none. */
  knowLibrary(attachments: readonly Attachment[]): void {
    for (const { address, fileAddress, gallery } of attachments) {
      const row = this.#rowOf(address);
      const file = this.#numberOf(fileAddress) + 1;
      const belongsTo = gallery === undefined ? 0 : this.#numberOf(gallery) + 1;
      this.#rows[row + 1] = file;
      this.#rows[row + 2] = belongsTo;
      if (belongsTo > 0) this.#mark((belongsTo - 1) * ROW, IS_GALLERY);
    }
  }

  /** Takes in which pictures a story shows that are not known to be here. */
  show({ body, originUrl, picture, preview }: StoryInput): void {
    const shown = [...(preview ?? []), ...body].flatMap(addressIn);
    if (picture !== undefined && 'url' in picture) shown.push(picture.url);
    for (const address of shown)
      if (address.length <= LONGEST_ADDRESS) this.#show(this.#rowOf(address), this.#hostOf(originUrl));
  }

  /** Says of each what would become of it. */
  async tell(db: Db, place: PicturePlace | undefined): Promise<PicturesAhead> {
    await this.#openGalleries(db);
    const told = { shown: 0, here: 0, found: 0, toAsk: 0, links: 0, missing: 0, missingFirst: [] as Note[] };
    for (const page of this.#pages()) {
      const wanted = page.filter((number) => this.#isPictureShown(number));
      const addresses = wanted.map((number) => this.#addresses.at(number));
      const places = addresses.map((address) => placesOf(address));
      const origins = await this.#origins(db, places.flat());
      await overAll([...addresses.keys()], async (at) => {
        const known = (places[at] ?? []).flatMap((one) => origins.get(one) ?? []);
        const files = [...new Set(known.map((one) => one.fileAddress))];
        const address = files[0] ?? addresses[at] ?? '';
        if (!this.#countOnce(address)) return;
        told.shown++;
        if (known.some((one) => one.pictureId !== undefined)) told.here++;
        else {
          const isOfLibrary = known.some((one) => one.isOfLibrary);
          const host = this.#hosts[Math.floor((this.#rows[(wanted[at] ?? 0) * ROW] ?? 0) / HOST)];
          const found = await place?.look({ addresses: files, isOfLibrary, host }).catch(reasonOf);
          if (found === 'there') told.found++;
          else if (found === 'to-ask') told.toAsk++;
          else if (found === undefined) told.links++;
          else if (++told.missing <= MOST_TOLD) told.missingFirst.push({ at: address, reason: found.reason });
        }
      });
    }
    return told;
  }

  /** What belongs to a gallery that a story shows is shown; galleries of archives that came before are known here. */
  async #openGalleries(db: Db): Promise<void> {
    for (const page of this.#pages()) {
      const shown = page.filter((number) => this.#is(number, IS_SHOWN));
      const galleries = await listGalleries(
        db,
        shown.map((number) => this.#addresses.at(number)),
      );
      for (const [gallery, members] of galleries) {
        const row = this.#rowOf(gallery);
        this.#mark(row, IS_GALLERY);
        for (const member of members)
          this.#show(this.#rowOf(member), Math.floor((this.#rows[row] ?? 0) / HOST));
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
    const asked = [...new Set([...addresses, ...files.values()])];
    const origins = await findOrigins(db, asked);
    for (const [address, file] of files) {
      const known = origins.get(file);
      if (known !== undefined) origins.set(address, { ...known, fileAddress: file, isOfLibrary: true });
    }
    return origins;
  }

  #fileOf(address: string): string | undefined {
    const number = this.#addresses.find(address);
    const file = number === undefined ? 0 : (this.#rows[number * ROW + 1] ?? 0);
    return file === 0 ? undefined : this.#addresses.at(file - 1);
  }

  #isPictureShown(number: number): boolean {
    if (this.#is(number, IS_GALLERY)) return false;
    const gallery = this.#rows[number * ROW + 2] ?? 0;
    return this.#is(number, IS_SHOWN) || (gallery > 0 && this.#is(gallery - 1, IS_SHOWN));
  }

  #is(number: number, what: number): boolean {
    return ((this.#rows[number * ROW] ?? 0) & what) !== 0;
  }

  #mark(row: number, what: number): void {
    this.#rows[row] = (this.#rows[row] ?? 0) | what;
  }

  #show(row: number, host: number): void {
    if (((this.#rows[row] ?? 0) & IS_SHOWN) === 0) this.#mark(row, IS_SHOWN | (host * HOST));
  }

  /** @returns whether an address is counted for the first time */
  #countOnce(address: string): boolean {
    const row = this.#rowOf(address);
    const isFirst = ((this.#rows[row] ?? 0) & IS_COUNTED) === 0;
    this.#mark(row, IS_COUNTED);
    return isFirst;
  }

  #hostOf(originUrl: string | undefined): number {
    const host = originUrl === undefined ? undefined : new URL(originUrl).host;
    const known = this.#hosts.indexOf(host);
    if (known >= 0) return known;
    return this.#hosts.length > MOST_HOSTS ? 0 : this.#hosts.push(host) - 1;
  }

  #numberOf(address: string): number {
    return this.#rowOf(address) / ROW;
  }

  /** Where the row of an address begins. */
  #rowOf(address: string): number {
    const row = this.#addresses.note(address) * ROW;
    if (row >= this.#rows.length) {
      const rows = new Int32Array(2 * this.#rows.length);
      rows.set(this.#rows);
      this.#rows = rows;
    }
    return row;
  }

  /** The numbers of all addresses that are there now; those that come meanwhile are not among them. */
  *#pages(): Generator<number[]> {
    const { count } = this.#addresses;
    for (let from = 0; from < count; from += PAGE)
      yield Array.from({ length: Math.min(PAGE, count - from) }, (_, at) => from + at);
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
