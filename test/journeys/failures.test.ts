import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  askOpen,
  askUnanswered,
  beginPayment,
  besideEachOther,
  cancelSubscription,
  type Gateway,
  gatewayFigures,
  newestIntent,
  paymentsOf,
  quoteChange,
  reconcile,
  refundPayment,
  releaseSubscription,
  settleDue,
  settleIntent,
  subscriptionsOf,
  takeEvent,
  termsOf,
} from '#billing';
import { setPublication } from '#publication';
import {
  changeDispute,
  changeMandate,
  makeRefund,
  newestCapture,
  newestMandate,
  setMandateOutcome,
  setWebhooks,
} from '../../src/sandbox/sandbox.ts';
import { booksHold } from '../books.ts';
import { live } from '../living.ts';
import { mailsTo } from '../mails.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { beginOrder, deliver, pay, settle, signedInBrowser } from '../shop.ts';

/**
 * Failures that happened to somebody else (billing, 3), where nothing else that is tested bears their number. Each on a
 * paper of its own, since the clock moves.
 */
let paper: TestPaper;
let made = 0;

beforeEach(async () => {
  paper = await testPaper('2026-11-23T06:30:00Z');
});
afterEach(() => paper.end());

async function reader() {
  return signedInBrowser(paper, `unlucky-${++made}@paper.example`, {
    address: `198.51.100.${made % 250}`,
  });
}

async function subscriber(plan = 'quarterly') {
  const one = await reader();
  await pay(paper, await beginOrder(one, { plan }));
  await settle(paper);
  return one;
}

async function current(readerId: string) {
  const [subscription] = await subscriptionsOf(paper.database.db, readerId);
  if (subscription === undefined) throw new Error('nothing was bought');
  return subscription;
}

async function terms(readerId: string): Promise<string[]> {
  const { id } = await current(readerId);
  return (await termsOf(paper.database.db, id)).map(
    ({ endOn, startOn, status }) => `${startOn} ${endOn} ${status}`,
  );
}

async function intentOf(readerId: string) {
  const intent = await newestIntent(paper.database.db, (await current(readerId)).id);
  if (intent === undefined) throw new Error('nothing was tried');
  return intent;
}

async function count(what: string): Promise<number> {
  const { rows } = await sql<{ n: number }>`select count(*)::int as n from ${sql.table(what)}`.execute(
    paper.database.db,
  );
  return rows[0]?.n ?? 0;
}

const sandbox = () => paper.billing.gateways.named('sandbox');

/** The paper, with a gateway that does something else in one call. */
const withGateway = (given: Partial<Gateway>) => ({
  ...paper.billing,
  gateways: besideEachOther([{ ...sandbox(), ...given }]),
});

const proveBooks = () => booksHold(paper);

describe('several who do the same thing at the same moment', () => {
  it('F16: a browser that comes back, webhooks and a poll make one subscription, and the browser sees that it is paid', async () => {
    const asha = await reader();
    await pay(paper, await beginOrder(asha));
    const path = `/subscriptions/${(await current(asha.readerId)).id}`;
    const pages = await Promise.all([
      asha.get(path),
      settle(paper),
      asha.get(path),
      askOpen(paper.billing),
      settleIntent(paper.billing, (await intentOf(asha.readerId)).id, paper.clock.now()),
    ]);
    expect(pages.slice(0, 1).every((page) => page !== undefined)).toBe(true);
    await settle(paper);
    for (let looks = 0; looks < 2; looks++)
      expect(await (await asha.get(path)).text()).toContain('data-subscription="active"');
    expect(await terms(asha.readerId)).toHaveLength(1);
    expect(await count('billing.journal')).toBe(2);
    await proveBooks();
  });

  it('F19 F32: two processes that make one invoice final give it one number, and both go on to the receipt', async () => {
    const asha = await reader();
    await pay(paper, await beginOrder(asha));
    const other = await paper.another();
    const { id } = await intentOf(asha.readerId);
    const now = paper.clock.now();
    await Promise.all([paper, other, paper, other].map(({ billing }) => settleIntent(billing, id, now)));
    const { rows } = await sql<{ number: string; tax: bigint }>`
      select number, tax_minor as tax from billing.invoices`.execute(paper.database.db);
    expect(rows).toEqual([{ number: 'INV/2627/0000001', tax: 41_186n }]);
    const mails = await mailsTo(paper, asha.email);
    expect(mails.filter(({ subject }) => /receipt/i.test(subject))).toHaveLength(1);
    await proveBooks();
  });

  it('F21: a subscription that somebody else holds is not waited for, and not lost', async () => {
    const asha = await subscriber();
    const { id } = await current(asha.readerId);
    paper.clock.set('2027-02-22T06:30:00Z');
    await paper.database.db.transaction().execute(async (tx) => {
      await sql`select id from billing.subscriptions where id = ${id} for update`.execute(tx);
      await settleDue(paper.billing, paper.clock.now());
      expect(await terms(asha.readerId)).toHaveLength(1);
    });
    await settleDue(paper.billing, paper.clock.now());
    await settle(paper);
    expect(await terms(asha.readerId)).toHaveLength(2);
    await proveBooks();
  });

  it('F23: nothing is held while the gateway is asked for money', async () => {
    const asha = await subscriber();
    const { id } = await current(asha.readerId);
    paper.clock.set('2027-02-22T06:30:00Z');
    let wasFree = false;
    const watched = withGateway({
      charge: async (order) => {
        // Were it held, this would fail at once and not wait.
        await sql`select id from billing.subscriptions where id = ${id} for update nowait`.execute(
          paper.database.db,
        );
        wasFree = true;
        return sandbox().charge(order);
      },
    });
    await settleDue(watched, paper.clock.now());
    expect(wasFree).toBe(true);
    await settle(paper);
    await proveBooks();
  });

  it('F25: an answer that was read before another, and applied after it, takes nothing back', async () => {
    const asha = await reader();
    await pay(paper, await beginOrder(asha), 'later');
    const { id } = await intentOf(asha.readerId);
    let told = () => {};
    const later = new Promise<void>((resolve) => {
      told = resolve;
    });
    // It was read while the bank had not decided; then that process slept.
    const slow = withGateway({
      readCheckout: async (checkoutId) => {
        const read = await sandbox().readCheckout(checkoutId);
        await later;
        return read;
      },
    });
    const stale = settleIntent(slow, id, paper.clock.now());
    await live(paper, '2026-11-23T07:00:00Z');
    expect((await current(asha.readerId)).state).toBe('active');
    told();
    await stale;
    expect((await current(asha.readerId)).state).toBe('active');
    expect((await intentOf(asha.readerId)).status).toBe('succeeded');
    await proveBooks();
  });
});

describe('work that follows', () => {
  it('F22: from what was not written down is never begun', async () => {
    const asha = await reader();
    await pay(paper, await beginOrder(asha));
    const before = await count('jobs._private_jobs');
    await sql`alter table billing.gateway_events add constraint none check (false) not valid`.execute(
      paper.database.db,
    );
    await deliver(paper);
    expect(await count('jobs._private_jobs')).toBe(before);
    await sql`alter table billing.gateway_events drop constraint none`.execute(paper.database.db);
    await live(paper, '2026-11-24');
    expect(await terms(asha.readerId)).toHaveLength(1);
    await proveBooks();
  });

  it('F33: what the database refuses because two were in each other’s way is tried again, and lands', async () => {
    const { db } = paper.database;
    const asha = await reader();
    await pay(paper, await beginOrder(asha));
    // The next payment that is kept meets a deadlock; the one after does not. A sequence is not rolled back.
    await sql`create sequence billing.tries`.execute(db);
    await sql`create function billing.in_the_way() returns trigger language plpgsql as $$
      begin
        if nextval('billing.tries') = 1 then raise exception 'deadlock' using errcode = '40P01'; end if;
        return new;
      end $$`.execute(db);
    await sql`create trigger in_the_way before insert on billing.payments
      for each row execute function billing.in_the_way()`.execute(db);
    await settle(paper);
    expect(await terms(asha.readerId)).toHaveLength(0);
    paper.clock.set('2026-11-23T06:32:00Z');
    await askUnanswered(paper.billing, paper.clock.now());
    await settle(paper);
    expect(await terms(asha.readerId)).toHaveLength(1);
    await proveBooks();
  });

  it('F48: an event that cannot be kept is not said to be, so that it comes again', async () => {
    const body = Buffer.from('{}');
    const genuine: Gateway = {
      ...sandbox(),
      verifyWebhook: () => ({
        kind: 'event',
        eventId: 'e1',
        type: 'payment.succeeded',
        reference: undefined,
        checkoutId: 'c1',
      }),
    };
    const told = () => takeEvent(paper.billing, genuine, body, () => undefined, paper.clock.now());
    await sql`alter table billing.gateway_events add constraint none check (false) not valid`.execute(
      paper.database.db,
    );
    await expect(told()).rejects.toThrow();
    await sql`alter table billing.gateway_events drop constraint none`.execute(paper.database.db);
    expect(await told()).toBe(true);
    expect(await count('billing.gateway_events')).toBe(1);
  });
});

describe('a payment by hand', () => {
  it('F07: of which nobody knows what became, and that failed, is not tried again by itself', async () => {
    const asha = await reader();
    await pay(paper, await beginOrder(asha), 'decline');
    await live(paper, '2026-12-20');
    expect(await count('billing.charge_intents')).toBe(1);
    expect(await current(asha.readerId)).toMatchObject({ state: 'canceled', endedReason: 'never_paid' });
    await proveBooks();
  });

  it('F83: that is finished after its reader has cancelled is what they want now, and nothing of it is lost', async () => {
    const asha = await subscriber();
    const plan = paper.plans().find(({ slug }) => slug === 'yearly');
    const person = { id: asha.readerId, email: asha.email };
    const begun = await beginPayment(paper.billing, person, paper.clock.now(), plan);
    if (begun.kind !== 'pay') throw new Error(begun.kind);
    await cancelSubscription(paper.billing, asha.readerId, 'reader', paper.clock.now());
    await pay(paper, begun.url);
    await settle(paper);
    await live(paper, '2026-11-25');
    const { cancelOn, planSlug } = await current(asha.readerId);
    expect([planSlug, cancelOn]).toEqual(['yearly', undefined]);
    expect(await sandbox().readBalance()).toEqual({
      kind: 'ok',
      value: [{ minor: 270_000n, currency: 'INR' }],
    });
    await proveBooks();
  });

  it('F79: after a renewal was given up leaves nothing open: the old invoice is void, the new one is paid', async () => {
    const asha = await subscriber();
    const { db } = paper.database;
    const mandate = await newestMandate(db, asha.email);
    await setMandateOutcome(db, mandate?.id ?? '', 'decline');
    await live(paper, '2027-03-05');
    const person = { id: asha.readerId, email: asha.email };
    const begun = await beginPayment(paper.billing, person, paper.clock.now());
    if (begun.kind !== 'pay') throw new Error(begun.kind);
    await pay(paper, begun.url);
    await settle(paper);
    const { rows } = await sql<{ status: string }>`
      select status from billing.invoices where number is not null order by issued_on, serial`.execute(db);
    expect(rows.map(({ status }) => status)).toEqual(['paid', 'void', 'paid']);
    await proveBooks();
  });

  it('F81: with another card leaves that one to be charged, and nothing is tried with the old one again', async () => {
    const asha = await subscriber();
    const { db } = paper.database;
    const old = await newestMandate(db, asha.email);
    await setMandateOutcome(db, old?.id ?? '', 'expired_card');
    await live(paper, '2027-02-24');
    const person = { id: asha.readerId, email: asha.email };
    const begun = await beginPayment(paper.billing, person, paper.clock.now());
    if (begun.kind !== 'pay') throw new Error(begun.kind);
    await pay(paper, begun.url, 'approve', 'upi');
    await settle(paper);
    await live(paper, '2027-06-01');
    expect(await terms(asha.readerId)).toHaveLength(3);
    const { rows } = await sql<{ token: string }>`
      select distinct m.token from billing.charge_intents i join billing.mandates m on m.id = i.mandate_id
      where i.created_at > '2027-03-01'`.execute(db);
    expect(rows.map(({ token }) => token)).not.toContain(old?.id);
    expect(rows).toHaveLength(1);
    await proveBooks();
  });
});

describe('a webhook that does not come', () => {
  it('F42: for days makes an alarm, and what it would have said is found', async () => {
    const { db } = paper.database;
    const asha = await subscriber();
    await setWebhooks(db, { drop: true });
    await live(paper, '2027-02-24');
    await askOpen(paper.billing);
    await settle(paper);
    expect(await terms(asha.readerId)).toHaveLength(2);
    // The machine's time, by which the operator is told: nothing came for as long as this test has run.
    await sql`update billing.gateway_events set received_at = received_at - interval '2 days'`.execute(db);
    expect((await gatewayFigures(db)).silentSeconds).toBeGreaterThan(24 * 3_600);
    await proveBooks();
  });

  it('F49: about money that went back is made up for by the nightly list, with its credit note, once', async () => {
    const { db } = paper.database;
    const asha = await subscriber();
    await setWebhooks(db, { drop: true });
    const paymentId = (await newestCapture(db, asha.email, 'any')) ?? '';
    await makeRefund(db, { named: undefined, paymentId, minor: 20_000n }, paper.clock.now());
    await settle(paper);
    expect(await count('billing.credit_notes')).toBe(0);
    for (let nights = 0; nights < 2; nights++) {
      await reconcile(paper.billing, paper.clock.now());
      await settle(paper);
    }
    expect([await count('billing.refunds'), await count('billing.credit_notes')]).toEqual([1, 1]);
    await proveBooks();
  });
});

describe('an event that names only the payment', () => {
  it('F104: leads to its attempt, also where it comes before the payment is known', async () => {
    const { db } = paper.database;
    const asha = await reader();
    await setWebhooks(db, { drop: true });
    await pay(paper, await beginOrder(asha));
    await settle(paper);
    const paymentId = (await newestCapture(db, asha.email, 'any')) ?? '';
    let events = 0;
    const telling: Gateway = {
      ...sandbox(),
      verifyWebhook: () => ({
        kind: 'event',
        eventId: `dashboard-${++events}`,
        type: 'refund.created',
        reference: undefined,
        checkoutId: undefined,
        gatewayPaymentId: paymentId,
      }),
    };
    const told = () =>
      takeEvent(paper.billing, telling, Buffer.from('{}'), () => undefined, paper.clock.now());
    await told();
    await askOpen(paper.billing);
    await settle(paper);
    expect(await terms(asha.readerId)).toHaveLength(1);
    await makeRefund(db, { named: undefined, paymentId, minor: 20_000n }, paper.clock.now());
    await told();
    await settle(paper);
    expect([await count('billing.refunds'), await count('billing.credit_notes')]).toEqual([1, 1]);
    const { rows } = await sql<{ n: number }>`
      select count(*)::int as n from billing.gateway_events where type = 'refund.created' and processed_at is not null`.execute(
      db,
    );
    paper.clock.set('2026-11-23T06:32:00Z');
    await askUnanswered(paper.billing, paper.clock.now());
    await settle(paper);
    expect(rows[0]?.n).toBe(1);
    const { rows: left } = await sql`
      select event_id from billing.gateway_events where processed_at is null`.execute(db);
    expect(left).toEqual([]);
    await proveBooks();
  });

  it('F44: that nothing here knows is done with when no list has told of it for a week', async () => {
    const strange: Gateway = {
      ...sandbox(),
      verifyWebhook: () => ({
        kind: 'event',
        eventId: 'strange',
        type: 'refund.created',
        reference: undefined,
        checkoutId: undefined,
        gatewayPaymentId: 'pay_of_another_shop',
      }),
    };
    await takeEvent(paper.billing, strange, Buffer.from('{}'), () => undefined, paper.clock.now());
    const left = async () => (await gatewayFigures(paper.database.db)).unprocessed;
    await reconcile(paper.billing, paper.clock.now());
    expect(await left()).toBe(1);
    await reconcile(paper.billing, paper.clock.now().add({ hours: 24 * 8 }));
    expect(await left()).toBe(0);
  });
});

describe('money that goes back', () => {
  it('F99: also when the card that it came from is gone', async () => {
    const { db } = paper.database;
    const asha = await subscriber();
    const mandate = await newestMandate(db, asha.email);
    await changeMandate(db, mandate?.id ?? '', 'revoke', paper.clock.now());
    await settle(paper);
    await refundPayment(
      paper.billing,
      { readerId: asha.readerId, actor: 'staff', reason: 'goodwill', minor: 30_000n },
      paper.clock.now(),
    );
    await settle(paper);
    const { rows } = await sql<{ status: string }>`select status from billing.refunds`.execute(db);
    expect(rows).toEqual([{ status: 'processed' }]);
    await proveBooks();
  });

  it('F102: is told of backwards, the loss before the dispute, and no account falls below nothing', async () => {
    const { db } = paper.database;
    const asha = await subscriber();
    await setWebhooks(db, { hold: true, reverse: true });
    const paymentId = (await newestCapture(db, asha.email, 'undisputed')) ?? '';
    await changeDispute(db, paymentId, 'open', paper.clock.now());
    await changeDispute(db, paymentId, 'lost', paper.clock.now());
    await setWebhooks(db, { reverse: true });
    await settle(paper);
    expect(await current(asha.readerId)).toMatchObject({ state: 'canceled', endedReason: 'chargeback' });
    await proveBooks();
  });

  it('I22: is charged again after a dispute that was won, and what its payer was told then is known at each try', async () => {
    const { db } = paper.database;
    const asha = await subscriber();
    const paymentId = (await newestCapture(db, asha.email, 'undisputed')) ?? '';
    await changeDispute(db, paymentId, 'open', paper.clock.now());
    await settle(paper);
    // No letter says that it renews while that is open, and by March it rests.
    await live(paper, '2027-03-05');
    const { id } = (await newestMandate(db, asha.email)) ?? {};
    await setMandateOutcome(db, id ?? '', 'decline');
    await changeDispute(db, paymentId, 'won', paper.clock.now());
    await settle(paper);
    await live(paper, '2027-03-06');
    expect(await count('billing.notices')).toBe(1);
    // What bought it, and two tries.
    expect(await count('billing.charge_intents')).toBe(3);
    await setMandateOutcome(db, id ?? '', 'approve');
    await live(paper, '2027-03-12');
    expect((await current(asha.readerId)).state).toBe('active');
    await proveBooks();
  });

  it('F117: makes no credit note over nothing', async () => {
    const { db } = paper.database;
    const asha = await subscriber();
    await refundPayment(
      paper.billing,
      { readerId: asha.readerId, actor: 'staff', reason: 'goodwill' },
      paper.clock.now(),
    );
    await settle(paper);
    expect(await count('billing.credit_notes')).toBe(1);
    await expect(
      refundPayment(
        paper.billing,
        { readerId: asha.readerId, actor: 'staff', reason: 'again' },
        paper.clock.now(),
      ),
    ).rejects.toMatchObject({ status: 404 });
    expect(await count('billing.credit_notes')).toBe(1);
    expect(await paymentsOf(db, asha.readerId)).toHaveLength(1);
    await proveBooks();
  });
});

describe('a place that cannot be', () => {
  it.each<[string, 'card_intl' | 'upi', boolean]>([
    ['from an account in India is looked at by somebody, who may let it go on', 'upi', true],
    ['from an account elsewhere is none', 'card_intl', false],
  ])('F115: who lives abroad and pays %s', async (_, rail, isParked) => {
    const one = await reader();
    const url = await beginOrder(one, { plan: 'quarterly', country: 'US', state: '' });
    await pay(paper, url, 'approve', rail);
    await settle(paper);
    expect(await current(one.readerId)).toMatchObject({ state: 'active' });
    expect((await current(one.readerId)).parkedReason).toEqual(
      isParked ? expect.stringContaining('they live elsewhere (US)') : undefined,
    );
    await live(paper, '2027-02-20T06:30:00Z');
    if (isParked) {
      expect((await intentOf(one.readerId)).mandateId).toBeUndefined();
      const said = { actor: 'support', reason: 'she lives in New York, and has her old account' };
      await releaseSubscription(paper.billing, one.readerId, said, paper.clock.now());
    }
    await live(paper, '2027-02-26T06:30:00Z');
    expect(await terms(one.readerId)).toHaveLength(2);
    await proveBooks();
  });
});

describe('days', () => {
  it('F56: are the paper’s own, through every change of its clocks, and no line repairs an hour', async () => {
    const { db } = paper.database;
    await setPublication(db, 'zone', 'Europe/Lisbon');
    await expect.poll(() => paper.publication().zone).toBe('Europe/Lisbon');
    const asha = await subscriber();
    // Eighteen months: spring, autumn and spring again.
    await live(paper, '2028-05-20T10:00:00Z');
    expect(await terms(asha.readerId)).toEqual([
      '2026-11-23 2027-02-23 paid',
      '2027-02-23 2027-05-23 paid',
      '2027-05-23 2027-08-23 paid',
      '2027-08-23 2027-11-23 paid',
      '2027-11-23 2028-02-23 paid',
      '2028-02-23 2028-05-23 paid',
    ]);
    const { rows } = await sql<{ totals: bigint }>`
      select distinct total_minor as totals from billing.invoices`.execute(db);
    expect(rows).toEqual([{ totals: 90_000n }]);
    await cancelSubscription(paper.billing, asha.readerId, 'reader', paper.clock.now());
    const { cancelOn, paidThroughOn } = await current(asha.readerId);
    expect(cancelOn?.toString()).toBe(paidThroughOn?.toString());
    // Midnight in Lisbon is an hour before Greenwich's in summer.
    const { rows: ends } = await sql<{ until: string }>`
      select distinct to_char(until_at at time zone 'UTC', 'HH24:MI') as until from entitlements.grants
      where until_at between '2027-04-01' and '2027-10-01'`.execute(db);
    expect(ends).toEqual([{ until: '23:00' }]);
    await proveBooks();
  });

  it('F55: are compared as days: what is bought at ten past eleven at night begins on that day', async () => {
    paper.clock.set('2026-11-23T17:40:00Z');
    const asha = await subscriber();
    expect(await terms(asha.readerId)).toEqual(['2026-11-23 2027-02-23 paid']);
    await settleDue(paper.billing, paper.clock.now());
    expect((await current(asha.readerId)).state).toBe('active');
    await proveBooks();
  });

  it('F63: that are the last of a term buy no term of nothing', async () => {
    const asha = await subscriber();
    await live(paper, '2027-02-22T12:00:00Z');
    const { db } = paper.database;
    const plan = paper.plans().find(({ slug }) => slug === 'yearly');
    if (plan === undefined) throw new Error('no such plan');
    // Charged already for the term that begins tomorrow: what is paid ahead is not given up for another plan.
    expect(await quoteChange(db, await current(asha.readerId), plan, paper.clock.now())).toBeUndefined();
    expect((await terms(asha.readerId)).every((term) => term.slice(0, 10) < term.slice(11, 21))).toBe(true);
    await proveBooks();
  });
});
