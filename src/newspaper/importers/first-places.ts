import { hash } from 'node:crypto';

/**
 * Where each thing of a long list stood first, by name: sixteen bytes for each, and not the name, so that a million
 * of them fit beside everything else. Names are told apart by 53 bits of their hash; among a million, two are taken
 * for one with a chance of 1 in 18,000.
 */
export class FirstPlaces {
  /** Open addressing with linear probing; 0 is an empty slot. */
  #keys = new Float64Array(1 << 12);
  #places = new Float64Array(1 << 12);
  #count = 0;

  /**
   * @param place a whole number that means something to the caller
   * @returns the place of an earlier thing of the same name; undefined when this is the first
   */
  note(name: string, place: number): number | undefined {
    const digest = hash('sha1', name, 'buffer');
    const key = digest.readUIntBE(0, 6) * 32 + (digest.readUInt8(6) & 31) || 1;
    const slot = this.#slot(key);
    if (this.#keys[slot] === key) return this.#places[slot];
    this.#keys[slot] = key;
    this.#places[slot] = place;
    // At half, the 526,000 stories of two gigabytes would just have doubled it, to 48 MB while it is copied.
    if (++this.#count > 0.75 * this.#keys.length) this.#grow();
    return undefined;
  }

  /** The slot of a key, or the empty one where it would go. */
  #slot(key: number): number {
    const keys = this.#keys;
    let slot = key % keys.length;
    while (keys[slot] !== 0 && keys[slot] !== key) slot = (slot + 1) % keys.length;
    return slot;
  }

  #grow(): void {
    const [keys, places] = [this.#keys, this.#places];
    this.#keys = new Float64Array(2 * keys.length);
    this.#places = new Float64Array(2 * keys.length);
    for (const [at, key] of keys.entries()) {
      if (key === 0) continue;
      const slot = this.#slot(key);
      this.#keys[slot] = key;
      this.#places[slot] = places[at] as number;
    }
  }
}
