import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median, untilReady } from './processes.ts';

/** From `npm start`, after set-up, to the first answer: with an empty data folder, and with one that is there. */
const PORT = 4330;
const RUNS = 5;
const empty: number[] = [];
const existing: number[] = [];

for (let run = 0; run < RUNS; run++) {
  const folder = mkdtempSync(join(tmpdir(), 'broadsheet-start-'));
  spawnSync('chmod', ['711', folder]);
  empty.push(await timeStart(folder));
  existing.push(await timeStart(folder));
  rmSync(folder, { recursive: true, force: true });
}
const row = (name: string, ms: readonly number[]) =>
  `| ${name} | ${(median(ms) / 1000).toFixed(2)} | ${(Math.min(...ms) / 1000).toFixed(2)}–${(Math.max(...ms) / 1000).toFixed(2)} |\n`;
process.stdout.write(`| npm start to the first answer, ${RUNS} runs | median s | min–max |\n|---|---|---|\n`);
process.stdout.write(row('empty data folder: new database, migrated, demonstration loaded', empty));
process.stdout.write(row('existing data folder', existing));

async function timeStart(folder: string): Promise<number> {
  const child = spawn('npm', ['start'], {
    env: { ...process.env, PORT: String(PORT), BROADSHEET_DATA: join(folder, 'data') },
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true,
  });
  const ms = await untilReady(`http://127.0.0.1:${PORT}/`);
  await stop(child);
  return ms;
}

/** As Ctrl-C in a terminal does: to everything that was started together. */
async function stop(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  process.kill(-(child.pid as number), 'SIGINT');
  await exited;
}
