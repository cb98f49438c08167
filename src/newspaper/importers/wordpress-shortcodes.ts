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
/** On a line of its own or in `[embed]`, WordPress shows what stands behind an address: here it is a link. */
const ADDRESS_ALONE =
  /(?<=^[ \t]*|\[embed\b[^\]]{0,200}\]\s*)(https?:\/\/[^\s<>"'[\]]{1,1000})(?=[ \t]*\r?$|\s*\[\/embed\])/gim;
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
  const linked = html.replace(ADDRESS_ALONE, '<a href="$1">$1</a>');
  if (!linked.includes('[')) return linked;
  const closed = new Set(
    Array.from(linked.matchAll(/\[\/([a-z][a-z0-9_-]{1,40})\]/gi), ([, name = '']) => name.toLowerCase()),
  );
  let caption = '';
  const without = linked.replace(
    TAG,
    (whole, before: string, slash: string, raw: string, rest = '', after: string) => {
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
      if (slash !== '') return edges('');
      const pictures = name === 'gallery' && library !== undefined ? galleryOf(rest, library) : [];
      if (pictures.length > 0)
        return edges(pictures.map((one) => `<figure><img src="${escapeHtml(one)}"></figure>`).join(''));
      const address = addressOf(name, rest);
      if (address !== undefined)
        return edges(`<p><a href="${escapeHtml(address)}">${escapeHtml(address)}</a></p>`);
      if (name !== 'embed') left(name);
      return edges('');
    },
  );
  return withCaptions(without);
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
