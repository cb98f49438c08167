import { sql } from 'kysely';
import type { Tx } from '#platform/db';
import { Conflict, Invalid } from '#values/errors';
import { isBefore } from '#values/term';
import { taxRates } from './books.store.ts';
import type { TaxRate } from './tax.ts';

/**
 * Keeps a rate and the days for which it is in force. One that is in force without an end ends where it begins; one that no
 * invoice was made under gives way to another of the same day.
 *
 * @returns the rates of its country, as they then are
 * @throws Invalid `bad-rate` for what no law has; Conflict `rate-overlaps` where another one is kept for the same days, and
 *   `rate-in-use` where invoices of these days were made already
 */
export async function setTaxRate(tx: Tx, rate: TaxRate): Promise<TaxRate[]> {
  const fault = faultOf(rate);
  if (fault !== undefined) throw new Invalid('bad-rate', fault);
  const { basisPoints, country, fromOn, kind, untilOn } = rate;
  // Of two who set rates at once, the second sees what the first one has set.
  await sql`lock table billing.tax_rates in share row exclusive mode`.execute(tx);
  const before = await ratesOf(tx, country);
  const same = before.find((one) => one.fromOn.equals(fromOn));
  const isOnlyEnded = same?.kind === kind && same.basisPoints === basisPoints;
  await refuseUsed(tx, country, isOnlyEnded ? untilOn : fromOn);
  const others = before.filter((one) => one !== same);
  const open = others.find((one) => one.untilOn === undefined && isBefore(one.fromOn, fromOn));
  const overlapping = others.find((one) => one !== open && overlaps(one, rate));
  if (overlapping !== undefined)
    throw new Conflict(
      'rate-overlaps',
      `for ${country} a rate of ${overlapping.basisPoints / 100}% is kept from ${overlapping.fromOn} to ${overlapping.untilOn ?? 'whenever'}`,
    );
  if (open !== undefined)
    await sql`
      update billing.tax_rates set until_on = ${fromOn.toString()}::date
      where country = ${country} and from_on = ${open.fromOn.toString()}::date`.execute(tx);
  await sql`
    insert into billing.tax_rates (country, kind, basis_points, from_on, until_on)
    values (${country}, ${kind}, ${basisPoints}, ${fromOn.toString()}::date, ${untilOn?.toString() ?? null}::date)
    on conflict (country, from_on) do update
      set kind = excluded.kind, basis_points = excluded.basis_points, until_on = excluded.until_on`.execute(
    tx,
  );
  return ratesOf(tx, country);
}

async function ratesOf(tx: Tx, country: string): Promise<TaxRate[]> {
  return (await taxRates(tx)).filter((one) => one.country === country);
}

function faultOf({ basisPoints, country, fromOn, kind, untilOn }: TaxRate): string | undefined {
  if ((kind === 'gst') !== (country === 'IN')) return 'gst is India’s, and every other country’s is vat';
  if (!Number.isInteger(basisPoints) || basisPoints < 0 || basisPoints > 10_000)
    return 'a rate is 0 to 100 per cent, to the hundredth';
  if (kind === 'gst' && basisPoints % 2 !== 0) return 'India’s rate is taken in two equal halves';
  return untilOn !== undefined && !isBefore(fromOn, untilOn) ? 'a rate ends after it begins' : undefined;
}

/** What was invoiced stays right. @param on from this day on everything may become otherwise; undefined: nothing does */
async function refuseUsed(tx: Tx, country: string, on: Temporal.PlainDate | undefined): Promise<void> {
  if (on === undefined) return;
  const { rows } = await sql<{ count: number; last_on: string }>`
    select count(*)::int as count, max(issued_on)::text as last_on from billing.invoices
    where number is not null and buyer->>'country' = ${country} and issued_on >= ${on.toString()}::date`.execute(
    tx,
  );
  const [used] = rows;
  if (used !== undefined && used.count > 0)
    throw new Conflict(
      'rate-in-use',
      `${used.count} invoices for ${country} were made from ${on} on, the last on ${used.last_on}: another rate begins later`,
    );
}

function overlaps(one: TaxRate, other: TaxRate): boolean {
  return (
    (other.untilOn === undefined || isBefore(one.fromOn, other.untilOn)) &&
    (one.untilOn === undefined || isBefore(other.fromOn, one.untilOn))
  );
}
