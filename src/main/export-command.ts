import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { stringify } from 'csv-stringify';
import {
  elementsToHtml,
  listOldPlaces,
  type Named,
  picturesIn,
  type StoryElement,
  type WholeStory,
  wholeStories,
} from '#content';
import { type Benefit, endOf, type Grant, listGrants } from '#entitlements';
import { pictureFormats } from '#media';
import { furtherColumns, wholeReaders } from '#readers';
import { asciiSlug } from '#values/slug';
import { storyPath } from '../site/site.ts';
import { type Command, type CommandContext, type CommandResult, Misuse } from './command.ts';

/** Moving out: everything that importing it elsewhere needs. */
export const EXPORT_COMMAND: Command = {
  name: 'export',
  usage: 'ndjson FILE [--pictures FOLDER] or export readers FILE',
  does: 'writes all stories, or all readers, so that importing them elsewhere gives the same paper',
  run,
};

async function run(context: CommandContext): Promise<CommandResult> {
  const [what, file, ...more] = context.args;
  if (file === undefined || more.length > 0 || (what !== 'ndjson' && what !== 'readers'))
    throw new Misuse(`usage: export ${EXPORT_COMMAND.usage}`);
  return what === 'ndjson' ? exportStories(context, file) : exportReaders(context, file);
}

async function exportStories({ options, paper }: CommandContext, file: string): Promise<CommandResult> {
  const { baseUrl, database, objects } = paper;
  const folder = typeof options.pictures === 'string' ? options.pictures : undefined;
  if (folder !== undefined) await mkdir(join(folder, 'media'), { recursive: true });
  const written = new Set<string>();
  const missing: string[] = [];
  let stories = 0;

  async function keepPictures(ids: readonly string[], formats: ReadonlyMap<string, string>): Promise<void> {
    for (const id of ids) {
      if (folder === undefined || written.has(id)) continue;
      written.add(id);
      const format = formats.get(id);
      const bytes = format === undefined ? undefined : await objects.get(`media/${id}/original`);
      if (bytes === undefined) missing.push(id);
      else await writeFile(join(folder, `media/${id}.${format}`), bytes);
    }
  }

  async function* lines(): AsyncGenerator<string> {
    for await (const page of wholeStories(database.db)) {
      const ids = [...new Set(page.flatMap(picturesIn))];
      const formats = await pictureFormats(database.db, ids);
      const nameOf = (id: string) => `media/${id}.${formats.get(id) ?? 'jpeg'}`;
      await keepPictures(ids, formats);
      for (const story of page)
        yield `${JSON.stringify(storyRecord(story, (id) => `${baseUrl}/${nameOf(id)}`))}\n`;
      stories += page.length;
    }
    for (let after = ''; ; ) {
      const places = await listOldPlaces(database.db, { after, limit: 1_000 });
      for (const { kind, name, path } of places) yield `${JSON.stringify({ old_place: path, kind, name })}\n`;
      const last = places.at(-1);
      if (last === undefined) return;
      after = last.path;
    }
  }

  await writeWhole(file, lines());
  const pictures = written.size - missing.length;
  return {
    json: { stories, pictures, pictures_missing: missing },
    text: [
      `${stories} stories${folder === undefined ? '' : `, ${pictures} pictures`}`,
      ...missing.map((id) => `missing  picture ${id}: its file is not in the store`),
    ].join('\n'),
    ...(missing.length > 0 ? { failure: `${missing.length} pictures are not in the store` } : {}),
  };
}

/** A line of `ndjson`: what any program understands, and beside it what a paper of this kind needs to be the same. */
function storyRecord(story: WholeStory, addressOf: (pictureId: string) => string): Record<string, unknown> {
  const abroad = (elements: readonly StoryElement[]) =>
    elements.map((one) => (one.kind === 'picture' && one.pictureId !== undefined ? elsewhere(one) : one));
  const elsewhere = ({ pictureId = '', ...rest }: { pictureId?: string }) => ({
    ...rest,
    url: addressOf(pictureId),
  });
  const { picture } = story;
  const path = decodeURIComponent(storyPath(story));
  return {
    ...story.extra,
    id: story.sourceId ?? story.shortId,
    source: story.source ?? 'broadsheet',
    short_id: story.shortId,
    state: story.state,
    ...(story.state === 'withdrawn' ? { withdrawn_reason: story.withdrawnReason } : {}),
    headline: story.headline,
    standfirst: story.standfirst,
    kicker: story.kicker,
    section: story.section,
    access: story.access,
    authors: story.authors.map(plainly),
    topics: story.topics.map(plainly),
    lang: story.language,
    published_at: story.publishedAt,
    updated_at: story.updatedAt,
    ...(story.embargoUntil === undefined ? {} : { embargo: story.embargoUntil }),
    ...(story.originUrl === undefined ? {} : { url: story.originUrl }),
    ...(picture === undefined ? {} : { picture: 'pictureId' in picture ? elsewhere(picture) : picture }),
    old_addresses: [...new Set([...story.oldAddresses, path])].sort(),
    preview_elements: abroad(story.preview),
    elements: abroad(story.body),
    body_format: 'html',
    body: elementsToHtml(story.body, addressOf),
  };
}

/** By its name, where the name alone gives its slug. */
function plainly(named: Named): string | Named {
  return asciiSlug(named.name) === named.slug ? named.name : named;
}

const READER_COLUMNS = [
  'email',
  'name',
  'paid_through',
  'rights',
  'country',
  'state',
  'created_at',
  'labels',
  'newsletters',
  'note',
];

async function exportReaders({ clock, paper }: CommandContext, file: string): Promise<CommandResult> {
  const { db } = paper.database;
  const now = clock.now();
  const further = await furtherColumns(db);
  let readers = 0;

  async function* rows(): AsyncGenerator<string[]> {
    yield [...READER_COLUMNS, ...further];
    for await (const page of wholeReaders(db)) {
      const grants = await Promise.all(page.map((one) => listGrants(db, one.id)));
      for (const [at, one] of page.entries()) {
        const { paidThrough, rights } = rightsAhead(grants[at] ?? [], paper.plans()[0]?.benefits ?? [], now);
        yield [
          one.email,
          one.name,
          paidThrough,
          rights,
          one.country,
          one.state,
          one.createdAt.toString(),
          one.labels.join(','),
          one.newsletters.join(','),
          one.note,
          ...further.map((name) => one.extra[name] ?? ''),
        ];
      }
      readers += page.length;
    }
  }

  // What a spreadsheet would run as a formula is written as words.
  await writeWhole(file, Readable.from(rows()).pipe(stringify({ escape_formulas: true })));
  return { json: { readers }, text: `${readers} readers` };
}

/** Until when somebody may read; and where that is not until when they may use all of a plan, each benefit with its end. */
function rightsAhead(
  grants: readonly Grant[],
  whole: readonly Benefit[],
  now: Temporal.Instant,
): { paidThrough: string; rights: string } {
  const ends = new Map<Benefit, Temporal.Instant>();
  for (const grant of grants) {
    const end = endOf(grant);
    const before = ends.get(grant.benefit) ?? now;
    if (Temporal.Instant.compare(end, before) > 0) ends.set(grant.benefit, end);
  }
  const reading = ends.get('reading')?.toString() ?? '';
  const isWhole = ends.size === 0 || whole.every((one) => ends.get(one)?.toString() === reading);
  const rights = [...ends].map(([benefit, end]) => `${benefit} ${end}`).sort();
  return { paidThrough: reading, rights: isWhole && ends.size <= whole.length ? '' : rights.join(', ') };
}

/** A file that is there whole or not at all; packed where its name ends in .gz. */
async function writeWhole(file: string, pieces: AsyncIterable<string>): Promise<void> {
  const unfinished = `${file}.unfinished`;
  const out = createWriteStream(unfinished, { mode: 0o600 });
  try {
    await once(out, 'open');
    await (file.endsWith('.gz') ? pipeline(pieces, createGzip(), out) : pipeline(pieces, out));
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}
