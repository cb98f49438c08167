import { sql } from 'kysely';
import { z } from 'zod';
import type { Db, Tx } from '#platform/db';
import { insertBodies, pictureAddresses, rewrittenBody } from './bodies.store.ts';
import { elementsSchema, hasPictureElsewhere, type StoryElement } from './elements.ts';
import { isHere, type LeadPicture, leadPictureSchema, type PictureElsewhere } from './lead-picture.ts';

/** A story whose pictures are not all here. */
export type StoryOfElsewhere = {
  readonly id: string;
  /** The host of the site that it came from, where that is known. */
  readonly host: string | undefined;
  /** Where the pictures lie that are not here. */
  readonly addresses: readonly string[];
};

/**
 * Stories of some sources whose pictures are not all here, in the order of their ids.
 *
 * @param after the id of the last story of the page before
 */
export async function listWithPicturesElsewhere(
  db: Db,
  query: { readonly sources: readonly string[]; readonly after?: string; readonly limit: number },
): Promise<StoryOfElsewhere[]> {
  const { rows } = await sql<{
    id: string;
    origin_url: string | null;
    lead: string | null;
    previewed: string[];
  }>`
    select s.id, s.origin_url, case when r.picture->>'pictureId' is null then r.picture->>'url' end as lead,
      array(select p->>'url' from jsonb_array_elements(r.preview) p
        where p->>'kind' = 'picture' and p->>'pictureId' is null and p->>'url' is not null) as previewed
    from content.stories s join content.revisions r on r.story_id = s.id and r.number = s.revision
    where s.pictures_elsewhere and s.source = any(${query.sources}::text[])
      and s.id > ${query.after ?? '00000000-0000-0000-0000-000000000000'}
    order by s.id limit ${query.limit}`.execute(db);
  const inBodies = await pictureAddresses(
    db,
    rows.map((row) => row.id),
  );
  return rows.map(({ id, lead, origin_url, previewed }) => ({
    id,
    host: origin_url === null ? undefined : new URL(origin_url).host,
    addresses: [...new Set([...(lead === null ? [] : [lead]), ...previewed, ...(inBodies.get(id) ?? [])])],
  }));
}

/** What stands at addresses that stories name: one picture or, of a gallery, all in order; as far as they are here. */
export type Found = ReadonlyMap<string, readonly (LeadPicture | PictureElsewhere)[]>;

/**
 * Puts pictures that have been brought here into the place of their addresses, in a new revision of the story. Words
 * that the story has under a picture stay; where it has none, the picture's own stand. A lead picture that opens the
 * body too, as old sites had it whose pages showed none above the text, stands once.
 */
export async function bringPicturesHome(
  db: Db,
  storyId: string,
  found: Found,
  now: Temporal.Instant,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const story = await lockRevision(tx, storyId);
    if (story === undefined) return;
    const { revision } = story;
    const { picture } = story;
    const above =
      picture && !isHere(picture) ? (broughtFor(picture.url, picture, found)[0] ?? picture) : picture;
    const bring = (elements: readonly StoryElement[]) => elements.flatMap((one) => brought(one, found));
    const [preview] = withoutOpening(bring(story.preview), above);
    let lead = above;
    const body = await rewrittenBody(tx, storyId, revision, (elements) => {
      const [rest, opening] = withoutOpening(bring(elements), above);
      if (above !== undefined && opening !== undefined) lead = withWords(above, opening);
      return rest;
    });
    await sql`
      insert into content.revisions (story_id, number, headline, standfirst, kicker, authors, picture, preview, words,
        parts, note, made_at)
      select story_id, number + 1, headline, standfirst, kicker, authors, ${lead === undefined ? null : JSON.stringify(lead)}::jsonb,
        ${JSON.stringify(preview)}::jsonb, words, ${body.length}, 'pictures', ${now.toString()}
      from content.revisions where story_id = ${storyId} and number = ${revision}`.execute(tx);
    await insertBodies(tx, [{ storyId, revision: revision + 1, body }]);
    const isLeft = (lead !== undefined && !isHere(lead)) || hasPictureElsewhere([...preview, ...body]);
    await sql`
      update content.stories set revision = ${revision + 1}, pictures_elsewhere = ${isLeft}
      where id = ${storyId}`.execute(tx);
  });
}

function brought(element: StoryElement, found: Found): StoryElement[] {
  if (element.kind !== 'picture' || element.pictureId !== undefined || element.url === undefined)
    return [element];
  const pictures = broughtFor(element.url, element, found);
  return pictures.length === 0 ? [element] : pictures.map((one) => ({ kind: 'picture', ...one }));
}

/** The pictures of an address; one that stands alone has the words that the story itself has for it, if it has any. */
function broughtFor(
  address: string,
  { alt, caption, credit }: Words,
  found: Found,
): readonly (LeadPicture | PictureElsewhere)[] {
  const pictures = found.get(address) ?? [];
  const [only] = pictures;
  if (only === undefined || pictures.length > 1) return pictures;
  return [withWords(only, { alt, caption, credit })];
}

type Words = Omit<LeadPicture, 'pictureId'>;

function withWords<T extends LeadPicture | PictureElsewhere>(picture: T, { alt, caption, credit }: Words): T {
  return {
    ...picture,
    alt: alt || picture.alt,
    caption: caption || picture.caption,
    credit: credit || picture.credit,
  };
}

/** A text without the picture that opens it, and that picture, where it is the lead; one that is all there is stays. */
function withoutOpening(
  elements: readonly StoryElement[],
  lead: LeadPicture | PictureElsewhere | undefined,
): readonly [readonly StoryElement[], (StoryElement & { kind: 'picture' })?] {
  const [first, ...rest] = elements;
  const isLead =
    first?.kind === 'picture' && lead !== undefined && isHere(lead) && first.pictureId === lead.pictureId;
  return isLead && rest.length > 0 ? [rest, first] : [elements];
}

async function lockRevision(tx: Tx, storyId: string) {
  const { rows } = await sql<{ revision: number; picture: unknown; preview: unknown }>`
    select s.revision, r.picture, r.preview
    from content.stories s join content.revisions r on r.story_id = s.id and r.number = s.revision
    where s.id = ${storyId} for update of s`.execute(tx);
  const [row] = rows;
  return (
    row && {
      revision: row.revision,
      picture: z.nullable(leadPictureSchema).parse(row.picture) ?? undefined,
      preview: elementsSchema.parse(row.preview),
    }
  );
}
