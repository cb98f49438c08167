import { LRUCache } from 'lru-cache';
import type { ChangeFeed } from '#platform/change-feed';
import type { Db } from '#platform/db';
import { isShortId } from '#platform/ids';
import { headLookup } from './stories.store.ts';
import type { StoryHead } from './story.ts';

/** Heads of this many stories stay in memory: about 0.5 KB each. */
const MOST_HEADS = 40_000;

/**
 * The heads of stories, remembered for as long as the change feed vouches for them.
 *
 * `find` gives undefined where there is no story; it fails when the database cannot be asked.
 * `recall` gives what is remembered, current or not, for answering while the database is away.
 */
export type StoryMemory = {
  find(shortId: string): StoryHead | undefined | Promise<StoryHead | undefined>;
  recall(shortId: string): StoryHead | undefined;
};

export function rememberStories(db: Db, changes: ChangeFeed): StoryMemory {
  const heads = new LRUCache<string, { readonly head: StoryHead; readonly heard: number }>({
    max: MOST_HEADS,
  });
  const ask = headLookup(db);
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
    const head = await ask(shortId);
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
  };
}
