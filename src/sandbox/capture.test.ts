import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  beginRefund,
  type Capture,
  closeDispute,
  dueRefund,
  openDispute,
  type Refund,
  type Return,
  refundRefusal,
} from './capture.ts';
import type { Rail } from './methods.ts';

const NOW = Temporal.Instant.from('2026-11-23T06:30:00Z');
const taken = (rail: Rail = 'card_intl', over: Partial<Capture> = {}): Capture => ({
  paymentId: 'pay_1',
  amount: { minor: 270_000n, currency: 'INR' },
  rail,
  capturedAt: NOW,
  refundedMinor: 0n,
  disputedMinor: 0n,
  openDispute: undefined,
  ...over,
});
const give = (capture: Capture, minor: bigint, { fails = false, id = 're_1' } = {}) =>
  beginRefund(capture, { id, reference: 'refund 1', minor }, fails, NOW);

describe('a refund', () => {
  it('of a card is given at once, and stands in the book', () => {
    const made = give(taken(), 90_000n);
    expect(made).toMatchObject({
      event: 'refund.processed',
      refund: { status: 'processed', minor: 90_000n, settlesAt: undefined },
      capture: { refundedMinor: 90_000n },
      movement: { kind: 'refunded', aboutId: 're_1', amount: { minor: -90_000n, currency: 'INR' } },
    });
  });

  it('by UPI is on its way for a day, and counts as gone meanwhile', () => {
    const made = give(taken('upi'), 270_000n);
    expect(made).toMatchObject({ event: 'refund.pending', movement: undefined });
    expect(refundRefusal(made.capture, 1n, NOW)).toBe('amount_above_refundable');
    const refund = made.refund as Refund;
    expect(dueRefund(made.capture, refund, NOW.add({ hours: 23 }))).toBeUndefined();
    const settled = dueRefund(made.capture, refund, NOW.add({ hours: 100 }));
    expect(settled).toMatchObject({ event: 'refund.processed', movement: { kind: 'refunded' } });
    expect(settled?.at.toString()).toBe('2026-11-24T06:30:00Z');
  });

  it('that fails takes nothing out of the book, and may be asked for again', () => {
    for (const rail of ['card_intl', 'upi'] as const) {
      const made = give(taken(rail), 270_000n, { fails: true });
      const ended = dueRefund(made.capture, made.refund as Refund, NOW.add({ hours: 24 })) ?? made;
      expect(ended).toMatchObject({
        event: 'refund.failed',
        movement: undefined,
        capture: { refundedMinor: 0n },
      });
      expect(refundRefusal(ended.capture, 270_000n, NOW)).toBeUndefined();
    }
  });

  it.each<[string, Capture, bigint, string, string | undefined]>([
    ['of all of it', taken(), 270_000n, '2026-11-23', undefined],
    ['of a paisa more', taken(), 270_001n, '2026-11-23', 'amount_above_refundable'],
    [
      'of more than is left',
      taken('upi', { refundedMinor: 200_000n }),
      70_001n,
      '2026-11-23',
      'amount_above_refundable',
    ],
    [
      'of what a bank has kept',
      taken('upi', { disputedMinor: 270_000n }),
      1n,
      '2026-11-23',
      'amount_above_refundable',
    ],
    ['F98: on the last day of six months, by UPI', taken('upi'), 1n, '2027-05-23', undefined],
    ['F98: on the day after, by UPI', taken('upi'), 1n, '2027-05-24', 'payment_too_old'],
    ['F98: on the day after, by an Indian card', taken('card_in'), 1n, '2027-05-24', 'payment_too_old'],
    ['years later, by a card from anywhere', taken(), 1n, '2029-01-01', undefined],
  ])('%s', (_, capture, minor, day, why) => {
    expect(refundRefusal(capture, minor, Temporal.Instant.from(`${day}T00:00:00Z`))).toBe(why);
  });
});

describe('a dispute', () => {
  const open = (capture: Capture) => openDispute(capture, 'dp_1', NOW) as Return;

  it('takes back what is left, and brings it again when it is won', () => {
    const after = open(give(taken(), 90_000n).capture);
    expect(after).toMatchObject({
      event: 'dispute.opened',
      dispute: { status: 'open', minor: 180_000n },
      movement: { kind: 'disputed', amount: { minor: -180_000n } },
    });
    expect(closeDispute(after.capture, 'won', NOW)).toMatchObject({
      event: 'dispute.won',
      capture: { disputedMinor: 0n, openDispute: undefined },
      movement: { kind: 'reinstated', amount: { minor: 180_000n } },
    });
    expect(closeDispute(after.capture, 'lost', NOW)).toMatchObject({
      event: 'dispute.lost',
      capture: { disputedMinor: 180_000n, openDispute: undefined },
      movement: undefined,
    });
  });

  it('F103: nothing is given back while it is open, and nothing is disputed that was given back', () => {
    expect(refundRefusal(open(taken()).capture, 1n, NOW)).toBe('payment_disputed');
    expect(openDispute(give(taken(), 270_000n).capture, 'dp_1', NOW)).toBeUndefined();
    expect(openDispute(open(taken()).capture, 'dp_2', NOW)).toBeUndefined();
    expect(closeDispute(taken(), 'won', NOW)).toBeUndefined();
  });
});

it('F103: whatever is given back and disputed in whatever order, never more goes than came', () => {
  const act = fc.oneof(
    fc.record({
      kind: fc.constant('refund' as const),
      minor: fc.bigInt({ min: 1n, max: 300_000n }),
      fails: fc.boolean(),
    }),
    fc.record({ kind: fc.constantFrom('open' as const, 'won' as const, 'lost' as const) }),
  );
  fc.assert(
    fc.property(
      fc.constantFrom<Rail>('card_intl', 'card_in', 'upi'),
      fc.array(fc.tuple(act, fc.integer({ min: 0, max: 40 })), { maxLength: 15 }),
      (rail, acts) => {
        let capture = taken(rail);
        let now = NOW;
        let book = capture.amount.minor;
        const refunds = new Map<string, Refund>();

        function follow(made: Return | undefined): void {
          if (made === undefined) return;
          capture = made.capture;
          book += made.movement?.amount.minor ?? 0n;
          if (made.refund !== undefined) refunds.set(made.refund.id, made.refund);
          expect(book).toBeGreaterThanOrEqual(0n);
          expect(book).toBeLessThanOrEqual(270_000n);
          expect(capture.refundedMinor).toBeGreaterThanOrEqual(0n);
          expect(capture.disputedMinor).toBeGreaterThanOrEqual(0n);
          expect(capture.refundedMinor + capture.disputedMinor).toBeLessThanOrEqual(270_000n);
        }

        for (const [at, [one, hours]] of acts.entries()) {
          now = now.add({ hours });
          for (const refund of refunds.values()) follow(dueRefund(capture, refund, now));
          if (one.kind === 'open') follow(openDispute(capture, `dp_${at}`, now));
          else if (one.kind !== 'refund') follow(closeDispute(capture, one.kind, now));
          else if (refundRefusal(capture, one.minor, now) === undefined)
            follow(
              beginRefund(
                capture,
                { id: `re_${at}`, reference: undefined, minor: one.minor },
                one.fails,
                now,
              ),
            );
        }
        for (const refund of refunds.values()) follow(dueRefund(capture, refund, now.add({ hours: 24 })));
        const processed = [...refunds.values()].filter(({ status }) => status === 'processed');
        const given = processed.reduce((sum, { minor }) => sum + minor, 0n);
        // The book is what was taken, less what was given back, less what banks hold.
        expect(book).toBe(270_000n - given - capture.disputedMinor);
      },
    ),
    { numRuns: 1_000 },
  );
});
