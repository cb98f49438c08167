import { sql } from 'kysely';
import type { Pass } from '#access';
import { checkPass } from '#access';
import type { Db, Tx } from '#platform/db';
import { groupedOver } from '#platform/grouped';
import { jsonArray } from '#platform/json-array';
import { elementsSchema, type Run, type StoryElement } from './elements.ts';

/**
 * Loads the body of one revision of one story, for a pass that access gave out for exactly that story. This is the
 * one place in the program that reads bodies. Those that many requests want at one moment are read in one statement.
 *
 * @throws when the pass was not minted by access, or names another story
 */
export async function loadBody(db: Db, pass: Pass, revision: number): Promise<readonly StoryElement[]> {
  const storyId = checkPass(pass);
  const elements = await bodyOf(db, { storyId, revision });
  if (elements === undefined) throw new Error(`story ${storyId} has no body in revision ${revision}`);
  return elementsSchema.parse(elements);
}

/** Never exported: who asks has shown a pass. */
const bodyOf = groupedOver(
  async (db: Db, asked: { storyId: string; revision: number }[]) => {
    const { rows } = await sql<{ at: number; elements: unknown }>`
      select asked.at::int as at, b.elements
      from unnest(${asked.map((one) => one.storyId)}::uuid[], ${asked.map((one) => one.revision)}::int[])
        with ordinality as asked (story_id, revision, at)
      join content.bodies b on b.story_id = asked.story_id and b.revision = asked.revision`.execute(db);
    const found = new Map(rows.map((row) => [row.at, row.elements]));
    return asked.map((_, at) => found.get(at + 1));
  },
  { most: 32, inFlight: 4 },
);

/** Stores the bodies of revisions that were just made: arrays of equal length. */
export async function insertBodies(
  tx: Tx,
  rows: readonly { storyId: string; revision: number; body: readonly StoryElement[] }[],
): Promise<void> {
  await sql`
    insert into content.bodies (story_id, revision, elements)
    select * from unnest(
      ${rows.map((row) => row.storyId)}::uuid[],
      ${rows.map((row) => row.revision)}::int[],
      ${jsonArray(rows.map((row) => row.body))}::json[])`.execute(tx);
}

/** Copies a body to the next revision, with a correction behind it when there is one, without reading it here. */
export async function carryBodyForward(
  tx: Tx,
  storyId: string,
  revision: number,
  correction?: { on: string; text: readonly Run[] },
): Promise<void> {
  const more: StoryElement[] = correction ? [{ kind: 'correction', ...correction }] : [];
  await sql`
    insert into content.bodies (story_id, revision, elements)
    select story_id, revision + 1, (elements::jsonb || ${JSON.stringify(more)}::jsonb)::json
    from content.bodies where story_id = ${storyId} and revision = ${revision}`.execute(tx);
}

/** A body as a new revision is to have it, for whoever writes that revision in the same transaction. */
export async function rewrittenBody(
  tx: Tx,
  storyId: string,
  revision: number,
  rewrite: (body: readonly StoryElement[]) => readonly StoryElement[],
): Promise<readonly StoryElement[]> {
  return rewrite(elementsSchema.parse(await bodyOf(tx, { storyId, revision })));
}

/** By story, the addresses of pictures in its body that are not here. */
export async function pictureAddresses(db: Db, storyIds: readonly string[]): Promise<Map<string, string[]>> {
  const { rows } = await sql<{ id: string; addresses: string[] }>`
    select s.id, array_agg(p->>'url') as addresses
    from content.stories s join content.bodies b on b.story_id = s.id and b.revision = s.revision
      cross join jsonb_path_query(b.elements::jsonb,
        '$[*] ? (@.kind == "picture" && exists(@.url) && !exists(@.pictureId))') p
    where s.id = any(${storyIds}::uuid[]) group by s.id`.execute(db);
  return new Map(rows.map((row) => [row.id, row.addresses]));
}

/** Bodies of current revisions, by story, for an operator who takes the paper elsewhere; see `wholeStories`. */
export async function wholeBodies(
  db: Db,
  stories: readonly { readonly id: string; readonly revision: number }[],
): Promise<Map<string, readonly StoryElement[]>> {
  const bodies = await Promise.all(stories.map(({ id, revision }) => bodyOf(db, { storyId: id, revision })));
  return new Map(stories.map(({ id }, at) => [id, elementsSchema.parse(bodies[at])]));
}
