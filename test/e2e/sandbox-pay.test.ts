import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseOutcome } from '../../src/sandbox/sandbox.ts';
import { beginCheckout, press, type TestCompany, testCompany } from '../company.ts';
import { openBrowser, SCREENS } from './browser.ts';

/** The sandbox gateway's hosted page as a reader meets it: on a phone, with scripts off. */
let company: TestCompany;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  company = await testCompany();
  browser = await openBrowser();
  const context = await browser.newContext({ ...SCREENS.phone, javaScriptEnabled: false });
  page = await context.newPage();
});

afterAll(async () => {
  await browser.close();
  await company.end();
});

/** A checkout that asks for a mandate. */
const MANDATE = { customer: 'reader-meera', mandate: { max_amount_minor: 405_000, months: 3 } };
const paymentOf = async (id: string) => (await company.api('GET', `/checkouts/${id}`)).json.payment;
const button = (name: string | RegExp) => page.getByRole('button', { name });
const thanks = () => `${company.baseUrl}/thanks`;

describe('a reader on a phone with scripts off', () => {
  it('sees who asks for how much and what for, and can go back without paying', async () => {
    const { url } = await beginCheckout(company);
    await page.goto(url);
    const text = await page.locator('body').textContent();
    for (const words of ['Sandbox Pay', 'No real money moves', 'The Courier', '₹2,700', 'three months'])
      expect(text).toContain(words);
    await page.getByRole('link', { name: /without paying/ }).click();
    expect(page.url()).toBe(`${company.baseUrl}/plans`);
  });

  it('approves, and is back at the paper; the back button shows that it is paid', async () => {
    const { id, url } = await beginCheckout(company);
    await page.goto(url);
    await button('Approve and pay ₹2,700').click();
    await page.waitForURL(thanks());
    expect((await paymentOf(id)).status).toBe('succeeded');
    await page.goBack();
    await page.getByRole('heading', { name: 'Paid' }).waitFor();
    expect(await page.getByRole('button').count()).toBe(0);
    await page.getByRole('link', { name: 'Back to The Courier' }).click();
    expect(page.url()).toBe(thanks());
  });

  it('clicks twice, in two tabs, and pays once', async () => {
    const { id, url } = await beginCheckout(company);
    const before = (await company.api('GET', '/balance')).json.captured_minor.INR ?? 0;
    const second = await page.context().newPage();
    await Promise.all([page.goto(url), second.goto(url)]);
    await button(/Approve and pay/).dblclick();
    await page.waitForURL(thanks());
    await second.getByRole('button', { name: /Approve later/ }).click();
    await second.waitForURL(thanks());
    await second.close();
    expect((await paymentOf(id)).status).toBe('succeeded');
    expect((await company.api('GET', '/balance')).json.captured_minor.INR).toBe(before + 270_000);
  });

  it('is declined for want of money, is told so, and pays with the next try', async () => {
    const { id, url } = await beginCheckout(company);
    await page.goto(url);
    await page.getByLabel('The bank’s reason').selectOption('Too little money');
    await button('Decline').click();
    await page.waitForURL(url);
    expect(await page.getByRole('alert').textContent()).toContain('too little money');
    expect((await paymentOf(id)).failure_code).toBe('insufficient_funds');
    await button(/Approve and pay/).click();
    await page.waitForURL(thanks());
    expect((await paymentOf(id)).status).toBe('succeeded');
  });

  it('is asked by the bank, refuses once, and approves the next time', async () => {
    const { id, url } = await beginCheckout(company);
    await page.goto(url);
    await button(/Ask for authentication/).click();
    await page.getByRole('heading', { name: 'Your bank asks: is this you?' }).waitFor();
    await button(/refuse/).click();
    expect(await page.getByRole('alert').textContent()).toContain('Nothing was charged');
    await button(/Ask for authentication/).click();
    await button(/approve/).click();
    await page.waitForURL(thanks());
    expect((await paymentOf(id)).status).toBe('succeeded');
  });

  it('pays what arrives later, and sees on coming back that it is on its way', async () => {
    const { id, url } = await beginCheckout(company);
    await page.goto(url);
    await button(/Approve later/).click();
    await page.waitForURL(thanks());
    expect((await paymentOf(id)).status).toBe('pending');
    await page.goto(url);
    await page.getByRole('heading', { name: 'Your payment is on its way' }).waitFor();
  });

  it('pays, sees a broken page, and finds it paid when the page is opened again', async () => {
    const { id, url } = await beginCheckout(company);
    // A tab of its own: the browser's page of errors may come after whatever is opened next in the same one.
    const broken = await page.context().newPage();
    await broken.goto(url);
    const answer = broken.waitForResponse((response) => response.request().method() === 'POST');
    await broken
      .getByRole('button', { name: /lose the answer/ })
      .click()
      .catch(() => undefined);
    expect((await answer).status()).toBe(502);
    expect((await paymentOf(id)).status).toBe('succeeded');
    await page.goto(url);
    await page.getByRole('heading', { name: 'Paid' }).waitFor();
    await broken.close();
  });

  it('allows later payments by UPI with the first one, and sees on coming back what was allowed', async () => {
    const { id, url } = await beginCheckout(company, MANDATE);
    await page.goto(url);
    expect(await page.locator('body').textContent()).toContain('Up to ₹4,050 every 3 months');
    await page.getByRole('radio', { name: /UPI AutoPay/ }).check();
    await button(/Approve and pay/).click();
    await page.waitForURL(thanks());
    expect((await company.api('GET', `/checkouts/${id}`)).json).toMatchObject({
      payment: { method: { kind: 'upi' } },
      mandate: { rail: 'upi', status: 'active' },
    });
    await page.goto(url);
    await page.getByText('Up to ₹4,050 every 3 months may be taken from now on').waitFor();
  });

  it('allows later payments and pays nothing, with an Indian card whose bank asks', async () => {
    const { id, url } = await beginCheckout(company, { ...MANDATE, amount_minor: 0 });
    await page.goto(url);
    await page.getByRole('radio', { name: /Indian card/ }).check();
    await button(/Ask for authentication/).click();
    await button(/approve/).click();
    await page.waitForURL(thanks());
    expect((await company.api('GET', `/checkouts/${id}`)).json.mandate).toMatchObject({ rail: 'card_in' });
    await page.goto(url);
    await page.getByRole('heading', { name: 'Saved' }).waitFor();
  });

  it('pays as was chosen beforehand', async () => {
    const { id, url } = await beginCheckout(company);
    await chooseOutcome(company.database.db, 'expired_card');
    await page.goto(url);
    await button('Pay as chosen beforehand').click();
    await page.getByRole('alert').waitFor();
    expect((await paymentOf(id)).failure_code).toBe('expired_card');
  });
});

describe.each([
  ['phone', SCREENS.phone, 'light'],
  ['desktop', SCREENS.desktop, 'dark'],
] as const)('every state of the page on a %s', (_, screen, colorScheme) => {
  it('is accessible, fits its screen, and loads nothing from elsewhere', async () => {
    const context = await browser.newContext({ ...screen, colorScheme });
    const tab = await context.newPage();
    const troubles: string[] = [];
    tab.on('console', (message) => {
      if (message.type() === 'error') troubles.push(message.text());
    });
    tab.on('request', (request) => {
      if (!request.url().startsWith(company.baseUrl)) troubles.push(request.url());
    });
    const long = {
      description: 'Eineüberlangebeschreibungohneleerzeichen'.repeat(4),
      reference: 'r'.repeat(150),
    };
    const free = { ...MANDATE, amount_minor: 0 };
    const states = [
      ...['', 'authenticate', 'later', 'approve', 'expire'].map((outcome) => ({ outcome, over: {} })),
      { outcome: 'decline', over: long },
      ...['', 'approve'].map((outcome) => ({ outcome, over: MANDATE })),
      ...['', 'authenticate', 'approve'].map((outcome) => ({ outcome, over: free })),
    ];
    for (const { outcome, over } of states) {
      const { id, url } = await beginCheckout(company, over);
      if (outcome === 'expire') await company.api('POST', `/checkouts/${id}/expiration`);
      else if (outcome !== '') await press(url, { outcome });
      await chooseOutcome(company.database.db, 'later');
      await tab.goto(url);
      const { violations } = await new AxeBuilder({ page: tab }).analyze();
      expect([outcome, violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)]).toEqual([outcome, []]);
      expect([
        outcome,
        await tab.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth + 1'),
      ]).toEqual([outcome, false]);
    }
    await tab.goto(`${company.baseUrl}/sandbox/checkouts/nothing`);
    expect((await new AxeBuilder({ page: tab }).analyze()).violations).toEqual([]);
    // A page that is not there is told as a failed request by the browser itself.
    expect(troubles.filter((one) => !/status of 404/.test(one))).toEqual([]);
    await context.close();
  }, 60_000);
});
