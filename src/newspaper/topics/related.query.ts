import { sql } from 'kysely';
import type { Db } from '#platform/db';

/** How many of the newest stories of each topic are looked at: a topic of thirty years must not cost thirty years. */
const NEWEST_OF_TOPIC = 40;

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
    with shared as (
      select near.id, near.live_at, 1.0 / ln(2 + (
          select count(*) from (select from topics.story_topics x where x.topic_slug = mine.topic_slug limit 500) as few
        )) as weight
      from topics.story_topics mine
      cross join lateral (
        select s.id, s.live_at from topics.story_topics st join content.stories s on s.id = st.story_id
        where st.topic_slug = mine.topic_slug and s.id <> ${story.id} and s.state = 'published'
          and s.live_at <= ${now.toString()}
        order by s.live_at desc limit ${NEWEST_OF_TOPIC}
      ) near
      where mine.story_id = ${story.id}
    ), by_topic as (
      select id, max(live_at) as live_at, sum(weight) as weight from shared group by id
      order by weight desc, live_at desc limit ${limit}
    ), by_section as (
      select s.id, s.live_at, 0 as weight from content.stories s
      where s.section = ${story.section} and s.id <> ${story.id} and s.state = 'published'
        and s.live_at <= ${now.toString()} and s.id not in (select id from by_topic)
      order by s.live_at desc limit ${limit}
    )
    select id from (select * from by_topic union all select * from by_section) as all_of_them
    order by weight desc, live_at desc limit ${limit}`.execute(db);
  return rows.map((row) => row.id);
}
