import { BENEFITS_OF, type Benefit, type Product } from '#entitlements';
import { type Money, perMonth } from '#values/money';

/** What can be bought: a term of whole months and its price, tax included. */
export type Plan = {
  readonly slug: string;
  readonly name: string;
  readonly product: Product;
  readonly months: number;
  readonly price: Money;
  readonly pricePerMonth: Money;
  readonly benefits: readonly Benefit[];
};

/** Puts a plan together from what is stored of it. */
export function makePlan(stored: {
  slug: string;
  name: string;
  product: Product;
  months: number;
  price: Money;
}): Plan {
  return {
    ...stored,
    pricePerMonth: perMonth(stored.price, stored.months),
    benefits: BENEFITS_OF[stored.product],
  };
}
