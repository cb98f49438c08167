import { LRUCache } from 'lru-cache';
import type { ChangeFeed } from './change-feed.ts';

/**
 * Asks the database once for what many pages need, and keeps the answer until any change is heard: for small things
 * that are asked often, where working out which change concerns which answer would cost more than asking again.
 *
 * @param ask answers one key; undefined, where there is nothing, is not kept
 * @param options.most how many answers are kept
 * @param options.freshMs how long at most, for answers that also the clock outdates
 * @returns a function that gives the answer from memory, or asks; it fails when it has to ask and cannot
 */
export function remembered<Value extends object>(
  changes: ChangeFeed,
  ask: (key: string) => Promise<Value | undefined>,
  options: { most: number; freshMs?: number },
): (key: string) => Value | undefined | Promise<Value | undefined> {
  const answers = new LRUCache<string, Value>({ max: options.most, ttl: options.freshMs ?? 0 });
  /** Counts changes, so that an answer which was on its way meanwhile is not kept. */
  let changed = 0;
  changes.subscribe(() => {
    changed++;
    answers.clear();
  });

  async function askAndKeep(key: string): Promise<Value | undefined> {
    const before = changed;
    const answer = await ask(key);
    if (answer !== undefined && before === changed) answers.set(key, answer);
    return answer;
  }

  return (key) => (changes.isCurrent() ? answers.get(key) : undefined) ?? askAndKeep(key);
}
