import { parseJson } from '#values/json';
import type { Bites } from './archive-file.ts';
import { JsonLists } from './json-lists.ts';

/** A record of Ghost's database, or of its API, as JSON has it. */
export type GhostRecord = Readonly<Record<string, unknown>>;

/** What a list of posts needs to know of the rest of an export. Ids are text, also where Ghost wrote numbers. */
export type GhostSite = {
  /** Whether anything of it was found that only an export of Ghost has. */
  isGhost: boolean;
  /** Ghost's own mark of a database, the same in every export of it. */
  mark: string;
  language: string;
  readonly tags: Map<string, GhostRecord>;
  readonly users: Map<string, GhostRecord>;
  /** By post, ids in order. */
  readonly postTags: Map<string, Ordered[]>;
  readonly postAuthors: Map<string, Ordered[]>;
  readonly postMeta: Map<string, GhostRecord>;
  /** Other things that an export may hold, and how many of them. */
  readonly others: Map<string, number>;
};
type Ordered = { readonly id: string; readonly order: number };

/** A post, or what is wrong with it; `number` counts them from 1. */
export type GhostPost =
  | { readonly kind: 'post'; readonly number: number; readonly post: GhostRecord; readonly bytes: number }
  | { readonly kind: 'broken'; readonly number: number; readonly reason: string };

/** Some posts in order. `cut` is on the last ones of a document that breaks off. */
export type GhostPosts = { readonly posts: readonly GhostPost[]; readonly cut?: string };

/** Lists that say what belongs to a post, by the names of Ghost's tables. */
const KEPT = ['tags', 'users', 'posts_tags', 'posts_authors', 'posts_meta', 'settings'];
const COUNTED = ['members', 'subscribers', 'products', 'snippets'];
/** Ghost stands this for its own address in everything that it exports. */
const OWN_ADDRESS = '__GHOST_URL__';

/** Reads all of an export but its posts. */
export async function readGhostSite(bites: AsyncIterable<Bites>): Promise<GhostSite> {
  const site: GhostSite = {
    isGhost: false,
    mark: '',
    language: '',
    tags: new Map(),
    users: new Map(),
    postTags: new Map(),
    postAuthors: new Map(),
    postMeta: new Map(),
    others: new Map(),
  };
  const lists = new JsonLists([...KEPT, ...COUNTED, 'posts']);
  for await (const { bites: some } of bites) {
    for (const bite of some) {
      for (const element of lists.take(bite)) {
        if (element.kind === 'too-long') continue;
        if (element.list === 'posts') site.isGhost = true;
        else if (COUNTED.includes(element.list))
          site.others.set(element.list, (site.others.get(element.list) ?? 0) + 1);
        else keep(site, element.list, element.bytes);
      }
    }
  }
  for (const links of [...site.postTags.values(), ...site.postAuthors.values()])
    links.sort((a, b) => a.order - b.order);
  return site;
}

function keep(site: GhostSite, list: string, bytes: Buffer): void {
  const record = parse(bytes);
  if (record === undefined) return;
  site.isGhost ||= list === 'posts_tags' || list === 'settings';
  const id = idOf(record.id ?? record.url);
  if (list === 'tags') site.tags.set(id, record);
  else if (list === 'users') site.users.set(id, record);
  else if (list === 'posts_meta') site.postMeta.set(idOf(record.post_id), record);
  else if (list === 'posts_tags') link(site.postTags, record, record.tag_id);
  else if (list === 'posts_authors') link(site.postAuthors, record, record.author_id);
  else if (record.key === 'db_hash' && typeof record.value === 'string') site.mark = record.value;
  else if (/^(?:lang|locale|default_locale)$/.test(String(record.key)) && typeof record.value === 'string')
    site.language = record.value;
}

function link(links: Map<string, Ordered[]>, { post_id, sort_order }: GhostRecord, other: unknown): void {
  const of = links.get(idOf(post_id));
  const one = { id: idOf(other), order: typeof sort_order === 'number' ? sort_order : 0 };
  if (of === undefined) links.set(idOf(post_id), [one]);
  else of.push(one);
}

/** Reads the posts of an export, some at a time, however long it is. */
export async function* readGhostPosts(bites: AsyncIterable<Bites>): AsyncGenerator<GhostPosts> {
  const lists = new JsonLists(['posts']);
  let count = 0;
  for await (const { bites: some, cut } of bites) {
    const posts: GhostPost[] = [];
    for (const bite of some) {
      for (const element of lists.take(bite)) {
        const number = ++count;
        if (element.kind === 'too-long')
          posts.push({ kind: 'broken', number, reason: 'a post of more than 16 MB is over the limit' });
        else posts.push(readPost(element.bytes, number));
      }
    }
    yield cut === undefined ? { posts } : { posts, cut };
    if (cut !== undefined) return;
  }
  const cut = lists.end();
  if (cut !== undefined) yield { posts: [], cut };
}

function readPost(bytes: Buffer, number: number): GhostPost {
  const post = parse(bytes);
  if (post === undefined) return { kind: 'broken', number, reason: 'it is not JSON' };
  // Some programs that write for Ghost put what they say into a `data`, with the address beside it.
  const inside = post.data;
  const whole = isRecord(inside) && typeof post.url === 'string' ? { url: post.url, ...inside } : post;
  return { kind: 'post', number, post: whole, bytes: bytes.length };
}

function parse(bytes: Buffer): GhostRecord | undefined {
  try {
    const record: unknown = parseJson(bytes.toString('utf8').replaceAll(OWN_ADDRESS, ''));
    return isRecord(record) ? record : undefined;
  } catch {
    return undefined;
  }
}

export function isRecord(given: unknown): given is GhostRecord {
  return typeof given === 'object' && given !== null && !Array.isArray(given);
}

export function idOf(given: unknown): string {
  return typeof given === 'string' || typeof given === 'number' ? String(given) : '';
}
