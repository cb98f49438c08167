import type { ChangeFeed } from '#platform/change-feed';
import type { Db } from '#platform/db';
import { remembered } from '#platform/remembered';
import type { Benefit } from './benefits.ts';
import { listGrants } from './grants.store.ts';
import { type Grant, type Holding, holdingAt } from './grants.ts';

/** Readers whose grants stay in memory: about 2 KB each. */
const MOST_READERS = 20_000;

/**
 * What readers may use now: asked with every page, so it is remembered under the change feed's lease, and a grant that
 * is given or revoked is seen with the next request.
 *
 * @returns a function that gives a reader's benefits at once where they are known; it fails when it has to ask the
 *   database and cannot
 */
export function rememberGrants(
  db: Db,
  changes: ChangeFeed,
): (readerId: string, now: Temporal.Instant) => ReadonlySet<Benefit> | Promise<ReadonlySet<Benefit>> {
  const known = remembered<{ grants: readonly Grant[]; holding: Holding | undefined }>(
    changes,
    async (readerId) => ({ grants: await listGrants(db, readerId), holding: undefined }),
    { most: MOST_READERS, table: 'entitlements.grants' },
  );

  function at(kept: { grants: readonly Grant[]; holding: Holding | undefined }, now: Temporal.Instant) {
    // Worked out once and good until the next grant begins or ends. The clock runs forward only.
    if (kept.holding === undefined || now.epochMilliseconds >= kept.holding.untilMs) {
      kept.holding = holdingAt(kept.grants, now);
    }
    return kept.holding.benefits;
  }

  return (readerId, now) => {
    const found = known(readerId);
    return found instanceof Promise
      ? found.then((kept) => (kept === undefined ? NONE : at(kept, now)))
      : found === undefined
        ? NONE
        : at(found, now);
  };
}

const NONE: ReadonlySet<Benefit> = new Set();
