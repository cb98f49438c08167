import { BENEFITS_OF, giveGrants } from '#entitlements';
import type { Db, Tx } from '#platform/db';
import { enqueue } from '#platform/queue';
import { isSameMoney } from '#values/money';
import { startOfDay } from '#values/term';
import {
  type ChargeIntent,
  findIntent,
  insertEvent,
  isOpen,
  markProcessed,
  noteCheckout,
  openIntents,
  parkIntent,
  savePayment,
  setIntentStatus,
  unansweredIntents,
} from './charges.store.ts';
import type { CheckoutState, GatewayPayment } from './gateways/gateway.ts';
import { mailReceipt, tellFailed } from './letters.ts';
import type { BillingParts } from './parts.ts';
import { isOver, transition } from './subscription.ts';
import {
  insertFact,
  insertTerm,
  lockSubscription,
  type Subscription,
  saveStanding,
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
  const { db, gateway } = parts;
  const event = gateway.verifyWebhook(rawBody, header);
  if (event.kind === 'forged') return false;
  await db.transaction().execute(async (tx) => {
    const checkoutId = event.kind === 'event' ? event.checkoutId : undefined;
    const { eventId, type } = event;
    const isNew = await insertEvent(
      tx,
      { gateway: gateway.name, eventId, type, checkoutId, body: rawBody },
      now,
    );
    if (isNew && event.kind === 'event') await askLater(tx, event.reference);
  });
  return true;
}

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
  const intent = await findIntent(db, { id: intentId });
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
  if ('state' in found.value) await noteCheckout(db, intentId, found.value);
  const checkoutId = intent.checkoutId ?? ('state' in found.value ? found.value.checkoutId : undefined);
  await db.transaction().execute(async (tx) => {
    await apply(parts, tx, intent, state, now);
    if (checkoutId !== undefined) await markProcessed(tx, intent.gateway, checkoutId, now);
  });
}

async function apply(
  parts: BillingParts,
  tx: Tx,
  { id, subscriptionId }: ChargeIntent,
  state: CheckoutState,
  now: Temporal.Instant,
): Promise<void> {
  const subscription = await lockSubscription(tx, subscriptionId);
  // Read again under the lock: another may have been faster.
  const intent = await findIntent(tx, { id });
  if (intent === undefined || subscription === undefined) return;
  if (state.kind === 'payment') return applyPayment(parts, tx, intent, subscription, state, now);
  if (state.kind === 'expired' && isOpen(intent)) await setIntentStatus(tx, id, 'canceled');
}

async function applyPayment(
  parts: BillingParts,
  tx: Tx,
  intent: ChargeIntent,
  subscription: Subscription,
  payment: GatewayPayment,
  now: Temporal.Instant,
): Promise<void> {
  await savePayment(tx, intent, payment);
  if (intent.status === 'succeeded') return;
  if (payment.status === 'pending' || payment.status === 'requires_action') {
    if (isOpen(intent)) await setIntentStatus(tx, intent.id, payment.status);
    return;
  }
  if (payment.status === 'failed') {
    // At its own page the reader may try again, so the attempt stays open until the checkout closes.
    if (intent.status === 'pending') await tellFailed(tx, intent, subscription, now);
    if (isOpen(intent)) {
      await setIntentStatus(tx, intent.id, 'submitted', { failureCode: payment.failureCode });
    }
    return;
  }
  const wrong = whatIsWrong(intent, subscription, payment);
  await setIntentStatus(tx, intent.id, 'succeeded', wrong === undefined ? {} : { parkedReason: wrong });
  if (wrong !== undefined) {
    parts.log.error(
      { intentId: intent.id, subscriptionId: subscription.id },
      `money came that fits nothing: ${wrong}`,
    );
    await insertFact(tx, {
      subscriptionId: subscription.id,
      fact: 'parked',
      actor: intent.gateway,
      reason: wrong,
      at: now,
    });
    return;
  }
  await activate(parts, tx, intent, subscription, payment, now);
}

/** Why a payment that came is not simply taken: staff have to look at it, and nothing is done by itself. */
function whatIsWrong(
  intent: ChargeIntent,
  subscription: Subscription,
  payment: GatewayPayment,
): string | undefined {
  if (!isSameMoney(payment.amount, intent.amount)) return 'the amount is another one than was asked for';
  if (intent.status === 'canceled' || isOver(subscription)) return 'it was paid after it was given up';
  if (subscription.state !== 'incomplete') return 'it was paid twice';
  return undefined;
}

/** Term, grants, history and receipt, in the transaction in which the payment is noted: all of it or nothing. */
async function activate(
  parts: BillingParts,
  tx: Tx,
  intent: ChargeIntent,
  subscription: Subscription,
  payment: GatewayPayment,
  now: Temporal.Instant,
): Promise<void> {
  const result = transition(subscription, { kind: 'paid' }, now);
  if (result.kind === 'unchanged' || result.term === undefined) return;
  const { standing, term } = result;
  await saveStanding(tx, subscription.id, standing, now);
  const termId = await insertTerm(tx, subscription.id, { ...term, price: subscription.price });
  await giveGrants(
    tx,
    {
      readerId: subscription.readerId,
      benefits: BENEFITS_OF[subscription.product],
      source: 'term',
      sourceId: termId,
      from: now,
      until: startOfDay(term.endOn, subscription.zone),
    },
    now,
  );
  await insertFact(tx, { subscriptionId: subscription.id, fact: 'paid', actor: intent.gateway, at: now });
  await mailReceipt(parts, tx, subscription, term, { ...payment, amount: intent.amount }, now);
}
