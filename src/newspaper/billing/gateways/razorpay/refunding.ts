import { exactNumber, goOn, mapped } from '../calling.ts';
import type { Called, GatewayRefund, RefundOrder } from '../gateway.ts';
import { type Api, receiptOf } from './api.ts';
import { refundOf, refundsOf } from './payments.ts';
import { REFUND } from './shapes.ts';

/**
 * Gives back, in the way that takes days and costs nothing. Its key makes Razorpay do it once; how long a key is kept it
 * does not say, so a refund that is there already is looked for first (F96).
 *
 * Of a payment older than six months most banks take nothing back, and Razorpay refuses it with `payment_too_old`: then
 * the money goes back by another way, which a person goes (F98).
 */
export async function refund(api: Api, order: RefundOrder): Promise<Called<GatewayRefund>> {
  const { amount, gatewayPaymentId: paymentId, refundId } = order;
  if (!/^pay_[A-Za-z0-9]{1,40}$/.test(paymentId)) return { kind: 'refused', code: 'not_found' };
  return goOn(await refundsOf(api, paymentId), async (known) => {
    const before = known.find(({ notes }) => notes.refund === refundId);
    if (before !== undefined) {
      return before.amount === amount.minor && before.currency === amount.currency
        ? { kind: 'ok', value: refundOf(before) }
        : { kind: 'refused', code: 'refund_of_another_amount' };
    }
    const made = await api.ask(
      'payments.refund',
      (sdk) =>
        sdk.payments.refund(paymentId, {
          amount: exactNumber(amount.minor),
          speed: 'normal',
          // Also its key: see the client of the SDK.
          receipt: receiptOf(refundId),
          notes: { refund: refundId },
        }),
      REFUND,
    );
    return mapped(made, refundOf);
  });
}
