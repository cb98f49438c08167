import { sql } from 'kysely';
import { type Db, toInstant } from '#platform/db';

/** A reader as an operator takes them elsewhere: no password, no session, nothing that was read. */
export type WholeReader = {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly country: string;
  readonly state: string;
  readonly createdAt: Temporal.Instant;
  readonly labels: readonly string[];
  readonly newsletters: readonly string[];
  readonly note: string;
  readonly extra: Readonly<Record<string, string>>;
};

const PAGE = 1_000;

/** Every reader, in the order of their addresses, some at a time. */
export async function* wholeReaders(db: Db): AsyncGenerator<readonly WholeReader[]> {
  for (let after = ''; ; ) {
    const { rows } = await sql<Omit<WholeReader, 'createdAt'> & { created_at: string }>`
      select r.id, r.email, r.name, coalesce(r.country, '') as country, coalesce(r.state, '') as state, r.created_at,
        coalesce(f.labels, '{}') as labels, coalesce(f.newsletters, '{}') as newsletters, coalesce(f.note, '') as note,
        coalesce(f.extra, '{}') as extra
      from readers.readers r left join readers.from_elsewhere f on f.reader_id = r.id
      where r.email > ${after} order by r.email limit ${PAGE}`.execute(db);
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows.map(({ created_at, ...row }) => ({ ...row, createdAt: toInstant(created_at) }));
    after = last.email;
  }
}

/** What readers' further columns are called, in whatever lists they came. */
export async function furtherColumns(db: Db): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select distinct jsonb_object_keys(extra) as name from readers.from_elsewhere order by name`.execute(db);
  return rows.map(({ name }) => name);
}
