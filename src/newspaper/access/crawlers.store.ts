import { sql } from 'kysely';
import { type Db, toInstant } from '#platform/db';

/** The last good list of one crawler, as it was published. */
export type CrawlerList = {
  readonly crawler: string;
  readonly prefixes: readonly string[];
  readonly fetchedAt: Temporal.Instant;
};

export async function readCrawlerLists(db: Db): Promise<CrawlerList[]> {
  const { rows } = await sql<{ crawler: string; prefixes: string[]; fetched_at: string }>`
    select crawler, prefixes, fetched_at from access.crawler_ranges order by crawler`.execute(db);
  return rows.map((row) => ({
    crawler: row.crawler,
    prefixes: row.prefixes,
    fetchedAt: toInstant(row.fetched_at),
  }));
}

/** Keeps a list in the place of the one before, unless another process has fetched a newer one meanwhile. */
export async function keepCrawlerList(db: Db, list: CrawlerList): Promise<void> {
  await sql`
    insert into access.crawler_ranges as old (crawler, prefixes, fetched_at)
    values (${list.crawler}, ${list.prefixes}::text[], ${list.fetchedAt.toString()})
    on conflict (crawler) do update set prefixes = excluded.prefixes, fetched_at = excluded.fetched_at
    where old.fetched_at <= excluded.fetched_at`.execute(db);
}
