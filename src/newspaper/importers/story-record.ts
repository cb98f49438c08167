import { hash } from 'node:crypto';
import { z } from 'zod';
import {
  ACCESS_LEVELS,
  type AccessLevel,
  elementsSchema,
  isSafeHref,
  type Named,
  oldAddress,
  type StoryElement,
  type StoryInput,
} from '#content';
import { parseJson } from '#values/json';
import { elsewhere } from './addresses.ts';
import { plainWords } from './blocks.ts';
import { cleanText, oneLine } from './clean-text.ts';
import { type HtmlOptions, htmlToElements } from './html.ts';
import { markdownLine, markdownToElements } from './markdown.ts';
import { textToElements } from './plain-text.ts';
import { readDate } from './record-dates.ts';
import { GENERAL, RESERVED_SLUGS, toNamed, toSection } from './sections.ts';

/**
 * Part of every digest, up to 255. A conversion that reads the same record differently gets the next number, so that
 * importing an archive again brings its stories up to date.
 */
const CONVERTER_VERSION = 4;

/** The longest body, in characters: a large novel. What is larger is a mistake of whoever wrote the file. */
export const MOST_BODY = 4 * 1024 * 1024;
const MOST_HEADLINE = 500;
const MOST_STANDFIRST = 20_000;
const MOST_ID = 500;
const MOST_NAMES = 20;

/** What the paper settles where a record is silent. */
export type ImportSettings = {
  /** The paper's IANA zone: dates without one are its local time. */
  readonly zone: string;
  readonly language: string;
  readonly defaultAccess: AccessLevel;
};

/** A record read: the story to keep, or why it cannot be one. */
export type ReadRecord =
  | { readonly kind: 'story'; readonly story: StoryInput }
  | { readonly kind: 'refused'; readonly reason: string };

const blankAsAbsent = z
  .union([z.string(), z.null()])
  .transform((text) => (text === null || text.trim() === '' ? undefined : text))
  .optional();
const SLUG = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const namedSchema = z.object({
  slug: z.string().max(100).regex(SLUG),
  name: z.string().trim().min(1).max(200),
});
const one = z.union([z.string(), z.null(), namedSchema]);
const names = z
  .union([one, z.array(one)])
  .transform((given) => (Array.isArray(given) ? given : [given]))
  .optional();

const SHORT_ID = /^[0-9a-z]{10}$/;
const words200 = z.string().max(2_000).default('');
const pictureSchema = z.object({
  url: z.string().refine(isSafeHref),
  alt: words200,
  caption: words200,
  credit: words200,
});

/** One line of `ndjson`, as docs/contracts describes it. What it does not name is kept beside the story. */
const recordSchema = z.looseObject({
  id: z.union([z.string(), z.number()]).transform((id) => String(id).trim()),
  headline: z.string(),
  body: z.union([z.string(), z.null()]).optional(),
  body_format: z
    .enum(['html', 'markdown', 'text'])
    .nullish()
    .transform((format) => format ?? 'html'),
  published_at: z.string(),
  updated_at: blankAsAbsent,
  embargo: blankAsAbsent,
  standfirst: blankAsAbsent,
  preview: blankAsAbsent,
  kicker: blankAsAbsent,
  section: z.union([blankAsAbsent, namedSchema]).optional(),
  authors: names,
  topics: names,
  access: z.union([z.enum(ACCESS_LEVELS), z.null()]).optional(),
  state: z.union([z.enum(['published', 'draft', 'withdrawn']), z.null()]).optional(),
  withdrawn_reason: blankAsAbsent,
  // What a paper of this kind says of its own stories, so that they are the same in another.
  short_id: z.union([z.string().regex(SHORT_ID), z.null()]).optional(),
  old_addresses: z.union([z.array(z.string()).max(100), z.null()]).optional(),
  elements: z.union([elementsSchema, z.null()]).optional(),
  preview_elements: z.union([elementsSchema, z.null()]).optional(),
  picture: z.union([pictureSchema, z.null()]).optional(),
  lang: blankAsAbsent,
  url: blankAsAbsent,
  source: blankAsAbsent,
});
type StoryRecord = z.output<typeof recordSchema>;

/**
 * Reads one line of `ndjson`.
 *
 * @param bytes the line in UTF-8, from which the digest is made
 */
export function readLine(bytes: Buffer, settings: ImportSettings, now: Temporal.Instant): ReadRecord {
  let record: unknown;
  try {
    record = parseJson(bytes.toString('utf8'));
  } catch (error) {
    const why = error instanceof Error ? cleanText(error.message.slice(0, 80)) : '';
    return { kind: 'refused', reason: `not JSON: ${why}` };
  }
  if (typeof record !== 'object' || record === null || Array.isArray(record)) {
    return { kind: 'refused', reason: 'not a JSON object' };
  }
  return readRecord(record, recordDigest(bytes), settings, now);
}

/** The digest under which a record is remembered: of its own text, behind the version of how this program reads it. */
export function recordDigest(record: string | Buffer): Buffer {
  return Buffer.concat([Buffer.of(CONVERTER_VERSION), hash('sha256', record, 'buffer')]);
}

/** What a format knows of its bodies beyond the record. */
export type RecordBody = Pick<HtmlOptions, 'lineEnds'> & {
  /** The body, where the record's own field is not it; made when it is first asked for. */
  readonly read?: () => readonly StoryElement[];
  /** What stands before the wall. */
  readonly preview?: readonly StoryElement[];
};

/**
 * Turns a record into a story. The body is converted when it is first asked for: a story that has not changed since
 * the last import never is.
 */
export function readRecord(
  record: object,
  digest: Buffer,
  settings: ImportSettings,
  now: Temporal.Instant,
  body: RecordBody = {},
): ReadRecord {
  const parsed = recordSchema.safeParse(record, { reportInput: true });
  if (!parsed.success) return refused(sayWhy(parsed.error.issues[0]));
  const given = parsed.data;
  if (given.id === '') return refused('id is blank');
  if (given.id.length > MOST_ID || cleanText(given.id) !== given.id) {
    return refused(`id is longer than ${MOST_ID} characters or has control characters`);
  }
  const markup = given.body ?? '';
  const tooLong = firstTooLong(given, markup);
  if (tooLong !== undefined) return refused(tooLong);
  // A paper of this kind says its words plainly.
  const wordFormat = given.elements == null ? given.body_format : 'text';
  const headline = words(given.headline, wordFormat);
  if (headline === '') return refused('headline is blank');
  if (headline.length > MOST_HEADLINE) return refused(`headline has more than ${MOST_HEADLINE} characters`);

  const published = readDate(given.published_at, settings.zone, now);
  if (published.kind === 'refused') return refused(`published_at ${published.reason}`);
  const updated = given.updated_at === undefined ? published : readDate(given.updated_at, settings.zone, now);
  if (updated.kind === 'refused') return refused(`updated_at ${updated.reason}`);
  const embargo = given.embargo === undefined ? undefined : readDate(given.embargo, settings.zone, now);
  if (embargo?.kind === 'refused') return refused(`embargo ${embargo.reason}`);
  const language = given.lang === undefined ? settings.language : languageTag(given.lang);
  if (language === undefined)
    return refused(`lang ${quoted(given.lang)} is not a language tag such as en or hi-IN`);
  const extra = readExtra(given);
  if (extra === TANGLED) return refused('fields beside the story are nested too deep');

  const originUrl = given.url === undefined ? undefined : elsewhere(given.url);
  const html = body.lineEnds === undefined ? {} : { lineEnds: body.lineEnds };
  const options = originUrl === undefined ? html : { ...html, base: originUrl };
  const convert = (text: string) => toElements(text, given.body_format, options);
  const isLater = Temporal.Instant.compare(updated.at, published.at) > 0;
  const story = {
    headline,
    standfirst: given.standfirst === undefined ? '' : words(given.standfirst, wordFormat),
    kicker: given.kicker === undefined ? '' : oneLine(given.kicker).slice(0, 80),
    section: sectionOf(given.section),
    access: given.access ?? settings.defaultAccess,
    ...(given.state === 'draft' || given.state === 'withdrawn' ? { state: given.state } : {}),
    ...(given.withdrawn_reason === undefined ? {} : { withdrawnReason: given.withdrawn_reason }),
    ...(given.short_id == null ? {} : { shortId: given.short_id }),
    ...(given.old_addresses == null
      ? {}
      : { oldAddresses: given.old_addresses.flatMap((one) => kept(one) ?? []) }),
    ...(given.picture == null ? {} : { picture: given.picture }),
    authors: named(given.authors ?? []),
    topics: named(given.topics ?? []),
    language,
    publishedAt: published.at,
    updatedAt: isLater ? updated.at : published.at,
    ...(embargo === undefined ? {} : { embargoUntil: embargo.at }),
    ...(originUrl === undefined ? {} : { originUrl }),
    ...(extra === undefined ? {} : { extra }),
    source: oneLine(given.source ?? 'ndjson').slice(0, 200),
    sourceId: given.id,
    digest,
  };
  const preview =
    body.preview ??
    given.preview_elements ??
    (given.preview === undefined ? undefined : convert(given.preview));
  const { elements } = given;
  const readBody = elements == null ? () => convert(markup) : () => elements;
  return {
    kind: 'story',
    story: withLateBody(preview === undefined ? story : { ...story, preview }, body.read ?? readBody),
  };
}

/** By name or slug; or as another paper of this kind has it, unless a page of this one stands there. */
function sectionOf(given: StoryRecord['section']): Named {
  if (given === undefined) return GENERAL;
  if (typeof given === 'string') return toSection(given);
  return RESERVED_SLUGS.has(given.slug) ? toSection(given.name) : given;
}

/** An old address as it is kept; `/?p=47` is one by number. */
function kept(address: string): string | undefined {
  const number = /^\/\?p=(\d{1,18})$/.exec(address)?.[1];
  return oldAddress(number === undefined ? encodeURI(address) : '/', number);
}

function refused(reason: string): ReadRecord {
  return { kind: 'refused', reason };
}

/** The first complaint of the schema, in words that name the field and what would be right. */
function sayWhy(issue: z.core.$ZodIssue | undefined): string {
  const field = String(issue?.path[0] ?? 'record');
  const value = issue?.input;
  if (value === undefined) return `${field} is missing`;
  if (field === 'access') return `access ${quoted(value)} is not one of ${ACCESS_LEVELS.join(', ')}`;
  if (field === 'state') return `state ${quoted(value)} is not one of published, draft, withdrawn`;
  if (field === 'elements' || field === 'preview_elements')
    return `${field} is no list of a story’s elements`;
  if (field === 'picture' || field === 'short_id' || field === 'old_addresses')
    return `${field} is not what docs/contracts says of it`;
  if (field === 'body_format') return `body_format ${quoted(value)} is not one of html, markdown, text`;
  const kind = field === 'authors' || field === 'topics' ? 'a list of names' : 'text';
  const given =
    value === null
      ? 'null'
      : Array.isArray(value)
        ? 'a list'
        : `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`;
  return `${field} is not ${kind} but ${given}`;
}

function quoted(value: unknown): string {
  return JSON.stringify(cleanText(typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 40));
}

function firstTooLong(given: StoryRecord, body: string): string | undefined {
  const limits: [string, string | undefined, number][] = [
    // Beside `elements` it is there for other programs, and not read.
    ['body', given.elements == null ? body : '', MOST_BODY],
    ['preview', given.preview, MOST_BODY],
    ['standfirst', given.standfirst, MOST_STANDFIRST],
    ['headline', given.headline, 20 * MOST_HEADLINE],
  ];
  for (const [field, text, most] of limits) {
    if (text !== undefined && text.length > most) {
      return `${field} of ${inUnits(text.length)} characters is over the limit of ${inUnits(most)}`;
    }
  }
  return undefined;
}

function inUnits(characters: number): string {
  return characters >= 1_000_000 ? `${(characters / 1_048_576).toFixed(1)} million` : String(characters);
}

function withLateBody<Story>(
  story: Story,
  convert: () => readonly StoryElement[],
): Story & { readonly body: readonly StoryElement[] } {
  let body: readonly StoryElement[] | undefined;
  return Object.defineProperty(story, 'body', {
    enumerable: true,
    get: () => {
      body ??= convert();
      return body;
    },
  }) as Story & { readonly body: readonly StoryElement[] };
}

/** A body or preview as typed elements. Addresses in it are completed with the address of the page it came from. */
function toElements(
  text: string,
  format: 'html' | 'markdown' | 'text',
  options: HtmlOptions,
): StoryElement[] {
  if (text.trim() === '') return [];
  if (format === 'html') return htmlToElements(text, options);
  return format === 'markdown' ? markdownToElements(text, options) : textToElements(text);
}

/** Tags and entities that slip into headlines; any other `<word>` in one is meant to be read. */
const MARKUP =
  /<\/?(?:p|br|b|i|em|strong|u|a|span|font|small|sup|sub|q|cite|abbr|code)\b[^<>]*>|&(?:[a-z]{2,8}|#\d{2,6}|#x[0-9a-f]{2,5});/i;
const MARKDOWN = /\*\*|\]\(|(?:^|\W)[_*`]\w/;

/** A headline or standfirst as plain words, whatever its source put into it. */
function words(text: string, format: 'html' | 'markdown' | 'text'): string {
  if (format === 'text') return oneLine(text);
  const html = format === 'markdown' && MARKDOWN.test(text) ? markdownLine(text) : text;
  return MARKUP.test(html) ? plainWords(htmlToElements(html)) : oneLine(html);
}

function named(given: readonly (string | Named | null)[]): Named[] {
  const bySlug = new Map<string, Named>();
  for (const one of given) {
    const it = typeof one === 'string' || one === null ? toNamed(one ?? '') : one;
    if (it.name !== '' && !bySlug.has(it.slug)) bySlug.set(it.slug, it);
    if (bySlug.size === MOST_NAMES) break;
  }
  return [...bySlug.values()];
}

const languages = new Map<string, string>();

/** The tag as BCP 47 writes it, or undefined. */
function languageTag(given: string): string | undefined {
  const known = languages.get(given);
  if (known !== undefined) return known;
  try {
    const [tag] = Intl.getCanonicalLocales(given.trim().replaceAll('_', '-'));
    if (tag !== undefined && languages.size < 1_000) languages.set(given, tag);
    return tag;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const FIELDS = new Set(Object.keys(recordSchema.shape));
const TANGLED = Symbol('nested too deep');
/** Escapes that JSON allows and PostgreSQL's jsonb refuses: U+0000, and halves of a surrogate pair. */
const REFUSED_BY_JSONB = /\\u(?:0000|d[89a-f][0-9a-f]{2})/i;

/** The fields this program has no name for. */
function readExtra(given: StoryRecord): Record<string, unknown> | typeof TANGLED | undefined {
  const entries = Object.entries(given).filter(([name]) => !FIELDS.has(name));
  if (entries.length === 0) return undefined;
  const extra = Object.fromEntries(entries);
  try {
    const text = JSON.stringify(extra);
    if (!REFUSED_BY_JSONB.test(text)) return extra;
    // Every backslash is one of a pair or begins an escape, so reading in twos finds the real ones.
    return JSON.parse(
      text.replace(/\\(?:u0000|ud[89a-f][0-9a-f]{2}|[\s\S])/gi, (found) => (found.length === 2 ? found : '')),
    );
  } catch (error) {
    if (error instanceof RangeError) return TANGLED;
    throw error;
  }
}
