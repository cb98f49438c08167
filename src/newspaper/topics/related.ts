/** A story of a list from which related stories are chosen. */
export type Near = { readonly id: string; readonly liveAtMs: number };

/** The newest stories of a topic or section, newest first, and how much it says that a story stands there too. */
export type NearList = { readonly weight: number; readonly newest: readonly Near[] };

/** A topic with this many stories is as common as any: counting further would only cost. */
export const COMMON = 200;

/** Rare topics say more than common ones. */
export function topicWeight(stories: number): number {
  return 1 / Math.log(2 + Math.min(stories, COMMON));
}

/**
 * Chooses what to read after a story: what shares the most topics with it, rare ones counting more than common ones,
 * newer before older; filled up with the newest of its section. Pure.
 *
 * @param lists of the story's topics, and of its section with a weight of none
 * @returns ids, the nearest first
 */
export function chooseRelated(storyId: string, lists: readonly NearList[], limit: number): string[] {
  const found = new Map<string, Near & { weight: number }>();
  for (const { newest, weight } of lists) {
    for (const near of newest) {
      const known = found.get(near.id);
      if (known !== undefined) known.weight += weight;
      else if (near.id !== storyId) found.set(near.id, { ...near, weight });
    }
  }
  return [...found.values()]
    .sort((a, b) => b.weight - a.weight || b.liveAtMs - a.liveAtMs || (a.id < b.id ? 1 : -1))
    .slice(0, limit)
    .map((one) => one.id);
}
