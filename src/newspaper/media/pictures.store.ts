import { sql } from 'kysely';
import type { Db } from '#platform/db';

export async function findByDigest(db: Db, digest: Buffer): Promise<string | undefined> {
  const { rows } = await sql<{ id: string }>`select id from media.pictures where digest = ${digest}`.execute(
    db,
  );
  return rows[0]?.id;
}

/** @returns the id of the picture with these bytes: another's, where one was kept already */
export async function insertPicture(
  db: Db,
  picture: {
    readonly id: string;
    readonly digest: Buffer;
    readonly format: string;
    readonly width: number;
    readonly height: number;
    readonly bytes: number;
    readonly at: Temporal.Instant;
  },
): Promise<string> {
  const { rows } = await sql<{ id: string }>`
    insert into media.pictures (id, digest, format, width, height, bytes, made_at)
    values (${picture.id}, ${picture.digest}, ${picture.format}, ${picture.width}, ${picture.height},
      ${picture.bytes}, ${picture.at.toString()})
    on conflict (digest) do update set digest = excluded.digest returning id`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('a picture was neither kept nor found');
  return row.id;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Of which format each of some pictures is, `jpeg` or `png`; one that is not known is left out. */
export async function pictureFormats(db: Db, ids: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await sql<{ id: string; format: string }>`
    select id, format from media.pictures where id = any(${ids.filter((id) => UUID.test(id))}::uuid[])`.execute(
    db,
  );
  return new Map(rows.map((row) => [row.id, row.format]));
}
