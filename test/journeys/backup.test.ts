import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addPicture } from '#media';
import { createLogger } from '#platform/log';
import { migrate } from '#platform/migrate';
import { folderStore } from '#platform/object-store';
import { prepareQueue } from '#platform/queue';
import { COMMANDS } from '../../src/main/commands.ts';
import { HOME } from '../../src/main/compose.ts';
import { ask, dropEmptyDatabases, emptyDatabase, everything, openRestored, runBackup } from '../backups.ts';
import { storeStories, storyInput } from '../builders.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { beginOrder, pay, settle, signedInBrowser } from '../shop.ts';

/** Everything in one file, and back: while the paper runs, whole or not at all. */
let paper: TestPaper;
let folder: string;
beforeAll(async () => {
  paper = await testPaper();
  folder = await mkdtemp(join(tmpdir(), 'broadsheet-backup-'));
  const jpeg = await sharp({ create: { width: 60, height: 40, channels: 3, background: '#246' } })
    .jpeg()
    .toBuffer();
  const objects = folderStore(join(folder, 'here'));
  const { id: pictureId } = await addPicture({ db: paper.database.db, objects }, jpeg, paper.clock.now());
  const picture = { pictureId, alt: 'A\tferry\\n', caption: 'नाव', credit: '' };
  await storeStories(paper.database.db, [
    storyInput({ picture }),
    storyInput({ access: 'premium' }),
    storyInput({ state: 'draft' }),
  ]);
  const reader = await signedInBrowser(paper, 'asha@post.example');
  await pay(paper, await beginOrder(reader));
  await settle(paper);
});
afterAll(async () => {
  await dropEmptyDatabases();
  await paper.end();
  await rm(folder, { recursive: true, force: true });
});

const here = (passphrase?: string) => ({
  url: paper.url,
  data: 'here',
  ...(passphrase ? { passphrase } : {}),
});

const run = (name: 'backup' | 'restore', file: string, at: Place, options: Record<string, boolean> = {}) =>
  runBackup(name, { ...at, file: join(folder, file), data: join(folder, at.data) }, options);
type Place = { url: string; data: string; passphrase?: string };

const schemasLeft = async ({ url }: { url: string }) =>
  (await ask(url, `select nspname from pg_namespace where nspname in ('content', 'readers', 'platform')`))
    .rowCount;

describe('a back-up', () => {
  it('that is restored elsewhere is everything: rows, counters, pictures and the secret', async () => {
    await writeFile(join(folder, 'here', 'secret'), 'a secret that was made here\n');
    const made = await run('backup', 'plain.backup', here(), { check: true });
    expect(made).toMatchObject({
      stories: 3,
      readers: 1,
      pictures: 1,
      pictures_missing: [],
      encrypted: false,
      checked: true,
    });
    const there = await emptyDatabase();
    expect(await run('restore', 'plain.backup', { url: there.url, data: 'there' })).toMatchObject({
      stories: 3,
      restored: true,
    });
    expect(await everything(there.url)).toEqual(await everything(paper.url));
    expect(await readFile(join(folder, 'there', 'secret'), 'utf8')).toBe('a secret that was made here\n');
    const [id = ''] = await readdir(join(folder, 'there', 'media'));
    expect(await readFile(join(folder, 'there', 'media', id, 'original'))).toEqual(
      await readFile(join(folder, 'here', 'media', id, 'original')),
    );
    // Whoever doubts it can have it proven.
    const restored = await openRestored(there.url, join(folder, 'there'), paper.clock);
    for (const name of ['ledger check', 'leak-check']) {
      const context = { paper: restored, clock: paper.clock, args: [], options: {} };
      const told = await COMMANDS.find((one) => one.name === name)?.run(context as never);
      expect([name, told?.failure]).toEqual([name, undefined]);
    }
    await restored.close();
    // The check leaves nothing behind.
    const { rows } = await paper.database.pool.query(
      `select from pg_database where datname like 'broadsheet_check%'`,
    );
    expect(rows).toEqual([]);
  });

  it('with a passphrase can be read with it alone', async () => {
    const passphrase = 'a quiet evening on the quay';
    await run('backup', 'sealed.backup', here(passphrase), { check: true });
    const bytes = await readFile(join(folder, 'sealed.backup'));
    expect(bytes.toString('latin1', 0, 21)).toBe('age-encryption.org/v1');
    expect(bytes.includes('asha@post.example')).toBe(false);
    const there = await emptyDatabase();
    const at = { url: there.url, data: 'sealed' };
    await expect(run('restore', 'sealed.backup', at)).rejects.toMatchObject({ code: 'needs-passphrase' });
    await expect(
      run('restore', 'sealed.backup', { ...at, passphrase: 'another evening there' }),
    ).rejects.toMatchObject({ code: 'wrong-passphrase' });
    expect(await schemasLeft(there)).toBe(0);
    await run('restore', 'sealed.backup', { ...at, passphrase });
    expect(await everything(there.url)).toEqual(await everything(paper.url));
  });

  it('is of one moment, however much is written meanwhile', async () => {
    let stop = false;
    const writing = (async () => {
      for (let at = 0; !stop; at++)
        await storeStories(paper.database.db, [
          storyInput({ sourceId: `busy-${at}`, topics: [{ slug: `t${at}`, name: `T${at}` }] }),
        ]);
    })();
    for (let round = 0; round < 3; round++) await run('backup', 'busy.backup', here(), { check: true });
    stop = true;
    await writing;
    const there = await emptyDatabase();
    await run('restore', 'busy.backup', { url: there.url, data: 'busy' });
    const { rows } = await ask(
      there.url,
      `
      select count(*) filter (where r.story_id is null) as without from content.stories s
      left join content.bodies r on r.story_id = s.id and r.revision = s.revision`,
    );
    expect(rows[0].without).toBe('0');
    await paper.database.pool.query(`delete from content.stories where source_id like 'busy%'`);
  });

  it('of an older version is brought up to date, and one of a newer is refused', async () => {
    const old = await emptyDatabase();
    await migrate(old.url, join(HOME, 'migrations'), createLogger('silent'), '0011-old-addresses.sql');
    await prepareQueue(old.url, createLogger('silent'));
    await ask(old.url, `insert into content.sections (slug, name, position) values ('ports', 'Ports', 1)`);
    await run('backup', 'old.backup', { url: old.url, data: 'old' });
    const there = await emptyDatabase();
    await run('restore', 'old.backup', { url: there.url, data: 'old' });
    const { rows } = await ask(there.url, 'select slug, hidden from content.sections');
    expect(rows).toEqual([{ slug: 'ports', hidden: false }]);
    await ask(old.url, `insert into platform.migrations (name, digest) values ('9998-later.sql', 'x')`);
    await run('backup', 'newer.backup', { url: old.url, data: 'old' });
    await expect(
      run('restore', 'newer.backup', { url: (await emptyDatabase()).url, data: 'newer' }),
    ).rejects.toMatchObject({ code: 'newer-backup' });
  });
});

describe('a restore', () => {
  it('of a file that is cut, changed or something else says so, and leaves nothing', async () => {
    await run('backup', 'whole.backup', here());
    const whole = await readFile(join(folder, 'whole.backup'));
    const changed = Buffer.from(whole);
    changed[Math.floor(whole.length / 2)] = (changed[Math.floor(whole.length / 2)] ?? 0) ^ 1;
    await run('backup', 'sealed2.backup', here('a quiet evening on the quay'));
    const sealed = await readFile(join(folder, 'sealed2.backup'));
    for (const [bytes, code] of [
      [whole.subarray(0, whole.length - 100), 'broken-file'],
      [whole.subarray(0, 3_000), 'broken-file'],
      [changed, 'broken-file'],
      [sealed.subarray(0, sealed.length - 100), 'broken-file'],
      [Buffer.from('hello'), 'wrong-file'],
      [Buffer.alloc(0), 'wrong-file'],
    ] as const) {
      const there = await emptyDatabase();
      await writeFile(join(folder, 'bad.backup'), bytes);
      await expect(
        run('restore', 'bad.backup', {
          url: there.url,
          data: 'bad',
          passphrase: 'a quiet evening on the quay',
        }),
      ).rejects.toMatchObject({ code });
      expect(await schemasLeft(there)).toBe(0);
    }
    await expect(run('restore', 'none.backup', { url: paper.url, data: 'bad' })).rejects.toMatchObject({
      code: 'no-such-file',
    });
  });

  it('writes over nothing by a slip, and nowhere where a paper runs', async () => {
    await run('backup', 'again.backup', here());
    await expect(run('restore', 'again.backup', here(), { replace: true })).rejects.toMatchObject({
      code: 'paper-runs',
    });
    const there = await emptyDatabase();
    await run('restore', 'again.backup', { url: there.url, data: 'again' });
    await expect(run('restore', 'again.backup', { url: there.url, data: 'again' })).rejects.toMatchObject({
      code: 'not-empty',
    });
    await run('restore', 'again.backup', { url: there.url, data: 'again' }, { replace: true });
  });

  it('tells which pictures the store had not, when the back-up was made', async () => {
    const made = await run('backup', 'poor.backup', { url: paper.url, data: 'nowhere' });
    expect(made).toMatchObject({
      pictures: 0,
      pictures_missing: [expect.stringMatching(/^media\/.*\/original$/)],
    });
  });
});
