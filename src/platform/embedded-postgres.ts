import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
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
  stat,
  statfs,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { monotonicMs } from './clock.ts';
import { isUnavailable } from './db.ts';
import { type FileLock, lock, tryLock } from './file-lock.ts';
import { makeFolder } from './folders.ts';
import type { Logger } from './log.ts';
import { findPostgresProgram, type PostgresProgram, programOptions } from './postgres-program.ts';

/** The server's owner and the paper's database in it have the same name. */
const NAME = 'broadsheet';
/** How often a process that uses the server looks whether it still lives. */
const WATCH_MS = 500;
/** How long a server may give no answer at all before it counts as hung. */
const SILENCE_MS = 10_000;
/** How long open transactions get to end at a fast stop before the server is told to drop everything. */
const FAST_STOP_MS = 20_000;
/** At the next start, a longer log makes room for a new one; the one before is kept. */
const LOG_BYTES = 8 * 1024 * 1024;
/** With less than this left on the disk, a server that does not start did not for that reason. */
const FULL_BYTES = 1024 * 1024;
/** Below the ranges from which systems take a connection's own port, so that no client sits on the port. */
const PORTS = { from: 20_000, to: 30_000 };

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

/** A running PostgreSQL that this process uses. */
export type EmbeddedPostgres = {
  /** postgresql://…: stays the same until it is released, also when the server has to be started again. */
  readonly url: string;
  /** Ends the use; the last process to do so stops the server, and returns when it has stopped. */
  release(): Promise<void>;
};

type Folder = {
  readonly data: string;
  /** DATA/postgres: PostgreSQL's own. */
  readonly cluster: string;
  readonly password: string;
  readonly users: string;
  readonly log: Logger;
  readonly settings: Record<string, string>;
};
type Server = { readonly pid: number; readonly port: number; readonly child?: ChildProcess };

/**
 * Gives this process the use of the PostgreSQL whose data lies in DATA/postgres: makes the data on the first start,
 * starts the server if none runs, and attaches to it if one does, be it another process's or an orphan of a crash.
 * A server that dies is started again by one of those who use it, on the same port.
 *
 * What lies in DATA: `postgres` (the data), `postgres.password`, `postgres.log`, `postgres.json` (where it listens),
 * `postgres.lock` (held while someone starts or stops it) and `postgres.users` (held, shared, by each who uses it).
 *
 * @param options.data BROADSHEET_DATA; made if it is missing
 * @param options.settings PostgreSQL's settings that differ from ours, for tests
 * @throws one line that says what stands in the way and what to do about it
 */
export async function openEmbeddedPostgres(options: {
  data: string;
  log: Logger;
  settings?: Record<string, string>;
}): Promise<EmbeddedPostgres> {
  const folder = await openFolder(options.data, options.log, options.settings ?? {});
  try {
    const { users, server, password } = await startingOrStopping(folder, async () => {
      const server = await attachOrStart(folder);
      const password = await readPassword(folder);
      const users = tryLock(folder.users, 'shared');
      if (users === undefined) throw new Error(`${folder.users} is locked by another program`);
      return { users, server, password };
    });
    const watch = watchServer(folder, server);
    let released: Promise<void> | undefined;
    const release = async () => {
      await watch.stop();
      await startingOrStopping(folder, () => leave(folder, users));
    };
    return {
      url: urlOf(server.port, password, NAME),
      release: () => {
        released ??= release();
        return released;
      },
    };
  } catch (error) {
    throw explained(error, folder.data);
  }
}

async function openFolder(data: string, log: Logger, settings: Record<string, string>): Promise<Folder> {
  try {
    await makeFolder(data, 0o711);
    // One name for one folder: the server is recognised by it.
    const real = await realpath(data);
    return {
      data: real,
      cluster: join(real, 'postgres'),
      password: join(real, 'postgres.password'),
      users: join(real, 'postgres.users'),
      log,
      settings: { ...SETTINGS, ...settings },
    };
  } catch (error) {
    throw explained(error, resolve(data));
  }
}

/** One at a time among all processes on this data folder. */
async function startingOrStopping<Result>(folder: Folder, work: () => Promise<Result>): Promise<Result> {
  const held = await lock(join(folder.data, 'postgres.lock'), 'exclusive', () =>
    folder.log.info('waiting for another process that starts or stops PostgreSQL'),
  );
  try {
    return await work();
  } finally {
    held.release();
  }
}

// ------------------------------------------------------------------------------------------------ attach and start

/** @param port the one to listen on, if it has to be started; any free one if it is left out */
async function attachOrStart(folder: Folder, port?: number): Promise<Server> {
  const running = findServer(folder);
  if (running === undefined) return await startServer(folder, port);
  const { pid } = running;
  if (await answers(folder, running)) {
    if (isUsed(folder)) folder.log.debug({ pid, port: running.port }, 'attached to the running PostgreSQL');
    else folder.log.info({ pid, port: running.port }, 'took over the PostgreSQL that a crash left running');
    await announce(folder, running);
    return running;
  }
  if (isAlive(pid)) {
    if (isUsed(folder))
      throw new Error(`the PostgreSQL in ${folder.cluster} (process ${pid}) does not answer`);
    folder.log.warn({ pid }, 'the PostgreSQL that a crash left running does not answer: stopping it');
    await stopServer(folder, pid, 2_000);
  }
  return await startServer(folder, port);
}

/** Whether any process that lives uses the server. */
function isUsed(folder: Folder): boolean {
  const alone = tryLock(folder.users, 'exclusive');
  alone?.release();
  return alone === undefined;
}

async function startServer(folder: Folder, port?: number): Promise<Server> {
  const program = await findPostgresProgram(folder.data, folder.cluster);
  await makeCluster(folder, program);
  await checkVersion(folder, program);
  const began = monotonicMs();
  let portsTried = 0;
  let timesKilled = 0;
  for (;;) {
    try {
      const server = await launch(folder, program, port ?? (await freePort()));
      try {
        await makeDatabase(folder, server);
        await announce(folder, server);
      } catch (error) {
        await stopServer(folder, server.pid);
        throw error;
      }
      folder.log.info(
        { pid: server.pid, port: server.port, ms: Math.round(monotonicMs() - began) },
        'PostgreSQL is running',
      );
      return server;
    } catch (error) {
      const text = error instanceof Error ? error.message : '';
      const taken = port === undefined && /could not bind|TCP\/IP sockets/.test(text) && ++portsTried < 5;
      // The workers of a server that was killed need a moment to notice.
      const workersLeft = monotonicMs() - began < 15_000 && /shared memory block/.test(text);
      // Whoever killed it may have meant the one before.
      const killed = (/was ended by/.test(text) || isUnavailable(error)) && ++timesKilled < 4;
      if (!taken && !workersLeft && !killed) throw error;
      await sleep(250);
    }
  }
}

async function makeCluster(folder: Folder, program: PostgresProgram): Promise<void> {
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
    ...['--pgdata', unfinished, '--username', NAME, '--pwfile', folder.password, '--auth', 'scram-sha-256'],
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

async function checkVersion(folder: Folder, program: PostgresProgram): Promise<void> {
  const version = Number((await readFile(join(folder.cluster, 'PG_VERSION'), 'utf8')).trim());
  if (version === program.major) return;
  throw new Error(
    version > program.major
      ? `${folder.cluster} was made by PostgreSQL ${version}, which is newer than the ${program.major} of this Broadsheet: use a newer Broadsheet, or restore a backup into an empty BROADSHEET_DATA`
      : `${folder.cluster} was made by PostgreSQL ${version}, and this Broadsheet brings ${program.major}: make a backup with the Broadsheet it came from, and restore it into an empty BROADSHEET_DATA`,
  );
}

/** Starts the server and waits until it takes connections, however long it has to repair after a crash. */
async function launch(folder: Folder, program: PostgresProgram, port: number): Promise<Server> {
  const left = readPidFile(folder);
  if (left !== undefined && isOurs(left.pid, folder)) {
    throw new Error(`the PostgreSQL in ${folder.cluster} (process ${left.pid}) neither answers nor stops`);
  }
  // PostgreSQL sees for itself that there is no such process, but takes any with the number, even a zombie, for a
  // server. That no worker of a dead server still writes it finds out otherwise.
  if (left !== undefined && exists(left.pid)) await rm(join(folder.cluster, 'postmaster.pid'));
  const logPath = join(folder.data, 'postgres.log');
  const before = await stat(logPath).then(
    ({ size }) => size,
    () => 0,
  );
  if (before > LOG_BYTES) await rename(logPath, `${logPath}.1`);
  const logFile = await open(logPath, 'a', 0o600);
  try {
    const from = (await logFile.stat()).size;
    const args = Object.entries({ ...folder.settings, port: String(port) }).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ]);
    const child = spawn(program.postgres, ['-D', folder.cluster, ...args], {
      ...programOptions(program.user),
      cwd: folder.cluster,
      stdio: ['ignore', logFile.fd, logFile.fd],
      // A group of its own: Ctrl-C is for us, and the server stops when the last request has been answered.
      detached: true,
    });
    let failure: Error | undefined;
    child.on('error', (error) => {
      failure = error;
    });
    child.unref();
    await waitUntil(
      () => {
        if (failure !== undefined || child.exitCode !== null || child.signalCode !== null) return true;
        const file = readPidFile(folder);
        return file?.pid === child.pid && file?.status === 'ready';
      },
      () => folder.log.info('PostgreSQL is still repairing what a crash left'),
    );
    if (failure !== undefined) throw failure;
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
      if (child.signalCode !== null)
        throw new Error(`PostgreSQL was ended by ${child.signalCode} as it started`);
      // A full disk has no room for the line that says so either.
      const { bavail, bsize } = await statfs(folder.cluster);
      if (bavail * bsize < FULL_BYTES) throw new Error('No space left on device');
      const { buffer, bytesRead } = await readTail(logPath, from);
      throw new Error(`PostgreSQL did not start: ${verdict(buffer.toString('utf8', 0, bytesRead))}`);
    }
    return { pid: child.pid, port, child };
  } finally {
    await logFile.close();
  }
}

async function readTail(path: string, from: number): Promise<{ buffer: Buffer; bytesRead: number }> {
  const file = await open(path, 'r');
  try {
    return await file.read({ buffer: Buffer.alloc(64 * 1024), position: from });
  } finally {
    await file.close();
  }
}

/** The one line of a program's many that says why it gave up. */
function verdict(said: string): string {
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  const grave =
    lines.find((line) => /could not bind|No space left/.test(line)) ??
    lines.find((line) => /\b(FATAL|PANIC|error):/i.test(line)) ??
    lines.at(-1);
  return (grave ?? 'it gave no reason').replace(/^.*?\b(?:FATAL|PANIC|LOG|error):\s*/i, '').trim();
}

async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from));
    const free = await new Promise<boolean>((answer) => {
      const probe = createServer();
      probe.once('error', () => answer(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => answer(true)));
    });
    if (free) return port;
  }
}

async function makeDatabase(folder: Folder, server: Server): Promise<void> {
  const client = await connect(folder, server.port, 'postgres');
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [NAME]);
    if (rowCount === 0) await client.query(`create database ${NAME}`);
  } finally {
    await client.end();
  }
}

/** Tells where the server can be reached; read by people and other programs, while we go by PostgreSQL's own file. */
async function announce(folder: Folder, { pid, port }: Server): Promise<void> {
  const version = (await readFile(join(folder.cluster, 'PG_VERSION'), 'utf8')).trim();
  const path = join(folder.data, 'postgres.json');
  const text = `${JSON.stringify({ host: '127.0.0.1', port, pid, version, database: NAME, user: NAME })}\n`;
  if (
    await readFile(path, 'utf8').then(
      (old) => old === text,
      () => false,
    )
  )
    return;
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

// ---------------------------------------------------------------------------------------------- the running server

/** The live server of this data folder, whoever started it. */
function findServer(folder: Folder): Server | undefined {
  const file = readPidFile(folder);
  return file !== undefined && isOurs(file.pid, folder) ? { pid: file.pid, port: file.port } : undefined;
}

/** https://www.postgresql.org/docs/18/storage-file-layout.html: pid, folder, start, port, socket, address, key, status */
function readPidFile(folder: Folder): { pid: number; port: number; status: string } | undefined {
  let lines: string[];
  try {
    lines = readFileSync(join(folder.cluster, 'postmaster.pid'), 'utf8').split('\n');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  return pid > 1 && port > 0 ? { pid, port, status: (lines[7] ?? '').trim() } : undefined;
}

/** Whether the process is a PostgreSQL on this folder, and not another program that has got a dead one's number. */
function isOurs(pid: number, folder: Folder): boolean {
  if (!isAlive(pid)) return false;
  // Not /proc/PID/cwd or exe: those of another user are closed even to root in a container.
  const command =
    readProc(pid, 'cmdline')?.replaceAll('\0', ' ') ??
    spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout;
  return command.includes(`bin/postgres -D ${folder.cluster} `);
}

function isAlive(pid: number): boolean {
  // An orphan that nobody waits for stays a zombie where process 1 is not a proper init.
  return exists(pid) && !/^\d+ \(.*\) [ZX]/s.test(readProc(pid, 'stat') ?? '');
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function readProc(pid: number, file: 'stat' | 'cmdline'): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}

/** Waits until the server takes connections. @returns false when it ended meanwhile, or gave no sign of life */
async function answers(folder: Folder, server: Server): Promise<boolean> {
  let heard = monotonicMs();
  let told = heard;
  while (isAlive(server.pid)) {
    try {
      await (await connect(folder, server.port, 'postgres')).end();
      return true;
    } catch (error) {
      const code = codeOf(error);
      if (code === '28P01') {
        throw new Error(`${folder.password} is not the password of the PostgreSQL in ${folder.cluster}`);
      }
      // Too many connections: it lives. 57P03: it lives, and is starting up or shutting down.
      if (code === '53300') return true;
      if (code === '57P03') heard = monotonicMs();
    }
    // One that only waits for its clients to leave would wait for ours: that is no server to attach to.
    if (readPidFile(folder)?.status === 'stopping') {
      process.kill(server.pid, 'SIGINT');
      await waitUntil(() => !isAlive(server.pid), undefined, FAST_STOP_MS);
      return false;
    }
    if (monotonicMs() - heard > SILENCE_MS) return false;
    if (monotonicMs() - told > 10_000) {
      told = monotonicMs();
      folder.log.info('PostgreSQL is still repairing what a crash left');
    }
    await sleep(50);
  }
  return false;
}

async function connect(folder: Folder, port: number, database: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: urlOf(port, await readPassword(folder), database),
    connectionTimeoutMillis: 3_000,
    query_timeout: 60_000,
    application_name: 'broadsheet start',
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

function urlOf(port: number, password: string, database: string): string {
  return `postgresql://${NAME}:${password}@127.0.0.1:${port}/${database}`;
}

async function readPassword(folder: Folder): Promise<string> {
  try {
    return (await readFile(folder.password, 'utf8')).trim();
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw new Error(
      `${folder.password} is missing, and without it nobody can enter the database in ${folder.cluster}`,
    );
  }
}

async function writePassword(folder: Folder): Promise<void> {
  // Of hexadecimal digits, so that it stands in a URL as it is.
  await writeFile(folder.password, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600, flush: true });
}

// ----------------------------------------------------------------------------------------------- watching, stopping

/** Looks after the server while this process uses it. */
function watchServer(folder: Folder, first: Server): { stop(): Promise<void> } {
  const { port } = first;
  let server = first;
  let stopped = false;
  let recovery: Promise<void> | undefined;
  let stoppingSince: number | undefined;

  function look(): void {
    if (stopped || recovery !== undefined) return;
    if (!isAlive(server.pid)) {
      recovery = recover().finally(() => {
        recovery = undefined;
      });
      return;
    }
    // Somebody asked the server itself to stop. It lets nobody in and waits for its clients to leave, which ours
    // never do: after a while it is told not to wait, and then it is started again.
    if (readStatus(folder) !== 'stopping') stoppingSince = undefined;
    else {
      stoppingSince ??= monotonicMs();
      if (monotonicMs() - stoppingSince > FAST_STOP_MS / 2) hasten();
    }
  }

  function hasten(): void {
    stoppingSince = undefined;
    try {
      process.kill(server.pid, 'SIGINT');
    } catch (error) {
      folder.log.warn({ err: error }, 'PostgreSQL is stopping, and could not be told to hurry');
    }
  }

  async function recover(): Promise<void> {
    folder.log.warn({ pid: server.pid }, 'PostgreSQL has ended: starting it again');
    for (let wait = 250; !stopped; wait = Math.min(wait * 2, 15_000)) {
      try {
        await startingOrStopping(folder, async () => {
          if (stopped) return;
          // Of several processes that noticed, the first starts it, and the others attach to that.
          server = await attachOrStart(folder, port);
          follow();
        });
        return;
      } catch (error) {
        folder.log.error(
          { err: explained(error, folder.data) },
          'PostgreSQL could not be started again; trying on',
        );
        await waitUntil(() => stopped, undefined, wait);
      }
    }
  }

  /** The parent learns of the end at once. */
  function follow(): void {
    server.child?.once('exit', look);
  }

  follow();
  const timer = setInterval(look, WATCH_MS);
  timer.unref();
  return {
    stop: async () => {
      stopped = true;
      clearInterval(timer);
      await recovery;
    },
  };
}

function readStatus(folder: Folder): string | undefined {
  try {
    return readPidFile(folder)?.status;
  } catch {
    return undefined;
  }
}

/** Ends this process's use, and stops the server if it was the last. */
async function leave(folder: Folder, users: FileLock): Promise<void> {
  users.release();
  const alone = tryLock(folder.users, 'exclusive');
  if (alone === undefined) return;
  try {
    const server = findServer(folder);
    if (server !== undefined) await stopServer(folder, server.pid);
    await rm(join(folder.data, 'postgres.json'), { force: true });
  } finally {
    alone.release();
  }
}

/** https://www.postgresql.org/docs/18/server-shutdown.html: fast, then immediate, then by force. */
async function stopServer(folder: Folder, pid: number, patience = FAST_STOP_MS): Promise<void> {
  const steps = [
    ['SIGINT', patience],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ] as const;
  for (const [signal, patience] of steps) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (codeOf(error) === 'ESRCH') return;
      throw error;
    }
    if (await waitUntil(() => !isAlive(pid), undefined, patience)) {
      folder.log.info({ signal }, 'PostgreSQL has stopped');
      return;
    }
    folder.log.warn({ pid, signal }, 'PostgreSQL does not stop');
  }
}

/** @returns whether it came true within the patience, which has no end if none is given */
async function waitUntil(isTrue: () => boolean, onWait?: () => void, patience = Infinity): Promise<boolean> {
  const began = monotonicMs();
  let told = began;
  while (!isTrue()) {
    const now = monotonicMs();
    if (now - began > patience) return false;
    if (now - told > 10_000) {
      told = now;
      onWait?.();
    }
    await sleep(20);
  }
  return true;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** One line for a person, out of what the system says. */
function explained(error: unknown, data: string): Error {
  const text = error instanceof Error ? error.message : String(error);
  if (codeOf(error) === 'ENOSPC' || /No space left on device/.test(text)) {
    return new Error(`the disk that holds ${data} is full: PostgreSQL cannot start`, { cause: error });
  }
  if (
    /^E(ACCES|PERM|ROFS)$/.test(codeOf(error)) ||
    /unable to open database file|readonly database/.test(text)
  ) {
    return new Error(`BROADSHEET_DATA: ${data} cannot be used by this user: ${text}`, { cause: error });
  }
  if (/^E(NOTDIR|EXIST)$/.test(codeOf(error)))
    return new Error(`BROADSHEET_DATA: ${data} is not a folder`, { cause: error });
  return error instanceof Error ? error : new Error(text);
}
