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

/** What had an address of its own at an old site: a section, a topic, an author; or a page that belonged to a story. */
export type OldPlace = {
  readonly path: string;
  readonly kind: 'section' | 'topic' | 'author' | 'story';
  /** The slug that it has here; of a story, an address at which that stood. */
  readonly name: string;
};

/** Keeps where other things than stories stood. An address that leads somewhere already goes on doing so. */
export async function keepOldPlaces(db: Db | Tx, places: readonly OldPlace[]): Promise<void> {
  const byPath = new Map(places.map((one) => [one.path, one]));
  const all = [...byPath.keys()].sort().map((path) => byPath.get(path) as OldPlace);
  if (all.length === 0) return;
  await sql`
    insert into content.old_places (path, kind, name)
    select * from unnest(${all.map((one) => one.path)}::text[], ${all.map((one) => one.kind)}::text[],
      ${all.map((one) => one.name)}::text[])
    on conflict (path) do nothing`.execute(db);
}

/**
 * Where other things than stories stood, in the order of their addresses.
 *
 * @param query.after the address of the last of the page before
 */
export async function listOldPlaces(
  db: Db,
  query: { readonly after: string; readonly limit: number },
): Promise<OldPlace[]> {
  const { rows } = await sql<OldPlace>`
    select path, kind, name from content.old_places where path > ${query.after} collate "C"
    order by path collate "C" limit ${query.limit}`.execute(db);
  return rows;
}

/** What stands now for something that had an old address. */
export type Moved =
  | { readonly kind: 'story'; readonly section: string; readonly slug: string; readonly shortId: string }
  | { readonly kind: 'section' | 'topic' | 'author'; readonly slug: string };

/**
 * What stood at one of some old addresses, the first that is known, many in one statement; no story that is not public
 * now, lest an address tell what nobody is to know yet.
 */
export const findByOldAddress = groupedOver(
  async (
    db: Db,
    asked: { readonly paths: readonly string[]; readonly now: Temporal.Instant }[],
  ): Promise<(Moved | undefined)[]> => {
    const ways = asked.flatMap(({ now, paths }, at) =>
      paths.map((path) => ({ at, path, now: now.toString() })),
    );
    const { rows } = await sql<{
      at: number;
      kind: Moved['kind'];
      name: string | null;
      section: string | null;
      slug: string | null;
      short_id: string | null;
    }>`
      select distinct on (asked.at) asked.at, coalesce(p.kind, 'story') as kind, p.name, s.section, s.slug, s.short_id
      from unnest(${ways.map(({ at }) => at)}::int[], ${ways.map(({ path }) => path)}::text[],
          ${ways.map(({ now }) => now)}::timestamptz[]) with ordinality as asked (at, path, now, rank)
        left join content.old_places p on p.path = asked.path
        left join content.old_addresses o on o.path = case when p.kind = 'story' then p.name else asked.path end
        left join content.stories s on s.id = o.story_id and s.state = 'published' and s.live_at <= asked.now
      where s.id is not null or p.kind in ('section', 'topic', 'author')
      order by asked.at, asked.rank`.execute(db);
    const found = new Map<number, Moved>();
    for (const { at, kind, name, section, short_id: shortId, slug } of rows) {
      if (section !== null && slug !== null && shortId !== null)
        found.set(at, { kind: 'story', section, slug, shortId });
      else if (kind !== 'story' && name !== null) found.set(at, { kind, slug: name });
    }
    return asked.map((_, at) => found.get(at));
  },
  { most: 100, inFlight: 1 },
);
