import { z } from 'zod';
import { elementsSchema, type OldPlace, oldAddress, picturesIn } from '#content';
import { pictureFormats } from '#media';
import type { Db } from '#platform/db';
import { parseJson } from '#values/json';
import { checkFile } from './archive-file.ts';
import { cleanText } from './clean-text.ts';
import { type ImportOptions, type ImportReport, ImportRun } from './import-run.ts';
import { readLines } from './lines.ts';
import { type ReadRecord, readLine } from './story-record.ts';

/**
 * Imports stories from files of one JSON record a line (docs/contracts), plain or gzipped. What is wrong with a
 * record is told with its place, and the rest arrives. Each batch is committed on its own and known again by its
 * digests, so an import that was stopped goes on where it was when it is simply run again.
 *
 * @throws NotFound or Invalid when a file cannot be read at all; Conflict `database-unavailable` when the database
 *   goes away meanwhile
 */
export async function importNdjson(
  db: Db,
  files: readonly string[],
  options: ImportOptions,
): Promise<ImportReport> {
  // A file that is not there is told before the first of the others is read.
  await Promise.all(files.map(checkFile));
  const run = new ImportRun(db, options, files);
  for (const [index, path] of files.entries()) await readFile(db, run, index, path);
  return run.finish();
}

const OLD_PLACE = Buffer.from('{"old_place":');
const oldPlace = z.object({
  old_place: z.string().transform((path) => oldAddress(path)),
  kind: z.enum(['section', 'topic', 'author', 'story']),
  name: z.string().min(1).max(2_000),
});

/** A line that says where a list stood, as an export has them behind its stories; undefined where it is anything else. */
function readOldPlace(bytes: Buffer): OldPlace | undefined {
  if (!bytes.subarray(0, OLD_PLACE.length).equals(OLD_PLACE)) return undefined;
  try {
    const { kind, name, old_place: path } = oldPlace.parse(parseJson(bytes.toString('utf8')));
    return path === undefined ? undefined : { kind, name, path };
  } catch {
    // It is refused as a story that has no headline.
    return undefined;
  }
}

/** How a line begins to name a picture by its id: plainly, or with a letter written as an escape. */
const NAMES_PICTURES = ['pictureId', '\\u004', '\\u005', '\\u006', '\\u007'];
const elements = z.object({
  elements: elementsSchema.nullish().transform((given) => given ?? []),
  preview_elements: elementsSchema.nullish().transform((given) => given ?? []),
});

/** Refuses a record that shows a picture which this paper does not have: a picture's id is one paper's own. */
async function withKnownPictures(db: Db, read: ReadRecord, bytes: Buffer): Promise<ReadRecord> {
  if (read.kind === 'refused' || !NAMES_PICTURES.some((one) => bytes.includes(one))) return read;
  const { elements: body, preview_elements: preview } = elements.parse(parseJson(bytes.toString('utf8')));
  const ids = picturesIn({ body, preview });
  const known = await pictureFormats(db, ids);
  const unknown = ids.find((id) => !known.has(id));
  if (unknown === undefined) return read;
  const id = JSON.stringify(cleanText(unknown.slice(0, 40)));
  return {
    kind: 'refused',
    reason: `there is no picture ${id} here; one of another paper is named by its url`,
  };
}

async function readFile(db: Db, run: ImportRun, file: number, path: string): Promise<void> {
  for await (const { lines, cut } of readLines(path)) {
    for (const line of lines) {
      const place = { file, line: line.number };
      const old = line.kind === 'line' ? readOldPlace(line.bytes) : undefined;
      if (old !== undefined) await run.takePlaces([old]);
      else if (line.kind === 'unreadable') await run.take({ kind: 'refused', reason: line.reason }, place, 0);
      else {
        const read = readLine(line.bytes, run.settings, run.now);
        await run.take(await withKnownPictures(db, read, line.bytes), place, line.bytes.length);
      }
    }
    if (cut !== undefined) run.breakOff(file, cut);
    run.progress(lines.length);
  }
}
