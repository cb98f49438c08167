import { oneAfterAnother } from './calling.ts';
import type { Gateway } from './gateway.ts';
import { openApi, type StripeAccount } from './stripe/api.ts';
import { listPayments, readBalance } from './stripe/books.ts';
import { charge, findCharge } from './stripe/charges.ts';
import { expireCheckout, findCheckout, openCheckout, readCheckout } from './stripe/checkouts.ts';
import { readMandate, revokeMandate } from './stripe/mandates.ts';
import { refund } from './stripe/refunding.ts';
import { verifyWebhook } from './stripe/webhooks.ts';

export type { StripeAccount } from './stripe/api.ts';
export { examineStripe } from './stripe/examining.ts';

/** Where readers pay: a page of Stripe's own. */
const CHECKOUT_ORIGIN = 'https://checkout.stripe.com';

/**
 * Stripe, through its own SDK. It is told what to take and when: its Subscriptions, Invoices and Prices, which have a clock
 * of their own, are used for nothing (F12, F47), since two clocks charge twice.
 */
export function stripeGateway(account: StripeAccount): Gateway {
  const api = openApi(account);
  // By the same key it would answer the second of two at once that it is busy with the first.
  const inTurn = oneAfterAnother();

  return {
    name: 'stripe',
    checkoutOrigin: account.checkoutOrigin ?? CHECKOUT_ORIGIN,
    openCheckout: (order) => inTurn(order.intentId, () => openCheckout(api, order)),
    readCheckout: (checkoutId) => readCheckout(api, checkoutId),
    findCheckout: (reference) => findCheckout(api, reference),
    expireCheckout: (checkoutId) => expireCheckout(api, checkoutId),
    charge: (order) => inTurn(order.intentId, () => charge(api, order)),
    findCharge: (reference) => findCharge(api, reference),
    readMandate: (token) => readMandate(api, token),
    revokeMandate: (token) => revokeMandate(api, token),
    refund: (order) => inTurn(order.refundId, () => refund(api, order)),
    listPayments: (since, after) => listPayments(api, since, after),
    readBalance: () => readBalance(api),
    verifyWebhook(rawBody, header) {
      const webhook = verifyWebhook(account, rawBody, header);
      if (webhook.kind === 'event' && webhook.reference !== undefined) {
        const id = webhook.checkoutId ?? webhook.gatewayPaymentId;
        if (id !== undefined) api.heard.note(webhook.reference, id);
      }
      return webhook;
    },
  };
}
