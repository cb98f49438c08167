import { isSameMoney } from '#values/money';
import { isOver, type Standing } from './agreement.ts';
import { type ChargeIntent, type IntentStatus, isOpen } from './charges.store.ts';
import type { CheckoutState, FailureKind, GatewayMandate, GatewayPayment } from './gateways/gateway.ts';
import { type Fact, type Step, transition } from './subscription.ts';
import type { Subscription } from './subscriptions.store.ts';

/** What follows from a gateway's word about an attempt to be paid. */
export type Settlement = {
  /** What the gateway says of a payment, to be kept. */
  readonly payment?: GatewayPayment;
  /** How the attempt stands now, where that changed. */
  readonly intent?: {
    readonly status: IntentStatus;
    readonly failureCode?: string | undefined;
    readonly failureKind?: FailureKind | undefined;
  };
  /** The reader is told that it failed: at the gateway's page later than they were there, or while they were away. */
  readonly tellFailed?: 'checkout' | 'renewal';
  /** Money came. */
  readonly took?:
    | { readonly kind: 'bought'; readonly standing: Standing; readonly steps: readonly Step[] }
    /** It buys nothing, for this reason, and is given back. */
    | { readonly kind: 'give back'; readonly reason: string }
    /** It fits nothing, for this reason: a person has to look at it, and nothing is done by itself. */
    | { readonly kind: 'park'; readonly reason: string };
  /** What may be charged from now on. */
  readonly mandate?: GatewayMandate;
  /** Its days that cost nothing begin. */
  readonly trial?: { readonly standing: Standing; readonly steps: readonly Step[] };
  /** A mandate that was given and is good for nothing here. */
  readonly letGo?: GatewayMandate;
};

/** Why an order with a trial does not begin: the card or account has had one, with this reader or another. */
export const TRIAL_USED = 'trial_used';

/** How an attempt stands by the gateway's word. `refused`: it would not even try to charge it. */
export type Word = CheckoutState | { readonly kind: 'refused'; readonly code: string };

const NOTHING: Settlement = {};

/**
 * What a gateway's word makes of an attempt and its subscription. Pure; the same word told twice, late or after another
 * changes nothing the second time.
 *
 * @param tried fingerprints of cards and accounts that had a trial before
 * @param creditable what is left to be credited of the term that runs, in minor units: some may have gone back since
 *   another plan was begun; undefined where nothing is bought instead of it
 */
export function settlementOf(
  intent: ChargeIntent,
  subscription: Subscription,
  state: Word,
  now: Temporal.Instant,
  tried: ReadonlySet<string> = new Set(),
  creditable?: bigint,
): Settlement {
  if (state.kind === 'open') return NOTHING;
  if (state.kind === 'expired') return isOpen(intent) ? { intent: { status: 'canceled' } } : NOTHING;
  if (state.kind === 'refused')
    return isOpen(intent)
      ? {
          // Nothing can be taken by this mandate: its reader is asked for another.
          intent: { status: 'failed', failureCode: state.code, failureKind: 'never' },
          tellFailed: 'renewal',
        }
      : NOTHING;
  if (intent.status === 'succeeded') return state.kind === 'payment' ? { payment: state } : NOTHING;
  if (state.kind === 'saved') return saved(intent, subscription, state.mandate, now, tried);
  const payment = state;
  switch (payment.status) {
    case 'pending':
    case 'requires_action':
      return isOpen(intent) ? { payment, intent: { status: payment.status } } : { payment };
    case 'failed':
      return { payment, ...failed(intent, payment) };
    case 'succeeded':
      return {
        payment,
        intent: { status: 'succeeded' },
        took: took(intent, subscription, payment, now, creditable),
        // Of a charge it is the one that was charged, which is known.
        ...(payment.mandate === undefined || intent.mandateId !== undefined
          ? {}
          : { mandate: payment.mandate }),
      };
    default:
      return payment.status satisfies never;
  }
}

/** A mandate alone: for terms to come, or for a subscription that begins with days that cost nothing. */
function saved(
  intent: ChargeIntent,
  subscription: Subscription,
  mandate: GatewayMandate,
  now: Temporal.Instant,
  tried: ReadonlySet<string>,
): Settlement {
  const { state, trialDays } = subscription;
  if (trialDays === 0 || (state !== 'incomplete' && !isOver(subscription)))
    return { intent: { status: 'succeeded' }, mandate };
  // Of an order that was closed meanwhile, or whose card had its days before, nothing is ever to be charged.
  if (!isOpen(intent) || isOver(subscription)) return { letGo: mandate };
  if (mandate.fingerprint !== undefined && tried.has(mandate.fingerprint))
    return { intent: { status: 'failed', failureCode: TRIAL_USED }, letGo: mandate };
  const begun = transition(subscription, { kind: 'trial', days: trialDays }, now);
  return begun.kind === 'unchanged'
    ? { letGo: mandate }
    : { intent: { status: 'succeeded' }, mandate, trial: begun };
}

function failed(intent: ChargeIntent, payment: GatewayPayment): Settlement {
  if (!isOpen(intent)) return NOTHING;
  const { failureCode, failureKind } = payment;
  if (intent.mandateId !== undefined)
    return { intent: { status: 'failed', failureCode, failureKind }, tellFailed: 'renewal' };
  return {
    // At its own page the reader may try again, so the attempt stays open until the checkout closes.
    intent: { status: 'submitted', failureCode },
    ...(intent.status === 'pending' ? { tellFailed: 'checkout' as const } : {}),
  };
}

/** What an attempt buys once it is paid. */
function boughtWith(change: ChargeIntent['change'], seq: number): Fact {
  if (change === undefined) return { kind: 'paid', seq };
  const { months, planSlug, price, seats } = change;
  return seats === undefined
    ? { kind: 'change paid', seq, change: { planSlug, months, price } }
    : { kind: 'seats paid', seq, seats, price };
}

function took(
  intent: ChargeIntent,
  subscription: Subscription,
  payment: GatewayPayment,
  now: Temporal.Instant,
  creditable: bigint | undefined,
): NonNullable<Settlement['took']> {
  if (!isSameMoney(payment.amount, intent.amount))
    return { kind: 'park', reason: 'the amount is another one than was asked for' };
  const { change, termSeq: seq } = intent;
  if (change !== undefined && change.credit > (creditable ?? 0n))
    return { kind: 'give back', reason: 'less is left of the term before than there was when it was begun' };
  const result = transition(subscription, boughtWith(change, seq), now);
  if (intent.status !== 'canceled' && result.kind === 'changed') {
    const begins = result.steps.find((step) => step.kind === 'begin term');
    // A bank said no, its reader chose another plan, and then the bank said yes: no term is begun at a price that was not paid for it.
    return change !== undefined || begins === undefined || isSameMoney(begins.price, intent.amount)
      ? { ...result, kind: 'bought' }
      : { kind: 'give back', reason: 'another plan or price was chosen after it was charged' };
  }
  return {
    kind: 'give back',
    reason:
      intent.termSeq < subscription.nextSeq
        ? 'it was paid twice'
        : 'it was paid after the subscription was cancelled or given up',
  };
}
