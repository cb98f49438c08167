import { nextDeliveryAt, nextDueAt, settleDue } from '#billing';
import { liveUntil, nextSettlementAt } from '../src/sandbox/sandbox.ts';
import type { TestPaper } from './paper.ts';
import { settle } from './shop.ts';

/** Nothing that is tested has more instants than this. */
const MOST_STOPS = 2_000;

/** Lets time pass until an instant, or the beginning of a day in India: whatever falls due on the way is done in order. */
export async function live(paper: TestPaper, until: string): Promise<void> {
  const target = until.includes('T')
    ? Temporal.Instant.from(until)
    : Temporal.PlainDate.from(until).toZonedDateTime('Asia/Kolkata').toInstant();
  for (let stops = 0; stops < MOST_STOPS; stops++) {
    const due = await nextInstant(paper, target);
    if (due === undefined) break;
    await at(paper, due);
  }
  await at(paper, target);
}

async function nextInstant(
  { database: { db } }: TestPaper,
  target: Temporal.Instant,
): Promise<Temporal.Instant | undefined> {
  const due = [
    await nextDueAt(db, target),
    await nextDeliveryAt(db, target),
    await nextSettlementAt(db, target),
  ]
    .filter((one) => one !== undefined)
    .toSorted(Temporal.Instant.compare);
  return due[0];
}

async function at(paper: TestPaper, now: Temporal.Instant): Promise<void> {
  if (Temporal.Instant.compare(now, paper.clock.now()) > 0) paper.clock.set(now.toString());
  await liveUntil(paper.database.db, paper.clock.now());
  await settle(paper);
  await settleDue(paper.billing, paper.clock.now());
  await settle(paper);
}
