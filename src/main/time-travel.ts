import { setTimeout as sleep } from 'node:timers/promises';
import { askBack, nextDeliveryAt, nextDueAt, settleDue } from '#billing';
import { moveDomainClock } from '#platform/domain-clock';
import type { Logger } from '#platform/log';
import { Conflict } from '#values/errors';
import { latestOf } from '#values/instants';
import { deliverHeld, liveUntil, nextSettlementAt } from '../sandbox/sandbox.ts';
import type { Paper } from './compose.ts';
import { runDueJobs } from './jobs.ts';

/** More instants than this fall due on the way of no honest trial. */
const MOST_STOPS = 100_000;
/** And nothing leads to more than this at one instant. */
const MOST_AGAIN = 10;
/** The clock ticks on between the wish and the deed: what was now is no step back. */
const JUST_GONE_BY = { seconds: 10 };

/**
 * Moves the sandbox's time forward, and lives through everything that falls due on the way, in order, as if the time had
 * passed.
 *
 * @throws Conflict `clock-runs-forward` where the instant lies behind the time that it is
 */
export async function travelTo(paper: Paper, wanted: Temporal.Instant, log: Logger): Promise<void> {
  const { db } = paper.database;
  const start = paper.clock.now();
  const target = latestOf([wanted, start]);
  if (Temporal.Instant.compare(wanted.add(JUST_GONE_BY), start) < 0)
    throw new Conflict('clock-runs-forward', `the clock moves forward only, and it is ${start} now`);
  let last: Temporal.Instant | undefined;
  let again = 0;
  for (let stops = 0; stops < MOST_STOPS; stops++) {
    const due = earlier(
      earlier(await nextDueAt(db, target), await nextDeliveryAt(db, target)),
      await nextSettlementAt(db, target),
    );
    if (due === undefined) break;
    // One thing at an instant leads to another at the same; what stays due, whatever is done, cannot be done yet.
    again = last !== undefined && Temporal.Instant.compare(due, last) <= 0 ? again + 1 : 0;
    if (again > MOST_AGAIN) break;
    last = due;
    await moveTo(paper, due);
    await live(paper, due, log);
  }
  await moveTo(paper, target);
  await live(paper, target, log);
  // What is done each day of its own accord.
  await askBack(paper.billing, target);
  await runDueJobs(paper, log);
}

/** Moves the clock, and waits until this process has heard of it. It goes on ticking, and may have passed this already. */
async function moveTo(paper: Paper, to: Temporal.Instant): Promise<void> {
  try {
    await moveDomainClock(paper.database.db, to);
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
  }
  for (let waits = 0; waits < 400 && Temporal.Instant.compare(paper.clock.now(), to) < 0; waits++)
    await sleep(5);
}

function earlier(
  a: Temporal.Instant | undefined,
  b: Temporal.Instant | undefined,
): Temporal.Instant | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Temporal.Instant.compare(a, b) <= 0 ? a : b;
}

/** The gateway's time first: what was paid in time is known before the paper gives anything up. */
async function live(paper: Paper, now: Temporal.Instant, log: Logger): Promise<void> {
  await liveUntil(paper.database.db, now);
  await handOver(paper, log);
  await runDueJobs(paper, log);
  await settleDue(paper.billing, now);
  await runDueJobs(paper, log);
}

/** Delivers the sandbox's webhooks: over HTTP where a server runs, and else to this very program. */
export function handOver({ baseUrl, credentials, database, send }: Paper, log: Logger) {
  return deliverHeld({
    db: database.db,
    baseUrl,
    webhookSecrets: credentials.webhookSecrets,
    log,
    ...(send === undefined ? {} : { send }),
  });
}
