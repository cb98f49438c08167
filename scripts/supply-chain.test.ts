import { describe, expect, it } from 'vitest';
import { readAudit, wrongLicences } from './supply-chain.mjs';

const packageOf = (license?: string) => ({
  '': { version: '0.1.0' },
  'node_modules/a': { version: '1.2.3', ...(license === undefined ? {} : { license }) },
});

describe('a package', () => {
  it.each([
    'MIT',
    'Apache-2.0',
    'OFL-1.1',
    'LGPL-3.0-or-later',
    '(MIT OR GPL-3.0-only)',
    'Apache-2.0 AND MIT',
  ])('may be used under %s', (license) => {
    expect(wrongLicences(packageOf(license))).toEqual([]);
  });

  it.each([
    'GPL-3.0-only',
    'AGPL-3.0-only',
    'SSPL-1.0',
    'UNLICENSED',
    'SEE LICENSE IN x',
    'MIT AND GPL-2.0-only',
    'BUSL-1.1',
  ])('may not be used under %s', (license) => {
    expect(wrongLicences(packageOf(license))).toEqual([`a 1.2.3: ${license}`]);
  });

  it('that says nothing may not be used', () => {
    expect(wrongLicences(packageOf())).toEqual(['a 1.2.3: says nothing of its licence']);
  });
});

describe('what the registry knows of holes', () => {
  const hole = (severity: string) => ({
    a: { name: 'a', severity, range: '<1.3.0', via: [], effects: [], fixAvailable: true },
  });

  it.each([
    [
      { auditReportVersion: 2, vulnerabilities: {} },
      { kind: 'clean', lines: [] },
    ],
    [
      { auditReportVersion: 2, vulnerabilities: hole('moderate') },
      { kind: 'clean', lines: [] },
    ],
    [
      { auditReportVersion: 2, vulnerabilities: hole('high') },
      { kind: 'holes', lines: ['a <1.3.0: high'] },
    ],
    [
      { auditReportVersion: 2, vulnerabilities: hole('critical') },
      { kind: 'holes', lines: ['a <1.3.0: critical'] },
    ],
    [
      { message: '405 Method Not Allowed', error: { summary: '', detail: '' } },
      { kind: 'unasked', lines: [] },
    ],
  ])('is read: %j', (report, expected) => {
    expect(readAudit(JSON.stringify(report))).toEqual(expected);
  });

  it('may be no answer at all', () => {
    for (const text of ['', 'npm error']) expect(readAudit(text).kind).toBe('unasked');
  });
});
