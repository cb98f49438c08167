import type { Tx } from '#platform/db';
import { groupedOver, oneOfEach } from '#platform/grouped';
import type { Publication } from '#publication';
import { latestOf } from '#values/instants';
import { dayAt } from '#values/term';
import type { PaidTerm } from './agreement.ts';
import { revokeLater } from './asking.ts';
import { type Billed, type Credit, creditInvoices, issueInvoices } from './bookkeeping.ts';
import {
  type Booked,
  creditableInvoices,
  currentInvoices,
  insertEntries,
  setInvoiceStatuses,
} from './books.store.ts';
import { billOf, carryOut, type Outcome } from './carrying-out.ts';
import {
  type ChargeIntent,
  findIntents,
  isOpen,
  noteInvoices,
  parkIntent,
  setIntentStatuses,
} from './charges.store.ts';
import { insertFacts, type NewFact } from './facts.store.ts';
import type { Called, GatewayPayment, Rail } from './gateways/gateway.ts';
import { markProcessed } from './inbox.store.ts';
import { applied, captured, type Entry, overpaid } from './ledger.ts';
import { type Letter, paymentFailed, postLetters, renewalFailed } from './letters.ts';
import { park, saveLooks } from './looks.store.ts';
import { saveMandates } from './mandates.store.ts';
import { triedBefore } from './offers.store.ts';
import type { BillingParts } from './parts.ts';
import { savePayments } from './payments.store.ts';
import { receiptOf } from './receipts.ts';
import { carryGiftsOver } from './redeeming.ts';
import { giveBack } from './refunds.ts';
import { nextAct } from './renewal.ts';
import { projectReturns } from './returns.ts';
import { type Settlement, settlementOf, type Word } from './settlement.ts';
import { transition } from './subscription.ts';
import { lockSubscriptions, type Subscription } from './subscriptions.store.ts';

/**
 * Applies what a gateway answered about an attempt.
 *
 * @throws when it is no answer
 */
export async function applyAnswer(
  parts: BillingParts,
  intent: ChargeIntent,
  answer: Called<Word | undefined>,
  now: Temporal.Instant,
): Promise<void> {
  const { db, log } = parts;
  if (answer.kind === 'unknown')
    throw new Error(`the gateway does not say what became of ${intent.id}: ${answer.reason}`);
  if (answer.kind === 'refused') {
    log.error(
      { intentId: intent.id, code: answer.code },
      'the gateway refuses to say what became of an attempt',
    );
    await parkIntent(db, intent.id, `gateway: ${answer.code}`);
    return;
  }
  if (answer.value === undefined) return;
  await applyState(parts, {
    intentId: intent.id,
    subscriptionId: intent.subscriptionId,
    state: answer.value,
    now,
  });
}

/** What a gateway says of an attempt. */
type Answered = {
  readonly intentId: string;
  readonly subscriptionId: string;
  readonly state: Word;
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

export type Settled = {
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
  const tried = await triedBefore(
    tx,
    answers.flatMap(({ state, subscriptionId }) =>
      state.kind === 'saved' && (subscriptions.get(subscriptionId)?.trialDays ?? 0) > 0
        ? (state.mandate.fingerprint ?? [])
        : [],
    ),
  );
  const creditable = await creditableTerms(
    tx,
    [...intents.values()].flatMap(({ change, subscriptionId }) =>
      change === undefined ? [] : (subscriptions.get(subscriptionId) ?? []),
    ),
  );
  const settled = answers.flatMap(({ intentId, state, subscriptionId }): Settled[] => {
    const intent = intents.get(intentId);
    const subscription = subscriptions.get(subscriptionId);
    if (intent === undefined || subscription === undefined) return [];
    const left = creditable.get(subscriptionId);
    const settlement = settlementOf(intent, subscription, state, now, tried, left);
    return [{ intent, subscription, settlement }];
  });
  await writeCharges(tx, settled, now);
  const given = settled.flatMap(({ intent, settlement: { mandate }, subscription }) =>
    mandate === undefined ? [] : [{ mandate, gateway: intent.gateway, subscription }],
  );
  const mandates = await saveMandates(tx, given, now);
  const known = settled.map((one) => {
    const mandate = mandates.get(one.subscription.id);
    return mandate === undefined ? one : { ...one, subscription: { ...one.subscription, mandate } };
  });
  for (const { intent, settlement, subscription } of settled) {
    const { letGo } = settlement;
    if (letGo !== undefined) await revokeLater(tx, { gateway: intent.gateway, token: letGo.token });
    // What was charged until now is not needed any more, and stands in its reader's app until it is given back.
    const { mandate: before } = subscription;
    const after = mandates.get(subscription.id);
    if (before?.status === 'active' && after !== undefined && after.id !== before.id)
      await revokeLater(tx, before);
  }
  const outcomes = known.flatMap((one) => outcomeOf(one, now));
  await carryOut(parts, tx, outcomes, now);
  await carryGiftsOver(parts, tx, outcomes, now);
  await saveLooks(tx, looksOf(known, outcomes, now));
  await parkDoubtfulPlaces(parts, tx, known, now);
  await tellOf(parts, tx, known, now);
  await book(parts, tx, known, now);
  await projectReturns(parts, tx, known, now);
}

/** What is left to be credited of the newest terms of subscriptions, in minor units, by the subscription's id. */
async function creditableTerms(
  tx: Tx,
  subscriptions: readonly Subscription[],
): Promise<ReadonlyMap<string, bigint>> {
  const invoices = await currentInvoices(
    tx,
    subscriptions.map(({ id, nextSeq }) => ({ subscriptionId: id, termSeq: nextSeq - 1 })),
  );
  const left = await creditableInvoices(
    tx,
    [...invoices.values()].map(({ id }) => id),
  );
  return new Map([...left.values()].map((one) => [one.subscriptionId, one.total - one.credited]));
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
    settled.flatMap(({ intent, settlement: { intent: change, took } }) =>
      change === undefined
        ? []
        : [
            {
              ...change,
              intentId: intent.id,
              parkedReason: took?.kind === 'park' ? took.reason : undefined,
              givenBackReason: took?.kind === 'give back' ? took.reason : undefined,
            },
          ],
    ),
    now,
  );
  await markProcessed(
    tx,
    settled.map(({ intent: { id } }) => id),
    now,
  );
}

/** What became of the subscription: a term was bought, or what it was charged to is good for nothing any more. */
export function outcomeOf({ intent, settlement, subscription }: Settled, now: Temporal.Instant): Outcome[] {
  const { intent: change, mandate, took, trial } = settlement;
  const said = { subscription, actor: intent.gateway };
  if (trial !== undefined) return [{ ...said, ...trial, fact: 'trial', dueAt: now }];
  if (took?.kind === 'bought') {
    const { standing, steps } = took;
    const next = nextAct({ ...subscription, ...standing }, undefined, now);
    const { change: asked } = intent;
    const paidFor = asked === undefined ? 'paid' : asked.seats === undefined ? 'change paid' : 'seats paid';
    return [{ ...said, standing, steps, fact: paidFor, dueAt: next?.at }];
  }
  const fact = change?.failureKind === 'never' ? 'method lost' : mandate === undefined ? undefined : 'method';
  if (fact === undefined) return [];
  const result = transition(subscription, { kind: fact }, now);
  return result.kind === 'unchanged'
    ? []
    : [{ ...said, standing: result.standing, steps: result.steps, fact, dueAt: now }];
}

/**
 * Whoever says that they live abroad and pays from an account in India is taxed in one of two ways, and which one is not
 * for a program to say: a person looks before anything more is charged (billing, F115). What is paid is theirs meanwhile.
 */
async function parkDoubtfulPlaces(
  { log }: BillingParts,
  tx: Tx,
  settled: readonly Settled[],
  now: Temporal.Instant,
): Promise<void> {
  const reasons = new Map(
    settled.flatMap(({ settlement, subscription: { country, id } }): [string, string][] =>
      settlement.mandate === undefined || isPlausible(settlement.mandate.rail, country)
        ? []
        : [
            [
              id,
              `it is paid from an account in India, and its reader says that they live elsewhere (${country})`,
            ],
          ],
    ),
  );
  await park(tx, reasons);
  await insertFacts(
    tx,
    [...reasons].map(
      ([subscriptionId, reason]): NewFact => ({ subscriptionId, fact: 'parked', actor: 'the paper', reason }),
    ),
    now,
  );
  for (const [subscriptionId, reason] of reasons)
    log.error({ subscriptionId }, `a subscription is parked: ${reason}`);
}

/** Only banks in India have its rails. */
function isPlausible(rail: Rail, country: string): boolean {
  return rail === 'card_intl' || country === 'IN';
}

/** When those are looked at next whose attempt has come on, and that stand as they did. */
export function looksOf(settled: readonly Settled[], outcomes: readonly Outcome[], now: Temporal.Instant) {
  const changed = new Set(outcomes.map(({ subscription }) => subscription.id));
  return settled.flatMap(({ intent, settlement, subscription }) => {
    const { id, parkedReason, remindedSeq } = subscription;
    if (changed.has(id) || settlement.intent === undefined) return [];
    const { took } = settlement;
    const decided = {
      ...(isOpen(settlement.intent) ? {} : { decidedAt: now }),
      ...(took?.kind === 'give back' ? { givenBackReason: took.reason } : {}),
    };
    const dueAt = settlement.mandate
      ? now
      : nextAct(subscription, { ...intent, ...settlement.intent, ...decided } as ChargeIntent, now)?.at;
    return [{ id, dueAt, parkedReason, remindedSeq }];
  });
}

/** The reader, and where money came that is good for nothing, the subscription's history and the log. */
async function tellOf(
  { log, publication }: BillingParts,
  tx: Tx,
  settled: readonly Settled[],
  now: Temporal.Instant,
): Promise<void> {
  const facts: NewFact[] = [];
  const letters: Letter[] = [];
  for (const { intent, settlement, subscription } of settled) {
    const { payment, tellFailed, took } = settlement;
    const fact = { subscriptionId: subscription.id, actor: intent.gateway };
    const begun = took?.kind === 'bought' ? took.steps.find((step) => step.kind === 'begin term') : undefined;
    if (begun !== undefined && payment !== undefined) {
      const bought = { ...subscription, planName: planNameOf(intent, subscription) };
      const payload = receiptOf(publication(), bought, begun.term, { ...payment, amount: intent.amount });
      letters.push({ readerId: subscription.readerId, mail: { kind: 'receipt', payload } });
    }
    if (tellFailed === 'checkout') letters.push(paymentFailed(intent, subscription));
    if (tellFailed === 'renewal') {
      facts.push({ ...fact, fact: 'declined', reason: settlement.intent?.failureCode ?? '' });
      if (isTold(intent, settlement))
        letters.push(...renewalFailed(subscription, subscription.mandate?.method));
    }
    if (took?.kind === 'park' || took?.kind === 'give back') {
      const { kind, reason } = took;
      facts.push({ ...fact, fact: kind === 'park' ? 'parked' : 'money that buys nothing', reason });
      log.error(
        { intentId: intent.id, subscriptionId: subscription.id },
        `money came that ${kind === 'park' ? 'fits' : 'buys'} nothing: ${reason}`,
      );
    }
  }
  await insertFacts(tx, facts, now);
  await postLetters(tx, letters, now);
}

/** The first time and the third a reader hears that it was declined, and whenever something is asked of them (1.8). */
function isTold({ attempt }: ChargeIntent, { intent }: Settlement): boolean {
  return intent?.failureKind !== 'later' || attempt === 1 || attempt === 3;
}

/** Money that came: for an invoice, which it pays, or for nothing. Invoices are numbered last: others wait for that. */
async function book(
  parts: BillingParts,
  tx: Tx,
  settled: readonly Settled[],
  now: Temporal.Instant,
): Promise<void> {
  const paper = parts.publication();
  const took = settled.filter(({ settlement }) => settlement.took !== undefined);
  const bought = took.flatMap(({ intent, settlement, subscription }) => {
    const begun =
      settlement.took?.kind === 'bought'
        ? settlement.took.steps.find((step) => step.kind === 'begin term')
        : undefined;
    return begun === undefined ? [] : [{ intent, subscription, term: begun.term }];
  });
  const invoices = await currentInvoices(
    tx,
    bought.map(({ subscription, term }) => ({ subscriptionId: subscription.id, termSeq: term.seq })),
  );
  const bills = bought.map(({ intent, subscription, term }) => {
    const invoice = invoices.get(subscription.id);
    const bill = boughtBill(parts, intent, subscription, term, invoice?.id);
    return { intent, bill, isOpen: invoice?.status === 'open' };
  });
  await issueInvoices(
    tx,
    paper,
    bills.filter(({ isOpen }) => !isOpen).map(({ bill }) => ({ ...bill, status: 'paid' })),
    now,
  );
  await setInvoiceStatuses(
    tx,
    bills.filter(({ isOpen }) => isOpen).map(({ bill }) => ({ id: bill.id, status: 'paid' })),
  );
  await creditChanged(tx, paper, bought, now);
  const invoiceOf = new Map(bills.map(({ bill, intent }) => [intent.id, bill.id]));
  await noteInvoices(tx, invoiceOf);
  await insertEntries(
    tx,
    took.flatMap(({ intent, settlement: { payment }, subscription }): Booked[] => {
      if (payment === undefined) return [];
      const invoiceId = invoiceOf.get(intent.id);
      return entriesOf(intent, payment, invoiceId).map((entry) => ({
        entry,
        subscriptionId: subscription.id,
        invoiceId,
      }));
    }),
    dayAt(now, paper.zone),
    now,
  );
  await giveBack(
    tx,
    took.flatMap(({ intent, settlement: { payment, took: what } }) =>
      what?.kind === 'give back' && payment !== undefined
        ? [{ gateway: intent.gateway, gatewayPaymentId: payment.gatewayPaymentId, reason: what.reason }]
        : [],
    ),
    now,
  );
}

/** What is booked for money that came. @param invoiceId of what it paid; undefined where it bought nothing */
export function entriesOf(
  { change, gateway }: Pick<ChargeIntent, 'change' | 'gateway'>,
  { amount, gatewayPaymentId }: GatewayPayment,
  invoiceId: string | undefined,
): Entry[] {
  if (invoiceId === undefined) return [overpaid(gatewayPaymentId, gateway, amount)];
  const credit = change?.credit ?? 0n;
  return [
    captured(gatewayPaymentId, gateway, amount),
    ...(credit === 0n ? [] : [applied(invoiceId, { minor: credit, currency: amount.currency })]),
  ];
}

/** The bill for what an attempt has bought. @param draftId of the invoice that there is */
export function boughtBill(
  parts: Pick<BillingParts, 'publication'>,
  intent: ChargeIntent,
  subscription: Subscription,
  term: PaidTerm,
  draftId: string | undefined,
): Omit<Billed, 'status'> {
  const asked =
    intent.change === undefined ? subscription : { ...subscription, pendingChange: intent.change };
  return billOf(parts, { ...asked, nextPlanName: planNameOf(intent, subscription) }, term, draftId);
}

/** The plan that an attempt buys. */
function planNameOf({ change }: ChargeIntent, { nextPlanName }: Subscription): string {
  return change?.planName ?? nextPlanName;
}

/** What is left of terms that were cut short is credited, and pays a part of those that began. */
async function creditChanged(
  tx: Tx,
  paper: Publication,
  bought: readonly { readonly intent: ChargeIntent; readonly subscription: Subscription }[],
  now: Temporal.Instant,
): Promise<void> {
  const changed = bought.filter(({ intent }) => (intent.change?.credit ?? 0n) > 0n);
  if (changed.length === 0) return;
  const before = await currentInvoices(
    tx,
    changed.map(({ subscription: { id, nextSeq } }) => ({ subscriptionId: id, termSeq: nextSeq - 1 })),
  );
  await creditInvoices(
    tx,
    paper,
    changed.flatMap(({ intent, subscription }): Credit[] => {
      const invoice = before.get(subscription.id);
      if (invoice === undefined) return [];
      const amount = intent.change?.credit ?? 0n;
      const reason = intent.change?.seats === undefined ? 'Another plan began.' : 'Seats were added.';
      return [{ invoiceId: invoice.id, amount, reason, isPaid: true }];
    }),
    now,
  );
}
