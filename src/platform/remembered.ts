import { LRUCache } from 'lru-cache';
import type { ChangeFeed } from './change-feed.ts';

/**
 * Asks the database once for what many pages need, and keeps the answer until a change is heard. By default that is
 * any change: for small things, where working out which one concerns which answer would cost more than asking again.
 *
 * @param ask answers one key; undefined, where there is nothing, is not kept
 * @param options.most how many answers are kept
 * @param options.freshMs how long at most, for answers that also the clock outdates
 * @param options.table only changes of this table concern the answers, and its announcements name their keys
 * @returns a function that gives the answer from memory, or asks; it fails when it has to ask and cannot
 */
export function remembered<Value extends object>(
  changes: ChangeFeed,
  ask: (key: string) => Promise<Value | undefined>,
  options: { most: number; freshMs?: number; table?: string },
): (key: string) => Value | undefined | Promise<Value | undefined> {
  const answers = new LRUCache<string, Value>({ max: options.most, ttl: options.freshMs ?? 0 });
  /** Counts changes, so that an answer which was on its way meanwhile is not kept. */
  let changed = 0;
  changes.subscribe(({ keys, table }) => {
    if (options.table !== undefined && table !== options.table && table !== '*') return;
    changed++;
    if (options.table === undefined || table === '*' || keys.includes('*')) answers.clear();
    else for (const key of keys) answers.delete(key);
  });

  async function askAndKeep(key: string): Promise<Value | undefined> {
    const before = changed;
    const answer = await ask(key);
    if (answer !== undefined && before === changed) answers.set(key, answer);
    return answer;
  }

  return (key) => (changes.isCurrent() ? answers.get(key) : undefined) ?? askAndKeep(key);
}
