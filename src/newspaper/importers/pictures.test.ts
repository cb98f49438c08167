import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { elementsSchema, type StoryElement } from '#content';
import { folderStore, type ObjectStore } from '#platform/object-store';
import { type TestDatabase, testDatabase } from '../../../test/db.ts';
import type { ImportReport } from './import-run.ts';
import { importWxr } from './import-wxr.ts';
import { type PicturePlace, pictureFolder, pictureSite } from './picture-places.ts';

const OPTIONS = {
  settings: { zone: 'Asia/Kolkata', language: 'en-IN', defaultAccess: 'metered' },
  now: Temporal.Instant.from('2026-11-23T06:00:00Z'),
} as const;

let database: TestDatabase;
let folder: string;
let objects: ObjectStore;
let photo: Buffer;
const servers: Server[] = [];
const places: PicturePlace[] = [];
beforeAll(async () => {
  database = await testDatabase();
  folder = await mkdtemp(join(tmpdir(), 'broadsheet-pictures-'));
  objects = folderStore(join(folder, 'kept'));
  photo = await jpeg('#246');
});
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await database.pool.query('truncate content.stories, media.pictures, media.attachments cascade');
  await rm(join(folder, 'uploads'), { recursive: true, force: true });
});
afterEach(async () => {
  for (const place of places.splice(0)) place.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

const jpeg = (background: string, width = 60) =>
  sharp({ create: { width, height: 40, channels: 3, background } })
    .jpeg()
    .toBuffer();

/** An export of a site with one post and what its library says. */
function site(body: string, { attachments = '', meta = '', url = 'https://old.example' } = {}): string {
  return `<?xml version="1.0"?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
  xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:wp="http://wordpress.org/export/1.2/"><channel>
<wp:base_blog_url>${url}</wp:base_blog_url>
<item><title>Ferry</title><link>${url}/ferry/</link><wp:post_id>47</wp:post_id><wp:post_type>post</wp:post_type>
<wp:post_date_gmt>2019-01-05 10:00:00</wp:post_date_gmt><wp:status>publish</wp:status>${meta}
<content:encoded><![CDATA[<p>The harbour board said so.</p>${body}]]></content:encoded></item>
${attachments}</channel></rss>`;
}

const attachment = (id: number, address: string, more = '') => `<item><title>IMG ${id}</title>
<link>https://old.example/ferry/img-${id}/</link><wp:post_id>${id}</wp:post_id><wp:post_type>attachment</wp:post_type>
<wp:status>inherit</wp:status><wp:post_parent>47</wp:post_parent>
<wp:attachment_url>${address}</wp:attachment_url>${more}</item>`;

const meta = (key: string, value: string) =>
  `<wp:postmeta><wp:meta_key>${key}</wp:meta_key><wp:meta_value><![CDATA[${value}]]></wp:meta_value></wp:postmeta>`;

const UPLOADS = 'https://old.example/wp-content/uploads';

async function importOf(text: string, pictures?: PicturePlace, dryRun = false): Promise<ImportReport> {
  const path = join(folder, 'export.xml');
  await writeFile(path, text);
  return importWxr(database.db, [path], { ...OPTIONS, objects, dryRun, ...(pictures ? { pictures } : {}) });
}

/** Files of the old site, by their paths under the folder of uploads. */
async function uploads(files: Record<string, Buffer | string>): Promise<PicturePlace> {
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(folder, 'uploads', name);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, bytes);
  }
  await mkdir(join(folder, 'uploads'), { recursive: true });
  return pictureFolder(join(folder, 'uploads'));
}

/** The old site, answering on this machine. */
async function served(
  answer: RequestListener,
  options: { lookup?: LookupFunction; patienceMs?: number } = {},
): Promise<PicturePlace> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const place = pictureSite(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, options);
  places.push(place);
  return place;
}

type Story = { lead: Record<string, string> | null; body: StoryElement[]; revision: number; left: boolean };

async function story(): Promise<Story> {
  const { rows } = await database.pool.query(`
    select r.picture as lead, b.elements as body, s.revision, s.pictures_elsewhere as left from content.stories s
    join content.revisions r on r.story_id = s.id and r.number = s.revision
    join content.bodies b on b.story_id = s.id and b.revision = s.revision`);
  return { ...rows[0], body: elementsSchema.parse(rows[0].body) };
}

/** How wide the original of each picture in a story is: a picture that is not here has its address. */
async function shown(): Promise<(number | string)[]> {
  const { body, lead } = await story();
  const pictures = [lead, ...body.filter((one) => one.kind === 'picture')].filter((one) => one !== null);
  return Promise.all(
    pictures.map(async (one) => {
      if (one.pictureId === undefined) return one.url ?? '';
      const kept = await objects.get(`media/${one.pictureId}/original`);
      return (await sharp(kept).metadata()).width;
    }),
  );
}

const img = (src: string) => `<img src="${src}" alt="A ferry" />`;

describe('pictures of an archive', () => {
  it('stay links where nobody says where they are, and come when somebody does', async () => {
    const text = site(img(`${UPLOADS}/2019/01/a.jpg`), { meta: meta('_thumbnail_id', '12') });
    const library = attachment(
      12,
      `${UPLOADS}/2019/01/lead.jpg`,
      meta('_wp_attachment_image_alt', 'The pier'),
    );
    const whole = text.replace('</channel>', `${library}</channel>`);
    await importOf(whole);
    expect(await shown()).toEqual(['https://old.example/?attachment_id=12', `${UPLOADS}/2019/01/a.jpg`]);

    const place = await uploads({ '2019/01/a.jpg': photo, '2019/01/lead.jpg': await jpeg('#642', 90) });
    const { pictures, skipped } = await importOf(whole, place);
    expect([skipped, pictures]).toEqual([1, { added: 2, stories: 1, elsewhere: 0, refused: [] }]);
    expect(await shown()).toEqual([90, 60]);
    const { body, lead, left } = await story();
    expect([lead?.alt, left]).toEqual(['The pier', false]);
    expect(body.find((one) => one.kind === 'picture')).toMatchObject({ alt: 'A ferry', caption: '' });

    expect((await importOf(whole, place)).pictures).toEqual({
      added: 0,
      stories: 0,
      elsewhere: 0,
      refused: [],
    });
  });

  it.each([
    ['opens the body too stands once, with the words below it', '<HERE><p>One.</p>', [60], 'The new quay'],
    ['comes again further down stands there too', '<p>One.</p><HERE>', [60, 60], 'The pier'],
    ['is all that there is of the body stays in it', '<HERE>', [60, 60], 'The pier'],
  ])('of which the lead %s', async (_, body, widths, caption) => {
    const figure = `<figure>${img(`${UPLOADS}/lead-300x200.jpg`)}<figcaption>The new quay</figcaption></figure>`;
    const words = '<excerpt:encoded><![CDATA[The pier]]></excerpt:encoded>';
    const text = site(body.replace('<HERE>', figure), {
      meta: meta('_thumbnail_id', '12'),
      attachments: attachment(12, `${UPLOADS}/lead.jpg`, words),
    }).replace('<p>The harbour board said so.</p>', '');
    await importOf(text, await uploads({ 'lead.jpg': photo }));
    expect(await shown()).toEqual(widths);
    expect((await story()).lead?.caption).toBe(caption);
  });

  it('are not lost again when a newer export changes the text, and not fetched twice', async () => {
    const text = site(img(`${UPLOADS}/a.jpg`));
    await importOf(text, await uploads({ 'a.jpg': photo }));
    const { pictures, updated } = await importOf(text.replace('said so', 'said no'));
    expect([updated, pictures.added, pictures.stories]).toEqual([1, 0, 1]);
    expect(await shown()).toEqual([60]);
  });

  it('come as they were before the site made them smaller, wherever it put those', async () => {
    const bodies = [
      `${UPLOADS}/2019/01/a-300x200.jpg`,
      'https://i0.wp.com/old.example/wp-content/uploads/2019/01/a.jpg?resize=300%2C200',
      `${UPLOADS}/2019/01/only-150x150.jpg?ssl=1`,
    ];
    const { pictures } = await importOf(
      site(bodies.map(img).join('')),
      await uploads({ '2019/01/a.jpg': photo, '2019/01/only-150x150.jpg': await jpeg('#fff', 30) }),
    );
    expect(pictures.refused).toEqual([]);
    expect(await shown()).toEqual([60, 60, 30]);
    expect((await database.pool.query('select from media.pictures')).rowCount).toBe(2);
  });

  it('of a gallery stand where it stood, in its order, with the words of the library', async () => {
    const attachments = [
      attachment(12, `${UPLOADS}/b.jpg`, '<wp:menu_order>2</wp:menu_order>'),
      attachment(
        13,
        `${UPLOADS}/a.jpg`,
        `<wp:menu_order>1</wp:menu_order><excerpt:encoded><![CDATA[First <i>boat</i>]]></excerpt:encoded>${meta('_media_credit', 'R. Rao')}`,
      ),
      attachment(14, `${UPLOADS}/report.pdf`),
    ].join('');
    const files = await uploads({ 'a.jpg': photo, 'b.jpg': await jpeg('#642', 90) });
    await importOf(site('[gallery]<p>And more.</p>', { attachments }), files);
    expect(await shown()).toEqual([60, 90]);
    const kinds = (await story()).body.map((one) => one.kind);
    expect(kinds).toEqual(['paragraph', 'picture', 'picture', 'paragraph']);
    expect((await story()).body[1]).toMatchObject({ caption: 'First boat', credit: 'R. Rao' });

    await database.pool.query('truncate content.stories cascade');
    await importOf(site('[gallery ids="12,13"]', { attachments }), files);
    expect(await shown()).toEqual([90, 60]);
  });

  it('of a gallery that are not to be had yet stand among the others as links', async () => {
    const attachments = attachment(12, `${UPLOADS}/a.jpg`) + attachment(13, `${UPLOADS}/b.jpg`);
    const text = site('[gallery ids="12,13"][gallery]', { attachments });
    await importOf(text, await uploads({ 'a.jpg': photo }));
    const link = 'https://old.example/?attachment_id=13';
    expect(await shown()).toEqual([60, link, 60, link]);
    await importOf(text, await uploads({ 'b.jpg': await jpeg('#642', 90) }));
    expect(await shown()).toEqual([60, 90, 60, 90]);
  });
});

describe('a dry run', () => {
  const NONE = { shown: 0, here: 0, found: 0, toAsk: 0, links: 0, missing: 0, missingFirst: [] };
  const ahead = async (text: string, place?: PicturePlace) =>
    (await importOf(text, place, true)).picturesAhead;
  const body = [
    img(`${UPLOADS}/a-300x200.jpg`),
    img(`${UPLOADS}/a.jpg`),
    img(`${UPLOADS}/gone.jpg`),
    img('https://other.example/b.jpg'),
    '[gallery]',
  ].join('');
  const library = {
    meta: meta('_thumbnail_id', '12'),
    attachments: [
      attachment(12, `${UPLOADS}/lead.jpg`),
      attachment(13, `${UPLOADS}/gone-too.jpg`),
      // Of another story, which is not in this archive.
      attachment(14, `${UPLOADS}/unseen.jpg`).replace('<wp:post_parent>47', '<wp:post_parent>48'),
    ].join(''),
  };

  it('says which pictures of its stories the folder has, and names those that it has not', async () => {
    const place = await uploads({ 'a.jpg': photo, 'lead.jpg': await jpeg('#642') });
    const told = await ahead(site(body, library), place);
    const reason = 'it is not in the folder of pictures';
    expect(told?.missingFirst.toSorted((a, b) => a.at.localeCompare(b.at))).toEqual([
      { at: 'https://old.example/wp-content/uploads/gone-too.jpg', reason },
      { at: 'https://old.example/wp-content/uploads/gone.jpg', reason },
      { at: 'https://other.example/b.jpg', reason },
    ]);
    expect(told).toMatchObject({ shown: 5, found: 2, missing: 3 });
    expect((await database.pool.query('select from media.attachments')).rowCount).toBe(0);

    // As it then comes to pass.
    const { pictures } = await importOf(site(body, library), place);
    expect([pictures.added, pictures.refused.length]).toEqual([2, 3]);
    expect(await ahead(site(body, library), place)).toMatchObject({ shown: 5, here: 2, missing: 3 });
  });

  it('knows what the library of an archive that came before says', async () => {
    await importOf(site('', { attachments: library.attachments }));
    const place = await uploads({ 'a.jpg': photo });
    expect(await ahead(site(body, { meta: library.meta }), place)).toMatchObject({
      shown: 5,
      found: 1,
      missing: 4,
    });
  });

  it('asks an old site for nothing, and says how many it would ask for', async () => {
    let heard = 0;
    const place = await served((_request, response) => {
      heard++;
      response.end(photo);
    });
    expect(await ahead(site(body, library), place)).toEqual({ ...NONE, shown: 5, toAsk: 4, links: 1 });
    expect(heard).toBe(0);
  });

  it('says that they stay links where nobody says where they are', async () => {
    expect(await ahead(site(body, library))).toEqual({ ...NONE, shown: 5, links: 5 });
    expect(await ahead(site(''))).toEqual(NONE);
  });

  it('names the first of very many that are missing, and counts the rest', async () => {
    const many = Array.from({ length: 1_200 }, (_, at) => img(`${UPLOADS}/${at}/x.jpg`)).join('');
    const told = await ahead(site(many), await uploads({ '7/x.jpg': photo }));
    expect([told?.shown, told?.found, told?.missing, told?.missingFirst.length]).toEqual([
      1_200, 1, 1_199, 50,
    ]);
  });
});

describe('a picture that must not come in', () => {
  /** A few hundred bytes that unpack to almost a thousand million pixels. */
  function bomb(): Buffer {
    const chunk = (type: string, data: Buffer) => {
      const body = Buffer.concat([Buffer.from(type), data]);
      const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
      length.writeUInt32BE(data.length);
      sum.writeUInt32BE(crc32(body));
      return Buffer.concat([length, body, sum]);
    };
    const header = Buffer.alloc(13);
    header.writeUInt32BE(30_000, 0);
    header.writeUInt32BE(30_000, 4);
    header[8] = 1;
    const rows = deflateSync(Buffer.alloc((30_000 / 8 + 1) * 30_000));
    const png = Buffer.from('89504e470d0a1a0a', 'hex');
    return Buffer.concat([png, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))]);
  }

  it('is refused alone, with the reason, and the rest arrives', async () => {
    const files: Record<string, Buffer | string> = {
      'script.jpg': '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
      'page.jpg': '<!doctype html><script>alert(1)</script>',
      'bomb.png': bomb(),
      'cut.jpg': (await jpeg('#a83', 4_000)).subarray(0, 1_000),
      'empty.jpg': '',
      'words.gif': 'GIF89a and then some words',
      'good.jpg': photo,
    };
    const body = Object.keys(files).map((name) => img(`${UPLOADS}/${name}`));
    const { created, pictures } = await importOf(site(body.join('')), await uploads(files));
    expect([created, pictures.added]).toEqual([1, 1]);
    expect(
      Object.fromEntries(pictures.refused.map(({ at, reason }) => [at.slice(UPLOADS.length + 1), reason])),
    ).toEqual({
      'script.jpg': 'it is not a picture that can be shown, but a drawing that may hold a program (SVG)',
      'page.jpg': 'it is not a picture that can be shown, but a page of text',
      'bomb.png': 'a picture may have at most 64 million pixels',
      'cut.jpg': 'it is not a picture that can be read',
      'empty.jpg': 'it is not a picture that can be shown, but an empty file',
      'words.gif': 'it is not a picture that can be read',
    });
    expect((await story()).left).toBe(true);
  });

  it('is told of alone where its file cannot be read', async () => {
    // Of the few files that even an administrator cannot read.
    const place = await pictureFolder('/proc/self');
    const wanted = { addresses: ['https://old.example/mem'], isOfLibrary: true, host: undefined };
    await expect(place.read(wanted)).rejects.toMatchObject({ code: 'unreadable-picture' });
  });

  it('is none that lies outside of the folder, whatever leads there', async () => {
    await writeFile(join(folder, 'secret.jpg'), photo);
    const place = await uploads({ 'good.jpg': photo });
    await symlink(join(folder, 'secret.jpg'), join(folder, 'uploads', 'linked.jpg'));
    await symlink(folder, join(folder, 'uploads', 'up'));
    spawnSync('mkfifo', [join(folder, 'uploads', 'pipe.jpg')]);
    const ways = [
      'linked.jpg',
      'pipe.jpg',
      'up/secret.jpg',
      '..%2fsecret.jpg',
      '%2e%2e%2fsecret.jpg',
      '..%5csecret.jpg',
      'a%00.jpg',
    ];
    const { pictures } = await importOf(site(ways.map((way) => img(`${UPLOADS}/${way}`)).join('')), place);
    expect([pictures.added, pictures.refused.length]).toEqual([0, ways.length]);
    expect(new Set(pictures.refused.map(({ reason }) => reason))).toEqual(
      new Set(['it is not in the folder of pictures']),
    );
  });
});

describe('an old site that is asked for its pictures', () => {
  it('gives its own and those of its library; those of other sites stay links', async () => {
    const asked: string[] = [];
    const place = await served((request, response) => {
      asked.push(request.url ?? '');
      if (request.url === '/wp-content/uploads/gone.jpg') response.writeHead(404).end();
      else if (request.url?.startsWith('/moved'))
        response.writeHead(301, { location: '/wp-content/a.jpg' }).end();
      else response.end(photo);
    });
    const body = [
      `${UPLOADS}/a-300x200.jpg`,
      'https://www.old.example/moved.jpg',
      `${UPLOADS}/gone.jpg`,
      'https://other.example/b.jpg',
    ];
    const { pictures } = await importOf(site(body.map(img).join('')), place);
    expect(asked.sort()).toEqual([
      '/moved.jpg',
      '/wp-content/a.jpg',
      '/wp-content/uploads/a.jpg',
      '/wp-content/uploads/gone.jpg',
    ]);
    expect(pictures).toEqual({
      added: 1,
      stories: 1,
      elsewhere: 1,
      refused: [{ at: `${UPLOADS}/gone.jpg`, reason: 'it is not there any more' }],
    });
    expect(await shown()).toEqual([60, 60, `${UPLOADS}/gone.jpg`, 'https://other.example/b.jpg']);
  });

  const LEADS = 'it leads into a private network';
  it.each([
    ['this machine', 'http://localhost/a.jpg', LEADS],
    ['this machine by number', 'http://127.0.0.1/a.jpg', LEADS],
    ['this machine, as IPv6', 'http://[::1]/a.jpg', LEADS],
    ['this machine, as IPv4 in IPv6', 'http://[::ffff:127.0.0.1]/a.jpg', LEADS],
    ['this machine, in another spelling', 'http://2130706433/a.jpg', LEADS],
    ['nowhere', 'http://0.0.0.0/a.jpg', LEADS],
    ['a private network', 'http://10.0.0.8/a.jpg', LEADS],
    ['a private network of IPv6', 'http://[fd00::8]/a.jpg', LEADS],
    ['what a cloud tells its machines', 'http://169.254.169.254/latest/meta-data', LEADS],
    ['another service', 'https://old.example:6379/a.jpg', 'it leads to an address with a port or a password'],
    ['somebody', 'https://me:secret@old.example/a.jpg', 'it leads to an address with a port or a password'],
    ['a file', 'file:///etc/passwd', 'it leads to an address that begins with file:'],
    ['itself', '/wp-content/uploads/a.jpg', 'it leads on more than 5 times'],
  ])('does not lead to %s', async (_, location, reason) => {
    const place = await served((_request, response) => response.writeHead(302, { location }).end());
    const { created, pictures } = await importOf(site(img(`${UPLOADS}/a.jpg`)), place);
    expect([created, pictures.refused]).toEqual([1, [{ at: `${UPLOADS}/a.jpg`, reason }]]);
  });

  it('is looked up once for each connection, which is made to the address that was looked at', async () => {
    // A nameserver that would say something else the next time is not asked a next time.
    const asked: string[] = [];
    const lookup: LookupFunction = (name, options, done) => {
      asked.push(name);
      const address = asked.length % 2 === 1 ? '127.0.0.1' : '10.0.0.8';
      if (options.all) done(null, [{ address, family: 4 }]);
      else done(null, address, 4);
    };
    let heard = 0;
    const place = await served(
      (_request, response) => {
        heard++;
        response.end(photo);
      },
      { lookup },
    );
    const attachments = [12, 13, 14].map((id) => attachment(id, `http://cdn${id}.example/a.jpg`)).join('');
    const { pictures } = await importOf(site('[gallery]', { attachments }), place);
    expect(pictures.refused.map(({ reason }) => reason)).toEqual([LEADS, LEADS, LEADS]);
    expect([asked.sort(), heard]).toEqual([['cdn12.example', 'cdn13.example', 'cdn14.example'], 0]);
  });

  it('sends no more than a picture may have', async () => {
    const place = await served((request, response) => {
      if (request.url?.endsWith('told.jpg')) response.setHeader('content-length', 50_000_000);
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(1_000_000)));
        response.once('drain', more);
      };
      more();
    });
    const body = img(`${UPLOADS}/told.jpg`) + img(`${UPLOADS}/untold.jpg`);
    const { pictures } = await importOf(site(body), place);
    expect(pictures.refused.map(({ reason }) => reason)).toEqual([
      'it is larger than 40 MB',
      'it is larger than 40 MB',
    ]);
  });

  it('that drips for ever is given up, and left alone for the rest of the run', async () => {
    let heard = 0;
    const place = await served(
      (_request, response) => {
        heard++;
        response.writeHead(200);
        const dripping = setInterval(() => response.write('x'), 5);
        response.on('close', () => clearInterval(dripping));
      },
      { patienceMs: 50 },
    );
    const body = Array.from({ length: 30 }, (_, at) => img(`${UPLOADS}/${at}.jpg`)).join('');
    const { created, pictures } = await importOf(site(body), place);
    expect([created, pictures.refused.length]).toEqual([1, 30]);
    expect(pictures.refused[0]?.reason).toBe('it did not arrive within 0.05 s');
    const left = pictures.refused.filter(({ reason }) => reason.startsWith('its site is too slow'));
    expect(left.length).toBe(30 - heard);
    // Those that were under way when it was given up are not broken off.
    expect(heard).toBeLessThan(12);
  });
});
