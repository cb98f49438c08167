import { sql } from 'kysely';
import { type Tx, toInstant } from '#platform/db';

/** A second factor as it is kept: its secret sealed. */
export type StoredFactor = {
  readonly sealedSecret: Buffer;
  readonly lastStep: number;
  readonly failures: number;
  readonly lockedUntil: Temporal.Instant | undefined;
};

/** Locked until the transaction ends: of two who show a code at once, the second is judged on what the first left. */
export async function lockFactor(tx: Tx, personId: string): Promise<StoredFactor | undefined> {
  const { rows } = await sql<{
    secret: Buffer;
    last_step: bigint;
    failures: number;
    locked_until: string | null;
  }>`
    select secret, last_step, failures, locked_until from staff.second_factors
    where person_id = ${personId} for update`.execute(tx);
  const [row] = rows;
  if (row === undefined) return undefined;
  return {
    sealedSecret: row.secret,
    lastStep: Number(row.last_step),
    failures: row.failures,
    lockedUntil: row.locked_until === null ? undefined : toInstant(row.locked_until),
  };
}

export async function writeFactor(tx: Tx, personId: string, factor: StoredFactor): Promise<void> {
  await sql`
    update staff.second_factors set secret = ${factor.sealedSecret}, last_step = ${factor.lastStep},
      failures = ${factor.failures}, locked_until = ${factor.lockedUntil?.toString() ?? null}::timestamptz
    where person_id = ${personId}`.execute(tx);
}

/**
 * Enrols a second factor with its backup codes.
 *
 * @returns whether there was none yet
 */
export async function addFactor(
  tx: Tx,
  personId: string,
  factor: {
    readonly sealedSecret: Buffer;
    readonly lastStep: number;
    readonly backupDigests: readonly Buffer[];
    readonly at: Temporal.Instant;
  },
): Promise<boolean> {
  const { numAffectedRows } = await sql`
    insert into staff.second_factors (person_id, secret, last_step, enrolled_at)
    values (${personId}, ${factor.sealedSecret}, ${factor.lastStep}, ${factor.at.toString()})
    on conflict (person_id) do nothing`.execute(tx);
  if (numAffectedRows !== 1n) return false;
  await sql`
    insert into staff.backup_codes (person_id, digest)
    select ${personId}, digest from unnest(${factor.backupDigests}::bytea[]) as made (digest)`.execute(tx);
  return true;
}

/**
 * Uses up a backup code, given its digest under each secret.
 *
 * @returns how many are left, or undefined when it is none of theirs
 */
export async function spendBackupCode(
  tx: Tx,
  personId: string,
  digests: readonly Buffer[],
): Promise<number | undefined> {
  const { numAffectedRows } = await sql`
    delete from staff.backup_codes
    where person_id = ${personId} and digest = any(${digests}::bytea[])`.execute(tx);
  if (numAffectedRows !== 1n) return undefined;
  const { rows } = await sql<{ left: bigint }>`
    select count(*) as left from staff.backup_codes where person_id = ${personId}`.execute(tx);
  return Number(rows[0]?.left ?? 0);
}

/** @returns whether there was one */
export async function dropFactor(tx: Tx, personId: string): Promise<boolean> {
  const { numAffectedRows } = await sql`
    delete from staff.second_factors where person_id = ${personId}`.execute(tx);
  return numAffectedRows === 1n;
}
