// What comes from elsewhere: that every package may be used and is what it was, and that none has a known hole.
// `npm run sbom` lists them all.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { licenceProblem } from './licences.mjs';

/** npm writes this address whichever mirror it asks, and asks the mirror of whoever installs. */
const REGISTRY = 'https://registry.npmjs.org/';

/**
 * Every package from elsewhere is a tarball of the registry, has its digest, and a licence that is allowed. Pure.
 *
 * @param {Record<string, { version?: string, license?: unknown, licenses?: unknown, integrity?: string,
 *   resolved?: string, link?: boolean }>} packages those of package-lock.json, by their folders
 * @returns {string[]} what is wrong, a line each
 */
export function wrongPackages(packages) {
  return Object.entries(packages).flatMap(([folder, entry]) => {
    // The paper itself, a workspace of its own, or a link to one.
    if (isInside(entry.link ? entry.resolved : folder)) return [];
    const name = [folder.replace(/^.*node_modules\//, ''), entry.version].filter(Boolean).join(' ');
    return [licenceProblem(entry), sourceProblem(entry)]
      .filter((problem) => problem !== undefined)
      .map((problem) => `${name}: ${problem}`);
  });
}

function isInside(folder) {
  if (typeof folder !== 'string' || folder.includes(':') || folder.startsWith('/')) return false;
  return !folder.split('/').some((part) => part === '..' || part === 'node_modules');
}

function sourceProblem({ integrity, resolved }) {
  // Where no address stands, the version is asked of the registry.
  const isOfRegistry = resolved === undefined || (resolved.startsWith(REGISTRY) && resolved.endsWith('.tgz'));
  if (!isOfRegistry) return `comes from ${resolved}, and not from the registry`;
  return integrity?.startsWith('sha512-') ? undefined : 'has no digest (sha512) in package-lock.json';
}

/**
 * Pure.
 *
 * @param {string} text what `npm audit --json` says
 * @returns {{ kind: 'clean' } | { kind: 'unasked', reason: string } | { kind: 'holes', holes: string[] }} `unasked`: the
 *   registry gave no answer
 */
export function readAudit(text) {
  let report;
  try {
    report = JSON.parse(text);
  } catch {
    return { kind: 'unasked', reason: 'npm audit gave no answer' };
  }
  if (typeof report?.vulnerabilities !== 'object' || report.vulnerabilities === null) {
    const reason = report?.message || report?.error?.summary || 'the answer lists no holes';
    return { kind: 'unasked', reason: String(reason) };
  }
  const holes = Object.values(report.vulnerabilities)
    .filter(({ severity }) => severity === 'high' || severity === 'critical')
    .map(({ name, range, severity }) => `${name} ${range}: ${severity}`);
  return holes.length === 0 ? { kind: 'clean' } : { kind: 'holes', holes };
}

/**
 * What an audit is told as, and whether it passes: with a warning where the registry could not be asked, since not every
 * registry that serves packages answers this. Pure.
 *
 * @param {ReturnType<typeof readAudit>} audit
 * @param {string | undefined} wish AUDIT of the environment: `required` where only an answer will do
 * @returns {{ lines: string[], passes: boolean }}
 */
export function judgeAudit(audit, wish) {
  if (wish !== undefined && wish !== '' && wish !== 'required')
    return { lines: [`AUDIT is either not set or "required", and not "${wish}"`], passes: false };
  if (audit.kind === 'clean') return { lines: ['no known holes'], passes: true };
  if (audit.kind === 'holes')
    return { lines: audit.holes.map((hole) => `known hole  ${hole}`), passes: false };
  const isRequired = wish === 'required';
  return {
    lines: [
      BAR,
      `${isRequired ? 'ERROR' : 'WARNING'}: nobody has looked for known holes. The registry could not be asked:`,
      audit.reason,
      isRequired
        ? 'AUDIT=required wants its answer.'
        : 'Run this where it can be asked, with AUDIT=required, before anything is released.',
      BAR,
    ],
    passes: !isRequired,
  };
}

const BAR = '!'.repeat(100);

function main() {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const wrong = wrongPackages(packages);
  for (const line of wrong) process.stdout.write(`package  ${line}\n`);
  process.stdout.write(`${Object.keys(packages).length - 1} packages; wrong with them: ${wrong.length}\n`);
  const { stdout } = spawnSync('npm', ['audit', '--json', '--omit=dev'], {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
  });
  const { lines, passes } = judgeAudit(readAudit(stdout ?? ''), process.env.AUDIT);
  process.stdout.write(`${lines.join('\n')}\n`);
  process.exitCode = wrong.length === 0 && passes ? 0 : 1;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main();
