import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asciiSlug } from './slug.ts';

const ASCII_SLUG = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;

describe('a slug in ASCII', () => {
  it.each([
    ['Opinion & Analysis', '', 'opinion-analysis'],
    ['Łódź, Besançon', '', 'lodz-besancon'],
    ['Budget 2026', 'budget-2026-2', 'budget-2026'],
    ['खेती', 'kheti', 'kheti'],
    ['AI और समाज', 'ai-society', 'ai-society'],
  ])('says the words, or what they were called before where it cannot: %s', (words, given, slug) => {
    expect(asciiSlug(words, given)).toBe(slug);
  });

  it.each([
    ['माला', 'मेला'],
    ['बजट 2026', 'चुनाव 2026'],
    ['AI और समाज', 'AI'],
    ['IPL २०२४', 'IPL २०२३'],
    ['🎾', '🏏'],
  ])('tells %s from %s', (one, other) => {
    expect(asciiSlug(one)).not.toBe(asciiSlug(other));
  });

  it.each([
    ['политика', 'Политика'],
    ['  मेला ', 'मेला!'],
    ['कि\u0928\u093c', 'किऩ'],
  ])('is the same for %j and %j', (one, other) => {
    expect(asciiSlug(one)).toBe(asciiSlug(other));
  });

  it('is one, whatever the words and whatever was given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (words, given) => {
        expect(asciiSlug(words, given)).toMatch(ASCII_SLUG);
      }),
    );
  });
});
