import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { Invalid } from '#values/errors';
import { type BackupEntry, readBackupFile, writeBackupFile } from './backup-file.ts';
import { machineMs, monotonicMs } from './clock.ts';
import type { ObjectStore } from './object-store.ts';
import {
  copyIn,
  copyOut,
  emptyTables,
  type Fingerprint,
  fingerprint,
  fullName,
  type KeptSequence,
  type KeptTable,
  listSequences,
  listTables,
  setSequence,
  wakeTriggers,
} from './table-copy.ts';

/** What a back-up says of itself, before all else. */
export type Manifest = {
  readonly format: 1;
  readonly made_at: string;
  readonly postgres: string;
  /** Migrations that the database had had, in order. */
  readonly migrations: readonly string[];
  readonly schemas: readonly string[];
  readonly tables: readonly KeptTable[];
  readonly sequences: readonly KeptSequence[];
};

/** What it says at its end, so that whoever restores it can see that it is all there. */
export type Checks = {
  readonly tables: Readonly<Record<string, Fingerprint>>;
  readonly objects: number;
  /** Objects that the database names and the store had not. */
  readonly missing: readonly string[];
};

/** A piece of a table in memory: large enough to be few, small enough to be nothing. */
const PIECE = 512 * 1024;
const MANIFEST = 'manifest.json';
const CHECKS = 'checks.json';
const SECRET = 'secret';

export type BackupSource = {
  readonly databaseUrl: string;
  readonly objects: ObjectStore;
  /** Schemas that are the program's own. */
  readonly schemas: readonly string[];
  /** Names of the objects that belong to what the database holds, read in the same moment as all else. */
  readonly objectNames: (client: pg.ClientBase) => Promise<readonly string[]>;
  /** Told which process of the database's does the work. */
  readonly onWorker?: (pid: number) => void;
  /** What signs and seals; kept, since what is sealed in the database opens with nothing else. */
  readonly secret: string | undefined;
};

/**
 * Writes everything into one file, while others go on reading and writing: the database as it was in one moment, and the
 * objects that belong to it.
 */
export async function writeBackup(
  source: BackupSource,
  path: string,
  passphrase: string | undefined,
): Promise<{ readonly manifest: Manifest; readonly checks: Checks }> {
  const client = await connect(source.databaseUrl);
  try {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    if (rows[0] !== undefined) source.onWorker?.(rows[0].pid);
    await client.query('begin transaction isolation level repeatable read read only');
    const manifest = await makeManifest(client, source.schemas);
    const checks = { tables: {} as Record<string, Fingerprint>, objects: 0, missing: [] as string[] };
    await writeBackupFile(path, entriesOf(client, source, manifest, checks), passphrase);
    return { manifest, checks };
  } finally {
    await client.end();
  }
}

async function makeManifest(client: pg.Client, schemas: readonly string[]): Promise<Manifest> {
  const { rows } = await client.query<{ name: string }>('select name from platform.migrations order by name');
  const version = await client.query<{ server_version: string }>('show server_version');
  return {
    format: 1,
    made_at: new Date(machineMs()).toISOString(),
    postgres: version.rows[0]?.server_version ?? '',
    migrations: rows.map((row) => row.name),
    schemas,
    tables: (await listTables(client, schemas)).filter(({ name, schema }) => !isMadeAnew(schema, name)),
    sequences: await listSequences(client, schemas),
  };
}

/** What a restored database has already, from its migrations and those of the queue. */
function isMadeAnew(schema: string, name: string): boolean {
  return name === 'migrations' && (schema === 'platform' || schema === 'jobs');
}

async function* entriesOf(
  client: pg.Client,
  source: BackupSource,
  manifest: Manifest,
  checks: { tables: Record<string, Fingerprint>; objects: number; missing: string[] },
): AsyncGenerator<BackupEntry> {
  yield json(MANIFEST, manifest);
  if (source.secret !== undefined) yield { name: SECRET, bytes: Buffer.from(source.secret) };
  for (const table of manifest.tables) {
    let piece = 0;
    for await (const bytes of inPieces(copyOut(client, table))) {
      yield { name: `tables/${table.schema}.${table.name}/${String(++piece).padStart(6, '0')}`, bytes };
    }
    checks.tables[`${table.schema}.${table.name}`] = await fingerprint(client, table, rest);
  }
  for (const name of await source.objectNames(client)) {
    const bytes = await source.objects.get(name);
    if (bytes === undefined) checks.missing.push(name);
    else {
      checks.objects++;
      yield { name: `objects/${name}`, bytes };
    }
  }
  yield json(CHECKS, checks);
}

/** Rests twice as long as something took: there is time, and whoever reads the paper has none. */
const rest = (ms: number) => sleep(2 * ms);

async function* inPieces(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let began = monotonicMs();
  let gathered: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    gathered.push(chunk);
    length += chunk.length;
    if (length < PIECE) continue;
    yield Buffer.concat(gathered);
    gathered = [];
    length = 0;
    await rest(monotonicMs() - began);
    began = monotonicMs();
  }
  if (length > 0) yield Buffer.concat(gathered);
}

function json(name: string, value: unknown): BackupEntry {
  return { name, bytes: Buffer.from(`${JSON.stringify(value)}\n`) };
}

export type RestoreTarget = {
  readonly databaseUrl: string;
  readonly objects: ObjectStore;
  /** Makes the tables of our schemas as they were after a migration, in a database that has none. */
  readonly makeTables: (lastMigration: string) => Promise<void>;
  /** Brings them up to this version of the program. */
  readonly bringUpToDate: () => Promise<void>;
  /** Keeps what signs and seals, where nothing of that kind is set. */
  readonly keepSecret: (secret: string) => Promise<void>;
};

/**
 * Puts a back-up into a database that has none of our schemas, and its objects into the store; then looks whether all of it
 * is there. What goes wrong before the end leaves the database without our tables.
 *
 * @throws Invalid as `readBackupFile` does; `broken-file` also when what arrived is not what was written
 */
export async function restoreBackup(
  target: RestoreTarget,
  path: string,
  passphrase: string | undefined,
): Promise<{ readonly manifest: Manifest; readonly checks: Checks }> {
  const entries = readBackupFile(path, passphrase);
  const manifest = await readManifest(entries, path);
  const lastMigration = manifest.migrations.at(-1);
  if (lastMigration === undefined) throw new Invalid('broken-file', `${path} says nothing of its tables`);
  await target.makeTables(lastMigration);
  const client = await connect(target.databaseUrl);
  try {
    const checks = await fill(client, target, manifest, entries, path);
    await client.end();
    await target.bringUpToDate();
    return { manifest, checks };
  } catch (error) {
    // Nothing half restored stays behind.
    await client.query('rollback').catch(() => undefined);
    await dropSchemas(client, manifest.schemas).catch(() => undefined);
    await client.end().catch(() => undefined);
    throw error;
  }
}

async function readManifest(entries: AsyncGenerator<BackupEntry>, path: string): Promise<Manifest> {
  const first = await entries.next();
  if (first.done || first.value.name !== MANIFEST)
    throw new Invalid('wrong-file', `${path} is no back-up of a paper`);
  const manifest = JSON.parse(Buffer.from(first.value.bytes).toString('utf8')) as Manifest;
  if (manifest.format !== 1)
    throw new Invalid('wrong-file', `${path} is of a format that this version of the program does not know`);
  return manifest;
}

async function fill(
  client: pg.Client,
  target: RestoreTarget,
  manifest: Manifest,
  entries: AsyncGenerator<BackupEntry>,
  path: string,
): Promise<Checks> {
  await client.query('begin');
  const here = new Map(
    (await listTables(client, manifest.schemas)).map((one) => [`${one.schema}.${one.name}`, one]),
  );
  const tables = manifest.tables.filter(({ name, schema }) => here.has(`${schema}.${name}`));
  const lost = manifest.tables.find(({ name, schema }) => !here.has(`${schema}.${name}`));
  if (lost !== undefined)
    throw new Invalid('broken-file', `${path} has a table ${lost.schema}.${lost.name} that nobody knows`);
  await emptyTables(client, tables);
  let checks: Checks | undefined;
  let secret: string | undefined;
  let objects = 0;
  let next = await entries.next();
  while (!next.done) {
    const { bytes, name } = next.value;
    const [kind, of] = name.split('/');
    if (kind === 'tables') {
      const table = tables.find((one) => `${one.schema}.${one.name}` === of);
      if (table === undefined)
        throw new Invalid('broken-file', `${path} has rows of a table ${of} that it does not name`);
      const rows = piecesOf(entries, next.value, `tables/${of}/`);
      await copyIn(client, table, rows.chunks());
      next = rows.next();
      continue;
    }
    if (kind === 'objects') {
      await target.objects.put(name.slice('objects/'.length), bytes);
      objects++;
    } else if (name === SECRET) secret = Buffer.from(bytes).toString('utf8');
    else if (name === CHECKS) checks = JSON.parse(Buffer.from(bytes).toString('utf8')) as Checks;
    next = await entries.next();
  }
  if (checks === undefined || checks.objects !== objects)
    throw new Invalid('broken-file', `${path} ends before its end`);
  for (const table of tables) await compare(client, table, checks, path);
  for (const sequence of manifest.sequences) await setSequence(client, sequence);
  // What waits for the end of the transaction is looked at now: a table with such checks pending cannot be altered.
  await client.query('set constraints all immediate');
  await wakeTriggers(client, tables);
  await client.query('commit');
  if (secret !== undefined) await target.keepSecret(secret);
  return checks;
}

/** The pieces of one table, which lie behind each other, and what comes behind them. */
function piecesOf(entries: AsyncGenerator<BackupEntry>, first: BackupEntry, under: string) {
  let behind: IteratorResult<BackupEntry> = { done: false, value: first };
  return {
    async *chunks(): AsyncGenerator<Uint8Array> {
      while (!behind.done && behind.value.name.startsWith(under)) {
        yield behind.value.bytes;
        behind = await entries.next();
      }
    },
    next: () => behind,
  };
}

async function compare(client: pg.Client, table: KeptTable, checks: Checks, path: string): Promise<void> {
  const wanted = checks.tables[`${table.schema}.${table.name}`];
  const found = await fingerprint(client, table);
  if (wanted?.rows !== found.rows || wanted.sum !== found.sum)
    throw new Invalid('broken-file', `${path}: ${fullName(table)} is not what it was when it was written`);
}

/** Removes our schemas with all that is in them. */
export async function dropSchemas(client: pg.ClientBase, schemas: readonly string[]): Promise<void> {
  for (const schema of schemas)
    await client.query(`drop schema if exists "${schema.replaceAll('"', '""')}" cascade`);
}

/** A connection of its own, that writes every value in the same way whatever the server's settings. */
async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'broadsheet back-up' });
  client.on('error', () => undefined);
  await client.connect();
  await client.query(
    `set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set extra_float_digits = 1;
     set bytea_output = 'hex'; set client_encoding = 'UTF8'; set statement_timeout = 0; set lock_timeout = '10s';
     set max_parallel_workers_per_gather = 0`,
  );
  return client;
}
