import type { Money } from '#values/money';
import { exactNumber } from '../calling.ts';

/**
 * Stripe counts in the currency's minor units as ISO 4217 has them, but for these: the first two lost their decimals and
 * keep two zeros there, and the third never had any there. By how many places more it writes them.
 */
const PLACES: Readonly<Record<string, number>> = { ISK: 2, UGX: 2, MGA: -2 };

/** @returns undefined for what Stripe cannot write */
export function amountFor({ currency, minor }: Money): number | undefined {
  const places = PLACES[currency] ?? 0;
  const factor = 10n ** BigInt(Math.abs(places));
  if (places < 0) return minor % factor === 0n ? exactNumber(minor / factor) : undefined;
  return exactNumber(minor * factor);
}

/** @param currency in capital letters */
export function moneyOf(amount: number, currency: string): Money {
  const places = PLACES[currency] ?? 0;
  const factor = 10n ** BigInt(Math.abs(places));
  return { minor: places < 0 ? BigInt(amount) * factor : BigInt(amount) / factor, currency };
}

export const NO_AMOUNT = { kind: 'refused', code: 'amount_not_expressible', paymentId: undefined } as const;
