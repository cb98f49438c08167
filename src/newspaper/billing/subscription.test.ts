import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Fact, isOver, type Standing, SUBSCRIPTION_STATES, transition } from './subscription.ts';

const at = (text: string) => Temporal.Instant.from(text);
const day = (text: string) => Temporal.PlainDate.from(text);
const NOON = at('2026-11-23T06:30:00Z');

function standing(given: Partial<Standing> = {}): Standing {
  return {
    state: 'incomplete',
    months: 3,
    zone: 'Asia/Kolkata',
    anchorOn: undefined,
    paidThroughOn: undefined,
    cancelOn: undefined,
    endedReason: undefined,
    ...given,
  };
}
const active = (given: Partial<Standing> = {}) =>
  standing({ state: 'active', anchorOn: day('2026-11-23'), paidThroughOn: day('2027-02-23'), ...given });

describe('a first payment', () => {
  it('begins the first term on the day it comes, in the paper’s zone', () => {
    // Half past midnight in Kolkata, and still the day before in Greenwich.
    expect(transition(standing(), { kind: 'paid' }, at('2026-01-30T18:40:00Z'))).toEqual({
      kind: 'changed',
      standing: standing({ state: 'active', anchorOn: day('2026-01-31'), paidThroughOn: day('2026-04-30') }),
      term: { seq: 0, startOn: day('2026-01-31'), endOn: day('2026-04-30') },
    });
  });

  it('told twice, or of a subscription that is over, changes nothing', () => {
    for (const state of SUBSCRIPTION_STATES.filter((one) => one !== 'incomplete')) {
      expect(transition(active({ state }), { kind: 'paid' }, NOON)).toEqual({ kind: 'unchanged' });
    }
  });

  it('that never comes ends what was begun, and nothing that was paid', () => {
    expect(transition(standing(), { kind: 'never paid' }, NOON)).toMatchObject({
      standing: { state: 'canceled', endedReason: 'never_paid' },
    });
    expect(transition(active(), { kind: 'never paid' }, NOON)).toEqual({ kind: 'unchanged' });
  });
});

describe('cancelling', () => {
  it('ends it with the day that is no longer paid, and not before', () => {
    const cancelled = active({ cancelOn: day('2027-02-23') });
    expect(transition(active(), { kind: 'cancel' }, NOON)).toEqual({ kind: 'changed', standing: cancelled });
    expect(transition(cancelled, { kind: 'day' }, at('2027-02-22T18:29:59Z'))).toEqual({ kind: 'unchanged' });
    expect(transition(cancelled, { kind: 'day' }, at('2027-02-22T18:30:00Z'))).toMatchObject({
      standing: { state: 'expired', endedReason: 'user' },
    });
  });

  it('can be undone until it has ended, and twice is once', () => {
    const cancelled = active({ cancelOn: day('2027-02-23') });
    expect(transition(cancelled, { kind: 'cancel' }, NOON)).toEqual({ kind: 'unchanged' });
    expect(transition(cancelled, { kind: 'undo cancel' }, NOON)).toEqual({
      kind: 'changed',
      standing: active(),
    });
    expect(transition(active(), { kind: 'undo cancel' }, NOON)).toEqual({ kind: 'unchanged' });
    expect(transition(cancelled, { kind: 'undo cancel' }, at('2027-02-22T18:30:00Z'))).toEqual({
      kind: 'unchanged',
    });
  });

  it('is nothing to what was not paid yet', () => {
    expect(transition(standing(), { kind: 'cancel' }, NOON)).toEqual({ kind: 'unchanged' });
  });
});

describe('whatever happens, in whatever order', () => {
  const fact = fc.constantFrom<Fact['kind']>('paid', 'never paid', 'cancel', 'undo cancel', 'day');

  it('what is over stays over, a fact told again at once changes nothing, and only a payment opens', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fact, fc.nat(60)), { maxLength: 30 }), (steps) => {
        let now = NOON;
        let is = standing();
        let paid = false;
        for (const [kind, days] of steps) {
          now = now.add({ hours: 24 * days });
          const wasOver = isOver(is);
          const result = transition(is, { kind }, now);
          if (wasOver) expect(result.kind).toBe('unchanged');
          if (result.kind === 'changed') {
            if (result.term !== undefined) {
              expect(paid).toBe(false);
              paid = true;
            }
            is = result.standing;
            if (kind !== 'undo cancel') expect(transition(is, { kind }, now)).toEqual({ kind: 'unchanged' });
          }
          expect(is.anchorOn !== undefined).toBe(paid);
          if (is.state === 'active') expect(paid).toBe(true);
        }
      }),
    );
  });
});
