import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cancelSubscription, monthFigures, refundPayment } from '#billing';
import { newestMandate, setMandateOutcome } from '../../src/sandbox/sandbox.ts';
import { seated } from '../desk.ts';
import { live } from '../living.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { beginOrder, pay, settle, signedInBrowser } from '../shop.ts';

/**
 * A winter of a small paper, as an accountant would work it out by hand. ₹900 with 18 % IGST in it is ₹762.71 without.
 */
let paper: TestPaper;
let cookie: string;

const month = (text: string) => Temporal.PlainYearMonth.from(text);

beforeAll(async () => {
  paper = await testPaper('2026-11-23T06:30:00Z');
  ({ cookie } = await seated(paper, 'circulation'));
  const subscriber = async (email: string, address: string) => {
    const reader = await signedInBrowser(paper, email, { address });
    await pay(paper, await beginOrder(reader, { plan: 'quarterly' }));
    await settle(paper);
    return reader;
  };
  const asha = await subscriber('asha@post.example', '198.51.100.1');
  const kabir = await subscriber('kabir@post.example', '198.51.100.2');
  await cancelSubscription(paper.billing, kabir.readerId, 'reader', paper.clock.now());
  const { db } = paper.database;
  const mandate = await newestMandate(db, asha.email);
  await setMandateOutcome(db, mandate?.id ?? '', 'insufficient_funds');
  await live(paper, '2027-02-23T06:00:00Z');
  await setMandateOutcome(db, mandate?.id ?? '', 'approve');
  await live(paper, '2027-03-10T06:00:00Z');
  await refundPayment(
    paper.billing,
    { readerId: asha.readerId, actor: 'staff', reason: 'a day without the paper', minor: 10_000n },
    paper.clock.now(),
  );
  await settle(paper);
  await live(paper, '2027-04-02');
});
afterAll(() => paper.end());

describe('the figures of a month', () => {
  it('are those that an accountant works out by hand', async () => {
    const months = ['2026-11', '2026-12', '2027-01', '2027-02', '2027-03'].map(month);
    const figures = await monthFigures(paper.database.db, months, 'Asia/Kolkata');
    const inShort = figures.map((one) => ({
      ...one,
      month: one.month.toString(),
      ended: Object.fromEntries(one.ended),
    }));
    const nothing = { net: 0n, tax: 0n };
    expect(inShort).toEqual([
      {
        month: '2026-11',
        currency: 'INR',
        invoiced: { net: 152_542n, tax: 27_458n },
        credited: nothing,
        // Two terms of 92 days, of which 8 are over: twice 76,271 × 8 / 92.
        earned: 13_264n,
        deferred: 139_278n,
        received: 180_000n,
        returned: 0n,
        // Twice 76,271 × 365 / (12 × 92).
        recurring: 50_432n,
        subscribers: 2,
        subscribersBefore: 0,
        begun: 2,
        ended: {},
        failed: 0,
        recovered: 0,
      },
      {
        month: '2026-12',
        currency: 'INR',
        invoiced: nothing,
        credited: nothing,
        // Twice 76,271 × 39 / 92, less what was earned before.
        earned: 51_400n,
        deferred: 87_878n,
        received: 0n,
        returned: 0n,
        recurring: 50_432n,
        subscribers: 2,
        subscribersBefore: 2,
        begun: 0,
        ended: {},
        failed: 0,
        recovered: 0,
      },
      {
        month: '2027-01',
        currency: 'INR',
        invoiced: nothing,
        credited: nothing,
        earned: 51_400n,
        deferred: 36_478n,
        received: 0n,
        returned: 0n,
        recurring: 50_432n,
        subscribers: 2,
        subscribersBefore: 2,
        begun: 0,
        ended: {},
        failed: 0,
        recovered: 0,
      },
      {
        month: '2027-02',
        currency: 'INR',
        // Her second term began unpaid on the 23rd, was declined once and paid on the 24th.
        invoiced: { net: 76_271n, tax: 13_729n },
        credited: nothing,
        // The first two to their end, and 76,271 × 6 / 89 of the third.
        earned: 152_542n + 5_141n - 116_064n,
        deferred: 71_130n,
        received: 90_000n,
        returned: 0n,
        // 76,271 × 365 / (12 × 89): one is left.
        recurring: 26_066n,
        subscribers: 1,
        subscribersBefore: 2,
        begun: 0,
        ended: { user: 1 },
        failed: 1,
        recovered: 1,
      },
      {
        month: '2027-03',
        currency: 'INR',
        invoiced: nothing,
        // ₹100, of which 13,729 × 10,000 / 90,000 is tax.
        credited: { net: 8_475n, tax: 1_525n },
        // (76,271 − 8,475) × 37 / 89, less 5,141.
        earned: 28_184n - 5_141n,
        deferred: 67_796n - 28_184n,
        received: 0n,
        returned: 10_000n,
        recurring: 26_066n,
        subscribers: 1,
        subscribersBefore: 1,
        begun: 0,
        ended: {},
        failed: 0,
        recovered: 0,
      },
    ]);
  });
});

const get = (path: string) => paper.get(path, { cookie });
const table = async (path: string): Promise<Record<string, string>[]> =>
  parse(await (await get(path)).text(), { bom: true, columns: true });

describe('the page of revenue', () => {
  it('shows a year, and gives it as a table', async () => {
    const page = await (await get('/desk/revenue?until=2027-03')).text();
    for (const said of ['₹132.64', '₹1,392.78', 'user 1', 'Recurring a month']) expect(page).toContain(said);
    const rows = await table('/desk/revenue.csv?until=2027-03');
    expect(rows.find((row) => row.month === '2027-02')).toMatchObject({
      currency: 'INR',
      earned_net: '416.19',
      deferred_net: '711.30',
      subscribers_at_end: '1',
      ended_user: '1',
      churn_percent: '50.00',
    });
    const answer = await get('/desk/revenue.csv?until=2027-03');
    expect(answer.headers.get('content-disposition')).toContain('revenue-2026-04-to-2027-03.csv');
    expect(answer.headers.get('cache-control')).toContain('no-store');
  });

  it('gives the journal, in which each document balances and no cell is a formula', async () => {
    const rows = await table('/desk/journal.csv?from=2026-04-01&until=2027-04-01');
    const byEntry = Map.groupBy(rows, (row) => row.entry ?? '');
    expect(byEntry.size).toBeGreaterThan(6);
    for (const postings of byEntry.values()) {
      const sum = postings.reduce((all, row) => all + Number(row.debit || 0) - Number(row.credit || 0), 0);
      expect(Math.abs(sum)).toBeLessThan(1e-9);
    }
    expect(rows.map((row) => row.document)).toEqual(
      expect.arrayContaining(['INV/2627/0000001', 'CRN/2627/0000001']),
    );
    expect(rows.flatMap((row) => Object.values(row)).filter((cell) => /^[=+@\t\r]/.test(cell))).toEqual([]);
    // Half open.
    expect(await table('/desk/journal.csv?from=2026-11-24&until=2026-11-25')).toEqual([]);
  });

  it.each([
    '/desk/journal.csv',
    '/desk/journal.csv?from=2027-01-01&until=2027-01-01',
    '/desk/journal.csv?from=2020-01-01&until=2027-01-01',
    '/desk/journal.csv?from=yesterday&until=today',
  ])('refuses days that make no sense: %s', async (path) => {
    expect((await get(path)).status).toBe(422);
  });
});
