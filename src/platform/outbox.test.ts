import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { uuidv7 } from './ids.ts';
import { folderStore, type ObjectStore } from './object-store.ts';
import { type Outbox, openOutbox } from './outbox.ts';

let folder: string;
let objects: ObjectStore;
let outbox: Outbox;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'broadsheet-outbox-'));
  objects = folderStore(folder, 0o700);
  outbox = openOutbox(objects);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const START = Temporal.Instant.from('2026-11-23T06:30:00.123Z');

function message(number: number, body = 'A body'): Buffer {
  const date = new Date(START.epochMilliseconds).toUTCString();
  return Buffer.from(
    `From: Paper <desk@paper.example>\r\nTo: reader${number}@example.org\r\nSubject: Mail ${number}\r\n` +
      `Date: ${date}\r\nMessage-ID: <${number}@paper.example>\r\n\r\n${body}\r\n`,
  );
}

/** Puts mails in, a second apart, and gives the numbers of those that a page shows. */
async function fill(count: number): Promise<void> {
  for (let n = 1; n <= count; n++) {
    await outbox.put({ id: uuidv7(), at: START.add({ seconds: n }) }, message(n));
  }
}

async function shown(after?: string) {
  const page = await outbox.list({ limit: 10, after });
  return {
    subjects: page.mails.map((mail) => (mail.kind === 'mail' ? mail.subject : 'broken')),
    older: page.older,
  };
}

describe('the outbox', () => {
  it('is empty before the first mail', async () => {
    expect(await outbox.list({ limit: 10 })).toEqual({ mails: [], older: undefined });
    expect(await outbox.read('20261123t063000123-x')).toBeUndefined();
  });

  it('shows mails newest first, a page at a time, until there are no more', async () => {
    await fill(23);
    const subjects = [];
    let after: string | undefined;
    do {
      const page = await shown(after);
      subjects.push(page.subjects);
      after = page.older;
    } while (after !== undefined);
    expect(subjects.map((page) => page.length)).toEqual([10, 10, 3]);
    expect(subjects.flat()).toEqual(Array.from({ length: 23 }, (_, n) => `Mail ${23 - n}`));
  });

  it('holds a mail once, however often it is put in', async () => {
    const mail = { id: uuidv7(), at: START };
    await outbox.put(mail, message(1));
    await outbox.put(mail, message(1));
    expect((await shown()).subjects).toEqual(['Mail 1']);
  });

  it('forgets what was written before an instant, and nothing else', async () => {
    await fill(5);
    expect(await outbox.forgetBefore(START)).toBe(0);
    const third = START.add({ seconds: 3 });
    expect(await outbox.forgetBefore(third)).toBe(2);
    expect((await shown()).subjects).toEqual(['Mail 5', 'Mail 4', 'Mail 3']);
    expect(await outbox.forgetBefore(third)).toBe(0);
  });

  it('reads no more than the heads of the page that is looked at', async () => {
    await fill(30);
    const asked: string[] = [];
    const counted = openOutbox({
      ...objects,
      get: (name) => {
        asked.push(name);
        return objects.get(name);
      },
    });
    await counted.list({ limit: 10 });
    expect(asked).toHaveLength(10);
  });

  it('gives a mail whole', async () => {
    await outbox.put({ id: 'a', at: START }, message(7, 'To be read'));
    expect(await outbox.read('20261123t063000123-a')).toMatchObject({
      kind: 'mail',
      from: 'Paper <desk@paper.example>',
      to: 'reader7@example.org',
      subject: 'Mail 7',
      messageId: '<7@paper.example>',
      text: 'To be read\n',
      html: '',
    });
  });

  it('lists a broken file as one and goes on', async () => {
    await fill(1);
    await writeFile(
      join(folder, 'outbox', '20270101t000000000-noise.eml'),
      Buffer.from([0, 255, 13, 10, 254, 1]),
    );
    await writeFile(join(folder, 'outbox', '20270101t000000001-empty.eml'), '');
    await writeFile(join(folder, 'outbox', '20270101t000000002-half.eml'), 'From: x@y.example\r\nTo: ');
    await writeFile(
      join(folder, 'outbox', '20270101t000000003-date.eml'),
      'To: a@b.example\r\nDate: never\r\n\r\n',
    );
    await writeFile(join(folder, 'outbox', 'notes.txt'), 'not ours');
    await mkdir(join(folder, 'outbox', 'folder'));
    expect((await shown()).subjects).toEqual(['broken', 'broken', 'broken', 'broken', 'Mail 1']);
    expect(await outbox.read('20270101t000000000-noise')).toMatchObject({ kind: 'broken' });
  });

  it.each(['', '..', '../secret', 'a/b', 'A', '.x', 'x.', '%2e', 'x\0', 'a'.repeat(300)])(
    'has no mail of the name %j',
    async (name) => {
      await writeFile(join(folder, 'secret'), 'x');
      expect(await outbox.read(name)).toBeUndefined();
    },
  );

  it('is closed to everybody else on the machine', async () => {
    await fill(1);
    const [name = ''] = await readdir(join(folder, 'outbox'));
    expect((await stat(join(folder, 'outbox'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, 'outbox', name))).mode & 0o077).toBe(0);
  });

  it('is written and read by several processes at once, and none sees half a mail', async () => {
    const at = (name: string) => JSON.stringify(pathToFileURL(join(import.meta.dirname, name)).href);
    const writer = (who: number) => `
      const { folderStore } = await import(${at('object-store.ts')});
      const { openOutbox } = await import(${at('outbox.ts')});
      const outbox = openOutbox(folderStore(${JSON.stringify(folder)}));
      const body = 'x'.repeat(4_000_000);
      for (let n = 0; n < 30; n++) {
        const id = '${who}' + String(n).padStart(3, '0');
        const head = 'To: reader@example.org\\r\\nSubject: ' + id + '\\r\\nDate: Mon, 23 Nov 2026 06:30:00 +0000\\r\\n\\r\\n';
        await outbox.put({ id, at: Temporal.Instant.from('2026-11-23T06:30:00Z') }, Buffer.from(head + body + 'end'));
      }`;
    let writing = true;
    const written = Promise.all(
      [1, 2].map((who) => promisify(execFile)(process.execPath, ['--input-type=module', '-e', writer(who)])),
    ).finally(() => {
      writing = false;
    });
    let seen = 0;
    while (writing) {
      // The names alone, so that as many as possible are caught in the act.
      const names = await objects.list('outbox');
      for (const name of names.slice(-2)) {
        const bytes = await objects.get(name);
        expect(bytes?.subarray(-3).toString()).toBe('end');
        seen++;
      }
    }
    await written;
    expect(seen).toBeGreaterThan(0);
    const { mails } = await outbox.list({ limit: 200 });
    expect(new Set(mails.map((mail) => mail.kind === 'mail' && mail.subject)).size).toBe(60);
    expect((await readdir(join(folder, 'outbox'))).filter((name) => !name.endsWith('.eml'))).toEqual([]);
  });
});
