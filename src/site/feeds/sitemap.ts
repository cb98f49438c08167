import type { StoryCard } from '#content';
import type { Frame } from '../frame.ts';
import { storyPath } from '../urls.ts';
import { XML_DECLARATION, xmlText } from './xml.ts';

/**
 * How many stories one sitemap names. The protocol allows 50,000 addresses and 50 MB (sitemaps.org/protocol.html);
 * we stay far below, so that making one never holds more than a month of a large paper in memory.
 */
export const SITEMAP_URLS = 10_000;

/** A calendar month of the paper's zone (`2026-11`), how many stories it has, and when the last of them changed. */
export type SitemapMonth = {
  readonly month: string;
  readonly stories: number;
  readonly changedAt: Temporal.Instant;
};

/** Names a sitemap for each month, in parts where a month has more stories than one may name. */
export function renderSitemapIndex({
  frame,
  months,
}: {
  frame: Frame;
  months: readonly SitemapMonth[];
}): string {
  const sitemaps = months.flatMap(({ changedAt, month, stories }) =>
    Array.from(
      { length: Math.ceil(stories / SITEMAP_URLS) },
      (_, part) => `<sitemap>
<loc>${xmlText(`${frame.baseUrl}/sitemaps/${month}${part === 0 ? '' : `-${part + 1}`}.xml`)}</loc>
<lastmod>${w3cDate(changedAt)}</lastmod>
</sitemap>
`,
    ),
  );
  return `${XML_DECLARATION}<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
${sitemaps.join('')}</sitemapindex>
`;
}

/**
 * Names the stories of one month, or of one part of it.
 *
 * @throws RangeError for more stories than SITEMAP_URLS
 */
export function renderSitemapMonth({
  frame,
  stories,
}: {
  frame: Frame;
  stories: readonly StoryCard[];
}): string {
  if (stories.length > SITEMAP_URLS) throw new RangeError(`${stories.length} stories in one sitemap`);
  const urls = stories.map(
    (story) => `<url>
<loc>${xmlText(frame.baseUrl + storyPath(story))}</loc>
<lastmod>${w3cDate(story.updatedAt)}</lastmod>
</url>
`,
  );
  return `${XML_DECLARATION}<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
${urls.join('')}</urlset>
`;
}

/** W3C's profile of ISO 8601 (www.w3.org/TR/NOTE-datetime), to the second. */
export function w3cDate(instant: Temporal.Instant): string {
  return instant.toString({ smallestUnit: 'second' });
}
