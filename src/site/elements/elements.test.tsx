import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Run, StoryElement } from '#content';
import { Elements } from './elements.tsx';

const html = (...elements: StoryElement[]): string =>
  String(<Elements elements={elements} language="en-IN" />);
const said = (...runs: Run[]): StoryElement => ({ kind: 'paragraph', text: runs });

describe('text in a story', () => {
  it('is never markup, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (text) => {
        const inside = html(said({ text }))
          .replace(/^<p>|<\/p>$/g, '')
          .replaceAll('<br/>', '');
        expect(inside).not.toMatch(/[<>"]/);
      }),
    );
  });

  it('keeps its marks in the order they were given, and its line breaks', () => {
    expect(html(said({ text: 'one\ntwo', marks: ['strong', 'emphasis'] }))).toBe(
      '<p><em><strong>one<br/>two</strong></em></p>',
    );
  });
});

describe('a link in a story', () => {
  it('is one link when its runs share an address, and does not hand over the window it came from', () => {
    expect(
      html(
        said(
          { text: 'see ', href: 'https://a.example/' },
          { text: 'this', href: 'https://a.example/', marks: ['strong'] },
        ),
      ),
    ).toBe('<p><a href="https://a.example/" rel="noopener">see <strong>this</strong></a></p>');
  });

  it.each([
    'javascript:alert(1)',
    ' javascript:alert(1)',
    'data:text/html,x',
    '//evil.example',
    '\\\\evil.example',
  ])('is left out when its address is %j, and its words stay', (href) => {
    expect(html(said({ text: 'words', href }))).toBe('<p>words</p>');
    expect(html({ kind: 'embed', url: href, title: 'words' })).not.toContain('href');
    expect(html({ kind: 'picture', url: href, alt: 'words', caption: '', credit: '' })).not.toContain('href');
  });
});

describe('a picture in a story', () => {
  const words = { alt: 'A ferry', caption: 'The ferry.', credit: 'Art desk' };

  it('of our own keeps its place before it has come', () => {
    const shown = html({ kind: 'picture', pictureId: 'p1', ...words });
    expect(shown).toContain('width="1200" height="800"');
    expect(shown).toContain('loading="lazy"');
    expect(shown).toContain('/media/p1/400.webp 400w, /media/p1/800.webp 800w');
    expect(shown).toContain('alt="A ferry"');
  });

  it('that lies elsewhere is a link, and nothing is fetched from there', () => {
    const shown = html({ kind: 'picture', url: 'https://pictures.example/a.jpg', ...words });
    expect(shown).not.toContain('<img');
    expect(shown).toContain('<a href="https://pictures.example/a.jpg" rel="noopener">The ferry.</a>');
  });
});

describe('the other elements', () => {
  it('set a table in a region that a keyboard can scroll, with columns of figures to the right', () => {
    const cell = (text: string) => [{ text }];
    const shown = html({
      kind: 'table',
      caption: 'Prices',
      head: [cell('Company'), cell('Change')],
      rows: [[cell('Kesar Bank'), cell('−2.4%')]],
    });
    expect(shown).toContain('<section class="table-region" tabindex="0" aria-label="Prices">');
    expect(shown).toContain('<td class="figure-cell">−2.4%</td>');
    expect(shown).toContain('<td>Kesar Bank</td>');
  });

  it('hang a quote’s own mark, and give one to a quote without', () => {
    const quote = (text: string) => html({ kind: 'quote', paragraphs: [[{ text }]] });
    expect(quote('“Late.”')).toContain('<p class="hangs">');
    expect(quote('Late.')).toContain('<p class="marked">');
  });

  it('date a correction', () => {
    expect(html({ kind: 'correction', on: '2026-11-14', text: [{ text: 'It is 8.6 km.' }] })).toContain(
      'Correction, 14 November 2026.',
    );
  });

  it('nest lists', () => {
    const inner: StoryElement = { kind: 'list', ordered: true, items: [{ text: [{ text: 'b' }] }] };
    expect(html({ kind: 'list', ordered: false, items: [{ text: [{ text: 'a' }], list: inner }] })).toBe(
      '<ul><li>a<ol><li>b</li></ol></li></ul>',
    );
  });
});
