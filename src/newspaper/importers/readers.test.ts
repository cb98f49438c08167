import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BENEFITS, listGrants } from '#entitlements';
import { type TestDatabase, testDatabase } from '../../../test/db.ts';
import { importReaders, type ReadersReport } from './import-readers.ts';
import type { DateOrder } from './list-dates.ts';

const NOW = Temporal.Instant.from('2026-11-23T06:00:00Z');
const PLANS = [
  { slug: 'yearly', name: 'One year', benefits: BENEFITS },
  { slug: 'monthly', name: 'One month', benefits: BENEFITS },
];

let database: TestDatabase;
let folder: string;
beforeAll(async () => {
  database = await testDatabase();
  folder = await mkdtemp(join(tmpdir(), 'broadsheet-readers-'));
});
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await database.pool.query('truncate readers.readers cascade');
  await database.pool.query('truncate entitlements.grants, mail.mails');
});

async function run(
  text: string | Buffer,
  more: { now?: Temporal.Instant; dryRun?: boolean; order?: DateOrder } = {},
): Promise<ReadersReport> {
  const path = join(folder, 'readers.csv');
  await writeFile(path, text);
  return importReaders(database.db, [path], {
    source: 'old shop',
    zone: 'Asia/Kolkata',
    plans: PLANS,
    now: NOW,
    ...more,
  });
}

async function readers() {
  const { rows } = await database.pool.query(`
    select r.id, r.email, r.name, r.country, r.state, r.email_verified, r.created_at, f.labels, f.newsletters, f.note,
      f.extra, f.source, f.invited_at from readers.readers r join readers.from_elsewhere f on f.reader_id = r.id order by email`);
  return rows;
}

async function rightsOf(email: string) {
  const { rows } = await database.pool.query('select id from readers.readers where email = $1', [email]);
  const grants = await listGrants(database.db, rows[0].id);
  return grants.map(
    (one) => `${one.benefit} ${one.source} until ${one.until}${one.revokedAt ? ' (revoked)' : ''}`,
  );
}

describe('readers from elsewhere', () => {
  it('become accounts with what they have paid for, to the end of its last day in the paper’s zone', async () => {
    const report = await run(
      `Email,Name,Plan,Paid through,Country,State,Labels,Newsletters,Note,Shoe size,Created at
Asha@Example.org,Asha Rao,yearly,2027-03-31,IN,ka,"vip, press",daily;weekly,Likes tea,38,2019-04-01
kabir@example.org,,One month,2026-12-24T10:00:00Z,DE,BE,,,,,
meera@example.org,,,,,,,,,,\n`,
    );
    expect(report).toEqual({
      created: 3,
      updated: 0,
      skipped: 0,
      granted: 2,
      refused: [],
      refusedCount: 0,
      leftOut: {},
      mended: 0,
      columns: {
        Email: 'email',
        Name: 'name',
        Plan: 'plan',
        'Paid through': 'paid through',
        Country: 'country',
        State: 'state',
        Labels: 'labels',
        Newsletters: 'newsletters',
        Note: 'note',
        'Shoe size': 'kept beside the reader, and not used',
        'Created at': 'since',
      },
      examples: [
        { at: 'readers.csv:2', outcome: 'created', reader: 'a…@example.org', until: '2027-03-31T18:30:00Z' },
        { at: 'readers.csv:3', outcome: 'created', reader: 'k…@example.org', until: '2026-12-24T10:00:00Z' },
        { at: 'readers.csv:4', outcome: 'created', reader: 'm…@example.org' },
      ],
      truncated: false,
    });
    expect(await readers()).toMatchObject([
      {
        email: 'asha@example.org',
        name: 'Asha Rao',
        country: 'IN',
        state: 'KA',
        email_verified: true,
        created_at: '2019-03-31 18:30:00+00',
        labels: ['vip', 'press'],
        newsletters: ['daily', 'weekly'],
        note: 'Likes tea',
        extra: { 'Shoe size': '38' },
        source: 'old shop',
        invited_at: null,
      },
      { email: 'kabir@example.org', country: 'DE', state: null },
      { email: 'meera@example.org', labels: [] },
    ]);
    expect((await rightsOf('asha@example.org')).sort()).toEqual(
      BENEFITS.map((one) => `${one} gift until 2027-03-31T18:30:00Z`).sort(),
    );
    expect((await rightsOf('kabir@example.org'))[0]).toContain('until 2026-12-24T10:00:00Z');
    expect(await rightsOf('meera@example.org')).toEqual([]);
    // Nobody is written to.
    expect((await database.pool.query('select from mail.mails')).rowCount).toBe(0);
  });

  it('are the members of Ghost, with their labels, and the complimentary ones may read without an end', async () => {
    const report = await run(
      `id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers
1,a@example.org,A,,true,true,,2021-01-01T00:00:00.000Z,,"vip,press",
2,b@example.org,B,hello,false,,cus_1,2021-01-01T00:00:00.000Z,,,Gold
3,c@example.org,C,,true,,,2021-01-01T00:00:00.000Z,2022-01-01T00:00:00.000Z,,\n`,
    );
    expect(report).toMatchObject({ created: 2, granted: 1, refused: [] });
    expect(report.leftOut).toEqual({
      'right without an end (it is given)': 1,
      'reader who was deleted there': 1,
      'paid subscription without a date (the account is opened, and may read nothing more)': 1,
    });
    expect(await readers()).toMatchObject([
      { labels: ['vip', 'press'], newsletters: ['default'] },
      { note: 'hello', newsletters: [], extra: { id: '2', stripe_customer_id: 'cus_1', tiers: 'Gold' } },
    ]);
    expect((await rightsOf('a@example.org'))[0]).toContain('gift until 2999-12-31T00:00:00Z');
  });

  it('are not changed by the same list again, and by a newer one as it says', async () => {
    const list = (through: string) => `email;paid_through\na@example.org;${through}\nb@example.org;\n`;
    await run(list('2027-01-01'));
    const later = NOW.add({ hours: 5 });
    expect(await run(list('2027-01-01'), { now: later })).toMatchObject({
      created: 0,
      updated: 0,
      skipped: 2,
    });
    expect(await run(list('2026-12-01'), { now: later })).toMatchObject({
      created: 0,
      updated: 1,
      skipped: 1,
    });
    const rights = await rightsOf('a@example.org');
    expect(rights.filter((one) => !one.includes('revoked'))).toEqual(
      expect.arrayContaining(['reading gift until 2026-12-01T18:30:00Z']),
    );
    expect(rights.filter((one) => one.includes('revoked')).length).toBe(BENEFITS.length);
    // A list without the column takes nothing away.
    expect(await run('email\na@example.org\n', { now: later })).toMatchObject({ skipped: 1 });
    expect((await rightsOf('a@example.org')).filter((one) => !one.includes('revoked')).length).toBe(
      BENEFITS.length,
    );
    // One that says that it has ended, as after a refund, does.
    const ended = { updated: 1, skipped: 1, granted: 0 };
    expect(await run(list('2026-01-01'), { now: later })).toMatchObject(ended);
    expect((await rightsOf('a@example.org')).filter((one) => !one.includes('revoked'))).toEqual([]);
    expect(await run(list('2026-01-01'), { now: later })).toMatchObject({ updated: 0, skipped: 2 });
  });

  it('of whom a column may say until when they have paid, and is not understood, are told of', async () => {
    const { columns, granted } = await run('E-mail address,Renewal\na@example.org,2027-03-31\n');
    expect(granted).toBe(0);
    expect(columns.Renewal).toContain('call it paid_through');
    expect(await run('email,Paid-Through Date\nb@example.org,2027-03-31\n')).toMatchObject({ granted: 1 });
    const expired = 'email,Expiration Date,Subscription Plan\nc@example.org,2027-03-31,yearly\n';
    expect(await run(expired)).toMatchObject({ granted: 1 });
  });

  it('of whom two columns say one thing are read by the first, and not at all where that is a right', async () => {
    const { columns } = await run('email,name,full name\na@example.org,A,Asha\n');
    expect(columns['full name']).toContain('kept beside the reader');
    expect((await readers())[0]).toMatchObject({ name: 'A', extra: { 'full name': 'Asha' } });
    const report = await run('email,expires on,paid until\nb@example.org,,2027-03-31\n');
    expect([report.created, report.truncated, report.refused[0]?.reason]).toEqual([
      0,
      true,
      expect.stringContaining('"expires on" and "paid until" both say "paid through"'),
    ]);
  });

  it('who have it for life may read without an end, however a list says so', async () => {
    const report = await run(
      'email,paid_through\na@example.org,2099-12-31\nb@example.org,2999-12-31T00:00:00Z\n',
    );
    expect(report.leftOut).toEqual({ 'right without an end (it is given)': 2 });
    for (const email of ['a@example.org', 'b@example.org'])
      expect(await rightsOf(email)).toContain('reading gift until 2999-12-31T00:00:00Z');
  });

  it('whose dates are figures are read as the other dates of their list tell, and else as they are said to be', async () => {
    const list = (...dates: string[]) =>
      `email,paid_through\n${dates.map((date, at) => `r${at}@example.org,${date}`).join('\n')}\n`;
    const { columns, refused } = await run(list('04/03/2027', '31/12/2026', '-', '46477'));
    expect([columns.paid_through, refused]).toEqual([
      'paid through; of the figures of a date, the day comes first',
      [],
    ]);
    expect(await rightsOf('r0@example.org')).toContain('reading gift until 2027-03-04T18:30:00Z');
    expect(await rightsOf('r2@example.org')).toEqual([]);
    expect(await rightsOf('r3@example.org')).toContain('reading gift until 2027-03-31T18:30:00Z');
    // With nothing to go by, and where they contradict each other.
    for (const dates of [['04/03/2027'], ['04/03/2027', '31/12/2026', '12/31/2026']]) {
      const report = await run(list(...dates), { dryRun: true });
      expect(report.refused).toEqual([
        { at: 'readers.csv:2', reason: expect.stringContaining('--dates day-first or month-first') },
      ]);
    }
    expect(await run(list('04/03/2027'), { order: 'month-first' })).toMatchObject({ updated: 1 });
    expect(await rightsOf('r0@example.org')).toContain('reading gift until 2027-04-03T18:30:00Z');
  });

  it('of whom nobody can tell since when come all the same, and what the list says of it is kept', async () => {
    const report = await run('email,Joined\na@example.org,the old days\nb@example.org,5 May 2019\n');
    expect(report).toMatchObject({
      created: 2,
      leftOut: { 'since that is no date (it is kept beside the reader)': 1 },
    });
    expect(await readers()).toMatchObject([
      { extra: { 'Joined (as given)': 'the old days' } },
      { extra: {}, created_at: '2019-05-04 18:30:00+00' },
    ]);
  });

  it('with rights that are not simply a plan have just those, until when they say', async () => {
    const rights = 'epaper 2027-03-31T18:30:00Z, reading 2027-06-30T18:30:00Z';
    const list = (said: string) =>
      `email,paid_through,rights\na@example.org,2027-06-30T18:30:00Z,"${said}"\n`;
    await run(list(rights));
    expect((await rightsOf('a@example.org')).sort()).toEqual([
      'epaper gift until 2027-03-31T18:30:00Z',
      'reading gift until 2027-06-30T18:30:00Z',
    ]);
    expect(await run(list(rights))).toMatchObject({ skipped: 1 });
    for (const bad of ['tea 2027-03-31T18:30:00Z', 'epaper', 'epaper 2027-02-31T18:30:00Z'])
      expect((await run(list(bad))).refused[0]?.reason).toContain('rights "');
  });

  it('who have an account already keep it as it is, and are given what they paid for', async () => {
    await run('email,name\na@example.org,Hers\n');
    await database.pool.query(`update readers.readers set name = 'Her own'`);
    expect(await run('email,name,paid_through\na@example.org,Other,2027-01-01\n')).toMatchObject({
      created: 0,
      updated: 1,
    });
    expect((await readers())[0]?.name).toBe('Her own');
  });

  it('are refused one by one, with the line and the reason, and the rest arrives', async () => {
    const report = await run(
      `email,plan,paid_through
no address,,
a@example.org,,
A@example.org,,
b@example.org,weekly,2027-01-01
c@example.org,yearly,
d@example.org,yearly,some day
e@example.org,yearly,2026-02-30
f@example.org,yearly,2027-01-01,and,more
g@example.org,yearly,2020-01-01
"h@example.org",yearly,2027-01-01\n`,
    );
    expect([report.created, report.granted, report.refusedCount]).toEqual([3, 1, 7]);
    expect(report.refused).toEqual([
      { at: 'readers.csv:2', reason: '"no address" is no e-mail address' },
      { at: 'readers.csv:4', reason: 'the address stands already in readers.csv:3' },
      { at: 'readers.csv:5', reason: 'plan "weekly" is not one of yearly, monthly' },
      { at: 'readers.csv:6', reason: 'it has a plan and no paid_through' },
      {
        at: 'readers.csv:7',
        reason: 'paid_through "some day" is not a date such as 2019-01-05 or 2019-01-05T10:00:00+05:30',
      },
      { at: 'readers.csv:8', reason: 'paid_through "2026-02-30" is not a day or time that exists' },
      { at: 'readers.csv:9', reason: 'it has 5 fields, and the header 3' },
    ]);
  });

  it.each([
    ['no column of addresses', 'name,plan\nAsha,yearly\n', 'its first line names no column "email"'],
    [
      'a quotation that never ends',
      `email\na@example.org\n"b@example.org\n${'x'.repeat(300_000)}`,
      'it is not CSV any more',
    ],
    [
      'a cut compression',
      gzipSync(`email\n${'a@example.org\n'.repeat(2_000)}`).subarray(0, 40),
      'the compressed file is cut',
    ],
  ])('of a list that breaks off arrive as far as it goes: %s', async (_, text, reason) => {
    const report = await run(text);
    expect([report.truncated, report.refused.at(-1)?.reason]).toEqual([
      true,
      expect.stringContaining(reason),
    ]);
  });

  it('come with tabs, a byte order mark, Hindi names, line ends of Windows, and gzipped', async () => {
    const text = '\ufeffE-mail\tName\r\na@example.org\tआशा राव\r\n\r\nb@example.org\tB "the" Bee\r\n';
    await run(gzipSync(text));
    expect((await readers()).map((one) => one.name)).toEqual(['आशा राव', 'B "the" Bee']);
  });

  it('come from old spreadsheets, which name what separates fields and write Windows-1252', async () => {
    const head = Buffer.from('sep=;\r\nemail;name;paid_through\r\na@example.org;Ren');
    const report = await run(
      Buffer.concat([head, Buffer.from([0xe9]), Buffer.from(' L;31/03/2027\r\nx;;\r\n')]),
    );
    expect(report).toMatchObject({ created: 1, granted: 1, mended: 1, refused: [{ at: 'readers.csv:4' }] });
    expect((await readers())[0]?.name).toBe('René L');
  });

  it('of a dry run are counted, and nothing is kept', async () => {
    const list = 'email,paid_through\na@example.org,2027-01-01\nb,\n';
    const report = await run(list, { dryRun: true });
    expect(report).toMatchObject({ created: 1, granted: 1, refusedCount: 1 });
    expect(await readers()).toEqual([]);
    expect(await run(list)).toMatchObject({ created: 1 });
  });

  it('are many, in many transactions', async () => {
    const lines = Array.from({ length: 2_300 }, (_, at) => `r${at}@example.org,2027-01-01`);
    expect(await run(`email,paid_through\n${lines.join('\n')}\n`)).toMatchObject({
      created: 2_300,
      granted: 2_300,
    });
    expect((await database.pool.query('select from entitlements.grants')).rowCount).toBe(
      2_300 * BENEFITS.length,
    );
  });
});
