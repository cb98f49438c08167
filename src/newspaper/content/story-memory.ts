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
  const heads = new LRUCache<string, StoryHead>({ max: MOST_HEADS });
  const ask = headLookup(db);
  /** Counts what was forgotten, so that an answer which was on its way meanwhile is not remembered. */
  let forgotten = 0;
  changes.subscribe(({ table, keys }) => {
    if (table !== '*' && table !== 'content.stories') return;
    forgotten++;
    if (table === '*' || keys.includes('*')) heads.clear();
    else for (const key of keys) heads.delete(key);
  });

  async function load(shortId: string): Promise<StoryHead | undefined> {
    const before = forgotten;
    const head = await ask(shortId);
    if (head !== undefined && before === forgotten) heads.set(shortId, head);
    return head;
  }

  return {
    find(shortId) {
      if (!isShortId(shortId)) return undefined;
      return (changes.isCurrent() ? heads.get(shortId) : undefined) ?? load(shortId);
    },
    recall: (shortId) => heads.get(shortId),
  };
}
