import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextPath, pathFrom } from './next-path.ts';

describe('where a browser goes on after signing in', () => {
  it.each([
    ['/world/a-story-0123456789', '/world/a-story-0123456789'],
    ['/world?after=0123456789', '/world?after=0123456789'],
    ['/world/%E0%A4%B9-0123456789', '/world/%E0%A4%B9-0123456789'],
    ['/world#wall', '/world'],
    ['/subscribe/yearly?next=%2Fworld%2Fa-story', '/subscribe/yearly?next=%2Fworld%2Fa-story'],
    ['/a/../account', '/account'],
  ])('is the page it came from: %s', (given, path) => {
    expect(nextPath(given)).toBe(path);
  });

  it.each([
    undefined,
    '',
    'world',
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/world\\..\\..',
    'https://evil.example/',
    'https:evil.example',
    'javascript:alert(1)',
    'data:text/html,x',
    '/%2fevil.example',
    '/%5cevil.example',
    '/..//evil.example',
    '/world\n//evil.example',
    '/world%0d%0aSet-Cookie:x',
    ' /world',
    '/ world',
    '/login',
    '/login?next=/login',
    '/login/code',
    '/desk/readers',
    `/${'x'.repeat(600)}`,
  ])('is the front for anything else: %j', (given) => {
    expect(nextPath(given)).toBe('/');
  });

  it('is on this paper, whatever was given', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.webUrl(),
          fc.string().map((text) => `/${text}`),
        ),
        (text) => {
          const path = nextPath(text);
          expect(new URL(path, 'https://paper.example').origin).toBe('https://paper.example');
          expect(path).toMatch(/^\/(?![/\\])/);
        },
      ),
    );
  });

  it('is known from the browser, for a link that does not say', () => {
    expect(pathFrom('https://paper.example/world/x?y=1', 'https://paper.example')).toBe('/world/x?y=1');
    expect(pathFrom('https://evil.example/world', 'https://paper.example')).toBeUndefined();
    expect(pathFrom('nonsense', 'https://paper.example')).toBeUndefined();
  });
});
