/** How a payment can be made to end, by the codes that commands and forms use. */
export const OUTCOME_CODES = [
  'approve',
  'decline',
  'insufficient_funds',
  'expired_card',
  'authenticate',
  'later',
  'lost',
] as const;
export type OutcomeCode = (typeof OUTCOME_CODES)[number];

export function isOutcomeCode(text: string): text is OutcomeCode {
  return (OUTCOME_CODES as readonly string[]).includes(text);
}

/** A card of the trial: each outcome has one, so that a receipt tells which was chosen. */
export type Card = { readonly brand: 'visa' | 'mastercard'; readonly last4: string };

type Outcome = { readonly card: Card; readonly webhookAfterMs?: number } & (
  | { readonly status: 'succeeded' | 'requires_action' }
  | { readonly status: 'failed'; readonly failureCode: string }
  | { readonly status: 'pending'; readonly minutes: number }
);

/**
 * What the company makes of each. Where the answer is lost, the webhook must not arrive at once and hide it: it comes
 * after ten seconds, and a paper that asks by itself is faster.
 */
export const OUTCOMES: Readonly<Record<OutcomeCode, Outcome>> = {
  approve: { status: 'succeeded', card: { brand: 'visa', last4: '4242' } },
  decline: { status: 'failed', failureCode: 'card_declined', card: { brand: 'visa', last4: '0002' } },
  insufficient_funds: {
    status: 'failed',
    failureCode: 'insufficient_funds',
    card: { brand: 'visa', last4: '9995' },
  },
  expired_card: { status: 'failed', failureCode: 'expired_card', card: { brand: 'visa', last4: '0069' } },
  authenticate: { status: 'requires_action', card: { brand: 'mastercard', last4: '3220' } },
  later: { status: 'pending', minutes: 3, card: { brand: 'mastercard', last4: '5556' } },
  lost: { status: 'succeeded', card: { brand: 'visa', last4: '1881' }, webhookAfterMs: 10_000 },
};
