import { nextTerm } from '../../src/newspaper/billing/agreement.ts';
import { billOf } from '../../src/newspaper/billing/carrying-out.ts';
import { type ChargeIntent, isOpen } from '../../src/newspaper/billing/charges.store.ts';
import { chargeOf, SAFE_HOURS, whyUnsafe } from '../../src/newspaper/billing/charging.ts';
import { lookAt } from '../../src/newspaper/billing/due.ts';
import { noticeOf } from '../../src/newspaper/billing/notices.store.ts';
import { differenceOf } from '../../src/newspaper/billing/reconciling.ts';
import { mayCharge, nextAct, sentNotBefore } from '../../src/newspaper/billing/renewal.ts';
import type { Word } from '../../src/newspaper/billing/settlement.ts';
import { dayAt } from '../../src/values/term.ts';
import { type KeptSubscription, PAPER, READER, type World } from './world.ts';

const PARTS = { publication: () => PAPER };

/** What a process does of its own accord: it looks at what is due, asks the gateway, and takes in what that sends. */

/** Asks for money by a mandate, as it was written down. */
function send(world: World, intentId: string): void {
  const intent = world.intents.find(({ id }) => id === intentId);
  if (intent === undefined || !isOpen(intent)) return;
  const subscription = world.subscription(intent.subscriptionId);
  const { mandate } = subscription;
  if (mandate === undefined || !mayCharge(subscription)) {
    world.changeIntent(intentId, { status: 'canceled' });
    return;
  }
  const { amount } = intent;
  const notBefore = sentNotBefore(mandate.rail, intent.notBefore, world.now);
  world.changeIntent(intentId, { notBefore });
  const order = { intentId, amount, notBefore, token: mandate.token, customer: READER.id };
  const called = world.bank.charge(order, world.now);
  if (called.kind === 'refused') world.hear(intentId, called);
  if (called.kind === 'ok') world.hear(intentId, { kind: 'payment', ...called.value });
}

function hear(world: World, intentId: string, word: Word): void {
  world.readings.push({ intentId, word });
  world.hear(intentId, word);
}

/** Asks what became of an attempt. @returns whether there was an answer */
function ask(world: World, intentId: string): boolean {
  const intent = world.intents.find(({ id }) => id === intentId) as ChargeIntent;
  if (intent.mandateId === undefined) {
    const read = world.bank.readCheckout(intentId);
    if (read.kind === 'ok' && read.value !== undefined) hear(world, intentId, read.value);
    return read.kind === 'ok';
  }
  const found = world.bank.findCharge(intentId);
  if (found.kind !== 'ok') return false;
  if (found.value !== undefined) hear(world, intentId, { kind: 'payment', ...found.value });
  else if (isOpen(intent)) send(world, intentId);
  return true;
}

/** Sees to it that nothing of a subscription is paid any more at a page, or finds that it was. */
export function closeCheckout(
  world: World,
  subscriptionId: string,
): 'closed' | 'paid' | 'pending' | 'unknown' {
  const intent = world.newest(subscriptionId);
  if (intent === undefined || !isOpen(intent)) return 'closed';
  if (intent.status === 'pending' || intent.mandateId !== undefined) return 'pending';
  const expired = world.bank.expireCheckout(intent.id);
  if (expired.kind !== 'ok') return 'unknown';
  if (expired.value !== 'expired') {
    ask(world, intent.id);
    return world.newest(subscriptionId)?.status === 'pending' ? 'pending' : 'paid';
  }
  world.changeIntent(intent.id, { status: 'canceled' });
  return 'closed';
}

/** Keeps how a mandate stands, as it is read again. */
function readMandate(world: World, token: string): void {
  const read = world.bank.readMandate(token);
  if (read.kind !== 'ok') return;
  const { status } = read.value;
  for (const one of world.subscriptions) {
    if (one.mandate?.token !== token) continue;
    world.change(one.id, { mandate: { ...one.mandate, status }, dueAt: one.endedAt ? undefined : world.now });
    if (status !== 'paused')
      world.apply(one.id, { kind: status === 'revoked' ? 'method lost' : 'method' }, 'sandbox');
  }
}

/** How word of a gateway comes, if it does. */
export const COMINGS = ['as sent', 'twice', 'reversed', 'lost', 'after old ones'] as const;
export type Coming = (typeof COMINGS)[number];

/** Takes in what a gateway sent: it only says what to ask about. @param how it comes, if it does */
export function deliver(world: World, how: Coming): void {
  const words = world.bank.outbox;
  world.bank.outbox = [];
  // Another process had read this before, and comes to apply it only now.
  const stale = how === 'after old ones' ? world.readings.slice(-6, -1) : [];
  for (const { intentId, word } of stale) world.hear(intentId, word);
  if (how === 'lost') return;
  const order = how === 'reversed' ? words.toReversed() : how === 'twice' ? [...words, ...words] : words;
  for (const word of order) {
    if ('token' in word) readMandate(world, word.token);
    else ask(world, word.intentId);
  }
}

/** Does what waits to be done, once each. */
export function work(world: World): void {
  for (let jobs = world.jobs; jobs.length > 0; jobs = world.jobs) {
    world.jobs = [];
    for (const job of jobs) job();
    if (world.bank.isAway) return;
  }
}

/** Asks about all that is open, and holds everything against the gateway's list. @returns how much differed */
export function reconcile(world: World): number {
  for (const { id, parkedReason, status } of world.intents)
    if (isOpen({ status }) && parkedReason === undefined) ask(world, id);
  for (const { id, status } of world.refunds) if (status === 'requested') world.sendRefund(id);
  for (const { mandate } of world.subscriptions) if (mandate !== undefined) readMandate(world, mandate.token);
  const differing = world.bank.list().filter((theirs) => {
    const payment = world.payments.find((one) => one.gatewayPaymentId === theirs.gatewayPaymentId);
    const intent = world.intents.find(({ id }) => id === theirs.reference) as ChargeIntent;
    const refunds = world.refunds.filter((one) => one.gatewayPaymentId === theirs.gatewayPaymentId);
    const sum = (status: string) =>
      refunds.reduce((all, one) => (one.status === status ? all + one.amount.minor : all), 0n);
    const { currency, minor } = (payment ?? intent).amount;
    const dispute = world.disputes.findLast((one) => one.gatewayPaymentId === theirs.gatewayPaymentId);
    const kept = {
      ...{ intentId: intent.id, minor, currency, status: payment?.status },
      ...{ refunded: sum('processed'), refunding: sum('pending'), dispute: dispute?.status },
    };
    return differenceOf(theirs, kept) !== undefined;
  });
  for (const { reference } of differing) ask(world, reference);
  work(world);
  return differing.length;
}

/**
 * Looks at everything that is due, until nothing is.
 *
 * @param diesAfter so many commits: what was to be asked of the gateway then is never asked
 */
export function settleDue(world: World, diesAfter = Number.POSITIVE_INFINITY): void {
  for (let looks = 0; looks < 50; looks++) {
    const due = world.subscriptions.filter(
      ({ dueAt }) => dueAt !== undefined && Temporal.Instant.compare(dueAt, world.now) <= 0,
    );
    if (due.length === 0) return;
    const tasks = due.flatMap((one) => look(world, one));
    if (looks >= diesAfter) return;
    for (const task of tasks) task();
  }
  world.wrongs.push('I30: what is due comes to no end');
}

function look(world: World, before: KeptSubscription): (() => void)[] {
  const { now } = world;
  const {
    act,
    ask: asked,
    dueAt,
    outcome,
    reminded,
    subscription,
  } = lookAt(before, world.newest(before.id), now);
  if (outcome !== undefined) world.carryOut(outcome);
  const { id } = before;
  if (reminded !== undefined) {
    world.notices.push({ ...noticeOf(reminded, 'renewal'), at: now });
    world.letters.push({ kind: 'renewal-notice', at: now });
  }
  if (asked !== undefined) world.changeIntent(asked.id, { polls: asked.polls + 1 });
  const { remindedSeq } = subscription;
  world.change(id, { dueAt, remindedSeq });
  switch (act) {
    case 'charge':
      return charge(world, { ...world.subscription(id), remindedSeq });
    case 'give up':
      return [
        () => {
          if (closeCheckout(world, id) === 'closed') world.apply(id, { kind: 'never paid' }, 'the calendar');
        },
      ];
    case 'close checkout':
      return [() => closeCheckout(world, id)];
    case 'ask':
      return asked === undefined ? [] : [() => ask(world, asked.id)];
    case 'park':
      if (asked !== undefined) world.changeIntent(asked.id, { parkedReason: 'the gateway never said' });
      return [];
    case 'tell price':
    case undefined:
      return [];
    default:
      return act satisfies never;
  }
}

/** Writes down what is about to be charged, and then asks for it. */
function charge(world: World, subscription: KeptSubscription): (() => void)[] {
  const { now } = world;
  const { id } = subscription;
  const since = now.subtract({ hours: SAFE_HOURS });
  const isSince = (at: Temporal.Instant | undefined) =>
    at !== undefined && Temporal.Instant.compare(at, since) > 0;
  const ours = world.intents.filter((one) => one.subscriptionId === id);
  const recent = {
    paid: ours.filter(({ decidedAt, status }) => status === 'succeeded' && isSince(decidedAt)).length,
    tried: ours.filter(({ createdAt, mandateId }) => mandateId !== undefined && isSince(createdAt)).length,
  };
  const parkedReason = whyUnsafe(subscription, ['sandbox'], recent);
  if (parkedReason !== undefined) {
    const dueAt = nextAct({ ...subscription, parkedReason }, undefined, now)?.at;
    world.change(id, { parkedReason, dueAt });
    return [];
  }
  world.draft(billOf(PARTS, subscription, nextTerm(subscription, dayAt(now, subscription.zone)), undefined));
  world.notices.push({ ...noticeOf(subscription, 'debit'), at: now });
  return chargeOf(subscription, now).map((given) => {
    const open = ours.find(isOpen);
    if (open !== undefined) world.wrongs.push(`I6 I8: ${open.id} is open while another attempt is made`);
    const intent = world.write(given);
    world.change(id, { dueAt: nextAct(subscription, intent, now)?.at });
    return () => send(world, intent.id);
  });
}

/** Lets time pass, and does what falls due as it does; or all at once at its end, as after an outage. */
export function pass(
  world: World,
  until: Temporal.Instant,
  how: 'day by day' | 'at once',
  diesAfter = Number.POSITIVE_INFINITY,
): void {
  if (how === 'day by day') {
    for (let stops = 0; stops < 500; stops++) {
      const [next] = [...world.subscriptions.map(({ dueAt }) => dueAt), world.bank.nextEnd()]
        .filter((one) => one !== undefined)
        .toSorted(Temporal.Instant.compare);
      if (next === undefined || Temporal.Instant.compare(next, until) > 0) break;
      if (Temporal.Instant.compare(next, world.now) > 0) world.now = next;
      world.bank.live(world.now);
      settleDue(world, diesAfter);
      deliver(world, 'as sent');
      work(world);
    }
  }
  world.now = until;
  world.bank.live(until);
  settleDue(world, diesAfter);
}
