import { sql } from 'kysely';
import { type Db, type Tx, toInstant } from '#platform/db';
import type { Money } from '#values/money';

/** Something that a reader gives to somebody else. */
export type Gift = {
  /** Of the subscription that was bought for it. */
  readonly id: string;
  readonly buyerId: string;
  readonly planName: string;
  readonly months: number;
  readonly price: Money;
  readonly state: 'incomplete' | 'waiting' | 'redeemed' | 'over';
  readonly sealedCode: Buffer;
  /** Undefined where its buyer hands it over. */
  readonly toEmail: string | undefined;
  readonly toName: string;
  readonly fromName: string;
  readonly message: string;
  readonly deliverAt: Temporal.Instant | undefined;
  readonly deliveredAt: Temporal.Instant | undefined;
  readonly redeemedAt: Temporal.Instant | undefined;
  readonly boughtAt: Temporal.Instant;
};

type GiftRow = {
  id: string;
  reader_id: string;
  plan_name: string;
  months: number;
  currency: string;
  amount_minor: bigint;
  state: Gift['state'];
  code_sealed: Buffer;
  to_email: string;
  to_name: string;
  from_name: string;
  message: string;
  deliver_at: string | null;
  delivered_at: string | null;
  redeemed_at: string | null;
  created_at: string;
};

const SELECT = sql`
  select s.id, s.reader_id, p.name as plan_name, s.months, s.currency, s.amount_minor,
    case when s.state = 'incomplete' then 'incomplete' when s.gift = 'redeemed' then 'redeemed'
      when s.state = 'active' then 'waiting' else 'over' end as state,
    g.code_sealed, g.to_email, g.to_name, g.from_name, g.message, g.deliver_at, g.delivered_at, g.redeemed_at, s.created_at
  from billing.gifts g join billing.subscriptions s on s.id = g.subscription_id join billing.plans p on p.slug = s.plan_slug`;

const instant = (text: string | null) => (text === null ? undefined : toInstant(text));

function toGift(row: GiftRow): Gift {
  return {
    id: row.id,
    buyerId: row.reader_id,
    planName: row.plan_name,
    months: row.months,
    price: { minor: row.amount_minor, currency: row.currency },
    state: row.state,
    sealedCode: row.code_sealed,
    toEmail: row.to_email || undefined,
    toName: row.to_name,
    fromName: row.from_name,
    message: row.message,
    deliverAt: instant(row.deliver_at),
    deliveredAt: instant(row.delivered_at),
    redeemedAt: instant(row.redeemed_at),
    boughtAt: toInstant(row.created_at),
  };
}

/** What a reader gave, newest first; what was begun and never paid is left out. */
export async function giftsOf(db: Db, readerId: string): Promise<Gift[]> {
  const { rows } = await sql<GiftRow>`
    ${SELECT} where s.reader_id = ${readerId} and s.ended_reason is distinct from 'never_paid'
    order by s.created_at desc, s.id desc`.execute(db);
  return rows.map(toGift);
}

export async function findGiftByCode(on: Db | Tx, codeHash: string): Promise<Gift | undefined> {
  const { rows } = await sql<GiftRow>`${SELECT} where g.code_hash = ${codeHash}`.execute(on);
  return rows[0] === undefined ? undefined : toGift(rows[0]);
}

export type NewGift = {
  readonly id: string;
  readonly codeHash: string;
  readonly codeSealed: Buffer;
  readonly toEmail: string;
  readonly toName: string;
  readonly fromName: string;
  readonly message: string;
  readonly deliverAt: Temporal.Instant | undefined;
};

/** Keeps what is given to whom, or what was changed of it before it was paid. */
export async function saveGift(tx: Tx, gift: NewGift): Promise<void> {
  await sql`
    insert into billing.gifts as old (subscription_id, code_hash, code_sealed, to_email, to_name, from_name, message, deliver_at)
    values (${gift.id}, ${gift.codeHash}, ${gift.codeSealed}, ${gift.toEmail}, ${gift.toName}, ${gift.fromName},
      ${gift.message}, ${gift.deliverAt?.toString() ?? null})
    on conflict (subscription_id) do update set to_email = excluded.to_email, to_name = excluded.to_name,
      from_name = excluded.from_name, message = excluded.message, deliver_at = excluded.deliver_at
      where old.redeemed_at is null and old.delivered_at is null`.execute(tx);
}

/** Holds gifts that are paid and to be sent by now; those that another process sends at this moment are left out. */
export async function lockToDeliver(tx: Tx, now: Temporal.Instant, limit: number): Promise<Gift[]> {
  const { rows } = await sql<GiftRow>`
    ${SELECT} where g.delivered_at is null and g.deliver_at <= ${now.toString()} and s.state = 'active' and s.gift = 'waiting'
    order by g.deliver_at limit ${limit} for update of g skip locked`.execute(tx);
  return rows.map(toGift);
}

export async function markDelivered(tx: Tx, ids: readonly string[], now: Temporal.Instant): Promise<void> {
  await sql`
    update billing.gifts set delivered_at = ${now.toString()} where subscription_id = any(${ids}::uuid[])`.execute(
    tx,
  );
}

/** The next instant at which a gift that is paid is to be sent, if that is by `until`. */
export async function nextDeliveryAt(db: Db, until: Temporal.Instant): Promise<Temporal.Instant | undefined> {
  const { rows } = await sql<{ at: string }>`
    select g.deliver_at as at from billing.gifts g join billing.subscriptions s on s.id = g.subscription_id
    where g.delivered_at is null and g.deliver_at <= ${until.toString()} and s.state = 'active' and s.gift = 'waiting'
    order by g.deliver_at limit 1`.execute(db);
  return instant(rows[0]?.at ?? null);
}

/** Keeps who has a gift. Where it was sent is forgotten, since nobody needs it any more. */
export async function markRedeemed(
  tx: Tx,
  id: string,
  readerId: string,
  now: Temporal.Instant,
): Promise<void> {
  await sql`
    update billing.gifts set redeemed_by = ${readerId}, redeemed_at = ${now.toString()}, to_email = '', message = ''
    where subscription_id = ${id}`.execute(tx);
}

/** Whoever redeems several at once does so one after the other. */
export async function lockRecipient(tx: Tx, readerId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${readerId}, 11))`.execute(tx);
}

/** A gift by which a reader reads, and when. */
export type RunningGift = {
  readonly id: string;
  readonly from: Temporal.Instant;
  readonly until: Temporal.Instant;
};

/** Gifts by which a reader reads now or will, the one that ends last at the end. */
export async function runningGifts(tx: Tx, readerId: string, now: Temporal.Instant): Promise<RunningGift[]> {
  const { rows } = await sql<{ id: string; from: string; until: string }>`
    select distinct g.source_id as id, g.from_at as from, g.until_at as until
    from entitlements.grants g join billing.gifts b on b.subscription_id = g.source_id
    where g.reader_id = ${readerId} and g.source = 'gift' and g.revoked_at is null and g.until_at > ${now.toString()}
    order by g.until_at`.execute(tx);
  return rows.map(({ from, id, until }) => ({ id, from: toInstant(from), until: toInstant(until) }));
}

/**
 * What somebody has redeemed and not read to its end, and does not read by at present. Where they began another plan or added seats
 * since, its days were counted in what that credited.
 */
export async function giftsLeft(
  tx: Tx,
  readerIds: readonly string[],
  now: Temporal.Instant,
): Promise<(RunningGift & { readonly readerId: string })[]> {
  if (readerIds.length === 0) return [];
  const { rows } = await sql<{ id: string; reader_id: string; from: string; until: string }>`
    select * from (
      select s.id, g.redeemed_by as reader_id, t.start_on::timestamp at time zone s.zone as from,
        t.end_on::timestamp at time zone s.zone as until
      from billing.gifts g join billing.subscriptions s on s.id = g.subscription_id
        join billing.terms t on t.subscription_id = s.id and t.status = 'paid'
      where g.redeemed_by = any(${readerIds}::uuid[]) and not exists (
        select from billing.subscription_facts f join billing.subscriptions own on own.id = f.subscription_id
        where own.reader_id = g.redeemed_by and f.fact in ('change paid', 'seats paid') and f.at >= g.redeemed_at)) gift
    where gift.until > ${now.toString()} and not exists (
      select from entitlements.grants r where r.source_id = gift.id and r.revoked_at is null)`.execute(tx);
  return rows.map(({ from, id, reader_id, until }) => ({
    id,
    readerId: reader_id,
    from: toInstant(from),
    until: toInstant(until),
  }));
}

/** Forgets what a reader who is deleted wrote with gifts; that they gave them is the books'. */
export async function forgetGifts(tx: Tx, readerId: string): Promise<void> {
  await sql`
    update billing.gifts g set from_name = '', message = '' from billing.subscriptions s
    where s.id = g.subscription_id and s.reader_id = ${readerId}`.execute(tx);
}
