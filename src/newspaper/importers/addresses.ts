import { isSafeHref } from '#content';

/** Longer addresses are trackers and attacks, not places; the text they were put on stays. */
const LONGEST = 2_000;

/**
 * The address a link may keep: http, https and mailto, and places on this site. One that is relative to the page it
 * came from is completed with that page's address; without it there is no telling what was meant, and it goes.
 *
 * @param base the http(s) address of the page that held the link
 */
export function safeLink(raw: string, base?: string): string | undefined {
  const href = trim(raw);
  if (href === '' || href.startsWith('#') || href.length > LONGEST) return undefined;
  if (/^mailto:/i.test(href)) return isSafeHref(href) ? href : undefined;
  const full = absolute(href, base);
  if (full !== undefined) return full;
  return base === undefined && href.startsWith('/') && isSafeHref(href) ? href : undefined;
}

/** The http(s) address of something that lies elsewhere (a picture, a film), or undefined. */
export function elsewhere(raw: string, base?: string): string | undefined {
  const href = trim(raw);
  return href === '' || href.startsWith('#') || href.length > LONGEST ? undefined : absolute(href, base);
}

function absolute(href: string, base: string | undefined): string | undefined {
  const full = href.startsWith('//') ? `https:${href}` : href;
  // By far the most: whole, without a character that would need encoding.
  if (/^https?:\/\/[a-z0-9][!#-;=?-[\]_a-~]*$/i.test(full)) return isSafeHref(full) ? full : undefined;
  if (!/^https?:/i.test(full) && (base === undefined || /^[a-z][a-z0-9+.-]*:/i.test(full))) return undefined;
  if (!URL.canParse(full, base)) return undefined;
  const { protocol, href: whole } = new URL(full, base);
  return (protocol === 'https:' || protocol === 'http:') && isSafeHref(whole) ? whole : undefined;
}

/** As browsers read an address: without tabs and line ends, and without blanks and controls around it. */
function trim(raw: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
  return raw.replace(/[\t\n\r]+/g, '').replace(/^[\u0000-\u0020]+|[\u0000-\u0020]+$/g, '');
}

/** The page that a reader can open, where the address is that of a player made to stand inside other pages. */
export function watchPage(url: string): string {
  const youtube = url.match(/^https?:\/\/(?:www\.)?youtube(?:-nocookie)?\.com\/(?:embed|v)\/([\w-]{6,20})/i);
  if (youtube) return `https://www.youtube.com/watch?v=${youtube[1]}`;
  const vimeo = url.match(/^https?:\/\/player\.vimeo\.com\/video\/(\d+)/i);
  return vimeo ? `https://vimeo.com/${vimeo[1]}` : url;
}

/** What to call something of another site that came without a title. */
export function siteName(url: string): string {
  return new URL(url).hostname.replace(/^www\./, '');
}
