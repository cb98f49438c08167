import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  consentsOf,
  paymentsOf,
  refundPayment,
  subscriptionsOf,
  termsOf,
  withdrawSubscription,
} from '#billing';
import { setPublication } from '#publication';
import { booksHold } from '../books.ts';
import { live } from '../living.ts';
import { mailsTo } from '../mails.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { beginOrder, pay, settle, signedInBrowser, type TestBrowser } from '../shop.ts';

let paper: TestPaper;
let made = 0;

beforeEach(async () => {
  paper = await testPaper('2026-11-23T06:30:00Z');
});
afterEach(() => paper.end());

const db = () => paper.database.db;

async function german(plan: 'quarterly' | 'yearly' | 'two-yearly' = 'yearly') {
  const reader = await signedInBrowser(paper, `withdraws-${++made}@paper.example`, {
    address: `198.51.100.${made % 250}`,
  });
  await pay(paper, await beginOrder(reader, { plan, country: 'DE', state: '' }));
  await settle(paper);
  return reader;
}

const setTo = async (howMuch: 'full' | 'pro-rata') => {
  await setPublication(db(), 'withdrawal_refund', howMuch);
  await expect.poll(() => paper.publication().withdrawalRefund).toBe(howMuch);
};

async function refunds() {
  const { rows } = await sql<{ minor: bigint; number: string }>`
    select r.amount_minor as minor, c.number from billing.refunds r join billing.credit_notes c on c.id = r.credit_note_id
    order by r.amount_minor desc`.execute(db());
  return rows.map(({ minor }) => Number(minor) / 100);
}

const upgrade = async (reader: TestBrowser, plan: string) =>
  pay(paper, (await reader.post('/account/upgrade', { plan })).headers.get('location') ?? '');

async function endOf({ readerId }: { readerId: string }) {
  const [subscription] = await subscriptionsOf(db(), readerId);
  return subscription;
}

const proveBooks = () => booksHold(paper);

describe('a reader in the Union who withdraws', () => {
  it('has everything back, and a confirmation with what, when and how much', async () => {
    const reader = await german();
    await live(paper, '2026-12-03T06:00:00Z');
    expect(await (await reader.get('/account/changes')).text()).toContain('everything back: ₹2,700');
    await reader.post('/account/withdrawal');
    await settle(paper);
    expect(await refunds()).toEqual([2_700]);
    expect(await endOf(reader)).toMatchObject({ state: 'canceled', endedReason: 'withdrawal' });
    const mail = (await mailsTo(paper, reader.email)).find(({ subject }) =>
      /You have withdrawn/.test(subject),
    );
    for (const said of ['Yearly', '3 December 2026', '11:30', '₹2,700']) expect(mail?.text).toContain(said);
    await proveBooks();
  });

  it('pays for the days that they had, where they asked that it begins at once, and is told so before and after', async () => {
    await setTo('pro-rata');
    const reader = await german();
    const [agreed] = await consentsOf(db(), reader.readerId);
    expect(agreed?.words).toContain('I ask that it begins before they are over');
    await live(paper, '2026-12-03T06:00:00Z');
    // 355 of 365 days are left.
    expect(await (await reader.get('/account/withdrawal')).text()).toContain('₹2,626.02');
    await reader.post('/account/withdrawal');
    await settle(paper);
    expect(await refunds()).toEqual([2_626.02]);
    const mail = (await mailsTo(paper, reader.email)).find(({ subject }) =>
      /You have withdrawn/.test(subject),
    );
    expect(mail?.text).toContain('₹2,626.02');
    expect((await paymentsOf(db(), reader.readerId))[0]?.status).toBe('succeeded');
    await proveBooks();
  });

  it('has all of it back on the first day, and what was agreed to before a paper changed its mind', async () => {
    const before = await german();
    await setTo('pro-rata');
    const first = await german();
    await first.post('/account/withdrawal');
    await live(paper, '2026-12-03');
    await before.post('/account/withdrawal');
    await settle(paper);
    expect(await refunds()).toEqual([2_700, 2_700]);
    await proveBooks();
  });

  it('F89: from a plan that they changed to has its own fourteen days, and what it cost back, however it was paid', async () => {
    await setTo('pro-rata');
    const reader = await german('quarterly');
    await live(paper, '2027-01-22');
    expect((await reader.get('/account/withdrawal')).status).toBe(303);
    await upgrade(reader, 'yearly');
    await settle(paper);
    await live(paper, '2027-02-05');
    // ₹2,700: what was paid for it, and what was left of the quarter. Of what was used of that nothing goes back.
    expect(await (await reader.get('/account/withdrawal')).text()).toContain('₹2,700');
    await reader.post('/account/withdrawal');
    await settle(paper);
    const left = (900 * 32) / 92;
    const credit = Math.floor(left * 100) / 100;
    expect(await refunds()).toEqual([2_700 - credit, credit]);
    expect((await endOf(reader))?.state).toBe('canceled');
    const terms = await termsOf(db(), (await endOf(reader))?.id ?? '');
    expect(terms.map(({ status }) => status)).toEqual(['paid', 'refunded']);
    await proveBooks();
  });

  it('F89: and not after these, however long the reader has been here', async () => {
    const reader = await german('quarterly');
    await live(paper, '2027-01-22');
    await upgrade(reader, 'yearly');
    await settle(paper);
    await live(paper, '2027-02-06');
    const late = withdrawSubscription(paper.billing, reader.readerId, 'reader', paper.clock.now());
    await expect(late).rejects.toMatchObject({ code: 'too-late' });
  });

  it('clicks twice, and has it back once', async () => {
    const reader = await german();
    await Promise.allSettled([reader.post('/account/withdrawal'), reader.post('/account/withdrawal')]);
    await settle(paper);
    expect(await refunds()).toEqual([2_700]);
    await proveBooks();
  });

  it('F122: has what is left of what was refunded in part, and no more', async () => {
    const reader = await german();
    const part = { readerId: reader.readerId, actor: 'support', reason: 'A bad week.', minor: 50_000n };
    await refundPayment(paper.billing, part, paper.clock.now());
    await settle(paper);
    await reader.post('/account/withdrawal');
    await settle(paper);
    expect(await refunds()).toEqual([2_200, 500]);
    await proveBooks();
  });
});

it('F122: what was refunded in part and then cancelled ends with its term, below nothing nowhere and credited once', async () => {
  const reader = await german('quarterly');
  const part = { readerId: reader.readerId, actor: 'support', reason: 'A bad week.', minor: 50_000n };
  await refundPayment(paper.billing, part, paper.clock.now());
  await settle(paper);
  await reader.post('/account/cancellation');
  await live(paper, '2027-03-01');
  expect(await endOf(reader)).toMatchObject({ state: 'expired', endedReason: 'user' });
  expect(await refunds()).toEqual([500]);
  await proveBooks();
});

it('F118: days that cost nothing leave no document and no money behind, whatever plan is chosen meanwhile', async () => {
  await sql`insert into billing.offers (slug, name, plan_slug, trial_days, who, from_on, created_at)
    values ('try', 'Two weeks', 'quarterly', 14, 'anyone', '2026-11-01', now())`.execute(db());
  await expect.poll(async () => (await paper.get('/subscribe')).text()).toContain('offer=try');
  const reader = await signedInBrowser(paper, 'tries@paper.example', { address: '198.51.100.240' });
  await pay(paper, await beginOrder(reader, { plan: 'quarterly', offer: 'try' }));
  await settle(paper);
  expect((await endOf(reader))?.state).toBe('trialing');
  await reader.post('/account/plan-change', { plan: 'yearly' });
  await upgrade(reader, 'two-yearly').catch(() => undefined);
  await settle(paper);
  const { rows } = await sql<{ documents: number }>`
    select (select count(*) from billing.invoices) + (select count(*) from billing.credit_notes)
      + (select count(*) from billing.journal) as documents`.execute(db());
  expect(Number(rows[0]?.documents)).toBe(0);
  await proveBooks();
});
