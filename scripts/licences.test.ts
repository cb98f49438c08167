import { describe, expect, it } from 'vitest';
import { licenceProblem, parseLicence } from './licences.mjs';

describe('an expression of SPDX', () => {
  it.each([
    ['MIT', 'MIT'],
    ['(MIT)', 'MIT'],
    ['((MIT))', 'MIT'],
    ['LGPL-2.1+', 'LGPL-2.1+'],
    ['LicenseRef-own', 'LicenseRef-own'],
    ['Apache-2.0 WITH LLVM-exception', 'Apache-2.0 WITH LLVM-exception'],
    ['MIT OR ISC', { any: ['MIT', 'ISC'] }],
    ['MIT AND ISC AND 0BSD', { all: ['MIT', 'ISC', '0BSD'] }],
    ['MIT OR ISC AND 0BSD', { any: ['MIT', { all: ['ISC', '0BSD'] }] }],
    ['MIT AND ISC OR 0BSD', { any: [{ all: ['MIT', 'ISC'] }, '0BSD'] }],
    ['(MIT OR ISC) AND 0BSD', { all: [{ any: ['MIT', 'ISC'] }, '0BSD'] }],
    ['( MIT  OR(ISC AND 0BSD) )', { any: ['MIT', { all: ['ISC', '0BSD'] }] }],
    ['GPL-2.0-only WITH x OR MIT', { any: ['GPL-2.0-only WITH x', 'MIT'] }],
  ])('is read: %s', (text, licence) => {
    expect(parseLicence(text)).toEqual(licence);
  });

  it.each([
    '',
    '()',
    '(MIT',
    'MIT)',
    ')MIT(',
    'MIT ISC',
    'MIT OR',
    'OR MIT',
    'MIT AND OR ISC',
    'MIT OR OR',
    'MIT OR a/b',
    'MIT or ISC',
    'MIT WITH',
    'MIT WITH (LLVM-exception)',
    '(MIT OR ISC) WITH LLVM-exception',
    'MIT/ISC',
    'MIT, ISC',
    'MIT++',
    '+',
  ])('is not: %j', (text) => {
    expect(parseLicence(text)).toBeUndefined();
  });
});

describe('a package', () => {
  it.each([
    'MIT',
    'Apache-2.0',
    'OFL-1.1',
    'LGPL-3.0-or-later',
    'LGPL-2.1+',
    'MPL-2.0+',
    'Apache-2.0 WITH LLVM-exception',
    'Apache-2.0 AND MIT',
    '(MIT OR GPL-3.0-only)',
    '(MIT OR Apache-2.0) AND ISC',
    'GPL-3.0-only OR MIT AND ISC',
    '(MIT OR GPL-3.0-only) AND (AGPL-3.0-only OR ISC)',
  ])('may be used under %s', (license) => {
    expect(licenceProblem({ license })).toBeUndefined();
  });

  it.each([
    'GPL-3.0-only',
    'AGPL-3.0-only',
    'SSPL-1.0',
    'UNLICENSED',
    'BUSL-1.1',
    'GPL-2.0+',
    'LicenseRef-MIT',
    'MIT AND GPL-2.0-only',
    'GPL-3.0-only AND MIT OR SSPL-1.0 AND ISC',
    '(MIT OR GPL-3.0-only) AND (AGPL-3.0-only OR SSPL-1.0)',
    'GPL-2.0-only WITH Classpath-exception-2.0',
    'Apache-2.0 WITH Commons-Clause',
  ])('may not be used under %s', (license) => {
    expect(licenceProblem({ license })).toBe(`${license}: is not allowed`);
  });

  it.each([
    [{ license: { type: 'MIT', url: 'https://a.example' } }],
    [{ licenses: [{ type: 'MIT' }, { type: 'ISC' }] }],
    [{ licenses: ['MIT', 'ISC'] }],
    [{ license: ['MIT'] }],
    [{ licenses: { type: 'MIT' } }],
  ])('of the days before SPDX may be used: %j', (declared) => {
    expect(licenceProblem(declared)).toBeUndefined();
  });

  it.each([
    [{}, 'says nothing of its licence'],
    [{ license: '' }, 'says nothing of its licence'],
    [{ license: null }, 'says nothing of its licence'],
    [{ licenses: [] }, 'says nothing of its licence'],
    [{ license: { type: 'GPL-3.0-only' } }, 'GPL-3.0-only: is not allowed'],
    [{ licenses: [{ type: 'MIT' }, { type: 'GPL-2.0-only' }] }, 'GPL-2.0-only: is not allowed'],
    [{ license: 'MIT', licenses: [{ type: 'SSPL-1.0' }] }, 'SSPL-1.0: is not allowed'],
    [{ license: { url: 'https://a.example' } }, '{"url":"https://a.example"} names no licence'],
    [{ license: true }, 'true names no licence'],
    [{ license: 7 }, '7 names no licence'],
    [{ license: [['MIT']] }, '["MIT"] names no licence'],
    [{ license: 'SEE LICENSE IN terms.md' }, 'SEE LICENSE IN terms.md: has terms of its own'],
    [{ license: 'MIT, or ask us' }, 'MIT, or ask us: is no expression of SPDX'],
  ])('may not be used that says %j', (declared, problem) => {
    expect(licenceProblem(declared)).toBe(problem);
  });
});
