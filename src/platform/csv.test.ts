import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvOf } from './csv.ts';

const read = (text: string): string[][] => parse(text, { bom: true, relax_column_count: true });

describe('a table for spreadsheets', () => {
  it.each([
    '=HYPERLINK("https://evil.example","x")',
    "+cmd|' /C calc'!A0",
    '@SUM(1+1)*cmd',
    '-1+1',
    '\t=1',
    '\r=1',
    '＝1',
  ])('has no formula that somebody wrote: %j', (text) => {
    const [[cell]] = read(csvOf([[text]])) as [[string]];
    expect(cell).toBe(`'${text}`);
  });

  it('keeps numbers as numbers, also below nothing', () => {
    expect(csvOf([['net', { decimal: '-12.50' }]], { mark: false })).toBe('net,-12.50\r\n');
  });

  it('gives every text back as it was, or with the apostrophe', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', minLength: 1 }), { minLength: 1 }), (texts) => {
        const [cells] = read(csvOf([texts])) as [string[]];
        expect(cells.map((cell, at) => (cell === texts[at] ? cell : cell.slice(1)))).toEqual(texts);
      }),
    );
  });
});
