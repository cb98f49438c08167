import { describe, expect, it } from 'vitest';
import { uuidv7 } from './ids.ts';

describe('a UUIDv7', () => {
  const made = Array.from({ length: 50_000 }, uuidv7);

  it('says what it is', () => {
    for (const id of made)
      expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  });

  it('comes behind all that this process made before, however many there are in a millisecond', () => {
    expect(made.toSorted()).toEqual(made);
    expect(new Set(made).size).toBe(made.length);
  });
});
