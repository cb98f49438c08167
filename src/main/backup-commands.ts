import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Checks, type Manifest, restoreBackup, writeBackup } from '#platform/backup';
import { readBackupFile } from '#platform/backup-file';
import { makeFolder } from '#platform/folders';
import { migrate } from '#platform/migrate';
import { folderStore, type ObjectStore } from '#platform/object-store';
import { prepareQueue, releaseAllJobs } from '#platform/queue';
import { lowerPoolPriority, lowerPriority } from '#platform/thread-priority';
import { Invalid } from '#values/errors';
import { type BareCommand, type BareContext, type CommandResult, one } from './command.ts';
import { HOME } from './compose.ts';
import { pictureNames, prepareForRestore, withScratchDatabase } from './restoring.store.ts';

/** What is safe when the machine is not: everything in one file, and back. */
export const BACKUP_COMMANDS: readonly BareCommand[] = [
  {
    name: 'backup',
    usage: 'FILE [--check]',
    does: 'everything in one file, while the paper runs; encrypted where BROADSHEET_PASSPHRASE is set',
    bare: true,
    run: backup,
  },
  {
    name: 'restore',
    usage: 'FILE [--replace] | --undo',
    does: 'puts a back-up into an empty paper, or in the place of one, and looks whether it is all there',
    bare: true,
    run: restore,
  },
];

const MIGRATIONS = join(HOME, 'migrations');

async function backup({
  args,
  config,
  databaseUrl,
  log,
  options,
  signal,
}: BareContext): Promise<CommandResult> {
  const path = one(args, 'backup FILE');
  // Whoever reads the paper meanwhile comes first.
  lowerPriority();
  await lowerPoolPriority();
  // One's own database gives way too, in so far as it works on this.
  const onWorker = config.databaseUrl === undefined ? { onWorker: lowerPriority } : {};
  const objects = folderStore(config.dataFolder);
  const { passphrase } = config;
  const { checks, manifest } = await writeBackup(
    {
      databaseUrl,
      objects,
      schemas: await ourSchemas(),
      objectNames: pictureNames,
      ...onWorker,
      secret: await keptSecret(config.dataFolder),
      signal,
    },
    path,
    passphrase,
  );
  const checked = options.check === true;
  if (checked) await checkByRestoring({ databaseUrl, log, signal }, objects, path, passphrase);
  const { size } = await stat(path);
  return {
    ...said(manifest, checks, { bytes: size, encrypted: passphrase !== undefined, checked }),
    ...(checks.missing.length > 0
      ? { failure: `${checks.missing.length} pictures are not in the store` }
      : {}),
  };
}

async function restore(context: BareContext): Promise<CommandResult> {
  const { args, config, databaseUrl, options } = context;
  const schemas = await ourSchemas();
  if (options.undo === true) {
    await prepareForRestore(databaseUrl, { replace: true, schemas });
    return { json: { undone: true }, text: 'the database is as it was before a restore was begun' };
  }
  const path = one(args, 'restore FILE');
  const { passphrase } = config;
  // All of it is read once before anything is touched.
  await readToTheEnd(path, passphrase);
  await prepareForRestore(databaseUrl, { replace: options.replace === true, schemas });
  let secret = 'none in the file';
  const target = {
    ...targetAt(context, schemas),
    objects: folderStore(config.dataFolder),
    keepSecret: async (text: string) => {
      secret = await keepSecret(config.dataFolder, text);
    },
  };
  const { checks, manifest } = await restoreBackup(target, path, passphrase);
  return said(manifest, checks, { secret, restored: true });
}

function said(manifest: Manifest, checks: Checks, more: Readonly<Record<string, unknown>>) {
  const rows = (table: string) => checks.tables[table]?.rows ?? 0;
  const json = {
    made_at: manifest.made_at,
    stories: rows('content.stories'),
    readers: rows('readers.readers'),
    rows: Object.values(checks.tables).reduce((sum, table) => sum + table.rows, 0),
    tables: manifest.tables.length,
    pictures: checks.objects,
    pictures_missing: checks.missing,
    ...more,
  };
  return {
    json,
    text: [
      `${json.stories} stories, ${json.readers} readers, ${json.pictures} pictures, as of ${json.made_at}`,
      ...Object.entries(more).map(([name, value]) => `${name}: ${value}`),
      ...checks.missing.map((name) => `missing  ${name}: its file is not in the store`),
    ].join('\n'),
  };
}

/** What the migrations and the queue make; read off the migrations, so that no new one is forgotten. */
async function ourSchemas(): Promise<string[]> {
  const files = (await readdir(MIGRATIONS)).filter((name) => name.endsWith('.sql')).sort();
  const texts = await Promise.all(files.map((name) => readFile(join(MIGRATIONS, name), 'utf8')));
  const made = texts.flatMap((text) =>
    Array.from(text.matchAll(/^create schema (?:if not exists )?([a-z_]+);/gim), ([, name = '']) => name),
  );
  return [...new Set(['platform', ...made, 'jobs'])];
}

/** A secret that the paper made for itself; one that an operator set is the operator's to keep. */
async function keptSecret(dataFolder: string): Promise<string | undefined> {
  if ((process.env.BROADSHEET_SECRET ?? '') !== '') return undefined;
  return readFile(join(dataFolder, 'secret'), 'utf8').catch(() => undefined);
}

/** @returns what became of it, for whoever restores */
async function keepSecret(dataFolder: string, secret: string): Promise<string> {
  if ((process.env.BROADSHEET_SECRET ?? '') !== '') return 'not used, since BROADSHEET_SECRET is set';
  await makeFolder(dataFolder, 0o711);
  const path = join(dataFolder, 'secret');
  await writeFile(`${path}.restored`, secret, { mode: 0o600, flush: true });
  await rename(`${path}.restored`, path);
  return 'kept';
}

type Where = Pick<BareContext, 'databaseUrl' | 'log' | 'signal'>;

function targetAt({ databaseUrl, log, signal }: Where, schemas: readonly string[]) {
  return {
    databaseUrl,
    schemas,
    objectNames: pictureNames,
    signal,
    makeTables: async (lastMigration: string) => {
      const known = (await readdir(MIGRATIONS)).includes(lastMigration);
      if (!known)
        throw new Invalid(
          'newer-backup',
          `it was made by a newer version of the program, which had ${lastMigration}`,
        );
      await migrate(databaseUrl, MIGRATIONS, log, lastMigration);
      await prepareQueue(databaseUrl, log);
    },
    bringUpToDate: async () => {
      await migrate(databaseUrl, MIGRATIONS, log);
      // Whoever worked on them works elsewhere, or not at all.
      await releaseAllJobs(databaseUrl);
    },
  };
}

async function readToTheEnd(path: string, passphrase: string | undefined): Promise<void> {
  let last = '';
  for await (const { name } of readBackupFile(path, passphrase)) last = name;
  if (last !== 'checks.json') throw new Invalid('broken-file', `${path} ends before its end`);
}

/** Restores it into a database that is made for that and goes again, and compares every row and every picture. */
async function checkByRestoring(
  where: Where,
  objects: ObjectStore,
  path: string,
  passphrase: string | undefined,
): Promise<void> {
  const schemas = await ourSchemas();
  await withScratchDatabase(where.databaseUrl, async (databaseUrl) => {
    const compared: ObjectStore = {
      ...objects,
      async put(object, bytes) {
        const kept = await objects.get(object);
        if (kept === undefined || !kept.equals(bytes))
          throw new Invalid('broken-file', `${object} is not what is in the store`);
      },
    };
    const target = targetAt({ ...where, databaseUrl }, schemas);
    await restoreBackup(
      { ...target, objects: compared, keepSecret: async () => undefined },
      path,
      passphrase,
    );
  });
}
