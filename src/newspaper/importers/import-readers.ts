import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { CsvError, type Info, parse } from 'csv-parse';
import { type Grant, giveGrants, listGrants, type NewGrants, revokeGrants } from '#entitlements';
import { type Db, inTransaction, type Tx } from '#platform/db';
import { formatUuid } from '#platform/ids';
import { takeReadersIn } from '#readers';
import { checkFile, readBites } from './archive-file.ts';
import type { ImportNote } from './import-run.ts';
import { explainHeader, type NamedPlan, type ReadRow, readHeader, readReaderRow } from './readers-csv.ts';

/** Readers of one transaction. */
const AT_ONCE = 500;
/** No row of a list of readers is longer, in characters. */
const MOST_ROW = 200_000;
const MOST_TOLD = 10_000;

/** What became of the rows of a list of readers. */
export type ReadersReport = {
  /** Accounts that were opened. */
  readonly created: number;
  /** Accounts that were here, and were given a right or another one. */
  readonly updated: number;
  /** Accounts that were here and lack nothing. */
  readonly skipped: number;
  /** Of all of them, those who may use something beyond an account. */
  readonly granted: number;
  readonly refused: readonly ImportNote[];
  readonly refusedCount: number;
  readonly leftOut: Readonly<Record<string, number>>;
  /** What each column of the lists was taken for, in words. */
  readonly columns: Readonly<Record<string, string>>;
  /** The first of each outcome; the address as far as whoever has the list knows it again. */
  readonly examples: readonly ReaderExample[];
  readonly truncated: boolean;
};

export type ReaderExample = {
  readonly at: string;
  readonly outcome: Outcome;
  readonly reader: string;
  /** When a right ends that was given. */
  readonly until?: string;
};
type Outcome = 'created' | 'updated' | 'skipped';
/** Examples of each outcome. */
const MOST_EXAMPLES = 5;

export type ReadersOptions = {
  /** Under which name it is noted where they came from. */
  readonly source: string;
  readonly zone: string;
  /** Plans that a row may name; the first is that of a row with a right and no name. */
  readonly plans: readonly NamedPlan[];
  readonly now: Temporal.Instant;
  /** Only says what would happen. */
  readonly dryRun?: boolean;
  readonly onProgress?: (done: number) => void;
};

/**
 * Opens accounts for the readers of another system from lists as CSV (with commas, semicolons or tabs, plain or gzipped),
 * and gives them what they have paid for there. Nobody is written to. What is wrong is told with its line and the rest
 * arrives; running it again changes nothing, and a newer list changes until when somebody may read.
 *
 * @throws NotFound or Invalid when a file cannot be read at all
 */
export async function importReaders(
  db: Db,
  files: readonly string[],
  options: ReadersOptions,
): Promise<ReadersReport> {
  await Promise.all(files.map(checkFile));
  const run = new ReadersRun(db, options);
  for (const path of files) await readFile(run, path);
  return run.finish();
}

type Row = { readonly record: readonly string[]; readonly info: Info };

async function readFile(run: ReadersRun, path: string): Promise<void> {
  const name = basename(path);
  let cut: string | undefined;
  const bytes = async function* () {
    for await (const { bites, cut: why } of readBites(path)) {
      cut = why;
      for (const bite of bites) yield Buffer.from(bite);
    }
  };
  const rows = Readable.from(bytes()).pipe(
    parse({
      bom: true,
      delimiter: await separatorOf(path),
      info: true,
      max_record_size: MOST_ROW,
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
    }),
  );
  let header: readonly string[] | undefined;
  let columns: ReturnType<typeof readHeader>;
  try {
    for await (const { info, record } of rows as AsyncIterable<Row>) {
      if (header === undefined) {
        header = record;
        columns = readHeader(header);
        if (columns === undefined) {
          run.breakOff(name, 'its first line names no column "email"');
          return;
        }
        run.explain(explainHeader(header, columns));
      } else if (columns !== undefined) {
        await run.take(readReaderRow(header, columns, record, run.options), `${name}:${info.lines}`);
      }
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    run.breakOff(name, `it is not CSV any more: ${error.message.slice(0, 200)}`);
  }
  if (cut !== undefined) run.breakOff(name, cut);
}

/** What stands between the names of the first line: commas, or what spreadsheets of other countries write. */
async function separatorOf(path: string): Promise<string> {
  for await (const { bites } of readBites(path)) {
    const [line = ''] = (bites[0]?.toString('utf8', 0, 10_000) ?? '').split(/[\r\n]/);
    const times = (sign: string) => line.split(sign).length;
    return [',', ';', '\t'].reduce((most, sign) => (times(sign) > times(most) ? sign : most));
  }
  return ',';
}

type Taken = Extract<ReadRow, { kind: 'reader' }> & { readonly at: string };

class ReadersRun {
  readonly options: ReadersOptions;
  readonly #db: Db;
  readonly #counts = { created: 0, updated: 0, skipped: 0, granted: 0, refusedCount: 0 };
  readonly #refused: ImportNote[] = [];
  readonly #leftOut = new Map<string, number>();
  readonly #seen = new Map<string, string>();
  readonly #columns: Record<string, string> = {};
  readonly #examples: ReaderExample[] = [];
  #truncated = false;
  #batch: Taken[] = [];
  #done = 0;

  constructor(db: Db, options: ReadersOptions) {
    this.#db = db;
    this.options = options;
  }

  async take(row: ReadRow, at: string): Promise<void> {
    this.#done++;
    if (row.kind === 'refused') this.#refuse(at, row.reason);
    else if (row.kind === 'left-out') this.#leftOut.set(row.what, (this.#leftOut.get(row.what) ?? 0) + 1);
    else {
      const first = this.#seen.get(row.reader.email);
      if (first !== undefined) {
        this.#refuse(at, `the address stands already in ${first}`);
        return;
      }
      this.#seen.set(row.reader.email, at);
      if ('stripe_customer_id' in row.reader.extra && row.until === undefined)
        this.#leftOut.set(STRIPE, (this.#leftOut.get(STRIPE) ?? 0) + 1);
      this.#batch.push({ ...row, at });
      if (this.#batch.length === AT_ONCE) await this.#send();
    }
  }

  explain(columns: Readonly<Record<string, string>>): void {
    Object.assign(this.#columns, columns);
  }

  breakOff(at: string, reason: string): void {
    this.#truncated = true;
    this.#refuse(at, reason);
  }

  async finish(): Promise<ReadersReport> {
    await this.#send();
    const leftOut = Object.fromEntries(this.#leftOut);
    return {
      ...this.#counts,
      refused: this.#refused,
      leftOut,
      columns: this.#columns,
      examples: this.#examples,
      truncated: this.#truncated,
    };
  }

  #show(outcome: Outcome, { at, reader, until }: Taken, now: Temporal.Instant): void {
    if (this.#examples.filter((one) => one.outcome === outcome).length >= MOST_EXAMPLES) return;
    const right = isAhead(until, now) ? { until: String(until) } : {};
    this.#examples.push({ at, outcome, reader: hinted(reader.email), ...right });
  }

  #refuse(at: string, reason: string): void {
    this.#counts.refusedCount++;
    if (this.#refused.length < MOST_TOLD) this.#refused.push({ at, reason });
  }

  async #send(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    if (batch.length === 0) return;
    const { dryRun = false, now, source } = this.options;
    const outcomes = await inTransaction(this.#db, { keep: !dryRun }, (tx) => takeIn(tx, batch, source, now));
    for (const [at, outcome] of outcomes.entries()) {
      this.#counts[outcome]++;
      this.#show(outcome, batch[at] as Taken, now);
    }
    this.#counts.granted += batch.filter(({ until }) => isAhead(until, now)).length;
    this.options.onProgress?.(this.#done);
  }
}

/** So much of an address as tells whoever has the list which one it is, and nobody else. */
function hinted(email: string): string {
  return email.replace(/^(.)[^@]*/, '$1…');
}

/** Whoever pays there goes on paying there, and no list says until when they have. */
const STRIPE = 'paid subscription without a date (the account is opened, and may read nothing more)';

async function takeIn(
  tx: Tx,
  batch: readonly Taken[],
  source: string,
  now: Temporal.Instant,
): Promise<Outcome[]> {
  const taken = await takeReadersIn(
    tx,
    batch.map(({ reader }) => reader),
    source,
    now,
  );
  const given: NewGrants[] = [];
  const outcomes: Outcome[] = [];
  for (const [at, { benefits, until }] of batch.entries()) {
    const { id, isNew } = taken[at] as (typeof taken)[number];
    const sourceId = rightId(id);
    const before = isNew ? [] : await rightsFrom(tx, id, sourceId);
    const wanted = isAhead(until, now) ? benefits : [];
    const isSame =
      until === undefined ||
      (before.length === wanted.length &&
        before.every(
          (one) => wanted.includes(one.benefit) && Temporal.Instant.compare(one.until, until) === 0,
        ));
    if (until !== undefined && !isSame) {
      if (before.length > 0) await revokeGrants(tx, sourceId, 'a newer list of readers was imported', now);
      if (wanted.length > 0)
        given.push({ readerId: id, benefits: wanted, source: 'gift', sourceId, from: now, until });
    }
    // A list that says nothing of a right any more takes none away: it may be a list of something else.
    outcomes.push(isNew ? 'created' : isSame ? 'skipped' : 'updated');
  }
  await giveGrants(tx, given, now);
  return outcomes;
}

function isAhead(until: Temporal.Instant | undefined, now: Temporal.Instant): until is Temporal.Instant {
  return until !== undefined && Temporal.Instant.compare(until, now) > 0;
}

async function rightsFrom(tx: Tx, readerId: string, sourceId: string): Promise<Grant[]> {
  const grants = await listGrants(tx, readerId);
  return grants.filter((one) => one.sourceId === sourceId && one.revokedAt === undefined);
}

/** What stands behind a right that was brought from elsewhere: the same for a reader, however often a list is imported. */
function rightId(readerId: string): string {
  const bytes = createHash('sha256').update(`brought from elsewhere\n${readerId}`).digest().subarray(0, 16);
  return formatUuid(bytes);
}
