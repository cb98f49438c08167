/** How a payment can be made to end, by the codes that commands and forms use. */
export const OUTCOME_CODES = [
  'approve',
  'decline',
  'insufficient_funds',
  'expired_card',
  'authenticate',
  'later',
  'later_decline',
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
  /** `thenFails`: declined with that code once those minutes are over, instead of paid. */
  | { readonly status: 'pending'; readonly minutes: number; readonly thenFails?: string }
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
  later_decline: {
    status: 'pending',
    minutes: 3,
    thenFails: 'card_declined',
    card: { brand: 'mastercard', last4: '5557' },
  },
  lost: { status: 'succeeded', card: { brand: 'visa', last4: '1881' }, webhookAfterMs: 10_000 },
};

/** How a payment that was pending ends: the code with which it is declined, or undefined where it is paid. */
export function laterFailure({ last4 }: Card): string | undefined {
  const outcome = Object.values(OUTCOMES).find(({ card }) => card.last4 === last4);
  return outcome?.status === 'pending' ? outcome.thenFails : undefined;
}
