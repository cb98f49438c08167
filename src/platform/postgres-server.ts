import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { open, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { monotonicMs } from './clock.ts';
import { isUnavailable } from './db.ts';
import {
  checkVersion,
  makeCluster,
  POSTGRES_NAME,
  type PostgresFolder,
  readPassword,
} from './postgres-cluster.ts';
import { codeOf, verdict } from './postgres-failure.ts';
import { findPostgresProgram, type PostgresProgram, programOptions } from './postgres-program.ts';

/** How long open transactions get to end at a fast stop before the server is told to drop everything. */
export const FAST_STOP_MS = 20_000;
/** How long a server may give no answer at all before it counts as hung. */
const SILENCE_MS = 10_000;
/** At the next start, a longer log makes room for a new one; the one before is kept. */
const LOG_BYTES = 8 * 1024 * 1024;
/** With less than this left on the disk, a server that does not start did not for that reason. */
const FULL_BYTES = 1024 * 1024;
/** Below the ranges from which systems take a connection's own port, so that no client sits on the port. */
const PORTS = { from: 20_000, to: 30_000 };

/** A running server; `child` if this process started it. */
export type PostgresServer = { readonly pid: number; readonly port: number; readonly child?: ChildProcess };

// -------------------------------------------------------------------------------------------------------- starting

/** @param port the one to listen on; any free one if it is left out */
export async function startServer(folder: PostgresFolder, port?: number): Promise<PostgresServer> {
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

/** Starts the server and waits until it takes connections, however long it has to repair after a crash. */
async function launch(
  folder: PostgresFolder,
  program: PostgresProgram,
  port: number,
): Promise<PostgresServer> {
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

async function makeDatabase(folder: PostgresFolder, server: PostgresServer): Promise<void> {
  const client = await connect(folder, server.port, 'postgres');
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [POSTGRES_NAME]);
    if (rowCount === 0) await client.query(`create database ${POSTGRES_NAME}`);
  } finally {
    await client.end();
  }
}

/** Tells where the server can be reached; read by people and other programs, while we go by PostgreSQL's own file. */
export async function announce(folder: PostgresFolder, { pid, port }: PostgresServer): Promise<void> {
  const version = (await readFile(join(folder.cluster, 'PG_VERSION'), 'utf8')).trim();
  const path = folder.whereabouts;
  const text = `${JSON.stringify({ host: '127.0.0.1', port, pid, version, database: POSTGRES_NAME, user: POSTGRES_NAME })}\n`;
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

/** Where the server was said to be last; undefined when it was stopped since, or nothing was ever said. */
export async function announcedPort(folder: PostgresFolder): Promise<number | undefined> {
  try {
    const told: unknown = JSON.parse(await readFile(folder.whereabouts, 'utf8'));
    const port = told !== null && typeof told === 'object' && 'port' in told ? Number(told.port) : 0;
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

// ---------------------------------------------------------------------------------------------- finding and asking

/** The live server of this data folder, whoever started it. */
export function findServer(folder: PostgresFolder): PostgresServer | undefined {
  const file = readPidFile(folder);
  return file !== undefined && isOurs(file.pid, folder) ? { pid: file.pid, port: file.port } : undefined;
}

/** What the server says of itself (ready, stopping), if it can be read. */
export function readStatus(folder: PostgresFolder): string | undefined {
  try {
    return readPidFile(folder)?.status;
  } catch {
    return undefined;
  }
}

/** https://www.postgresql.org/docs/18/storage-file-layout.html: pid, folder, start, port, socket, address, key, status */
function readPidFile(folder: PostgresFolder): { pid: number; port: number; status: string } | undefined {
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
function isOurs(pid: number, folder: PostgresFolder): boolean {
  if (!isAlive(pid)) return false;
  // Not /proc/PID/cwd or exe: those of another user are closed even to root in a container.
  const command =
    readProc(pid, 'cmdline')?.replaceAll('\0', ' ') ??
    spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout;
  return command.includes(`bin/postgres -D ${folder.cluster} `);
}

export function isAlive(pid: number): boolean {
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
export async function answers(folder: PostgresFolder, server: PostgresServer): Promise<boolean> {
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

async function connect(folder: PostgresFolder, port: number, database: string): Promise<pg.Client> {
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

export function urlOf(port: number, password: string, database: string): string {
  return `postgresql://${POSTGRES_NAME}:${password}@127.0.0.1:${port}/${database}`;
}

// -------------------------------------------------------------------------------------------------------- stopping

/** https://www.postgresql.org/docs/18/server-shutdown.html: fast, then immediate, then by force. */
export async function stopServer(
  folder: PostgresFolder,
  pid: number,
  patience = FAST_STOP_MS,
): Promise<void> {
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
export async function waitUntil(
  isTrue: () => boolean,
  onWait?: () => void,
  patience = Infinity,
): Promise<boolean> {
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
