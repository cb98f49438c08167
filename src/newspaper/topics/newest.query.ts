import { sql } from 'kysely';
import type { Db } from '#platform/db';
import { COMMON, type NearList, topicWeight } from './related.ts';

/** How many of the newest stories are looked at: a topic of thirty years must not cost thirty years. */
const NEWEST = 30;

type Row = { slug: string; id: string; live_at_ms: number; stories: number };

/** The newest stories of topics that anybody may know of at `now`, by the topic's slug. */
export async function newestOfTopics(
  db: Db,
  slugs: readonly string[],
  now: Temporal.Instant,
): Promise<Map<string, NearList>> {
  const { rows } = await sql<Row>`
    select asked.slug, near.story_id as id, extract(epoch from near.live_at)::float8 * 1000 as live_at_ms,
      (select count(*)::int from (
        select from topics.story_topics x where x.topic_slug = asked.slug limit ${COMMON}
      ) as few) as stories
    from unnest(${slugs}::text[]) as asked (slug) cross join lateral (
      -- Cut before anything is joined: read from the end of one index, whatever the planner knows of the tables.
      select st.story_id, st.live_at from topics.story_topics st
      where st.topic_slug = asked.slug and st.live_at <= ${now.toString()}
      order by st.live_at desc, st.story_id desc limit ${NEWEST}
    ) as near
    join content.stories s on s.id = near.story_id and s.state = 'published'
    order by near.live_at desc, near.story_id desc`.execute(db);
  return bySlug(rows, topicWeight);
}

/** The newest stories of sections that anybody may know of at `now`, by the section's slug. */
export async function newestOfSections(
  db: Db,
  slugs: readonly string[],
  now: Temporal.Instant,
): Promise<Map<string, NearList>> {
  const { rows } = await sql<Row>`
    select asked.slug, near.id, extract(epoch from near.live_at)::float8 * 1000 as live_at_ms, 0 as stories
    from unnest(${slugs}::text[]) as asked (slug) cross join lateral (
      select s.id, s.live_at from content.stories s
      where s.section = asked.slug and s.state = 'published' and s.live_at <= ${now.toString()}
      order by s.live_at desc, s.id desc limit ${NEWEST}
    ) as near
    order by near.live_at desc, near.id desc`.execute(db);
  // To stand in the same section says nothing by itself.
  return bySlug(rows, () => 0);
}

function bySlug(rows: readonly Row[], weight: (stories: number) => number): Map<string, NearList> {
  const lists = new Map<string, { weight: number; newest: { id: string; liveAtMs: number }[] }>();
  for (const { id, live_at_ms, slug, stories } of rows) {
    const list = lists.get(slug) ?? { weight: weight(stories), newest: [] };
    list.newest.push({ id, liveAtMs: live_at_ms });
    lists.set(slug, list);
  }
  return lists;
}
