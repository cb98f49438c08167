import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Taken } from './refunds.store.ts';
import { drawsOnWithdrawal, mayWithdraw, prorated } from './rights.ts';

const day = (text: string) => Temporal.PlainDate.from(text);
const YEAR = { startOn: day('2026-11-23'), endOn: day('2027-11-23') };

describe('what is left of a term, in money', () => {
  it('F87: is counted by the days of the whole term', () => {
    const quarter = { startOn: day('2026-01-15'), endOn: day('2026-04-15') };
    expect(prorated(90_000n, quarter, day('2026-02-14'))).toBe(60_000n);
  });

  it('F91 I32: is never more than was paid or less than nothing, on whatever day it is asked for', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 10_000_000n), fc.integer({ min: -800, max: 1_600 }), (paid, days) => {
        const left = prorated(paid, YEAR, YEAR.startOn.add({ days }));
        expect(left).toBeGreaterThanOrEqual(0n);
        expect(left).toBeLessThanOrEqual(paid);
        if (days <= 0) expect(left).toBe(paid);
        if (days >= 365) expect(left).toBe(0n);
      }),
    );
  });
});

describe('a withdrawal', () => {
  it.each([
    ['on the day of the contract', 'DE', '2026-11-23', true],
    ['on the fourteenth day after', 'DE', '2026-12-07', true],
    ['on the fifteenth', 'DE', '2026-12-08', false],
    ['where the law gives no such right', 'IN', '2026-11-23', false],
  ] as const)('%s', (_, country, today, may) => {
    expect(mayWithdraw({ country, state: 'active' }, day('2026-11-23'), day(today))).toBe(may);
  });

  const payment = (id: string, minor: bigint, given: Partial<Taken> = {}): Taken => ({
    gateway: 'sandbox',
    gatewayPaymentId: id,
    subscriptionId: 's1',
    amount: { minor, currency: 'INR' },
    refunded: 0n,
    disputed: 0n,
    hasOpenDispute: false,
    uncredited: minor,
    invoiceId: `invoice of ${id}`,
    term: { seq: 0, ...YEAR },
    ...given,
  });
  const draws = (taken: readonly Taken[], howMuch: 'full' | 'pro-rata', today: string, from = '2026-11-23') =>
    drawsOnWithdrawal(taken, day(from), howMuch, day(today)).map(
      ({ ends, gatewayPaymentId, invoiceId, minor }) =>
        `${minor} by ${gatewayPaymentId} of ${invoiceId}${ends === undefined ? '' : ', all of it'}`,
    );

  it('gives all of it back, or what is left of it by days', () => {
    expect(draws([payment('a', 270_000n)], 'full', '2026-12-03')).toEqual([
      '270000 by a of invoice of a, all of it',
    ]);
    expect(draws([payment('a', 270_000n)], 'pro-rata', '2026-12-03')).toEqual([
      '262602 by a of invoice of a',
    ]);
    expect(draws([payment('a', 270_000n)], 'pro-rata', '2026-11-23')).toEqual([
      '270000 by a of invoice of a, all of it',
    ]);
  });

  it('gives back what went back already, or what a bank has asked for, to nobody twice', () => {
    expect(
      draws([payment('a', 270_000n, { refunded: 50_000n, uncredited: 220_000n })], 'full', '2026-12-03'),
    ).toEqual(['220000 by a of invoice of a, all of it']);
    expect(draws([payment('a', 270_000n, { hasOpenDispute: true })], 'full', '2026-12-03')).toEqual([]);
  });

  it('F89: of a later contract gives back what was put into it from an earlier one, by the payment that it came by', () => {
    const later = payment('b', 210_000n, {
      uncredited: 270_000n,
      term: { seq: 1, startOn: day('2027-02-14'), endOn: day('2028-02-14') },
    });
    const earlier = payment('a', 90_000n, {
      uncredited: 30_000n,
      term: { seq: 0, startOn: day('2027-01-15'), endOn: day('2027-02-14') },
    });
    expect(draws([later, earlier], 'full', '2027-02-20', '2027-02-14')).toEqual([
      '210000 by b of invoice of b, all of it',
      '60000 by a of invoice of b, all of it',
    ]);
  });

  it('I21: draws no more by any payment than came by it, and no more of any invoice than is left of it', () => {
    const amounts = fc.record({
      paid: fc.bigInt(1n, 300_000n),
      more: fc.bigInt(0n, 90_000n),
      gone: fc.nat(100),
    });
    fc.assert(
      fc.property(
        fc.array(amounts, { minLength: 1, maxLength: 4 }),
        fc.constantFrom('full', 'pro-rata'),
        fc.integer({ min: 0, max: 14 }),
        (all, howMuch, days) => {
          const taken = all.map(({ gone, more, paid }, at) =>
            payment(`p${at}`, paid, { refunded: (paid * BigInt(gone)) / 100n, uncredited: paid + more }),
          );
          const drawn = drawsOnWithdrawal(taken, YEAR.startOn, howMuch, YEAR.startOn.add({ days }));
          const sum = (key: 'gatewayPaymentId' | 'invoiceId', of: string) =>
            drawn.filter((one) => one[key] === of).reduce((total, { minor }) => total + minor, 0n);
          for (const { amount, gatewayPaymentId, invoiceId = '', refunded, uncredited = 0n } of taken) {
            expect(sum('gatewayPaymentId', gatewayPaymentId) + refunded).toBeLessThanOrEqual(amount.minor);
            expect(sum('invoiceId', invoiceId)).toBeLessThanOrEqual(uncredited);
          }
        },
      ),
    );
  });
});
