import type { TaskList } from 'graphile-worker';
import { forgetBefore, monthOf, refreshCrawlerRanges } from '#access';
import type { Clock } from '#platform/clock';
import type { Db } from '#platform/db';
import type { Logger } from '#platform/log';

/** Who read what is kept for this many months, so that a wall can be explained; then only day totals remain. */
const MONTHS_KEPT = 13;

/** What jobs work with. */
export type JobParts = {
  readonly db: Db;
  readonly zone: () => string;
  readonly clock: Clock;
  readonly log: Logger;
};

/** Each task is one call into a module; what it does is written there. */
export function taskList({ clock, db, log, zone }: JobParts): TaskList {
  return {
    'refresh-crawler-ranges': async () => {
      const report = await refreshCrawlerRanges(db, clock.now());
      log.info({ report }, 'crawler ranges refreshed');
    },
    'forget-old-reading': async () => {
      const oldest = Temporal.PlainDate.from(monthOf(clock.now(), zone()).key).subtract({
        months: MONTHS_KEPT,
      });
      const meters = await forgetBefore(db, oldest.toString(), zone());
      log.info({ meters }, 'old reading forgotten');
    },
  };
}
