import { sql } from 'kysely';
import { type Db, type Tx, toInstant } from '#platform/db';
import { uuidv7 } from '#platform/ids';

/** One reader's place in a group. */
export type Seat = {
  readonly id: string;
  readonly subscriptionId: string;
  /** Who was invited, or has it. */
  readonly email: string;
  /** Undefined while nobody has followed the invitation. */
  readonly readerId: string | undefined;
  readonly isManager: boolean;
  readonly invitedAt: Temporal.Instant;
  readonly takenAt: Temporal.Instant | undefined;
};

type SeatRow = {
  id: string;
  subscription_id: string;
  email: string;
  reader_id: string | null;
  is_manager: boolean;
  invited_at: string;
  taken_at: string | null;
};

const COLUMNS = sql`id, subscription_id, email, reader_id, is_manager, invited_at, taken_at`;

function toSeat(row: SeatRow): Seat {
  return {
    id: row.id,
    subscriptionId: row.subscription_id,
    email: row.email,
    readerId: row.reader_id ?? undefined,
    isManager: row.is_manager,
    invitedAt: toInstant(row.invited_at),
    takenAt: row.taken_at === null ? undefined : toInstant(row.taken_at),
  };
}

/** The seats of a group that are promised or taken, in the order of their invitations. */
export async function seatsOf(on: Db | Tx, subscriptionId: string): Promise<Seat[]> {
  const { rows } = await sql<SeatRow>`
    select ${COLUMNS} from billing.seats
    where subscription_id = ${subscriptionId} and removed_at is null order by invited_at, id`.execute(on);
  return rows.map(toSeat);
}

/** The seats that a reader has in groups that are not over. */
export async function seatsOfReader(on: Db | Tx, readerId: string): Promise<Seat[]> {
  const { rows } = await sql<SeatRow>`
    select ${COLUMNS} from billing.seats seat
    where reader_id = ${readerId} and removed_at is null and exists (
      select from billing.subscriptions s
      where s.id = seat.subscription_id and s.state not in ('canceled', 'expired'))
    order by taken_at desc, id`.execute(on);
  return rows.map(toSeat);
}

/** The seat that an invitation's link is for. */
export async function findInvitedSeat(on: Db | Tx, tokenHash: string): Promise<Seat | undefined> {
  const { rows } = await sql<SeatRow>`
    select ${COLUMNS} from billing.seats where token_hash = ${tokenHash} and removed_at is null`.execute(on);
  return rows[0] === undefined ? undefined : toSeat(rows[0]);
}

/** Who has a seat in each of these groups. */
export async function seatedReaders(
  tx: Tx,
  subscriptionIds: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (subscriptionIds.length === 0) return new Map();
  const { rows } = await sql<{ id: string; readers: string[] }>`
    select subscription_id as id, array_agg(reader_id::text order by reader_id) as readers from billing.seats
    where subscription_id = any(${subscriptionIds}::uuid[]) and removed_at is null and reader_id is not null
    group by subscription_id`.execute(tx);
  return new Map(rows.map(({ id, readers }) => [id, readers]));
}

export type NewSeat = {
  readonly subscriptionId: string;
  readonly email: string;
  /** Undefined where it is taken at once, by `readerId`. */
  readonly tokenHash: string | undefined;
  readonly readerId?: string;
};

export async function insertSeats(tx: Tx, seats: readonly NewSeat[], now: Temporal.Instant): Promise<void> {
  if (seats.length === 0) return;
  const rows = seats.map((seat) => ({ ...seat, id: uuidv7() }));
  await sql`
    insert into billing.seats (id, subscription_id, email, token_hash, reader_id, invited_at, taken_at)
    select id, "subscriptionId", email, "tokenHash", "readerId", ${now.toString()}::timestamptz,
      case when "readerId" is not null then ${now.toString()}::timestamptz end
    from json_to_recordset(${JSON.stringify(rows)}::json) as new (
      id uuid, "subscriptionId" uuid, email text, "tokenHash" text, "readerId" uuid)
    on conflict do nothing`.execute(tx);
}

/** Gives an invitation another link, so that the one before leads nowhere. */
export async function renewInvitation(tx: Tx, seatId: string, tokenHash: string, now: Temporal.Instant) {
  await sql`
    update billing.seats set token_hash = ${tokenHash}, invited_at = ${now.toString()}
    where id = ${seatId} and reader_id is null and removed_at is null`.execute(tx);
}

export async function takeSeat(
  tx: Tx,
  seatId: string,
  reader: { readonly id: string; readonly email: string },
  now: Temporal.Instant,
): Promise<void> {
  await sql`
    update billing.seats set reader_id = ${reader.id}, email = ${reader.email}, taken_at = ${now.toString()}, token_hash = null
    where id = ${seatId} and reader_id is null and removed_at is null`.execute(tx);
}

export async function setManager(tx: Tx, seatId: string, isManager: boolean): Promise<void> {
  await sql`
    update billing.seats set is_manager = ${isManager}
    where id = ${seatId} and reader_id is not null and removed_at is null`.execute(tx);
}

export async function removeSeat(tx: Tx, seatId: string, now: Temporal.Instant): Promise<void> {
  await sql`
    update billing.seats set removed_at = ${now.toString()}, is_manager = false, token_hash = null where id = ${seatId}`.execute(
    tx,
  );
}

/** Days on which a subscription may be read by, from now on: paid terms, and days that were given. */
export type RunningDays = {
  readonly id: string;
  readonly fromOn: Temporal.PlainDate;
  readonly untilOn: Temporal.PlainDate;
};

export async function runningDays(
  tx: Tx,
  subscriptionId: string,
  now: Temporal.Instant,
): Promise<RunningDays[]> {
  const { rows } = await sql<{ id: string; from_on: string; until_on: string }>`
    select source.id, source.from_on::text as from_on, source.until_on::text as until_on
    from billing.subscriptions s, lateral (
      select id, start_on as from_on, end_on as until_on from billing.terms
        where subscription_id = s.id and status = 'paid'
      union all select id, from_on, until_on from billing.given_days where subscription_id = s.id) as source
    where s.id = ${subscriptionId} and s.state in ('active', 'trialing', 'past_due')
      and source.until_on::timestamp at time zone s.zone > ${now.toString()}`.execute(tx);
  return rows.map((row) => ({
    id: row.id,
    fromOn: Temporal.PlainDate.from(row.from_on),
    untilOn: Temporal.PlainDate.from(row.until_on),
  }));
}

/** Gives up the seats of a reader who is deleted, and forgets their address. */
export async function forgetSeats(tx: Tx, readerId: string, now: Temporal.Instant): Promise<void> {
  await sql`
    update billing.seats set email = '', is_manager = false, removed_at = coalesce(removed_at, ${now.toString()}::timestamptz)
    where reader_id = ${readerId}`.execute(tx);
}
