import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { CallerError, TooMany } from '#values/errors';
import { NodeAsk, type RequestAsk, WebAsk } from './ask.ts';
import { monotonicMs } from './clock.ts';
import { isUnavailable } from './db.ts';
import { type Answer, type Ask, answer, HTML, problem, type Route, type Who } from './http.ts';
import type { Logger } from './log.ts';
import { PathRouter } from './path-router.ts';
import type { RequestMeasures } from './request-measures.ts';
import { send, toResponse } from './send.ts';

/** Longer addresses than ours ever are cost time and hide attacks. */
const LONGEST_TARGET = 2_048;

/** The statuses of requests that no handler answered. */
type Failure = CallerError['status'] | 403 | 414 | 500 | 503;

export type ServeOptions = {
  /** The paper's own origin: a POST from elsewhere is refused. */
  readonly origin: string;
  readonly trustedProxyHops: number;
  readonly log: Logger;
  /** Whether HSTS may be promised: only where the public address is https. */
  readonly secure: boolean;
  /** A page for a person, for each of the statuses that are not the handler's own. */
  readonly failed: (status: Failure, ask: Ask) => Answer | Promise<Answer>;
  /**
   * Whether a request over a connection is turned away, because this process is late with those before it: then after how
   * many milliseconds its sender is told, else undefined.
   */
  readonly shed?: (route: Route, ask: Ask, waiting: number) => number | undefined;
  readonly measures?: RequestMeasures;
  /** Asked before every route that is not for anyone: nothing when the caller may, else what they are told instead. */
  readonly admit: (who: Who, ask: Ask) => Answer | undefined | Promise<Answer | undefined>;
};

/** Routes that answer. */
export type App = {
  /** For Node's server: answers its request on its response. */
  readonly listener: (incoming: IncomingMessage, outgoing: ServerResponse) => void;
  /**
   * For who asks in this process, without a connection.
   *
   * @param peer the address that such a request is said to come from
   */
  request(url: string, init?: RequestInit, peer?: string): Promise<Response>;
};

/** An app that knows these routes and no others. */
export function serveRoutes(routes: readonly Route[], options: ServeOptions): App {
  const router = new PathRouter<Route>();
  for (const route of routes) {
    if (!WHO.test(route.who))
      throw new Error(`the route ${route.method} ${route.path} does not say who may call it`);
    router.add(route.method, route.path, route);
  }
  const everywhere = options.secure ? HSTS : [];
  const hops = options.trustedProxyHops;
  /**
   * Requests over connections that are not answered yet. Forms are left out: nobody is turned away who sends one, and while
   * the sender takes time over it there is nothing to do. So are those who are turned away.
   */
  let waiting = 0;

  /** Whatever happens there is an answer; where memory was enough, at once. */
  function answerTo(ask: RequestAsk, length: number): Answer | Promise<Answer> {
    if (length > LONGEST_TARGET) return fail(ask, 414);
    const found = router.find(ask.method === 'HEAD' ? 'GET' : ask.method, ask.path);
    if (found === undefined) return fail(ask, 404);
    const route = found.value;
    ask.route = route;
    ask.params = found.params;
    if (ask instanceof NodeAsk) {
      const holdMs = options.shed?.(route, ask, waiting);
      if (holdMs !== undefined) {
        options.measures?.shed();
        ask.isHeld = holdMs > 0;
        return ask.isHeld ? sleep(holdMs, TURNED_AWAY) : TURNED_AWAY;
      }
    }
    const isForgeable = route.who !== 'gateway' && route.who !== 'link';
    if (route.method === 'POST' && isForgeable && !isFromOrigin(ask, options.origin)) {
      return fail(ask, 403);
    }
    try {
      const result = route.who === 'anyone' ? route.handle(ask) : admitted(ask, route);
      return result instanceof Promise ? result.catch((error: unknown) => failed(ask, error)) : result;
    } catch (error) {
      return failed(ask, error);
    }
  }

  async function admitted(ask: Ask, route: Route): Promise<Answer> {
    return (await options.admit(route.who, ask)) ?? route.handle(ask);
  }

  function failed(ask: Ask, error: unknown): Promise<Answer> {
    if (error instanceof CallerError) {
      return fail(ask, error.status, error instanceof TooMany ? error.seconds : undefined);
    }
    const status = isUnavailable(error) ? 503 : 500;
    options.log.error({ err: error, requestId: ask.requestId, status }, 'a request failed');
    return fail(ask, status);
  }

  async function fail(ask: Ask, status: Failure, again?: number): Promise<Answer> {
    const result = await failurePage(ask, status);
    const seconds = status === 503 ? RETRY_SECONDS : again;
    if (seconds === undefined) return result;
    return { ...result, headers: [...result.headers, 'Retry-After', String(seconds)] };
  }

  async function failurePage(ask: Ask, status: Failure): Promise<Answer> {
    if (ask.header('accept')?.includes('application/json')) return asProblem(status);
    try {
      return await options.failed(status, ask);
    } catch (error) {
      options.log.error({ err: error, requestId: ask.requestId }, 'the page that tells of an error failed');
      return asProblem(status);
    }
  }

  /** An answer that Node will not send, for what its headers say, is our own mistake and ends no more than itself. */
  function sendOn(outgoing: ServerResponse, made: Answer, ask: Ask): void {
    try {
      send(made, ask, everywhere, outgoing);
    } catch (error) {
      options.log.error({ err: error, requestId: ask.requestId }, 'an answer could not be sent');
      if (outgoing.headersSent) outgoing.destroy();
      else send(asProblem(500), ask, everywhere, outgoing);
    }
  }

  const { measures } = options;

  return {
    listener(incoming, outgoing) {
      const began = monotonicMs();
      const ask = new NodeAsk(incoming, hops);
      const done = (made: Answer) => {
        sendOn(outgoing, made, ask);
        measures?.answered(ask.route, made.status, monotonicMs() - began);
      };
      const result = answerTo(ask, (incoming.url as string).length);
      if (!(result instanceof Promise)) done(result);
      else if (ask.method === 'POST' || ask.isHeld) void result.then(done);
      else {
        waiting++;
        void result.then((made) => {
          waiting--;
          done(made);
        });
      }
    },
    async request(url, init, peer = '') {
      const request = new Request(url, init);
      const ask = new WebAsk(request, peer, hops);
      return toResponse(await answerTo(ask, request.url.length), ask, everywhere);
    },
  };
}

/** Made once: turning somebody away must cost next to nothing. */
const TURNED_AWAY: Answer = (() => {
  const words = 'Too many people are reading just now. Please try again in a moment.';
  const page =
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">' +
    `<title>One moment</title><main><h1>One moment</h1><p>${words}</p></main></html>\n`;
  return answer(503, HTML, page, ['Cache-Control', 'no-store', 'Retry-After', '5']);
})();

const WHO = /^(anyone|reader|link|gateway|operator|staff:.+)$/;
const HSTS = ['Strict-Transport-Security', 'max-age=31536000; includeSubDomains'];
const RETRY_SECONDS = 5;
const TITLES: Readonly<Record<Failure, string>> = {
  403: 'Forbidden',
  404: 'Not found',
  409: 'Conflict',
  413: 'Too much was sent',
  414: 'The address is too long',
  422: 'What was sent cannot be used',
  429: 'Too often',
  500: 'Something went wrong here',
  503: 'Not available just now',
};

function asProblem(status: Failure): Answer {
  return problem(status, `status-${status}`, TITLES[status]);
}

function isFromOrigin(ask: Ask, origin: string): boolean {
  const site = ask.header('sec-fetch-site');
  if (site !== undefined) return site === 'same-origin';
  return ask.header('origin') === origin;
}
