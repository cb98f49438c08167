import type { Called, Gateway } from './gateway.ts';

/** Calls of a gateway, by what came of them: `ok`, `refused`, `unknown`. */
export type GatewayCalls = { readonly name: Gateway['name']; readonly calls: ReadonlyMap<string, number> };

/** A gateway whose calls are counted. */
export function countedGateway(gateway: Gateway): Gateway & GatewayCalls {
  const calls = new Map<string, number>([
    ['ok', 0],
    ['refused', 0],
    ['unknown', 0],
  ]);
  async function counted<Value>(calling: Promise<Called<Value>>): Promise<Called<Value>> {
    const called = await calling;
    calls.set(called.kind, (calls.get(called.kind) ?? 0) + 1);
    return called;
  }
  return {
    ...gateway,
    calls,
    openCheckout: (order) => counted(gateway.openCheckout(order)),
    readCheckout: (checkoutId) => counted(gateway.readCheckout(checkoutId)),
    findCheckout: (reference) => counted(gateway.findCheckout(reference)),
    expireCheckout: (checkoutId) => counted(gateway.expireCheckout(checkoutId)),
    charge: (order) => counted(gateway.charge(order)),
    findCharge: (reference) => counted(gateway.findCharge(reference)),
    readMandate: (token) => counted(gateway.readMandate(token)),
    revokeMandate: (token) => counted(gateway.revokeMandate(token)),
    refund: (order) => counted(gateway.refund(order)),
    listPayments: (since, after) => counted(gateway.listPayments(since, after)),
    readBalance: () => counted(gateway.readBalance()),
  };
}
