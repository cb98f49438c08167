import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askBack, cancelSubscription, insertOffer, type Offer, refundPayment, timelineOf } from '#billing';
import { giveGrants } from '#entitlements';
import { uuidv7 } from '#platform/ids';
import { live } from '../living.ts';
import { mailsTo } from '../mails.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { beginOrder, pay, settle, signedInBrowser } from '../shop.ts';

/** Readers who are gone, and a letter that asks them to come back. */
let paper: TestPaper;
beforeAll(async () => {
  paper = await testPaper('2026-11-23T06:30:00Z');
});
afterAll(() => paper.end());

const OFFER: Offer = {
  slug: 'back',
  name: 'Half a year at half price',
  planSlug: undefined,
  trialDays: 0,
  phases: [{ terms: 2, percentOff: 50 }],
  who: 'lapsed',
  lapsedDays: 30,
  fromOn: Temporal.PlainDate.from('2026-01-01'),
  untilOn: Temporal.PlainDate.from('2029-12-01'),
  needsCode: false,
  most: undefined,
};

let made = 0;
async function subscriber(plan = 'quarterly') {
  const reader = await signedInBrowser(paper, `gone-${++made}@paper.example`);
  await pay(paper, await beginOrder(reader, { plan }));
  await settle(paper);
  return reader;
}
const now = () => paper.clock.now();
const leave = (reader: { readerId: string }) =>
  cancelSubscription(paper.billing, reader.readerId, 'reader', now());
const letters = async ({ email }: { email: string }) =>
  (await mailsTo(paper, email)).filter(({ subject }) => subject.startsWith('Come back'));
const subscriptionOf = async ({ readerId }: { readerId: string }) => {
  const { rows } = await paper.database.pool.query<{ id: string }>(
    'select id from billing.subscriptions where reader_id = $1 order by created_at desc limit 1',
    [readerId],
  );
  return rows[0]?.id ?? '';
};
const stopPath = (text: string) => /http:\/\/localhost:3000(\/offers-by-mail\/\S+)/.exec(text)?.[1] ?? '';

describe('who is gone', () => {
  it('is written to once, when there is an offer for them, and comes back by what it says', async () => {
    const reader = await subscriber();
    await leave(reader);
    await live(paper, '2027-03-25');
    expect(await askBack(paper.billing, now())).toBe(0);
    await paper.database.db.transaction().execute((tx) => insertOffer(tx, OFFER, [], now()));
    const counts = await Promise.all([askBack(paper.billing, now()), askBack(paper.billing, now())]);
    expect(counts.toSorted()).toEqual([0, 1]);
    expect(await askBack(paper.billing, now())).toBe(0);
    const [letter, ...more] = await letters(reader);
    expect(more).toEqual([]);
    expect(letter?.subject).toBe('Come back to Broadsheet: first 6 months at ₹450 a term');
    expect(letter?.text).toContain('You read all of Broadsheet until 23 February 2027.');
    expect(letter?.text).toContain(
      'The first 2 terms of 3 months cost ₹450 each. After that it costs ₹900 for 3 months, tax included',
    );
    expect(letter?.text).toContain('until 30 November 2029');
    expect((await timelineOf(paper.database.db, await subscriptionOf(reader))).at(-1)?.fact).toBe(
      'asked back',
    );

    const path = /http:\/\/localhost:3000(\/subscribe\/\S+)/.exec(letter?.text ?? '')?.[1] ?? '';
    expect(await (await reader.get(path)).text()).toContain('The first 2 terms of 3 months cost ₹450 each');
    await pay(paper, await beginOrder(reader, { plan: 'quarterly', offer: 'back' }));
    await settle(paper);
    await leave(reader);
    // Gone again, and within half a year: then the offer would be the price.
    await live(paper, '2027-08-20');
    expect(await askBack(paper.billing, now())).toBe(0);
  });

  it.each<[string, (reader: Awaited<ReturnType<typeof subscriber>>) => Promise<unknown>]>([
    [
      'had their money back',
      ({ readerId }) =>
        refundPayment(paper.billing, { readerId, actor: 'support', reason: 'they asked' }, now()),
    ],
    ['still reads', async () => undefined],
    [
      'reads by what the paper gives them',
      async (reader) => {
        await leave(reader);
        await paper.database.db.transaction().execute((tx) =>
          giveGrants(
            tx,
            [
              {
                readerId: reader.readerId,
                benefits: ['reading'],
                source: 'institution',
                sourceId: uuidv7(),
                from: now(),
                until: now().add({ hours: 24 * 400 }),
              },
            ],
            now(),
          ),
        );
      },
    ],
  ])('is left in peace who %s', async (_, act) => {
    const reader = await subscriber();
    await act(reader);
    await live(
      paper,
      now()
        .add({ hours: 24 * 130 })
        .toString(),
    );
    await askBack(paper.billing, now());
    expect(await letters(reader)).toEqual([]);
  });
});

describe('whoever wants no such mail', () => {
  it('says so by a link in it, signed in or not, or lets a mail program do it', async () => {
    const reader = await subscriber();
    await leave(reader);
    await live(
      paper,
      now()
        .add({ hours: 24 * 125 })
        .toString(),
    );
    expect(await askBack(paper.billing, now())).toBe(1);
    const [letter] = await letters(reader);
    const path = stopPath(letter?.text ?? '');
    const post = (body: string) =>
      paper.app.request(`${paper.baseUrl}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body,
        redirect: 'manual',
      });
    expect(await (await paper.get(path)).text()).toContain('Send me no offers');
    const oneClick = await post('List-Unsubscribe=One-Click');
    expect([oneClick.status, await oneClick.text()]).toEqual([
      200,
      expect.stringContaining('sends you no offers any more'),
    ]);
    expect((await post('offers=yes')).status).toBe(303);
    expect(await (await paper.get(path)).text()).toContain('may write to you');
    expect((await post('offers=no')).status).toBe(303);
    expect((await paper.get(`${path.slice(0, -4)}AAAA`)).status).toBe(404);

    await paper.database.pool.query(
      'update billing.subscriptions set asked_back_at = null where reader_id = $1',
      [reader.readerId],
    );
    expect(await askBack(paper.billing, now())).toBe(0);
    await post('offers=yes');
    expect(await askBack(paper.billing, now())).toBe(1);
  });
});
