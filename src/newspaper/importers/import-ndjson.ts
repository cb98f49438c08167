import type { Db } from '#platform/db';
import { checkFile } from './archive-file.ts';
import { type ImportOptions, type ImportReport, ImportRun } from './import-run.ts';
import { readLines } from './lines.ts';
import { readLine } from './story-record.ts';

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
  for (const [index, path] of files.entries()) await readFile(run, index, path);
  return run.finish();
}

async function readFile(run: ImportRun, file: number, path: string): Promise<void> {
  for await (const { lines, cut } of readLines(path)) {
    for (const line of lines) {
      const place = { file, line: line.number };
      if (line.kind === 'unreadable') await run.take({ kind: 'refused', reason: line.reason }, place, 0);
      else await run.take(readLine(line.bytes, run.settings, run.now), place, line.bytes.length);
    }
    if (cut !== undefined) run.breakOff(file, cut);
    run.progress(lines.length);
  }
}
