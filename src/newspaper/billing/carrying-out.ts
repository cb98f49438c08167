import { BENEFITS_OF, giveGrants, type NewGrants, revokeGrants } from '#entitlements';
import type { Tx } from '#platform/db';
import { uuidv7 } from '#platform/ids';
import { findReaders } from '#readers';
import { latestOf } from '#values/instants';
import { isSameMoney } from '#values/money';
import { dayAt, startOfDay } from '#values/term';
import {
  boughtNext,
  isGroup,
  isOver,
  nextTerm,
  type PaidTerm,
  type Standing,
  seatsNext,
} from './agreement.ts';
import { revokeLater } from './asking.ts';
import { type Billed, creditInvoices, issueInvoices } from './bookkeeping.ts';
import { type CurrentInvoice, currentInvoices, setInvoiceStatuses } from './books.store.ts';
import { insertFacts } from './facts.store.ts';
import { giftsLeft } from './gifts.store.ts';
import { termLine } from './invoicing.ts';
import { lettersOf, postLetters } from './letters.ts';
import { setRedemptions } from './offers.store.ts';
import type { BillingParts } from './parts.ts';
import { endPriceChanges } from './price-changes.store.ts';
import { insertSeats, seatedReaders } from './seats.store.ts';
import type { Step } from './subscription.ts';
import { type Subscription, saveStandings } from './subscriptions.store.ts';
import {
  cutTerm,
  findTerms,
  insertGivenDays,
  insertTerms,
  moveTerm,
  revokeTerm,
  sourcesOf,
} from './terms.store.ts';

/** What a fact made of a subscription that is held. */
export type Outcome = {
  /** As it was before. */
  readonly subscription: Subscription;
  readonly standing: Standing;
  readonly steps: readonly Step[];
  /** For its history: what happened, by whom and why. */
  readonly fact: string;
  readonly actor: string;
  readonly reason?: string | undefined;
  /** When it is to be looked at next. */
  readonly dueAt: Temporal.Instant | undefined;
};

/**
 * Carries out what transitions ask for, of many subscriptions at once and at most once of each: the terms and days that
 * begin and end, the rights that go with them, the invoices that are made, given up and credited, and the letters.
 */
export async function carryOut(
  parts: BillingParts,
  tx: Tx,
  outcomes: readonly Outcome[],
  now: Temporal.Instant,
): Promise<void> {
  if (outcomes.length === 0) return;
  await saveStandings(
    tx,
    outcomes.map(({ dueAt, standing, subscription: { id } }) => ({ id, standing, dueAt })),
    now,
  );
  await endTerms(tx, outcomes, now);
  await beginTerms(tx, outcomes, now);
  await insertFacts(
    tx,
    outcomes.map(({ actor, fact, reason, subscription: { id } }) => ({
      subscriptionId: id,
      fact,
      actor,
      reason: reason ?? '',
    })),
    now,
  );
  await postLetters(
    tx,
    outcomes.flatMap((one) => lettersOf(one)),
    now,
  );
  await letMandatesGo(tx, outcomes);
  await settleOffers(tx, outcomes, now);
  await settlePriceChanges(tx, outcomes);
  await billOnCredit(parts, tx, outcomes, now);
  await giveUpInvoices(parts, tx, outcomes, now);
}

type StepOf<Kind extends Step['kind']> = Extract<Step, { kind: Kind }>;

function stepsOf<Kind extends Step['kind']>(outcomes: readonly Outcome[], kind: Kind) {
  return outcomes.flatMap(({ standing, steps, subscription }) =>
    steps
      .filter((step): step is StepOf<Kind> => step.kind === kind)
      .map((step) => ({ step, standing, subscription })),
  );
}

/** What ends before its day: few, so one by one. */
async function endTerms(tx: Tx, outcomes: readonly Outcome[], now: Temporal.Instant): Promise<void> {
  const stopped = stepsOf(outcomes, 'stop access').map(({ subscription }) => subscription.id);
  // A gift that was redeemed gives by its own id.
  if (stopped.length > 0)
    await revokeGrants(tx, [...stopped, ...(await sourcesOf(tx, stopped, now))], 'it ended', now);
  await leaveGifts(tx, outcomes, now);
  for (const { step, subscription } of stepsOf(outcomes, 'move term')) {
    const [id] = await findTerms(tx, [{ subscriptionId: subscription.id, seq: step.seq }]);
    if (id !== undefined) await moveTerm(tx, id, step.startOn, step.endOn);
  }
  for (const { step, subscription } of stepsOf(outcomes, 'revoke term')) {
    const [id] = await findTerms(tx, [{ subscriptionId: subscription.id, seq: step.seq }]);
    if (id === undefined) continue;
    await revokeTerm(tx, id, step.as);
    await revokeGrants(tx, [id], step.as, now);
  }
  for (const { step, subscription } of stepsOf(outcomes, 'cut term')) {
    const [id] = await findTerms(tx, [{ subscriptionId: subscription.id, seq: step.seq }]);
    if (id === undefined) continue;
    // Days that were given lie in what is credited, and in the days of the term that begins.
    const given = await sourcesOf(tx, [subscription.id], now);
    await cutTerm(tx, id, step.endOn);
    await revokeGrants(tx, [id, ...given], 'another term began', now);
  }
}

/** What others gave lay behind the days that a reader had bought: it is theirs also where those end. */
async function leaveGifts(tx: Tx, outcomes: readonly Outcome[], now: Temporal.Instant): Promise<void> {
  const ended = stepsOf(outcomes, 'stop access').filter(
    ({ standing, subscription }) =>
      isOver(standing) && standing.endedReason !== 'fraud' && subscription.product === 'paper',
  );
  const gifts = await giftsLeft(
    tx,
    ended.map(({ subscription }) => subscription.readerId),
    now,
  );
  await giveGrants(
    tx,
    gifts.map(({ from, id, readerId, until }) => ({
      readerId,
      benefits: BENEFITS_OF.paper,
      source: 'gift',
      sourceId: id,
      from: latestOf([from, now]),
      until,
    })),
    now,
  );
}

async function beginTerms(tx: Tx, outcomes: readonly Outcome[], now: Temporal.Instant): Promise<void> {
  const terms = stepsOf(outcomes, 'begin term').map((one) => ({ ...one, id: uuidv7() }));
  await insertTerms(
    tx,
    terms.map(({ id, step: { price, term }, subscription }) => ({
      ...term,
      id,
      subscriptionId: subscription.id,
      price,
    })),
  );
  const days = stepsOf(outcomes, 'give days').map((one) => ({ ...one, id: uuidv7() }));
  await insertGivenDays(
    tx,
    days.map(({ id, step, subscription }) => ({ ...step, id, subscriptionId: subscription.id })),
    now,
  );
  const stretches: Stretch[] = [
    ...terms.map(({ id, standing: { seats }, step: { term }, subscription }) => ({
      id,
      subscription: { ...subscription, seats },
      source: 'term' as const,
      fromOn: term.startOn,
      untilOn: term.endOn,
    })),
    ...days.map(({ id, step: { fromOn, source, untilOn }, subscription }) => ({
      id,
      subscription,
      source,
      fromOn,
      untilOn,
    })),
  ];
  await seatOwners(
    tx,
    terms
      .filter(({ standing, step }) => isGroup(standing) && step.term.seq === 0)
      .map((one) => one.subscription),
    now,
  );
  const seated = await seatedReaders(
    tx,
    stretches.filter(({ subscription }) => isGroup(subscription)).map(({ subscription: { id } }) => id),
  );
  await giveGrants(
    tx,
    stretches.flatMap((stretch) => rightsFrom(stretch, seated.get(stretch.subscription.id) ?? [], now)),
    now,
  );
}

/** Who begins to pay for a group has the first seat of it, until they give it to somebody else. */
async function seatOwners(tx: Tx, groups: readonly Subscription[], now: Temporal.Instant): Promise<void> {
  const readers = await findReaders(
    tx,
    groups.map(({ readerId }) => readerId),
  );
  await insertSeats(
    tx,
    groups.flatMap(({ id, readerId }) => {
      const email = readers.get(readerId)?.email;
      return email === undefined ? [] : [{ subscriptionId: id, email, tokenHash: undefined, readerId }];
    }),
    now,
  );
}

/** Days on which a subscription may be read by, and what stands behind them. */
export type Stretch = {
  readonly id: string;
  readonly subscription: Pick<Subscription, 'id' | 'readerId' | 'product' | 'zone' | 'seats'>;
  readonly source: 'term' | 'trial' | 'grace' | 'gift';
  readonly fromOn: Temporal.PlainDate;
  readonly untilOn: Temporal.PlainDate;
};

/** Who may read on these days: its reader, or of a group whoever has a seat. */
function rightsFrom(stretch: Stretch, seated: readonly string[], now: Temporal.Instant): NewGrants[] {
  const { source, subscription } = stretch;
  if (!isGroup(subscription)) return rights(stretch, subscription.readerId, source, now);
  return seated.flatMap((readerId) => rights(stretch, readerId, 'seat', now));
}

/** What one reader may use on some days; nothing, where they are over already. */
export function rights(
  { fromOn, id, subscription: { product, zone }, untilOn }: Stretch,
  readerId: string,
  source: NewGrants['source'],
  now: Temporal.Instant,
): NewGrants[] {
  const until = startOfDay(untilOn, zone);
  if (Temporal.Instant.compare(until, now) <= 0) return [];
  const from = latestOf([startOfDay(fromOn, zone), now]);
  return [{ readerId, benefits: BENEFITS_OF[product], source, sourceId: id, from, until }];
}

/** What nothing is charged to any more is given back to its reader: no gateway can take anything by it again. */
async function letMandatesGo(tx: Tx, outcomes: readonly Outcome[]): Promise<void> {
  for (const { standing, subscription } of outcomes) {
    const { mandate } = subscription;
    if (mandate?.status === 'active' && isOver(standing) && !isOver(subscription))
      await revokeLater(tx, mandate);
  }
}

/** What was held for an order is used once that begins, and free for others once it is given up. */
async function settleOffers(tx: Tx, outcomes: readonly Outcome[], now: Temporal.Instant): Promise<void> {
  const begun = stepsOf(
    outcomes.filter(({ subscription }) => subscription.offerSlug !== undefined),
    'moved',
  ).filter(({ step }) => step.from === 'incomplete');
  const [over, used] = [
    begun.filter(({ step }) => step.to === 'canceled'),
    begun.filter(({ step }) => step.to !== 'canceled'),
  ];
  await setRedemptions(
    tx,
    over.map(({ subscription: { id } }) => id),
    'released',
    now,
  );
  await setRedemptions(
    tx,
    used.map(({ subscription: { id } }) => id),
    'consumed',
    now,
  );
}

/** What was announced is what it costs now, or does not concern it any more; and what is over is told of nothing. */
async function settlePriceChanges(tx: Tx, outcomes: readonly Outcome[]): Promise<void> {
  await endPriceChanges(
    tx,
    outcomes.flatMap(({ standing, subscription: { announced, id, planSlug, priceChange } }) => {
      const hasLeft = isOver(standing) || standing.planSlug !== planSlug;
      const waiting = priceChange !== undefined && hasLeft ? [{ id, from: 'waiting', to: 'dropped' }] : [];
      if (announced === undefined || standing.announced !== undefined) return waiting;
      const isAmended = !hasLeft && isSameMoney(standing.price, announced.price);
      return [...waiting, { id, from: 'told', to: isAmended ? 'amended' : 'dropped' }];
    }),
  );
}

/** A term that begins unpaid is billed: its reader reads on credit, for as long as the grace lasts. */
async function billOnCredit(
  parts: BillingParts,
  tx: Tx,
  outcomes: readonly Outcome[],
  now: Temporal.Instant,
): Promise<void> {
  const late = outcomes.filter(({ standing }) => standing.state === 'past_due');
  const began = stepsOf(late, 'moved').filter(({ step }) => step.to === 'past_due');
  const drafts = await invoicesOf(tx, began);
  await issueInvoices(
    tx,
    parts.publication(),
    began.flatMap(({ standing, subscription }): Billed[] => {
      const draft = drafts.get(subscription.id);
      if (draft !== undefined && draft.status !== 'draft') return [];
      const term = nextTerm(standing, dayAt(now, subscription.zone));
      return [{ ...billOf(parts, subscription, term, draft?.id), status: 'open' }];
    }),
    now,
  );
}

async function giveUpInvoices(
  parts: BillingParts,
  tx: Tx,
  outcomes: readonly Outcome[],
  now: Temporal.Instant,
): Promise<void> {
  const given = stepsOf(outcomes, 'give up invoice');
  const unpaid = [...(await invoicesOf(tx, given)).values()].filter(({ status }) => status !== 'paid');
  await creditInvoices(
    tx,
    parts.publication(),
    unpaid
      .filter(({ status }) => status === 'open')
      .map(({ id }) => ({ invoiceId: id, amount: 'rest', reason: 'It was not paid.', isPaid: false })),
    now,
  );
  await setInvoiceStatuses(
    tx,
    unpaid.map(({ id }) => ({ id, status: 'void' })),
  );
}

async function invoicesOf(
  tx: Tx,
  given: readonly { readonly subscription: Subscription }[],
): Promise<ReadonlyMap<string, CurrentInvoice>> {
  return currentInvoices(
    tx,
    given.map(({ subscription: { id, nextSeq } }) => ({ subscriptionId: id, termSeq: nextSeq })),
  );
}

/**
 * The bill for the next term of a subscription.
 *
 * @param subscription as it is before the term begins
 * @param draftId of the draft that there is
 */
export function billOf(
  { publication }: Pick<BillingParts, 'publication'>,
  subscription: Subscription,
  term: PaidTerm,
  draftId: string | undefined,
): Omit<Billed, 'status'> {
  const { price } = boughtNext(subscription);
  return {
    id: draftId ?? uuidv7(),
    subscriptionId: subscription.id,
    readerId: subscription.readerId,
    termSeq: term.seq,
    currency: price.currency,
    total: price.minor,
    lines: [
      termLine(publication().name, subscription.nextPlanName, term, price.minor, seatsNext(subscription)),
    ],
    place: subscription,
  };
}
