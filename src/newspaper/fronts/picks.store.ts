import { sql } from 'kysely';
import type { Db } from '#platform/db';

/** The stories that editors put on a front, in order. */
export async function listPicks(db: Db, front: string): Promise<string[]> {
  const { rows } = await sql<{ story_id: string }>`
    select story_id from fronts.picks where front = ${front} order by position`.execute(db);
  return rows.map((row) => row.story_id);
}

/** Replaces the picks of a front. */
export async function setPicks(db: Db, front: string, storyIds: readonly string[]): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await sql`delete from fronts.picks where front = ${front}`.execute(tx);
    await sql`
      insert into fronts.picks (front, position, story_id)
      select ${front}, at, id from unnest(${storyIds}::uuid[]) with ordinality as new (id, at)`.execute(tx);
  });
}
