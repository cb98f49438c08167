import { type Named, type OldPlace, oldAddress, type StoryInput } from '#content';
import type { Attachment } from '#media';
import { asciiSlug } from '#values/slug';
import { elsewhere } from './addresses.ts';
import { plainWords } from './blocks.ts';
import { oneLine } from './clean-text.ts';
import { htmlToElements } from './html.ts';
import { countScripts } from './html-embeds.ts';
import type { TakenBack } from './import-run.ts';
import { toNamed, toSection } from './sections.ts';
import { type ImportSettings, type ReadRecord, readRecord, recordDigest } from './story-record.ts';
import { withFootnotes, withReusableBlocks } from './wordpress-blocks.ts';
import { type LibraryAddresses, withoutWordpressShortcodes } from './wordpress-shortcodes.ts';
import { FOOTNOTES, type WxrField, type WxrItem, type WxrTerm } from './wxr-reader.ts';
import { fromMail, isOfSite, sourceOf, type WholeSite } from './wxr-site.ts';

/** What an item of a site is to this paper. */
export type WxrRead =
  | (ReadRecord & { readonly places?: readonly OldPlace[] })
  | {
      readonly kind: 'attachment';
      readonly attachments: readonly Attachment[];
      readonly places: readonly OldPlace[];
    }
  | { readonly kind: 'left-out'; readonly what: string; readonly takenBack?: TakenBack }
  /** Known already: it says something of other items. */
  | { readonly kind: 'of-site' };

/** Things that WordPress keeps like posts, and that are its own or a plugin's. */
const STORIES: ReadonlySet<string> = new Set(['post', 'page']);
/** Where pages go that are no stories: they are not metered. */
const PAGES = { section: 'Pages', access: 'free' } as const;
/** Neither ever meant to be read nor asked for. */
const THROWN_AWAY: ReadonlySet<string> = new Set(['trash', 'auto-draft', 'inherit']);
const NOT_YET: ReadonlySet<string> = new Set(['draft', 'pending', 'private']);
/** A body of the block editor, in which the end of a line means nothing. */
const HAS_BLOCKS = /<!--\s*wp:/;
const UNDATED = /^0000/;

/**
 * Reads a post or page as a story. Scheduled ones are published when their time comes; drafts, and what only some may
 * read, become drafts. Custom fields and whatever else there is no word for are kept beside the story.
 *
 * @param left is told what of it has no place here, by a name under which that is counted
 */
export function readWxrItem(
  item: WxrItem,
  site: WholeSite,
  settings: ImportSettings,
  now: Temporal.Instant,
  left: (what: string, times?: number) => void,
): WxrRead {
  const field = (name: WxrField) => item.fields.get(name)?.trim() ?? '';
  const type = field('wp:post_type') || 'post';
  const status = field('wp:status') || 'publish';
  if (type === 'attachment') return readAttachment(item, site);
  if (isOfSite(item)) return { kind: 'of-site' };
  if (!STORIES.has(type)) return { kind: 'left-out', what: type };
  const id = field('wp:post_id') || field('guid') || field('link');
  if (THROWN_AWAY.has(status))
    return {
      kind: 'left-out',
      what: `${type} (${status})`,
      ...(status === 'trash' ? { takenBack: { source: sourceOf(site), sourceId: id } } : {}),
    };
  const published = dateOf(item);
  const isDraft = NOT_YET.has(status) || field('wp:post_password') !== '';
  if (published === undefined && !isDraft) return { kind: 'refused', reason: 'it has no date' };
  if (field('wp:post_password') !== '') left('password (the story is a draft)');
  if (item.comments > 0) left('comment', item.comments);
  const content = withFootnotes(
    withReusableBlocks(item.fields.get('content:encoded') ?? '', site.blocks, left),
    item.meta.get(FOOTNOTES)?.[0],
  );
  const library = libraryOf(item, site);
  const body = withoutWordpressShortcodes(content, (name) => left(`[${name}]`), library);
  const scripts = countScripts(body);
  if (scripts > 0) left('script', scripts);
  const isPage = type === 'page';
  const section = isPage ? undefined : sectionOf(item, site);
  const record = {
    id,
    headline: headlineOf(field('title'), body) || (isDraft ? 'Untitled' : ''),
    body,
    body_format: 'html',
    published_at: published ?? now.toString(),
    updated_at: asUtc(field('wp:post_modified_gmt')),
    standfirst: item.fields.get('excerpt:encoded'),
    section: isPage ? PAGES.section : section && toSection(section.name, section.slug),
    access: isPage ? PAGES.access : undefined,
    state: isDraft ? 'draft' : 'published',
    authors: authorsOf(item, site),
    topics: topicsOf(item, section),
    lang: site.language || undefined,
    url: addressOf(field('link'), site),
    source: sourceOf(site),
    ...(item.meta.size > 0 ? { custom_fields: Object.fromEntries(item.meta) } : {}),
  };
  // What has no date is the same tomorrow.
  const digest = recordDigest(JSON.stringify({ ...record, published_at: published }));
  const read = readRecord(
    record,
    digest,
    settings,
    now,
    HAS_BLOCKS.test(content) ? {} : { lineEnds: 'meant' },
  );
  if (read.kind !== 'story') return read;
  const url = library.picture(item.meta.get('_thumbnail_id')?.[0]?.trim() ?? '');
  const picture = url === undefined ? {} : { picture: { url, alt: '', caption: '', credit: '' } };
  const story: StoryInput = Object.assign(read.story, { oldAddresses: oldAddressesOf(item), ...picture });
  return { kind: 'story', story, places: isDraft ? [] : placesOf(item, site, story) };
}

/** Where WordPress had the lists that a story stood in: of its categories, tags and authors. */
function placesOf({ fields, terms }: WxrItem, site: WholeSite, story: StoryInput): OldPlace[] {
  const places: OldPlace[] = [];
  const add = (path: string, kind: OldPlace['kind'], name: string) => {
    const address = oldAddress(path);
    if (address !== undefined) places.push({ path: address, kind, name });
  };
  for (const term of terms) {
    const { slug, taxonomy } = term;
    if (slug === '') continue;
    if (isCategory(term)) {
      const isSection = toSection(term.name, slug).slug === story.section.slug;
      const topic = toNamed(term.name, slug).slug;
      if (!isSection && !story.topics.some((one) => one.slug === topic)) continue;
      const [kind, is] = isSection ? (['section', story.section.slug] as const) : (['topic', topic] as const);
      add(`/category/${slug}`, kind, is);
      const id = site.categories.get(slug);
      if (id !== undefined) add(`/cat/${id}`, kind, is);
    } else if (isTag(term)) {
      const topic = toNamed(term.name, slug).slug;
      if (story.topics.some((one) => one.slug === topic)) add(`/tag/${slug}`, 'topic', topic);
    } else if (taxonomy === 'author') {
      const { slug: author } = coAuthor(term, site);
      if (story.authors.some((one) => one.slug === author)) add(`/author/${ownWord(term)}`, 'author', author);
    }
  }
  const login = fields.get('dc:creator')?.trim() ?? '';
  const [author] = story.authors;
  if (author !== undefined && author.name === (site.authors.get(login) || login))
    add(`/author/${authorWord(login)}`, 'author', author.slug);
  return places;
}

/** The word that WordPress makes of the name which somebody signs in with. */
function authorWord(login: string): string {
  return asciiSlug(login.replace(/[^\p{L}\p{N}\s._-]/gu, ''));
}

/** How a site's library names its pictures, before anybody knows which files they are. */
function libraryOf({ fields }: WxrItem, { url }: WholeSite): LibraryAddresses {
  const post = fields.get('wp:post_id')?.trim() ?? '';
  const address = (query: string) => (URL.canParse(query, url) ? new URL(query, `${url}/`).href : undefined);
  return {
    picture: (id) => (NUMBER.test(id) && id !== '0' ? address(`?attachment_id=${id}`) : undefined),
    gallery: NUMBER.test(post) ? address(`?p=${post}#gallery`) : undefined,
  };
}

const NUMBER = /^\d{1,18}$/;
const PICTURE_FILE = /\.(?:jpe?g|png|gif|webp|avif|tiff?|heic)$/i;

/** A file of the site's library: a picture is known by its number and by its own address. Others are left out. */
function readAttachment(item: WxrItem, site: WholeSite): WxrRead {
  const { fields, meta } = item;
  const field = (name: WxrField) => fields.get(name)?.trim() ?? '';
  const raw = field('wp:attachment_url') || field('guid');
  const fileAddress = elsewhere(raw, site.url);
  if (fileAddress === undefined || !PICTURE_FILE.test(new URL(fileAddress).pathname))
    return { kind: 'left-out', what: 'attachment (no picture)' };
  const post = { fields: new Map([['wp:post_id', field('wp:post_parent')]] as const) };
  const words = {
    alt: oneLine(meta.get('_wp_attachment_image_alt')?.[0] ?? '').slice(0, MOST_WORDS),
    caption: plainWords(htmlToElements(fields.get('excerpt:encoded') ?? '')).slice(0, MOST_WORDS),
    // Of the plugin that newspapers have for it.
    credit: oneLine(meta.get('_media_credit')?.[0] ?? '').slice(0, MOST_WORDS),
  };
  const gallery = libraryOf({ ...item, ...post }, site).gallery;
  const number = libraryOf(item, site).picture(field('wp:post_id'));
  if (fileAddress.length > MOST_ADDRESS || site.url.length > MOST_ADDRESS / 2)
    return { kind: 'left-out', what: 'attachment (its address is too long)' };
  const file = { address: fileAddress, fileAddress, ...words };
  if (number === undefined) return { kind: 'attachment', attachments: [file], places: [] };
  const places = pagesOf(item, field('wp:post_parent'));
  const position = Math.min(Number.parseInt(field('wp:menu_order'), 10) || 0, 1_000_000);
  const inGallery = gallery === undefined ? {} : { gallery, position };
  return { kind: 'attachment', attachments: [file, { ...file, address: number, ...inGallery }], places };
}

/** The pages that WordPress makes for a picture: they lead to the story which it belongs to. */
function pagesOf(item: WxrItem, post: string): OldPlace[] {
  const story = NUMBER.test(post) && post !== '0' ? oldAddress('/', post) : undefined;
  if (story === undefined) return [];
  return oldAddressesOf(item)
    .filter((path) => !PICTURE_FILE.test(path))
    .map((path) => ({ path, kind: 'story', name: story }));
}

const MOST_WORDS = 2_000;
/** As long as an address may be once its letters are encoded. */
const MOST_ADDRESS = 2_000;

/** WordPress shows a story without a headline, which nobody could find in a list: then it is called by how it begins. */
function headlineOf(title: string, body: string): string {
  if (title !== '') return title;
  const words = plainWords(htmlToElements(body.slice(0, 4_000)));
  const beginning = /^.{1,70}(?=\s|$)/u.exec(words)?.[0] ?? '';
  return beginning === '' || beginning === words ? beginning : `${beginning} …`;
}

/** Custom fields in which the plugins for search engines keep the number of the category that decides the address. */
const PRIMARY = ['_yoast_wpseo_primary_category', 'rank_math_primary_category'];

/** The category that the newsroom marked as the first of a story's, else the first that is not WordPress's own word for none. */
function sectionOf({ meta, terms }: WxrItem, { categories }: WholeSite): WxrTerm | undefined {
  const own = terms.filter(isCategory);
  const marked = new Set(PRIMARY.flatMap((key) => meta.get(key) ?? []).map((id) => id.trim()));
  return own.find(({ slug }) => marked.has(categories.get(slug) ?? '')) ?? own[0];
}

/** Its tags, and the categories that are not its section. */
function topicsOf({ terms }: WxrItem, section: WxrTerm | undefined): Named[] {
  const more = terms.filter((term) => isCategory(term) && term.name !== section?.name);
  return [...terms.filter(isTag), ...more].map(({ name, slug }) => toNamed(name, slug)).filter(hasName);
}

function isCategory({ slug, taxonomy }: WxrTerm): boolean {
  return taxonomy === 'category' && slug !== 'uncategorized';
}

function isTag({ taxonomy }: WxrTerm): boolean {
  return taxonomy === 'post_tag' || taxonomy === 'tag';
}

function hasName({ name }: Named): boolean {
  return name !== '';
}

/** Co-authors of the plugin of that name, or whoever wrote it. */
function authorsOf({ fields, terms }: WxrItem, site: WholeSite): Named[] {
  const together = terms.filter(({ taxonomy }) => taxonomy === 'author');
  if (together.length > 0) return together.map((term) => coAuthor(term, site)).filter(hasName);
  const login = fields.get('dc:creator')?.trim() ?? '';
  return [toNamed(site.authors.get(login) || login, authorWord(login))].filter(hasName);
}

/** A term of Co-Authors Plus is called by what somebody signs in with, or would if they could. */
function coAuthor(term: WxrTerm, { authors, guests }: WholeSite): Named {
  const name = authors.get(term.name) || guests.get(term.name) || guests.get(ownWord(term)) || term.name;
  return toNamed(name, ownWord(term));
}

function ownWord({ slug }: WxrTerm): string {
  return slug.replace(/^cap-/, '');
}

/** In UTC where it is known; else as the site's own clock had it, which is taken for the paper's. */
function dateOf({ fields }: WxrItem): string | undefined {
  const local = fields.get('wp:post_date')?.trim() ?? '';
  const dates = [
    asUtc(fields.get('wp:post_date_gmt')?.trim() ?? ''),
    UNDATED.test(local) || local === '' ? undefined : local,
    fromMail(fields.get('pubDate')?.trim() ?? ''),
  ];
  return dates.find((date) => date !== undefined);
}

function asUtc(date: string): string | undefined {
  return date === '' || UNDATED.test(date) ? undefined : `${date}Z`;
}

/** Some exports leave the site out of it. */
function addressOf(link: string, { url }: WholeSite): string | undefined {
  if (link === '') return undefined;
  return link.startsWith('/') && URL.canParse(link, url) ? new URL(link, url).href : link;
}

/** Where WordPress answered for it: at its link, under its number, and at the names that it had before. */
function oldAddressesOf({ fields, meta }: WxrItem): string[] {
  const found = new Set<string>();
  const add = (address: string | undefined) => address !== undefined && found.add(address);
  add(oldAddress('/', fields.get('wp:post_id')?.trim()));
  for (const text of [fields.get('link'), fields.get('guid')]) {
    const given = text?.trim() ?? '';
    if (!URL.canParse(given, 'http://old.example')) continue;
    const { pathname, searchParams } = new URL(given, 'http://old.example');
    add(oldAddress(pathname, searchParams.get('p') ?? searchParams.get('page_id') ?? undefined));
  }
  const link = fields.get('link')?.trim().replace(/\/$/, '') ?? '';
  for (const name of meta.get('_wp_old_slug') ?? []) {
    const before = link.replace(/[^/]*$/, encodeURIComponent(name));
    if (URL.canParse(before, 'http://old.example'))
      add(oldAddress(new URL(before, 'http://old.example').pathname));
  }
  return [...found];
}
