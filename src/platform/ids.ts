import { randomFillSync } from 'node:crypto';
import { machineMs } from './clock.ts';

const pool = Buffer.alloc(4096);
let used = pool.length;

/** Random bytes from a block that is filled by one call for many, since a call for sixteen bytes costs about as much. */
function random(length: number): Buffer {
  if (used + length > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const bytes = Buffer.from(pool.subarray(used, used + length));
  pool.fill(0, used, used + length);
  used += length;
  return bytes;
}

/** The sixteen bytes as PostgreSQL writes a uuid. */
export function formatUuid(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The millisecond of the newest UUIDv7, and which one of it that is. */
let newestMs = 0;
let ofThatMs = 0;

/**
 * A UUIDv7 (RFC 9562): made in the program, and rows made together lie together in an index. Those of one process come in
 * the order in which they were made, also within a millisecond: twelve bits count there (section 6.2, method 1).
 */
export function uuidv7(): string {
  const bytes = random(16);
  const nowMs = machineMs();
  if (nowMs > newestMs) {
    newestMs = nowMs;
    // From anywhere in the lower half, so that nothing tells how many there were.
    ofThatMs = bytes.readUInt16BE(6) & 0x7ff;
  } else if (++ofThatMs > 0xfff) {
    newestMs++;
    ofThatMs = 0;
  }
  bytes.writeUIntBE(newestMs, 0, 6);
  bytes.writeUInt16BE(0x7000 | ofThatMs, 6);
  bytes[8] = 0x80 | ((bytes[8] as number) & 0x3f);
  return formatUuid(bytes);
}

/** 128 random bits as a UUID-shaped string, for names that must tell nothing, not even when they were made. */
export function randomId(): string {
  return formatUuid(random(16));
}

/** Digits and lower-case letters without i, l, o and u, so that a code read aloud is not misheard (Crockford). */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** Fifty random bits in ten characters: among a million stories two share one with a chance of 1 in 2,000. */
export function shortId(): string {
  let id = '';
  for (const byte of random(10)) id += ALPHABET[byte & 31];
  return id;
}

const SHORT_ID = /^[0-9a-hjkmnp-tv-z]{10}$/;

/** Whether a text could be a short id at all; asked before a database is. */
export function isShortId(text: string): boolean {
  return SHORT_ID.test(text);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether a text is an id as it is kept: asked before the database is, which answers other text with an error. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
