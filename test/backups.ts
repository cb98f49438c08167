import pg from 'pg';
import type { Clock } from '#platform/clock';
import { createLogger } from '#platform/log';
import { BACKUP_COMMANDS } from '../src/main/backup-commands.ts';
import { composePaper, type Paper } from '../src/main/compose.ts';
import { testDatabase } from './db.ts';

const made: string[] = [];

/** A database with none of our schemas, to which nobody is connected; `dropEmptyDatabases` takes it away. */
export async function emptyDatabase(): Promise<{ url: string }> {
  const { close, pool, url } = await testDatabase();
  made.push(url);
  const { rows } = await pool.query(
    `select nspname from pg_namespace where nspname !~ '^pg_|^information_schema$|^public$'`,
  );
  for (const { nspname } of rows) await pool.query(`drop schema "${nspname}" cascade`);
  await close();
  return { url };
}

export async function dropEmptyDatabases(): Promise<void> {
  const admin = await testDatabase();
  for (const url of made.splice(0))
    await admin.pool.query(`drop database "${new URL(url).pathname.slice(1)}" with (force)`);
  await admin.drop();
}

export async function ask(url: string, sql: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(sql);
  } finally {
    await client.end();
  }
}

/** Runs the command; gives what it says to a program. */
export async function runBackup(
  name: 'backup' | 'restore',
  at: { url: string; file?: string; data: string; passphrase?: string; signal?: AbortSignal },
  options: Record<string, boolean> = {},
): Promise<Record<string, unknown>> {
  const command = BACKUP_COMMANDS.find((one) => one.name === name);
  const context = {
    databaseUrl: at.url,
    config: { dataFolder: at.data, passphrase: at.passphrase },
    log: createLogger('silent'),
    args: at.file === undefined ? [] : [at.file],
    options,
    signal: at.signal ?? new AbortController().signal,
  };
  return (await command?.run(context as never))?.json as Record<string, unknown>;
}

/** The paper over a database that something was restored into. */
export function openRestored(databaseUrl: string, dataFolder: string, clock: Clock): Promise<Paper> {
  return composePaper({
    databaseUrl,
    baseUrl: 'http://localhost:3000',
    dataFolder,
    secret: 'a secret of the tests',
    trustedProxyHops: 0,
    sandbox: true,
    inProcess: true,
    clock,
    log: createLogger('silent'),
  });
}

/** Every row of every table, where every counter stands, and which triggers there are. */
export async function everything(url: string): Promise<Record<string, unknown>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
       where schemaname !~ '^pg_|^information_schema$|^public$' order by 1`,
    );
    const all: Record<string, unknown> = {};
    for (const { name } of tables) {
      if (name === 'readers.attempts' || name.endsWith('.migrations')) continue;
      all[name] = (await client.query(`select t::text as row from ${name} t order by 1`)).rows.map(
        ({ row }) => row,
      );
    }
    all.sequences = (
      await client.query('select schemaname, sequencename, last_value from pg_sequences order by 1, 2')
    ).rows;
    all.triggers = (
      await client.query(
        `select tgrelid::regclass::text, tgname, tgenabled from pg_trigger where not tgisinternal order by 1, 2`,
      )
    ).rows;
    return all;
  } finally {
    await client.end();
  }
}
