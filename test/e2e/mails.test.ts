import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAIL_KINDS, type MailKind, type NewMail, postMail } from '#mail';
import { createLogger } from '#platform/log';
import { setPublication } from '#publication';
import { renderMail } from '../../src/emails/emails.ts';
import { drain, listen } from '../../src/main/serve.ts';
import { MAIL_SAMPLES, mailsTo } from '../mails.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { testFrame } from '../site.ts';
import { openBrowser, SCREENS } from './browser.ts';

/** Mails, and the outbox that they are read in, in a real browser. */
let paper: TestPaper;
let server: Server;
let browser: Browser;
let base: string;

beforeAll(async () => {
  paper = await testPaper();
  server = await listen(paper, { host: '127.0.0.1', port: 0 });
  base = `http://localhost:${(server.address() as AddressInfo).port}`;
  browser = await openBrowser();
});

afterAll(async () => {
  await browser.close();
  await drain(server, paper, createLogger('silent'), { atOnce: true });
  await paper.end();
});

const kinds = Object.keys(MAIL_KINDS) as MailKind[];
const LONG = 'Donaudampfschifffahrtsgesellschaftskapitänsabonnementsverlängerung';
/** Between them they have everything that a mail is made of. */
const OF_EACH_PART: readonly MailKind[] = ['sign-in-code', 'password-changed', 'receipt'];
const screens = [
  ['a phone by day', SCREENS.phone, 'light'],
  ['a desktop by night', SCREENS.desktop, 'dark'],
] as const;

function overflows(page: Page): Promise<boolean> {
  return page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth + 1');
}

async function violations(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

describe.each(screens)('a mail on %s', (_, screen, colorScheme) => {
  it('fits whatever its words are, is accessible, and asks for nothing', async () => {
    const context = await browser.newContext({ ...screen, colorScheme });
    const page = await context.newPage();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    const show = (kind: MailKind, name: string, words: object = {}) => {
      const frame = { paper: testFrame({ paper: { name, sellerName: LONG } }).paper, baseUrl: base };
      const known = Object.entries(words).filter(([key]) => key in MAIL_SAMPLES[kind]);
      const payload = { ...MAIL_SAMPLES[kind], ...Object.fromEntries(known) };
      return page.setContent(renderMail({ kind, payload } as NewMail, frame).html);
    };
    for (const kind of kinds) {
      await show(kind, LONG, { planName: LONG, method: LONG, sellerName: LONG, sellerAddress: LONG });
      expect([kind, await overflows(page)]).toEqual([kind, false]);
    }
    for (const kind of OF_EACH_PART) {
      await show(kind, 'बंदरगाह समाचार पत्रिका का दैनिक संस्करण');
      expect([kind, await violations(page), await overflows(page)]).toEqual([kind, [], false]);
    }
    expect(asked).toEqual([]);
    await context.close();
  }, 60_000);
});

describe('the outbox', () => {
  /** Everything that would tell that something is wrong with a page. */
  function watch(page: Page): string[] {
    const troubles: string[] = [];
    page.on('console', (message) => message.type() === 'error' && troubles.push(message.text()));
    page.on('pageerror', (error) => troubles.push(error.message));
    page.on('request', (request) => request.url().startsWith(base) || troubles.push(request.url()));
    return troubles;
  }

  async function look([, screen, colorScheme]: (typeof screens)[number], paths: readonly string[]) {
    const context = await browser.newContext({ ...screen, colorScheme });
    const page = await context.newPage();
    const troubles = watch(page);
    for (const path of paths) {
      await page.goto(base + path);
      expect([path, await violations(page), await overflows(page)]).toEqual([path, [], false]);
    }
    expect(troubles).toEqual([]);
    await context.close();
  }

  it('is in order without a mail, with one, and with three hundred', async () => {
    await look(screens[0], ['/outbox']);
    await setPublication(paper.database.db, 'name', 'बंदरगाह समाचार');
    await postMail(
      paper.database.db,
      { kind: 'receipt', to: `${'a'.repeat(60)}@example.org`, payload: MAIL_SAMPLES.receipt },
      paper.clock.now(),
    );
    const [mail] = await mailsTo(paper, `${'a'.repeat(60)}@example.org`);
    await look(screens[0], ['/outbox', `/outbox/${mail?.name}`]);
    const file = (await paper.objects.get(`outbox/${mail?.name}.eml`)) as Buffer;
    for (let n = 0; n < 300; n++) {
      await paper.outbox.put({ id: `n${n}`, at: paper.clock.now().add({ seconds: n + 1 }) }, file);
    }
    await paper.outbox.put({ id: 'broken', at: paper.clock.now().add({ hours: 1 }) }, Buffer.from('?'));
    await look(screens[1], ['/outbox', `/outbox?after=${mail?.name}`, '/outbox/20261123t073000000-broken']);
  }, 120_000);

  it('lets a reader without scripts find a code, see the mail as it looks, and follow its link', async () => {
    await postMail(
      paper.database.db,
      { kind: 'password-changed', to: 'reader@example.org', payload: MAIL_SAMPLES['password-changed'] },
      paper.clock.now().add({ hours: 2 }),
    );
    await mailsTo(paper, 'reader@example.org');
    const context = await browser.newContext({ ...SCREENS.phone, javaScriptEnabled: false });
    const page = await context.newPage();
    const troubles = watch(page);
    await page.goto(`${base}/outbox`);
    await page.getByRole('link', { name: 'Your password at' }).click();
    expect(await page.locator('.mail-text').textContent()).toContain('If it was not you');
    await page.getByRole('link', { name: 'As it looks' }).click();
    await page.waitForURL('**/html');
    const link = page.getByRole('link', { name: 'Choose a new password' });
    expect(await link.getAttribute('href')).toBe('http://localhost:3000/login');
    expect(troubles).toEqual([]);
    await context.close();
  });
});
