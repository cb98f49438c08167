import {
  type AccessLevel,
  isSafeHref,
  type Named,
  type OldPlace,
  oldAddress,
  type PictureElsewhere,
} from '#content';
import { elsewhere } from './addresses.ts';
import { plainWords } from './blocks.ts';
import { oneLine } from './clean-text.ts';
import { hasCut, readGhostBody } from './ghost-bodies.ts';
import { type GhostRecord, type GhostSite, idOf, isRecord } from './ghost-reader.ts';
import { htmlToElements } from './html.ts';
import { toNamed, toSection } from './sections.ts';
import { type ImportSettings, type ReadRecord, readRecord, recordDigest } from './story-record.ts';

/** A post read: as a record, and where the lists stood that it was in. */
export type GhostRead = ReadRecord & { readonly places?: readonly OldPlace[] };

/** Who may read, in Ghost's words: everybody, who has signed up, who pays (for anything, or for some tiers). */
const ACCESS: Readonly<Record<string, AccessLevel>> = {
  public: 'free',
  members: 'registered',
  paid: 'premium',
  tiers: 'premium',
};
const PAGES = 'Pages';
/** Fields that are kept beside the story, where they say anything. */
const BESIDE =
  /^(?:uuid|featured|canonical_url|custom_template|codeinjection_\w+|(?:meta|og|twitter)_\w+|tiers|visibility)$/;

/**
 * Reads a post or page of Ghost as a story: its primary tag is the section, the others are topics, and who could read it
 * there can here. What was only ever mailed is a draft.
 *
 * @param left is told what of it has no place here, by a name under which that is counted
 */
export function readGhostPost(
  post: GhostRecord,
  site: GhostSite,
  settings: ImportSettings,
  now: Temporal.Instant,
  left: (what: string) => void,
): GhostRead {
  const meta = site.postMeta.get(idOf(post.id)) ?? {};
  const said = (name: string) => textOf(post[name]) || textOf(meta[name]);
  const isPage = said('type') === 'page' || post.page === 1 || post.page === true;
  const wasMailed = said('status') === 'sent' || meta.email_only === 1 || meta.email_only === true;
  if (wasMailed) left('post that was only mailed (the story is a draft)');
  const isDraft = wasMailed || !['published', 'scheduled', ''].includes(said('status'));
  const published = dateOf(post.published_at) ?? (isDraft ? dateOf(post.created_at) : undefined);
  if (published === undefined && !isDraft) return { kind: 'refused', reason: 'it has no date' };
  const tags = tagsOf(post, site).filter((tag) => isPublic(tag));
  const [first] = tags;
  const section = isPage ? PAGES : first && toSection(textOf(first.name), textOf(first.slug));
  const authors = authorsOf(post, site);
  const body = {
    lexical: said('lexical'),
    mobiledoc: said('mobiledoc'),
    html: said('html'),
    markdown: said('markdown'),
  };
  const record = {
    id: idOf(post.id) || said('uuid') || said('url') || said('slug'),
    headline: said('title') || (isDraft ? 'Untitled' : ''),
    standfirst: said('custom_excerpt'),
    published_at: published ?? now.toString(),
    updated_at: dateOf(post.updated_at),
    section,
    topics: (isPage ? tags : tags.slice(1)).map(asNamed).filter(hasName),
    authors: authors.map(asNamed).filter(hasName),
    access: accessOf(said('visibility')),
    state: isDraft ? 'draft' : 'published',
    lang: said('locale') || said('language') || site.language || undefined,
    url: said('url') || undefined,
    source: site.mark === '' ? 'ghost' : `ghost ${site.mark}`,
    ...beside(post, meta),
  };
  const picture = leadOf(said('feature_image'), said('feature_image_alt'), said('feature_image_caption'));
  // Of what the body is read from, the first that there is: the others were made of it.
  const written = body.lexical || body.mobiledoc || body.html || body.markdown;
  // What has no date is the same tomorrow.
  const digest = recordDigest(
    `${JSON.stringify([{ ...record, published_at: published }, picture])}\n${written}`,
  );
  // What was left out is counted when the body is read, which is not done for a story that is known.
  const read = () => readGhostBody(body, {}, left);
  const cut = hasCut(body) ? read() : undefined;
  const story = readRecord({ ...record, body: '' }, digest, settings, now, {
    read: () => cut?.body ?? read().body,
    ...(cut?.preview === undefined ? {} : { preview: cut.preview }),
  });
  if (story.kind !== 'story') return story;
  const oldAddresses = [said('slug') && `/${said('slug')}`, pathOf(said('url'))].flatMap(
    (path) => oldAddress(path) ?? [],
  );
  const more = { oldAddresses, ...(picture === undefined ? {} : { picture }) };
  return {
    kind: 'story',
    story: Object.assign(story.story, more),
    places: isDraft ? [] : placesOf(tags, authors, story.story.section.slug),
  };
}

/** A level that Ghost does not have is one that nobody was shown: then it is as closed as can be. */
function accessOf(visibility: string): AccessLevel {
  return visibility === '' ? 'free' : (ACCESS[visibility] ?? 'premium');
}

/** Where Ghost had the lists of a tag or author. */
function placesOf(
  tags: readonly GhostRecord[],
  authors: readonly GhostRecord[],
  section: string,
): OldPlace[] {
  const places: OldPlace[] = [];
  const add = (under: string, of: GhostRecord, kind: OldPlace['kind'], name: string) => {
    const path = textOf(of.slug) === '' ? undefined : oldAddress(`/${under}/${textOf(of.slug)}`);
    if (path !== undefined && name !== '') places.push({ path, kind, name });
  };
  for (const tag of tags) {
    const isSection = toSection(textOf(tag.name), textOf(tag.slug)).slug === section;
    add('tag', tag, isSection ? 'section' : 'topic', isSection ? section : asNamed(tag).slug);
  }
  for (const author of authors) add('author', author, 'author', asNamed(author).slug);
  return places;
}

/** A tag or author by its name, or else the word that Ghost made of it for addresses. */
function asNamed(record: GhostRecord): Named {
  return toNamed(textOf(record.name), textOf(record.slug));
}

function hasName({ name }: Named): boolean {
  return name !== '';
}

function tagsOf(post: GhostRecord, site: GhostSite): GhostRecord[] {
  const linked = known(
    site.tags,
    (site.postTags.get(idOf(post.id)) ?? []).map(({ id }) => id),
  );
  return linked.length > 0 ? linked : named(post.tags);
}

function known(records: ReadonlyMap<string, GhostRecord>, ids: readonly string[]): GhostRecord[] {
  return ids.map((id) => records.get(id)).filter((record) => record !== undefined);
}

/** Tags whose names begin with # are for the newsroom alone. */
function isPublic(tag: GhostRecord): boolean {
  return textOf(tag.name) !== '' && !textOf(tag.name).startsWith('#') && tag.visibility !== 'internal';
}

function authorsOf(post: GhostRecord, site: GhostSite): GhostRecord[] {
  const linked = (site.postAuthors.get(idOf(post.id)) ?? []).map(({ id }) => id);
  const users = known(site.users, linked.length > 0 ? linked : [idOf(post.author_id)]);
  if (users.length > 0) return users;
  const nested = named(post.authors);
  return nested.length > 0 ? nested : named([post.primary_author ?? post.author]);
}

/** Records that stand inside a post, with or without a `data` around what they say. */
function named(given: unknown): GhostRecord[] {
  return (Array.isArray(given) ? given : []).flatMap((one: unknown): GhostRecord[] => {
    const record = isRecord(one) && isRecord(one.data) ? one.data : one;
    return isRecord(record) && textOf(record.name) !== '' ? [record] : [];
  });
}

function leadOf(src: string, alt: string, caption: string): PictureElsewhere | undefined {
  const url = elsewhere(src) ?? (src.startsWith('/') && isSafeHref(src) ? src : undefined);
  if (url === undefined) return undefined;
  return { url, alt: oneLine(alt), caption: plainWords(htmlToElements(caption)), credit: '' };
}

function beside(post: GhostRecord, meta: GhostRecord): Record<string, unknown> {
  return Object.fromEntries(
    [...Object.entries(meta), ...Object.entries(post)].filter(
      ([name, value]) =>
        BESIDE.test(name) && value !== null && value !== '' && value !== 0 && value !== false,
    ),
  );
}

function pathOf(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname : url.startsWith('/') ? url : '';
}

/** Ghost has written milliseconds, dates of SQL and dates of ISO 8601, all in UTC. */
function dateOf(given: unknown): string | undefined {
  if (typeof given === 'number')
    return Math.abs(given) < 8.64e15 ? Temporal.Instant.fromEpochMilliseconds(given).toString() : undefined;
  if (typeof given !== 'string' || given.trim() === '') return undefined;
  return /(?:z|[+-]\d\d:?\d\d)$/i.test(given) ? given : `${given}Z`;
}

function textOf(given: unknown): string {
  return typeof given === 'string' ? given : '';
}
