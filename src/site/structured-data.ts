import { elementText, type Named, type PreviewView } from '#content';
import { xmlText } from './feeds/xml.ts';
import type { Frame } from './frame.ts';
import { authorPath, feedPath, picturePath, sectionPath, storyPath } from './urls.ts';

/** The width in pixels of the picture that search engines and previews are given; Google asks for 1,200 at least. */
const PICTURE_WIDTH = 1200;
/** Longer headlines may be cut in results ("Article structured data", Google's Search documentation): we cut them well. */
const HEADLINE_CHARACTERS = 110;
const DESCRIPTION_CHARACTERS = 200;
/** The element around the text that not everybody may read. The story page puts it there, and nowhere else. */
const LOCKED_SELECTOR = '.story-locked';

/**
 * What stands in the head of a story's page for search engines, previews and feed readers: safe HTML, without the
 * title. Everything in it comes from what anybody may see; a PreviewView has no body that could get into it.
 *
 * @param page.access what the decision gave for this page
 * @param page.open whether the whole story is open to everybody, with no count, sign-in or plan
 */
export function storyHead({
  access,
  frame,
  open,
  story,
}: {
  frame: Frame;
  story: PreviewView;
  access: 'full' | 'preview';
  open: boolean;
}): string {
  const { baseUrl, paper } = frame;
  const url = baseUrl + storyPath(story);
  const description = descriptionOf(story);
  return [
    link('canonical', url),
    described(description),
    // An archived copy of a locked story would be read by everybody.
    meta('name', 'robots', open ? 'max-image-preview:large' : 'max-image-preview:large, noarchive'),
    openGraph(frame, { type: 'article', title: story.headline, url, description, language: story.language }),
    meta('property', 'article:published_time', inZone(story.publishedAt, paper.zone)),
    meta('property', 'article:modified_time', inZone(modifiedAt(story), paper.zone)),
    meta('property', 'article:section', story.section.name),
    ...story.authors.map(({ slug }) => meta('property', 'article:author', baseUrl + authorPath(slug))),
    ...story.topics.map(({ name }) => meta('property', 'article:tag', name)),
    ...pictureMeta(frame, story),
    feedLink(frame, story.section),
    jsonLd(newsArticle({ access, frame, open, story, url, description })),
  ].join('');
}

/**
 * What stands in the head of a list's page, likewise.
 *
 * @param page.path of this page; `page.next` and `page.prev` are those of the pages beside it
 * @param page.feed the section whose feed holds these stories
 */
export function listHead({
  description,
  feed,
  frame,
  next,
  path,
  prev,
  title,
}: {
  frame: Frame;
  title: string;
  path: string;
  description: string;
  feed?: Named;
  next?: string;
  prev?: string;
}): string {
  const url = frame.baseUrl + path;
  const words = shorten(description, DESCRIPTION_CHARACTERS);
  const { language } = frame.paper;
  return [
    link('canonical', url),
    described(words),
    openGraph(frame, { type: 'website', title, url, description: words, language }),
    meta('name', 'twitter:card', 'summary'),
    feed === undefined ? '' : feedLink(frame, feed),
    prev === undefined ? '' : link('prev', frame.baseUrl + prev),
    next === undefined ? '' : link('next', frame.baseUrl + next),
  ].join('');
}

function described(description: string): string {
  return description === '' ? '' : meta('name', 'description', description);
}

type Card = {
  readonly type: 'article' | 'website';
  readonly title: string;
  readonly url: string;
  readonly description: string;
  readonly language: string;
};

/** The Open Graph protocol (ogp.me), which other previews understand too. */
function openGraph({ paper }: Frame, { description, language, title, type, url }: Card): string {
  const locale = /^([a-z]{2,3})-([A-Z]{2})$/.exec(language);
  return [
    meta('property', 'og:type', type),
    meta('property', 'og:site_name', paper.name),
    meta('property', 'og:title', title),
    meta('property', 'og:url', url),
    description === '' ? '' : meta('property', 'og:description', description),
    locale === null ? '' : meta('property', 'og:locale', `${locale[1]}_${locale[2]}`),
  ].join('');
}

function pictureMeta({ baseUrl }: Frame, { picture }: PreviewView): string[] {
  if (picture === undefined) return [meta('name', 'twitter:card', 'summary')];
  return [
    meta('name', 'twitter:card', 'summary_large_image'),
    meta('property', 'og:image', baseUrl + picturePath(picture.pictureId, PICTURE_WIDTH)),
    meta('property', 'og:image:width', String(PICTURE_WIDTH)),
    meta('property', 'og:image:type', 'image/webp'),
    picture.alt === '' ? '' : meta('property', 'og:image:alt', picture.alt),
  ];
}

function feedLink({ paper }: Frame, { name, slug }: Named): string {
  return `<link rel="alternate" type="application/rss+xml" title="${xmlText(`${name} – ${paper.name}`)}" href="${xmlText(feedPath(slug))}"/>`;
}

type Article = {
  readonly frame: Frame;
  readonly story: PreviewView;
  readonly access: 'full' | 'preview';
  readonly open: boolean;
  readonly url: string;
  readonly description: string;
};

/**
 * schema.org's NewsArticle as Google documents it ("Article", and "Subscription and paywalled content").
 *
 * `isAccessibleForFree` says of the story what the policy says, on every version of its page. `hasPart` marks the text
 * that not everybody gets, so that a crawler which is given the whole of a metered story sees that nothing is cloaked.
 * It stands on full pages alone: a preview does not contain that text, and a selector that matches nothing, or matches
 * the wall, which anybody may read, would be untrue.
 */
function newsArticle({ access, description, frame, open, story, url }: Article): object {
  const { baseUrl, paper } = frame;
  const locked = !open && access === 'full';
  return {
    '@context': 'https://schema.org',
    '@type': 'NewsArticle',
    mainEntityOfPage: url,
    url,
    headline: shorten(story.headline, HEADLINE_CHARACTERS),
    ...(description === '' ? {} : { description }),
    datePublished: inZone(story.publishedAt, paper.zone),
    dateModified: inZone(modifiedAt(story), paper.zone),
    author: (story.authors.length > 0 ? story.authors : undefined)?.map(({ name, slug }) => ({
      '@type': 'Person',
      name,
      url: baseUrl + authorPath(slug),
    })) ?? [{ '@type': 'NewsMediaOrganization', name: paper.name, url: `${baseUrl}/` }],
    publisher: { '@type': 'NewsMediaOrganization', name: paper.name, url: `${baseUrl}/` },
    ...(story.picture === undefined
      ? {}
      : { image: [baseUrl + picturePath(story.picture.pictureId, PICTURE_WIDTH)] }),
    inLanguage: story.language,
    articleSection: story.section.name,
    ...(story.topics.length === 0 ? {} : { keywords: story.topics.map(({ name }) => name) }),
    isPartOf: {
      '@type': 'CollectionPage',
      name: story.section.name,
      url: baseUrl + sectionPath(story.section.slug),
    },
    isAccessibleForFree: open,
    ...(locked
      ? { hasPart: { '@type': 'WebPageElement', isAccessibleForFree: false, cssSelector: LOCKED_SELECTOR } }
      : {}),
  };
}

/** The newsroom's own standfirst; without one, the beginning of what was published as the preview. */
function descriptionOf(story: PreviewView): string {
  const words = story.standfirst.trim() || story.preview.map(elementText).filter(Boolean).join(' ');
  return shorten(words, DESCRIPTION_CHARACTERS);
}

/** At most this many characters in one line, cut between words where there is a place to cut. */
function shorten(text: string, most: number): string {
  const line = text.replace(/\s+/gu, ' ').trim();
  const characters = [...line];
  if (characters.length <= most) return line;
  const beginning = characters.slice(0, most - 1).join('');
  const space = beginning.lastIndexOf(' ');
  const cut = space > beginning.length / 2 ? beginning.slice(0, space) : beginning;
  return `${cut.replace(/[\s,;:–—-]+$/u, '')}…`;
}

/** A story that was written first and published later has not been changed before it was there. */
function modifiedAt({ publishedAt, updatedAt }: PreviewView): Temporal.Instant {
  return Temporal.Instant.compare(updatedAt, publishedAt) < 0 ? publishedAt : updatedAt;
}

/** ISO 8601 with the offset that the paper's clocks have then. */
function inZone(instant: Temporal.Instant, zone: string): string {
  return instant.toZonedDateTimeISO(zone).toString({ smallestUnit: 'second', timeZoneName: 'never' });
}

function link(rel: string, href: string): string {
  return `<link rel="${rel}" href="${xmlText(href)}"/>`;
}

function meta(kind: 'name' | 'property', name: string, content: string): string {
  return `<meta ${kind}="${name}" content="${xmlText(content)}"/>`;
}

/** JSON in a script element: with these escaped nothing in it can end the element or begin a comment (HTML 4.12.1.3). */
function jsonLd(data: object): string {
  const json = JSON.stringify(data).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `<script type="application/ld+json">${json}</script>`;
}
