import { escapeHtml } from './escape-html.ts';
import { countScripts } from './html-embeds.ts';
import { markdownToHtml } from './markdown.ts';

/** A stretch of a body: HTML of our own; somebody's own, which may be broken; the place where only members read on. */
export type Stretch = string | { readonly raw: string } | typeof CUT;
export const CUT = Symbol('members only');

/** What a card says under a name: text, or nothing where it is missing or something else. */
type Said = (name: string) => string;

const html = (...parts: string[]): Stretch[] => {
  const whole = parts.join('');
  return whole === '' ? [] : [whole];
};
/** Words that may hold markup, as Ghost's captions and descriptions do. */
const marked = (tag: string, said: string) => (said.trim() === '' ? '' : `<${tag}>${said}</${tag}>`);
const plain = (tag: string, said: string) => marked(tag, escapeHtml(said));
const figure = (inside: string, caption: string) =>
  inside === '' ? '' : `<figure>${inside}${marked('figcaption', caption)}</figure>`;
const image = (src: string, alt = '') =>
  src === '' ? '' : `<img src="${escapeHtml(src)}" alt="${escapeHtml(alt)}">`;
const link = (url: string, said: string) =>
  url === '' ? '' : `<p><a href="${escapeHtml(url)}">${escapeHtml(said || url)}</a></p>`;
/** Something of another site: a card that leads there. */
const elsewhere = (url: string, title: string, caption = '') =>
  url === ''
    ? ''
    : figure(`<iframe src="${escapeHtml(url)}" title="${escapeHtml(title)}"></iframe>`, caption);

/** By the names of Ghost's editors, the older one's and the newer one's. */
const CARDS: { readonly [name: string]: (said: Said, given: unknown) => Stretch[] } = {
  image: (said) => html(figure(image(said('src'), said('alt')), said('caption'))),
  gallery: (said, given) => {
    const images = listOf(given, 'images').map((one) => saidIn(one));
    return html(
      ...images.map((of, at) => {
        const caption = of('caption') || (at === images.length - 1 ? said('caption') : '');
        return figure(image(of('src'), of('alt')), caption);
      }),
    );
  },
  markdown: (said) => [{ raw: markdownToHtml(said('markdown')) }],
  html: (said) => [{ raw: said('html') }],
  hr: () => html('<hr>'),
  code: (said) => html(plain('pre', said('code')), marked('p', said('caption'))),
  embed: (said) =>
    said('url') === ''
      ? [{ raw: said('html') }]
      : html(elsewhere(said('url'), said('metadata.title'), said('caption'))),
  bookmark: (said) => html(elsewhere(said('url'), said('metadata.title') || said('title'), said('caption'))),
  callout: (said) => html(marked('div', `${escapeHtml(said('calloutEmoji'))} ${said('calloutText')}`)),
  toggle: (said) => html(marked('h4', said('heading')), said('content')),
  button: (said) => html(link(said('buttonUrl'), said('buttonText'))),
  file: (said) =>
    html(link(said('src'), said('fileTitle') || said('fileName')), plain('p', said('fileCaption'))),
  audio: (said) => html(elsewhere(said('src'), said('title'))),
  video: (said) => html(elsewhere(said('src'), said('fileName'), said('caption'))),
  header: (said) =>
    html(
      marked('h2', said('header')),
      marked('p', said('subheader')),
      link(said('buttonUrl'), said('buttonText')),
    ),
  product: (said) =>
    html(
      marked('h4', said('productTitle')),
      image(said('productImageSrc')),
      said('productDescription'),
      link(said('productUrl'), said('productButton')),
    ),
  'call-to-action': (said) =>
    html(image(said('imageUrl')), said('textValue'), link(said('buttonUrl'), said('buttonText'))),
  paywall: () => [CUT],
};

const OTHER_NAMES: Readonly<Record<string, string>> = {
  'card-markdown': 'markdown',
  horizontalrule: 'hr',
  codeblock: 'code',
  transistor: 'embed',
  'at-link': 'bookmark',
};

/**
 * What a card of Ghost's editors is here.
 *
 * @param left is told the name of a card that has no place here: what is for mails alone, and forms
 */
export function readCard(name: string, given: unknown, left: (what: string) => void): Stretch[] {
  const known = (Object.hasOwn(OTHER_NAMES, name) ? OTHER_NAMES[name] : undefined) ?? name;
  const card = Object.hasOwn(CARDS, known) ? CARDS[known] : undefined;
  const said = saidIn(given);
  // Files stay where they are, and the old site is none that they can be linked to.
  if (/^(?:audio|video|file)$/.test(known) && said('src').startsWith('/')) left(`file of a card ${known}`);
  const lost = countScripts(said('html')) + countScripts(said('markdown'));
  for (let script = 0; script < lost; script++) left('script');
  if (card !== undefined) return card(said, given);
  left(`card ${name}`);
  return [];
}

function saidIn(given: unknown): Said {
  return (name) => {
    let said = given;
    for (const part of name.split('.')) said = isRecord(said) ? said[part] : undefined;
    return typeof said === 'string' ? said : '';
  };
}

function listOf(given: unknown, name: string): unknown[] {
  const list = isRecord(given) ? given[name] : undefined;
  return Array.isArray(list) ? list : [];
}

function isRecord(given: unknown): given is Record<string, unknown> {
  return typeof given === 'object' && given !== null;
}
