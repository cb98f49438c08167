import { z } from 'zod';
import type { StoryElement } from '#content';
import { parseJson } from '#values/json';
import { tidyDividers } from './blocks.ts';
import { escapeHtml } from './escape-html.ts';
import { CUT, readCard, type Stretch } from './ghost-cards.ts';
import { type GhostRecord, isRecord } from './ghost-reader.ts';
import { type HtmlOptions, stretchToElements } from './html.ts';
import { markdownToHtml } from './markdown.ts';

/** A body as Ghost keeps it, in the way of whichever editor wrote it. */
export type GhostBody = {
  readonly lexical: string;
  readonly mobiledoc: string;
  readonly html: string;
  readonly markdown: string;
};

/** A body, and what of it everybody may read where Ghost was told: before the place that only members pass. */
export type ReadBody = {
  readonly body: readonly StoryElement[];
  readonly preview: readonly StoryElement[] | undefined;
};

/**
 * Reads the body of a post of Ghost: as its newer editor kept it (Lexical), or its older one (mobiledoc), or else the HTML
 * that was made of it, or the Markdown of its beginnings.
 *
 * @param left is told what of it has no place here
 */
export function readGhostBody(
  given: GhostBody,
  options: HtmlOptions,
  left: (what: string) => void,
): ReadBody {
  const stretches = stretchesOf(given, left);
  const cut = stretches.indexOf(CUT);
  return {
    body: convert(stretches, options),
    preview: cut === -1 ? undefined : convert(stretches.slice(0, cut), options),
  };
}

/** What somebody wrote as HTML is read apart, so that a tag or comment which is never closed takes nothing else with it. */
function convert(stretches: readonly Stretch[], options: HtmlOptions): StoryElement[] {
  const elements: StoryElement[] = [];
  let own = '';
  const add = (html: string) => {
    if (html !== '') for (const one of stretchToElements(html, options)) elements.push(one);
  };
  for (const one of stretches) {
    if (typeof one === 'string') own += one;
    else if (one !== CUT) {
      add(own);
      own = '';
      add(one.raw);
    }
  }
  add(own);
  return tidyDividers(elements);
}

/** Where only members read on, in HTML that Ghost made; it may stand in an HTML or Markdown card too. */
const CUT_IN_HTML = '<!--members-only-->';

/** Whether a body says where only members read on. */
export function hasCut(given: GhostBody): boolean {
  return [given.lexical, given.mobiledoc, given.html].some(
    (one) => one.includes('"paywall"') || one.includes(CUT_IN_HTML),
  );
}

function stretchesOf(given: GhostBody, left: (what: string) => void): Stretch[] {
  const stretches = fromLexical(given.lexical, left) ??
    fromMobiledoc(given.mobiledoc, left) ?? [
      { raw: given.html === '' ? markdownToHtml(given.markdown) : given.html },
    ];
  return stretches.flatMap((one) => {
    if (one === CUT || typeof one === 'string' || !one.raw.includes(CUT_IN_HTML)) return [one];
    const [before = '', ...after] = one.raw.split(CUT_IN_HTML);
    return [{ raw: before }, CUT, { raw: after.join('') }];
  });
}

// ------------------------------------------------------------------------------------------------------- Lexical

/** A part of a document; what it says of itself may be anything. */
type Node = GhostRecord;

/** What a run of text looks like, as bits of its `format`. */
const FORMATS: readonly (readonly [bit: number, tag: string])[] = [
  [1, 'strong'],
  [2, 'em'],
  [4, 's'],
  [16, 'code'],
  [32, 'sub'],
  [64, 'sup'],
];
/** Deeper than any editor nests. */
const MOST_DEPTH = 50;

function fromLexical(lexical: string, left: (what: string) => void): Stretch[] | undefined {
  const document = parse(lexical);
  const root = isRecord(document) && isRecord(document.root) ? document.root : undefined;
  if (root === undefined || !Array.isArray(root.children)) return undefined;
  return root.children.flatMap((one: unknown) => lexicalBlock(one, left));
}

/** The tag of a block of text; nothing for what is a card. */
function tagOf(name: string, { listType, tag }: Node): string | undefined {
  switch (name) {
    case 'paragraph':
      return 'p';
    case 'quote':
    case 'aside':
      return 'blockquote';
    case 'heading':
      return typeof tag === 'string' && /^h[1-6]$/.test(tag) ? tag : 'h3';
    case 'list':
      return listType === 'number' || tag === 'ol' ? 'ol' : 'ul';
    default:
      return undefined;
  }
}

function lexicalBlock(given: unknown, left: (what: string) => void): Stretch[] {
  if (!isRecord(given)) return [];
  const name = nameOf(given);
  const tag = tagOf(name, given);
  if (tag === undefined) return readCard(name, given, left);
  return [`<${tag}>${lexicalInline(given, 0)}</${tag}>`];
}

function lexicalInline({ children }: Node, depth: number): string {
  if (!Array.isArray(children) || depth > MOST_DEPTH) return '';
  return children.map((child: unknown) => lexicalPart(child, depth + 1)).join('');
}

function lexicalPart(given: unknown, depth: number): string {
  if (!isRecord(given)) return '';
  const { format, text, url } = given;
  switch (nameOf(given)) {
    case 'text':
    case 'code-highlight':
    case 'tk':
      return formatted(typeof text === 'string' ? text : '', typeof format === 'number' ? format : 0);
    case 'linebreak':
      return '<br>';
    case 'tab':
      return ' ';
    case 'link':
    case 'autolink':
      return `<a href="${escapeHtml(typeof url === 'string' ? url : '')}">${lexicalInline(given, depth)}</a>`;
    case 'list': {
      const tag = tagOf('list', given);
      return `<${tag}>${lexicalInline(given, depth)}</${tag}>`;
    }
    case 'listitem':
      return `<li>${lexicalInline(given, depth)}</li>`;
    default:
      return lexicalInline(given, depth);
  }
}

/** What kind of part it is; those that Ghost made more of have another name. */
function nameOf({ type }: Node): string {
  return typeof type === 'string' ? type.replace(/^extended-/, '') : '';
}

function formatted(text: string, format: number): string {
  return FORMATS.reduce(
    (inside, [bit, tag]) => ((format & bit) === 0 ? inside : `<${tag}>${inside}</${tag}>`),
    escapeHtml(text),
  );
}

// ----------------------------------------------------------------------------------------------------- mobiledoc

/** Mobiledoc 0.3: sections of markers, which open and close markups; cards and atoms are named by their numbers. */
const mobiledoc = z.object({
  version: z.string().regex(/^0\.3/),
  markups: z.array(z.array(z.unknown())).catch([]),
  atoms: z.array(z.array(z.unknown())).catch([]),
  cards: z.array(z.array(z.unknown())).catch([]),
  sections: z.array(z.array(z.unknown())),
});
type Mobiledoc = z.output<typeof mobiledoc>;

const [MARKUP, IMAGE, LIST, CARD] = [1, 2, 3, 10];
const SECTION_TAGS = new Set(['p', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'blockquote', 'pull-quote', 'aside']);
const MARKUP_TAGS = new Set(['a', 'b', 'strong', 'i', 'em', 'code', 's', 'del', 'strike', 'sub', 'sup', 'u']);
const ATOM = 1;

function fromMobiledoc(given: string, left: (what: string) => void): Stretch[] | undefined {
  const parsed = mobiledoc.safeParse(parse(given));
  return parsed.success
    ? parsed.data.sections.flatMap((section) => mobiledocSection(section, parsed.data, left))
    : undefined;
}

function mobiledocSection(
  [kind, ...rest]: readonly unknown[],
  whole: Mobiledoc,
  left: (what: string) => void,
): Stretch[] {
  const [first, second] = rest;
  if (kind === CARD) {
    const [name, payload] = whole.cards[Number(first)] ?? [];
    return typeof name === 'string' ? readCard(name, payload, left) : [];
  }
  if (kind === IMAGE && typeof first === 'string') return readCard('image', { src: first }, left);
  if (kind === LIST && Array.isArray(second)) {
    const tag = first === 'ol' ? 'ol' : 'ul';
    const items = second.map((markers: unknown) => `<li>${markersHtml(markers, whole)}</li>`);
    return [`<${tag}>${items.join('')}</${tag}>`];
  }
  if (kind !== MARKUP || typeof first !== 'string') return [];
  const tag = SECTION_TAGS.has(first) ? first.replace(/^(?:pull-quote|aside)$/, 'blockquote') : 'p';
  return [`<${tag}>${markersHtml(second, whole)}</${tag}>`];
}

/** `[kind, numbers of the markups that open, how many close behind it, text or number of an atom]`. */
function markersHtml(markers: unknown, { atoms, markups }: Mobiledoc): string {
  if (!Array.isArray(markers)) return '';
  const open: string[] = [];
  let html = '';
  for (const marker of markers) {
    if (!Array.isArray(marker)) continue;
    const [kind, opening, closing, value] = marker as unknown[];
    for (const index of Array.isArray(opening) ? opening : []) {
      const [tag, attributes] = markups[Number(index)] ?? [];
      const name = typeof tag === 'string' && MARKUP_TAGS.has(tag) ? tag : 'span';
      const href =
        name === 'a' && Array.isArray(attributes) ? attributes[attributes.indexOf('href') + 1] : undefined;
      open.push(name);
      html += typeof href === 'string' ? `<a href="${escapeHtml(href)}">` : `<${name}>`;
    }
    if (kind === ATOM) {
      const [name, words] = atoms[Number(value)] ?? [];
      html += /^soft-(?:break|return)$/.test(String(name)) ? '<br>' : escapeHtml(String(words ?? ''));
    } else html += escapeHtml(typeof value === 'string' ? value : '');
    for (let count = Number(closing) || 0; count > 0 && open.length > 0; count--) html += `</${open.pop()}>`;
  }
  return (
    html +
    open
      .reverse()
      .map((tag) => `</${tag}>`)
      .join('')
  );
}

function parse(text: string): unknown {
  if (text === '') return undefined;
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
