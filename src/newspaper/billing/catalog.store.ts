import { sql } from 'kysely';
import type { Product } from '#entitlements';
import type { Db } from '#platform/db';
import { makePlan, type PricedPlan } from './catalog.ts';

/** Every price of every plan in the paper's currency, in the order that plans are offered, and each plan's by its day. */
export async function listPricedPlans(db: Db): Promise<PricedPlan[]> {
  const { rows } = await sql<{
    slug: string;
    name: string;
    product: Product;
    months: number;
    currency: string;
    amount_minor: bigint;
    from_on: string;
  }>`
    select p.slug, p.name, p.product, p.months, price.currency, price.amount_minor,
      price.valid_from_on::text as from_on
    from billing.plans p join billing.prices price on price.plan_slug = p.slug
    where price.currency = (select currency from publication.settings)
    order by p.position, p.slug, price.valid_from_on`.execute(db);
  return rows.map(({ amount_minor, currency, from_on, ...plan }) => ({
    plan: makePlan({ ...plan, price: { minor: amount_minor, currency } }),
    fromOn: Temporal.PlainDate.from(from_on),
  }));
}
