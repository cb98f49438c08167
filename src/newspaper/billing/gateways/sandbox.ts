import { machineMs } from '#platform/clock';
import { exactNumber, mapped } from './calling.ts';
import type { Called, Expiration, FoundCheckout, Gateway } from './gateway.ts';
import {
  BALANCE,
  CHECKOUT,
  CHECKOUTS,
  EXPIRED,
  MANDATE,
  mostTelling,
  opened,
  PAYMENT,
  PAYMENT_PAGE,
  PAYMENTS,
  REFUND,
  stateOf,
} from './sandbox-answers.ts';
import { type SandboxLine, sandboxLine } from './sandbox-call.ts';
import { isGenuine, readEvent } from './sandbox-webhooks.ts';

export type SandboxAccount = SandboxLine & {
  /** Any of them signs a genuine webhook; none at all and everything is forged. */
  readonly webhookSecrets: readonly string[];
  /** The machine's time, since webhooks are signed with it and the domain's clock moves. */
  readonly machineMs?: () => number;
};

/** The sandbox gateway, called like any other company. */
export function sandboxGateway(account: SandboxAccount): Gateway {
  const { call, make } = sandboxLine(account);

  return {
    name: 'sandbox',

    async openCheckout(order) {
      const { amount, mandate } = order;
      if (mandate !== undefined && mandate.maxAmount.currency !== amount.currency)
        throw new RangeError('a mandate in another currency than its checkout');
      const body = {
        reference: order.intentId,
        amount_minor: exactNumber(amount.minor),
        currency: amount.currency,
        description: order.description,
        email: order.email,
        customer: order.readerId,
        return_url: order.returnUrl,
        cancel_url: order.cancelUrl,
        ...(mandate === undefined
          ? {}
          : {
              mandate: {
                max_amount_minor: exactNumber(mandate.maxAmount.minor),
                months: mandate.months,
              },
            }),
      };
      return mapped(await make('/checkouts', CHECKOUT, { key: order.intentId, body }), opened);
    },

    async readCheckout(checkoutId) {
      const path = `/checkouts/${encodeURIComponent(checkoutId)}`;
      return mapped(await call('GET', path, CHECKOUT), stateOf);
    },

    async findCheckout(reference) {
      const path = `/checkouts?reference=${encodeURIComponent(reference)}`;
      return mapped(await call('GET', path, CHECKOUTS), ({ data }) => {
        const checkout = mostTelling(data);
        return checkout === undefined
          ? undefined
          : ({ ...opened(checkout), state: stateOf(checkout) } satisfies FoundCheckout);
      });
    },

    async expireCheckout(checkoutId): Promise<Called<Expiration>> {
      const path = `/checkouts/${encodeURIComponent(checkoutId)}/expiration`;
      const called = await call('POST', path, EXPIRED);
      if (called.kind === 'refused' && called.code === 'checkout_complete')
        return { kind: 'ok', value: 'already-paid' };
      if (called.kind === 'refused' && called.code === 'payment_pending')
        return { kind: 'ok', value: 'pending' };
      return mapped(called, () => 'expired');
    },

    async charge(order) {
      const body = {
        reference: order.intentId,
        mandate: order.mandateToken,
        customer: order.readerId,
        amount_minor: exactNumber(order.amount.minor),
        currency: order.amount.currency,
        description: order.description,
        ...(order.notBefore === undefined ? {} : { not_before: order.notBefore.toString() }),
      };
      return mapped(await make('/charges', PAYMENT, { key: order.intentId, body }), withoutReference);
    },

    async findCharge(reference) {
      const path = `/charges?reference=${encodeURIComponent(reference)}`;
      return mapped(await call('GET', path, PAYMENTS), ({ data: [newest] }) =>
        newest === undefined ? undefined : withoutReference(newest),
      );
    },

    readMandate: (token) => call('GET', `/mandates/${encodeURIComponent(token)}`, MANDATE),

    async revokeMandate(token) {
      const path = `/mandates/${encodeURIComponent(token)}/revocation`;
      return mapped(await call('POST', path, MANDATE), () => undefined);
    },

    async refund(order) {
      const body = {
        reference: order.refundId,
        payment: order.gatewayPaymentId,
        amount_minor: exactNumber(order.amount.minor),
        currency: order.amount.currency,
      };
      return make('/refunds', REFUND, { key: order.refundId, body });
    },

    async listPayments(since, after) {
      const query = new URLSearchParams({
        since: since.toString(),
        ...(after === undefined ? {} : { after }),
      });
      return call('GET', `/payments?${query}`, PAYMENT_PAGE);
    },

    readBalance: () => call('GET', '/balance', BALANCE),

    verifyWebhook(rawBody, header) {
      const now = (account.machineMs ?? machineMs)() / 1000;
      return isGenuine(rawBody, header('sandbox-signature'), account.webhookSecrets, now)
        ? readEvent(rawBody)
        : { kind: 'forged' };
    },
  };
}

function withoutReference<Payment extends { readonly reference: string }>({
  reference,
  ...payment
}: Payment): Omit<Payment, 'reference'> {
  return payment;
}
