import { z } from 'zod';
import { type ChangeFeed, keepCurrent } from '#platform/change-feed';
import type { Clock } from '#platform/clock';
import type { Db } from '#platform/db';
import { parseJson } from '#values/json';
import { type AddressRanges, addressRanges, type Prefix, parsePrefix } from './address-ranges.ts';
import { type CrawlerList, keepCrawlerList, readCrawlerLists } from './crawlers.store.ts';

/**
 * The crawlers of search engines, known by the addresses that their owners publish. A name in a header proves nothing,
 * and nobody is asked while a reader waits: no DNS, no fetching.
 */
export type CrawlerRanges = {
  /** The crawler that an address belongs to: undefined for everybody else, and for what is no address. */
  crawlerAt(address: string): string | undefined;
};

/** Where a crawler's owner publishes its addresses. */
export type CrawlerSource = { readonly crawler: string; readonly url: string };

/**
 * Crawlers alone. Google also publishes lists of fetchers that its users send (user-triggered-fetchers.json and the
 * like): those are never to be added, because anybody's program can come from such an address.
 *
 * Google: "Verify requests from Google's crawlers and fetchers", developers.google.com/crawling/docs.
 * Bing: "How to verify Bingbot", www.bing.com/webmasters/help/how-to-verify-bingbot-3905dc26.
 */
export const CRAWLER_SOURCES: readonly CrawlerSource[] = [
  {
    crawler: 'googlebot',
    url: 'https://developers.google.com/static/crawling/ipranges/common-crawlers.json',
  },
  { crawler: 'bingbot', url: 'https://www.bing.com/toolbox/bingbot.json' },
];

/** Older lists are not believed: an address may be somebody else's by then. */
const MAX_AGE_HOURS = 14 * 24;

/** Google's list has some 300 prefixes and Bing's 28. */
const MOST_PREFIXES = 10_000;
/** The shortest prefix that is believed: a company announces such blocks, a crawler uses small parts of them. */
const SHORTEST = { 4: 16, 6: 24 } as const;
/** All addresses of a list together: about as many as there are in a hundred /16, or in a hundred and twenty-eight /32. */
const MOST_IPV4 = 100n << 16n;
const MOST_IPV6 = 128n << 96n;

/** What the Internet does not route to us (RFC 6890): whoever comes from there stands before our own proxy. */
const NOT_PUBLIC: readonly Prefix[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '224.0.0.0/3',
].map((text) => parsePrefix(text) as Prefix);
/** Global unicast (RFC 4291 section 2.5.4): all that is given out so far. */
const PUBLIC_IPV6 = parsePrefix('2000::/3') as Prefix;

type KnownCrawler = {
  readonly crawler: string;
  readonly ranges: AddressRanges;
  readonly believedUntil: Temporal.Instant;
};

/** Opens the lists that were kept, and follows them as they are refreshed by whichever process. */
export async function openCrawlerRanges(db: Db, changes: ChangeFeed, clock: Clock): Promise<CrawlerRanges> {
  const known = await keepCurrent(changes, ['access.crawler_ranges'], async () =>
    (await readCrawlerLists(db)).flatMap(knownCrawler),
  );
  return {
    crawlerAt(address) {
      for (const { crawler, ranges, believedUntil } of known()) {
        if (!ranges.has(address)) continue;
        if (Temporal.Instant.compare(clock.now(), believedUntil) < 0) return crawler;
      }
      return undefined;
    },
  };
}

/** A list that somebody spoilt in the table counts for nothing, and the others stay. */
function knownCrawler({ crawler, prefixes, fetchedAt }: CrawlerList): KnownCrawler[] {
  const checked = checkPrefixes(prefixes);
  if (typeof checked === 'string') return [];
  return [
    { crawler, ranges: addressRanges(checked), believedUntil: fetchedAt.add({ hours: MAX_AGE_HOURS }) },
  ];
}

/** What became of one crawler's list. */
export type Refreshed =
  | { readonly crawler: string; readonly kind: 'refreshed'; readonly prefixes: number }
  | { readonly crawler: string; readonly kind: 'kept'; readonly reason: string };

/**
 * Fetches the published lists and keeps those that make sense; where one does not, or cannot be had, the last good one
 * stays until it is too old. For a job, once a day: never on the way of a request.
 *
 * @param fetchText gives the text behind an address, or throws
 * @returns what became of each list, to be logged; it throws only when the database cannot keep one
 */
export async function refreshCrawlerRanges(
  db: Db,
  now: Temporal.Instant,
  sources: readonly CrawlerSource[] = CRAWLER_SOURCES,
  fetchText: (url: string) => Promise<string> = fetchPublished,
): Promise<Refreshed[]> {
  return Promise.all(
    sources.map(async ({ crawler, url }): Promise<Refreshed> => {
      const prefixes = await fetchText(url).then(readPublished, (error: unknown) => inWords(error));
      if (typeof prefixes === 'string') return { crawler, kind: 'kept', reason: prefixes };
      await keepCrawlerList(db, { crawler, prefixes, fetchedAt: now });
      return { crawler, kind: 'refreshed', prefixes: prefixes.length };
    }),
  );
}

/** Google's and Bing's format: `{ creationTime, prefixes: [{ ipv4Prefix } or { ipv6Prefix }] }`. */
const published = z.object({
  creationTime: z.string().max(64),
  prefixes: z
    .array(
      z.union([z.object({ ipv4Prefix: z.string().max(64) }), z.object({ ipv6Prefix: z.string().max(64) })]),
    )
    .min(1, 'no prefixes')
    .max(MOST_PREFIXES, 'too many prefixes'),
});

/** @returns the prefixes as they are written, or why the list is not believed */
function readPublished(text: string): string[] | string {
  let document: unknown;
  try {
    document = parseJson(text);
  } catch {
    return 'not JSON';
  }
  const list = published.safeParse(document);
  if (!list.success) return `not a list of prefixes: ${z.prettifyError(list.error).slice(0, 200)}`;
  const prefixes: string[] = [];
  for (const entry of list.data.prefixes) {
    const prefix = 'ipv4Prefix' in entry ? entry.ipv4Prefix : entry.ipv6Prefix;
    if (prefix.includes(':') === 'ipv4Prefix' in entry) return `${prefix} is of the other family`;
    prefixes.push(prefix);
  }
  const checked = checkPrefixes(prefixes);
  return typeof checked === 'string' ? checked : prefixes;
}

/** @returns the prefixes, or why such a list is no crawler's */
function checkPrefixes(texts: readonly string[]): Prefix[] | string {
  const prefixes: Prefix[] = [];
  let ipv4 = 0n;
  let ipv6 = 0n;
  for (const text of texts) {
    const prefix = parsePrefix(text);
    if (prefix === undefined) return `${text} is not a prefix`;
    if (prefix.length < SHORTEST[prefix.family]) return `${text} is more than a crawler has`;
    if (!isPublic(prefix)) return `${text} is not on the Internet`;
    const addresses = prefix.last - prefix.first + 1n;
    if (prefix.family === 4) ipv4 += addresses;
    else ipv6 += addresses;
    prefixes.push(prefix);
  }
  if (ipv4 > MOST_IPV4 || ipv6 > MOST_IPV6) return 'more addresses than a crawler has';
  return prefixes;
}

function isPublic({ family, first, last }: Prefix): boolean {
  if (family === 6) return first >= PUBLIC_IPV6.first && last <= PUBLIC_IPV6.last;
  return NOT_PUBLIC.every((other) => last < other.first || first > other.last);
}

/** A published list is some 50 KB. */
const MOST_BYTES = 1_000_000;
const PATIENCE_MS = 10_000;

/**
 * Fetches a text over HTTP, at most `bytes` of it and within `patienceMs` altogether.
 *
 * @throws when there is no good answer, when it is too long, or too late
 */
export async function fetchPublished(
  url: string,
  { bytes = MOST_BYTES, patienceMs = PATIENCE_MS } = {},
): Promise<string> {
  const signal = AbortSignal.timeout(patienceMs);
  const response = await fetch(url, { signal, headers: { accept: 'application/json' } });
  const refusal = refuse(response, url);
  if (refusal !== undefined || response.body === null) {
    await response.body?.cancel();
    throw new Error(refusal ?? 'an empty answer');
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body) {
    length += chunk.length;
    // Leaving the loop closes the connection: what is behind is not read.
    if (length > bytes) throw new Error(`more than ${bytes} bytes`);
    chunks.push(chunk);
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
}

function refuse(response: Response, url: string): string | undefined {
  if (!response.ok) return `answered ${response.status}`;
  // A redirect must not lead from a protected connection to an open one.
  if (new URL(response.url).protocol !== new URL(url).protocol) return `led to ${response.url.slice(0, 200)}`;
  return undefined;
}

function inWords(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 300) : 'could not be fetched';
}
