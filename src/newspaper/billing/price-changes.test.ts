import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { termBoundary } from '#values/term';
import { begun, type Standing } from './agreement.ts';
import { type PriceChange, planPriceChange } from './price-changes.ts';
import { transition } from './subscription.ts';

const day = (text: string) => Temporal.PlainDate.from(text);
const inr = (minor: number | bigint) => ({ minor: BigInt(minor), currency: 'INR' });

/** Bought on 15 January 2026, and now in its second year: paid from 15 January to 15 April 2027. */
const standing = (given: Partial<Standing> = {}): Standing => ({
  ...begun({ planSlug: 'quarterly', months: 3, price: inr(90_000) }, 'Asia/Kolkata'),
  state: 'active',
  anchorOn: day('2026-01-15'),
  pricedOn: day('2026-01-15'),
  monthsPaid: 15,
  nextSeq: 5,
  paidThroughOn: day('2027-04-15'),
  ...given,
});
const change = (given: Partial<PriceChange> = {}): PriceChange => ({
  id: 'quarterly-1',
  planSlug: 'quarterly',
  price: inr(108_000),
  fromOn: day('2027-01-20'),
  noticeDays: 30,
  capPercent: undefined,
  ...given,
});
const TODAY = day('2027-01-20');

function planned(is: Standing, wanted: Parameters<typeof planPriceChange>[1], today = TODAY) {
  const plan = planPriceChange(is, wanted, today);
  if (plan.kind !== 'tell') return `${plan.kind}: ${plan.why}`;
  return `${plan.firstOn} to ${plan.lastOn}, ${plan.price.minor} from ${plan.appliesOn}`;
}

describe('a change of price', () => {
  it.each([
    [
      'is told two weeks before the notice has to begin, and charged with the next term',
      standing(),
      change(),
      '2027-03-01 to 2027-03-15, 108000 from 2027-04-15',
    ],
    [
      'waits for the first boundary on or after its day',
      standing(),
      change({ fromOn: day('2027-04-16') }),
      '2027-05-31 to 2027-06-14, 108000 from 2027-07-15',
    ],
    [
      'has as many days of notice as it says',
      standing(),
      change({ noticeDays: 60 }),
      '2027-01-30 to 2027-02-13, 108000 from 2027-04-15',
    ],
    [
      'does not come within twelve months of the contract',
      standing({ anchorOn: day('2026-10-15'), pricedOn: day('2026-10-15'), monthsPaid: 6, nextSeq: 2 }),
      change(),
      '2027-08-31 to 2027-09-14, 108000 from 2027-10-15',
    ],
    [
      'nor twice within twelve months',
      standing({ pricedOn: day('2026-07-15') }),
      change(),
      '2027-05-31 to 2027-06-14, 108000 from 2027-07-15',
    ],
    [
      'rises by no more than its cap, and the part of a paisa is the reader’s',
      standing({ price: inr(89_999) }),
      change({ capPercent: 7 }),
      '2027-03-01 to 2027-03-15, 96298 from 2027-04-15',
    ],
    [
      'is for every seat of a group',
      standing({ seats: 3, price: inr(270_000) }),
      change(),
      '2027-03-01 to 2027-03-15, 324000 from 2027-04-15',
    ],
    [
      'that lowers the price comes with the next term, also within twelve months',
      standing({ pricedOn: day('2027-01-15') }),
      change({ price: inr(80_000) }),
      '2027-03-01 to 2027-04-08, 80000 from 2027-04-15',
    ],
    [
      'counts boundaries from the anchor, also at the end of February',
      standing({
        anchorOn: day('2025-11-30'),
        pricedOn: day('2025-11-30'),
        paidThroughOn: day('2027-02-28'),
      }),
      change(),
      '2027-01-20 to 2027-01-28, 108000 from 2027-02-28',
    ],
    [
      'waits while its reader has cancelled',
      standing({ cancelOn: day('2027-04-15') }),
      change(),
      'wait: cancelled',
    ],
    ['waits while a bank decides', standing({ isDisputed: true }), change(), 'wait: disputed'],
    ['waits while nothing is paid', standing({ state: 'past_due' }), change(), 'wait: not-running'],
    ['waits while it rests', standing({ state: 'paused' }), change(), 'wait: not-running'],
    [
      'waits while another plan is chosen, which wins',
      standing({ pendingChange: { planSlug: 'yearly', months: 12, price: inr(270_000) } }),
      change(),
      'wait: other-choice',
    ],
    [
      'waits until an offer is over',
      standing({ phases: [{ terms: 1, price: inr(9_900) }] }),
      change(),
      'wait: offer',
    ],
    [
      'waits until one that was told before has come',
      standing({ announced: { price: inr(95_000), fromOn: day('2027-04-15') } }),
      change(),
      'wait: told-already',
    ],
    ['is not of another plan', standing({ planSlug: 'yearly' }), change(), 'never: other-plan'],
    ['is nothing for what is over', standing({ state: 'expired' }), change(), 'never: over'],
    ['to what it costs is none', standing(), change({ price: inr(90_000) }), 'never: same-price'],
  ] as const)('%s', (_, is, wanted, expected) => expect(planned(is, wanted)).toBe(expected));

  it('whose days for telling are missed is told before the boundary after', () => {
    expect(planned(standing(), change(), day('2027-03-15'))).toMatch(/from 2027-04-15$/);
    expect(planned(standing(), change(), day('2027-03-16'))).toBe(
      '2027-05-31 to 2027-06-14, 108000 from 2027-07-15',
    );
    // Enough were told on every day of them.
    expect(planned(standing(), { ...change(), notBeforeOn: day('2027-03-16') })).toMatch(/from 2027-07-15$/);
  });

  it('F119: comes with a boundary, with its notice, never sooner than a year after the last one, and no dearer than its cap', () => {
    const days = fc.integer({ min: 0, max: 1_500 }).map((days) => day('2025-01-01').add({ days }));
    fc.assert(
      fc.property(
        fc.record({
          anchorOn: days,
          today: days,
          fromOn: days,
          pricedOn: days,
          months: fc.constantFrom(1, 3, 12, 24),
          terms: fc.nat(20),
          noticeDays: fc.integer({ min: 30, max: 180 }),
          was: fc.bigInt(100n, 1_000_000n),
          price: fc.bigInt(100n, 1_000_000n),
          capPercent: fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
          seats: fc.integer({ min: 1, max: 9 }),
        }),
        ({ anchorOn, capPercent, fromOn, months, noticeDays, price, pricedOn, seats, terms, today, was }) => {
          const monthsPaid = (terms + 1) * months;
          const is = standing({
            anchorOn,
            months,
            monthsPaid,
            pricedOn,
            seats,
            price: inr(was * BigInt(seats)),
            paidThroughOn: termBoundary(anchorOn, 1, monthsPaid),
          });
          const plan = planPriceChange(
            is,
            change({ capPercent, fromOn, noticeDays, price: inr(price) }),
            today,
          );
          if (plan.kind !== 'tell') {
            expect(plan).toEqual({ kind: 'never', why: 'same-price' });
            return;
          }
          const rises = plan.price.minor > is.price.minor;
          const boundary = termBoundary(anchorOn, 1, monthsPaid + plan.termsAhead * months);
          expect(plan.appliesOn.toString()).toBe(boundary.toString());
          expect(Temporal.PlainDate.compare(plan.appliesOn, fromOn)).toBeGreaterThanOrEqual(0);
          expect(Temporal.PlainDate.compare(today, plan.firstOn)).toBeLessThanOrEqual(0);
          expect(Temporal.PlainDate.compare(plan.firstOn, plan.lastOn)).toBeLessThanOrEqual(0);
          expect(plan.lastOn.until(plan.appliesOn).days).toBeGreaterThan(rises ? noticeDays : 6);
          if (rises)
            expect(
              Temporal.PlainDate.compare(plan.appliesOn, pricedOn.add({ years: 1 })),
            ).toBeGreaterThanOrEqual(0);
          expect(plan.price.minor).toBeLessThanOrEqual(price * BigInt(seats));
          if (capPercent !== undefined)
            expect(plan.price.minor * 100n).toBeLessThanOrEqual(is.price.minor * BigInt(100 + capPercent));
        },
      ),
    );
  });
});

describe('a price that was announced', () => {
  const noon = (on: string) =>
    day(on).toZonedDateTime({ timeZone: 'Asia/Kolkata', plainTime: '12:00' }).toInstant();
  const announced = { price: inr(108_000), fromOn: day('2027-04-15') };
  const told = standing({ announced });

  function lived(is: Standing, ...facts: readonly Parameters<typeof transition>[1][]): Standing {
    let now = is;
    for (const fact of facts) {
      const result = transition(now, fact, noon('2027-04-10'));
      if (result.kind === 'changed') now = result.standing;
    }
    return now;
  }

  it('is what the term costs that begins on its day, and what every later one does; it counts from there', () => {
    const paid = lived(told, { kind: 'paid', seq: 5 });
    expect(paid).toMatchObject({ price: inr(108_000), announced: undefined });
    expect(paid.pricedOn?.toString()).toBe('2027-04-15');
  });

  it('is nothing that a term before its day costs', () => {
    const paid = lived(standing({ announced: { ...announced, fromOn: day('2027-07-15') } }), {
      kind: 'paid',
      seq: 5,
    });
    expect(paid).toMatchObject({ price: inr(90_000), announced: { price: inr(108_000) } });
  });

  it('is kept through a cancellation that is taken back, and through a change that is', () => {
    const yearly = { planSlug: 'yearly', months: 12, price: inr(270_000) };
    expect(lived(told, { kind: 'cancel' }, { kind: 'undo cancel' }).announced).toEqual(announced);
    expect(lived(told, { kind: 'change later', change: yearly }, { kind: 'drop change' }).announced).toEqual(
      announced,
    );
  });

  it('F88: gives way to another plan, which costs what its reader was told when they chose it', () => {
    const yearly = { planSlug: 'yearly', months: 12, price: inr(270_000) };
    const paid = lived(told, { kind: 'change later', change: yearly }, { kind: 'paid', seq: 5 });
    expect(paid).toMatchObject({ planSlug: 'yearly', price: inr(270_000), announced: undefined });
    const now = lived(told, { kind: 'change paid', seq: 5, change: yearly });
    expect(now).toMatchObject({ price: inr(270_000), announced: undefined });
  });

  it('is for as many seats as there are', () => {
    const group = standing({
      seats: 2,
      price: inr(180_000),
      announced: { ...announced, price: inr(216_000) },
    });
    const more = lived(group, { kind: 'seats paid', seq: 5, seats: 3, price: inr(12_000) });
    expect(more).toMatchObject({ price: inr(270_000), announced: { price: inr(324_000) } });
  });

  it('comes a term later where its reader has chosen fewer seats for the next one, for as many as there are then', () => {
    const group = standing({
      seats: 3,
      price: inr(270_000),
      announced: { ...announced, price: inr(324_000) },
    });
    const fewer = { planSlug: 'quarterly', months: 3, price: inr(180_000), seats: 2 };
    const next = lived(group, { kind: 'change later', change: fewer }, { kind: 'paid', seq: 5 });
    expect(next).toMatchObject({ price: inr(180_000), announced: { price: inr(216_000) } });
    expect(next.pricedOn?.toString()).toBe('2026-01-15');
    expect(lived(next, { kind: 'paid', seq: 6 })).toMatchObject({
      price: inr(216_000),
      announced: undefined,
    });
  });

  it('is dropped when it is called back, and with the subscription', () => {
    expect(lived(told, { kind: 'drop price' })).toMatchObject({ price: inr(90_000), announced: undefined });
    expect(lived(told, { kind: 'end', reason: 'admin' }).announced).toBeUndefined();
  });

  it('is not called back where it is less than before: that was promised', () => {
    const promised = { ...told, announced: { ...announced, price: inr(80_000) } };
    expect(transition(promised, { kind: 'drop price' }, noon('2027-04-10'))).toEqual({ kind: 'unchanged' });
  });
});
