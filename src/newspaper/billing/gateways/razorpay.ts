import { oneAfterAnother } from './calling.ts';
import type { Called, Gateway } from './gateway.ts';
import { openApi, type RazorpayAccount } from './razorpay/api.ts';
import { listPayments, readBalance } from './razorpay/books.ts';
import { charge, findCharge } from './razorpay/charges.ts';
import {
  type CheckoutPage,
  expireCheckout,
  findCheckout,
  openCheckout,
  readCheckout,
  readPage,
} from './razorpay/checkouts.ts';
import { readMandate, revokeMandate } from './razorpay/mandates.ts';
import { refund } from './razorpay/refunding.ts';
import { isSignedReturn, verifyWebhook } from './razorpay/webhooks.ts';

export type { RazorpayAccount } from './razorpay/api.ts';
export type { CheckoutPage } from './razorpay/checkouts.ts';

/**
 * Razorpay, through its own SDK. It is told what to take and when: its Subscriptions, which have a clock of their own,
 * are used for nothing, since two clocks charge twice.
 */
export function razorpayGateway(account: RazorpayAccount): Gateway {
  const api = openApi(account);
  // Razorpay has no key that would make two calls at once into one.
  const inTurn = oneAfterAnother();

  return {
    name: 'razorpay',
    openCheckout: (order) => inTurn(order.intentId, () => openCheckout(api, order)),
    readCheckout: (checkoutId) => readCheckout(api, checkoutId),
    findCheckout: (reference) => findCheckout(api, reference),
    expireCheckout: (checkoutId) => expireCheckout(api, checkoutId),
    charge: (order) => inTurn(order.intentId, () => charge(api, order)),
    findCharge: (reference) => findCharge(api, reference),
    readMandate: (token) => readMandate(api, token),
    revokeMandate: (token) => revokeMandate(api, token),
    refund: (order) => refund(api, order),
    listPayments: (since, after) => listPayments(api, since, after),
    readBalance: () => readBalance(api),
    verifyWebhook: (rawBody, header) => verifyWebhook(account, rawBody, header),
  };
}

/** What the page on which a reader pays through Razorpay needs of it. */
export type RazorpayPages = {
  readPage(orderId: string): Promise<Called<CheckoutPage>>;
  isSignedReturn(returned: { orderId: string; paymentId: string; signature: string }): boolean;
};

export function razorpayPages(account: RazorpayAccount): RazorpayPages {
  const api = openApi(account);
  return {
    readPage: (orderId) => readPage(api, orderId),
    isSignedReturn: (returned) => isSignedReturn(account, returned),
  };
}
