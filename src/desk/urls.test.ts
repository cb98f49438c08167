import { describe, expect, it } from 'vitest';
import { isDeskPath, safeNext, withQuery } from './urls.ts';

describe('where somebody goes on to after signing in', () => {
  it.each(['/desk', '/desk/readers', '/desk/readers/0198a1b2-0000-7000-8000-000000000001', '/desk/audit'])(
    'is %s',
    (path) => {
      expect(safeNext(path)).toBe(path);
    },
  );

  it.each([
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    'https://evil.example',
    'https:evil.example',
    'javascript:alert(1)',
    'data:text/html,x',
    '/desk/%5c%5cevil.example',
    '/desk/..//evil.example',
    '/desk/../login',
    '/desk/\u0009/evil.example',
    '/desk//evil.example',
    '/deskevil',
    '/desk@evil.example',
    '/desk/readers?q=ana',
    '/desk/sign-in#x',
    '/login',
    ' /desk',
    '/desk\n',
    '',
    `/desk/${'a'.repeat(200)}`,
    undefined,
  ])('is never %j', (text) => {
    expect(safeNext(text)).toBeUndefined();
  });
});

describe('an address of the desk', () => {
  it('is told from a section whose name begins like it', () => {
    expect(['/desk', '/desk/', '/desk/x', '/deskwork', '/nation/desk'].map(isDeskPath)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  it('carries what is given, and nothing for what is not', () => {
    expect(withQuery('/desk', { next: '/desk/readers', done: undefined })).toBe(
      '/desk?next=%2Fdesk%2Freaders',
    );
    expect(withQuery('/desk', {})).toBe('/desk');
  });
});
