import { escapeHtml } from './escape-html.ts';

/** Longer than any shortcode: what is still open after this many characters is text. */
const LONGEST = 5_000;

/**
 * Takes the shortcodes of site generators out of Markdown and keeps their words: Hugo (`{{< figure … >}}`,
 * `{{% note %}}`), Liquid as in Jekyll and Eleventy (`{% image … %}`, `{{ page.url }}`), kramdown's attribute lists
 * (`{: .lead}`, `{#id}`), footnotes, and WordPress's `[caption]`. Pictures, quotations and films become the HTML they
 * stood for; an address that only the old site could complete becomes `#`, so that the link falls away later and its
 * text stays. Code is left as it is.
 *
 * @param inline turns Markdown on one line (a caption) into HTML
 */
export function withoutShortcodes(text: string, inline: (markdown: string) => string): string {
  if (!/[{[]/.test(text)) return text;
  const scan = new Scan(text, inline);
  return scan.run().replace(FOOTNOTE_TEXT, '$1<sup>$2</sup> ');
}

/** `[^1]: …` at the start of a line; Markdown itself would take it for the address of a link. */
const FOOTNOTE_TEXT = /^( {0,3})\[\^([\w-]{1,40})\]:[ \t]+/gm;

/** `[youtube=https://…]`, `[vimeo https://…]`, `[embed width=600]https://…[/embed]`. */
const WORDPRESS_FILM =
  /^\[(?:(?:youtube|vimeo)[= ]"?|embed[^\]]{0,200}\]\s*)(https?:\/\/[^\s"[\]]{1,500})(?:[^\][]{0,200}\]|\s*\[\/embed\])/;

/** A closing tag, and a sign in it that tells early where one may be. */
type Closing = { readonly sign: string; readonly tag: RegExp };
const HUGO_HIGHLIGHT_ENDS: Closing = { sign: 'highlight', tag: /\{\{[<%]\s*\/\s*highlight\s*[>%]\}\}/ };
const LIQUID_HIGHLIGHT_ENDS: Closing = { sign: 'endhighlight', tag: /\{%-?\s*endhighlight\s*-?%\}/ };

/** As much of what was written last as decides how the next piece is put. */
const TAIL = 200;

class Scan {
  readonly #parts: string[] = [];
  #tail = '';
  #at = 0;
  /** Where each closing sign comes next, so that many openings look for it once. */
  readonly #next = new Map<string, number>();
  readonly #text: string;
  readonly #inline: (markdown: string) => string;

  constructor(text: string, inline: (markdown: string) => string) {
    this.#text = text;
    this.#inline = inline;
  }

  run(): string {
    const text = this.#text;
    const start = /[{`~[]/g;
    while (this.#at < text.length) {
      start.lastIndex = this.#at;
      const found = start.exec(text);
      const next = found?.index ?? text.length;
      this.#write(text.slice(this.#at, next));
      this.#at = next;
      if (found !== null && !this.#special(found[0])) {
        this.#write(found[0]);
        this.#at++;
      }
    }
    return this.#parts.join('');
  }

  #write(text: string): void {
    if (text === '') return;
    this.#parts.push(text);
    this.#tail = text.length >= TAIL ? text.slice(-TAIL) : (this.#tail + text).slice(-TAIL);
  }

  /** Reads what begins here; false when it is nothing special. */
  #special(sign: string): boolean {
    if (sign === '`' || sign === '~') return this.#code(sign);
    if (sign === '[') return this.#bracket();
    const two = this.#text.slice(this.#at, this.#at + 3);
    if (two === '{{<' || two === '{{%') return this.#hugo();
    if (two.startsWith('{%')) return this.#liquidTag();
    if (two.startsWith('{{')) return this.#liquidValue();
    if (two.startsWith('{:') || two.startsWith('{#')) return this.#attributeList();
    return false;
  }

  /** Where a sign comes next; Infinity where it does not come again. */
  #find(sign: string, from: number): number {
    let at = this.#next.get(sign) ?? -1;
    if (at < from) {
      at = this.#text.indexOf(sign, from);
      if (at < 0) at = Number.POSITIVE_INFINITY;
      this.#next.set(sign, at);
    }
    return at;
  }

  /** The text up to a closing sign that is not far, and the place behind it. */
  #until(close: string, from: number): { inside: string; end: number } | undefined {
    const at = this.#find(close, from);
    return at > from + LONGEST ? undefined : { inside: this.#text.slice(from, at), end: at + close.length };
  }

  /** Code is written as it is, and with it what only looks like its beginning. */
  #code(sign: string): boolean {
    const width = this.#widthAt(sign, this.#at);
    const isFence = width >= 3 && /(?:^|\n)[ \t>]*(?:[-*+] +|\d+[.)] +)?$/.test(this.#tail.slice(-80));
    const end = isFence ? this.#endOfFence(sign, width) : this.#endOfSpan(sign, width);
    this.#write(withoutRaw(this.#text.slice(this.#at, end)));
    this.#at = end;
    return true;
  }

  #widthAt(sign: string, at: number): number {
    let width = 1;
    while (this.#text[at + width] === sign) width++;
    return width;
  }

  #endOfFence(sign: string, width: number): number {
    const close = new RegExp(`\\n[ \\t>]*${sign}{${width},}[ \\t]*(?=\\n|$)`, 'g');
    close.lastIndex = this.#at;
    const found = close.exec(this.#text);
    return found === null ? this.#text.length : found.index + found[0].length;
  }

  /** Behind the same number of backticks in the same paragraph; without them, behind the opening ones. */
  #endOfSpan(sign: string, width: number): number {
    const opened = this.#at + width;
    if (sign !== '`') return opened;
    const last = Math.min(opened + LONGEST, this.#find('\n\n', opened));
    for (let at = this.#find('`', opened); at < last; at = this.#find('`', at)) {
      const other = this.#widthAt('`', at);
      at += other;
      if (other === width) return at;
    }
    return opened;
  }

  #hugo(): boolean {
    const close = this.#text[this.#at + 2] === '<' ? '>}}' : '%}}';
    const found = this.#until(close, this.#at + 3);
    if (found === undefined) return false;
    const inside = found.inside.trim();
    if (inside.startsWith('/*')) {
      // A shortcode that is shown, not used.
      this.#write(`{{${this.#text[this.#at + 2]} ${inside.replace(/^\/\*|\*\/$/g, '').trim()} ${close}`);
      this.#at = found.end;
      return true;
    }
    const name = inside.match(/^\/?\s*([\w./-]+)/)?.[1] ?? '';
    const closes = inside.startsWith('/');
    const words = parseWords(inside.slice(inside.indexOf(name) + name.length));
    if (name === 'highlight' && !closes && this.#fence(found.end, words.plain[0], HUGO_HIGHLIGHT_ENDS)) {
      return true;
    }
    const isBlock = isWrapper(name, words);
    if (closes) {
      this.#write(isBlock ? '\n\n' : '');
      this.#at = found.end;
    } else this.#replace(found.end, this.#meaning(name, words), isBlock);
    return true;
  }

  #liquidTag(): boolean {
    const found = this.#until('%}', this.#at + 2);
    if (found === undefined) return false;
    const inside = found.inside.replace(/^-|-$/g, '').trim();
    const name = inside.match(/^[\w-]+/)?.[0] ?? '';
    const words = parseWords(inside.slice(name.length));
    if (name === 'comment') {
      const close = this.#until('endcomment', found.end);
      this.#at = Math.min(this.#find('%}', close?.end ?? found.end) + 2, this.#text.length);
      if (close === undefined) this.#at = found.end;
    } else if (name === 'raw') {
      const close = /\{%-?\s*endraw\s*-?%\}/.exec(this.#text.slice(found.end));
      const end = close === null ? this.#text.length : found.end + close.index;
      this.#write(this.#text.slice(found.end, end));
      this.#at = end + (close?.[0].length ?? 0);
    } else if (name !== 'highlight' || !this.#fence(found.end, words.plain[0], LIQUID_HIGHLIGHT_ENDS)) {
      this.#replace(
        found.end,
        LIQUID_PICTURES.has(name) ? this.#picture(liquidPicture(name, words)) : '',
        false,
      );
    }
    return true;
  }

  #liquidValue(): boolean {
    const found = this.#until('}}', this.#at + 2);
    if (found === undefined || found.inside.includes('{{')) return false;
    const [value = '', filter = ''] = splitFilter(found.inside);
    const text = value.match(/^\s*(?:"([^"]*)"|'([^']*)')\s*$/);
    const words = text?.[1] ?? text?.[2] ?? '';
    let meaning = '';
    if (/^https?:\/\//.test(words) && filter.startsWith('embed')) {
      meaning = embed(words, filter.match(/["']([^"']*)["']/)?.[1] ?? '');
    } else if (/link$/.test(filter)) meaning = escapeHtml(personName(words));
    this.#replace(found.end, meaning, false);
    return true;
  }

  /** `{: .class}` and `{#id}` say how a block looks; headings lose them, text in braces stays. */
  #attributeList(): boolean {
    const found = this.#until('}', this.#at + 1);
    if (
      found === undefined ||
      !/^(?::\s*(?:[.#]?[\w-]+(?:=("[^"]*"|'[^']*'|\S+))?\s*)*|#[\w-]+)$/.test(found.inside)
    ) {
      return false;
    }
    this.#at = found.end;
    return true;
  }

  #bracket(): boolean {
    if (this.#text[this.#at + 1] === '^') {
      const found = this.#until(']', this.#at + 2);
      const name = found?.inside ?? '';
      if (found === undefined || !/^[\w-]{1,40}$/.test(name) || this.#text[found.end] === ':') return false;
      this.#write(`<sup>${name}</sup>`);
      this.#at = found.end;
      return true;
    }
    const film = WORDPRESS_FILM.exec(this.#text.slice(this.#at, this.#at + 1_000));
    if (film !== null) {
      this.#replace(this.#at + film[0].length, embed(film[1] ?? '', ''), false);
      return true;
    }
    if (!this.#text.startsWith('[caption', this.#at)) return false;
    const found = this.#until('[/caption]', this.#at);
    const parts = found?.inside.match(
      /^\[caption[^\]]*\]\s*((?:<a\b[^>]*>\s*)?<img\b[^>]*>(?:\s*<\/a>)?)([\s\S]*)$/,
    );
    if (found === undefined || !parts) return false;
    this.#write(`<figure>${parts[1]}<figcaption>${(parts[2] ?? '').trim()}</figcaption></figure>`);
    this.#at = found.end;
    return true;
  }

  /** What a shortcode of Hugo's stood for, as HTML; its words where nothing is known of it. */
  #meaning(name: string, words: Words): string {
    const { named, plain } = words;
    const address = named.href ?? named.src ?? named.url ?? plain[0] ?? '';
    const title = named.title ?? '';
    switch (name) {
      case 'youtube':
        return embed(`https://www.youtube.com/watch?v=${named.id ?? plain[0] ?? ''}`, title);
      case 'vimeo':
        return embed(`https://vimeo.com/${named.id ?? plain[0] ?? ''}`, title);
      case 'tweet':
      case 'twitter':
      case 'x': {
        const user = named.user ?? plain[0] ?? '';
        return embed(`https://twitter.com/${user}/status/${named.id ?? plain[1] ?? ''}`, user && `@${user}`);
      }
      case 'instagram':
        return embed(`https://www.instagram.com/p/${named.id ?? plain[0] ?? ''}/`, '');
      case 'ref':
      case 'relref':
      case 'param':
        return '';
    }
    if (/img|image|figure|photo/.test(name)) {
      return this.#picture({ address, alt: named.alt ?? '', caption: named.caption ?? title });
    }
    if (/video|iframe|embed/.test(name) && /^https?:/.test(address)) return embed(address, title);
    if (/quote/.test(name) && named.text !== undefined) {
      const cite = named.cite ?? named.author ?? '';
      const footer = cite === '' ? '' : `<footer>${this.#inline(cite)}</footer>`;
      return `<blockquote><p>${this.#inline(named.text)}</p>${footer}</blockquote>`;
    }
    const label = named.text ?? named.label ?? '';
    if (label !== '') {
      const safe = this.#inline(label);
      return /^(https?:|mailto:)/.test(address) ? `<a href="${escapeHtml(address)}">${safe}</a>` : safe;
    }
    const heading = [title, named.heading ?? '', named.intro ?? ''].find((some) => some !== '');
    return heading === undefined ? '' : `<p><strong>${this.#inline(heading)}</strong></p>`;
  }

  #picture({ address, alt, caption }: { address: string; alt: string; caption: string }): string {
    const source = /^https?:\/\//.test(address) ? ` src="${escapeHtml(address)}"` : '';
    const image = `<img alt="${escapeHtml(alt)}"${source}>`;
    return caption === ''
      ? image
      : `<figure>${image}<figcaption>${this.#inline(caption)}</figcaption></figure>`;
  }

  /** Code between two shortcodes becomes a fenced block; false when it all stands on one line. */
  #fence(from: number, language: string | undefined, close: Closing): boolean {
    const sign = this.#find(close.sign, from);
    if (sign > from + 20 * LONGEST || this.#find('\n', from) > sign) return false;
    const found = close.tag.exec(this.#text.slice(from, sign + LONGEST));
    if (found === null) return false;
    const code = this.#text.slice(from, from + found.index);
    this.#write(`\n\n~~~~~~ ${language ?? ''}\n${code.replace(/^\n+|\s+$/g, '')}\n~~~~~~\n\n`);
    this.#at = from + found.index + found[0].length;
    return true;
  }

  /**
   * Puts what a shortcode stood for in its place. Where an address is expected there is only `#` to say; HTML on a
   * line of its own must not swallow the line behind it, which Markdown would then not read.
   */
  #replace(end: number, meaning: string, isBlock: boolean): void {
    this.#at = end;
    if (/(?:\]\(<?|=\s*["']?)$/.test(this.#tail.slice(-4))) {
      this.#write('#');
      if (this.#tail.endsWith('](#')) this.#endAddress();
      return;
    }
    const line = this.#tail.slice(this.#tail.lastIndexOf('\n') + 1);
    const atLineStart = /(?:^|\n)[ \t]*$/.test(this.#tail);
    const behind = this.#text.slice(end, end + 200);
    const sameLine = behind.match(/^[ \t]*([^\s<\])])/);
    const nextLine = behind.match(/^[ \t]*\n[ \t]*([^\s<])/);
    const swallows = /^<(?:figure|iframe|blockquote|p)\b/.test(meaning);
    if (isBlock && atLineStart && !/\n[ \t]*$/.test(meaning)) this.#write(`${meaning}\n\n${line}`);
    else if (atLineStart && swallows && sameLine) this.#write(`${meaning}\n\n${line}`);
    else if (atLineStart && meaning !== '' && nextLine) this.#write(`${meaning}\n`);
    else this.#write(meaning);
  }

  /** Behind the address of a link: its title goes too, since quotation marks inside it would break the link. */
  #endAddress(): void {
    const near = this.#text.slice(this.#at, this.#at + 310);
    const title = /^[ \t]*"[^\n]{0,300}?"[ \t]*(?=\))/.exec(near);
    if (title !== null) this.#at += title[0].length;
    // The author forgot to close it.
    else if (/^[ \t]+[^\s"')]/.test(near)) this.#write(')');
  }
}

/** Whether a shortcode opens a part of the page that another one closes, so that paragraphs stand inside. */
function isWrapper(name: string, words: Words): boolean {
  return (
    /^(?:note|box|ring|card|accordion|alert|callout|notice|details|aside)/.test(name) ||
    words.named.kicker !== undefined
  );
}

const LIQUID_PICTURES = new Set(['image', 'image_with_class', 'img', 'picture', 'figure', 'include']);

function liquidPicture(
  name: string,
  { named, plain }: Words,
): { address: string; alt: string; caption: string } {
  const address = named.image ?? named.src ?? named.url ?? plain[0] ?? '';
  const alt = named.alt ?? (name === 'include' ? '' : (plain.at(plain.length > 1 ? -1 : 1) ?? ''));
  return { address, alt, caption: named.caption ?? '' };
}

type Words = { readonly named: Readonly<Record<string, string>>; readonly plain: readonly string[] };

const WORD =
  /([\w-]+)\s*[:=]\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s,"']+))|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|`([^`]*)`|([^\s,"'`]+)/g;

/** The arguments of a shortcode: `name="value"`, `name: "value"`, or values alone. */
function parseWords(text: string): Words {
  const named: Record<string, string> = Object.create(null);
  const plain: string[] = [];
  for (const [, name, ...values] of text.matchAll(WORD)) {
    const value = values.find((some) => some !== undefined) ?? '';
    const words = value
      .replace(/\\(["'\\_])/g, '$1')
      .replace(/\s+/g, ' ')
      .trim();
    if (name === undefined) plain.push(words);
    else named[name.toLowerCase()] = words;
  }
  return { named, plain };
}

function embed(address: string, title: string): string {
  return `<iframe src="${escapeHtml(address)}" title="${escapeHtml(title)}"></iframe>`;
}

/** `"…" | filter: "…"` in its two parts. */
function splitFilter(inside: string): string[] {
  const quoted = inside.match(/^\s*(?:"[^"]*"|'[^']*'|[^|]*)/)?.[0] ?? '';
  return [
    quoted,
    inside
      .slice(quoted.length)
      .replace(/^\s*\|\s*/, '')
      .trim(),
  ];
}

function personName(slug: string): string {
  return slug.replace(/[-_]+/g, ' ').replace(/(^|\s)\p{L}/gu, (letter) => letter.toUpperCase());
}

/** In code, only the marks that kept a generator from reading it go away. */
function withoutRaw(code: string): string {
  return code.includes('raw')
    ? code.replace(/[ \t]*\{%-?\s*(?:end)?raw\s*-?%\}(?:[ \t]*(?=\n))?/g, '')
    : code;
}
