import { sql } from 'kysely';
import { type Db, type Tx, toInstant } from '#platform/db';
import { groupedOver } from '#platform/grouped';

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

const COLUMNS = sql`r.id, r.email, r.country, r.state, r.created_at,
  exists (select from readers.credentials c where c.reader_id = r.id and c.provider = 'credential') as has_password`;

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
  if ('id' in by) return findById(db, by.id);
  const { rows } = await sql<ReaderRow>`
    select ${COLUMNS} from readers.readers r where r.email = ${by.email}`.execute(db);
  return rows[0] === undefined ? undefined : toReader(rows[0]);
}

/** Many in one statement: nearly everything that a reader asks for begins with it. */
const findById = groupedOver(
  async (db: Db, ids: string[]): Promise<(ReaderAccount | undefined)[]> => {
    const found = await findReaders(db, ids);
    return ids.map((id) => found.get(id));
  },
  { most: 100, inFlight: 2 },
);

/** Those of some readers who have not deleted their account, by id. */
export async function findReaders(
  db: Db | Tx,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ReaderAccount>> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql<ReaderRow>`
    select ${COLUMNS} from readers.readers r where r.id = any(${ids}::uuid[])`.execute(db);
  return new Map(rows.map((row) => [row.id, toReader(row)]));
}

/** Readers whose address holds a text, newest first. */
export async function searchReaders(db: Db, text: string, limit: number): Promise<ReaderAccount[]> {
  const pattern = `%${text.toLowerCase().replaceAll(/[\\%_]/g, '\\$&')}%`;
  const { rows } = await sql<ReaderRow>`
    select ${COLUMNS} from readers.readers r where r.email like ${pattern} or r.id::text = ${text}
    order by r.created_at desc, r.id limit ${limit}`.execute(db);
  return rows.map(toReader);
}

/** Where a reader lives, ISO 3166. */
export type ReaderPlace = {
  readonly readerId: string;
  readonly country: string;
  readonly state: string | undefined;
};

/** Notes where readers live, for tax. */
export async function setReaderPlaces(tx: Tx, places: readonly ReaderPlace[]): Promise<void> {
  if (places.length === 0) return;
  await sql`
    update readers.readers r set country = place.country, state = place.state, updated_at = now()
    from json_to_recordset(${JSON.stringify(places)}::json) as place ("readerId" uuid, country text, state text)
    where r.id = place."readerId"`.execute(tx);
}

/** The account and everything that goes with it in this module. */
export async function removeReader(tx: Tx, readerId: string): Promise<void> {
  await sql`delete from readers.readers where id = ${readerId}`.execute(tx);
}
