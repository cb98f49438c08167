import type { Route } from '#platform/http';
import type { ApiParts } from './api-door.ts';
import { chargeAnswers } from './charge-answers.ts';
import { checkoutAnswers } from './checkout-answers.ts';
import { type PageParts, pageAnswers } from './page-answers.ts';
import { paymentAnswers } from './payment-answers.ts';

export { type Credentials, liveUntil, sandboxCredentials, settlePending } from './account.ts';
export { changeDispute, makeRefund, newestCapture } from './captures.store.ts';
export {
  chooseOutcome,
  failNextRefund,
  holdWebhooks,
  setWebhooks,
  type WebhookControls,
} from './controls.store.ts';
export { deliverHeld, startDeliveries } from './deliveries.ts';
export { nextSettlementAt } from './due.store.ts';
export type { MandateAct } from './mandate.ts';
export { changeMandate, newestMandate, setMandateOutcome } from './mandates.store.ts';
export { isRail, RAILS, type Rail } from './methods.ts';
export { isOutcomeCode, OUTCOME_CODES, type OutcomeCode } from './outcomes.ts';
export { payAsReader } from './reader.ts';

/** What the company serves: its API for merchants, who show a key, and the page where their customers pay. */
export function sandboxRoutes(parts: ApiParts & PageParts): Route[] {
  const api = { ...checkoutAnswers(parts), ...chargeAnswers(parts), ...paymentAnswers(parts) };
  const page = pageAnswers(parts);
  return [
    { method: 'POST', path: '/sandbox/v1/checkouts', who: 'gateway', handle: api.makeCheckout },
    { method: 'GET', path: '/sandbox/v1/checkouts', who: 'gateway', handle: api.checkouts },
    { method: 'GET', path: '/sandbox/v1/checkouts/:id', who: 'gateway', handle: api.checkout },
    {
      method: 'POST',
      path: '/sandbox/v1/checkouts/:id/expiration',
      who: 'gateway',
      handle: api.expireCheckout,
    },
    { method: 'POST', path: '/sandbox/v1/charges', who: 'gateway', handle: api.makeCharge },
    { method: 'GET', path: '/sandbox/v1/charges', who: 'gateway', handle: api.charges },
    { method: 'GET', path: '/sandbox/v1/mandates/:id', who: 'gateway', handle: api.mandate },
    {
      method: 'POST',
      path: '/sandbox/v1/mandates/:id/revocation',
      who: 'gateway',
      handle: api.revokeMandate,
    },
    { method: 'POST', path: '/sandbox/v1/refunds', who: 'gateway', handle: api.makeRefund },
    { method: 'GET', path: '/sandbox/v1/payments', who: 'gateway', handle: api.payments },
    { method: 'GET', path: '/sandbox/v1/payments/:id', who: 'gateway', handle: api.payment },
    { method: 'GET', path: '/sandbox/v1/balance', who: 'gateway', handle: api.balance },
    { method: 'GET', path: '/sandbox/checkouts/:id', who: 'anyone', handle: page.checkout },
    { method: 'POST', path: '/sandbox/checkouts/:id/payments', who: 'anyone', handle: page.pay },
    { method: 'POST', path: '/sandbox/checkouts/:id/authentication', who: 'anyone', handle: page.answerBank },
    { method: 'GET', path: '/sandbox/sandbox-pay.css', who: 'anyone', handle: page.style },
  ];
}
