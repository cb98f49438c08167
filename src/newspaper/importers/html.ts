import {
  type Cell,
  type List,
  type ListItem,
  MAX_LIST_DEPTH,
  type Mark,
  type Run,
  runsText,
  type StoryElement,
} from '#content';
import { elsewhere, safeLink, siteName, watchPage } from './addresses.ts';
import { Blocks, joinRuns, plainLine, plainRuns, tidyDividers, toLines } from './blocks.ts';
import { parseBounded } from './bounded-tree.ts';
import { cleanText, oneLine } from './clean-text.ts';
import { embeddedAddress, scriptedEmbed } from './html-embeds.ts';
import {
  attribute,
  DROPPED,
  type Element,
  HTML,
  hasClass,
  isElement,
  isLast,
  isText,
  type Parent,
  preformatted,
  textContent,
  WITHIN_A_LINE,
} from './html-tree.ts';
import { textOnly } from './tangled-html.ts';
import { MARK_BITS, PLAIN, type TextStyle } from './text-line.ts';

/** What conversion cannot know from the markup alone. */
export type HtmlOptions = {
  /** The http(s) address the markup came from, to complete relative addresses with. */
  readonly base?: string;
  /** Whether the end of a line was meant to be one, and a blank line to end a paragraph, as in WordPress's classic editor. */
  readonly lineEnds?: 'meant';
};

/**
 * Turns HTML from anywhere into a story's elements. It is read by a parser that follows the WHATWG's rules, and only
 * what is listed here comes out of the walk over its tree: this is the sanitiser, and what it has no word for is gone
 * (scripts, styles, forms, SVG and MathML with their content) or only its text stays (everything else). It accepts
 * any string and never throws; markup that is nested beyond reason loses its structure and keeps its text.
 */
export function htmlToElements(text: string, options: HtmlOptions = {}): StoryElement[] {
  return tidyDividers(stretchToElements(text, options));
}

/** The same for a stretch of a body, whose first or last element may be a divider. */
export function stretchToElements(text: string, options: HtmlOptions = {}): StoryElement[] {
  const source = text.includes('<http') ? text.replace(BRACKETED_ADDRESS, '<a href="$1">$1</a>') : text;
  const tree = parseBounded(source);
  const to = new Blocks();
  if (tree === undefined) textOnly(source, to);
  else walkChildren(tree, to, { ...OUTSIDE, base: options.base, lineEnds: options.lineEnds === 'meant' });
  return to.done();
}

/** `<https://example.com/>`: what Markdown calls an autolink, and HTML takes for a tag. */
const BRACKETED_ADDRESS = /<(https?:\/\/[^\s<>"']+)>/g;

/** Where in the markup the walk is; passed down and never changed. */
type Context = {
  readonly style: TextStyle;
  /** Marks that say nothing here, as bits: bold in a heading. */
  readonly idle: number;
  readonly base: string | undefined;
  /** Whether the end of a line is one. */
  readonly lineEnds: boolean;
  readonly depth: number;
  readonly listLevel: number;
  readonly tableLevel: number;
  /** Takes the words that say whose a quotation is. */
  readonly quote: Attribution | undefined;
  /** Takes the words that stand under a picture. */
  readonly figure: Caption | undefined;
  /** Whether this is within the place of something that a script of another site was to show. */
  readonly isEmbedded: boolean;
};
type Attribution = { words: string };
type Caption = { text: string; credit: string };

const OUTSIDE: Context = {
  style: PLAIN,
  idle: 0,
  base: undefined,
  lineEnds: false,
  depth: 0,
  listLevel: 0,
  tableLevel: 0,
  quote: undefined,
  figure: undefined,
  isEmbedded: false,
};

/** Below this, only the text is taken, without a call for each level. */
const MOST_DEPTH = 2_000;
/** A table inside a table inside a table is somebody's page layout: deeper ones are read as paragraphs. */
const MAX_TABLE_LEVEL = 3;

function walkChildren(parent: Parent, to: Blocks, context: Context): void {
  for (const child of parent.childNodes) {
    if (isText(child)) addText(child.value, to, context);
    else if (isElement(child)) walk(child, to, context);
  }
}

function addText(text: string, to: Blocks, { lineEnds, style }: Context): void {
  const lines = lineEnds ? text.split('\n') : [text];
  for (const [at, line] of lines.entries()) {
    if (at > 0) to.lineBreak();
    if (line.trim() !== '' || at === 0) to.text(line, style);
  }
}

function walk(element: Element, to: Blocks, context: Context): void {
  if (element.namespaceURI !== HTML) return;
  const embed = context.isEmbedded ? undefined : scriptedEmbed(element, context.base);
  if (embed === undefined || embed === null) {
    if (!DROPPED.has(element.tagName))
      read(element, to, embed === null ? { ...context, isEmbedded: true } : context);
    return;
  }
  if (embed.isQuoted) read(element, to, { ...context, isEmbedded: true });
  const url = watchPage(embed.url);
  to.add({ kind: 'embed', url, title: embed.words || siteName(url) });
}

function read(element: Element, to: Blocks, context: Context): void {
  if (context.depth > MOST_DEPTH) {
    to.text(textContent(element), context.style);
    return;
  }
  const below = { ...context, depth: context.depth + 1 };
  const reader = READERS.get(element.tagName);
  if (reader !== undefined) reader(element, to, below);
  else walkChildren(element, to, below);
}

type Reader = (element: Element, to: Blocks, context: Context) => void;

const READERS = new Map<string, Reader>();

function readWith(names: string, reader: Reader): void {
  for (const name of names.split(' ')) READERS.set(name, reader);
}

// ------------------------------------------------------------------------------------------------- inside a line

const MARKED: Readonly<Record<string, Mark>> = {
  b: 'strong',
  strong: 'strong',
  i: 'emphasis',
  em: 'emphasis',
  cite: 'emphasis',
  dfn: 'emphasis',
  var: 'emphasis',
  code: 'code',
  kbd: 'code',
  samp: 'code',
  tt: 'code',
  s: 'strike',
  strike: 'strike',
  del: 'strike',
  sub: 'subscript',
  sup: 'superscript',
};

for (const [name, mark] of Object.entries(MARKED)) {
  readWith(name, (element, to, context) => {
    if (name === 'cite' && context.quote !== undefined && to.atLineStart && isLast(element)) {
      readAttribution(element, to, context);
    } else {
      const style = attribute(element, 'style');
      // Word processors wrap whole documents in <b style="font-weight:normal">.
      const means =
        style !== undefined && /font-(weight|style)\s*:\s*(normal|400)/i.test(style) ? 0 : MARK_BITS[mark];
      walkChildren(element, to, marked(context, means));
    }
  });
}

readWith('span font', (element, to, context) => {
  const style = attribute(element, 'style');
  if (style === undefined || style.length > 1_000) {
    if (hasClass(element, /\b(credit|copyright|photographer)\b/i) && context.figure !== undefined) {
      readCredit(element, to, context);
    } else walkChildren(element, to, context);
    return;
  }
  const bits =
    (/font-weight\s*:\s*(bold|[6-9]00)/i.test(style) ? MARK_BITS.strong : 0) |
    (/font-style\s*:\s*(italic|oblique)/i.test(style) ? MARK_BITS.emphasis : 0) |
    (/line-through/i.test(style) ? MARK_BITS.strike : 0);
  walkChildren(element, to, marked(context, bits));
});

function marked(context: Context, bits: number): Context {
  const marks = context.style.marks | (bits & ~context.idle);
  return marks === context.style.marks ? context : { ...context, style: { marks, href: context.style.href } };
}

readWith('a', (element, to, context) => {
  const raw = attribute(element, 'href');
  // The way back from a footnote leads nowhere once the page is in pieces.
  if (raw?.startsWith('#') && /^(?:\s|\u21a9|\u2191|\u21b5|\ufe0e|\^)*$/.test(textContent(element))) return;
  const href = raw === undefined ? context.style.href : safeLink(raw, context.base);
  walkChildren(element, to, { ...context, style: { marks: context.style.marks, href } });
});

readWith('br', (_, to) => to.lineBreak());
readWith('wbr', () => undefined);

readWith('q', (element, to, context) => {
  to.text('“', context.style);
  walkChildren(element, to, context);
  to.text('”', context.style);
});

// ------------------------------------------------------------------------------------------------ paragraphs

readWith(
  'p div section article main header footer aside nav address center form fieldset legend details hgroup dialog ' +
    'search dl dd menu dir marquee tr td th caption tbody thead tfoot body html li figcaption',
  (element, to, context) => {
    to.endBlock();
    if (context.quote !== undefined && element.tagName === 'footer') readAttribution(element, to, context);
    else if (context.figure !== undefined && isCaption(element)) readCaption(element, to, context);
    else if (isFigure(element)) readFigure(element, to, context);
    else walkChildren(element, to, context);
    to.endBlock();
  },
);

readWith('dt summary', (element, to, context) => {
  to.endBlock();
  walkChildren(element, to, marked(context, MARK_BITS.strong));
  to.endBlock();
});

readWith('hr', (_, to) => to.add({ kind: 'divider' }));

readWith('pre listing xmp plaintext', (element, to) => {
  const text = cleanText(preformatted(element))
    .replace(/\r\n?/g, '\n')
    .replace(/^(?:[ \t]*\n)+|\s+$/g, '');
  if (text === '') to.endBlock();
  else to.add({ kind: 'preformatted', text });
});

for (const [name, level] of [
  ['h1', 2],
  ['h2', 2],
  ['h3', 3],
  ['h4', 4],
  ['h5', 4],
  ['h6', 4],
] as const) {
  readWith(name, (element, to, context) => {
    const inner = new Blocks();
    walkChildren(element, inner, { ...context, idle: context.idle | MARK_BITS.strong });
    const { lines, rest } = toLines(inner.done());
    const text = joinRuns(lines, ' ').map((run) => ({ ...run, text: run.text.replaceAll('\n', ' ') }));
    to.endBlock();
    if (text.length > 0) to.add({ kind: 'heading', level, text });
    to.addAll(rest);
  });
}

// ------------------------------------------------------------------------------------------------ quotations

readWith('blockquote', (element, to, context) => {
  to.endBlock();
  if (context.quote !== undefined) {
    walkChildren(element, to, context);
    to.endBlock();
    return;
  }
  const attribution: Attribution = { words: '' };
  const inner = new Blocks();
  walkChildren(element, inner, { ...context, quote: attribution });
  to.addAll(quotes(inner.done(), attribution.words));
});

/** One quotation, or several where pictures and the like stand between. */
function quotes(elements: readonly StoryElement[], words: string): StoryElement[] {
  const quotes: StoryElement[] = [];
  let paragraphs: Run[][] = [];
  for (const one of elements) {
    const { lines, rest } = toLines([one]);
    for (const line of lines) paragraphs.push(line);
    for (const other of rest) {
      if (paragraphs.length > 0) quotes.push({ kind: 'quote', paragraphs });
      paragraphs = [];
      quotes.push(other);
    }
  }
  let attribution = words;
  const last = paragraphs.at(-1);
  if (attribution === '' && last !== undefined && paragraphs.length > 1) {
    attribution = runsText(last).match(/^(?:[—–―]|--)\s*([^\n]{1,200})$/)?.[1] ?? '';
    if (attribution !== '') paragraphs.pop();
  }
  if (paragraphs.length > 0) {
    quotes.push(
      attribution === '' ? { kind: 'quote', paragraphs } : { kind: 'quote', paragraphs, attribution },
    );
  } else if (attribution !== '') quotes.push({ kind: 'paragraph', text: plainRuns(attribution) });
  return quotes;
}

function readAttribution(element: Element, to: Blocks, context: Context): void {
  const { quote } = context;
  const inner = new Blocks();
  walkChildren(element, inner, { ...context, quote: undefined });
  const { lines, rest } = toLines(inner.done());
  const words = plainLine(lines).replace(/^(?:[—–―]|--)\s*/, '');
  if (quote !== undefined) quote.words = [quote.words, words].filter((some) => some !== '').join(', ');
  to.addAll(rest);
}

// ---------------------------------------------------------------------------------------------------- lists

readWith('ul ol', (element, to, context) => {
  to.endBlock();
  // Deeper lists are read as lines of the item they stand in.
  if (context.listLevel >= MAX_LIST_DEPTH) walkChildren(element, to, context);
  else readList(element, to, { ...context, listLevel: context.listLevel + 1 });
  to.endBlock();
});

function readList(element: Element, to: Blocks, context: Context): void {
  const items: ListItem[] = [];
  const beside: StoryElement[] = [];
  let loose = new Blocks();
  for (const child of element.childNodes) {
    if (isElement(child) && child.tagName === 'li') {
      addItem(items, loose.done(), beside);
      loose = new Blocks();
      const inner = new Blocks();
      walkChildren(child, inner, context);
      addItem(items, inner.done(), beside);
    } else if (isElement(child)) walk(child, loose, context);
    else if (isText(child)) loose.text(child.value, context.style);
  }
  addItem(items, loose.done(), beside);
  if (items.length > 0) to.add({ kind: 'list', ordered: element.tagName === 'ol', items });
  // A list holds text; pictures in it come behind it.
  to.addAll(beside);
}

function addItem(items: ListItem[], elements: readonly StoryElement[], beside: StoryElement[]): void {
  if (elements.length === 0) return;
  const own: StoryElement[] = [];
  let inside: List | undefined;
  for (const one of elements) {
    if (one.kind === 'list')
      inside = inside === undefined ? one : { ...inside, items: inside.items.concat(one.items) };
    else if (one.kind === 'table') beside.push(one);
    else own.push(one);
  }
  const { lines, rest } = toLines(own);
  for (const one of rest) if (one.kind !== 'divider') beside.push(one);
  const text = joinRuns(lines, '\n');
  const last = items.at(-1);
  if (text.length === 0 && inside !== undefined && last !== undefined && last.list === undefined) {
    // <ul><li>…</li><ul>…</ul></ul>: the inner list belongs to the item before it.
    items[items.length - 1] = { ...last, list: inside };
  } else if (text.length > 0 || inside !== undefined) {
    items.push(inside === undefined ? { text } : { text, list: inside });
  }
}

// --------------------------------------------------------------------------------------------------- tables

type RawCell = { readonly isHeader: boolean; readonly elements: readonly StoryElement[] };
type RawRow = { readonly isHead: boolean; readonly cells: readonly RawCell[] };

readWith('table', (element, to, context) => {
  to.endBlock();
  if (context.tableLevel >= MAX_TABLE_LEVEL) {
    walkChildren(element, to, context);
    to.endBlock();
    return;
  }
  const inside = { ...context, tableLevel: context.tableLevel + 1, listLevel: 0 };
  const captions: Run[][] = [];
  const rows: RawRow[] = [];
  for (const part of element.childNodes) {
    if (!isElement(part)) continue;
    if (part.tagName === 'caption') {
      const inner = new Blocks();
      walkChildren(part, inner, inside);
      const { lines, rest } = toLines(inner.done());
      for (const line of lines) captions.push(line);
      to.addAll(rest);
    } else if (part.tagName === 'tbody' || part.tagName === 'thead' || part.tagName === 'tfoot') {
      for (const row of part.childNodes) {
        if (isElement(row) && row.tagName === 'tr') rows.push(readRow(row, part.tagName === 'thead', inside));
      }
    }
  }
  if (isLayout(rows)) {
    to.addAll(captions.map((text) => ({ kind: 'paragraph', text })));
    for (const row of rows) for (const cell of row.cells) to.addAll(cell.elements);
  } else addTable(plainLine(captions), rows, to);
});

function readRow(row: Element, isHead: boolean, context: Context): RawRow {
  const cells: RawCell[] = [];
  for (const cell of row.childNodes) {
    if (!isElement(cell) || (cell.tagName !== 'td' && cell.tagName !== 'th')) continue;
    const inner = new Blocks();
    const isHeader = cell.tagName === 'th';
    walkChildren(cell, inner, isHeader ? { ...context, idle: context.idle | MARK_BITS.strong } : context);
    cells.push({ isHeader, elements: inner.done() });
  }
  return { isHead, cells };
}

/** Whether a table only puts things beside each other, as pages did before style sheets could. */
function isLayout(rows: readonly RawRow[]): boolean {
  const filled = rows.map((row) => row.cells.filter((cell) => cell.elements.length > 0).length);
  const columns = filled.reduce((most, cells) => Math.max(most, cells), 0);
  if (columns <= 1) return true;
  const cells = rows.flatMap((row) => row.cells);
  if (cells.some((cell) => cell.isHeader)) return false;
  return cells.some(
    ({ elements }) =>
      elements.some(
        (one) =>
          one.kind === 'table' || one.kind === 'heading' || one.kind === 'quote' || one.kind === 'embed',
      ) ||
      elements.length > 12 ||
      (columns === 2 && elements.some((one) => one.kind === 'picture' && one.url !== undefined)),
  );
}

function addTable(caption: string, raw: readonly RawRow[], to: Blocks): void {
  const rows = raw.filter((row) => row.cells.some((cell) => cell.elements.length > 0));
  const [first] = rows;
  const hasHead =
    first !== undefined && (first.isHead || first.cells.every((cell) => cell.isHeader)) && rows.length > 1;
  const cells = rows.map((row) => row.cells.map((cell) => toCell(cell.elements)));
  to.add({
    kind: 'table',
    caption,
    head: hasHead ? (cells[0] ?? []) : [],
    rows: hasHead ? cells.slice(1) : cells,
  });
}

function toCell(elements: readonly StoryElement[]): Cell {
  const { lines, rest } = toLines(elements);
  for (const one of rest) {
    if (one.kind === 'embed') lines.push([{ text: one.title, href: one.url }]);
    if (one.kind !== 'picture') continue;
    const text = one.alt || one.caption;
    if (text !== '') lines.push([one.url === undefined ? { text } : { text, href: one.url }]);
  }
  return joinRuns(lines, '\n');
}

// ------------------------------------------------------------------------------------------------- pictures

readWith('img image', (element, to, context) => {
  const alt = oneLine(attribute(element, 'alt') ?? '');
  const size = longerSide(element);
  // A counting pixel, or a small sign in the middle of a sentence.
  if (size <= 2) return;
  const link = context.style.href;
  const leadsOn = link !== undefined && !IMAGE_FILE.test(link);
  if (size <= 24 || (context.tableLevel > 0 && leadsOn)) {
    to.text(alt, context.style);
    return;
  }
  const url =
    pictureSource(element, context.base) ??
    (link === undefined || leadsOn ? undefined : elsewhere(link, context.base));
  if (url === undefined && alt === '') return;
  // Nothing to show in the middle of a sentence: the words that stood for it remain.
  if (url === undefined && !to.atLineStart && isFollowed(element)) {
    to.text(` ${alt} `, context.style);
    return;
  }
  const words = { alt, caption: '', credit: '' };
  to.add(url === undefined ? { kind: 'picture', ...words } : { kind: 'picture', url, ...words });
});

const IMAGE_FILE = /\.(?:jpe?g|png|gif|webp|avif|tiff?|bmp)(?:$|[?#])/i;

/** The longer of the sides that are given in pixels; Infinity where none is. */
function longerSide(element: Element): number {
  const sides = ['width', 'height']
    .map((name) => attribute(element, name))
    .filter((side) => side !== undefined && /^\s*\d+(?:px)?\s*$/.test(side))
    .map((side) => Number.parseInt(side ?? '', 10));
  return sides.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...sides);
}

/** Whether something goes on behind an element, on the same line as far as the tags around it tell. */
function isFollowed(element: Element): boolean {
  let one = element;
  while (isLast(one)) {
    const parent = one.parentNode;
    if (parent === null || !('tagName' in parent) || !WITHIN_A_LINE.has(parent.tagName)) return false;
    one = parent;
  }
  return true;
}

/** Pages that load pictures late keep the address elsewhere and put a placeholder in `src`. */
function pictureSource(element: Element, base: string | undefined): string | undefined {
  for (const name of ['src', 'data-src', 'data-lazy-src', 'data-original']) {
    const raw = attribute(element, name);
    const url = raw === undefined ? undefined : (elsewhere(raw, base) ?? ownPicture(raw, base));
    if (url !== undefined) return url;
  }
  return undefined;
}

/** A picture of the site itself, by its path, where nobody says which site that is. */
function ownPicture(raw: string, base: string | undefined): string | undefined {
  const path = base === undefined ? safeLink(raw) : undefined;
  return path?.startsWith('/') ? path : undefined;
}

readWith('figure', readFigure);

function readFigure(element: Element, to: Blocks, context: Context): void {
  const caption: Caption = { text: '', credit: '' };
  const inner = new Blocks();
  walkChildren(element, inner, { ...context, figure: caption });
  to.addAll(captioned(inner.done(), caption));
}

function isFigure(element: Element): boolean {
  return (
    (element.tagName === 'div' || element.tagName === 'dl') && hasClass(element, /(?:^|\s)wp-caption(?:\s|$)/)
  );
}

function isCaption(element: Element): boolean {
  return (
    element.tagName === 'figcaption' || hasClass(element, /(?:^|\s)(?:wp-caption-text|wp-caption-dd)(?:\s|$)/)
  );
}

function readCaption(element: Element, to: Blocks, context: Context): void {
  const { figure } = context;
  if (figure === undefined) return;
  const inner = new Blocks();
  walkChildren(element, inner, context);
  const { lines, rest } = toLines(inner.done());
  figure.text = oneLine(`${figure.text} ${plainLine(lines)}`);
  to.addAll(rest);
}

readWith('small', (element, to, context) => {
  if (context.figure !== undefined && hasClass(element, /credit|copyright|source/i))
    readCredit(element, to, context);
  else walkChildren(element, to, context);
});

function readCredit(element: Element, to: Blocks, context: Context): void {
  const { figure } = context;
  if (figure === undefined) return;
  const inner = new Blocks();
  walkChildren(element, inner, { ...context, figure: undefined });
  const { lines, rest } = toLines(inner.done());
  figure.credit = oneLine(`${figure.credit} ${plainLine(lines)}`);
  to.addAll(rest);
}

/** Gives the words under a figure to what they are about. */
function captioned(elements: StoryElement[], { text, credit }: Caption): StoryElement[] {
  if (text === '' && credit === '') return elements;
  const at = elements.findLastIndex((one) => one.kind === 'picture');
  const picture = elements[at];
  if (picture?.kind === 'picture' && picture.caption === '') {
    return elements.with(at, { ...picture, caption: text, credit: credit || picture.credit });
  }
  const words = [text, credit].filter((some) => some !== '').join(' ');
  const [only] = elements;
  if (elements.length === 1 && only?.kind === 'table' && only.caption === '')
    return [{ ...only, caption: words }];
  if (elements.length === 1 && only?.kind === 'quote' && only.attribution === undefined) {
    return [{ ...only, attribution: words }];
  }
  if (elements.length === 1 && only?.kind === 'embed' && only.title === siteName(only.url)) {
    return [{ ...only, title: words }];
  }
  return [...elements, { kind: 'paragraph', text: plainRuns(words) }];
}

// --------------------------------------------------------------------------------- things of other sites

readWith('iframe embed oembed video audio object', (element, to, context) => {
  to.endBlock();
  if (longerSide(element) <= 2) return;
  const url = embeddedAddress(element, context.base);
  if (url === undefined) return;
  const title = oneLine(attribute(element, 'title') ?? attribute(element, 'aria-label') ?? '');
  to.add({ kind: 'embed', url: watchPage(url), title: title || siteName(watchPage(url)) });
});
