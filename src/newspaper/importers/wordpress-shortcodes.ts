import { escapeHtml } from './escape-html.ts';

/** Longer than any shortcode: what is still open after this many characters is text. */
const LONGEST = 4_000;
/** `[name …]`, `[/name]` or `[name …/]`; in double brackets WordPress shows it as it stands. */
const TAG = new RegExp(
  `\\[(\\[?)(/?)([a-z][a-z0-9_-]{1,40})((?:\\s|=)[^\\[\\]<>]{0,${LONGEST}})?/?\\](\\]?)`,
  'gi',
);
const ATTRIBUTE = /([a-z][a-z0-9_-]{0,40})\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'\]]+))/gi;
/** What WordPress and its best known plugins put into a body; a bracketed word that is none of them is text: `[sic]`. */
const KNOWN = new Set(
  (
    'audio caption embed gallery playlist video wp_caption youtube vimeo dailymotion soundcloud twitter tweet instagram ' +
    'facebook googlemaps contact-form contact-form-7 ninja_form gravityform wpforms mc4wp_form newsletter su_button button ' +
    'row column col one_half one_half_last one_third one_third_last two_third two_third_last three_fourth one_fourth ' +
    'columns spacer divider clear tabs tab accordion toggle box highlight quote pullquote dropcap icon slideshow rev_slider ' +
    'layerslider wpvideo scribd slideshare gist code sourcecode polldaddy poll googleapps archives more nextpage'
  ).split(' '),
);
/** On a line of its own or in `[embed]`, WordPress shows what stands behind an address. */
const ADDRESS_ALONE =
  /(?<=^[ \t]*|\[embed\b[^\]]{0,200}\]\s*)(https?:\/\/[^\s<>"'[\]]{1,1000})(?=[ \t]*\r?$|\s*\[\/embed\])/gim;
/** Sites that WordPress shows things of; an address of any other stays a link. */
const SHOWN =
  /^https?:\/\/(?:[\w-]+\.)*(?:youtube\.com|youtu\.be|vimeo\.com|dailymotion\.com|dai\.ly|twitter\.com|x\.com|instagram\.com|facebook\.com|tiktok\.com|soundcloud\.com|mixcloud\.com|spotify\.com|ted\.com|flickr\.com|flic\.kr|imgur\.com|issuu\.com|scribd\.com|slideshare\.net|speakerdeck\.com|reddit\.com|tumblr\.com|bsky\.app|pinterest\.com|wordpress\.tv|videopress\.com)\//i;
/** Plugins that put notes below a story: here they stand where they were made. */
const NOTES: ReadonlySet<string> = new Set(['ref', 'footnote', 'efn_note', 'fn', 'mfn']);
const FILMS: Readonly<Record<string, (id: string) => string>> = {
  youtube: (id) => `https://www.youtube.com/watch?v=${id}`,
  vimeo: (id) => `https://vimeo.com/${id}`,
};

/** Where the pictures of a site's library are to be found, by number. */
export type LibraryAddresses = {
  /** Of one picture. */
  picture(id: string): string | undefined;
  /** Of all that belong to the post itself. */
  gallery: string | undefined;
};

/**
 * Takes WordPress's shortcodes out of a body and keeps their words: captions become figures, galleries their pictures,
 * films and other embeds the links they stood for, and of the rest only what stands between a beginning and an end
 * stays.
 *
 * @param left is told the name of each that had more to show than its words
 */
export function withoutWordpressShortcodes(
  html: string,
  left: (name: string) => void,
  library?: LibraryAddresses,
): string {
  const linked = outsideOfCode(withoutPacked(html, left), ADDRESS_ALONE, (_, address = '') =>
    SHOWN.test(address) ? embedOf(address) : `<a href="${address}">${address}</a>`,
  );
  if (!linked.includes('[')) return linked;
  const closed = new Set(
    Array.from(linked.matchAll(/\[\/([a-z][a-z0-9_-]{1,40})\]/gi), ([, name = '']) => name.toLowerCase()),
  );
  let caption = '';
  const without = outsideOfCode(
    linked,
    TAG,
    (whole, before = '', slash = '', raw = '', rest = '', after = '') => {
      if (before !== '' && after !== '') return whole.slice(1, -1);
      const name = raw.toLowerCase();
      const isShortcode = KNOWN.has(name) || closed.has(name) || /=/.test(rest);
      if (!isShortcode) return whole;
      const edges = (text: string) => `${before}${text}${after}`;
      if (name === 'caption' || name === 'wp_caption') {
        if (slash === '') {
          caption = attributesOf(rest).get('caption') ?? '';
          return edges(CAPTION_BEGINS);
        }
        return edges(
          caption === '' ? '</figure>' : `<figcaption>${escapeHtml(caption)}</figcaption></figure>`,
        );
      }
      if (NOTES.has(name) && closed.has(name) && !whole.includes('/]'))
        return edges(slash === '' ? ' (' : ')');
      if (slash !== '') return edges('');
      const pictures = name === 'gallery' && library !== undefined ? galleryOf(rest, library) : [];
      if (pictures.length > 0)
        return edges(pictures.map((one) => `<figure><img src="${escapeHtml(one)}"></figure>`).join(''));
      const address = addressOf(name, rest);
      if (address !== undefined)
        return edges(
          SHOWN.test(address)
            ? embedOf(escapeHtml(address))
            : `<p><a href="${escapeHtml(address)}">${escapeHtml(address)}</a></p>`,
        );
      if (name !== 'embed') left(name);
      return edges('');
    },
  );
  return withCaptions(without);
}

function embedOf(address: string): string {
  return `<oembed url="${address}"></oembed>`;
}

/** Between these, a word in brackets is an example. */
const CODE = /<(\/?)(pre|code)\b/gi;

/** Replaces what is found outside of `<pre>` and `<code>`. */
function outsideOfCode(
  html: string,
  pattern: RegExp,
  replace: (whole: string, ...groups: (string | undefined)[]) => string,
): string {
  const stretches: { readonly from: number; readonly to: number }[] = [];
  let open: { readonly name: string; readonly from: number } | undefined;
  for (const { 1: slash, 2: tag = '', index } of html.matchAll(CODE)) {
    const name = tag.toLowerCase();
    if (slash === '') open ??= { name, from: index };
    else if (open?.name === name) {
      stretches.push({ from: open.from, to: index });
      open = undefined;
    }
  }
  let next = 0;
  return html.replace(pattern, (whole: string, ...found: unknown[]) => {
    const at = found.find((one) => typeof one === 'number') ?? 0;
    while ((stretches[next]?.to ?? html.length) < at) next++;
    return (stretches[next]?.from ?? html.length) < at ? whole : replace(whole, ...(found as string[]));
  });
}

/** What WPBakery packs so that no editor touches it. */
const PACKED = /\[vc_raw_(html|js)\b[^\]]{0,500}\]([a-z\d+/=\s]*)\[\/vc_raw_(?:html|js)\]/gi;

function withoutPacked(html: string, left: (name: string) => void): string {
  return html.replace(PACKED, (_, kind: string, packed: string) => {
    const markup = kind.toLowerCase() === 'html' ? unpacked(packed) : undefined;
    if (markup === undefined) left(`vc_raw_${kind.toLowerCase()}`);
    return markup ?? '';
  });
}

function unpacked(packed: string): string | undefined {
  try {
    return decodeURIComponent(Buffer.from(packed, 'base64').toString('utf8'));
  } catch {
    return undefined;
  }
}

/** No markup has it: stands where a caption's figure begins until its words are found. */
const CAPTION_BEGINS = '<figure\u0000>';
const PICTURE_FIRST = /^\s*(?:<a\b[^>]{0,2000}>\s*)?<img\b[^>]{0,4000}>\s*(?:<\/a>)?/i;

/** Since WordPress 3.4 a caption's words stand behind its picture, between `[caption]` and `[/caption]`. */
function withCaptions(html: string): string {
  const [start = '', ...figures] = html.split(CAPTION_BEGINS);
  const marked = figures.map((text) => {
    const end = text.indexOf('</figure>');
    const picture = end === -1 ? undefined : PICTURE_FIRST.exec(text.slice(0, end))?.[0];
    if (picture === undefined) return `<figure>${text}`;
    const words = text.slice(picture.length, end).trim();
    if (words === '' || words.includes('<figcaption>')) return `<figure>${text}`;
    return `<figure>${picture}<figcaption>${words}</figcaption>${text.slice(end)}`;
  });
  return start + marked.join('');
}

/** The pictures that a gallery names, or the one address for all of the post's own. */
function galleryOf(rest: string, library: LibraryAddresses): string[] {
  const attributes = attributesOf(rest);
  const given = attributes.get('ids') ?? attributes.get('include');
  if (given === undefined) return library.gallery === undefined ? [] : [library.gallery];
  return given.split(',').flatMap((id) => library.picture(id.trim()) ?? []);
}

/** Where a film or the like is to be seen, when the shortcode says so itself. */
function addressOf(name: string, rest: string): string | undefined {
  const attributes = attributesOf(rest);
  const given =
    attributes.get('src') ?? attributes.get('url') ?? attributes.get('mp4') ?? attributes.get('mp3');
  if (given !== undefined && /^https?:\/\//i.test(given)) return given;
  const direct = /^[\s=]+["']?(https?:\/\/[^\s"'\]]+)/i.exec(rest)?.[1];
  if (direct !== undefined) return direct;
  const film = FILMS[name];
  const id = attributes.get('id') ?? /^[\s=]+["']?([\w-]{6,20})\b/.exec(rest)?.[1];
  return film === undefined || id === undefined ? undefined : film(id);
}

function attributesOf(rest: string): ReadonlyMap<string, string> {
  return new Map(
    Array.from(rest.matchAll(ATTRIBUTE), ([, name = '', double, single, bare]) => [
      name.toLowerCase(),
      double ?? single ?? bare ?? '',
    ]),
  );
}
