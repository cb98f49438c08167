import { sql } from 'kysely';
import type { Product } from '#entitlements';
import type { Db } from '#platform/db';
import { makePlan, type Plan } from './catalog.ts';

/** The plans that have a price in the paper's currency, with the one that is in force on a day, in the order they are offered. */
export async function listPlans(db: Db, today: Temporal.PlainDate): Promise<Plan[]> {
  const { rows } = await sql<{
    slug: string;
    name: string;
    product: Product;
    months: number;
    currency: string;
    amount_minor: bigint;
  }>`
    select distinct on (p.position, p.slug) p.slug, p.name, p.product, p.months, price.currency, price.amount_minor
    from billing.plans p join billing.prices price on price.plan_slug = p.slug
    where price.currency = (select currency from publication.settings) and price.valid_from_on <= ${today.toString()}
    order by p.position, p.slug, price.valid_from_on desc`.execute(db);
  return rows.map(({ amount_minor, currency, ...plan }) =>
    makePlan({ ...plan, price: { minor: amount_minor, currency } }),
  );
}
