import fc from 'fast-check';
import { type DefaultTreeAdapterTypes, defaultTreeAdapter, html, parseFragment } from 'parse5';
import { describe, expect, it } from 'vitest';
import { parseBounded } from './bounded-tree.ts';
import { withSigns } from './text-runs.ts';

/** What matters of a tree: names, attributes and text. */
function shape(node: DefaultTreeAdapterTypes.Node): unknown {
  if ('value' in node) return node.value;
  return [
    node.nodeName,
    'attrs' in node ? node.attrs.map((one) => [one.name, one.value]) : [],
    'childNodes' in node ? node.childNodes.map(shape) : [],
    'content' in node ? shape(node.content) : [],
  ];
}

const body = defaultTreeAdapter.createElement('body', html.NS.HTML, []);
const withoutComments: typeof defaultTreeAdapter = {
  ...defaultTreeAdapter,
  appendChild(parent, node) {
    if (node.nodeName !== '#comment') defaultTreeAdapter.appendChild(parent, node);
  },
};
const parsedWhole = (text: string) => shape(parseFragment(body, text, { treeAdapter: withoutComments }));
const parsed = (text: string) => {
  const tree = parseBounded(text);
  return tree === undefined ? undefined : shape(tree);
};

const tags = (
  'p /p div b /b i /i a /a li ul table /table tr td th caption colgroup col tbody select option pre listing svg ' +
  'math mi /svg title /title textarea script /script style /style template /template frameset iframe /iframe xmp ' +
  'noscript plaintext body /body html h1 form button'
).split(' ');
const piece = fc.oneof(
  fc.constantFrom(...tags.map((name) => `<${name}>`)),
  fc.constantFrom(
    'some words here',
    ' and more; of them ',
    'a > b "said" it’s so',
    '        ',
    'words\r\nwords',
  ),
  fc.constantFrom(
    '<a href="x>y; some words" class=b>',
    "<p title='",
    '<a href="',
    '"',
    "'",
    '>',
    '<',
    '&',
    ';',
  ),
  fc.constantFrom(
    '&amp;',
    '&notit; follows here',
    '&#62;',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<!',
    '<?',
    '\0',
  ),
  fc.string(),
);

describe('a body whose text is set aside while it is parsed', () => {
  it('becomes the same tree as one that is parsed whole', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const text = pieces.join('');
        expect(parsed(text)).toEqual(parsedWhole(text));
      }),
      { numRuns: 3_000, examples: [[['&amp;', '        ', ';']]] },
    );
  });

  it('may have more stretches of text than there are signs, and signs of its own', () => {
    const many = Array.from({ length: 7_000 }, (_, at) => `<p>paragraph ${at}</p>`).join('');
    expect(parsed(many)).toEqual(parsedWhole(many));
    expect(parsed('<p>an icon: \ue000</p><p>and some words</p>')).toEqual([
      '#document-fragment',
      [],
      [
        ['p', [], ['an icon: \ue000'], []],
        ['p', [], ['and some words'], []],
      ],
      [],
    ]);
  });

  it('gives the parser one sign for a paragraph', () => {
    const runs: string[] = [];
    expect(withSigns('<p class="a">Some words, and\nmore.</p>\n<p>Others &amp; more</p>', runs)).toBe(
      '<p class="a">\ue000</p>\n<p>Others &amp; more</p>',
    );
    expect(runs).toEqual(['Some words, and\nmore.']);
  });
});
