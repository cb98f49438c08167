import type { StoryCard } from '#content';
import type { Frame } from '../frame.ts';
import { feedPath, picturePath, storyPath } from '../urls.ts';
import { XML_DECLARATION, xmlElement, xmlText } from './xml.ts';

/** The width in pixels of the picture that a feed names. */
const PICTURE_WIDTH = 1200;

/**
 * The newest stories as RSS 2.0 (rssboard.org/rss-specification), with what the RSS Advisory Board's profile asks for
 * beside it: `atom:link` to itself and `dc:creator` for names without a mail address. It holds what everybody may see
 * of a story, and a card has no body that could get into it.
 *
 * @param feed.title of what the feed is of; the whole paper without one
 * @param feed.path of the page whose stories these are: `/`, or a section's
 */
export function renderFeed({
  frame,
  title,
  path,
  stories,
}: {
  frame: Frame;
  title?: string;
  path: string;
  stories: readonly StoryCard[];
}): string {
  const { baseUrl, paper } = frame;
  const section = frame.sections.find((one) => `/${one.slug}` === path);
  const name = title === undefined ? paper.name : `${title} – ${paper.name}`;
  const self = baseUrl + (path === '/' ? feedPath() : feedPath(path.slice(1)));
  const newest = stories.map((one) => one.updatedAt).reduce(later, undefined);
  return `${XML_DECLARATION}<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/">
<channel>
<title>${xmlText(name)}</title>
<link>${xmlText(baseUrl + path)}</link>
<description>${xmlText(section?.description || paper.tagline || name)}</description>
${xmlElement('language', paper.language)}${newest === undefined ? '' : xmlElement('lastBuildDate', rfc822(newest))}<atom:link href="${xmlText(self)}" rel="self" type="application/rss+xml"/>
${stories.map((story) => item(baseUrl, paper.language, story)).join('')}</channel>
</rss>
`;
}

function item(baseUrl: string, language: string, story: StoryCard): string {
  const address = xmlText(baseUrl + storyPath(story));
  return `<item>
<title>${xmlText(story.headline)}</title>
<link>${address}</link>
<guid isPermaLink="false">urn:uuid:${story.id}</guid>
<pubDate>${rfc822(story.publishedAt)}</pubDate>
${xmlElement('description', story.standfirst)}${story.authors.map((author) => xmlElement('dc:creator', author.name)).join('')}${xmlElement('category', story.section.name)}${story.language === language ? '' : xmlElement('dc:language', story.language)}${picture(baseUrl, story)}</item>
`;
}

/** Media RSS (rssboard.org/media-rss), because RSS's own enclosure must say how many bytes the picture has. */
function picture(baseUrl: string, { picture }: StoryCard): string {
  if (picture === undefined) return '';
  const url = xmlText(baseUrl + picturePath(picture.pictureId, PICTURE_WIDTH));
  return `<media:content url="${url}" medium="image" type="image/webp">
${xmlElement('media:description', picture.alt)}${xmlElement('media:credit', picture.credit)}</media:content>
`;
}

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** RFC 822 section 5 with the four digits of RFC 1123, as RSS wants its dates: Mon, 23 Nov 2026 06:30:00 GMT. */
function rfc822(instant: Temporal.Instant): string {
  const at = instant.toZonedDateTimeISO('UTC');
  const day = `${DAYS[at.dayOfWeek - 1]}, ${two(at.day)} ${MONTHS[at.month - 1]} ${String(at.year).padStart(4, '0')}`;
  return `${day} ${two(at.hour)}:${two(at.minute)}:${two(at.second)} GMT`;
}

const two = (number: number): string => String(number).padStart(2, '0');

function later(a: Temporal.Instant | undefined, b: Temporal.Instant): Temporal.Instant {
  return a === undefined || Temporal.Instant.compare(a, b) < 0 ? b : a;
}
