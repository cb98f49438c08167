import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { z } from 'zod';
import { Invalid } from '#values/errors';
import { parseJson } from '#values/json';
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
  type KeptTable,
  listSequences,
  listTables,
  quoted,
  setSequence,
  wakeTriggers,
} from './table-copy.ts';

const manifestSchema = z.object({
  format: z.literal(1),
  made_at: z.string(),
  postgres: z.string(),
  migrations: z.array(z.string()).min(1),
  schemas: z.array(z.string()),
  tables: z.array(z.object({ schema: z.string(), name: z.string(), columns: z.array(z.string()) })),
  sequences: z.array(z.object({ schema: z.string(), name: z.string(), value: z.nullable(z.string()) })),
});

/** What a back-up says of itself, before all else; its migrations are those that the database had had, in order. */
export type Manifest = Readonly<z.output<typeof manifestSchema>>;

const checksSchema = z.object({
  tables: z.record(z.string(), z.object({ rows: z.number(), sum: z.string() })),
  objects: z.number(),
  missing: z.array(z.string()),
});

/**
 * What it says at its end, so that whoever restores it can see that it is all there; `missing` are objects that the database
 * names and the store had not.
 */
export type Checks = Readonly<z.output<typeof checksSchema>>;

/** A piece of a table in memory: large enough to be few, small enough to be nothing. */
const PIECE = 512 * 1024;
const MANIFEST = 'manifest.json';
const CHECKS = 'checks.json';
const SECRET = 'secret';

export type BackupSource = {
  readonly databaseUrl: string;
  readonly objects: ObjectStore;
  /** Schemas that are the program's own. */
  readonly schemas: string[];
  /** Names of the objects that belong to what the database holds, read in the same moment as all else. */
  readonly objectNames: (client: pg.ClientBase) => Promise<readonly string[]>;
  /** Told which process of the database's does the work. */
  readonly onWorker?: (pid: number) => void;
  /** What signs and seals; kept, since what is sealed in the database opens with nothing else. */
  readonly secret: string | undefined;
  /** Ends it before it is done: then nothing of it stays. */
  readonly signal: AbortSignal;
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
  return onConnection(source.databaseUrl, async (client) => {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    if (rows[0] !== undefined) source.onWorker?.(rows[0].pid);
    await client.query('begin transaction isolation level repeatable read read only');
    const manifest = await makeManifest(client, source.schemas);
    const checks = { tables: {} as Record<string, Fingerprint>, objects: 0, missing: [] as string[] };
    const entries = untilStopped(entriesOf(client, source, manifest, checks), source.signal);
    await writeBackupFile(path, entries, passphrase);
    return { manifest, checks };
  });
}

async function makeManifest(client: pg.Client, schemas: string[]): Promise<Manifest> {
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
      yield { name: `tables/${plainName(table)}/${String(++piece).padStart(6, '0')}`, bytes };
    }
    checks.tables[plainName(table)] = await fingerprint(client, table, rest);
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

/** Whoever is told to stop stops before the next entry. */
async function* untilStopped(
  entries: AsyncIterable<BackupEntry>,
  signal: AbortSignal,
): AsyncGenerator<BackupEntry> {
  for await (const entry of entries) {
    signal.throwIfAborted();
    yield entry;
  }
}

export type RestoreTarget = {
  readonly databaseUrl: string;
  readonly objects: ObjectStore;
  /** Schemas that are the program's own: nothing else is touched, whatever the file says. */
  readonly schemas: readonly string[];
  /** Names of the objects that belong to what the database holds: no others are put anywhere. */
  readonly objectNames: (client: pg.ClientBase) => Promise<readonly string[]>;
  /** Makes the tables of our schemas as they were after a migration, in a database that has none. */
  readonly makeTables: (lastMigration: string) => Promise<void>;
  /** Brings them up to this version of the program. */
  readonly bringUpToDate: () => Promise<void>;
  /** Keeps what signs and seals, where nothing of that kind is set. */
  readonly keepSecret: (secret: string) => Promise<void>;
  /** Ends it before it is done: then the database is as it was before. */
  readonly signal: AbortSignal;
};

/**
 * Puts a back-up into the place of what a database has in our schemas, and its objects into the store; then looks whether all
 * of it is there. What was in the database is set aside until then, and put back when anything goes wrong: also, by
 * `undoRestore`, when this program was killed meanwhile.
 *
 * @throws Invalid as `readBackupFile` does; `broken-file` also when what arrived is not what was written
 */
export async function restoreBackup(
  target: RestoreTarget,
  path: string,
  passphrase: string | undefined,
): Promise<{ readonly manifest: Manifest; readonly checks: Checks }> {
  const entries = untilStopped(readBackupFile(path, passphrase), target.signal);
  const manifest = await readManifest(entries, path);
  await onConnection(target.databaseUrl, async (client) => {
    await undoRestore(client, target.schemas);
    await setAside(client, target.schemas);
  });
  try {
    await target.makeTables(manifest.migrations.at(-1) as string);
    const { checks, secret } = await onConnection(target.databaseUrl, (client) =>
      fill(client, target, manifest, entries, path),
    );
    await target.bringUpToDate();
    if (secret !== undefined) await target.keepSecret(secret);
    await onConnection(target.databaseUrl, (client) => dropSchemas(client, target.schemas.map(asideName)));
    return { manifest, checks };
  } catch (error) {
    await onConnection(target.databaseUrl, (client) => undoRestore(client, target.schemas));
    throw error;
  }
}

async function readManifest(entries: AsyncGenerator<BackupEntry>, path: string): Promise<Manifest> {
  const first = await entries.next();
  if (first.done || first.value.name !== MANIFEST)
    throw new Invalid('wrong-file', `${path} is no back-up of a paper`);
  const manifest = parsed(manifestSchema, first.value.bytes);
  if (manifest === undefined)
    throw new Invalid('wrong-file', `${path} is of a format that this version of the program does not know`);
  return manifest;
}

function parsed<T>(schema: z.ZodType<T>, bytes: Uint8Array): T | undefined {
  try {
    return schema.safeParse(parseJson(Buffer.from(bytes).toString('utf8'))).data;
  } catch {
    return undefined;
  }
}

async function fill(
  client: pg.Client,
  target: RestoreTarget,
  manifest: Manifest,
  entries: AsyncGenerator<BackupEntry>,
  path: string,
): Promise<{ checks: Checks; secret: string | undefined }> {
  await client.query('begin');
  const here = new Set((await listTables(client, target.schemas)).map(plainName));
  const sequencesHere = new Set((await listSequences(client, target.schemas)).map(plainName));
  const unknown =
    manifest.tables.find((one) => !here.has(plainName(one))) ??
    manifest.sequences.find((one) => !sequencesHere.has(plainName(one)));
  if (unknown !== undefined)
    throw new Invalid('broken-file', `${path} has ${plainName(unknown)}, which nobody knows`);
  const { tables } = manifest;
  await emptyTables(client, tables);
  let checks: Checks | undefined;
  let secret: string | undefined;
  let objectsHere: Set<string> | undefined;
  let objects = 0;
  let next = await entries.next();
  while (!next.done) {
    const { bytes, name } = next.value;
    const [kind, of] = name.split('/');
    if (kind === 'tables') {
      const table = tables.find((one) => plainName(one) === of);
      if (table === undefined)
        throw new Invalid('broken-file', `${path} has rows of a table ${of} that it does not name`);
      const rows = piecesOf(entries, next.value, `tables/${of}/`);
      await copyIn(client, table, rows.chunks()).catch((error: unknown) => {
        if (!(error instanceof pg.DatabaseError)) throw error;
        const reason = `${fullName(table)} does not take what it has (${error.message})`;
        throw new Invalid('broken-file', `${path}: ${reason}`, { cause: error });
      });
      next = rows.next();
      continue;
    }
    if (kind === 'objects') {
      objectsHere ??= new Set(await target.objectNames(client));
      const object = name.slice('objects/'.length);
      if (!objectsHere.has(object))
        throw new Invalid('broken-file', `${path} has ${object}, which its tables do not name`);
      await target.objects.put(object, bytes);
      objects++;
    } else if (name === SECRET) secret = Buffer.from(bytes).toString('utf8');
    else if (name === CHECKS) checks = parsed(checksSchema, bytes);
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
  return { checks, secret };
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
  const wanted = checks.tables[plainName(table)];
  const found = await fingerprint(client, table);
  if (wanted?.rows !== found.rows || wanted.sum !== found.sum)
    throw new Invalid('broken-file', `${path}: ${fullName(table)} is not what it was when it was written`);
}

function plainName({ name, schema }: { readonly schema: string; readonly name: string }): string {
  return `${schema}.${name}`;
}

/** Where a schema lies while a restore puts another into its place. */
const ASIDE = '_before_restore';
const asideName = (schema: string) => schema + ASIDE;

/** Whether a restore was begun here and not finished: what was there before lies aside. */
export async function isHalfRestored(client: pg.ClientBase): Promise<boolean> {
  const { rowCount } = await client.query('select from pg_namespace where right(nspname, $1) = $2', [
    ASIDE.length,
    ASIDE,
  ]);
  return rowCount !== 0;
}

/** Puts back what a restore that was not finished had set aside, in the place of what it made; otherwise does nothing. */
export async function undoRestore(client: pg.ClientBase, schemas: readonly string[]): Promise<void> {
  const aside = new Set(await listSchemas(client, schemas.map(asideName)));
  if (aside.size === 0) return;
  await client.query('begin');
  await dropSchemas(client, schemas);
  for (const schema of schemas.filter((one) => aside.has(asideName(one))))
    await client.query(`alter schema ${quoted(asideName(schema))} rename to ${quoted(schema)}`);
  await client.query('commit');
}

async function setAside(client: pg.ClientBase, schemas: readonly string[]): Promise<void> {
  await client.query('begin');
  for (const schema of await listSchemas(client, schemas))
    await client.query(`alter schema ${quoted(schema)} rename to ${quoted(asideName(schema))}`);
  await client.query('commit');
}

async function listSchemas(client: pg.ClientBase, names: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    'select nspname::text as name from pg_namespace where nspname = any($1) order by 1',
    [names],
  );
  return rows.map(({ name }) => name);
}

async function dropSchemas(client: pg.ClientBase, schemas: readonly string[]): Promise<void> {
  for (const schema of schemas) await client.query(`drop schema if exists ${quoted(schema)} cascade`);
}

async function onConnection<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connect(url);
  try {
    return await work(client);
  } finally {
    await client.end();
  }
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
