import { describe, expect, it } from 'vitest';
import { keyedDigests, seal, sealingKeys, unseal } from './sealing.ts';

const OLD = 'an old secret of the tests';
const NEW = 'a new secret of the tests';
const BYTES = Buffer.from('what nobody else may read');

describe('what is sealed', () => {
  it('opens for its owner and purpose alone, and not when a bit of it was changed', () => {
    const keys = sealingKeys(OLD, 'codes');
    const sealed = seal(keys, BYTES, 'ana');
    expect(unseal(keys, sealed, 'ana')).toEqual(BYTES);
    expect(sealed.includes(BYTES)).toBe(false);
    expect(unseal(keys, sealed, 'ben')).toBeUndefined();
    expect(unseal(sealingKeys(OLD, 'letters'), sealed, 'ana')).toBeUndefined();
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] as number) ^ 1;
      expect([at, unseal(keys, changed, 'ana')]).toEqual([at, undefined]);
    }
    for (const length of [0, 1, 27, sealed.length - 1])
      expect(unseal(keys, sealed.subarray(0, length), 'ana')).toBeUndefined();
  });

  it('differs each time, so that nobody sees that two people have the same', () => {
    const keys = sealingKeys(OLD, 'codes');
    expect(seal(keys, BYTES, 'ana')).not.toEqual(seal(keys, BYTES, 'ana'));
  });

  it('opens wherever its secret is listed, first or not: while a secret is replaced, some processes have either list', () => {
    const lists = [`${OLD},${NEW}`, `${NEW},${OLD}`];
    for (const sealer of lists)
      for (const opener of lists)
        expect(
          unseal(sealingKeys(opener, 'codes'), seal(sealingKeys(sealer, 'codes'), BYTES, 'ana'), 'ana'),
        ).toEqual(BYTES);
  });

  it('opens after the secret was replaced, as long as the old one is still listed', () => {
    const sealed = seal(sealingKeys(OLD, 'codes'), BYTES, 'ana');
    expect(unseal(sealingKeys(`${NEW}, ${OLD}`, 'codes'), sealed, 'ana')).toEqual(BYTES);
    expect(unseal(sealingKeys(NEW, 'codes'), sealed, 'ana')).toBeUndefined();
  });
});

describe('a keyed digest', () => {
  it('is found again under each secret that is listed', () => {
    const [before] = keyedDigests(sealingKeys(OLD, 'codes'), 'text', 'ana');
    const now = keyedDigests(sealingKeys(`${NEW},${OLD}`, 'codes'), 'text', 'ana');
    expect(now).toHaveLength(2);
    expect(now[1]).toEqual(before);
    expect(keyedDigests(sealingKeys(OLD, 'codes'), 'text', 'ben')[0]).not.toEqual(before);
  });

  it('needs a secret', () => {
    expect(() => sealingKeys(' , ', 'codes')).toThrow('at least one secret');
  });
});
