import { BENEFITS_OF, giveGrants, type NewGrants } from '#entitlements';
import type { Db, Tx } from '#platform/db';
import { groupedOver, oneOfEach } from '#platform/grouped';
import { uuidv7 } from '#platform/ids';
import { enqueue } from '#platform/queue';
import { latestOf } from '#values/instants';
import { startOfDay } from '#values/term';
import {
  type ChargeIntent,
  findIntent,
  findIntents,
  insertEvents,
  markProcessed,
  noteCheckout,
  openIntents,
  parkIntent,
  savePayments,
  setIntentStatuses,
  unansweredIntents,
} from './charges.store.ts';
import type { CheckoutState, Webhook } from './gateways/gateway.ts';
import { type Letter, paymentFailed, postLetters } from './letters.ts';
import type { BillingParts } from './parts.ts';
import { receiptOf } from './receipts.ts';
import { type Settlement, settlementOf } from './settlement.ts';
import {
  insertFacts,
  insertTerms,
  lockSubscriptions,
  type NewFact,
  type NewTerm,
  type Subscription,
  saveStandings,
} from './subscriptions.store.ts';

/** The task of jobs/tasks.ts that asks a gateway what became of a checkout. */
export const SETTLE_CHECKOUT = 'settle-checkout';

/**
 * Takes in what a gateway sent. A genuine event is kept, once, and says only which checkout to ask about; nothing that
 * it claims is believed.
 *
 * @returns whether it was genuine
 */
export async function takeEvent(
  parts: BillingParts,
  rawBody: Buffer,
  header: (name: string) => string | undefined,
  now: Temporal.Instant,
): Promise<boolean> {
  const event = parts.gateway.verifyWebhook(rawBody, header);
  if (event.kind === 'forged') return false;
  await keepEvent(parts, { event, body: rawBody, now });
  return true;
}

type Genuine = {
  readonly event: Exclude<Webhook, { kind: 'forged' }>;
  readonly body: Buffer;
  readonly now: Temporal.Instant;
};

/** Those that come at once are kept together, and one job asks about them all. */
const keepEvent = groupedOver(
  async ({ db, gateway }: BillingParts, taken: Genuine[]): Promise<undefined[]> => {
    const events = taken.map(({ body, event }) => ({
      gateway: gateway.name,
      eventId: event.eventId,
      type: event.type,
      checkoutId: event.kind === 'event' ? event.checkoutId : undefined,
      body,
    }));
    await db.transaction().execute(async (tx) => {
      const isNew = await insertEvents(tx, events, latestOf(taken.map(({ now }) => now)));
      const toAsk = taken.flatMap(({ event }) =>
        event.kind === 'event' && event.reference !== undefined && isNew.has(event.eventId)
          ? [event.reference]
          : [],
      );
      const pieces = [...new Set(toAsk)].map((intentId) => ({ intentId }));
      if (pieces.length > 0) await enqueue(tx, SETTLE_CHECKOUT, pieces);
    });
    return taken.map(() => undefined);
  },
  { most: 50, inFlight: 1, apart: true },
);

/** At once in one sitting: more are found by the next. */
const MOST_ASKED = 500;
/** Whoever took an event in has acted upon it by then, or died. */
const ACTED_UPON_WITHIN = { seconds: 30 };

/** Has a gateway asked about whatever it sent word of that nobody has acted upon, be it that a process died over it. */
export async function askUnanswered({ db }: BillingParts, now: Temporal.Instant): Promise<void> {
  for (const id of await unansweredIntents(db, now.subtract(ACTED_UPON_WITHIN), MOST_ASKED))
    await askLater(db, id);
}

/** Has a gateway asked about everything that may still be paid: its word may never have come (billing, 1.10). */
export async function askOpen({ db }: BillingParts): Promise<void> {
  for (const id of await openIntents(db, MOST_ASKED)) await askLater(db, id);
}

/** Has a gateway asked what became of an intent, once however often that is wished. */
export async function askLater(on: Db | Tx, intentId: string): Promise<void> {
  await enqueue(on, SETTLE_CHECKOUT, { intentId }, { key: `settle ${intentId}` });
}

/**
 * Asks the gateway what became of an intent, and applies it: under the subscription's lock, so that a webhook, a
 * reader who comes back and the command line, all at once, have one effect.
 *
 * @throws when the gateway does not answer, so that a job tries again
 */
export async function settleIntent(
  parts: BillingParts,
  intentId: string,
  now: Temporal.Instant,
): Promise<void> {
  const { db, gateway, log } = parts;
  const intent = await findIntent(db, intentId);
  if (intent === undefined) {
    log.warn({ intentId }, 'a gateway knows an order that this paper does not');
    return;
  }
  const found =
    intent.checkoutId === undefined
      ? await gateway.findCheckout(intent.id)
      : await gateway.readCheckout(intent.checkoutId);
  if (found.kind === 'unknown')
    throw new Error(`the gateway does not say what became of ${intentId}: ${found.reason}`);
  if (found.kind === 'refused') {
    log.error({ intentId, code: found.code }, 'the gateway refuses to say what became of a checkout');
    await parkIntent(db, intentId, `gateway: ${found.code}`);
    return;
  }
  if (found.value === undefined) return;
  const state: CheckoutState = 'state' in found.value ? found.value.state : found.value;
  if ('state' in found.value) {
    const { checkoutId, url } = found.value;
    await noteCheckout(db, { intentId, checkoutId, url });
  }
  await applyState(parts, { intentId, subscriptionId: intent.subscriptionId, state, now });
}

/** What a gateway says of an attempt. */
type Answered = {
  readonly intentId: string;
  readonly subscriptionId: string;
  readonly state: CheckoutState;
  readonly now: Temporal.Instant;
};

/** Answers that come at once are applied together, with one statement for each kind of change. */
const applyState = groupedOver(
  async (parts: BillingParts, answers: Answered[]): Promise<undefined[]> => {
    // The second answer about a subscription is applied to what the first one left.
    for (const some of oneOfEach(answers, (one) => one.subscriptionId))
      await parts.db
        .transaction()
        .execute((tx) => applyStates(parts, tx, some, latestOf(some.map(({ now }) => now))));
    return answers.map(() => undefined);
  },
  { most: 50, inFlight: 1, apart: true },
);

type Settled = {
  readonly intent: ChargeIntent;
  /** As it was before. */
  readonly subscription: Subscription;
  readonly settlement: Settlement;
};

async function applyStates(
  parts: BillingParts,
  tx: Tx,
  answers: readonly Answered[],
  now: Temporal.Instant,
): Promise<void> {
  const subscriptions = await lockSubscriptions(
    tx,
    answers.map((one) => one.subscriptionId),
  );
  // Read under the locks: another may have been faster.
  const intents = await findIntents(
    tx,
    answers.map((one) => one.intentId),
  );
  const settled = answers.flatMap(({ intentId, state, subscriptionId }): Settled[] => {
    const intent = intents.get(intentId);
    const subscription = subscriptions.get(subscriptionId);
    if (intent === undefined || subscription === undefined) return [];
    return [{ intent, subscription, settlement: settlementOf(intent, subscription, state, now) }];
  });
  await writeCharges(tx, settled, now);
  await writeTerms(tx, settled, now);
  await tellOf(parts, tx, settled, now);
}

/** What is known of attempts and payments, and that the gateway's word was acted upon. */
async function writeCharges(tx: Tx, settled: readonly Settled[], now: Temporal.Instant): Promise<void> {
  await savePayments(
    tx,
    settled.flatMap(({ intent, settlement: { payment } }) =>
      payment === undefined ? [] : [{ intent, payment }],
    ),
  );
  await setIntentStatuses(
    tx,
    settled.flatMap(({ intent, settlement: { intent: change, parkedReason } }) =>
      change === undefined ? [] : [{ ...change, intentId: intent.id, parkedReason }],
    ),
  );
  await markProcessed(
    tx,
    settled.flatMap(({ intent: { checkoutId, gateway } }) =>
      checkoutId === undefined ? [] : [{ gateway, checkoutId }],
    ),
    now,
  );
}

/** What was bought: its term, and the grants that go with it. */
async function writeTerms(tx: Tx, settled: readonly Settled[], now: Temporal.Instant): Promise<void> {
  const begun = settled.flatMap(({ settlement: { begins }, subscription }) =>
    begins === undefined ? [] : [{ ...begins, subscription, termId: uuidv7() }],
  );
  await saveStandings(
    tx,
    begun.map(({ standing, subscription }) => ({ id: subscription.id, standing })),
    now,
  );
  await insertTerms(
    tx,
    begun.map(
      ({ subscription, term, termId }): NewTerm => ({
        ...term,
        id: termId,
        subscriptionId: subscription.id,
        price: subscription.price,
      }),
    ),
  );
  await giveGrants(
    tx,
    begun.map(
      ({ subscription, term, termId }): NewGrants => ({
        readerId: subscription.readerId,
        benefits: BENEFITS_OF[subscription.product],
        source: 'term',
        sourceId: termId,
        from: now,
        until: startOfDay(term.endOn, subscription.zone),
      }),
    ),
    now,
  );
}

/** The subscription's history, the reader, and where money came that is good for nothing, the log. */
async function tellOf(
  { log, publication }: BillingParts,
  tx: Tx,
  settled: readonly Settled[],
  now: Temporal.Instant,
): Promise<void> {
  const facts: NewFact[] = [];
  const letters: Letter[] = [];
  for (const { intent, settlement, subscription } of settled) {
    const { begins, parkedReason, payment, tellFailed } = settlement;
    const fact = { subscriptionId: subscription.id, actor: intent.gateway };
    if (begins !== undefined && payment !== undefined) {
      facts.push({ ...fact, fact: 'paid' });
      const bought = { ...payment, amount: intent.amount };
      const payload = receiptOf(publication(), subscription, begins.term, bought);
      letters.push({ readerId: subscription.readerId, mail: { kind: 'receipt', payload } });
    }
    if (tellFailed) letters.push(paymentFailed(intent, subscription));
    if (parkedReason !== undefined) {
      facts.push({ ...fact, fact: 'parked', reason: parkedReason });
      log.error(
        { intentId: intent.id, subscriptionId: subscription.id },
        `money came that fits nothing: ${parkedReason}`,
      );
    }
  }
  await insertFacts(tx, facts, now);
  await postLetters(tx, letters, now);
}
