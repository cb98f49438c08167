import type { Gateway } from './gateway.ts';

const CLOSED = { kind: 'unknown', reason: 'no payment gateway is configured' } as const;

/** Where no gateway is configured nothing can be sold, and nothing that could be sold was. */
export function noGateway(name: Gateway['name']): Gateway {
  return {
    name,
    openCheckout: async () => CLOSED,
    readCheckout: async () => CLOSED,
    findCheckout: async () => CLOSED,
    expireCheckout: async () => CLOSED,
    charge: async () => CLOSED,
    findCharge: async () => CLOSED,
    readMandate: async () => CLOSED,
    revokeMandate: async () => CLOSED,
    refund: async () => CLOSED,
    listPayments: async () => CLOSED,
    readBalance: async () => CLOSED,
    verifyWebhook: () => ({ kind: 'forged' }),
  };
}
