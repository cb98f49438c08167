import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { scratchFolder } from '../../test/scratch-folder.ts';
import { type EmbeddedPostgres, openEmbeddedPostgres } from './embedded-postgres.ts';
import { createLogger } from './log.ts';

const log = createLogger('silent');
/** Nothing in these tests needs to outlive the machine. */
const settings = { fsync: 'off' };
const isRoot = process.getuid?.() === 0;

let parent: string;
let data: string;
let opened: EmbeddedPostgres[];
let programs: Program[];

beforeEach(async () => {
  parent = await scratchFolder('embedded');
  data = join(parent, 'data');
  opened = [];
  programs = [];
});

afterEach(async () => {
  for (const program of programs) await program.kill();
  for (const database of opened) await database.release();
  // Whatever a failed test left running is adopted, and then stopped.
  const pid = await serverPid().catch(() => undefined);
  if (pid !== undefined && isAlive(pid))
    await (await openEmbeddedPostgres({ data, log, settings })).release();
  await chmod(parent, 0o755);
  if (pid !== undefined) expect(isAlive(pid), 'a server was left behind').toBe(false);
  await rm(parent, { recursive: true, force: true });
});

async function use(): Promise<EmbeddedPostgres> {
  const database = await openEmbeddedPostgres({ data, log, settings });
  opened.push(database);
  return database;
}

type Program = {
  url: string;
  release(): Promise<void>;
  kill(): Promise<void>;
  /** Makes it notice nothing, until it is waked. */
  freeze(): void;
  wake(): void;
};

/** Another program on the same data folder, such as a second web process or the command line. */
async function startProgram(): Promise<Program> {
  const source = `
    import { openEmbeddedPostgres } from ${JSON.stringify(join(import.meta.dirname, 'embedded-postgres.ts'))};
    import { createLogger } from ${JSON.stringify(join(import.meta.dirname, 'log.ts'))};
    const database = await openEmbeddedPostgres({
      data: ${JSON.stringify(data)}, log: createLogger('silent'), settings: ${JSON.stringify(settings)} });
    console.log(database.url);
    process.stdin.once('data', async () => { await database.release(); console.log('released'); process.exit(); });
  `;
  const child: ChildProcess = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  const exited = once(child, 'exit');
  const first = await lines.next();
  if (first.done) throw new Error('the other program ended before it had a database');
  const program = {
    url: first.value,
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    freeze: () => child.kill('SIGSTOP'),
    wake: () => child.kill('SIGCONT'),
    release: async () => {
      child.stdin?.write('release\n');
      await exited;
    },
  };
  programs.push(program);
  return program;
}

async function serverPid(): Promise<number> {
  return Number((await readFile(join(data, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0]);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // An orphan that ended may wait for ever for someone to ask how.
    return process.platform !== 'linux' || !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function ask(url: string, sql: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query({ text: sql, rowMode: 'array' });
    return rows[0]?.[0];
  } finally {
    await client.end();
  }
}

async function eventually<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (tries === 100) throw error;
      await sleep(100);
    }
  }
}

async function starts(): Promise<number> {
  return (await readFile(join(data, 'postgres.log'), 'utf8')).split('starting PostgreSQL').length - 1;
}

describe('the first start', () => {
  it('makes a database that keeps what it is told from one run to the next', async () => {
    const first = await use();
    await ask(first.url, 'create table kept as select 42 as answer');
    const pid = await serverPid();
    await first.release();
    expect(isAlive(pid)).toBe(false);
    expect(await readdir(data)).not.toContain('postgres.json');

    const second = await use();
    expect(await ask(second.url, 'select answer from kept')).toBe(42);
  });

  it('lets in nobody who does not know the password, and nobody from outside the machine', async () => {
    const { url } = await use();
    await expect(ask(url.replace(/:[0-9a-f]+@/, ':guessed@'), 'select 1')).rejects.toThrow(/password/);
    expect(await ask(url, 'show listen_addresses')).toBe('127.0.0.1');
    expect(await ask(url, 'show unix_socket_directories')).toBe('');
    for (const name of ['postgres.password', 'postgres.log', 'postgres.lock', 'postgres.users']) {
      expect((await stat(join(data, name))).mode & 0o077, name).toBe(0);
    }
    expect((await stat(join(data, 'postgres'))).mode & 0o077).toBe(0);
  });

  it('is durable, checks its pages and sorts the same on every machine', async () => {
    const database = await openEmbeddedPostgres({ data, log });
    opened.push(database);
    expect(await ask(database.url, 'show fsync')).toBe('on');
    expect(await ask(database.url, 'show data_checksums')).toBe('on');
    expect(await ask(database.url, 'show server_encoding')).toBe('UTF8');
    expect(
      await ask(
        database.url,
        'select datlocprovider::text || datlocale from pg_database where datname = current_database()',
      ),
    ).toBe('bC.UTF-8');
  });

  it('makes the data anew when the first attempt was interrupted', async () => {
    await mkdir(join(data, 'postgres.unfinished', 'base'), { recursive: true });
    await writeFile(join(data, 'postgres.unfinished', 'PG_VERSION'), '18\n');
    await mkdir(join(data, 'postgres'));
    const { url } = await use();
    expect(await ask(url, 'select 1')).toBe(1);
    expect(await readdir(data)).not.toContain('postgres.unfinished');
  });
});

describe('several programs', () => {
  it('share one server, which stops when the last of them leaves and not with the one that started it', async () => {
    const starter = await startProgram();
    const pid = await serverPid();
    const { url, release } = await use();
    expect(url).toBe(starter.url);

    await starter.release();
    expect(await ask(url, 'select 1')).toBe(1);
    expect(await serverPid()).toBe(pid);

    await release();
    expect(isAlive(pid)).toBe(false);
  });

  it('that start at the same moment end up on the same server', async () => {
    const [first, second, own] = await Promise.all([startProgram(), startProgram(), use()]);
    expect(second.url).toBe(first.url);
    expect(own.url).toBe(first.url);
    expect(await starts()).toBe(1);

    const pid = await serverPid();
    await Promise.all([first.release(), own.release()]);
    expect(await ask(second.url, 'select 1')).toBe(1);
    await second.release();
    expect(isAlive(pid)).toBe(false);
  });

  it('in one process are counted one by one', async () => {
    const first = await use();
    const second = await use();
    await first.release();
    await first.release();
    expect(await ask(second.url, 'select 1')).toBe(1);
  });

  it('that were killed no longer keep the server from stopping', async () => {
    const database = await use();
    const other = await startProgram();
    const pid = await serverPid();
    await other.kill();
    await database.release();
    expect(isAlive(pid)).toBe(false);
  });
});

describe('after a crash', () => {
  it('of the program, the server that goes on is taken over', async () => {
    const starter = await startProgram();
    const pid = await serverPid();
    await starter.kill();
    expect(isAlive(pid)).toBe(true);

    const { url, release } = await use();
    expect(url).toBe(starter.url);
    expect(await serverPid()).toBe(pid);
    await release();
    expect(isAlive(pid)).toBe(false);
  });

  it('of the server, exactly one of those who use it starts it again, where it was', async () => {
    const starter = await startProgram();
    const { url } = await use();
    expect(url).toBe(starter.url);
    const pool = new pg.Pool({ connectionString: url, max: 2 });
    pool.on('error', () => undefined);
    await pool.query('create table kept as select 42 as answer');

    const pid = await serverPid();
    process.kill(pid, 'SIGKILL');
    await eventually(async () => expect(await serverPid()).not.toBe(pid));
    const { rows } = await eventually(() => pool.query<{ answer: number }>('select answer from kept'));
    expect(rows).toEqual([{ answer: 42 }]);
    await sleep(1_000);
    expect(await starts()).toBe(2);
    await pool.end();
  });

  it('of the server, one who only attached starts it again when the starter is gone', async () => {
    const starter = await startProgram();
    const { url } = await use();
    await starter.kill();
    process.kill(await serverPid(), 'SIGKILL');
    expect(await eventually(() => ask(url, 'select 1'))).toBe(1);
  });

  it('of the server, a newcomer who is first to notice starts it where the others look for it', async () => {
    const program = await startProgram();
    const { port } = new URL(program.url);
    program.freeze();
    process.kill(await serverPid(), 'SIGKILL');
    const newcomer = await use();
    program.wake();
    expect(new URL(newcomer.url).port).toBe(port);
  });

  it("of everything, another program that has the dead server's number is left alone", async () => {
    await (await use()).release();
    const pidFile = join(data, 'postgres', 'postmaster.pid');
    await writeFile(
      pidFile,
      `${process.pid}\n${join(data, 'postgres')}\n1\n5432\n\n127.0.0.1\n 1 1\nready\n`,
    );
    const { url } = await use();
    expect(await ask(url, 'select 1')).toBe(1);
  });
});

describe('what cannot work is said in one line', () => {
  it.runIf(isRoot)("when a folder above the data bars the server's user", async () => {
    await chmod(parent, 0o700);
    await expect(openEmbeddedPostgres({ data, log })).rejects.toThrow(
      `cannot pass through ${parent}: set BROADSHEET_DATA to a folder that this user can reach`,
    );
  });

  it.skipIf(isRoot)('when the data folder may not be written', async () => {
    await chmod(parent, 0o500);
    await expect(openEmbeddedPostgres({ data, log })).rejects.toThrow(/BROADSHEET_DATA.*permission denied/);
  });

  it('when the data folder is a file', async () => {
    await writeFile(data, '');
    await expect(openEmbeddedPostgres({ data, log })).rejects.toThrow(
      `BROADSHEET_DATA: ${data} is not a folder`,
    );
    await rm(data);
  });

  it('when there is something else where the data should be, which stays as it is', async () => {
    await mkdir(join(data, 'postgres'), { recursive: true });
    await writeFile(join(data, 'postgres', 'thesis.txt'), 'years of work');
    await expect(openEmbeddedPostgres({ data, log })).rejects.toThrow(/no complete PostgreSQL data folder/);
    expect(await readdir(join(data, 'postgres'))).toEqual(['thesis.txt']);
  });

  it('when the data is of another PostgreSQL, older or newer', async () => {
    await (await use()).release();
    const file = join(data, 'postgres', 'PG_VERSION');
    await writeFile(file, '99\n');
    await expect(openEmbeddedPostgres({ data, log })).rejects.toThrow(
      /made by PostgreSQL 99, which is newer/,
    );
    await writeFile(file, '16\n');
    await expect(openEmbeddedPostgres({ data, log })).rejects.toThrow(/made by PostgreSQL 16.*make a backup/);
  });

  it('when the password is lost', async () => {
    await (await use()).release();
    await rm(join(data, 'postgres.password'));
    await expect(openEmbeddedPostgres({ data, log })).rejects.toThrow(/postgres.password is missing/);
    await expect(serverPid()).rejects.toThrow();
  });
});
