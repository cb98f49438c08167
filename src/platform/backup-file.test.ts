import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type BackupEntry, readBackupFile, writeBackupFile } from './backup-file.ts';

let root: string;
let folder: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'broadsheet-backup-file-'));
});
beforeEach(async () => {
  folder = await mkdtemp(join(root, 'x'));
});
afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

/** More than all buffers on the way hold, and nothing that packs well. */
async function* entries(count: number, fail?: Error): AsyncGenerator<BackupEntry> {
  for (let at = 0; at < count; at++) yield { name: `tables/a.b/${at}`, bytes: randomBytes(512 * 1024) };
  if (fail !== undefined) throw fail;
}

async function namesIn(path: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of readBackupFile(path, 'a quiet evening on the quay')) names.push(name);
  return names;
}

describe.each([
  ['plain', undefined],
  ['encrypted', 'a quiet evening on the quay'],
])('a back-up in a file that is %s', (_, passphrase) => {
  it('that cannot be written fails, however much is still to come', async () => {
    const path = join(folder, 'missing', 'a.backup');
    await expect(writeBackupFile(path, entries(60), passphrase)).rejects.toThrow('ENOENT');
  });

  it('of which a part cannot be had leaves the one before it as it was, and nothing beside it', async () => {
    const path = join(folder, 'a.backup');
    await writeFile(path, 'of yesterday');
    const gone = new Error('the database went away');
    await expect(writeBackupFile(path, entries(3, gone), passphrase)).rejects.toBe(gone);
    expect(await readFile(path, 'utf8')).toBe('of yesterday');
    expect(await readdir(folder)).toEqual(['a.backup']);
  });

  it('is whole where two are written to one place at once, and can be read by its owner alone', async () => {
    const path = join(folder, 'a.backup');
    await Promise.all([
      writeBackupFile(path, entries(8), passphrase),
      writeBackupFile(path, entries(8), passphrase),
    ]);
    expect(await namesIn(path)).toHaveLength(8);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['a.backup']);
  });
});

describe('a file of a back-up', () => {
  it('is not put in the place of a link, a folder or a device', async () => {
    await writeFile(join(folder, 'else'), 'precious');
    await symlink(join(folder, 'else'), join(folder, 'link'));
    await mkdir(join(folder, 'folder'));
    for (const path of [join(folder, 'link'), join(folder, 'folder')])
      await expect(writeBackupFile(path, entries(1), undefined)).rejects.toMatchObject({
        code: 'not-a-file',
      });
    expect(await readdir(folder)).toEqual(['else', 'folder', 'link']);
  });

  it('is refused where it holds more in one piece than a back-up does, before that is read', async () => {
    const path = join(folder, 'bomb.backup');
    const bytes = new Uint8Array(65 * 1024 ** 2);
    await writeBackupFile(
      path,
      (async function* () {
        yield { name: 'objects/media/a/original', bytes };
      })(),
      undefined,
    );
    expect((await stat(path)).size).toBeLessThan(100_000);
    await expect(namesIn(path)).rejects.toMatchObject({ code: 'broken-file' });
  });
});
