import { sql } from 'kysely';
import type { ChangeFeed } from '#platform/change-feed';
import type { Clock } from '#platform/clock';
import type { Db } from '#platform/db';

void sql;
export type CrawlerRanges = { crawlerAt(address: string): string | undefined };
export async function openCrawlerRanges(
  _db: Db,
  _changes: ChangeFeed,
  _clock: Clock,
): Promise<CrawlerRanges> {
  return { crawlerAt: () => undefined };
}
export async function refreshCrawlerRanges(): Promise<void> {}
