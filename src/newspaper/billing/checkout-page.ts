import type { Money } from '#values/money';
import {
  type ChargeIntent,
  giveUpUnopened,
  isOpen,
  newestIntent,
  noteCheckout,
  setIntentStatuses,
} from './charges.store.ts';
import type { BillingParts } from './parts.ts';
import { mandateFor } from './renewal.ts';
import { settleIntent } from './settling.ts';

export type Begun =
  /** The gateway's own page, on which the reader pays. */
  | { readonly kind: 'pay'; readonly subscriptionId: string; readonly url: string }
  /** Something is being paid just now: to be waited for. */
  | { readonly kind: 'confirming'; readonly subscriptionId: string }
  | { readonly kind: 'already-subscribed'; readonly subscriptionId: string }
  /** The gateway does not answer; nothing was charged, and trying again goes on from here. */
  | { readonly kind: 'try-again'; readonly subscriptionId: string };

/** In another tab, between two of our statements: to be looked at again. */
export type Elsewhere = { readonly kind: 'begun-elsewhere' };
export const ELSEWHERE: Elsewhere = { kind: 'begun-elsewhere' };

/** What the gateway's page says, and where it leads. */
type CheckoutPage = {
  readonly planName: string;
  readonly price: Money;
  readonly months: number;
  /** Paths of the paper. */
  readonly returnPath: string;
  readonly cancelPath: string;
  /** It is paid once, and no mandate is wanted. */
  readonly isOnce?: boolean;
};

/** Has the gateway open the page on which an attempt is paid; the one that is open already, where one is. */
export async function openAtGateway(
  parts: BillingParts,
  intent: ChargeIntent,
  reader: { readonly id: string; readonly email: string },
  page: CheckoutPage,
  now: Temporal.Instant,
): Promise<Begun | Elsewhere> {
  const { subscriptionId } = intent;
  if (intent.checkoutUrl !== undefined) return { kind: 'pay', subscriptionId, url: intent.checkoutUrl };
  const maxAmount = page.isOnce ? undefined : mandateFor(page.price);
  const gateway = parts.gateways.named(intent.gateway);
  const opened = await gateway.openCheckout({
    intentId: intent.id,
    amount: intent.amount,
    description: `${parts.publication().name}: ${page.planName}`,
    readerId: reader.id,
    email: reader.email,
    mandate: maxAmount && { maxAmount, months: page.months },
    returnUrl: parts.baseUrl + page.returnPath,
    cancelUrl: parts.baseUrl + page.cancelPath,
  });
  switch (opened.kind) {
    case 'ok':
      if (await noteCheckout(parts.db, { ...opened.value, intentId: intent.id })) {
        return { kind: 'pay', subscriptionId, url: opened.value.url };
      }
      // Another tab chose another plan meanwhile, before there was a checkout to close: this one is never to be paid.
      await gateway.expireCheckout(opened.value.checkoutId);
      return ELSEWHERE;
    case 'refused':
      parts.log.error({ intentId: intent.id, code: opened.code }, 'the gateway refuses a checkout');
      await setIntentStatuses(
        parts.db,
        [{ intentId: intent.id, status: 'failed', failureCode: opened.code }],
        now,
      );
      return { kind: 'try-again', subscriptionId };
    case 'unknown':
      parts.log.warn({ intentId: intent.id, reason: opened.reason }, 'the gateway does not answer');
      return { kind: 'try-again', subscriptionId };
    default:
      return opened satisfies never;
  }
}

/**
 * Sees to it that nothing of a subscription is paid any more, or finds that it was, or will be.
 *
 * @returns `pending` while a bank decides, and `unknown` where the gateway does not answer
 */
export async function closeOpenCheckout(
  parts: BillingParts,
  subscriptionId: string,
  now: Temporal.Instant,
): Promise<'closed' | 'paid' | 'pending' | 'unknown'> {
  const intent = await newestIntent(parts.db, subscriptionId);
  if (intent === undefined || !isOpen(intent)) return 'closed';
  // A charge that was sent cannot be called back, whatever is known of it.
  if (intent.status === 'pending' || intent.mandateId !== undefined) return 'pending';
  return closeCheckout(parts, intent, now);
}

/** Sees to it that an open checkout is never paid, or finds that it was. */
export async function closeCheckout(
  parts: BillingParts,
  intent: ChargeIntent,
  now: Temporal.Instant,
): Promise<'closed' | 'paid' | 'pending' | 'unknown'> {
  const { db } = parts;
  const gateway = parts.gateways.named(intent.gateway);
  let { checkoutId } = intent;
  if (checkoutId === undefined) {
    const found = await gateway.findCheckout(intent.id);
    if (found.kind !== 'ok') return 'unknown';
    if (found.value === undefined) {
      if (await giveUpUnopened(db, intent.id, now)) return 'closed';
      // Another tab has begun its checkout between the gateway's answer and ours: it may be paid already.
      const begun = await newestIntent(db, intent.subscriptionId);
      if (begun?.id === intent.id && isOpen(begun)) return closeCheckout(parts, begun, now);
      return begun?.status === 'succeeded' ? 'paid' : 'closed';
    }
    ({ checkoutId } = found.value);
    await noteCheckout(db, { intentId: intent.id, checkoutId, url: found.value.url });
  }
  const expired = await gateway.expireCheckout(checkoutId);
  if (expired.kind !== 'ok') return 'unknown';
  if (expired.value !== 'expired') {
    await settleIntent(parts, intent.id, now);
    const settled = await newestIntent(db, intent.subscriptionId);
    return settled?.status === 'pending' ? 'pending' : 'paid';
  }
  await setIntentStatuses(db, [{ intentId: intent.id, status: 'canceled' }], now);
  return 'closed';
}
