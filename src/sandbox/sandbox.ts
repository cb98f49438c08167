import type { Route } from '#platform/http';
import { type ApiParts, apiAnswers } from './api-answers.ts';
import { type PageParts, pageAnswers } from './page-answers.ts';

export { type Credentials, liveUntil, sandboxCredentials, settlePending } from './account.ts';
export { nextSettlementAt } from './checkouts.store.ts';
export { chooseOutcome, holdWebhooks, setWebhooks } from './controls.store.ts';
export { deliverHeld, startDeliveries } from './deliveries.ts';
export { isOutcomeCode, OUTCOME_CODES } from './outcomes.ts';
export { payAsReader } from './reader.ts';

/** What the company serves: its API for merchants, who show a key, and the page where their customers pay. */
export function sandboxRoutes(parts: ApiParts & PageParts): Route[] {
  const api = apiAnswers(parts);
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
    { method: 'GET', path: '/sandbox/v1/balance', who: 'gateway', handle: api.balance },
    { method: 'GET', path: '/sandbox/checkouts/:id', who: 'anyone', handle: page.checkout },
    { method: 'POST', path: '/sandbox/checkouts/:id/payments', who: 'anyone', handle: page.pay },
    { method: 'POST', path: '/sandbox/checkouts/:id/authentication', who: 'anyone', handle: page.answerBank },
    { method: 'GET', path: '/sandbox/sandbox-pay.css', who: 'anyone', handle: page.style },
  ];
}
