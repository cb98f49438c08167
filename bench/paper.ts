import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { ask, OTHER_CPU } from './processes.ts';

/** What the benches share of a paper that they run. */
export type PaperEnv = Readonly<Record<string, string>>;

/** What a browser sends and the answer depends on. */
export const BROWSER = { 'accept-encoding': 'gzip, deflate, br, zstd' };
const PASSWORD = 'correct horse battery';

/** A folder for one run, which PostgreSQL's own user may pass through. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'broadsheet-bench-'));
  spawnSync('chmod', ['711', folder]);
  return folder;
}

/** Ends this bench where a program that it measures with is not installed. */
export function need(...programs: readonly string[]): void {
  const missing = programs.filter((program) => spawnSync('which', [program]).status !== 0);
  if (missing.length === 0) return;
  process.stderr.write(
    `The bench needs ${missing.join(', ')} (on Debian: apt-get install ${missing.join(' ')}).\n`,
  );
  process.exit(1);
}

/** Runs a command of the paper to its end, and gives what it printed. */
export function command(env: PaperEnv, ...args: readonly string[]): string {
  const { status, stderr, stdout } = spawnSync(process.execPath, ['dist/main/cli.js', ...args], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  });
  if (status !== 0) throw new Error(`${args[0]} failed: ${stderr}`);
  return stdout;
}

export type Listed = { readonly url: string; readonly access: string };

export function listStories(env: PaperEnv, limit = 1_000): readonly Listed[] {
  return JSON.parse(command(env, 'story', 'list', '--json', '--limit', String(limit))) as Listed[];
}

/** The path of the first story with an access. */
export function pathOf(stories: readonly Listed[], access: string): string {
  return new URL(stories.find((one) => one.access === access)?.url ?? '').pathname;
}

/** A browser that read one story: the cookie it was given. */
export async function visitorCookie(url: string): Promise<string> {
  const { headers } = await ask(url);
  const at = headers.findIndex((name) => name.toLowerCase() === 'set-cookie');
  return (headers[at + 1] as string).split(';')[0] as string;
}

/** A reader who subscribed through the sandbox gateway, and is signed in. */
export async function subscriberCookie(env: PaperEnv, base: string): Promise<string> {
  const email = 'bench@paper.example';
  command(env, 'reader', 'create', '--email', email, '--password', PASSWORD);
  command(env, 'subscribe', email, '--plan', 'yearly');
  const answer = await fetch(`${base}/login`, {
    method: 'POST',
    headers: { origin: env.BASE_URL ?? base, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ email, password: PASSWORD }),
    redirect: 'manual',
  });
  const cookie = answer.headers.getSetCookie().find((one) => /^(?:__Host-)?session=/.test(one));
  if (cookie === undefined) throw new Error(`signing in answered ${answer.status}`);
  return cookie.split(';')[0] as string;
}

/** The embedded server, and what it starts from now on, shares the second processor with the load. */
export function pinDatabase(data: string): void {
  const [postmaster = ''] = readFileSync(join(data, 'postgres', 'postmaster.pid'), 'utf8').split('\n');
  spawnSync('taskset', ['-acp', OTHER_CPU, postmaster]);
}

export function machine(): string {
  return `machine: ${cpus()[0]?.model}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB; Node ${process.version}`;
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
