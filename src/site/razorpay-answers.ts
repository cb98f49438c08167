import {
  askLater,
  findIntentByCheckout,
  findSubscription,
  type RazorpayPages,
  type Subscription,
} from '#billing';
import { type Answer, type Ask, type Route, redirect, sharedPage } from '#platform/http';
import { findReader } from '#readers';
import { Invalid } from '#values/errors';
import { renderPayClosed, renderPayOpen, renderPayUnanswered } from './pages/razorpay-page.tsx';
import type { Site } from './parts.ts';
import { missing, ownPage, PRIVATE } from './plain-answers.ts';
import { planPath, razorpayPath, razorpayReturnPath, subscriptionPath } from './urls.ts';

const OWN = [...PRIVATE, 'X-Robots-Tag', 'noindex'];

/**
 * What this one page may do besides what every page may: run Razorpay's checkout, show its frame, let it send what it
 * measures and be given the styles that it sets. Its cards are typed into the frame, which no script of ours can see.
 */
const PAY_POLICY =
  "default-src 'none'; script-src 'self' https://checkout.razorpay.com; style-src 'self' 'unsafe-inline'; " +
  "img-src 'self' data: https://cdn.razorpay.com; font-src 'self'; " +
  "connect-src 'self' https://api.razorpay.com https://lumberjack.razorpay.com; " +
  'frame-src https://api.razorpay.com https://checkout.razorpay.com; ' +
  "form-action 'self' https://api.razorpay.com; base-uri 'none'; frame-ancestors 'none'";

/** Paying through Razorpay: the page that opens its checkout, and where the browser comes back to. */
export function razorpayRoutes(site: Site): Route[] {
  const { razorpay } = site;
  const { db } = site.database;
  if (razorpay === undefined) return [];

  /** An order of the reader who asks, as our own books have it; another reader's is as if it did not exist. */
  async function ownOrder(
    ask: Ask,
  ): Promise<{ orderId: string; intentId: string; subscription: Subscription } | undefined> {
    const { session } = await site.asker(ask);
    const intent = await findIntentByCheckout(db, 'razorpay', ask.param('order'));
    const subscription = intent && (await findSubscription(db, intent.subscriptionId));
    if (intent?.checkoutId === undefined || subscription === undefined) return undefined;
    if (session === undefined || subscription.readerId !== session.readerId) return undefined;
    return { orderId: intent.checkoutId, intentId: intent.id, subscription };
  }

  async function page(pages: RazorpayPages, ask: Ask): Promise<Answer> {
    const order = await ownOrder(ask);
    if (order === undefined) return missing(site, ask);
    const { orderId, subscription } = order;
    const { audience } = await site.asker(ask);
    const frame = site.frame(audience);
    const back = planPath(subscription.planSlug);
    const read = await pages.readPage(orderId);
    if (read.kind !== 'ok')
      return ownPage(renderPayUnanswered({ frame, again: razorpayPath(orderId), back }), 503);
    switch (read.value.kind) {
      case 'settled':
        return redirect(303, subscriptionPath(subscription.id), OWN);
      case 'closed':
        return ownPage(renderPayClosed({ frame, back }), 410);
      case 'open': {
        const email = (await emailOf(ask)) ?? '';
        const html = renderPayOpen({
          frame,
          page: read.value,
          email,
          back,
          returnPath: razorpayReturnPath(orderId),
        });
        return sharedPage(html, PAY_POLICY, OWN);
      }
      default:
        return read.value satisfies never;
    }
  }

  async function emailOf(ask: Ask): Promise<string | undefined> {
    const { session } = await site.asker(ask);
    return session && (await findReader(db, { id: session.readerId }))?.email;
  }

  /**
   * The checkout has let the browser go. What it brings is checked, so that nobody has us ask for the fun of it, and then
   * has one effect: Razorpay is asked. The page that comes next tells what it said.
   */
  async function comeBack(pages: RazorpayPages, ask: Ask): Promise<Answer> {
    const form = await ask.form();
    const order = await ownOrder(ask);
    if (order === undefined) return missing(site, ask);
    const isSigned = pages.isSignedReturn({
      // Ours, whatever order the browser may name.
      orderId: order.orderId,
      paymentId: form.field('razorpay_payment_id') ?? '',
      signature: form.field('razorpay_signature') ?? '',
    });
    if (!isSigned) throw new Invalid('bad-signature', 'this did not come from the checkout of this order');
    await askLater(db, order.intentId);
    return redirect(303, subscriptionPath(order.subscription.id), OWN);
  }

  return [
    {
      method: 'GET',
      path: razorpayPath(':order'),
      who: 'reader',
      handle: (ask) => page(razorpay, ask),
    },
    {
      method: 'POST',
      path: razorpayReturnPath(':order'),
      who: 'reader',
      handle: (ask) => comeBack(razorpay, ask),
    },
  ];
}
