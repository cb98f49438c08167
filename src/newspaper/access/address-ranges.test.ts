import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressRanges, type Prefix, parsePrefix } from './address-ranges.ts';

const ranges = (...texts: string[]) =>
  addressRanges(
    texts.map((text) => {
      const prefix = parsePrefix(text);
      if (prefix === undefined) throw new Error(`${text} is not a prefix`);
      return prefix;
    }),
  );

describe('an address in ranges', () => {
  const some = ranges('192.0.2.0/25', '198.51.100.7/32', '2001:db8:10::/48', '2001:db8:ffff::1/128');

  it.each<[string, boolean]>([
    ['192.0.2.0', true],
    ['192.0.2.127', true],
    ['192.0.2.128', false],
    ['192.0.1.255', false],
    ['198.51.100.7', true],
    ['198.51.100.6', false],
    ['198.51.100.8', false],
    // What a socket that listens on both families calls an IPv4 visitor.
    ['::ffff:192.0.2.1', true],
    ['::FFFF:192.0.2.1', true],
    ['0:0:0:0:0:ffff:192.0.2.1', true],
    ['::ffff:c000:201', true],
    ['::ffff:192.0.2.200', false],
    // Not mapped: another address altogether, whatever it looks like.
    ['::192.0.2.1', false],
    ['::fffe:192.0.2.1', false],
    ['64:ff9b::192.0.2.1', false],
    ['2001:db8:10::', true],
    ['2001:db8:10:ffff:ffff:ffff:ffff:ffff', true],
    ['2001:DB8:10::abcd', true],
    ['2001:0db8:0010:0000:0000:0000:0000:0001', true],
    ['2001:db8:11::', false],
    ['2001:db8:f:ffff:ffff:ffff:ffff:ffff', false],
    ['2001:db8:ffff::1', true],
    ['2001:db8:ffff::2', false],
    ['::', false],
    ['255.255.255.255', false],
    ['0.0.0.0', false],
  ])('%s: %s', (address, held) => {
    expect(some.has(address)).toBe(held);
  });

  it.each([
    '',
    ' ',
    'unknown',
    'localhost',
    '192.0.2',
    '192.0.2.',
    '.192.0.2.1',
    '192.0.2.1.1',
    '192.0.2.1 ',
    ' 192.0.2.1',
    '192.0.2.1\n',
    '192.0.2.1,198.51.100.7',
    '192.0.2.1:443',
    '192.0.2.1/32',
    '192.0.2.256',
    '192.0.2.0001',
    // Octal to some programs and decimal to others: nobody's.
    '192.0.02.1',
    '0300.0.2.1',
    '0xc0.0.2.1',
    '3221225985',
    '192.513',
    '192.0.2.-1',
    '192.0.2.१',
    ':',
    ':::',
    '[2001:db8:10::1]',
    '2001:db8:10::1%eth0',
    '2001:db8:10::1/128',
    '2001:db8:10',
    '2001:db8:10:',
    ':2001:db8:10::1',
    '2001:db8:10::1:',
    '2001:db8:10::1::2',
    '2001:db8:10:0:0:0:0:0:1',
    '2001:db8:10:0:0:0:0::1',
    '1:2:3:4:5:6:7::8',
    '2001:db8:00010::1',
    '2001:db8:1g::1',
    '::ffff:192.0.2.256',
    '::ffff:192.0.2',
    '::ffff:192.0.2.1:1',
    '192.0.2.1::',
    '1:2:3:4:5:6:7:192.0.2.1',
    `::${'f'.repeat(10_000)}`,
    '1'.repeat(10_000),
  ])('%j is nobody’s', (address) => {
    const everywhere = ranges('0.0.0.0/0', '::/0');
    const isAddress = isIP(address) !== 0 && !address.includes('%');
    expect(everywhere.has(address)).toBe(isAddress);
    expect(isAddress).toBe(false);
    expect(some.has(address)).toBe(false);
  });

  it('an empty set holds nobody', () => {
    expect(addressRanges([]).has('192.0.2.1')).toBe(false);
  });
});

describe('a prefix', () => {
  it.each<[string, Omit<Prefix, 'first' | 'last'>, bigint, bigint]>([
    ['192.0.2.0/24', { family: 4, length: 24 }, 0xffff_c000_0200n, 0xffff_c000_02ffn],
    ['192.0.2.77/24', { family: 4, length: 24 }, 0xffff_c000_0200n, 0xffff_c000_02ffn],
    ['0.0.0.0/0', { family: 4, length: 0 }, 0xffff_0000_0000n, 0xffff_ffff_ffffn],
    ['255.255.255.255/32', { family: 4, length: 32 }, 0xffff_ffff_ffffn, 0xffff_ffff_ffffn],
    ['::/0', { family: 6, length: 0 }, 0n, (1n << 128n) - 1n],
    ['::1/128', { family: 6, length: 128 }, 1n, 1n],
    ['2001:db8::/32', { family: 6, length: 32 }, 0x2001_0db8n << 96n, (0x2001_0db9n << 96n) - 1n],
  ])('%s', (text, prefix, first, last) => {
    expect(parsePrefix(text)).toEqual({ ...prefix, first, last });
  });

  it.each([
    '',
    '/',
    '/24',
    '192.0.2.0',
    '192.0.2.0/',
    '192.0.2.0/33',
    '192.0.2.0/-1',
    '192.0.2.0/024',
    '192.0.2.0/2 4',
  ])('%j is none', (text) => {
    expect(parsePrefix(text)).toBeUndefined();
  });

  it.each([
    '192.0.2.0/24/24',
    '192.0.2/24',
    '2001:db8::/129',
    '2001:db8::',
    '::g/64',
    '192.0.2.0/1e1',
    'any/8',
  ])('%j is none', (text) => {
    expect(parsePrefix(text)).toBeUndefined();
  });
});

const byte = fc.nat(255);
const v4 = fc.tuple(byte, byte, byte, byte).map((bytes) => bytes.join('.'));
// Few different groups, so that addresses fall near each other's ranges.
const hextet = fc.constantFrom(0, 1, 0x10, 0x2001, 0xdb8, 0xffff, 0xfffe);
const v6 = fc
  .array(hextet, { minLength: 8, maxLength: 8 })
  .map((all) => all.map((one) => one.toString(16)).join(':'));
const near4 = fc
  .tuple(fc.constantFrom(10, 11), fc.constantFrom(0, 128), byte, byte)
  .map((bytes) => bytes.join('.'));

describe('next to node:net', () => {
  it('says of any address what its BlockList says', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(near4, fc.integer({ min: 8, max: 32 })), { maxLength: 12 }),
        fc.array(fc.tuple(v6, fc.integer({ min: 1, max: 128 })), { maxLength: 12 }),
        fc.array(fc.oneof(near4, v4), { maxLength: 12 }),
        fc.array(v6, { maxLength: 12 }),
        (subnets4, subnets6, addresses4, addresses6) => {
          const theirs = new BlockList();
          for (const [net, length] of subnets4) theirs.addSubnet(net, length, 'ipv4');
          for (const [net, length] of subnets6) theirs.addSubnet(net, length, 'ipv6');
          const ours = ranges(...[...subnets4, ...subnets6].map(([net, length]) => `${net}/${length}`));
          // Also both ends of every range, where a mistake by one would be.
          const ends4 = subnets4.map(([net]) => net);
          const ends6 = subnets6.map(([net]) => net);
          for (const address of [...addresses4, ...ends4]) {
            const mapped = subnets6.some(([net, length]) => holdsMapped(net, length, address));
            expect([address, ours.has(address)]).toEqual([address, mapped || theirs.check(address, 'ipv4')]);
          }
          for (const address of [...addresses6, ...ends6]) {
            expect([address, ours.has(address)]).toEqual([address, theirs.check(address, 'ipv6')]);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });

  /** An IPv6 range over ::ffff:0:0/96 holds IPv4 addresses, which BlockList does not say when asked for IPv4. */
  function holdsMapped(net: string, length: number, address: string): boolean {
    const list = new BlockList();
    list.addSubnet(net, length, 'ipv6');
    return list.check(`::ffff:${address}`, 'ipv6');
  }

  it('takes for an address what isIP takes for one, and nothing else', () => {
    const everywhere = ranges('0.0.0.0/0', '::/0');
    const piece = fc.oneof(
      fc.constantFrom(
        ':',
        '::',
        '.',
        'ffff',
        '0',
        '00',
        '1',
        '255',
        '256',
        '1.2.3.4',
        'abcd',
        '12345',
        'g',
        '/',
        ' ',
        '%',
      ),
      hextet.map((one) => one.toString(16)),
    );
    const text = fc.oneof(
      fc.array(piece, { maxLength: 17 }).map((pieces) => pieces.join('')),
      fc.array(piece, { maxLength: 9 }).map((pieces) => pieces.join(':')),
      fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join('.')),
      fc.ipV6(),
      fc.ipV4(),
    );
    fc.assert(
      fc.property(text, (address) => {
        expect([address, everywhere.has(address)]).toEqual([
          address,
          isIP(address) !== 0 && !address.includes('%'),
        ]);
      }),
      { numRuns: 10_000 },
    );
  });
});
