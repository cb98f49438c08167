import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findReader, listSessions } from '#readers';
import { codeIn, mailsTo } from '../mails.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { signedInBrowser, type TestBrowser, testBrowser } from '../shop.ts';

/** Accounts over HTTP, as somebody meets them who wants another's: the catalogue's section F, rows 100 to 110. */
let paper: TestPaper;
beforeAll(async () => {
  paper = await testPaper();
});
afterAll(() => paper.end());

const PASSWORD = 'correct horse battery';
const SESSION = '__Host-session';
let made = 0;
const newAddress = () => `account-${++made}@paper.example`;
/** Each from a place of its own, so that one test's tries are not counted against another's. */
const newBrowser = () => testBrowser(paper, `198.51.100.${++made}`);
const signIn = (browser: TestBrowser, email: string) => browser.post('/login', { email, password: PASSWORD });
const sessionsOf = async (email: string) => {
  const { db } = paper.database;
  const reader = await findReader(db, { email });
  return (await listSessions(db, reader?.id ?? '')).length;
};
const opens = async (browser: TestBrowser) => (await browser.get('/account')).status === 200;

describe('signing in', () => {
  it('gives the browser a session of its own, and ends the one that it was given before', async () => {
    const planted = await signedInBrowser(paper, newAddress());
    const victim = newAddress();
    await paper.readers.create(victim, PASSWORD);
    const browser = newBrowser();
    browser.cookies.set(SESSION, planted.cookies.get(SESSION) as string);
    const answer = await signIn(browser, victim);
    expect(answer.headers.getSetCookie().find((one) => one.startsWith(SESSION))).toMatch(
      /^__Host-session=[\w-]{32,}\.[\w-]+\.[\w-]{27}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax; Secure$/,
    );
    expect(browser.cookies.get(SESSION)).not.toBe(planted.cookies.get(SESSION));
    expect(await (await browser.get('/account')).text()).toContain(victim);
    expect(await opens(planted)).toBe(false);
  });

  it('takes no session that somebody made up, and again takes a new one each time', async () => {
    const email = newAddress();
    await paper.readers.create(email, PASSWORD);
    const browser = newBrowser();
    const seen = new Set(['AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA']);
    for (const planted of ['AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', undefined, undefined]) {
      if (planted !== undefined) browser.cookies.set(SESSION, planted);
      await signIn(browser, email);
      seen.add(browser.cookies.get(SESSION) as string);
      expect(await opens(browser)).toBe(true);
    }
    expect(seen.size).toBe(4);
    expect(await sessionsOf(email)).toBe(1);
  });

  it('is not done for a reader by a page of somebody else’s', async () => {
    const email = newAddress();
    await paper.readers.create(email, PASSWORD);
    for (const headers of [
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site', origin: paper.baseUrl },
      { origin: 'null' },
    ] as Record<string, string>[]) {
      const answer = await paper.app.request(`${paper.baseUrl}/login`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ email, password: PASSWORD }).toString(),
      });
      expect([headers, answer.status, answer.headers.getSetCookie()]).toEqual([headers, 403, []]);
    }
  });

  it.each([
    '//evil.example',
    '/\\evil.example',
    'javascript:alert(1)',
    '/%5cevil.example',
    'https:evil.example',
    'data:,x',
  ])('goes on within the paper, whatever the link said: %s', async (next) => {
    const email = newAddress();
    await paper.readers.create(email, PASSWORD);
    const answer = await newBrowser().post('/login', { email, password: PASSWORD, next });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/']);
  });

  it('is possible on any number of devices, each of which its reader can see and end', async () => {
    const email = newAddress();
    await paper.readers.create(email, PASSWORD);
    const devices = Array.from({ length: 12 }, newBrowser);
    for (const device of devices) await signIn(device, email);
    const [first, second] = devices as [TestBrowser, TestBrowser];
    expect(await sessionsOf(email)).toBe(12);
    await first.post('/account/devices/ending');
    expect([await opens(first), await opens(second)]).toEqual([true, false]);
  });
});

describe('nobody is told whether an address has an account', () => {
  /** Everything that comes back, without what differs from one request to the next and the address that was given. */
  async function told(path: string, fields: Record<string, string>): Promise<unknown> {
    const answer = await newBrowser().post(path, fields);
    const id = answer.headers.get('x-request-id') as string;
    const headers = [...answer.headers]
      .filter(([name]) => name !== 'x-request-id')
      .map(([name, value]) => [name, value.replace(/(code=)[\w-]+/, '$1…')]);
    const text = (await answer.text()).replaceAll(id, '…').replaceAll(fields.email ?? '', '…');
    return { status: answer.status, headers, text };
  }

  it.each([
    ['with a wrong password', '/login', { password: 'wrong horse battery' }],
    ['with a password that is too short', '/login', { password: 'x' }],
    ['by asking for a code', '/login/code-requests', { purpose: 'sign-in' }],
    ['by forgetting the password', '/login/code-requests', { purpose: 'reset' }],
    ['by opening an account', '/register', { password: 'another horse battery' }],
  ])('%s', async (_, path, fields) => {
    const [known, unknown] = [newAddress(), newAddress()];
    await paper.readers.create(known, PASSWORD);
    const both = [
      await told(path, { ...fields, email: known }),
      await told(path, { ...fields, email: unknown }),
    ];
    expect(both[0]).toEqual(both[1]);
    const mails = await Promise.all([known, unknown].map((address) => mailsTo(paper, address)));
    expect(mails[0]?.map((one) => one.subject.replace(/\d/g, '0'))).toEqual(
      mails[1]?.map((one) => one.subject.replace(/\d/g, '0')),
    );
  });
});

describe('a code', () => {
  it('is spent by the button alone: opening its page, as often as anybody likes, is nothing', async () => {
    const email = newAddress();
    const browser = newBrowser();
    await browser.post('/login/code-requests', { email, purpose: 'sign-in' });
    const code = codeIn((await mailsTo(paper, email))[0] as never);
    for (let times = 0; times < 5; times++) {
      expect((await browser.get('/login/code')).status).toBe(200);
      await browser.get(`/login/code?code=${code}`);
    }
    expect((await browser.post('/login/code', { code })).status).toBe(303);
    expect(await opens(browser)).toBe(true);
    const other = newBrowser();
    expect((await other.post('/login/code', { code })).status).toBe(422);
  });

  it('stands in no link, and the links of its mail lead to the paper, whatever host was asked', async () => {
    const email = newAddress();
    const answer = await paper.app.request(
      `${paper.baseUrl}/login/code-requests`,
      {
        method: 'POST',
        headers: {
          origin: paper.baseUrl,
          host: 'evil.example',
          'x-forwarded-host': 'evil.example',
          'x-forwarded-proto': 'ftp',
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: new URLSearchParams({ email, purpose: 'reset' }).toString(),
      },
      `198.51.100.${++made}`,
    );
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/login/code']);
    const [mail] = await mailsTo(paper, email);
    const whole = `${mail?.html} ${mail?.text}`;
    expect(whole).not.toContain('evil.example');
    const links = [...whole.matchAll(/(?:href="|\s)(https?:\/\/[^\s"<]+)/g)].map(
      ([, link]) => new URL(link ?? ''),
    );
    expect(links.length).toBeGreaterThan(0);
    const code = codeIn(mail as never);
    for (const link of links) expect([link.origin, link.href.includes(code)]).toEqual([paper.baseUrl, false]);
  });
});

describe('an address', () => {
  it.each([
    'a@paper.example\r\nBcc: x@evil.example',
    'a@paper.example%0d%0aBcc:x@evil.example',
    '"a\nb"@paper.example',
  ])('that would write a header of its own is refused, and no mail is written: %j', async (email) => {
    const before = (await paper.outbox.list({ limit: 500 })).mails.length;
    expect((await newBrowser().post('/login/code-requests', { email, purpose: 'sign-in' })).status).toBe(422);
    await mailsTo(paper, email);
    expect((await paper.outbox.list({ limit: 500 })).mails.length).toBe(before);
  });
});
