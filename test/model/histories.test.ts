import fc from 'fast-check';
import { expect, it } from 'vitest';
import { broken, differsFromBank, remember, shown } from './invariants.ts';
import { history, type Step, take } from './steps.ts';
import { deliver, reconcile, settleDue, work } from './working.ts';
import { World } from './world.ts';

/**
 * Random years of one reader with the paper, in memory: its own pure rules, with a gateway that knows nothing of them, and
 * every invariant after every step. What fails is told with its seed and path; `MODEL_SEED` and `MODEL_PATH` run it again.
 */
const HISTORIES = Number(process.env.MODEL_HISTORIES ?? 1_000);
const STEPS = 30;
const { MODEL_PATH, MODEL_SEED } = process.env;

it(`${HISTORIES} histories keep every rule of billing after every step`, () => {
  const reached = new Set<string>();
  const property = fc.property(history(STEPS), ({ begins, place, steps }) => {
    const world = new World(begins, place);
    for (const [at, step] of steps.entries()) {
      const before = remember(world);
      take(world, step);
      for (const { endedReason, state } of world.subscriptions) reached.add(endedReason ?? state);
      demand(broken(world, before), steps, at, world);
    }
    const unrest = comeToRest(world);
    demand([...unrest, ...broken(world, world), ...differsFromBank(world)], steps, steps.length, world);
    // Everything that was ever heard, once more and in another order; and then as it is.
    const before = shown(world);
    for (const { intentId, word } of world.readings.toReversed()) world.hear(intentId, word);
    comeToRest(world);
    demand(
      difference('I24: what was heard before changes', before, shown(world)),
      steps,
      steps.length,
      world,
    );
  });
  fc.assert(property, {
    numRuns: HISTORIES,
    ...(MODEL_SEED === undefined ? {} : { seed: Number(MODEL_SEED) }),
    ...(MODEL_PATH === undefined ? {} : { path: MODEL_PATH }),
  });
  // A model in which nothing happens would break nothing.
  expect([...reached].toSorted()).toEqual(
    expect.arrayContaining([
      'active',
      'chargeback',
      'incomplete',
      'never_paid',
      'nonpayment',
      'past_due',
      'paused',
      'refund',
      'suspended',
      'trialing',
      'user',
      'withdrawal',
    ]),
  );
});

/** Hears all there is to hear, until that changes nothing (I26, I39). @returns what still changes */
function comeToRest(world: World): string[] {
  let changes: string[] = [];
  for (let rounds = 0; rounds < 8; rounds++) {
    const before = shown(world);
    deliver(world, 'as sent');
    work(world);
    reconcile(world);
    settleDue(world);
    changes = difference('I26 I39: hearing all there is goes on changing', before, shown(world));
    if (changes.length === 0 && world.bank.outbox.length === 0 && world.jobs.length === 0) return [];
  }
  return changes;
}

function difference(
  what: string,
  before: ReturnType<typeof shown>,
  after: ReturnType<typeof shown>,
): string[] {
  return Object.keys(before)
    .filter((name) => before[name] !== after[name])
    .map((name) => `${what} ${name}: ${before[name]} ${after[name]}`);
}

function demand(found: readonly string[], steps: readonly Step[], at: number, world: World): void {
  if (found.length === 0) return;
  const done = steps.slice(0, at + 1).filter(({ does }) => does !== 'nothing');
  const words = done.map((step) => JSON.stringify(step, (_, value) => value?.slug ?? value));
  throw new Error(`${found.join('\n')}\nafter\n${words.join('\n')}\non ${world.now}`);
}
