import { type Asked, Refusal } from './stripe-asked.ts';
import type { Instrument, StoredSession } from './stripe-stored.ts';

/** What Stripe takes at the least, in its own amounts, and what it does with currencies that are not like others. */
const LEAST: Readonly<Record<string, number>> = { eur: 50, gbp: 30, inr: 50, jpy: 50, usd: 50 };
const MOST = 99_999_999;
const TENS = new Set(['bhd', 'jod', 'kwd', 'omr', 'tnd']);
const HUNDREDS = new Set(['isk', 'ugx']);

export function checkAmount(amount: number, currency: string): void {
  if (amount < (LEAST[currency] ?? 1))
    throw new Refusal('Amount must be at least the minimum charge amount.', {
      code: 'amount_too_small',
      param: 'amount',
    });
  if (amount > MOST)
    throw new Refusal('Amount must be no more than the maximum.', {
      code: 'amount_too_large',
      param: 'amount',
    });
  const isUneven =
    (TENS.has(currency) && amount % 10 !== 0) || (HUNDREDS.has(currency) && amount % 100 !== 0);
  if (isUneven)
    throw new Refusal('Invalid amount: it has decimal places that the currency has not.', {
      code: 'invalid_charge_amount_no_decimal_compatible',
      param: 'amount',
    });
}

type Refuse = (message: string, param: string) => Refusal;

const MINUTES = 60;
const HOURS = 3_600;

/** @throws Refusal for a page that Stripe would not open */
export function checkSession(given: Asked<'session'>, now: number): void {
  const refuse = (message: string, param: string) => new Refusal(message, { param });
  const { expires_at: expiresAt, mode } = given;
  if (mode === 'subscription')
    throw refuse('The paper has a clock of its own, and no subscriptions here.', 'mode');
  if (given.ui_mode !== 'hosted_page') throw refuse('The tests know no other page.', 'ui_mode');
  if (given.success_url === undefined) throw refuse('Missing required param: success_url.', 'success_url');
  if (expiresAt !== undefined && (expiresAt < now + 30 * MINUTES || expiresAt > now + 24 * HOURS))
    throw refuse(
      'The `expires_at` timestamp must be at least 30 minutes and less than 24 hours from Checkout Session creation.',
      'expires_at',
    );
  if (given.customer !== undefined && given.customer_email !== undefined)
    throw refuse('You may only specify one of these parameters: customer, customer_email.', 'customer');
  if (mode === 'setup') checkSetup(given, refuse);
  else checkPayment(given, refuse, now);
}

function checkPayment(given: Asked<'session'>, refuse: Refuse, now: number): void {
  const { line_items: items } = given;
  if (items === undefined || items.length === 0) throw refuse('You must provide line_items.', 'line_items');
  if (given.setup_intent_data !== undefined)
    throw refuse('You can not pass `setup_intent_data` in `payment` mode.', 'setup_intent_data');
  const currencies = new Set(items.map((one) => one.price_data.currency));
  if (currencies.size > 1) throw refuse('All prices must have the same currency.', 'line_items');
  const total = items.reduce((sum, one) => sum + one.quantity * one.price_data.unit_amount, 0);
  const [currency = ''] = currencies;
  checkAmount(total, currency);
  checkUpi(given, currency, now);
  const saves = given.payment_intent_data?.setup_future_usage === 'off_session';
  if (saves && currency === 'inr')
    throw refuse(
      'A card of India is not saved without an e-mandate, which this page does not ask for.',
      'payment_intent_data',
    );
}

function checkSetup(given: Asked<'session'>, refuse: Refuse): void {
  if (given.line_items !== undefined)
    throw refuse('You can not pass `line_items` in `setup` mode.', 'line_items');
  if (given.payment_intent_data !== undefined)
    throw refuse('You can not pass `payment_intent_data` in `setup` mode.', 'payment_intent_data');
  if (given.adaptive_pricing !== undefined)
    throw refuse('You can not pass `adaptive_pricing` in `setup` mode.', 'adaptive_pricing');
  if (given.customer === undefined) throw refuse('The tests keep nothing of nobody.', 'customer');
  if (given.currency === undefined && given.allowed_payment_method_types === undefined)
    throw refuse('`currency` is required in `setup` mode.', 'currency');
}

function checkUpi(given: Asked<'session'>, currency: string, now: number): void {
  const upi = given.payment_method_options?.upi;
  if (upi === undefined) return;
  if (currency !== 'inr')
    throw new Refusal('UPI takes rupees alone.', { param: 'payment_method_options[upi]' });
  const end = upi.mandate_options?.end_date;
  if (end !== undefined && end <= now)
    throw new Refusal('The end date must be in the future.', {
      param: 'payment_method_options[upi][mandate_options][end_date]',
    });
}

/** Whether the page would offer it. */
export function checkMethod({ allowed, currency }: StoredSession, { type }: Instrument): void {
  const isEligible = type !== 'upi' || currency === 'inr';
  if (!isEligible || (allowed !== null && !allowed.includes(type)))
    throw new Error(`the page does not offer ${type}`);
}
