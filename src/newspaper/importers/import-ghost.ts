import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Db } from '#platform/db';
import { type Bites, checkFile, readBites } from './archive-file.ts';
import { readGhostPosts, readGhostSite } from './ghost-reader.ts';
import { readGhostPost } from './ghost-record.ts';
import { type ImportOptions, type ImportReport, ImportRun } from './import-run.ts';
import { firstOf, pictureZip } from './picture-places.ts';
import { openZip, type ZipArchive } from './zip-archive.ts';

/**
 * Imports the posts and pages of a Ghost site from its exports: JSON, plain or gzipped, or a zip archive with that and
 * the site's pictures. As with `importNdjson`, what is wrong is told with its place (the number of the post) and the rest
 * arrives, and running it again goes on where it was, or brings in what has changed.
 *
 * @throws as `importNdjson` does
 */
export async function importGhost(
  db: Db,
  files: readonly string[],
  options: ImportOptions,
): Promise<ImportReport> {
  await Promise.all(files.map(checkFile));
  const zips: ZipArchive[] = [];
  try {
    const opened = [];
    for (const path of files) {
      const zip = (await isZip(path)) ? await openZip(path) : undefined;
      if (zip !== undefined) zips.push(zip);
      opened.push({ path, zip });
    }
    const places = [...zips.map(pictureZip), ...(options.pictures === undefined ? [] : [options.pictures])];
    const pictures = places.length === 0 ? {} : { pictures: firstOf(places) };
    const run = new ImportRun(db, { ...options, ...pictures }, files);
    for (const [file, { path, zip }] of opened.entries()) {
      for (const { at, reason } of zip?.refused ?? []) run.refuse(`${basename(path)} ${at}`, reason);
      const documents = zip === undefined ? [() => readBites(path)] : exportsIn(zip);
      if (documents.length === 0) run.breakOff(file, 'it holds no export of Ghost');
      for (const bites of documents) await readExport(run, file, bites);
    }
    return await run.finish();
  } finally {
    for (const zip of zips) zip.close();
  }
}

async function readExport(run: ImportRun, file: number, bites: () => AsyncIterable<Bites>): Promise<void> {
  const site = await readGhostSite(bites());
  if (!site.isGhost) {
    run.breakOff(file, 'it is no export of Ghost: it has no list of posts');
    return;
  }
  for (const [what, times] of site.others) run.leaveOut(what, times);
  for await (const { cut, posts } of readGhostPosts(bites())) {
    for (const one of posts) {
      const place = { file, line: one.number };
      const left = (what: string) => run.leaveOut(what, 1, place);
      if (one.kind === 'broken') {
        await run.take({ kind: 'refused', reason: one.reason }, place, 0);
        continue;
      }
      const read = readGhostPost(one.post, site, run.settings, run.now, left);
      await run.takePlaces(read.places ?? []);
      await run.take(read, place, one.bytes);
    }
    if (cut !== undefined) run.breakOff(file, cut);
    run.progress(posts.length);
  }
}

/** Documents of an archive that may be exports: not those of its themes and files. */
function exportsIn(zip: ZipArchive): (() => AsyncIterable<Bites>)[] {
  const names = [...zip.files.keys()].filter(
    (name) =>
      /\.json$/i.test(name) &&
      !/(?:^|\/)(?:content|__MACOSX|\.[^/]*)\//.test(name) &&
      !/(?:^|\/)\._/.test(name),
  );
  return names.map((name) => () => zip.readBites(name));
}

/** Archives begin so, also one that holds nothing. */
async function isZip(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const start = Buffer.alloc(4);
    await file.read(start, 0, 4, 0);
    return ['504b0304', '504b0506'].includes(start.toString('hex'));
  } finally {
    await file.close();
  }
}
