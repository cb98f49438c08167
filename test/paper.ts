import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { composePaper, type Paper, type PaperOptions } from '../src/main/compose.ts';
import type { Clock } from '../src/platform/clock.ts';
import { createLogger } from '../src/platform/log.ts';
import { testDatabase } from './db.ts';
import { type Wire, wireTo } from './proxy.ts';

/** A clock that stands where a test puts it. */
export type TestClock = Clock & { set(instant: string): void };

export function testClock(instant: string): TestClock {
  let now = Temporal.Instant.from(instant);
  return {
    now: () => now,
    nowMs: () => now.epochMilliseconds,
    set: (next) => {
      now = Temporal.Instant.from(next);
    },
  };
}

/** A whole paper over a database of its own, asked in process. */
export type TestPaper = Paper & {
  readonly url: string;
  readonly clock: TestClock;
  /** Takes the database away and gives it back. */
  readonly wire: Wire;
  /** Asks for a page as a browser would; redirects are not followed. */
  get(
    path: string,
    options?: { cookie?: string | undefined; headers?: Record<string, string>; method?: string },
  ): Promise<Response>;
  /** Another process of the same paper: it shares the database and nothing else. */
  another(): Promise<TestPaper>;
  end(): Promise<void>;
};

const BASE_URL = 'http://localhost:3000';

/**
 * @param given what is to be otherwise than in the sandbox, on every process of this paper
 * @param clock one that a test holds, or the one that the sandbox moves
 * @param isWired whether its database can be taken away; each statement then takes twice as long on its way
 */
export async function testPaper(
  at = '2026-11-23T06:30:00Z',
  given: Partial<
    Pick<
      PaperOptions,
      | 'baseUrl'
      | 'deskReaders'
      | 'inProcess'
      | 'invoicePress'
      | 'load'
      | 'metricsFrom'
      | 'patienceMs'
      | 'razorpay'
      | 'sandbox'
      | 'secret'
      | 'smtpUrl'
      | 'stripe'
      | 'trustedProxyHops'
    >
  > = {},
  {
    clock: whose = 'held',
    isWired = true,
  }: { readonly clock?: 'held' | 'the sandbox’s'; readonly isWired?: boolean } = {},
): Promise<TestPaper> {
  const database = await testDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'broadsheet-test-'));
  const clock = testClock(at);
  const papers: Paper[] = [];
  const wire = await wireTo(database.url);

  async function open(): Promise<TestPaper> {
    const paper = await composePaper({
      databaseUrl: isWired ? wire.url : database.url,
      baseUrl: BASE_URL,
      dataFolder: folder,
      secret: 'a secret of the tests',
      trustedProxyHops: 0,
      sandbox: true,
      inProcess: true,
      ...(whose === 'held' ? { clock } : {}),
      log: createLogger(process.env.TEST_LOG === '1' ? 'warn' : 'silent'),
      ...given,
    });
    papers.push(paper);
    return {
      ...paper,
      url: database.url,
      clock: whose === 'held' ? clock : { ...paper.clock, set: clock.set },
      wire,
      get: async (path, options = {}) =>
        paper.app.request(`${BASE_URL}${path}`, {
          method: options.method ?? 'GET',
          redirect: 'manual',
          headers: {
            ...options.headers,
            ...(options.cookie === undefined ? {} : { cookie: options.cookie }),
          },
        }),
      another: open,
      end: async () => {
        wire.mend();
        for (const one of papers) await one.close();
        await wire.close();
        await database.drop();
        await rm(folder, { recursive: true, force: true });
      },
    };
  }

  return open();
}

/** The visitor cookie that an answer sets, as a browser would send it back; undefined when it sets none. */
export function cookieOf(response: Response): string | undefined {
  return response.headers
    .getSetCookie()
    .find((one) => /visitor=/.test(one))
    ?.split(';')[0];
}
