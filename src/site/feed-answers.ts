import { listStories, storiesByMonth } from '#content';
import { type Answer, type Ask, publicAnswer } from '#platform/http';
import { renderFeed } from './feeds/feed.ts';
import { renderNewsSitemap } from './feeds/news-sitemap.ts';
import { renderRobots } from './feeds/robots.ts';
import { renderSitemapIndex, renderSitemapMonth, SITEMAP_URLS } from './feeds/sitemap.ts';
import { COUNTED_MS, type listAnswers } from './list-answers.ts';
import type { Site } from './parts.ts';
import { missing, PUBLIC_SECONDS } from './plain-answers.ts';
import { sectionPath } from './urls.ts';

const IN_FEED = 50;
const IN_NEWS_SITEMAP = 1_000;
const XML = 'application/xml; charset=utf-8';
const RSS = 'application/rss+xml; charset=utf-8';

/** Feeds and sitemaps: what everybody may see of stories, for programs. */
export function feedAnswers(site: Site, listed: ReturnType<typeof listAnswers>['listed']) {
  const { db } = site.database;
  const zone = () => site.publication().zone;

  return {
    feed: () =>
      listed('feed', async (now) => {
        const stories = await listStories(db, { limit: IN_FEED }, now);
        return publicAnswer(RSS, renderFeed({ frame: site.frame(), path: '/', stories }), PUBLIC_SECONDS);
      }),

    sectionFeed(ask: Ask): Answer | Promise<Answer> {
      const slug = ask.param('section');
      const section = site.frame().sections.find((one) => one.slug === slug);
      if (section === undefined) return missing(site, ask);
      return listed(`feed ${slug}`, async (now) => {
        const stories = await listStories(db, { section: slug, limit: IN_FEED }, now);
        const path = sectionPath(slug);
        return publicAnswer(
          RSS,
          renderFeed({ frame: site.frame(), title: section.name, path, stories }),
          PUBLIC_SECONDS,
        );
      });
    },

    sitemap: () =>
      listed(
        'sitemap',
        async (now) => {
          const months = await storiesByMonth(db, zone(), now);
          return publicAnswer(XML, renderSitemapIndex({ frame: site.frame(), months }), PUBLIC_SECONDS);
        },
        COUNTED_MS,
      ),

    /** One month's stories; a month of more than a sitemap may hold comes in parts. */
    sitemapMonth(ask: Ask): Answer | Promise<Answer> {
      const name = /^(\d{4}-\d{2})(?:-([1-9]\d{0,2}))?\.xml$/.exec(ask.param('month'));
      const month = name?.[1] === undefined ? undefined : monthBounds(name[1], zone());
      if (month === undefined) return missing(site, ask);
      const part = Number(name?.[2] ?? 1);
      return listed(`sitemap ${name?.[1]} ${part}`, async (now) => {
        const skip = (part - 1) * SITEMAP_URLS;
        const stories = await listStories(db, { ...month, limit: SITEMAP_URLS, skip }, now);
        if (stories.length === 0) return undefined;
        return publicAnswer(XML, renderSitemapMonth({ frame: site.frame(), stories }), PUBLIC_SECONDS);
      });
    },

    newsSitemap: () =>
      listed('news sitemap', async (now) => {
        const since = now.subtract({ hours: 48 });
        const stories = await listStories(db, { since, limit: IN_NEWS_SITEMAP }, now);
        return publicAnswer(XML, renderNewsSitemap({ frame: site.frame(), stories }), PUBLIC_SECONDS);
      }),

    robots: () =>
      publicAnswer('text/plain; charset=utf-8', renderRobots({ frame: site.frame() }), PUBLIC_SECONDS),
  };
}

function monthBounds(
  month: string,
  zone: string,
): { since: Temporal.Instant; until: Temporal.Instant } | undefined {
  // No paper is older than printing.
  if (!/^(14[5-9]\d|1[5-9]\d\d|[2-9]\d{3})-(0[1-9]|1[0-2])$/.test(month)) return undefined;
  const first = Temporal.PlainDate.from(`${month}-01`);
  return {
    since: first.toZonedDateTime(zone).toInstant(),
    until: first.add({ months: 1 }).toZonedDateTime(zone).toInstant(),
  };
}
