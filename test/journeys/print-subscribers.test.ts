import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admitPrintSubscribers, holdingAt, listGrants } from '#entitlements';
import { createLogger } from '#platform/log';
import { COMMANDS } from '../../src/main/commands.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { scratchFolder } from '../scratch-folder.ts';

/** Rights that nobody bought here. */
let paper: TestPaper;
beforeAll(async () => {
  paper = await testPaper('2026-11-23T06:30:00Z');
});
afterAll(() => paper.end());

async function command(name: string, args: string[], options: Record<string, string> = {}) {
  const context = { paper, clock: paper.clock, log: createLogger('silent'), args, options };
  const found = COMMANDS.find((one) => one.name === name);
  return (await found?.run(context as never)) as { json: Record<string, unknown>; text: string };
}

const create = async (email: string) => (await paper.readers.create(email, 'correct horse battery')).id;
const sourcesOf = async (id: string) => {
  const grants = await listGrants(paper.database.db, id);
  return holdingAt(grants, paper.clock.now()).benefits.has('premium')
    ? [...new Set(grants.filter(({ revokedAt }) => revokedAt === undefined).map(({ source }) => source))]
    : [];
};

describe('a list of print subscribers', () => {
  it('lets in who has proven the address, also later, and ends what it gave when it says so', async () => {
    const folder = await scratchFolder('print-');
    const file = join(folder, 'print.csv');
    const write = (rows: string) => writeFile(file, `\ufeffNumber, Email ,until\r\n${rows}`);
    const asha = await create('asha@print.example');
    await write(
      '1001,ASHA@print.example,2027-03-31\r\n1002,later@print.example,2027-01-01\r\n,x@y.example,2027-01-01\r\n1003,nobody,2027-01-01\r\n1004,a@b.example,soon\r\n',
    );
    const first = await command('grant import', ['print', file]);
    expect(first.json).toMatchObject({ created: 2, updated: 0, unchanged: 0, admitted: 1 });
    expect(first.json.refused).toEqual([
      { at: 4, reason: 'number is missing or too long' },
      { at: 5, reason: 'nobody is no e-mail address' },
      { at: 6, reason: 'soon is no day such as 2027-03-31' },
    ]);
    expect(await sourcesOf(asha)).toEqual(['print']);
    expect((await command('grant import', ['print', file])).json).toMatchObject({
      created: 0,
      updated: 0,
      unchanged: 2,
      admitted: 0,
    });
    const later = await create('later@print.example');
    expect(await sourcesOf(later)).toEqual([]);
    await admitPrintSubscribers(paper.database.db, 'Asia/Kolkata', paper.clock.now());
    expect(await sourcesOf(later)).toEqual(['print']);
    // It was ended there: the day is in the past.
    await write('1001,asha@print.example,2026-11-01\r\n');
    expect((await command('grant import', ['print', file])).json).toMatchObject({ updated: 1, admitted: 0 });
    expect([await sourcesOf(asha), await sourcesOf(later)]).toEqual([[], ['print']]);
    paper.clock.set('2027-01-01T06:00:00Z');
    expect(await sourcesOf(later)).toEqual([]);
  });
});

describe('what the paper gives', () => {
  it('is read by until its day or until it is taken back, with a reason that is kept', async () => {
    const email = 'critic@post.example';
    const id = await create(email);
    await command('grant give', [email], { until: '2027-12-31', reason: 'writes about us' });
    expect(await sourcesOf(id)).toEqual(['staff']);
    await command('grant revoke', [email], { reason: 'not any more' });
    expect(await sourcesOf(id)).toEqual([]);
    await expect(command('grant revoke', [email], { reason: 'again' })).rejects.toMatchObject({
      code: 'no-grant',
    });
    await expect(
      command('grant give', [email], { until: '2020-01-01', reason: 'too late' }),
    ).rejects.toMatchObject({ code: 'bad-day' });
    const actions = await paper.staff.actions({ on: { kind: 'reader', id }, limit: 10 });
    expect(actions.map(({ reason, what }) => [what, reason])).toEqual([
      ['grant-revocation', 'not any more'],
      ['grant', 'writes about us'],
    ]);
  });
});
