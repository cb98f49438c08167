import { sql } from 'kysely';
import type { Db, Tx } from '#platform/db';
import { uuidv7 } from '#platform/ids';

/** What another system says of one of its readers. */
export type ReaderFromElsewhere = {
  /** As `emailAddress` has it. */
  readonly email: string;
  readonly name: string;
  /** ISO 3166. */
  readonly country: string | undefined;
  readonly state: string | undefined;
  readonly since: Temporal.Instant | undefined;
  readonly labels: readonly string[];
  readonly newsletters: readonly string[];
  readonly note: string;
  readonly extra: Readonly<Record<string, string>>;
};

/** A reader who was taken in: `isNew` where there was no account of this address before. */
export type TakenIn = { readonly id: string; readonly isNew: boolean };

/**
 * Opens accounts for readers of another system, whose addresses it has proven, and notes what it says of them. An
 * account that is here already stays as its reader has it.
 *
 * @param readers no two of one address
 * @returns each reader's account, in order
 */
export async function takeReadersIn(
  tx: Tx,
  readers: readonly ReaderFromElsewhere[],
  source: string,
  now: Temporal.Instant,
): Promise<TakenIn[]> {
  const rows = readers.map((one) => ({
    id: uuidv7(),
    email: one.email,
    name: one.name,
    country: one.country ?? null,
    state: one.state ?? null,
    since: (one.since ?? now).toString(),
  }));
  await sql`
    insert into readers.readers (id, email, email_verified, name, country, state, created_at, updated_at)
    select id, email, true, name, country, state, since, ${now.toString()}
    from json_to_recordset(${JSON.stringify(rows)}::json) as new (
      id uuid, email text, name text, country text, state text, since timestamptz)
    order by email
    on conflict (email) do nothing`.execute(tx);
  const found = await sql<{ id: string; email: string }>`
    select id, email from readers.readers where email = any(${rows.map((row) => row.email)}::text[])`.execute(
    tx,
  );
  const ids = new Map(found.rows.map((row) => [row.email, row.id]));
  const taken = rows.map((row) => {
    const id = ids.get(row.email);
    if (id === undefined) throw new Error('a reader was neither taken in nor found');
    return { id, isNew: id === row.id };
  });
  const said = readers.map((one, at) => ({
    reader_id: taken[at]?.id,
    labels: one.labels,
    newsletters: one.newsletters,
    note: one.note,
    extra: one.extra,
  }));
  await sql`
    insert into readers.from_elsewhere (reader_id, source, labels, newsletters, note, extra, came_at)
    select (one->>'reader_id')::uuid, ${source}, array(select jsonb_array_elements_text(one->'labels')),
      array(select jsonb_array_elements_text(one->'newsletters')), one->>'note', one->'extra', ${now.toString()}
    from jsonb_array_elements(${JSON.stringify(said)}::jsonb) as one
    on conflict (reader_id) do update set source = excluded.source, labels = excluded.labels,
      newsletters = excluded.newsletters, note = excluded.note, extra = excluded.extra`.execute(tx);
  return taken;
}

/** What another system said of a reader, in plain names; undefined where none did. */
export async function saidElsewhere(
  db: Db,
  readerId: string,
): Promise<
  | { source: string; labels: string[]; newsletters: string[]; note: string; extra: Record<string, string> }
  | undefined
> {
  const { rows } = await sql<{
    source: string;
    labels: string[];
    newsletters: string[];
    note: string;
    extra: Record<string, string>;
  }>`
    select source, labels, newsletters, note, extra from readers.from_elsewhere where reader_id = ${readerId}`.execute(
    db,
  );
  return rows[0];
}

/** Somebody who may be invited: they came from elsewhere, or by an operator's word, and have no password yet. */
export type Uninvited = { readonly id: string; readonly email: string };

/** Readers who came from elsewhere, have no password and were not invited, in the order of their ids. */
export async function listUninvited(tx: Tx, limit: number): Promise<Uninvited[]> {
  const { rows } = await sql<Uninvited>`
    select r.id, r.email from readers.from_elsewhere f join readers.readers r on r.id = f.reader_id
    where f.invited_at is null
      and not exists (select from readers.credentials c where c.reader_id = r.id and c.provider = 'credential')
    order by f.reader_id limit ${limit} for update of f skip locked`.execute(tx);
  return rows;
}

/** Gives readers a link each, as a digest; one that they had before is dead from then on. */
export async function writeInvitations(
  tx: Tx,
  links: readonly { readonly readerId: string; readonly digest: Buffer }[],
  madeAt: Temporal.Instant,
  endsAt: Temporal.Instant,
): Promise<void> {
  await sql`
    insert into readers.invitations (reader_id, digest, made_at, ends_at)
    select reader_id, digest, ${madeAt.toString()}, ${endsAt.toString()}
    from unnest(${links.map((one) => one.readerId)}::uuid[], ${links.map((one) => one.digest)}::bytea[])
      as new (reader_id, digest)
    on conflict (reader_id) do update
      set digest = excluded.digest, made_at = excluded.made_at, ends_at = excluded.ends_at`.execute(tx);
  await sql`
    update readers.from_elsewhere set invited_at = ${madeAt.toString()}
    where reader_id = any(${links.map((one) => one.readerId)}::uuid[])`.execute(tx);
}

/** Whose link this is, while it can be used: its reader has no password yet. */
export async function findInvited(
  db: Db | Tx,
  digest: Buffer,
  now: Temporal.Instant,
): Promise<Uninvited | undefined> {
  const { rows } = await sql<Uninvited>`
    select r.id, r.email from readers.invitations i join readers.readers r on r.id = i.reader_id
    where i.digest = ${digest} and i.ends_at > ${now.toString()}
      and not exists (select from readers.credentials c where c.reader_id = r.id and c.provider = 'credential')`.execute(
    db,
  );
  return rows[0];
}

/** Uses a link up: of many who try at once, one does. */
export async function takeInvitation(db: Db, digest: Buffer): Promise<boolean> {
  const { numAffectedRows } = await sql`delete from readers.invitations where digest = ${digest}`.execute(db);
  return numAffectedRows === 1n;
}
