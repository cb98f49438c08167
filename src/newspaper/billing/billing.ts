import { type ChangeFeed, keepCurrent } from '#platform/change-feed';
import type { Db } from '#platform/db';
import { listPlans } from './catalog.store.ts';
import type { Plan } from './catalog.ts';

export type { Plan } from './catalog.ts';
export { listPlans };

/** The plans on sale, as they are now known to this process. */
export function openCatalog(
  db: Db,
  changes: ChangeFeed,
  today: () => Temporal.PlainDate,
): Promise<() => readonly Plan[]> {
  return keepCurrent(changes, ['billing.plans', 'billing.prices', 'publication.settings'], () =>
    listPlans(db, today()),
  );
}
