import { createHash } from 'node:crypto';
import { type Encoded, encoded } from './coding.ts';

/**
 * Who may call a route. Each route says; one that does not, does not start. `link`: whoever was sent its address, which
 * holds something that nobody can guess; no other site can forge what is asked for there, nor need it come from a page.
 */
export type Who = 'anyone' | 'reader' | `staff:${string}` | 'link' | 'gateway' | 'operator';

export type Route = {
  readonly method: 'GET' | 'POST';
  /** Words, and parameters that stand for one: `/topics/:slug`. */
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
  /** The other end of the connection itself: a proxy of ours, where there is one. */
  readonly peer: string;
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

/** An answer, ready to be written: header names and values in one flat list, as Node writes them. */
export type Answer = {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Encoded | undefined;
  /** Cookies to set, in this one answer. */
  readonly cookies?: readonly string[];
};

/** What a page of ours may do in the browser: nothing runs or loads but our own files, and nothing frames us. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
  "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** How an answer is protected in the browser, by a Content-Security-Policy and by what holds for all of them. */
function protectedBy(policy: string, opener = 'same-origin'): readonly string[] {
  return [
    'Content-Security-Policy',
    policy,
    'X-Content-Type-Options',
    'nosniff',
    'Referrer-Policy',
    'strict-origin-when-cross-origin',
    'Cross-Origin-Opener-Policy',
    opener,
    'Permissions-Policy',
    'browsing-topics=(), camera=(), geolocation=(), microphone=()',
  ];
}

export const SECURITY_HEADERS = protectedBy(PAGE_POLICY);

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

/**
 * A page of ours with a form whose answer leads on to another origin. Chromium holds `form-action` not only against where a
 * form is sent, but against every address that it leads to from there (CSP 3, 6.4.1, leaves that open).
 */
export function formPage(
  status: number,
  html: string,
  origins: readonly string[],
  headers: readonly string[],
): Answer {
  const policy = PAGE_POLICY.replace("form-action 'self'", ["form-action 'self'", ...origins].join(' '));
  return {
    status,
    headers: ['Content-Type', HTML, ...headers, ...protectedBy(policy)],
    body: encoded(html),
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

/** A page of ours that runs a script of another company, which may open windows that talk to it. */
export function sharedPage(html: string, policy: string, headers: readonly string[]): Answer {
  return {
    status: 200,
    headers: ['Content-Type', HTML, ...headers, ...protectedBy(policy, 'same-origin-allow-popups')],
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

/** Whether the caller has this very page already (RFC 9110, 13.1.2). Only `publicAnswer` makes a tag, in this place. */
export function isKnown({ headers, status }: Answer, ask: Ask): boolean {
  if (status !== 200 || headers[4] !== 'ETag') return false;
  const known = ask.header('if-none-match');
  return known?.split(',').some((tag) => tag.trim() === headers[5]) ?? false;
}
