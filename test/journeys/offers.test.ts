import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  cancelSubscription,
  insertOffer,
  type Offer,
  offerFigures,
  subscriptionsOf,
  termsOf,
} from '#billing';
import { booksHold } from '../books.ts';
import { live } from '../living.ts';
import { mailsTo } from '../mails.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { beginOrder, pay, settle, signedInBrowser, type TestBrowser } from '../shop.ts';

/** Each on a paper of its own, since the clock moves. */
let paper: TestPaper;
let made = 0;

beforeEach(async () => {
  paper = await testPaper('2026-11-23T06:30:00Z');
});
afterEach(() => paper.end());

async function reader() {
  return signedInBrowser(paper, `offered-${++made}@paper.example`, { address: `198.51.100.${made % 250}` });
}

async function offer(given: Partial<Offer> & { codes?: readonly { code: string; most?: number }[] } = {}) {
  const { codes = [], ...rest } = given;
  const whole: Offer = {
    slug: 'spring',
    name: 'Spring',
    planSlug: 'quarterly',
    trialDays: 0,
    phases: [],
    who: 'anyone',
    lapsedDays: 30,
    fromOn: Temporal.PlainDate.from('2026-11-01'),
    untilOn: undefined,
    needsCode: codes.length > 0,
    most: undefined,
    ...rest,
  };
  await paper.database.db.transaction().execute((tx) =>
    insertOffer(
      tx,
      whole,
      codes.map(({ code, most }) => ({ code, most })),
      paper.clock.now(),
    ),
  );
  await expect
    .poll(async () => {
      const page = await (await paper.app.request(`${paper.baseUrl}/subscribe`)).text();
      return whole.needsCode || whole.who === 'lapsed' || page.includes(`offer=${whole.slug}`);
    })
    .toBe(true);
}

const QUARTERLY = { plan: 'quarterly' };
const withOffer = (slug = 'spring') => ({ ...QUARTERLY, offer: slug });

async function stands(readerId: string) {
  const { db } = paper.database;
  const [subscription] = await subscriptionsOf(db, readerId);
  if (subscription === undefined) throw new Error('nothing was begun');
  const terms = await termsOf(db, subscription.id);
  return {
    state: subscription.state,
    terms: terms.map(({ endOn, price, startOn, status }) => `${startOn} ${endOn} ${price.minor} ${status}`),
  };
}

async function order(browser: TestBrowser, fields: Record<string, string>) {
  const answer = await browser.post('/subscriptions', {
    plan: 'quarterly',
    country: 'IN',
    state: 'KA',
    consent: 'yes',
    ...fields,
  });
  return { status: answer.status, page: answer.status === 303 ? '' : await answer.text() };
}

const proveBooks = () => booksHold(paper);

describe('an introductory price', () => {
  it('is charged for its terms and then the plan’s is, each announced, and the words that were agreed to say so', async () => {
    const money = (minor: bigint) => ({ minor, currency: 'INR' });
    await offer({
      phases: [
        { terms: 1, price: money(9_900n) },
        { terms: 1, percentOff: 50 },
      ],
    });
    const asha = await reader();
    const page = await (await asha.get('/subscribe/quarterly?offer=spring')).text();
    const words =
      'The first term of 3 months costs ₹99. The next term of 3 months costs ₹450. After that it costs ₹900 for 3 months';
    expect(page).toContain(words);
    await pay(paper, await beginOrder(asha, withOffer()));
    await settle(paper);
    await live(paper, '2027-09-01');
    expect((await stands(asha.readerId)).terms).toEqual([
      '2026-11-23 2027-02-23 9900 paid',
      '2027-02-23 2027-05-23 45000 paid',
      '2027-05-23 2027-08-23 90000 paid',
      '2027-08-23 2027-11-23 90000 paid',
    ]);
    const mails = await mailsTo(paper, asha.email);
    const notices = mails.filter(({ subject }) => /renews on/.test(subject)).map(({ text }) => text);
    expect(notices.map((text) => /₹\d+/.exec(text)?.[0])).toEqual(['₹450', '₹900', '₹900']);
    const consent = await sql<{ words: string }>`select words from billing.consents`.execute(
      paper.database.db,
    );
    expect(consent.rows[0]?.words).toContain(words);
    await proveBooks();
  });

  it('asks for a mandate that is good for the plan’s own price', async () => {
    await offer({ phases: [{ terms: 1, percentOff: 90 }] });
    const asha = await reader();
    await pay(paper, await beginOrder(asha, withOffer()));
    await settle(paper);
    const [subscription] = await subscriptionsOf(paper.database.db, asha.readerId);
    expect(subscription?.mandate?.maxAmount?.minor).toBe(135_000n);
  });

  it('F87: is what is credited for the days that are left, and not the plan’s price', async () => {
    await offer({ phases: [{ terms: 1, price: { minor: 9_200n, currency: 'INR' } }] });
    const asha = await reader();
    await pay(paper, await beginOrder(asha, withOffer()));
    await settle(paper);
    // 92 days, of which 46 are left.
    await live(paper, '2027-01-08');
    const page = await (await asha.get('/account/changes')).text();
    expect(page).toContain('₹2,654');
  });
});

describe('a trial', () => {
  it('needs a card, costs nothing for its days, is announced before it ends, and then the first term is paid', async () => {
    await offer({ trialDays: 14 });
    const asha = await reader();
    await pay(paper, await beginOrder(asha, withOffer()));
    await settle(paper);
    expect(await stands(asha.readerId)).toEqual({ state: 'trialing', terms: [] });
    expect(await (await asha.get('/account')).text()).toContain('₹900 on 7 December 2026');
    await live(paper, '2026-12-08');
    expect(await stands(asha.readerId)).toEqual({
      state: 'active',
      terms: ['2026-12-07 2027-03-07 90000 paid'],
    });
    const subjects = (await mailsTo(paper, asha.email)).map(({ subject }) => subject);
    expect(subjects.filter((one) => /free until/.test(one))).toHaveLength(1);
    expect(subjects.filter((one) => /renews on/.test(one))).toHaveLength(1);
    await proveBooks();
  });

  it('that is cancelled costs nothing, and is read to its end', async () => {
    await offer({ trialDays: 14 });
    const asha = await reader();
    await pay(paper, await beginOrder(asha, withOffer()));
    await settle(paper);
    await cancelSubscription(paper.billing, asha.readerId, 'reader', paper.clock.now());
    await live(paper, '2026-12-06T12:00:00Z');
    expect((await stands(asha.readerId)).state).toBe('trialing');
    await live(paper, '2027-03-01');
    expect(await stands(asha.readerId)).toEqual({ state: 'canceled', terms: [] });
    await proveBooks();
  });

  it('F129: is given once to a reader, and once to a card, whoever has it', async () => {
    await offer({ trialDays: 14 });
    const asha = await reader();
    await pay(paper, await beginOrder(asha, withOffer()));
    await settle(paper);
    // The same card, with another account.
    const also = await reader();
    const url = await beginOrder(also, withOffer());
    await pay(paper, url);
    await settle(paper);
    expect(await stands(also.readerId)).toEqual({ state: 'incomplete', terms: [] });
    const [begun] = await subscriptionsOf(paper.database.db, also.readerId);
    const page = await (await also.get(`/subscriptions/${begun?.id}`)).text();
    expect(page).toContain('data-subscription="trial-used"');
    // At the plan's price it can be had, with that card.
    await pay(paper, await beginOrder(also, QUARTERLY));
    await settle(paper);
    expect((await stands(also.readerId)).state).toBe('active');
    // Gone, and back: not a second time.
    await cancelSubscription(paper.billing, asha.readerId, 'reader', paper.clock.now());
    await live(paper, '2027-01-10');
    const again = await order(asha, withOffer());
    expect(again.status).toBe(422);
    expect(again.page).toContain('You have had that offer before');
    await proveBooks();
  });
});

describe('a code', () => {
  const coded = (codes: readonly { code: string; most?: number }[], more: Partial<Offer> = {}) =>
    offer({ phases: [{ terms: 1, percentOff: 50 }], codes, ...more });

  it('is read however it is typed, and another one is told from it', async () => {
    await coded([{ code: 'MONSOON-26' }]);
    const asha = await reader();
    expect(await (await asha.get('/subscribe/quarterly?code=wrong')).text()).toContain('data-offer-refused');
    const page = await (await asha.get('/subscribe/quarterly?code=monsoon+26')).text();
    expect(page).toContain('The first term of 3 months costs ₹450');
    await pay(paper, await beginOrder(asha, { ...QUARTERLY, code: 'monsoon 26' }));
    await settle(paper);
    expect((await stands(asha.readerId)).terms).toEqual(['2026-11-23 2027-02-23 45000 paid']);
    const { rows } = await sql<{ text: string }>`select code_hash as text from billing.offer_codes`.execute(
      paper.database.db,
    );
    expect(rows.map(({ text }) => text)).not.toContain('MONSOON26');
  });

  it('F24 F123: that is good for one is taken by one, of many who try at the same moment', async () => {
    await coded([{ code: 'ONLYONE', most: 1 }]);
    const readers = await Promise.all([1, 2, 3, 4].map(() => reader()));
    const answers = await Promise.all(readers.map((one) => order(one, { code: 'ONLYONE' })));
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 422, 422, 422]);
    const figures = await offerFigures(paper.database.db);
    expect(figures.get('spring')).toEqual({ reserved: 1, consumed: 0 });
  });

  it('I23: is free again when the order that held it is given up, or is of something else', async () => {
    await coded([{ code: 'ONLYONE', most: 1 }]);
    const [asha, other] = [await reader(), await reader()];
    await beginOrder(asha, { ...QUARTERLY, code: 'ONLYONE' });
    expect((await order(other, { code: 'ONLYONE' })).status).toBe(422);
    // She thinks again, and takes the plan as it is.
    await beginOrder(asha, QUARTERLY);
    expect((await order(other, { code: 'ONLYONE' })).status).toBe(303);
    // And the other never pays.
    await live(paper, '2026-11-25');
    expect(await offerFigures(paper.database.db)).toEqual(
      new Map([['spring', { reserved: 0, consumed: 0 }]]),
    );
    await pay(paper, await beginOrder(asha, { ...QUARTERLY, code: 'ONLYONE' }));
    await settle(paper);
    expect(await offerFigures(paper.database.db)).toEqual(
      new Map([['spring', { reserved: 0, consumed: 1 }]]),
    );
    await proveBooks();
  });

  it('is the same order, however often its reader begins it', async () => {
    await coded([{ code: 'ONLYONE', most: 1 }]);
    const asha = await reader();
    const urls = [];
    for (let clicks = 0; clicks < 3; clicks++)
      urls.push(await beginOrder(asha, { ...QUARTERLY, code: 'ONLYONE' }));
    expect(new Set(urls).size).toBe(1);
  });

  it('that ran out between the page and the order is said so, and nothing is charged', async () => {
    await coded([{ code: 'ONLYONE', most: 1 }]);
    const [asha, other] = [await reader(), await reader()];
    const page = await (await asha.get('/subscribe/quarterly?code=ONLYONE')).text();
    const [, shown = ''] = /name="shown" value="([^"]+)"/.exec(page) ?? [];
    await pay(paper, await beginOrder(other, { ...QUARTERLY, code: 'ONLYONE' }));
    await settle(paper);
    const late = await order(asha, { code: 'ONLYONE', shown });
    expect(late.status).toBe(422);
    expect(late.page).toContain('data-offer-refused="all-taken"');
    expect(await subscriptionsOf(paper.database.db, asha.readerId)).toEqual([]);
  });
});

describe('who was gone and comes back', () => {
  it('is offered what is for them, after a month, and begins another subscription that knows the one before', async () => {
    const asha = await reader();
    await pay(paper, await beginOrder(asha, QUARTERLY));
    await settle(paper);
    await cancelSubscription(paper.billing, asha.readerId, 'reader', paper.clock.now());
    await live(paper, '2027-03-01');
    await offer({ slug: 'back', who: 'lapsed', phases: [{ terms: 1, percentOff: 60 }] });
    expect(await (await asha.get('/subscribe/quarterly')).text()).not.toContain('offer=back');
    await live(paper, '2027-03-26');
    expect(await (await asha.get('/subscribe/quarterly')).text()).toContain('offer=back');
    await pay(paper, await beginOrder(asha, { ...QUARTERLY, offer: 'back' }));
    await settle(paper);
    expect((await stands(asha.readerId)).terms).toEqual(['2027-03-26 2027-06-26 36000 paid']);
    const { rows } = await sql<{ linked: boolean }>`
      select previous_id is not null as linked from billing.subscriptions order by created_at`.execute(
      paper.database.db,
    );
    expect(rows).toEqual([{ linked: false }, { linked: true }]);
    await proveBooks();
  });
});
