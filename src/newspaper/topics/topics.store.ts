import { sql } from 'kysely';
import type { Db, Tx } from '#platform/db';

export type Topic = { readonly slug: string; readonly name: string };

/** Says what stories are about. Stories in `again` had topics before, which are replaced. */
export async function tagStories(
  tx: Tx,
  stories: readonly { storyId: string; topics: readonly Topic[] }[],
  again: readonly string[],
): Promise<void> {
  if (again.length > 0)
    await sql`delete from topics.story_topics where story_id = any(${again}::uuid[])`.execute(tx);
  const names = new Map(
    stories.flatMap((one) => one.topics.map((topic) => [topic.slug, topic.name] as const)),
  );
  if (names.size === 0) return;
  // Sorted, so that two imports at once take their locks in the same order.
  const slugs = [...names.keys()].sort();
  await sql`
    insert into topics.topics (slug, name)
    select slug, name from unnest(${slugs}::text[], ${slugs.map((slug) => names.get(slug))}::text[]) as new (slug, name)
    where not exists (select from topics.topics old where old.slug = new.slug)
    on conflict (slug) do nothing`.execute(tx);
  const tags = stories.flatMap(({ storyId, topics }) =>
    topics.map((topic, position) => ({ storyId, slug: topic.slug, position })),
  );
  await sql`
    insert into topics.story_topics (topic_slug, story_id, position, live_at)
    select topic_slug, story_id, position, (select live_at from content.stories where id = story_id)
    from unnest(${tags.map((tag) => tag.slug)}::text[], ${tags.map((tag) => tag.storyId)}::uuid[],
      ${tags.map((tag) => tag.position)}::int[]) as new (topic_slug, story_id, position)
    on conflict do nothing`.execute(tx);
}

export async function findTopic(db: Db, slug: string): Promise<Topic | undefined> {
  const { rows } = await sql<Topic>`select slug, name from topics.topics where slug = ${slug}`.execute(db);
  return rows[0];
}

/** All topics that a visible story is tagged with, the most used first, each with how many stories it has. */
export async function listTopics(
  db: Db,
  limit: number,
  now: Temporal.Instant,
): Promise<(Topic & { stories: number })[]> {
  const { rows } = await sql<Topic & { stories: number }>`
    select t.slug, t.name, count(*)::int as stories
    from topics.topics t join topics.story_topics st on st.topic_slug = t.slug
    join content.stories s on s.id = st.story_id and s.state = 'published' and s.live_at <= ${now.toString()}
    group by t.slug, t.name order by stories desc, t.name limit ${limit}`.execute(db);
  return rows;
}
