// Format, lint, types, dead code, import directions, licences and known holes. Every step runs, whatever the one before it found.
import { spawnSync } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const env = {
  ...process.env,
  PATH: [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter),
};

const steps = [
  ['format and lint', ['biome', 'check', '--error-on-warnings', '.']],
  ['types', ['tsc', '--noEmit']],
  ['types of what browsers run', ['tsc', '--noEmit', '-p', 'src/site/client']],
  ['dead code', ['knip']],
  ['import directions', ['node', 'scripts/import-rules.mjs']],
  // The last, so that its warning stands at the end, where it is seen.
  ['what comes from elsewhere', ['node', 'scripts/supply-chain.mjs']],
];

const failed = [];
for (const [name, [command, ...args]] of steps) {
  process.stdout.write(`\n${name}: ${command} ${args.join(' ')}\n`);
  const { status } = spawnSync(command, args, { cwd: root, env, stdio: 'inherit' });
  if (status !== 0) failed.push(name);
}
process.stdout.write(failed.length === 0 ? '\ncheck: all good\n' : `\ncheck: failed: ${failed.join(', ')}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
