import { begun, type Standing } from '../src/newspaper/billing/agreement.ts';
import { type Fact, transition } from '../src/newspaper/billing/subscription.ts';
import { monotonicMs } from '../src/platform/clock.ts';
import { machine, say } from './paper.ts';
import { median } from './processes.ts';

/**
 * Measures the rules of subscriptions alone, on one core: a subscription's two years with renewals, a cancellation that is
 * taken back, a pause and a change of plan, lived through again and again.
 *
 *     node bench/transition.ts
 */
const [ROUNDS, LIVES] = [7, 20_000];
const WANTED = 200_000;
const ZONE = 'Asia/Kolkata';

const BEGUN = begun({ planSlug: 'quarterly', months: 3, price: { minor: 90_000n, currency: 'INR' } }, ZONE);
const at = (on: string) => Temporal.PlainDate.from(on).toZonedDateTime(ZONE).toInstant();
const yearly = { planSlug: 'yearly', months: 12, price: { minor: 270_000n, currency: 'INR' } };
const LIFE: readonly (readonly [Temporal.Instant, Fact])[] = [
  [at('2026-01-31'), { kind: 'paid', seq: 0 }],
  [at('2026-02-15'), { kind: 'cancel' }],
  [at('2026-02-16'), { kind: 'undo cancel' }],
  [at('2026-04-28'), { kind: 'paid', seq: 1 }],
  [at('2026-04-28'), { kind: 'paid', seq: 1 }],
  [at('2026-07-31'), { kind: 'day' }],
  [at('2026-08-02'), { kind: 'paid', seq: 2 }],
  [at('2026-09-01'), { kind: 'pause', days: 30 }],
  [at('2026-10-01'), { kind: 'day' }],
  [at('2026-10-05'), { kind: 'change later', change: yearly }],
  [at('2026-11-25'), { kind: 'paid', seq: 3 }],
  [at('2027-11-30'), { kind: 'day' }],
  [at('2027-12-10'), { kind: 'day' }],
  [at('2027-12-28'), { kind: 'day' }],
];

function live(): Standing {
  let standing = BEGUN;
  for (const [now, fact] of LIFE) {
    const result = transition(standing, fact, now);
    if (result.kind === 'changed') standing = result.standing;
  }
  return standing;
}

say(machine());
say(`ends as it should: ${live().state}`);
const each = Array.from({ length: ROUNDS }, () => {
  const begun = monotonicMs();
  for (let life = 0; life < LIVES; life++) live();
  return (LIVES * LIFE.length * 1_000) / (monotonicMs() - begun);
});
say(`${Math.round(median(each))} transitions a second; wanted: ${WANTED}`);
