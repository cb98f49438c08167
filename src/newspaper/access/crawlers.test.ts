import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BlockList } from 'node:net';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ChangeFeed, startChangeFeed } from '#platform/change-feed';
import type { Db } from '#platform/db';
import { createLogger } from '#platform/log';
import { type TestDatabase, testDatabase } from '../../../test/db.ts';
import { CRAWLER_SOURCES, fetchPublished, openCrawlerRanges, refreshCrawlerRanges } from './crawlers.ts';

const NOW = Temporal.Instant.from('2026-11-23T06:30:00Z');
const SOURCES = [
  { crawler: 'googlebot', url: 'https://one.example/crawlers.json' },
  { crawler: 'bingbot', url: 'https://two.example/bot.json' },
];
const GOOD_GOOGLE = list({ ipv4Prefix: '66.249.64.0/27' }, { ipv6Prefix: '2001:4860:4801:10::/64' });
const GOOD_BING = list({ ipv4Prefix: '157.55.39.0/24' });

function list(...prefixes: object[]): string {
  return JSON.stringify({ creationTime: '2026-11-22T23:00:00.000000', prefixes });
}

/** Answers by address; an Error is thrown. */
function published(...answers: (string | Error)[]): (url: string) => Promise<string> {
  return async (url) => {
    const answer = answers[SOURCES.findIndex((source) => source.url === url)];
    if (answer === undefined || answer instanceof Error) throw answer ?? new Error('answered 404');
    return answer;
  };
}

let database: TestDatabase;
let db: Db;
let changes: ChangeFeed;
beforeAll(async () => {
  database = await testDatabase();
  db = database.db;
  changes = await startChangeFeed(database.url, createLogger('silent'));
});
afterAll(async () => {
  await changes.stop();
  await database.drop();
});
beforeEach(() => sql`truncate access.crawler_ranges`.execute(db));

const refresh = (...answers: (string | Error)[]) =>
  refreshCrawlerRanges(db, NOW, SOURCES, published(...answers));
const open = (now = () => NOW) =>
  openCrawlerRanges(db, changes, { now, nowMs: () => now().epochMilliseconds });

describe('verified crawlers', () => {
  it('are known by the addresses that their owners publish, and by nothing else', async () => {
    expect(await refresh(GOOD_GOOGLE, GOOD_BING)).toEqual([
      { crawler: 'googlebot', kind: 'refreshed', prefixes: 2 },
      { crawler: 'bingbot', kind: 'refreshed', prefixes: 1 },
    ]);
    const ranges = await open();
    expect(ranges.crawlerAt('66.249.64.1')).toBe('googlebot');
    expect(ranges.crawlerAt('::ffff:66.249.64.1')).toBe('googlebot');
    expect(ranges.crawlerAt('2001:4860:4801:10::7')).toBe('googlebot');
    expect(ranges.crawlerAt('157.55.39.200')).toBe('bingbot');
    for (const address of [
      '66.249.64.32',
      '157.55.40.0',
      '2001:4860:4801:11::',
      '127.0.0.1',
      '',
      'Googlebot/2.1',
    ]) {
      expect(ranges.crawlerAt(address)).toBeUndefined();
    }
  });

  it('a paper that never fetched a list knows none', async () => {
    expect((await open()).crawlerAt('66.249.64.1')).toBeUndefined();
  });

  it('every process hears of a new list', async () => {
    const ranges = await open();
    await refresh(GOOD_GOOGLE, GOOD_BING);
    await vi.waitFor(() => expect(ranges.crawlerAt('66.249.64.1')).toBe('googlebot'));
    await refresh(list({ ipv4Prefix: '66.249.70.0/27' }), GOOD_BING);
    await vi.waitFor(() => expect(ranges.crawlerAt('66.249.70.1')).toBe('googlebot'));
    expect(ranges.crawlerAt('66.249.64.1')).toBeUndefined();
  });

  it('a list is believed for fourteen days: then the address is an ordinary visitor’s', async () => {
    await refresh(GOOD_GOOGLE, GOOD_BING);
    let now = NOW.add({ hours: 14 * 24 }).subtract({ nanoseconds: 1 });
    const ranges = await open(() => now);
    expect(ranges.crawlerAt('66.249.64.1')).toBe('googlebot');
    now = NOW.add({ hours: 14 * 24 });
    expect(ranges.crawlerAt('66.249.64.1')).toBeUndefined();
    expect(ranges.crawlerAt('157.55.39.1')).toBeUndefined();
  });

  it('a list that two processes fetch stays the newer one, whoever writes last', async () => {
    const later = NOW.add({ hours: 1 });
    await refreshCrawlerRanges(
      db,
      later,
      SOURCES,
      published(list({ ipv4Prefix: '66.249.70.0/27' }), GOOD_BING),
    );
    await refresh(GOOD_GOOGLE, GOOD_BING);
    const ranges = await open(() => later);
    expect(ranges.crawlerAt('66.249.70.1')).toBe('googlebot');
    expect(ranges.crawlerAt('66.249.64.1')).toBeUndefined();
  });

  it('a list that somebody spoilt in the table counts for nothing, and the others stay', async () => {
    await refresh(GOOD_GOOGLE, GOOD_BING);
    await sql`update access.crawler_ranges set prefixes = '{0.0.0.0/0}' where crawler = 'googlebot'`.execute(
      db,
    );
    const ranges = await open();
    expect(ranges.crawlerAt('66.249.64.1')).toBeUndefined();
    expect(ranges.crawlerAt('157.55.39.1')).toBe('bingbot');
  });

  it('are the common crawlers of the two companies, never the fetchers that anybody can send', () => {
    expect(CRAWLER_SOURCES.map((source) => source.url)).toEqual([
      'https://developers.google.com/static/crawling/ipranges/common-crawlers.json',
      'https://www.bing.com/toolbox/bingbot.json',
    ]);
  });
});

describe('a list that makes no sense', () => {
  const many = Array.from({ length: 10_001 }, (_, at) => ({
    ipv4Prefix: `66.249.${at >> 8}.${at & 255}/32`,
  }));
  const slash16s = Array.from({ length: 101 }, (_, at) => ({ ipv4Prefix: `66.${at}.0.0/16` }));
  it.each<[string, string | Error]>([
    ['is not found', new Error('answered 404')],
    ['comes too late', new DOMException('The operation was aborted due to timeout', 'TimeoutError')],
    ['is nothing', ''],
    ['is a page of HTML', '<!doctype html><title>Sign in</title>'],
    ['is cut off', GOOD_GOOGLE.slice(0, -20)],
    ['is no object', '[]'],
    ['is null', 'null'],
    ['is a number', '7'],
    ['is nested without end', '['.repeat(100_000)],
    ['has no prefixes', list()],
    ['has no list of prefixes', '{"creationTime":"x"}'],
    ['has no creation time', '{"prefixes":[{"ipv4Prefix":"66.249.64.0/27"}]}'],
    ['has the prefixes of another format', '[{"ip":"66.249.64.0/27","name":"GoogleBot"}]'],
    ['has an entry without a prefix', list({ ipv4Prefix: '66.249.64.0/27' }, {})],
    ['has a prefix that is no text', list({ ipv4Prefix: 66 })],
    ['has an address without a length', list({ ipv4Prefix: '66.249.64.0' })],
    ['has a prefix of the other family', list({ ipv4Prefix: '2001:4860:4801:10::/64' })],
    ['has IPv4 where IPv6 should be', list({ ipv6Prefix: '66.249.64.0/27' })],
    ['holds the whole Internet', list({ ipv4Prefix: '66.249.64.0/27' }, { ipv4Prefix: '0.0.0.0/0' })],
    ['holds the whole of IPv6', list({ ipv6Prefix: '::/0' })],
    ['holds a /15', list({ ipv4Prefix: '66.248.0.0/15' })],
    ['holds a /23 of IPv6', list({ ipv6Prefix: '2001:4800::/23' })],
    ['holds all of IPv4 in IPv6 clothes', list({ ipv6Prefix: '::ffff:0:0/96' })],
    ['holds this machine', list({ ipv4Prefix: '127.0.0.0/24' })],
    ['holds a proxy’s network', list({ ipv4Prefix: '10.1.0.0/16' })],
    ['holds a home network', list({ ipv4Prefix: '192.168.1.0/24' })],
    ['holds a carrier’s network', list({ ipv4Prefix: '100.100.0.0/16' })],
    ['holds private IPv6', list({ ipv6Prefix: 'fd00:1234::/32' })],
    ['holds link-local IPv6', list({ ipv6Prefix: 'fe80::/64' })],
    ['has ten thousand prefixes and one', list(...many)],
    ['has too many large prefixes', list(...slash16s)],
    [
      'has text that reaches for prototypes',
      '{"__proto__":{"prefixes":[{"ipv4Prefix":"1.2.3.0/24"}]},"creationTime":"x"}',
    ],
  ])('%s: the last good one stays, and the others are refreshed', async (_, answer) => {
    await refresh(GOOD_GOOGLE, GOOD_BING);
    const later = NOW.add({ hours: 24 });
    const outcome = await refreshCrawlerRanges(db, later, SOURCES, published(answer, GOOD_BING));
    expect(outcome).toEqual([
      { crawler: 'googlebot', kind: 'kept', reason: expect.stringMatching(/./) },
      { crawler: 'bingbot', kind: 'refreshed', prefixes: 1 },
    ]);
    const ranges = await open(() => later);
    expect(ranges.crawlerAt('66.249.64.1')).toBe('googlebot');
    for (const address of [
      '1.2.3.4',
      '66.248.1.1',
      '127.0.0.1',
      '10.1.2.3',
      '8.8.8.8',
      '2a00::1',
      'fe80::1',
    ]) {
      expect(ranges.crawlerAt(address)).toBeUndefined();
    }
    // … but not for ever.
    const tooLate = await open(() => NOW.add({ hours: 14 * 24 + 12 }));
    expect(tooLate.crawlerAt('66.249.64.1')).toBeUndefined();
    expect(tooLate.crawlerAt('157.55.39.1')).toBe('bingbot');
  });

  it('is told of in a few words, however long it is', async () => {
    const [google] = await refresh(list({ ipv4Prefix: 'x'.repeat(60) }), GOOD_BING);
    expect(google).toMatchObject({ kind: 'kept' });
    expect(JSON.stringify(google).length).toBeLessThan(400);
  });
});

describe('fetching', () => {
  let server: Server | undefined;
  afterEach(async () => {
    server?.closeAllConnections();
    server?.close();
  });

  async function serve(listener: RequestListener): Promise<string> {
    server = createServer(listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/list.json`;
  }

  it('gives the text', async () => {
    expect(await fetchPublished(await serve((_, response) => response.end(GOOD_BING)))).toBe(GOOD_BING);
  });

  it('refuses an answer that is not a good one', async () => {
    const url = await serve((_, response) => response.writeHead(404).end('{}'));
    await expect(fetchPublished(url)).rejects.toThrow('answered 404');
  });

  it('stops reading what is too long, also when nobody said how long it is', async () => {
    let sent = 0;
    const url = await serve((_, response) => {
      const chunk = Buffer.alloc(64 * 1024, ' ');
      const more = (): void => {
        while (!response.destroyed && sent < 500 * chunk.length) {
          sent += chunk.length;
          if (!response.write(chunk)) {
            response.once('drain', more);
            return;
          }
        }
      };
      more();
    });
    await expect(fetchPublished(url, { bytes: 1_000_000, patienceMs: 10_000 })).rejects.toThrow(
      'more than 1000000 bytes',
    );
    expect(sent).toBeLessThan(20_000_000);
  });

  it('does not wait for an answer that trickles', async () => {
    const url = await serve((_, response) => {
      response.write('{');
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    });
    await expect(fetchPublished(url, { bytes: 1_000_000, patienceMs: 300 })).rejects.toThrow(/timeout/i);
  });

  it('refuses what is not UTF-8', async () => {
    const url = await serve((_, response) => response.end(Buffer.from([0x7b, 0xff, 0xfe])));
    await expect(fetchPublished(url)).rejects.toThrow();
  });

  it('a server that is not there is a list that is kept', async () => {
    const url = await serve((_, response) => response.end());
    server?.close();
    const outcome = await refreshCrawlerRanges(db, NOW, [{ crawler: 'googlebot', url }]);
    expect(outcome).toMatchObject([{ crawler: 'googlebot', kind: 'kept' }]);
  });
});

const realInput = process.env.REAL_INPUT;
describe.skipIf(realInput === undefined)('the real lists', () => {
  const real = (crawler: string): string[] => {
    const path = join(realInput as string, 'bots/ranges', crawler, 'ips.json');
    return (JSON.parse(readFileSync(path, 'utf8')) as { ip: string }[]).map((entry) => entry.ip);
  };

  it('are believed whole, and asked in a moment', async () => {
    const google = real('googlebot');
    const bing = real('bingbot');
    const asPublished = (prefixes: string[]) =>
      list(...prefixes.map((one) => (one.includes(':') ? { ipv6Prefix: one } : { ipv4Prefix: one })));
    expect(await refresh(asPublished(google), asPublished(bing))).toEqual([
      { crawler: 'googlebot', kind: 'refreshed', prefixes: google.length },
      { crawler: 'bingbot', kind: 'refreshed', prefixes: bing.length },
    ]);
    const ranges = await open();
    const theirs = new BlockList();
    for (const prefix of [...google, ...bing]) {
      const [net, length] = prefix.split('/') as [string, string];
      theirs.addSubnet(net, Number(length), net.includes(':') ? 'ipv6' : 'ipv4');
      expect(ranges.crawlerAt(net)).toBe(google.includes(prefix) ? 'googlebot' : 'bingbot');
    }
    for (let at = 0; at < 20_000; at++) {
      const address = `66.249.${(at >> 6) & 255}.${(at * 37) & 255}`;
      expect(ranges.crawlerAt(address) !== undefined).toBe(theirs.check(address, 'ipv4'));
    }
  });
});
