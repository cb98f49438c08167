import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { dropSchemas } from '#platform/backup';
import { Conflict } from '#values/errors';

/** Originals: every width is made from them again. */
export async function pictureNames(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>('select id from media.pictures order by id');
  return rows.map(({ id }) => `media/${id}/original`);
}

/** Nobody's stories or readers are written over by a slip, and none while a paper works with them. */
export async function refuseUnlessFree(databaseUrl: string, replace: boolean): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    if (!(await isLeftAlone(client)))
      throw new Conflict('paper-runs', 'the paper runs with this database: stop it first, everywhere');
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

/** Removes our schemas with all that is in them. */
export async function removeTables(databaseUrl: string, schemas: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await dropSchemas(client, schemas);
  } finally {
    await client.end();
  }
}

/** Does something with a database that is made for it, and goes again whatever comes of that. */
export async function withScratchDatabase(
  databaseUrl: string,
  name: string,
  work: (url: string) => Promise<void>,
): Promise<void> {
  const admin = new pg.Client({ connectionString: databaseUrl });
  await admin.connect();
  try {
    await admin.query(`create database ${name} template template0 encoding 'UTF8'`);
    const url = new URL(databaseUrl);
    url.pathname = `/${name}`;
    await work(url.href);
  } finally {
    await admin.query(`drop database if exists ${name} with (force)`);
    await admin.end();
  }
}
