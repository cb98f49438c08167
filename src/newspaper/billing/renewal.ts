import { isEarlier, latestOf } from '#values/instants';
import type { Money } from '#values/money';
import { dayAt, startOfDay } from '#values/term';
import { boughtNext, isOver } from './agreement.ts';
import { type ChargeIntent, isOpen } from './charges.store.ts';
import type { Rail } from './gateways/gateway.ts';
import { planPriceChange } from './price-changes.ts';
import { PATIENCE, type Patience } from './subscription.ts';
import { HOURS_TO_PAY, type Mandate, type Subscription } from './subscriptions.store.ts';

/** What is to be done about a subscription next, by the calendar or because an answer did not come. */
export type Act =
  /** It was begun and not paid in time. */
  | 'give up'
  /** Its reader is told what is taken, and when. */
  | 'remind'
  | 'charge'
  /** Its reader is told of another price, long before it is charged. */
  | 'tell price'
  /** A page of the gateway's, on which its reader may be paying, is closed before anything is charged. */
  | 'close checkout'
  /** The gateway is asked what became of a charge. */
  | 'ask'
  /** The gateway was asked often enough: a person is. */
  | 'park'
  /** A day has come on which it stands otherwise. */
  | 'day';

export type NextAct = { readonly act: Act; readonly at: Temporal.Instant };

/** How a rail is asked for money. */
type RailRules = {
  /** Before the term begins: early enough that one that is paid in time never falls into grace. */
  readonly leadHours: number;
  /** Between the gateway's being asked and the debit, where the payer's bank announces it; undefined where it does not. */
  readonly noticeHours: number | undefined;
  /** When it is tried again: at the earliest so many days after the term was to begin, for the second time and on. */
  readonly againDays: readonly number[];
  /** And so many hours after the try before. */
  readonly gapHours: number;
};

/**
 * India's rails are announced by the payer's bank 24 hours ahead (RBI), and take up to a day and a half from there; UPI
 * allows one debit and three tries more in a cycle (NPCI). Schedules are those of billing, 1.8.
 */
const RAILS: Readonly<Record<Rail, RailRules>> = {
  card_intl: { leadHours: 24, noticeHours: undefined, againDays: [1, 3, 7, 14], gapHours: 24 },
  card_in: { leadHours: 72, noticeHours: 25, againDays: [-2, -1], gapHours: 36 },
  upi: { leadHours: 72, noticeHours: 25, againDays: [-2, 0, 1], gapHours: 24 },
  enach: { leadHours: 96, noticeHours: 25, againDays: [0, 3], gapHours: 72 },
};

/** How long before it is charged a reader is told: a term of a year or more earlier, as California asks (15 to 45 days). */
function remindDays({ months, state }: Pick<Subscription, 'months' | 'state'>): number {
  if (state === 'trialing') return 3;
  return months >= 12 ? 30 : 7;
}

/** After these the gateway is asked what became of a charge that it gave no answer to. */
const ASK_UNKNOWN_HOURS = [5 / 60, 1, 24, 48, 72, 96, 120] as const;
/** And what became of one that waits for a bank, from when the money may be taken: it may come four days late. */
const ASK_PENDING_HOURS = [1, 24, 48, 72, 96] as const;

/**
 * What comes next, and when; undefined where nothing does by itself.
 *
 * @param newest the newest attempt of the subscription to be paid
 * @param now decides only whether it is too late to charge before the term begins anew
 */
export function nextAct(
  subscription: Subscription,
  newest: ChargeIntent | undefined,
  now: Temporal.Instant,
  patience: Patience = PATIENCE,
): NextAct | undefined {
  if (isOver(subscription)) return undefined;
  if (subscription.state === 'incomplete')
    return { act: 'give up', at: subscription.createdAt.add({ hours: HOURS_TO_PAY }) };
  if (subscription.gift === 'waiting') return undefined;
  const tried = newest?.termSeq === subscription.nextSeq ? newest : undefined;
  const day = nextDay(subscription, tried, patience);
  const candidates = [
    nextQuestion(tried),
    nextCharge(subscription, tried, now, patience),
    nextReminder(subscription),
    nextPriceNotice(subscription, tried, now),
    day === undefined ? undefined : ({ act: 'day', at: startOfDay(day, subscription.zone) } as const),
  ];
  return candidates.reduce<NextAct | undefined>(
    (first, one) => (one !== undefined && (first === undefined || isEarlier(one.at, first.at)) ? one : first),
    undefined,
  );
}

/** The next day on which it stands otherwise. */
function nextDay(
  { cancelOn, paidThroughOn, pause, state, trialEndsOn }: Subscription,
  tried: ChargeIntent | undefined,
  { givenUpDays, graceDays }: Patience,
): Temporal.PlainDate | undefined {
  if (pause !== undefined) return pause.resumesOn;
  if (cancelOn !== undefined) return cancelOn;
  const due = paidThroughOn ?? trialEndsOn;
  switch (state) {
    case 'active':
    case 'trialing':
      return due;
    case 'past_due':
      return due?.add({ days: graceDays });
    case 'suspended':
      // Money that is on its way is waited for.
      return tried !== undefined && isOpen(tried) ? undefined : due?.add({ days: givenUpDays });
    default:
      return undefined;
  }
}

function nextQuestion(tried: ChargeIntent | undefined): NextAct | undefined {
  if (tried === undefined || !isOpen(tried) || tried.mandateId === undefined) return undefined;
  if (tried.parkedReason !== undefined) return undefined;
  const isWaiting = tried.status === 'pending' || tried.status === 'requires_action';
  const hours = (isWaiting ? ASK_PENDING_HOURS : ASK_UNKNOWN_HOURS)[tried.polls];
  const from = isWaiting && tried.notBefore !== undefined ? tried.notBefore : tried.createdAt;
  if (hours === undefined) return { act: 'park', at: from };
  return { act: 'ask', at: from.add({ minutes: Math.round(hours * 60) }) };
}

/** Whether money may be taken for the next term, apart from when. */
export function mayCharge(subscription: Subscription): boolean {
  const { cancelOn, gift, isDisputed, needsMethod, parkedReason, pause } = subscription;
  return (
    gift === undefined &&
    cancelOn === undefined &&
    pause === undefined &&
    !isDisputed &&
    !needsMethod &&
    parkedReason === undefined &&
    isUsable(subscription)
  );
}

/** Whether there is a mandate that is good for the next term and its price. */
export function isUsable(subscription: Subscription): boolean {
  const { mandate, paidThroughOn, trialEndsOn } = subscription;
  if (mandate === undefined || mandate.status !== 'active') return false;
  const due = paidThroughOn ?? trialEndsOn;
  const isExpired =
    mandate.expiresOn !== undefined &&
    due !== undefined &&
    Temporal.PlainDate.compare(mandate.expiresOn, due) <= 0;
  return !isExpired && mayTake(mandate, boughtNext(subscription).price) === 'yes';
}

/**
 * What may be taken in India without its payer's being there: so much since June 2022, and still by the framework of April
 * 2026 (RBI). What is more, they pay themselves each time.
 */
const UNATTENDED_MOST = { minor: 1_500_000n, currency: 'INR' };

function isUnattended(rail: Rail, { currency, minor }: Money): boolean {
  const isBound = rail === 'card_in' || rail === 'upi';
  return !isBound || currency !== UNATTENDED_MOST.currency || minor <= UNATTENDED_MOST.minor;
}

/**
 * What a mandate is asked for, for a price: with room for one that rises, or the first rise would need a new one; and
 * undefined where none would be of use, since nothing may be taken by it.
 */
export function mandateFor({ currency, minor }: Money): Money | undefined {
  const roomy = (minor * 3n) / 2n;
  if (currency !== UNATTENDED_MOST.currency) return { minor: roomy, currency };
  if (minor > UNATTENDED_MOST.minor) return undefined;
  return roomy < UNATTENDED_MOST.minor ? { minor: roomy, currency } : UNATTENDED_MOST;
}

/** Whether a price may be taken by a mandate: `too-small`, where another one would be good for it; `by-hand`, where none is. */
export function mayTake(
  { maxAmount, rail }: Pick<Mandate, 'maxAmount' | 'rail'>,
  price: Money,
): 'yes' | 'too-small' | 'by-hand' {
  const isEnough = maxAmount === undefined || price.minor <= maxAmount.minor;
  if (isEnough && isUnattended(rail, price)) return 'yes';
  return mandateFor(price) === undefined ? 'by-hand' : 'too-small';
}

/** Sooner it would be taken for a second charge of the same (SAFE_HOURS). */
const GIVEN_BACK_HOURS = 25;

function nextCharge(
  subscription: Subscription,
  tried: ChargeIntent | undefined,
  now: Temporal.Instant,
  { graceDays }: Patience,
): NextAct | undefined {
  const { mandate, paidThroughOn, state, trialEndsOn, zone } = subscription;
  const due = paidThroughOn ?? trialEndsOn;
  if (due === undefined || mandate === undefined || !mayCharge(subscription)) return undefined;
  const begins = startOfDay(due, zone);
  const rules = RAILS[mandate.rail];
  const first = begins.subtract({ hours: rules.leadHours });
  // After a long standstill its reader was shut out when their days were over: they begin anew, and are not charged for
  // days on which they could not read.
  const isLate = !isEarlier(now, startOfDay(due.add({ days: graceDays }), zone));
  if (isLate && state !== 'suspended') return undefined;
  if (tried === undefined) return { act: 'charge', at: first };
  if (isOpen(tried))
    return tried.mandateId === undefined && tried.status !== 'pending'
      ? { act: 'close checkout', at: latestOf([first, tried.createdAt]) }
      : undefined;
  // A checkout that was left is no try of the mandate's.
  if (tried.mandateId === undefined) return { act: 'charge', at: first };
  // What was taken and given back, since its reader had chosen otherwise meanwhile, has paid for nothing. UPI takes no second one.
  if (tried.givenBackReason !== undefined)
    return mandate.rail === 'upi' || tried.decidedAt === undefined
      ? undefined
      : { act: 'charge', at: latestOf([first, tried.decidedAt.add({ hours: GIVEN_BACK_HOURS })]) };
  if (tried.failureKind !== 'later') return undefined;
  const days = rules.againDays[tried.attempt - 1];
  if (days === undefined) return undefined;
  return {
    act: 'charge',
    at: latestOf([
      begins.add({ hours: days * 24 }),
      tried.createdAt.add({ hours: rules.gapHours }),
      tried.decidedAt ?? tried.createdAt,
    ]),
  };
}

function nextReminder(subscription: Subscription): NextAct | undefined {
  const { cancelOn, isDisputed, nextSeq, paidThroughOn, remindedSeq, state, trialEndsOn, zone } =
    subscription;
  const due = paidThroughOn ?? trialEndsOn;
  const isRunning = state === 'active' || state === 'trialing';
  if (!isRunning || due === undefined || cancelOn !== undefined || isDisputed || remindedSeq === nextSeq)
    return undefined;
  return { act: 'remind', at: startOfDay(due.subtract({ days: remindDays(subscription) }), zone) };
}

function nextPriceNotice(
  subscription: Subscription,
  tried: ChargeIntent | undefined,
  now: Temporal.Instant,
): NextAct | undefined {
  const { priceChange, zone } = subscription;
  // What is being paid is paid at the price that it was begun with.
  const isBeingPaid = tried !== undefined && isOpen(tried) && tried.amount.minor > 0n;
  if (priceChange === undefined || isBeingPaid) return undefined;
  const plan = planPriceChange(subscription, priceChange, dayAt(now, zone));
  return plan.kind === 'tell' ? { act: 'tell price', at: startOfDay(plan.firstOn, zone) } : undefined;
}

/** From when the money of a charge that is asked for at `now` may be taken. */
export function notBefore(rail: Rail, now: Temporal.Instant): Temporal.Instant | undefined {
  const { noticeHours } = RAILS[rail];
  return noticeHours === undefined ? undefined : now.add({ hours: noticeHours });
}

/** RBI: so long before the debit its payer is told of it. */
const LEAST_NOTICE_HOURS = 24;

/**
 * From when the money of a charge may be taken that is sent at `now`: as it was written down, unless it was held up for so
 * long that its payer could not be told in time any more.
 */
export function sentNotBefore(
  rail: Rail,
  planned: Temporal.Instant | undefined,
  now: Temporal.Instant,
): Temporal.Instant | undefined {
  if (planned === undefined || !isEarlier(planned, now.add({ hours: LEAST_NOTICE_HOURS }))) return planned;
  return notBefore(rail, now);
}
