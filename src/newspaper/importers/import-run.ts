import { basename } from 'node:path';
import {
  findUnedited,
  type ImportOutcome,
  importStories,
  keepOldPlaces,
  learnStatistics,
  type OldPlace,
  type StoryInput,
  withdrawStory,
} from '#content';
import { type Attachment, keepAttachments } from '#media';
import { type Db, isUnavailable } from '#platform/db';
import type { ObjectStore } from '#platform/object-store';
import { type CallerError, Conflict } from '#values/errors';
import { bringPictures, type PicturesReport } from './bring-pictures.ts';
import { cleanText } from './clean-text.ts';
import { FirstPlaces } from './first-places.ts';
import type { PicturePlace } from './picture-places.ts';
import { PictureOutlook, type PicturesAhead } from './pictures-ahead.ts';
import type { ImportSettings, ReadRecord } from './story-record.ts';

/** Stories of one transaction: more make it no faster, and hold more in memory. */
const MOST_STORIES = 100;
/** The same in bytes of the file, for an archive of long stories. */
const MOST_BYTES = 1024 * 1024;
/** Old addresses of lists that are remembered, so that each is stored once. */
const MOST_PLACES = 50_000;
/** While the database writes one batch the next is converted. */
const IN_FLIGHT = 3;
/** So many refusals are told one by one; beyond, they are only counted. */
const MOST_TOLD = 10_000;

/** Failures that pass when a batch is simply tried again, and how often that is done. */
const AGAIN: Readonly<Record<string, number>> = {
  // Two batches that bring the same new topics may lock each other out.
  '40P01': 4,
  '40001': 4,
  // Another import has just stored the same story: it is known now. Or two stories drew the same short id.
  '23505': 1,
};

/** A place in a file, and what was wrong there. */
export type ImportNote = { readonly at: string; readonly reason: string };

/** A story that its source does not show any more, by what it is called there. */
export type TakenBack = { readonly source: string; readonly sourceId: string };

/** What became of the records of an import. */
export type ImportReport = {
  readonly created: number;
  readonly updated: number;
  /** Known already, and the same as before. */
  readonly skipped: number;
  readonly refused: readonly ImportNote[];
  /** How many were refused; more than the list holds when it is very long. */
  readonly refusedCount: number;
  /** Left alone, because somebody here has changed the story since it was imported. */
  readonly kept: readonly ImportNote[];
  /** What has no place in this paper, and how often it was met: `nav_menu_item`, `[gallery]`, `comment`. */
  readonly leftOut: Readonly<Record<string, number>>;
  /** Where each of these was met first, as far as it stands at a place: `site.xml:120`. */
  readonly leftOutFirst: Readonly<Record<string, string>>;
  /** Letters that were in Windows-1252 where the file said UTF-8, and were read as what they are. */
  readonly mended: number;
  /** Stories that were created or updated: how many of each section, level and state, and the first of them. */
  readonly stories: StoryCounts;
  /** Pictures that the archive's library knows of, whether or not a story shows them. */
  readonly library: number;
  readonly pictures: PicturesReport;
  /** What would become of the pictures that stories show; of a dry run alone. */
  readonly picturesAhead?: PicturesAhead;
  /** Whether a file could not be read to its end; its note among the refused says where it breaks off. */
  readonly truncated: boolean;
};

/** What kind of stories came, and what the first of them look like. */
export type StoryCounts = {
  readonly sections: Readonly<Record<string, number>>;
  readonly access: Readonly<Record<string, number>>;
  readonly states: Readonly<Record<string, number>>;
  readonly examples: readonly StoryExample[];
};
export type StoryExample = {
  readonly at: string;
  readonly outcome: 'created' | 'updated';
  readonly headline: string;
  readonly section: string;
  readonly access: string;
  readonly publishedAt: Temporal.Instant;
};
const MOST_EXAMPLES = 20;
/** An archive has a few dozen sections. */
const MOST_KINDS = 500;

export type ImportOptions = {
  readonly settings: ImportSettings;
  readonly now: Temporal.Instant;
  /** Where pictures are kept; left out, none is brought here. */
  readonly objects?: ObjectStore;
  /** Where the archive's pictures are to be had; left out, only those that came before are put into their stories. */
  readonly pictures?: PicturePlace;
  /** Only says what would happen: nothing is kept, and no picture read or asked for. */
  readonly dryRun?: boolean;
  /** Given, as it begins, a way to ask what was counted so far: for whoever is to tell of an import that fails. */
  readonly onBegin?: (soFar: () => ImportReport) => void;
  /** Told now and then how many records have been read, and then how many stories were given their pictures. */
  readonly onProgress?: (done: number, what: 'records' | 'stories with pictures') => void;
};

/** An import of this many stories changes what the database should know of its tables. */
const LARGE = 500;

/** Where a record stands: the number of its file among those of the run, and the line. */
export type Place = { readonly file: number; readonly line: number };

const NO_PICTURES: PicturesReport = { added: 0, stories: 0, elsewhere: 0, refused: [] };

type Placed = { readonly at: string; readonly story: StoryInput };

/**
 * One run of an import, whatever its records come from: batches are written while others are read, a record that the
 * database refuses is found out and refused alone, and everything is counted and told with its place.
 */
export class ImportRun {
  readonly #db: Db;
  readonly #options: ImportOptions;
  readonly #files: readonly string[];
  readonly #counts = { created: 0, updated: 0, skipped: 0, refused: 0 };
  readonly #refused: ImportNote[] = [];
  readonly #kept: ImportNote[] = [];
  readonly #leftOut = new Map<string, { times: number; first?: Place }>();
  /** By source and id; a place is the line and, in its remainder, the file. */
  readonly #seen = new FirstPlaces();
  #truncated = false;
  #mended = 0;
  #done = 0;
  #batch: Placed[] = [];
  #batchBytes = 0;
  readonly #writing = new Set<Promise<void>>();
  readonly #sources = new Set<string>();
  readonly #kinds = {
    sections: new Map<string, number>(),
    access: new Map<string, number>(),
    states: new Map<string, number>(),
  };
  readonly #examples: StoryExample[] = [];
  #library: Attachment[] = [];
  readonly #libraryKnown = new FirstPlaces();
  readonly #outlook: PictureOutlook | undefined;
  readonly #takenBack: TakenBack[] = [];
  #inLibrary = 0;
  #places: OldPlace[] = [];
  readonly #placed = new Set<string>();
  #pictures = NO_PICTURES;
  #picturesAhead: PicturesAhead | undefined;
  #failure: unknown;

  constructor(db: Db, options: ImportOptions, files: readonly string[]) {
    this.#db = db;
    this.#options = options;
    this.#files = files;
    this.#outlook = options.dryRun === true ? new PictureOutlook() : undefined;
    options.onBegin?.(() => this.#report());
  }

  get settings(): ImportSettings {
    return this.#options.settings;
  }

  get now(): Temporal.Instant {
    return this.#options.now;
  }

  /**
   * Takes a record in.
   *
   * @param place where it stands: in the file of this number, at this line
   * @param bytes how long it is
   */
  async take(record: ReadRecord, place: Place, bytes: number): Promise<void> {
    const at = this.#nameOf(place);
    if (record.kind === 'refused') {
      this.refuse(at, record.reason);
      return;
    }
    const first = this.#firstPlace(record.story, place);
    if (first !== undefined) {
      this.refuse(at, `the id ${JSON.stringify(record.story.sourceId)} stands already in ${first}`);
      return;
    }
    this.#sources.add(record.story.source);
    this.#batch.push({ at, story: record.story });
    this.#batchBytes += bytes;
    if (this.#batch.length === MOST_STORIES || this.#batchBytes >= MOST_BYTES) await this.#send();
  }

  /** Takes in what the archive's library says of a file, by each of its addresses. */
  async takeAttachments(given: readonly Attachment[]): Promise<void> {
    this.#inLibrary++;
    // Files are read the newest first: what an older one says of the same picture does not count.
    const attachments = given.filter(({ address }) => this.#libraryKnown.note(address, 0) === undefined);
    this.#outlook?.knowLibrary(attachments);
    this.#library.push(...attachments);
    if (this.#library.length >= MOST_STORIES) await this.#keepLibrary();
  }

  /** Takes in where lists and other pages of the archive's site stood. */
  async takePlaces(places: readonly OldPlace[]): Promise<void> {
    for (const place of places) {
      if (this.#placed.has(place.path)) continue;
      // Lists are named again by story after story; beyond this many, the database finds out that it knows one.
      if (this.#placed.size < MOST_PLACES) this.#placed.add(place.path);
      this.#places.push(place);
    }
    if (this.#places.length >= MOST_STORIES) await this.#keepPlaces();
  }

  /** Something cannot be taken in, for a reason. */
  refuse(at: string, reason: string): void {
    this.#counts.refused++;
    if (this.#refused.length < MOST_TOLD) this.#refused.push({ at, reason });
  }

  /** Something has no place in this paper; what stands at an earlier place may be told later. */
  leaveOut(what: string, times = 1, place?: Place): void {
    const name = cleanText(what).slice(0, 60);
    const before = this.#leftOut.get(name);
    // An archive has a few dozen kinds; one that makes up more must not fill the memory.
    if (before === undefined && this.#leftOut.size >= 1_000) return;
    const first = earlier(before?.first, place);
    this.#leftOut.set(name, {
      times: (before?.times ?? 0) + times,
      ...(first === undefined ? {} : { first }),
    });
  }

  /** A story is not to be public any more: withdrawn, where it was brought here before and was not edited since. */
  takeBack(story: TakenBack, place: Place): void {
    // An older version in another file does not count any more.
    if (this.#firstPlace(story, place) === undefined) this.#takenBack.push(story);
  }

  /** So many more letters were not in the encoding that the file says. */
  mend(letters: number): void {
    this.#mended += letters;
  }

  /** A file breaks off, or cannot be read on. */
  breakOff(file: number, reason: string): void {
    this.#truncated = true;
    this.refuse(basename(this.#files[file] ?? ''), reason);
  }

  /** So many more records have been read. */
  progress(more: number): void {
    this.#done += more;
    this.#options.onProgress?.(this.#done, 'records');
  }

  async finish(): Promise<ImportReport> {
    await this.#send();
    while (this.#writing.size > 0) await Promise.race(this.#writing);
    if (this.#failure !== undefined) throw this.#failure;
    await this.#keepLibrary();
    await this.#keepPlaces();
    await this.#withdraw();
    if (!this.#isDry && this.#counts.created + this.#counts.updated >= LARGE) await learnStatistics(this.#db);
    this.#pictures = await this.#bringPictures();
    this.#picturesAhead = await this.#outlook?.tell(this.#db, this.#options.pictures);
    return this.#report();
  }

  #report(): ImportReport {
    const { refused: refusedCount, ...counts } = this.#counts;
    return {
      ...counts,
      refused: this.#refused,
      refusedCount,
      kept: this.#kept,
      ...this.#toldLeftOut(),
      mended: this.#mended,
      stories: {
        sections: Object.fromEntries(this.#kinds.sections),
        access: Object.fromEntries(this.#kinds.access),
        states: Object.fromEntries(this.#kinds.states),
        examples: this.#examples,
      },
      library: this.#inLibrary,
      pictures: this.#pictures,
      ...(this.#picturesAhead === undefined ? {} : { picturesAhead: this.#picturesAhead }),
      truncated: this.#truncated,
    };
  }

  get #isDry(): boolean {
    return this.#options.dryRun === true;
  }

  #toldLeftOut(): Pick<ImportReport, 'leftOut' | 'leftOutFirst'> {
    const all = [...this.#leftOut];
    return {
      leftOut: Object.fromEntries(all.map(([what, { times }]) => [what, times])),
      leftOutFirst: Object.fromEntries(
        all.flatMap(([what, { first }]) => (first === undefined ? [] : [[what, this.#nameOf(first)]])),
      ),
    };
  }

  async #keepLibrary(): Promise<void> {
    const library = this.#library;
    this.#library = [];
    if (this.#isDry) return;
    await keepAttachments(this.#db, library);
  }

  async #keepPlaces(): Promise<void> {
    const places = this.#places;
    this.#places = [];
    if (this.#isDry) return;
    await keepOldPlaces(this.#db, places);
  }

  async #withdraw(): Promise<void> {
    for (const [source, all] of Map.groupBy(this.#takenBack, (one) => one.source)) {
      const ids = await findUnedited(
        this.#db,
        source,
        all.map(({ sourceId }) => sourceId),
      );
      if (ids.length > 0) this.leaveOut('story withdrawn here: it was thrown away there', ids.length);
      if (this.#isDry) continue;
      for (const id of ids) await withdrawStory(this.#db, id, 'thrown away where it came from', this.now);
    }
  }

  async #bringPictures(): Promise<PicturesReport> {
    const { now, objects, onProgress, pictures } = this.#options;
    if (objects === undefined || this.#isDry) return NO_PICTURES;
    return bringPictures(
      { db: this.#db, objects },
      {
        sources: [...this.#sources],
        now,
        ...(pictures === undefined ? {} : { place: pictures }),
        onProgress: (soFar) => {
          this.#pictures = soFar;
          onProgress?.(soFar.stories, 'stories with pictures');
        },
      },
    );
  }

  #nameOf({ file, line }: Place): string {
    return `${basename(this.#files[file] ?? '')}:${line}`;
  }

  /** Where a story of this source and id stood before in this run. */
  #firstPlace(story: TakenBack, { file, line }: Place): string | undefined {
    const files = this.#files.length;
    const first = this.#seen.note(`${story.source}\n${story.sourceId}`, line * files + file);
    if (first === undefined) return undefined;
    return this.#nameOf({ file: first % files, line: Math.floor(first / files) });
  }

  async #send(): Promise<void> {
    if (this.#batch.length > 0) {
      const batch = this.#batch;
      this.#batch = [];
      this.#batchBytes = 0;
      const writing: Promise<void> = this.#write(batch)
        .catch((error: unknown) => {
          this.#failure ??= error;
        })
        .finally(() => this.#writing.delete(writing));
      this.#writing.add(writing);
    }
    while (this.#writing.size >= IN_FLIGHT) await Promise.race(this.#writing);
    if (this.#failure !== undefined) {
      await Promise.all(this.#writing);
      throw this.#failure;
    }
  }

  /** Writes a batch; when the database refuses it, halves it until the record that is to blame stands alone. */
  async #write(batch: readonly Placed[]): Promise<void> {
    let outcomes: ImportOutcome[];
    try {
      outcomes = await this.#tryWrite(batch);
      for (const { story } of batch) this.#outlook?.show(story);
    } catch (error) {
      if (isUnavailable(error)) throw this.#interrupted(error);
      if (!isAboutRecord(error)) throw error;
      const [only] = batch;
      if (batch.length === 1 && only !== undefined) {
        this.refuse(only.at, `the database refused it: ${error.message}`);
        return;
      }
      const half = batch.length >> 1;
      await this.#write(batch.slice(0, half));
      await this.#write(batch.slice(half));
      return;
    }
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome === 'unchanged') this.#counts.skipped++;
      else if (outcome === 'kept') {
        const at = batch[index]?.at ?? '';
        this.#kept.push({ at, reason: 'changed here since it was imported, so it was left as it is' });
      } else {
        this.#counts[outcome]++;
        this.#note(outcome, batch[index] as Placed);
      }
    }
  }

  #note(outcome: 'created' | 'updated', { at, story }: Placed): void {
    const { access, headline, publishedAt, section, state = 'published' } = story;
    const isScheduled = Temporal.Instant.compare(publishedAt, this.now) > 0;
    count(this.#kinds.sections, section.slug);
    count(this.#kinds.access, access);
    count(this.#kinds.states, state === 'published' && isScheduled ? 'scheduled' : state);
    if (this.#examples.length < MOST_EXAMPLES)
      this.#examples.push({ at, outcome, headline, section: section.slug, access, publishedAt });
  }

  async #tryWrite(batch: readonly Placed[]): Promise<ImportOutcome[]> {
    const stories = batch.map((one) => one.story);
    for (let attempt = 1; ; attempt++) {
      try {
        return await importStories(this.#db, stories, this.#options.now, { keep: !this.#isDry });
      } catch (error) {
        const again = AGAIN[sqlState(error)] ?? 0;
        if (attempt > again) throw error;
      }
    }
  }

  #interrupted(cause: unknown): CallerError {
    const { created, updated } = this.#counts;
    return new Conflict(
      'database-unavailable',
      `the database cannot be reached; ${created + updated} stories were stored before. ` +
        'Run the same import again: it goes on where it stopped',
      { cause },
    );
  }
}

function earlier(one: Place | undefined, other: Place | undefined): Place | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return other.file < one.file || (other.file === one.file && other.line < one.line) ? other : one;
}

function count(kinds: Map<string, number>, kind: string): void {
  if (kinds.has(kind) || kinds.size < MOST_KINDS) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
}

function sqlState(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Whether a failure is due to what a record holds: bad data, a broken constraint, something too large or too deep. */
function isAboutRecord(error: unknown): error is Error {
  return error instanceof RangeError || /^(?:22|23|54)/.test(sqlState(error));
}
