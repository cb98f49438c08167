import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveRoutes } from '#platform/app';
import { answer } from '#platform/http';
import { sendInto } from '#platform/http-client';
import { createLogger } from '#platform/log';
import { beginCheckout, press, type TestCompany, testCompany } from '../../test/company.ts';
import { sandboxGateway } from '../newspaper/billing/gateways/sandbox.ts';
import { changeCheckouts } from './checkouts.store.ts';
import {
  chooseOutcome,
  deliverHeld,
  isOutcomeCode,
  liveUntil,
  OUTCOME_CODES,
  payAsReader,
  sandboxRoutes,
  settlePending,
} from './sandbox.ts';

/** Paying on the hosted page, over HTTP and in a real database. */
let company: TestCompany;
beforeAll(async () => {
  company = await testCompany();
});
afterAll(() => company.end());

const read = async (id: string) => (await company.api('GET', `/checkouts/${id}`)).json;
const captured = async (): Promise<Record<string, number>> =>
  (await company.api('GET', '/balance')).json.captured_minor;
/** What was written down to be told of a checkout, in order. */
async function eventsOf(id: string): Promise<string[]> {
  const { rows } = await company.database.pool.query(
    'select body from sandbox.events where checkout_id = $1 order by seq',
    [id],
  );
  return rows.map(({ body }) => JSON.parse(body).type);
}

describe('each way a payment can end', () => {
  it('approved: the money is taken, the browser goes back, and the merchant is told once', async () => {
    const before = (await captured()).INR ?? 0;
    const { id, url } = await beginCheckout(company);
    expect(await press(url, { outcome: 'approve' })).toMatchObject({
      status: 303,
      location: `${company.baseUrl}/thanks`,
    });
    expect(await read(id)).toMatchObject({
      status: 'complete',
      payment: { status: 'succeeded', amount_minor: 270_000, currency: 'INR' },
    });
    expect((await captured()).INR).toBe(before + 270_000);
    expect(await eventsOf(id)).toEqual(['payment.succeeded']);
  });

  it.each([
    ['decline', 'decline', 'card_declined', 'declined the card'],
    ['decline', 'insufficient_funds', 'insufficient_funds', 'too little money'],
    ['decline', 'expired_card', 'expired_card', 'has expired'],
    ['insufficient_funds', '', 'insufficient_funds', 'too little money'],
  ])(
    '%s (%s): nothing is taken, the page says why, and it can be tried again',
    async (outcome, reason, code, says) => {
      const before = await captured();
      const { id, url } = await beginCheckout(company);
      expect(await press(url, { outcome, decline: reason })).toMatchObject({ status: 303, location: url });
      expect(await read(id)).toMatchObject({
        status: 'open',
        payment: { status: 'failed', failure_code: code },
      });
      expect(await (await fetch(url)).text()).toContain(says);
      expect(await captured()).toEqual(before);
      await press(url, { outcome: 'approve' });
      expect(await read(id)).toMatchObject({ status: 'complete', payment: { status: 'succeeded' } });
      expect(await eventsOf(id)).toEqual(['payment.failed', 'payment.succeeded']);
    },
  );

  it('authenticated: the bank asks first; approved there it is paid, refused there it can be tried again', async () => {
    const { id, url } = await beginCheckout(company);
    expect(await press(url, { outcome: 'authenticate' })).toMatchObject({ status: 303, location: url });
    expect(await (await fetch(url)).text()).toContain('Your bank asks: is this you?');
    expect(await press(url, { answer: 'refuse' }, 'authentication')).toMatchObject({ location: url });
    expect(await read(id)).toMatchObject({
      status: 'open',
      payment: { status: 'failed', failure_code: 'authentication_failed' },
    });
    await press(url, { outcome: 'authenticate' });
    expect(await press(url, { answer: 'approve' }, 'authentication')).toMatchObject({
      location: `${company.baseUrl}/thanks`,
    });
    expect(await read(id)).toMatchObject({ status: 'complete', payment: { status: 'succeeded' } });
    expect(await eventsOf(id)).toEqual([
      'payment.requires_action',
      'payment.failed',
      'payment.requires_action',
      'payment.succeeded',
    ]);
  });

  it('later: the browser goes back, and the money comes when the company’s clock says so', async () => {
    const { id, url } = await beginCheckout(company);
    expect((await press(url, { outcome: 'later' })).location).toBe(`${company.baseUrl}/thanks`);
    expect(await read(id)).toMatchObject({ status: 'open', payment: { status: 'pending' } });
    company.clock.set('2026-11-23T07:00:00Z');
    expect(await read(id)).toMatchObject({
      status: 'complete',
      payment: { status: 'succeeded', updated_at: '2026-11-23T06:33:00Z' },
    });
    expect(await eventsOf(id)).toEqual(['payment.pending', 'payment.succeeded']);
  });

  it('later, and told to settle at once', async () => {
    const { id, url } = await beginCheckout(company);
    await press(url, { outcome: 'later' });
    expect(await settlePending(company.database.db, company.clock.now())).toBe(1);
    expect(await settlePending(company.database.db, company.clock.now())).toBe(0);
    expect(await read(id)).toMatchObject({ status: 'complete', payment: { status: 'succeeded' } });
  });

  it('lost: the money is taken, the browser gets an empty 502, and reading again tells', async () => {
    const before = (await captured()).INR ?? 0;
    const { id, url } = await beginCheckout(company);
    expect(await press(url, { outcome: 'lost' })).toEqual({ status: 502, location: undefined, text: '' });
    expect(await read(id)).toMatchObject({ status: 'complete', payment: { status: 'succeeded' } });
    expect((await captured()).INR).toBe(before + 270_000);
    expect(await (await fetch(url)).text()).toContain('data-checkout="complete"');
  });
});

describe('one checkout is paid once, ever', () => {
  it('twenty who approve at once take the money once, and all are sent back to the paper', async () => {
    const before = (await captured()).INR ?? 0;
    const { id, url } = await beginCheckout(company);
    const pressed = await Promise.all(Array.from({ length: 20 }, () => press(url, { outcome: 'approve' })));
    expect(new Set(pressed.map(({ location }) => location))).toEqual(new Set([`${company.baseUrl}/thanks`]));
    expect((await captured()).INR).toBe(before + 270_000);
    expect(await eventsOf(id)).toEqual(['payment.succeeded']);
  });

  it('twenty who press different buttons in different processes leave one payment that took money, at most', async () => {
    const ways = ['approve', 'later', 'authenticate', 'decline', 'lost'] as const;
    for (let round = 0; round < 5; round++) {
      const { id } = await beginCheckout(company);
      const now = company.clock.now();
      // A transaction each, as many processes would have: not grouped as in one.
      await Promise.all(
        Array.from({ length: 20 }, (_, at) =>
          changeCheckouts(company.database.db, [
            {
              id,
              now,
              act: {
                kind: 'pay',
                rail: 'card_intl',
                outcome: ways[(at + round) % ways.length] as (typeof ways)[number],
                paymentId: `pay_${String(round * 20 + at).padStart(32, '0')}`,
              },
            },
          ]),
        ),
      );
      const { rows } = await company.database.pool.query(
        `select count(*) filter (where status in ('succeeded', 'pending', 'requires_action'))::int as alive,
           count(*)::int as attempts, max(attempt) as last,
           (select count(*)::int from sandbox.captures where checkout_id = $1) as captures
         from sandbox.payments where checkout_id = $1`,
        [id],
      );
      expect(rows[0].alive).toBe(1);
      expect(rows[0].last).toBe(rows[0].attempts);
      expect(rows[0].captures).toBeLessThanOrEqual(1);
    }
  });

  it('the back button and a second tab find it paid, whatever they press', async () => {
    const { id, url } = await beginCheckout(company);
    await press(url, { outcome: 'approve' });
    for (const outcome of ['decline', 'later', 'authenticate', 'approve']) {
      expect((await press(url, { outcome })).location).toBe(`${company.baseUrl}/thanks`);
    }
    expect((await press(url, { answer: 'refuse' }, 'authentication')).location).toBe(
      `${company.baseUrl}/thanks`,
    );
    expect(await read(id)).toMatchObject({ payment: { status: 'succeeded' } });
    const page = await (await fetch(url)).text();
    expect(page).toContain('data-checkout="complete"');
    expect(page).not.toContain('<form');
  });

  it('even a program that goes round the rule is stopped by the database', async () => {
    const { id, url } = await beginCheckout(company);
    await press(url, { outcome: 'approve' });
    const insert = (status: string) =>
      company.database.pool.query(
        `insert into sandbox.payments (id, checkout_id, attempt, status, brand, last4, created_at, changed_at, settles_at)
         values ('pay_' || repeat('f', 32), $1, 2, $2, 'visa', '4242', now(), now(), $3)`,
        [id, status, status === 'pending' ? '2026-11-23T06:33:00Z' : null],
      );
    for (const status of ['succeeded', 'pending', 'requires_action'])
      await expect(insert(status)).rejects.toThrow(/payments_one_alive/);
    await expect(
      company.database.pool.query(
        `insert into sandbox.captures select checkout_id, 'pay_' || repeat('e', 32), 1, 'INR', now()
         from sandbox.captures where checkout_id = $1`,
        [id],
      ),
    ).rejects.toThrow(/captures_once_for_a_checkout/);
  });
});

describe('time', () => {
  it('what is due is done in the order in which it fell due, each dated then', async () => {
    company.clock.set('2026-12-01T00:00:00Z');
    const first = await beginCheckout(company);
    await press(first.url, { outcome: 'authenticate' });
    company.clock.set('2026-12-01T12:00:00Z');
    const second = await beginCheckout(company);
    await press(second.url, { outcome: 'later' });
    const third = await beginCheckout(company);
    await liveUntil(company.database.db, Temporal.Instant.from('2027-01-15T00:00:00Z'));
    const { rows } = await company.database.pool.query(
      'select body from sandbox.events where checkout_id = any($1) order by seq desc limit 3',
      [[first.id, second.id, third.id]],
    );
    const told = rows.map(({ body }) => JSON.parse(body)).toReversed();
    expect(told.map(({ created_at, data, type }) => [type, data.id, created_at])).toEqual([
      ['payment.succeeded', second.id, '2026-12-01T12:03:00Z'],
      ['checkout.expired', first.id, '2026-12-02T00:00:00Z'],
      ['checkout.expired', third.id, '2026-12-02T12:00:00Z'],
    ]);
    expect(told[1].data.payment.status).toBe('canceled');
    company.clock.set('2027-01-15T00:00:00Z');
  });

  it('a checkout that ran out takes no payment, also when nobody has looked since', async () => {
    const { id, url } = await beginCheckout(company);
    company.clock.set('2027-01-16T00:00:00Z');
    expect((await press(url, { outcome: 'approve' })).location).toBe(url);
    expect(await read(id)).toMatchObject({ status: 'expired', payment: null });
    expect(await eventsOf(id)).toEqual(['checkout.expired']);
    expect(await (await fetch(url)).text()).toContain('This checkout has expired');
  });

  it('more than one transaction’s worth of pending payments settles in one go', async () => {
    const now = company.clock.now();
    const { id } = await beginCheckout(company);
    await company.database.pool.query(
      `with many as (select 'cs_' || lpad(to_hex(n), 32, '0') as id, n from generate_series(1, 450) n), made as (
         insert into sandbox.checkouts select many.id, 'many ' || n, url, 'many', amount_minor, currency, description, email,
           return_url, cancel_url, 'open', $2, $2::timestamptz + interval '1 day'
         from sandbox.checkouts, many where checkouts.id = $1 returning id)
       insert into sandbox.payments (id, checkout_id, attempt, status, brand, last4, created_at, changed_at, settles_at)
       select 'pay_f' || substr(id, 5), id, 1, 'pending', 'visa', '4242', $2, $2, $2::timestamptz + interval '3 minutes'
       from made`,
      [id, now.toString()],
    );
    await liveUntil(company.database.db, now.add({ minutes: 4 }));
    const { rows } = await company.database.pool.query(
      "select count(*)::int as n from sandbox.captures join sandbox.checkouts c on c.id = checkout_id where reference = 'many'",
    );
    expect(rows[0].n).toBe(450);
  });
});

describe('without a browser', () => {
  it('an outcome has one of sixteen names', () => {
    expect(OUTCOME_CODES.join(' ')).toBe(
      'approve decline insufficient_funds expired_card stolen_card processing_error authenticate ' +
        'authentication_required later later_decline late lost hang error_500 error_502_html conflict_409',
    );
    expect(OUTCOME_CODES.every(isOutcomeCode)).toBe(true);
    expect(['', 'chosen', 'Approve', 'toString'].some(isOutcomeCode)).toBe(false);
  });

  it('a program pays as a reader would, and sees what a reader sees', async () => {
    const pay = async (outcome: Parameters<typeof payAsReader>[0]['outcome']) => {
      const { id, url } = await beginCheckout(company);
      const paid = await payAsReader({ url, ...(outcome === undefined ? {} : { outcome }) });
      return [paid, (await read(id)).payment?.status];
    };
    const returned = { kind: 'returned', to: `${company.baseUrl}/thanks` };
    expect(await pay('approve')).toEqual([returned, 'succeeded']);
    expect(await pay('authenticate')).toEqual([returned, 'succeeded']);
    expect(await pay('later')).toEqual([returned, 'pending']);
    expect(await pay('lost')).toEqual([{ kind: 'lost' }, 'succeeded']);
    expect(await pay('decline')).toEqual([{ kind: 'failed', code: 'card_declined' }, 'failed']);
    expect(await pay('expired_card')).toEqual([{ kind: 'failed', code: 'expired_card' }, 'failed']);
    expect(await pay(undefined)).toEqual([returned, 'succeeded']);
  });

  it('a checkout whose bank was left waiting is gone on with', async () => {
    const { url } = await beginCheckout(company);
    await press(url, { outcome: 'authenticate' });
    expect(await payAsReader({ url })).toMatchObject({ kind: 'returned' });
  });

  it('a checkout that is paid, on its way or unknown is not paid again', async () => {
    const { url } = await beginCheckout(company);
    await payAsReader({ url, outcome: 'later' });
    expect(await payAsReader({ url, outcome: 'approve' })).toEqual({ kind: 'not-payable', state: 'pending' });
    await settlePending(company.database.db, company.clock.now());
    expect(await payAsReader({ url, outcome: 'approve' })).toEqual({
      kind: 'not-payable',
      state: 'complete',
    });
    const nowhere = `${company.baseUrl}/sandbox/checkouts/cs_${'0'.repeat(31)}f`;
    expect(await payAsReader({ url: nowhere.replace('0f', 'xf') })).toEqual({
      kind: 'not-payable',
      state: 'none',
    });
  });

  it('an outcome chosen beforehand is how the next payment ends that does not say how, and only that one', async () => {
    const { db } = company.database;
    await chooseOutcome(db, 'insufficient_funds');
    const told = await beginCheckout(company);
    expect(await (await fetch(told.url)).text()).toContain('insufficient_funds');
    expect(await payAsReader({ url: told.url, outcome: 'approve' })).toMatchObject({ kind: 'returned' });
    // A checkout that is paid already uses nothing up.
    await press(told.url, {});
    const [first, second] = [await beginCheckout(company), await beginCheckout(company)];
    expect(await payAsReader({ url: first.url })).toEqual({ kind: 'failed', code: 'insufficient_funds' });
    expect(await payAsReader({ url: second.url })).toMatchObject({ kind: 'returned' });
    expect(await payAsReader({ url: first.url })).toMatchObject({ kind: 'returned' });
  });

  it('where no server runs, paper and company speak within the process, in the same words', async () => {
    const { app, credentials, database } = company;
    // Nobody listens there.
    const nowhere = 'http://localhost:1';
    const routes = sandboxRoutes({
      db: database.db,
      clock: company.clock,
      baseUrl: nowhere,
      apiKeys: credentials.apiKeys,
      merchant: () => 'The Courier',
      log: createLogger('silent'),
    });
    const alone = serveRoutes(routes, {
      origin: nowhere,
      trustedProxyHops: 0,
      secure: false,
      log: createLogger('silent'),
      failed: (status) => answer(status, 'text/plain', ''),
      admit: () => undefined,
    });
    const send = sendInto(alone);
    const gateway = sandboxGateway({
      baseUrl: nowhere,
      apiKey: credentials.apiKeys[0],
      webhookSecrets: credentials.webhookSecrets,
      send,
    });
    const opened = await gateway.openCheckout({
      intentId: 'in-process',
      amount: { minor: 90_000n, currency: 'INR' },
      description: 'One month',
      readerId: '0199-reader',
      mandate: undefined,
      email: 'meera@example.com',
      returnUrl: `${nowhere}/thanks`,
      cancelUrl: `${nowhere}/plans`,
    });
    if (opened.kind !== 'ok') throw new Error(JSON.stringify(opened));
    expect(await payAsReader({ url: opened.value.url, outcome: 'authenticate', send })).toEqual({
      kind: 'returned',
      to: `${nowhere}/thanks`,
    });
    expect(await gateway.readCheckout(opened.value.checkoutId)).toMatchObject({
      kind: 'ok',
      value: { status: 'succeeded' },
    });
    company.received.length = 0;
    await deliverHeld({
      db: database.db,
      baseUrl: company.baseUrl,
      webhookSecrets: credentials.webhookSecrets,
      log: createLogger('silent'),
      send: sendInto(app),
    });
    expect(company.received.at(-1)).toMatchObject({
      type: 'payment.succeeded',
      checkoutId: opened.value.checkoutId,
    });
  });
});
