import { sql } from 'kysely';
import type { Db, Tx } from '#platform/db';
import { groupedOver } from '#platform/grouped';

const LONGEST = 1_000;

/**
 * An address as it is compared with others, whatever site it was at: decoded, without a slash at its end; of those that
 * name a number instead of words, that number.
 *
 * @param number as in `/?p=47`; holds where the path says nothing
 * @returns undefined for what no story stood at: the front, and what cannot be decoded
 */
export function oldAddress(path: string, number?: string): string | undefined {
  let words: string;
  try {
    words = decodeURIComponent(path).normalize().replace(/\/+$/, '');
  } catch {
    return undefined;
  }
  if (words === '') return number !== undefined && /^\d{1,18}$/.test(number) ? `/?p=${number}` : undefined;
  return words.startsWith('/') && words.length <= LONGEST && !words.includes('\0') ? words : undefined;
}

/** Keeps where stories stood. An address that leads to another story already goes on doing so. */
export async function keepOldAddresses(
  tx: Tx,
  stood: readonly { readonly storyId: string; readonly paths: readonly string[] }[],
): Promise<void> {
  const pairs = new Map(stood.flatMap(({ paths, storyId }) => paths.map((path) => [path, storyId] as const)));
  if (pairs.size === 0) return;
  // Sorted, so that two imports at once take their locks in the same order.
  const paths = [...pairs.keys()].sort();
  await sql`
    insert into content.old_addresses (path, story_id)
    select * from unnest(${paths}::text[], ${paths.map((path) => pairs.get(path))}::uuid[])
    on conflict (path) do nothing`.execute(tx);
}

/** What an address is made of. */
type Addressed = { readonly section: string; readonly slug: string; readonly shortId: string };

/**
 * The story that stood at an old address, many in one statement; none that is not public now, lest an address tell what
 * nobody is to know yet.
 */
export const findByOldAddress = groupedOver(
  async (
    db: Db,
    asked: { readonly path: string; readonly now: Temporal.Instant }[],
  ): Promise<(Addressed | undefined)[]> => {
    const { rows } = await sql<Addressed & { path: string; at: number }>`
      select asked.at::int as at, s.section, s.slug, s.short_id as "shortId"
      from unnest(${asked.map(({ path }) => path)}::text[], ${asked.map(({ now }) => now.toString())}::timestamptz[])
        with ordinality as asked (path, now, at)
        join content.old_addresses o on o.path = asked.path
        join content.stories s on s.id = o.story_id
      where s.state = 'published' and s.live_at <= asked.now`.execute(db);
    const byPlace = new Map(rows.map((row) => [row.at, row]));
    return asked.map((_, index) => byPlace.get(index + 1));
  },
  { most: 100, inFlight: 1 },
);
