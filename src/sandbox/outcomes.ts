import type { Card } from './methods.ts';

/** How a payment can be made to end, by the codes that commands and forms use. */
export const OUTCOME_CODES = [
  'approve',
  'decline',
  'insufficient_funds',
  'expired_card',
  'stolen_card',
  'processing_error',
  'authenticate',
  'authentication_required',
  'later',
  'later_decline',
  'late',
  'lost',
  'hang',
  'error_500',
  'error_502_html',
  'conflict_409',
] as const;
export type OutcomeCode = (typeof OUTCOME_CODES)[number];

export function isOutcomeCode(text: string): text is OutcomeCode {
  return (OUTCOME_CODES as readonly string[]).includes(text);
}

/** What is answered instead of what was done. */
export type Fault = 'empty_502' | 'hang' | 'error_500' | 'error_502_html' | 'conflict_409';

/** What becomes of the money. */
type Ending =
  | { readonly status: 'succeeded' | 'requires_action' }
  /** `comesLate`: of a charge, that the bank takes the money after all, long after it said that it would not. */
  | { readonly status: 'failed'; readonly failureCode: string; readonly comesLate?: true }
  /** `thenFails`: declined with that code once those minutes are over, instead of paid. */
  | { readonly status: 'pending'; readonly minutes: number; readonly thenFails?: string }
  /** It does not get as far as the bank. */
  | { readonly status: 'nothing' };

type Outcome = Ending & {
  /** Each has a card of its own where the bank was asked, so that a receipt tells which was chosen. */
  readonly card: Card;
  readonly fault?: Fault;
  readonly webhookAfterMs?: number;
};

const visa = (last4: string): Card => ({ brand: 'visa', last4 });
const mastercard = (last4: string): Card => ({ brand: 'mastercard', last4 });

/**
 * Where the answer is lost, the webhook must not arrive at once and hide it: it comes after ten seconds, and a paper
 * that asks by itself is faster.
 */
const UNHEARD = { status: 'succeeded', webhookAfterMs: 10_000 } as const;

/** What the company makes of each. */
export const OUTCOMES: Readonly<Record<OutcomeCode, Outcome>> = {
  approve: { status: 'succeeded', card: visa('4242') },
  decline: { status: 'failed', failureCode: 'card_declined', card: visa('0002') },
  insufficient_funds: { status: 'failed', failureCode: 'insufficient_funds', card: visa('9995') },
  expired_card: { status: 'failed', failureCode: 'expired_card', card: visa('0069') },
  stolen_card: { status: 'failed', failureCode: 'stolen_card', card: visa('9979') },
  processing_error: { status: 'failed', failureCode: 'processing_error', card: visa('0119') },
  authenticate: { status: 'requires_action', card: mastercard('3220') },
  authentication_required: { status: 'requires_action', card: mastercard('3184') },
  later: { status: 'pending', minutes: 3, card: mastercard('5556') },
  later_decline: { status: 'pending', minutes: 3, thenFails: 'card_declined', card: mastercard('5557') },
  late: { status: 'failed', failureCode: 'processing_error', comesLate: true, card: visa('0341') },
  lost: { ...UNHEARD, fault: 'empty_502', card: visa('1881') },
  hang: { ...UNHEARD, fault: 'hang', card: visa('1882') },
  error_500: { status: 'nothing', fault: 'error_500', card: visa('4242') },
  error_502_html: { ...UNHEARD, fault: 'error_502_html', card: visa('1883') },
  conflict_409: { status: 'nothing', fault: 'conflict_409', card: visa('4242') },
};
