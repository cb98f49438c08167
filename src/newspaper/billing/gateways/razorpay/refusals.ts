import type { FailureKind } from '../gateway.ts';

/**
 * Refusals that Razorpay tells apart in its sentences alone; its code for all of them is BAD_REQUEST_ERROR. A sentence
 * that it words anew falls back to that code, which is still a refusal.
 */
const SENTENCES: readonly (readonly [RegExp, string])[] = [
  // Both that its page on refund errors lists: by the bank, and by the speed that was asked for.
  [/more than (6|six) months old/i, 'payment_too_old'],
  [/cannot be greater than the token max amount/i, 'amount_above_mandate'],
  [/order (?:is )?already (?:been )?paid|corresponding order already/i, 'order_paid'],
  [/token.*(?:does not|doesn't) belong|token.*(?:not found|is invalid)/i, 'mandate_of_another'],
  [/id provided does not exist/i, 'not_found'],
  [/(?:total )?refund amount is greater/i, 'refund_too_large'],
  [/fully refunded/i, 'refund_too_large'],
  [/authentication failed/i, 'wrong_key'],
];

/** Razorpay's own word for why: its reason, where it gives one, else what its sentence is known for, else its code. */
export function codeOf(refusal: {
  readonly code: string;
  readonly description: string;
  readonly reason?: string | null | undefined;
}): string {
  const known = SENTENCES.find(([sentence]) => sentence.test(refusal.description));
  if (known !== undefined) return known[1];
  const { code, reason } = refusal;
  // "NA" is how it writes that there is none.
  return reason === undefined || reason === null || !/^[a-z][a-z_0-9]{2,}$/.test(reason) ? code : reason;
}

/** Reasons for which no later try with the same card or account succeeds (F64). */
const NEVER = new Set([
  'bank_account_invalid',
  'bank_account_validation_failed',
  'card_declined_by_network',
  'card_expired',
  'card_lost',
  'card_number_invalid',
  'card_stolen',
  'debit_instrument_blocked',
  'debit_instrument_inactive',
  'incorrect_card_details',
  'incorrect_card_expiry_date',
  'invalid_vpa',
  'mandate_cancelled',
  'mandate_expired',
  'mandate_not_found',
  'mandate_revoked',
  'token_cancelled',
  'token_expired',
  'user_not_eligible',
  'vpa_resolution_failed',
]);

/** Reasons that only the reader can do something about: their bank wants to be told that it is them. */
const AUTHENTICATE = new Set([
  'authentication_failed',
  'authentication_required',
  'incorrect_otp',
  'incorrect_pin',
  'invalid_otp',
  'mandate_paused',
  'otp_expired',
]);

/** What follows from a failed payment. A reason that nobody has heard of may go away; the number of tries is bounded. */
export function failureKindOf(reason: string): FailureKind {
  if (NEVER.has(reason)) return 'never';
  return AUTHENTICATE.has(reason) ? 'authenticate' : 'later';
}
