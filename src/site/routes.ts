import type { Answer, Ask, Route } from '#platform/http';
import { accountRoutes } from './account-answers.ts';
import { changeRoutes } from './change-answers.ts';
import { checkoutRoutes } from './checkout-answers.ts';
import { clockRoutes } from './clock-answers.ts';
import { feedAnswers } from './feed-answers.ts';
import { fileAnswers } from './file-answers.ts';
import type { Frame } from './frame.ts';
import { giftRoutes } from './gift-answers.ts';
import { groupRoutes } from './group-answers.ts';
import { listAnswers } from './list-answers.ts';
import { meterAnswers } from './meter-answers.ts';
import { offersByMailRoutes } from './offers-by-mail-answers.ts';
import { outboxRoutes } from './outbox-answers.ts';
import {
  renderAbout,
  renderContact,
  renderCorrections,
  renderPrivacy,
  renderTerms,
} from './pages/paper-pages.tsx';
import { renderSections } from './pages/sections-page.tsx';
import type { Site } from './parts.ts';
import { paymentRoutes } from './payment-answers.ts';
import { forAudience, moved, printed } from './plain-answers.ts';
import { razorpayRoutes } from './razorpay-answers.ts';
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
  const fixed = (path: string, render: (given: { frame: Frame }) => string): Route =>
    get(path, (ask) =>
      forAudience(site, ask, (audience) => printed(audience, render({ frame: site.frame(audience) }))),
    );

  /** What is not here may have stood at the site that an archive came from. */
  const orMoved = (handle: (ask: Ask) => Answer | Promise<Answer>) => {
    const follow = async (ask: Ask, made: Answer) => (await moved(site, ask)) ?? made;
    return (ask: Ask): Answer | Promise<Answer> => {
      const made = handle(ask);
      if (made instanceof Promise) return made.then((one) => (one.status === 404 ? follow(ask, one) : one));
      return made.status === 404 ? follow(ask, made) : made;
    };
  };
  /** `/?p=47` is how a story is called where it has no better name. */
  const OLD_QUERIES = ['p', 'page_id', 'attachment_id', 'cat', 'tag', 'author_name', 'feed'];
  async function frontOrMoved(ask: Ask): Promise<Answer> {
    return (await moved(site, ask)) ?? lists.front(ask);
  }

  return [
    get(PATHS.front, (ask) =>
      OLD_QUERIES.some((name) => ask.query(name) !== undefined) ? frontOrMoved(ask) : lists.front(ask),
    ),
    get('/assets/:file', files.asset),
    get('/media/:picture/:file', files.picture),
    get('/feed.xml', feeds.feed),
    get(PATHS.sitemap, feeds.sitemap),
    get('/sitemaps/:month', feeds.sitemapMonth),
    get(PATHS.newsSitemap, feeds.newsSitemap),
    get('/robots.txt', feeds.robots),
    get(PATHS.meter, meterAnswers(site)),
    ...accountRoutes(site),
    ...groupRoutes(site),
    ...giftRoutes(site),
    ...offersByMailRoutes(site),
    ...checkoutRoutes(site),
    ...paymentRoutes(site),
    ...changeRoutes(site),
    ...razorpayRoutes(site),
    fixed(PATHS.about, renderAbout),
    fixed(PATHS.corrections, renderCorrections),
    fixed(PATHS.privacy, renderPrivacy),
    fixed(PATHS.terms, renderTerms),
    fixed(PATHS.contact, renderContact),
    fixed(PATHS.sections, renderSections),
    get(PATHS.topics, lists.topics),
    get('/topics/:topic', orMoved(lists.topic)),
    get('/authors/:author', orMoved(lists.author)),
    ...outboxRoutes(site),
    ...clockRoutes(site),
    get('/:section', orMoved(lists.section)),
    get('/:section/feed.xml', feeds.sectionFeed),
    get('/:section/:story', orMoved(storyAnswers(site))),
  ];
}
