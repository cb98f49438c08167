import { elsewhere } from './addresses.ts';
import { oneLine } from './clean-text.ts';
import { attribute, type Element, hasClass, isElement, isText, textContent } from './html-tree.ts';

/** Something of another site that a script would have put into the page. */
export type ScriptedEmbed = {
  readonly url: string;
  /** What it says of itself; empty where it says nothing. */
  readonly words: string;
  /** Whether its words are the thing itself, as those of a short message, and are to be read beside it. */
  readonly isQuoted: boolean;
};

/** How the scripts of other sites mark their places: by a class, and the attribute that has the address. */
const MARKED_PLACES: readonly (readonly [mark: RegExp, attribute: string | undefined, under?: string])[] = [
  [/(?:^|\s)fb-(?:post|video)(?:\s|$)/, 'data-href'],
  [/(?:^|\s)instagram-media(?:\s|$)/, 'data-instgrm-permalink'],
  [/(?:^|\s)twitter-(?:tweet|video)(?:\s|$)/, undefined],
  [/(?:^|\s)(?:bluesky-embed|mastodon-embed|reddit-embed-bq|reddit-card|embedly-card)(?:\s|$)/, undefined],
  [/(?:^|\s)tiktok-embed(?:\s|$)/, 'cite'],
  [/(?:^|\s)flourish-embed(?:\s|$)/, 'data-src', 'https://public.flourish.studio/'],
  [/(?:^|\s)infogram-embed(?:\s|$)/, 'data-id', 'https://infogram.com/'],
];
const OF_WORDPRESS = /(?:^|\s)wp-block-embed__wrapper(?:\s|$)/;
const ADDRESS = /^https?:\/\/\S+$/i;
const HOLDS_ONE: ReadonlySet<string> = new Set(['blockquote', 'div', 'section', 'a']);
/** Says only what the picture beside it would have shown. */
const INSTAGRAM = /^View this post on Instagram\s*/i;
/** The longest words that can stand for a title. */
const LONGEST_TITLE = 200;

/**
 * What a script would have shown in the place of this element; undefined where it is no such place, and null where it is
 * one and nothing says what belongs there. Places in a place are not to be asked: each looks through all that it holds.
 */
export function scriptedEmbed(element: Element, base: string | undefined): ScriptedEmbed | undefined | null {
  if (element.tagName === 'script') return ofScript(element, base);
  if (!HOLDS_ONE.has(element.tagName)) return undefined;
  if (hasClass(element, OF_WORDPRESS)) return ofWordpress(element);
  const place = MARKED_PLACES.find(([mark]) => hasClass(element, mark));
  if (place === undefined) return undefined;
  const [, name, under = base] = place;
  const url = elsewhere((name && attribute(element, name)) || lastLink(element), under);
  if (url === undefined) return null;
  const words = oneLine(textContent(element));
  const isInstagram = hasClass(element, /instagram-media/);
  if (isInstagram)
    return { url, words: words.replace(INSTAGRAM, '').slice(0, LONGEST_TITLE), isQuoted: false };
  return { url, words: '', isQuoted: words !== '' && !ADDRESS.test(words) };
}

/** A block that WordPress shows what stands behind an address in, where nothing but that stands there. */
function ofWordpress(element: Element): ScriptedEmbed | undefined {
  const [only, ...more] = element.childNodes.filter((one) => !isText(one) || one.value.trim() !== '');
  if (only === undefined || more.length > 0) return undefined;
  const given = isText(only)
    ? only.value.trim()
    : isElement(only) && (only.tagName === 'a' || only.tagName === 'oembed')
      ? linkOf(only)
      : undefined;
  const url = given !== undefined && ADDRESS.test(given) ? elsewhere(given) : undefined;
  return url === undefined ? undefined : { url, words: '', isQuoted: false };
}

/** Scripts that write what they show where they stand. */
function ofScript(element: Element, base: string | undefined): ScriptedEmbed | undefined {
  const post = /^[\w/]{3,80}$/.exec(attribute(element, 'data-telegram-post') ?? '')?.[0];
  const gist = /^https:\/\/gist\.github\.com\/[\w/-]{3,100}(?=\.js)/.exec(
    elsewhere(attribute(element, 'src') ?? '', base) ?? '',
  )?.[0];
  const url = post === undefined ? gist : `https://t.me/${post}`;
  return url === undefined ? undefined : { url, words: '', isQuoted: false };
}

/** The address of the last link in an element, which is that of the thing itself; or the only text that it has. */
function lastLink(element: Element): string {
  let last = '';
  const ahead: Element[] = [element];
  for (let one = ahead.pop(); one !== undefined; one = ahead.pop()) {
    last = linkOf(one) ?? last;
    for (const child of one.childNodes.toReversed()) if (isElement(child)) ahead.push(child);
  }
  const text = last === '' ? textContent(element).trim() : last;
  return last === '' && !ADDRESS.test(text) ? '' : text;
}

function linkOf(element: Element): string | undefined {
  if (element.tagName === 'oembed') return attribute(element, 'url');
  return element.tagName === 'a' ? attribute(element, 'href') : undefined;
}

/** Scripts that only bring what `scriptedEmbed` finds, and descriptions for search engines. */
const NEEDED_NO_MORE =
  /platform\.(?:twitter|x)\.com|instagram\.com\/embed|connect\.facebook|tiktok\.com\/embed|gist\.github\.com|telegram\.org|flourish\.studio|infogram\.com|embed\.(?:redditmedia|reddit|bsky)|embedly|application\/ld\+json/i;

/** How many scripts of a body show something that is lost with them, as far as anybody can tell. */
export function countScripts(html: string): number {
  let count = 0;
  for (const [tag] of html.matchAll(/<script\b[^<>]{0,2000}/gi)) if (!NEEDED_NO_MORE.test(tag)) count++;
  return count;
}

/** Where a player, a frame or an object shows something from; undefined where nothing says so. */
export function embeddedAddress(element: Element, base: string | undefined): string | undefined {
  for (const name of ['src', 'data-src', 'url', 'data']) {
    const raw = attribute(element, name);
    const url = raw === undefined ? undefined : elsewhere(raw, base);
    if (url !== undefined) return url;
  }
  for (const child of element.childNodes) {
    if (!isElement(child)) continue;
    const isMovie =
      child.tagName === 'param' && /^(?:movie|src|url|filename)$/i.test(attribute(child, 'name') ?? '');
    const name = isMovie ? 'value' : child.tagName === 'a' ? 'href' : 'src';
    const raw = ['param', 'source', 'embed', 'iframe', 'a'].includes(child.tagName)
      ? attribute(child, name)
      : undefined;
    const url = raw === undefined ? undefined : elsewhere(raw, base);
    if (url !== undefined) return url;
  }
  return undefined;
}
