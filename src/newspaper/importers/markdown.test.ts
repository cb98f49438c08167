import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elementsSchema, elementText, type StoryElement } from '#content';
import { markdownToElements } from './markdown.ts';
import { textToElements } from './plain-text.ts';

const p = (text: string): StoryElement => ({ kind: 'paragraph', text: [{ text }] });
const picture = (alt: string, caption = '', url?: string): StoryElement => ({
  kind: 'picture',
  ...(url === undefined ? {} : { url }),
  alt,
  caption,
  credit: '',
});
const words = (markdown: string) => markdownToElements(markdown).map(elementText).join('\n');

describe('Markdown', () => {
  it('becomes the same elements as HTML', () => {
    const markdown =
      '## A\n\nb **c** [d](https://e.example)\n\n- f\n  1. g\n\n> h\n\n| i | j |\n|---|---|\n| k | l |\n\n~~m~~';
    expect(markdownToElements(markdown).map((one) => one.kind)).toEqual([
      'heading',
      'paragraph',
      'list',
      'quote',
      'table',
      'paragraph',
    ]);
  });

  it('takes HTML inside it, through the same sieve', () => {
    expect(
      markdownToElements('a\n\n<div onclick="x">b</div>\n\n<script>c</script>\n\n[d](javascript:e)'),
    ).toEqual([p('a'), p('b'), p('[d](javascript:e)')]);
  });

  it('reads what is indented as what it would be without the spaces', () => {
    expect(markdownToElements('<div>\n\n    <p>\n      a\n    </p>\n\n</div>')).toEqual([p('a')]);
    expect(markdownToElements('1. a\n2. b\n\nc\n\n    d\n    e\n\n        f\n\ng')).toEqual([
      { kind: 'list', ordered: true, items: [{ text: [{ text: 'a' }] }, { text: [{ text: 'b' }] }] },
      p('c'),
      p('d e'),
      p('f'),
      p('g'),
    ]);
    expect(markdownToElements('**a**\n\n     - b\n     - c\n\n    > d').map((one) => one.kind)).toEqual([
      'paragraph',
      'list',
      'quote',
    ]);
  });

  it('takes for code what stands between fences, also where they are indented', () => {
    const code: StoryElement = { kind: 'preformatted', text: 'let a = {\n  b: 1,\n};' };
    expect(markdownToElements('```js\nlet a = {\n  b: 1,\n};\n```')).toEqual([code]);
    expect(
      markdownToElements('a\n\n     ```js\n     let a = {\n       b: 1,\n     };\n     ```\n\nc'),
    ).toEqual([p('a'), code, p('c')]);
  });

  it('reads on behind HTML that ends in the middle of a line', () => {
    expect(markdownToElements('<p>a</p>_b_')).toEqual([
      p('a'),
      { kind: 'paragraph', text: [{ text: 'b', marks: ['emphasis'] }] },
    ]);
  });

  it('mends addresses with spaces', () => {
    expect(markdownToElements('[a](mailto: b@c.example) [d](https://e.example/f g)')).toEqual([
      {
        kind: 'paragraph',
        text: [
          { text: 'a', href: 'mailto:b@c.example' },
          { text: ' ' },
          { text: 'd', href: 'https://e.example/f%20g' },
        ],
      },
    ]);
  });

  it('does not guess at addresses', () => {
    expect(markdownToElements('www.a.example')).toEqual([p('www.a.example')]);
  });

  it('that is a megabyte long keeps its paragraphs', () => {
    expect(markdownToElements(`${'a'.repeat(600_000)}\n\n${'b'.repeat(600_000)}`)).toHaveLength(2);
  });
});

describe('shortcodes are dropped and their text is kept', () => {
  it.each<[what: string, markdown: string, elements: StoryElement[]]>([
    [
      'a picture of the old site',
      '{{< legacy-img src="2014/a.png" alt="b \\"c\\"" caption="d _e_" >}}\nf',
      [picture('b "c"', 'd e'), p('f')],
    ],
    [
      'a picture that can still be found',
      '[{{< img src="x" alt="a" >}}](https://b.example/c.jpg)',
      [picture('a', '', 'https://b.example/c.jpg')],
    ],
    ['a picture without words', 'a\n\n{{< img src="b" >}}\n\nc', [p('a'), p('c')]],
    [
      'a picture of Jekyll',
      '{% image "a.png" "b" %}\n_c_',
      [picture('b'), { kind: 'paragraph', text: [{ text: 'c', marks: ['emphasis'] }] }],
    ],
    ['a picture with a class', '{% image_with_class "a.png" "class" "b" %}', [picture('b')]],
    [
      'a picture in a figure',
      '<figure>\n    {% image "a.png" "b" %}\n    <figcaption>c</figcaption>\n</figure>',
      [picture('b', 'c')],
    ],
    [
      'a figure over several lines',
      '{% include "linked-figure.html",\n   image: "/a.png",\n   alt: "b, c: d",\n   caption: "e" %}',
      [picture('b, c: d', 'e')],
    ],
    [
      'a link to the old site',
      '[a]({{< ref "/b.md" >}} "c "d" e") and [f]({{ "/g/" | url }}#h).',
      [p('a and f.')],
    ],
    ['a link in HTML', '<a href="{{< tmp "a/b.md" >}}">c</a>', [p('c')]],
    ['a link whose author forgot to close it', '[a]({{< ref "b" >}} c', [p('a c')]],
    [
      'a note around paragraphs',
      '{{< note variant="alert" >}}\n**a**\n\nb\n{{< /note >}}\nc',
      [{ kind: 'paragraph', text: [{ text: 'a', marks: ['strong'] }] }, p('b'), p('c')],
    ],
    ['a box in the middle of a line', '{{< box >}}a b.{{< /box >}}', [p('a b.')]],
    [
      'the title of a box',
      '{{< ring title="a">}}\nb\n{{< /ring >}}',
      [{ kind: 'paragraph', text: [{ text: 'a', marks: ['strong'] }] }, p('b')],
    ],
    [
      'a quotation',
      '{{< quote-block text="a’s “b”" cite="C D" >}}',
      [{ kind: 'quote', paragraphs: [[{ text: 'a’s “b”' }]], attribution: 'C D' }],
    ],
    [
      'a film',
      '{{< youtube id="abcdefghijk" title="a" >}}',
      [{ kind: 'embed', url: 'https://www.youtube.com/watch?v=abcdefghijk', title: 'a' }],
    ],
    [
      'a film of WordPress',
      'a\n\n[youtube=https://www.youtube.com/watch?v=abcdefghijk&w=600]_b_',
      [
        p('a'),
        { kind: 'embed', url: 'https://www.youtube.com/watch?v=abcdefghijk&w=600', title: 'youtube.com' },
        { kind: 'paragraph', text: [{ text: 'b', marks: ['emphasis'] }] },
      ],
    ],
    [
      'a film as a filter',
      '{{ "https://a.example/b" | embed: "c" }}',
      [{ kind: 'embed', url: 'https://a.example/b', title: 'c' }],
    ],
    [
      'a button',
      '{{< button href="https://a.example/" text="b" >}}',
      [{ kind: 'paragraph', text: [{ text: 'b', href: 'https://a.example/' }] }],
    ],
    ['the label of a file', 'a {{< asset-static file="b.pdf" label="c (PDF)" >}} d', [p('a c (PDF) d')]],
    ['somebody’s name', 'by {{ "nicole-fenton" | team_link }}', [p('by Nicole Fenton')]],
    ['variables', 'a {{ page.excerpt }}b', [p('a b')]],
    ['comments', 'a{% comment %}b {{ c }}{% endcomment %}d', [p('ad')]],
    ['raw text', '{% raw %}\n<div><p>a</p></div>\n{% endraw %}', [p('a')]],
    ['tags that only steer', '{% if a %}b{% endif %}{% assign c = 1 %}', [p('b')]],
    [
      'code of Jekyll',
      '{% highlight ruby %}\na = 1\n{% endhighlight %}',
      [{ kind: 'preformatted', text: 'a = 1' }],
    ],
    ['a highlighted word', 'a {{< highlight >}}b{{< /highlight >}}.', [p('a b.')]],
    [
      'the ids of headings',
      '## A {#a}\n\nb\n{: .lead}',
      [{ kind: 'heading', level: 2, text: [{ text: 'A' }] }, p('b')],
    ],
    [
      'footnotes',
      'a[^1]\n\n[^1]: https://b.example',
      [
        { kind: 'paragraph', text: [{ text: 'a' }, { text: '1', marks: ['superscript'] }] },
        { kind: 'paragraph', text: [{ text: '1', marks: ['superscript'] }, { text: ' https://b.example' }] },
      ],
    ],
    [
      'WordPress’s captions',
      '[caption id="a" width="300"]<img src="https://b.example/c.jpg" /> d[/caption]',
      [picture('', 'd', 'https://b.example/c.jpg')],
    ],
    ['braces that are none', 'a {b} {{c', [p('a {b} {{c')]],
  ])('%s', (_, markdown, elements) => {
    expect(markdownToElements(markdown)).toEqual(elements);
  });

  it('leaves code as it is, but for the marks that kept a generator from reading it', () => {
    expect(markdownToElements('```html\n{%raw%}{{ a | b }}{%endraw%}\n```\n\n`{{ c }}`')).toEqual([
      { kind: 'preformatted', text: '{{ a | b }}' },
      { kind: 'paragraph', text: [{ text: '{{ c }}', marks: ['code'] }] },
    ]);
  });

  it('accepts any text', () => {
    const part = fc.oneof(
      fc.constantFrom(
        '{{<',
        '>}}',
        '{{%',
        '%}}',
        '{%',
        '%}',
        '{{',
        '}}',
        ' raw ',
        ' endraw ',
        ' image ',
        '"',
        '\n',
        '\n\n',
        '`',
        '```',
        '[',
        '](',
        ')',
        '[^1]',
        '[caption]',
        '<p>',
        '</p>',
        '    ',
        '> ',
        '- ',
      ),
      fc.string({ unit: 'binary', maxLength: 8 }),
    );
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        expect(elementsSchema.safeParse(markdownToElements(parts.join(''))).success).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each(['{{< ', '{% ', '{{ ', '[', '`a', '{{< a >}}', '{% highlight %}', '[^1]', '~~~\n'])(
    '100,000 times %j is no trouble',
    (piece) => {
      expect(() => words(piece.repeat(100_000))).not.toThrow();
    },
  );
});

describe('plain text', () => {
  it.each<[what: string, text: string, paragraphs: string[]]>([
    ['blank lines separate paragraphs', 'a\n\n \t\nb\r\n\r\nc', ['a', 'b', 'c']],
    ['line ends inside one stay', 'a\nb', ['a\nb']],
    ['markup means nothing', '<b>a</b> &amp; {{ b }}', ['<b>a</b> &amp; {{ b }}']],
    ['nothing is nothing', ' \n\n ', []],
    [
      'lines as long as a typewriter’s were one line',
      'The committee sat for nine hours and heard from eleven witnesses,\nof whom two had come from the hills by the night train, and they\nwent home unheard.',
      [
        'The committee sat for nine hours and heard from eleven witnesses, of whom two had come from the hills by the night train, and they went home unheard.',
      ],
    ],
  ])('%s', (_, text, paragraphs) => {
    expect(textToElements(text)).toEqual(paragraphs.map(p));
  });
});
