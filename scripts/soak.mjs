// Searches for faults that come seldom, for as long as it is told: purchases while web processes and PostgreSQL are
// killed at random points of them (test/journeys/crashes.test.ts), and random histories of subscriptions with the books
// proven after each step (test/journeys/histories.test.ts).
//
//     npm run soak                       60 kills and 200 histories, with a seed of its own, which it prints
//     npm run soak -- --kills 500
//     npm run soak -- --histories 100000
//     npm run soak -- --seed 12345       the same choices once more
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    kills: { type: 'string' },
    histories: { type: 'string' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
  },
});
for (const [name, value] of Object.entries(values)) {
  if (/^\d{1,10}$/.test(value)) continue;
  process.stderr.write(`--${name} is a whole number\n`);
  process.exit(1);
}
// Whoever names one kind wants that alone.
const isAll = values.kills === undefined && values.histories === undefined;
const kills = values.kills ?? (isAll ? '60' : '0');
const histories = values.histories ?? (isAll ? '200' : '0');
process.stdout.write(`${kills} kills, ${histories} histories, seed ${values.seed}\n`);
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const wanted = [
  ...(kills === '0' ? [] : ['test/journeys/crashes']),
  ...(histories === '0' ? [] : ['test/journeys/histories']),
];
const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'test.mjs'), ...wanted], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, SOAK_KILLS: kills, SOAK_HISTORIES: histories, SOAK_SEED: values.seed },
});
process.exitCode = status ?? 1;
