import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { type Context, Hono } from 'hono';
import { CallerError, Invalid, TooLarge, TooMany } from '#values/errors';
import { isUnavailable } from './db.ts';
import type { Logger } from './log.ts';
import { PathRouter } from './path-router.ts';

/** Who may call a route. Each route says; one that does not, does not start. */
export type Who = 'anyone' | 'reader' | `staff:${string}` | 'gateway' | 'operator';

export type Route = {
  readonly method: 'GET' | 'POST';
  /** As Hono writes paths: `/topics/:slug`. */
  readonly path: string;
  readonly who: Who;
  readonly handle: (ask: Ask) => Answer | Promise<Answer>;
};

/** What a handler sees of a request: only what it asks for is worked out. */
export type Ask = {
  /** HEAD asks like GET and is answered without a body. */
  readonly method: string;
  /** As it was sent: still percent-encoded. */
  readonly path: string;
  readonly requestId: string;
  /** A part of the path that the route names. */
  param(name: string): string;
  /** A parameter that was given exactly once; undefined where it is missing, and where it was given as a list. */
  query(name: string): string | undefined;
  header(name: string): string | undefined;
  /** Every cookie of that name, since a browser can be made to send two. */
  cookies(name: string): string[];
  /** Where the request comes from, as far as the configured proxies can be trusted to say. */
  readonly address: string;
  /**
   * What a form sent.
   *
   * @throws TooLarge, or Invalid when it is no form
   */
  form(): Promise<Form>;
  /**
   * The bytes of the request as they came, for a signature that was made over them.
   *
   * @throws TooLarge when there are more than `most`
   */
  body(most: number): Promise<Buffer>;
};

/** The fields of a form. One that was sent twice is as if it had not been sent: nobody's page does that. */
export type Form = { field(name: string): string | undefined };

/** Bytes of one page in every coding that was asked for so far: compressed once, sent many times. */
export type Encoded = {
  readonly plain: Buffer;
  gzip?: Buffer;
  br?: Buffer;
  /** As it was sent before, by coding: one body belongs to one answer. */
  ready?: Readonly<Partial<Record<Coding | 'plain', Ready>>>;
};
type Coding = 'br' | 'gzip';
type Ready = { readonly headers: readonly string[]; readonly bytes: Buffer | undefined };

/** An answer, ready to be written: header names and values in one flat list, as Node writes them. */
export type Answer = {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Encoded | undefined;
  /** Cookies to set, in this one answer. */
  readonly cookies?: readonly string[];
};

/** Longer addresses than ours ever are cost time and hide attacks. */
const LONGEST_TARGET = 2_048;
/** A form of ours is a few hundred bytes; what is longer was not filled in by a reader. */
const LARGEST_FORM = 64 * 1024;
/** Smaller bodies do not shrink. */
const COMPRESS_FROM = 600;

/** What a page of ours may do in the browser: nothing runs or loads but our own files, and nothing frames us. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
  "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** How an answer is protected in the browser, by a Content-Security-Policy and by what holds for all of them. */
function protectedBy(policy: string): readonly string[] {
  return [
    'Content-Security-Policy',
    policy,
    'X-Content-Type-Options',
    'nosniff',
    'Referrer-Policy',
    'strict-origin-when-cross-origin',
    'Cross-Origin-Opener-Policy',
    'same-origin',
    'Permissions-Policy',
    'browsing-topics=(), camera=(), geolocation=(), microphone=()',
  ];
}

export const SECURITY_HEADERS = protectedBy(PAGE_POLICY);

/** Text as bytes that can be sent many times. */
export function encoded(text: string | Buffer): Encoded {
  if (typeof text !== 'string') return { plain: text };
  const plain = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  plain.write(text);
  return { plain };
}

/**
 * A copy in memory of its own. Node cuts small buffers from a common block of 64 kilobytes, and zlib from one of
 * sixteen: a page that is kept would keep its block, and pages in memory took three times their size.
 */
function ownCopy(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}

/** An answer with a body that can be compressed. `headers` come after the type and before the security headers. */
export function answer(
  status: number,
  type: string,
  body: string | Buffer,
  headers: readonly string[] = [],
): Answer {
  return {
    status,
    headers: ['Content-Type', type, ...headers, ...SECURITY_HEADERS],
    body: encoded(body),
  };
}

/** A page that is not of our making, under a policy of its own. */
export function foreignPage(html: string, policy: string, headers: readonly string[]): Answer {
  return {
    status: 200,
    headers: ['Content-Type', HTML, ...headers, ...protectedBy(policy)],
    body: encoded(html),
  };
}

/**
 * An answer that is the same for everybody: shared caches may keep it for some seconds, and whoever has it already is
 * told so (304) by a digest of its text.
 */
export function publicAnswer(
  type: string,
  body: string | Buffer,
  seconds: number,
  headers: readonly string[] = [],
): Answer {
  const tag = createHash('sha256').update(body).digest('base64url').slice(0, 16);
  // Weak (RFC 9110, 8.8.1): the same page in another coding is the same page.
  return answer(200, type, body, [
    'Cache-Control',
    `public, max-age=${seconds}`,
    'ETag',
    `W/"${tag}"`,
    ...headers,
  ]);
}

export const HTML = 'text/html; charset=utf-8';

export function redirect(status: 301 | 302 | 303, location: string, headers: readonly string[] = []): Answer {
  return { status, headers: ['Location', location, ...headers, ...SECURITY_HEADERS], body: undefined };
}

/** Problem details for a program (RFC 9457). Nothing of the inside is told. */
export function problem(status: number, code: string, title: string): Answer {
  return answer(
    status,
    'application/problem+json',
    JSON.stringify({ type: 'about:blank', title, status, code }),
    ['Cache-Control', 'no-store'],
  );
}

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
  /** Asked before every route that is not for anyone: nothing when the caller may, else what they are told instead. */
  readonly admit: (who: Who, ask: Ask) => Answer | undefined | Promise<Answer | undefined>;
};

/** An app that knows these routes and no others. */
export function serveRoutes(routes: readonly Route[], options: ServeOptions): Hono {
  const app = new Hono({ router: new PathRouter() });
  const writeOptions = options.secure ? HSTS : [];
  for (const route of routes) {
    if (!WHO.test(route.who))
      throw new Error(`the route ${route.method} ${route.path} does not say who may call it`);
    app.on(route.method, route.path, (c) => run(c, route));
  }
  app.notFound((c) => {
    const ask = askOf(c, options);
    return fail(c, ask, tooLong(c) ? 414 : 404);
  });

  function run(c: Context, route: Route): Response | Promise<Response> {
    const ask = askOf(c, options);
    try {
      if (tooLong(c)) return fail(c, ask, 414);
      if (route.method === 'POST' && route.who !== 'gateway' && !fromOwnOrigin(ask, options.origin)) {
        return fail(c, ask, 403);
      }
      const result = route.who === 'anyone' ? route.handle(ask) : admitted(ask, route);
      if (!(result instanceof Promise)) return write(c, result, ask, writeOptions);
      return result.then(
        (done) => write(c, done, ask, writeOptions),
        (error: unknown) => failed(c, ask, error),
      );
    } catch (error) {
      return failed(c, ask, error);
    }
  }

  async function admitted(ask: Ask, route: Route): Promise<Answer> {
    return (await options.admit(route.who, ask)) ?? route.handle(ask);
  }

  function failed(c: Context, ask: Ask, error: unknown): Promise<Response> {
    if (error instanceof CallerError) {
      return fail(c, ask, error.status, error instanceof TooMany ? error.seconds : undefined);
    }
    const status = isUnavailable(error) ? 503 : 500;
    options.log.error({ err: error, requestId: ask.requestId, status }, 'a request failed');
    return fail(c, ask, status);
  }

  async function fail(c: Context, ask: Ask, status: Failure, again?: number): Promise<Response> {
    let result: Answer;
    try {
      result = ask.header('accept')?.includes('application/json')
        ? problem(status, `status-${status}`, TITLES[status])
        : await options.failed(status, ask);
    } catch (error) {
      options.log.error({ err: error, requestId: ask.requestId }, 'the page that tells of an error failed');
      result = problem(status, `status-${status}`, TITLES[status]);
    }
    const seconds = status === 503 ? 5 : again;
    return write(
      c,
      seconds === undefined
        ? result
        : { ...result, headers: [...result.headers, 'Retry-After', String(seconds)] },
      ask,
      writeOptions,
    );
  }

  return app;
}

const WHO = /^(anyone|reader|gateway|operator|staff:.+)$/;
const HSTS = ['Strict-Transport-Security', 'max-age=31536000; includeSubDomains'];
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

/** Node's own request and response; a test that asks in process has none. */
function nodeOf(c: Context): { incoming?: IncomingMessage; outgoing?: ServerResponse } {
  return c.env ?? {};
}

function tooLong(c: Context): boolean {
  const { incoming } = nodeOf(c);
  return (incoming?.url ?? c.req.url).length > LONGEST_TARGET;
}

let requests = 0;
const started = Math.floor(Math.random() * 2 ** 32).toString(36);

function askOf(c: Context, options: Pick<ServeOptions, 'trustedProxyHops'>): Ask {
  return new HonoAsk(c, options.trustedProxyHops);
}

/** One object a request: as closures, these seven cost more garbage than the page did. */
class HonoAsk implements Ask {
  readonly method: string;
  readonly path: string;
  readonly requestId = `${started}-${(++requests).toString(36)}`;
  readonly #c: Context;
  readonly #incoming: IncomingMessage | undefined;
  readonly #hops: number;
  #form: Promise<Form> | undefined;

  constructor(c: Context, hops: number) {
    this.#c = c;
    this.#incoming = nodeOf(c).incoming;
    this.#hops = hops;
    this.method = this.#incoming?.method ?? c.req.method;
    // Hono decodes it, and where nothing is encoded that is the path as it was sent.
    const { url } = c.req;
    this.path = url.includes('%') ? rawPath(url) : c.req.path;
  }

  param(name: string): string {
    return this.#c.req.param(name) ?? '';
  }

  query(name: string): string | undefined {
    const values = this.#c.req.queries(name);
    return values?.length === 1 ? values[0] : undefined;
  }

  header(name: string): string | undefined {
    if (this.#incoming === undefined) return this.#c.req.header(name);
    const value = this.#incoming.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  cookies(name: string): string[] {
    return cookiesNamed(this.header('cookie'), name);
  }

  get address(): string {
    return clientAddress(
      this.#incoming?.socket?.remoteAddress ?? '',
      this.header('x-forwarded-for'),
      this.#hops,
    );
  }

  form(): Promise<Form> {
    this.#form ??= this.#readForm();
    return this.#form;
  }

  async #readForm(): Promise<Form> {
    const type = this.header('content-type')?.split(';')[0]?.trim().toLowerCase();
    if (type !== 'application/x-www-form-urlencoded') throw new Invalid('not-a-form', 'this takes a form');
    const bytes = await this.body(LARGEST_FORM);
    if (!isUtf8(bytes)) throw new Invalid('not-utf-8', 'a form is sent in UTF-8');
    const fields = new URLSearchParams(bytes.toString('utf8'));
    return {
      field: (name) => {
        const values = fields.getAll(name);
        return values.length === 1 ? values[0] : undefined;
      },
    };
  }

  async body(most: number): Promise<Buffer> {
    const tooLarge = () => new TooLarge('too-large', `at most ${most} bytes are taken here`);
    if (Number(this.header('content-length') ?? 0) > most) throw tooLarge();
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of this.#c.req.raw.body ?? []) {
      length += chunk.length;
      if (length > most) throw tooLarge();
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }
}

/** The path of an absolute address, as it was sent. */
function rawPath(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3);
  const end = url.slice(start).search(/[?#]/);
  return end === -1 ? url.slice(start) : url.slice(start, start + end);
}

/** Values of the cookies of one name, in the order sent (RFC 6265, section 4.2). */
function cookiesNamed(header: string | undefined, name: string): string[] {
  if (header === undefined || !header.includes(name)) return [];
  const values: string[] = [];
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) values.push(pair.slice(equals + 1).trim());
  }
  return values;
}

/**
 * Who is on the other side of the proxies that we run. Each proxy adds the address that it was called from, so the
 * last `hops` addresses are ours to believe and whatever stands before them is what a caller made up.
 */
function clientAddress(peer: string, forwardedFor: string | undefined, hops: number): string {
  if (hops === 0 || forwardedFor === undefined) return peer;
  const chain = [...forwardedFor.split(',').map((one) => one.trim()), peer];
  return chain[Math.max(0, chain.length - 1 - hops)] ?? peer;
}

function fromOwnOrigin(ask: Ask, origin: string): boolean {
  const site = ask.header('sec-fetch-site');
  if (site !== undefined) return site === 'same-origin';
  return ask.header('origin') === origin;
}

/** Which coding an Accept-Encoding header asks for; the headers that browsers send are few, so they are remembered. */
const codings = new Map<string, 'br' | 'gzip' | undefined>();

function codingFor(accept: string | undefined): 'br' | 'gzip' | undefined {
  if (accept === undefined) return undefined;
  if (codings.has(accept)) return codings.get(accept);
  const accepted = new Set(
    accept
      .toLowerCase()
      .split(',')
      .map((one) => one.trim())
      .filter((one) => !/;\s*q=0(\.0*)?$/.test(one))
      .map((one) => one.split(';')[0]),
  );
  const coding = accepted.has('br') ? 'br' : accepted.has('gzip') ? 'gzip' : undefined;
  if (codings.size < 1_000) codings.set(accept, coding);
  return coding;
}

/**
 * Brotli at 5 packs a page as small as gzip at 9; a page is packed once and sent many times. A window no larger than
 * the page, instead of four megabytes, takes a third off the time and nothing off the effect.
 */
function brotli(plain: Buffer): Buffer {
  const { BROTLI_PARAM_LGWIN, BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = constants;
  return brotliCompressSync(plain, {
    params: {
      [BROTLI_PARAM_QUALITY]: 5,
      [BROTLI_PARAM_LGWIN]: Math.min(22, Math.max(10, 32 - Math.clz32(plain.length))),
      [BROTLI_PARAM_SIZE_HINT]: plain.length,
    },
  });
}

function bytesFor(body: Encoded, coding: 'br' | 'gzip'): Buffer {
  if (coding === 'br') {
    body.br ??= ownCopy(brotli(body.plain));
    return body.br;
  }
  body.gzip ??= ownCopy(gzipSync(body.plain));
  return body.gzip;
}

/** Whether the caller has this very page already (RFC 9110, 13.1.2). Only `publicAnswer` makes a tag, in this place. */
export function isKnown({ headers, status }: Answer, ask: Ask): boolean {
  if (status !== 200 || headers[4] !== 'ETag') return false;
  const known = ask.header('if-none-match');
  return known?.split(',').some((tag) => tag.trim() === headers[5]) ?? false;
}

const COMPRESSIBLE =
  /^(text\/|application\/(json|problem\+json|rss\+xml|xml|javascript|manifest\+json)|image\/svg)/;

/**
 * The bytes of an answer in one coding and all headers that do not differ from one request to the next. They are put
 * together when the answer is first sent and lie beside its body from then on.
 */
function readyFor(made: Answer, coding: Coding | undefined, more: readonly string[]): Ready {
  const packed = isPacked(made) ? (coding ?? 'plain') : 'plain';
  const known = made.body?.ready?.[packed];
  if (known !== undefined) return known;
  const headers = [...made.headers, ...more];
  if (isPacked(made)) headers.push('Vary', 'Accept-Encoding');
  let bytes = made.body?.plain;
  if (made.body !== undefined && packed !== 'plain') {
    bytes = bytesFor(made.body, packed);
    headers.push('Content-Encoding', packed);
  }
  if (made.status !== 304) headers.push('Content-Length', String(bytes?.length ?? 0));
  const result = { headers, bytes };
  if (made.body !== undefined) made.body.ready = { ...made.body.ready, [packed]: result };
  return result;
}

/** Whether an answer is sent compressed to who can read it. */
function isPacked({ body, headers }: Answer): boolean {
  return body !== undefined && body.plain.length >= COMPRESS_FROM && COMPRESSIBLE.test(headers[1] ?? '');
}

/** Writes to Node's own response where there is one, which costs a third of a web Response; tests get a Response. */
function write(c: Context, made: Answer, ask: Ask, more: readonly string[]): Response {
  const result = isKnown(made, ask) ? { ...made, status: 304, body: undefined } : made;
  const { bytes, headers: same } = readyFor(result, codingFor(ask.header('accept-encoding')), more);
  const { status } = result;
  const headers = same.concat('X-Request-Id', ask.requestId);
  if (made.cookies !== undefined) for (const one of made.cookies) headers.push('Set-Cookie', one);
  const { outgoing } = nodeOf(c);
  if (outgoing === undefined) {
    const list: [string, string][] = [];
    for (let at = 0; at + 1 < headers.length; at += 2)
      list.push([headers[at] as string, headers[at + 1] as string]);
    const empty = ask.method === 'HEAD' || status === 304 || bytes === undefined;
    return new Response(empty ? null : new Uint8Array(bytes as Buffer), { status, headers: list });
  }
  outgoing.writeHead(status, headers);
  outgoing.end(bytes);
  return RESPONSE_ALREADY_SENT;
}
