import { type Answer, type Ask, HTML, publicAnswer, type Route } from '#platform/http';
import { feedAnswers } from './feed-answers.ts';
import { fileAnswers } from './file-answers.ts';
import { listAnswers, PUBLIC_SECONDS } from './list-answers.ts';
import { meterAnswers } from './meter-answers.ts';
import { outboxRoutes } from './outbox-answers.ts';
import { renderLogin } from './pages/login-page.tsx';
import {
  renderAbout,
  renderContact,
  renderCorrections,
  renderPrivacy,
  renderTerms,
} from './pages/paper-pages.tsx';
import { renderSections } from './pages/sections-page.tsx';
import { renderSubscribe } from './pages/subscribe-page.tsx';
import type { Site } from './parts.ts';
import { storyAnswers } from './story-answers.ts';
import { PATHS } from './urls.ts';

/** Everything a reader can open, and who may: all of it is public, and stories are decided one by one. */
export function siteRoutes(site: Site): Route[] {
  const lists = listAnswers(site);
  const feeds = feedAnswers(site, lists.listed);
  const files = fileAnswers(site);
  const get = (path: string, handle: (ask: Ask) => Answer | Promise<Answer>): Route => ({
    method: 'GET',
    path,
    who: 'anyone',
    handle,
  });
  const fixed = (path: string, render: (given: { frame: ReturnType<Site['frame']> }) => string): Route =>
    get(path, () => publicAnswer(HTML, render({ frame: site.frame() }), PUBLIC_SECONDS));

  return [
    get(PATHS.front, lists.front),
    get('/assets/:file', files.asset),
    get('/media/:picture/:file', files.picture),
    get('/feed.xml', feeds.feed),
    get(PATHS.sitemap, feeds.sitemap),
    get('/sitemaps/:month', feeds.sitemapMonth),
    get(PATHS.newsSitemap, feeds.newsSitemap),
    get('/robots.txt', feeds.robots),
    get(PATHS.meter, meterAnswers(site)),
    get(PATHS.subscribe, (ask) => {
      const chosen = ask.query('plan');
      const html = renderSubscribe({ frame: site.frame(), ...(chosen === undefined ? {} : { chosen }) });
      return publicAnswer(HTML, html, PUBLIC_SECONDS);
    }),
    fixed(PATHS.login, renderLogin),
    fixed(PATHS.about, renderAbout),
    fixed(PATHS.corrections, renderCorrections),
    fixed(PATHS.privacy, renderPrivacy),
    fixed(PATHS.terms, renderTerms),
    fixed(PATHS.contact, renderContact),
    fixed(PATHS.sections, renderSections),
    get(PATHS.topics, lists.topics),
    get('/topics/:topic', lists.topic),
    get('/authors/:author', lists.author),
    ...outboxRoutes(site),
    get('/:section', lists.section),
    get('/:section/feed.xml', feeds.sectionFeed),
    get('/:section/:story', storyAnswers(site)),
  ];
}
