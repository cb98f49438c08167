import type { Cell, List, Mark, Run, StoryElement } from './elements.ts';

const TAGS: Readonly<Record<Mark, string>> = {
  strong: 'strong',
  emphasis: 'em',
  code: 'code',
  strike: 's',
  subscript: 'sub',
  superscript: 'sup',
};
const SIGNS: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/**
 * A body as plain HTML, without classes or scripts, for programs that know no elements. Pictures of ours are named by an
 * address that `addressOf` gives; the others by their own.
 */
export function elementsToHtml(
  elements: readonly StoryElement[],
  addressOf: (pictureId: string) => string,
): string {
  return elements.map((one) => elementHtml(one, addressOf)).join('\n');
}

function elementHtml(element: StoryElement, addressOf: (pictureId: string) => string): string {
  switch (element.kind) {
    case 'paragraph':
      return `<p>${runsHtml(element.text)}</p>`;
    case 'heading':
      return `<h${element.level}>${runsHtml(element.text)}</h${element.level}>`;
    case 'list':
      return listHtml(element);
    case 'quote': {
      const words = element.paragraphs.map((one) => `<p>${runsHtml(one)}</p>`).join('');
      const whose =
        element.attribution === undefined ? '' : `<footer>${escaped(element.attribution)}</footer>`;
      return `<blockquote>${words}${whose}</blockquote>`;
    }
    case 'picture': {
      const src = element.pictureId === undefined ? (element.url ?? '') : addressOf(element.pictureId);
      const words = [
        escaped(element.caption),
        element.credit === '' ? '' : `<small class="credit">${escaped(element.credit)}</small>`,
      ].filter((some) => some !== '');
      const caption = words.length === 0 ? '' : `<figcaption>${words.join(' ')}</figcaption>`;
      return `<figure><img src="${escaped(src)}" alt="${escaped(element.alt)}">${caption}</figure>`;
    }
    case 'table': {
      const caption = element.caption === '' ? '' : `<caption>${escaped(element.caption)}</caption>`;
      const head = element.head.length === 0 ? '' : `<thead>${rowHtml(element.head, 'th')}</thead>`;
      return `<table>${caption}${head}<tbody>${element.rows.map((row) => rowHtml(row, 'td')).join('')}</tbody></table>`;
    }
    case 'embed':
      return `<p><a href="${escaped(element.url)}">${escaped(element.title)}</a></p>`;
    case 'preformatted':
      return `<pre>${escaped(element.text)}</pre>`;
    case 'divider':
      return '<hr>';
    case 'correction':
      return `<p><strong>Correction, ${escaped(element.on)}:</strong> ${runsHtml(element.text)}</p>`;
  }
}

function listHtml(list: List): string {
  const tag = list.ordered ? 'ol' : 'ul';
  const items = list.items.map(
    (item) => `<li>${runsHtml(item.text)}${item.list === undefined ? '' : listHtml(item.list)}</li>`,
  );
  return `<${tag}>${items.join('')}</${tag}>`;
}

function rowHtml(cells: readonly Cell[], tag: 'td' | 'th'): string {
  return `<tr>${cells.map((cell) => `<${tag}>${runsHtml(cell)}</${tag}>`).join('')}</tr>`;
}

function runsHtml(runs: readonly Run[]): string {
  return runs
    .map(({ href, marks = [], text }) => {
      const words = escaped(text).replaceAll('\n', '<br>');
      const marked = marks.reduce((inside, mark) => `<${TAGS[mark]}>${inside}</${TAGS[mark]}>`, words);
      return href === undefined ? marked : `<a href="${escaped(href)}">${marked}</a>`;
    })
    .join('');
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => SIGNS[sign] ?? sign);
}
