import { expect, it } from 'vitest';
import { Dice } from '../../demo/dice.ts';
import { liveThrough } from '../histories.ts';
import { testPaper } from '../paper.ts';
import { signedInBrowser } from '../shop.ts';

/**
 * Random histories of subscriptions on PostgreSQL, with everything that readers, staff, banks and the network do, and the
 * books proven after each step: a few here, and as many as it is told by `npm run soak`.
 */
const HISTORIES = Number(process.env.SOAK_HISTORIES ?? 6);
const SEED = Number(process.env.SOAK_SEED ?? Math.floor(Math.random() * 2 ** 31));
const STEPS = 30;

it(
  `${HISTORIES} histories leave the books in order after every step (seed ${SEED})`,
  async () => {
    for (let history = 0; history < HISTORIES; history++) {
      const paper = await testPaper('2026-11-23T06:30:00Z');
      try {
        const reader = await signedInBrowser(paper, 'history@paper.example');
        const dice = new Dice(SEED + history);
        const done = await liveThrough(paper, reader, dice, STEPS).catch((error: unknown) => {
          throw new Error(`seed ${SEED + history}\n${String(error)}`, { cause: error });
        });
        expect(done.length).toBeGreaterThanOrEqual(STEPS);
      } finally {
        await paper.end();
      }
    }
  },
  HISTORIES * 60_000,
);
