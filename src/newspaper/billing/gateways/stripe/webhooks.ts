import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { parseJson } from '#values/json';
import type { Concern, Webhook } from '../gateway.ts';
import { isLive, type StripeAccount } from './api.ts';
import { secondsOf } from './intents.ts';
import { nameMandate, nameOfEvent } from './mandates.ts';

/** What a webhook of the paper's is to bring. The last is only warned of. */
export const EVENTS = [
  'checkout.session.completed',
  'checkout.session.async_payment_succeeded',
  'checkout.session.async_payment_failed',
  'checkout.session.expired',
  'payment_intent.succeeded',
  'payment_intent.payment_failed',
  'payment_intent.processing',
  'payment_intent.requires_action',
  'payment_intent.canceled',
  'refund.created',
  'refund.updated',
  'refund.failed',
  'charge.dispute.created',
  'charge.dispute.updated',
  'charge.dispute.closed',
  'charge.dispute.funds_withdrawn',
  'charge.dispute.funds_reinstated',
  'mandate.updated',
  'payment_method.automatically_updated',
  'payment_method.detached',
  'payment_method.updated',
  'customer.subscription.created',
] as const;

/** Stripe's tolerance, which its SDK has for old webhooks alone; one from the future would stay good for as long (F37). */
const TOLERANCE_SECONDS = 300;
/** Longer headers are nobody's: a timestamp, and a signature for each of a few secrets. */
const LONGEST_SIGNATURE = 2_048;

/**
 * Checks `Stripe-Signature: t=<seconds>,v1=<hex>[,v1=…]` over the bytes as they came: while a secret is changed Stripe signs
 * with both, and any of ours may be the right one. Of the other mode's events, which a key of this one can learn nothing
 * about, nothing follows but a warning (F45).
 */
export function verifyWebhook(
  { now, secretKey, webhookSecrets }: StripeAccount,
  rawBody: Buffer,
  header: (name: string) => string | undefined,
): Webhook {
  const given = header('stripe-signature') ?? '';
  if (given.length > LONGEST_SIGNATURE) return { kind: 'forged' };
  const parts = given.split(',').map((part) => part.trim());
  const [seconds] = parts.flatMap((part) => /^t=(\d{1,12})$/.exec(part)?.[1] ?? []);
  if (seconds === undefined || Math.abs(secondsOf(now()) - Number(seconds)) > TOLERANCE_SECONDS)
    return { kind: 'forged' };
  const signatures = parts.flatMap((part) => {
    const hex = /^v1=([0-9a-f]{64})$/.exec(part)?.[1];
    return hex === undefined ? [] : [Buffer.from(hex, 'hex')];
  });
  const right = webhookSecrets
    // An empty key would sign for everybody.
    .filter((secret) => secret !== '')
    .map((secret) => createHmac('sha256', secret).update(`${seconds}.`).update(rawBody).digest());
  // All are tried, so that how long it takes does not tell which is right.
  const isGenuine = right
    .flatMap((one) => signatures.map((other) => timingSafeEqual(one, other)))
    .includes(true);
  return isGenuine ? readEvent(rawBody, isLive(secretKey)) : { kind: 'forged' };
}

/** What an object names of others, and of ours. It may be there as a whole where an endpoint is of an old version. */
const NAME = z
  .union([z.string().min(1), z.object({ id: z.string().min(1) }).transform(({ id }) => id)])
  .nullish()
  .catch(undefined);
const EVENT = z.object({
  id: z.string().regex(/^[\w-]{1,100}$/),
  object: z.literal('event'),
  type: z.string().min(1).max(100),
  livemode: z.boolean(),
  data: z.object({
    object: z.object({
      id: z.string().min(1).max(255).optional().catch(undefined),
      client_reference_id: z.string().nullish().catch(undefined),
      customer: NAME,
      metadata: z
        .object({ intent: z.string().min(1) })
        .nullish()
        .catch(undefined),
      payment_intent: NAME,
      payment_method: NAME,
      payment_status: z.string().nullish().catch(undefined),
      parent: z
        .object({ subscription_details: z.object({ subscription: NAME }).nullish() })
        .nullish()
        .catch(undefined),
      subscription: NAME,
    }),
    previous_attributes: z.object({ customer: NAME }).nullish().catch(undefined),
  }),
});
type Event = z.output<typeof EVENT>;

/** Reads what was proven to be Stripe's; of its data, only what it is about. */
function readEvent(body: Buffer, live: boolean): Webhook {
  let json: unknown;
  try {
    json = parseJson(body.toString('utf8'));
  } catch {
    return { kind: 'forged' };
  }
  const { data: event, success } = EVENT.safeParse(json);
  if (!success) return { kind: 'forged' };
  const { id: eventId, livemode, type } = event;
  const about = livemode === live ? subjectOf(event) : undefined;
  if (about !== undefined) return { ...about, eventId, type };
  const concern: Concern | undefined =
    livemode !== live ? 'other-mode' : isOfOwnSubscription(event) ? 'own-subscription' : undefined;
  return { kind: 'other', eventId, type, ...(concern === undefined ? {} : { concern }) };
}

/** Whether it is about a subscription that Stripe charges: also an invoice of one, which named it otherwise before 2025 (F47). */
function isOfOwnSubscription({ data: { object }, type }: Event): boolean {
  if (/^(customer\.subscription|subscription_schedule)\./.test(type)) return true;
  const { parent, subscription } = object;
  return type.startsWith('invoice.') && (parent?.subscription_details?.subscription ?? subscription) != null;
}

type Subject = { readonly kind: 'mandate'; readonly token: string } | Omit<EventAbout, 'eventId' | 'type'>;
type EventAbout = Extract<Webhook, { kind: 'event' }>;

function subjectOf({ data, type }: Event): Subject | undefined {
  const { object, previous_attributes: before } = data;
  const { customer, id, payment_intent: payment, payment_method: method } = object;
  const reference = object.metadata?.intent;
  switch (type.replace(/\.[^.]+$/, '')) {
    case 'checkout.session':
      return {
        kind: 'event',
        reference: object.client_reference_id ?? reference,
        checkoutId: id,
        saysPaid: PAID_SESSION.has(type) && object.payment_status === 'paid',
      };
    case 'payment_intent':
    case 'setup_intent':
      // What bears no intent of ours was made by another program of the same account.
      if (reference === undefined) return undefined;
      return {
        kind: 'event',
        reference,
        checkoutId: undefined,
        ...(type.startsWith('payment_intent.') && id !== undefined ? { gatewayPaymentId: id } : {}),
        saysPaid: type === 'payment_intent.succeeded',
      };
    case 'charge':
    case 'charge.refund':
    case 'charge.dispute':
    case 'refund':
      // It names the payment, and no more than that for certain.
      if (payment == null) return undefined;
      return { kind: 'event', reference, checkoutId: undefined, gatewayPaymentId: payment, saysPaid: false };
    case 'mandate':
      return id === undefined || method == null
        ? undefined
        : { kind: 'mandate', token: nameOfEvent(method, id) };
    case 'payment_method': {
      // Of one that was taken from its customer only what was before says whose it was.
      const owner = customer ?? before?.customer;
      return id === undefined || owner == null
        ? undefined
        : { kind: 'mandate', token: nameMandate({ customerId: owner, methodId: id }) };
    }
    default:
      return undefined;
  }
}

const PAID_SESSION = new Set(['checkout.session.completed', 'checkout.session.async_payment_succeeded']);
