import { sql } from 'kysely';
import type { Db } from '#platform/db';
import { groupedOver } from '#platform/grouped';

/**
 * The first of some pictures that a public story shows to everybody, at its head or before its wall; many questions in one
 * statement. What stands behind a wall, or in a story that is not public, is not told.
 */
export const findShownPicture = groupedOver(
  async (
    db: Db,
    asked: { readonly pictureIds: readonly string[]; readonly now: Temporal.Instant }[],
  ): Promise<(string | undefined)[]> => {
    const ways = asked.flatMap(({ now, pictureIds }, at) =>
      pictureIds.map((id) => ({ at, id, now: now.toString() })),
    );
    const { rows } = await sql<{ at: number; id: string }>`
      select distinct on (asked.at) asked.at, asked.id
      from unnest(${ways.map(({ at }) => at)}::int[], ${ways.map(({ id }) => id)}::text[],
          ${ways.map(({ now }) => now)}::timestamptz[]) with ordinality as asked (at, id, now, rank)
      where exists (
        select from content.revisions r
          join content.stories s on s.id = r.story_id and s.revision = r.number
        where jsonb_path_query_array(r.preview || coalesce(r.picture, '{}'), '$[*].pictureId') ? asked.id
          and (r.picture ? 'pictureId' or r.preview @? '$[*].pictureId')
          and s.state = 'published' and s.live_at <= asked.now)
      order by asked.at, asked.rank`.execute(db);
    const found = new Map(rows.map(({ at, id }) => [at, id]));
    return asked.map((_, at) => found.get(at));
  },
  { most: 100, inFlight: 1 },
);
