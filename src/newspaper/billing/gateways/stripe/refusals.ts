import type { FailureKind } from '../gateway.ts';

/**
 * Refusals that say nothing of what was asked for: it took too long, is being done already, or is too much; or the paper's
 * key is not right (401, 403), which its operator mends, and no reader is to be asked for another card over it.
 */
const ASK_AGAIN = new Set([401, 403, 408, 409, 425, 429]);
const ASK_AGAIN_CODES = new Set([
  'account_invalid',
  'idempotency_key_in_use',
  'livemode_mismatch',
  'lock_timeout',
  'rate_limit',
  'secret_key_required',
  'testmode_charges_only',
]);

/** Whether an answer leaves open what becomes of a request. */
export function meansNothing(status: number, code: string): boolean {
  return status < 400 || status >= 500 || ASK_AGAIN.has(status) || ASK_AGAIN_CODES.has(code);
}

/** A key that was used before, for something else. */
export const KEY_USED = 'idempotency_error';

/** For these no later try with the same card or account succeeds (F64): what Stripe tells of, and what it says not to repeat. */
const NEVER = new Set([
  'account_closed',
  'billing_invalid_mandate',
  'card_not_supported',
  'currency_not_supported',
  'debit_not_authorized',
  'expired_card',
  'expired_payment_method',
  'fraudulent',
  'highest_risk_level',
  'incorrect_number',
  'india_recurring_payment_mandate_canceled',
  'invalid_account',
  'invalid_expiry_month',
  'invalid_expiry_year',
  'invalid_number',
  'lost_card',
  'merchant_blacklist',
  'new_account_information_available',
  'payment_intent_mandate_invalid',
  'payment_method_unactivated',
  'pickup_card',
  'restricted_card',
  'revocation_of_all_authorizations',
  'revocation_of_authorization',
  'security_violation',
  'service_not_allowed',
  'stolen_card',
  'stop_payment_order',
  'transaction_not_allowed',
]);

/** Reasons that only the reader can do something about: their bank wants to be told that it is them. */
const AUTHENTICATE = new Set([
  'approve_with_id',
  'authentication_not_handled',
  'authentication_required',
  'incorrect_cvc',
  'incorrect_pin',
  'incorrect_zip',
  'invalid_cvc',
  'invalid_pin',
  'mobile_device_authentication_required',
  'offline_pin_required',
  'online_or_offline_pin_required',
  'payment_intent_action_required',
  'payment_intent_authentication_failure',
  'payment_method_customer_decline',
]);

/**
 * What follows from a failed payment. A reason that nobody has heard of may go away; the number of tries is bounded.
 *
 * @param advice what the card's network says of trying again, where it says anything
 */
export function failureKindOf(code: string, advice: string | undefined): FailureKind {
  if (AUTHENTICATE.has(code)) return 'authenticate';
  return NEVER.has(code) || advice === 'do_not_try_again' ? 'never' : 'later';
}
