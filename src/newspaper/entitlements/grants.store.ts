import { sql } from 'kysely';
import { type Db, type Tx, toInstant } from '#platform/db';
import { groupedOver } from '#platform/grouped';
import { uuidv7 } from '#platform/ids';
import type { Benefit } from './benefits.ts';
import type { Grant, GrantSource } from './grants.ts';

type GrantRow = {
  reader_id: string;
  benefit: Benefit;
  source: GrantSource;
  source_id: string;
  from_at: string;
  until_at: string;
  revoked_at: string | null;
  revoked_reason: string;
};

/** Every grant that a reader was ever given, in the order they begin; many readers in one statement. */
export const listGrants = groupedOver(
  async (db: Db, readerIds: string[]): Promise<Grant[][]> => {
    const { rows } = await sql<GrantRow>`
      select reader_id, benefit, source, source_id, from_at, until_at, revoked_at, revoked_reason
      from entitlements.grants where reader_id = any(${[...new Set(readerIds)]}::uuid[])
      order by from_at, benefit, id`.execute(db);
    const byReader = Map.groupBy(rows, (row) => row.reader_id);
    return readerIds.map((id) => (byReader.get(id) ?? []).map(toGrant));
  },
  { most: 100, inFlight: 2 },
);

function toGrant(row: GrantRow): Grant {
  return {
    benefit: row.benefit,
    source: row.source,
    sourceId: row.source_id,
    from: toInstant(row.from_at),
    until: toInstant(row.until_at),
    revokedAt: row.revoked_at === null ? undefined : toInstant(row.revoked_at),
    revokedReason: row.revoked_reason,
  };
}

/** A right to be given: every benefit of it from one source, for one stretch of time. */
export type NewGrants = {
  readonly readerId: string;
  readonly benefits: readonly Benefit[];
  readonly source: GrantSource;
  readonly sourceId: string;
  readonly from: Temporal.Instant;
  readonly until: Temporal.Instant;
};

/** Gives rights, many in one statement. What the same source has given already and not revoked stays as it is, so that doing it twice is once. */
export async function giveGrants(tx: Tx, given: readonly NewGrants[], now: Temporal.Instant): Promise<void> {
  const grants = given.flatMap(({ benefits, ...right }) =>
    benefits.map((benefit) => ({ ...right, id: uuidv7(), benefit })),
  );
  if (grants.length === 0) return;
  await sql`
    insert into entitlements.grants (id, reader_id, benefit, source, source_id, from_at, until_at, made_at)
    select id, "readerId", benefit, source, "sourceId", "from", until, ${now.toString()}
    from json_to_recordset(${JSON.stringify(grants)}::json) as new (
      id uuid, "readerId" uuid, benefit text, source text, "sourceId" uuid, "from" timestamptz, until timestamptz)
    on conflict (source_id, reader_id, benefit) where revoked_at is null do nothing`.execute(tx);
}

/** Takes back what sources have given, from an instant on: to everybody, or to one reader. */
export async function revokeGrants(
  tx: Tx,
  sourceIds: readonly string[],
  reason: string,
  at: Temporal.Instant,
  readerId?: string,
): Promise<void> {
  await sql`
    update entitlements.grants set revoked_at = ${at.toString()}, revoked_reason = ${reason}
    where source_id = any(${sourceIds}::uuid[]) and revoked_at is null
      and (${readerId ?? null}::uuid is null or reader_id = ${readerId ?? null})`.execute(tx);
}

/** Removes what is kept of a reader who is deleted. */
export async function forgetGrants(tx: Tx, readerId: string): Promise<void> {
  await sql`delete from entitlements.grants where reader_id = ${readerId}`.execute(tx);
}
