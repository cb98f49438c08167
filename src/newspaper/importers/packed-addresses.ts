import { FirstPlaces } from './first-places.ts';

const PIECE = 1024 * 1024;
/** A site keeps its files in a few hundred folders. One that makes up more has addresses that are kept whole. */
const MOST_FOLDERS = 65_535;

/**
 * Addresses under numbers from 0, in the order in which they came: a million in 65 MB, since the folder that an address
 * begins with is kept once, and the rest as bytes outside of the heap.
 */
export class PackedAddresses {
  readonly #numbers = new FirstPlaces();
  /** The first is none. */
  readonly #folders = [''];
  readonly #folderNumbers = new Map<string, number>();
  /** Of each address two bytes for its folder, two for how long the rest is, and the rest. */
  readonly #pieces = [Buffer.allocUnsafe(PIECE)];
  #end = 0;
  #starts = new Uint32Array(1 << 10);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** The number of an address, which is given one where it has none. */
  note(address: string): number {
    const known = this.#numbers.note(address, this.#count);
    if (known !== undefined) return known;
    this.#keep(address);
    return this.#count++;
  }

  find(address: string): number | undefined {
    return this.#numbers.find(address);
  }

  at(number: number): string {
    const start = this.#starts[number] as number;
    const piece = this.#pieces[Math.floor(start / PIECE)] as Buffer;
    const from = start % PIECE;
    const end = from + 4 + piece.readUInt16LE(from + 2);
    return (this.#folders[piece.readUInt16LE(from)] as string) + piece.toString('utf8', from + 4, end);
  }

  #keep(address: string): void {
    const cut = address.lastIndexOf('/') + 1;
    const folder = this.#folderOf(address.slice(0, cut));
    const rest = folder === 0 ? address : address.slice(cut);
    const bytes = 4 + Buffer.byteLength(rest);
    if (PIECE - (this.#end % PIECE) < bytes) this.#end = this.#pieces.length * PIECE;
    if (this.#end === this.#pieces.length * PIECE) this.#pieces.push(Buffer.allocUnsafe(PIECE));
    const piece = this.#pieces.at(-1) as Buffer;
    const from = this.#end % PIECE;
    piece.writeUInt16LE(folder, from);
    piece.writeUInt16LE(bytes - 4, from + 2);
    piece.write(rest, from + 4);
    if (this.#count === this.#starts.length) {
      const starts = new Uint32Array(2 * this.#starts.length);
      starts.set(this.#starts);
      this.#starts = starts;
    }
    this.#starts[this.#count] = this.#end;
    this.#end += bytes;
  }

  #folderOf(folder: string): number {
    const known = this.#folderNumbers.get(folder);
    if (known !== undefined) return known;
    if (folder === '' || this.#folders.length > MOST_FOLDERS) return 0;
    this.#folderNumbers.set(folder, this.#folders.length);
    return this.#folders.push(folder) - 1;
  }
}
