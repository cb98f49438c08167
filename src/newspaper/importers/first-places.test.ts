import { expect, it } from 'vitest';
import { FirstPlaces } from './first-places.ts';

it('tells where each of many names stood first', () => {
  const places = new FirstPlaces();
  for (let at = 0; at < 20_000; at++) expect(places.note(`name ${at}`, at)).toBeUndefined();
  for (let at = 0; at < 20_000; at++) expect(places.note(`name ${at}`, -1)).toBe(at);
  expect(places.note('', 7)).toBeUndefined();
  expect(places.note('', 8)).toBe(7);
});
