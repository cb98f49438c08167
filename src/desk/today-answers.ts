import { readDayTotals } from '#access';
import { countParked } from '#billing';
import { listStories } from '#content';
import type { Answer, Ask } from '#platform/http';
import { may } from '#staff';
import { deskPage, frameFor } from './desk-answer.ts';
import { renderToday } from './pages/today-page.tsx';
import type { Desk } from './parts.ts';

/** So many stories a day are counted exactly; a paper that has more is told so. */
const MOST_COUNTED = 500;
const NEWEST = 12;

/** The first page of the desk: what the paper has done today, in its own zone. */
export function todayAnswers(desk: Desk): (ask: Ask) => Promise<Answer> {
  const { access, clock, database } = desk;
  return async (ask) => {
    const now = clock.now();
    const today = access.today();
    const since = today.toZonedDateTime(desk.publication().zone).toInstant();
    const [published, newest, totals, parked] = await Promise.all([
      listStories(database.db, { since, limit: MOST_COUNTED }, now),
      listStories(database.db, { limit: NEWEST }, now),
      readDayTotals(database.db, today),
      may(desk.personOf(ask).role, 'readers.see') ? countParked(database.db) : 0,
    ]);
    return deskPage(
      renderToday({
        frame: frameFor(desk, ask),
        today,
        published: {
          stories: published.length,
          premium: published.filter((story) => story.access === 'premium').length,
          andMore: published.length === MOST_COUNTED,
        },
        newest,
        totals,
        parked,
      }),
    );
  };
}
