import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  chown,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  rmdir,
  writeFile,
} from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { makeFolder } from './folders.ts';
import type { Logger } from './log.ts';
import { codeOf, explained, verdict } from './postgres-failure.ts';
import { type PostgresProgram, programOptions } from './postgres-program.ts';

/** The server's owner and the paper's database in it have the same name. */
export const POSTGRES_NAME = 'broadsheet';

/**
 * For a small machine that does other work too. What the log holds must tell nothing of readers or stories, so
 * statements and the rows they failed on stay out of it.
 */
const SETTINGS: Record<string, string> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '100',
  shared_buffers: '128MB',
  huge_pages: 'off',
  max_wal_size: '512MB',
  // Statements here are short: compiling them costs more than it saves.
  jit: 'off',
  // The cores are better used by other requests; and parallel scans need more of /dev/shm than a container has.
  max_parallel_workers_per_gather: '0',
  random_page_cost: '1.1',
  timezone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C',
  log_line_prefix: '%m [%p] ',
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
};

/** BROADSHEET_DATA as far as PostgreSQL is concerned: where its data lies, and what lies beside it. */
export type PostgresFolder = {
  readonly data: string;
  /** DATA/postgres: PostgreSQL's own. */
  readonly cluster: string;
  readonly password: string;
  readonly users: string;
  /** Where the server can be reached. */
  readonly whereabouts: string;
  readonly log: Logger;
  readonly settings: Record<string, string>;
};

/** Makes the folder if it is missing. @param settings PostgreSQL's settings that differ from ours */
export async function openFolder(
  data: string,
  log: Logger,
  settings: Record<string, string>,
): Promise<PostgresFolder> {
  try {
    await makeFolder(data, 0o711);
    // One name for one folder: the server is recognised by it.
    const real = await realpath(data);
    return {
      data: real,
      cluster: join(real, 'postgres'),
      password: join(real, 'postgres.password'),
      users: join(real, 'postgres.users'),
      whereabouts: join(real, 'postgres.json'),
      log,
      settings: { ...SETTINGS, ...settings },
    };
  } catch (error) {
    throw explained(error, resolve(data));
  }
}

/** Makes PostgreSQL's data and its password, unless they are there. */
export async function makeCluster(folder: PostgresFolder, program: PostgresProgram): Promise<void> {
  if (existsSync(join(folder.cluster, 'global', 'pg_control'))) return;
  if (existsSync(folder.cluster)) {
    if ((await readdir(folder.cluster)).length > 0) {
      throw new Error(
        `${folder.cluster} holds something that is no complete PostgreSQL data folder: move it away, or restore it from a backup`,
      );
    }
    await rmdir(folder.cluster);
  }
  folder.log.info({ version: program.version }, 'making a new database');
  // Made under another name, which it keeps until it is complete: one that was interrupted is simply made anew.
  const unfinished = join(folder.data, 'postgres.unfinished');
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  await writePassword(folder);
  if (program.user !== undefined) {
    await chown(unfinished, program.user.uid, program.user.gid);
    await chown(folder.password, program.user.uid, program.user.gid);
  }
  const durable = folder.settings.fsync !== 'off';
  await run(program, program.initdb, [
    ...['--pgdata', unfinished, '--username', POSTGRES_NAME],
    ...['--pwfile', folder.password, '--auth', 'scram-sha-256'],
    // The order of words is the same on every machine, and does not change with its libraries.
    ...['--encoding', 'UTF8', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8', '--locale', 'C'],
    ...['--data-checksums', '--no-instructions', ...(durable ? [] : ['--no-sync'])],
  ]);
  await rename(unfinished, folder.cluster);
  const directory = await open(folder.data);
  await directory.sync();
  await directory.close();
}

function run(program: PostgresProgram, command: string, args: string[]): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn(command, args, {
      ...programOptions(program.user),
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    child.on('error', fail);
    child.on('close', (code, signal) => {
      if (code === 0) done();
      else fail(new Error(`${basename(command)} failed (${signal ?? code}): ${verdict(said)}`));
    });
  });
}

/** @throws when the data was made by another major version of PostgreSQL than the program's */
export async function checkVersion(folder: PostgresFolder, program: PostgresProgram): Promise<void> {
  const version = Number((await readFile(join(folder.cluster, 'PG_VERSION'), 'utf8')).trim());
  if (version === program.major) return;
  throw new Error(
    version > program.major
      ? `${folder.cluster} was made by PostgreSQL ${version}, which is newer than the ${program.major} of this Broadsheet: use a newer Broadsheet, or restore a backup into an empty BROADSHEET_DATA`
      : `${folder.cluster} was made by PostgreSQL ${version}, and this Broadsheet brings ${program.major}: make a backup with the Broadsheet it came from, and restore it into an empty BROADSHEET_DATA`,
  );
}

export async function readPassword(folder: PostgresFolder): Promise<string> {
  try {
    return (await readFile(folder.password, 'utf8')).trim();
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw new Error(
      `${folder.password} is missing, and without it nobody can enter the database in ${folder.cluster}`,
    );
  }
}

async function writePassword(folder: PostgresFolder): Promise<void> {
  // Of hexadecimal digits, so that it stands in a URL as it is.
  await writeFile(folder.password, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600, flush: true });
}
