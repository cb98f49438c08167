import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/db.ts';
import { jsonArray } from './json-array.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

/** Values as PostgreSQL read them. */
async function read(values: readonly unknown[]): Promise<unknown[]> {
  const { rows } = await sql<{ value: unknown }>`
    select value from unnest(${jsonArray(values)}::json[]) with ordinality as given (value, at) order by at`.execute(
    database.db,
  );
  return rows.map((row) => row.value);
}

describe('many values in one parameter', () => {
  it('arrive as they are and in their order, whatever script they are in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue({ stringUnit: 'grapheme', noUnicodeString: false })),
        async (values) => {
          expect(await read(values)).toEqual(JSON.parse(JSON.stringify(values)));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('are null where there is none', async () => {
    expect(await read(['“क”', undefined, { a: [1] }])).toEqual(['“क”', null, { a: [1] }]);
    expect(await read([])).toEqual([]);
  });
});
