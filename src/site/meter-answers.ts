import { storiesById } from '#content';
import type { Answer, Ask } from '#platform/http';
import { renderMeter } from './pages/meter-page.tsx';
import type { Site } from './parts.ts';
import { ownPage } from './plain-answers.ts';

/** The page on which a visitor sees what counted this month, how many are left and when the month turns. */
export function meterAnswers(site: Site): (ask: Ask) => Promise<Answer> {
  return async (ask) => {
    const { audience, who } = await site.asker(ask);
    const book = await site.access.meterBook(who);
    const ids = book.reads.map((read) => read.storyId);
    const stories = new Map(
      (await storiesById(site.database.db, ids, site.clock.now())).map((story) => [story.id, story]),
    );
    const reads = book.reads.map(({ at, storyId }) => {
      const story = stories.get(storyId);
      return story === undefined ? { at } : { at, story };
    });
    return ownPage(renderMeter({ frame: site.frame(audience), book: { ...book, reads } }));
  };
}
