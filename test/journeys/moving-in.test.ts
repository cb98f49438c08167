import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#platform/clock';
import { openDatabase } from '#platform/db';
import { createLogger } from '#platform/log';
import { COMMANDS } from '../../src/main/commands.ts';
import { post, seated } from '../desk.ts';
import { mailsTo } from '../mails.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { settle } from '../shop.ts';

/** A publisher moves in: stories and readers come from elsewhere, and are looked at before anybody is written to. */
let paper: TestPaper;
let folder: string;
beforeAll(async () => {
  paper = await testPaper();
  folder = await mkdtemp(join(tmpdir(), 'broadsheet-moving-in-'));
});
afterAll(async () => {
  await paper.end();
  await rm(folder, { recursive: true, force: true });
});

async function command(
  name: string,
  args: string[],
  options: Record<string, string | boolean> = {},
  more: { readonly paper?: object; readonly signal?: AbortSignal } = {},
) {
  const found = COMMANDS.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no command ${name}`);
  const { clock } = paper;
  const context = {
    paper,
    config: { baseUrl: paper.baseUrl },
    clock,
    log: createLogger('silent'),
    args,
    options,
    signal: new AbortController().signal,
    ...more,
  };
  return (await found.run(context as never)) as {
    text: string;
    json: Record<string, never>;
    failure?: string;
  };
}

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const line = (id: string, headline: string) =>
  `${JSON.stringify({ id, headline, body: '<p>Words.</p>', published_at: '2019-01-05', section: 'Ports' })}\n`;

describe('an import', () => {
  it('is tried dry first, then done, and both can be read at the desk, by whoever may', async () => {
    const path = await file(
      'archive.ndjson',
      `${line('1', 'Ferry fares to rise')}${line('2', 'A & <b>B</b>')}nonsense\n`,
    );
    const dry = await command('import', ['ndjson', path], { 'dry-run': true });
    expect(dry.json).toMatchObject({
      dry_run: true,
      created: 2,
      refused_count: 1,
      stories: { sections: { ports: 2 }, access: { metered: 2 }, states: { published: 2 } },
    });
    expect(dry.text).toContain('created  archive.ndjson:1: Ferry fares to rise (ports, metered,');
    expect((await paper.database.pool.query('select from content.stories')).rowCount).toBe(0);
    expect(
      (await paper.database.pool.query(`select from content.sections where slug = 'ports'`)).rowCount,
    ).toBe(0);
    const real = await command('import', ['ndjson', path]);
    expect(real.json).toMatchObject({ created: 2, skipped: 0 });

    const { cookie } = await seated(paper, 'chief-editor');
    const list = await (await paper.get('/desk/imports', { cookie })).text();
    expect(list).toContain(`/desk/imports/${real.json.run}`);
    expect(list).toContain('Archive (ndjson), dry run');
    const page = await (await paper.get(`/desk/imports/${real.json.run}`, { cookie })).text();
    for (const words of ['archive.ndjson', 'Ferry fares to rise', 'not JSON', 'archive.ndjson:3'])
      expect(page).toContain(words);
    const json = await paper.get(`/desk/imports/${real.json.run}/report.json`, { cookie });
    expect(await json.json()).toMatchObject({
      format: 'ndjson',
      dry_run: false,
      created: 2,
      refused: [{ at: 'archive.ndjson:3' }],
    });
    for (const path of ['/desk/imports/nonsense', '/desk/imports/019ab000-0000-7000-8000-000000000000'])
      expect((await paper.get(path, { cookie })).status).toBe(404);
    const reporter = await seated(paper, 'reporter');
    expect((await paper.get('/desk/imports', { cookie: reporter.cookie })).status).toBe(403);
  });
});

describe('an import that breaks off', () => {
  const photo = () =>
    sharp({ create: { width: 60, height: 40, channels: 3, background: '#246' } })
      .jpeg()
      .toBuffer();
  const newest = async () => {
    const { cookie } = await seated(paper, 'chief-editor');
    const list = await (await paper.get('/desk/imports', { cookie })).text();
    const path = /\/desk\/imports\/[0-9a-f-]{36}/.exec(list)?.[0] ?? '';
    const report = await (await paper.get(`${path}/report.json`, { cookie })).json();
    return { list, page: await (await paper.get(path, { cookie })).text(), report };
  };
  /** One story, whose picture is where the import ends. */
  const archive = async (id: string) => {
    await writeFile(join(folder, 'quay.jpg'), await photo());
    const body = '<p>Words.</p><img src="https://old.example/quay.jpg">';
    return file(
      'breaks.ndjson',
      JSON.stringify({ id, headline: 'The quay', body, published_at: '2019-01-05' }),
    );
  };

  it('fails as before, and the desk is told what was done up to then, and why no more', async () => {
    const gone = join(folder, 'gone.ndjson');
    await expect(command('import', ['ndjson', gone])).rejects.toMatchObject({ code: 'no-such-file' });
    const { list, page, report } = await newest();
    expect(report).toMatchObject({ files: ['gone.ndjson'], failed: `there is no file ${gone}` });
    expect(page).toContain(`It broke off: there is no file ${gone}.`);
    expect(list).toContain('broke off, 0 new');
    await expect(command('import', ['ndjson'])).rejects.toThrow('needs at least one file');
    expect((await newest()).report).toEqual(report);
  });

  it('over a fault of ours tells nothing of it', async () => {
    const put = () => Promise.reject(new Error('EIO: /srv/secret'));
    const broken = { ...paper, objects: { ...paper.objects, put } };
    const importing = command(
      'import',
      ['ndjson', await archive('a')],
      { pictures: folder },
      { paper: broken },
    );
    await expect(importing).rejects.toThrow('EIO');
    expect((await newest()).report).toMatchObject({ created: 1, failed: 'an internal fault' });
  });

  it('because it is told to stop says so, and waits for nothing', async () => {
    const stop = new AbortController();
    const put = () => {
      stop.abort();
      return new Promise(() => {});
    };
    const slow = { ...paper, objects: { ...paper.objects, put } };
    const given = { paper: slow, signal: stop.signal };
    const importing = command('import', ['ndjson', await archive('b')], { pictures: folder }, given);
    await expect(importing).rejects.toMatchObject({ code: 'stopped' });
    expect((await newest()).report).toMatchObject({ created: 1, failed: 'it was told to stop' });
  });

  it('because the database is away fails with that, and not because the desk cannot be told', async () => {
    const away = openDatabase('postgresql://127.0.0.1:1/none', createLogger('silent'));
    const before = (await newest()).report;
    const given = { paper: { ...paper, database: away } };
    const importing = command('import', ['ndjson', await archive('c')], {}, given);
    await expect(importing).rejects.toMatchObject({ code: 'database-unavailable' });
    expect((await newest()).report).toEqual(before);
  });
});

describe('what has no place in a paper', () => {
  it('is told with where it was met first', async () => {
    const item = (type: string, id: number) =>
      `<item><wp:post_id>${id}</wp:post_id><wp:post_type>${type}</wp:post_type></item>\n`;
    const wxr = `<rss xmlns:wp="http://wordpress.org/export/1.2/"><channel>\n${item('menu', 1)}${item('menu', 2)}</channel></rss>`;
    const done = await command('import', ['wxr', await file('menus.xml', wxr)]);
    expect(done.json).toMatchObject({ left_out: { menu: 2 }, left_out_first: { menu: 'menus.xml:2' } });
    expect(done.text).toContain('left out menu: 2 (first in menus.xml:2)');
    const { cookie } = await seated(paper, 'chief-editor');
    const page = await (await paper.get(`/desk/imports/${done.json.run}`, { cookie })).text();
    expect(page).toContain('first in menus.xml:2');
  });
});

describe('pictures of an archive', () => {
  it('are looked for in a dry run, and the desk shows which are missing', async () => {
    const picture = (name: string) => `<img src="https://old.example/uploads/${name}">`;
    const body = `<p>Words.</p>${picture('quay.jpg')}${picture('gone.jpg')}`;
    const record = { id: 'shown', headline: 'The quay', body, published_at: '2019-01-05' };
    const path = await file('pictures.ndjson', JSON.stringify(record));
    await file('quay.jpg', 'looked for, and not read');
    const dry = await command('import', ['ndjson', path], { 'dry-run': true, pictures: folder });
    const missing = {
      at: 'https://old.example/uploads/gone.jpg',
      reason: 'it is not in the folder of pictures',
    };
    expect(dry.json.pictures_ahead).toEqual({
      shown: 2,
      here: 0,
      found: 1,
      to_ask: 0,
      links: 0,
      missing: 1,
      missing_first: [missing],
    });
    expect(dry.text).toContain(
      `pictures in stories 2: 1 found, 1 missing\nmissing  ${missing.at}: ${missing.reason}`,
    );
    const { cookie } = await seated(paper, 'chief-editor');
    const page = await (await paper.get(`/desk/imports/${dry.json.run}`, { cookie })).text();
    for (const words of ['Pictures missing: 1', missing.at, 'shown by stories', 'to be found'])
      expect(page).toContain(words);
  });
});

describe('readers who come from elsewhere', () => {
  it('are written to when the operator says so, choose a password once, and read what they had paid for', async () => {
    const path = await file(
      'readers.csv',
      'email,paid_through\nasha@post.example,2027-03-31\nkabir@post.example,\n',
    );
    expect((await command('import', ['readers', path])).json).toMatchObject({ created: 2, granted: 1 });
    await settle(paper);
    expect(await mailsTo(paper, 'asha@post.example')).toEqual([]);

    expect((await command('reader invite', [], { all: true })).json).toEqual({ invited: 2 });
    expect((await command('reader invite', [], { all: true })).json).toEqual({ invited: 0 });
    await settle(paper);
    const [mail] = await mailsTo(paper, 'asha@post.example');
    const link = /\/login\/invitation\/[\w-]+/.exec(mail?.text ?? '')?.[0] ?? '';
    expect((await (await paper.get(link)).text()).toString()).toContain('asha@post.example');

    const short = await post(paper, link, { password: 'short' });
    expect([short.status, await short.text()]).toEqual([422, expect.stringContaining('8 to 128 characters')]);
    const done = await post(paper, link, { password: 'a quiet evening on the quay' });
    expect([done.status, done.headers.get('location')]).toEqual([303, '/account']);
    const cookie = (done.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    expect(await (await paper.get('/account', { cookie })).text()).toContain('asha@post.example');
    // Used up: it opens nothing for whoever finds the mail.
    for (const again of [await paper.get(link), await post(paper, link, { password: 'another of them' })])
      expect([again.status, (await again.text()).includes('This link is used up')]).toEqual([410, true]);

    const shown = await command('reader show', ['asha@post.example']);
    expect(JSON.stringify(shown.json)).toContain('2027-03-31T18:30:00Z');
    const exported = await command('reader export', ['asha@post.example']);
    expect(exported.json).toMatchObject({ brought_from_elsewhere: { source: 'list', labels: [] } });
    await expect(command('reader invite', ['asha@post.example'])).rejects.toMatchObject({
      code: 'has-password',
    });
    expect((await command('reader invite', ['kabir@post.example'])).json).toEqual({ invited: 1 });
  });

  it('cannot be invited by who makes up a token, and an old one is dead', async () => {
    for (const token of ['nonsense', 'a'.repeat(32), '%00'])
      expect((await paper.get(`/login/invitation/${token}`)).status).toBe(410);
    await settle(paper);
    const mails = await mailsTo(paper, 'kabir@post.example');
    const links = mails.map((mail) => /\/login\/invitation\/[\w-]+/.exec(mail.text ?? '')?.[0] ?? '');
    expect(links.length).toBe(2);
    const states = await Promise.all(links.map(async (link) => (await paper.get(link)).status));
    expect(states.sort()).toEqual([200, 410]);
    const { pool } = paper.database;
    const past = systemClock.now().subtract({ hours: 1 }).toString();
    await pool.query(
      `update readers.invitations set made_at = $1::timestamptz - interval '1 day', ends_at = $1`,
      [past],
    );
    for (const link of links) expect((await paper.get(link)).status).toBe(410);
  });
});
