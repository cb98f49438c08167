import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { isHalfRestored, undoRestore } from '#platform/backup';
import { Conflict } from '#values/errors';

/** Originals: every width is made from them again. */
export async function pictureNames(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>('select id from media.pictures order by id');
  return rows.map(({ id }) => `media/${id}/original`);
}

/**
 * Puts back what a restore that was killed had set aside, and refuses what would write over somebody's stories or readers by
 * a slip, or while a paper works with them.
 *
 * @throws Conflict `paper-runs`, before anything is done; `not-empty` unless that is to be replaced
 */
export async function prepareForRestore(
  databaseUrl: string,
  { replace, schemas }: { readonly replace: boolean; readonly schemas: readonly string[] },
): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    if (!(await isLeftAlone(client)))
      throw new Conflict('paper-runs', 'the paper runs with this database: stop it first, everywhere');
    await undoRestore(client, schemas);
    if (replace) return;
    for (const table of ['content.stories', 'readers.readers', 'staff.people']) {
      const { rows } = await client.query<{ there: string | null }>('select to_regclass($1)::text as there', [
        table,
      ]);
      if (rows[0]?.there === null || rows[0] === undefined) continue;
      if (((await client.query(`select from ${table} limit 1`)).rowCount ?? 0) > 0)
        throw new Conflict(
          'not-empty',
          `the database is not empty (${table}): --replace puts the back-up in its place`,
        );
    }
  } finally {
    await client.end();
  }
}

/**
 * No paper is run, and nothing is done, with what a restore that was killed left.
 *
 * @throws Conflict `half-restored`
 */
export async function refuseHalfRestored(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    if (await isHalfRestored(client)) throw new Conflict('half-restored', HALF_RESTORED);
  } finally {
    await client.end();
  }
}

export const HALF_RESTORED =
  'a restore was begun here and not finished: run it again, or "restore --undo" for the paper as it was before';

/** Whether no paper is connected; one that has just stopped takes a moment to be gone. */
async function isLeftAlone(client: pg.Client): Promise<boolean> {
  for (let look = 0; look < 20; look++) {
    const { rowCount } = await client.query(
      `select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
         and application_name in ('broadsheet', 'broadsheet jobs', 'broadsheet change feed')`,
    );
    if (rowCount === 0) return true;
    await sleep(100);
  }
  return false;
}

/**
 * Does something with a database that is made for it, and goes again whatever comes of that. Those of this paper that were
 * left, because whoever made them was killed, go too: they hold a copy of the readers.
 *
 * @throws Conflict `no-right` when the paper's role may make no database
 */
export async function withScratchDatabase(
  databaseUrl: string,
  work: (url: string) => Promise<void>,
): Promise<void> {
  const admin = new pg.Client({ connectionString: databaseUrl });
  await admin.connect();
  const name = `${await scratchPrefix(admin)}${randomUUID().replaceAll('-', '')}`;
  try {
    for (const left of await listScratchDatabases(admin))
      await admin.query(`drop database if exists ${left}`);
    await admin.query(`create database ${name} template template0 encoding 'UTF8'`).catch((error) => {
      throw new Conflict('no-right', `it could not be checked: ${error.message}`, { cause: error });
    });
    const url = new URL(databaseUrl);
    url.pathname = `/${name}`;
    await work(url.href);
  } finally {
    await admin.query(`drop database if exists ${name} with (force)`);
    await admin.end();
  }
}

/** Databases that a check of this paper's back-up made, and nobody is connected to any more. */
export async function listScratchDatabases(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select datname::text as name from pg_database d
     where starts_with(datname, $1) and not exists (select from pg_stat_activity a where a.datname = d.datname)`,
    [await scratchPrefix(client)],
  );
  return rows.map(({ name }) => name);
}

/** Several papers may lie on one server: the number of this one's own database is in the names of those made for it. */
async function scratchPrefix(client: pg.ClientBase): Promise<string> {
  const { rows } = await client.query<{ oid: number }>(
    'select oid::int as oid from pg_database where datname = current_database()',
  );
  return `broadsheet_check_${rows[0]?.oid}_`;
}
