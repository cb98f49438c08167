import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brokenBooks, subscriptionsOf, takenThrough, termsOf } from '#billing';
import type { Rail } from '../../src/sandbox/sandbox.ts';
import { live } from '../living.ts';
import { mailsTo } from '../mails.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { beginOrder, pay, settle, signedInBrowser } from '../shop.ts';

/** Each on a paper of its own, since the clock moves. */
let paper: TestPaper;
let made = 0;

async function subscriber(plan: 'quarterly' | 'yearly' | 'two-yearly', rail: Rail = 'card_intl') {
  const reader = await signedInBrowser(paper, `renews-${++made}@paper.example`, {
    address: `198.51.100.${made % 250}`,
  });
  await pay(paper, await beginOrder(reader, { plan }), 'approve', rail);
  await settle(paper);
  return reader;
}

async function stands(readerId: string) {
  const { db } = paper.database;
  const [subscription] = await subscriptionsOf(db, readerId);
  if (subscription === undefined) throw new Error('nothing was bought');
  const terms = await termsOf(db, subscription.id);
  return {
    state: subscription.state,
    terms: terms.map(({ endOn, startOn, status }) => `${startOn} ${endOn} ${status}`),
  };
}

async function invoicesOf(readerId: string) {
  const { rows } = await sql<{ number: string | null; status: string; issued: string | null }>`
    select number, status, issued_on::text as issued from billing.invoices where reader_id = ${readerId}
    order by created_at, id`.execute(paper.database.db);
  return rows.map(({ issued, number, status }) => [number, issued, status].join(' '));
}

async function proveBooks() {
  const { db } = paper.database;
  expect(await brokenBooks(db)).toEqual([]);
  const balance = await paper.billing.gateway.readBalance();
  expect(balance).toEqual({ kind: 'ok', value: await takenThrough(db, 'sandbox') });
}

beforeAll(async () => {
  paper = await testPaper('2026-11-23T06:30:00Z');
});
afterAll(() => paper.end());

describe('a subscription that renews', () => {
  it('is reminded, charged a day before its term ends and goes on from the anchor, with an invoice each time', async () => {
    const reader = await subscriber('quarterly');
    await live(paper, '2027-06-01');
    expect(await stands(reader.readerId)).toEqual({
      state: 'active',
      terms: ['2026-11-23 2027-02-23 paid', '2027-02-23 2027-05-23 paid', '2027-05-23 2027-08-23 paid'],
    });
    expect(await invoicesOf(reader.readerId)).toEqual([
      'INV/2627/0000001 2026-11-23 paid',
      'INV/2627/0000002 2027-02-22 paid',
      'INV/2728/0000001 2027-05-22 paid',
    ]);
    const subjects = (await mailsTo(paper, reader.email)).map((one) => one.subject);
    expect(subjects.filter((one) => /renews on/.test(one))).toHaveLength(2);
    expect(subjects.filter((one) => /receipt/i.test(one))).toHaveLength(3);
    await proveBooks();
  });
});
