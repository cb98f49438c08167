import type { Money } from '#values/money';
import { hasCome, termBoundary } from '#values/term';

/** What stands of a subscription, and what was agreed: all that the rules read. It changes in subscription.ts alone. */

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
  readonly planSlug: string;
  /** Of one term. */
  readonly months: number;
  /** Of one term: the price that was agreed, whatever the catalogue says later. */
  readonly price: Money;
  /** How many readers it is for. Its prices are for all of them. */
  readonly seats: number;
  /** What the next terms cost before that price does. */
  readonly phases: readonly Phase[];
  /** Another price that its reader was told of, from the first term on that begins on this day or later. */
  readonly announced: AnnouncedPrice | undefined;
  /** Since when it costs what it does, offers apart. */
  readonly pricedOn: Temporal.PlainDate | undefined;
  readonly zone: string;
  /** Every boundary is so many months from here: counting from the end before would drift to the 28th for good. */
  readonly anchorOn: Temporal.PlainDate | undefined;
  /** Months that were paid since the anchor. */
  readonly monthsPaid: number;
  /** The number of the next term, which is how many there were. */
  readonly nextSeq: number;
  readonly paidThroughOn: Temporal.PlainDate | undefined;
  readonly trialEndsOn: Temporal.PlainDate | undefined;
  /** The day on which it ends because its reader wants it to. */
  readonly cancelOn: Temporal.PlainDate | undefined;
  readonly pause: Pause | undefined;
  /** What is bought from the next term on. */
  readonly pendingChange: Change | undefined;
  /** The reader's bank asks for money back: nothing is charged and nothing refunded until that is decided. */
  readonly isDisputed: boolean;
  /** Nothing can be charged any more until the reader gives a card or mandate. */
  readonly needsMethod: boolean;
  /** Of what was bought for somebody else: its days begin when they redeem it. */
  readonly gift: 'waiting' | 'redeemed' | undefined;
  readonly endedReason: EndedReason | undefined;
};

/** A price that was promised: no more is charged from that day on, and not that before. */
export type AnnouncedPrice = { readonly price: Money; readonly fromOn: Temporal.PlainDate };

/** So many terms, at a price of their own each. */
export type Phase = { readonly terms: number; readonly price: Money };

/** A subscription before anything of it is paid. */
export function begun(
  { months, planSlug, price, seats = 1 }: Change,
  zone: string,
  phases: readonly Phase[] = [],
): Standing {
  return {
    state: 'incomplete',
    planSlug,
    months,
    price,
    seats,
    phases,
    announced: undefined,
    pricedOn: undefined,
    zone,
    anchorOn: undefined,
    monthsPaid: 0,
    nextSeq: 0,
    paidThroughOn: undefined,
    trialEndsOn: undefined,
    cancelOn: undefined,
    pause: undefined,
    pendingChange: undefined,
    isDisputed: false,
    needsMethod: false,
    gift: undefined,
    endedReason: undefined,
  };
}

/** Paid days that wait: what was left when it began, and the day on which they go on. */
export type Pause = { readonly bankedDays: number; readonly resumesOn: Temporal.PlainDate };

/** A plan of the product, and what a term of it costs: for as many readers as before, unless said. */
export type Change = {
  readonly planSlug: string;
  readonly months: number;
  readonly price: Money;
  readonly seats?: number | undefined;
};

/** A term that was paid, and its days. */
export type PaidTerm = {
  readonly seq: number;
  readonly startOn: Temporal.PlainDate;
  readonly endOn: Temporal.PlainDate;
};

export function isOver({ state }: Pick<Standing, 'state'>): boolean {
  return state === 'canceled' || state === 'expired';
}

/** Whether its reader can say that it shall not renew. */
export function canBeCancelled({
  cancelOn,
  gift,
  state,
}: Pick<Standing, 'state' | 'cancelOn' | 'gift'>): boolean {
  return gift === undefined && state !== 'incomplete' && !isOver({ state }) && cancelOn === undefined;
}

/** The day from which nothing is paid, and nothing is free either. */
export function dueOn({ paidThroughOn, trialEndsOn }: Standing): Temporal.PlainDate | undefined {
  return paidThroughOn ?? trialEndsOn;
}

/**
 * The days of the next term, if it is paid as planned: what an invoice for it says.
 *
 * @param today matters where it begins with its payment
 */
export function nextTerm(standing: Standing, today: Temporal.PlainDate): PaidTerm {
  const { anchorOn, monthsPaid, nextSeq, trialEndsOn } = standing;
  const { months } = boughtNext(standing);
  const goesOn = anchorOn !== undefined && standing.state !== 'suspended';
  // Days that cost nothing do not grow by the days of grace behind them.
  const from = goesOn ? anchorOn : standing.state === 'suspended' ? today : (trialEndsOn ?? today);
  const begun = goesOn ? monthsPaid : 0;
  return { seq: nextSeq, startOn: monthsAfter(from, begun), endOn: monthsAfter(from, begun + months) };
}

/** What the next term is of: what this one is, unless its reader or the paper has changed it. */
export function boughtNext(standing: Standing): Change {
  const { months, pendingChange, phases, planSlug } = standing;
  return pendingChange ?? { planSlug, months, price: phases[0]?.price ?? agreedPrice(standing) };
}

/** What the next term costs once no offer makes it cheaper. */
export function agreedPrice(standing: Standing): Money {
  const { announced, pendingChange, price } = standing;
  if (pendingChange !== undefined) return pendingChange.price;
  return announced !== undefined && hasAnnouncedNext(standing) ? announced.price : price;
}

/** Whether the next term costs what was announced: what its reader has chosen for it wins. */
export function hasAnnouncedNext({ announced, paidThroughOn, pendingChange }: Standing): boolean {
  return (
    announced !== undefined &&
    pendingChange === undefined &&
    paidThroughOn !== undefined &&
    hasCome(announced.fromOn, paidThroughOn)
  );
}

/** The most that a term is to cost, as far as its reader knows: what a mandate has to be good for. */
export function dearestAgreed(standing: Standing): Money {
  const { announced } = standing;
  const next = agreedPrice(standing);
  return announced !== undefined && announced.price.minor > next.minor ? announced.price : next;
}

/** Whether several readers read by it, each on a seat of theirs. */
export function isGroup({ seats }: Pick<Standing, 'seats'>): boolean {
  return seats > 1;
}

/** How many readers the next term is for. */
export function seatsNext({ pendingChange, seats }: Standing): number {
  return pendingChange?.seats ?? seats;
}

/** What so many seats cost, where others cost so much. */
export function priceOfSeats({ price, seats }: Pick<Standing, 'price' | 'seats'>, wanted: number): Money {
  return { ...price, minor: (price.minor / BigInt(seats)) * BigInt(wanted) };
}

/** What was announced, for so many seats. */
export function announcedFor({ announced, seats }: Standing, wanted: number): AnnouncedPrice | undefined {
  if (announced === undefined || wanted === seats) return announced;
  return { ...announced, price: priceOfSeats({ price: announced.price, seats }, wanted) };
}

export function monthsAfter(anchorOn: Temporal.PlainDate, months: number): Temporal.PlainDate {
  return termBoundary(anchorOn, 1, months);
}
