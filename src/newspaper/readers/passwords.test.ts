import { describe, expect, it } from 'vitest';
import { hashPassword, isPassword } from './passwords.ts';

describe('a password', () => {
  it('is kept as a hash with a salt of its own, and known again', async () => {
    const [one, two] = await Promise.all([hashPassword('correct horse'), hashPassword('correct horse')]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(one).not.toBe(two);
    expect(await isPassword('correct horse', one)).toBe(true);
    expect(await isPassword('correct horse ', one)).toBe(false);
    expect(await isPassword('', one)).toBe(false);
  });

  it('is the same however a keyboard puts its accents together', async () => {
    expect(await isPassword('cafe\u0301 au lait', await hashPassword('caf\u00e9 au lait'))).toBe(true);
  });

  it('is none that a hash of another kind or a broken one could stand for', async () => {
    for (const hash of ['', 'plain', '$2b$10$abcdefghijklmnopqrstuv', '$argon2id$v=19$m=1,t=1,p=1$$']) {
      expect(await isPassword('plain', hash)).toBe(false);
    }
  });

  it('that comes while two hundred wait is told to come again, and the others are answered', async () => {
    const all = await Promise.allSettled(Array.from({ length: 203 }, () => isPassword('x', CHEAP)));
    expect(all.filter(({ status }) => status === 'rejected')).toHaveLength(2);
    expect(await isPassword('x', CHEAP)).toBe(false);
  });
});

/** A hash that costs almost nothing to check. */
const CHEAP = '$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
