import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DATE_ORDERS,
  type DateOrder,
  type ImportReport,
  importGhost,
  importNdjson,
  importReaders,
  importWxr,
  keepRun,
  type PicturePlace,
  type PicturesAhead,
  pictureFolder,
  pictureSite,
  type ReadersReport,
} from '#importers';
import { systemClock } from '#platform/clock';
import { isUnavailable } from '#platform/db';
import { CallerError, Conflict } from '#values/errors';
import { type Command, type CommandContext, type CommandResult, Misuse } from './command.ts';

/** Moving in: stories, their pictures and readers. */
export const IMPORT_COMMAND: Command = {
  name: 'import',
  usage:
    'ndjson|wxr|ghost|readers FILE… [--pictures FOLDER or https://SITE] [--dates day-first|month-first] [--dry-run]',
  does: 'takes an archive or a list of readers in, plain or gzipped',
  endsItself: true,
  run,
};

const STORIES: ReadonlyMap<string, typeof importNdjson> = new Map([
  ['ndjson', importNdjson],
  ['wxr', importWxr],
  ['ghost', importGhost],
]);
const READERS = 'readers';

async function run(context: CommandContext): Promise<CommandResult> {
  const { args, options, paper, signal } = context;
  const [format = '', ...files] = args;
  if (!STORIES.has(format) && format !== READERS)
    throw new Misuse(`the format "${format}" is not one of: ${[...STORIES.keys(), READERS].join(', ')}`);
  if (files.length === 0) throw new Misuse(`import ${format} needs at least one file`);
  // Ghost gives its members apart, as a list.
  const isList = (file: string) =>
    format === READERS || (format === 'ghost' && /\.csv(?:\.gz)?$/i.test(file));
  const lists = files.filter(isList);
  const archives = files.filter((file) => !isList(file));
  const order = dateOrder(options.dates);
  if (order !== undefined && lists.length === 0) throw new Misuse('--dates is for lists of readers');
  const dryRun = options['dry-run'] === true;
  const beganAt = systemClock.now();
  const counted: Counted = {};
  const report = () => ({ ...(dryRun ? { dry_run: true } : {}), ...countedJson(counted) });
  const keep = (more: { readonly failed?: string }) => {
    const names = files.map((file) => basename(file));
    const told = { ...report(), ...more };
    return keepRun(paper.database.db, {
      format,
      files: names,
      dryRun,
      beganAt,
      endedAt: systemClock.now(),
      report: told,
    });
  };
  try {
    if (archives.length > 0)
      await untilTold(signal, importStories(context, format, archives, dryRun, counted));
    if (lists.length > 0)
      await untilTold(signal, importLists(context, format, lists, { dryRun, order, counted }));
  } catch (error) {
    // Where the database is away, nobody at the desk hears of it; the command tells in any case.
    if (!(error instanceof Misuse))
      await Promise.race([keep({ failed: whyFailed(error) }), sleep(KEEP_MS)]).catch(() => undefined);
    throw error;
  }
  if (process.stderr.isTTY) process.stderr.write('\n');
  const id = await keep({});
  const readers = counted.readers?.();
  const stories = counted.stories?.();
  const lines = [
    ...(dryRun ? ['dry run: this is what would happen, and nothing is kept'] : []),
    ...(stories === undefined ? [] : storyLines(stories, dryRun)),
    ...(readers === undefined ? [] : readerLines(readers, dryRun)),
  ];
  const isCut = stories?.truncated === true || readers?.truncated === true;
  return {
    text: lines.join('\n'),
    json: { ...report(), run: id },
    ...(isCut ? { failure: 'a file could not be read to its end; what stood before that is imported' } : {}),
  };
}

/** What an import has counted, as far as it has come. */
type Counted = { stories?: () => ImportReport; readers?: () => ReadersReport };

/** A report of what failed gets this long to be kept. */
const KEEP_MS = 5_000;

/** Waits for some work, or until the command is told to stop: what is under way then ends with the program. */
async function untilTold<Done>(signal: AbortSignal, work: Promise<Done>): Promise<Done> {
  let stop: (() => void) | undefined;
  const told = new Promise<never>((_, reject) => {
    stop = () => reject(new Conflict('stopped', 'it was told to stop'));
    signal.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([work, told]);
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop);
  }
}

/** What the desk is told; only mistakes of a caller say themselves what they are, in words that may be shown. */
function whyFailed(error: unknown): string {
  if (error instanceof CallerError) return error.message;
  return isUnavailable(error) ? 'the database cannot be reached' : 'an internal fault';
}

async function importStories(
  { clock, options, paper }: CommandContext,
  format: string,
  files: readonly string[],
  dryRun: boolean,
  counted: Counted,
): Promise<void> {
  const pictures = typeof options.pictures === 'string' ? await openPictures(options.pictures) : undefined;
  const importFiles = STORIES.get(format) ?? importNdjson;
  await importFiles(paper.database.db, files, {
    settings: paper.publication(),
    now: clock.now(),
    objects: paper.objects,
    dryRun,
    onBegin: (soFar) => {
      counted.stories = soFar;
    },
    ...(pictures === undefined ? {} : { pictures }),
    ...(process.stderr.isTTY ? { onProgress: showProgress } : {}),
  }).finally(() => pictures?.close());
}

async function importLists(
  { clock, options, paper }: CommandContext,
  format: string,
  files: readonly string[],
  run: { readonly dryRun: boolean; readonly order: DateOrder | undefined; readonly counted: Counted },
): Promise<void> {
  const { counted, dryRun, order } = run;
  await importReaders(paper.database.db, files, {
    source: typeof options.source === 'string' ? options.source : format === READERS ? 'list' : format,
    zone: paper.publication().zone,
    plans: paper.plans(),
    now: clock.now(),
    order,
    dryRun,
    onBegin: (soFar) => {
      counted.readers = soFar;
    },
    ...(process.stderr.isTTY ? { onProgress: (done: number) => showProgress(done, 'readers') } : {}),
  });
}

function dateOrder(said: string | boolean | undefined): DateOrder | undefined {
  if (said === undefined) return undefined;
  const order = DATE_ORDERS.find((one) => one === said);
  if (order === undefined) throw new Misuse(`--dates is ${DATE_ORDERS.join(' or ')}`);
  return order;
}

function showProgress(done: number, what: string): void {
  process.stderr.write(`\r${done} ${what}   `);
}

/** Where the pictures of an archive are, as an operator names it: a folder, or the site itself. */
async function openPictures(where: string): Promise<PicturePlace> {
  if (!/^https?:/i.test(where)) return await pictureFolder(where);
  if (!URL.canParse(where) || !['', '/'].includes(new URL(where).pathname))
    throw new Misuse('--pictures is a folder, or the address of a site such as https://old.example');
  return pictureSite(where);
}

function storyLines(
  { pictures, picturesAhead, stories, ...report }: ImportReport,
  dryRun: boolean,
): string[] {
  const { created, kept, leftOut, leftOutFirst, library, mended } = report;
  const { refused, refusedCount, skipped, updated } = report;
  return [
    `created ${created}, updated ${updated}, skipped ${skipped}, refused ${refusedCount}`,
    ...(dryRun ? whatWouldCome(stories) : []),
    ...(library + pictures.added + pictures.stories > 0
      ? [
          `pictures ${pictures.added} of ${library} in the library; ${pictures.stories} stories were given theirs`,
        ]
      : []),
    ...(picturesAhead === undefined ? [] : aheadLines(picturesAhead)),
    ...(pictures.elsewhere > 0 ? [`left out picture of another site: ${pictures.elsewhere}`] : []),
    ...Object.entries(leftOut).map(([what, times]) => {
      const first = leftOutFirst[what];
      return `left out ${what}: ${times}${first === undefined ? '' : ` (first in ${first})`}`;
    }),
    ...mendedLines(mended),
    ...kept.map((one) => `kept     ${one.at}: ${one.reason}`),
    ...[...refused, ...pictures.refused].map((one) => `refused  ${one.at}: ${one.reason}`),
  ];
}

function aheadLines({ missing, missingFirst, shown, ...ahead }: PicturesAhead): string[] {
  if (shown === 0) return [];
  const { found, here, links, toAsk } = ahead;
  const parts = [
    [here, 'here already'],
    [found, 'found'],
    [toAsk, 'that the site would be asked for'],
    [links, 'that stay links'],
    [missing, 'missing'],
  ] as const;
  const told = parts.flatMap(([times, what]) => (times > 0 ? [`${times} ${what}`] : []));
  return [
    `pictures in stories ${shown}: ${told.join(', ')}`,
    ...missingFirst.map((one) => `missing  ${one.at}: ${one.reason}`),
    ...(missing > missingFirst.length ? [`missing  ${missing - missingFirst.length} more`] : []),
  ];
}

function mendedLines(mended: number): string[] {
  return mended > 0 ? [`letters in Windows-1252 among UTF-8, read as what they are: ${mended}`] : [];
}

function whatWouldCome({ access, examples, sections, states }: ImportReport['stories']): string[] {
  const list = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .sort(([, a], [, b]) => b - a)
      .map(([name, times]) => `${name} ${times}`)
      .join(', ');
  return [
    ...Object.entries({ sections, access, states }).map(([what, counts]) => `${what}: ${list(counts)}`),
    ...examples.map(
      (one) =>
        `${one.outcome}  ${one.at}: ${one.headline} (${one.section}, ${one.access}, ${one.publishedAt})`,
    ),
  ];
}

function readerLines(report: ReadersReport, dryRun: boolean): string[] {
  const { columns, created, examples, granted, leftOut, mended } = report;
  const { refused, refusedCount, skipped, updated } = report;
  return [
    `readers: created ${created}, updated ${updated}, skipped ${skipped}, refused ${refusedCount}; ${granted} may read with a subscription`,
    ...(dryRun ? Object.entries(columns).map(([name, is]) => `column ${name}: ${is}`) : []),
    ...(dryRun
      ? examples.map(
          (one) =>
            `${one.outcome}  ${one.at}: ${one.reader}${one.until === undefined ? '' : ` (until ${one.until})`}`,
        )
      : []),
    ...Object.entries(leftOut).map(([what, times]) => `left out ${what}: ${times}`),
    ...mendedLines(mended),
    ...refused.map((one) => `refused  ${one.at}: ${one.reason}`),
    'nobody was written to: `broadsheet reader invite --all` does that',
  ];
}

function countedJson({ readers, stories }: Counted): Record<string, unknown> {
  if (stories === undefined) return readers === undefined ? {} : readersJson(readers());
  return { ...storiesJson(stories()), ...(readers === undefined ? {} : { readers: readersJson(readers()) }) };
}

function storiesJson(report: ImportReport) {
  const { created, kept, leftOut, leftOutFirst, library, mended, pictures, picturesAhead } = report;
  const { refused, refusedCount, skipped, stories, updated } = report;
  return {
    created,
    updated,
    skipped,
    refused,
    refused_count: refusedCount,
    kept,
    left_out: leftOut,
    left_out_first: leftOutFirst,
    mended,
    stories: {
      sections: stories.sections,
      access: stories.access,
      states: stories.states,
      examples: stories.examples.map(({ publishedAt, ...one }) => ({ ...one, published_at: publishedAt })),
    },
    pictures: { library, ...pictures },
    ...(picturesAhead === undefined ? {} : { pictures_ahead: aheadJson(picturesAhead) }),
  };
}

function aheadJson({ missingFirst, toAsk, ...ahead }: PicturesAhead) {
  return { ...ahead, to_ask: toAsk, missing_first: missingFirst };
}

function readersJson({ leftOut, refusedCount, truncated: _, ...report }: ReadersReport) {
  return { ...report, refused_count: refusedCount, left_out: leftOut };
}
