import type { Tx } from '#platform/db';
import { findReader } from '#readers';
import { dayAt } from '#values/term';
import { boughtNext, nextTerm } from './agreement.ts';
import { applyAnswer } from './applying.ts';
import { insertDrafts } from './books.store.ts';
import { billOf } from './carrying-out.ts';
import {
  type ChargeIntent,
  chargedSince,
  findIntent,
  insertIntents,
  isOpen,
  type NewIntent,
  putOffCharge,
  setIntentStatuses,
} from './charges.store.ts';
import { insertFacts, type NewFact } from './facts.store.ts';
import { type Called, type GatewayPayment, NOTICE_TOO_SHORT } from './gateways/gateway.ts';
import { insertNotices, noticeOf } from './notices.store.ts';
import type { BillingParts } from './parts.ts';
import { mayCharge, nextAct, notBefore, sentNotBefore } from './renewal.ts';
import type { Word } from './settlement.ts';
import { findSubscription, type Subscription } from './subscriptions.store.ts';

/** A charge that comes so soon after another one, or after so many, is a fault of ours until somebody has looked. */
export const SAFE_HOURS = 24;
const MOST_TRIES = 3;

/** Writes down what is about to be charged: the draft, the notice and the attempt. */
export async function raiseCharges(
  parts: BillingParts,
  tx: Tx,
  wanted: readonly Subscription[],
  now: Temporal.Instant,
): Promise<{
  /** By the subscription. */
  readonly intents: ReadonlyMap<string, ChargeIntent>;
  readonly dueAt: ReadonlyMap<string, Temporal.Instant | undefined>;
  readonly parked: ReadonlyMap<string, string>;
}> {
  if (wanted.length === 0) return { intents: new Map(), dueAt: new Map(), parked: new Map() };
  const recent = await chargedSince(
    tx,
    wanted.map(({ id }) => id),
    now.subtract({ hours: SAFE_HOURS }),
  );
  const names = parts.gateways.all.map(({ name }) => name);
  const parked = new Map<string, string>();
  for (const subscription of wanted) {
    const reason = whyUnsafe(subscription, names, recent.get(subscription.id));
    if (reason !== undefined) parked.set(subscription.id, reason);
  }
  for (const [subscriptionId, reason] of parked)
    parts.log.error({ subscriptionId }, `a subscription is parked: ${reason}`);
  await insertFacts(
    tx,
    [...parked].map(
      ([subscriptionId, reason]): NewFact => ({
        subscriptionId,
        fact: 'parked',
        actor: 'the paper',
        reason,
      }),
    ),
    now,
  );
  const safe = wanted.filter(({ id }) => !parked.has(id));
  await insertDrafts(
    tx,
    safe.map((subscription) =>
      billOf(parts, subscription, nextTerm(subscription, dayAt(now, subscription.zone)), undefined),
    ),
    now,
  );
  await insertNotices(
    tx,
    safe.map((subscription) => noticeOf(subscription, 'debit')),
    now,
  );
  const made = await insertIntents(
    tx,
    safe.flatMap((subscription) => chargeOf(subscription, now)),
    now,
  );
  const intents = new Map(made.map((intent) => [intent.subscriptionId, intent]));
  const dueAt = new Map(
    wanted.map((subscription) => [
      subscription.id,
      nextAct(
        { ...subscription, parkedReason: parked.get(subscription.id) ?? subscription.parkedReason },
        intents.get(subscription.id),
        now,
      )?.at,
    ]),
  );
  return { intents, dueAt, parked };
}

/** Why nothing is charged until a person has looked; undefined where it may be. @param recent within the last day */
export function whyUnsafe(
  { mandate }: Pick<Subscription, 'mandate'>,
  gateways: readonly string[],
  recent: { readonly paid: number; readonly tried: number } = { paid: 0, tried: 0 },
): string | undefined {
  if (mandate === undefined || !gateways.includes(mandate.gateway))
    return 'its mandate is with a gateway that the paper has no account at';
  if (recent.paid > 0) return 'it was paid within the last day, and is to be charged again';
  return recent.tried >= MOST_TRIES ? 'it was charged too often within a day' : undefined;
}

/** The attempt that charges the next term; none where there is nothing to charge. */
export function chargeOf(subscription: Subscription, now: Temporal.Instant): NewIntent[] {
  const { id, mandate, nextSeq } = subscription;
  if (mandate === undefined) return [];
  return [
    {
      subscriptionId: id,
      termSeq: nextSeq,
      gateway: mandate.gateway,
      amount: boughtNext(subscription).price,
      next: '/account',
      mandateId: mandate.id,
      invoiceId: undefined,
      notBefore: notBefore(mandate.rail, now),
    },
  ];
}

/**
 * Asks for money by a mandate, as it was written down. The same attempt is taken once, however often it is sent.
 *
 * @throws when the gateway does not answer: then it is asked later what became of it
 */
export async function sendCharge(
  parts: BillingParts,
  intentId: string,
  now: Temporal.Instant,
): Promise<void> {
  const { db, gateways, publication } = parts;
  const intent = await findIntent(db, intentId);
  if (intent === undefined || !isOpen(intent)) return;
  const subscription = await findSubscription(db, intent.subscriptionId);
  if (subscription === undefined) return;
  const { mandate, nextPlanName, readerId } = subscription;
  const reader = await findReader(db, { id: readerId });
  // A last look: its reader may have cancelled, left, or paid another way since it was written down.
  if (reader === undefined || mandate === undefined || !mayCharge(subscription)) {
    await setIntentStatuses(db, [{ intentId, status: 'canceled' }], now);
    return;
  }
  const soonest = sentNotBefore(mandate.rail, intent.notBefore, now);
  const called = await gateways.named(intent.gateway).charge({
    intentId,
    mandateToken: mandate.token,
    rail: mandate.rail,
    amount: intent.amount,
    description: `${publication().name}: ${nextPlanName}`,
    readerId: reader.id,
    email: reader.email,
    // The same for whoever sends it, or the gateway takes it for another one.
    notBefore: soonest === intent.notBefore ? soonest : await putOffCharge(db, intent, soonest),
  });
  // It took longer on its way than there was to spare. It stays open, and is sent for a later day when it is asked about.
  if (called.kind === 'refused' && called.code === NOTICE_TOO_SHORT)
    throw new Error(`charge ${intentId} came too late for its payer to be told in time`);
  await applyAnswer(parts, intent, wordOf(called), now);
}

function wordOf(called: Called<GatewayPayment>): Called<Word> {
  if (called.kind === 'ok') return { kind: 'ok', value: { kind: 'payment', ...called.value } };
  // That it was refused is an answer: nothing was taken, and nothing will be.
  return called.kind === 'refused' ? { kind: 'ok', value: called } : called;
}
