import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { CsvError, type Info, parse } from 'csv-parse';
import { type Benefit, giveGrants, listGrants, type NewGrants, revokeGrants } from '#entitlements';
import { type Db, inTransaction, type Tx } from '#platform/db';
import { formatUuid } from '#platform/ids';
import { takeReadersIn } from '#readers';
import { Invalid } from '#values/errors';
import { latestOf } from '#values/instants';
import { checkFile, readBites } from './archive-file.ts';
import type { ImportNote } from './import-run.ts';
import { LenientUtf8 } from './lenient-utf8.ts';
import type { DateOrder } from './list-dates.ts';
import {
  explainHeader,
  hasDates,
  type NamedPlan,
  ordersIn,
  type ReadRow,
  type Rights,
  readHeader,
  readReaderRow,
} from './readers-csv.ts';

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
  /** Letters that were in Windows-1252, and were read as what they are. */
  readonly mended: number;
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
  /** Of the figures of dates; left out, whatever the dates of each list give away. */
  readonly order?: DateOrder | undefined;
  /** Only says what would happen. */
  readonly dryRun?: boolean;
  /** Given, as it begins, a way to ask what was counted so far: for whoever is to tell of an import that fails. */
  readonly onBegin?: (soFar: () => ReadersReport) => void;
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
  const order = run.options.order ?? (await orderOf(path));
  const settings = { ...run.options, order };
  const rows = new ListRows();
  let header: readonly string[] | undefined;
  let columns: ReturnType<typeof readHeader> = [];
  for await (const { info, record } of rows.of(path)) {
    if (header !== undefined) {
      await run.take(readReaderRow(header, columns, record, settings), `${name}:${info.lines}`);
      continue;
    }
    header = record;
    try {
      columns = readHeader(header);
    } catch (error) {
      if (!(error instanceof Invalid)) throw error;
      run.breakOff(name, error.message);
      return;
    }
    run.explain(explainHeader(header, columns, order));
  }
  run.mend(rows.mended);
  if (rows.cut !== undefined) run.breakOff(name, rows.cut);
}

/** Which of day and month comes first in the dates of a list, if they agree on it. */
async function orderOf(path: string): Promise<DateOrder | undefined> {
  let columns: ReturnType<typeof readHeader> | undefined;
  const orders = new Set<DateOrder>();
  try {
    for await (const { record } of new ListRows().of(path)) {
      columns ??= readHeader(record);
      if (!hasDates(columns)) return undefined;
      for (const order of ordersIn(columns, record)) orders.add(order);
    }
  } catch (error) {
    // Told when it is read for good.
    if (!(error instanceof Invalid)) throw error;
  }
  return orders.size === 1 ? [...orders][0] : undefined;
}

/** The rows of a list, and what is to be said of it when they were read. */
class ListRows {
  /** Why it cannot be read to its end. */
  cut: string | undefined;
  mended = 0;

  async *of(path: string): AsyncGenerator<Row> {
    const { isSaid, separator } = await separatorOf(path);
    const rows = Readable.from(this.#text(path)).pipe(
      parse({
        bom: true,
        delimiter: separator,
        from_line: isSaid ? 2 : 1,
        info: true,
        max_record_size: MOST_ROW,
        relax_column_count: true,
        relax_quotes: true,
        skip_empty_lines: true,
      }),
    );
    try {
      yield* rows as AsyncIterable<Row>;
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
      this.cut ??= `it is not CSV any more: ${error.message.slice(0, 200)}`;
    }
  }

  async *#text(path: string): AsyncGenerator<string> {
    const decoder = new LenientUtf8();
    for await (const { bites, cut } of readBites(path)) {
      this.cut = cut;
      for (const bite of bites) yield decoder.take(bite);
    }
    yield decoder.end();
    this.mended = decoder.mended;
  }
}

/** What stands between fields: as the first line says it (`sep=;`), or what stands between its names. */
async function separatorOf(path: string): Promise<{ separator: string; isSaid: boolean }> {
  for await (const { bites } of readBites(path)) {
    const [line = ''] = (bites[0]?.toString('utf8', 0, 10_000) ?? '').replace(/^\ufeff/, '').split(/[\r\n]/);
    const said = /^"?sep=([,;|\t])"?$/i.exec(line)?.[1];
    if (said !== undefined) return { separator: said, isSaid: true };
    const times = (sign: string) => line.split(sign).length;
    const separator = [',', ';', '\t'].reduce((most, sign) => (times(sign) > times(most) ? sign : most));
    return { separator, isSaid: false };
  }
  return { separator: ',', isSaid: false };
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
  #mended = 0;
  #truncated = false;
  #batch: Taken[] = [];
  #done = 0;

  constructor(db: Db, options: ReadersOptions) {
    this.#db = db;
    this.options = options;
    options.onBegin?.(() => this.#report());
  }

  async take(row: ReadRow, at: string): Promise<void> {
    this.#done++;
    if (row.kind === 'refused') this.#refuse(at, row.reason);
    else if (row.kind === 'left-out') this.#leaveOut(row.what);
    else {
      const first = this.#seen.get(row.reader.email);
      if (first !== undefined) {
        this.#refuse(at, `the address stands already in ${first}`);
        return;
      }
      this.#seen.set(row.reader.email, at);
      for (const what of row.left) this.#leaveOut(what);
      this.#batch.push({ ...row, at });
      if (this.#batch.length === AT_ONCE) await this.#send();
    }
  }

  /** So many more letters were in another encoding. */
  mend(letters: number): void {
    this.#mended += letters;
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
    return this.#report();
  }

  #report(): ReadersReport {
    const leftOut = Object.fromEntries(this.#leftOut);
    return {
      ...this.#counts,
      refused: this.#refused,
      leftOut,
      mended: this.#mended,
      columns: this.#columns,
      examples: this.#examples,
      truncated: this.#truncated,
    };
  }

  #leaveOut(what: string): void {
    this.#leftOut.set(what, (this.#leftOut.get(what) ?? 0) + 1);
  }

  #show(outcome: Outcome, { at, reader, rights }: Taken, now: Temporal.Instant): void {
    if (this.#examples.filter((one) => one.outcome === outcome).length >= MOST_EXAMPLES) return;
    const ends = [...aheadOf(rights, now).values()];
    const right = ends.length === 0 ? {} : { until: String(latestOf(ends)) };
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
    this.#counts.granted += batch.filter(({ rights }) => aheadOf(rights, now).size > 0).length;
    this.options.onProgress?.(this.#done);
  }
}

/** So much of an address as tells whoever has the list which one it is, and nobody else. */
function hinted(email: string): string {
  return email.replace(/^(.)[^@]*/, '$1…');
}

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
  for (const [at, { rights }] of batch.entries()) {
    const { id, isNew } = taken[at] as (typeof taken)[number];
    const sourceId = rightId(id);
    const before = isNew ? NONE : await rightsFrom(tx, id, sourceId);
    const wanted = aheadOf(rights, now);
    // A list that says nothing of a right any more takes none away: it may be a list of something else.
    const isSame = rights === undefined || isSameRights(before, wanted);
    if (!isSame) {
      if (before.size > 0) await revokeGrants(tx, [sourceId], 'a newer list of readers was imported', now);
      for (const [end, some] of Map.groupBy(wanted, ([, until]) => String(until)))
        given.push({
          readerId: id,
          benefits: some.map(([benefit]) => benefit),
          source: 'gift',
          sourceId,
          from: now,
          until: Temporal.Instant.from(end),
        });
    }
    outcomes.push(isNew ? 'created' : isSame ? 'skipped' : 'updated');
  }
  await giveGrants(tx, given, now);
  return outcomes;
}

const NONE: Rights = new Map();

/** Those of some rights that have not ended. */
function aheadOf(rights: Rights | undefined, now: Temporal.Instant): Rights {
  return new Map([...(rights ?? NONE)].filter(([, until]) => Temporal.Instant.compare(until, now) > 0));
}

function isSameRights(one: Rights, other: Rights): boolean {
  return (
    one.size === other.size &&
    [...one].every(([benefit, until]) => other.get(benefit)?.equals(until) === true)
  );
}

async function rightsFrom(tx: Tx, readerId: string, sourceId: string): Promise<Rights> {
  const grants = await listGrants(tx, readerId);
  return new Map(
    grants
      .filter((one) => one.sourceId === sourceId && one.revokedAt === undefined)
      .map((one): [Benefit, Temporal.Instant] => [one.benefit, one.until]),
  );
}

/** What stands behind a right that was brought from elsewhere: the same for a reader, however often a list is imported. */
function rightId(readerId: string): string {
  const bytes = createHash('sha256').update(`brought from elsewhere\n${readerId}`).digest().subarray(0, 16);
  return formatUuid(bytes);
}
