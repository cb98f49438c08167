import { storiesById } from '#content';
import { type Answer, type Ask, answer, HTML } from '#platform/http';
import { renderMeter } from './pages/meter-page.tsx';
import type { Site } from './parts.ts';


/** The page on which a visitor sees what counted this month, how many are left and when the month turns. */
export function meterAnswers(site: Site): (ask: Ask) => Promise<Answer> {
  const cookie = visitorCookie(site.baseUrl);
  return async (ask) => {
    const book = await site.access.meterBook(site.access.visitor(ask.cookies(cookie.name)));
    const ids = book.reads.map((read) => read.storyId);
    const stories = new Map(
      (await storiesById(site.database.db, ids, site.clock.now())).map((story) => [story.id, story]),
    );
    const reads = book.reads.map(({ at, storyId }) => {
      const story = stories.get(storyId);
      return story === undefined ? { at } : { at, story };
    });
    const html = renderMeter({ frame: site.frame(), book: { ...book, reads } });
    return answer(200, HTML, html, ['Cache-Control', 'private, no-store', 'X-Robots-Tag', 'noindex']);
  };
}
