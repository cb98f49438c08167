import { sql } from 'kysely';
import type { Db } from '#platform/db';
import { groupedOver } from '#platform/grouped';

/** An event that this process alone is at delivering. */
export type ClaimedEvent = {
  readonly seq: bigint;
  readonly id: string;
  /** The very bytes to sign and send. */
  readonly body: string;
  /** How often it was sent, this time included. */
  readonly attempts: number;
};

/**
 * Longer than any delivery takes, so that one process alone is at an event; if that process dies, another may try after
 * this long.
 */
const CLAIM_SECONDS = 15;

/** Takes events whose time has come, so that no other process takes them meanwhile; none while they are held. */
export async function claimEvents(db: Db, most: number, newestFirst: boolean): Promise<ClaimedEvent[]> {
  const order = newestFirst ? sql`seq desc` : sql`not_before, seq`;
  const claimed = await claim(
    db,
    sql`state = 'waiting' and not_before <= now() and not (select hold from sandbox.controls)
      and (claimed_until is null or claimed_until < now()) order by ${order} limit ${most}`,
  );
  return claimed.toSorted((a, b) => Number(newestFirst ? b.seq - a.seq : a.seq - b.seq));
}

/** Takes the next event that waits, held or not and whatever its time; with `after`, the next one in that direction. */
export async function claimNext(
  db: Db,
  after: bigint | undefined,
  newestFirst: boolean,
): Promise<ClaimedEvent | undefined> {
  const beyond = newestFirst
    ? sql`(${after ?? null}::bigint is null or seq < ${after ?? null}) order by seq desc`
    : sql`(${after ?? null}::bigint is null or seq > ${after ?? null}) order by seq`;
  const [event] = await claim(
    db,
    sql`state = 'waiting' and (claimed_until is null or claimed_until < now()) and ${beyond} limit 1`,
  );
  return event;
}

async function claim(db: Db, which: ReturnType<typeof sql>): Promise<ClaimedEvent[]> {
  const { rows } = await sql<ClaimedEvent>`
    with taken as (select seq from sandbox.events where ${which} for update skip locked)
    update sandbox.events e set attempts = attempts + 1, claimed_until = now() + ${CLAIM_SECONDS} * interval '1 s'
    from taken where e.seq = taken.seq
    returning e.seq, e.id, e.body, e.attempts`.execute(db);
  return rows;
}

/** What became of a delivery; one that was not taken is tried again after a pause. */
export type Delivery = { readonly seq: bigint } & (
  | { readonly kind: 'delivered' | 'dropped' }
  | { readonly kind: 'not-taken'; readonly pauseMs: number }
);

/** Writes what became of deliveries; many in one statement. */
export const recordDelivery = groupedOver(
  async (db: Db, deliveries: Delivery[]): Promise<undefined[]> => {
    const records = deliveries.map(({ seq, ...one }) => ({ ...one, seq: seq.toString() }));
    await sql`
      update sandbox.events e set
        state = case done.kind when 'not-taken' then 'waiting' else done.kind end,
        ended_at = case done.kind when 'not-taken' then null else now() end,
        not_before = case done.kind when 'not-taken' then now() + done."pauseMs" * interval '1 ms' else not_before end,
        claimed_until = null
      from json_to_recordset(${JSON.stringify(records)}::json) as done (seq bigint, kind text, "pauseMs" integer)
      where e.seq = done.seq and e.state = 'waiting'`.execute(db);
    return deliveries.map(() => undefined);
  },
  { most: 100, inFlight: 2 },
);
