import { describe, expect, it } from 'vitest';
import { derivedKeys, sign, signingKeys, verify } from './signing.ts';

const [OLD, NEW] = ['an old secret of the tests', 'a new secret of the tests'];

describe('what is signed', () => {
  it('is taken back for its purpose alone, and not when any of it was changed', () => {
    const keys = signingKeys(OLD);
    const signed = sign(keys, 'visitor', 'ana');
    expect(verify(keys, 'visitor', signed)).toBe('ana');
    expect(verify(keys, 'session', signed)).toBeUndefined();
    expect(verify(signingKeys(NEW), 'visitor', signed)).toBeUndefined();
    for (let at = 0; at < signed.length; at++) {
      const other = signed[at] === 'b' ? 'c' : 'b';
      const changed = signed.slice(0, at) + other + signed.slice(at + 1);
      expect([changed, verify(keys, 'visitor', changed)]).toEqual([changed, undefined]);
    }
  });

  it('needs a secret', () => {
    expect(() => signingKeys(' , ')).toThrow('at least one secret');
  });
});

/** docs/operations.md: while processes are restarted one after the other, some have the list of before. */
describe('replacing the secret', () => {
  const reads = (reader: string, signer: string) =>
    verify(signingKeys(reader), 'visitor', sign(signingKeys(signer), 'visitor', 'ana')) === 'ana';

  it.each([
    [OLD, `${OLD},${NEW}`],
    [`${OLD},${NEW}`, `${NEW},${OLD}`],
    [`${NEW},${OLD}`, NEW],
  ])('is noticed by nobody while some processes have "%s" and some "%s"', (before, after) => {
    expect([reads(before, after), reads(after, before)]).toEqual([true, true]);
    const both = [
      derivedKeys(signingKeys(before), 'a key'),
      derivedKeys(signingKeys(after), 'a key'),
    ] as const;
    expect([both[0].includes(both[1][0]), both[1].includes(both[0][0])]).toEqual([true, true]);
  });

  it('takes the two rounds: a process that does not know the new secret yet refuses what it signed', () => {
    expect(reads(OLD, `${NEW},${OLD}`)).toBe(false);
  });

  it('ends what the old one signed when it is taken away', () => {
    expect([reads(`${NEW},${OLD}`, OLD), reads(NEW, OLD)]).toEqual([true, false]);
  });
});
