import { isSameMoney, type Money } from '#values/money';
import { dayAt, hasCome, isBefore } from '#values/term';
import {
  type AnnouncedPrice,
  agreedPrice,
  announcedFor,
  boughtNext,
  type Change,
  canBeCancelled,
  dueOn,
  type EndedReason,
  hasAnnouncedNext,
  isOver,
  monthsAfter,
  nextTerm,
  type PaidTerm,
  type Pause,
  type Phase,
  priceOfSeats,
  type Standing,
  type SubscriptionState,
  seatsNext,
} from './agreement.ts';

/** For how long a reader who did not pay may go on reading, and after how long nobody asks any more. */
export type Patience = { readonly graceDays: number; readonly givenUpDays: number };
export const PATIENCE: Patience = { graceDays: 7, givenUpDays: 21 };

/** Something that happened, or that somebody wants. */
export type Fact =
  /** The invoice of the term of this number. */
  | { readonly kind: 'paid'; readonly seq: number }
  /** There is a mandate, and what is offered begins with days that cost nothing. */
  | { readonly kind: 'trial'; readonly days: number }
  /** The time to pay is over, and the gateway takes no payment for it any more. */
  | { readonly kind: 'never paid' }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'undo cancel' }
  /** From the contract, as the law allows for some days: it ends at once, and is refunded. */
  | { readonly kind: 'withdraw' }
  | { readonly kind: 'pause'; readonly days: number }
  | { readonly kind: 'resume' }
  /** To another plan from today, which is paid: the term that runs is cut short. */
  | { readonly kind: 'change paid'; readonly seq: number; readonly change: Change }
  /** More seats for the term that runs, which is paid: what is left of it is a term of its own, at this price. */
  | { readonly kind: 'seats paid'; readonly seq: number; readonly seats: number; readonly price: Money }
  /** Whoever it was bought for has it now, for these days. */
  | {
      readonly kind: 'redeemed';
      readonly startOn: Temporal.PlainDate;
      readonly endOn: Temporal.PlainDate;
    }
  /** To another plan when the term that runs is over. */
  | { readonly kind: 'change later'; readonly change: Change }
  | { readonly kind: 'drop change' }
  /** Its reader is told of another price. */
  | { readonly kind: 'announce price'; readonly announced: AnnouncedPrice }
  /** And that it stays as it is after all. */
  | { readonly kind: 'drop price' }
  /** A term was refunded in full. */
  | { readonly kind: 'refunded'; readonly term: PaidTerm }
  | { readonly kind: 'dispute' }
  | { readonly kind: 'dispute won' }
  /** Without a term where the money had bought none. */
  | { readonly kind: 'dispute lost'; readonly term: PaidTerm | undefined }
  | { readonly kind: 'method lost' }
  | { readonly kind: 'method' }
  /** Days that the paper gives. */
  | { readonly kind: 'extend'; readonly days: number }
  | { readonly kind: 'end'; readonly reason: 'admin' | 'fraud' }
  /** A day has begun. */
  | { readonly kind: 'day' };

/** What is to be done about a change, besides keeping it: in this order. */
export type Step =
  | { readonly kind: 'begin term'; readonly term: PaidTerm; readonly price: Money }
  /** The newest term ends on this day and not when it was to. */
  | { readonly kind: 'cut term'; readonly seq: number; readonly endOn: Temporal.PlainDate }
  /** The days of a gift, which are known once it is redeemed. */
  | {
      readonly kind: 'move term';
      readonly seq: number;
      readonly startOn: Temporal.PlainDate;
      readonly endOn: Temporal.PlainDate;
    }
  | { readonly kind: 'revoke term'; readonly seq: number; readonly as: 'refunded' | 'charged_back' }
  /** The reader may use everything for these days without having paid for them. */
  | {
      readonly kind: 'give days';
      readonly source: 'trial' | 'grace' | 'gift' | 'term';
      readonly fromOn: Temporal.PlainDate;
      readonly untilOn: Temporal.PlainDate;
    }
  /** Whatever the subscription gives, it gives no more. */
  | { readonly kind: 'stop access' }
  /** An invoice that was never paid is not asked for any more. */
  | { readonly kind: 'give up invoice' }
  | { readonly kind: 'moved'; readonly from: SubscriptionState; readonly to: SubscriptionState };

export type Transition =
  | { readonly kind: 'changed'; readonly standing: Standing; readonly steps: readonly Step[] }
  /** The fact changes nothing: it was known already, or came too late. */
  | { readonly kind: 'unchanged' };

const UNCHANGED: Transition = { kind: 'unchanged' };

/**
 * What a fact makes of a subscription. Pure and total; what is over stays over, and a fact that is told twice, late or
 * in another order changes nothing the second time.
 */
export function transition(
  standing: Standing,
  fact: Fact,
  now: Temporal.Instant,
  patience: Patience = PATIENCE,
): Transition {
  if (isOver(standing)) return lateNews(standing, fact);
  const today = dayAt(now, standing.zone);
  switch (fact.kind) {
    case 'paid':
      return fact.seq === standing.nextSeq ? paid(standing, today) : UNCHANGED;
    case 'trial':
      return standing.state === 'incomplete' ? onTrial(standing, today, fact.days) : UNCHANGED;
    case 'never paid':
      return standing.state === 'incomplete' ? ended(standing, 'canceled', 'never_paid') : UNCHANGED;
    case 'cancel':
      return canBeCancelled(standing) ? cancelled(standing, today) : UNCHANGED;
    case 'undo cancel':
      return standing.cancelOn !== undefined && isBefore(today, standing.cancelOn)
        ? changed({ ...standing, cancelOn: undefined })
        : UNCHANGED;
    case 'withdraw':
      return standing.state === 'incomplete' ? UNCHANGED : ended(standing, 'canceled', 'withdrawal');
    case 'pause':
      return standing.state === 'active' && fact.days > 0 ? paused(standing, today, fact.days) : UNCHANGED;
    case 'resume':
      return standing.state === 'paused' ? resumed(standing, today) : UNCHANGED;
    case 'change paid':
      return fact.seq === standing.nextSeq && standing.state === 'active'
        ? changedNow(standing, fact.change, today)
        : UNCHANGED;
    case 'seats paid':
      return fact.seq === standing.nextSeq && standing.state === 'active'
        ? moreSeats(standing, fact, today)
        : UNCHANGED;
    case 'redeemed':
      return standing.gift === 'waiting' && standing.state === 'active'
        ? redeemed(standing, fact)
        : UNCHANGED;
    case 'change later':
      return isRunning(standing) && !isSameChange(standing.pendingChange, fact.change)
        ? changed({ ...standing, pendingChange: fact.change })
        : UNCHANGED;
    case 'drop change':
      return standing.pendingChange === undefined || standing.state === 'past_due'
        ? UNCHANGED
        : changed({ ...standing, pendingChange: undefined });
    case 'announce price':
      return standing.state === 'active' && standing.announced === undefined
        ? changed({ ...standing, announced: fact.announced })
        : UNCHANGED;
    case 'drop price':
      return isDearer(standing) ? changed({ ...standing, announced: undefined }) : UNCHANGED;
    case 'refunded':
      return returned(standing, fact.term, today, 'refunded');
    case 'dispute':
      return standing.isDisputed ? UNCHANGED : changed({ ...standing, isDisputed: true });
    case 'dispute won':
      return standing.isDisputed ? changed({ ...standing, isDisputed: false }) : UNCHANGED;
    case 'dispute lost':
      return disputeLost(standing, fact.term, today);
    case 'method lost':
      return standing.needsMethod ? UNCHANGED : changed({ ...standing, needsMethod: true });
    case 'method':
      return standing.needsMethod ? changed({ ...standing, needsMethod: false }) : UNCHANGED;
    case 'extend':
      return fact.days > 0 ? extended(standing, fact.days) : UNCHANGED;
    case 'end':
      return ended(standing, 'canceled', fact.reason);
    case 'day':
      return calendar(standing, today, patience);
    default:
      return fact satisfies never;
  }
}

/** Whether what was announced can be called back: a lower price is a promise, and more would be charged than its reader was told. */
function isDearer({ announced, price }: Standing): boolean {
  return announced !== undefined && announced.price.minor >= price.minor;
}

/** One term of the first phase is over. */
function phasesAfter([first, ...rest]: readonly Phase[]): readonly Phase[] {
  if (first === undefined) return [];
  return first.terms > 1 ? [{ ...first, terms: first.terms - 1 }, ...rest] : rest;
}

/**
 * The first payment: the first term begins on the day it came, where the paper is, and that day is the anchor; after a
 * trial, on the day that it ends. A renewal begins where the term before ends, also when it is paid late and within the
 * grace. Whoever was shut out begins anew, on the day they paid.
 */
function paid(standing: Standing, today: Temporal.PlainDate): Transition {
  const { state } = standing;
  // Money that comes after its reader has cancelled, or while it rests, buys nothing: it goes back.
  if (state === 'paused' || standing.cancelOn !== undefined) return UNCHANGED;
  const term = nextTerm(standing, today);
  const goesOn = standing.anchorOn !== undefined && state !== 'suspended';
  const { months, planSlug, price } = boughtNext(standing);
  const isRepriced = hasAnnouncedNext(standing);
  const isOther = planSlug !== standing.planSlug;
  const after: Standing = {
    ...standing,
    state: 'active',
    planSlug,
    months,
    price: agreedPrice(standing),
    seats: seatsNext(standing),
    // Another plan is bought at its own price.
    phases: standing.pendingChange === undefined ? phasesAfter(standing.phases) : [],
    announced: isRepriced || isOther ? undefined : announcedFor(standing, seatsNext(standing)),
    pricedOn: isRepriced || isOther ? term.startOn : (standing.pricedOn ?? term.startOn),
    anchorOn: goesOn ? standing.anchorOn : term.startOn,
    monthsPaid: (goesOn ? standing.monthsPaid : 0) + months,
    nextSeq: standing.nextSeq + 1,
    paidThroughOn: term.endOn,
    trialEndsOn: undefined,
    pendingChange: undefined,
    needsMethod: false,
  };
  return changed(after, [{ kind: 'begin term', term, price }, ...moved(standing, after)]);
}

function onTrial(standing: Standing, today: Temporal.PlainDate, days: number): Transition {
  const trialEndsOn = today.add({ days });
  const after: Standing = { ...standing, state: 'trialing', trialEndsOn };
  const given: Step = { kind: 'give days', source: 'trial', fromOn: today, untilOn: trialEndsOn };
  return changed(after, [given, ...moved(standing, after)]);
}

/** Paid days are kept to the last; who has none left ends at once. */
function cancelled(standing: Standing, today: Temporal.PlainDate): Transition {
  const cancelOn = endOf(standing);
  const after: Standing = { ...standing, cancelOn, pendingChange: undefined };
  return cancelOn !== undefined && isBefore(today, cancelOn)
    ? changed(after)
    : ended(after, 'expired', 'user');
}

/** When it ends if nothing more is paid. */
function endOf(standing: Standing): Temporal.PlainDate | undefined {
  const { pause } = standing;
  return pause === undefined ? dueOn(standing) : pause.resumesOn.add({ days: pause.bankedDays });
}

/** The days that are left wait for as long as it lasts. */
function paused(standing: Standing, today: Temporal.PlainDate, days: number): Transition {
  const { paidThroughOn } = standing;
  if (paidThroughOn === undefined || !isBefore(today, paidThroughOn)) return UNCHANGED;
  const pause = { bankedDays: today.until(paidThroughOn).days, resumesOn: today.add({ days }) };
  const after: Standing = { ...standing, state: 'paused', pause };
  const cancelOn = standing.cancelOn === undefined ? undefined : endOf(after);
  return changed({ ...after, cancelOn }, [{ kind: 'stop access' }, ...moved(standing, after)]);
}

/** The days that waited go on, and every term after them is counted from their end. */
function resumed(standing: Standing, today: Temporal.PlainDate): Changed {
  const bankedDays = standing.pause?.bankedDays ?? 0;
  const paidThroughOn = today.add({ days: bankedDays });
  const after: Standing = {
    ...standing,
    state: 'active',
    pause: undefined,
    paidThroughOn,
    anchorOn: paidThroughOn,
    monthsPaid: 0,
    cancelOn: standing.cancelOn === undefined ? undefined : paidThroughOn,
  };
  const days: Step = { kind: 'give days', source: 'term', fromOn: today, untilOn: paidThroughOn };
  return changed(after, [...(bankedDays > 0 ? [days] : []), ...moved(standing, after)]);
}

/** A new term of the other plan begins today, and the one that runs ends. */
function changedNow(standing: Standing, change: Change, today: Temporal.PlainDate): Transition {
  const term = { seq: standing.nextSeq, startOn: today, endOn: monthsAfter(today, change.months) };
  const after: Standing = {
    ...standing,
    planSlug: change.planSlug,
    months: change.months,
    price: change.price,
    seats: change.seats ?? standing.seats,
    phases: [],
    announced: undefined,
    pricedOn: today,
    anchorOn: today,
    monthsPaid: change.months,
    nextSeq: standing.nextSeq + 1,
    paidThroughOn: term.endOn,
    cancelOn: undefined,
    pendingChange: undefined,
  };
  return changed(after, [
    { kind: 'cut term', seq: standing.nextSeq - 1, endOn: today },
    { kind: 'begin term', term, price: change.price },
  ]);
}

/** A gift that is redeemed runs for its days and then is over: nothing of it ever renews. */
function redeemed(standing: Standing, { endOn, startOn }: Extract<Fact, { kind: 'redeemed' }>): Transition {
  const after: Standing = {
    ...standing,
    gift: 'redeemed',
    anchorOn: startOn,
    paidThroughOn: endOn,
    cancelOn: endOn,
  };
  return changed(after, [{ kind: 'move term', seq: standing.nextSeq - 1, startOn, endOn }]);
}

/** Seats that are added run to the day on which the others end: nothing moves, and what is left is counted by days. */
function moreSeats(
  standing: Standing,
  { price, seats }: Extract<Fact, { kind: 'seats paid' }>,
  today: Temporal.PlainDate,
): Transition {
  const { nextSeq, paidThroughOn, phases } = standing;
  if (paidThroughOn === undefined || !isBefore(today, paidThroughOn)) return UNCHANGED;
  const term = { seq: nextSeq, startOn: today, endOn: paidThroughOn };
  const after: Standing = {
    ...standing,
    seats,
    price: priceOfSeats(standing, seats),
    phases: phases.map((phase) => ({
      ...phase,
      price: priceOfSeats({ price: phase.price, seats: standing.seats }, seats),
    })),
    announced: announcedFor(standing, seats),
    nextSeq: nextSeq + 1,
    cancelOn: undefined,
  };
  return changed(after, [
    { kind: 'cut term', seq: nextSeq - 1, endOn: today },
    { kind: 'begin term', term, price },
  ]);
}

/** Money for a term went back: where the term is the newest, what it bought ends, and with it the subscription. */
function returned(
  standing: Standing,
  term: PaidTerm,
  today: Temporal.PlainDate,
  as: 'refunded' | 'charged_back',
): Transition {
  const revoke: Step = { kind: 'revoke term', seq: term.seq, as };
  // An old term, or one that another has followed: what was bought since stays.
  if (term.seq !== standing.nextSeq - 1) return changed(standing, [revoke]);
  // While it rests the days of the term wait behind those that were left of the one before.
  const waiting = standing.pause && withoutTerm(standing, standing.pause, term);
  if (waiting !== undefined) return changed(waiting, [revoke]);
  const reason = as === 'refunded' ? 'refund' : 'chargeback';
  if (!isBefore(today, term.startOn)) {
    const { standing: after, steps } = ended(standing, 'canceled', reason);
    return changed(after, [revoke, ...steps]);
  }
  // One that has not begun: the term before is kept to its end, and whoever lets it go on after all buys the days behind that.
  const begun = standing.monthsPaid - standing.months;
  const isCounted =
    standing.anchorOn !== undefined && monthsAfter(standing.anchorOn, begun).equals(term.startOn);
  const after: Standing = {
    ...standing,
    ...(isCounted ? { monthsPaid: begun } : { anchorOn: term.startOn, monthsPaid: 0 }),
    paidThroughOn: term.startOn,
    cancelOn: term.startOn,
    pendingChange: undefined,
  };
  return changed(after, [revoke]);
}

/** What rests, with fewer days that wait; undefined where none is left but the term's own. */
function withoutTerm(standing: Standing, pause: Pause, { endOn, startOn }: PaidTerm): Standing | undefined {
  const bankedDays = pause.bankedDays - startOn.until(endOn).days;
  if (bankedDays <= 0) return undefined;
  const after: Standing = { ...standing, pause: { ...pause, bankedDays }, pendingChange: undefined };
  return { ...after, cancelOn: endOf(after) };
}

function disputeLost(standing: Standing, term: PaidTerm | undefined, today: Temporal.PlainDate): Transition {
  const after = { ...standing, isDisputed: false };
  if (term !== undefined) return returned(after, term, today, 'charged_back');
  return standing.isDisputed ? changed(after) : UNCHANGED;
}

/** Days that are given lie behind those that are paid, and every term after them is counted from their end. */
function extended(standing: Standing, days: number): Transition {
  const { paidThroughOn, state } = standing;
  if (paidThroughOn === undefined || (state !== 'active' && state !== 'past_due')) return UNCHANGED;
  const until = paidThroughOn.add({ days });
  const after: Standing = {
    ...standing,
    state: 'active',
    paidThroughOn: until,
    anchorOn: until,
    monthsPaid: 0,
    cancelOn: standing.cancelOn === undefined ? undefined : until,
  };
  return changed(after, [
    { kind: 'give days', source: 'gift', fromOn: paidThroughOn, untilOn: until },
    // What had begun on credit has not begun after all.
    ...(state === 'past_due' ? [{ kind: 'give up invoice' } as const] : []),
    ...moved(standing, after),
  ]);
}

/** All that has come by the calendar alone, one thing after the other, as if each day had been lived through. */
function calendar(standing: Standing, today: Temporal.PlainDate, patience: Patience): Transition {
  let is = standing;
  const steps: Step[] = [];
  for (let next = nextByCalendar(is, today, patience); next !== undefined; ) {
    is = next.standing;
    steps.push(...next.steps);
    next = isOver(is) ? undefined : nextByCalendar(is, today, patience);
  }
  return is === standing ? UNCHANGED : changed(is, steps);
}

type Changed = Extract<Transition, { kind: 'changed' }>;

function nextByCalendar(
  standing: Standing,
  today: Temporal.PlainDate,
  { graceDays, givenUpDays }: Patience,
): Changed | undefined {
  const { cancelOn, pause, state } = standing;
  const due = dueOn(standing);
  // Nobody knows yet on which days it will be read by.
  if (standing.gift === 'waiting') return undefined;
  if (state === 'paused')
    return pause !== undefined && hasCome(pause.resumesOn, today)
      ? resumed(standing, pause.resumesOn)
      : undefined;
  if (due === undefined || state === 'incomplete') return undefined;
  if (cancelOn !== undefined && hasCome(cancelOn, today))
    return ended(standing, state === 'trialing' ? 'canceled' : 'expired', 'user', 'by itself');
  if ((state === 'active' || state === 'trialing') && hasCome(due, today)) {
    const grace: Step = {
      kind: 'give days',
      source: 'grace',
      fromOn: due,
      untilOn: due.add({ days: graceDays }),
    };
    const after: Standing = { ...standing, state: 'past_due' };
    return {
      kind: 'changed',
      standing: after,
      steps: [...(graceDays > 0 ? [grace] : []), ...moved(standing, after)],
    };
  }
  if (state === 'past_due' && hasCome(due.add({ days: graceDays }), today)) {
    const after: Standing = { ...standing, state: 'suspended' };
    return {
      kind: 'changed',
      standing: after,
      steps: [{ kind: 'give up invoice' }, ...moved(standing, after)],
    };
  }
  if (state === 'suspended' && hasCome(due.add({ days: givenUpDays }), today))
    return ended(standing, 'expired', standing.needsMethod ? 'mandate_revoked' : 'nonpayment', 'by itself');
  return undefined;
}

/** What comes when all is over: only that money for a term went back, which takes what it bought. */
function lateNews(standing: Standing, fact: Fact): Transition {
  if ((fact.kind === 'refunded' || fact.kind === 'dispute lost') && fact.term !== undefined) {
    const as = fact.kind === 'refunded' ? 'refunded' : 'charged_back';
    return changed(standing, [{ kind: 'revoke term', seq: fact.term.seq, as }]);
  }
  return UNCHANGED;
}

/** @param access what was given ends on the day that it was given for, or at once */
function ended(
  standing: Standing,
  state: 'canceled' | 'expired',
  endedReason: EndedReason,
  access: 'at once' | 'by itself' = 'at once',
): Changed {
  const after: Standing = {
    ...standing,
    state,
    endedReason,
    pause: undefined,
    pendingChange: undefined,
    announced: undefined,
    isDisputed: false,
  };
  return {
    kind: 'changed',
    standing: after,
    steps: [
      ...(access === 'at once' ? [{ kind: 'stop access' } as const] : []),
      { kind: 'give up invoice' },
      ...moved(standing, after),
    ],
  };
}

function moved(before: Standing, after: Standing): Step[] {
  return before.state === after.state ? [] : [{ kind: 'moved', from: before.state, to: after.state }];
}

function changed(standing: Standing, steps: readonly Step[] = []): Changed {
  return { kind: 'changed', standing, steps };
}

/** Whether somebody has it, paid or on trial, and may wish for something else. A term that is read on credit is billed. */
function isRunning({ state }: Standing): boolean {
  return state === 'trialing' || state === 'active';
}

function isSameChange(one: Change | undefined, other: Change): boolean {
  return (
    one?.planSlug === other.planSlug &&
    one.months === other.months &&
    one.seats === other.seats &&
    isSameMoney(one.price, other.price)
  );
}
