import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** How an answer is packed on its way (RFC 9110, 8.4). */
export type Coding = 'br' | 'gzip';

/** Bytes of one answer in every coding that was asked for so far: packed once, sent many times. */
export type Encoded = {
  readonly plain: Buffer;
  gzip?: Buffer;
  br?: Buffer;
  /** As it was sent before, by the coding that was asked for: one body belongs to one answer. */
  ready?: Readonly<Partial<Record<Coding | 'plain', Ready>>>;
};

/** The bytes of an answer and its headers, of which the last is the request's id and still to be filled in. */
export type Ready = { readonly headers: readonly string[]; readonly bytes: Buffer | undefined };

/** Text as bytes that can be sent many times. */
export function encoded(text: string | Buffer): Encoded {
  if (typeof text !== 'string') return { plain: text };
  const plain = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  plain.write(text);
  return { plain };
}

/** The bytes in a coding, made when they are first asked for. */
export function bytesIn(body: Encoded, coding: Coding): Buffer {
  if (coding === 'br') {
    body.br ??= ownCopy(brotli(body.plain));
    return body.br;
  }
  body.gzip ??= ownCopy(gzipSync(body.plain));
  return body.gzip;
}

/** The headers that browsers send are few, so what they come to is remembered. */
const remembered = new Map<string, Coding | 'plain'>();
const MOST_REMEMBERED = 1_000;

/** Which coding an Accept-Encoding header asks for. */
export function codingFor(accept: string | undefined): Coding | 'plain' {
  if (accept === undefined) return 'plain';
  const known = remembered.get(accept);
  if (known !== undefined) return known;
  const coding = readCoding(accept);
  if (remembered.size < MOST_REMEMBERED) remembered.set(accept, coding);
  return coding;
}

function readCoding(accept: string): Coding | 'plain' {
  const accepted = new Set(
    accept
      .toLowerCase()
      .split(',')
      .map((one) => one.trim())
      .filter((one) => !/;\s*q=0(\.0*)?$/.test(one))
      .map((one) => one.split(';')[0]),
  );
  if (accepted.has('br')) return 'br';
  return accepted.has('gzip') ? 'gzip' : 'plain';
}

/**
 * Brotli at 5 packs a page as small as gzip at 9; a page is packed once and sent many times. A window no larger than
 * the page, instead of four megabytes, takes a third off the time and nothing off the effect.
 */
function brotli(plain: Buffer): Buffer {
  const { BROTLI_PARAM_LGWIN, BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = constants;
  return brotliCompressSync(plain, {
    params: {
      [BROTLI_PARAM_QUALITY]: 5,
      [BROTLI_PARAM_LGWIN]: Math.min(22, Math.max(10, 32 - Math.clz32(plain.length))),
      [BROTLI_PARAM_SIZE_HINT]: plain.length,
    },
  });
}

/**
 * A copy in memory of its own. Node cuts small buffers from a common block of 64 kilobytes, and zlib from one of
 * sixteen: a page that is kept would keep its block, and pages in memory took three times their size.
 */
function ownCopy(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
