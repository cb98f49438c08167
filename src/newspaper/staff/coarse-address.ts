import { isIP } from 'node:net';

/**
 * The network that an address lies in: /24 of IPv4, /48 of IPv6. Enough to see that somebody signed in from elsewhere,
 * too little to say from which machine. Empty for what is no address.
 */
export function coarseAddress(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (isIP(plain) === 4) return plain.replace(/\d+$/, '0');
  return isIP(plain) === 6 ? `${firstGroups(plain.toLowerCase()).join(':')}::` : '';
}

/** The first three groups of an IPv6 address (RFC 4291, 2.2), without leading zeros. */
function firstGroups(address: string): string[] {
  const [head = [], tail = []] = address.split('::').map((part) => (part === '' ? [] : part.split(':')));
  // `::` stands for as many zeros as are missing to eight.
  const zeros = Array<string>(8 - head.length - tail.length).fill('0');
  return [...head, ...zeros, ...tail].slice(0, 3).map((group) => group.replace(/^0+(?=.)/, ''));
}
