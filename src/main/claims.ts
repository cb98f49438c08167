import type { Ask, Route } from '#platform/http';
import type { Claim } from '#platform/load';

/** Where somebody pays, signs in or asks whether the paper is well: always answered, also when there are too many. */
const ALWAYS =
  /^\/(?:subscribe|subscriptions|gift|gifts|login|register|account|pay|livez|readyz|metrics|assets|sandbox|outbox)(?:\/|$)/;

/**
 * Who asks, when there are too many to answer them all. Strangers are turned away first and readers who are signed in
 * later; never a payment, nor anything that is sent, nor the newsroom, nor a payment gateway.
 *
 * @param isReader whether who asks has been given a session once
 */
export function claimOf(route: Route, ask: Ask, isReader: (ask: Ask) => boolean): Claim {
  if (route.method === 'POST' || ALWAYS.test(route.path)) return 'always';
  if (route.who !== 'anyone' && route.who !== 'reader') return 'always';
  if (route.path.startsWith('/desk')) return 'always';
  // Whether it is a session that still holds is asked when there is time.
  return isReader(ask) ? 'reader' : 'stranger';
}
