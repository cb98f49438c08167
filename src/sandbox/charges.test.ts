import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chargeMandate, giveMandate, type TestCompany, testCompany } from '../../test/company.ts';
import { makeCharge } from './charges.store.ts';
import type { Rail } from './methods.ts';
import { changeMandate, chooseOutcome, liveUntil, nextSettlementAt, setMandateOutcome } from './sandbox.ts';

/** What is taken by mandates, over HTTP and in a real database. */
let company: TestCompany;
beforeAll(async () => {
  company = await testCompany();
});
afterAll(() => company.end());

const database = () => company.database.db;
const now = () => company.clock.now();
const pass = (hours: number) => company.clock.set(now().add({ hours }).toString());
/** The soonest that a bank in India lets a debit be made. */
const tomorrow = () => now().add({ hours: 24 }).toString();
const give = (rail: Rail, over: Record<string, unknown> = {}) => giveMandate(company, { rail, ...over });
const charge = (
  mandate: { id: string; customer: string },
  over: Record<string, unknown> = {},
  key?: string,
) => chargeMandate(company, mandate, over, key);
const read = async (id: string) => (await company.api('GET', `/payments/${id}`)).json;
const balance = async () => (await company.api('GET', '/balance')).json.balance_minor.INR ?? 0;
/** What was written down to be told of something, in order. */
async function eventsOf(id: string): Promise<string[]> {
  const { rows } = await company.database.pool.query('select body from sandbox.events order by seq');
  return rows
    .map(({ body }) => JSON.parse(body))
    .filter(({ data }) => data.id === id)
    .map(({ type }) => type);
}

describe('a charge of a card from anywhere', () => {
  it('is answered at once, is told of, and counts in the balance', async () => {
    const before = await balance();
    const mandate = await give('card_intl');
    const { json, status } = await charge(mandate, { reference: 'renewal of meera' });
    expect(status).toBe(201);
    expect(json).toMatchObject({
      id: expect.stringMatching(/^pay_[0-9a-f]{32}$/),
      status: 'succeeded',
      reference: 'renewal of meera',
      amount_minor: 270_000,
      method: { kind: 'card', last4: '4242' },
      mandate: { id: mandate.id },
      refunds: [],
      dispute: null,
    });
    expect(await read(json.id)).toEqual(json);
    expect((await company.api('GET', '/charges?reference=renewal%20of%20meera')).json).toEqual({
      data: [json],
    });
    expect((await company.api('GET', '/charges?reference=nobody')).json).toEqual({ data: [] });
    expect(await balance()).toBe(before + 270_000);
    expect(await eventsOf(json.id)).toEqual(['payment.succeeded']);
  });

  it('that is declined says why, and takes nothing', async () => {
    const before = await balance();
    const mandate = await give('card_intl');
    for (const [outcome, code] of [
      ['insufficient_funds', 'insufficient_funds'],
      ['stolen_card', 'stolen_card'],
      ['authenticate', 'authentication_required'],
    ] as const) {
      await chooseOutcome(database(), outcome);
      const { json, status } = await charge(mandate);
      expect([status, json.status, json.failure_code]).toEqual([201, 'failed', code]);
      expect(await eventsOf(json.id)).toEqual(['payment.failed']);
    }
    expect(await balance()).toBe(before);
    expect((await charge(mandate)).json.status).toBe('succeeded');
  });

  it('ends as its mandate was told to until that is changed; what was chosen for the next payment goes first', async () => {
    const [mandate, other] = [await give('card_intl'), await give('card_intl')];
    await setMandateOutcome(database(), mandate.id, 'expired_card');
    await chooseOutcome(database(), 'approve');
    const ends = [];
    for (let n = 0; n < 3; n++) ends.push((await charge(mandate)).json.status);
    expect(ends).toEqual(['succeeded', 'failed', 'failed']);
    expect((await charge(other)).json.status).toBe('succeeded');
    await setMandateOutcome(database(), mandate.id, 'approve');
    expect((await charge(mandate)).json.status).toBe('succeeded');
  });

  it.each<[string, Record<string, unknown>, number, string]>([
    ['F71: above its mandate', { amount_minor: 400_001 }, 402, 'amount_above_mandate'],
    ['F78: of another customer', { customer: 'reader-asha' }, 402, 'mandate_of_another'],
    ['of a mandate that is not there', { mandate: `man_${'0'.repeat(32)}` }, 404, 'mandate_not_found'],
    ['of what is no mandate', { mandate: 'x' }, 404, 'mandate_not_found'],
    ['of nothing', { amount_minor: 0 }, 400, 'parameter_invalid'],
    ['at no instant', { not_before: 'soon' }, 400, 'parameter_invalid'],
    ['with what nobody knows', { capture: true }, 400, 'parameter_invalid'],
  ])('%s is refused, and leaves nothing behind', async (_, over, status, code) => {
    const mandate = await give('card_intl');
    const refused = await charge(mandate, { reference: 'refused', ...over });
    expect([refused.status, refused.json.error.code]).toEqual([status, code]);
    expect((await company.api('GET', '/charges?reference=refused')).json.data).toEqual([]);
  });

  it('of a mandate that has expired is refused', async () => {
    const mandate = await give('card_intl');
    const before = now().toString();
    company.clock.set('2031-01-01T00:00:00Z');
    expect((await charge(mandate)).json.error.code).toBe('mandate_expired');
    expect((await company.api('GET', `/mandates/${mandate.id}`)).json.status).toBe('expired');
    company.clock.set(before);
  });
});

describe('the key of a charge', () => {
  it('F05: gives the first answer again, whatever became of the charge since', async () => {
    const mandate = await give('upi');
    const body = { reference: 'same', not_before: tomorrow() };
    const first = await charge(mandate, body, 'same-key');
    pass(25);
    expect((await read(first.json.id)).status).toBe('succeeded');
    const again = await charge(mandate, body, 'same-key');
    expect([again.status, again.text]).toEqual([201, first.text]);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect((await company.api('GET', '/charges?reference=same')).json.data).toHaveLength(1);
  });

  it.each<[string, Record<string, unknown>]>([
    ['amount', { amount_minor: 1 }],
    ['reference', { reference: 'another' }],
    ['description', { description: 'another' }],
    ['customer', { customer: 'another' }],
    ['currency', { currency: 'USD' }],
    ['instant', { not_before: '2026-11-23T06:30:00Z' }],
  ])('with another %s is refused', async (name, over) => {
    const mandate = await give('card_intl');
    await charge(mandate, { reference: 'one' }, `changed-${name}`);
    expect(await charge(mandate, { reference: 'one', ...over }, `changed-${name}`)).toMatchObject({
      status: 400,
      json: { error: { type: 'idempotency_error', code: 'idempotency_key_reused' } },
    });
  });

  it('is needed', async () => {
    const mandate = await give('card_intl');
    expect((await charge(mandate, {}, 'two words')).json.error.code).toBe('idempotency_key_required');
  });

  it('takes money once of twenty requests at once, also in different processes', async () => {
    const before = await balance();
    const mandate = await give('card_intl');
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => charge(mandate, { reference: 'at once' }, 'at-once')),
    );
    const made = answers.filter(({ status }) => status === 201);
    expect(new Set(made.map(({ text }) => text)).size).toBe(1);
    for (const { json, status } of answers)
      if (status !== 201) expect([status, json.error.code]).toEqual([409, 'idempotency_key_in_use']);
    expect(await balance()).toBe(before + 270_000);
  });

  it('is refused while another process is still at the first', async () => {
    const mandate = await give('card_intl');
    const other = new pg.Client({ connectionString: company.database.url });
    await other.connect();
    await other.query('begin');
    await other.query("select pg_advisory_xact_lock(hashtextextended('busy', 7202608))");
    expect(await charge(mandate, {}, 'busy')).toMatchObject({
      status: 409,
      json: { error: { code: 'idempotency_key_in_use' } },
    });
    await other.end();
    expect((await charge(mandate, {}, 'busy')).status).toBe(201);
  });
});

describe('a charge that the payer’s bank announces', () => {
  it.each(['card_in', 'upi'] as const)(
    'by %s is noted, is pending, and is decided an hour after it may be',
    async (rail) => {
      const mandate = await give(rail);
      const notBefore = now().add({ hours: 30 });
      const { json } = await charge(mandate, { not_before: notBefore.toString() });
      expect(json).toMatchObject({ status: 'pending', not_before: notBefore.toString() });
      const { rows } = await company.database.pool.query(
        'select sent_at, debit_at from sandbox.notices where payment_id = $1',
        [json.id],
      );
      expect(Temporal.Instant.from(rows[0].debit_at.replace(' ', 'T')).equals(notBefore)).toBe(true);
      const settlesAt = notBefore.add({ hours: 1 });
      const until = now().add({ hours: 48 });
      expect((await nextSettlementAt(database(), until))?.toString()).toBe(settlesAt.toString());
      pass(30);
      expect((await read(json.id)).status).toBe('pending');
      pass(1);
      expect(await read(json.id)).toMatchObject({ status: 'succeeded', updated_at: settlesAt.toString() });
      expect(await eventsOf(json.id)).toEqual(['payment.pending', 'payment.succeeded']);
    },
  );

  it('F73: with no notice, or one that is too short, is refused', async () => {
    const mandate = await give('card_in');
    for (const not_before of [undefined, now().add({ hours: 23, minutes: 59 }).toString()]) {
      const refused = await charge(mandate, { not_before });
      expect([refused.status, refused.json.error.code]).toEqual([402, 'notice_too_short']);
    }
  });

  it('F69: fails where its mandate is revoked after the notice', async () => {
    const before = await balance();
    const mandate = await give('upi');
    const { json } = await charge(mandate, { not_before: tomorrow() });
    await changeMandate(database(), mandate.id, 'revoke', now());
    pass(26);
    expect(await read(json.id)).toMatchObject({ status: 'failed', failure_code: 'mandate_not_active' });
    expect(await balance()).toBe(before);
  });

  it('F74: is not announced twice with one amount; another amount is', async () => {
    const mandate = await give('card_in');
    const first = await charge(mandate, { not_before: tomorrow() });
    const second = await charge(mandate, { not_before: tomorrow() });
    expect([second.status, second.json.error.code]).toEqual([402, 'notice_in_flight']);
    expect((await charge(mandate, { not_before: tomorrow(), amount_minor: 90_000 })).status).toBe(201);
    pass(25);
    expect((await read(first.json.id)).status).toBe('succeeded');
    expect((await charge(mandate, { not_before: tomorrow() })).status).toBe(201);
  });

  it('F72: by UPI succeeds once in a cycle, however it was announced', async () => {
    const mandate = await give('upi');
    const amounts = [270_000, 90_000];
    const made = [];
    for (const amount_minor of amounts)
      made.push((await charge(mandate, { not_before: tomorrow(), amount_minor })).json.id);
    pass(25);
    const [first, second] = [await read(made[0]), await read(made[1])];
    expect([first, second].map(({ status }) => status).sort()).toEqual(['failed', 'succeeded']);
    expect(first.failure_code ?? second.failure_code).toBe('already_charged_in_cycle');
    const third = await charge(mandate, { not_before: tomorrow() });
    expect([third.status, third.json.error.code]).toEqual([402, 'already_charged_in_cycle']);
    pass(24 * 20);
    expect((await charge(mandate, { not_before: tomorrow() })).status).toBe(201);
  });
});

describe('an answer that does not come', () => {
  it.each<[string, number, string, number]>([
    ['lost', 502, '', 1],
    ['error_502_html', 502, '<h1>502 Bad Gateway</h1>', 1],
    ['error_500', 500, 'internal', 0],
    ['conflict_409', 409, 'idempotency_key_in_use', 0],
  ])('%s: %s, and reading the charge again tells what was done', async (outcome, status, text, charges) => {
    const mandate = await give('card_intl');
    await chooseOutcome(database(), outcome as 'lost');
    const reference = `unheard ${outcome}`;
    const told = await charge(mandate, { reference }, outcome);
    expect(told.status).toBe(status);
    expect(told.text).toContain(text);
    const found = await company.api('GET', `/charges?reference=${encodeURIComponent(reference)}`);
    expect(found.json.data).toHaveLength(charges);
    // Sent again with its key, it is done once whatever was done before.
    expect((await charge(mandate, { reference }, outcome)).json.status).toBe('succeeded');
    const again = await company.api('GET', `/charges?reference=${encodeURIComponent(reference)}`);
    expect(again.json.data).toHaveLength(1);
  });

  it('F05: hang: the money is taken, and nobody ever hears so', async () => {
    const mandate = await give('card_intl');
    await chooseOutcome(database(), 'hang');
    const asking = charge(mandate, { reference: 'hung' });
    const waited = await Promise.race([
      asking.catch(() => 'broken off'),
      new Promise((resolve) => setTimeout(resolve, 500, 'nothing')),
    ]);
    expect(waited).toBe('nothing');
    expect((await company.api('GET', '/charges?reference=hung')).json.data[0].status).toBe('succeeded');
    asking.catch(() => undefined);
  });

  it('late: it fails, and two days later the money is taken after all', async () => {
    pass(48);
    await liveUntil(database(), now());
    const mandate = await give('card_intl');
    await chooseOutcome(database(), 'late');
    const { json } = await charge(mandate);
    expect(json).toMatchObject({ status: 'failed', failure_code: 'processing_error' });
    const due = now().add({ hours: 48 });
    expect((await nextSettlementAt(database(), due))?.toString()).toBe(due.toString());
    await liveUntil(database(), due);
    expect(await read(json.id)).toMatchObject({ status: 'succeeded', updated_at: due.toString() });
    expect(await eventsOf(json.id)).toEqual(['payment.failed', 'payment.succeeded']);
    pass(48);
  });
});

it('many processes that charge one mandate at once announce one amount once', async () => {
  const { customer, id } = await give('card_in');
  const results = await Promise.all(
    Array.from({ length: 12 }, (_, n) =>
      makeCharge(
        database(),
        {
          paymentId: `pay_${String(n).padStart(32, 'c')}`,
          key: `many ${n}`,
          reference: `many ${n}`,
          mandateId: id,
          customer,
          amount: { minor: 270_000n, currency: 'INR' },
          description: 'many',
          notBefore: now().add({ hours: 24 }),
        },
        now(),
      ),
    ),
  );
  expect(results.filter(({ kind }) => kind === 'charged')).toHaveLength(1);
  expect(results.filter((one) => one.kind === 'refused' && one.why === 'notice_in_flight')).toHaveLength(11);
});
