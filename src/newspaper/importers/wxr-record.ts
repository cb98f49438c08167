import { oldAddress } from '#content';
import { plainWords } from './blocks.ts';
import { htmlToElements } from './html.ts';
import { type ImportSettings, type ReadRecord, readRecord, recordDigest } from './story-record.ts';
import { withoutWordpressShortcodes } from './wordpress-shortcodes.ts';
import type { WxrField, WxrItem, WxrSite } from './wxr-reader.ts';

/** What an item of a site is to this paper. */
export type WxrRead = ReadRecord | { readonly kind: 'left-out'; readonly what: string };

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
  site: WxrSite,
  settings: ImportSettings,
  now: Temporal.Instant,
  left: (what: string, times?: number) => void,
): WxrRead {
  const field = (name: WxrField) => item.fields.get(name)?.trim() ?? '';
  const type = field('wp:post_type') || 'post';
  const status = field('wp:status') || 'publish';
  if (!STORIES.has(type)) return { kind: 'left-out', what: type };
  if (THROWN_AWAY.has(status)) return { kind: 'left-out', what: `${type} (${status})` };
  const published = dateOf(item);
  const isDraft = NOT_YET.has(status) || field('wp:post_password') !== '';
  if (published === undefined && !isDraft) return { kind: 'refused', reason: 'it has no date' };
  if (field('wp:post_password') !== '') left('password (the story is a draft)');
  if (item.comments > 0) left('comment', item.comments);
  const content = item.fields.get('content:encoded') ?? '';
  const body = withoutWordpressShortcodes(content, (name) => left(`[${name}]`));
  const { access, section } = type === 'page' ? PAGES : { access: undefined, section: sectionOf(item) };
  const record = {
    id: field('wp:post_id') || field('guid') || field('link'),
    headline: headlineOf(field('title'), body) || (isDraft ? 'Untitled' : ''),
    body,
    body_format: 'html',
    published_at: published ?? now.toString(),
    updated_at: asUtc(field('wp:post_modified_gmt')),
    standfirst: item.fields.get('excerpt:encoded'),
    section,
    access,
    state: isDraft ? 'draft' : 'published',
    authors: authorsOf(item, site),
    topics: item.terms.flatMap((term) => (isTopic(term.taxonomy) ? [term.name] : [])),
    lang: site.language || undefined,
    url: addressOf(field('link'), site),
    source: sourceOf(site),
    ...(item.meta.size > 0 ? { custom_fields: Object.fromEntries(item.meta) } : {}),
  };
  const digest = recordDigest(JSON.stringify(record));
  const read = readRecord(
    record,
    digest,
    settings,
    now,
    HAS_BLOCKS.test(content) ? {} : { lineEnds: 'meant' },
  );
  return read.kind === 'story'
    ? { kind: 'story', story: Object.assign(read.story, { oldAddresses: oldAddressesOf(item) }) }
    : read;
}

/** WordPress shows a story without a headline, which nobody could find in a list: then it is called by how it begins. */
function headlineOf(title: string, body: string): string {
  if (title !== '') return title;
  const words = plainWords(htmlToElements(body.slice(0, 4_000)));
  const beginning = /^.{1,70}(?=\s|$)/u.exec(words)?.[0] ?? '';
  return beginning === '' || beginning === words ? beginning : `${beginning} …`;
}

/** The first category that is not WordPress's own word for none. */
function sectionOf({ terms }: WxrItem): string | undefined {
  const categories = terms.filter(({ taxonomy }) => taxonomy === 'category');
  return categories.find(({ slug }) => slug !== 'uncategorized')?.name;
}

function isTopic(taxonomy: string): boolean {
  return taxonomy === 'post_tag' || taxonomy === 'tag';
}

/** Co-authors of the plugin of that name, or whoever wrote it. */
function authorsOf({ fields, terms }: WxrItem, { authors }: WxrSite): string[] {
  const together = terms.filter(({ taxonomy }) => taxonomy === 'author').map(({ name }) => name);
  const logins = together.length > 0 ? together : [fields.get('dc:creator')?.trim() ?? ''];
  return logins.map((login) => authors.get(login) || login).filter((name) => name !== '');
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

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** `Tue, 18 Jan 2011 07:40:14 +0000` (RFC 5322) as the rest of the program writes dates. */
function fromMail(date: string): string | undefined {
  const parts =
    /^(?:\w{3},\s*)?(\d{1,2})\s+(\w{3})\s+(\d{4})\s+(\d{2}:\d{2}(?::\d{2})?)\s*([+-]\d{4}|GMT|UT|Z)?/.exec(
      date,
    );
  if (parts === null) return undefined;
  const [, day = '', name = '', year = '', time = '', zone = 'Z'] = parts;
  const month = MONTHS.indexOf(name.toLowerCase()) + 1;
  if (month === 0 || Number(year) < 1) return undefined;
  return `${year}-${String(month).padStart(2, '0')}-${day.padStart(2, '0')} ${time} ${/^[+-]/.test(zone) ? zone : 'Z'}`;
}

/** Some exports leave the site out of it. */
function addressOf(link: string, { url }: WxrSite): string | undefined {
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

/** Under which name its stories are found again: the same for each of the files of a site. */
function sourceOf({ url }: WxrSite): string {
  return URL.canParse(url)
    ? `wordpress ${new URL(url).host}${new URL(url).pathname.replace(/\/$/, '')}`
    : 'wordpress';
}
