import { type SaxesAttributeNS, SaxesParser, type SaxesTagNS } from 'saxes';
import { Invalid } from '#values/errors';
import { readBites } from './archive-file.ts';
import { BareAmpersands } from './bare-ampersands.ts';
import { plainWords } from './blocks.ts';
import { htmlToElements } from './html.ts';
import { LenientUtf8 } from './lenient-utf8.ts';

/** No item holds more text: one that does is read past without being kept. */
const MOST_ITEM = 16 * 1024 * 1024;
/** A file that goes on for so long without a tag is none that can be read. */
const MOST_WITHOUT_TAG = 32 * 1024 * 1024;
/** Elements do not lie deeper in each other in any export; each costs more the deeper it lies. */
const DEEPEST = 100;
/** Values of custom fields that are longer are some plugin's own, and of no use here. */
const MOST_META = 64 * 1024;

/** What a file says of the site that it was written by; filled as it is read. */
export type WxrSite = {
  /** Addresses of the site and of the blog on it, as they are given. */
  url: string;
  language: string;
  /** When the file was written, as RFC 5322 has it. */
  writtenAt: string;
  /** By the name that they sign in with: the name that readers see. */
  readonly authors: Map<string, string>;
  /** By the word that stands for a category in addresses: its number. */
  readonly categories: Map<string, string>;
};

export function newSite(): WxrSite {
  return { url: '', language: '', writtenAt: '', authors: new Map(), categories: new Map() };
}

/** A category, tag or other term that stands at an item. */
export type WxrTerm = { readonly taxonomy: string; readonly slug: string; readonly name: string };

/** One post, page, attachment or other thing of a site. */
export type WxrItem = {
  readonly kind: 'item';
  readonly line: number;
  /** Text by element: `title`, `wp:status`, `content:encoded`; an element that stands twice counts as it stood first. */
  readonly fields: ReadonlyMap<WxrField, string>;
  readonly terms: readonly WxrTerm[];
  /** Custom fields; of several of one name, all. */
  readonly meta: ReadonlyMap<string, readonly string[]>;
  readonly comments: number;
};

/** An item that cannot be read, and why. */
export type BrokenItem = { readonly kind: 'broken'; readonly line: number; readonly reason: string };

/** Some items in order. `cut` is on the last ones of a file that breaks off, or is not such a file at all. */
export type WxrItems = {
  readonly items: readonly (WxrItem | BrokenItem)[];
  /** Letters of Windows-1252 so far, in a file that says it is in UTF-8. */
  readonly mended: number;
  readonly cut?: string;
};

const FIELDS = [
  'title',
  'link',
  'guid',
  'pubDate',
  'dc:creator',
  'content:encoded',
  'excerpt:encoded',
  'wp:post_id',
  'wp:post_date',
  'wp:post_date_gmt',
  'wp:post_modified_gmt',
  'wp:post_name',
  'wp:post_parent',
  'wp:menu_order',
  'wp:post_type',
  'wp:post_password',
  'wp:status',
  'wp:attachment_url',
] as const;
export type WxrField = (typeof FIELDS)[number];
const IS_FIELD: ReadonlySet<string> = new Set(FIELDS);

/**
 * Reads an export of WordPress (WXR 1.0 to 1.2), plain or gzipped, as a stream, however long it is. It is read as
 * strictly as XML is meant to be, entities of its own are not followed, and an item whose markup is broken is told of
 * alone; what only deserves a frown (a control character, an entity that nobody declared) is let pass.
 *
 * @param site is filled with what the file says of the site, before the items that need it
 * @throws NotFound or Invalid when the file cannot be read at all
 */
export async function* readWxr(path: string, site: WxrSite): AsyncGenerator<WxrItems> {
  const reader = new WxrReader(site);
  let decoder: Decoder | undefined;
  for await (const { bites, cut } of readBites(path)) {
    for (const bite of bites) {
      decoder ??= decoderOf(path, bite);
      reader.take(decoder.take(bite));
    }
    const some = { items: reader.found(), mended: decoder?.mended ?? 0 };
    if (cut !== undefined || reader.isLost) {
      yield { ...some, cut: cut ?? reader.lostFor };
      return;
    }
    yield some;
  }
  reader.take(decoder?.end() ?? '');
  yield { ...reader.end(), mended: decoder?.mended ?? 0 };
}

/**
 * Reads what stands in a file before its first item: of what site it is, and who writes there.
 *
 * @throws as `readWxr` does
 */
export async function readWxrHead(path: string): Promise<WxrSite> {
  const site = newSite();
  for await (const { items } of readWxr(path, site)) if (items.length > 0) break;
  return site;
}

/** Decodes a file a piece at a time. */
type Decoder = Pick<LenientUtf8, 'take' | 'end' | 'mended'>;

/** Of the encoding that the file says it is in: UTF-8 unless it says otherwise. */
function decoderOf(path: string, start: Buffer): Decoder {
  const declared = /^\s*<\?xml[^>]{0,200}encoding\s*=\s*["']([\w.:-]{1,40})["']/.exec(
    start.subarray(0, 512).toString('latin1').replace('\u00ef\u00bb\u00bf', ''),
  )?.[1];
  if (declared === undefined || /^utf-?8$/i.test(declared)) return new LenientUtf8();
  try {
    const decoder = new TextDecoder(declared);
    return {
      take: (piece) => decoder.decode(piece, { stream: true }),
      end: () => decoder.decode(),
      mended: 0,
    };
  } catch {
    throw new Invalid('wrong-file', `${path} says that it is in ${declared}, which cannot be read`);
  }
}

const WORDPRESS = /^https?:\/\/(?:www\.)?wordpress\.org\/export\/[\d.]+\/(excerpt\/)?$/;
const CONTENT = 'http://purl.org/rss/1.0/modules/content/';
const DUBLIN_CORE = 'http://purl.org/dc/elements/1.1/';
/** Faults of the markup after which nobody knows what belongs where. */
const STRUCTURAL = /unexpected close tag|unmatched closing tag|unclosed tag/;

/** The custom field in which the block editor keeps what its footnotes say. */
export const FOOTNOTES = 'footnotes';
/** Custom fields that change when a post is only looked at. */
const PASSING = /^_(?:edit_lock|edit_last|oembed_)/;

type Draft = {
  readonly line: number;
  readonly fields: Map<WxrField, string>;
  readonly terms: WxrTerm[];
  readonly meta: Map<string, string[]>;
  comments: number;
  size: number;
  broken?: string;
};

class WxrReader {
  readonly #site: WxrSite;
  readonly #parser = new SaxesParser({ xmlns: true, position: true });
  readonly #ampersands = new BareAmpersands();
  /** Elements that are open, by what they are called here. */
  readonly #open: string[] = [];
  #items: (WxrItem | BrokenItem)[] = [];
  #item: Draft | undefined;
  #text: string[] = [];
  #term: { taxonomy: string; slug: string } | undefined;
  #meta: { key: string; value: string } | undefined;
  #author: { login: string; name: string } | undefined;
  #category: { id: string; slug: string } | undefined;
  /** What is wrong with the markup outside of items, where no item is to blame for it. */
  #fault: string | undefined;
  #hadBroken = false;
  /** The line of an item whose end was just read. */
  #ended: number | undefined;
  #tooDeep = false;
  /** Comments are counted and not read. */
  #isComment = false;
  #sinceTag = 0;
  #isWordPress = false;

  constructor(site: WxrSite) {
    this.#site = site;
    const parser = this.#parser;
    parser.on('opentag', (tag) => this.#opened(tag));
    parser.on('closetag', (tag) => this.#closed(tag));
    parser.on('text', (text) => this.#said(text));
    parser.on('cdata', (text) => this.#said(text));
    parser.on('error', (error) => this.#failed(error.message));
  }

  get line(): number {
    return this.#parser.line;
  }

  /** Whether there is no use in reading on. */
  get isLost(): boolean {
    return this.#tooDeep || this.#sinceTag > MOST_WITHOUT_TAG;
  }

  get lostFor(): string {
    return this.#tooDeep
      ? `elements lie more than ${DEEPEST} deep in each other at line ${this.line}`
      : `a text of more than 32 MB stands before line ${this.line}`;
  }

  take(text: string): void {
    this.#sinceTag += text.length;
    if (this.isLost) return;
    try {
      this.#parser.write(this.#ampersands.take(text));
    } catch (error) {
      if (!this.#tooDeep) throw error;
    }
  }

  /** Items that have come to their end since this was last asked. */
  found(): (WxrItem | BrokenItem)[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }

  end(): Omit<WxrItems, 'mended'> {
    this.#parser.write(this.#ampersands.end());
    const begun = this.#item;
    const wasOpen = this.#open.length > 0;
    this.#parser.close();
    const items = this.found();
    if (!this.#isWordPress) return { items, cut: 'it is no export of WordPress' };
    if (begun !== undefined)
      return { items, cut: `the file ends in the middle of the item at line ${begun.line}` };
    if (this.#fault !== undefined) return { items, cut: this.#fault };
    return wasOpen ? { items, cut: 'the file ends before its last element does' } : { items };
  }

  #opened(tag: SaxesTagNS): void {
    this.#sinceTag = 0;
    this.#ended = undefined;
    const name = nameOf(tag);
    if (name.startsWith('wp:')) this.#isWordPress = true;
    const parent = this.#open.at(-1);
    this.#open.push(name);
    if (this.#open.length > DEEPEST) {
      this.#tooDeep = true;
      throw new RangeError('too deep');
    }
    this.#text = [];
    // Wherever it stands: a wrong closing tag ends all that is open, and what comes behind it is no child of the channel.
    if (name === 'item') this.#begin();
    else if (name === 'category' && parent === 'item') {
      this.#term = { taxonomy: attributeOf(tag, 'domain'), slug: attributeOf(tag, 'nicename') };
    } else if (name === 'wp:postmeta' && parent === 'item') this.#meta = { key: '', value: '' };
    else if (name === 'wp:comment' && parent === 'item' && this.#item !== undefined) {
      this.#item.comments++;
      this.#isComment = true;
    } else if (name === 'wp:author' && parent === 'channel') this.#author = { login: '', name: '' };
    else if (name === 'wp:category' && parent === 'channel') this.#category = { id: '', slug: '' };
  }

  #begin(): void {
    if (this.#item !== undefined) {
      this.#item.broken ??= 'another item begins inside it';
      this.#finish(this.#item);
    }
    this.#item = {
      line: this.#parser.line,
      fields: new Map(),
      terms: [],
      meta: new Map(),
      comments: 0,
      size: 0,
    };
  }

  #said(text: string): void {
    this.#sinceTag = 0;
    this.#ended = undefined;
    if (this.#isComment) return;
    const item = this.#item;
    if (item === undefined) {
      this.#text.push(text);
      return;
    }
    item.size += text.length;
    if (item.size > MOST_ITEM) this.#text = [];
    else this.#text.push(text);
  }

  #closed(tag: SaxesTagNS): void {
    this.#sinceTag = 0;
    const text = this.#text.join('');
    this.#text = [];
    const name = this.#open.pop() ?? nameOf(tag);
    const parent = this.#open.at(-1) ?? '';
    if (this.#item !== undefined) this.#closedInItem(this.#item, name, parent, text);
    else this.#closedInChannel(name, parent, text.trim());
  }

  #closedInItem(item: Draft, name: string, parent: string, text: string): void {
    if (name === 'wp:comment') this.#isComment = false;
    else if (name === 'item') {
      this.#finish(item);
      this.#item = undefined;
      this.#ended = item.line;
    } else if (parent === 'item' && IS_FIELD.has(name)) {
      if (!item.fields.has(name as WxrField)) item.fields.set(name as WxrField, text);
    } else if (name === 'category' && this.#term !== undefined) {
      item.terms.push({ ...this.#term, name: asRead(text) });
      this.#term = undefined;
    } else if (this.#meta !== undefined) {
      if (name === 'wp:meta_key') this.#meta.key = text.trim();
      else if (name === 'wp:meta_value') this.#meta.value = text;
      else if (name === 'wp:postmeta') {
        const { key, value } = this.#meta;
        this.#meta = undefined;
        if (key === '' || PASSING.test(key) || (value.length > MOST_META && key !== FOOTNOTES)) return;
        const all = item.meta.get(key);
        if (all === undefined) item.meta.set(key, [value]);
        else all.push(value);
      }
    }
  }

  #closedInChannel(name: string, parent: string, text: string): void {
    const site = this.#site;
    if (this.#author !== undefined) {
      if (name === 'wp:author_login') this.#author.login = text;
      else if (name === 'wp:author_display_name') this.#author.name = asRead(text);
      else if (name === 'wp:author') {
        if (this.#author.login !== '') site.authors.set(this.#author.login, this.#author.name);
        this.#author = undefined;
      }
    } else if (this.#category !== undefined) {
      if (name === 'wp:term_id') this.#category.id = text;
      else if (name === 'wp:category_nicename') this.#category.slug = text;
      else if (name === 'wp:category') {
        if (this.#category.id !== '') site.categories.set(this.#category.slug, this.#category.id);
        this.#category = undefined;
      }
    } else if (parent === 'channel') {
      if (name === 'language') site.language ||= text;
      else if (name === 'pubDate') site.writtenAt ||= text;
      else if (name === 'wp:base_blog_url' && text !== '') site.url = text;
      else if ((name === 'wp:base_site_url' || name === 'link') && site.url === '') site.url = text;
    }
  }

  #failed(message: string): void {
    if (!STRUCTURAL.test(message)) return;
    const reason = `its markup is broken: ${message.replace(/^(?:undefined:)?(\d+):\d+: /, 'line $1, ')}`;
    if (this.#item !== undefined) {
      this.#item.broken ??= reason;
      this.#hadBroken = true;
    } else if (this.#ended !== undefined) {
      // What ended it was no end of an item: whatever it had to say behind that is lost.
      if (this.#items.at(-1)?.line === this.#ended) this.#items.pop();
      this.#items.push({ kind: 'broken', line: this.#ended, reason });
      this.#ended = undefined;
      this.#hadBroken = true;
    } else if (!this.#hadBroken) this.#fault ??= reason;
  }

  #finish(item: Draft): void {
    this.#isComment = false;
    const { broken, comments, fields, line, meta, size, terms } = item;
    const isForeign = !FIELDS.some((name) => name.startsWith('wp:') && fields.has(name));
    // That a file is none of WordPress's is told once, of the whole.
    if (isForeign && !this.#isWordPress) return;
    const reason =
      broken ??
      (isForeign ? 'it says nothing of what it is' : undefined) ??
      (size > MOST_ITEM
        ? `an item of ${Math.round(size / 1_048_576)} MB is over the limit of ${MOST_ITEM / 1_048_576} MB`
        : undefined);
    this.#items.push(
      reason === undefined
        ? { kind: 'item', line, fields, terms, meta, comments }
        : { kind: 'broken', line, reason },
    );
  }
}

/** Names are kept by WordPress as a page shows them: `Opinion &amp; Analysis`, also where the file says it is text. */
function asRead(name: string): string {
  return name.includes('&') ? plainWords(htmlToElements(name)) : name.trim();
}

/** What an element is called here, whatever prefix its namespace has in a file, and whether or not that is declared. */
function nameOf({ local, prefix, uri }: SaxesTagNS): string {
  const wordpress = WORDPRESS.exec(uri);
  if (wordpress !== null) return `${wordpress[1] === undefined ? 'wp' : 'excerpt'}:${local}`;
  if (uri === CONTENT) return `content:${local}`;
  if (uri === DUBLIN_CORE) return `dc:${local}`;
  // One that nobody declared is given its prefix for a namespace.
  if (uri !== '' && uri !== prefix) return `other:${local}`;
  return prefix === '' ? local : `${prefix}:${local}`;
}

function attributeOf(tag: SaxesTagNS, attribute: string): string {
  const found: SaxesAttributeNS | undefined = tag.attributes[attribute];
  return found?.value ?? '';
}
