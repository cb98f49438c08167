import type { Server } from 'node:http';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { Secret, TOTP } from 'otpauth';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '#platform/log';
import { loadDemo } from '../../demo/load-demo.ts';
import type { ReaderFile } from '../../src/desk/desk.ts';
import { HOME } from '../../src/main/compose.ts';
import { drain, listen } from '../../src/main/serve.ts';
import { readerFile, readersInMemory } from '../desk.ts';
import { freePort } from '../free-port.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { openBrowser, SCREENS } from './browser.ts';

/** A day at the desk in a real browser: from the link to the door, and out again. */
let paper: TestPaper;
let server: Server;
let browser: Browser;
let base: string;
let readers: readonly ReaderFile[];

beforeAll(async () => {
  readers = Object.keys(SCREENS).map((name) => readerFile({ row: { email: `meera.${name}@post.example` } }));
  const memory = readersInMemory(readers);
  const port = await freePort();
  base = `http://localhost:${port}`;
  paper = await testPaper('2026-11-23T06:30:00Z', { deskReaders: memory, baseUrl: base });
  memory.use(paper);
  const { db } = paper.database;
  await loadDemo({ db, now: paper.clock.now(), folder: join(HOME, 'demo'), settings: paper.publication() });
  server = await listen(paper, { host: '127.0.0.1', port });
  browser = await openBrowser();
});

afterAll(async () => {
  await browser.close();
  await drain(server, paper, createLogger('silent'), { atOnce: true });
  await paper.end();
});

async function linkFor(email: string): Promise<string> {
  const { token } = await paper.staff.makeLink(email, 'command line');
  return `${base}/desk/sign-in/${token}`;
}

/** What an editor would call broken: something that axe finds, or a page that is wider than its screen. */
async function expectSound(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect([page.url(), violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)]).toEqual([
    page.url(),
    [],
  ]);
  const overflows = await page.evaluate(
    'document.documentElement.scrollWidth > document.documentElement.clientWidth + 1',
  );
  expect([page.url(), 'wider than the screen', overflows]).toEqual([
    page.url(),
    'wider than the screen',
    false,
  ]);
}

/** The desk's scripts and pictures are its own, and nothing complains. */
function watch(context: BrowserContext): string[] {
  const troubles: string[] = [];
  context.on('weberror', (error) => troubles.push(`script: ${error.error().message}`));
  context.on('console', (message) => {
    if (message.type() === 'error') troubles.push(`console: ${message.text()}`);
  });
  context.on('request', (request) => {
    if (!request.url().startsWith(base)) troubles.push(`third party: ${request.url()}`);
  });
  return troubles;
}

// The colours are the same on every screen, so each screen stands for one half of the day.
describe.each([
  ['phone', 'dark'],
  ['desktop', 'light'],
] as const)('an administrator on a %s, %s', (screen, colorScheme) => {
  it('comes in with a link and a second factor, helps a reader, and leaves nothing behind', async () => {
    const email = `ana.${screen}@paper.example`;
    await paper.staff.create({ email, name: 'Ana Ilić', role: 'administrator' }, 'command line');
    const context = await browser.newContext({ ...SCREENS[screen], colorScheme });
    const troubles = watch(context);
    const page = await context.newPage();

    await page.goto(await linkFor(email));
    await expectSound(page);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL('**/desk/second-factor');
    await expectSound(page);
    const secret = (await page.locator('.secret').textContent())?.replaceAll(' ', '') ?? '';
    const phone = new TOTP({ secret: Secret.fromBase32(secret) });
    await page.getByLabel('Type the code').fill('000000');
    await page.getByRole('button', { name: 'Set it up' }).click();
    await page.getByText('That is not the code').waitFor();
    await expectSound(page);
    await page.getByLabel('Type the code').fill(phone.generate());
    await page.getByRole('button', { name: 'Set it up' }).click();
    await page.waitForURL('**/desk/backup-codes');
    await expectSound(page);
    await page.getByRole('button', { name: 'I have them' }).click();
    await page.waitForURL(`${base}/desk`);
    await expectSound(page);

    await page.getByRole('link', { name: 'Readers', exact: true }).click();
    await page.getByLabel('Address, a part of it').fill(`meera.${screen}`);
    await page.getByRole('button', { name: 'Search' }).click();
    await expectSound(page);
    await page.getByRole('link', { name: `meera.${screen}@post.example` }).click();
    await page.getByRole('heading', { name: 'Why the wall was shown' }).waitFor();
    await expectSound(page);
    await page.getByLabel('Firefox on Android').check();
    await page.getByLabel('Why it is ended').fill('She lost the phone and wrote from her office');
    await page.getByRole('button', { name: 'End session' }).click();
    await page.getByText('The session has been ended.').waitFor();
    expect(await page.getByLabel('Firefox on Android').count()).toBe(0);
    await expectSound(page);

    await page.getByRole('link', { name: 'Audit trail' }).click();
    await page.getByText('“She lost the phone and wrote from her office”').first().waitFor();
    await expectSound(page);

    await page.goto(`${base}/desk/readers/nobody`);
    await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
    await expectSound(page);
    await page.goto(`${base}/desk/audit`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    await expectSound(page);

    // The pages that were looked at are gone from the browser as well.
    await page.goBack();
    await page.getByRole('heading', { name: 'Sign in to the desk' }).waitFor();
    expect(await page.content()).not.toContain('She lost the phone');
    await page.goto(`${base}/desk/readers`);
    await page.waitForURL('**/desk/sign-in?next=*');
    expect(await context.cookies()).toEqual([]);

    // The next sign-in asks for the code alone.
    await page.goto(await linkFor(email));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByLabel('Code', { exact: true }).fill(phone.generate({ timestamp: Date.now() + 30_000 }));
    await expectSound(page);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.waitForURL(`${base}/desk`);
    expect(troubles.filter((one) => !/status of (404|422)/.test(one))).toEqual([]);
    await context.close();
  }, 120_000);
});

describe('the desk without scripts', () => {
  it('finds the way in, out, and past the second factor where the sandbox allows that', async () => {
    const email = 'ben@paper.example';
    await paper.staff.create({ email, role: 'reporter' }, 'command line');
    const context = await browser.newContext({ ...SCREENS.phone, javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(`${base}/desk/audit`);
    await page.getByRole('heading', { name: 'Sign in to the desk' }).waitFor();
    await page.goto(await linkFor(email));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Later' }).click();
    await page.waitForURL(`${base}/desk`);
    await page.getByText('without a second factor').waitFor();
    await page.goto(`${base}/desk/audit`);
    await page.getByRole('heading', { name: 'Your role does not include this' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    await context.close();
  }, 60_000);
});
