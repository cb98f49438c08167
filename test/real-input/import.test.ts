import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { elementsSchema, elementText, type StoryElement } from '#content';
import { importNdjson } from '#importers';
import { htmlToElements } from '../../src/newspaper/importers/html.ts';
import { readLines } from '../../src/newspaper/importers/lines.ts';
import { markdownToElements } from '../../src/newspaper/importers/markdown.ts';
import { type TestDatabase, testDatabase } from '../db.ts';
import { letters, textOf } from './letters.ts';

/** The folder with real archives and attackers' lists; where it is not given, these tests are skipped. */
const INPUT = process.env.REAL_INPUT ?? '';
const SETTINGS = { zone: 'Europe/Zurich', language: 'en', defaultAccess: 'metered' } as const;
const NOW = Temporal.Instant.from('2026-11-23T06:00:00Z');

describe.skipIf(INPUT === '')('real archives', () => {
  let database: TestDatabase;
  let folder: string;
  beforeAll(async () => {
    database = await testDatabase();
    folder = await mkdtemp(join(tmpdir(), 'broadsheet-real-input-'));
  });
  afterAll(async () => {
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it.each([
    ['swiss-releases-en', 5],
    ['swiss-releases-fr-quarter', 5],
    ['us-government-and-wikinews', 1],
  ])(
    '%s arrives whole, and once',
    async (name, every) => {
      const { path, bodies } = await sample(
        join(INPUT, 'corpus', `${name}.ndjson.gz`),
        join(folder, name),
        every,
      );
      const options = { settings: SETTINGS, now: NOW };
      const report = await importNdjson(database.db, [path], options);
      expect(report.truncated).toBe(false);
      // What is refused stands twice in the file; nothing else is wrong with these archives.
      for (const one of report.refused) expect(one.reason).toContain('stands already in');
      expect(report.created).toBe(bodies.size);
      const again = await importNdjson(database.db, [path], options);
      expect(again).toMatchObject({ created: 0, updated: 0, skipped: report.created });

      const { rows } = await database.pool.query<{ source_id: string; elements: unknown; preview: unknown }>(`
      select s.source_id, b.elements, r.preview from content.stories s
      join content.bodies b on b.story_id = s.id and b.revision = s.revision
      join content.revisions r on r.story_id = s.id and r.number = s.revision`);
      for (const row of rows) {
        const source = bodies.get(row.source_id);
        if (source === undefined) continue;
        const elements = elementsSchema.parse(row.elements);
        expect(elementsSchema.safeParse(row.preview).success).toBe(true);
        if (source.format === 'html') {
          expect([row.source_id, letters(elements.map(elementText).join(' '))]).toEqual([
            row.source_id,
            letters(textOf(source.body)),
          ]);
        } else
          expect([row.source_id, prose(elements).match(/\{\{<|\{%|>\}\}|\[caption/)]).toEqual([
            row.source_id,
            null,
          ]);
      }
    },
    60_000,
  );
});

type Source = { readonly body: string; readonly format: string };

/** Every so manieth line of an archive, in a file of its own; and the bodies in it by id. */
async function sample(
  from: string,
  to: string,
  every: number,
): Promise<{ path: string; bodies: Map<string, Source> }> {
  const bodies = new Map<string, Source>();
  const path = `${to}.ndjson`;
  const out = createWriteStream(path);
  for await (const { lines } of readLines(from)) {
    for (const line of lines) {
      if (line.kind !== 'line' || line.number % every !== 0) continue;
      out.write(`${line.bytes.toString()}\n`);
      const { id, body, body_format } = JSON.parse(line.bytes.toString());
      if (!bodies.has(id)) bodies.set(id, { body, format: body_format });
    }
  }
  out.end();
  await finished(out);
  return { path, bodies };
}

/** What is read as text: code may show shortcodes, since it is about them. */
function prose(elements: readonly StoryElement[]): string {
  return elements
    .filter((one) => one.kind !== 'preformatted')
    .map((one) =>
      one.kind === 'paragraph'
        ? one.text
            .filter((run) => !run.marks?.includes('code'))
            .map((run) => run.text)
            .join('')
        : elementText(one),
    )
    .join('\n');
}

describe.skipIf(INPUT === '')('lists of attacks', () => {
  it('lead nowhere but to http, https, mail and this site', async () => {
    const payloads = await attacks(join(INPUT, 'sanitizer'));
    expect(payloads.length).toBeGreaterThan(8_000);
    for (const payload of payloads) {
      for (const elements of [
        htmlToElements(payload, { base: 'https://old.example/a/' }),
        markdownToElements(payload),
      ]) {
        const checked = elementsSchema.safeParse(elements);
        expect([payload, checked.success]).toEqual([payload, true]);
        for (const address of addresses(elements)) {
          const { protocol } = new URL(address, 'https://paper.example/');
          expect([payload, ['https:', 'http:', 'mailto:'].includes(protocol)]).toEqual([payload, true]);
        }
      }
    }
  }, 60_000);
});

/** Every address in a tree of elements. */
function addresses(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(addresses);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, one]) =>
    (name === 'href' || name === 'url') && typeof one === 'string' ? [one] : addresses(one),
  );
}

async function attacks(folder: string): Promise<string[]> {
  const purify: { payload: string }[] = JSON.parse(
    await readFile(join(folder, 'dompurify', 'expect.json'), 'utf8'),
  );
  const list = await readFile(join(folder, 'xss-payload-list', 'Intruder', 'xss-payload-list.txt'), 'utf8');
  const trees: string[] = [];
  for (const name of await readdir(folder, { recursive: true })) {
    if (!name.endsWith('.dat')) continue;
    const text = await readFile(join(folder, name), 'utf8');
    for (const test of text.split(/^#data\n/m)) trees.push(test.split(/^#(?:errors|document)/m)[0] ?? '');
  }
  return [...purify.map((one) => one.payload), ...list.split('\n'), list, ...trees];
}
