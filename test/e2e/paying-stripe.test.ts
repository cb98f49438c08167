import type { Server } from 'node:http';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { subscriptionsOf } from '#billing';
import { systemClock } from '#platform/clock';
import { createLogger } from '#platform/log';
import { startJobs } from '../../src/main/jobs.ts';
import { drain, listen } from '../../src/main/serve.ts';
import { freePort } from '../free-port.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { type StripeStandIn, stripeStandIn } from '../stand-ins/stripe.ts';
import { openBrowser, SCREENS } from './browser.ts';

/**
 * A reader goes from the paper to a page of another origin, and comes back, in a real browser and under the paper's real
 * policy. The page is played; that it lies elsewhere is not.
 */
let stripe: StripeStandIn;
let browser: Browser;
const ends: (() => Promise<void>)[] = [];

/** @param checkoutOrigin where the paper thinks that readers pay */
async function open(checkoutOrigin?: string): Promise<TestPaper> {
  const { apiBase, secretKey, webhookSecret } = stripe;
  const port = await freePort();
  const paper = await testPaper(systemClock.now().toString(), {
    baseUrl: `http://localhost:${port}`,
    inProcess: false,
    stripe: {
      apiBase,
      secretKey,
      webhookSecrets: [webhookSecret],
      ...(checkoutOrigin === undefined ? {} : { checkoutOrigin }),
    },
  });
  const server: Server = await listen(paper, { host: '127.0.0.1', port });
  const jobs = await startJobs(paper, createLogger('silent'));
  ends.push(async () => {
    await jobs.stop();
    await drain(server, paper, createLogger('silent'), { atOnce: true });
    await paper.end();
  });
  return paper;
}

beforeAll(async () => {
  stripe = await stripeStandIn(systemClock);
  browser = await openBrowser();
});
afterAll(async () => {
  await browser.close();
  for (const end of ends) await end();
  await stripe.close();
});

let made = 0;

/** A reader who has filled in an order. */
async function ordering(
  paper: TestPaper,
  options: object = {},
): Promise<{ page: Page; readerId: string; wrong: string[] }> {
  const email = `buyer-${++made}@paper.example`;
  const { id } = await paper.readers.create(email, 'correct horse battery');
  const page = await (await browser.newContext({ ...SCREENS.phone, ...options })).newPage();
  const wrong: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') wrong.push(message.text());
  });
  page.on('pageerror', (error) => wrong.push(error.message));
  await page.goto(`${paper.baseUrl}/login`);
  await page.getByLabel('E-mail').fill(email);
  await page.locator('input[name=password]').fill('correct horse battery');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForURL((to) => to.pathname !== '/login');
  await page.goto(`${paper.baseUrl}/subscribe/yearly`);
  await page.locator('select[name=country]').selectOption('IN');
  await page.locator('select[name=state]').selectOption('KA');
  await page.locator('input[name=consent]').check();
  return { page, readerId: id, wrong };
}

const submit = (page: Page) => page.locator('main form:has(input[name=consent]) [type=submit]').click();

describe('an order in a browser', () => {
  it('leads to Stripe’s page, again after a card that is declined, and back to what was bought', async () => {
    const paper = await open(stripe.apiBase);
    const { page, readerId, wrong } = await ordering(paper);
    await submit(page);
    await page.waitForURL((to) => to.origin === stripe.apiBase);
    await page.getByRole('button', { name: 'Pay with a card that is declined' }).click();
    await page.waitForURL((to) => to.origin === stripe.apiBase);
    await page.getByRole('button', { name: 'Pay', exact: true }).click();
    await page.waitForURL(/\/subscriptions\//);
    await page.getByRole('heading', { name: 'Thank you' }).waitFor();
    expect((await subscriptionsOf(paper.database.db, readerId))[0]).toMatchObject({ state: 'active' });
    expect(wrong).toEqual([]);
    await page.context().close();
  });

  it('may be left at Stripe’s page for the paper, unpaid', async () => {
    const paper = await open(stripe.apiBase);
    const { page } = await ordering(paper);
    await submit(page);
    await page.waitForURL((to) => to.origin === stripe.apiBase);
    await page.getByRole('link', { name: 'Back' }).click();
    await page.waitForURL((to) => to.origin === paper.baseUrl);
    await page.context().close();
  });

  it('needs no script of the paper’s', async () => {
    const paper = await open(stripe.apiBase);
    const { page, readerId } = await ordering(paper, { javaScriptEnabled: false });
    await submit(page);
    await page.waitForURL((to) => to.origin === stripe.apiBase);
    await page.getByRole('button', { name: 'Pay', exact: true }).click();
    await page.waitForURL(/\/subscriptions\//);
    const stateOf = async () => (await subscriptionsOf(paper.database.db, readerId))[0]?.state;
    await expect.poll(stateOf, { timeout: 10_000 }).toBe('active');
    await page.context().close();
  });

  it('is led nowhere else: the browser holds the policy against where a form leads in the end', async () => {
    const paper = await open();
    const { page, wrong } = await ordering(paper);
    const before = page.url();
    await submit(page);
    await expect.poll(() => wrong.join(), { timeout: 10_000 }).toMatch(/form-action/);
    expect(page.url()).toBe(before);
    await page.context().close();
  });
});
