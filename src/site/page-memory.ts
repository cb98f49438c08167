import { LRUCache } from 'lru-cache';
import type { ChangeFeed } from '#platform/change-feed';
import type { Answer } from '#platform/http';

/** Finished pages take this much memory at most, compressed forms included. */
const MOST_BYTES = 24 * 1024 * 1024;

/** A list mentions stories that it does not know yet: it goes whenever any story changes. */
export const ANY_STORY = '*';

/** A page as it was made, and what it depends on. */
export type MadePage = {
  readonly answer: Answer;
  /** Short ids of the stories that stand on the page, or ANY_STORY. */
  readonly mentions: readonly string[];
  /** Milliseconds since the epoch on the domain's clock, from when the page is out of date by itself. */
  readonly until: number;
};

/**
 * Finished pages, kept until something that stands on them changes. Which page a person may have is decided before
 * this is asked; nothing here decides.
 */
export type PageMemory = {
  get(key: string, nowMs: number): Answer | undefined;
  /** Also a page that may be out of date: for when the database is away. */
  recall(key: string): Answer | undefined;
  /** Makes a page and keeps it, unless something it depends on changed while it was made. */
  make(key: string, make: () => Promise<MadePage>): Promise<Answer>;
};

export function rememberPages(changes: ChangeFeed): PageMemory {
  const byMention = new Map<string, Set<string>>();
  const pages = new LRUCache<string, MadePage>({
    maxSize: MOST_BYTES,
    // The coded forms are made later, and come to about half of the plain one.
    sizeCalculation: (page) => 500 + Math.ceil(1.5 * (page.answer.body?.plain.length ?? 0)),
    dispose(page, key) {
      for (const one of page.mentions) {
        const keys = byMention.get(one);
        keys?.delete(key);
        if (keys?.size === 0) byMention.delete(one);
      }
    },
  });
  const underWay = new Map<string, Promise<Answer>>();
  /** Counts changes, so that a page which was being made meanwhile is sent but not kept. */
  let changed = 0;

  changes.subscribe(({ table, keys }) => {
    changed++;
    underWay.clear();
    if (table !== 'content.stories' || keys.includes('*')) {
      outdated(pages.keys());
      return;
    }
    for (const mention of [ANY_STORY, ...keys]) outdated([...(byMention.get(mention) ?? [])]);
  });

  /** Out of date pages stay for the time when nothing better can be had. */
  function outdated(keys: Iterable<string>): void {
    for (const key of [...keys]) {
      const page = pages.peek(key);
      if (page !== undefined) pages.set(key, { ...page, mentions: [], until: 0 });
    }
  }

  return {
    get(key, nowMs) {
      const page = pages.get(key);
      return page !== undefined && nowMs < page.until && changes.isCurrent() ? page.answer : undefined;
    },
    recall: (key) => pages.get(key)?.answer,
    make(key, make) {
      const already = underWay.get(key);
      if (already !== undefined) return already;
      const before = changed;
      const making = make()
        .then((page) => {
          if (before === changed) {
            pages.set(key, page);
            for (const one of page.mentions) {
              const keys = byMention.get(one) ?? new Set();
              byMention.set(one, keys.add(key));
            }
          }
          return page.answer;
        })
        .finally(() => {
          if (underWay.get(key) === making) underWay.delete(key);
        });
      underWay.set(key, making);
      return making;
    },
  };
}
