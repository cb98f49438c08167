import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BareAmpersands } from './bare-ampersands.ts';

function mended(pieces: readonly string[]): string {
  const ampersands = new BareAmpersands();
  return pieces.map((piece) => ampersands.take(piece)).join('') + ampersands.end();
}

describe('ampersands that stand bare in XML', () => {
  it.each([
    ['?a=1&b=2', '?a=1&amp;b=2'],
    ['fish & chips', 'fish &amp; chips'],
    ['&', '&amp;'],
    ['&amp;&lt;&#8217;&#x2019;&nbsp;', '&amp;&lt;&#8217;&#x2019;&nbsp;'],
    ['&;&#;&#x;', '&amp;;&amp;#;&amp;#x;'],
    ['<![CDATA[a & b]]>&<![CDATA[&]]>', '<![CDATA[a & b]]>&amp;<![CDATA[&]]>'],
    [`a${'&'.repeat(60)};`, `a${'&amp;'.repeat(60)};`],
  ])('are escaped, and nothing else is: %j', (given, wanted) => {
    expect(mended([given])).toBe(wanted);
  });

  it('are so wherever the text is cut into pieces', () => {
    const part = fc.constantFrom(
      '&',
      'amp;',
      '&amp;',
      '<![CDATA[',
      ']]>',
      ']',
      '<',
      ' text ',
      '&#82',
      '17;',
      'x'.repeat(60),
    );
    fc.assert(
      fc.property(fc.array(part), fc.array(fc.nat(400)), (parts, cuts) => {
        const text = parts.join('');
        const at = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
        const pieces = at.slice(1).map((to, index) => text.slice(at[index], to));
        expect(mended(pieces)).toBe(mended([text]));
      }),
    );
  });
});
