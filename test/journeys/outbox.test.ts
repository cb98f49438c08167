import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MailKind, mailsOf, type NewMail, postMail, postMails } from '#mail';
import { monotonicMs } from '#platform/clock';
import { uuidv7 } from '#platform/ids';
import { codeIn, MAIL_SAMPLES, mailsTo } from '../mails.ts';
import { type TestPaper, testPaper } from '../paper.ts';

const mailOf = (kind: MailKind, to: string) => ({ kind, to, payload: MAIL_SAMPLES[kind] }) as NewMail;

describe('the outbox of a paper that is being tried out', () => {
  let paper: TestPaper;
  beforeAll(async () => {
    paper = await testPaper();
  });
  afterAll(() => paper.end());

  const post = (kind: MailKind, to = 'reader@example.org') =>
    postMail(paper.database.db, mailOf(kind, to), paper.clock.now());

  it('says what will appear in it', async () => {
    const response = await paper.get('/outbox');
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('Nothing yet.');
  });

  it('shows a mail that was asked for, in a list and by itself, to nobody’s cache or index', async () => {
    await post('sign-in-code');
    const [mail] = await mailsTo(paper, 'reader@example.org');
    expect(codeIn(mail as NonNullable<typeof mail>)).toBe('482913');
    const list = await paper.get('/outbox');
    const html = await list.text();
    expect(html).toContain('To reader@example.org');
    expect(html).toContain('482 913 is your sign-in code for Broadsheet');
    const [, path = ''] = /href="(\/outbox\/[^"]+)"/.exec(html) ?? [];
    const page = await paper.get(path);
    expect(await page.text()).toContain('    482 913');
    for (const response of [list, page, await paper.get(`${path}/html`)]) {
      expect(response.headers.get('cache-control')).toBe('private, no-store');
      expect(response.headers.get('x-robots-tag')).toBe('noindex');
      expect(response.headers.get('etag')).toBeNull();
    }
  });

  it('makes the links of the words ones that can be followed, and nothing else', async () => {
    await post('receipt', 'receipts@example.org');
    const [mail] = await mailsTo(paper, 'receipts@example.org');
    const page = await (await paper.get(`/outbox/${mail?.name}`)).text();
    expect(page).toContain(
      '<a href="http://localhost:3000/account/subscription">http://localhost:3000/account/subscription</a>',
    );
    const evil = [
      '<script>alert(1)</script>',
      'javascript:alert(1)',
      'https://a.example/">x',
      'https://b.example.',
    ];
    await paper.outbox.put(
      { id: 'evil', at: paper.clock.now() },
      Buffer.from(
        `From: <script>@x.example\r\nTo: x@example.org\r\nSubject: <script>\r\nDate: Mon, 23 Nov 2026 06:30:00 +0000\r\n\r\n${evil.join('\r\n')}\r\n`,
      ),
    );
    const shown = await (await paper.get('/outbox/20261123t063000000-evil')).text();
    expect(shown).not.toMatch(/<script>|href="javascript/);
    expect(shown).toContain('<a href="https://a.example/">https://a.example/</a>&quot;&gt;x');
    expect(shown).toContain('<a href="https://b.example">https://b.example</a>.');
  });

  it('shows a mail as it looks under a policy of its own: nothing runs, loads, is sent or frames it', async () => {
    const [mail] = await mailsTo(paper, 'reader@example.org');
    const response = await paper.get(`/outbox/${mail?.name}/html`);
    const html = await response.text();
    expect(html).toMatch(/^<!doctype html>/i);
    expect(html).toContain('Your sign-in code');
    const policy = response.headers.get('content-security-policy') ?? '';
    for (const rule of ["default-src 'none'", "frame-ancestors 'none'", "form-action 'none'", 'sandbox'])
      expect(policy).toContain(rule);
    expect(policy).not.toMatch(/script-src|allow-scripts|img-src|https?:/);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it.each(['/outbox/nothing', '/outbox/nothing/html', '/outbox/..%2fsecret', '/outbox/%00', '/outbox/A'])(
    'has nothing at %s',
    async (path) => {
      expect((await paper.get(path)).status).toBe(404);
    },
  );

  it('lists a broken file as one, and says so where it is opened', async () => {
    await paper.outbox.put({ id: 'broken', at: paper.clock.now() }, Buffer.from([0, 1, 2]));
    expect(await (await paper.get('/outbox')).text()).toContain('A file that is not a mail');
    const page = await paper.get('/outbox/20261123t063000000-broken');
    expect([page.status, (await page.text()).includes('cannot be read as a mail')]).toEqual([200, true]);
    expect((await paper.get('/outbox/20261123t063000000-broken/html')).status).toBe(404);
  });

  it('is the same for every process of the paper', async () => {
    const other = await paper.another();
    const [mail] = await mailsTo(paper, 'reader@example.org');
    expect((await other.get(`/outbox/${mail?.name}`)).status).toBe(200);
  });

  it('stays quick with three hundred mails, and leads through all of them', async () => {
    const [mail] = await mailsTo(paper, 'reader@example.org');
    const file = await paper.objects.get(`outbox/${mail?.name}.eml`);
    for (let n = 0; n < 300; n++) {
      await paper.outbox.put({ id: `n${n}`, at: paper.clock.now().add({ seconds: n + 1 }) }, file as Buffer);
    }
    await paper.get('/outbox');
    const started = monotonicMs();
    await paper.get('/outbox');
    expect(monotonicMs() - started).toBeLessThan(500);
    const names = new Set<string>();
    let path: string | undefined = '/outbox';
    let pages = 0;
    while (path !== undefined) {
      const html: string = await (await paper.get(path)).text();
      for (const [, name] of html.matchAll(/data-mail="([^"]+)"/g)) names.add(name as string);
      path = /href="([^"]+)" rel="next"/.exec(html)?.[1];
      pages++;
    }
    expect(names.size).toBe(304);
    expect(pages).toBe(13);
  });
});

describe('outside the sandbox', () => {
  let paper: TestPaper;
  beforeAll(async () => {
    paper = await testPaper(undefined, { sandbox: false });
  });
  afterAll(() => paper.end());

  it('there is no page that shows sign-in codes, though mail lies on the disk', async () => {
    await postMail(paper.database.db, mailOf('sign-in-code', 'reader@example.org'), paper.clock.now());
    const [mail] = await mailsTo(paper, 'reader@example.org');
    expect(mail?.subject).toContain('482 913');
    expect(paper.routes.filter(({ path }) => path.includes('outbox'))).toEqual([]);
    for (const path of [
      '/outbox',
      `/outbox/${mail?.name}`,
      `/outbox/${mail?.name}/html`,
      '/outbox/feed.xml',
    ]) {
      const response = await paper.get(path);
      expect([path, response.status]).toEqual([path, 404]);
      expect(await response.text()).not.toContain('482');
    }
  });
});

describe('a paper with a mail server', () => {
  it('sends through it, tries again what it was asked to and nothing else, and puts nothing into the outbox', async () => {
    let busy = true;
    const taken: string[] = [];
    const server = new SMTPServer({
      authOptional: true,
      logger: false,
      onRcptTo: ({ address }, _, done) => {
        if (address.startsWith('gone'))
          done(Object.assign(new Error('no such reader'), { responseCode: 550 }));
        else if (busy && !address.startsWith('early'))
          done(Object.assign(new Error('later'), { responseCode: 451 }));
        else done();
      },
      onData: (stream, session, done) => {
        stream.resume();
        stream.on('end', () => {
          taken.push(...session.envelope.rcptTo.map(({ address }) => address));
          done();
        });
      },
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.server.address() as { port: number };
    const paper = await testPaper(undefined, { smtpUrl: `smtp://127.0.0.1:${port}` });
    const { db, pool } = paper.database;
    const readerId = uuidv7();
    const mails = ['gone@example.org', 'reader@example.org', 'early@example.org'].map((to) => ({
      ...mailOf('receipt', to),
      readerId,
    }));
    await db.transaction().execute((tx) => postMails(tx, mails, paper.clock.now()));
    await mailsTo(paper, '');
    const states = async () =>
      (await mailsOf(db, readerId)).map(({ failure, state }) => `${state} ${failure}`.trim()).sort();
    expect(await states()).toEqual(['failed 550', 'sent', 'waiting']);
    // What is given up leaves the queue; what waits tells the queue nothing about anybody.
    const { rows } = await pool.query('select last_error, payload from jobs._private_jobs');
    expect(rows).toMatchObject([
      {
        last_error: expect.stringMatching(/a mail has to wait: 451$/),
        payload: [{ to: 'reader@example.org' }],
      },
    ]);
    busy = false;
    await pool.query('update jobs._private_jobs set run_at = now()');
    await mailsTo(paper, '');
    expect(taken).toEqual(['early@example.org', 'reader@example.org']);
    expect(await states()).toEqual(['failed 550', 'sent', 'sent']);
    expect((await pool.query('select 1 from jobs._private_jobs')).rows).toEqual([]);
    expect((await paper.outbox.list({ limit: 10 })).mails).toEqual([]);
    await paper.end();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
});
