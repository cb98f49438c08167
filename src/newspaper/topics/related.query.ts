import { sql } from 'kysely';
import type { Db } from '#platform/db';

/** How many of the newest stories of each topic are looked at: a topic of thirty years must not cost thirty years. */
const NEWEST_OF_TOPIC = 30;
/** A topic with this many stories is as common as any: counting further would only cost. */
const COMMON = 200;

/**
 * Ids of stories to read after this one: those that share the most topics, rare topics counting more than common
 * ones, newer before older; filled up from the same section.
 */
export async function relatedStories(
  db: Db,
  story: { readonly id: string; readonly section: string },
  limit: number,
  now: Temporal.Instant,
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    with mine as materialized (
      select topic_slug, 1.0 / ln(2 + (select count(*) from (
          select from topics.story_topics x where x.topic_slug = st.topic_slug limit ${COMMON}
        ) as few)) as weight
      from topics.story_topics st where st.story_id = ${story.id}
    ), by_topic as (
      select s.id, max(near.live_at) as live_at, sum(mine.weight) as weight
      from mine cross join lateral (
        -- Cut before anything is joined: read from the end of one index, whatever the planner knows of the tables.
        select st.story_id, st.live_at from topics.story_topics st
        where st.topic_slug = mine.topic_slug and st.live_at <= ${now.toString()} and st.story_id <> ${story.id}
        order by st.live_at desc, st.story_id desc limit ${NEWEST_OF_TOPIC}
      ) as near
      join content.stories s on s.id = near.story_id and s.state = 'published'
      group by s.id order by weight desc, live_at desc limit ${limit}
    ), by_section as (
      select s.id, s.live_at, 0 as weight from content.stories s
      where s.section = ${story.section} and s.id <> ${story.id} and s.state = 'published'
        and s.live_at <= ${now.toString()} and s.id not in (select id from by_topic)
      order by s.live_at desc, s.id desc limit ${limit}
    )
    select id from (select * from by_topic union all select * from by_section) as all_of_them
    order by weight desc, live_at desc limit ${limit}`.execute(db);
  return rows.map((row) => row.id);
}
