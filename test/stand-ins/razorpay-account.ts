import { createLogger } from '#platform/log';
import type {
  Called,
  ChargeOrder,
  CheckoutOrder,
  Gateway,
} from '../../src/newspaper/billing/gateways/gateway.ts';
import { type RazorpayAccount, razorpayGateway } from '../../src/newspaper/billing/gateways/razorpay.ts';
import { type TestClock, testClock } from '../paper.ts';
import { type RazorpayStandIn, razorpayStandIn } from './razorpay.ts';
import type { Outcome } from './razorpay-company.ts';
import { VISA } from './razorpay-instruments.ts';
import type { Instrument, StoredPayment } from './razorpay-objects.ts';

/** A paper's account at the stand-in, and what a reader of it does there. */
export type TestAccount = {
  readonly clock: TestClock;
  readonly razorpay: RazorpayStandIn;
  readonly account: RazorpayAccount;
  readonly gateway: Gateway;
  checkoutOrder(over?: Partial<CheckoutOrder>): CheckoutOrder;
  chargeOrder(mandateToken: string, over?: Partial<ChargeOrder>): ChargeOrder;
  /** A checkout with a mandate, paid. @returns the mandate's token */
  mandate(instrument?: Instrument, over?: Partial<CheckoutOrder>): Promise<string>;
  open(over?: Partial<CheckoutOrder>): Promise<{ checkoutId: string; url: string; intentId: string }>;
  /** A payment that was made once, at a checkout. */
  paid(outcome?: Outcome, over?: Partial<CheckoutOrder>): Promise<StoredPayment>;
  later(duration: Temporal.DurationLike): void;
};

let intents = 0;
export const newIntent = (): string => `01990000-0000-7000-8000-${String(++intents).padStart(12, '0')}`;
export const rupees = (minor: bigint) => ({ minor, currency: 'INR' });

export async function testAccount(at = '2026-11-23T06:30:00Z'): Promise<TestAccount> {
  const clock = testClock(at);
  const razorpay = await razorpayStandIn(clock);
  const account: RazorpayAccount = {
    keyId: razorpay.keyId,
    keySecret: razorpay.keySecret,
    webhookSecrets: [razorpay.webhookSecret],
    baseUrl: 'https://paper.example',
    apiBase: razorpay.apiBase,
    // Long enough for a machine that has much to do, and short enough for the tests in which nobody answers.
    timeoutMs: 1_000,
    now: () => clock.now(),
    log: createLogger('silent'),
  };
  const gateway = razorpayGateway(account);
  const checkoutOrder = (over: Partial<CheckoutOrder> = {}): CheckoutOrder => ({
    intentId: newIntent(),
    amount: rupees(270_000n),
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
    razorpay,
    account,
    gateway,
    checkoutOrder,
    open,
    chargeOrder: (mandateToken, over = {}) => ({
      intentId: newIntent(),
      mandateToken,
      rail: 'card_in',
      amount: rupees(270_000n),
      description: 'The Courier, three months',
      readerId: '01990000-0000-7000-8000-00000000abcd',
      email: 'meera@example.com',
      notBefore: clock.now().add({ hours: 36 }),
      ...over,
    }),
    async mandate(instrument = VISA, over = {}) {
      const mandate = { maxAmount: rupees(405_000n), months: 3 };
      const { checkoutId } = await open({ mandate, ...over });
      razorpay.company.pay(checkoutId, 'captured', instrument);
      const state = answerOf(await gateway.readCheckout(checkoutId));
      const token = state.kind === 'saved' || state.kind === 'payment' ? state.mandate?.token : undefined;
      if (token === undefined) throw new Error(`no mandate came of ${JSON.stringify(state.kind)}`);
      return token;
    },
    async paid(outcome = 'captured', over = {}) {
      const { checkoutId } = await open(over);
      return razorpay.company.pay(checkoutId, outcome);
    },
    later: (duration) => clock.set(clock.now().add(duration).toString()),
  };
}

export function answerOf<Value>(called: Called<Value>): Value {
  if (called.kind !== 'ok') throw new Error(`it was ${JSON.stringify(called)}`);
  return called.value;
}
