import { sql } from 'kysely';
import { type Db, inTransaction, type Tx } from '#platform/db';
import { shortId, uuidv7 } from '#platform/ids';
import { jsonArray } from '#platform/json-array';
import { tagStories } from '#topics';
import { Conflict, Invalid, NotFound } from '#values/errors';
import { slugify } from '#values/slug';
import { carryBodyForward, insertBodies } from './bodies.store.ts';
import { countWords, cutPreview, hasPictureElsewhere, type Run, runsText } from './elements.ts';
import { isHere } from './lead-picture.ts';
import { keepOldAddresses } from './old-addresses.store.ts';
import type { AccessLevel, Named, StoryInput } from './story.ts';

/** What became of one imported story. `kept`: a person here has changed it since, so the import left it alone. */
export type ImportOutcome = 'created' | 'updated' | 'unchanged' | 'kept';

/**
 * Stores imported stories, at most 500 at once, all or none. A story is found again by its source and id: the same
 * digest is left as it is, another makes a new revision, unless somebody here changed the story since.
 *
 * @param options.keep whether what was done stays; otherwise it is only said what would happen
 * @returns an outcome for each story, in order; no two may have the same source and id
 */
export async function importStories(
  db: Db,
  inputs: readonly StoryInput[],
  now: Temporal.Instant,
  options = { keep: true },
): Promise<ImportOutcome[]> {
  if (inputs.length > 500) throw new RangeError('at most 500 stories at once');
  return inTransaction(db, options, async (tx) => {
    const known = await lockKnown(tx, inputs);
    const taken = await takenShortIds(tx, inputs);
    const outcomes: ImportOutcome[] = [];
    const written: Written[] = [];
    for (const input of inputs) {
      const before = known.get(`${input.source}\n${input.sourceId}`);
      if (before === undefined) {
        outcomes.push('created');
        const wanted = input.shortId !== undefined && !taken.has(input.shortId) ? input.shortId : shortId();
        written.push({ input, id: uuidv7(), shortId: wanted, revision: 1, isNew: true });
      } else if (before.digest.equals(input.digest)) outcomes.push('unchanged');
      else if (before.edited) outcomes.push('kept');
      else {
        outcomes.push('updated');
        const { id, revision } = before;
        written.push({ input, id, shortId: before.shortId, revision: revision + 1, isNew: false });
      }
    }
    if (written.length > 0) await write(tx, written, now);
    return outcomes;
  });
}

type Written = { input: StoryInput; id: string; shortId: string; revision: number; isNew: boolean };
type Known = { id: string; shortId: string; revision: number; digest: Buffer; edited: boolean };

async function lockKnown(tx: Tx, inputs: readonly StoryInput[]): Promise<Map<string, Known>> {
  const { rows } = await sql<{
    source: string;
    source_id: string;
    id: string;
    short_id: string;
    revision: number;
    import_digest: Buffer | null;
    edited: boolean;
  }>`
    select s.source, s.source_id, s.id, s.short_id, s.revision, s.import_digest, s.edited_at is not null as edited
    from content.stories s
    join unnest(${inputs.map((one) => one.source)}::text[], ${inputs.map((one) => one.sourceId)}::text[])
      as given (source, source_id) using (source, source_id)
    order by s.id for update of s`.execute(tx);
  return new Map(
    rows.map((row) => [
      `${row.source}\n${row.source_id}`,
      {
        id: row.id,
        shortId: row.short_id,
        revision: row.revision,
        digest: row.import_digest ?? Buffer.alloc(0),
        edited: row.edited,
      },
    ]),
  );
}

async function takenShortIds(tx: Tx, inputs: readonly StoryInput[]): Promise<ReadonlySet<string>> {
  const wanted = inputs.flatMap((one) => one.shortId ?? []);
  if (wanted.length === 0) return new Set();
  const { rows } = await sql<{ short_id: string }>`
    select short_id from content.stories where short_id = any(${wanted}::text[])`.execute(tx);
  return new Set(rows.map((row) => row.short_id));
}

async function write(tx: Tx, written: readonly Written[], now: Temporal.Instant): Promise<void> {
  const inputs = written.map((one) => one.input);
  await ensureSections(tx, inputs);
  const at = now.toString();
  const columns = {
    id: written.map((one) => one.id),
    shortId: written.map((one) => one.shortId),
    section: inputs.map((one) => one.section.slug),
    access: inputs.map((one) => one.access),
    state: inputs.map((one) => one.state ?? 'published'),
    slug: inputs.map((one) => storySlug(one.headline)),
    language: inputs.map((one) => one.language),
    revision: written.map((one) => one.revision),
    publishedAt: inputs.map((one) => one.publishedAt.toString()),
    updatedAt: inputs.map((one) => one.updatedAt.toString()),
    embargo: inputs.map((one) => one.embargoUntil?.toString() ?? null),
    source: inputs.map((one) => one.source),
    sourceId: inputs.map((one) => one.sourceId),
    digest: inputs.map((one) => one.digest),
    origin: inputs.map((one) => one.originUrl ?? null),
    extra: jsonArray(inputs.map((one) => one.extra)),
    elsewhere: inputs.map(hasPicturesElsewhere),
    withdrawnAt: inputs.map((one) => (one.state === 'withdrawn' ? at : null)),
    withdrawnReason: inputs.map((one) => one.withdrawnReason ?? ''),
  };
  await sql`
    insert into content.stories (id, short_id, state, section, access, slug, language, revision, published_at,
      updated_at, embargo_until, source, source_id, import_digest, origin_url, extra, pictures_elsewhere, withdrawn_at, withdrawn_reason, created_at)
    select id, short_id, state, section, access, slug, language, revision, published_at, updated_at, embargo,
      source, source_id, digest, origin, extra, elsewhere, withdrawn_at, withdrawn_reason, ${at}
    from unnest(${columns.id}::uuid[], ${columns.shortId}::text[], ${columns.section}::text[],
      ${columns.access}::text[], ${columns.state}::text[], ${columns.slug}::text[], ${columns.language}::text[], ${columns.revision}::int[],
      ${columns.publishedAt}::timestamptz[], ${columns.updatedAt}::timestamptz[], ${columns.embargo}::timestamptz[],
      ${columns.source}::text[], ${columns.sourceId}::text[], ${columns.digest}::bytea[], ${columns.origin}::text[],
      ${columns.extra}::json[], ${columns.elsewhere}::bool[],
      ${columns.withdrawnAt}::timestamptz[], ${columns.withdrawnReason}::text[])
      as new (id, short_id, section, access, state, slug, language, revision, published_at, updated_at, embargo, source,
        source_id, digest, origin, extra, elsewhere, withdrawn_at, withdrawn_reason)
    on conflict (id) do update set section = excluded.section, access = excluded.access, slug = excluded.slug,
      language = excluded.language, revision = excluded.revision, published_at = excluded.published_at,
      updated_at = excluded.updated_at, embargo_until = excluded.embargo_until,
      import_digest = excluded.import_digest,
      state = case stories.state when 'withdrawn' then stories.state else excluded.state end,
      withdrawn_at = coalesce(stories.withdrawn_at, excluded.withdrawn_at),
      withdrawn_reason = case stories.state when 'withdrawn' then stories.withdrawn_reason else excluded.withdrawn_reason end,
      origin_url = excluded.origin_url, extra = excluded.extra, pictures_elsewhere = excluded.pictures_elsewhere`.execute(
    tx,
  );
  const words = inputs.map((one) => countWords(one.body));
  const previews = inputs.map((one, at) => one.preview ?? cutPreview(one.body, words[at]));
  await sql`
    insert into content.revisions (story_id, number, headline, standfirst, kicker, authors, picture, preview, words,
      parts, note, made_at)
    select story_id, number, headline, standfirst, kicker, authors, picture, preview, words, parts, 'import', ${at}
    from unnest(${columns.id}::uuid[], ${columns.revision}::int[], ${inputs.map((one) => one.headline)}::text[],
      ${inputs.map((one) => one.standfirst)}::text[], ${inputs.map((one) => one.kicker)}::text[],
      ${jsonArray(inputs.map((one) => one.authors))}::json[],
      ${jsonArray(inputs.map((one) => one.picture))}::json[],
      ${jsonArray(previews)}::json[],
      ${words}::int[], ${inputs.map((one) => one.body.length)}::int[])
      as new (story_id, number, headline, standfirst, kicker, authors, picture, preview, words, parts)`.execute(
    tx,
  );
  await insertBodies(
    tx,
    written.map((one) => ({ storyId: one.id, revision: one.revision, body: one.input.body })),
  );
  const again = written.filter((one) => !one.isNew).map((one) => one.id);
  await replaceBylines(
    tx,
    written.map((one) => ({ storyId: one.id, authors: one.input.authors })),
    again,
  );
  await tagStories(
    tx,
    written.map((one) => ({ storyId: one.id, topics: one.input.topics })),
    again,
  );
  await keepOldAddresses(
    tx,
    written.map((one) => ({ storyId: one.id, paths: one.input.oldAddresses ?? [] })),
  );
}

function hasPicturesElsewhere({ body, picture, preview = [] }: StoryInput): boolean {
  const isLead = picture !== undefined && !isHere(picture);
  return isLead || hasPictureElsewhere(preview) || hasPictureElsewhere(body);
}

/**
 * Tells the planner what a large import changed; until it knows, lists and related stories are read the slow way. What
 * is only ever read by its key, revisions and bodies, is left to autovacuum.
 */
export async function learnStatistics(db: Db): Promise<void> {
  await sql`analyze content.stories, content.bylines, content.authors, topics.topics, topics.story_topics`.execute(
    db,
  );
}

/** The words of the address; a headline without a letter or digit still needs some. */
function storySlug(headline: string): string {
  return slugify(headline) || 'story';
}

/** One that only drafts stand in is hidden until one of them is published. */
async function ensureSections(tx: Tx, stories: readonly StoryInput[]): Promise<void> {
  const names = new Map(stories.map(({ section }) => [section.slug, section.name]));
  const shown = new Set(stories.flatMap(({ section, state }) => (state === 'draft' ? [] : [section.slug])));
  // Sorted, so that two imports at once take their locks in the same order.
  const slugs = [...names.keys()].sort();
  await sql`
    insert into content.sections (slug, name, hidden, position)
    select slug, name, hidden, (select coalesce(max(position), 0) from content.sections) + at
    from unnest(${slugs}::text[], ${slugs.map((slug) => names.get(slug))}::text[],
      ${slugs.map((slug) => !shown.has(slug))}::boolean[]) with ordinality as new (slug, name, hidden, at)
    where not exists (select from content.sections old where old.slug = new.slug)
    on conflict (slug) do nothing`.execute(tx);
  await showSections(tx, [...shown]);
}

async function showSections(tx: Tx, slugs: readonly string[]): Promise<void> {
  await sql`
    update content.sections set hidden = false where slug = any(${slugs}::text[]) and hidden`.execute(tx);
}

async function replaceBylines(
  tx: Tx,
  bylines: readonly { storyId: string; authors: readonly Named[] }[],
  again: readonly string[],
): Promise<void> {
  if (again.length > 0)
    await sql`delete from content.bylines where story_id = any(${again}::uuid[])`.execute(tx);
  const names = new Map(
    bylines.flatMap((one) => one.authors.map((author) => [author.slug, author.name] as const)),
  );
  if (names.size === 0) return;
  const slugs = [...names.keys()].sort();
  await sql`
    insert into content.authors (slug, name)
    select slug, name from unnest(${slugs}::text[], ${slugs.map((slug) => names.get(slug))}::text[]) as new (slug, name)
    where not exists (select from content.authors old where old.slug = new.slug)
    on conflict (slug) do nothing`.execute(tx);
  const pairs = bylines.flatMap((one) => one.authors.map((author) => [author.slug, one.storyId] as const));
  await sql`
    insert into content.bylines (author_slug, story_id, live_at)
    select author_slug, story_id, (select live_at from content.stories where id = story_id)
    from unnest(${pairs.map(([slug]) => slug)}::text[], ${pairs.map(([, id]) => id)}::uuid[])
      as new (author_slug, story_id)
    on conflict do nothing`.execute(tx);
}

/** Makes a draft or a withdrawn story public: at once, or at the instant given. */
export async function publishStory(
  db: Db,
  id: string,
  at: Temporal.Instant | undefined,
  now: Temporal.Instant,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const story = await lockStory(tx, id);
    if (story.state === 'published' && at === undefined)
      throw new Conflict('already-published', 'the story is published');
    await sql`
      update content.stories set state = 'published', withdrawn_at = null, withdrawn_reason = '',
        published_at = coalesce(${at?.toString() ?? null}::timestamptz,
          case when state = 'draft' then ${now.toString()}::timestamptz else published_at end),
        edited_at = ${now.toString()}
      where id = ${id}`.execute(tx);
    await showSections(tx, [story.section]);
  });
}

/** Takes a story back: its address answers 410 from now on, and no list, feed or sitemap names it. */
export async function withdrawStory(
  db: Db,
  id: string,
  reason: string,
  now: Temporal.Instant,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const story = await lockStory(tx, id);
    if (story.state === 'withdrawn') throw new Conflict('already-withdrawn', 'the story is withdrawn');
    await sql`
      update content.stories set state = 'withdrawn', withdrawn_at = ${now.toString()}, withdrawn_reason = ${reason},
        edited_at = ${now.toString()}
      where id = ${id}`.execute(tx);
  });
}

/**
 * Stories that were brought from a source, are public, and were not edited here since.
 *
 * @param sourceIds what the source calls them
 * @returns their ids
 */
export async function findUnedited(db: Db, source: string, sourceIds: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from content.stories where source = ${source} and source_id = any(${sourceIds}::text[])
      and state = 'published' and edited_at is null order by id`.execute(db);
  return rows.map(({ id }) => id);
}

/** Adds a correction to the body, in a new revision. `on` is the day in the paper's zone. */
export async function correctStory(
  db: Db,
  id: string,
  correction: { on: string; text: readonly Run[] },
  now: Temporal.Instant,
): Promise<void> {
  if (runsText(correction.text).trim() === '')
    throw new Invalid('empty-correction', 'a correction says what was wrong');
  await db.transaction().execute(async (tx) => {
    const story = await lockStory(tx, id);
    await newRevision(tx, id, story.revision, 'correction', now);
    await carryBodyForward(tx, id, story.revision, correction);
  });
}

/** What `setStory` may change. Only what is given is changed. */
export type StoryChange = {
  readonly access?: AccessLevel;
  readonly headline?: string;
  readonly standfirst?: string;
  readonly section?: string;
  readonly embargoUntil?: Temporal.Instant | null;
};

/** Changes what stands outside the body. A new headline makes a new revision and a new address; the old one redirects. */
export async function setStory(
  db: Db,
  id: string,
  change: StoryChange,
  now: Temporal.Instant,
): Promise<void> {
  if (change.headline !== undefined && change.headline.trim() === '') {
    throw new Invalid('empty-headline', 'a story needs a headline');
  }
  await db.transaction().execute(async (tx) => {
    const story = await lockStory(tx, id);
    if (change.section !== undefined) {
      const { rows } = await sql`select from content.sections where slug = ${change.section}`.execute(tx);
      if (rows.length === 0) throw new NotFound('no-such-section', `there is no section ${change.section}`);
    }
    if (change.headline !== undefined || change.standfirst !== undefined) {
      await newRevision(tx, id, story.revision, 'edit', now, change);
      await carryBodyForward(tx, id, story.revision);
    }
    const embargo = change.embargoUntil;
    await sql`
      update content.stories set
        access = coalesce(${change.access ?? null}, access),
        section = coalesce(${change.section ?? null}, section),
        slug = coalesce(${change.headline === undefined ? null : storySlug(change.headline)}, slug),
        embargo_until = ${embargo === undefined ? sql`embargo_until` : sql`${embargo?.toString() ?? null}::timestamptz`},
        edited_at = ${now.toString()}
      where id = ${id}`.execute(tx);
    if (story.state === 'published') await showSections(tx, [change.section ?? story.section]);
  });
}

async function lockStory(tx: Tx, id: string): Promise<{ state: string; revision: number; section: string }> {
  const { rows } = await sql<{ state: string; revision: number; section: string }>`
    select state, revision, section from content.stories where id = ${id} for update`.execute(tx);
  const [row] = rows;
  if (row === undefined) throw new NotFound('no-such-story', `there is no story ${id}`);
  return row;
}

/** Copies the revision that stands to the next number, with the changed words, and makes it the current one. */
async function newRevision(
  tx: Tx,
  id: string,
  current: number,
  note: 'correction' | 'edit',
  now: Temporal.Instant,
  words: { readonly headline?: string; readonly standfirst?: string } = {},
): Promise<void> {
  await sql`
    insert into content.revisions (story_id, number, headline, standfirst, kicker, authors, picture, preview, words,
      parts, note, made_at)
    select story_id, number + 1, coalesce(${words.headline ?? null}, headline),
      coalesce(${words.standfirst ?? null}, standfirst), kicker, authors, picture, preview, words,
      parts + ${note === 'correction' ? 1 : 0}, ${note}, ${now.toString()}
    from content.revisions where story_id = ${id} and number = ${current}`.execute(tx);
  await sql`
    update content.stories set revision = ${current + 1}, updated_at = ${now.toString()}, edited_at = ${now.toString()}
    where id = ${id}`.execute(tx);
}

/** Places a section in the masthead; made when it is not there. */
export async function setSection(
  db: Db,
  section: Named & { readonly description: string; readonly position: number },
): Promise<void> {
  await sql`
    insert into content.sections (slug, name, description, position)
    values (${section.slug}, ${section.name}, ${section.description}, ${section.position})
    on conflict (slug) do update set name = excluded.name, description = excluded.description,
      position = excluded.position`.execute(db);
}

/**
 * The story that a person names on the command line: by its id, its short id, its address, or its id at the source.
 *
 * @throws NotFound when there is none, Conflict when several sources have a story of that id
 */
export async function findStoryId(db: Db, name: string): Promise<string> {
  const tail = name.split(/[/?#-]/).findLast((part) => part !== '') ?? name;
  const id = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(name) ? name : null;
  const { rows } = await sql<{ id: string; by_source: boolean }>`
    select id, false as by_source from content.stories where id = ${id}::uuid
    union all select id, false from content.stories where short_id in (${name}, ${tail})
    union all select id, true from content.stories where source_id = ${name}
    limit 20`.execute(db);
  const ids = [
    ...new Set(
      (rows.some((row) => !row.by_source) ? rows.filter((row) => !row.by_source) : rows).map((row) => row.id),
    ),
  ];
  const [found] = ids;
  if (found === undefined) throw new NotFound('no-such-story', `there is no story ${name}`);
  if (ids.length > 1)
    throw new Conflict('several-stories', `${name} names several stories: ${ids.join(', ')}`);
  return found;
}

/** Whether the paper holds any story at all. */
export async function hasStories(db: Db): Promise<boolean> {
  const { rows } = await sql<{ some: boolean }>`select exists (select from content.stories) as some`.execute(
    db,
  );
  return rows[0]?.some ?? false;
}

/** One row of `story list`: every story that is published or scheduled, newest first. */
export type StoryRow = {
  readonly id: string;
  readonly sourceId: string | null;
  readonly headline: string;
  readonly shortId: string;
  readonly slug: string;
  readonly section: string;
  readonly access: string;
  readonly state: string;
  readonly revision: number;
  readonly publishedAt: string;
  readonly updatedAt: string;
  readonly liveAt: string;
};

/** Stories as the newsroom lists them, also those that are not public yet or any more, newest first. */
export async function listForStaff(db: Db, query: { id?: string; limit: number }): Promise<StoryRow[]> {
  const which = query.id === undefined ? sql`true` : sql`id = ${query.id}`;
  const { rows } = await sql<StoryRow>`
    select s.id, s.source_id as "sourceId", r.headline, s.short_id as "shortId", s.slug, s.section, s.access, s.state,
      s.revision, s.published_at as "publishedAt", s.updated_at as "updatedAt", s.live_at as "liveAt"
    from (select * from content.stories where ${which} order by live_at desc, id desc limit ${query.limit}) as s
    join content.revisions r on r.story_id = s.id and r.number = s.revision
    order by s.live_at desc, s.id desc`.execute(db);
  return rows;
}
