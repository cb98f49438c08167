import { sql } from 'kysely';
import { z } from 'zod';
import { type Db, toInstant } from '#platform/db';
import { wholeBodies } from './bodies.store.ts';
import { elementsSchema, type StoryElement } from './elements.ts';
import { isHere, type LeadPicture, leadPictureSchema, type PictureElsewhere } from './lead-picture.ts';
import type { Named } from './story.ts';

/** A story with everything that it is now; its earlier revisions are not part of it. */
export type WholeStory = {
  readonly id: string;
  readonly shortId: string;
  readonly state: 'draft' | 'published' | 'withdrawn';
  readonly withdrawnReason: string;
  readonly headline: string;
  readonly standfirst: string;
  readonly kicker: string;
  readonly section: Named;
  readonly slug: string;
  readonly access: string;
  readonly language: string;
  readonly authors: readonly Named[];
  readonly topics: readonly Named[];
  readonly picture: LeadPicture | PictureElsewhere | undefined;
  readonly preview: readonly StoryElement[];
  readonly body: readonly StoryElement[];
  readonly publishedAt: Temporal.Instant;
  readonly updatedAt: Temporal.Instant;
  readonly embargoUntil: Temporal.Instant | undefined;
  readonly source: string | undefined;
  readonly sourceId: string | undefined;
  readonly originUrl: string | undefined;
  readonly extra: Readonly<Record<string, unknown>>;
  readonly oldAddresses: readonly string[];
};

type WholeRow = {
  id: string;
  short_id: string;
  state: WholeStory['state'];
  withdrawn_reason: string;
  revision: number;
  headline: string;
  standfirst: string;
  kicker: string;
  section: string;
  section_name: string;
  slug: string;
  access: string;
  language: string;
  authors: unknown;
  topics: unknown;
  picture: unknown;
  preview: unknown;
  published_at: string;
  updated_at: string;
  embargo_until: string | null;
  source: string | null;
  source_id: string | null;
  origin_url: string | null;
  extra: Record<string, unknown> | null;
  stood: string[];
};

const PAGE = 200;
const named = z.array(z.object({ slug: z.string(), name: z.string() }));

/**
 * Every story, whatever its state and with its body, oldest first, some at a time. For an operator who takes the paper
 * elsewhere: no surface may ask this (scripts/import-rules.mjs).
 */
export async function* wholeStories(db: Db): AsyncGenerator<readonly WholeStory[]> {
  let after = { publishedAt: '-infinity', shortId: '' };
  for (;;) {
    const { rows } = await sql<WholeRow>`
      select s.id, s.short_id, s.state, s.withdrawn_reason, s.revision, r.headline, r.standfirst, r.kicker, s.section,
        sec.name as section_name, s.slug, s.access, s.language, r.authors, r.picture, r.preview, s.published_at,
        s.updated_at, s.embargo_until, s.source, s.source_id, s.origin_url, s.extra,
        (select coalesce(json_agg(json_build_object('slug', t.slug, 'name', t.name) order by st.position), '[]')
         from topics.story_topics st join topics.topics t on t.slug = st.topic_slug where st.story_id = s.id) as topics,
        array(select path from content.old_addresses o where o.story_id = s.id order by path) as stood
      from content.stories s
        join content.revisions r on r.story_id = s.id and r.number = s.revision
        join content.sections sec on sec.slug = s.section
      where (s.published_at, s.short_id) > (${after.publishedAt}::timestamptz, ${after.shortId})
      order by s.published_at, s.short_id limit ${PAGE}`.execute(db);
    const last = rows.at(-1);
    if (last === undefined) return;
    const bodies = await wholeBodies(db, rows);
    yield rows.map((row) => toWhole(row, bodies.get(row.id) ?? []));
    after = { publishedAt: last.published_at, shortId: last.short_id };
  }
}

function toWhole(row: WholeRow, body: readonly StoryElement[]): WholeStory {
  return {
    id: row.id,
    shortId: row.short_id,
    state: row.state,
    withdrawnReason: row.withdrawn_reason,
    headline: row.headline,
    standfirst: row.standfirst,
    kicker: row.kicker,
    section: { slug: row.section, name: row.section_name },
    slug: row.slug,
    access: row.access,
    language: row.language,
    authors: named.parse(row.authors),
    topics: named.parse(row.topics),
    picture: row.picture === null ? undefined : leadPictureSchema.parse(row.picture),
    preview: elementsSchema.parse(row.preview),
    body,
    publishedAt: toInstant(row.published_at),
    updatedAt: toInstant(row.updated_at),
    embargoUntil: row.embargo_until === null ? undefined : toInstant(row.embargo_until),
    source: row.source ?? undefined,
    sourceId: row.source_id ?? undefined,
    originUrl: row.origin_url ?? undefined,
    extra: row.extra ?? {},
    oldAddresses: row.stood,
  };
}

/** The ids of the pictures of ours that a story shows. */
export function picturesIn({
  body,
  picture,
  preview,
}: Pick<WholeStory, 'body' | 'preview'> & Partial<Pick<WholeStory, 'picture'>>): string[] {
  const lead = picture !== undefined && isHere(picture) ? [picture.pictureId] : [];
  const inside = [...preview, ...body].flatMap((one) =>
    one.kind === 'picture' && one.pictureId !== undefined ? [one.pictureId] : [],
  );
  return [...new Set([...lead, ...inside])];
}
