import { describe, expect, it } from 'vitest';
import { emailAddress } from './email-address.ts';

describe('an e-mail address', () => {
  it.each([
    ['reader@paper.example', 'reader@paper.example'],
    ['  Reader.Name+news@Paper.EXAMPLE ', 'reader.name+news@paper.example'],
    ["o'neil@paper.example", "o'neil@paper.example"],
    ['a@büro.example', 'a@xn--bro-hoa.example'],
    ['a@समाचार.example', 'a@xn--61b3bh3a5ab.example'],
  ])('%s is kept as %s', (given, kept) => {
    expect(emailAddress(given)).toBe(kept);
  });

  it.each([
    '',
    'reader',
    '@paper.example',
    'reader@',
    'reader@localhost',
    'a b@paper.example',
    'a@b@paper.example',
    'a..b@paper.example',
    '.a@paper.example',
    'a@paper..example',
    'a@-paper.example',
    'a@paper.example/path',
    'a@[127.0.0.1]',
    'a@127.0.0.1',
    // What keeps the accounts takes no such domain: refused at the door, not found out behind it.
    'a@समाचार.भारत',
    'a@paper.x1',
    'a@paper.example\r\nBcc: x@y.example',
    'jürgen@paper.example',
    `${'a'.repeat(65)}@paper.example`,
    `a@${'b'.repeat(250)}.example`,
  ])('%j is none', (given) => {
    expect(emailAddress(given)).toBeUndefined();
  });
});
