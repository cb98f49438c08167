import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  askOpen,
  cancelSubscription,
  listParked,
  pauseSubscription,
  paymentsOf,
  refundPayment,
  releaseSubscription,
  settleDue,
  subscriptionsOf,
  termsOf,
  withdrawSubscription,
} from '#billing';
import { listGrants } from '#entitlements';
import { enqueue } from '#platform/queue';
import {
  changeDispute,
  changeMandate,
  chooseOutcome,
  type MandateAct,
  makeRefund,
  newestCapture,
  newestMandate,
  type OutcomeCode,
  type Rail,
  setMandateOutcome,
} from '../../src/sandbox/sandbox.ts';
import { booksHold } from '../books.ts';
import { live } from '../living.ts';
import { mailsTo } from '../mails.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { beginOrder, pay, settle, signedInBrowser, type TestBrowser } from '../shop.ts';

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

const proveBooks = () => booksHold(paper);

beforeEach(async () => {
  paper = await testPaper('2026-11-23T06:30:00Z');
});
afterEach(() => paper.end());

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
    const account = await (await reader.get('/account')).text();
    const pages = [...account.matchAll(/href="(\/account\/invoices\/[^"]+)"/g)].map(([, path]) => path ?? '');
    expect(pages).toHaveLength(3);
    const page = await (await reader.get(pages[0] ?? '')).text();
    for (const said of ['INV/2728/0000001', 'data-invoice="paid"', 'Karnataka (29)', '998431', '₹900.00'])
      expect(page).toContain(said);
    // Another reader's is as if it did not exist.
    const other = await signedInBrowser(paper, 'curious@paper.example', { address: '198.51.100.77' });
    expect((await other.get(pages[0] ?? '')).status).toBe(404);
    const subjects = (await mailsTo(paper, reader.email)).map((one) => one.subject);
    expect(subjects.filter((one) => /renews on/.test(one))).toHaveLength(2);
    expect(subjects.filter((one) => /receipt/i.test(one))).toHaveLength(3);
    await proveBooks();
  });
});

/** Has every charge of a reader's newest mandate end so, until it is said otherwise. */
async function card(email: string, outcome: OutcomeCode) {
  const { db } = paper.database;
  const mandate = await newestMandate(db, email);
  if (mandate === undefined) throw new Error(`${email} has given no mandate`);
  await setMandateOutcome(db, mandate.id, outcome);
}

async function mandateIs(email: string, act: MandateAct) {
  const { db } = paper.database;
  const mandate = await newestMandate(db, email);
  if (mandate === undefined) throw new Error(`${email} has given no mandate`);
  await changeMandate(db, mandate.id, act, paper.clock.now());
  await settle(paper);
}

const subjectsTo = async (email: string) => (await mailsTo(paper, email)).map((one) => one.subject);

async function charges(readerId: string) {
  const { rows } = await sql<{ status: string; on: string }>`
    select i.status, (i.created_at at time zone 'Asia/Kolkata')::date::text as on
    from billing.charge_intents i join billing.subscriptions s on s.id = i.subscription_id
    where s.reader_id = ${readerId} and i.mandate_id is not null order by i.created_at, i.attempt`.execute(
    paper.database.db,
  );
  return rows.map(({ on, status }) => `${on} ${status}`);
}

const accessOf = async (readerId: string) =>
  (await listGrants(paper.database.db, readerId)).some(
    ({ from, revokedAt, until }) =>
      revokedAt === undefined &&
      Temporal.Instant.compare(from, paper.clock.now()) <= 0 &&
      Temporal.Instant.compare(paper.clock.now(), until) < 0,
  );

describe('what a term costs, and its invoice', () => {
  it('F121: is what was agreed, whatever the catalogue says since', async () => {
    const { db } = paper.database;
    const reader = await subscriber('quarterly');
    await sql`insert into billing.prices (plan_slug, currency, amount_minor, valid_from_on)
      values ('quarterly', 'INR', 120000, '2026-12-01')`.execute(db);
    await live(paper, '2027-02-24');
    const [subscription] = await subscriptionsOf(db, reader.readerId);
    const terms = await termsOf(db, subscription?.id ?? '');
    expect(terms.map(({ price }) => price.minor)).toEqual([90_000n, 90_000n]);
    await proveBooks();
  });

  it('F116: takes no number where it could not be written: the next one has it', async () => {
    const { db } = paper.database;
    const reader = await signedInBrowser(paper, 'unlucky@paper.example', { address: '198.51.100.201' });
    await pay(paper, await beginOrder(reader));
    await sql`alter table billing.journal add constraint no_entry check (false) not valid`.execute(db);
    await settle(paper);
    expect(await invoicesOf(reader.readerId)).toEqual([]);
    await sql`alter table billing.journal drop constraint no_entry`.execute(db);
    await subscriber('yearly');
    await askOpen(paper.billing);
    await settle(paper);
    const { rows } = await sql<{ number: string }>`
      select number from billing.invoices order by number`.execute(db);
    expect(rows.map(({ number }) => number)).toEqual(['INV/2627/0000001', 'INV/2627/0000002']);
    await proveBooks();
  });
});

describe('a renewal that is declined', () => {
  it('F65: is tried again, and paid in grace leaves the days of the term as they were', async () => {
    const reader = await subscriber('quarterly');
    await card(reader.email, 'insufficient_funds');
    await live(paper, '2027-02-25T00:00:00Z');
    expect((await stands(reader.readerId)).state).toBe('past_due');
    expect(await accessOf(reader.readerId)).toBe(true);
    await card(reader.email, 'approve');
    await live(paper, '2027-03-01');
    expect(await stands(reader.readerId)).toEqual({
      state: 'active',
      terms: ['2026-11-23 2027-02-23 paid', '2027-02-23 2027-05-23 paid'],
    });
    expect(await charges(reader.readerId)).toEqual([
      '2027-02-22 failed',
      '2027-02-24 failed',
      '2027-02-26 succeeded',
    ]);
    // Read on credit from the day that the term began, so the invoice is of that day.
    expect(await invoicesOf(reader.readerId)).toEqual([
      'INV/2627/0000001 2026-11-23 paid',
      'INV/2627/0000002 2027-02-23 paid',
    ]);
    await proveBooks();
  });

  it('F66: to the end shuts its reader out after the grace, is given up once, and its invoice is credited', async () => {
    const reader = await subscriber('quarterly');
    await card(reader.email, 'decline');
    await live(paper, '2027-03-02T00:00:00Z');
    expect((await stands(reader.readerId)).state).toBe('suspended');
    expect(await accessOf(reader.readerId)).toBe(false);
    await live(paper, '2027-06-01');
    expect(await stands(reader.readerId)).toEqual({
      state: 'expired',
      terms: ['2026-11-23 2027-02-23 paid'],
    });
    expect(await charges(reader.readerId)).toEqual(
      ['2027-02-22', '2027-02-24', '2027-02-26', '2027-03-02', '2027-03-09'].map((on) => `${on} failed`),
    );
    expect(await invoicesOf(reader.readerId)).toEqual([
      'INV/2627/0000001 2026-11-23 paid',
      'INV/2627/0000002 2027-02-23 void',
      expect.stringMatching(/void$/),
    ]);
    const subjects = await subjectsTo(reader.email);
    expect(subjects.filter((one) => /was not paid/.test(one))).toHaveLength(2);
    expect(subjects.filter((one) => /rests/.test(one))).toHaveLength(1);
    expect(subjects.filter((one) => /has ended/.test(one))).toHaveLength(1);
    await proveBooks();
  });

  it('F64: for good is not tried again, and its reader is asked for another card', async () => {
    const reader = await subscriber('quarterly');
    await card(reader.email, 'expired_card');
    await live(paper, '2027-04-01');
    expect(await charges(reader.readerId)).toEqual(['2027-02-22 failed']);
    expect((await stands(reader.readerId)).state).toBe('expired');
    await proveBooks();
  });

  it('F67: because the bank wants its reader there waits for them, and is not tried again by itself', async () => {
    const reader = await subscriber('quarterly');
    await card(reader.email, 'authentication_required');
    await live(paper, '2027-02-25');
    expect(await charges(reader.readerId)).toEqual(['2027-02-22 failed']);
    expect((await stands(reader.readerId)).state).toBe('past_due');
    expect(await subjectsTo(reader.email)).toContainEqual(expect.stringMatching(/was not paid/));
    await proveBooks();
  });

  it('and paid after the grace begins a term anew on that day', async () => {
    const reader = await subscriber('quarterly');
    await card(reader.email, 'decline');
    await live(paper, '2027-03-05');
    await card(reader.email, 'approve');
    await live(paper, '2027-03-12');
    expect(await stands(reader.readerId)).toEqual({
      state: 'active',
      terms: ['2026-11-23 2027-02-23 paid', '2027-03-09 2027-06-09 paid'],
    });
    expect(await accessOf(reader.readerId)).toBe(true);
    await proveBooks();
  });
});

describe('India’s rails', () => {
  it.each(['card_in', 'upi'] as const)(
    '%s: are asked three days ahead, a day after the notice, and never fall into grace',
    async (rail) => {
      const reader = await subscriber('quarterly', rail);
      await live(paper, '2027-02-22T18:29:00Z');
      expect(await stands(reader.readerId)).toEqual({
        state: 'active',
        terms: ['2026-11-23 2027-02-23 paid', '2027-02-23 2027-05-23 paid'],
      });
      expect(await charges(reader.readerId)).toEqual(['2027-02-20 succeeded']);
      const { rows } = await sql<{ kind: string; minor: bigint }>`
      select n.kind, n.amount_minor as minor from billing.notices n order by n.sent_at, n.kind`.execute(
        paper.database.db,
      );
      expect(rows).toEqual([
        { kind: 'renewal', minor: 90_000n },
        { kind: 'debit', minor: 90_000n },
      ]);
      await proveBooks();
    },
  );

  it('F68: while a debit is on its way nothing is tried again and nobody is told that it failed', async () => {
    const reader = await subscriber('quarterly', 'upi');
    await live(paper, '2027-02-20T12:00:00Z');
    expect(await charges(reader.readerId)).toEqual(['2027-02-20 pending']);
    expect(await subjectsTo(reader.email)).not.toContainEqual(expect.stringMatching(/was not paid/));
  });

  it('F82: a reader who cancels while a debit is on its way has it back, and reads to the end of what was paid', async () => {
    const reader = await subscriber('quarterly', 'upi');
    await live(paper, '2027-02-20T20:00:00Z');
    expect(await charges(reader.readerId)).toEqual(['2027-02-20 pending']);
    await cancelSubscription(paper.billing, reader.readerId, 'reader', paper.clock.now());
    await live(paper, '2027-03-01');
    expect(await stands(reader.readerId)).toEqual({
      state: 'expired',
      terms: ['2026-11-23 2027-02-23 paid'],
    });
    expect((await paymentsOf(paper.database.db, reader.readerId)).map((one) => one.status)).toEqual([
      'refunded',
      'succeeded',
    ]);
    await proveBooks();
  });

  it('F69: a mandate that is revoked after the notice is not charged, and its reader reads to the end of what is paid', async () => {
    const reader = await subscriber('quarterly', 'upi');
    await live(paper, '2027-02-18');
    await mandateIs(reader.email, 'revoke');
    await live(paper, '2027-02-23T00:00:00Z');
    expect(await charges(reader.readerId)).toEqual([]);
    expect((await stands(reader.readerId)).state).toBe('past_due');
    expect(await accessOf(reader.readerId)).toBe(true);
    expect(await subjectsTo(reader.email)).toContainEqual(expect.stringMatching(/was not paid/));
    await proveBooks();
  });

  it('F70: a mandate that is paused in its reader’s app is charged once they let it go on', async () => {
    const reader = await subscriber('quarterly', 'upi');
    await mandateIs(reader.email, 'pause');
    await live(paper, '2027-02-25');
    expect(await charges(reader.readerId)).toEqual([]);
    await mandateIs(reader.email, 'resume');
    await live(paper, '2027-03-01');
    expect((await stands(reader.readerId)).terms).toHaveLength(2);
    await proveBooks();
  });
});

describe('an answer that does not come', () => {
  it.each(['lost', 'hang', 'error_502_html'] as const)(
    'F04 F05: %s leaves it open whether it was charged; it is asked, and charged once',
    async (outcome) => {
      const reader = await subscriber('quarterly');
      await card(reader.email, outcome);
      await live(paper, '2027-02-23T12:00:00Z');
      expect((await stands(reader.readerId)).terms).toHaveLength(2);
      expect(await charges(reader.readerId)).toEqual(['2027-02-22 succeeded']);
      await proveBooks();
    },
  );

  it.each(['error_500', 'conflict_409'] as const)(
    '%s took nothing: the same attempt is sent again, and nothing is asked twice',
    async (outcome) => {
      const reader = await subscriber('quarterly');
      await chooseOutcome(paper.database.db, outcome);
      await live(paper, '2027-02-23T12:00:00Z');
      expect((await stands(reader.readerId)).terms).toHaveLength(2);
      expect(await charges(reader.readerId)).toEqual(['2027-02-22 succeeded']);
      await proveBooks();
    },
  );

  it('a charge that is so long on its way that its payer cannot be told in time is sent again, for a later day', async () => {
    const reader = await subscriber('quarterly', 'upi');
    await live(paper, '2027-02-19');
    const looked = Temporal.Instant.from('2027-02-19T18:30:00Z');
    paper.clock.set(looked.add({ hours: 2 }).toString());
    await settleDue(paper.billing, looked);
    expect(await charges(reader.readerId)).toEqual(['2027-02-20 submitted']);
    await live(paper, '2027-02-23T00:00:00Z');
    expect(await charges(reader.readerId)).toEqual(['2027-02-20 succeeded']);
    expect((await stands(reader.readerId)).terms).toHaveLength(2);
    expect((await newestMandate(paper.database.db, reader.email))?.status).toBe('active');
    expect(await subjectsTo(reader.email)).not.toContainEqual(expect.stringMatching(/was not paid/));
    await proveBooks();
  });

  it('what nobody said anything of for days waits for a person, and no longer once it is said', async () => {
    const reader = await subscriber('quarterly');
    const { db } = paper.database;
    await card(reader.email, 'error_500');
    await live(paper, '2027-03-01');
    expect(await charges(reader.readerId)).toEqual(['2027-02-22 submitted']);
    const reasons = async () => (await listParked(db, 10)).map(({ kind, reason }) => `${kind}: ${reason}`);
    expect(await reasons()).toEqual(['attempt: the gateway never said what became of it']);
    await card(reader.email, 'approve');
    // By a job that was tried again all the while.
    const [attempt] = await listParked(db, 1);
    await enqueue(db, 'settle-checkout', { intentId: attempt?.id });
    await settle(paper);
    expect(await charges(reader.readerId)).toEqual(['2027-02-22 succeeded']);
    expect(await reasons()).toEqual([]);
    await proveBooks();
  });

  it('a bank that says no, and yes two days later, has bought the term, and what was paid besides goes back', async () => {
    const reader = await subscriber('quarterly');
    await chooseOutcome(paper.database.db, 'late');
    await live(paper, '2027-03-05');
    expect((await stands(reader.readerId)).terms).toEqual([
      '2026-11-23 2027-02-23 paid',
      '2027-02-23 2027-05-23 paid',
    ]);
    await proveBooks();
  });
});

it('a mandate that nothing is charged to any more is given back at the gateway', async () => {
  const reader = await subscriber('quarterly');
  await cancelSubscription(paper.billing, reader.readerId, 'reader', paper.clock.now());
  await live(paper, '2027-02-22');
  expect((await newestMandate(paper.database.db, reader.email))?.status).toBe('active');
  await live(paper, '2027-02-24');
  expect((await newestMandate(paper.database.db, reader.email))?.status).toBe('revoked');
});

describe('many workers, and none', () => {
  it('F03 F15: any number of workers charge a renewal once', async () => {
    const readers = [];
    for (let n = 0; n < 12; n++) readers.push(await subscriber('quarterly'));
    const other = await paper.another();
    paper.clock.set('2027-02-22T06:00:00Z');
    await Promise.all(
      Array.from({ length: 6 }, (_, n) =>
        settleDue((n % 2 === 0 ? paper : other).billing, paper.clock.now()),
      ),
    );
    await settle(paper);
    for (const { readerId } of readers) {
      expect((await stands(readerId)).terms).toHaveLength(2);
      expect(await charges(readerId)).toEqual(['2027-02-22 succeeded']);
    }
    await proveBooks();
  });

  it('F18: workers that were away for twenty days charge one term, and it begins on the day that they are back', async () => {
    const reader = await subscriber('quarterly');
    paper.clock.set('2027-03-15T06:00:00Z');
    await settleDue(paper.billing, paper.clock.now());
    await live(paper, '2027-03-16');
    expect(await stands(reader.readerId)).toEqual({
      state: 'active',
      terms: ['2026-11-23 2027-02-23 paid', '2027-03-15 2027-06-15 paid'],
    });
    expect(await charges(reader.readerId)).toEqual(['2027-03-15 succeeded']);
    await proveBooks();
  });

  it('F18: workers that were away for two days charge the term that has begun, on its own days', async () => {
    const reader = await subscriber('quarterly');
    paper.clock.set('2027-02-25T06:00:00Z');
    await settleDue(paper.billing, paper.clock.now());
    await live(paper, '2027-02-26');
    expect((await stands(reader.readerId)).terms).toEqual([
      '2026-11-23 2027-02-23 paid',
      '2027-02-23 2027-05-23 paid',
    ]);
    await proveBooks();
  });

  it('F17: what was paid within a day is not charged again: it is parked, and staff are told', async () => {
    const reader = await subscriber('quarterly');
    await sql`update billing.subscriptions set paid_through_on = '2026-11-24', due_at = now() - interval '1 year'
      where reader_id = ${reader.readerId}`.execute(paper.database.db);
    await settleDue(paper.billing, paper.clock.now());
    expect(await charges(reader.readerId)).toEqual([]);
    const [subscription] = await subscriptionsOf(paper.database.db, reader.readerId);
    expect(subscription?.parkedReason).toMatch(/paid within the last day/);
    paper.clock.set('2026-11-24T12:00:00Z');
    const said = { actor: 'support', reason: 'a wrong date was put right' };
    await releaseSubscription(paper.billing, reader.readerId, said, paper.clock.now());
    await settleDue(paper.billing, paper.clock.now());
    expect(await charges(reader.readerId)).toEqual(['2026-11-24 succeeded']);
  });
});

it('what cannot be written of one subscription keeps none of the others waiting, and is tried again', async () => {
  const { db } = paper.database;
  const [stuck, other] = [await subscriber('quarterly'), await subscriber('quarterly')];
  const [first] = await subscriptionsOf(db, stuck.readerId);
  await sql`alter table billing.notices add constraint no_notice check (subscription_id <> ${sql.lit(first?.id)})`.execute(
    db,
  );
  const isReminded = async (email: string) => (await subjectsTo(email)).some((one) => /renews on/.test(one));
  await live(paper, '2027-02-16T00:30:00Z');
  expect([await isReminded(other.email), await isReminded(stuck.email)]).toEqual([true, false]);
  await sql`alter table billing.notices drop constraint no_notice`.execute(db);
  await live(paper, '2027-02-24');
  expect(await isReminded(stuck.email)).toBe(true);
  expect((await stands(stuck.readerId)).terms).toHaveLength(2);
  await proveBooks();
});

describe('money that goes back', () => {
  it('F93 F94 F100: in part leaves the term, with a credit note over the part; in full ends it', async () => {
    const reader = await subscriber('yearly');
    const given = { readerId: reader.readerId, reason: 'The e-paper failed for a week.', actor: 'support' };
    await refundPayment(paper.billing, { ...given, minor: 50_000n }, paper.clock.now());
    await settle(paper);
    expect((await stands(reader.readerId)).state).toBe('active');
    await proveBooks();
    await expect(
      refundPayment(paper.billing, { ...given, minor: 230_000n }, paper.clock.now()),
    ).rejects.toMatchObject({ code: 'more-than-is-left' });
    await refundPayment(paper.billing, given, paper.clock.now());
    await settle(paper);
    expect(await stands(reader.readerId)).toMatchObject({
      state: 'canceled',
      terms: [/refunded$/].map((one) => expect.stringMatching(one)),
    });
    expect(await accessOf(reader.readerId)).toBe(false);
    const { rows } = await sql<{ number: string; total: bigint; tax: bigint }>`
      select number, total_minor as total, tax_minor as tax from billing.credit_notes order by number`.execute(
      paper.database.db,
    );
    expect(rows.map(({ number, total }) => `${number} ${total}`)).toEqual([
      'CRN/2627/0000001 50000',
      'CRN/2627/0000002 220000',
    ]);
    expect(rows.reduce((sum, { tax }) => sum + tax, 0n)).toBe(41_186n);
    await proveBooks();
  });

  it('F104: made at the gateway itself is found, credited and booked', async () => {
    const reader = await subscriber('yearly');
    const { db } = paper.database;
    const paymentId = (await newestCapture(db, reader.email, 'any')) ?? '';
    await makeRefund(db, { named: undefined, paymentId, minor: 270_000n }, paper.clock.now());
    await settle(paper);
    expect((await stands(reader.readerId)).state).toBe('canceled');
    await proveBooks();
  });

  it('F101: asked back by a bank stops renewals; won, all goes on; lost, it ends and is written off', async () => {
    const { db } = paper.database;
    for (const [end, state] of [
      ['won', 'active'],
      ['lost', 'canceled'],
    ] as const) {
      const reader = await subscriber('yearly');
      const paymentId = (await newestCapture(db, reader.email, 'undisputed')) ?? '';
      await changeDispute(db, paymentId, 'open', paper.clock.now());
      await settle(paper);
      await proveBooks();
      const [held] = await subscriptionsOf(db, reader.readerId);
      expect(held).toMatchObject({ isDisputed: true, state: 'active' });
      await expect(
        refundPayment(
          paper.billing,
          { readerId: reader.readerId, reason: 'x', actor: 'support' },
          paper.clock.now(),
        ),
      ).rejects.toMatchObject({ code: 'payment-disputed' });
      await changeDispute(db, paymentId, end, paper.clock.now());
      await settle(paper);
      expect((await stands(reader.readerId)).state).toBe(state);
      await proveBooks();
    }
  });
});

describe('the page where a reader pays', () => {
  const payment = async (reader: TestBrowser) => (await reader.get('/account/payment')).text();
  const toGateway = async (reader: TestBrowser) => {
    const answer = await reader.post('/account/payment');
    return answer.headers.get('location') ?? '';
  };

  it('takes what is open in one click, with another card, which is charged from then on', async () => {
    const reader = await subscriber('quarterly');
    await card(reader.email, 'expired_card');
    await live(paper, '2027-02-26');
    expect(await payment(reader)).toContain('data-payment="due"');
    const url = await toGateway(reader);
    // However often it is clicked, it is the same page of the gateway's.
    expect(await toGateway(reader)).toBe(url);
    await pay(paper, url, 'approve', 'upi');
    expect(await payment(reader)).toContain('data-payment="kept"');
    await live(paper, '2027-05-24');
    expect(await stands(reader.readerId)).toEqual({
      state: 'active',
      terms: ['2026-11-23 2027-02-23 paid', '2027-02-23 2027-05-23 paid', '2027-05-23 2027-08-23 paid'],
    });
    await proveBooks();
  });

  it('keeps another card while nothing is open, and takes nothing for that', async () => {
    const reader = await subscriber('quarterly');
    await mandateIs(reader.email, 'revoke');
    expect(await payment(reader)).toContain('data-payment="wanted"');
    await pay(paper, await toGateway(reader), 'approve', 'card_in');
    expect(await payment(reader)).toContain('data-payment="kept"');
    expect(await paymentsOf(paper.database.db, reader.readerId)).toHaveLength(1);
    await live(paper, '2027-02-24');
    expect((await stands(reader.readerId)).terms).toHaveLength(2);
    await proveBooks();
  });

  it('F01: that is still open when the renewal is charged is closed first, and one of the two is taken', async () => {
    const reader = await subscriber('quarterly');
    await live(paper, '2027-02-21');
    const url = await toGateway(reader);
    await live(paper, '2027-02-22T12:00:00Z');
    expect((await stands(reader.readerId)).terms).toHaveLength(2);
    expect((await pay(paper, url)).kind).toBe('not-payable');
    await proveBooks();
  });

  it('asks nobody to pay what is being charged at that moment', async () => {
    const reader = await subscriber('quarterly', 'upi');
    await live(paper, '2027-02-20T12:00:00Z');
    expect(await toGateway(reader)).toBe('/account/payment');
    expect(await payment(reader)).toContain('data-payment="confirming"');
  });
});

describe('what a reader changes', () => {
  const at = () => paper.clock.now();

  it('F92: a pause keeps every day that is left, to the last, and everything after it is counted from there', async () => {
    const reader = await subscriber('quarterly');
    await live(paper, '2027-01-24');
    expect((await reader.post('/account/pause', { days: '30' })).status).toBe(303);
    expect((await stands(reader.readerId)).state).toBe('paused');
    expect(await accessOf(reader.readerId)).toBe(false);
    await expect(pauseSubscription(paper.billing, reader.readerId, 30, 'reader', at())).rejects.toMatchObject(
      { code: 'not-active' },
    );
    await live(paper, '2027-02-24');
    expect((await stands(reader.readerId)).state).toBe('active');
    expect(await accessOf(reader.readerId)).toBe(true);
    // Thirty days were left on 24 January; they end on 25 March, and the next term begins there.
    await live(paper, '2027-03-26');
    expect((await stands(reader.readerId)).terms).toEqual([
      '2026-11-23 2027-02-23 paid',
      '2027-03-25 2027-06-25 paid',
    ]);
    expect(await charges(reader.readerId)).toEqual(['2027-03-24 succeeded']);
    await proveBooks();
  });

  it('a pause is ended when its reader wants to read, and is refused for too few days, too many, or a third time', async () => {
    const reader = await subscriber('yearly');
    for (const days of [6, 91, 1.5, Number.NaN])
      await expect(
        pauseSubscription(paper.billing, reader.readerId, days, 'reader', at()),
      ).rejects.toMatchObject({ code: 'too-short-or-long' });
    for (const on of ['2026-12-10', '2027-01-10']) {
      await live(paper, on);
      await pauseSubscription(paper.billing, reader.readerId, 60, 'reader', at());
      await live(paper, Temporal.PlainDate.from(on).add({ days: 10 }).toString());
      await reader.post('/account/pause/ending');
      expect((await stands(reader.readerId)).state).toBe('active');
    }
    await expect(pauseSubscription(paper.billing, reader.readerId, 30, 'reader', at())).rejects.toMatchObject(
      { code: 'too-often' },
    );
    const [subscription] = await subscriptionsOf(paper.database.db, reader.readerId);
    // Twice ten days later than without.
    expect(String(subscription?.paidThroughOn)).toBe('2027-12-13');
    await proveBooks();
  });

  it('another plan begins with the next term, at the price of the day that it was chosen, and is charged to what allows it', async () => {
    const reader = await subscriber('yearly');
    expect((await reader.post('/account/plan-change', { plan: 'quarterly' })).status).toBe(303);
    await live(paper, '2027-11-24');
    expect(await stands(reader.readerId)).toEqual({
      state: 'active',
      terms: ['2026-11-23 2027-11-23 paid', '2027-11-23 2028-02-23 paid'],
    });
    const [subscription] = await subscriptionsOf(paper.database.db, reader.readerId);
    expect(subscription).toMatchObject({ planSlug: 'quarterly', price: { minor: 90_000n } });
    await proveBooks();
  });

  it('F71 F76: a dearer plan than the mandate allows is not charged: its reader is asked for another before', async () => {
    const reader = await subscriber('quarterly');
    await reader.post('/account/plan-change', { plan: 'two-yearly' });
    await live(paper, '2027-02-24');
    expect(await charges(reader.readerId)).toEqual([]);
    expect(await subjectsTo(reader.email)).toContainEqual(expect.stringMatching(/unless you renew it/));
    const url = (await reader.post('/account/payment')).headers.get('location') ?? '';
    await pay(paper, url);
    await settle(paper);
    expect((await stands(reader.readerId)).terms.at(-1)).toBe('2027-02-23 2029-02-23 paid');
    await proveBooks();
  });

  it('F88: a change that waits is dropped with the cancellation, and taken back by choosing the plan that there is', async () => {
    const reader = await subscriber('yearly');
    await reader.post('/account/plan-change', { plan: 'quarterly' });
    await reader.post('/account/plan-change', { plan: 'yearly' });
    const pending = async () => (await subscriptionsOf(paper.database.db, reader.readerId))[0]?.pendingChange;
    expect(await pending()).toBeUndefined();
    await reader.post('/account/plan-change', { plan: 'quarterly' });
    expect(await pending()).toMatchObject({ planSlug: 'quarterly' });
    await cancelSubscription(paper.billing, reader.readerId, 'reader', at());
    expect(await pending()).toBeUndefined();
  });

  it('a reader in the Union withdraws for fourteen days in two steps, and has everything back', async () => {
    const reader = await signedInBrowser(paper, 'withdraws@paper.example', { address: '198.51.100.9' });
    await pay(paper, await beginOrder(reader, { country: 'DE', state: '' }));
    await settle(paper);
    expect(await (await reader.get('/account/changes')).text()).toContain('Withdraw from contract here');
    expect(await (await reader.get('/account/withdrawal')).text()).toContain('Confirm withdrawal');
    await live(paper, '2026-12-07T12:00:00Z');
    await reader.post('/account/withdrawal');
    await settle(paper);
    const [subscription] = await subscriptionsOf(paper.database.db, reader.readerId);
    expect(subscription).toMatchObject({ state: 'canceled', endedReason: 'withdrawal' });
    expect((await paymentsOf(paper.database.db, reader.readerId))[0]?.status).toBe('refunded');
    expect(await accessOf(reader.readerId)).toBe(false);
    expect(await subjectsTo(reader.email)).toContainEqual(expect.stringMatching(/You have withdrawn/));
    await proveBooks();
  });

  it('nobody withdraws after fourteen days, or where the law gives no such right', async () => {
    const reader = await subscriber('yearly');
    const withdraw = () => withdrawSubscription(paper.billing, reader.readerId, 'reader', at());
    await expect(withdraw()).rejects.toMatchObject({ code: 'too-late' });
    await sql`update billing.subscriptions set country = 'DE', country_state = null`.execute(
      paper.database.db,
    );
    await live(paper, '2026-12-08');
    await expect(withdraw()).rejects.toMatchObject({ code: 'too-late' });
  });
});

describe('another plan from today on', () => {
  const upgrade = async (reader: TestBrowser, plan: string) =>
    (await reader.post('/account/upgrade', { plan })).headers.get('location') ?? '';

  it('F87 F86: costs its price less what is left of the whole term; until it is paid all is as it was', async () => {
    paper.clock.set('2027-01-15T06:00:00Z');
    const reader = await subscriber('quarterly');
    await live(paper, '2027-02-14');
    expect(await (await reader.get('/account/changes')).text()).toContain('From today for ₹2,100');
    const url = await upgrade(reader, 'yearly');
    expect(await upgrade(reader, 'yearly')).toBe(url);
    await pay(paper, url, 'decline');
    await settle(paper);
    expect((await stands(reader.readerId)).terms).toEqual(['2027-01-15 2027-04-15 paid']);
    await pay(paper, url);
    await settle(paper);
    expect((await stands(reader.readerId)).terms).toEqual([
      '2027-01-15 2027-02-14 paid',
      '2027-02-14 2028-02-14 paid',
    ]);
    const { rows } = await sql<{ total: bigint }>`
      select total_minor as total from billing.credit_notes`.execute(paper.database.db);
    expect(rows).toEqual([{ total: 60_000n }]);
    await proveBooks();
    await live(paper, '2028-02-15');
    expect((await stands(reader.readerId)).terms.at(-1)).toBe('2028-02-14 2029-02-14 paid');
    await proveBooks();
  });

  it('on the day that the first term began takes its place, and both can be refunded for what was paid', async () => {
    const reader = await subscriber('quarterly');
    await pay(paper, await upgrade(reader, 'yearly'));
    await settle(paper);
    expect((await stands(reader.readerId)).terms).toEqual([
      '2026-11-23 2027-02-23 void',
      '2026-11-23 2027-11-23 paid',
    ]);
    await proveBooks();
    const given = { readerId: reader.readerId, reason: 'A mistake.', actor: 'support' };
    await refundPayment(paper.billing, given, paper.clock.now());
    await settle(paper);
    expect((await stands(reader.readerId)).state).toBe('canceled');
    // What the first payment bought was credited already, and went into the second term.
    await expect(refundPayment(paper.billing, given, paper.clock.now())).rejects.toMatchObject({
      code: 'no-payment',
    });
    await proveBooks();
  });

  it('I32: a cheaper one cannot be had at once, so that nobody gains by changing to and fro', async () => {
    const reader = await subscriber('yearly');
    expect(await upgrade(reader, 'quarterly')).toBe('/account/changes');
  });
});
