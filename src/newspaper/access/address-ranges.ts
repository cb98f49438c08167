/**
 * Sets of Internet addresses that can be asked on every request. Addresses of both families live in one space of 128
 * bits, IPv4 as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2), so that a server that listens on both says the same of
 * 192.0.2.1 however its socket spells it.
 */
export type AddressRanges = { has(address: string): boolean };

/** All addresses that begin with the same bits: `first` and `last` in the space of both families. */
export type Prefix = {
  readonly family: 4 | 6;
  /** Of the family's own addresses: 0 to 32, or 0 to 128. */
  readonly length: number;
  readonly first: bigint;
  readonly last: bigint;
};

/** The parsed address lies here as four words of 32 bits, largest first: asking allocates nothing. */
const words = new Uint32Array(4);
const groups = new Uint16Array(8);

const DOT = 0x2e;
const COLON = 0x3a;

/**
 * Reads a prefix in CIDR notation (RFC 4632, RFC 4291 section 2.3); bits behind its length do not count.
 *
 * @returns undefined for anything else
 */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/');
  const digits = text.slice(slash + 1);
  if (slash < 0 || !/^(0|[1-9][0-9]{0,2})$/.test(digits) || !parseAddress(text.slice(0, slash)))
    return undefined;
  const family = text.includes(':') ? 6 : 4;
  const length = Number(digits);
  const most = family === 4 ? 32 : 128;
  if (length > most) return undefined;
  const behind = (1n << BigInt(most - length)) - 1n;
  const address = words.reduce((sum, word) => (sum << 32n) | BigInt(word), 0n);
  return { family, length, first: address & ~behind, last: address | behind };
}

/** Makes a set of all addresses that lie in any of the prefixes. */
export function addressRanges(prefixes: readonly Prefix[]): AddressRanges {
  const merged: { first: bigint; last: bigint }[] = [];
  for (const { first, last } of prefixes.toSorted((a, b) => (a.first < b.first ? -1 : 1))) {
    const before = merged.at(-1);
    if (before === undefined || first > before.last + 1n) merged.push({ first, last });
    else if (last > before.last) before.last = last;
  }
  const firsts = table(merged.map((one) => one.first));
  const lasts = table(merged.map((one) => one.last));

  return {
    has(address) {
      if (!parseAddress(address)) return false;
      // The last range that begins at or before the address is the only one that can hold it.
      let low = 0;
      let high = merged.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (compare(firsts, middle) <= 0) low = middle + 1;
        else high = middle;
      }
      return low > 0 && compare(lasts, low - 1) >= 0;
    },
  };
}

function table(values: readonly bigint[]): Uint32Array {
  const cells = new Uint32Array(4 * values.length);
  values.forEach((value, row) => {
    for (let word = 0; word < 4; word++) {
      cells[4 * row + word] = Number((value >> BigInt(32 * (3 - word))) & 0xffff_ffffn);
    }
  });
  return cells;
}

/** Whether a row of a table is smaller (negative), equal (0) or larger than the address parsed last. */
function compare(cells: Uint32Array, row: number): number {
  for (let word = 0; word < 4; word++) {
    const difference = (cells[4 * row + word] as number) - (words[word] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * Reads an address into `words`. IPv4 is four decimal numbers without leading zeros; IPv6 is RFC 4291 section 2.2,
 * without a zone: an address that needs one is not from the Internet.
 */
function parseAddress(text: string): boolean {
  if (text.length > 45) return false;
  if (text.indexOf(':') < 0) {
    const four = parseIpv4(text, 0);
    if (four < 0) return false;
    words[0] = 0;
    words[1] = 0;
    words[2] = 0xffff;
    words[3] = four;
    return true;
  }
  return parseIpv6(text);
}

/** @returns the 32 bits as a number, or -1 */
function parseIpv4(text: string, from: number): number {
  let value = 0;
  let at = from;
  for (let part = 0; part < 4; part++) {
    if (part > 0 && text.charCodeAt(at++) !== DOT) return -1;
    const start = at;
    let number = 0;
    for (; at < text.length && at - start < 3; at++) {
      const digit = text.charCodeAt(at) - 0x30;
      if (digit < 0 || digit > 9) break;
      number = 10 * number + digit;
    }
    if (at === start || number > 255 || (at - start > 1 && text.charCodeAt(start) === 0x30)) return -1;
    value = 256 * value + number;
  }
  return at === text.length ? value : -1;
}

function parseIpv6(text: string): boolean {
  let at = 0;
  let count = 0;
  /** How many groups stand before `::`. */
  let gap = -1;
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return false;
    gap = 0;
    at = 2;
  }
  while (at < text.length) {
    if (count === 8) return false;
    const start = at;
    let value = 0;
    for (; at < text.length && at - start < 4; at++) {
      const digit = hexDigit(text.charCodeAt(at));
      if (digit < 0) break;
      value = 16 * value + digit;
    }
    if (at === start) return false;
    if (text.charCodeAt(at) === DOT) {
      const four = parseIpv4(text, start);
      if (four < 0 || count > 6) return false;
      groups[count++] = four >>> 16;
      groups[count++] = four & 0xffff;
      break;
    }
    groups[count++] = value;
    if (at === text.length) break;
    if (text.charCodeAt(at++) !== COLON || at === text.length) return false;
    if (text.charCodeAt(at) === COLON) {
      if (gap >= 0) return false;
      gap = count;
      at++;
    }
  }
  if (gap < 0 ? count !== 8 : count === 8) return false;
  for (let word = 0; word < 4; word++) {
    words[word] = 65_536 * group(2 * word, gap, count) + group(2 * word + 1, gap, count);
  }
  return true;
}

/** The group at a place of the whole address, where `::` stands for as many zeros as are missing. */
function group(place: number, gap: number, count: number): number {
  if (gap < 0 || place < gap) return groups[place] as number;
  const behind = place - (8 - count);
  return behind < gap ? 0 : (groups[behind] as number);
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
