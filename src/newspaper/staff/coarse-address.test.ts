import { describe, expect, it } from 'vitest';
import { coarseAddress } from './coarse-address.ts';

describe('an address in the audit trail', () => {
  it.each([
    ['203.0.113.7', '203.0.113.0'],
    ['::ffff:203.0.113.7', '203.0.113.0'],
    ['2001:db8:5:17:a:b:c:d', '2001:db8:5::'],
    ['2001:0DB8:0005::1', '2001:db8:5::'],
    ['2001:db8::1', '2001:db8:0::'],
    ['fe80::1%eth0', 'fe80:0:0::'],
    ['::1', '0:0:0::'],
    ['::', '0:0:0::'],
    ['', ''],
    ['unknown', ''],
    ['203.0.113.7, 10.0.0.1', ''],
  ])('such as %s is kept as %s', (address, kept) => {
    expect(coarseAddress(address)).toBe(kept);
  });
});
