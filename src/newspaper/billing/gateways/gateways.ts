import type { Gateway } from './gateway.ts';
import { noGateway } from './none.ts';

/** The gateways that a paper has accounts at, beside each other. */
export type Gateways = {
  readonly all: readonly Gateway[];
  /** Takes whatever is begun in a currency. One of them, so that a reader is never asked by whom to be charged. */
  taking(currency: string): Gateway;
  /**
   * Where an attempt, a mandate or a payment is kept, whatever is configured since. Of one without an account nothing is
   * learnt: its calls are `unknown`, and are made again when it is back.
   */
  named(name: Gateway['name']): Gateway;
};

/** Mandates of India's rails are Razorpay's trade, and cards of the rest of the world are Stripe's. */
const FIRST: Readonly<Record<string, readonly Gateway['name'][]>> = { INR: ['razorpay', 'stripe'] };
const ELSEWHERE: readonly Gateway['name'][] = ['stripe', 'razorpay'];

/** @param all each of another name; a company outside goes before the sandbox */
export function besideEachOther(all: readonly Gateway[]): Gateways {
  const find = (name: Gateway['name']) => all.find((one) => one.name === name);
  return {
    all,
    taking: (currency) => {
      for (const name of FIRST[currency] ?? ELSEWHERE) {
        const gateway = find(name);
        if (gateway !== undefined) return gateway;
      }
      return find('sandbox') ?? noGateway('sandbox');
    },
    named: (name) => find(name) ?? noGateway(name),
  };
}
