import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { begun, isOver, nextTerm, type PaidTerm, type Standing, SUBSCRIPTION_STATES } from './agreement.ts';
import { type Fact, type Step, type Transition, transition } from './subscription.ts';

const ZONE = 'Asia/Kolkata';
const day = (text: string) => Temporal.PlainDate.from(text);
/** Noon of a day where the paper is. */
const noon = (on: string | Temporal.PlainDate) =>
  day(String(on)).toZonedDateTime({ timeZone: ZONE, plainTime: '12:00' }).toInstant();

const QUARTERLY = { planSlug: 'quarterly', months: 3, price: { minor: 90_000n, currency: 'INR' } };
const standing = (given: Partial<Standing> = {}): Standing => ({ ...begun(QUARTERLY, ZONE), ...given });

/** What is left of some facts, each on its day. */
function lived(...facts: readonly (readonly [on: string, fact: Fact])[]): { is: Standing; steps: Step[] } {
  let is = standing();
  const steps: Step[] = [];
  for (const [on, fact] of facts) {
    const result = transition(is, fact, noon(on));
    if (result.kind === 'unchanged') continue;
    is = result.standing;
    steps.push(...result.steps);
  }
  return { is, steps };
}

const paid = (seq: number): Fact => ({ kind: 'paid', seq });
const TODAY: Fact = { kind: 'day' };
const BEGUN = ['2026-11-23', paid(0)] as const;

/** In few words, for a table: what is done, and with which days. */
function inShort(steps: readonly Step[]): string[] {
  return steps.map((step) => {
    switch (step.kind) {
      case 'begin term':
        return `term ${step.term.seq} ${step.term.startOn} to ${step.term.endOn}`;
      case 'cut term':
        return `cut ${step.seq} ${step.endOn}`;
      case 'revoke term':
        return `revoke ${step.seq} ${step.as}`;
      case 'give days':
        return `${step.source} ${step.fromOn} to ${step.untilOn}`;
      case 'moved':
        return `${step.from} > ${step.to}`;
      default:
        return step.kind;
    }
  });
}

describe('a first payment', () => {
  it('begins the first term on the day it comes, in the paper’s zone (F54)', () => {
    // Half past midnight in Kolkata, and still the day before in Greenwich.
    const result = transition(standing(), paid(0), Temporal.Instant.from('2026-01-30T18:40:00Z'));
    expect(result).toMatchObject({
      standing: { state: 'active', nextSeq: 1, monthsPaid: 3 },
      steps: [
        { kind: 'begin term', term: { seq: 0 } },
        { kind: 'moved', from: 'incomplete', to: 'active' },
      ],
    });
    const term = (result as Extract<Transition, { kind: 'changed' }>).steps[0];
    expect(inShort([term as Step])).toEqual(['term 0 2026-01-31 to 2026-04-30']);
  });

  it('that never comes ends what was begun, and nothing that was paid', () => {
    expect(lived(['2026-11-23', { kind: 'never paid' }]).is).toMatchObject({
      state: 'canceled',
      endedReason: 'never_paid',
    });
    expect(lived(BEGUN, ['2026-11-24', { kind: 'never paid' }]).is.state).toBe('active');
  });

  it('after a trial begins its term on the day that the trial ends, and is asked for once', () => {
    const { is, steps } = lived(
      ['2026-11-23', { kind: 'trial', days: 14 }],
      ['2026-12-05', paid(0)],
      ['2026-12-05', paid(0)],
    );
    expect(inShort(steps)).toEqual([
      'trial 2026-11-23 to 2026-12-07',
      'incomplete > trialing',
      'term 0 2026-12-07 to 2027-03-07',
      'trialing > active',
    ]);
    expect(is.trialEndsOn).toBeUndefined();
  });
});

describe('no days', () => {
  it('F60: of grace are none, and not as many as usual', () => {
    const { is } = lived(BEGUN);
    const result = transition(is, TODAY, noon('2027-02-23'), { graceDays: 0, givenUpDays: 0 });
    expect(result).toMatchObject({ kind: 'changed', standing: { state: 'expired' } });
    const { steps } = result as Extract<Transition, { kind: 'changed' }>;
    expect(inShort(steps)).toEqual(
      [
        'active > past_due',
        'give up invoice',
        'past_due > suspended',
        'stop access',
        'give up invoice',
        'suspended > expired',
      ].filter((step) => step !== 'stop access'),
    );
  });

  it('F63: are left of a term that more seats could be had for', () => {
    const { is } = lived(BEGUN);
    const fact = { kind: 'seats paid', seq: 1, seats: 2, price: { minor: 1n, currency: 'INR' } } as const;
    expect(transition(is, fact, noon('2027-02-23')).kind).toBe('unchanged');
    expect(
      inShort((transition(is, fact, noon('2027-02-22')) as Extract<Transition, { kind: 'changed' }>).steps),
    ).toEqual(['cut 0 2027-02-22', 'term 1 2027-02-22 to 2027-02-23']);
  });
});

describe('an offer’s prices', () => {
  const money = (minor: bigint) => ({ minor, currency: 'INR' });
  const introduced = begun(QUARTERLY, ZONE, [
    { terms: 2, price: money(9_900n) },
    { terms: 1, price: money(45_000n) },
  ]);
  const pricesOf = (facts: readonly Fact[]) => {
    let is = introduced;
    const steps: Step[] = [];
    for (const fact of facts) {
      const result = transition(is, fact, noon('2026-11-23'));
      if (result.kind === 'unchanged') continue;
      is = result.standing;
      steps.push(...result.steps);
    }
    return steps.flatMap((step) => (step.kind === 'begin term' ? [Number(step.price.minor)] : []));
  };

  it('are those of the first terms, in their order, and then the agreed one', () => {
    expect(pricesOf([0, 1, 2, 3, 4].map(paid))).toEqual([9_900, 9_900, 45_000, 90_000, 90_000]);
  });

  it('end with another plan, which is bought at its own, now or later', () => {
    const change = { planSlug: 'yearly', months: 12, price: money(270_000n) };
    expect(pricesOf([paid(0), { kind: 'change later', change }, paid(1), paid(2)])).toEqual([
      9_900, 270_000, 270_000,
    ]);
    expect(pricesOf([paid(0), { kind: 'change paid', seq: 1, change }, paid(2)])).toEqual([
      9_900, 270_000, 270_000,
    ]);
  });
});

describe('boundaries', () => {
  it.each([
    ['F50', 1, '2026-01-31', ['2026-02-28', '2026-03-31', '2026-04-30', '2026-05-31']],
    ['F50', 1, '2024-01-31', ['2024-02-29', '2024-03-31']],
    ['F51', 3, '2025-11-30', ['2026-02-28', '2026-05-30', '2026-08-30', '2026-11-30', '2027-02-28']],
    ['F51', 3, '2025-08-31', ['2025-11-30', '2026-02-28', '2026-05-31', '2026-08-31']],
    ['F52', 12, '2024-02-29', ['2025-02-28', '2026-02-28', '2027-02-28', '2028-02-29']],
    ['F52', 24, '2024-02-29', ['2026-02-28', '2028-02-29']],
  ])(
    'are counted from the anchor, never from the end before (%s, %i months from %s)',
    (_, months, from, ends) => {
      let is = standing({ months });
      let startOn = day(from);
      for (const [seq, end] of ends.entries()) {
        const result = transition(is, paid(seq), noon(seq === 0 ? from : startOn.subtract({ days: 2 })));
        if (result.kind === 'unchanged') throw new Error('it was not paid');
        expect(inShort(result.steps)[0]).toBe(`term ${seq} ${startOn} to ${end}`);
        is = result.standing;
        startOn = day(end);
      }
    },
  );
});

describe('a renewal', () => {
  it('that is paid in time, or within the grace, has the days that were planned (F65)', () => {
    for (const on of ['2027-02-20', '2027-02-23', '2027-03-01']) {
      const { is, steps } = lived(BEGUN, [on, TODAY], [on, paid(1)]);
      expect(is).toMatchObject({ state: 'active', nextSeq: 2 });
      expect(inShort(steps)).toContain('term 1 2027-02-23 to 2027-05-23');
    }
  });

  it('that is not paid gives days of grace, then shuts out, then ends, each once (F66)', () => {
    const { is, steps } = lived(
      BEGUN,
      ['2027-02-22', TODAY],
      ['2027-02-23', TODAY],
      ['2027-02-23', TODAY],
      ['2027-03-01', TODAY],
      ['2027-03-02', TODAY],
      ['2027-03-15', TODAY],
      ['2027-03-16', TODAY],
      ['2027-03-17', TODAY],
    );
    expect(inShort(steps).slice(2)).toEqual([
      'grace 2027-02-23 to 2027-03-02',
      'active > past_due',
      'give up invoice',
      'past_due > suspended',
      'give up invoice',
      'suspended > expired',
    ]);
    expect(is.endedReason).toBe('nonpayment');
  });

  it('paid by who was shut out begins anew on that day, with an anchor of its own', () => {
    const { is, steps } = lived(BEGUN, ['2027-03-10', TODAY], ['2027-03-10', paid(1)]);
    expect(inShort(steps).at(-2)).toBe('term 1 2027-03-10 to 2027-06-10');
    expect(String(is.anchorOn)).toBe('2027-03-10');
  });

  it('told twice is one', () => {
    const once = lived(BEGUN, ['2027-02-20', paid(1)]);
    expect(lived(BEGUN, ['2027-02-20', paid(1)], ['2027-02-20', paid(1)], ['2027-02-21', paid(0)])).toEqual(
      once,
    );
  });
});

describe('cancelling', () => {
  it('while a debit is under way: what comes of that buys nothing (F82)', () => {
    const { is } = lived(BEGUN, ['2027-02-19', { kind: 'cancel' }]);
    expect(transition(is, paid(1), noon('2027-02-20'))).toEqual({ kind: 'unchanged' });
  });

  it('ends it with the day that is no longer paid, and not before', () => {
    const { is } = lived(BEGUN, ['2026-12-01', { kind: 'cancel' }]);
    expect([is.state, String(is.cancelOn)]).toEqual(['active', '2027-02-23']);
    const zoned = (text: string) => transition(is, TODAY, Temporal.Instant.from(text));
    expect(zoned('2027-02-22T18:29:59Z')).toEqual({ kind: 'unchanged' });
    expect(zoned('2027-02-22T18:30:00Z')).toMatchObject({
      standing: { state: 'expired', endedReason: 'user' },
    });
  });

  it('can be undone until it has ended, and twice is once', () => {
    const cancelled = lived(BEGUN, ['2026-12-01', { kind: 'cancel' }], ['2026-12-02', { kind: 'cancel' }]);
    const undone = transition(cancelled.is, { kind: 'undo cancel' }, noon('2027-02-22'));
    expect(undone).toMatchObject({ standing: { state: 'active', cancelOn: undefined } });
    expect(transition(cancelled.is, { kind: 'undo cancel' }, noon('2027-02-23'))).toEqual({
      kind: 'unchanged',
    });
  });

  it.each([
    [
      'in the grace',
      [
        ['2027-02-25', TODAY],
        ['2027-02-25', { kind: 'cancel' }],
      ],
    ],
    [
      'when shut out',
      [
        ['2027-03-05', TODAY],
        ['2027-03-05', { kind: 'cancel' }],
      ],
    ],
  ] as [string, [string, Fact][]][])('ends at once where nothing is paid any more: %s (F85)', (_, facts) => {
    expect(lived(BEGUN, ...facts).is).toMatchObject({ state: 'expired', endedReason: 'user' });
  });

  it('drops a change that was to come (F88), and is nothing to what was not paid yet', () => {
    const change = QUARTERLY;
    const { is } = lived(
      BEGUN,
      ['2026-12-01', { kind: 'change later', change }],
      ['2026-12-02', { kind: 'cancel' }],
    );
    expect(is.pendingChange).toBeUndefined();
    expect(transition(standing(), { kind: 'cancel' }, noon('2026-12-01'))).toEqual({ kind: 'unchanged' });
  });
});

describe('another plan', () => {
  const yearly = { planSlug: 'yearly', months: 12, price: { minor: 270_000n, currency: 'INR' } };

  it('that is paid today begins today, and the term that runs ends', () => {
    const { is, steps } = lived(BEGUN, ['2026-12-23', { kind: 'change paid', seq: 1, change: yearly }]);
    expect(inShort(steps).slice(2)).toEqual(['cut 0 2026-12-23', 'term 1 2026-12-23 to 2027-12-23']);
    expect([String(is.anchorOn), is.months, is.state]).toEqual(['2026-12-23', 12, 'active']);
  });

  it('from the next term on waits for that, keeps the day of the month, and can be dropped', () => {
    const later = (...more: [string, Fact][]) =>
      lived(
        ['2026-11-30', paid(0)],
        ['2026-12-23', { kind: 'change later', change: yearly }],
        ...more,
        ['2027-02-25', paid(1)],
        ['2028-02-26', paid(2)],
      );
    expect(inShort(later().steps).filter((one) => one.startsWith('term'))).toEqual([
      'term 0 2026-11-30 to 2027-02-28',
      'term 1 2027-02-28 to 2028-02-29',
      'term 2 2028-02-29 to 2029-02-28',
    ]);
    expect(later(['2026-12-24', { kind: 'drop change' }]).is.months).toBe(3);
  });
});

describe('a pause', () => {
  it('keeps paid days to the last, and what follows is counted from their end (F92)', () => {
    const { is, steps } = lived(
      BEGUN,
      ['2026-12-23', { kind: 'pause', days: 30 }],
      ['2026-12-24', { kind: 'pause', days: 60 }],
      ['2027-01-21', TODAY],
      ['2027-01-22', TODAY],
    );
    expect(inShort(steps).slice(2)).toEqual([
      'stop access',
      'active > paused',
      'term 2027-01-22 to 2027-03-25',
      'paused > active',
    ]);
    expect([String(is.paidThroughOn), String(is.anchorOn)]).toEqual(['2027-03-25', '2027-03-25']);
    expect(String(nextTerm(is, day('2027-03-20')).startOn)).toBe('2027-03-25');
  });

  it('can be ended sooner, and is nothing on the day after the last', () => {
    const { is } = lived(
      BEGUN,
      ['2026-12-23', { kind: 'pause', days: 30 }],
      ['2026-12-30', { kind: 'resume' }],
    );
    expect([is.state, String(is.paidThroughOn)]).toEqual(['active', '2027-03-02']);
    expect(lived(BEGUN, ['2027-02-23', { kind: 'pause', days: 30 }]).is.state).toBe('active');
  });

  it('of what was cancelled moves the end with it', () => {
    const { is } = lived(
      BEGUN,
      ['2026-12-22', { kind: 'cancel' }],
      ['2026-12-23', { kind: 'pause', days: 30 }],
      ['2027-01-22', TODAY],
    );
    expect(String(is.cancelOn)).toBe('2027-03-25');
  });
});

describe('money that goes back', () => {
  const term = (seq: number, startOn: string, endOn: string): PaidTerm => ({
    seq,
    startOn: day(startOn),
    endOn: day(endOn),
  });

  it.each([
    ['refunded', 'refund'],
    ['dispute lost', 'chargeback'],
  ] as const)('for the term that runs ends what it bought: %s', (kind, endedReason) => {
    const { is, steps } = lived(BEGUN, ['2026-12-23', { kind, term: term(0, '2026-11-23', '2027-02-23') }]);
    expect(is).toMatchObject({ state: 'canceled', endedReason });
    expect(inShort(steps)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^revoke 0/), 'stop access']),
    );
  });

  it('for an old term takes nothing from a later one (F93)', () => {
    const { is, steps } = lived(
      BEGUN,
      ['2027-02-20', paid(1)],
      ['2027-02-21', { kind: 'refunded', term: term(0, '2026-11-23', '2027-02-23') }],
    );
    expect([is.state, String(is.paidThroughOn), inShort(steps).at(-1)]).toEqual([
      'active',
      '2027-05-23',
      'revoke 0 refunded',
    ]);
  });

  it('for a term that has not begun leaves the one before, and ends with it', () => {
    const { is } = lived(
      BEGUN,
      ['2027-02-20', paid(1)],
      ['2027-02-21', { kind: 'refunded', term: term(1, '2027-02-23', '2027-05-23') }],
      ['2027-02-22', TODAY],
    );
    expect([is.state, String(is.cancelOn)]).toEqual(['active', '2027-02-23']);
  });

  const given: readonly [string, Fact] = ['2027-02-26', { kind: 'extend', days: 10 }];
  it.each([
    {
      what: 'it begins in a shorter month',
      before: [],
      after: [],
      startOn: '2027-02-28',
      endOn: '2027-05-30',
    },
    {
      what: 'days were given before it',
      before: [given],
      after: [],
      startOn: '2027-03-10',
      endOn: '2027-06-10',
    },
    {
      what: 'days were given behind it',
      before: [],
      after: [given],
      startOn: '2027-02-28',
      endOn: '2027-05-28',
    },
  ])(
    'for a term that has not begun leaves no hole before the next, should it go on after all: $what',
    (one) => {
      const { is } = lived(
        ['2026-11-30', paid(0)],
        ...one.before,
        ['2027-02-26', paid(1)],
        ...one.after,
        ['2027-02-26', { kind: 'refunded', term: term(1, one.startOn, '2027-05-30') }],
        ['2027-02-27', { kind: 'undo cancel' }],
      );
      const { endOn, startOn } = nextTerm(is, day('2027-02-27'));
      expect([is.cancelOn, String(startOn), String(endOn)]).toEqual([undefined, one.startOn, one.endOn]);
    },
  );

  it('for a term that waits while it rests leaves the days of the one before, and it ends after them', () => {
    const { is } = lived(
      ['2026-11-30', paid(0)],
      ['2027-02-20', paid(1)],
      ['2027-02-21', { kind: 'pause', days: 30 }],
      ['2027-03-02', { kind: 'refunded', term: term(1, '2027-02-28', '2027-05-30') }],
    );
    expect([is.state, is.pause?.bankedDays, String(is.cancelOn)]).toEqual(['paused', 7, '2027-03-30']);
  });

  it('while a dispute is open is not decided, and after it is won all is as before (F101)', () => {
    const before = lived(BEGUN).is;
    const { is } = lived(BEGUN, ['2026-12-23', { kind: 'dispute' }]);
    expect(is.isDisputed).toBe(true);
    expect(
      lived(BEGUN, ['2026-12-23', { kind: 'dispute' }], ['2026-12-30', { kind: 'dispute won' }]).is,
    ).toEqual(before);
  });
});

describe('staff and the law', () => {
  it('give days behind those that are paid, and end at once', () => {
    const { is, steps } = lived(BEGUN, ['2026-12-23', { kind: 'extend', days: 10 }]);
    expect(inShort(steps).at(-1)).toBe('gift 2027-02-23 to 2027-03-05');
    expect(String(nextTerm(is, day('2027-03-01')).startOn)).toBe('2027-03-05');
    for (const [fact, endedReason] of [
      [{ kind: 'end', reason: 'fraud' }, 'fraud'],
      [{ kind: 'withdraw' }, 'withdrawal'],
    ] as [Fact, string][])
      expect(lived(BEGUN, ['2026-12-01', fact]).is).toMatchObject({ state: 'canceled', endedReason });
  });
});

const WAYS: fc.Arbitrary<Fact> = fc.oneof(
  fc.constantFrom<Fact>(
    { kind: 'never paid' },
    { kind: 'cancel' },
    { kind: 'undo cancel' },
    { kind: 'resume' },
    { kind: 'drop change' },
    { kind: 'drop price' },
    { kind: 'dispute' },
    { kind: 'dispute won' },
    { kind: 'method lost' },
    { kind: 'method' },
    { kind: 'day' },
    { kind: 'trial', days: 14 },
    { kind: 'end', reason: 'admin' },
  ),
  fc.nat(12).map((seq): Fact => ({ kind: 'paid', seq })),
  fc.nat(900).map(
    (days): Fact => ({
      kind: 'announce price',
      announced: { price: { minor: 108_000n, currency: 'INR' }, fromOn: day('2026-03-01').add({ days }) },
    }),
  ),
  fc.integer({ min: 1, max: 90 }).map((days): Fact => ({ kind: 'pause', days })),
  fc.integer({ min: 1, max: 20 }).map((days): Fact => ({ kind: 'extend', days })),
  fc
    .constantFrom(3, 12, 24)
    .map((months): Fact => ({ kind: 'change later', change: { ...QUARTERLY, planSlug: 'x', months } })),
  fc.tuple(fc.nat(12), fc.constantFrom(3, 12, 24)).map(
    ([seq, months]): Fact => ({
      kind: 'change paid',
      seq,
      change: { ...QUARTERLY, planSlug: 'x', months },
    }),
  ),
);

function hasBegun(fromOn: Temporal.PlainDate | undefined, startOn: Temporal.PlainDate): boolean {
  return fromOn !== undefined && Temporal.PlainDate.compare(fromOn, startOn) <= 0;
}

describe('whatever happens, in whatever order', () => {
  it('keeps terms in order, one behind the other, and what is over over', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, WAYS), fc.nat(40)), {
          maxLength: 40,
        }),
        fc.constantFrom(1, 3, 12, 24),
        (facts, months) => {
          let is = standing({ months });
          let on = day('2026-01-31');
          const terms: PaidTerm[] = [];
          for (const [way, days] of facts) {
            on = on.add({ days });
            // What most often happens is that the next term is paid.
            const fact = way ?? paid(is.nextSeq);
            const before = is;
            const result = transition(is, fact, noon(on));
            if (result.kind === 'unchanged') continue;
            is = result.standing;
            for (const step of result.steps) {
              if (step.kind === 'cut term') {
                const last = terms.pop();
                expect(last?.seq).toBe(step.seq);
                if (last !== undefined) terms.push({ ...last, endOn: step.endOn });
              }
              if (step.kind !== 'begin term') continue;
              // F119: no term that begins before its day costs what was announced.
              if (step.price.minor > QUARTERLY.price.minor && before.price.minor === QUARTERLY.price.minor)
                expect(hasBegun(before.announced?.fromOn, step.term.startOn)).toBe(true);
              expect(step.term.seq).toBe(terms.length);
              const last = terms.at(-1);
              if (last !== undefined)
                expect(Temporal.PlainDate.compare(last.endOn, step.term.startOn)).toBeLessThanOrEqual(0);
              expect(step.term.startOn.until(step.term.endOn).days).toBeGreaterThanOrEqual(28);
              terms.push(step.term);
            }
            expect(is.nextSeq).toBe(terms.length);
            expect(isOver(before)).toBe(false);
            // F91: what ends, at once or later, ends with a day that was paid or given, and with none beyond.
            if (isOver(is) || fact.kind === 'cancel') {
              expect(String(is.paidThroughOn)).toBe(String(before.paidThroughOn));
              if (is.cancelOn !== undefined && before.pause === undefined && !isOver(is))
                expect(String(is.cancelOn)).toBe(String(is.paidThroughOn ?? is.trialEndsOn));
            }
            expect(is.endedReason === undefined).toBe(!isOver(is));
            expect((is.pause === undefined) === (is.state !== 'paused')).toBe(true);
            if (is.state === 'active') expect(is.paidThroughOn).toBeDefined();
          }
        },
      ),
    );
  });

  it('one jump of the calendar is the same as each day lived through (I30)', () => {
    fc.assert(
      fc.property(fc.array(WAYS, { maxLength: 12 }), fc.integer({ min: 1, max: 150 }), (facts, days) => {
        const from = day('2026-01-31');
        let is = standing();
        for (const [at, fact] of [paid(0), ...facts].entries()) {
          const result = transition(is, fact, noon(from.add({ days: at })));
          if (result.kind === 'changed') is = result.standing;
        }
        const begin = from.add({ days: facts.length });
        const jump = transition(is, TODAY, noon(begin.add({ days })));
        let slow = is;
        const steps: Step[] = [];
        for (let at = 0; at <= days; at++) {
          const result = transition(slow, TODAY, noon(begin.add({ days: at })));
          if (result.kind === 'unchanged') continue;
          slow = result.standing;
          steps.push(...result.steps);
        }
        expect(jump.kind === 'changed' ? [jump.standing, inShort(jump.steps)] : [is, []]).toEqual([
          slow,
          inShort(steps),
        ]);
      }),
    );
  });

  it('a fact that is told again at once changes nothing', () => {
    const told: readonly Fact['kind'][] = [
      'paid',
      'cancel',
      'pause',
      'dispute',
      'method lost',
      'day',
      'withdraw',
    ];
    for (const state of SUBSCRIPTION_STATES)
      for (const kind of told) {
        const is = standing({
          state,
          ...(state === 'incomplete'
            ? {}
            : { anchorOn: day('2026-11-23'), monthsPaid: 3, nextSeq: 1, paidThroughOn: day('2027-02-23') }),
          ...(state === 'paused' ? { pause: { bankedDays: 3, resumesOn: day('2027-01-01') } } : {}),
          ...(isOver({ state }) ? { endedReason: 'user' } : {}),
        });
        const fact = { kind, seq: is.nextSeq, days: 10 } as Fact;
        const once = transition(is, fact, noon('2026-12-01'));
        if (once.kind === 'changed')
          expect([state, transition(once.standing, fact, noon('2026-12-01'))]).toEqual([
            state,
            { kind: 'unchanged' },
          ]);
      }
  });
});
