import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withdrawStory } from '#content';
import { createLogger } from '#platform/log';
import { loadDemo } from '../../demo/load-demo.ts';
import { HOME } from '../../src/main/compose.ts';
import { drain, listen } from '../../src/main/serve.ts';
import { type StoredStory, storeStories, storyInput } from '../builders.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { openBrowser, SCREENS } from './browser.ts';

/** Journey A in a real browser: a reader opens stories, meets the wall, and reads on when the month has turned. */
let paper: TestPaper;
let server: Server;
let browser: Browser;
let base: string;
let premium: StoredStory;
let hindi: StoredStory;
let withdrawn: StoredStory;

beforeAll(async () => {
  paper = await testPaper('2026-11-23T06:30:00Z');
  const { db } = paper.database;
  await loadDemo({ db, now: paper.clock.now(), folder: join(HOME, 'demo'), settings: paper.publication() });
  [premium, hindi, withdrawn] = (await storeStories(db, [
    storyInput({ access: 'premium' }),
    storyInput({ headline: 'नौ साल बाद पुल खुला', language: 'hi', access: 'free' }),
    storyInput(),
  ])) as [StoredStory, StoredStory, StoredStory];
  await withdrawStory(db, withdrawn.id, 'a test', paper.clock.now());
  server = await listen(paper, { host: '127.0.0.1', port: 0 });
  base = `http://localhost:${(server.address() as AddressInfo).port}`;
  browser = await openBrowser();
});

afterAll(async () => {
  await browser.close();
  await drain(server, paper, createLogger('silent'), { atOnce: true });
  await paper.end();
});

/** Addresses of metered stories, as a reader finds them on a section's page. */
async function meteredPaths(most: number): Promise<string[]> {
  const { rows } = await paper.database.pool.query(
    "select section, slug, short_id from content.stories where access = 'metered' and source = 'demo' order by short_id limit $1",
    [most],
  );
  return rows.map((row) => `/${row.section}/${encodeURIComponent(row.slug)}-${row.short_id}`);
}

/** Everything that would tell a reader or an editor that something is wrong with a page. */
function watch(page: Page): string[] {
  const troubles: string[] = [];
  page.on('pageerror', (error) => troubles.push(`script: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') troubles.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(base)) troubles.push(`third party: ${request.url()}`);
  });
  return troubles;
}

describe.each([
  ['on a phone', SCREENS.phone, true],
  ['on a desktop', SCREENS.desktop, true],
  ['on a phone with scripts off', SCREENS.phone, false],
  ['on a desktop with scripts off', SCREENS.desktop, false],
] as const)('a reader %s', (_, screen, javaScriptEnabled) => {
  it('finds stories, reads this month’s free ones, meets the wall with the plans, and reads on next month', async () => {
    paper.clock.set('2026-11-23T06:30:00Z');
    const context = await browser.newContext({ ...screen, javaScriptEnabled });
    const page = await context.newPage();
    const troubles = watch(page);

    await page.goto(base);
    await page.getByRole('navigation').getByRole('link', { name: 'Markets' }).first().click();
    await page.waitForURL('**/markets');
    const paths = await meteredPaths(6);
    for (const [at, path] of paths.slice(0, 5).entries()) {
      await page.goto(base + path);
      await page.locator('article[data-access="full"]').waitFor();
      expect(await page.locator('[data-meter-left]').first().getAttribute('data-meter-left')).toBe(
        String(4 - at),
      );
      expect(await page.locator('[data-wall]').count()).toBe(0);
    }
    await page.goto(base + paths[5]);
    const wall = page.locator('[data-wall]');
    expect(await wall.getAttribute('data-reason')).toBe('limit-reached');
    expect(await wall.textContent()).toMatch(/5 free/);
    for (const words of ['₹900', '₹2,700', '₹3,900', '₹162'])
      expect(await wall.textContent()).toContain(words);
    expect(await page.locator('.story-locked').count()).toBe(0);
    expect(await overflows(page)).toBe(false);

    // What was read stays open; what counted can be seen; the plans can be compared.
    await page.goto(base + paths[2]);
    await page.locator('article[data-access="full"]').waitFor();
    await page.goto(`${base}/meter`);
    expect(await page.locator('main').textContent()).toContain('1 December');
    await page.goto(base + paths[5]);
    await wall
      .getByRole('link', { name: /yearly/i })
      .first()
      .click();
    await page.waitForURL('**/register?next=*');

    paper.clock.set('2026-11-30T18:30:00Z');
    await page.goto(base + paths[5]);
    await page.locator('article[data-access="full"]').waitFor();
    expect(await page.locator('[data-meter-left]').first().getAttribute('data-meter-left')).toBe('4');
    expect(troubles).toEqual([]);
    await context.close();
  });
});

/** Adds up how far the page moves under its reader, as Chromium measures it (Cumulative Layout Shift). */
const COUNT_SHIFTS = `
  globalThis.shift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) globalThis.shift += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });`;

/** Whether a page is wider than its screen. */
function overflows(page: Page): Promise<boolean> {
  return page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth + 1');
}

describe.each([
  ['phone', SCREENS.phone, 'light'],
  ['desktop', SCREENS.desktop, 'dark'],
] as const)('every page on a %s', (_, screen, colorScheme) => {
  it('is accessible, fits its screen, does not jump, and loads nothing from elsewhere', async () => {
    paper.clock.set('2026-11-23T06:30:00Z');
    const context = await browser.newContext({ ...screen, colorScheme });
    const page = await context.newPage();
    const troubles = watch(page);
    await page.addInitScript(COUNT_SHIFTS);
    const [metered = ''] = await meteredPaths(1);
    for (const path of [
      '/',
      '/nation',
      '/opinion',
      metered,
      premium.path,
      hindi.path,
      '/meter',
      '/subscribe',
      '/login',
      '/about',
      '/corrections',
      '/privacy',
      '/terms',
      '/contact',
      '/topics',
      '/nowhere',
      withdrawn.path,
    ]) {
      await page.goto(base + path, { waitUntil: 'networkidle' });
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect([path, violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)]).toEqual([path, []]);
      expect([path, 'wider than the screen', await overflows(page)]).toEqual([
        path,
        'wider than the screen',
        false,
      ]);
      const shift = await page.evaluate<number>('shift');
      expect([path, shift < 0.01]).toEqual([path, true]);
    }
    // A page that is not there is told as a failed request by the browser itself.
    expect(troubles.filter((one) => !/status of (404|410)/.test(one))).toEqual([]);
    await context.close();
  }, 120_000);
});
