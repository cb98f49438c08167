import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** Processors: what is measured runs alone on the first; the load and the database share the second. */
export const MEASURED_CPU = '0';
export const OTHER_CPU = '1';

/** Starts a program on one processor; what it prints goes nowhere unless it fails to start. */
export function start(
  cpu: string,
  program: string,
  args: readonly string[],
  env: Record<string, string> = {},
): ChildProcess {
  return spawn('taskset', ['-c', cpu, program, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

/** One answer as it came: for the yardstick to send the same. */
export type Recorded = {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
};

/** Asks once. Headers that Node's server adds by itself are left out of what is recorded. */
export function ask(url: string, headers: Record<string, string> = {}): Promise<Recorded> {
  const own = new Set(['date', 'connection', 'keep-alive']);
  return new Promise((resolve, reject) => {
    request(url, { headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const kept: string[] = [];
        for (let at = 0; at + 1 < response.rawHeaders.length; at += 2) {
          const [name, value] = [response.rawHeaders[at] as string, response.rawHeaders[at + 1] as string];
          if (!own.has(name.toLowerCase())) kept.push(name, value);
        }
        resolve({ status: response.statusCode ?? 0, headers: kept, body: Buffer.concat(chunks) });
      });
    })
      .on('error', reject)
      .end();
  });
}

/** Waits until an address answers with a status; gives the milliseconds it took. */
export async function untilReady(url: string, wanted = 200): Promise<number> {
  const patienceMs = 60_000;
  const began = performance.now();
  for (;;) {
    const status = await ask(url).then(
      (answer) => answer.status,
      () => 0,
    );
    const took = performance.now() - began;
    if (status === wanted) return took;
    if (took > patienceMs) throw new Error(`${url} was not ready after ${patienceMs} ms`);
    await sleep(10);
  }
}

/** Requests a second that a server answers to 64 connections, by wrk on the other processor. */
export function load(
  url: string,
  seconds: number,
  headers: Record<string, string> = {},
  script?: string,
): Load {
  const given = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const args = ['-c', OTHER_CPU, 'wrk', '-t1', '-c64', `-d${seconds}s`, '--latency', ...given];
  const { stdout, status, stderr } = spawnSync('taskset', [...args, ...(script ? ['-s', script] : []), url], {
    encoding: 'utf8',
  });
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1];
  if (status !== 0 || rate === undefined) throw new Error(`wrk failed: ${stderr}${stdout}`);
  const bad = /Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1];
  const p99 = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout);
  const unit = { us: 0.001, ms: 1, s: 1000 }[p99?.[2] as 'us' | 'ms' | 's'] ?? 1;
  return { perSecond: Number(rate), failed: Number(bad ?? 0), p99Ms: Number(p99?.[1] ?? 0) * unit };
}
export type Load = { readonly perSecond: number; readonly failed: number; readonly p99Ms: number };

/** Resident memory of a process in MB, as the system counts it. */
export function residentMb(pid: number): number {
  const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kb) / 1024);
}

/** A process and those that it started. */
export function family(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
  return [pid, ...stdout.split('\n').filter(Boolean).map(Number)];
}

/** What processors have done for processes so far, in milliseconds. */
export function processorMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    // After the name in brackets: state first, user and system time in hundredths of a second twelfth and thirteenth.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return sum + 10 * (Number(fields[11]) + Number(fields[12]));
  }, 0);
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** The processor's time that processes have taken so far, in milliseconds, with that of their children. */
export function cpuMs(pids: readonly number[]): number {
  const running = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const stats = running.flatMap((pid) => {
    try {
      // The name of a program may hold blanks and brackets: what follows it is counted from its last bracket.
      const [, rest = ''] = /^.*\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
      const fields = rest.split(' ').map(Number);
      return [{ pid: Number(pid), parent: fields[1] ?? 0, ticks: [11, 12, 13, 14].map((at) => fields[at] ?? 0) }];
    } catch {
      return [];
    }
  });
  const own = (pid: number): number =>
    stats.reduce((sum, one) => {
      if (one.pid !== pid && one.parent !== pid) return sum;
      // Of children that live still only what is theirs; of the process also what those took that have ended.
      const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = one.ticks;
      return sum + user + system + (one.pid === pid ? endedUser + endedSystem : 0);
    }, 0);
  return pids.reduce((sum, pid) => sum + own(pid), 0) * 10;
}
