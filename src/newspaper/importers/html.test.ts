import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elementsSchema, elementText, isSafeHref, type List, type Run, type StoryElement } from '#content';
import { htmlToElements } from './html.ts';

const p = (...text: (string | Run)[]): StoryElement => ({ kind: 'paragraph', text: runs(text) });
const h = (level: 2 | 3 | 4, ...text: (string | Run)[]): StoryElement => ({
  kind: 'heading',
  level,
  text: runs(text),
});
const runs = (text: (string | Run)[]): Run[] =>
  text.map((one) => (typeof one === 'string' ? { text: one } : one));
const strong = (text: string): Run => ({ text, marks: ['strong'] });
const emphasis = (text: string): Run => ({ text, marks: ['emphasis'] });
const picture = (
  alt: string,
  more: { url?: string; caption?: string; credit?: string } = {},
): StoryElement => ({
  kind: 'picture',
  alt,
  caption: '',
  credit: '',
  ...more,
});
const words = (elements: readonly StoryElement[]) => elements.map(elementText).join('\n');

type Case = [what: string, html: string, elements: StoryElement[]];

function holds(cases: Case[]): void {
  it.each(cases)('%s', (_, html, elements) => {
    const made = htmlToElements(html);
    expect(made).toEqual(elements);
    expect(elementsSchema.safeParse(made).success).toBe(true);
  });
}

describe('paragraphs', () => {
  holds([
    ['stand as they are', '<p>One.</p>\n<p>Two.</p>', [p('One.'), p('Two.')]],
    ['are made of bare text', 'One. <div>Two.</div> Three.', [p('One.'), p('Two.'), p('Three.')]],
    ['white space collapses', '<p>  a \n\t b  </p>', [p('a b')]],
    ['a no-break space inside stays', '<p>10&nbsp;km&nbsp;</p>', [p('10\u00a0km')]],
    ['several of them are one space', '<p>a&nbsp;&nbsp; b</p>', [p('a b')]],
    ['nothing is left of empty ones', '<p></p><p>&nbsp;</p><p> <b> </b><br></p><div></div>', []],
    ['one line break stays', '<p>a<br>b</p>', [p('a\nb')]],
    ['two of them begin a paragraph', 'a<br/><br />b<br>&nbsp;<br>c', [p('a'), p('b'), p('c')]],
    ['line breaks at either end go', '<p><br>a<br></p>', [p('a')]],
    ['an open tag is closed by the next block', '<p>a<p>b<div>c', [p('a'), p('b'), p('c')]],
    [
      'sections, articles and centred text are transparent',
      '<article><section><center>a</center></section></article>',
      [p('a')],
    ],
    ['definition lists are terms and paragraphs', '<dl><dt>a<dd>b</dl>', [p(strong('a')), p('b')]],
    ['folded text is unfolded', '<details><summary>a</summary>b</details>', [p(strong('a')), p('b')]],
    ['a rule divides', '<p>a</p><hr><hr><p>b</p><hr>', [p('a'), { kind: 'divider' }, p('b')]],
  ]);
});

describe('text', () => {
  holds([
    ['marks', '<b>a</b><i>b</i><u>c</u>', [p(strong('a'), emphasis('b'), 'c')]],
    [
      'marks inside marks',
      '<b>a<i>b</i></b>',
      [p(strong('a'), { text: 'b', marks: ['strong', 'emphasis'] })],
    ],
    [
      'every mark has a place',
      '<code>a</code><s>b</s><sub>c</sub><sup>d</sup>',
      [
        p(
          { text: 'a', marks: ['code'] },
          { text: 'b', marks: ['strike'] },
          { text: 'c', marks: ['subscript'] },
          { text: 'd', marks: ['superscript'] },
        ),
      ],
    ],
    [
      'neighbours that look the same are one run',
      '<b>a</b><strong> b</strong><em></em> c',
      [p(strong('a b'), ' c')],
    ],
    [
      'tags that cross',
      '<b>a<i>b</b>c</i>',
      [p(strong('a'), { text: 'b', marks: ['strong', 'emphasis'] }, emphasis('c'))],
    ],
    ['bold by style', '<span style="font-weight: 700">a</span>', [p(strong('a'))]],
    ['a document wrapped in a tag that is not bold', '<b style="font-weight:normal"><p>a</p></b>', [p('a')]],
    ['quotation marks', '<q>a</q>', [p('“a”')]],
    ['entities', '<p>&lt;b&gt; &amp; &eacute; &#8217; &#x20B9;</p>', [p('<b> & é ’ ₹')]],
    ['control characters go', '<p>a\u0000b\u0007c&#0;d\u009d</p>', [p('abc\ufffdd')]],
    [
      'quotation marks of old Windows programs are mended',
      '<p>l\u0092été \u0093a\u0094</p>',
      [p('l’été “a”')],
    ],
    ['half a surrogate pair goes', '<p>a\ud800b\udc00c😀</p>', [p('abc😀')]],
    ['joiners that Hindi needs stay', '<p>क्‍ष</p>', [p('क्‍ष')]],
    ['zero-width spaces and turned writing go', '<p>a\u200bb\u202ec\ufeff</p>', [p('abc')]],
  ]);
});

describe('links', () => {
  holds([
    [
      'http, https and mail',
      '<a href="https://a.example/x?y=1&amp;z=2">a</a> <a href="http://b.example">b</a> <a href="MAILTO:c@d.example">c</a>',
      [
        p(
          { text: 'a', href: 'https://a.example/x?y=1&z=2' },
          ' ',
          { text: 'b', href: 'http://b.example' },
          ' ',
          { text: 'c', href: 'MAILTO:c@d.example' },
        ),
      ],
    ],
    ['places on this site', '<a href="/about">a</a>', [p({ text: 'a', href: '/about' })]],
    [
      'without a scheme, https',
      '<a href="//a.example/b">a</a>',
      [p({ text: 'a', href: 'https://a.example/b' })],
    ],
    [
      'spaces are encoded',
      '<a href=" https://a.example/b c ">a</a>',
      [p({ text: 'a', href: 'https://a.example/b%20c' })],
    ],
    [
      'other schemes go, their text stays',
      '<a href="javascript:alert(1)">a</a><a href="data:text/html,x">b</a><a href="ftp://c">c</a>',
      [p('abc')],
    ],
    [
      'disguised schemes too',
      '<a href=" java\nscript:alert(1)">a</a><a href="&#106;avascript:alert(1)">b</a><a href="\u0001javascript:x">c</a><a href="vbscript:x">d</a>',
      [p('abcd')],
    ],
    [
      'backslashes and empty hosts',
      '<a href="https:\\\\a.example">a</a><a href="/\\a.example">b</a><a href="https:///">c</a>',
      [p({ text: 'a', href: 'https://a.example/' }, 'bc')],
    ],
    [
      'places inside the page, and on the old site',
      '<a href="#top">a</a> <a href="old.html">b</a>',
      [p('a b')],
    ],
    ['the way back from a footnote', '<p>a <a href="#ref1">↩</a></p>', [p('a')]],
    [
      'around paragraphs',
      '<a href="https://a.example/"><p>a</p><p>b</p></a>',
      [p({ text: 'a', href: 'https://a.example/' }), p({ text: 'b', href: 'https://a.example/' })],
    ],
    [
      'an address in angle brackets',
      '<p>See <https://a.example/b>.</p>',
      [p('See ', { text: 'https://a.example/b', href: 'https://a.example/b' }, '.')],
    ],
  ]);

  it('are completed with the address of the page they stood on', () => {
    const base = 'https://old.example/2001/story.html';
    expect(htmlToElements('<a href="next.html">a</a><img src="/p.jpg">', { base })).toEqual([
      p({ text: 'a', href: 'https://old.example/2001/next.html' }),
      picture('', { url: 'https://old.example/p.jpg' }),
    ]);
  });
});

describe('headings', () => {
  holds([
    [
      'take the levels below the headline',
      '<h1>a</h1><h2>b</h2><h3>c</h3><h4>d</h4><h6>e</h6>',
      [h(2, 'a'), h(2, 'b'), h(3, 'c'), h(4, 'd'), h(4, 'e')],
    ],
    ['are bold already', '<h2><b>a</b> <i>b</i></h2>', [h(2, 'a ', emphasis('b'))]],
    ['stand on one line', '<h2>a<br>b<br><br>c</h2>', [h(2, 'a b c')]],
    [
      'give their pictures back',
      '<h2>a<img src="https://a.example/b.png" alt="c"></h2>',
      [h(2, 'a'), picture('c', { url: 'https://a.example/b.png' })],
    ],
  ]);
});

describe('lists', () => {
  const list = (ordered: boolean, ...items: List['items'][number][]): List => ({
    kind: 'list',
    ordered,
    items,
  });
  const item = (text: string, inside?: List) =>
    inside ? { text: [{ text }], list: inside } : { text: [{ text }] };
  holds([
    [
      'in order and not',
      '<ul><li>a<li>b</ul><ol><li>c</ol>',
      [list(false, item('a'), item('b')), list(true, item('c'))],
    ],
    [
      'inside each other',
      '<ul><li>a<ul><li>b</li></ul></li></ul>',
      [list(false, item('a', list(false, item('b'))))],
    ],
    [
      'beside the item they belong to',
      '<ul><li>a</li><ul><li>b</li></ul></ul>',
      [list(false, item('a', list(false, item('b'))))],
    ],
    ['with paragraphs', '<ul><li><p>a</p><p>b</p></li></ul>', [list(false, item('a\nb'))]],
    [
      'with pictures, which come behind',
      '<ul><li>a<img alt="b"></li></ul>',
      [list(false, item('a')), picture('b')],
    ],
    ['empty ones are gone', '<ul><li></li><li> </li></ul><ul></ul>', []],
    ['an item without a list', '<li>a</li>', [p('a')]],
    [
      'deeper than four are lines',
      '<ul><li>1<ul><li>2<ul><li>3<ul><li>4<ul><li>5</ul></ul></ul></ul></ul>',
      [list(false, item('1', list(false, item('2', list(false, item('3', list(false, item('4\n5'))))))))],
    ],
  ]);
});

describe('quotations', () => {
  const quote = (paragraphs: string[], attribution?: string): StoryElement => ({
    kind: 'quote',
    paragraphs: paragraphs.map((text) => [{ text }]),
    ...(attribution === undefined ? {} : { attribution }),
  });
  holds([
    ['paragraphs', '<blockquote><p>a</p>b</blockquote>', [quote(['a', 'b'])]],
    ['by whom, in a footer', '<blockquote>a<footer>— B C</footer></blockquote>', [quote(['a'], 'B C')]],
    ['by whom, in a cite at the end', '<blockquote><p>a</p><cite>B</cite></blockquote>', [quote(['a'], 'B')]],
    ['by whom, behind a dash', '<blockquote><p>a</p><p>— B (@b)</p></blockquote>', [quote(['a'], 'B (@b)')]],
    [
      'a title that is cited is not who said it',
      '<blockquote><cite>B</cite> says a</blockquote>',
      [{ kind: 'quote', paragraphs: [[emphasis('B'), { text: ' says a' }]] }],
    ],
    [
      'around a picture',
      '<blockquote>a<p><img alt="b"></p>c</blockquote>',
      [quote(['a']), picture('b'), quote(['c'])],
    ],
    ['inside each other', '<blockquote>a<blockquote>b</blockquote></blockquote>', [quote(['a', 'b'])]],
    ['with a list', '<blockquote><ul><li>a</ul><ol><li>b</ol></blockquote>', [quote(['• a', '1. b'])]],
    ['empty ones are gone', '<blockquote> </blockquote>', []],
  ]);
});

describe('pictures', () => {
  const url = 'https://a.example/b.jpg';
  holds([
    [
      'with caption and credit',
      `<figure><img src="${url}" alt="a"><figcaption>b <span class="credit">C</span></figcaption></figure>`,
      [picture('a', { url, caption: 'b', credit: 'C' })],
    ],
    [
      'in a sentence stand between its parts',
      `<p>a <img src="${url}" alt=""> b</p>`,
      [p('a'), picture('', { url }), p('b')],
    ],
    ['whose address is lost keep their words', '<img src="local.jpg" alt="a">', [picture('a')]],
    [
      'whose address is lost in a sentence are words of it',
      '<p>a <img src="icon" alt="PDF"> b</p>',
      [p('a PDF b')],
    ],
    ['that say and show nothing are gone', '<img src="data:image/gif;base64,R0lGOD"><img>', []],
    ['counting pixels are gone', `<img src="${url}" width=1 height=1 alt="a">`, []],
    ['small signs are their words', `<p>a <img src="${url}" width="16" alt=":)"></p>`, [p('a :)')]],
    ['that load late', `<img src="data:image/gif;base64,R0" data-src="${url}">`, [picture('', { url })]],
    ['linked to themselves', `<a href="${url}"><img src="small.jpg" alt="a"></a>`, [picture('a', { url })]],
    [
      'as WordPress wraps them',
      `<div class="wp-caption"><img src="${url}"><p class="wp-caption-text">a</p></div>`,
      [picture('', { url, caption: 'a' })],
    ],
    [
      'only http',
      '<img src="javascript:alert(1)" alt="a"><img src="file:///etc/passwd" alt="b">',
      [picture('a'), picture('b')],
    ],
  ]);
});

describe('tables', () => {
  const cell = (text: string) => (text === '' ? [] : [{ text }]);
  const table = (head: string[], rows: string[][], caption = ''): StoryElement => ({
    kind: 'table',
    caption,
    head: head.map(cell),
    rows: rows.map((row) => row.map(cell)),
  });
  holds([
    [
      'with head and caption',
      '<table><caption>a</caption><thead><tr><th>b<th>c</thead><tr><td>d<td>e</table>',
      [table(['b', 'c'], [['d', 'e']], 'a')],
    ],
    [
      'whose first row is the head',
      '<table><tr><th>a<th>b<tr><td>c<td>d</table>',
      [table(['a', 'b'], [['c', 'd']])],
    ],
    [
      'without a head',
      '<table><tr><td>a<td>b<tr><td><td>c</table>',
      [
        table(
          [],
          [
            ['a', 'b'],
            ['', 'c'],
          ],
        ),
      ],
    ],
    ['lines in a cell', '<table><tr><td>a<p>b</p><td>c<br>d</table>', [table([], [['a\nb', 'c\nd']])]],
    ['that only lay out a page', '<table><tr><td><h2>a</h2><p>b</p></td></tr></table>', [h(2, 'a'), p('b')]],
    [
      'tables in tables',
      '<table><tr><td><table><tr><td>a<td>b</table><td>c</table>',
      [table([], [['a', 'b']]), p('c')],
    ],
    [
      'text between the cells comes before',
      '<table>a<tr><td>b<td>c</table>',
      [p('a'), table([], [['b', 'c']])],
    ],
    ['empty ones are gone', '<table><tr><td></td></tr></table>', []],
  ]);
});

describe('things of other sites', () => {
  const embed = (url: string, title: string): StoryElement => ({ kind: 'embed', url, title });
  holds([
    [
      'are cards',
      '<iframe src="https://a.example/b" title="c">d</iframe>',
      [embed('https://a.example/b', 'c')],
    ],
    [
      'lead to the page where they can be watched',
      '<iframe src="//www.youtube-nocookie.com/embed/abcdefghijk?rel=0"></iframe>',
      [embed('https://www.youtube.com/watch?v=abcdefghijk', 'youtube.com')],
    ],
    [
      'sound and film',
      '<audio controls><source src="https://a.example/b.mp3">old browser</audio>',
      [embed('https://a.example/b.mp3', 'a.example')],
    ],
    [
      'the players of before',
      '<object><param name="movie" value="https://a.example/b.swf"><embed src="x"></object>',
      [embed('https://a.example/b.swf', 'a.example')],
    ],
    [
      'with a caption',
      '<figure><oembed url="https://a.example/b"></oembed><figcaption>c</figcaption></figure>',
      [embed('https://a.example/b', 'c')],
    ],
    [
      'those that a script would have brought',
      '<div class="fb-post" data-href="https://www.facebook.com/a/posts/1"></div>' +
        '<blockquote class="instagram-media" data-instgrm-permalink="https://www.instagram.com/p/A/"><p>View this post on Instagram</p><p>A post shared by B</p></blockquote>' +
        '<div class="flourish-embed flourish-chart" data-src="visualisation/12"><script src="x"></script></div>' +
        '<blockquote class="twitter-tweet"><a href="https://twitter.com/a/status/1"></a></blockquote>' +
        '<script src="https://gist.github.com/a/0f1.js"></script>' +
        '<script async src="https://telegram.org/js/telegram-widget.js" data-telegram-post="durov/68"></script>',
      [
        embed('https://www.facebook.com/a/posts/1', 'facebook.com'),
        embed('https://www.instagram.com/p/A/', 'A post shared by B'),
        embed('https://public.flourish.studio/visualisation/12', 'public.flourish.studio'),
        embed('https://twitter.com/a/status/1', 'twitter.com'),
        embed('https://gist.github.com/a/0f1', 'gist.github.com'),
        embed('https://t.me/durov/68', 't.me'),
      ],
    ],
    [
      'a message is read, and leads to where it stood',
      '<blockquote class="twitter-tweet"><p>We landed.</p>&mdash; NASA <a href="https://twitter.com/n/status/1">May 1</a></blockquote>',
      [
        { kind: 'quote', paragraphs: [[{ text: 'We landed.' }]], attribution: 'NASA May 1' },
        embed('https://twitter.com/n/status/1', 'twitter.com'),
      ],
    ],
    [
      'in a block of WordPress, with its caption',
      '<figure class="wp-block-embed"><div class="wp-block-embed__wrapper">\nhttps://a.example/b\n</div><figcaption>c</figcaption></figure>',
      [embed('https://a.example/b', 'c')],
    ],
    [
      'marked ones that lead nowhere safe, or nowhere at all, are read as what they hold',
      '<div class="fb-post" data-href="javascript:alert(1)">a</div><script data-telegram-post="../x y"></script>' +
        '<blockquote class="twitter-tweet"><p>b c</p></blockquote>' +
        '<div class="wp-block-embed__wrapper">d <a href="https://a.example">e</a></div>',
      [
        { kind: 'paragraph', text: [{ text: 'a' }] },
        { kind: 'quote', paragraphs: [[{ text: 'b c' }]] },
        { kind: 'paragraph', text: [{ text: 'd ' }, { text: 'e', href: 'https://a.example' }] },
      ],
    ],
    [
      'counting frames and unsafe ones are gone',
      '<iframe src="https://a.example" width=0 height=0></iframe><iframe src="javascript:alert(1)"></iframe><iframe srcdoc="<b>x</b>"></iframe>',
      [],
    ],
  ]);
});

describe('what is dropped with all it holds', () => {
  holds([
    ['scripts and styles', 'a<script>alert(1)</script><style>b{}</style><noscript>c</noscript>d', [p('ad')]],
    ['a script that is not closed', 'a<script>alert(1)', [p('a')]],
    [
      'event handlers',
      '<p onclick="alert(1)" onload=x>a</p><img src=x onerror=alert(1) alt=b>',
      [p('a'), picture('b')],
    ],
    [
      'SVG and MathML',
      'a<svg onload=alert(1)><script>x</script><text>b</text></svg><math><mtext>c</mtext></math>d',
      [p('ad')],
    ],
    ['what breaks out of SVG is read again', '<svg><g></g><p>a</p>', [p('a')]],
    [
      'forms',
      '<form>a<input value=b><select><option>c</select><textarea>d</textarea><button>e</button></form>',
      [p('a')],
    ],
    [
      'templates and heads',
      '<head><title>a</title><meta><link></head><template>b</template><body>c',
      [p('c')],
    ],
    ['comments', 'a<!-- b --><!--[if IE]>c<![endif]-->d', [p('ad')]],
  ]);
});

describe('preformatted text', () => {
  holds([
    [
      'keeps its lines',
      '<pre>\n  a\n    b &lt;c&gt;\n</pre>',
      [{ kind: 'preformatted', text: '  a\n    b <c>' }],
    ],
    [
      'has no marks',
      '<pre><code class="x"><b>a</b><br>b</code></pre>',
      [{ kind: 'preformatted', text: 'a\nb' }],
    ],
  ]);
});

describe('markup beyond reason', () => {
  it.each([1_000, 1_100])('%i levels of any kind are read', (levels) => {
    for (const tag of ['div', 'blockquote', 'ul><li', 'b', 'span', 'section']) {
      const [name] = tag.split('>');
      const html = `<p>before</p>${`<${tag}>`.repeat(tag.includes('>') ? levels / 2 : levels)}deep${`</${name}>`.repeat(levels)}<p>after</p>`;
      const text = words(htmlToElements(html));
      expect(text).toContain('before');
      expect(text).toContain('deep');
      expect(text).toContain('after');
    }
  });

  it.each([
    'div',
    'b',
    'blockquote',
    'ul><li',
    'table><tr><td',
    'a href=x',
    'font size=1',
    'p',
    'object',
    'em',
    'dl><dd',
  ])('100,000 nested <%s> lose their structure and keep their text', (tag) => {
    const text = words(htmlToElements(`<p>before</p>${`<${tag}>`.repeat(100_000)}deep<p>after</p>`));
    expect(text).toContain('before');
    if (tag !== 'object') expect(text).toMatch(/deep[\s\S]*after/);
  });

  it.each(['fb-post', 'twitter-tweet', 'wp-block-embed__wrapper'])(
    'places of scripts in each other are looked through once: %s',
    (mark) => {
      const text = `${`<div class="${mark}">`.repeat(1_000)}${'<b>x</b>'.repeat(60_000)}`;
      expect(htmlToElements(text)).toHaveLength(1);
    },
    10_000,
  );

  it('tags that are opened again in every paragraph do not multiply for ever', () => {
    const open = Array.from({ length: 1_000 }, (_, at) => `<font size=${at}>`).join('');
    const text = words(htmlToElements(`${open}${'<p>a'.repeat(20_000)}`));
    expect(text.length).toBeGreaterThan(20_000);
  });

  it('a tag with 200,000 attributes is one tag', () => {
    const attributes = Array.from({ length: 200_000 }, (_, at) => ` a${at}`).join('');
    expect(htmlToElements(`<p${attributes}>a</p>`)).toEqual([p('a')]);
  });

  it('what stands open at the end of a tangled text does not hide its scripts', () => {
    const html = `${'<div>'.repeat(5_000)}a<script>alert(1)</script><style>b</style><textarea>c</textarea><svg>d</svg>e<br><br>f`;
    expect(htmlToElements(html)).toEqual([p('ae'), p('f')]);
  });
});

/** Tags, attributes and text as attackers and bad editors write them. */
const tangle = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...'<p> </p> <b> </b> <i> <a> </a> <ul> <li> </ul> <table> <tr> <td> </table> <blockquote> </blockquote> <svg> <math> <style> <script> </script>'.split(
          ' ',
        ),
        ...'<h2> </h2> <pre> </pre> <figure> <figcaption> </figure> <img> <br> <hr> <div> </div> <template> <select> <option> <title> <textarea> <!-- --> <![CDATA['.split(
          ' ',
        ),
        '<a href="javascript:alert(1)">',
        '<a href=" jAvAsCrIpT&colon;alert(1)">',
        '<a href="https://a.example/">',
        '<a href="//a.example">',
        '<img src=x onerror=alert(1)>',
        '<img src="https://a.example/b.png" alt="c">',
        '<iframe src="data:text/html,x">',
        '<iframe src="https://a.example">',
        '<math><mtext><table><mglyph><style><img src onerror=alert(1)>',
        '<svg><foreignObject><p>',
        '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
      ),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('text ', '&lt;', '&#0;', '\u0000', '\ud800', '\n', '\u00a0', '"', '>', '<'),
    ),
  )
  .map((parts) => parts.join(''));

describe('any text at all', () => {
  it('becomes elements that storage accepts and that lead nowhere unsafe', () => {
    fc.assert(
      fc.property(tangle, (html) => {
        const elements = htmlToElements(html, { base: 'https://old.example/' });
        expect(elementsSchema.safeParse(elements).success).toBe(true);
        const json = JSON.stringify(elements);
        expect(json).not.toMatch(/\\u0000|\\ud[89a-f]/i);
        for (const [, href] of json.matchAll(/"(?:href|url)":"([^"]*)"/g))
          expect(isSafeHref(href ?? '')).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('keeps no empty element and no two neighbouring runs that look the same', () => {
    fc.assert(
      fc.property(tangle, (html) => {
        for (const one of htmlToElements(html)) {
          if (one.kind !== 'paragraph' && one.kind !== 'heading') continue;
          expect(one.text.length).toBeGreaterThan(0);
          expect(elementText(one).trim()).not.toBe('');
          for (const [at, run] of one.text.entries()) {
            const next = one.text[at + 1];
            if (next) expect([run.href, String(run.marks)]).not.toEqual([next.href, String(next.marks)]);
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
