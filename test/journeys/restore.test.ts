import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { addPicture } from '#media';
import { type BackupEntry, readBackupFile, writeBackupFile } from '#platform/backup-file';
import { folderStore } from '#platform/object-store';
import { ask, dropEmptyDatabases, emptyDatabase, everything, openRestored, runBackup } from '../backups.ts';
import { storeStories, storyInput } from '../builders.ts';
import { type TestPaper, testPaper } from '../paper.ts';

/** A restore in the place of a paper that is there: that paper is given up for a whole one alone. */
let folder: string;
let there: { url: string };
let before: unknown;
let paper: TestPaper;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'broadsheet-restore-'));
  paper = await testPaper();
  const jpeg = await sharp({ create: { width: 60, height: 40, channels: 3, background: '#246' } })
    .jpeg()
    .toBuffer();
  const objects = folderStore(join(folder, 'here'));
  await addPicture({ db: paper.database.db, objects }, jpeg, paper.clock.now());
  await storeStories(paper.database.db, [storyInput({}), storyInput({})]);
  await writeFile(join(folder, 'here', 'secret'), 'a secret that was made here\n');
  const at = { url: paper.url, data: join(folder, 'here') };
  await runBackup('backup', { ...at, file: join(folder, 'good.backup') });
  there = await emptyDatabase();
  await runBackup('restore', { ...there, data: join(folder, 'there'), file: join(folder, 'good.backup') });
  await ask(
    there.url,
    `update content.sections set name = 'As it was before';
     create schema otherapp; create table otherapp.t as select 7 as a; create sequence otherapp.s start 5`,
  );
});
afterAll(async () => {
  await dropEmptyDatabases();
  await paper.end();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  before = await everything(there.url);
});

const schemas = async () =>
  (await ask(there.url, `select nspname from pg_namespace where nspname !~ '^pg_' order by 1`)).rows.map(
    ({ nspname }) => nspname,
  );

function restore(file: string, options: Record<string, boolean> = { replace: true }, signal?: AbortSignal) {
  const at = { ...there, data: join(folder, 'there'), file: join(folder, file) };
  return runBackup('restore', signal === undefined ? at : { ...at, signal }, options);
}

/** The good back-up with some of its entries changed. */
async function changed(change: (entry: BackupEntry) => readonly BackupEntry[]): Promise<string> {
  async function* entries() {
    for await (const entry of readBackupFile(join(folder, 'good.backup'), undefined)) yield* change(entry);
  }
  await writeBackupFile(join(folder, 'changed.backup'), entries(), undefined);
  return 'changed.backup';
}

const entry = (name: string, text: string): BackupEntry => ({ name, bytes: Buffer.from(text) });

/** The manifest with something else in it. */
const claiming = (more: (manifest: Record<string, string[] | object[]>) => object) => (one: BackupEntry) =>
  one.name === 'manifest.json'
    ? [
        entry(
          one.name,
          JSON.stringify(
            ((known) => ({ ...known, ...more(known) }))(JSON.parse(String(Buffer.from(one.bytes)))),
          ),
        ),
      ]
    : [one];

/** Before the first object, since those come behind the tables. */
const withObject = (name: string) => (one: BackupEntry) =>
  one.name.startsWith('objects/') ? [entry(`objects/${name}`, 'archive_mode=on'), one] : [one];

describe('a restore in the place of a paper', () => {
  it.each<[string, (one: BackupEntry) => readonly BackupEntry[], string]>([
    [
      'has lost a row on its way',
      (one) =>
        one.name.startsWith('tables/content.stories/')
          ? [entry(one.name, `${String(Buffer.from(one.bytes)).split('\n').slice(1).join('\n')}`)]
          : [one],
      'broken-file',
    ],
    ['says nothing of itself', claiming(() => ({ migrations: undefined })), 'wrong-file'],
    [
      'has settings of the database among its pictures',
      withObject('postgres/postgresql.auto.conf'),
      'broken-file',
    ],
    ['has a secret among its pictures', withObject('secret'), 'broken-file'],
    [
      'says that schemas of others are its own',
      claiming(({ schemas, tables }) => ({
        schemas: [...(schemas ?? []), 'otherapp', 'public'],
        tables: [...(tables ?? []), { schema: 'otherapp', name: 't', columns: ['a'] }],
      })),
      'broken-file',
    ],
    [
      'says that a counter of others is its own',
      claiming(({ sequences }) => ({
        sequences: [...(sequences ?? []), { schema: 'otherapp', name: 's', value: '99' }],
      })),
      'broken-file',
    ],
  ])('of a file that %s leaves all as it was', async (_, change, code) => {
    const names = await schemas();
    const files = await readdir(join(folder, 'there'));
    await expect(restore(await changed(change))).rejects.toMatchObject({ code });
    expect(await everything(there.url)).toEqual(before);
    expect(await schemas()).toEqual(names);
    expect(await readdir(join(folder, 'there'))).toEqual(files);
    expect(await readFile(join(folder, 'there', 'secret'), 'utf8')).toBe('a secret that was made here\n');
  });

  it('that is told to stop leaves all as it was', async () => {
    const names = await schemas();
    const stop = new AbortController();
    stop.abort(new Error('told to stop'));
    await expect(restore('good.backup', { replace: true }, stop.signal)).rejects.toThrow('told to stop');
    expect([await everything(there.url), await schemas()]).toEqual([before, names]);
  });

  it('that was killed is put right by another, or undone; nothing is done with what it left', async () => {
    const names = await schemas();
    const killed = async () => {
      for (const name of names.filter((one) => !/^(?:public|otherapp|information_schema)$/.test(one)))
        await ask(there.url, `alter schema ${name} rename to ${name}_before_restore`);
      await ask(there.url, 'create schema content; create table content.stories (id uuid)');
    };
    await killed();
    const opened = openRestored(there.url, join(folder, 'there'), paper.clock);
    await expect(opened).rejects.toMatchObject({ code: 'half-restored' });
    // The paper that was there is not given up by a slip, though what lies there looks empty.
    await expect(restore('good.backup', {})).rejects.toMatchObject({ code: 'not-empty' });
    expect([await everything(there.url), await schemas()]).toEqual([before, names]);
    await killed();
    expect(await runBackup('restore', { ...there, data: folder }, { undo: true })).toEqual({ undone: true });
    expect([await everything(there.url), await schemas()]).toEqual([before, names]);
    await killed();
    expect(await restore('good.backup')).toMatchObject({ stories: 2, secret: 'kept' });
    expect(await schemas()).toEqual(names);
    const { rows } = await ask(there.url, `select from content.sections where name = 'As it was before'`);
    expect(rows).toEqual([]);
  });
});
