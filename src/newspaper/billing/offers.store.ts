import { sql } from 'kysely';
import type { Db, Tx } from '#platform/db';
import { uuidv7 } from '#platform/ids';
import type { Money } from '#values/money';
import type { Plan } from './catalog.ts';
import {
  codeHash,
  type Offer,
  type OfferAudience,
  type OfferPhase,
  type OfferRefusal,
  type ReaderPast,
  refusalOf,
  type Taken,
} from './offers.ts';

/** An offer, and the code that it was asked for with. */
export type ChosenOffer = { readonly offer: Offer; readonly codeHash: string | undefined };

type OfferRow = {
  slug: string;
  name: string;
  plan_slug: string | null;
  trial_days: number;
  who: OfferAudience;
  lapsed_days: number;
  from_on: string;
  until_on: string | null;
  needs_code: boolean;
  most: number | null;
  phases: { terms: number; currency: string | null; minor: string | null; percentOff: number | null }[];
};

const SELECT = sql`
  select o.slug, o.name, o.plan_slug, o.trial_days, o.who, o.lapsed_days, o.from_on::text as from_on,
    o.until_on::text as until_on, o.needs_code, o.most, coalesce((
      select json_agg(json_build_object('terms', p.terms, 'currency', p.currency, 'minor', p.amount_minor::text,
        'percentOff', p.percent_off) order by p.position)
      from billing.offer_phases p where p.offer_slug = o.slug), '[]'::json) as phases
  from billing.offers o`;

function toOffer(row: OfferRow): Offer {
  return {
    slug: row.slug,
    name: row.name,
    planSlug: row.plan_slug ?? undefined,
    trialDays: row.trial_days,
    phases: row.phases.map(
      ({ currency, minor, percentOff, terms }): OfferPhase =>
        percentOff === null
          ? { terms, price: { minor: BigInt(minor ?? '0'), currency: currency ?? '' } }
          : { terms, percentOff },
    ),
    who: row.who,
    lapsedDays: row.lapsed_days,
    fromOn: Temporal.PlainDate.from(row.from_on),
    untilOn: row.until_on === null ? undefined : Temporal.PlainDate.from(row.until_on),
    needsCode: row.needs_code,
    most: row.most ?? undefined,
  };
}

/** Every offer that there ever was, the newest first. */
export async function listOffers(db: Db): Promise<Offer[]> {
  const { rows } = await sql<OfferRow>`${SELECT} order by o.created_at desc, o.slug`.execute(db);
  return rows.map(toOffer);
}

/** The offer that a code is for. */
export async function findOfferByCode(db: Db, code: string): Promise<ChosenOffer | undefined> {
  const hashed = codeHash(code);
  const { rows } = await sql<OfferRow>`
    ${SELECT} join billing.offer_codes c on c.offer_slug = o.slug where c.code_hash = ${hashed}`.execute(db);
  return rows[0] === undefined ? undefined : { offer: toOffer(rows[0]), codeHash: hashed };
}

/**
 * Why a reader may not begin a plan with an offer; undefined where they may.
 *
 * @param on inside a transaction that holds the offer, what it says stays true until the end of that
 */
export async function offerRefusal(
  on: Db | Tx,
  { codeHash: code, offer }: ChosenOffer,
  plan: Plan,
  readerId: string,
  today: Temporal.PlainDate,
): Promise<OfferRefusal | undefined> {
  const { rows } = await sql<{
    had_any: boolean;
    had_trial: boolean;
    ended_on: string | null;
    charged_back: boolean;
    came_back_on: string | null;
    had_this: boolean;
    taken: number;
    code_most: number | null;
    code_taken: number;
    knows_code: boolean;
  }>`
    with subs as (
      select id, state, ended_reason, (ended_at at time zone zone)::date as ended_on
      from billing.subscriptions
      where reader_id = ${readerId} and state <> 'incomplete' and ended_reason is distinct from 'never_paid'),
    taken as (
      select r.code_hash from billing.redemptions r
      where r.offer_slug = ${offer.slug} and (r.status = 'consumed' or (r.status = 'reserved' and r.reader_id <> ${readerId})))
    select exists (select from subs) as had_any,
      exists (select from billing.given_days d join subs on subs.id = d.subscription_id where d.source = 'trial') as had_trial,
      case when bool_and(ended_reason is not null) then max(ended_on)::text end as ended_on,
      coalesce(bool_or(ended_reason = 'chargeback'), false) as charged_back,
      (select max(r.at)::date::text from billing.redemptions r join billing.offers o on o.slug = r.offer_slug
        where r.reader_id = ${readerId} and r.status = 'consumed' and o.who = 'lapsed') as came_back_on,
      exists (select from billing.redemptions r
        where r.offer_slug = ${offer.slug} and r.reader_id = ${readerId} and r.status = 'consumed') as had_this,
      (select count(*)::int from taken) as taken,
      (select most from billing.offer_codes where code_hash = ${code ?? null}) as code_most,
      (select count(*)::int from taken where code_hash = ${code ?? null}) as code_taken,
      exists (select from billing.offer_codes
        where code_hash = ${code ?? null} and offer_slug = ${offer.slug}) as knows_code
    from subs`.execute(on);
  const [row] = rows;
  if (row === undefined) throw new Error('nothing is known of a reader');
  const day = (text: string | null) => (text === null ? undefined : Temporal.PlainDate.from(text));
  const past: ReaderPast = {
    hadAny: row.had_any,
    hadTrial: row.had_trial,
    endedOn: day(row.ended_on),
    wasChargedBack: row.charged_back,
    cameBackOn: day(row.came_back_on),
    hadThis: row.had_this,
  };
  const taken: Taken = {
    offer: row.taken,
    code: row.knows_code ? { taken: row.code_taken, most: row.code_most ?? undefined } : undefined,
  };
  return refusalOf(offer, plan, past, taken, today);
}

/** Holds offers for the rest of a transaction: whoever counts how often they are taken counts alone. */
export async function lockOffers(tx: Tx, slugs: readonly string[]): Promise<void> {
  await sql`select slug from billing.offers where slug = any(${slugs}::text[]) order by slug for update`.execute(
    tx,
  );
}

/** That an order has an offer, or none any more. */
export type Reservation = {
  readonly subscriptionId: string;
  readonly readerId: string;
  readonly chosen: ChosenOffer | undefined;
};

/** Holds offers for orders that are about to be paid, in place of whatever those held before. */
export async function reserveOffers(
  tx: Tx,
  given: readonly Reservation[],
  now: Temporal.Instant,
): Promise<void> {
  await setRedemptions(
    tx,
    given.map(({ subscriptionId }) => subscriptionId),
    'released',
    now,
  );
  const rows = given.flatMap(({ chosen, readerId, subscriptionId }) =>
    chosen === undefined
      ? []
      : [
          {
            id: uuidv7(),
            readerId,
            subscriptionId,
            offerSlug: chosen.offer.slug,
            codeHash: chosen.codeHash ?? null,
          },
        ],
  );
  if (rows.length === 0) return;
  await sql`
    insert into billing.redemptions (id, offer_slug, code_hash, reader_id, subscription_id, status, at)
    select id, "offerSlug", "codeHash", "readerId", "subscriptionId", 'reserved', ${now.toString()}
    from json_to_recordset(${JSON.stringify(rows)}::json) as new (
      id uuid, "offerSlug" text, "codeHash" text, "readerId" uuid, "subscriptionId" uuid)`.execute(tx);
}

/** What became of offers that were held for orders: they were used, or somebody else may have them. */
export async function setRedemptions(
  tx: Tx,
  subscriptionIds: readonly string[],
  status: 'consumed' | 'released',
  now: Temporal.Instant,
): Promise<void> {
  if (subscriptionIds.length === 0) return;
  await sql`
    update billing.redemptions set status = ${status}, at = ${now.toString()}
    where subscription_id = any(${subscriptionIds}::uuid[]) and status = 'reserved'`.execute(tx);
}

/**
 * Which of these cards and accounts had a trial before, with whatever reader. Whoever asks about the same one at the same
 * time waits for the end of this transaction.
 */
export async function triedBefore(tx: Tx, fingerprints: readonly string[]): Promise<ReadonlySet<string>> {
  if (fingerprints.length === 0) return new Set();
  const sorted = [...new Set(fingerprints)].sort();
  await sql`select pg_advisory_xact_lock(hashtextextended(f, 7)) from unnest(${sorted}::text[]) as f`.execute(
    tx,
  );
  const { rows } = await sql<{ fingerprint: string }>`
    select distinct m.fingerprint from billing.mandates m join billing.subscriptions s on s.mandate_id = m.id
      join billing.given_days d on d.subscription_id = s.id and d.source = 'trial'
    where m.fingerprint = any(${sorted}::text[])`.execute(tx);
  return new Set(rows.map(({ fingerprint }) => fingerprint));
}

/** Keeps a new offer, and the codes that it can be had with. */
export async function insertOffer(
  tx: Tx,
  offer: Offer,
  codes: readonly { readonly code: string; readonly most: number | undefined }[],
  now: Temporal.Instant,
): Promise<void> {
  await sql`
    insert into billing.offers (slug, name, plan_slug, trial_days, who, lapsed_days, from_on, until_on, needs_code, most,
      created_at)
    values (${offer.slug}, ${offer.name}, ${offer.planSlug ?? null}, ${offer.trialDays}, ${offer.who}, ${offer.lapsedDays},
      ${offer.fromOn.toString()}, ${offer.untilOn?.toString() ?? null}, ${offer.needsCode}, ${offer.most ?? null},
      ${now.toString()})`.execute(tx);
  const phases = offer.phases.map((phase, position) => {
    const price: Money | undefined = 'price' in phase ? phase.price : undefined;
    return {
      position,
      terms: phase.terms,
      currency: price?.currency ?? null,
      minor: price?.minor.toString() ?? null,
      percentOff: 'percentOff' in phase ? phase.percentOff : null,
    };
  });
  await sql`
    insert into billing.offer_phases (offer_slug, position, terms, currency, amount_minor, percent_off)
    select ${offer.slug}, position, terms, currency, minor, "percentOff"
    from json_to_recordset(${JSON.stringify(phases)}::json) as new (
      position integer, terms integer, currency text, minor bigint, "percentOff" integer)`.execute(tx);
  const hashed = codes.map(({ code, most }) => ({ hash: codeHash(code), most: most ?? null }));
  await sql`
    insert into billing.offer_codes (code_hash, offer_slug, most, created_at)
    select hash, ${offer.slug}, most, ${now.toString()}
    from json_to_recordset(${JSON.stringify(hashed)}::json) as new (hash text, most integer)`.execute(tx);
}

/** Nobody begins anything with an offer from a day on. @returns whether there is such an offer */
export async function endOffer(db: Db, slug: string, on: Temporal.PlainDate): Promise<boolean> {
  const { rows } = await sql`
    update billing.offers set until_on = greatest(${on.toString()}::date, from_on) where slug = ${slug}
    returning slug`.execute(db);
  return rows.length > 0;
}

/** How many readers have each offer, by its slug: those who pay at this moment, and those who have it. */
export async function offerFigures(
  db: Db,
): Promise<ReadonlyMap<string, { readonly reserved: number; readonly consumed: number }>> {
  const { rows } = await sql<{ slug: string; reserved: number; consumed: number }>`
    select offer_slug as slug, count(*) filter (where status = 'reserved')::int as reserved,
      count(*) filter (where status = 'consumed')::int as consumed
    from billing.redemptions group by offer_slug`.execute(db);
  return new Map(rows.map(({ consumed, reserved, slug }) => [slug, { reserved, consumed }]));
}
