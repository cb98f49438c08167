import { termBoundary } from '#values/term';

export const SUBSCRIPTION_STATES = [
  'incomplete',
  'trialing',
  'active',
  'past_due',
  'suspended',
  'paused',
  'canceled',
  'expired',
] as const;
export type SubscriptionState = (typeof SUBSCRIPTION_STATES)[number];

/** Why a subscription is over. */
export type EndedReason =
  | 'user'
  | 'withdrawal'
  | 'nonpayment'
  | 'refund'
  | 'chargeback'
  | 'mandate_revoked'
  | 'replaced'
  | 'admin'
  | 'fraud'
  | 'never_paid';

/** What the rules know of a subscription. Days are days in its own zone, half open: `paidThroughOn` is not paid. */
export type Standing = {
  readonly state: SubscriptionState;
  readonly months: number;
  readonly zone: string;
  readonly anchorOn: Temporal.PlainDate | undefined;
  readonly paidThroughOn: Temporal.PlainDate | undefined;
  /** The day on which it ends because its reader wants it to. */
  readonly cancelOn: Temporal.PlainDate | undefined;
  readonly endedReason: EndedReason | undefined;
};

/** Something that happened, or that somebody wants. */
export type Fact =
  | { readonly kind: 'paid' }
  /** The time to pay is over, and the gateway takes no payment for it any more. */
  | { readonly kind: 'never paid' }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'undo cancel' }
  /** A day has begun. */
  | { readonly kind: 'day' };

/** A term that begins, paid. */
export type PaidTerm = {
  readonly seq: number;
  readonly startOn: Temporal.PlainDate;
  readonly endOn: Temporal.PlainDate;
};

export type Transition =
  | { readonly kind: 'changed'; readonly standing: Standing; readonly term?: PaidTerm }
  /** The fact changes nothing: it was known already, or came too late. */
  | { readonly kind: 'unchanged' };

const UNCHANGED: Transition = { kind: 'unchanged' };

/**
 * What a fact makes of a subscription. Pure and total; what is over stays over, and a fact that is told twice, late or
 * in another order changes nothing the second time.
 */
export function transition(standing: Standing, fact: Fact, now: Temporal.Instant): Transition {
  const today = now.toZonedDateTimeISO(standing.zone).toPlainDate();
  switch (fact.kind) {
    case 'paid':
      return standing.state === 'incomplete' ? activated(standing, today) : UNCHANGED;
    case 'never paid':
      return standing.state === 'incomplete' ? ended(standing, 'canceled', 'never_paid') : UNCHANGED;
    case 'cancel':
      if (!canBeCancelled(standing)) return UNCHANGED;
      return changed({ ...standing, cancelOn: standing.paidThroughOn });
    case 'undo cancel':
      return standing.cancelOn !== undefined && !isOver(standing) && !hasCome(standing.cancelOn, today)
        ? changed({ ...standing, cancelOn: undefined })
        : UNCHANGED;
    case 'day':
      return standing.cancelOn !== undefined && !isOver(standing) && hasCome(standing.cancelOn, today)
        ? ended(standing, 'expired', 'user')
        : UNCHANGED;
    default:
      return fact satisfies never;
  }
}

export function isOver({ state }: Pick<Standing, 'state'>): boolean {
  return state === 'canceled' || state === 'expired';
}

/** Whether its reader can say that it shall not renew. */
export function canBeCancelled({ cancelOn, state }: Pick<Standing, 'state' | 'cancelOn'>): boolean {
  return (state === 'active' || state === 'past_due') && cancelOn === undefined;
}

/** The first payment: the first term begins on the day it came, where the paper is, and that day is the anchor. */
function activated(standing: Standing, today: Temporal.PlainDate): Transition {
  const endOn = termBoundary(today, standing.months, 1);
  return {
    kind: 'changed',
    standing: { ...standing, state: 'active', anchorOn: today, paidThroughOn: endOn },
    term: { seq: 0, startOn: today, endOn },
  };
}

function ended(standing: Standing, state: 'canceled' | 'expired', endedReason: EndedReason): Transition {
  return changed({ ...standing, state, endedReason });
}

function changed(standing: Standing): Transition {
  return { kind: 'changed', standing };
}

function hasCome(on: Temporal.PlainDate, today: Temporal.PlainDate): boolean {
  return Temporal.PlainDate.compare(on, today) <= 0;
}
