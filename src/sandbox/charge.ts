import { isSameMoney, type Money } from '#values/money';
import { type Mandate, statusOf } from './mandate.ts';
import { isAnnounced } from './methods.ts';
import { OUTCOMES, type OutcomeCode } from './outcomes.ts';
import type { Payment } from './payment.ts';

/** What a merchant wants to take by a mandate. */
export type ChargeAsked = {
  readonly paymentId: string;
  readonly key: string;
  readonly reference: string;
  readonly mandateId: string;
  readonly customer: string;
  readonly amount: Money;
  readonly description: string;
  readonly notBefore: Temporal.Instant | undefined;
};

/** What of a mandate's other charges decides on the next one. */
export type ChargesBefore = {
  /** What was announced, or is on its way, and not decided. */
  readonly pending: readonly Money[];
  readonly succeededAt: readonly Temporal.Instant[];
};

export type ChargeRefusal =
  | 'mandate_of_another'
  | 'mandate_expired'
  | 'mandate_not_active'
  | 'currency_not_of_mandate'
  | 'amount_above_mandate'
  | 'notice_too_short'
  | 'not_before_not_taken'
  | 'notice_in_flight'
  | 'already_charged_in_cycle';

/** RBI: the payer is told at least 24 hours before the debit. */
const NOTICE_HOURS = 24;
/** A debit that was announced is made in the hour after it may be. */
const DEBIT_HOURS = 1;
/** NPCI: one success in a cycle. No cycle is shorter than a month, and one that is late may be followed by one in time. */
const CYCLE_DAYS = 20;
/** So long after it said no, a bank takes the money after all (Razorpay: up to three days). */
const LATE_DAYS = 2;

/** Why a charge cannot even be tried; undefined where it can. */
export function chargeRefusal(
  asked: ChargeAsked,
  mandate: Mandate,
  before: ChargesBefore,
  now: Temporal.Instant,
): ChargeRefusal | undefined {
  const status = statusOf(mandate, now);
  if (asked.customer !== mandate.customer) return 'mandate_of_another';
  if (status === 'expired') return 'mandate_expired';
  if (status !== 'active') return 'mandate_not_active';
  if (asked.amount.currency !== mandate.maxAmount.currency) return 'currency_not_of_mandate';
  if (asked.amount.minor > mandate.maxAmount.minor) return 'amount_above_mandate';
  if (isAnnounced(mandate.rail)) {
    if (asked.notBefore === undefined || isBefore(asked.notBefore, now.add({ hours: NOTICE_HOURS })))
      return 'notice_too_short';
  } else if (asked.notBefore !== undefined && isBefore(now, asked.notBefore)) {
    // Answered at once, and never earlier than asked for.
    return 'not_before_not_taken';
  }
  if (before.pending.some((amount) => isSameMoney(amount, asked.amount))) return 'notice_in_flight';
  return isSecondInCycle(mandate, before.succeededAt, debitAt(asked, now))
    ? 'already_charged_in_cycle'
    : undefined;
}

function debitAt({ notBefore }: ChargeAsked, now: Temporal.Instant): Temporal.Instant {
  return notBefore?.add({ hours: DEBIT_HOURS }) ?? now;
}

function isSecondInCycle(
  { rail }: Mandate,
  succeededAt: readonly Temporal.Instant[],
  at: Temporal.Instant,
): boolean {
  const since = at.subtract({ hours: 24 * CYCLE_DAYS });
  return rail === 'upi' && succeededAt.some((one) => isBefore(since, one));
}

/** What a mandate is charged for, once nothing speaks against it; undefined where it does not get to the bank. */
export function beginCharge(
  asked: ChargeAsked,
  mandate: Mandate,
  code: OutcomeCode,
  now: Temporal.Instant,
): Payment | undefined {
  const outcome = OUTCOMES[code];
  if (outcome.status === 'nothing') return undefined;
  const failureCode = failureOf(code);
  const payment: Payment = {
    id: asked.paymentId,
    attempt: 1,
    status: 'succeeded',
    failureCode: undefined,
    rail: mandate.rail,
    method: mandate.method,
    createdAt: now,
    changedAt: now,
    settlesAt: undefined,
    thenFails: undefined,
    comesLate: outcome.status === 'failed' && outcome.comesLate === true,
    lateAt: undefined,
    refunds: [],
    dispute: undefined,
  };
  if (isAnnounced(mandate.rail))
    return { ...payment, status: 'pending', thenFails: failureCode, settlesAt: debitAt(asked, now) };
  if (outcome.status === 'pending')
    return {
      ...payment,
      status: 'pending',
      thenFails: outcome.thenFails,
      settlesAt: now.add({ minutes: outcome.minutes }),
    };
  return failureCode === undefined ? payment : failed(payment, failureCode, now);
}

/** With nobody there who could answer the bank, its question is a no. */
function failureOf(code: OutcomeCode): string | undefined {
  const outcome = OUTCOMES[code];
  switch (outcome.status) {
    case 'failed':
      return outcome.failureCode;
    case 'requires_action':
      return 'authentication_required';
    case 'pending':
      return outcome.thenFails;
    default:
      return undefined;
  }
}

function failed(payment: Payment, failureCode: string, at: Temporal.Instant): Payment {
  return {
    ...payment,
    status: 'failed',
    failureCode,
    changedAt: at,
    settlesAt: undefined,
    thenFails: undefined,
    lateAt: payment.comesLate ? at.add({ hours: 24 * LATE_DAYS }) : undefined,
  };
}

/** Whether a charge's own time brings anything by `now`. */
export function isDue(payment: Payment | undefined, now: Temporal.Instant): boolean {
  const at = payment?.settlesAt ?? payment?.lateAt;
  return at !== undefined && !isBefore(now, at);
}

/** What a charge's own time brings by `now`; undefined where nothing is due. */
export function dueCharge(
  payment: Payment,
  mandate: Mandate,
  before: Pick<ChargesBefore, 'succeededAt'>,
  now: Temporal.Instant,
): Payment | undefined {
  const at = payment.settlesAt ?? payment.lateAt;
  if (at === undefined || !isDue(payment, now)) return undefined;
  const isSecond = isSecondInCycle(mandate, before.succeededAt, at);
  if (payment.status === 'failed') {
    // What the bank has said no to it need not take back: no success follows where there was another meanwhile.
    return isSecond ? { ...payment, lateAt: undefined } : succeeded(payment, at);
  }
  const end = { ...payment, comesLate: false };
  if (statusOf(mandate, at) === 'expired') return failed(end, 'mandate_expired', at);
  if (statusOf(mandate, at) !== 'active') return failed(end, 'mandate_not_active', at);
  if (isSecond) return failed(end, 'already_charged_in_cycle', at);
  return payment.thenFails === undefined ? succeeded(payment, at) : failed(payment, payment.thenFails, at);
}

function succeeded(payment: Payment, at: Temporal.Instant): Payment {
  return {
    ...payment,
    status: 'succeeded',
    failureCode: undefined,
    changedAt: at,
    settlesAt: undefined,
    thenFails: undefined,
    lateAt: undefined,
    comesLate: false,
  };
}

function isBefore(a: Temporal.Instant, b: Temporal.Instant): boolean {
  return Temporal.Instant.compare(a, b) < 0;
}
