import { goOn, mapped } from '../calling.ts';
import type { Called, GatewayRefund, RefundOrder } from '../gateway.ts';
import { amountFor, moneyOf, NO_AMOUNT } from './amounts.ts';
import type { Api } from './api.ts';
import { isPaymentId, refundOf, refundsOf } from './payments.ts';
import { REFUND } from './shapes.ts';

/**
 * Gives back. Its key makes Stripe do it once, but for no longer than a day, and a refund may be sent again after that: so
 * one that is there already is looked for first (F96).
 */
export async function refund(api: Api, order: RefundOrder): Promise<Called<GatewayRefund>> {
  const { gatewayPaymentId: paymentId, refundId } = order;
  if (!isPaymentId(paymentId)) return { kind: 'refused', code: 'resource_missing' };
  const amount = amountFor(order.amount);
  if (amount === undefined) return NO_AMOUNT;
  return goOn(await refundsOf(api, paymentId), async (known): Promise<Called<GatewayRefund>> => {
    const before = known.find(({ metadata }) => metadata.refund === refundId);
    if (before !== undefined) {
      const was = moneyOf(before.amount, before.currency);
      return was.minor === order.amount.minor && was.currency === order.amount.currency
        ? { kind: 'ok', value: refundOf(before) }
        : { kind: 'refused', code: 'refund_of_another_amount' };
    }
    const made = await api.ask(
      'refunds.create',
      (sdk) =>
        sdk.refunds.create(
          { payment_intent: paymentId, amount, metadata: { refund: refundId } },
          { idempotencyKey: `refund ${refundId}` },
        ),
      REFUND,
    );
    return mapped(made, refundOf);
  });
}
