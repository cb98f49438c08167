import type { ChangeFeed } from '#platform/change-feed';
import type { Clock } from '#platform/clock';
import type { Db } from '#platform/db';
import { grouped } from '#platform/grouped';
import { remembered } from '#platform/remembered';
import { newestOfSections, newestOfTopics } from './newest.query.ts';
import { chooseRelated, type NearList } from './related.ts';

/** Topics and sections whose newest stories stay in memory: about 5 KB each. */
const MOST_LISTS = 1_000;
/** A list is read anew after this long, so that it learns of stories that went live by the clock. */
const FRESH_MS = 5 * 60_000;

/**
 * Chooses the stories to read after one, from lists that stories share and that stay in memory.
 *
 * @returns ids of stories that anybody may know of, the nearest first; fails when the database has to be asked and
 *   cannot be
 */
export type RelatedStories = (
  story: { readonly id: string; readonly section: string; readonly topics: readonly string[] },
  limit: number,
) => Promise<string[]>;

export function rememberRelated(db: Db, changes: ChangeFeed, clock: Clock): RelatedStories {
  const keep = (ask: (db: Db, slugs: string[], now: Temporal.Instant) => Promise<Map<string, NearList>>) =>
    remembered<NearList>(
      changes,
      grouped(
        async (slugs: string[]) => {
          const lists = await ask(db, [...new Set(slugs)], clock.now());
          return slugs.map((slug) => lists.get(slug));
        },
        { most: 50, inFlight: 2 },
      ),
      { most: MOST_LISTS, freshMs: FRESH_MS },
    );
  const ofTopic = keep(newestOfTopics);
  const ofSection = keep(newestOfSections);

  return async (story, limit) => {
    const lists = await Promise.all([...story.topics.map(ofTopic), ofSection(story.section)]);
    return chooseRelated(
      story.id,
      lists.filter((list) => list !== undefined),
      limit,
    );
  };
}
