import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PackedAddresses } from './packed-addresses.ts';

it('addresses are found again by their numbers, and numbers by their addresses', () => {
  const addresses = new PackedAddresses();
  const at = (number: number) =>
    `https://old.example/uploads/${number % 300}/${'é'.repeat(number % 200)}${number}.jpg`;
  for (let number = 0; number < 20_000; number++) expect(addresses.note(at(number))).toBe(number);
  for (let number = 0; number < 20_000; number += 7) {
    expect(addresses.at(number)).toBe(at(number));
    expect([addresses.note(at(number)), addresses.find(at(number))]).toEqual([number, number]);
  }
  expect([addresses.count, addresses.find('https://old.example/')]).toEqual([20_000, undefined]);
});

it('more folders than any site has, and addresses without one, are kept too', () => {
  const addresses = new PackedAddresses();
  for (let number = 0; number < 70_000; number++) addresses.note(`/${number}/a`);
  expect([addresses.at(0), addresses.at(65_535), addresses.at(69_999)]).toEqual([
    '/0/a',
    '/65535/a',
    '/69999/a',
  ]);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 2_000 }), (address) => {
      expect(addresses.at(addresses.note(address))).toBe(address);
    }),
  );
});
