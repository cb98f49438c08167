import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PackedAddresses } from './packed-addresses.ts';

it('addresses are found again by their ids and ids by their addresses, with the numbers beside them', () => {
  const addresses = new PackedAddresses();
  const at = (number: number) =>
    `https://old.example/${number % 300}/${'é'.repeat(number % 200)}${number}.jpg`;
  const ids = Array.from({ length: 20_000 }, (_, number) => addresses.note(at(number)));
  for (const [number, id] of ids.entries()) addresses.setNumber(id, 1, number);
  expect(addresses.find('https://old.example/')).toBeUndefined();
  expect([...addresses.ids()]).toEqual(ids);
  for (const [number, id] of ids.entries()) {
    expect([addresses.at(id), addresses.find(at(number))]).toEqual([at(number), id]);
    expect([0, 1, 2].map((which) => addresses.number(id, which as 0 | 1 | 2))).toEqual([0, number, 0]);
  }
  expect(ids.map((_, number) => addresses.note(at(number)))).toEqual(ids);
});

it('more folders than any site has, and addresses without one, are kept too', () => {
  const addresses = new PackedAddresses();
  const ids = Array.from({ length: 70_000 }, (_, number) => addresses.note(`/${number}/a`));
  expect([0, 65_535, 69_999].map((at) => addresses.at(ids[at] ?? 0))).toEqual([
    '/0/a',
    '/65535/a',
    '/69999/a',
  ]);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 2_000 }), (address) => {
      expect(addresses.at(addresses.note(address))).toBe(address);
    }),
  );
});
