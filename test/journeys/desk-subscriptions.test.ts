import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { settleDue, subscriptionsOf } from '#billing';
import { failNextRefund } from '../../src/sandbox/sandbox.ts';
import { booksHold } from '../books.ts';
import { post, seated } from '../desk.ts';
import { live } from '../living.ts';
import { mailsTo } from '../mails.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { beginOrder, pay, settle, signedInBrowser } from '../shop.ts';

/** What the circulation manager does for a reader who writes in. Each on a paper of its own, since the clock moves. */
let paper: TestPaper;
let cookie: string;
let made = 0;

beforeEach(async () => {
  paper = await testPaper('2026-11-23T06:30:00Z');
  ({ cookie } = await seated(paper, 'circulation'));
});
afterEach(() => paper.end());

async function subscriber(email = `helped-${++made}@post.example`) {
  const reader = await signedInBrowser(paper, email, { address: `198.51.100.${++made}` });
  await pay(paper, await beginOrder(reader, { plan: 'quarterly' }));
  await settle(paper);
  const [subscription] = await subscriptionsOf(paper.database.db, reader.readerId);
  return { ...reader, id: subscription?.id ?? '', path: `/desk/subscriptions/${subscription?.id}` };
}

const text = async (path: string, who = cookie) => (await paper.get(path, { cookie: who })).text();
const current = async (readerId: string) => (await subscriptionsOf(paper.database.db, readerId))[0];
const fieldsOf = (html: string) =>
  Object.fromEntries(
    [...html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [
      name ?? '',
      (value ?? '').replaceAll('&#39;', "'").replaceAll('&amp;', '&'),
    ]),
  );

/** Asks for something, looks at what it would do, and confirms it so many times at once. */
async function act(path: string, fields: Record<string, string>, times = 1) {
  const asked = await post(paper, path, { reason: 'the reader wrote in', ...fields }, { cookie });
  const html = await asked.text();
  if (asked.status !== 200) return { status: asked.status, html, says: html, done: [] };
  const again = fieldsOf(html);
  const done = await Promise.all(Array.from({ length: times }, () => post(paper, path, again, { cookie })));
  return { status: asked.status, html, says: html, done: done.map((one) => one.headers.get('location')) };
}

const proveBooks = () => booksHold(paper);

describe('a subscription at the desk', () => {
  it('is told in plain words: how it stands, what happened, by whom and why', async () => {
    const asha = await subscriber();
    await live(paper, '2027-02-24');
    const page = await text(asha.path);
    for (const said of [
      'runs',
      'Quarterly, ₹900',
      'Visa ending 4242 (sandbox, active, up to ₹1,350)',
      'Began to subscribe.',
      'A term was paid, and began.',
      'Was told what will be charged, and when.',
      'INV/2627/0000001',
    ])
      expect(page).toContain(said);
    expect(await text(`/desk/readers/${asha.readerId}`)).toContain(`href="${asha.path}"`);
    expect((await paper.get('/desk/subscriptions/no-id', { cookie })).status).toBe(404);
    // Who may only look is shown nothing to do.
    const support = await seated(paper, 'support');
    expect(await text(asha.path, support.cookie)).not.toContain('Give money back');
  });

  it('F15: gives money back once, however often that is pressed, and says before what it will do', async () => {
    const asha = await subscriber();
    const paymentId = /pay_[0-9a-f]+/.exec(await text(asha.path))?.[0] ?? '';
    const { done, says } = await act(`${asha.path}/refunds`, { payment: paymentId, amount: '250.50' }, 3);
    expect(says).toContain('₹250.50 of ₹900 go back');
    expect(says).toContain('The reader goes on reading as before.');
    expect(new Set(done)).toEqual(new Set([`${asha.path}?done=refund`]));
    await settle(paper);
    const { rows } = await sql<{ minor: bigint; actor: string; reason: string }>`
      select amount_minor as minor, actor, reason from billing.refunds`.execute(paper.database.db);
    expect(rows).toEqual([
      { minor: 25_050n, actor: expect.stringContaining('circulation'), reason: 'the reader wrote in' },
    ]);
    const page = await text(asha.path);
    expect(page).toContain('₹250.50 given back');
    expect(page).toContain('Gave money back');
    // What is left and not a paisa more.
    const more = await act(`${asha.path}/refunds`, { payment: paymentId, amount: '649.51' });
    expect([more.status, more.html]).toEqual([422, expect.stringContaining('₹649.50 are left')]);
    const rest = await act(`${asha.path}/refunds`, { payment: paymentId, amount: '' });
    expect(rest.says).toContain('the subscription ends at once');
    await settle(paper);
    expect(await current(asha.readerId)).toMatchObject({ state: 'canceled', endedReason: 'refund' });
    await proveBooks();
  });

  it('gives days, which every term after them is counted from', async () => {
    const asha = await subscriber();
    const { says } = await act(`${asha.path}/given-days`, { days: '10' }, 2);
    expect(says).toContain('until 4 March 2027 instead of 22 February 2027');
    expect((await current(asha.readerId))?.paidThroughOn?.toString()).toBe('2027-03-05');
    await live(paper, '2027-03-06');
    expect((await current(asha.readerId))?.paidThroughOn?.toString()).toBe('2027-06-05');
    expect((await act(`${asha.path}/given-days`, { days: '367' })).status).toBe(422);
    await proveBooks();
  });

  it('cancels, takes that back and ends, each with a reason that is kept', async () => {
    const asha = await subscriber();
    await act(`${asha.path}/cancellation`, {});
    expect((await current(asha.readerId))?.cancelOn?.toString()).toBe('2027-02-23');
    await act(`${asha.path}/resumption`, {});
    expect((await current(asha.readerId))?.cancelOn).toBeUndefined();
    await act(`${asha.path}/ending`, { because: 'fraud' });
    expect(await current(asha.readerId)).toMatchObject({ state: 'canceled', endedReason: 'fraud' });
    const page = await text(asha.path);
    for (const said of [
      'Cancelled: it renews no more',
      'The cancellation was taken back',
      'Was ended by the paper',
    ])
      expect(page).toContain(said);
    // Nothing can be done to what is over, and nothing is written down as if it had been.
    const before = (await text('/desk/audit', (await seated(paper, 'administrator')).cookie)).length;
    expect(before).toBeGreaterThan(0);
    const late = await act(`${asha.path}/cancellation`, {});
    expect(late.done).toEqual([null]);
    const { rows } = await sql<{ n: number }>`
      select count(*)::int as n from staff.actions where what = 'cancellation'`.execute(paper.database.db);
    expect(rows).toEqual([{ n: 1 }]);
    const subjects = (await mailsTo(paper, asha.email)).map(({ subject }) => subject);
    expect(subjects.filter((one) => /ends on/.test(one))).toHaveLength(1);
    await proveBooks();
  });

  it('does nothing without a reason', async () => {
    const asha = await subscriber();
    const { html, status } = await act(`${asha.path}/cancellation`, { reason: ' ' });
    expect([status, html]).toEqual([422, expect.stringContaining('Say why')]);
    expect((await current(asha.readerId))?.cancelOn).toBeUndefined();
  });
});

describe('what waits for somebody', () => {
  it('F17: is counted on the first page and listed, and goes on once somebody has looked', async () => {
    const asha = await subscriber();
    const { db } = paper.database;
    await sql`update billing.subscriptions set paid_through_on = '2026-11-24', anchor_on = '2026-11-24', months_paid = 0,
      reminded_seq = 1, due_at = '2026-11-23T06:30:00Z'`.execute(db);
    await settleDue(paper.billing, paper.clock.now());
    expect(await text('/desk')).toContain('data-parked="1"');
    const list = await text('/desk/parked');
    expect(list).toContain('data-parked="subscription"');
    expect(list).toContain(`href="${asha.path}"`);
    await act(`${asha.path}/release`, {});
    expect(await text('/desk/parked')).toContain('Nothing waits.');
    expect((await current(asha.readerId))?.parkedReason).toBeUndefined();
    // Somebody who writes and arranges is told nothing of it.
    const editor = await seated(paper, 'editor');
    expect(await text('/desk', editor.cookie)).not.toContain('data-parked');
  });

  it('F98: a refund that the gateway refuses is paid out another way, and then it is said so', async () => {
    const asha = await subscriber();
    await failNextRefund(paper.database.db);
    const paymentId = /pay_[0-9a-f]+/.exec(await text(asha.path))?.[0] ?? '';
    await act(`${asha.path}/refunds`, { payment: paymentId, amount: '100' });
    await settle(paper);
    await live(paper, '2026-11-25');
    const list = await text('/desk/parked');
    expect(list).toContain('data-parked="refund"');
    const { id = '', key = '' } = fieldsOf(list);
    const fields = { id, key, reason: 'paid by bank transfer', by: 'hand' };
    for (let times = 0; times < 2; times++) {
      const seen = await post(paper, '/desk/parked/resolutions', fields, { cookie });
      expect(seen.headers.get('location')).toBe('/desk/parked?done=seen');
    }
    expect(await text('/desk/parked')).toContain('Nothing waits.');
    expect(await text(asha.path)).toContain('Somebody saw to it.');
  });

  it('money of another amount than was asked for is looked at, and the gateway asked once more', async () => {
    const asha = await subscriber();
    const { db } = paper.database;
    await sql`update billing.charge_intents set parked_reason = 'the amount is another one than was asked for'`.execute(
      db,
    );
    const list = await text('/desk/parked');
    expect(list).toContain('data-parked="attempt"');
    const { id = '', key = '' } = fieldsOf(list);
    await post(
      paper,
      '/desk/parked/resolutions',
      { id, key, reason: 'looked at it', by: 'asking' },
      { cookie },
    );
    await settle(paper);
    expect(await text('/desk/parked')).toContain('Nothing waits.');
    expect((await current(asha.readerId))?.state).toBe('active');
    await proveBooks();
  });
});
