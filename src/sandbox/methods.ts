import { createHash } from 'node:crypto';

/** How a payer pays, which decides how a mandate may be charged later. */
export const RAILS = ['card_intl', 'card_in', 'upi'] as const;
export type Rail = (typeof RAILS)[number];

export function isRail(text: string): text is Rail {
  return (RAILS as readonly string[]).includes(text);
}

/** Whether the payer's bank has to announce a debit before it is made, as banks in India do. */
export function isAnnounced(rail: Rail): boolean {
  return rail !== 'card_intl';
}

/** Whether a rail is there for that currency: Indian cards and UPI know rupees alone. */
export function takes(rail: Rail, currency: string): boolean {
  return rail === 'card_intl' || currency === 'INR';
}

/** A card of the trial. */
export type Card = { readonly brand: 'visa' | 'mastercard' | 'rupay'; readonly last4: string };

/** What a payment or a mandate is charged to. */
export type Method = ({ readonly kind: 'card' } & Card) | { readonly kind: 'upi'; readonly address: string };

/**
 * What a payer who chose a rail pays with.
 *
 * @param card the one that stands for how the payment ends; an Indian card has its digits
 * @param email the payer's: their UPI address is made of it, so that it is the same the next time
 */
export function methodOf(rail: Rail, card: Card, email: string): Method {
  switch (rail) {
    case 'card_intl':
      return { kind: 'card', ...card };
    case 'card_in':
      return { kind: 'card', brand: 'rupay', last4: card.last4 };
    case 'upi':
      return { kind: 'upi', address: `${email.split('@')[0]}@sandbox` };
    default:
      return rail satisfies never;
  }
}

/** The same for the same card or address, whoever uses it. */
export function fingerprintOf(method: Method): string {
  const account = method.kind === 'upi' ? method.address : `${method.brand} ${method.last4}`;
  return `fp_${createHash('sha256').update(account).digest('hex').slice(0, 24)}`;
}

const BRANDS = { visa: 'Visa', mastercard: 'Mastercard', rupay: 'RuPay' } as const;

/** As a payer reads it: "Visa ending 4242". */
export function methodLabel(method: Method): string {
  return method.kind === 'upi' ? `UPI ${method.address}` : `${BRANDS[method.brand]} ending ${method.last4}`;
}
