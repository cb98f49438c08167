import { isUnavailable, type Tx } from '#platform/db';
import { carryOut, type Outcome } from './carrying-out.ts';
import {
  type ChargeIntent,
  countPolls,
  isOpen,
  newestIntent,
  newestIntents,
  parkIntent,
} from './charges.store.ts';
import { raiseCharges, sendCharge } from './charging.ts';
import { closeOpenCheckout } from './checkout-page.ts';
import { insertFacts, type NewFact } from './facts.store.ts';
import { deliverGifts } from './gifts.ts';
import { postLetters, renewalNotice } from './letters.ts';
import { listDue, putOff, saveLooks } from './looks.store.ts';
import { insertNotices, type NewNotice, noticeOf } from './notices.store.ts';
import type { BillingParts } from './parts.ts';
import { tellPrices } from './price-notices.ts';
import { type Act, nextAct } from './renewal.ts';
import { settleIntent } from './settling.ts';
import { applyFact } from './standing.ts';
import { type Step, transition } from './subscription.ts';
import { lockDue, type Subscription } from './subscriptions.store.ts';

/** Looked at in one transaction: their locks are held for as long as it takes. */
const BATCH = 100;
/** Asked of a gateway at once by one process. */
const AT_ONCE = 32;
const LANES = 2;
/** What could not be done, because a gateway or a reader was in the way, is tried again after this long. */
const TRY_AGAIN = { hours: 1 };
/** Nothing is ever done so often to one subscription at one look: a rule that turned in a circle would be a fault. */
const MOST_ACTS = 24;

/**
 * Does what has fallen due: gives up what was never paid, reminds readers, charges what renews, asks what became of
 * charges, and lets days come. Safe to repeat, and to run in any number of processes at once: each subscription is looked
 * at by one of them at a time, and whatever is asked of a gateway was written down before (billing, 1.5).
 */
export async function settleDue(parts: BillingParts, now: Temporal.Instant): Promise<void> {
  await deliverGifts(parts, now);
  // While one waits for the gateway, another looks at who is next: 247 renewals a second, where one had 201 and three 226.
  await Promise.all(Array.from({ length: LANES }, () => settleBatches(parts, now)));
}

async function settleBatches(parts: BillingParts, now: Temporal.Instant): Promise<void> {
  for (;;) {
    const { looked, tasks } = await lookAtBatch(parts, now);
    await eachAtOnce(tasks, async ({ run, subscriptionId }) => {
      try {
        await run();
      } catch (error) {
        // What fails for one reader keeps none of the others waiting.
        parts.log.error({ err: error, subscriptionId }, 'what fell due could not be done yet');
      }
    });
    if (looked < BATCH && tasks.length === 0) return;
  }
}

/** A look that cannot be written down is taken again after this long, once somebody has read of it in the log. */
const PUT_OFF = { hours: 1 };

/** Together, or where that fails one by one: what cannot be written of one keeps none of the others waiting. */
async function lookAtBatch(parts: BillingParts, now: Temporal.Instant): Promise<Look> {
  const { db, log } = parts;
  try {
    return await db.transaction().execute((tx) => look(parts, tx, now));
  } catch (error) {
    log.warn({ err: error }, 'what fell due is looked at one by one, since together it could not be');
  }
  const looks: Look[] = [];
  for (const id of await listDue(db, now, BATCH)) {
    try {
      looks.push(await db.transaction().execute((tx) => look(parts, tx, now, id)));
    } catch (error) {
      if (isUnavailable(error)) throw error;
      log.error({ err: error, subscriptionId: id }, 'a subscription could not be looked at, and is put off');
      await putOff(db, id, now.add(PUT_OFF));
    }
  }
  return { looked: BATCH, tasks: looks.flatMap(({ tasks }) => tasks) };
}

/** What is to be asked of a gateway once everything about it is written down. */
type Task = { readonly subscriptionId: string; readonly run: () => Promise<void> };

type Look = { readonly looked: number; readonly tasks: readonly Task[] };

async function look(parts: BillingParts, tx: Tx, now: Temporal.Instant, only?: string): Promise<Look> {
  const due = await lockDue(tx, now, BATCH, only);
  if (due.length === 0) return { looked: 0, tasks: [] };
  const newest = await newestIntents(
    tx,
    due.map(({ id }) => id),
  );
  const looked = due.map((subscription) => lookAt(subscription, newest.get(subscription.id), now));
  await carryOut(
    parts,
    tx,
    looked.flatMap(({ outcome }) => outcome ?? []),
    now,
  );
  await keepNotices(tx, looked, now);
  const charging = await raiseCharges(
    parts,
    tx,
    looked.filter(({ act }) => act === 'charge').map(({ subscription }) => subscription),
    now,
  );
  const telling = await tellPrices(
    parts,
    tx,
    looked.filter(({ act }) => act === 'tell price').map(({ subscription }) => subscription),
    newest,
    now,
  );
  await countPolls(
    tx,
    looked.flatMap(({ ask }) => (ask === undefined ? [] : [ask.id])),
  );
  await saveLooks(
    tx,
    looked.map((one) => ({
      id: one.subscription.id,
      dueAt: charging.dueAt.get(one.subscription.id) ?? telling.get(one.subscription.id) ?? one.dueAt,
      remindedSeq: one.subscription.remindedSeq,
      parkedReason: charging.parked.get(one.subscription.id) ?? one.subscription.parkedReason,
    })),
  );
  const tasks = looked.flatMap((one): Task[] => {
    const subscriptionId = one.subscription.id;
    const raised = charging.intents.get(subscriptionId);
    if (raised !== undefined) return [{ subscriptionId, run: () => sendCharge(parts, raised.id, now) }];
    const run = taskOf(parts, one, now);
    return run === undefined ? [] : [{ subscriptionId, run }];
  });
  return { looked: due.length, tasks };
}

/** One subscription, after everything that needs nobody else. */
type Looked = {
  /** As it then stands. */
  readonly subscription: Subscription;
  readonly outcome: Outcome | undefined;
  /** What it was before it was reminded. */
  readonly reminded: Subscription | undefined;
  /** Something that needs a gateway, and ends the look. */
  readonly act: Exclude<Act, 'day' | 'remind'> | undefined;
  readonly ask: ChargeIntent | undefined;
  readonly dueAt: Temporal.Instant | undefined;
};

/** Lives through everything that has come, in its order. Pure. */
export function lookAt(
  before: Subscription,
  newest: ChargeIntent | undefined,
  now: Temporal.Instant,
): Looked {
  let is = before;
  let steps: readonly Step[] = [];
  let reminded: Subscription | undefined;
  for (let acts = 0; acts < MOST_ACTS; acts++) {
    const next = nextAct(is, newest, now);
    const isDue = next !== undefined && Temporal.Instant.compare(next.at, now) <= 0;
    if (!isDue || (next.act !== 'day' && next.act !== 'remind')) {
      const outcome =
        steps.length === 0
          ? undefined
          : {
              subscription: before,
              standing: is,
              steps,
              fact: 'day',
              actor: 'the calendar',
              reason: steps.findLast((step) => step.kind === 'moved')?.to ?? '',
              dueAt: now,
            };
      const act = isDue ? (next.act as Looked['act']) : undefined;
      return {
        subscription: is,
        outcome,
        reminded,
        act,
        ask: act === 'ask' || act === 'park' ? newest : undefined,
        dueAt: act === undefined ? next?.at : now.add(TRY_AGAIN),
      };
    }
    if (next.act === 'remind') {
      reminded = is;
      is = { ...is, remindedSeq: is.nextSeq };
      continue;
    }
    // Each boundary by itself, on its day: what is charged between two of them is not passed by.
    const result = transition(is, { kind: 'day' }, next.at);
    if (result.kind === 'unchanged') break;
    const isSameDay = is.paidThroughOn?.toString() === result.standing.paidThroughOn?.toString();
    is = { ...is, ...result.standing, ...(isSameDay ? {} : { remindedSeq: undefined }) };
    steps = [...steps, ...result.steps];
  }
  throw new Error(`subscription ${before.id} comes to no rest`);
}

/** Readers are told what will be taken; and that they were told is kept. */
async function keepNotices(tx: Tx, looked: readonly Looked[], now: Temporal.Instant): Promise<void> {
  const told = looked.flatMap(({ reminded }) => (reminded === undefined ? [] : [reminded]));
  const letters = told.flatMap((one) => renewalNotice(one));
  await insertNotices(
    tx,
    told.map((one): NewNotice => noticeOf(one, 'renewal')),
    now,
  );
  await insertFacts(
    tx,
    told.map(({ id }): NewFact => ({ subscriptionId: id, fact: 'reminded', actor: 'the calendar' })),
    now,
  );
  await postLetters(tx, letters, now);
}

/** What an act asks of a gateway, once everything is written down. */
function taskOf(
  parts: BillingParts,
  { act, ask, subscription }: Looked,
  now: Temporal.Instant,
): (() => Promise<void>) | undefined {
  switch (act) {
    case 'give up':
      return () => giveUp(parts, subscription, now);
    case 'close checkout':
      return async () => {
        await closeOpenCheckout(parts, subscription.id, now);
      };
    case 'ask':
      return ask && (() => settleIntent(parts, ask.id, now));
    case 'park':
      return ask && (() => parkIntent(parts.db, ask.id, 'the gateway never said what became of it'));
    case 'charge':
    case 'tell price':
    case undefined:
      return undefined;
    default:
      return act satisfies never;
  }
}

/** Closes the checkout at the gateway first: what cannot be paid any more can be given up, and nothing else. */
async function giveUp(parts: BillingParts, subscription: Subscription, now: Temporal.Instant): Promise<void> {
  if ((await closeOpenCheckout(parts, subscription.id, now)) !== 'closed') return;
  // Its reader may have begun again meanwhile.
  const isBegun = async (tx: Tx) => {
    const intent = await newestIntent(tx, subscription.id);
    return intent !== undefined && isOpen(intent);
  };
  await applyFact(parts, subscription.id, { kind: 'never paid' }, { actor: 'the calendar' }, now, isBegun);
}

/** Runs tasks, so many at once. */
async function eachAtOnce<Each>(all: readonly Each[], run: (one: Each) => Promise<void>): Promise<void> {
  const waiting = all.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const one of waiting) await run(one);
    }),
  );
}
