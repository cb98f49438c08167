import type { ServerResponse } from 'node:http';
import { bytesIn, type Coding, codingFor, type Ready } from './coding.ts';
import { type Answer, type Ask, isKnown } from './http.ts';

/** Smaller bodies do not shrink. */
const COMPRESS_FROM = 600;
const COMPRESSIBLE =
  /^(text\/|application\/(json|problem\+json|rss\+xml|xml|javascript|manifest\+json)|image\/svg)/;

/** What goes over the wire for one request. */
type Sent = { readonly status: number; readonly headers: string[]; readonly bytes: Buffer | undefined };

/**
 * Sends an answer on Node's own response; Node leaves the body out where the request was HEAD.
 *
 * @param more headers that every answer of this server carries
 */
export function send(made: Answer, ask: Ask, more: readonly string[], outgoing: ServerResponse): void {
  const { bytes, headers, status } = prepare(made, ask, more);
  outgoing.writeHead(status, headers);
  outgoing.end(bytes);
}

/** The same answer as a web Response, for who asks in this process. */
export function toResponse(made: Answer, ask: Ask, more: readonly string[]): Response {
  const { bytes, headers, status } = prepare(made, ask, more);
  const list: [string, string][] = [];
  for (let at = 0; at + 1 < headers.length; at += 2)
    list.push([headers[at] as string, headers[at + 1] as string]);
  const empty = ask.method === 'HEAD' || status === 304 || bytes === undefined;
  return new Response(empty ? null : new Uint8Array(bytes), { status, headers: list });
}

function prepare(made: Answer, ask: Ask, more: readonly string[]): Sent {
  const result = isKnown(made, ask) ? { ...made, status: 304, body: undefined } : made;
  const { bytes, headers: same } = readyFor(result, codingFor(ask.header('accept-encoding')), more);
  const headers = same.slice();
  headers[headers.length - 1] = ask.requestId;
  if (made.cookies !== undefined) for (const one of made.cookies) headers.push('Set-Cookie', one);
  return { status: result.status, headers, bytes };
}

/** What is ready for a coding is put together when the answer is first sent so, and lies beside its body from then on. */
function readyFor(made: Answer, asked: Coding | 'plain', more: readonly string[]): Ready {
  const known = made.body?.ready?.[asked];
  if (known !== undefined) return known;
  const ready = makeReady(made, asked, more);
  if (made.body !== undefined) made.body.ready = { ...made.body.ready, [asked]: ready };
  return ready;
}

function makeReady({ body, headers: own, status }: Answer, asked: Coding | 'plain', more: readonly string[]) {
  const headers = [...own, ...more];
  let bytes = body?.plain;
  if (body !== undefined && body.plain.length >= COMPRESS_FROM && COMPRESSIBLE.test(own[1] ?? '')) {
    headers.push('Vary', 'Accept-Encoding');
    if (asked !== 'plain') {
      bytes = bytesIn(body, asked);
      headers.push('Content-Encoding', asked);
    }
  }
  if (status !== 304) headers.push('Content-Length', String(bytes?.length ?? 0));
  headers.push('X-Request-Id', '');
  return { headers, bytes };
}
