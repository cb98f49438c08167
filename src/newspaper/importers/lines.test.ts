import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readLines } from './lines.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'broadsheet-lines-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What a file of these bytes gives: lines as text, what cannot be read as its reason, and why it was cut. */
async function lines(
  content: string | Buffer,
): Promise<{ lines: [number, string][]; cut: string | undefined }> {
  const path = join(folder, 'file');
  await writeFile(path, content);
  const all: [number, string][] = [];
  let cut: string | undefined;
  for await (const part of readLines(path)) {
    for (const line of part.lines)
      all.push([line.number, line.kind === 'line' ? line.bytes.toString() : line.reason]);
    cut ??= part.cut;
  }
  return { lines: all, cut };
}

describe('lines', () => {
  it('are numbered from one; blank ones count and are not told', async () => {
    expect(await lines('{}\n\n \t\r\n[1]\r\n"a"')).toEqual({
      lines: [
        [1, '{}'],
        [4, '[1]'],
        [5, '"a"'],
      ],
      cut: undefined,
    });
  });

  it('begin behind a byte order mark', async () => {
    expect(await lines('\ufeff{"a":1}\n')).toEqual({ lines: [[1, '{"a":1}']], cut: undefined });
  });

  it('are the same compressed, in several members too', async () => {
    const two = Buffer.concat([gzipSync('{"a":1}\n{"b"'), gzipSync(':2}\n')]);
    expect(await lines(two)).toEqual({
      lines: [
        [1, '{"a":1}'],
        [2, '{"b":2}'],
      ],
      cut: undefined,
    });
  });

  it('may be longer than what is read at once', async () => {
    const long = JSON.stringify('ä'.repeat(1_500_000));
    const { lines: all } = await lines(`${long}\n${long}\n{}\n`);
    expect(all.map(([, text]) => text.length)).toEqual([long.length, long.length, 2]);
  });

  it('over the limit are told and read past', async () => {
    const { lines: all } = await lines(`{}\n"${'a'.repeat(17 * 1024 * 1024)}"\n[]\n`);
    expect(all).toEqual([
      [1, '{}'],
      [2, 'a line of 17 MB is over the limit of 16 MB'],
      [3, '[]'],
    ]);
  });

  it('in another encoding are told one by one', async () => {
    const latin = Buffer.from('{"a":"caf\xe9"}', 'latin1');
    expect(await lines(Buffer.concat([Buffer.from('{}\n'), latin, Buffer.from('\n[]\n')]))).toEqual({
      lines: [
        [1, '{}'],
        [2, 'not UTF-8'],
        [3, '[]'],
      ],
      cut: undefined,
    });
  });

  it('of an empty file are none', async () => {
    expect(await lines('')).toEqual({ lines: [], cut: undefined });
  });
});

describe('a file that is cut', () => {
  it('in the middle of a line gives what came before, and says where', async () => {
    expect(await lines('{"a":1}\n{"b":')).toEqual({
      lines: [[1, '{"a":1}']],
      cut: 'the file ends in the middle of line 2',
    });
  });

  it('in the middle of compressed data gives what came before', async () => {
    const all = Array.from({ length: 20_000 }, (_, at) => JSON.stringify({ at, x: Math.sin(at) })).join('\n');
    const gz = gzipSync(all);
    const { lines: read, cut } = await lines(gz.subarray(0, gz.length >> 1));
    expect(read.length).toBeGreaterThan(8_000);
    expect(read.at(-1)?.[1]).toMatch(/^\{.*\}$/);
    expect(cut).toMatch(/^the compressed file is cut or damaged/);
  });

  it('only at its check sum gives every line', async () => {
    const { lines: read, cut } = await lines(gzipSync('{"a":1}\n{"b":2}\n').subarray(0, -4));
    expect(read).toHaveLength(2);
    expect(cut).toBeDefined();
  });
});

describe('a file of another kind is refused', () => {
  it.each<[what: string, bytes: Buffer, message: RegExp]>([
    ['UTF-16', Buffer.from('\ufeff{}\n', 'utf16le'), /is in UTF-16/],
    ['UTF-16 without a mark', Buffer.from('{}\n', 'utf16le'), /is in UTF-16/],
    ['UTF-16 the other way round', Buffer.from('\ufeff{}\n', 'utf16le').swap16(), /is in UTF-16/],
    ['UTF-32', Buffer.from('fffe00007b000000', 'hex'), /is in UTF-32/],
    ['UTF-16, compressed', gzipSync(Buffer.from('\ufeff{}\n', 'utf16le')), /is in UTF-16/],
    [
      'zstd',
      Buffer.from('28b52ffd00', 'hex'),
      /is compressed with zstd; plain or gzipped text in UTF-8 is needed/,
    ],
    ['zip', Buffer.from('504b0304', 'hex'), /is a zip archive/],
  ])('%s', async (_, bytes, message) => {
    await expect(lines(bytes)).rejects.toThrow(message);
  });

  it('and one that is not there, or is a folder', async () => {
    const first = (path: string) => readLines(path).next();
    await expect(first(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'no-such-file' });
    await expect(first(folder)).rejects.toMatchObject({ code: 'not-a-file' });
  });
});
