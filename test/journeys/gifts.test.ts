import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  beginGift,
  beginPayment,
  type GiftOrder,
  giftCode,
  giftsOf,
  monthFigures,
  pauseSubscription,
  redeemGift,
  refundPayment,
  subscriptionsOf,
  termsOf,
} from '#billing';
import { holdingAt, listGrants } from '#entitlements';
import { uuidv7 } from '#platform/ids';
import { changeDispute, newestCapture } from '../../src/sandbox/sandbox.ts';
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

type Person = { readonly id: string; readonly email: string };

async function person(name: string): Promise<Person> {
  const email = `${name}-${++made}@paper.example`;
  const { id } = await paper.readers.create(email, 'correct horse battery');
  return { id, email };
}

async function bought(reader: Person, given: Partial<GiftOrder> = {}): Promise<string> {
  const plan = paper.plans().find(({ slug }) => slug === 'quarterly');
  if (plan === undefined) throw new Error('no such plan');
  const order = {
    id: uuidv7(),
    reader,
    plan,
    country: 'IN',
    state: 'KA',
    consent: 'agreed',
    toEmail: undefined,
    toName: 'Anu',
    fromName: 'Meera',
    message: 'Read well.',
    deliverOn: undefined,
    ...given,
  };
  const begun = await beginGift(paper.billing, order, paper.clock.now());
  if (begun.kind !== 'pay') throw new Error(begun.kind);
  await pay(paper, begun.url);
  await settle(paper);
  const gift = (await giftsOf(paper.database.db, reader.id)).find(({ id }) => id === order.id);
  return (gift && giftCode(paper.billing, gift)) ?? '';
}

const redeem = (code: string, reader: Person) => redeemGift(paper.billing, code, reader, paper.clock.now());
const redeemed = async (code: string, reader: Person) => {
  const { fromOn, untilOn } = await redeem(code, reader);
  return `${fromOn} ${untilOn}`;
};
const reads = async ({ id }: Person) =>
  holdingAt(await listGrants(paper.database.db, id), paper.clock.now()).benefits.has('premium');

async function subscribed(reader: Person, plan = 'quarterly') {
  const browser = await signIn(reader);
  await pay(paper, await beginOrder(browser, { plan }));
  await settle(paper);
}

async function signIn({ email }: Person) {
  const { testBrowser } = await import('../shop.ts');
  const browser = testBrowser(paper, `198.51.100.${++made % 250}`);
  await browser.post('/login', { email, password: 'correct horse battery' });
  return browser;
}

const paidThrough = async ({ id }: Person) =>
  (await subscriptionsOf(paper.database.db, id))[0]?.paidThroughOn?.toString();

const proveBooks = () => booksHold(paper);

describe('a gift', () => {
  it('is paid once, gives its buyer nothing to read, is redeemed once, and is over without ever renewing', async () => {
    const [meera, anu] = [await person('meera'), await person('anu')];
    const code = await bought(meera);
    expect(await reads(meera)).toBe(false);
    expect(await subscriptionsOf(paper.database.db, meera.id)).toEqual([]);
    // A year in a drawer costs it nothing.
    await live(paper, '2027-11-23');
    expect(await redeemed(code.toLowerCase().replaceAll('-', ' '), anu)).toBe('2027-11-23 2028-02-23');
    expect([await reads(anu), await reads(meera)]).toEqual([true, false]);
    await live(paper, '2028-02-22T12:00:00Z');
    expect(await reads(anu)).toBe(true);
    await live(paper, '2028-06-01');
    expect(await reads(anu)).toBe(false);
    const { rows } = await sql<{ n: number; mandates: number }>`
      select (select count(*)::int from billing.charge_intents) as n, (select count(*)::int from billing.mandates) as mandates`.execute(
      paper.database.db,
    );
    expect(rows).toEqual([{ n: 1, mandates: 0 }]);
    const [gift] = await giftsOf(paper.database.db, meera.id);
    expect(await termsOf(paper.database.db, gift?.id ?? '')).toMatchObject([{ status: 'paid' }]);
    const mails = await mailsTo(paper, meera.email);
    const receipt = mails.find(({ subject }) => /receipt/i.test(subject));
    expect(receipt?.text).toContain('Gift: Quarterly');
    expect(receipt?.text).toContain('It does not renew by itself.');
    expect(mails.filter(({ subject }) => /was redeemed/.test(subject))).toHaveLength(1);
    expect(mails.filter(({ subject }) => /renews on|ends on/.test(subject))).toEqual([]);
    await proveBooks();
  });

  it('F123: is redeemed by one of several who try at the same moment, and never by whoever bought it', async () => {
    const meera = await person('meera');
    const code = await bought(meera);
    await expect(redeem(code, meera)).rejects.toMatchObject({ code: 'own-gift' });
    const others = await Promise.all(['a', 'b', 'c'].map(person));
    const results = await Promise.allSettled(others.map((one) => redeem(code, one)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(redeem(code, await person('late'))).rejects.toMatchObject({ code: 'gift-used' });
    await expect(redeem('NOT-A-CODE', meera)).rejects.toMatchObject({ code: 'no-gift' });
    await proveBooks();
  });

  it('F128: that was given back is good for nothing, and one that was redeemed is not given back', async () => {
    const [meera, anu] = [await person('meera'), await person('anu')];
    const [first, second] = [await bought(meera), await bought(meera)];
    await redeem(second, anu);
    const refund = () =>
      refundPayment(
        paper.billing,
        { readerId: meera.id, actor: 'staff', reason: 'asked for it' },
        paper.clock.now(),
      );
    await expect(refund()).rejects.toMatchObject({ code: 'gift-redeemed' });
    const { db } = paper.database;
    const { rows } = await sql<{ id: string }>`
      select p.gateway_payment_id as id from billing.payments p join billing.charge_intents i on i.id = p.intent_id
        join billing.subscriptions s on s.id = i.subscription_id where s.gift = 'waiting'`.execute(db);
    await refundPayment(
      paper.billing,
      { readerId: meera.id, actor: 'staff', reason: 'asked for it', gatewayPaymentId: rows[0]?.id ?? '' },
      paper.clock.now(),
    );
    await settle(paper);
    await expect(redeem(first, anu)).rejects.toMatchObject({ code: 'gift-over' });
    expect(await reads(anu)).toBe(true);
    await proveBooks();
  });

  it('whose payment a bank takes back for good takes what it gave with it', async () => {
    const [meera, anu] = [await person('meera'), await person('anu')];
    const code = await bought(meera);
    await redeem(code, anu);
    const { db } = paper.database;
    const paymentId = (await newestCapture(db, meera.email, 'undisputed')) ?? '';
    await changeDispute(db, paymentId, 'open', paper.clock.now());
    await settle(paper);
    expect(await reads(anu)).toBe(true);
    await changeDispute(db, paymentId, 'lost', paper.clock.now());
    await settle(paper);
    expect(await reads(anu)).toBe(false);
    await proveBooks();
  });

  it('is sent on its day, once, by whichever process comes first', async () => {
    const meera = await person('meera');
    await bought(meera, { toEmail: 'anu@post.example', deliverOn: Temporal.PlainDate.from('2026-12-25') });
    await live(paper, '2026-12-24T12:00:00Z');
    expect(await mailsTo(paper, 'anu@post.example')).toEqual([]);
    await live(paper, '2026-12-26');
    const [mail, ...more] = await mailsTo(paper, 'anu@post.example');
    expect(more).toEqual([]);
    expect(mail?.subject).toBe('Meera gives you 3 months of Broadsheet');
    expect(mail?.text).toContain('Read well.');
    const [gift] = await giftsOf(paper.database.db, meera.id);
    expect(mail?.text).toContain(gift && giftCode(paper.billing, gift));
  });

  it('is kept so that whoever reads the database cannot redeem it', async () => {
    const code = await bought(await person('meera'));
    const { rows } = await sql<{
      all: string;
    }>`select row_to_json(g)::text as all from billing.gifts g`.execute(paper.database.db);
    expect(rows[0]?.all).not.toContain(code);
    expect(rows[0]?.all).not.toContain(code.replaceAll('-', ''));
    expect(rows[0]?.all).not.toContain(Buffer.from(code).toString('hex'));
  });

  it('is earned on the days on which it is read by', async () => {
    const [meera, anu] = [await person('meera'), await person('anu')];
    const code = await bought(meera);
    await live(paper, '2027-02-01');
    const earned = async () =>
      (
        await monthFigures(
          paper.database.db,
          ['2026-12', '2027-02', '2027-03'].map((one) => Temporal.PlainYearMonth.from(one)),
          'Asia/Kolkata',
        )
      ).map((one) => [one.earned, one.deferred]);
    expect(await earned()).toEqual([
      [0n, 76_271n],
      [0n, 76_271n],
      [0n, 76_271n],
    ]);
    await redeem(code, anu);
    // 89 days from 1 February: 28 of them in February, 31 in March.
    expect(await earned()).toEqual([
      [0n, 76_271n],
      [23_995n, 76_271n - 23_995n],
      [50_561n - 23_995n, 76_271n - 50_561n],
    ]);
  });
});

describe('what a gift adds to', () => {
  it('F127: a subscription that runs has its days behind those that are paid, and renews after them', async () => {
    const [meera, anu] = [await person('meera'), await person('anu')];
    await subscribed(anu);
    const code = await bought(meera);
    expect(await redeemed(code, anu)).toBe('2027-02-23 2027-05-23');
    expect(await paidThrough(anu)).toBe('2027-05-23');
    await live(paper, '2027-05-24');
    expect(await paidThrough(anu)).toBe('2027-08-23');
    await proveBooks();
  });

  it('F127: another gift follows the first', async () => {
    const [meera, anu] = [await person('meera'), await person('anu')];
    const codes = [await bought(meera), await bought(meera)];
    const given = await Promise.all(codes.map((code) => redeemed(code, anu)));
    expect(given.toSorted()).toEqual(['2026-11-23 2027-02-23', '2027-02-23 2027-05-23']);
  });

  it('F127: whoever subscribes while they read by a gift has what is left of it behind the paid term', async () => {
    const [meera, anu] = [await person('meera'), await person('anu')];
    await redeem(await bought(meera), anu);
    // 92 days, of which 30 are left.
    await live(paper, '2027-01-24');
    await subscribed(anu);
    // 24 April, and 30 days.
    expect(await paidThrough(anu)).toBe('2027-05-24');
    await live(paper, '2027-05-23T06:00:00Z');
    expect(await reads(anu)).toBe(true);
    await proveBooks();
  });

  it.each(['before', 'after'])(
    'whoever is refunded what they bought themselves, %s they got it, keeps it, and once',
    async (when) => {
      const [meera, anu] = [await person('meera'), await person('anu')];
      const code = await bought(meera);
      if (when === 'after') await subscribed(anu);
      await redeem(code, anu);
      if (when === 'before') await subscribed(anu);
      expect(await paidThrough(anu)).toBe(when === 'after' ? '2027-05-23' : '2027-05-26');
      const refund = { readerId: anu.id, actor: 'staff', reason: 'asked for it' };
      await refundPayment(paper.billing, refund, paper.clock.now());
      await settle(paper);
      // Where the bought days were to be is nothing, and where the given ones are is what was given.
      expect(await reads(anu)).toBe(when === 'before');
      await live(paper, '2027-02-22T12:00:00Z');
      expect(await reads(anu)).toBe(when === 'before');
      await live(paper, '2027-02-24');
      expect(await reads(anu)).toBe(when === 'after');
      if (when === 'after') {
        // Who subscribes anew has what is left of it behind that, and no more.
        await live(paper, '2027-05-13');
        await subscribed(anu);
        expect(await paidThrough(anu)).toBe('2027-08-23');
      }
      await proveBooks();
    },
  );

  it('whoever began another plan since had its days credited, and has them no second time', async () => {
    const [meera, anu] = [await person('meera'), await person('anu')];
    await subscribed(anu);
    await redeem(await bought(meera), anu);
    const yearly = paper.plans().find(({ slug }) => slug === 'yearly');
    const begun = await beginPayment(paper.billing, anu, paper.clock.now(), yearly);
    if (begun.kind !== 'pay') throw new Error(begun.kind);
    await pay(paper, begun.url);
    await settle(paper);
    expect(await paidThrough(anu)).toBe('2027-11-23');
    const refund = { readerId: anu.id, actor: 'staff', reason: 'asked for it' };
    await refundPayment(paper.billing, refund, paper.clock.now());
    await settle(paper);
    await live(paper, '2027-02-24');
    expect(await reads(anu)).toBe(false);
    await proveBooks();
  });

  it('whoever rests reads by it meanwhile, and loses nothing of what waits', async () => {
    const [meera, anu] = [await person('meera'), await person('anu')];
    await subscribed(anu);
    await pauseSubscription(paper.billing, anu.id, 30, 'reader', paper.clock.now());
    expect(await reads(anu)).toBe(false);
    await redeem(await bought(meera), anu);
    expect(await reads(anu)).toBe(true);
    await live(paper, '2026-12-24');
    expect(await paidThrough(anu)).toBe('2027-03-25');
    await proveBooks();
  });
});

describe('the pages of a gift', () => {
  it('lead from its length to the order, from the code to the button, and an order sent twice is one', async () => {
    const meera = await signedInBrowser(paper, 'meera@post.example', { address: '198.51.100.81' });
    expect(await (await meera.get('/subscribe/gift')).text()).toContain('Give 1 year');
    const order = await (await meera.get('/subscribe/gift?plan=quarterly')).text();
    expect(order).toContain('It renews by itself never.');
    const [, gift = ''] = /name="gift" value="([^"]+)"/.exec(order) ?? [];
    const fields = {
      plan: 'quarterly',
      gift,
      to_name: 'अनन्या',
      to_email: 'anu@post.example',
      from_name: 'Meera',
      message: '<b>Read</b> well.',
      country: 'IN',
      state: 'KA',
      consent: 'yes',
    };
    expect((await meera.post('/gifts', { ...fields, deliver_on: 'tomorrow' })).status).toBe(422);
    expect((await meera.post('/gifts', { ...fields, deliver_on: '2020-01-01' })).status).toBe(422);
    const answers = await Promise.all([meera.post('/gifts', fields), meera.post('/gifts', fields)]);
    const urls = new Set(answers.map((one) => one.headers.get('location') ?? ''));
    expect(urls.size).toBe(1);
    await pay(paper, [...urls][0] ?? '');
    await settle(paper);
    await live(paper, '2026-11-23T07:00:00Z');
    expect((await meera.post('/gifts', fields)).headers.get('location')).toBe('/account/gifts');
    const list = await (await meera.get('/account/gifts')).text();
    const [, code = ''] = /class="gift-code">([^<]+)</.exec(list) ?? [];
    expect(code).toMatch(/^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$/);
    // Another's order is none of theirs.
    const other = await signedInBrowser(paper, 'other@post.example', { address: '198.51.100.82' });
    expect((await other.post('/gifts', fields)).status).toBe(422);

    const stranger = await (await paper.app.request(`${paper.baseUrl}/gift?code=${code}`)).text();
    expect(stranger).toContain('Open an account');
    expect(stranger).toContain('&lt;b&gt;Read&lt;/b&gt; well.');
    const taken = await other.post('/gift', { code });
    expect(taken.headers.get('location')).toBe('/account?done=gift-redeemed');
    expect(await (await other.get('/account')).text()).toContain('data-gift-until="2027-02-23"');
    expect((await other.get(`/gift?code=${code}`)).status).toBe(422);
    expect((await other.get('/gift?code=NOTHING')).status).toBe(422);
    expect((await other.get('/gift')).status).toBe(200);
    await proveBooks();
  });
});
