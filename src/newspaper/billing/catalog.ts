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

/** What a plan costs for so many readers. */
export function priceFor({ price }: Pick<Plan, 'price'>, seats: number): Money {
  return { ...price, minor: price.minor * BigInt(seats) };
}

/** A plan at a price, and the day from which that is the price. */
export type PricedPlan = { readonly plan: Plan; readonly fromOn: Temporal.PlainDate };

/**
 * The plans on sale on a day, each at the price that is then in force.
 *
 * @param priced in the order that plans are offered, and those of a plan by their day
 */
export function plansOn(priced: readonly PricedPlan[], day: Temporal.PlainDate): readonly Plan[] {
  const bySlug = new Map<string, Plan>();
  for (const { fromOn, plan } of priced) {
    if (Temporal.PlainDate.compare(fromOn, day) <= 0) bySlug.set(plan.slug, plan);
  }
  return [...bySlug.values()];
}
