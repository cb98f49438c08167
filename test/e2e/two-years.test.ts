import { mkdir } from 'node:fs/promises';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refundPayment } from '#billing';
import { moveDomainClock } from '#platform/domain-clock';
import { createLogger } from '#platform/log';
import { setPublication } from '#publication';
import { findReader } from '#readers';
import { HOME } from '../../src/main/compose.ts';
import { startJobs } from '../../src/main/jobs.ts';
import { drain, listen } from '../../src/main/serve.ts';
import {
  newestMandate,
  type OutcomeCode,
  setMandateOutcome,
  startDeliveries,
} from '../../src/sandbox/sandbox.ts';
import { booksHold } from '../books.ts';
import { freePort } from '../free-port.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { openBrowser, SCREENS } from './browser.ts';

/**
 * Two years of each plan, as three readers see them: in the browser, with the clock that the sandbox has there. Started
 * with PICTURES=1 it leaves what they see in docs/pictures/billing, for docs/billing.md.
 */
const PASSWORD = 'correct horse battery';
/** Later than any machine's clock, since time runs forward only. */
const BEGINNING = '2036-03-03T04:30:00Z';
const PICTURES = join(HOME, 'docs', 'pictures', 'billing');

const SELLER = [
  ['name', 'The Harbour Gazette'],
  ['seller_name', 'Harbour Gazette Media Private Limited'],
  ['seller_address', '14 Customs House Road\nMangaluru 575001'],
  ['seller_state', 'KA'],
  ['seller_gstin', '29AAPFH4821C1ZD'],
] as const;

let paper: TestPaper;
let server: Server;
let browser: Browser;
let clockPage: Page;
let base: string;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  const port = await freePort();
  base = `http://localhost:${port}`;
  paper = await testPaper(BEGINNING, { baseUrl: base, inProcess: false }, { clock: 'the sandbox’s' });
  const { clock, credentials, database } = paper;
  const { db } = database;
  await moveDomainClock(db, Temporal.Instant.from(BEGINNING));
  for (const [key, value] of SELLER) await setPublication(db, key, value);
  const log = createLogger('silent');
  server = await listen(paper, { host: '127.0.0.1', port });
  const jobs = await startJobs(paper, log);
  const { webhookSecrets } = credentials;
  const deliveries = startDeliveries({ db, clock, baseUrl: base, webhookSecrets, log });
  stops.push(
    () => jobs.stop(),
    () => deliveries.stop(),
  );
  browser = await openBrowser();
  clockPage = await (await browser.newContext(SCREENS.desktop)).newPage();
  clockPage.setDefaultTimeout(60_000);
});

afterAll(async () => {
  await browser.close();
  for (const stop of stops) await stop();
  await drain(server, paper, createLogger('silent'), { atOnce: true });
  await paper.end();
});

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });

/** Lets time pass to the beginning of a day. */
async function goTo(day: string): Promise<void> {
  await clockPage.goto(`${base}/sandbox/clock`);
  await clockPage.getByLabel('To a day').fill(day);
  await button(clockPage, 'Go there').click();
  const midnight = Temporal.PlainDate.from(day).toZonedDateTime('Asia/Kolkata').toInstant();
  await expect
    .poll(
      async () => {
        const now = await clockPage.locator('[data-now]').getAttribute('data-now', { timeout: 60_000 });
        return Temporal.Instant.compare(Temporal.Instant.from(now ?? BEGINNING), midnight) >= 0;
      },
      { timeout: 90_000 },
    )
    .toBe(true);
}

/** What a reader sees, and that it is sound: for the book where it is wanted. */
async function look(page: Page, name: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect([name, violations.map(({ id }) => id)]).toEqual([name, []]);
  await picture(
    page,
    name,
    await page.evaluate<number>('document.querySelector("footer")?.offsetTop ?? 900'),
  );
}

/** @param most pixels of its height that are kept */
async function picture(page: Page, name: string, most: number): Promise<void> {
  if (process.env.PICTURES !== '1') return;
  await mkdir(PICTURES, { recursive: true });
  const whole = await page.screenshot({ fullPage: true });
  const { height, width } = await sharp(whole).metadata();
  await sharp(whole)
    .extract({ left: 0, top: 0, width, height: Math.min(height, Math.max(400, most)) })
    .resize({ width: 800, withoutEnlargement: true })
    .webp({ quality: 80 })
    .toFile(join(PICTURES, `${name}.webp`));
}

type Reader = { readonly email: string; readonly context: BrowserContext; readonly page: Page };

async function reader(name: string, screen: (typeof SCREENS)[keyof typeof SCREENS]): Promise<Reader> {
  const email = `${name}@paper.example`;
  await paper.readers.create(email, PASSWORD);
  const context = await browser.newContext(screen);
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  await signIn({ email, context, page });
  return { email, context, page };
}

/** A session ends after some months, whoever does not come by: then they sign in again. */
async function signIn({ email, page }: Reader): Promise<void> {
  await page.goto(`${base}/login`);
  if (!page.url().includes('/login')) return;
  await page.getByLabel('E-mail').first().fill(email);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await button(page, 'Sign in').click();
  await page.waitForURL((url) => !url.pathname.startsWith('/login'));
}

async function open(who: Reader, path: string): Promise<Page> {
  await who.page.goto(base + path);
  if (who.page.url().includes('/login')) {
    await signIn(who);
    await who.page.goto(base + path);
  }
  return who.page;
}

async function buy(who: Reader, plan: string, rail: 'card_intl' | 'upi', picture?: string): Promise<void> {
  const page = await open(who, `/subscribe/${plan}`);
  await page.getByLabel('State, in India').selectOption({ label: 'Karnataka' });
  await page.getByRole('checkbox').check();
  if (picture !== undefined) await look(page, `${picture}-order`);
  await button(page, 'Go on to pay').click();
  await payHere(page, rail, picture);
  await page.locator('[data-subscription="active"]').waitFor();
  if (picture !== undefined) await look(page, `${picture}-thanks`);
}

async function payHere(page: Page, rail: 'card_intl' | 'upi' = 'card_intl', picture?: string): Promise<void> {
  await page.waitForURL('**/sandbox/checkouts/*');
  if (rail !== 'card_intl') await page.locator(`input[name="rail"][value="${rail}"]`).check();
  if (picture !== undefined) await look(page, `${picture}-pay`);
  await button(page, /Approve/)
    .first()
    .click();
  await page.waitForURL((url) => !url.pathname.startsWith('/sandbox'));
}

async function stateOf(who: Reader): Promise<string | null> {
  const page = await open(who, '/account');
  return page.locator('[data-subscription]').first().getAttribute('data-subscription');
}

/** The numbers of invoices and credit notes on the account's page, and what they are over, oldest first. */
async function documents(who: Reader): Promise<string[]> {
  const page = await open(who, '/account');
  const rows = await page
    .locator('.ledger-rest', { hasText: /(Invoice|Credit note) (INV|CRN)/ })
    .allTextContents();
  return rows.map((text) => text.replace(/\s+/g, ' ').trim());
}

/** Subjects of the mails to a reader, as the outbox lists them: all of its pages. */
async function subjects(who: Reader): Promise<string[]> {
  const found: string[] = [];
  for (let path: string | null = '/outbox'; path !== null; ) {
    await clockPage.goto(base + path);
    for (const row of await clockPage.locator('li.list-row').all()) {
      if ((await row.textContent())?.includes(who.email))
        found.push((await row.locator('.mail-subject').textContent()) ?? '');
    }
    const older = clockPage.getByRole('link', { name: 'Older mails' });
    path = (await older.count()) > 0 ? await older.getAttribute('href') : null;
  }
  return found.reverse();
}

/** The newest mail of a kind to a reader, as a mail program shows it: in there no script runs, so it is only looked at. */
async function mail(who: Reader, subject: RegExp, name: string): Promise<void> {
  await clockPage.goto(`${base}/outbox`);
  const row = clockPage.locator('li.list-row', { hasText: who.email }).filter({ hasText: subject }).first();
  const path = await row.getByRole('link').getAttribute('href');
  const shown = await (await browser.newContext({ viewport: { width: 680, height: 900 } })).newPage();
  await shown.goto(`${base}${path}/html`);
  await picture(shown, name, 1_200);
  await shown.context().close();
}

/** How the bank of a reader answers from now on. */
async function bank(who: Reader, outcome: OutcomeCode): Promise<void> {
  const { db } = paper.database;
  const mandate = await newestMandate(db, who.email);
  if (mandate === undefined) throw new Error(`${who.email} has given no mandate`);
  await setMandateOutcome(db, mandate.id, outcome);
}

const proveBooks = () => booksHold(paper);

describe('two years, lived through by the clock in the browser', () => {
  it('of the quarterly, the yearly and the two-yearly plan: reminders, invoices, a card that fails, another card, a pause, an upgrade, a refund, a cancellation', async () => {
    const asha = await reader('asha', SCREENS.phone);
    const kabir = await reader('kabir', SCREENS.desktop);
    const meera = await reader('meera', SCREENS.desktop);
    await buy(asha, 'quarterly', 'card_intl', 'quarterly');
    await buy(kabir, 'yearly', 'upi', 'yearly');
    await buy(meera, 'two-yearly', 'card_intl');
    await open(asha, '/account');
    await look(asha.page, 'quarterly-account');

    // The first renewal: told a week before, charged a day before, and the days go on from the anchor.
    await goTo('2036-05-28');
    await mail(asha, /renews on/, 'mail-renewal-notice');
    await goTo('2036-06-05');
    expect(await stateOf(asha)).toBe('active');
    expect(await documents(asha)).toHaveLength(2);
    await mail(asha, /receipt/i, 'mail-receipt');
    const page = await open(asha, '/account');
    await page
      .getByRole('link', { name: /^Open INV/ })
      .first()
      .click();
    await page.locator('[data-invoice="paid"]').waitFor();
    await look(page, 'invoice');

    // Her card fails: she is told, reads on for a week, and then not; another card takes a minute.
    await bank(asha, 'insufficient_funds');
    await goTo('2036-09-05');
    expect(await stateOf(asha)).toBe('past_due');
    await look(asha.page, 'past-due-account');
    await mail(asha, /was not paid/, 'mail-renewal-failed');
    await goTo('2036-09-12');
    expect(await stateOf(asha)).toBe('suspended');
    await look(asha.page, 'resting-account');
    await open(asha, '/account/payment');
    await look(asha.page, 'pay-the-renewal');
    await button(asha.page, /^Pay ₹900 now/).click();
    await payHere(asha.page);
    await expect.poll(() => stateOf(asha), { timeout: 30_000 }).toBe('active');

    // A pause of thirty days keeps every day that was left.
    await goTo('2036-10-01');
    await open(asha, '/account/changes');
    await look(asha.page, 'changes');
    await button(asha.page, 'Pause from today').click();
    await asha.page.getByRole('status').waitFor();
    expect(await stateOf(asha)).toBe('paused');
    await look(asha.page, 'paused-account');
    await goTo('2036-11-02');
    expect(await stateOf(asha)).toBe('active');

    // The yearly plan: told a month before, its debit announced by his bank, and renewed by UPI.
    await goTo('2037-03-05');
    expect(await stateOf(kabir)).toBe('active');
    expect(await documents(kabir)).toHaveLength(2);
    // He likes two years better, from today: what is left of his year is taken off.
    await open(kabir, '/account/changes');
    await look(kabir.page, 'upgrade');
    await button(kabir.page, /From today for .*: Two-yearly/).click();
    await payHere(kabir.page, 'upi');
    await expect.poll(async () => (await documents(kabir)).length, { timeout: 30_000 }).toBe(4);
    expect((await documents(kabir)).join('; ')).toMatch(/Credit note CRN/);
    await open(kabir, '/account');
    await look(kabir.page, 'upgraded-account');

    // She has had enough: two clicks, a mail, and the days that are paid are hers.
    await goTo('2037-06-01');
    await open(asha, '/account/cancellation');
    await look(asha.page, 'cancellation');
    await button(asha.page, 'Cancel the subscription').click();
    await asha.page.getByRole('status').waitFor();
    expect(await stateOf(asha)).toBe('active');
    await look(asha.page, 'cancelled-account');
    await goTo('2037-09-15');
    expect(await stateOf(asha)).toBe('expired');

    // Two years are over: the two-yearly plan was announced a month before, and renewed.
    await goTo('2038-02-05');
    await mail(meera, /renews on/, 'mail-two-yearly-notice');
    await goTo('2038-03-05');
    expect(await stateOf(meera)).toBe('active');
    expect(await documents(meera)).toHaveLength(2);
    expect(await stateOf(kabir)).toBe('active');
    await open(meera, '/account');
    // She wrote in about a week without the paper, and has a part of it back.
    const { db } = paper.database;
    const known = await findReader(db, { email: meera.email });
    const given = {
      readerId: known?.id ?? '',
      actor: 'staff',
      reason: 'a week without the paper',
      minor: 50_000n,
    };
    await refundPayment(paper.billing, given, paper.clock.now());
    await expect.poll(async () => (await documents(meera)).length, { timeout: 30_000 }).toBe(3);
    expect(await stateOf(meera)).toBe('active');
    await look(meera.page, 'two-yearly-account');

    const heard = await subjects(asha);
    expect(heard.filter((one) => /receipt/i.test(one)).length).toBe(
      (await documents(asha)).filter((one) => /Invoice/.test(one)).length - 1,
    );
    expect(heard.filter((one) => /rests/.test(one))).toHaveLength(1);
    expect(heard.filter((one) => /ends on/.test(one))).toHaveLength(1);
    await proveBooks();
  }, 240_000);
});
