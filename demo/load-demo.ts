import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import {
  ACCESS_LEVELS,
  importStories,
  type LeadPicture,
  type StoryElement,
  type StoryInput,
  setSection,
} from '#content';
import { type ImportSettings, readRecord, recordDigest } from '#importers';
import type { Db } from '#platform/db';

/** The Courier's sections, in the order of its masthead. */
const SECTIONS = [
  [
    'nation',
    'Nation',
    'Samudra from the coast to the hills: cities, courts, transport and the people in between.',
  ],
  ['politics', 'Politics', 'The Assembly, the parties and the money, reported from both sides of the aisle.'],
  ['markets', 'Markets', 'The Kadalpur Exchange, the rupee, bonds, gold and what they mean for savings.'],
  [
    'business',
    'Business',
    'Companies large and small: who is building, who is borrowing and who is in trouble.',
  ],
  ['technology', 'Technology', 'Chips, networks and software, and what they change outside the laboratory.'],
  ['world', 'World', 'Ostravia, Qasira, the Marram Islands and everywhere else that news reaches us from.'],
  ['culture', 'Culture', 'Books, films, music, food and cricket, with opinions.'],
  ['opinion', 'Opinion', 'The Courier’s view, its columnists, and readers who disagree with both.'],
] as const;
const SECTION_SLUGS = SECTIONS.map(([slug]) => slug);

const duration = z.string().transform((text, context) => {
  try {
    return Temporal.Duration.from(text);
  } catch {
    context.addIssue({ code: 'custom', message: `"${text}" is not an ISO 8601 duration such as PT3H` });
    return z.NEVER;
  }
});
const line = z.string().trim().min(1);

/** What stands above a story in its file; demo/README.md tells each field. */
const frontMatterSchema = z.strictObject({
  id: line.regex(/^[a-z0-9]+(-[a-z0-9]+)*$/),
  headline: line,
  standfirst: line,
  kicker: line.optional(),
  section: z.enum(SECTION_SLUGS),
  authors: z.array(line).min(1),
  topics: z.array(line).min(1).max(4),
  access: z.enum(ACCESS_LEVELS),
  age: duration,
  lang: line.default('en'),
  picture: line.optional(),
  picture_alt: line.optional(),
  picture_caption: line.optional(),
  picture_credit: line.optional(),
  corrections: z.array(z.strictObject({ after: duration, text: line })).default([]),
});
type FrontMatter = z.output<typeof frontMatterSchema>;

export type DemoOptions = {
  readonly db: Db;
  /** The folder `demo`, with `stories` in it. */
  readonly folder: string;
  readonly settings: ImportSettings;
  /** The moment that the stories' ages are counted back from. */
  readonly now: Temporal.Instant;
  /** Takes in the artwork of this name and tells the picture's id. Without it the stories have no pictures. */
  readonly picture?: (name: string) => Promise<string>;
};

/**
 * Loads the demonstration newspaper: its sections, and the stories in `stories/*.md` through the path that every
 * imported record takes. Loading it again changes nothing.
 *
 * @returns the ids of the stories, as their files name them
 * @throws Error naming the file, when one is not what demo/README.md asks for
 */
export async function loadDemo(options: DemoOptions): Promise<string[]> {
  const { db, folder, now } = options;
  const stories = join(folder, 'stories');
  const names = (await readdir(stories)).filter((name) => name.endsWith('.md')).sort();
  const files = await Promise.all(
    names.map(async (name) => parse(name, await readFile(join(stories, name), 'utf8'))),
  );
  const pictures = await addPictures(files, options);
  for (const [index, [slug, name, description]] of SECTIONS.entries()) {
    await setSection(db, { slug, name, description, position: index + 1 });
  }
  const inputs = files.map((file) => toStory(file, pictures, options));
  for (let at = 0; at < inputs.length; at += 500) await importStories(db, inputs.slice(at, at + 500), now);
  return inputs.map((input) => input.sourceId);
}

type StoryFile = {
  readonly name: string;
  readonly text: string;
  readonly front: FrontMatter;
  readonly body: string;
};

function parse(name: string, text: string): StoryFile {
  const parts = text.match(/^---\n([\s\S]*?)\n---\n([\s\S]*)$/);
  if (!parts) throw new Error(`${name}: no front matter between two lines of ---`);
  const front = frontMatterSchema.safeParse(parseYaml(parts[1] ?? ''));
  if (!front.success) throw new Error(`${name}: ${z.prettifyError(front.error)}`);
  return { name, text, front: front.data, body: parts[2] ?? '' };
}

/** Each drawing is taken in once, however many stories it heads. */
async function addPictures(
  files: readonly StoryFile[],
  { picture }: DemoOptions,
): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  if (picture === undefined) return ids;
  for (const { front } of files) {
    if (front.picture !== undefined && !ids.has(front.picture)) {
      ids.set(front.picture, await picture(front.picture));
    }
  }
  return ids;
}

function toStory(
  { name, text, front, body }: StoryFile,
  pictures: ReadonlyMap<string, string>,
  { now, settings }: DemoOptions,
): StoryInput {
  const published = now.toZonedDateTimeISO(settings.zone).subtract(front.age);
  const { id, headline, standfirst, kicker, section, authors, topics, access, lang } = front;
  const record = {
    ...{ id, headline, standfirst, section, authors, topics, access, lang, body, body_format: 'markdown' },
    ...(kicker === undefined ? {} : { kicker }),
    published_at: published.toString({ timeZoneName: 'never' }),
    source: 'demo',
  };
  const read = readRecord(record, recordDigest(text), settings, now);
  if (read.kind === 'refused') throw new Error(`${name}: ${read.reason}`);
  const corrected = front.corrections.map(({ after, text }) => ({ at: published.add(after), text }));
  const last = corrected.reduce(
    (latest, { at }) => (Temporal.ZonedDateTime.compare(at, latest) > 0 ? at : latest),
    published,
  );
  const corrections: StoryElement[] = corrected.map(({ at, text }) => ({
    kind: 'correction',
    on: at.toPlainDate().toString(),
    text: [{ text }],
  }));
  const picture = leadPicture(front, pictures);
  return {
    ...read.story,
    body: [...read.story.body, ...corrections],
    updatedAt: last.toInstant(),
    ...(picture === undefined ? {} : { picture }),
  };
}

function leadPicture(front: FrontMatter, pictures: ReadonlyMap<string, string>): LeadPicture | undefined {
  const pictureId = front.picture === undefined ? undefined : pictures.get(front.picture);
  if (pictureId === undefined) return undefined;
  return {
    pictureId,
    alt: front.picture_alt ?? '',
    caption: front.picture_caption ?? '',
    credit: front.picture_credit ?? '',
  };
}
