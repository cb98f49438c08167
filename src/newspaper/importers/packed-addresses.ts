import { hash } from 'node:crypto';

const PIECE = 1024 * 1024;
/** A site keeps its files in a few hundred folders. One that makes up more has addresses that are kept whole. */
const MOST_FOLDERS = 65_535;
/** Before the words of an address: two bytes for its folder, two for how long the rest is, and the numbers beside it. */
const HEAD = 16;
/** An address begins at a multiple of so many bytes. */
const STEP = 4;

/**
 * Addresses with three numbers beside each, a million in 55 MB: the folder that an address begins with is kept once, and
 * the rest as bytes outside of the heap. An address is known by an id, which is not 0.
 */
export class PackedAddresses {
  /** The first is none. */
  readonly #folders = [''];
  readonly #folderNumbers = new Map<string, number>();
  readonly #pieces: Buffer[] = [];
  /** In bytes, as if the pieces were one. The first step is left empty, so that no id is 0. */
  #end = STEP;
  /** Ids, by open addressing with linear probing; 0 is an empty slot. */
  #slots = new Uint32Array(1 << 12);
  #count = 0;

  /** The id of an address, which is kept where it is not known. */
  note(address: string): number {
    const slot = this.#slotOf(address);
    const known = this.#slots[slot] as number;
    if (known !== 0) return known;
    const id = this.#keep(address);
    this.#slots[slot] = id;
    if (++this.#count > 0.75 * this.#slots.length) this.#grow();
    return id;
  }

  find(address: string): number | undefined {
    return this.#slots[this.#slotOf(address)] || undefined;
  }

  at(id: number): string {
    const [piece, from] = this.#place(id);
    const start = from + HEAD;
    const folder = this.#folders[piece.readUInt16LE(from)] as string;
    return folder + piece.toString('utf8', start, start + piece.readUInt16LE(from + 2));
  }

  /** One of the numbers beside an address; 0 until it is set. */
  number(id: number, which: 0 | 1 | 2): number {
    const [piece, from] = this.#place(id);
    return piece.readUInt32LE(from + 4 + 4 * which);
  }

  setNumber(id: number, which: 0 | 1 | 2, value: number): void {
    const [piece, from] = this.#place(id);
    piece.writeUInt32LE(value, from + 4 + 4 * which);
  }

  /** The ids of all that were there when this began, in the order in which they came. */
  *ids(): Generator<number> {
    const end = this.#end;
    for (let at = STEP; at < end; ) {
      const piece = this.#pieces[Math.floor(at / PIECE)] as Buffer;
      const from = at % PIECE;
      const isRest = from + HEAD > PIECE || piece.readUInt16LE(from + 2) === 0;
      if (isRest) at += PIECE - from;
      else {
        yield at / STEP;
        at += lengthOf(piece.readUInt16LE(from + 2));
      }
    }
  }

  #place(id: number): readonly [Buffer, number] {
    const at = id * STEP;
    return [this.#pieces[Math.floor(at / PIECE)] as Buffer, at % PIECE];
  }

  #keep(address: string): number {
    const cut = address.lastIndexOf('/') + 1;
    const folder = cut === address.length ? 0 : this.#folderOf(address.slice(0, cut));
    const rest = folder === 0 ? address : address.slice(cut);
    const bytes = Buffer.byteLength(rest);
    if (bytes === 0 || bytes > 0xffff) throw new RangeError(`an address of ${bytes} bytes`);
    // What does not fit into a piece any more begins the next.
    if ((this.#end % PIECE) + lengthOf(bytes) > PIECE) this.#end = PIECE * Math.ceil(this.#end / PIECE);
    if (this.#end >= this.#pieces.length * PIECE) this.#pieces.push(Buffer.alloc(PIECE));
    const id = this.#end / STEP;
    const [piece, from] = this.#place(id);
    piece.writeUInt16LE(folder, from);
    piece.writeUInt16LE(bytes, from + 2);
    piece.write(rest, from + HEAD);
    this.#end += lengthOf(bytes);
    return id;
  }

  #folderOf(folder: string): number {
    const known = this.#folderNumbers.get(folder);
    if (known !== undefined) return known;
    if (folder === '' || this.#folders.length > MOST_FOLDERS) return 0;
    this.#folderNumbers.set(folder, this.#folders.length);
    return this.#folders.push(folder) - 1;
  }

  /** The slot of an address, or the empty one where it would go. */
  #slotOf(address: string): number {
    let slot = hash('sha1', address, 'buffer').readUInt32LE() % this.#slots.length;
    for (;;) {
      const id = this.#slots[slot] as number;
      if (id === 0 || this.at(id) === address) return slot;
      slot = (slot + 1) % this.#slots.length;
    }
  }

  #grow(): void {
    this.#slots = new Uint32Array(2 * this.#slots.length);
    for (const id of this.ids()) this.#slots[this.#slotOf(this.at(id))] = id;
  }
}

/** What an address takes up whose rest has so many bytes. */
function lengthOf(bytes: number): number {
  return STEP * Math.ceil((HEAD + bytes) / STEP);
}
