import { sql } from 'kysely';
import type { Db } from '#platform/db';
import { groupedOver } from '#platform/grouped';

/** What another site's library says of a file, under an address that is not always the file's own. */
export type Attachment = {
  readonly address: string;
  readonly fileAddress: string;
  readonly alt: string;
  readonly caption: string;
  readonly credit: string;
  /** The gallery that it belongs to, by the address which a story names that by, and where it stands there. */
  readonly gallery?: string;
  readonly position?: number;
};

/** Keeps what a library says; the newest word counts. */
export async function keepAttachments(db: Db, attachments: readonly Attachment[]): Promise<void> {
  const byAddress = new Map(attachments.map((one) => [one.address, one]));
  // Sorted, so that two imports at once take their locks in the same order.
  const all = [...byAddress.keys()].sort().map((address) => byAddress.get(address) as Attachment);
  if (all.length === 0) return;
  await sql`
    insert into media.attachments (address, file_address, alt, caption, credit, gallery, position)
    select * from unnest(${all.map((one) => one.address)}::text[], ${all.map((one) => one.fileAddress)}::text[],
      ${all.map((one) => one.alt)}::text[], ${all.map((one) => one.caption)}::text[],
      ${all.map((one) => one.credit)}::text[], ${all.map((one) => one.gallery ?? null)}::text[],
      ${all.map((one) => one.position ?? 0)}::int[])
    on conflict (address) do update set file_address = excluded.file_address, alt = excluded.alt,
      caption = excluded.caption, credit = excluded.credit, gallery = excluded.gallery, position = excluded.position`.execute(
    db,
  );
}

/** What is known of an address at which a picture lies. */
export type Origin = Omit<Attachment, 'address' | 'gallery' | 'position'> & {
  /** Whether another site's library names it. */
  readonly isOfLibrary: boolean;
  /** The picture of ours that came from there. */
  readonly pictureId: string | undefined;
};

/** What is known of each of some addresses. */
export async function findOrigins(db: Db, addresses: readonly string[]): Promise<Map<string, Origin>> {
  const { rows } = await sql<Origin & { address: string; pictureId: string | null }>`
    select asked.address, coalesce(a.file_address, asked.address) as "fileAddress", coalesce(a.alt, '') as alt,
      coalesce(a.caption, '') as caption, coalesce(a.credit, '') as credit, a.address is not null as "isOfLibrary",
      o.picture_id as "pictureId"
    from unnest(${addresses}::text[]) asked (address)
    left join media.attachments a on a.address = asked.address
    left join media.origins o on o.address = coalesce(a.file_address, asked.address)`.execute(db);
  return new Map(
    rows.map(({ address, pictureId, ...row }) => [address, { ...row, pictureId: pictureId ?? undefined }]),
  );
}

/** The addresses of what belongs to each of some galleries, in order. */
export async function listGalleries(db: Db, galleries: readonly string[]): Promise<Map<string, string[]>> {
  const { rows } = await sql<{ gallery: string; addresses: string[] }>`
    select gallery, array_agg(address order by position, address) as addresses from media.attachments
    where gallery = any(${galleries}::text[]) group by gallery`.execute(db);
  return new Map(rows.map((row) => [row.gallery, row.addresses]));
}

/** Remembers which picture of ours lay at an address. */
export async function keepOrigin(db: Db, address: string, pictureId: string): Promise<void> {
  await sql`
    insert into media.origins (address, path, picture_id) values (${address}, ${pathOf(address) ?? null}, ${pictureId})
    on conflict (address) do update set picture_id = excluded.picture_id, path = excluded.path`.execute(db);
}

const LONGEST_PATH = 2_000;

/** The path of a picture's address, decoded; undefined where nobody could ask for it. */
function pathOf(address: string): string | undefined {
  try {
    const path = decodeURIComponent(new URL(address, 'http://nowhere.invalid').pathname).normalize();
    return Buffer.byteLength(path) <= LONGEST_PATH && !path.includes('\0') ? path : undefined;
  } catch {
    return undefined;
  }
}

/** Two sites that were brought here may have had different pictures at one path; more are not looked at. */
const MOST_AT_ONE_PATH = 4;

/**
 * The pictures of ours that lay at one of some paths, whatever site those were at: those of the first path first. Many
 * questions in one statement.
 */
export const findByOldPath = groupedOver(
  async (db: Db, asked: (readonly string[])[]): Promise<string[][]> => {
    const ways = asked.flatMap((paths, at) => paths.map((path) => ({ at, path })));
    const { rows } = await sql<{ at: number; id: string }>`
      select asked.at, o.picture_id as id
      from unnest(${ways.map(({ at }) => at)}::int[], ${ways.map(({ path }) => path)}::text[])
          with ordinality as asked (at, path, rank)
        cross join lateral (
          select picture_id, address from media.origins where path = asked.path
          order by address limit ${MOST_AT_ONE_PATH}) o
      order by asked.rank, o.address`.execute(db);
    const found = Map.groupBy(rows, ({ at }) => at);
    return asked.map((_, at) => (found.get(at) ?? []).map(({ id }) => id));
  },
  { most: 100, inFlight: 1 },
);
