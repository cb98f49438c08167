import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  acceptSeat,
  beginCheckout,
  beginPayment,
  changeSeatsLater,
  findGroup,
  inviteToSeats,
  nameManager,
  pauseSubscription,
  quoteSeats,
  refundPayment,
  type Subscription,
  subscriptionsOf,
  termsOf,
  withdrawSeat,
} from '#billing';
import { holdingAt, listGrants } from '#entitlements';
import { booksHold } from '../books.ts';
import { live } from '../living.ts';
import { mailsTo } from '../mails.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { pay, settle, signedInBrowser } from '../shop.ts';

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

const BUYER = { name: 'Coastal Shipping Limited', address: '14 Quay Road\nMangaluru 575001', gstin: '' };

/** A company that subscribes for so many readers by the year, and its group. */
async function group(seats: number, plan = 'yearly') {
  const owner = await person('owner');
  const bought = paper.plans().find(({ slug }) => slug === plan);
  if (bought === undefined) throw new Error('no such plan');
  const begun = await beginCheckout(
    paper.billing,
    {
      reader: owner,
      plan: bought,
      seats,
      buyer: BUYER,
      country: 'IN',
      state: 'KA',
      consent: 'agreed',
      next: '/',
    },
    paper.clock.now(),
  );
  if (begun.kind !== 'pay') throw new Error(begun.kind);
  await pay(paper, begun.url);
  await settle(paper);
  return { owner, id: (await current(owner)).id };
}

async function current({ id }: Person): Promise<Subscription> {
  const [subscription] = await subscriptionsOf(paper.database.db, id);
  if (subscription === undefined) throw new Error('nothing was bought');
  return subscription;
}

const invite = (groupId: string, by: Person, ...emails: string[]) =>
  inviteToSeats(paper.billing, { groupId, by: by.id, emails }, paper.clock.now());

/** The invitation that was sent last to an address. */
async function tokenTo(email: string): Promise<string> {
  const mail = (await mailsTo(paper, email)).findLast(({ subject }) => /invited to read/.test(subject));
  const [, token] = /\/account\/seats\/([\w-]{43})/.exec(mail?.text ?? '') ?? [];
  if (token === undefined) throw new Error(`${email} was not invited`);
  return token;
}

const accept = (token: string, reader: Person) => acceptSeat(paper.billing, token, reader, paper.clock.now());

async function seated(groupId: string, by: Person, name: string): Promise<Person> {
  const reader = await person(name);
  await invite(groupId, by, reader.email);
  await accept(await tokenTo(reader.email), reader);
  return reader;
}

const reads = async ({ id }: Person) =>
  holdingAt(await listGrants(paper.database.db, id), paper.clock.now()).benefits.has('premium');

async function seatOf(groupId: string, owner: Person, reader: Person): Promise<string> {
  const found = await findGroup(paper.billing, owner.id);
  const seat = found?.seats.find(({ readerId }) => readerId === reader.id);
  if (seat === undefined) throw new Error(`${reader.email} has no seat in ${groupId}`);
  return seat.id;
}

const withdraw = async (groupId: string, owner: Person, reader: Person, by = owner) =>
  withdrawSeat(
    paper.billing,
    { groupId, seatId: await seatOf(groupId, owner, reader), by: by.id },
    paper.clock.now(),
  );

async function terms(owner: Person) {
  const { id } = await current(owner);
  return (await termsOf(paper.database.db, id)).map(
    ({ endOn, price, startOn, status }) => `${startOn} ${endOn} ${price.minor} ${status}`,
  );
}

const proveBooks = () => booksHold(paper);

describe('a group', () => {
  it('is bought for so many readers, of whom the buyer is the first, and its invoice says whose it is and for how many', async () => {
    const { id, owner } = await group(3);
    expect(await terms(owner)).toEqual(['2026-11-23 2027-11-23 810000 paid']);
    expect(await reads(owner)).toBe(true);
    const asha = await seated(id, owner, 'asha');
    expect(await reads(asha)).toBe(true);
    const { rows } = await sql<{ buyer: { name: string }; line: string }>`
      select buyer, lines->0->>'description' as line from billing.invoices`.execute(paper.database.db);
    expect(rows[0]?.buyer).toMatchObject({ name: BUYER.name, address: BUYER.address });
    expect(rows[0]?.line).toMatch(/Yearly, for 3 readers$/);
    await proveBooks();
  });

  it('gives its readers each new term, and shuts them out together where that is not paid', async () => {
    const { id, owner } = await group(3, 'quarterly');
    const asha = await seated(id, owner, 'asha');
    await live(paper, '2027-02-24');
    expect(await terms(owner)).toHaveLength(2);
    expect(await reads(asha)).toBe(true);
    await sql`update sandbox.mandates set outcome = 'decline'`.execute(paper.database.db);
    await live(paper, '2027-05-25');
    expect((await current(owner)).state).toBe('past_due');
    expect(await reads(asha)).toBe(true);
    await live(paper, '2027-06-01');
    expect([await reads(asha), await reads(owner)]).toEqual([false, false]);
    await proveBooks();
  });

  it('that rests or is refunded rests or ends for all of them', async () => {
    const { id, owner } = await group(3);
    const asha = await seated(id, owner, 'asha');
    await pauseSubscription(paper.billing, owner.id, 30, 'reader', paper.clock.now());
    expect(await reads(asha)).toBe(false);
    await live(paper, '2026-12-24');
    expect([await reads(asha), await reads(owner)]).toEqual([true, true]);
    await refundPayment(
      paper.billing,
      { readerId: owner.id, actor: 'staff', reason: 'goodwill' },
      paper.clock.now(),
    );
    await settle(paper);
    expect([await reads(asha), await reads(owner)]).toEqual([false, false]);
    await proveBooks();
  });
});

describe('a seat', () => {
  it('F124: that is taken back stays so in the terms to come', async () => {
    const { id, owner } = await group(3, 'quarterly');
    const asha = await seated(id, owner, 'asha');
    await withdraw(id, owner, asha);
    expect(await reads(asha)).toBe(false);
    await live(paper, '2027-03-01');
    expect(await terms(owner)).toHaveLength(2);
    expect([await reads(asha), await reads(owner)]).toEqual([false, true]);
    await proveBooks();
  });

  it('F126: is taken by one, once, also where two follow the same invitation at the same moment', async () => {
    const { id, owner } = await group(3);
    const [asha, kabir] = [await person('asha'), await person('kabir')];
    await invite(id, owner, asha.email);
    const token = await tokenTo(asha.email);
    const results = await Promise.allSettled([
      accept(token, asha),
      accept(token, kabir),
      accept(token, asha),
    ]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    // Whoever has a seat takes no second one.
    const winner = (await reads(asha)) ? asha : kabir;
    await invite(id, owner, 'another@paper.example');
    await expect(accept(await tokenTo('another@paper.example'), winner)).rejects.toMatchObject({
      code: 'has-a-seat',
    });
    await proveBooks();
  });

  it('F123: is none of the owner’s twice, and none of anybody’s with an invitation that was taken back', async () => {
    const { id, owner } = await group(3);
    await invite(id, owner, 'asha@paper.example');
    const token = await tokenTo('asha@paper.example');
    await expect(accept(token, owner)).rejects.toMatchObject({ code: 'has-a-seat' });
    const found = await findGroup(paper.billing, owner.id);
    const seat = found?.seats.find(({ email }) => email === 'asha@paper.example');
    await withdrawSeat(
      paper.billing,
      { groupId: id, seatId: seat?.id ?? '', by: owner.id },
      paper.clock.now(),
    );
    await expect(accept(token, await person('asha'))).rejects.toMatchObject({ code: 'no-invitation' });
  });

  it('is promised to no more people than there are seats, and again to who has not come yet', async () => {
    const { id, owner } = await group(3);
    expect(await invite(id, owner, 'one@paper.example', 'two@paper.example')).toBe(2);
    await expect(invite(id, owner, 'three@paper.example')).rejects.toMatchObject({ code: 'no-seat-left' });
    const first = await tokenTo('one@paper.example');
    expect(await invite(id, owner, 'ONE@paper.example')).toBe(1);
    // The link before leads nowhere.
    const asha = await person('asha');
    await expect(accept(first, asha)).rejects.toMatchObject({ code: 'no-invitation' });
    await accept(await tokenTo('one@paper.example'), asha);
    expect(await reads(asha)).toBe(true);
    await expect(invite(id, owner, 'no address')).rejects.toMatchObject({ code: 'bad-address' });
  });

  it('is given by the owner and by whom they trust with it, who trusts nobody else with it', async () => {
    const { id, owner } = await group(5);
    const [asha, kabir] = [await seated(id, owner, 'asha'), await seated(id, owner, 'kabir')];
    await expect(invite(id, asha, 'x@paper.example')).rejects.toMatchObject({ code: 'no-group' });
    await expect(withdraw(id, owner, kabir, asha)).rejects.toMatchObject({ code: 'no-group' });
    const name = async (of: Person, by: Person) =>
      nameManager(paper.billing, {
        groupId: id,
        seatId: await seatOf(id, owner, of),
        by: by.id,
        isManager: true,
      });
    await name(asha, owner);
    expect(await invite(id, asha, 'x@paper.example')).toBe(1);
    await withdraw(id, owner, kabir, asha);
    expect(await reads(kabir)).toBe(false);
    await expect(name(asha, asha)).rejects.toMatchObject({ code: 'not-the-owner' });
    // Whoever has one may always give it up.
    await withdraw(id, owner, asha, asha);
    expect(await findGroup(paper.billing, asha.id)).toBeUndefined();
  });
});

describe('the number of seats', () => {
  it('grows at once for what is left of the term, which ends on its day, and the next term is of all of them', async () => {
    const { id, owner } = await group(2, 'quarterly');
    // 92 days, of which 46 are left.
    await live(paper, '2027-01-08');
    const quote = await quoteSeats(paper.database.db, await current(owner), 5, paper.clock.now());
    expect(quote).toEqual({
      due: { minor: 135_000n, currency: 'INR' },
      credit: 90_000n,
      price: { minor: 225_000n, currency: 'INR' },
    });
    const begun = await beginPayment(paper.billing, owner, paper.clock.now(), { seats: 5 });
    if (begun.kind !== 'pay') throw new Error(begun.kind);
    await pay(paper, begun.url);
    await settle(paper);
    for (const name of ['a', 'b', 'c', 'd']) await seated(id, owner, name);
    expect(await reads(owner)).toBe(true);
    await live(paper, '2027-02-24');
    expect(await terms(owner)).toEqual([
      '2026-11-23 2027-01-08 180000 paid',
      '2027-01-08 2027-02-23 225000 paid',
      '2027-02-23 2027-05-23 450000 paid',
    ]);
    await proveBooks();
  });

  it('shrinks with the next term alone, and not below the seats that are given away', async () => {
    const { id, owner } = await group(4, 'quarterly');
    const [asha, kabir] = [await seated(id, owner, 'asha'), await seated(id, owner, 'kabir')];
    const shrink = (seats: number) =>
      changeSeatsLater(paper.billing, owner.id, seats, 'reader', paper.clock.now());
    await expect(shrink(2)).rejects.toMatchObject({ code: 'seats-taken' });
    await withdraw(id, owner, kabir);
    await shrink(2);
    // What is promised to be gone is not given away meanwhile.
    await expect(invite(id, owner, 'x@paper.example')).rejects.toMatchObject({ code: 'no-seat-left' });
    await live(paper, '2027-02-24');
    expect(await terms(owner)).toEqual([
      '2026-11-23 2027-02-23 360000 paid',
      '2027-02-23 2027-05-23 180000 paid',
    ]);
    expect([await reads(asha), await reads(owner)]).toEqual([true, true]);
    await proveBooks();
  });
});

describe('a group that costs more than may be taken without its payer', () => {
  it('gives no mandate, is asked for in time, and goes on when it is paid by hand', async () => {
    // 20 readers by the quarter: ₹18,000, where ₹15,000 may be taken (RBI).
    const { owner } = await group(20, 'quarterly');
    expect((await current(owner)).mandate).toBeUndefined();
    expect(await beginPayment(paper.billing, owner, paper.clock.now())).toEqual({ kind: 'nothing' });
    await live(paper, '2027-02-17');
    const notice = (await mailsTo(paper, owner.email)).find(({ subject }) =>
      /renews on|ends on/.test(subject),
    );
    expect(notice?.text).toContain('₹18,000');
    const begun = await beginPayment(paper.billing, owner, paper.clock.now());
    if (begun.kind !== 'pay') throw new Error(begun.kind);
    await pay(paper, begun.url);
    await settle(paper);
    await live(paper, '2027-02-25');
    expect(await terms(owner)).toEqual([
      '2026-11-23 2027-02-23 1800000 paid',
      '2027-02-23 2027-05-23 1800000 paid',
    ]);
    expect(await reads(owner)).toBe(true);
    await proveBooks();
  });
});

describe('the pages of a group', () => {
  it('lead from the number of readers to the order, and from an invitation to a seat', async () => {
    const owner = await signedInBrowser(paper, 'hr@coastal.example', { address: '198.51.100.8' });
    const choice = await (await owner.get('/subscribe/group')).text();
    expect(choice).toContain('name="seats"');
    expect((await owner.get('/subscribe/group?plan=yearly&seats=1')).status).toBe(422);
    const order = await (await owner.get('/subscribe/group?plan=yearly&seats=3')).text();
    expect(order).toContain('It costs ₹8,100 for 1 year');
    const fields = { plan: 'yearly', seats: '3', country: 'IN', state: 'MH', consent: 'yes' };
    for (const [gstin, state, said] of [
      ['27AAPFU0939F1ZW', 'MH', 'That is no GSTIN'],
      ['27AAPFU0939F1ZV', 'KA', 'That GSTIN is of another state'],
    ] as const) {
      const wrong = await owner.post('/subscriptions', { ...fields, state, buyer_gstin: gstin });
      expect([wrong.status, await wrong.text()]).toEqual([422, expect.stringContaining(said)]);
    }
    const buyer = { buyer_name: BUYER.name, buyer_address: BUYER.address, buyer_gstin: '27AAPFU0939F1ZV' };
    const begun = await owner.post('/subscriptions', { ...fields, ...buyer });
    await pay(paper, begun.headers.get('location') ?? '');
    await settle(paper);
    expect(await (await owner.get('/account')).text()).toContain('for 3 readers');

    const invited = await owner.post('/account/group/invitations', { emails: 'asha@coastal.example' });
    expect(invited.headers.get('location')).toBe('/account/group?done=invited');
    const token = await tokenTo('asha@coastal.example');
    const asha = await signedInBrowser(paper, 'asha@elsewhere.example', { address: '198.51.100.9' });
    expect(await (await asha.get(`/account/seats/${token}`)).text()).toContain(BUYER.name);
    const taken = await asha.post(`/account/seats/${token}`);
    expect(taken.headers.get('location')).toBe('/account?done=seat-taken');
    expect((await asha.get(`/account/seats/${token}`)).status).toBe(404);
    expect(await (await asha.get('/account')).text()).toContain('by a seat that somebody pays for');

    const full = await owner.post('/account/group/invitations', { emails: 'a@c.example b@c.example' });
    expect([full.status, await full.text()]).toEqual([422, expect.stringContaining('One seat is left')]);
    const quoted = await (await owner.get('/account/group?seats=5')).text();
    expect(quoted).toMatch(/data-seat-quote="540000"/);
    const grown = await owner.post('/account/group/growth', { seats: '5' });
    await pay(paper, grown.headers.get('location') ?? '');
    await settle(paper);
    expect(await (await owner.get('/account')).text()).toContain('for 5 readers');
    // Whoever has no group is told nothing of one.
    expect((await asha.get('/account/group')).headers.get('location')).toBe('/account');
    expect((await asha.post('/account/group/invitations', { emails: 'x@c.example' })).status).toBe(404);
    await proveBooks();
  });
});

describe('what a group may not be', () => {
  it.each([
    ['for nobody', 0, '', 'bad-seats'],
    ['for more than people buy by themselves', 1_001, '', 'bad-seats'],
    ['for a part of a reader', 2.5, '', 'bad-seats'],
    ['of a company with another number than it says', 2, '27AAPFU0939F1ZW', 'bad-gstin'],
    ['F115: of a company in another state than it says', 2, '27AAPFU0939F1ZV', 'gstin-elsewhere'],
  ])('%s', async (_, seats, gstin, code) => {
    const owner = await person('owner');
    const [plan] = paper.plans();
    if (plan === undefined) throw new Error('no plan');
    const order = {
      reader: owner,
      plan,
      seats,
      buyer: { ...BUYER, gstin },
      country: 'IN',
      state: 'KA',
      consent: 'agreed',
      next: '/',
    };
    await expect(beginCheckout(paper.billing, order, paper.clock.now())).rejects.toMatchObject({ code });
  });
});
