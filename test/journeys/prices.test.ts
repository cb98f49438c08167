import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  beginPriceChange,
  cancelSubscription,
  type NewPriceChange,
  priceChanges,
  resumeSubscription,
  settleDue,
  stopPriceChange,
  subscriptionsOf,
  termsOf,
} from '#billing';
import { createLogger } from '#platform/log';
import type { CommandResult, Options } from '../../src/main/command.ts';
import { COMMANDS } from '../../src/main/commands.ts';
import type { Config } from '../../src/main/config.ts';
import type { Rail } from '../../src/sandbox/sandbox.ts';
import { booksHold } from '../books.ts';
import { live } from '../living.ts';
import { mailsTo } from '../mails.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { beginOrder, pay, settle, signedInBrowser } from '../shop.ts';

/** Each on a paper of its own, since the clock moves. */
let paper: TestPaper;
let made = 0;

beforeEach(async () => {
  paper = await testPaper('2026-11-23T06:30:00Z');
});
afterEach(() => paper.end());

const db = () => paper.database.db;
const now = () => paper.clock.now();
const day = (text: string) => Temporal.PlainDate.from(text);

async function subscriber(plan: 'quarterly' | 'yearly' = 'quarterly', rail: Rail = 'card_intl') {
  const reader = await signedInBrowser(paper, `priced-${++made}@paper.example`, {
    address: `198.51.100.${made % 250}`,
  });
  await pay(paper, await beginOrder(reader, { plan }), 'approve', rail);
  await settle(paper);
  return reader;
}

const begin = (given: Partial<NewPriceChange> = {}) =>
  beginPriceChange(
    paper.billing,
    {
      planSlug: 'quarterly',
      price: { minor: 108_000n, currency: 'INR' },
      fromOn: day('2027-01-01'),
      noticeDays: 30,
      capPercent: undefined,
      aDay: 500,
      ...given,
    },
    now(),
  );

async function subscriptionOf({ readerId }: { readerId: string }) {
  const [subscription] = await subscriptionsOf(db(), readerId);
  if (subscription === undefined) throw new Error('nothing was bought');
  return subscription;
}

/** What each term cost, in rupees. */
async function costs(reader: { readerId: string }) {
  const { id } = await subscriptionOf(reader);
  return (await termsOf(db(), id)).map(({ price }) => Number(price.minor) / 100);
}

const subjectsTo = async ({ email }: { email: string }) =>
  (await mailsTo(paper, email)).map((one) => one.subject);
const told = async (reader: { email: string }) =>
  (await subjectsTo(reader)).filter((one) => /your subscription to .* costs/.test(one));

async function figures() {
  const [change] = await priceChanges(db());
  if (change === undefined) throw new Error('nothing changes');
  const { amended, dropped, told, waiting } = change;
  return { waiting, told, amended, dropped };
}

async function notices() {
  const { rows } = await sql<{ on: string; kind: string; minor: bigint; term_seq: number }>`
    select (sent_at at time zone 'Asia/Kolkata')::date::text as on, kind, amount_minor as minor, term_seq
    from billing.notices where kind = 'price' order by sent_at`.execute(db());
  return rows.map(({ minor, on, term_seq }) => `${on}: ${minor} for term ${term_seq}`);
}

const proveBooks = () => booksHold(paper);

describe('another price for those who have a plan', () => {
  it('F119 F121: is told a month and more before, shown in the account, and charged from the boundary that was told', async () => {
    const reader = await subscriber();
    await begin();
    // Not in the first twelve months.
    await live(paper, '2027-10-09');
    expect(await costs(reader)).toEqual([900, 900, 900, 900]);
    expect(await figures()).toEqual({ waiting: 0, told: 1, amended: 0, dropped: 0 });
    expect(await notices()).toEqual(['2027-10-09: 108000 for term 4']);
    expect(await told(reader)).toEqual([
      'From 23 November 2027 your subscription to Broadsheet costs ₹1,080',
    ]);
    const account = await (await reader.get('/account')).text();
    expect(account).toContain('data-announced="2027-11-23"');
    expect(account).toContain('₹900 now, and ₹1,080 from 23 November 2027: ₹360 a month, tax included');
    expect(await figures()).toMatchObject({ told: 1 });
    await live(paper, '2028-03-01');
    expect(await costs(reader)).toEqual([900, 900, 900, 900, 1080, 1080]);
    expect(await figures()).toEqual({ waiting: 0, told: 0, amended: 1, dropped: 0 });
    // And once: a change that was amended is told to nobody again.
    expect(await told(reader)).toHaveLength(1);
    await proveBooks();
  });

  it('is told to each reader once, whatever workers there are, and to no more a day than it says', async () => {
    const readers = [await subscriber(), await subscriber(), await subscriber()];
    await begin({ aDay: 1 });
    const other = await paper.another();
    await live(paper, '2027-10-08T18:00:00Z');
    for (const on of ['2027-10-09', '2027-10-10', '2027-10-11']) {
      paper.clock.set(`${on}T06:00:00Z`);
      await Promise.all([0, 1, 2, 3].map((n) => settleDue((n % 2 ? paper : other).billing, now())));
      await settle(paper);
    }
    expect((await notices()).map((one) => one.slice(0, 10))).toEqual([
      '2027-10-09',
      '2027-10-10',
      '2027-10-11',
    ]);
    for (const reader of readers) expect(await told(reader)).toHaveLength(1);
    await live(paper, '2027-11-24');
    for (const reader of readers) expect((await costs(reader)).at(-1)).toBe(1080);
    await proveBooks();
  });

  it('is told before the boundary after, where workers were away on its days', async () => {
    const reader = await subscriber();
    await begin();
    await live(paper, '2027-10-01');
    paper.clock.set('2027-10-24T06:00:00Z');
    await live(paper, '2027-12-01');
    expect((await costs(reader)).at(-1)).toBe(900);
    expect(await told(reader)).toEqual([]);
    await live(paper, '2028-02-24');
    expect((await costs(reader)).at(-1)).toBe(1080);
    await proveBooks();
  });

  it('F71 F76: dearer than the mandate allows asks for another, and until that is given nothing is charged', async () => {
    const reader = await subscriber('quarterly', 'upi');
    // 1.5 times ₹900 is what was allowed.
    await begin({ price: { minor: 140_000n, currency: 'INR' } });
    await live(paper, '2027-10-10');
    const [mail] = (await mailsTo(paper, reader.email)).filter(({ subject }) => /costs ₹1,400/.test(subject));
    expect(mail?.text).toContain('Your card or mandate does not let us take that much.');
    expect(await (await reader.get('/account/payment')).text()).toContain('data-payment="wanted"');
    expect(await (await reader.get('/account')).text()).toContain('data-mandate="too-small"');
    await live(paper, '2027-11-24');
    expect(await costs(reader)).toEqual([900, 900, 900, 900]);
    expect((await subscriptionOf(reader)).state).toBe('past_due');
    const url = (await reader.post('/account/payment')).headers.get('location') ?? '';
    await pay(paper, url, 'approve', 'upi');
    await settle(paper);
    expect((await costs(reader)).at(-1)).toBe(1400);
    await live(paper, '2028-02-24');
    expect(await costs(reader)).toEqual([900, 900, 900, 900, 1400, 1400]);
    await proveBooks();
  });

  it('and where it is given before, the term is charged as it was told', async () => {
    const reader = await subscriber('quarterly', 'upi');
    await begin({ price: { minor: 140_000n, currency: 'INR' } });
    await live(paper, '2027-10-10');
    const url = (await reader.post('/account/payment')).headers.get('location') ?? '';
    await pay(paper, url, 'approve', 'upi');
    await settle(paper);
    expect(await (await reader.get('/account/payment')).text()).toContain('data-payment="kept"');
    await live(paper, '2027-11-24');
    expect((await costs(reader)).at(-1)).toBe(1400);
    await proveBooks();
  });

  it('waits while its reader has cancelled, and comes when they take that back', async () => {
    const [gone, back] = [await subscriber(), await subscriber()];
    await begin();
    await live(paper, '2027-10-01');
    for (const { readerId } of [gone, back])
      await cancelSubscription(paper.billing, readerId, 'reader', now());
    await live(paper, '2027-10-15');
    expect(await notices()).toEqual([]);
    await resumeSubscription(paper.billing, back.readerId, 'reader', now());
    await live(paper, '2027-11-24');
    expect(await told(back)).toHaveLength(1);
    expect((await costs(back)).at(-1)).toBe(1080);
    expect(await told(gone)).toEqual([]);
    expect(await figures()).toEqual({ waiting: 0, told: 0, amended: 1, dropped: 1 });
    await proveBooks();
  });

  it('gives way to what its reader chooses, and is there again when they take that back', async () => {
    const [other, same] = [await subscriber(), await subscriber()];
    await begin();
    await live(paper, '2027-10-10');
    for (const reader of [other, same]) await reader.post('/account/plan-change', { plan: 'yearly' });
    await same.post('/account/plan-change', { plan: 'quarterly' });
    expect(await (await same.get('/account')).text()).toContain('data-announced="2027-11-23"');
    expect(await (await other.get('/account')).text()).not.toContain('data-announced');
    const url = (await other.post('/account/payment')).headers.get('location') ?? '';
    await pay(paper, url);
    await live(paper, '2027-11-24');
    expect((await costs(other)).at(-1)).toBe(2700);
    expect((await costs(same)).at(-1)).toBe(1080);
    expect(await figures()).toEqual({ waiting: 0, told: 0, amended: 1, dropped: 1 });
    // Dearer than the plan that was spoken of, and no more than was told of this one.
    await proveBooks();
  });

  it('that is stopped is told to nobody any more, and who was told hears that it stays', async () => {
    const [early, late] = [await subscriber(), await subscriber()];
    const { id } = await begin({ aDay: 1 });
    await live(paper, '2027-10-09T12:00:00Z');
    expect(await figures()).toMatchObject({ told: 1, waiting: 1 });
    const stopped = await stopPriceChange(paper.billing, id, 'command line', now());
    expect(stopped).toEqual({ calledBack: 1, tooLate: 0 });
    expect(await stopPriceChange(paper.billing, id, 'command line', now())).toMatchObject({ calledBack: 0 });
    await live(paper, '2027-11-24');
    for (const reader of [early, late]) expect((await costs(reader)).at(-1)).toBe(900);
    const stays = [...(await subjectsTo(early)), ...(await subjectsTo(late))].filter((one) =>
      /stays as it is/.test(one),
    );
    expect(stays).toHaveLength(1);
    expect(await figures()).toEqual({ waiting: 0, told: 0, amended: 0, dropped: 2 });
    await proveBooks();
  });

  it('that comes too late to be called back, because it is being charged, is charged as it was told', async () => {
    const reader = await subscriber('quarterly', 'upi');
    const { id } = await begin();
    await live(paper, '2027-11-20T12:00:00Z');
    expect(await stopPriceChange(paper.billing, id, 'command line', now())).toEqual({
      calledBack: 0,
      tooLate: 1,
    });
    await live(paper, '2027-11-24');
    expect((await costs(reader)).at(-1)).toBe(1080);
    await proveBooks();
  });

  it('that falls comes with the next term, for everybody', async () => {
    const reader = await subscriber();
    await live(paper, '2026-12-01');
    await begin({ price: { minor: 80_000n, currency: 'INR' }, fromOn: day('2026-12-01') });
    await live(paper, '2027-02-24');
    expect(await costs(reader)).toEqual([900, 800]);
    expect(await subjectsTo(reader)).toContainEqual(expect.stringMatching(/costs less: ₹800$/));
    await proveBooks();
  });

  it('that falls stays with whoever was told of it, also where it is stopped', async () => {
    const [reader, later] = [await subscriber(), await subscriber()];
    await live(paper, '2026-12-01');
    const { id } = await begin({
      price: { minor: 80_000n, currency: 'INR' },
      fromOn: day('2026-12-01'),
      aDay: 1,
    });
    for (let on = day('2026-12-02'); (await figures()).told === 0; on = on.add({ days: 1 }))
      await live(paper, on.toString());
    expect(await stopPriceChange(paper.billing, id, 'command line', now())).toEqual({
      calledBack: 0,
      tooLate: 1,
    });
    await live(paper, '2027-02-24');
    const paid = [await costs(reader), await costs(later)].map((all) => all.at(-1));
    expect(paid.toSorted()).toEqual([800, 900]);
    await proveBooks();
  });

  it('a newer one takes the place of one that was not told yet', async () => {
    const reader = await subscriber();
    await begin();
    await begin({ price: { minor: 99_000n, currency: 'INR' } });
    await live(paper, '2027-11-24');
    expect((await costs(reader)).at(-1)).toBe(990);
    expect(await told(reader)).toHaveLength(1);
  });
});

function run(name: string, args: string[], options: Options = {}): Promise<CommandResult> {
  const command = COMMANDS.find((one) => one.name === name);
  if (command === undefined) throw new Error(`there is no command ${name}`);
  return command.run({
    paper,
    config: { sandbox: true } as Config,
    clock: paper.clock,
    log: createLogger('silent'),
    args,
    options,
    signal: AbortSignal.timeout(60_000),
  });
}

const actions = async () => {
  const { rows } = await sql<{ what: string; actor: string }>`
    select what, actor from staff.actions order by done_at, id`.execute(db());
  return rows.map(({ actor, what }) => `${what} by ${actor}`);
};

describe('commands about prices', () => {
  it('F121: set what new readers pay from a day on, and leave alone what was agreed', async () => {
    const old = await subscriber();
    await run('price set', ['quarterly', '120000'], { from: '2026-12-01' });
    // Mistyped: what has not come yet gives way.
    await run('price set', ['quarterly', '99000'], { from: '2026-12-01' });
    const listed = (await run('price list', [])).json as {
      plan: string;
      amount_minor: bigint;
      state: string;
    }[];
    expect(
      listed.filter(({ plan }) => plan === 'quarterly').map((one) => `${one.amount_minor} ${one.state}`),
    ).toEqual(['90000 on-sale', '120000 to-come', '99000 to-come']);
    await live(paper, '2026-12-02');
    await expect
      .poll(async () => paper.plans().find(({ slug }) => slug === 'quarterly')?.price.minor)
      .toBe(99_000n);
    const fresh = await subscriber();
    await live(paper, '2027-03-03');
    expect(await costs(old)).toEqual([900, 900]);
    expect(await costs(fresh)).toEqual([990, 990]);
    for (const [from, code] of [
      ['2026-12-01', 'price-in-the-past'],
      ['2027-03-03', undefined],
      ['2027-03-03', 'price-on-sale'],
    ] as const) {
      const set = run('price set', ['quarterly', '110000'], { from });
      if (code === undefined) await set;
      else await expect(set).rejects.toMatchObject({ code });
    }
    await expect(run('price set', ['daily', '100'], { from: '2027-04-01' })).rejects.toMatchObject({
      code: 'no-such-plan',
    });
    expect((await actions())[0]).toBe('price by command line');
  });

  it('say before what a change would do, begin it, tell how far it is, and stop it', async () => {
    await subscriber();
    const gone = await subscriber('quarterly', 'upi');
    await cancelSubscription(paper.billing, gone.readerId, 'reader', now());
    await subscriber('quarterly', 'upi');
    const wanted = { from: '2027-01-01', 'cap-percent': '60' };
    const dry = await run('price change', ['quarterly', '140000'], { ...wanted, 'dry-run': true });
    expect(dry.json).toEqual({
      dry_run: true,
      currency: 'INR',
      months: [{ month: '2027-11', readers: 2, more_a_year_minor: 400_000n }],
      first_told_on: '2027-10-09',
      crowded_out: 0,
      need_mandate: 2,
      waiting: { cancelled: 1 },
      same: 0,
    });
    expect(await priceChanges(db())).toEqual([]);
    const begun = await run('price change', ['quarterly', '140000'], wanted);
    expect(begun.json).toMatchObject({ id: 'quarterly-1', readers: 3 });
    const shown = await run('price change show', ['quarterly-1']);
    expect(shown.json).toMatchObject([
      { cap_percent: 60, a_day: 500, waiting: 3, told: 0, stopped_at: null },
    ]);
    expect(shown.text).toContain('at most 60% more');
    const stopped = await run('price change stop', ['quarterly-1']);
    expect(stopped.json).toEqual({ id: 'quarterly-1', called_back: 0, too_late: 0 });
    await expect(run('price change stop', ['quarterly-9'])).rejects.toMatchObject({ code: 'no-such-change' });
    expect(await actions()).toEqual(['price-change by command line', 'price-change-stop by command line']);
  });

  it.each([
    [{ from: '2026-01-01' }, 'today or later'],
    [{ 'notice-days': '29' }, '30 to 180 days'],
    [{ 'notice-days': '181' }, '30 to 180 days'],
    [{ 'cap-percent': '1001' }, 'per cent'],
  ])('refuse a change that is none: %j', async (given, says) => {
    await expect(
      run('price change', ['quarterly', '99000'], { from: '2027-01-01', ...given }),
    ).rejects.toThrow(says);
  });
});

describe('in India', () => {
  const dear = async (amount: string) => {
    await run('price set', ['yearly', amount], { from: '2026-11-23' });
    await expect
      .poll(() => paper.plans().find(({ slug }) => slug === 'yearly')?.price.minor)
      .toBe(BigInt(amount));
    return subscriber('yearly', 'upi');
  };

  it('I22: a mandate has room for a rise, and none beyond ₹15,000, which nothing can be taken of without its payer', async () => {
    const { mandate } = await subscriptionOf(await dear('1200000'));
    expect(mandate?.maxAmount?.minor).toBe(1_500_000n);
  });

  it('F71: what is to cost more than that is paid by its reader from then on, once they were reminded', async () => {
    const reader = await dear('1200000');
    await begin({ planSlug: 'yearly', price: { minor: 1_600_000n, currency: 'INR' } });
    await live(paper, '2027-10-20');
    const [mail] = (await mailsTo(paper, reader.email)).filter(({ subject }) =>
      /costs ₹16,000/.test(subject),
    );
    expect(mail?.text.replace(/\s+/g, ' ')).toContain('nobody may take so much without you');
    expect(await (await reader.get('/account')).text()).toContain('data-mandate="by-hand"');
    await live(paper, '2027-10-26');
    await pay(paper, (await reader.post('/account/payment')).headers.get('location') ?? '', 'approve', 'upi');
    await settle(paper);
    expect(await costs(reader)).toEqual([12_000, 16_000]);
    await live(paper, '2027-12-01');
    expect(await costs(reader)).toEqual([12_000, 16_000]);
    await proveBooks();
  });
});

describe('rates of tax', () => {
  const taxes = async () => {
    const { rows } = await sql<{ on: string; tax: bigint }>`
      select issued_on::text as on, tax_minor as tax from billing.invoices where number is not null order by number`.execute(
      db(),
    );
    return rows.map(({ on, tax }) => `${on} ${tax}`);
  };

  it('F114: a renewal has the rate that is in force on the day of its invoice', async () => {
    await subscriber();
    const after = await run('tax set', ['IN'], { kind: 'gst', percent: '12', from: '2027-02-22' });
    expect(after.json).toEqual([
      {
        country: 'IN',
        kind: 'gst',
        basis_points: 1800,
        from_on: '2017-07-01',
        until_on: '2027-02-22',
        in_force: true,
      },
      {
        country: 'IN',
        kind: 'gst',
        basis_points: 1200,
        from_on: '2027-02-22',
        until_on: null,
        in_force: false,
      },
    ]);
    await live(paper, '2027-02-24');
    // ₹900 with 18 % in it, and with 12.
    expect(await taxes()).toEqual(['2026-11-23 13729', '2027-02-22 9643']);
    expect(await actions()).toEqual(['tax-rate by command line']);
    await proveBooks();
  });

  it('that invoices were made under are ended and followed by others, and never changed', async () => {
    await subscriber();
    const set = (percent: string, from: string, more: Options = {}) =>
      run('tax set', ['IN'], { kind: 'gst', percent, from, ...more });
    await expect(set('12', '2026-11-23')).rejects.toMatchObject({ code: 'rate-in-use' });
    await expect(set('12', '2017-07-01')).rejects.toMatchObject({ code: 'rate-in-use' });
    await expect(
      sql`update billing.tax_rates set basis_points = 1200 where country = 'IN'`.execute(db()),
    ).rejects.toThrow(/never changed/);
    await expect(sql`delete from billing.tax_rates where country = 'IN'`.execute(db())).rejects.toThrow(
      /never changed/,
    );
    await set('12', '2026-11-24');
    // Mistyped, and nothing was invoiced under it.
    const { json } = await set('5', '2026-11-24', { until: '2027-11-24' });
    expect(json).toMatchObject([
      { basis_points: 1800, until_on: '2026-11-24' },
      { basis_points: 500, until_on: '2027-11-24' },
    ]);
  });

  it('overlap nowhere', async () => {
    const set = (from: string, until?: string) =>
      run('tax set', ['FR'], {
        kind: 'vat',
        percent: '2.1',
        from,
        ...(until === undefined ? {} : { until }),
      });
    await set('2027-01-01', '2028-01-01');
    await expect(set('2026-01-01')).rejects.toMatchObject({ code: 'rate-overlaps' });
    await expect(set('2027-06-01')).rejects.toMatchObject({ code: 'rate-overlaps' });
    await set('2028-01-01');
    const france = ((await run('tax list', [])).json as { country: string; basis_points: number }[]).filter(
      ({ country }) => country === 'FR',
    );
    expect(france.map((one) => one.basis_points)).toEqual([210, 210]);
  });

  it.each([
    ['FR', { kind: 'gst', percent: '5' }],
    ['IN', { kind: 'vat', percent: '5' }],
    ['FR', { kind: 'vat', percent: '101' }],
    ['IN', { kind: 'gst', percent: '5.01' }],
    ['FR', { kind: 'vat', percent: '5', until: '2027-01-01' }],
  ] as const)('that no law has are refused: %s %j', async (country, given) => {
    await expect(run('tax set', [country], { from: '2027-01-01', ...given })).rejects.toMatchObject({
      code: 'bad-rate',
    });
  });

  it('are those of the Union and the United Kingdom as they were known in 2020, each from its day', async () => {
    const rates = (await run('tax list', [])).json as {
      country: string;
      basis_points: number;
      from_on: string;
    }[];
    const known =
      'AT 1000, BE 600, CZ 1000, DE 700, FI 1000, GB 0, HR 500, IE 900, IN 1800, LU 300, MT 500, NL 900, PL 500, PT 600, SE 600, SI 500';
    expect(rates.map((one) => `${one.country} ${one.basis_points}`).join(', ')).toBe(known);
    expect(new Set(rates.map((one) => one.from_on))).toEqual(
      new Set(['2017-07-01', '2020-01-01', '2020-05-01']),
    );
  });
});
