import { z } from 'zod';

/**
 * A story's body is a tree of these elements and never a string of HTML: what is not listed here cannot stand in a
 * story, so nothing has to be filtered out of it later. A new kind does not compile until every place handles it.
 */
export type StoryElement =
  | Paragraph
  | Heading
  | List
  | Quote
  | PictureElement
  | Table
  | Embed
  | Preformatted
  | Divider
  | Correction;

/** A run of text with the marks that hold for all of it. A line break is `\n`. */
export type Run = { readonly text: string; readonly marks?: readonly Mark[]; readonly href?: string };
export type Mark = 'strong' | 'emphasis' | 'code' | 'strike' | 'subscript' | 'superscript';

export type Paragraph = { readonly kind: 'paragraph'; readonly text: readonly Run[] };
/** Level 2 is the largest inside a story: level 1 is the headline. */
export type Heading = { readonly kind: 'heading'; readonly level: 2 | 3 | 4; readonly text: readonly Run[] };
export type List = { readonly kind: 'list'; readonly ordered: boolean; readonly items: readonly ListItem[] };
/** One item; a list inside it is one level deeper, as deep as a reader can follow (see MAX_LIST_DEPTH). */
export type ListItem = { readonly text: readonly Run[]; readonly list?: List };
export type Quote = {
  readonly kind: 'quote';
  readonly paragraphs: readonly (readonly Run[])[];
  readonly attribution?: string;
};
/**
 * A picture of our own by id, or one that still lies elsewhere (from an import), which is shown as a link; or, with
 * neither, one whose address was lost with the old site, of which the words remain.
 */
export type PictureElement = {
  readonly kind: 'picture';
  readonly pictureId?: string;
  readonly url?: string;
  readonly alt: string;
  readonly caption: string;
  readonly credit: string;
};
export type Table = {
  readonly kind: 'table';
  readonly caption: string;
  readonly head: readonly Cell[];
  readonly rows: readonly (readonly Cell[])[];
};
export type Cell = readonly Run[];
/** Something of another site. Nothing is loaded from there: it is shown as a card that links to it. */
export type Embed = { readonly kind: 'embed'; readonly url: string; readonly title: string };
export type Preformatted = { readonly kind: 'preformatted'; readonly text: string };
export type Divider = { readonly kind: 'divider' };
/** What the paper got wrong and put right, with the day it did (an ISO date in the paper's zone). */
export type Correction = { readonly kind: 'correction'; readonly on: string; readonly text: readonly Run[] };

/** Lists deeper than this are flattened: beyond it a phone has no room to indent. */
export const MAX_LIST_DEPTH = 4;

const MARKS = ['strong', 'emphasis', 'code', 'strike', 'subscript', 'superscript'] as const;

const run = z.object({
  text: z.string().min(1),
  marks: z.array(z.enum(MARKS)).nonempty().exactOptional(),
  href: z.string().refine(isSafeHref).exactOptional(),
});
const text = z.array(run);
const listItem: z.ZodType<ListItem> = z.lazy(() => z.object({ text, list: list.exactOptional() }));
const list: z.ZodType<List> = z.lazy(() =>
  z.object({ kind: z.literal('list'), ordered: z.boolean(), items: z.array(listItem) }),
);

/** One for each kind: a kind without a schema does not compile. */
const SCHEMAS: { readonly [Kind in StoryElement['kind']]: z.ZodType<Extract<StoryElement, { kind: Kind }>> } =
  {
    paragraph: z.object({ kind: z.literal('paragraph'), text }),
    heading: z.object({
      kind: z.literal('heading'),
      level: z.union([z.literal(2), z.literal(3), z.literal(4)]),
      text,
    }),
    list,
    quote: z.object({
      kind: z.literal('quote'),
      paragraphs: z.array(text),
      attribution: z.string().exactOptional(),
    }),
    picture: z.object({
      kind: z.literal('picture'),
      pictureId: z.string().exactOptional(),
      url: z.string().refine(isSafeHref).exactOptional(),
      alt: z.string(),
      caption: z.string(),
      credit: z.string(),
    }),
    table: z.object({
      kind: z.literal('table'),
      caption: z.string(),
      head: z.array(text),
      rows: z.array(z.array(text)),
    }),
    embed: z.object({ kind: z.literal('embed'), url: z.string().refine(isSafeHref), title: z.string() }),
    preformatted: z.object({ kind: z.literal('preformatted'), text: z.string() }),
    divider: z.object({ kind: z.literal('divider') }),
    correction: z.object({ kind: z.literal('correction'), on: z.iso.date(), text }),
  };

/** A whole body as it is read back from storage: a tree that does not fit is an error, and is never shown in part. */
export const elementsSchema: z.ZodType<StoryElement[]> = z.array(z.union(Object.values(SCHEMAS)));

/**
 * Whether an address may stand in a story: http, https and mailto, or a place on this site. Scripts, data and files
 * are refused, whatever white space or control characters are put around them.
 */
export function isSafeHref(href: string): boolean {
  // Browsers drop these before they read the scheme, so they are refused rather than interpreted.
  for (let i = 0; i < href.length; i++) {
    const code = href.charCodeAt(i);
    if (code <= 0x20 || code === 0x7f || code === 0x5c) return false;
  }
  if (href.startsWith('//')) return false;
  if (href.startsWith('/') || href.startsWith('#')) return true;
  return /^(https?:\/\/[^/]|mailto:[^@]+@)/i.test(href);
}

/** Whether a picture among these lies elsewhere still. */
export function hasPictureElsewhere(elements: readonly StoryElement[]): boolean {
  return elements.some(
    (one) => one.kind === 'picture' && one.pictureId === undefined && one.url !== undefined,
  );
}

/** The plain words of some runs. */
export function runsText(runs: readonly Run[]): string {
  const [first] = runs;
  // Most paragraphs are one run, whose text need not be copied.
  if (first !== undefined && runs.length === 1) return first.text;
  return runs.map((one) => one.text).join('');
}

/** The plain words of an element, one line for each of its parts: for counting, for search and for the leak check. */
export function elementText(element: StoryElement): string {
  switch (element.kind) {
    case 'paragraph':
    case 'heading':
    case 'correction':
      return runsText(element.text);
    case 'list':
      return listText(element);
    case 'quote':
      return [...element.paragraphs.map(runsText), element.attribution ?? ''].filter(Boolean).join('\n');
    case 'picture':
      return [element.alt, element.caption, element.credit].filter(Boolean).join('\n');
    case 'table':
      return [element.caption, ...[element.head, ...element.rows].map((row) => row.map(runsText).join('\t'))]
        .filter(Boolean)
        .join('\n');
    case 'embed':
      return element.title;
    case 'preformatted':
      return element.text;
    case 'divider':
      return '';
  }
}

function listText(list: List): string {
  return list.items
    .map((item) => (item.list ? `${runsText(item.text)}\n${listText(item.list)}` : runsText(item.text)))
    .join('\n');
}

/** Scripts that put no spaces between words: each of their letters counts as one, or a page would be one word. */
const UNSPACED =
  '\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmer}\\p{sc=Myanmar}';
/** A word, in any other script: a letter or digit and what is joined to it. */
const WORD = new RegExp(
  `[${UNSPACED}]|[[\\p{L}\\p{N}]--[${UNSPACED}]][[\\p{L}\\p{N}\\p{M}'’\\-]--[${UNSPACED}]]*`,
  'gv',
);

/**
 * How many words a body has: runs of letters and digits, in any script.
 *
 * @param enough stops counting in the element that reaches this many, where the caller asks for no more
 */
export function countWords(elements: readonly StoryElement[], enough = Number.POSITIVE_INFINITY): number {
  let words = 0;
  for (const one of elements) {
    words += countWordsIn(elementText(one));
    if (words >= enough) break;
  }
  return words;
}

/**
 * Counts what WORD would find, unit by unit: an import counts every body, and finding the words with an expression
 * took three times as long, a twelfth of the whole import.
 */
function countWordsIn(text: string): number {
  wordParts ??= makeWordParts();
  let words = 0;
  let isInWord = false;
  for (let at = 0; at < text.length; at++) {
    const part = wordParts[text.charCodeAt(at)];
    if (part === BEGINS) {
      if (!isInWord) words++;
      isInWord = true;
    } else if (part !== CONTINUES) {
      if (part === HALF_A_PAIR) return text.match(WORD)?.length ?? 0;
      if (part === WHOLE) words++;
      isInWord = false;
    }
  }
  return words;
}

const BEGINS = 1;
const CONTINUES = 2;
/** A letter of a script without spaces. */
const WHOLE = 3;
/** Rare letters and pictographs are written with two units: texts that have any are left to WORD. */
const HALF_A_PAIR = 4;
/** What each UTF-16 code unit does to a word; 0 ends it. Made when first needed: most processes never count. */
let wordParts: Uint8Array | undefined;

function makeWordParts(): Uint8Array {
  const unspaced = new RegExp(`[${UNSPACED}]`, 'v');
  const parts = new Uint8Array(0x10000);
  for (let unit = 0; unit < parts.length; unit++) {
    const character = String.fromCharCode(unit);
    if (unit >= 0xd800 && unit < 0xe000) parts[unit] = HALF_A_PAIR;
    else if (unspaced.test(character)) parts[unit] = WHOLE;
    else if (/[\p{L}\p{N}]/u.test(character)) parts[unit] = BEGINS;
    else if (/[\p{M}'’-]/u.test(character)) parts[unit] = CONTINUES;
  }
  return parts;
}

/** The most words a preview takes from a body that brings none of its own. */
const PREVIEW_WORDS = 120;

/**
 * What is shown before the wall when the newsroom wrote no preview: the first two paragraphs, cut when the story is
 * published and stored (never at reading). A paragraph that would carry the preview past PREVIEW_WORDS is left out,
 * unless it is the first, which is cut at a sentence or, failing that, between words; and the preview never takes
 * more than half of the body's words, so that a wall always has something behind it.
 *
 * @param bodyWords how many words the body has, where that is known
 */
export function cutPreview(
  body: readonly StoryElement[],
  bodyWords = countWords(body, 2 * PREVIEW_WORDS),
): StoryElement[] {
  const most = Math.min(PREVIEW_WORDS, Math.floor(bodyWords / 2));
  const preview: StoryElement[] = [];
  let words = 0;
  for (const one of body) {
    if (one.kind !== 'paragraph') continue;
    const more = countWords([one]);
    if (words + more <= most) {
      preview.push(one);
      words += more;
    } else if (preview.length === 0) {
      const beginning = cutText(runsText(one.text), most);
      if (beginning !== '') preview.push({ kind: 'paragraph', text: [{ text: beginning }] });
      return preview;
    } else return preview;
    if (preview.length === 2) return preview;
  }
  if (preview.length > 0) return preview;
  // A body of lists or quotes alone: its first words, as a paragraph.
  const first = body.find(
    (one) => one.kind === 'list' || one.kind === 'quote' || one.kind === 'preformatted',
  );
  const beginning = first === undefined ? '' : cutText(elementText(first), most);
  return beginning === '' ? [] : [{ kind: 'paragraph', text: [{ text: beginning }] }];
}

/** The beginning of a text, at most so many words long, to the end of a sentence where one ends in its second half. */
function cutText(text: string, most: number): string {
  const last = [...text.matchAll(WORD)][most - 1];
  if (last === undefined) return '';
  const beginning = text.slice(0, last.index + last[0].length);
  const sentence = `${beginning}${text.slice(beginning.length).match(/^[.!?।。！？]+/u)?.[0] ?? ''}`.match(
    /^[\s\S]*[.!?।。！？](?=\s|$)/u,
  )?.[0];
  if (sentence !== undefined && sentence.length > beginning.length / 2) return sentence;
  return `${beginning} …`;
}
