import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { parseJson } from '#values/json';
import type { Webhook } from '../gateway.ts';
import type { RazorpayAccount } from './api.ts';
import { nameMandate } from './mandates.ts';

/**
 * Razorpay signs the bytes of what it sends and nothing else: no time, so a copy is as good as the first for ever. What
 * keeps a copy from having an effect is that each event's id is kept (F38).
 */
export function verifyWebhook(
  { webhookSecrets }: RazorpayAccount,
  rawBody: Buffer,
  header: (name: string) => string | undefined,
): Webhook {
  const given = header('x-razorpay-signature');
  // All are tried, so that how long it takes does not tell which is right.
  const isGenuine = webhookSecrets.map((secret) => isSigned(rawBody, given, secret)).includes(true);
  return isGenuine ? readEvent(rawBody, header('x-razorpay-event-id')) : { kind: 'forged' };
}

/** Whether a browser came back with what Razorpay's checkout gave it for this order and payment. It proves no payment. */
export function isSignedReturn(
  { keySecret }: RazorpayAccount,
  returned: { orderId: string; paymentId: string; signature: string },
): boolean {
  const { orderId, paymentId, signature } = returned;
  return isSigned(Buffer.from(`${orderId}|${paymentId}`), signature, keySecret);
}

function isSigned(body: Buffer, given: string | undefined, secret: string): boolean {
  // An empty key would sign for everybody.
  if (given === undefined || secret === '' || !/^[0-9a-f]{64}$/.test(given)) return false;
  return timingSafeEqual(createHmac('sha256', secret).update(body).digest(), Buffer.from(given, 'hex'));
}

const ENTITY = z.object({ id: z.string().min(1) });
const NAMED = z.object({
  order_id: z.string().nullish(),
  customer_id: z.string().nullish(),
  receipt: z.string().nullish(),
  notes: z
    .object({ intent: z.string().min(1) })
    .nullish()
    // There are none, or they are somebody else's.
    .catch(undefined),
});
const ABOUT = z
  .object({ entity: ENTITY.extend(NAMED.shape) })
  .optional()
  .catch(undefined);
const EVENT = z.object({
  entity: z.literal('event'),
  event: z.string().min(1).max(100),
  payload: z
    .object({ payment: ABOUT, order: ABOUT, refund: ABOUT, dispute: ABOUT, token: ABOUT })
    .catch({ payment: undefined, order: undefined, refund: undefined, dispute: undefined, token: undefined }),
});

const LONGEST_ID = 100;

/** Reads what was proven to be Razorpay's; of its data, only what it is about. */
function readEvent(body: Buffer, given: string | undefined): Webhook {
  let json: unknown;
  try {
    json = parseJson(body.toString('utf8'));
  } catch {
    return { kind: 'forged' };
  }
  const { data, success } = EVENT.safeParse(json);
  if (!success) return { kind: 'forged' };
  const type = data.event;
  // A proxy may have dropped the header; sent again, the bytes are the same.
  const eventId =
    given !== undefined && /^[\w-]+$/.test(given) && given.length <= LONGEST_ID
      ? given
      : `sha256-${createHash('sha256').update(body).digest('hex')}`;
  // Its Subscriptions have a clock of their own, and the paper makes none.
  if (type.startsWith('subscription.')) return { kind: 'other', eventId, type, concern: 'own-subscription' };
  const { order, payment, token } = data.payload;
  if (/^token\./.test(type)) {
    if (token === undefined) return { kind: 'other', eventId, type };
    const { customer_id: customerId, id: tokenId } = token.entity;
    // Most often it does not say whose token it is; readMandate finds that out.
    const name = typeof customerId === 'string' ? nameMandate({ customerId, tokenId }) : tokenId;
    return { kind: 'mandate', eventId, type, token: name };
  }
  if (!/^(payment|order|refund)\./.test(type)) return { kind: 'other', eventId, type };
  const checkoutId = payment?.entity.order_id ?? order?.entity.id;
  const reference = payment?.entity.notes?.intent ?? order?.entity.notes?.intent;
  const saysPaid = type === 'payment.captured' || type === 'order.paid';
  if (checkoutId === undefined && reference === undefined) {
    // A dispute, or a refund made at its dashboard, may name the payment alone; a payment that names nothing is nobody's here.
    const paymentId = /^(payment\.dispute|refund)\./.test(type) ? payment?.entity.id : undefined;
    return paymentId === undefined
      ? { kind: 'other', eventId, type }
      : { kind: 'event', eventId, type, reference, checkoutId, gatewayPaymentId: paymentId, saysPaid };
  }
  return { kind: 'event', eventId, type, reference, checkoutId, saysPaid };
}
