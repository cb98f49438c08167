import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from './json.ts';

describe('JSON from elsewhere', () => {
  it.each([
    ['lists', '[1,'.repeat(8_192)],
    ['objects', '{"a":1,"b":'.repeat(20_000)],
    ['both', '{"a":['.repeat(600)],
    ['lists behind a string with brackets and escapes', `["\\"]]]]\\\\",${'['.repeat(1_000)}`],
  ])('that is nested beyond reason is not even tried: %s', (_, text) => {
    // Tried, the first two end the process, some moments later.
    expect(() => parseJson(text)).toThrow(/nested more than 1000 deep/);
  });

  it('is read as it always was, however many brackets its strings have', () => {
    const deep = `${'['.repeat(1_000)}${']'.repeat(1_000)}`;
    expect(parseJson(deep)).toEqual(JSON.parse(deep));
    const words = JSON.stringify({ a: '[{"\\'.repeat(5_000), b: Array(3_000).fill({}) });
    expect(parseJson(words)).toEqual(JSON.parse(words));
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
    expect(() => parseJson('{"a":')).toThrow(SyntaxError);
  });
});
