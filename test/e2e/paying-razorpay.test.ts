import type { Server } from 'node:http';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '#platform/log';
import { startJobs } from '../../src/main/jobs.ts';
import { drain, listen } from '../../src/main/serve.ts';
import { freePort } from '../free-port.ts';
import { type TestPaper, testClock, testPaper } from '../paper.ts';
import { beginOrder, signedInBrowser } from '../shop.ts';
import { type RazorpayStandIn, razorpayStandIn } from '../stand-ins/razorpay.ts';
import { openBrowser, SCREENS } from './browser.ts';

/** The page that pays through Razorpay, in a real browser and under its real policy; Razorpay's script is played. */
let paper: TestPaper;
let razorpay: RazorpayStandIn;
let server: Server;
let browser: Browser;
let base: string;
let stopJobs: () => Promise<void>;

beforeAll(async () => {
  razorpay = await razorpayStandIn(testClock('2026-11-23T06:30:00Z'));
  const { apiBase, keyId, keySecret, webhookSecret } = razorpay;
  const port = await freePort();
  base = `http://localhost:${port}`;
  paper = await testPaper('2026-11-23T06:30:00Z', {
    baseUrl: base,
    inProcess: false,
    razorpay: { apiBase, keyId, keySecret, webhookSecrets: [webhookSecret] },
  });
  server = await listen(paper, { host: '127.0.0.1', port });
  const jobs = await startJobs(paper, createLogger('silent'));
  stopJobs = () => jobs.stop();
  browser = await openBrowser();
});
afterAll(async () => {
  await browser.close();
  await stopJobs();
  await drain(server, paper, createLogger('silent'), { atOnce: true });
  await paper.end();
  await razorpay.close();
});

let made = 0;

/** A reader with an order, in a browser of their own. */
async function ordered(
  options: object = {},
): Promise<{ context: BrowserContext; url: string; orderId: string }> {
  const reader = await signedInBrowser(paper, `buyer-${++made}@paper.example`, {
    address: `192.0.2.${made % 250}`,
  });
  const url = await beginOrder(reader);
  const context = await browser.newContext({ ...SCREENS.phone, ...options });
  const page = await context.newPage();
  await page.goto(`${base}/login`);
  await page.getByLabel('E-mail').fill(reader.email);
  await page.locator('input[name=password]').fill('correct horse battery');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForURL((to) => to.pathname !== '/login');
  await page.close();
  return { context, url, orderId: url.split('/').at(-1) as string };
}

/** Razorpay's script, as far as the page has to do with it: it pays as soon as it is opened a second time. */
function played(paymentId: string, signature: string): string {
  return `window.Razorpay = class {
    constructor(options) { this.options = options; this.times = 0; window.opened = options; }
    open() {
      if (++this.times === 2)
        this.options.handler({ razorpay_payment_id: '${paymentId}', razorpay_signature: '${signature}' });
    }
  };`;
}

const complaints = (page: Page): string[] => {
  const all: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') all.push(message.text());
  });
  page.on('pageerror', (error) => all.push(error.message));
  return all;
};

describe('the page that pays through Razorpay', () => {
  it('opens its checkout, and is led to what was bought once Razorpay has the money', async () => {
    const { context, orderId, url } = await ordered();
    const { id } = razorpay.company.pay(orderId, 'created');
    await context.route('https://checkout.razorpay.com/v1/checkout.js', (route) =>
      route.fulfill({
        contentType: 'text/javascript',
        body: played(id, razorpay.signReturn(orderId, id)),
      }),
    );
    const page = await context.newPage();
    const wrong = complaints(page);
    await page.goto(url);
    await page.getByRole('button', { name: 'Pay ₹2,700' }).waitFor();
    expect(await page.evaluate(() => (globalThis as unknown as { opened: object }).opened)).toMatchObject({
      order_id: orderId,
      recurring: '1',
    });
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map((one) => one.id)).toEqual([]);
    razorpay.company.decide(id, 'captured');
    await page.getByRole('button', { name: 'Pay ₹2,700' }).click();
    await page.waitForURL(/\/subscriptions\//);
    await page.getByRole('heading', { name: 'Thank you' }).waitFor();
    expect(wrong).toEqual([]);
    await context.close();
  });

  it('says so where the script was kept away', async () => {
    const { context, url } = await ordered();
    await context.route('https://checkout.razorpay.com/**', (route) => route.abort());
    const page = await context.newPage();
    await page.goto(url);
    await page.getByRole('status').waitFor();
    expect(await page.getByRole('status').textContent()).toContain('did not load');
    expect(await page.getByRole('button', { name: /^Pay/ }).isVisible()).toBe(false);
    await context.close();
  });

  it('without scripts says that it needs one, and gives the way back', async () => {
    const { context, url } = await ordered({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(url);
    expect(await page.locator('noscript p').isVisible()).toBe(true);
    expect(await page.getByRole('button', { name: /^Pay/ }).isVisible()).toBe(false);
    await page.getByRole('link', { name: 'Back, without paying' }).click();
    await page.waitForURL(/\/subscribe\/yearly/);
    await context.close();
  });

  it('lets in no script of anybody else', async () => {
    const { context, url } = await ordered();
    await context.route('https://checkout.razorpay.com/v1/checkout.js', (route) =>
      route.fulfill({
        contentType: 'text/javascript',
        body: `document.head.append(Object.assign(document.createElement('script'), { src: 'https://elsewhere.example/x.js' }));
          document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.inline = 1' }));`,
      }),
    );
    let asked = 0;
    await context.route('https://elsewhere.example/**', (route) => {
      asked++;
      return route.fulfill({ contentType: 'text/javascript', body: 'window.elsewhere = 1' });
    });
    const page = await context.newPage();
    await page.goto(url);
    await page.getByRole('status').waitFor();
    expect(asked).toBe(0);
    expect(await page.evaluate(() => 'inline' in globalThis || 'elsewhere' in globalThis)).toBe(false);
    await context.close();
  });
});
