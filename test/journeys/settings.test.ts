import { afterAll, beforeAll, expect, it } from 'vitest';
import { setPublication } from '#publication';
import { storeStories, storyInput } from '../builders.ts';
import { type TestPaper, testPaper } from '../paper.ts';

/** A setting changes while every page is being asked for: none may keep the old one. */
let paper: TestPaper;

beforeAll(async () => {
  paper = await testPaper();
  await storeStories(
    paper.database.db,
    Array.from({ length: 6 }, () => storyInput({ access: 'free' })),
  );
});
afterAll(() => paper.end());

it('a new name of the paper is on every page, however busily they were made meanwhile', async () => {
  const pages = [
    '/',
    '/nation',
    '/topics',
    '/sections',
    '/authors/tara-nambiar',
    '/feed.xml',
    '/sitemap.xml',
    '/news-sitemap.xml',
  ];
  let asking = true;
  const readers = Array.from({ length: 6 }, async () => {
    while (asking) {
      for (const page of pages) await (await paper.get(page)).text();
      // What is answered from memory must not keep the change from being heard.
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  for (let change = 1; change <= 8; change++) {
    const name = `The Courier, number ${change}`;
    await setPublication(paper.database.db, 'name', name);
    await expect.poll(async () => (await paper.get('/about')).text(), { timeout: 2_000 }).toContain(name);
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (const page of pages.slice(0, 6))
      expect([page, (await (await paper.get(page)).text()).includes(name)]).toEqual([page, true]);
  }
  asking = false;
  await Promise.all(readers);
}, 30_000);
