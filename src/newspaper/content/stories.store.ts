import { type RawBuilder, sql } from 'kysely';
import { z } from 'zod';
import { type Db, toInstant } from '#platform/db';
import { groupedOver } from '#platform/grouped';
import { elementsSchema } from './elements.ts';
import { isHere, type LeadPicture, leadPictureSchema } from './lead-picture.ts';
import type { Named, PreviewView, StoryCard, StoryHead } from './story.ts';

const named = z.object({ slug: z.string(), name: z.string() });
type HeadRow = {
  id: string;
  short_id: string;
  state: 'draft' | 'published' | 'withdrawn';
  live_at: string;
  published_at: string;
  section: string;
  slug: string;
  revision: number;
  access: string;
  parts: number;
  topics: string[] | null;
};

/** Finds a story by short id, many requests in one statement; undefined where no story has that id. */
export const findHead = groupedOver(
  async (db: Db, shortIds: string[]) => {
    const { rows } = await sql<HeadRow>`
        select s.id, s.short_id, s.state, s.live_at, s.published_at, s.section, s.slug, s.revision, s.access,
          r.parts, (select array_agg(t.topic_slug) from topics.story_topics t where t.story_id = s.id) as topics
        from content.stories s join content.revisions r on r.story_id = s.id and r.number = s.revision
        where s.short_id = any(${[...new Set(shortIds)]}::text[])`.execute(db);
    const heads = new Map(rows.map((row) => [row.short_id, toHead(row)]));
    return shortIds.map((shortId) => heads.get(shortId));
  },
  { most: 200, inFlight: 4 },
);

function toHead(row: HeadRow): StoryHead {
  return {
    id: row.id,
    shortId: row.short_id,
    state: row.state,
    liveAt: toInstant(row.live_at),
    liveFromMs: Math.ceil(Number(toInstant(row.live_at).epochNanoseconds) / 1e6),
    publishedAt: toInstant(row.published_at),
    section: row.section,
    slug: row.slug,
    revision: row.revision,
    level: row.access,
    empty: row.parts === 0,
    topics: row.topics ?? [],
  };
}

type CardRow = {
  id: string;
  short_id: string;
  section: string;
  section_name: string;
  slug: string;
  access: string;
  language: string;
  headline: string;
  standfirst: string;
  kicker: string;
  authors: unknown;
  picture: unknown;
  published_at: string;
  updated_at: string;
  live_at: string;
  words: number;
};

/** The columns of a card; for statements over `content.stories s`, its current revision `r` and its section `sec`. */
export const CARD_COLUMNS: RawBuilder<unknown> = sql`
  s.id, s.short_id, s.section, sec.name as section_name, s.slug, s.access, s.language, r.headline, r.standfirst,
  r.kicker, r.authors, r.picture, s.published_at, s.updated_at, s.live_at, r.words`;
export const CARD_TABLES: RawBuilder<unknown> = sql`
  content.stories s
  join content.revisions r on r.story_id = s.id and r.number = s.revision
  join content.sections sec on sec.slug = s.section`;

/** Reads a row of CARD_COLUMNS. */
export function toCard(row: CardRow): StoryCard {
  return {
    id: row.id,
    shortId: row.short_id,
    section: { slug: row.section, name: row.section_name },
    slug: row.slug,
    access: row.access,
    language: row.language,
    headline: row.headline,
    standfirst: row.standfirst,
    kicker: row.kicker,
    authors: z.array(named).parse(row.authors),
    picture: toLeadPicture(row.picture),
    publishedAt: toInstant(row.published_at),
    updatedAt: toInstant(row.updated_at),
    liveAt: toInstant(row.live_at),
    words: row.words,
  };
}

function toLeadPicture(stored: unknown): LeadPicture | undefined {
  if (stored === null) return undefined;
  const picture = leadPictureSchema.parse(stored);
  return isHere(picture) ? picture : undefined;
}

export type { CardRow };

/** What anybody may see of the current revision of a story; undefined when there is no such story. */
export const loadPreview = groupedOver(
  async (db: Db, storyIds: string[]): Promise<(PreviewView | undefined)[]> => {
    const { rows } = await sql<CardRow & { revision: number; preview: unknown; topics: unknown }>`
      select ${CARD_COLUMNS}, s.revision, r.preview,
        (select coalesce(json_agg(json_build_object('slug', t.slug, 'name', t.name) order by st.position), '[]')
         from topics.story_topics st join topics.topics t on t.slug = st.topic_slug
         where st.story_id = s.id) as topics
      from ${CARD_TABLES}
      where s.id = any(${storyIds}::uuid[])`.execute(db);
    const found = new Map(rows.map((row) => [row.id, row]));
    return storyIds.map((id) => {
      const row = found.get(id);
      if (row === undefined) return undefined;
      return {
        ...toCard(row),
        revision: row.revision,
        preview: elementsSchema.parse(row.preview),
        topics: z.array(named).parse(row.topics),
      };
    });
  },
  { most: 32, inFlight: 4 },
);

/** Which stories a list is of. Everything that is said must hold. */
export type StoryQuery = {
  readonly section?: string;
  /** An author's or a topic's: one of the two. */
  readonly author?: string;
  readonly topic?: string;
  /** Only stories that stand after this one in the list: the last of the page before. */
  readonly after?: { readonly liveAt: Temporal.Instant; readonly id: string };
  readonly since?: Temporal.Instant;
  readonly until?: Temporal.Instant;
  readonly limit: number;
  /** So many of the newest are passed over: for sitemaps, which no person pages through. */
  readonly skip?: number;
};

/** Stories that anybody may know of at `now`, newest first. */
export async function listStories(db: Db, query: StoryQuery, now: Temporal.Instant): Promise<StoryCard[]> {
  // An author's or a topic's stories are read from an index of their own, which knows when each went live.
  const [link, owner] =
    query.topic !== undefined
      ? [sql`join topics.story_topics own on own.story_id = s.id`, sql`own.topic_slug = ${query.topic}`]
      : query.author !== undefined
        ? [sql`join content.bylines own on own.story_id = s.id`, sql`own.author_slug = ${query.author}`]
        : [sql``, undefined];
  const [liveAt, id] =
    owner === undefined ? [sql`s.live_at`, sql`s.id`] : [sql`own.live_at`, sql`own.story_id`];
  const conditions = [sql`s.state = 'published'`, sql`${liveAt} <= ${now.toString()}`];
  if (owner !== undefined) conditions.push(owner);
  if (query.section !== undefined) conditions.push(sql`s.section = ${query.section}`);
  if (query.after !== undefined) {
    conditions.push(sql`(${liveAt}, ${id}) < (${query.after.liveAt.toString()}, ${query.after.id})`);
  }
  if (query.since !== undefined) conditions.push(sql`${liveAt} >= ${query.since.toString()}`);
  if (query.until !== undefined) conditions.push(sql`${liveAt} < ${query.until.toString()}`);
  const { rows } = await sql<CardRow>`
    select ${CARD_COLUMNS} from ${CARD_TABLES} ${link}
    where ${sql.join(conditions, sql` and `)}
    order by ${liveAt} desc, ${id} desc limit ${query.limit} offset ${query.skip ?? 0}`.execute(db);
  return rows.map(toCard);
}

/** Cards for these ids, as far as anybody may know of them at `now`, in the order of the ids. */
export async function storiesById(
  db: Db,
  ids: readonly string[],
  now: Temporal.Instant,
): Promise<StoryCard[]> {
  if (ids.length === 0) return [];
  const { rows } = await sql<CardRow>`
    select ${CARD_COLUMNS} from ${CARD_TABLES}
    where s.id = any(${ids}::uuid[]) and s.state = 'published' and s.live_at <= ${now.toString()}`.execute(
    db,
  );
  const cards = new Map(rows.map((row) => [row.id, toCard(row)]));
  return ids.flatMap((id) => cards.get(id) ?? []);
}

/** When the next story becomes visible after `now`: until then no list changes unless it is announced. */
export async function nextLiveAt(db: Db, now: Temporal.Instant): Promise<Temporal.Instant | undefined> {
  const { rows } = await sql<{ at: string | null }>`
    select min(live_at) as at from content.stories
    where state = 'published' and live_at > ${now.toString()}`.execute(db);
  const at = rows[0]?.at;
  return at == null ? undefined : toInstant(at);
}

/** How many stories are visible, by calendar month of the zone: `{ month: '2026-11', stories }`, newest first. */
export async function storiesByMonth(
  db: Db,
  zone: string,
  now: Temporal.Instant,
): Promise<{ month: string; stories: number; changedAt: Temporal.Instant }[]> {
  const { rows } = await sql<{ month: string; stories: number; changed_at: string }>`
    select to_char(live_at at time zone ${zone}, 'YYYY-MM') as month, count(*)::int as stories,
      max(greatest(updated_at, live_at)) as changed_at
    from content.stories where state = 'published' and live_at <= ${now.toString()}
    group by 1 order by 1 desc`.execute(db);
  return rows.map((row) => ({
    month: row.month,
    stories: row.stories,
    changedAt: toInstant(row.changed_at),
  }));
}

/** Sections that may be known, in the order of the masthead. */
export async function listSections(db: Db): Promise<(Named & { description: string })[]> {
  const { rows } = await sql<{ slug: string; name: string; description: string }>`
    select slug, name, description from content.sections where not hidden order by position, slug`.execute(
    db,
  );
  return rows;
}

export async function findAuthor(db: Db, slug: string): Promise<Named | undefined> {
  const { rows } = await sql<Named>`select slug, name from content.authors where slug = ${slug}`.execute(db);
  return rows[0];
}
