import { sql } from 'kysely';
import { type Db, type Tx, toInstant } from '#platform/db';

/** A person with an account. */
export type ReaderAccount = {
  readonly id: string;
  readonly email: string;
  readonly country: string | undefined;
  readonly state: string | undefined;
  readonly createdAt: Temporal.Instant;
  readonly hasPassword: boolean;
};

type ReaderRow = {
  id: string;
  email: string;
  country: string | null;
  state: string | null;
  created_at: string;
  has_password: boolean;
};

function toReader(row: ReaderRow): ReaderAccount {
  return {
    id: row.id,
    email: row.email,
    country: row.country ?? undefined,
    state: row.state ?? undefined,
    createdAt: toInstant(row.created_at),
    hasPassword: row.has_password,
  };
}

/** By id or by address, as it is kept; undefined where there is none. */
export async function findReader(
  db: Db,
  by: { readonly id: string } | { readonly email: string },
): Promise<ReaderAccount | undefined> {
  const which = 'id' in by ? sql`r.id = ${by.id}` : sql`r.email = ${by.email}`;
  const { rows } = await sql<ReaderRow>`
    select r.id, r.email, r.country, r.state, r.created_at,
      exists (select from readers.credentials c where c.reader_id = r.id and c.provider = 'credential') as has_password
    from readers.readers r where ${which}`.execute(db);
  return rows[0] === undefined ? undefined : toReader(rows[0]);
}

/** Readers whose address holds a text, newest first. */
export async function searchReaders(db: Db, text: string, limit: number): Promise<ReaderAccount[]> {
  const pattern = `%${text.toLowerCase().replaceAll(/[\\%_]/g, '\\$&')}%`;
  const { rows } = await sql<ReaderRow>`
    select r.id, r.email, r.country, r.state, r.created_at,
      exists (select from readers.credentials c where c.reader_id = r.id and c.provider = 'credential') as has_password
    from readers.readers r where r.email like ${pattern} or r.id::text = ${text}
    order by r.created_at desc, r.id limit ${limit}`.execute(db);
  return rows.map(toReader);
}

/** Notes where a reader lives, for tax. */
export async function setReaderPlace(
  db: Db | Tx,
  readerId: string,
  place: { readonly country: string; readonly state: string | undefined },
): Promise<void> {
  await sql`
    update readers.readers set country = ${place.country}, state = ${place.state ?? null}, updated_at = now()
    where id = ${readerId}`.execute(db);
}

/** The account and everything that goes with it in this module. */
export async function removeReader(tx: Tx, readerId: string): Promise<void> {
  await sql`delete from readers.readers where id = ${readerId}`.execute(tx);
}
