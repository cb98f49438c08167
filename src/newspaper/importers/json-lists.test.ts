import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonLists } from './json-lists.ts';

/** Cuts a document that comes in pieces. */
function cut(pieces: readonly Buffer[], wanted = ['posts', 'tags']) {
  const lists = new JsonLists(wanted);
  const found = pieces.flatMap((piece) =>
    lists
      .take(Buffer.from(piece))
      .map((one) =>
        one.kind === 'element' ? { ...one, bytes: one.bytes.toString() } : { ...one, bytes: '' },
      ),
  );
  return { found: found.map(({ bytes, list, number }) => `${list} ${number} ${bytes}`), end: lists.end() };
}

function inPieces(text: string, size: number): Buffer[] {
  const bytes = Buffer.from(text);
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size),
  );
}

describe('lists of a JSON document', () => {
  it.each([
    ['{"posts":[{"a":1},{"b":[{"c":2}]}],"tags":[]}', ['posts 1 {"a":1}', 'posts 2 {"b":[{"c":2}]}']],
    [
      '{"db":[{"meta":{},"data":{"tags":[{}],"posts":[{"tags":[{"x":1}]}]}}]}',
      ['tags 1 {}', 'posts 1 {"tags":[{"x":1}]}'],
    ],
    ['{ "posts" : [ { "a" : "}]\\"{" } , 3, "x", [ {} ] ] }', ['posts 1 { "a" : "}]\\"{" }']],
    ['{"a":"posts","b":[{}],"c":["posts",{}],"posts":{"d":[{}]}}', []],
    ['{"a\\\\":[{}],"posts":[{"b":"\\\\\\\\"}]}', ['posts 1 {"b":"\\\\\\\\"}']],
    ['[{"posts":[{}]}]', ['posts 1 {}']],
    ['', []],
  ])('are cut out, wherever the pieces end that it comes in: %s', (text, expected) => {
    for (const size of [1, 2, 3, 7, 1_000])
      expect(cut(inPieces(text, size))).toEqual({ found: expected, end: undefined });
  });

  it.each([
    ['{"posts":[{"a":1},{"b"', ['posts 1 {"a":1}'], 'the file ends in the middle of "posts"'],
    ['{"posts":[{"a":1}', ['posts 1 {"a":1}'], 'the file ends in the middle of "posts"'],
    ['{"posts":[{"a":1}}', ['posts 1 {"a":1}'], 'its brackets do not match: it is not JSON'],
    ['{"a":"', [], 'the file ends in the middle of its text'],
    [']', [], 'its brackets do not match: it is not JSON'],
  ])('that break off are given as far as they go: %s', (text, expected, end) => {
    for (const size of [1, 5, 1_000]) expect(cut(inPieces(text, size))).toEqual({ found: expected, end });
  });

  it('are told of, and not kept, where an object is longer than any story', () => {
    const long = `{"posts":[{"a":"${'x'.repeat(17 * 1024 * 1024)}"},{"b":1}]}`;
    expect(cut(inPieces(long, 1024 * 1024)).found).toEqual(['posts 1 ', 'posts 2 {"b":1}']);
  });

  it('are what JSON.parse finds there, whatever else the document holds', () => {
    const objects = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 4 });
    fc.assert(
      fc.property(objects, fc.jsonValue(), fc.integer({ min: 1, max: 40 }), (posts, other, size) => {
        const text = JSON.stringify({ before: { other }, posts: posts.map((one) => ({ ...one })), after: 1 });
        const { end, found } = cut(inPieces(text, size), ['posts']);
        expect(end).toBeUndefined();
        const inside = found
          .filter((one) => one.startsWith('posts'))
          .map((one) => JSON.parse(one.replace(/^posts \d+ /, '')));
        expect(inside.slice(-posts.length || inside.length)).toEqual(JSON.parse(text).posts);
      }),
      { numRuns: 300 },
    );
  });
});
