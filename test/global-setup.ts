import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { openEmbeddedPostgres } from '../src/platform/embedded-postgres.ts';
import { createLogger } from '../src/platform/log.ts';
import { migrate } from '../src/platform/migrate.ts';
import { prepareQueue } from '../src/platform/queue.ts';
import { scratchFolder } from './scratch-folder.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the server that all tests share; its databases are made and dropped by `testDatabase`. */
    postgresUrl: string;
  }
}

/** The migrated, otherwise empty database that each test's own is a copy of. */
export const TEMPLATE = 'broadsheet_template';

/** One PostgreSQL for the whole run: starting one takes a second, copying a database a hundredth. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const log = createLogger('warn');
  const data = await scratchFolder('test-postgres');
  const postgres = await openEmbeddedPostgres({
    data,
    log,
    // What a power cut would destroy is not missed here. Copies are made of files, not of rows written to the log.
    settings: {
      fsync: 'off',
      synchronous_commit: 'off',
      full_page_writes: 'off',
      max_connections: '300',
      max_wal_size: '2GB',
    },
  });
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  await client.query(`create database ${TEMPLATE}`);
  await client.end();
  const template = databaseUrl(postgres.url, TEMPLATE);
  await migrate(template, join(import.meta.dirname, '..', 'migrations'), log);
  await prepareQueue(template, log);
  project.provide('postgresUrl', postgres.url);
  return async () => {
    await postgres.release();
    await rm(data, { recursive: true, force: true });
  };
}

/** The URL of another database on the same server. */
export function databaseUrl(url: string, name: string): string {
  const other = new URL(url);
  other.pathname = `/${name}`;
  return other.href;
}
