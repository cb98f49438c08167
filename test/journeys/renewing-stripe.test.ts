import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cancelSubscription, insertOffer, reconcile } from '#billing';
import { systemClock } from '#platform/clock';
import { live } from '../living.ts';
import { mailsTo } from '../mails.ts';
import type { TestBrowser } from '../shop.ts';
import { type StripeStandIn, stripeStandIn } from '../stand-ins/stripe.ts';
import { RUPAY, UPI, VISA } from '../stand-ins/stripe-instruments.ts';
import { type StripePaper, sessionIn, stripePaper } from '../stand-ins/stripe-paper.ts';
import { AUTHENTICATION, declined, type Outcome } from '../stand-ins/stripe-payments.ts';
import type { Instrument } from '../stand-ins/stripe-stored.ts';

/** What a subscription costs after its first term, taken by Stripe with nobody there: each on a paper of its own. */
let stripe: StripeStandIn;
let at: StripePaper;
const toEnd: StripePaper['paper'][] = [];
beforeEach(async () => {
  stripe = await stripeStandIn(systemClock);
});
afterEach(async () => {
  for (const paper of toEnd.splice(0)) await paper.end();
  await stripe.close();
});

async function open(currency: 'GBP' | 'INR' = 'GBP'): Promise<void> {
  at = await stripePaper(stripe, { currency });
  toEnd.push(at.paper);
}

/** A subscription of three months, and when its second term is due; by default in pounds, by a card. */
async function renewing(instrument: Instrument = VISA, currency: 'GBP' | 'INR' = 'GBP') {
  await open(currency);
  const reader = await at.subscriber(undefined, { instrument });
  const due = (await at.currentOf(reader.readerId))?.paidThroughOn;
  if (due === undefined) throw new Error('nothing was bought');
  return { ...reader, due };
}

const until = (day: Temporal.PlainDate) => live(at.paper, day.toString());

/** Charges of a reader with nobody there. */
const chargesOf = (readerId: string) =>
  [...stripe.company.payments.values()].filter((one) => one.offSession && one.metadata.reader === readerId);
const endsNext = (...outcomes: Outcome[]) => void stripe.company.debits.push(...outcomes);

/** A reader pays at the page to which their account leads them. */
async function payAnew(reader: Pick<TestBrowser, 'post'>, instrument: Instrument = VISA) {
  const answer = await reader.post('/account/payment');
  const url = answer.headers.get('location') ?? '';
  expect(url).toContain(stripe.apiBase);
  stripe.company.pay(sessionIn(url), 'succeeded', instrument);
  await at.deliver();
}

describe('a term that begins three months later', () => {
  it('is paid with nobody there, once', async () => {
    const { due, readerId } = await renewing();
    await until(due.add({ days: 1 }));
    await at.deliver();
    expect(chargesOf(readerId)).toMatchObject([{ amount: 3_000, status: 'succeeded' }]);
    expect(await at.currentOf(readerId)).toMatchObject({
      state: 'active',
      nextSeq: 2,
      paidThroughOn: due.add({ months: 3 }),
    });
    await at.booksHold();
  });

  it('F65 that is declined is tried again, and keeps its days', async () => {
    const { due, email, readerId } = await renewing();
    endsNext(declined('insufficient_funds'));
    await until(due.add({ days: 3 }));
    await at.deliver();
    expect(chargesOf(readerId).map(({ status }) => status)).toEqual(['requires_payment_method', 'succeeded']);
    expect(new Set(chargesOf(readerId).map(({ metadata }) => metadata.intent)).size).toBe(2);
    expect(await at.currentOf(readerId)).toMatchObject({
      state: 'active',
      paidThroughOn: due.add({ months: 3 }),
    });
    expect((await mailsTo(at.paper, email)).map(({ subject }) => subject).join()).toContain('was not paid');
    await at.booksHold();
  });

  it('F10 F64 F81: by a card that is lost is not tried again; by a new one is paid, and the new one is charged from then on', async () => {
    const { due, readerId, ...browser } = await renewing();
    const lost = (await at.currentOf(readerId))?.mandate?.token.split(':')[1] ?? '';
    endsNext(declined('lost_card'));
    await until(due.add({ days: 5 }));
    await at.deliver();
    expect(chargesOf(readerId).length).toBe(1);
    expect(await at.currentOf(readerId)).toMatchObject({ state: 'past_due', needsMethod: true });
    await payAnew(browser, { ...VISA, last4: '1881', fingerprint: 'ANOTHER' });
    expect(await at.currentOf(readerId)).toMatchObject({
      state: 'active',
      needsMethod: false,
      paidThroughOn: due.add({ months: 3 }),
      mandate: { status: 'active', method: 'Visa ending 1881' },
    });
    expect(stripe.company.methods.get(lost)?.customerId).toBeNull();
    await until(due.add({ months: 3, days: 1 }));
    await at.deliver();
    const [, later] = chargesOf(readerId);
    expect(later).toMatchObject({ status: 'succeeded' });
    expect(later?.methodId).not.toBe(lost);
    expect(await at.currentOf(readerId)).toMatchObject({ state: 'active', nextSeq: 3 });
    await at.booksHold();
  }, 60_000);

  it('F67 that the bank wants its reader for is paid by them, and charged to the card that they then gave', async () => {
    const { due, email, readerId, ...browser } = await renewing();
    endsNext(AUTHENTICATION);
    await until(due.add({ days: 1 }));
    await at.deliver();
    expect(await at.currentOf(readerId)).toMatchObject({ state: 'past_due' });
    expect((await mailsTo(at.paper, email)).map(({ text }) => text).join()).toContain('/account/payment');
    await payAnew(browser);
    expect(await at.currentOf(readerId)).toMatchObject({
      state: 'active',
      paidThroughOn: due.add({ months: 3 }),
      mandate: { status: 'active', gateway: 'stripe' },
    });
    expect(chargesOf(readerId).length).toBe(1);
    await at.booksHold();
  });

  it('F05 whose answer was lost is asked about, and charged once', async () => {
    const { due, readerId } = await renewing();
    stripe.fail('POST /payment_intents', 'hang-after');
    await until(due.add({ days: 1 }));
    await at.deliver();
    await until(due.add({ days: 2 }));
    expect(chargesOf(readerId)).toMatchObject([{ status: 'succeeded' }]);
    expect(await at.currentOf(readerId)).toMatchObject({ state: 'active', nextSeq: 2 });
  }, 60_000);

  it('F82 that was cancelled is not charged', async () => {
    const { due, readerId } = await renewing();
    await cancelSubscription(at.paper.billing, readerId, 'reader', at.paper.clock.now());
    await until(due.add({ days: 2 }));
    expect(chargesOf(readerId)).toEqual([]);
    expect(await at.currentOf(readerId)).toMatchObject({ state: 'expired' });
  });

  it('F41 F104: given back at Stripe’s own pages while no webhook came is found by asking', async () => {
    const { due, readerId } = await renewing();
    await until(due.add({ days: 1 }));
    const [charge] = chargesOf(readerId);
    stripe.company.refund({ payment_intent: charge?.id, amount: 500 });
    stripe.company.events.length = 0;
    const differing = async () => (await reconcile(at.paper.billing, systemClock.now())).returnsDiffer;
    expect(await differing()).toBeGreaterThan(0);
    await at.settle();
    expect(await differing()).toBe(0);
    await at.booksHold();
    expect(await at.currentOf(readerId)).toMatchObject({ state: 'active', nextSeq: 2 });
  });

  it('is not taken while a bank asks the last payment back, and is once that is won', async () => {
    const { due, readerId } = await renewing();
    const [payment] = [...stripe.company.payments.values()];
    const dispute = stripe.company.dispute(payment?.id ?? '');
    await at.deliver();
    await until(due.add({ days: 1 }));
    expect(chargesOf(readerId)).toEqual([]);
    stripe.company.decideDispute(dispute.id, 'won');
    await at.deliver();
    await until(due.add({ days: 3 }));
    await at.deliver();
    expect(chargesOf(readerId)).toMatchObject([{ status: 'succeeded' }]);
    expect(await at.currentOf(readerId)).toMatchObject({ state: 'active', isDisputed: false });
    await at.booksHold();
  }, 60_000);
});

describe('in rupees', () => {
  it('a term is taken by UPI, once its bank has announced it', async () => {
    const { due, readerId } = await renewing(UPI, 'INR');
    expect((await at.currentOf(readerId))?.mandate).toMatchObject({
      gateway: 'stripe',
      rail: 'upi',
      method: 'UPI meera@okbank',
    });
    await until(due.subtract({ days: 1 }));
    const [debit] = chargesOf(readerId);
    expect(debit).toMatchObject({ status: 'processing', currency: 'inr' });
    expect(await at.currentOf(readerId)).toMatchObject({ state: 'active', nextSeq: 1 });
    stripe.company.decide(debit?.id ?? '', 'succeeded');
    await at.deliver();
    expect(await at.currentOf(readerId)).toMatchObject({ nextSeq: 2 });
    expect(chargesOf(readerId).length).toBe(1);
    await at.booksHold();
  });

  it('F69 F75 nothing is taken by a mandate that its reader ended in the bank’s app; they are asked for another', async () => {
    const { due, readerId, ...browser } = await renewing(UPI, 'INR');
    const [mandate] = [...stripe.company.mandates.values()];
    stripe.company.setMandate(mandate?.id ?? '', 'inactive');
    await at.deliver();
    expect(await at.currentOf(readerId)).toMatchObject({
      state: 'active',
      needsMethod: true,
      mandate: { status: 'revoked' },
    });
    await until(due.add({ days: 1 }));
    expect(chargesOf(readerId)).toEqual([]);
    await payAnew(browser, UPI);
    expect(await at.currentOf(readerId)).toMatchObject({
      state: 'active',
      needsMethod: false,
      mandate: { status: 'active' },
      paidThroughOn: due.add({ months: 3 }),
    });
    await at.booksHold();
  });

  it('a card pays once, and its reader is asked again for the next term', async () => {
    const { due, email, readerId, ...browser } = await renewing(RUPAY, 'INR');
    expect(await at.currentOf(readerId)).toMatchObject({ state: 'active', mandate: undefined });
    await until(due.add({ days: 1 }));
    expect(chargesOf(readerId)).toEqual([]);
    expect(await at.currentOf(readerId)).toMatchObject({ state: 'past_due' });
    expect((await mailsTo(at.paper, email)).map(({ text }) => text).join()).toContain('/account/payment');
    await payAnew(browser, RUPAY);
    expect(await at.currentOf(readerId)).toMatchObject({
      state: 'active',
      paidThroughOn: due.add({ months: 3 }),
    });
    await at.booksHold();
  });
});

it('a trial takes a card and no money, and is charged to it when its days are over', async () => {
  await open();
  const { clock, database } = at.paper;
  const today = clock.now().toZonedDateTimeISO('Asia/Kolkata').toPlainDate();
  await database.db.transaction().execute((tx) =>
    insertOffer(
      tx,
      {
        slug: 'spring',
        name: 'Spring',
        planSlug: 'quarterly',
        trialDays: 14,
        phases: [],
        who: 'anyone',
        lapsedDays: 30,
        fromOn: today,
        untilOn: undefined,
        needsCode: false,
        most: undefined,
      },
      [],
      clock.now(),
    ),
  );
  const reader = await at.newReader();
  await expect
    .poll(async () => (await reader.get('/subscribe/quarterly?offer=spring')).text())
    .toContain('data-offer');
  const checkoutId = await at.order(reader, { plan: 'quarterly', offer: 'spring' });
  expect(stripe.company.sessions.get(checkoutId)).toMatchObject({ mode: 'setup' });
  stripe.company.pay(checkoutId);
  await at.deliver();
  expect(await at.currentOf(reader.readerId)).toMatchObject({
    state: 'trialing',
    mandate: { gateway: 'stripe', status: 'active', method: 'Visa ending 4242' },
  });
  expect(stripe.company.balance.size).toBe(0);
  await until(today.add({ days: 15 }));
  await at.deliver();
  expect(chargesOf(reader.readerId)).toMatchObject([{ amount: 3_000, status: 'succeeded' }]);
  expect(await at.currentOf(reader.readerId)).toMatchObject({ state: 'active' });
  await at.booksHold();
});
