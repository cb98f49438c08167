import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { paragraph } from '../../../test/builders.ts';
import {
  countWords,
  cutPreview,
  elementsSchema,
  elementText,
  isSafeHref,
  type StoryElement,
} from './elements.ts';

const text = (words: string) => [{ text: words }];
const heading: StoryElement = { kind: 'heading', level: 2, text: text('A heading') };
const words = (count: number, word = 'word'): string => Array.from({ length: count }, () => word).join(' ');

describe('an address in a story', () => {
  it.each([
    'https://example.com',
    'HTTPS://example.com/a?b=c#d',
    'http://example.com:8080/',
    'https://[2001:db8::1]/',
    'https://user@example.com/',
    'mailto:desk@example.com',
    'mailto:desk@example.com?subject=Hello',
    '/markets/rupee-holds-0000000001',
    '/',
    '#top',
    '#',
    '/a//b',
    'https://example.com/javascript:alert(1)',
  ])('may be %s', (href) => {
    expect(isSafeHref(href)).toBe(true);
  });

  it.each([
    '',
    ' ',
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    ' javascript:alert(1)',
    '\u0001javascript:alert(1)',
    '\ufeffjavascript:alert(1)',
    '\u00a0javascript:alert(1)',
    'java\tscript:alert(1)',
    'java\nscript:alert(1)',
    'java\rscript:alert(1)',
    'javascript&colon;alert(1)',
    'javascript\u0000:alert(1)',
    'vbscript:x',
    'data:text/html,<script>alert(1)</script>',
    'DATA:text/html;base64,PHNjcmlwdD4=',
    'blob:https://example.com/x',
    'file:///etc/passwd',
    'ftp://example.com/',
    'about:blank',
    'view-source:https://example.com',
    'feed:javascript:alert(1)',
    'tel:+911234567890',
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '\t//evil.example',
    'https:/evil.example',
    'https:evil.example',
    'https:///evil.example',
    'https://',
    'http://',
    'mailto:',
    'mailto:nobody',
    'mailto:@example.com',
    'example.com',
    'story.html',
    '../up',
    '?q=1',
    'https ://example.com',
    'https://example.com/a b',
    'https://example.com\u007f',
    'ｊavascript:alert(1)',
  ])('may not be %j', (href) => {
    expect(isSafeHref(href)).toBe(false);
  });

  it('that is allowed leads to the web, to mail or to this site, as a browser reads it', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'java',
        'script',
        ':',
        '/',
        '//',
        '\\',
        '\t',
        '\n',
        ' ',
        'https',
        'http',
        'data',
        'mailto',
        '@',
        '#',
        '?',
        '.',
        'a',
        '%09',
        '\u0000',
        '\u200b',
      ),
      fc.string({ maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const href = pieces.join('');
        if (!isSafeHref(href)) return;
        // Some are no address at all: a browser then shows a link that leads nowhere.
        const url = URL.parse(href, 'https://paper.example/markets/story');
        if (url === null) return;
        expect(['https:', 'http:', 'mailto:']).toContain(url.protocol);
        if (!/^(https?|mailto):/i.test(href)) expect(url.origin).toBe('https://paper.example');
      }),
      { numRuns: 20_000 },
    );
  });
});

describe('the preview that is cut when a story is published', () => {
  it.each<[string, StoryElement[], StoryElement[]]>([
    [
      'the first two paragraphs',
      [10, 10, 10, 10].map((n) => paragraph(words(n))),
      [10, 10].map((n) => paragraph(words(n))),
    ],
    [
      'what lies between them left out',
      [
        heading,
        paragraph(words(5, 'one')),
        { kind: 'divider' },
        paragraph(words(5, 'two')),
        paragraph(words(20)),
      ],
      [paragraph(words(5, 'one')), paragraph(words(5, 'two'))],
    ],
    [
      'no second paragraph that would take more than half',
      [paragraph(words(10)), paragraph(words(9)), paragraph(words(4))],
      [paragraph(words(10))],
    ],
    [
      'no second paragraph that would make it longer than 120 words',
      [paragraph(words(100)), paragraph(words(30)), paragraph(words(500))],
      [paragraph(words(100))],
    ],
    [
      'the beginning of a long first paragraph, at a sentence',
      [paragraph(`${words(14)} end. ${words(25)}`)],
      [paragraph(`${words(14)} end.`)],
    ],
    [
      '… also where a sentence ends with a danda',
      [paragraph(`${words(14, 'शब्द')} है। ${words(25, 'शब्द')}`)],
      [paragraph(`${words(14, 'शब्द')} है।`)],
    ],
    [
      'the beginning between words where no sentence ends',
      [paragraph(words(40))],
      [paragraph(`${words(20)} …`)],
    ],
    [
      'the beginning between words where a sentence ends too early',
      [paragraph(`Yes. ${words(39)}`)],
      [paragraph(`Yes. ${words(19)} …`)],
    ],
    [
      'at most 120 words of a very long first paragraph',
      [paragraph(words(5_000))],
      [paragraph(`${words(120)} …`)],
    ],
    ['nothing of nothing', [], []],
    ['nothing of a single word', [paragraph('Word')], []],
    [
      'nothing of pictures and headings',
      [heading, { kind: 'picture', alt: words(20), caption: words(20), credit: '' }],
      [],
    ],
    [
      'the first words of a list where there is nothing else to read',
      [{ kind: 'list', ordered: false, items: [{ text: text(words(20)) }] }],
      [paragraph(`${words(10)} …`)],
    ],
    [
      'two paragraphs even if they are not of words',
      [paragraph('— … —'), paragraph('***')],
      [paragraph('— … —'), paragraph('***')],
    ],
  ])('is %s', (_, body, preview) => {
    expect(cutPreview(body)).toEqual(preview);
  });

  it('keeps marks and links of paragraphs that it takes whole', () => {
    const marked: StoryElement = {
      kind: 'paragraph',
      text: [
        { text: 'Strong ', marks: ['strong'] },
        { text: 'link', href: 'https://example.com' },
      ],
    };
    expect(cutPreview([marked, ...[1, 2, 3].map(() => paragraph(words(10)))])[0]).toEqual(marked);
  });

  it.each<[string, string]>([
    [
      'Japanese',
      '日本銀行は月曜日、政策金利を据え置いた。市場は予想通りと受け止め、円は小幅に上昇した。総裁は会見で、物価の見通しを説明した。',
    ],
    ['Thai', 'ธนาคารกลางคงอัตราดอกเบี้ยนโยบาย, ตลาดตอบรับตามคาด, เงินบาทแข็งค่าเล็กน้อย, ผู้ว่าการแถลงข่าว'],
    ['words joined by slashes', 'alpha/beta/gamma/delta epsilon/zeta/eta/theta'],
    ['words joined by commas', 'alpha,beta,gamma,delta,epsilon,zeta,eta,theta'],
    ['words joined by long dashes', 'alpha—beta—gamma—delta—epsilon—zeta—eta—theta'],
    ['words joined by no-break joiners', 'alpha\u2060.beta\u2060.gamma\u2060.delta\u2060.epsilon\u2060.zeta'],
  ])('leaves at least half behind the wall where spaces are rare: %s', (_, story) => {
    const preview = cutPreview([paragraph(story)]);
    expect(countWords(preview)).toBeLessThanOrEqual(countWords([paragraph(story)]) / 2);
  });

  const anyText = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    fc
      .array(fc.constantFrom('word', 'two', '.', '. ', ' ', '\n', '!', '।', '—', 'शब्द', '/', ','), {
        maxLength: 60,
      })
      .map((all) => all.join('')),
    fc.array(fc.constantFrom('word ', 'end. ', 'है। '), { maxLength: 400 }).map((all) => all.join('')),
  );
  const anyBody = fc.array(
    fc.oneof(
      {
        weight: 5,
        arbitrary: anyText.map(
          (one): StoryElement => ({ kind: 'paragraph', text: one === '' ? [] : text(one) }),
        ),
      },
      { weight: 1, arbitrary: fc.constant(heading) },
      {
        weight: 1,
        arbitrary: anyText.map((one): StoryElement => ({ kind: 'quote', paragraphs: [text(one)] })),
      },
    ),
    { maxLength: 8 },
  );

  it('is never more than half of the words, never more than 120, and never throws', () => {
    fc.assert(
      fc.property(anyBody, (body) => {
        const preview = cutPreview(body);
        expect(countWords(preview)).toBeLessThanOrEqual(Math.floor(countWords(body) / 2));
        expect(countWords(preview)).toBeLessThanOrEqual(120);
        expect(preview.length).toBeLessThanOrEqual(2);
      }),
      { numRuns: 2_000 },
    );
  });

  it('holds nothing that is not in the body, in its order', () => {
    fc.assert(
      fc.property(anyBody, (body) => {
        const paragraphs = body.filter((one) => one.kind === 'paragraph');
        const others = body.filter((one) => one.kind !== 'heading' && one.kind !== 'picture');
        const preview = cutPreview(body);
        const begins = (one: StoryElement, from: StoryElement | undefined) =>
          from !== undefined && elementText(from).startsWith(elementText(one).replace(/ …$/, ''));
        const inOrder = preview.every((one, at) => begins(one, paragraphs[at]));
        expect(
          inOrder ||
            (preview.length === 1 && others.some((from) => begins(preview[0] as StoryElement, from))),
        ).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('words', () => {
  it.each<[string, number]>([
    ['', 0],
    ['  — … ', 0],
    ['Rupee holds.', 2],
    ['It’s a well-known fact', 4],
    ['रुपया संभला', 2],
    ['1,000 people', 3],
    ['الروبية مستقرة', 2],
  ])('of %j are %i', (given, count) => {
    expect(countWords([paragraph(given)])).toBe(count);
  });

  it('of every kind of element count', () => {
    const body: StoryElement[] = [
      heading,
      {
        kind: 'list',
        ordered: true,
        items: [
          { text: text('one two'), list: { kind: 'list', ordered: false, items: [{ text: text('three') }] } },
        ],
      },
      { kind: 'quote', paragraphs: [text('four five')], attribution: 'six' },
      { kind: 'picture', alt: 'seven', caption: 'eight', credit: 'nine' },
      { kind: 'table', caption: 'ten', head: [text('eleven')], rows: [[text('twelve'), text('thirteen')]] },
      { kind: 'embed', url: 'https://example.com', title: 'fourteen' },
      { kind: 'preformatted', text: 'fifteen' },
      { kind: 'divider' },
      { kind: 'correction', on: '2026-11-23', text: text('sixteen') },
    ];
    expect(countWords(body)).toBe(18);
    expect(elementsSchema.parse(body)).toEqual(body);
  });
});

describe('a body that is read back', () => {
  it.each<[string, unknown]>([
    ['no list', { kind: 'paragraph' }],
    ['a kind that nobody knows', [{ kind: 'script', text: text('x') }]],
    ['HTML', ['<p>x</p>']],
    ['a run without text', [{ kind: 'paragraph', text: [{ text: '' }] }]],
    ['a mark that nobody knows', [{ kind: 'paragraph', text: [{ text: 'x', marks: ['blink'] }] }]],
    ['a link to a script', [{ kind: 'paragraph', text: [{ text: 'x', href: 'javascript:alert(1)' }] }]],
    [
      'a picture from a script',
      [{ kind: 'picture', url: 'data:image/svg+xml,x', alt: '', caption: '', credit: '' }],
    ],
    ['an embed from a script', [{ kind: 'embed', url: 'javascript:x', title: '' }]],
    ['a headline inside the story', [{ kind: 'heading', level: 1, text: text('x') }]],
    ['a correction without a day', [{ kind: 'correction', on: 'yesterday', text: text('x') }]],
    [
      'a script deep in a list',
      [
        {
          kind: 'list',
          ordered: false,
          items: [
            {
              text: [],
              list: { kind: 'list', ordered: false, items: [{ text: [{ text: 'x', href: 'vbscript:x' }] }] },
            },
          ],
        },
      ],
    ],
  ])('is refused as a whole: %s', (_, body) => {
    expect(elementsSchema.safeParse(body).success).toBe(false);
  });
});
