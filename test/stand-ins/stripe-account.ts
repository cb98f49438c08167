import { createLogger } from '#platform/log';
import type {
  Called,
  ChargeOrder,
  CheckoutOrder,
  Gateway,
} from '../../src/newspaper/billing/gateways/gateway.ts';
import { type StripeAccount, stripeGateway } from '../../src/newspaper/billing/gateways/stripe.ts';
import { type TestClock, testClock } from '../paper.ts';
import { type StripeStandIn, stripeStandIn } from './stripe.ts';
import { VISA } from './stripe-instruments.ts';
import type { Outcome } from './stripe-payments.ts';
import type { Instrument, StoredPayment } from './stripe-stored.ts';

/** A paper's account at the stand-in, and what a reader of it does there. */
export type TestAccount = {
  readonly clock: TestClock;
  readonly stripe: StripeStandIn;
  readonly account: StripeAccount;
  readonly gateway: Gateway;
  /** Another process of the same paper, which has heard nothing so far. */
  another(): Gateway;
  newIntent(): string;
  checkoutOrder(over?: Partial<CheckoutOrder>): CheckoutOrder;
  chargeOrder(mandateToken: string, over?: Partial<ChargeOrder>): ChargeOrder;
  open(over?: Partial<CheckoutOrder>): Promise<{ checkoutId: string; url: string; intentId: string }>;
  /** A checkout with a mandate, paid. @returns the mandate's token */
  mandate(instrument?: Instrument, over?: Partial<CheckoutOrder>): Promise<string>;
  /** A payment that was made once, at a checkout. */
  paid(outcome?: Outcome, over?: Partial<CheckoutOrder>): Promise<StoredPayment>;
  later(duration: Temporal.DurationLike): void;
};

let made = 0;

/** A UUIDv7 of a moment. */
export function intentOf(at: Temporal.Instant): string {
  const hex = at.epochMilliseconds.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${String(++made).padStart(12, '0')}`;
}

export const pounds = (minor: bigint) => ({ minor, currency: 'GBP' });
export const rupees = (minor: bigint) => ({ minor, currency: 'INR' });
export const MANDATE = { maxAmount: pounds(4_500n), months: 3 };
export const MANDATE_IN_RUPEES = { maxAmount: rupees(405_000n), months: 3 };

export async function testAccount(at = '2026-11-23T06:30:00Z'): Promise<TestAccount> {
  const clock = testClock(at);
  const stripe = await stripeStandIn(clock);
  const account: StripeAccount = {
    secretKey: stripe.secretKey,
    webhookSecrets: [stripe.webhookSecret],
    baseUrl: 'https://paper.example',
    apiBase: stripe.apiBase,
    // Long enough for a machine that has much to do, and short enough for the tests in which nobody answers.
    timeoutMs: 1_000,
    now: () => clock.now(),
    log: createLogger('silent'),
  };
  const gateway = stripeGateway(account);
  const newIntent = () => intentOf(clock.now());
  const checkoutOrder = (over: Partial<CheckoutOrder> = {}): CheckoutOrder => ({
    intentId: newIntent(),
    amount: pounds(3_000n),
    description: 'The Courier, three months',
    readerId: '01990000-0000-7000-8000-00000000abcd',
    email: 'meera@example.com',
    mandate: undefined,
    returnUrl: 'https://paper.example/thanks',
    cancelUrl: 'https://paper.example/plans',
    ...over,
  });
  const open = async (over: Partial<CheckoutOrder> = {}) => {
    const order = checkoutOrder(over);
    return { ...answerOf(await gateway.openCheckout(order)), intentId: order.intentId };
  };
  return {
    clock,
    stripe,
    account,
    gateway,
    another: () => stripeGateway(account),
    newIntent,
    checkoutOrder,
    open,
    chargeOrder: (mandateToken, over = {}) => ({
      intentId: newIntent(),
      mandateToken,
      rail: 'card_intl',
      amount: pounds(3_000n),
      description: 'The Courier, three months',
      readerId: '01990000-0000-7000-8000-00000000abcd',
      email: 'meera@example.com',
      notBefore: undefined,
      ...over,
    }),
    async mandate(instrument = VISA, over = {}) {
      const isUpi = instrument.type === 'upi';
      const { checkoutId } = await open({
        mandate: isUpi ? MANDATE_IN_RUPEES : MANDATE,
        amount: isUpi ? rupees(270_000n) : pounds(3_000n),
        ...over,
      });
      stripe.company.pay(checkoutId, 'succeeded', instrument);
      const state = answerOf(await gateway.readCheckout(checkoutId));
      const token = state.kind === 'saved' || state.kind === 'payment' ? state.mandate?.token : undefined;
      if (token === undefined) throw new Error(`no mandate came of ${JSON.stringify(state.kind)}`);
      return token;
    },
    async paid(outcome = 'succeeded', over = {}) {
      const { checkoutId } = await open(over);
      return stripe.company.pay(checkoutId, outcome) as StoredPayment;
    },
    later: (duration) => clock.set(clock.now().add(duration).toString()),
  };
}

export function answerOf<Value>(called: Called<Value>): Value {
  if (called.kind !== 'ok') throw new Error(`it was ${JSON.stringify(called)}`);
  return called.value;
}
