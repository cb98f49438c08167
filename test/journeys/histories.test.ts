import { expect, it } from 'vitest';
import { monotonicMs } from '#platform/clock';
import { liveTogether } from '../histories/crowd.ts';

/**
 * Random histories of subscriptions on PostgreSQL, with two processes of which one loses its connections now and then, with
 * everything that readers, staff, banks and the network do, and all books proven after each step of everybody: a few here,
 * and as many as it is told by `npm run soak`.
 */
const HISTORIES = Number(process.env.SOAK_HISTORIES ?? 40);
const SEED = Number(process.env.SOAK_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** Readers of one paper. */
const READERS = Number(process.env.SOAK_READERS ?? Math.min(HISTORIES, 200));
/** It ends after this long, however many histories there were. */
const MINUTES = Number(process.env.SOAK_MINUTES ?? Number.POSITIVE_INFINITY);
const STEPS = 30;

it(`${HISTORIES} histories leave the books in order after every step (SOAK_SEED=${SEED})`, async () => {
  const began = monotonicMs();
  const minutes = () => (monotonicMs() - began) / 60_000;
  for (let lived = 0; lived < HISTORIES && minutes() < MINUTES; lived += READERS) {
    const crowd = { seed: SEED + lived, readers: READERS, steps: STEPS, crashes: true };
    const { crashes, terms, ...rest } = await liveTogether(crowd);
    // In a history in which nothing happens nothing would break.
    expect(terms).toBeGreaterThan(READERS);
    if (process.env.SOAK_PROGRESS !== undefined)
      process.stderr.write(
        `${lived + READERS} histories in ${minutes().toFixed(1)} minutes; seed ${crowd.seed}: ${JSON.stringify({ crashes, terms, ...rest })}\n`,
      );
  }
}, 0);
