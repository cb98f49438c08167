import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from 'request-filtering-agent';
import { Invalid } from '#values/errors';

/** Redirects that are followed; a chain that is longer leads nowhere. */
const MOST_REDIRECTS = 5;

/** How one file is fetched. */
export type FetchLimits = {
  readonly mostBytes: number;
  /** From now until the last byte, over all redirects. */
  readonly timeoutMs: number;
};

export type FetchOutside = {
  /**
   * Fetches a file.
   *
   * @throws Invalid with the reason: `fetch-timeout` when the time ran out, `fetch-missing` when the other side has no
   *   such file (404, 410), `fetch-failed` for anything else
   */
  fetch(address: string, limits: FetchLimits): Promise<Buffer>;
  close(): void;
};

/**
 * Fetches from addresses that somebody else wrote down. Only machines that anybody on the Internet may reach are asked:
 * names are resolved here, and the connection is made to the very address that was looked at, for every redirect anew,
 * so that no file, redirect or nameserver makes this machine talk to its own network (server-side request forgery,
 * DNS rebinding).
 *
 * @param trusted an origin that its operator named, and that may lie in a private network
 * @param lookup resolves names; left out, as the machine does
 */
export function fetchOutside({
  lookup,
  trusted,
}: {
  readonly trusted?: string;
  readonly lookup?: LookupFunction;
} = {}): FetchOutside {
  const settings = { keepAlive: true, maxSockets: 8, ...(lookup === undefined ? {} : { lookup }) };
  const strangers = {
    plain: new RequestFilteringHttpAgent(settings),
    secure: new RequestFilteringHttpsAgent(settings),
  };
  const friends = { plain: new PlainAgent(settings), secure: new SecureAgent(settings) };

  async function follow(address: string, { mostBytes }: FetchLimits, signal: AbortSignal): Promise<Buffer> {
    let url = address;
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const answer = await ask(checked(url, trusted), signal);
      const status = answer.statusCode ?? 0;
      if (status === 200) return await readAll(answer, mostBytes);
      answer.destroy();
      const { location } = answer.headers;
      if (status < 300 || status >= 400 || location === undefined) throw refusal(status);
      if (!URL.canParse(location, url)) throw new Invalid('fetch-failed', 'it leads to no address');
      url = new URL(location, url).href;
    }
    throw new Invalid('fetch-failed', `it leads on more than ${MOST_REDIRECTS} times`);
  }

  function ask(url: URL, signal: AbortSignal): Promise<IncomingMessage> {
    const agents = url.origin === trusted ? friends : strangers;
    const isSecure = url.protocol === 'https:';
    return new Promise((resolve, reject) => {
      (isSecure ? secureRequest : plainRequest)(url, {
        agent: isSecure ? agents.secure : agents.plain,
        signal,
        headers: { 'accept-encoding': 'identity', 'user-agent': 'Broadsheet (moving in)' },
      })
        .on('response', resolve)
        .on('error', reject)
        .end();
    });
  }

  return {
    async fetch(address, limits) {
      const signal = AbortSignal.timeout(limits.timeoutMs);
      try {
        return await follow(address, limits, signal);
      } catch (error) {
        if (error instanceof Invalid) throw error;
        if (signal.aborted)
          throw new Invalid('fetch-timeout', `it did not arrive within ${limits.timeoutMs / 1_000} s`, {
            cause: error,
          });
        throw new Invalid('fetch-failed', failure(error), { cause: error });
      }
    },
    close() {
      for (const agent of [strangers.plain, strangers.secure, friends.plain, friends.secure]) agent.destroy();
    },
  };
}

/** Web servers stand at two ports; whoever names another one may mean some other service. */
function checked(address: string, trusted: string | undefined): URL {
  const url = new URL(address);
  if (url.origin === trusted) return url;
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new Invalid('fetch-failed', `it leads to an address that begins with ${url.protocol}`);
  if (url.port !== '' || url.username !== '' || url.password !== '')
    throw new Invalid('fetch-failed', 'it leads to an address with a port or a password');
  return url;
}

function refusal(status: number): Invalid {
  return status === 404 || status === 410
    ? new Invalid('fetch-missing', 'it is not there any more')
    : new Invalid('fetch-failed', `it was answered with status ${status}`);
}

async function readAll(answer: IncomingMessage, mostBytes: number): Promise<Buffer> {
  const tooLarge = () => {
    answer.destroy();
    return new Invalid('fetch-failed', `it is larger than ${Math.round(mostBytes / 1_000_000)} MB`);
  };
  if (Number(answer.headers['content-length'] ?? 0) > mostBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > mostBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function failure(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (/is not allowed\. Because/.test(message)) return 'it leads into a private network';
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'its site is not found';
  if (code === 'ECONNREFUSED') return 'its site does not answer';
  return `it could not be fetched (${code || message.slice(0, 100)})`;
}
