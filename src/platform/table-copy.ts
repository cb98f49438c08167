import { finished, pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { monotonicMs } from './clock.ts';

/** A table that is kept in a back-up, and its columns but those that the database computes itself. */
export type KeptTable = {
  readonly schema: string;
  readonly name: string;
  readonly columns: string[];
};

/** How many rows a table has, and a sum over them that changes with any letter of any row. */
export type Fingerprint = { readonly rows: number; readonly sum: string };

/** A counter that numbers rows, and where it stands. */
export type KeptSequence = { readonly schema: string; readonly name: string; readonly value: string | null };

/** A name as SQL takes it, whatever letters it has. */
export const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
export const fullName = ({ schema, name }: { schema: string; name: string }): string =>
  `${quoted(schema)}.${quoted(name)}`;

/**
 * The tables of some schemas, each behind those that it refers to. Unlogged ones are left out: whoever reads them knows
 * that a crash empties them.
 */
export async function listTables(client: pg.ClientBase, schemas: readonly string[]): Promise<KeptTable[]> {
  const tables = await client.query<{ schema: string; name: string; columns: string[] }>(
    `select n.nspname as schema, c.relname as name,
       array(select a.attname::text from pg_attribute a
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
         order by a.attnum) as columns
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = any($1) and c.relkind = 'r' and c.relpersistence = 'p' order by 1, 2`,
    [schemas],
  );
  const links = await client.query<{ child: string; parent: string }>(
    `select quote_ident(cn.nspname) || '.' || quote_ident(c.relname) as child,
       quote_ident(pn.nspname) || '.' || quote_ident(p.relname) as parent
     from pg_constraint k
       join pg_class c on c.oid = k.conrelid join pg_namespace cn on cn.oid = c.relnamespace
       join pg_class p on p.oid = k.confrelid join pg_namespace pn on pn.oid = p.relnamespace
     where k.contype = 'f' and cn.nspname = any($1) and k.conrelid <> k.confrelid`,
    [schemas],
  );
  return parentsFirst(tables.rows, links.rows);
}

function parentsFirst(
  tables: readonly KeptTable[],
  links: readonly { readonly child: string; readonly parent: string }[],
): KeptTable[] {
  const plain = ({ name, schema }: KeptTable) => `${schema}.${name}`;
  const parents = Map.groupBy(links, ({ child }) => child.replaceAll('"', ''));
  const ordered: KeptTable[] = [];
  const seen = new Set<string>();
  const byName = new Map(tables.map((one) => [plain(one), one]));
  const visit = (table: KeptTable): void => {
    if (seen.has(plain(table))) return;
    seen.add(plain(table));
    for (const { parent } of parents.get(plain(table)) ?? []) {
      const before = byName.get(parent.replaceAll('"', ''));
      if (before !== undefined) visit(before);
    }
    ordered.push(table);
  };
  for (const table of tables) visit(table);
  return ordered;
}

/** Rows of a table as PostgreSQL's own text format, which every version reads, some kilobytes at a time. */
export async function* copyOut(client: pg.ClientBase, table: KeptTable): AsyncGenerator<Buffer> {
  const columns = table.columns.map(quoted).join(', ');
  const stream = client.query(copyTo(`copy ${fullName(table)} (${columns}) to stdout`));
  for await (const chunk of stream) yield chunk as Buffer;
  await finished(stream).catch(() => undefined);
}

/** Puts rows into a table, as `copyOut` gave them. */
export async function copyIn(
  client: pg.ClientBase,
  table: KeptTable,
  chunks: AsyncIterable<Uint8Array>,
): Promise<void> {
  const columns = table.columns.map(quoted).join(', ');
  await pipeline(chunks, client.query(copyFrom(`copy ${fullName(table)} (${columns}) from stdin`)));
}

/** So many pages of a table are looked at in one statement: a megabyte and a half, and what is stored beside. */
const PAGES = 200;

/**
 * The same for the same rows, in whatever order they lie, in any version of PostgreSQL.
 *
 * @param rest called between stretches of a large table, with how long the last one took, in milliseconds
 */
export async function fingerprint(
  client: pg.ClientBase,
  table: KeptTable,
  rest: (ms: number) => Promise<void> = async () => undefined,
): Promise<Fingerprint> {
  const columns = table.columns.map((name) => `t.${quoted(name)}`).join(', ');
  const { rows: sizes } = await client.query<{ pages: number }>(
    `select (pg_relation_size($1::regclass) / current_setting('block_size')::int)::int as pages`,
    [fullName(table)],
  );
  let [count, sum] = [0n, 0n];
  for (let page = 0; page <= (sizes[0]?.pages ?? 0); page += PAGES) {
    const began = monotonicMs();
    const { rows } = await client.query<{ rows: string; sum: string }>(
      `select count(*)::text as rows,
         coalesce(sum(('x' || substr(md5(row(${columns})::text), 1, 15))::bit(60)::bigint), 0)::text as sum
       from ${fullName(table)} t where ctid >= '(${page},0)' and ctid < '(${page + PAGES},0)'`,
    );
    count += BigInt(rows[0]?.rows ?? 0);
    sum += BigInt(rows[0]?.sum ?? 0);
    await rest(monotonicMs() - began);
  }
  return { rows: Number(count), sum: String(sum) };
}

export async function listSequences(
  client: pg.ClientBase,
  schemas: readonly string[],
): Promise<KeptSequence[]> {
  const { rows } = await client.query<KeptSequence>(
    `select schemaname as schema, sequencename as name, last_value::text as value from pg_sequences
     where schemaname = any($1) order by 1, 2`,
    [schemas],
  );
  return rows;
}

/** Lets a counter go on where it stood. */
export async function setSequence(client: pg.ClientBase, sequence: KeptSequence): Promise<void> {
  if (sequence.value !== null)
    await client.query(`select setval($1::regclass, $2::bigint)`, [fullName(sequence), sequence.value]);
}

/** Empties tables, and keeps their own triggers from saying or refusing anything until `wakeTriggers`. */
export async function emptyTables(client: pg.ClientBase, tables: readonly KeptTable[]): Promise<void> {
  for (const table of tables) await client.query(`alter table ${fullName(table)} disable trigger user`);
  await client.query(`truncate ${tables.map(fullName).join(', ')}`);
}

export async function wakeTriggers(client: pg.ClientBase, tables: readonly KeptTable[]): Promise<void> {
  for (const table of tables) await client.query(`alter table ${fullName(table)} enable trigger user`);
}
