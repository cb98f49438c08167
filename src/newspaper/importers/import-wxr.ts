import type { Db } from '#platform/db';
import { checkFile } from './archive-file.ts';
import { type ImportOptions, type ImportReport, ImportRun } from './import-run.ts';
import { readWxr } from './wxr-reader.ts';
import { readWxrItem } from './wxr-record.ts';
import { readWxrSites, type SiteFile } from './wxr-site.ts';

/**
 * Imports the posts and pages of a WordPress site from its export files, plain or gzipped; several files of one site
 * are read as one, and of a post that stands in two of them the newer version counts. As with `importNdjson`, what is wrong is told with its place and the rest arrives, and running it
 * again goes on where it was, or brings in what has changed.
 *
 * @throws as `importNdjson` does
 */
export async function importWxr(
  db: Db,
  files: readonly string[],
  options: ImportOptions,
): Promise<ImportReport> {
  await Promise.all(files.map(checkFile));
  const sites = await readWxrSites(files);
  const run = new ImportRun(db, options, files);
  for (const one of sites) await readFile(run, one);
  return run.finish();
}

async function readFile(run: ImportRun, { file, path, site }: SiteFile): Promise<void> {
  let mendedBefore = 0;
  for await (const { cut, items, mended } of readWxr(path, site)) {
    for (const item of items) {
      const place = { file, line: item.line };
      const left = (what: string, times?: number) => run.leaveOut(what, times, place);
      if (item.kind === 'broken') {
        await run.take({ kind: 'refused', reason: item.reason }, place, 0);
        continue;
      }
      const read = readWxrItem(item, site, run.settings, run.now, left);
      if (read.kind === 'of-site') continue;
      if (read.kind === 'left-out') {
        left(read.what);
        if (read.takenBack !== undefined) run.takeBack(read.takenBack, place);
        continue;
      }
      await run.takePlaces(read.places ?? []);
      if (read.kind === 'attachment') await run.takeAttachments(read.attachments);
      else await run.take(read, place, item.fields.get('content:encoded')?.length ?? 0);
    }
    run.mend(mended - mendedBefore);
    mendedBefore = mended;
    if (cut !== undefined) run.breakOff(file, cut);
    run.progress(items.length);
  }
}
