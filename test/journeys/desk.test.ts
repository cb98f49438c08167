import { type TOTP, URI } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROLES, type Role } from '#staff';
import type { ReaderFile } from '../../src/desk/desk.ts';
import { storeStories, storyInput } from '../builders.ts';
import { deskCookieOf, post, readerFile, readersInMemory, seated } from '../desk.ts';
import { mailsTo } from '../mails.ts';
import { type TestPaper, testPaper } from '../paper.ts';

/** The desk as it answers requests: who comes in, who does not, and what is done there. */
let paper: TestPaper;
let reader: ReaderFile;
let other: ReaderFile;

beforeAll(async () => {
  reader = readerFile();
  other = readerFile({ row: { email: 'other@post.example', name: '<script>alert(1)</script>' } });
  const readers = readersInMemory([reader, other]);
  paper = await testPaper('2026-11-23T06:30:00Z', { deskReaders: readers });
  readers.use(paper);
  await storeStories(paper.database.db, [
    storyInput({
      headline: 'Published this morning',
      access: 'premium',
      publishedAt: Temporal.Instant.from('2026-11-23T02:00:00Z'),
    }),
    storyInput({ headline: 'Published on Friday' }),
    storyInput({
      headline: 'Not before tonight',
      publishedAt: Temporal.Instant.from('2026-11-23T12:00:00Z'),
    }),
  ]);
});
afterAll(() => paper.end());

const text = async (path: string, cookie?: string) => (await paper.get(path, { cookie })).text();
const locationOf = (response: Response) => response.headers.get('location');
const ID = '0198a1b2-0000-7000-8000-000000000000';

/** Uses a link as a person would: looks at it, and presses the button. */
async function halfSession(email: string): Promise<string> {
  const { token } = await paper.staff.makeLink(email, 'command line');
  const begun = await post(paper, '/desk/sessions', { token });
  expect([begun.status, locationOf(begun)]).toEqual([303, '/desk/second-factor']);
  return deskCookieOf(begun) ?? '';
}

async function person(role: Role = 'editor'): Promise<string> {
  const email = `someone-${crypto.randomUUID()}@paper.example`;
  await paper.staff.create({ email, role }, 'command line');
  return email;
}

/** The app on a phone, set up from what the page shows. */
function phoneFrom(html: string): { code(steps?: number): string } {
  const secret = /<code class="secret">([A-Z2-7 ]+)</.exec(html)?.[1]?.replaceAll(' ', '') ?? '';
  const totp = URI.parse(`otpauth://totp/x?secret=${secret}`) as TOTP;
  return { code: (steps = 0) => totp.generate({ timestamp: Date.now() + steps * 30_000 }) };
}

/** Every page and action at the desk that is not for anyone, and who may. */
const RULES: readonly (readonly [string, string, readonly Role[]])[] = [
  ['GET', '/desk', ROLES],
  ['GET', '/desk/backup-codes', ROLES],
  ['POST', '/desk/backup-codes/receipt', ROLES],
  ['GET', '/desk/readers', ['support', 'circulation', 'administrator']],
  ['GET', '/desk/readers/:reader', ['support', 'circulation', 'administrator']],
  ['POST', '/desk/readers/:reader/session-endings', ['support', 'circulation', 'administrator']],
  ['POST', '/desk/readers/:reader/mails', ['support', 'circulation', 'administrator']],
  ['GET', '/desk/subscriptions/:subscription', ['support', 'circulation', 'administrator']],
  ['POST', '/desk/subscriptions/:subscription/refunds', ['circulation', 'administrator']],
  ['POST', '/desk/subscriptions/:subscription/given-days', ['circulation', 'administrator']],
  ['POST', '/desk/subscriptions/:subscription/cancellation', ['circulation', 'administrator']],
  ['POST', '/desk/subscriptions/:subscription/resumption', ['circulation', 'administrator']],
  ['POST', '/desk/subscriptions/:subscription/ending', ['circulation', 'administrator']],
  ['POST', '/desk/subscriptions/:subscription/release', ['circulation', 'administrator']],
  ['GET', '/desk/parked', ['support', 'circulation', 'administrator']],
  ['POST', '/desk/parked/resolutions', ['circulation', 'administrator']],
  ['GET', '/desk/revenue', ['circulation', 'administrator']],
  ['GET', '/desk/revenue.csv', ['circulation', 'administrator']],
  ['GET', '/desk/journal.csv', ['circulation', 'administrator']],
  ['GET', '/desk/imports', ['chief-editor', 'administrator']],
  ['GET', '/desk/imports/:run', ['chief-editor', 'administrator']],
  ['GET', '/desk/imports/:run/report.json', ['chief-editor', 'administrator']],
  ['GET', '/desk/audit', ['chief-editor', 'administrator']],
];
const FOR_ANYONE = [
  'GET /desk/sign-in',
  'POST /desk/link-requests',
  'GET /desk/sign-in/:token',
  'POST /desk/sessions',
  'GET /desk/second-factor',
  'POST /desk/second-factor',
  'POST /desk/second-factor-delays',
  'POST /desk/sign-out',
];

describe('every route of the desk', () => {
  it('stands in the table of who may', () => {
    const routes = paper.routes
      .filter(({ path }) => path.startsWith('/desk'))
      .map(({ method, path }) => `${method} ${path}`);
    expect(routes.sort()).toEqual(
      [...RULES.map(([method, path]) => `${method} ${path}`), ...FOR_ANYONE].sort(),
    );
  });

  it.each(ROLES)('lets in whom it should, of those who work as %s, and tells the rest so', async (role) => {
    const { cookie } = await seated(paper, role);
    for (const [method, path, may] of RULES) {
      const target = path.replace(':reader', reader.reader.id).replace(/:run|:subscription/, ID);
      const response =
        method === 'GET' ? await paper.get(target, { cookie }) : await post(paper, target, {}, { cookie });
      const shut = response.status === 403;
      expect([role, method, path, shut]).toEqual([role, method, path, !may.includes(role)]);
      if (shut) expect(await response.text()).toContain('Your role does not include this');
    }
    const places = await text('/desk', cookie);
    expect(places.includes('href="/desk/readers"')).toBe(
      ['support', 'circulation', 'administrator'].includes(role),
    );
    expect(places.includes('href="/desk/audit"')).toBe(['chief-editor', 'administrator'].includes(role));
  });

  it('sends who is not signed in to sign in, and on to where they were going', async () => {
    const half = await halfSession(await person('administrator'));
    for (const [method, path] of RULES) {
      const target = path.replace(/:reader|:run|:subscription/, ID);
      for (const [cookie, place] of [
        [undefined, 'sign-in'],
        ['__Host-desk=', 'sign-in'],
        [`__Host-desk=${'a'.repeat(43)}`, 'sign-in'],
        [half, 'second-factor'],
        [`${half}; ${half}`, 'sign-in'],
        [half.replace('__Host-desk', 'desk'), 'sign-in'],
      ] as const) {
        const response =
          method === 'GET' ? await paper.get(target, { cookie }) : await post(paper, target, {}, { cookie });
        const next = method === 'GET' ? `?next=${encodeURIComponent(target)}` : '';
        expect([method, target, response.status, locationOf(response)]).toEqual([
          method,
          target,
          303,
          `/desk/${place}${next}`,
        ]);
      }
    }
  });

  it('tells a program that is not signed in so', async () => {
    const response = await paper.get('/desk/readers', { headers: { accept: 'application/json' } });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ status: 401, code: 'not-signed-in' });
  });

  it('is kept and listed by nobody, and tells no other site where it was', async () => {
    const { cookie } = await seated(paper, 'administrator');
    const { token } = await paper.staff.makeLink(await person(), 'command line');
    for (const [path, session] of [
      ['/desk', cookie],
      ['/desk/readers?q=meera', cookie],
      [`/desk/readers/${reader.reader.id}`, cookie],
      [`/desk/readers/${ID}`, cookie],
      ['/desk/audit', cookie],
      ['/desk/audit', undefined],
      ['/desk/sign-in', undefined],
      [`/desk/sign-in/${token}`, undefined],
      ['/desk/sign-in/nothing', undefined],
      ['/desk/second-factor', await halfSession(await person())],
    ] as const) {
      const { headers } = await paper.get(path, { cookie: session });
      expect([
        path,
        headers.get('cache-control'),
        headers.get('x-robots-tag'),
        headers.get('referrer-policy'),
        headers.get('content-security-policy')?.startsWith("default-src 'none'"),
      ]).toEqual([path, 'private, no-store', 'noindex', 'same-origin', true]);
    }
  });

  it('takes a form from the desk’s own pages alone, and answers with the desk’s own page', async () => {
    const { cookie } = await seated(paper, 'administrator');
    const before = await paper.staff.actions({ limit: 1 });
    for (const [method, path] of RULES.filter(([method]) => method === 'POST')) {
      const target = path.replace(':reader', reader.reader.id).replace(/:run|:subscription/, ID);
      for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }]) {
        const response = await post(paper, target, {}, { cookie, headers });
        expect([method, target, response.status]).toEqual([method, target, 403]);
      }
    }
    const signOut = await post(paper, '/desk/sign-out', {}, { cookie, headers: { origin: 'null' } });
    expect(signOut.status).toBe(403);
    expect(await signOut.text()).toContain('masthead-desk');
    expect(await paper.staff.actions({ limit: 1 })).toEqual(before);
    expect((await paper.get('/desk', { cookie })).status).toBe(200);
  });
});

describe('a one-time link', () => {
  it('shows whose it is as often as it is opened, and lets in with the button, once', async () => {
    const email = await person();
    const { token } = await paper.staff.makeLink(email, 'command line');
    for (const method of ['GET', 'HEAD', 'GET']) {
      const page = await paper.get(`/desk/sign-in/${token}`, { method });
      expect([page.status, page.headers.getSetCookie()]).toEqual([200, []]);
      if (method === 'GET') expect(await page.text()).toContain(email);
    }
    const begun = await post(paper, '/desk/sessions', { token });
    expect(begun.headers.getSetCookie()[0]).toMatch(
      /^__Host-desk=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
    );
    for (const response of [
      await post(paper, '/desk/sessions', { token }),
      await post(paper, '/desk/sessions', {}),
      await paper.get(`/desk/sign-in/${token}`),
    ]) {
      expect([response.status, deskCookieOf(response)]).toEqual([410, undefined]);
      expect(await response.text()).toContain('no longer works');
    }
  });

  it('is mailed to who asks for one and is on the staff, and everybody is told the same', async () => {
    const [known, disabled, unknown] = [await person(), await person(), 'nobody@paper.example'];
    await paper.staff.disable(disabled, 'command line');
    const told = await Promise.all(
      [known, disabled, unknown].map(async (email) => {
        const answer = await post(paper, '/desk/link-requests', { email: ` ${email.toUpperCase()}` });
        const id = answer.headers.get('x-request-id') as string;
        const body = (await answer.text()).replaceAll(id, '').replaceAll(email.toUpperCase(), '');
        return { status: answer.status, body };
      }),
    );
    expect(told[0]?.status).toBe(200);
    expect(told[0]?.body).toContain('is on the staff of');
    expect([told[1], told[2]]).toEqual([told[0], told[0]]);
    const mails = await Promise.all([known, disabled, unknown].map((email) => mailsTo(paper, email)));
    expect(mails.map((of) => of.length)).toEqual([1, 0, 0]);
    const link =
      /http:\/\/localhost:3000(\/desk\/sign-in\/[\w-]{43})/.exec(mails[0]?.[0]?.text ?? '')?.[1] ?? '';
    expect(await text(link)).toContain(known);
    const token = link.split('/').at(-1) ?? '';
    expect((await post(paper, '/desk/sessions', { token })).status).toBe(303);
  });

  it('is mailed once a minute, however often it is asked for, and to no address that is none', async () => {
    const email = await person();
    for (let times = 0; times < 5; times++) {
      await post(paper, '/desk/link-requests', { email });
      await mailsTo(paper, email);
    }
    expect(await mailsTo(paper, email)).toHaveLength(1);
    for (const wrong of ['', 'nobody', 'a@paper.example\r\nBcc: b@evil.example']) {
      const answer = await post(paper, '/desk/link-requests', { email: wrong });
      expect([wrong, answer.status]).toEqual([wrong, 422]);
      expect(await answer.text()).toContain('That is no e-mail address');
    }
    const tries = await Promise.all(
      Array.from({ length: 21 }, () => post(paper, '/desk/link-requests', { email })),
    );
    expect(
      tries.some(({ headers, status }) => status === 429 && Number(headers.get('retry-after')) > 0),
    ).toBe(true);
  });

  it('gives a browser that had another session a session of its own', async () => {
    const planted = await seated(paper, 'administrator');
    const { token } = await paper.staff.makeLink(await person(), 'command line');
    const begun = await post(paper, '/desk/sessions', { token }, { cookie: planted.cookie });
    expect(deskCookieOf(begun)).not.toBe(planted.cookie);
  });
});

describe('the second factor', () => {
  it('is enrolled with a code, gives ten backup codes once, and lets in with a new cookie', async () => {
    const half = await halfSession(await person());
    const page = await text('/desk/second-factor?next=%2Fdesk%2Faudit', half);
    expect(page).toContain('<svg class="qr-code"');
    const phone = phoneFrom(page);
    const wrong = await post(paper, '/desk/second-factor', { code: '12345' }, { cookie: half });
    expect([wrong.status, (await wrong.text()).includes('That is not the code')]).toEqual([422, true]);
    const right = await post(
      paper,
      '/desk/second-factor',
      { code: phone.code(), next: '/desk/audit' },
      { cookie: half },
    );
    expect([right.status, locationOf(right)]).toEqual([303, '/desk/backup-codes?next=%2Fdesk%2Faudit']);
    const cookie = deskCookieOf(right) ?? '';
    expect(cookie).not.toBe(half);
    expect(locationOf(await paper.get('/desk', { cookie: half }))).toBe('/desk/sign-in?next=%2Fdesk');
    for (let time = 0; time < 2; time++)
      expect(
        (await text('/desk/backup-codes', cookie)).match(/<code>[2-9a-z]{5}-[2-9a-z]{5}<\/code>/g),
      ).toHaveLength(10);
    const kept = await post(paper, '/desk/backup-codes/receipt', { next: '/desk/audit' }, { cookie });
    expect(locationOf(kept)).toBe('/desk/audit');
    expect(locationOf(await paper.get('/desk/backup-codes', { cookie }))).toBe('/desk');
    // Where there is nothing to show any more, the page leads on.
    expect(locationOf(await paper.get('/desk/second-factor', { cookie }))).toBe('/desk');
    expect(locationOf(await paper.get('/desk/sign-in?next=/desk/audit', { cookie }))).toBe('/desk/audit');
  });

  it('is asked for at every sign-in from then on, and is not shown the secret again', async () => {
    const email = await person();
    const first = await halfSession(email);
    const phone = phoneFrom(await text('/desk/second-factor', first));
    const code = phone.code();
    await post(paper, '/desk/second-factor', { code }, { cookie: first });
    const second = await halfSession(email);
    const page = await text('/desk/second-factor', second);
    expect(page).not.toMatch(/qr-code|class="secret"/);
    expect(page).not.toContain('second-factor-delays');
    const later = await post(paper, '/desk/second-factor-delays', {}, { cookie: second });
    expect([locationOf(later), deskCookieOf(later)]).toEqual(['/desk/second-factor', undefined]);
    const again = await post(paper, '/desk/second-factor', { code }, { cookie: second });
    expect([again.status, (await again.text()).includes('has been used')]).toEqual([422, true]);
    const next = await post(
      paper,
      '/desk/second-factor',
      { code: phone.code(1), next: 'https://evil.example' },
      { cookie: second },
    );
    expect([next.status, locationOf(next)]).toEqual([303, '/desk']);
  });

  it('is locked after five wrong codes, and says until when', async () => {
    const email = await person();
    const first = await halfSession(email);
    const phone = phoneFrom(await text('/desk/second-factor', first));
    await post(paper, '/desk/second-factor', { code: phone.code() }, { cookie: first });
    const second = await halfSession(email);
    const statuses = [];
    for (let time = 0; time < 6; time++) {
      const response = await post(paper, '/desk/second-factor', { code: '000000' }, { cookie: second });
      statuses.push([response.status, /From \d\d:\d\d on you can try again/.test(await response.text())]);
    }
    expect(statuses).toEqual([...Array(4).fill([422, false]), [429, true], [429, true]]);
  });

  it('may be put off in the sandbox, which every page then says, and not outside of it', async () => {
    const half = await halfSession(await person());
    expect(await text('/desk/second-factor', half)).toContain('action="/desk/second-factor-delays"');
    const later = await post(paper, '/desk/second-factor-delays', { next: '/desk' }, { cookie: half });
    const cookie = deskCookieOf(later) ?? '';
    expect(locationOf(later)).toBe('/desk');
    expect(await text('/desk', cookie)).toContain('without a second factor');
    expect((await paper.get('/desk/second-factor', { cookie })).status).toBe(200);

    const earnest = await testPaper('2026-11-23T06:30:00Z', { sandbox: false });
    try {
      await earnest.staff.create({ email: 'ana@paper.example', role: 'editor' }, 'command line');
      const { token } = await earnest.staff.makeLink('ana@paper.example', 'command line');
      const there = deskCookieOf(await post(earnest, '/desk/sessions', { token })) ?? '';
      const page = await (await earnest.get('/desk/second-factor', { cookie: there })).text();
      expect(page).not.toContain('second-factor-delays');
      const refused = await post(earnest, '/desk/second-factor-delays', {}, { cookie: there });
      expect([locationOf(refused), deskCookieOf(refused)]).toEqual(['/desk/second-factor', undefined]);
      expect(locationOf(await earnest.get('/desk', { cookie: there }))).toMatch(/second-factor/);
    } finally {
      await earnest.end();
    }
  });
});

describe('a session at the desk', () => {
  it('is another’s as soon as the role is, and nobody’s as soon as its owner is disabled', async () => {
    const { cookie, email } = await seated(paper, 'administrator');
    expect((await paper.get('/desk/readers', { cookie })).status).toBe(200);
    await paper.staff.change(email, { role: 'reporter' }, 'command line');
    expect((await paper.get('/desk/readers', { cookie })).status).toBe(403);
    expect((await paper.get('/desk', { cookie })).status).toBe(200);
    await paper.staff.disable(email, 'command line');
    expect((await paper.get('/desk', { cookie })).status).toBe(303);
  });

  it('is known to every process of the paper', async () => {
    const second = await paper.another();
    const { cookie } = await seated(paper, 'editor');
    expect((await second.get('/desk', { cookie })).status).toBe(200);
    await post(second, '/desk/sign-out', {}, { cookie });
    expect((await paper.get('/desk', { cookie })).status).toBe(303);
  });

  it('ends with signing out, and takes the pages with it', async () => {
    const { cookie } = await seated(paper, 'editor');
    const out = await post(paper, '/desk/sign-out', {}, { cookie });
    expect([out.status, locationOf(out), out.headers.get('clear-site-data'), deskCookieOf(out)]).toEqual([
      303,
      '/desk/sign-in?done=signed-out',
      '"cache"',
      '',
    ]);
    expect((await paper.get('/desk', { cookie })).status).toBe(303);
    expect((await post(paper, '/desk/sign-out', {}, { cookie })).status).toBe(303);
    expect((await post(paper, '/desk/sign-out', {})).status).toBe(303);
  });

  it('has a plain cookie on plain http that is not localhost, and opens no reader’s page', async () => {
    const plain = await testPaper('2026-11-23T06:30:00Z', { baseUrl: 'http://127.0.0.1:3000' });
    try {
      await plain.staff.create({ email: 'ana@paper.example', role: 'editor' }, 'command line');
      const { token } = await plain.staff.makeLink('ana@paper.example', 'command line');
      const begun = await plain.app.request('http://127.0.0.1:3000/desk/sessions', {
        method: 'POST',
        headers: { origin: 'http://127.0.0.1:3000', 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ token }).toString(),
      });
      expect(begun.headers.getSetCookie()[0]).toMatch(/^desk=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    } finally {
      await plain.end();
    }
  });

  it('cannot be asked for while the database is away, and says so on the desk’s own page', async () => {
    const { cookie } = await seated(paper, 'editor');
    paper.wire.cut();
    try {
      const response = await paper.get('/desk', { cookie });
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
      expect(await response.text()).toContain('The desk cannot be reached just now');
    } finally {
      paper.wire.mend();
      await expect
        .poll(async () => (await paper.get('/desk', { cookie })).status, { timeout: 10_000 })
        .toBe(200);
    }
  });
});

describe('the first page of the desk', () => {
  it('tells what the paper has done today, in its own zone, and nothing of what is not out yet', async () => {
    for (const path of ['/nation', '/']) await paper.get(path);
    const { cookie } = await seated(paper, 'reporter');
    const page = await text('/desk', cookie);
    expect(page).toContain('Monday, 23 November 2026');
    expect(page).toMatch(
      /Stories published<\/dt><dd class="figure">1<\/dd><dd class="figure-note">1 of them premium/,
    );
    expect(page).toContain('Published this morning');
    expect(page).toContain('Published on Friday');
    expect(page).not.toContain('Not before tonight');
  });

  it('counts walls and free reads as they happened', async () => {
    const [story] = await storeStories(paper.database.db, [storyInput({ access: 'premium' })]);
    const [metered] = await storeStories(paper.database.db, [storyInput({ access: 'metered' })]);
    await expect.poll(async () => (await paper.get(story?.path ?? '')).status).toBe(200);
    await paper.get(metered?.path ?? '');
    await paper.access.flush();
    const { cookie } = await seated(paper, 'reporter');
    const page = await text('/desk', cookie);
    expect(page).toMatch(/Free reads counted<\/dt><dd class="figure">1</);
    expect(page).toMatch(/Premium story<\/td><td class="number">[1-9]/);
  });
});

describe('helping a reader', () => {
  it('begins with finding them', async () => {
    const { cookie } = await seated(paper, 'support');
    const found = await text('/desk/readers?q=MEERA', cookie);
    expect(found).toContain(`href="/desk/readers/${reader.reader.id}"`);
    expect(found).not.toContain('other@post.example');
    expect(await text('/desk/readers?q=nobody', cookie)).toContain('No reader is found for “nobody”');
    expect(await text('/desk/readers', cookie)).not.toContain('post.example');
    expect(await text('/desk/readers?q=%3Cscript%3Ealert(1)', cookie)).not.toContain('<script>');
  });

  it('shows what they have, and why the wall was shown', async () => {
    const { cookie } = await seated(paper, 'support');
    const page = await text(`/desk/readers/${reader.reader.id}`, cookie);
    for (const words of [
      'meera.iyer@post.example',
      'Firefox on Android',
      '3 of 5',
      '₹2,700',
      'All 5 free stories of that month had been read',
      'the next began on 21 November 2026',
      'No right to it (premium) was in force at that time: the last one ended on 1 April 2026, taken back (refund).',
      'version 2 of the rules',
    ])
      expect(page).toContain(words);
    expect(await text(`/desk/readers/${other.reader.id}`, cookie)).not.toContain('<script>');
  });

  it('is told of no such reader, however the id is made up', async () => {
    const { cookie } = await seated(paper, 'support');
    for (const id of [ID, 'nobody', '%00', "'", '..', reader.reader.id.toUpperCase()]) {
      const page = await paper.get(`/desk/readers/${id}`, { cookie });
      expect([id, page.status]).toEqual([id, 404]);
      const ended = await post(
        paper,
        `/desk/readers/${id}/session-endings`,
        { session: 'all', reason: 'a test' },
        { cookie },
      );
      expect([id, ended.status]).toEqual([id, 404]);
    }
  });

  it('ends a session with a reason, which the audit trail keeps', async () => {
    const { cookie, email } = await seated(paper, 'support');
    const file = reader.reader.id;
    const session = reader.sessions[0]?.id ?? '';
    const path = `/desk/readers/${file}/session-endings`;
    for (const [fields, says] of [
      [{ reason: 'the phone was lost' }, 'Choose which session to end.'],
      [{ session }, 'Say why'],
      [{ session, reason: '  a ' }, 'Say why'],
      [{ session, reason: 'x'.repeat(501) }, 'Say why'],
    ] as const) {
      const refused = await post(paper, path, fields, { cookie });
      expect(refused.status).toBe(422);
      expect(await refused.text()).toContain(says);
    }
    expect(await paper.staff.actions({ on: { kind: 'reader', id: file }, limit: 9 })).toEqual([]);
    const ended = await post(paper, path, { session, reason: ' The phone was lost ' }, { cookie });
    expect([ended.status, locationOf(ended)]).toEqual([303, `/desk/readers/${file}?done=session-ended`]);
    expect(await paper.staff.actions({ on: { kind: 'reader', id: file }, limit: 9 })).toMatchObject([
      {
        actor: email,
        what: 'session-ending',
        reason: 'The phone was lost',
        details: { device: 'Firefox on Android' },
      },
    ]);
    const page = await text(`/desk/readers/${file}?done=session-ended`, cookie);
    expect(page).toContain('The session has been ended.');
    expect(page).not.toContain('Firefox on Android</span');
    expect(page).toContain('“The phone was lost”');
    // Twice, or somebody else's: nothing is ended, and nothing is said to have been.
    for (const again of [session, other.sessions[0]?.id ?? '']) {
      const second = await post(paper, path, { session: again, reason: 'once more' }, { cookie });
      expect(locationOf(second)).toBe(`/desk/readers/${file}?done=already-ended`);
    }
    const all = await post(paper, path, { session: 'all', reason: 'all of them' }, { cookie });
    expect(locationOf(all)).toBe(`/desk/readers/${file}?done=sessions-ended`);
    const none = await post(paper, path, { session: 'all', reason: 'all of them' }, { cookie });
    expect(locationOf(none)).toBe(`/desk/readers/${file}?done=already-ended`);
    expect(await paper.staff.actions({ on: { kind: 'reader', id: file }, limit: 9 })).toHaveLength(2);
  });

  it('sends a mail again, of those that can be', async () => {
    const { cookie } = await seated(paper, 'circulation');
    const path = `/desk/readers/${other.reader.id}/mails`;
    const sent = await post(paper, path, { kind: 'receipt', reason: '' }, { cookie });
    expect(locationOf(sent)).toBe(`/desk/readers/${other.reader.id}?done=mail-sent`);
    const unknown = await post(paper, path, { kind: 'sign-in-code' }, { cookie });
    expect(locationOf(unknown)).toBe(`/desk/readers/${other.reader.id}?done=no-such-mail`);
    expect(
      await paper.staff.actions({ on: { kind: 'reader', id: other.reader.id }, limit: 9 }),
    ).toMatchObject([{ what: 'mail-resending', details: { mail: 'receipt' }, reason: '' }]);
  });

  it('says at the top of a page only what it knows', async () => {
    const { cookie } = await seated(paper, 'support');
    for (const done of ['constructor', 'toString', 'You have won', ''])
      expect(
        await text(`/desk/readers/${other.reader.id}?done=${encodeURIComponent(done)}`, cookie),
      ).not.toContain('class="notice" role="status"');
  });
});

describe('the audit trail', () => {
  it('is read from the newest to the oldest, page by page, and readers are linked for who may see them', async () => {
    for (let time = 0; time < 60; time++) await person();
    const { cookie } = await seated(paper, 'administrator');
    const first = await text('/desk/audit', cookie);
    expect(first.match(/<li>/g)?.length).toBeGreaterThan(50);
    const older = /href="(\/desk\/audit\?before=[^"]+)"/.exec(first)?.[1] ?? '';
    const second = await text(older, cookie);
    expect(second).toContain('rel="first"');
    expect(second).toContain('command line');
    for (const before of [ID, 'x', '%27', '']) {
      const { status } = await paper.get(`/desk/audit?before=${before}`, { cookie });
      expect([before, status === 200 || status === 404]).toEqual([before, true]);
    }
    let page: string | undefined = '/desk/audit';
    let all = '';
    while (page !== undefined) {
      const html: string = await text(page, cookie);
      all += html;
      page = /href="(\/desk\/audit\?before=[^"]+)" rel="next"/.exec(html)?.[1];
    }
    expect(all).toContain(`href="/desk/readers/${reader.reader.id}"`);
    const chief = await seated(paper, 'chief-editor');
    expect(await text('/desk/audit', chief.cookie)).not.toContain('href="/desk/readers/');
  });
});
