import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '#platform/log';
import { COMMANDS } from '../../src/main/commands.ts';
import { storeStories } from '../builders.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { beginOrder, pay, settle, signedInBrowser } from '../shop.ts';
import { canaryStory } from './leaks.ts';

/** What an operator runs after a restore, and whenever there is doubt. */
let paper: TestPaper;
beforeAll(async () => {
  paper = await testPaper();
});
afterAll(() => paper.end());

type Told = {
  failure?: string;
  json: {
    broken: { invariant: string; what: string }[];
    leaks: { story: string; at: string }[];
    sentences: number;
  };
};

async function command(name: 'ledger check' | 'leak-check'): Promise<Told> {
  const context = { paper, clock: paper.clock, log: createLogger('silent'), args: [], options: {} };
  const found = COMMANDS.find((one) => one.name === name);
  return (await found?.run(context as never)) as Told;
}

describe('the check of the ledger', () => {
  const broken = async () => (await command('ledger check')).json.broken;
  const change = async (sql: string) => {
    const client = await paper.database.pool.connect();
    try {
      await client.query('begin');
      // As nothing in the program can: past the triggers that guard the books.
      await client.query('set local session_replication_role = replica');
      await client.query(sql);
      await client.query('commit');
    } catch (error) {
      await client.query('rollback');
      throw error;
    } finally {
      client.release();
    }
  };

  it('finds nothing where all is well, and says what was taken', async () => {
    expect(await broken()).toEqual([]);
    for (const email of ['asha@post.example', 'kabir@post.example']) {
      const reader = await signedInBrowser(paper, email);
      await pay(paper, await beginOrder(reader));
    }
    await settle(paper);
    const result = await command('ledger check');
    expect(result.failure).toBeUndefined();
    expect(result.json).toMatchObject({
      broken: [],
      taken: [{ gateway: 'sandbox', currency: 'INR', minor: 540_000n }],
    });
  });

  it.each([
    [
      'a term that nobody paid',
      `update billing.charge_intents set status = 'failed' where id = (select id from billing.charge_intents limit 1)`,
      `update billing.charge_intents set status = 'succeeded'`,
      ['has 1 succeeded payments', 'has 0 charges'],
    ],
    [
      'a payment that was never made',
      `update billing.payments set amount_minor = amount_minor - 1 where id = (select id from billing.payments limit 1)`,
      `update billing.payments set amount_minor = 270000`,
      ['has 1 succeeded payments', 'of 269999 is booked as 270000'],
    ],
    [
      'a reader who paid and may not read',
      `update entitlements.grants set until_at = until_at - interval '1 day' where id = (select id from entitlements.grants where benefit = 'epaper' limit 1)`,
      `update entitlements.grants g set until_at = (select max(until_at) from entitlements.grants o where o.source_id = g.source_id)`,
      ['gives 6 of 7 benefits'],
    ],
    [
      'a subscription that is paid for longer than it was',
      `update billing.subscriptions set paid_through_on = paid_through_on + 1 where id = (select id from billing.subscriptions limit 1)`,
      `update billing.subscriptions s set paid_through_on = (select max(end_on) from billing.terms t where t.subscription_id = s.id)`,
      ['is paid through'],
    ],
    [
      'I10: a term that begins before the one before it ends',
      `insert into billing.terms select gen_random_uuid(), subscription_id, 1, end_on - 1, end_on + 9, currency, amount_minor, 'void'
        from billing.terms limit 1`,
      `delete from billing.terms where status = 'void'`,
      ['begins on'],
    ],
    [
      'I13: a number of a term that is left out',
      `insert into billing.terms select gen_random_uuid(), subscription_id, 2, end_on, end_on + 9, currency, amount_minor, 'void'
        from billing.terms limit 1`,
      `delete from billing.terms where status = 'void'`,
      ['term 2 of subscription'],
    ],
    [
      'I1 I3: an entry that is gone, and what the gateway holds besides',
      `update billing.journal set accounts[1] = 'cash:elsewhere' where id = (select id from billing.journal where kind = 'captured' limit 1)`,
      `update billing.journal set accounts[1] = 'cash:sandbox' where kind = 'captured'`,
      ['sandbox says ₹5,400, and our books ₹2,700'],
    ],
    [
      'I3: a payment that is not booked',
      `update billing.journal set key = 'lost ' || key where id = (select id from billing.journal where kind = 'captured' limit 1)`,
      `update billing.journal set key = replace(key, 'lost ', '')`,
      ['is booked as'],
    ],
    [
      'I2: an invoice that says paid, and is owed',
      `update billing.journal set invoice_id = null where id = (select id from billing.journal where kind = 'captured' limit 1)`,
      `update billing.journal j set invoice_id = i.invoice_id from billing.payments p join billing.charge_intents i on i.id = p.intent_id
        where j.key = 'captured ' || p.gateway_payment_id`,
      ['of it is receivable'],
    ],
    [
      'I4 I19: an invoice whose tax is not its own',
      `update billing.invoices set taxable_minor = taxable_minor - 1, tax_minor = tax_minor + 1 where serial = 1`,
      `update billing.invoices set taxable_minor = taxable_minor + 1, tax_minor = tax_minor - 1 where serial = 1`,
      ['does not add up', 'deferred'],
    ],
    [
      'I23: an offer that more readers have than it is for, and one that is held for what runs',
      `insert into billing.offers (slug, name, who, from_on, most, trial_days, created_at) values ('one', 'One', 'anyone', '2026-01-01', 1, 7, now());
       insert into billing.redemptions (id, offer_slug, reader_id, subscription_id, status, at)
         select gen_random_uuid(), 'one', reader_id, id, 'reserved', now() from billing.subscriptions`,
      `delete from billing.redemptions; delete from billing.offers`,
      ['is had by 2', 'is held for subscription'],
    ],
    [
      'I17: more readers than seats, and one who reads without a seat',
      `insert into billing.seats (id, subscription_id, email, invited_at)
         select gen_random_uuid(), id, n || '@paper.example', now() from billing.subscriptions, generate_series(1, 2) n;
       insert into entitlements.grants (id, reader_id, benefit, source, source_id, from_at, until_at, made_at)
         select gen_random_uuid(), gen_random_uuid(), 'reading', 'seat', source_id, from_at, until_at, now()
         from entitlements.grants where benefit = 'reading' limit 1`,
      `delete from billing.seats; delete from entitlements.grants where source = 'seat'`,
      ['of 1 has 2', 'has reading from'],
    ],
    [
      'I18: a number of an invoice that is left out',
      `update billing.invoices set serial = 9 where serial = 1`,
      `update billing.invoices set serial = 1 where serial = 9`,
      ['INV/'],
    ],
    [
      'I20: an invoice of which more is credited than it says',
      `insert into billing.credit_notes select gen_random_uuid(), id, financial_year, 1, 'CRN/1', issued_on, issued_at, 'x', currency,
        total_minor + 1, taxable_minor + 1, tax, tax_minor from billing.invoices where serial = 1`,
      'delete from billing.credit_notes',
      ['is credited with'],
    ],
    [
      'I21: a payment of which more went back than was taken',
      `insert into billing.refunds select gen_random_uuid(), id, gateway, 'rfnd-1', currency, amount_minor + 1, 'pending', 'x', 'x', null, at
        from billing.payments limit 1`,
      'delete from billing.refunds',
      ['went back'],
    ],
    [
      'somebody who is owed less than nothing',
      `insert into billing.journal select gen_random_uuid(), 'wrong', 'refunded', on_day, at, currency, '{owed,disputed}', '{5,-5}',
        subscription_id, null from billing.journal limit 1`,
      `delete from billing.journal where key = 'wrong'`,
      ['is owed'],
    ],
    [
      'I14: a right from days that nobody gave',
      `update entitlements.grants set source = 'grace' where id = (select id from entitlements.grants limit 1)`,
      `update entitlements.grants set source = 'term'`,
      ['from'],
    ],
    [
      'I16: more days on credit than there are of grace',
      `insert into billing.given_days select gen_random_uuid(), subscription_id, 'grace', start_on, start_on + 8, now() from billing.terms limit 1`,
      'delete from billing.given_days',
      ['has grace from'],
    ],
    [
      'I9 I22: a charge that nobody announced, of a subscription that was over',
      `update billing.charge_intents i set mandate_id = s.mandate_id from billing.subscriptions s where s.id = i.subscription_id;
        update billing.subscriptions set state = 'canceled', ended_at = created_at - interval '1 day', ended_reason = 'user'`,
      `update billing.charge_intents set mandate_id = null; update billing.subscriptions set state = 'active', ended_at = null, ended_reason = null`,
      ['was announced as', 'had ended'],
    ],
  ])('names %s', async (_, breaking, mending, names) => {
    await change(breaking);
    const found = (await broken()).map(({ what }) => what);
    for (const name of names) expect(found.join('\n')).toContain(name);
    const failed = await command('ledger check');
    expect(failed.failure).toMatch(/^the books are broken in \d+ places?/);
    await change(mending);
    expect(await broken()).toEqual([]);
  });
});

describe('the check for leaks', () => {
  it('finds nothing, whatever the story, and names a sentence that can be read', async () => {
    const stories = [
      canaryStory('premium', 11, { access: 'premium' }),
      canaryStory('registered', 12, { access: 'registered' }),
      canaryStory('metered', 13, { access: 'metered' }),
      canaryStory('draft', 14, { access: 'free', state: 'draft' }),
      canaryStory('free', 15, { access: 'free' }),
    ];
    await storeStories(
      paper.database.db,
      stories.map(({ input }) => input),
    );
    const clean = await command('leak-check');
    expect(clean.json.leaks.slice(0, 3)).toEqual([]);
    expect(clean.failure).toBeUndefined();
    expect(clean.json).toMatchObject({ stories: 4, leaks: [] });
    expect(clean.json.sentences).toBeGreaterThan(40);

    // Somebody wrote a locked sentence where everybody reads: under another story's headline, and as a section's words.
    const [premium] = stories;
    const { pool } = paper.database;
    await pool.query(`update content.sections set description = $1 where slug = 'nation'`, [
      `${premium?.locked[0]}`,
    ]);
    await expect
      .poll(async () => (await command('leak-check')).failure)
      .toMatch(/locked sentences can be read outside/);
    const leaks = (await command('leak-check')).json.leaks;
    expect(leaks[0]?.story).toContain('about-premium');
    await pool.query(`update content.sections set description = ''`);
    await expect.poll(async () => (await command('leak-check')).failure).toBeUndefined();
  }, 60_000);
});
