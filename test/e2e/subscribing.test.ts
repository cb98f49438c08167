import type { Server } from 'node:http';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { subscriptionsOf } from '#billing';
import { createLogger } from '#platform/log';
import { findReader } from '#readers';
import { loadDemo } from '../../demo/load-demo.ts';
import { HOME } from '../../src/main/compose.ts';
import { startJobs } from '../../src/main/jobs.ts';
import { drain, listen } from '../../src/main/serve.ts';
import { settlePending, startDeliveries } from '../../src/sandbox/sandbox.ts';
import { type StoredStory, storeStories, storyInput } from '../builders.ts';
import { freePort } from '../free-port.ts';
import { codeIn, mailsTo } from '../mails.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { openBrowser, SCREENS } from './browser.ts';

/** Journey B in a real browser: a reader meets the wall, subscribes, and the phone and the desktop are unlocked. */
let paper: TestPaper;
let server: Server;
let browser: Browser;
let base: string;
let premium: StoredStory;
const stops: (() => Promise<void>)[] = [];
const PASSWORD = 'correct horse battery';

beforeAll(async () => {
  const port = await freePort();
  base = `http://localhost:${port}`;
  paper = await testPaper('2026-11-23T06:30:00Z', { baseUrl: base, inProcess: false });
  const { db } = paper.database;
  const log = createLogger('silent');
  await loadDemo({ db, now: paper.clock.now(), folder: join(HOME, 'demo'), settings: paper.publication() });
  [premium] = (await storeStories(db, [storyInput({ access: 'premium' })])) as [StoredStory];
  server = await listen(paper, { host: '127.0.0.1', port });
  const jobs = await startJobs(paper, log);
  const { clock, credentials } = paper;
  const { webhookSecrets } = credentials;
  const deliveries = startDeliveries({ db, clock, baseUrl: base, webhookSecrets, log });
  stops.push(
    () => jobs.stop(),
    () => deliveries.stop(),
  );
  browser = await openBrowser();
});

afterAll(async () => {
  await browser.close();
  for (const stop of stops) await stop();
  await drain(server, paper, createLogger('silent'), { atOnce: true });
  await paper.end();
});

let made = 0;
const newAddress = () => `reader-${++made}@paper.example`;

/** What a reader would call broken: something that axe finds, or a page wider than its screen. */
async function expectSound(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect([page.url(), violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)]).toEqual([
    page.url(),
    [],
  ]);
  expect([
    page.url(),
    await page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth + 1'),
  ]).toEqual([page.url(), false]);
}

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });

/**
 * From the wall to the gateway's page: an account on the way, and back to the order with it.
 *
 * @param look at the page where the code is typed in
 */
async function orderAt(page: Page, email: string, look?: (page: Page) => Promise<void>): Promise<void> {
  await page.goto(base + premium.path);
  await page.locator('[data-wall]').getByRole('link', { name: 'Yearly', exact: true }).click();
  await page.waitForURL('**/register?next=*');
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('A password').fill(PASSWORD);
  await button(page, 'Go on').click();
  await page.waitForURL('**/login/code');
  await look?.(page);
  const mail = (await mailsTo(paper, email)).at(-1);
  if (mail === undefined) throw new Error('no mail');
  await page.getByLabel('The code').fill(codeIn(mail));
  await button(page, 'Open the account').click();
  await page.waitForURL('**/subscribe/yearly?next=*');
  await goOnToPay(page);
}

async function goOnToPay(page: Page): Promise<void> {
  await page.getByLabel('State, in India').selectOption({ label: 'Karnataka' });
  await page.getByRole('checkbox').check();
  await button(page, 'Go on to pay').click();
  await page.waitForURL('**/sandbox/checkouts/*');
}

async function signIn(context: BrowserContext, email: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${base}/login`);
  await page.getByLabel('E-mail').first().fill(email);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await button(page, 'Sign in').click();
  await page.waitForURL(`${base}/`);
  return page;
}

async function expectUnlocked(page: Page): Promise<void> {
  await page.goto(base + premium.path);
  await page.locator('article[data-access="full"]').waitFor();
}

async function stateOf(email: string): Promise<string | undefined> {
  const reader = await findReader(paper.database.db, { email });
  return reader && (await subscriptionsOf(paper.database.db, reader.id))[0]?.state;
}

describe.each([
  ['on a phone', SCREENS.phone, SCREENS.desktop, true],
  ['on a desktop', SCREENS.desktop, SCREENS.phone, true],
  ['on a phone with scripts off', SCREENS.phone, SCREENS.desktop, false],
] as const)('a reader %s', (_, screen, otherScreen, javaScriptEnabled) => {
  it('subscribes at the wall, reads on, and is unlocked on the second device at once', async () => {
    const context = await browser.newContext({ ...screen, javaScriptEnabled });
    const elsewhere = await browser.newContext(otherScreen);
    const email = newAddress();
    const page = await context.newPage();
    await orderAt(page, email);
    const second = await signIn(elsewhere, email);
    await second.goto(base + premium.path);
    await second.locator('article[data-access="preview"]').waitFor();

    await button(page, /Approve and pay/).click();
    await page.locator('[data-subscription="active"]').waitFor();
    await page.getByRole('link', { name: 'Read on' }).click();
    await page.waitForURL(base + premium.path);
    await page.locator('article[data-access="full"]').waitFor();
    await expectUnlocked(second);

    // The account says so, and a cancellation and its undoing take two clicks and one.
    await page
      .getByRole('navigation', { name: 'Your account' })
      .getByRole('link', { name: 'Your account' })
      .click();
    await page.locator('[data-subscription="active"]').waitFor();
    await page.getByRole('link', { name: 'Cancel the subscription' }).click();
    await button(page, 'Cancel the subscription').click();
    expect(await page.getByRole('status').textContent()).toContain('cancelled');
    await expectUnlocked(second);
    await page.goto(`${base}/account`);
    await button(page, 'Keep the subscription').click();
    expect(await page.getByRole('status').textContent()).toContain('goes on');

    // Signing the other device out from here, and this one by itself.
    await page.getByRole('link', { name: 'See them' }).click();
    await button(page, 'Sign out').first().click();
    await page.getByText('That device is signed out').waitFor();
    await second.goto(base + premium.path);
    await second.locator('article[data-access="preview"]').waitFor();
    await page.goto(`${base}/account`);
    await button(page, 'Sign out').click();
    await page.waitForURL(`${base}/`);
    await page.goto(`${base}/account`);
    await page.waitForURL('**/login?next=*');
    await context.close();
    await elsewhere.close();
  });
});

const ENDINGS = [
  [
    'that is declined and then approved',
    async (page: Page) => {
      await button(page, 'Decline').click();
      await page.getByRole('alert').waitFor();
      await button(page, /Approve and pay/).click();
    },
  ],
  [
    'that the bank asks about',
    async (page: Page) => {
      await button(page, /Ask for authentication/).click();
      await button(page, /approve/).click();
    },
  ],
  [
    'that is approved later',
    async (page: Page) => {
      await button(page, /Approve later/).click();
      await page.getByText('Your bank has not said yes yet').waitFor();
      await settlePending(paper.database.db, paper.clock.now());
    },
  ],
  [
    'whose answer is lost',
    async (page: Page) => {
      await button(page, /lose the answer/)
        .click()
        .catch(() => undefined);
      // The reader opens the paper anew, in another tab than the broken one, and finds the account.
      const again = await page.context().newPage();
      await again.goto(`${base}/account`);
      await again.locator('[data-subscription]').waitFor();
      await again.close();
    },
  ],
] as const;

describe.each([
  ['on a phone', SCREENS.phone, SCREENS.desktop, true],
  ['on a desktop with scripts off', SCREENS.desktop, SCREENS.phone, false],
] as const)('a payment %s', (_, screen, otherScreen, javaScriptEnabled) => {
  it.each(ENDINGS)('%s unlocks the paper once, on the second device too', async (_, press) => {
    const context = await browser.newContext({ ...screen, javaScriptEnabled });
    const elsewhere = await browser.newContext(otherScreen);
    const email = newAddress();
    const page = await context.newPage();
    await orderAt(page, email);
    const second = await signIn(elsewhere, email);
    await press(page);
    await expect.poll(() => stateOf(email), { timeout: 60_000 }).toBe('active');
    await expectUnlocked(await context.newPage());
    await expectUnlocked(second);
    await context.close();
    await elsewhere.close();
  });
});

describe.each([
  ['phone', SCREENS.phone, 'light'],
  ['phone at night', SCREENS.phone, 'dark'],
  ['desktop', SCREENS.desktop, 'light'],
] as const)('every page of an account on a %s', (_, screen, colorScheme) => {
  it('is accessible and fits its screen', async () => {
    const context = await browser.newContext({ ...screen, colorScheme });
    const page = await context.newPage();
    for (const path of ['/login', '/register', '/login/reset', '/subscribe']) {
      await page.goto(base + path);
      await expectSound(page);
    }
    await page.goto(`${base}/login`);
    await page.getByLabel('E-mail').first().fill('nobody@paper.example');
    await page.getByLabel('Password', { exact: true }).fill('wrong horse battery');
    await button(page, 'Sign in').click();
    await page.getByRole('alert').waitFor();
    await expectSound(page);
    const email = newAddress();
    await orderAt(page, email, expectSound);
    await button(page, 'Decline').click();
    await page.getByRole('alert').waitFor();
    const reader = await findReader(paper.database.db, { email });
    const [order] = await subscriptionsOf(paper.database.db, reader?.id ?? '');
    const orderPath = `/subscriptions/${order?.id}`;
    await page.goto(base + orderPath);
    await expect
      .poll(async () => {
        await page.reload();
        return page.locator('[data-subscription="failed"]').count();
      })
      .toBe(1);
    await expectSound(page);
    await page.getByRole('link', { name: 'Try again' }).click();
    await page.waitForURL('**/subscribe/yearly');
    await expectSound(page);
    await goOnToPay(page);
    await button(page, /Approve later/).click();
    await page.getByText('Your bank has not said yes yet').waitFor();
    await expectSound(page);
    await settlePending(paper.database.db, paper.clock.now());
    await page.locator('[data-subscription="active"]').waitFor();
    await expectSound(page);
    for (const path of [
      '/account',
      '/account/devices',
      '/account/email',
      '/account/password',
      '/account/deletion',
      '/account/cancellation',
      '/meter',
    ]) {
      await page.goto(base + path);
      await expectSound(page);
    }
    await page.goto(`${base}/account`);
    await page.getByRole('link', { name: /^Receipt of/ }).click();
    await page.getByRole('heading', { name: 'Your receipt' }).waitFor();
    await expectSound(page);
    await context.close();
  });
});
