import { isSameMoney } from '#values/money';
import { type ChargeIntent, type IntentStatus, isOpen } from './charges.store.ts';
import type { CheckoutState, GatewayPayment } from './gateways/gateway.ts';
import { isOver, type PaidTerm, type Standing, transition } from './subscription.ts';
import type { Subscription } from './subscriptions.store.ts';

/** What follows from a gateway's word about an attempt to be paid. */
export type Settlement = {
  /** What the gateway says of a payment, to be kept. */
  readonly payment?: GatewayPayment;
  /** How the attempt stands now, where that changed. */
  readonly intent?: { readonly status: IntentStatus; readonly failureCode?: string | undefined };
  /** The reader is told that it failed. */
  readonly tellFailed?: true;
  /** Why money that came is good for nothing: a person has to look at it, and nothing is done by itself. */
  readonly parkedReason?: string;
  /** What was bought begins. */
  readonly begins?: { readonly standing: Standing; readonly term: PaidTerm };
};

const NOTHING: Settlement = {};

/**
 * What a gateway's word makes of an attempt and its subscription. Pure; the same word told twice, late or after another
 * changes nothing the second time.
 */
export function settlementOf(
  intent: ChargeIntent,
  subscription: Subscription,
  state: CheckoutState,
  now: Temporal.Instant,
): Settlement {
  if (state.kind === 'open' || state.kind === 'saved') return NOTHING;
  if (state.kind === 'expired') return isOpen(intent) ? { intent: { status: 'canceled' } } : NOTHING;
  const payment = state;
  if (intent.status === 'succeeded') return { payment };
  switch (payment.status) {
    case 'pending':
    case 'requires_action':
      return isOpen(intent) ? { payment, intent: { status: payment.status } } : { payment };
    case 'failed':
      return {
        payment,
        // At its own page the reader may try again, so the attempt stays open until the checkout closes.
        ...(isOpen(intent) ? { intent: { status: 'submitted', failureCode: payment.failureCode } } : {}),
        ...(intent.status === 'pending' ? { tellFailed: true } : {}),
      };
    case 'succeeded':
      return { payment, intent: { status: 'succeeded' }, ...outcome(intent, subscription, payment, now) };
    default:
      return payment.status satisfies never;
  }
}

function outcome(
  intent: ChargeIntent,
  subscription: Subscription,
  payment: GatewayPayment,
  now: Temporal.Instant,
): Pick<Settlement, 'parkedReason' | 'begins'> {
  if (!isSameMoney(payment.amount, intent.amount))
    return { parkedReason: 'the amount is another one than was asked for' };
  if (intent.status === 'canceled' || isOver(subscription))
    return { parkedReason: 'it was paid after it was given up' };
  const result = transition(subscription, { kind: 'paid', seq: intent.termSeq }, now);
  const begins =
    result.kind === 'changed' ? result.steps.find((step) => step.kind === 'begin term') : undefined;
  if (result.kind === 'unchanged' || begins === undefined) return { parkedReason: 'it was paid twice' };
  return { begins: { standing: result.standing, term: begins.term } };
}
