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
      await client.query(sql);
      await client.query('commit');
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
    expect(result.json).toMatchObject({ broken: [], taken: [{ currency: 'INR', minor: 540_000n }] });
  });

  it.each([
    [
      'a term that nobody paid',
      `update billing.charge_intents set status = 'failed' where id = (select id from billing.charge_intents limit 1)`,
      `update billing.charge_intents set status = 'succeeded'`,
      ['has 1 succeeded payments', 'has 0 succeeded charges'],
    ],
    [
      'a payment that was never made',
      `update billing.payments set amount_minor = amount_minor - 1 where id = (select id from billing.payments limit 1)`,
      `update billing.payments set amount_minor = 270000`,
      ['has 1 succeeded payments', 'the gateway says ₹5,400, and our books ₹5,399.99'],
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
      'a term that begins too late',
      `update billing.terms set start_on = start_on + 1 where id = (select id from billing.terms limit 1)`,
      `update billing.terms t set start_on = (select anchor_on from billing.subscriptions s where s.id = t.subscription_id)`,
      ['begins on'],
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
