// Runs every test, or those whose path holds one of the words given, and says as the last line of standard output how
// it went: `N passed, N failed` (and `, N skipped`). A run in which nothing was tested has failed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findChromium } from './chromium.mjs';
import { findNginx } from './nginx.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), 'broadsheet-test-'));
const reportPath = join(folder, 'report.json');

const env = { ...process.env, NODE_ENV: 'test' };
const chromium = findChromium();
if (chromium !== undefined) env.CHROME_PATH = chromium;
const nginx = findNginx();
if (nginx !== undefined) env.NGINX_PATH = nginx;
if (env.REAL_INPUT) {
  env.REAL_INPUT = resolve(env.REAL_INPUT);
  if (!existsSync(env.REAL_INPUT)) {
    process.stderr.write(`REAL_INPUT names ${env.REAL_INPUT}, which does not exist\n`);
    process.exit(1);
  }
} else delete env.REAL_INPUT;

const { status } = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${reportPath}`,
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: 'inherit', env },
);

const { passed, failed, skipped } = count();
rmSync(folder, { recursive: true, force: true });
process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

/** What the report says; a file that could not even be read, and an error outside any test, count as one failure. */
function count() {
  let report;
  try {
    report = JSON.parse(readFileSync(reportPath, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const failed = report.numFailedTests + broken;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && status !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}
