import { sql } from 'kysely';
import { Conflict } from '#values/errors';
import { type ChangeFeed, keepCurrent } from './change-feed.ts';
import { type Clock, clockAhead, machineMs } from './clock.ts';
import type { Db } from './db.ts';

/** The domain's clock where it can be moved: the machine's, and what the database says that it is ahead. */
export async function openDomainClock(db: Db, changes: ChangeFeed): Promise<Clock> {
  return clockAhead(await keepCurrent(changes, ['platform.domain_clock'], () => readAhead(db)));
}

async function readAhead(db: Db): Promise<number> {
  const { rows } = await sql<{ ahead_ms: bigint }>`select ahead_ms from platform.domain_clock`.execute(db);
  return Number(rows[0]?.ahead_ms ?? 0);
}

/**
 * Moves the domain's time forward to an instant, for every process. It goes on ticking from there.
 *
 * @throws Conflict `clock-runs-forward` when the instant lies behind the time that it is
 */
export async function moveDomainClock(db: Db, to: Temporal.Instant): Promise<void> {
  const ahead = to.epochMilliseconds - machineMs();
  const { numAffectedRows } = await sql`
    update platform.domain_clock set ahead_ms = ${ahead} where ahead_ms <= ${ahead}`.execute(db);
  if (numAffectedRows === 0n) {
    throw new Conflict('clock-runs-forward', `the clock moves forward only, and ${to} lies behind it`);
  }
}
