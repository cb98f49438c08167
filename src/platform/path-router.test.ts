import { describe, expect, it } from 'vitest';
import { PathRouter } from './path-router.ts';

function table(...paths: string[]): (path: string, method?: string) => unknown {
  const router = new PathRouter<string>();
  for (const path of paths) router.add('GET', path, path);
  return (path, method = 'GET') => {
    const found = router.find(method, path);
    return found === undefined ? undefined : [found.value, found.params];
  };
}

describe('the route of a path', () => {
  const find = table(
    '/',
    '/feed.xml',
    '/topics/:topic',
    '/:section',
    '/:section/feed.xml',
    '/:section/:story',
  );

  it.each([
    ['/', ['/', {}]],
    ['/feed.xml', ['/feed.xml', {}]],
    ['/world', ['/:section', { section: 'world' }]],
    ['/world/feed.xml', ['/:section/feed.xml', { section: 'world' }]],
    ['/topics/rail', ['/topics/:topic', { topic: 'rail' }]],
    ['/world/a-story-0123456789', ['/:section/:story', { section: 'world', story: 'a-story-0123456789' }]],
    ['/world/%2e', ['/:section/:story', { section: 'world', story: '%2e' }]],
  ])('%s', (path, route) => {
    expect(find(path)).toEqual(route);
  });

  it.each(['/world/', '//', '//world', '/a/b/c', '/world/a/', '', 'world'])('is none: %j', (path) => {
    expect(find(path)).toBeUndefined();
  });

  it('is another for another method', () => {
    expect(find('/world', 'POST')).toBeUndefined();
  });

  it('is the one that was said first, where two fit', () => {
    expect(table('/:a/:b', '/x/:b')('/x/y')).toEqual(['/:a/:b', { a: 'x', b: 'y' }]);
  });

  it.each(['/a/*', '/:id{[0-9]+}', '/:id?', '/a/:file.xml:b'])('cannot be said with %s', (path) => {
    expect(() => table(path)).toThrow(RangeError);
  });
});
