import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judgeAudit, readAudit, wrongPackages } from './supply-chain.mjs';

const GOOD = { version: '1.2.3', license: 'MIT', integrity: 'sha512-x' };

describe('a package of the lock', () => {
  it.each([
    [{ '': { version: '0.1.0' } }],
    [{ 'node_modules/a': GOOD }],
    [{ 'node_modules/b/node_modules/@c/a': GOOD }],
    [{ 'node_modules/a': { ...GOOD, resolved: 'https://registry.npmjs.org/a/-/a-1.2.3.tgz' } }],
    [{ 'packages/own': { version: '0.1.0' }, 'node_modules/own': { link: true, resolved: 'packages/own' } }],
  ])('is in order: %j', (packages) => {
    expect(wrongPackages(packages)).toEqual([]);
  });

  it('may not be used without a licence that is allowed', () => {
    expect(
      wrongPackages({
        'node_modules/@b/a': { ...GOOD, license: 'MIT AND GPL-2.0-only' },
        'node_modules/c/node_modules/d': { version: '1.0.0', integrity: 'sha512-x' },
      }),
    ).toEqual(['@b/a 1.2.3: MIT AND GPL-2.0-only: is not allowed', 'd 1.0.0: says nothing of its licence']);
  });

  it.each([
    'git+ssh://git@github.com/b/a.git#0123456789012345678901234567890123456789',
    'git+https://github.com/b/a.git#0123456789012345678901234567890123456789',
    'file:a-1.2.3.tgz',
    'http://registry.npmjs.org/a/-/a-1.2.3.tgz',
    'https://registry.npmjs.org.b.example/a/-/a-1.2.3.tgz',
    'https://github.com/b/a/archive/v1.2.3.tgz',
    'https://registry.npmjs.org/a',
    '',
  ])('may not come from %j', (resolved) => {
    expect(wrongPackages({ 'node_modules/a': { ...GOOD, resolved } })).toEqual([
      `a 1.2.3: comes from ${resolved}, and not from the registry`,
    ]);
  });

  it.each([undefined, '', 'sha1-x'])('has a digest, and not %j', (integrity) => {
    expect(wrongPackages({ 'node_modules/a': { version: '1.2.3', license: 'MIT', integrity } })).toEqual([
      'a 1.2.3: has no digest (sha512) in package-lock.json',
    ]);
  });

  it.each(['../own', '/srv/own', 'packages/../../own', 'file:../own', 'node_modules/b/own'])(
    'may be no link out of the project, to %s',
    (resolved) => {
      expect(wrongPackages({ 'node_modules/own': { link: true, resolved } })).toContain(
        `own: comes from ${resolved}, and not from the registry`,
      );
    },
  );

  it('may be no link to nowhere', () => {
    expect(wrongPackages({ 'node_modules/own': { link: true } })).toContain(
      'own: has no digest (sha512) in package-lock.json',
    );
  });

  it('that lies outside the project is no part of it', () => {
    expect(wrongPackages({ '../own': { version: '1.0.0' } })).toContain(
      '../own 1.0.0: has no digest (sha512) in package-lock.json',
    );
  });
});

describe('what the registry knows of holes', () => {
  const holes = (severity: string) => ({
    a: { name: 'a', severity, range: '<1.3.0', via: [], effects: [], fixAvailable: true },
  });

  it.each([
    [{ vulnerabilities: {} }, { kind: 'clean' }],
    [{ vulnerabilities: holes('moderate') }, { kind: 'clean' }],
    [{ vulnerabilities: holes('high') }, { kind: 'holes', holes: ['a <1.3.0: high'] }],
    [{ vulnerabilities: holes('critical') }, { kind: 'holes', holes: ['a <1.3.0: critical'] }],
    [
      { message: '405 Method Not Allowed', error: { summary: '', detail: '' } },
      { kind: 'unasked', reason: '405 Method Not Allowed' },
    ],
    [
      { error: { code: 'ENOLOCK', summary: 'there is no lock' } },
      { kind: 'unasked', reason: 'there is no lock' },
    ],
    [{ vulnerabilities: null }, { kind: 'unasked', reason: 'the answer lists no holes' }],
    [null, { kind: 'unasked', reason: 'the answer lists no holes' }],
  ])('is read: %j', (report, expected) => {
    expect(readAudit(JSON.stringify(report))).toEqual(expected);
  });

  it('may be no answer at all', () => {
    for (const text of ['', 'npm error'])
      expect(readAudit(text)).toEqual({ kind: 'unasked', reason: 'npm audit gave no answer' });
  });

  it('is an error where there is a hole, whatever is wished', () => {
    const found = { lines: ['known hole  a <1.3.0: high'], passes: false };
    for (const wish of [undefined, '', 'required'])
      expect(judgeAudit({ kind: 'holes', holes: ['a <1.3.0: high'] }, wish)).toEqual(found);
  });

  it('is good where there is none, whatever is wished', () => {
    for (const wish of [undefined, '', 'required'])
      expect(judgeAudit({ kind: 'clean' }, wish)).toEqual({ lines: ['no known holes'], passes: true });
  });

  it('is asked for by one word, and any other is refused', () => {
    for (const wish of ['Required', 'yes', '0'])
      expect(judgeAudit({ kind: 'clean' }, wish)).toEqual({
        lines: [`AUDIT is either not set or "required", and not "${wish}"`],
        passes: false,
      });
  });
});

describe('a registry that cannot be asked', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'broadsheet-no-audit-'));
    const npm = join(folder, 'npm');
    await writeFile(npm, `#!/bin/sh\necho '{ "message": "405 Method Not Allowed" }'\nexit 1\n`);
    await chmod(npm, 0o755);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  function check(env: Record<string, string>) {
    const script = fileURLToPath(new URL('supply-chain.mjs', import.meta.url));
    const { status, stdout } = spawnSync(process.execPath, [script], {
      encoding: 'utf8',
      env: { PATH: `${folder}:/usr/bin:/bin`, ...env },
    });
    return { status, end: stdout.trimEnd().split('\n').slice(-5) };
  }

  it('is the last thing that the check says, and no error', () => {
    const { end, status } = check({});
    expect(end).toEqual([
      '!'.repeat(100),
      'WARNING: nobody has looked for known holes. The registry could not be asked:',
      '405 Method Not Allowed',
      expect.stringContaining('AUDIT=required'),
      '!'.repeat(100),
    ]);
    expect(status).toBe(0);
  });

  it('is an error where its answer is required', () => {
    const { end, status } = check({ AUDIT: 'required' });
    expect(end[1]).toMatch(/^ERROR: nobody has looked for known holes/);
    expect(status).toBe(1);
  });
});
