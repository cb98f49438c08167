import { sql } from 'kysely';
import type { Product } from '#entitlements';
import type { Db, Tx } from '#platform/db';
import { Conflict, Invalid, NotFound } from '#values/errors';
import type { Money } from '#values/money';
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
    order by p.position, p.slug, price.valid_from_on, price.version`.execute(db);
  return rows.map(({ amount_minor, currency, from_on, ...plan }) => ({
    plan: makePlan({ ...plan, price: { minor: amount_minor, currency } }),
    fromOn: Temporal.PlainDate.from(from_on),
  }));
}

/**
 * Sets what new readers pay for a plan from a day on. Who has bought it goes on paying what was agreed.
 *
 * @param today in the paper's zone
 * @throws NotFound `no-such-plan`; Invalid `price-in-the-past`; Conflict `price-on-sale` where the day has come on which
 *   another price began: what was on sale stays what it was
 */
export async function setPrice(
  tx: Tx,
  { fromOn, planSlug, price }: { planSlug: string; price: Money; fromOn: Temporal.PlainDate },
  today: Temporal.PlainDate,
): Promise<void> {
  const plans = await sql`
    select from billing.plans where slug = ${planSlug} for no key update`.execute(tx);
  if (plans.rows.length === 0) throw new NotFound('no-such-plan', `there is no plan ${planSlug}`);
  const daysAhead = today.until(fromOn).days;
  if (daysAhead < 0) throw new Invalid('price-in-the-past', 'a price begins today or later');
  const { rows } = await sql<{ version: number }>`
    select coalesce(max(version), 0)::int as version from billing.prices
    where plan_slug = ${planSlug} and currency = ${price.currency} and valid_from_on = ${fromOn.toString()}::date`.execute(
    tx,
  );
  const version = rows[0]?.version ?? 0;
  if (version > 0 && daysAhead === 0)
    throw new Conflict('price-on-sale', 'a price began today already; the next one begins tomorrow or later');
  await sql`
    insert into billing.prices (plan_slug, currency, amount_minor, valid_from_on, version)
    values (${planSlug}, ${price.currency}, ${price.minor}, ${fromOn.toString()}::date, ${version + 1})`.execute(
    tx,
  );
}
