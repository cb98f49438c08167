// Searches for faults that come seldom, for as long as it is told: purchases while web processes and PostgreSQL are
// killed at random points of them (test/journeys/crashes.test.ts).
//
//     npm run soak                       60 kills, with a seed of its own, which it prints
//     npm run soak -- --kills 500
//     npm run soak -- --seed 12345       the same choices once more
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '60' }, seed: { type: 'string' } },
});
const seed = values.seed ?? String(randomInt(2 ** 31));
for (const [name, value] of [
  ['--kills', values.kills],
  ['--seed', seed],
]) {
  if (/^\d{1,10}$/.test(value)) continue;
  process.stderr.write(`${name} is a whole number\n`);
  process.exit(1);
}
process.stdout.write(`${values.kills} kills, seed ${seed}\n`);
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'test.mjs'), 'test/journeys/crashes'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, SOAK_KILLS: values.kills, SOAK_SEED: seed },
});
process.exitCode = status ?? 1;
