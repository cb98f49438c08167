import { expect } from 'vitest';
import { brokenBooks, heldBy } from '#billing';
import type { TestPaper } from './paper.ts';

/** Every invariant of the books holds, and the gateway says that it took what they say. */
export async function booksHold(paper: TestPaper): Promise<void> {
  const { db } = paper.database;
  expect(await brokenBooks(db)).toEqual([]);
  expect(await paper.billing.gateways.named('sandbox').readBalance()).toEqual({
    kind: 'ok',
    value: await heldBy(db, 'sandbox'),
  });
}
