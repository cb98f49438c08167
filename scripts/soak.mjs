// Searches for faults that come seldom, for as long as it is told: purchases while web processes and PostgreSQL are
// killed at random points of them (test/journeys/crashes.test.ts), renewals while the two processes that do them are
// killed (test/journeys/renewal-kills.test.ts), and random histories of subscriptions with two processes that crash and
// the books proven after each step (test/journeys/histories.test.ts).
//
//     npm run soak                            60 kills, 40 renewal kills and 200 histories, with a seed of its own, which it prints
//     npm run soak -- --kills 500
//     npm run soak -- --renewal-kills 200
//     npm run soak -- --histories 100000
//     npm run soak -- --minutes 480           as many histories as there are in that time
//     npm run soak -- --seed 12345            the same choices once more
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    kills: { type: 'string' },
    'renewal-kills': { type: 'string' },
    histories: { type: 'string' },
    minutes: { type: 'string' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
  },
});
for (const [name, value] of Object.entries(values)) {
  if (/^\d{1,10}$/.test(value)) continue;
  process.stderr.write(`--${name} is a whole number\n`);
  process.exit(1);
}
const { minutes, seed } = values;
const KINDS = [
  { name: 'kills', test: 'test/journeys/crashes', usually: '60', variable: 'SOAK_KILLS' },
  {
    name: 'renewal-kills',
    test: 'test/journeys/renewal-kills',
    usually: '40',
    variable: 'SOAK_RENEWAL_KILLS',
  },
  { name: 'histories', test: 'test/journeys/histories', usually: '200', variable: 'SOAK_HISTORIES' },
];
// Only histories are bound by a time: without a number there is no end to them but that.
if (minutes !== undefined) values.histories ??= String(10 ** 9);
// Whoever names one kind wants that alone.
const isAll = KINDS.every(({ name }) => values[name] === undefined);
const wanted = KINDS.map((kind) => ({
  ...kind,
  count: values[kind.name] ?? (isAll ? kind.usually : '0'),
})).filter(({ count }) => count !== '0');
const told = wanted.map(({ count, name }) => `${count} ${name.replace('-', ' ')}`);
if (minutes !== undefined) told.push(`histories for ${minutes} minutes at the most`);
process.stdout.write(`${[...told, `seed ${seed}`].join(', ')}\n`);
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { status } = spawnSync(
  process.execPath,
  [join(root, 'scripts', 'test.mjs'), ...wanted.map(({ test }) => test)],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      ...Object.fromEntries(wanted.map(({ count, variable }) => [variable, count])),
      ...(minutes === undefined ? {} : { SOAK_MINUTES: minutes }),
      SOAK_PROGRESS: '1',
      SOAK_SEED: seed,
    },
  },
);
process.exitCode = status ?? 1;
