import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { Logger } from './log.ts';

/** Any number that no other program takes its advisory lock on; spells "brdsheet" in hexadecimal, nearly. */
const LOCK = 0x62_72_64_73;

/**
 * Brings the database up to the newest migration, forward only. Files are plain SQL, each run once in a transaction
 * of its own, and immutable once they landed: a file that was changed after it ran stops the start. Any number of
 * processes may call this at once; a lock lets one work and the others wait for it.
 *
 * @param folder holds 0001-name.sql, 0002-name.sql, …
 * @param last the last that is to be run; left out, all are
 * @returns the names of the migrations that were run now
 */
export async function migrate(url: string, folder: string, log: Logger, last = '9999'): Promise<string[]> {
  const all = (await readdir(folder)).filter((name) => /^\d{4}-[a-z0-9-]+\.sql$/.test(name)).sort();
  const files = all.filter((name) => name <= last);
  const client = new pg.Client({ connectionString: url, application_name: 'broadsheet migrations' });
  // Lost between two statements: the next one says so.
  client.on('error', (error) => log.warn({ err: error }, 'a database connection was lost'));
  await client.connect();
  const done: string[] = [];
  try {
    await client.query('select pg_advisory_lock($1)', [LOCK]);
    await client.query('create schema if not exists platform');
    await client.query(`create table if not exists platform.migrations (
      name text primary key, digest text not null, run_at timestamptz not null default now())`);
    const { rows } = await client.query<{ name: string; digest: string }>(
      'select name, digest from platform.migrations',
    );
    const already = new Map(rows.map((row) => [row.name, row.digest]));
    for (const name of already.keys()) {
      if (!files.includes(name)) {
        throw new Error(
          `the database has had migration ${name}, which this version of the program does not know`,
        );
      }
    }
    for (const name of files) {
      const text = await readFile(join(folder, name), 'utf8');
      const digest = createHash('sha256').update(text).digest('hex');
      const known = already.get(name);
      if (known === digest) continue;
      if (known !== undefined) throw new Error(`migration ${name} was changed after it had been run`);
      await run(client, name, text, digest);
      log.info({ migration: name }, 'migrated');
      done.push(name);
    }
    return done;
  } finally {
    await client.end();
  }
}

async function run(client: pg.Client, name: string, text: string, digest: string): Promise<void> {
  await client.query('begin');
  try {
    await client.query(text);
    await client.query('insert into platform.migrations (name, digest) values ($1, $2)', [name, digest]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`migration ${name} failed: ${reason}`, { cause: error });
  }
}
