import { readBites } from './archive-file.ts';
import { MOST_BODY } from './story-record.ts';
import { newSite, readWxr, readWxrHead, type WxrItem, type WxrSite } from './wxr-reader.ts';

/** All that is to be known of a site before its stories can be read, whichever of its files says it, and where. */
export type WholeSite = WxrSite & {
  /** Authors of Co-Authors Plus who cannot sign in: their name, by the word that stands for them at a story. */
  readonly guests: Map<string, string>;
  /** Blocks that stand in several stories: their content, by number. */
  readonly blocks: Map<string, string>;
};

/** A file of an export, and the site that it is of: the same object for each file of one. */
export type SiteFile = { readonly file: number; readonly path: string; readonly site: WholeSite };

/** Items that say nothing to readers, and something of others. */
const OF_SITE: ReadonlySet<string> = new Set(['guest-author', 'wp_block']);
/** All blocks of a site together have no more characters. */
const MOST_BLOCKS = 4 * MOST_BODY;

export function isOfSite(item: WxrItem): boolean {
  return OF_SITE.has(typeOf(item));
}

/**
 * Reads through the files of an export for what their stories will need to know. Most are only looked at: one is read
 * twice where it names guest authors or blocks.
 *
 * @returns the newest file first, so that of two versions of a story the newer one counts
 * @throws as `readWxr` does
 */
export async function readWxrSites(paths: readonly string[]): Promise<SiteFile[]> {
  const sites = new Map<string, WholeSite>();
  const files: (SiteFile & { readonly written: string })[] = [];
  for (const [file, path] of paths.entries()) {
    const head = await readWxrHead(path);
    const name = sourceOf(head);
    const site = sites.get(name) ?? { ...head, ...newSite(), guests: new Map(), blocks: new Map() };
    sites.set(name, site);
    site.url ||= head.url;
    site.language ||= head.language;
    for (const [login, author] of head.authors) site.authors.set(login, author);
    for (const [slug, id] of head.categories) site.categories.set(slug, id);
    if (await mentions(path, [...OF_SITE])) await readOfSite(path, site);
    files.push({ file, path, site, written: fromMail(head.writtenAt) ?? '' });
  }
  // Equal ones, and those that do not say it, stay in the order they were given in.
  return files.sort((a, b) => (a.written < b.written ? 1 : a.written > b.written ? -1 : 0));
}

/** Whether some words stand anywhere in a file. */
async function mentions(path: string, words: readonly string[]): Promise<boolean> {
  let tail = Buffer.alloc(0);
  for await (const { bites } of readBites(path)) {
    for (const bite of bites) {
      const edge = Buffer.concat([tail, bite.subarray(0, LONGEST_WORD)]);
      if (words.some((word) => bite.includes(word) || edge.includes(word))) return true;
      tail = Buffer.from(bite.subarray(-LONGEST_WORD));
    }
  }
  return false;
}
const LONGEST_WORD = 32;

async function readOfSite(path: string, site: WholeSite): Promise<void> {
  let room = MOST_BLOCKS;
  for await (const { items } of readWxr(path, newSite())) {
    for (const item of items) {
      if (item.kind === 'broken' || !isOfSite(item)) continue;
      const field = (name: 'title' | 'wp:post_id' | 'wp:post_name') => item.fields.get(name)?.trim() ?? '';
      if (typeOf(item) === 'guest-author') {
        const name = item.meta.get('cap-display_name')?.[0]?.trim() || field('title');
        const login = item.meta.get('cap-user_login')?.[0]?.trim() ?? '';
        for (const word of [login, field('wp:post_name').replace(/^cap-/, '')])
          if (word !== '') site.guests.set(word, name);
      } else {
        const content = item.fields.get('content:encoded') ?? '';
        room -= content.length;
        if (room > 0) site.blocks.set(field('wp:post_id'), content);
      }
    }
  }
}

function typeOf({ fields }: WxrItem): string {
  return fields.get('wp:post_type')?.trim() ?? '';
}

/** Under which name a site's stories are found again: the same for each of its files. */
export function sourceOf({ url }: WxrSite): string {
  return URL.canParse(url)
    ? `wordpress ${new URL(url).host}${new URL(url).pathname.replace(/\/$/, '')}`
    : 'wordpress';
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** `Tue, 18 Jan 2011 07:40:14 +0000` (RFC 5322) as the rest of the program writes dates. */
export function fromMail(date: string): string | undefined {
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
