import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  beginCheckout,
  chargeMandate,
  giveMandate,
  press,
  type TestCompany,
  type Told,
  testCompany,
} from '../../test/company.ts';
import type { Rail } from './methods.ts';
import type { OutcomeCode } from './outcomes.ts';
import {
  changeDispute,
  chooseOutcome,
  failNextRefund,
  liveUntil,
  makeRefund,
  newestCapture,
  nextSettlementAt,
} from './sandbox.ts';

/** What goes back to payers: refunds, disputes, and the book that knows of all of it. */
let company: TestCompany;
beforeAll(async () => {
  company = await testCompany();
});
afterAll(() => company.end());

const database = () => company.database.db;
const now = () => company.clock.now();
const pass = (hours: number) => company.clock.set(now().add({ hours }).toString());
const read = async (id: string) => (await company.api('GET', `/payments/${id}`)).json;
const balance = async () => (await company.api('GET', '/balance')).json.balance_minor.INR ?? 0;

/** A payment of ₹2,700 at a checkout. */
async function paid(rail: Rail = 'card_intl', over: Record<string, unknown> = {}) {
  const checkout = await beginCheckout(company, over);
  await press(checkout.url, { outcome: 'approve', rail });
  const { json } = await company.api('GET', `/checkouts/${checkout.id}`);
  return { id: json.payment.id as string, checkoutId: checkout.id, reference: checkout.reference };
}

let refunds = 0;
const refund = (payment: string, amount_minor: number, over: object = {}, key?: string): Promise<Told> => {
  const reference = `refund-${++refunds}`;
  return company.api('POST', '/refunds', {
    body: { reference, payment, amount_minor, ...over },
    headers: { 'idempotency-key': key ?? reference },
  });
};
/** What was told of a payment, and what the event showed: newest last. */
async function eventsOf(id: string): Promise<{ type: string; data: { reference: string } }[]> {
  const { rows } = await company.database.pool.query('select body from sandbox.events order by seq');
  return rows.map(({ body }) => JSON.parse(body)).filter(({ data }) => data.id === id);
}

describe('a refund', () => {
  it('gives a part back at once, and the rest later; the payment shows both, and each is told of', async () => {
    const before = await balance();
    const { checkoutId, id, reference } = await paid();
    const first = await refund(id, 90_000, { reference: 'half' });
    expect(first).toMatchObject({
      status: 201,
      json: {
        id: expect.stringMatching(/^re_[0-9a-f]{32}$/),
        payment: id,
        reference: 'half',
        amount_minor: 90_000,
        currency: 'INR',
        status: 'processed',
      },
    });
    expect((await refund(id, 180_000)).status).toBe(201);
    const payment = await read(id);
    expect(payment.refunds).toEqual([first.json, expect.objectContaining({ amount_minor: 180_000 })]);
    expect((await company.api('GET', `/checkouts/${checkoutId}`)).json.payment.refunds).toEqual(
      payment.refunds,
    );
    expect(await balance()).toBe(before);
    const told = await eventsOf(id);
    expect(told.map(({ data, type }) => [type, data.reference])).toEqual([
      ['refund.processed', reference],
      ['refund.processed', reference],
    ]);
  });

  it('of a charge names the charge’s reference', async () => {
    const mandate = await giveMandate(company);
    const { json } = await chargeMandate(company, mandate, { reference: 'renewal 9' });
    await refund(json.id, 1);
    expect((await eventsOf(json.id)).at(-1)).toMatchObject({
      type: 'refund.processed',
      data: { reference: 'renewal 9', refunds: [{ amount_minor: 1 }] },
    });
  });

  it('F96: with one key is given once, and gives its first answer again; with other parameters it is refused', async () => {
    const { id } = await paid('upi');
    const ask = (over = {}) => refund(id, 90_000, { reference: 'once', ...over }, 'once');
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask()));
    const made = answers.filter(({ status }) => status === 201);
    expect(new Set(made.map(({ text }) => text)).size).toBe(1);
    pass(25);
    expect((await read(id)).refunds).toMatchObject([{ status: 'processed' }]);
    const again = await ask();
    expect([again.status, again.json.status]).toEqual([201, 'pending']);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    for (const over of [{ amount_minor: 1 }, { reference: 'another' }])
      expect((await ask(over)).json.error.code).toBe('idempotency_key_reused');
  });

  it('by UPI is on its way for a day, and leaves the balance when it is processed', async () => {
    const before = await balance();
    const { id } = await paid('upi');
    expect((await refund(id, 270_000)).json.status).toBe('pending');
    expect(await balance()).toBe(before + 270_000);
    expect((await refund(id, 1)).json.error.code).toBe('amount_above_refundable');
    const due = now().add({ hours: 24 });
    expect((await nextSettlementAt(database(), due))?.toString()).toBe(due.toString());
    pass(24);
    expect((await read(id)).refunds).toMatchObject([{ status: 'processed', updated_at: due.toString() }]);
    expect(await balance()).toBe(before);
    expect((await eventsOf(id)).map(({ type }) => type)).toEqual(['refund.pending', 'refund.processed']);
  });

  it('that was to fail does, the next one does not, and no money has gone', async () => {
    const before = await balance();
    const { id } = await paid();
    await failNextRefund(database());
    expect((await refund(id, 270_000)).json.status).toBe('failed');
    expect(await balance()).toBe(before + 270_000);
    expect((await refund(id, 270_000)).json.status).toBe('processed');
    expect((await eventsOf(id)).map(({ type }) => type)).toEqual(['refund.failed', 'refund.processed']);
  });

  it('never gives more than there is, however many ask at once', async () => {
    const before = await balance();
    const { id } = await paid();
    const answers = await Promise.all(Array.from({ length: 12 }, () => refund(id, 100_000)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(2);
    for (const { json, status } of answers)
      if (status !== 201) expect([status, json.error.code]).toEqual([402, 'amount_above_refundable']);
    expect(await balance()).toBe(before + 70_000);
    await expect(
      company.database.pool.query(
        'update sandbox.captures set refunded_minor = amount_minor + 1 where payment_id = $1',
        [id],
      ),
    ).rejects.toThrow(/captures_give_back_no_more/);
  });

  it('of what took no money, or is not there, or in another currency, is refused', async () => {
    const { id, url } = await beginCheckout(company);
    await press(url, { outcome: 'decline' });
    const failed = (await company.api('GET', `/checkouts/${id}`)).json.payment.id;
    expect((await refund(failed, 1)).json.error.code).toBe('payment_not_captured');
    expect((await refund(`pay_${'0'.repeat(31)}f`, 1)).status).toBe(404);
    expect((await refund('pay_x', 1)).status).toBe(404);
    const good = await paid();
    expect((await refund(good.id, 1, { currency: 'USD' })).json.error.code).toBe('parameter_invalid');
    expect((await refund(good.id, 0)).json.error.code).toBe('parameter_invalid');
    expect((await refund(good.id, 1, {}, 'two words')).json.error.code).toBe('idempotency_key_required');
  });

  it('F98: of an Indian payment more than six months old is refused; of another it is given', async () => {
    const [indian, other] = [await paid('card_in'), await paid()];
    pass(24 * 185);
    expect(await refund(indian.id, 1)).toMatchObject({
      status: 402,
      json: { error: { code: 'payment_too_old' } },
    });
    expect((await refund(other.id, 1)).status).toBe(201);
  });

  it('F104: may be made at the company’s dashboard, where nobody names a reference', async () => {
    const { id } = await paid('card_intl', { email: 'dashboard@example.com' });
    expect(await newestCapture(database(), 'Dashboard@example.com', 'any')).toBe(id);
    await makeRefund(database(), { named: undefined, paymentId: id, minor: 70_000n }, now());
    expect((await read(id)).refunds).toMatchObject([{ reference: null, amount_minor: 70_000 }]);
  });
});

describe('a dispute', () => {
  it('takes the money back, stops refunds, and brings it again when it is won', async () => {
    const before = await balance();
    const { id, reference } = await paid();
    await changeDispute(database(), id, 'open', now());
    expect(await balance()).toBe(before);
    expect((await read(id)).dispute).toMatchObject({ amount_minor: 270_000, status: 'open' });
    expect((await refund(id, 1)).json.error.code).toBe('payment_disputed');
    expect(await changeDispute(database(), id, 'open', now())).toBeUndefined();
    await changeDispute(database(), id, 'won', now());
    expect(await balance()).toBe(before + 270_000);
    expect((await read(id)).dispute).toMatchObject({ status: 'won' });
    expect((await refund(id, 270_000)).status).toBe(201);
    expect((await eventsOf(id)).map(({ data, type }) => [type, data.reference])).toEqual([
      ['dispute.opened', reference],
      ['dispute.won', reference],
      ['refund.processed', reference],
    ]);
  });

  it('F103: after a refund asks for the rest alone, and lost keeps it', async () => {
    const before = await balance();
    const { id } = await paid();
    await refund(id, 200_000);
    await changeDispute(database(), id, 'open', now());
    expect((await read(id)).dispute).toMatchObject({ amount_minor: 70_000 });
    await changeDispute(database(), id, 'lost', now());
    expect(await balance()).toBe(before);
    expect((await refund(id, 1)).json.error.code).toBe('amount_above_refundable');
    expect(await changeDispute(database(), id, 'open', now())).toBeUndefined();
    expect((await eventsOf(id)).at(-1)?.type).toBe('dispute.lost');
  });
});

describe('the book', () => {
  it('is the balance, tells what came and went, and is only added to', async () => {
    const other = await testCompany();
    try {
      const { url } = await beginCheckout(other);
      await press(url, { outcome: 'approve' });
      const mandate = await giveMandate(other);
      const { json } = await chargeMandate(other, mandate);
      const body = { reference: 'r', payment: json.id, amount_minor: 70_000 };
      await other.api('POST', '/refunds', { body, headers: { 'idempotency-key': 'r' } });
      await changeDispute(other.database.db, json.id, 'open', other.clock.now());
      expect((await other.api('GET', '/balance')).json).toEqual({
        balance_minor: { INR: 270_000 },
        captured_minor: { INR: 540_000 },
        refunded_minor: { INR: 70_000 },
        disputed_minor: { INR: 200_000 },
      });
      // What payments say of themselves is not asked.
      await other.database.pool.query("update sandbox.payments set status = 'canceled'");
      expect((await other.api('GET', '/balance')).json.balance_minor).toEqual({ INR: 270_000 });
      for (const change of [
        'update sandbox.movements set amount_minor = 1',
        'delete from sandbox.movements',
        'truncate sandbox.movements',
      ])
        await expect(other.database.pool.query(change)).rejects.toThrow(/only added to/);
    } finally {
      await other.end();
    }
  });
});

it('whatever is taken, given back and disputed, the book is what the payments say, and never below nothing', async () => {
  const other = await testCompany();
  const { db } = other.database;
  try {
    const mandates = [
      await giveMandate(other),
      await giveMandate(other, { rail: 'card_in' }),
      await giveMandate(other, { rail: 'upi' }),
    ];
    const act = fc.record({
      kind: fc.constantFrom('charge', 'charge', 'refund', 'refund', 'open', 'won', 'lost', 'wait'),
      which: fc.nat({ max: 20 }),
      outcome: fc.constantFrom<OutcomeCode>(
        'approve',
        'approve',
        'approve',
        'decline',
        'late',
        'later',
        'lost',
      ),
      amount_minor: fc.integer({ min: 1, max: 270_000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 20 }), async (acts) => {
        for (const { amount_minor, kind, outcome, which } of acts) {
          const at = other.clock.now();
          const { json: all } = await other.api('GET', '/payments?since=2026-01-01T00:00:00Z');
          const payment = all.data[which % Math.max(1, all.data.length)]?.id;
          if (kind === 'wait') other.clock.set(at.add({ hours: 26 }).toString());
          else if (kind === 'charge') {
            await chooseOutcome(db, outcome);
            const not_before = which % 3 === 0 ? undefined : at.add({ hours: 24 }).toString();
            await chargeMandate(other, mandates[which % 3] as (typeof mandates)[0], {
              amount_minor,
              not_before,
            });
          } else if (payment === undefined) continue;
          else if (kind === 'refund') {
            if (outcome === 'decline') await failNextRefund(db);
            const named = which % 2 === 0 ? undefined : { key: `${at} ${which}`, reference: 'r' };
            await makeRefund(db, { named, paymentId: payment, minor: BigInt(amount_minor) }, at);
          } else await changeDispute(db, payment, kind as 'won', at);
        }
        const { json } = await other.api('GET', '/payments?since=2026-01-01T00:00:00Z');
        let left = 0;
        for (const { amount_minor, refunds, status } of json.data) {
          const given = refunds.filter((one: { status: string }) => one.status === 'processed');
          const gone = given.reduce(
            (sum: number, one: { amount_minor: number }) => sum + one.amount_minor,
            0,
          );
          expect(gone).toBeLessThanOrEqual(status === 'succeeded' ? amount_minor : 0);
          left += (status === 'succeeded' ? amount_minor : 0) - gone;
        }
        // A payment tells of its newest dispute alone, and one that was lost may have left something for another.
        const { rows } = await other.database.pool.query<{ taken: bigint }>(
          `select coalesce(sum(amount_minor), 0)::bigint as taken from sandbox.disputes where status in ('open', 'lost')`,
        );
        left -= Number(rows[0]?.taken);
        const { json: sums } = await other.api('GET', '/balance');
        expect(sums.balance_minor.INR ?? 0).toBe(left);
        expect(left).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 12 },
    );
  } finally {
    await other.end();
  }
});

describe('the list of payments', () => {
  it('has what was made or changed since, of both kinds, with all that became of it', async () => {
    const old = await paid('card_intl', { email: 'old@example.com' });
    pass(24 * 7);
    const since = now().toString();
    const list = async () =>
      (await company.api('GET', `/payments?since=${encodeURIComponent(since)}`)).json.data;
    expect(await list()).toEqual([]);
    const checkout = await paid('upi');
    pass(1);
    const mandate = await giveMandate(company);
    const charge = (await chargeMandate(company, mandate)).json;
    pass(1);
    await refund(old.id, 1);
    const listed = await list();
    // A checkout of nothing took nothing.
    expect(listed.map(({ id }: { id: string }) => id)).toEqual([checkout.id, charge.id, old.id]);
    expect(listed[0]).toMatchObject({ checkout: checkout.checkoutId, reference: checkout.reference });
    expect(listed[1]).toEqual(charge);
    expect(listed[2]).toMatchObject({ refunds: [{ amount_minor: 1 }] });
    pass(1);
    await changeDispute(database(), checkout.id, 'open', now());
    expect((await list()).at(-1)).toMatchObject({ id: checkout.id, dispute: { status: 'open' } });
  });

  it('comes by five hundred, each once, while nothing changes', async () => {
    pass(24 * 7);
    const since = now().toString();
    const { checkoutId } = await paid();
    await company.database.pool.query(
      `insert into sandbox.payments (id, checkout_id, attempt, status, failure_code, brand, last4, created_at, changed_at)
       select 'pay_f' || lpad(to_hex(n), 31, '0'), $1, n + 1, 'failed', 'card_declined', 'visa', '0002', $2,
         $2::timestamptz + (n % 7) * interval '1 minute'
       from generate_series(1, 1200) n`,
      [checkoutId, since],
    );
    const ids: string[] = [];
    const sizes: number[] = [];
    let after: string | null = '';
    while (after !== null) {
      const more = after === '' ? '' : `&after=${after}`;
      const { json }: Told = await company.api('GET', `/payments?since=${encodeURIComponent(since)}${more}`);
      ids.push(...json.data.map(({ id }: { id: string }) => id));
      sizes.push(json.data.length);
      after = json.after;
    }
    expect(sizes).toEqual([500, 500, 201]);
    expect(new Set(ids).size).toBe(1201);
  });

  it('is not given to whoever does not say since when, or goes on from nowhere', async () => {
    for (const query of ['', '?since=', '?since=yesterday', '?since=2026-11-23T06:30:00Z&after=x']) {
      const { json, status } = await company.api('GET', `/payments${query}`);
      expect([query, status, json.error.code]).toEqual([query, 400, 'parameter_invalid']);
    }
  });
});

it('what is due is done in the order in which it fell due, whatever it is', async () => {
  await liveUntil(database(), now());
  const mandate = await giveMandate(company, { rail: 'upi' });
  const charge = await chargeMandate(company, mandate, { not_before: now().add({ hours: 30 }).toString() });
  const { id } = await paid('upi');
  await refund(id, 1);
  const { rows: before } = await company.database.pool.query('select max(seq) as seq from sandbox.events');
  const open = await beginCheckout(company, { reference: 'left-open' });
  await liveUntil(database(), now().add({ hours: 48 }));
  const { rows } = await company.database.pool.query(
    'select body from sandbox.events where seq > $1 order by seq',
    [before[0].seq],
  );
  expect(rows.map(({ body }) => JSON.parse(body)).map(({ data, type }) => [type, data.id])).toEqual([
    ['checkout.expired', open.id],
    ['refund.processed', id],
    ['payment.succeeded', charge.json.id],
  ]);
});
