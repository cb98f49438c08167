import { sql } from 'kysely';
import type { Db } from '#platform/db';

/** Taken by whoever starts a paper for the first time: spells "first" in hexadecimal, nearly. */
const LOCK = 0xf1_25_7e;

/**
 * Does what belongs to the first start of a paper, once: `wanted` is asked at the very first start and its answer
 * kept; `work` is then done until it has succeeded one time. Of several starts at once, one does it and the others
 * wait.
 *
 * @returns whether the work was done now
 */
export async function decideFirstStart(
  db: Db,
  now: Temporal.Instant,
  wanted: () => Promise<boolean>,
  work: () => Promise<void>,
): Promise<boolean> {
  return db.connection().execute(async (held) => {
    await sql`select pg_advisory_lock(${LOCK})`.execute(held);
    try {
      const { rows } = await sql<{ demonstration: boolean; done: boolean }>`
        select demonstration, done from publication.first_start`.execute(held);
      const [decided] = rows;
      if (decided?.done) return false;
      const isWanted = decided?.demonstration ?? (await wanted());
      await sql`
        insert into publication.first_start (demonstration, done, decided_at)
        values (${isWanted}, ${!isWanted}, ${now.toString()}) on conflict do nothing`.execute(held);
      if (!isWanted) return false;
      await work();
      await sql`update publication.first_start set done = true`.execute(held);
      return true;
    } finally {
      await sql`select pg_advisory_unlock(${LOCK})`.execute(held);
    }
  });
}
