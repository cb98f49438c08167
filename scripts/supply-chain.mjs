// What comes from elsewhere: that every package may be used, and that none has a known hole. `npm run sbom` lists them all.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Permissive, for fonts, or weak copyleft: what a publisher may run and change. SPDX. */
const ALLOWED = new Set(
  (
    'MIT MIT-0 ISC BSD-2-Clause BSD-3-Clause 0BSD Apache-2.0 BlueOak-1.0.0 CC0-1.0 Unlicense Python-2.0 PSF-2.0 Zlib ' +
    'OFL-1.1 MPL-2.0 LGPL-3.0-or-later LGPL-3.0-only LGPL-2.1-or-later CC-BY-4.0'
  ).split(' '),
);

/**
 * @param {Record<string, { version?: string, license?: string }>} packages those of package-lock.json, by their folders
 * @returns {string[]} those that may not be used, or do not say how, a line each
 */
export function wrongLicences(packages) {
  return Object.entries(packages).flatMap(([folder, { license, version }]) => {
    if (folder === '') return [];
    const name = folder.replace(/^.*node_modules\//, '');
    if (license === undefined) return [`${name} ${version}: says nothing of its licence`];
    return isAllowed(license) ? [] : [`${name} ${version}: ${license}`];
  });
}

/** An expression of SPDX: of alternatives one has to be allowed, of what holds together all. */
function isAllowed(license) {
  const plain = license.replace(/^\((.*)\)$/, '$1');
  if (plain.includes(' OR ')) return plain.split(' OR ').some(isAllowed);
  if (plain.includes(' AND ')) return plain.split(' AND ').every(isAllowed);
  return ALLOWED.has(plain);
}

/**
 * @param {string} text what `npm audit --json` says
 * @returns {{ kind: 'clean' | 'unasked' | 'holes', lines: string[] }} `unasked`: the registry gave no answer
 */
export function readAudit(text) {
  let report;
  try {
    report = JSON.parse(text);
  } catch {
    return { kind: 'unasked', lines: [] };
  }
  if (report.vulnerabilities === undefined) return { kind: 'unasked', lines: [] };
  const lines = Object.values(report.vulnerabilities)
    .filter(({ severity }) => severity === 'high' || severity === 'critical')
    .map(({ name, range, severity }) => `${name} ${range}: ${severity}`);
  return { kind: lines.length === 0 ? 'clean' : 'holes', lines };
}

function main() {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const wrong = wrongLicences(packages);
  for (const line of wrong) process.stdout.write(`licence  ${line}\n`);
  const audit = spawnSync('npm', ['audit', '--json', '--omit=dev'], {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
  });
  const { kind, lines } = readAudit(audit.stdout ?? '');
  for (const line of lines) process.stdout.write(`known hole  ${line}\n`);
  const asked = {
    clean: 'no known holes',
    holes: `${lines.length} known holes`,
    unasked: 'the registry could not be asked for known holes',
  };
  process.stdout.write(
    `${Object.keys(packages).length - 1} packages, ${wrong.length} that may not be used; ${asked[kind]}\n`,
  );
  process.exitCode = wrong.length > 0 || kind === 'holes' ? 1 : 0;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main();
