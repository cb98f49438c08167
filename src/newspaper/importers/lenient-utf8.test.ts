import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LenientUtf8 } from './lenient-utf8.ts';

function decoded(pieces: readonly Uint8Array[]): { text: string; mended: number } {
  const decoder = new LenientUtf8();
  const text = pieces.map((piece) => decoder.take(Buffer.from(piece))).join('') + decoder.end();
  return { text, mended: decoder.mended };
}

/** Cut after so many bytes, again and again. */
function cut(bytes: Buffer, every: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / every) }, (_, at) =>
    bytes.subarray(at * every, (at + 1) * every),
  );
}

describe('text in UTF-8 with other bytes in it', () => {
  it.each([
    ['letters of Windows-1252', '4a6f73e9206e69f16f', 'José niño', 2],
    ['its quotation marks and dashes', '93736f9420962080', '“so” – €', 4],
    ['both in one text', '636166c3a9206361e9', 'café caé', 1],
    ['a sequence that breaks off', '61e28261', 'aâ‚a', 2],
    ['one that breaks off with the text', '61e282', 'aâ‚', 2],
    ['one that is longer than it needs to be', 'c0af', 'À¯', 2],
    ['half of a surrogate pair', 'eda080', 'í\u00a0€', 3],
    ['what is beyond Unicode', 'f4908080', 'ô\u0090€€', 4],
    ['a mark of the byte order', 'efbbbf61', 'a', 0],
    ['nothing else', 'e0a4b9e0a4bff09f9a82', 'हि🚂', 0],
  ])('%s', (_, hex, text, mended) => {
    const bytes = Buffer.from(hex, 'hex');
    for (const every of [1, 2, 3, 100]) expect(decoded(cut(bytes, every))).toEqual({ text, mended });
  });

  it('is the same however it is cut, and untouched where it is UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 7 }), (words, every) => {
        const text = `.${words}`;
        const bytes = Buffer.from(text);
        expect(decoded(cut(bytes, every))).toEqual({ text: bytes.toString(), mended: 0 });
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 1, max: 7 }), (some, every) => {
        expect(decoded(cut(Buffer.from(some), every))).toEqual(decoded([some]));
      }),
    );
  });
});
