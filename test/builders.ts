import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { type AccessLevel, importStories, type StoryElement, type StoryInput } from '#content';
import type { Db } from '#platform/db';
import { storyPath } from '../src/site/site.ts';

let made = 0;

/** A story with everything that a story needs; say only what the test is about. */
export function storyInput(given: Partial<StoryInput> & { readonly access?: AccessLevel } = {}): StoryInput {
  const id = given.sourceId ?? `story-${++made}`;
  const publishedAt = given.publishedAt ?? Temporal.Instant.from('2026-11-20T06:00:00Z');
  return {
    headline: `Headline of ${id}`,
    standfirst: `Standfirst of ${id}.`,
    kicker: '',
    body: [1, 2, 3, 4].map((part) =>
      paragraph(`Paragraph ${part} of ${id} says something that is worth a line of its own.`),
    ),
    section: { slug: 'nation', name: 'Nation' },
    access: 'metered',
    authors: [{ slug: 'tara-nambiar', name: 'Tara Nambiar' }],
    topics: [{ slug: 'transport', name: 'Transport' }],
    language: 'en',
    publishedAt,
    updatedAt: publishedAt,
    source: 'test',
    sourceId: id,
    digest: createHash('sha256').update(`${id} ${made}`).digest(),
    ...given,
  };
}

export function paragraph(text: string): StoryElement {
  return { kind: 'paragraph', text: [{ text }] };
}

/** A story that is in the paper: its id and its address. */
export type StoredStory = {
  readonly id: string;
  readonly shortId: string;
  readonly path: string;
  readonly input: StoryInput;
};

/** Puts stories into a paper. */
export async function storeStories(db: Db, inputs: readonly StoryInput[]): Promise<StoredStory[]> {
  await importStories(db, inputs, Temporal.Instant.from('2026-11-20T06:00:00Z'));
  const { rows } = await sql<{
    id: string;
    source_id: string;
    short_id: string;
    section: string;
    slug: string;
  }>`
    select id, source_id, short_id, section, slug from content.stories
    where source_id = any(${inputs.map((one) => one.sourceId)}::text[])`.execute(db);
  return inputs.map((input) => {
    const row = rows.find((one) => one.source_id === input.sourceId);
    if (row === undefined) throw new Error(`${input.sourceId} was not stored`);
    const { id, section, short_id: shortId, slug } = row;
    return { id, shortId, path: storyPath({ section, slug, shortId }), input };
  });
}
