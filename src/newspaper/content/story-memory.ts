import { LRUCache } from 'lru-cache';
import type { ChangeFeed } from '#platform/change-feed';
import type { Clock } from '#platform/clock';
import type { Db } from '#platform/db';
import { grouped } from '#platform/grouped';
import { isShortId } from '#platform/ids';
import { remembered } from '#platform/remembered';
import { findHead, storiesById } from './stories.store.ts';
import type { StoryCard, StoryHead } from './story.ts';

/** Heads of this many stories stay in memory: about 0.5 KB each. */
const MOST_HEADS = 40_000;
/** Cards, about 1.5 KB each: under stories stand others, mostly the newest of their topics. */
const MOST_CARDS = 4_000;

/**
 * The heads and cards of stories, remembered for as long as the change feed vouches for them.
 *
 * `find` gives undefined where there is no story; it fails when the database cannot be asked.
 * `recall` gives what is remembered, current or not, for answering while the database is away.
 * `cards` gives those of the stories that anybody may know of now, in the order of the ids.
 */
export type StoryMemory = {
  find(shortId: string): StoryHead | undefined | Promise<StoryHead | undefined>;
  recall(shortId: string): StoryHead | undefined;
  cards(ids: readonly string[]): Promise<StoryCard[]>;
};

export function rememberStories(db: Db, changes: ChangeFeed, clock: Clock): StoryMemory {
  const heads = new LRUCache<string, { readonly head: StoryHead; readonly heard: number }>({
    max: MOST_HEADS,
  });
  const card = remembered(
    changes,
    grouped(
      async (ids: string[]) => {
        const cards = new Map(
          (await storiesById(db, [...new Set(ids)], clock.now())).map((one) => [one.id, one]),
        );
        return ids.map((id) => cards.get(id));
      },
      { most: 200, inFlight: 2 },
    ),
    { most: MOST_CARDS },
  );
  /** Counts silences of the feed: what was remembered before one may be old, and only serves while nothing else can. */
  let silences = 0;
  /** Counts changes, so that an answer which was on its way meanwhile is not remembered. */
  let changed = 0;
  changes.subscribe(({ table, keys }) => {
    if (table !== '*' && table !== 'content.stories') return;
    changed++;
    if (table === '*') silences++;
    else if (keys.includes('*')) heads.clear();
    else for (const key of keys) heads.delete(key);
  });

  async function load(shortId: string): Promise<StoryHead | undefined> {
    const before = changed;
    const head = await findHead(db, shortId);
    if (head !== undefined && before === changed) heads.set(shortId, { head, heard: silences });
    return head;
  }

  return {
    find(shortId) {
      if (!isShortId(shortId)) return undefined;
      const known = changes.isCurrent() ? heads.get(shortId) : undefined;
      return known?.heard === silences ? known.head : load(shortId);
    },
    recall: (shortId) => heads.get(shortId)?.head,
    cards: async (ids) => (await Promise.all(ids.map(card))).filter((one) => one !== undefined),
  };
}
