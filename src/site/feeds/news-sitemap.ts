import type { StoryCard } from '#content';
import type { Frame } from '../frame.ts';
import { storyPath } from '../urls.ts';
import { w3cDate } from './sitemap.ts';
import { XML_DECLARATION, xmlText } from './xml.ts';

/** Google's limit for one news sitemap. */
const MOST = 1_000;

/**
 * The stories of the last two days for news search ("Create a news sitemap" in Google's Search documentation), the
 * first thousand of those given. The name is the paper's own, as it stands on every page.
 *
 * @param sitemap.stories newest first, none of them visible for more than 48 hours
 */
export function renderNewsSitemap({
  frame,
  stories,
}: {
  frame: Frame;
  stories: readonly StoryCard[];
}): string {
  const urls = stories.slice(0, MOST).map(
    (story) => `<url>
<loc>${xmlText(frame.baseUrl + storyPath(story))}</loc>
<news:news>
<news:publication>
<news:name>${xmlText(frame.paper.name)}</news:name>
<news:language>${xmlText(newsLanguage(story.language))}</news:language>
</news:publication>
<news:publication_date>${w3cDate(story.publishedAt)}</news:publication_date>
<news:title>${xmlText(story.headline)}</news:title>
</news:news>
</url>
`,
  );
  return `${XML_DECLARATION}<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">
${urls.join('')}</urlset>
`;
}

/** An ISO 639 code of two or three letters, and for Chinese the two that Google knows. */
function newsLanguage(language: string): string {
  const [code = '', ...parts] = language.toLowerCase().split('-');
  if (code !== 'zh') return code;
  return parts.some((part) => ['tw', 'hk', 'mo', 'hant'].includes(part)) ? 'zh-tw' : 'zh-cn';
}
