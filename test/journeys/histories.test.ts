import { expect, it } from 'vitest';
import { monotonicMs } from '#platform/clock';
import { liveTogether } from '../histories/crowd.ts';

/**
 * Random histories of subscriptions on PostgreSQL, with two processes of which one loses its connections now and then, with
 * everything that readers, staff, banks and the network do, and all books proven after each step of everybody: a few here,
 * and as many as it is told by `npm run soak`.
 */
const HISTORIES = Number(process.env.SOAK_HISTORIES ?? 40);
/** The same each time, unless it is to search: what a random one finds is no fault of the change that is being tested. */
const SEED = Number(process.env.SOAK_SEED ?? 20_261_128);
/** Readers of one paper. */
const READERS = Number(process.env.SOAK_READERS ?? Math.min(HISTORIES, 200));
/** It ends after this long, however many histories there were. */
const MINUTES = Number(process.env.SOAK_MINUTES ?? Number.POSITIVE_INFINITY);
/** Papers whose years pass at the same time: while one waits for its database, another goes on. */
const AT_ONCE = 2;
const STEPS = 30;

it(`${HISTORIES} histories leave the books in order after every step (SOAK_SEED=${SEED})`, async () => {
  const began = monotonicMs();
  const minutes = () => (monotonicMs() - began) / 60_000;
  let [begun, lived] = [0, 0];
  const liveOn = async () => {
    while (begun < HISTORIES && minutes() < MINUTES) {
      const crowd = { seed: SEED + begun, readers: READERS, steps: STEPS, crashes: true };
      begun += READERS;
      const { terms, ...rest } = await liveTogether(crowd);
      // In histories in which nothing happens nothing would break.
      expect(terms).toBeGreaterThan(READERS);
      lived += READERS;
      if (process.env.SOAK_PROGRESS !== undefined)
        process.stderr.write(
          `${lived} histories in ${minutes().toFixed(1)} minutes; seed ${crowd.seed}: ${JSON.stringify({ terms, ...rest })}\n`,
        );
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, liveOn));
}, 0);
