import { type BillingParts, type Gateway, takeEvent } from '#billing';
import type { Clock } from '#platform/clock';
import { type Answer, type Ask, problem, type Route } from '#platform/http';

/** An event is a few kilobytes; what is larger did not come from a gateway. */
const LARGEST_EVENT = 256 * 1024;

/**
 * Where payment gateways tell that something happened. The signature is checked over the bytes as they came; a genuine
 * event is kept and answered at once, and what it is about is asked of the gateway afterwards.
 */
export function paymentWebhooks(billing: BillingParts, clock: Clock): Route[] {
  async function take(gateway: Gateway, ask: Ask): Promise<Answer> {
    const body = await ask.body(LARGEST_EVENT);
    const isGenuine = await takeEvent(billing, gateway, body, (name) => ask.header(name), clock.now());
    return isGenuine
      ? { status: 204, headers: ['Cache-Control', 'no-store'], body: undefined }
      : problem(400, 'bad-signature', 'The signature is not right');
  }

  return billing.gateways.all.map((gateway) => ({
    method: 'POST',
    path: `/webhooks/${gateway.name}`,
    who: 'gateway',
    handle: (ask) => take(gateway, ask),
  }));
}
