import { type Money, perMonth } from '#values/money';

/** What a plan includes; each is a right of its own, which a grant can also give alone. */
export type Benefit = 'reading' | 'premium' | 'epaper' | 'archive' | 'investor' | 'ad-free' | 'newsletters';

/** To begin with every plan includes everything and they differ in their term alone. */
export const BENEFITS_OF_EVERY_PLAN: readonly Benefit[] = [
  'reading',
  'premium',
  'epaper',
  'archive',
  'investor',
  'ad-free',
  'newsletters',
];

/** What can be bought: a term of whole months and its price, tax included. */
export type Plan = {
  readonly slug: string;
  readonly name: string;
  readonly months: number;
  readonly price: Money;
  readonly pricePerMonth: Money;
  readonly benefits: readonly Benefit[];
};

/** Puts a plan together from what is stored of it. */
export function makePlan(stored: { slug: string; name: string; months: number; price: Money }): Plan {
  return {
    ...stored,
    pricePerMonth: perMonth(stored.price, stored.months),
    benefits: BENEFITS_OF_EVERY_PLAN,
  };
}
