import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { Invalid, TooLarge } from '#values/errors';
import type { Ask, Form, Route } from './http.ts';

/** A form of ours is a few hundred bytes; what is longer was not filled in by a reader. */
const LARGEST_FORM = 64 * 1024;

let requests = 0;
const started = Math.floor(Math.random() * 2 ** 32).toString(36);

/** One object a request, that reads what it is asked for from what came: as closures it cost more garbage than a page. */
export abstract class RequestAsk implements Ask {
  abstract readonly method: string;
  readonly path: string;
  readonly requestId = `${started}-${++requests}`;
  /** What the path says for the route's parameters: known once the route is. */
  params: Readonly<Record<string, string>> = {};
  /** The route that answers it, once that is known. */
  route: Route | undefined;
  readonly #search: string;
  readonly #hops: number;
  #query: URLSearchParams | undefined;
  #form: Promise<Form> | undefined;

  /**
   * @param target the path as it was sent, and what follows it
   * @param hops how many proxies of ours stand before this server
   */
  constructor(target: string, hops: number) {
    const end = endOfPath(target);
    this.path = end === -1 ? target : target.slice(0, end);
    this.#search = end === -1 ? '' : target.slice(end);
    this.#hops = hops;
  }

  abstract header(name: string): string | undefined;
  abstract readonly peer: string;
  protected abstract chunks(): AsyncIterable<Uint8Array>;

  param(name: string): string {
    const sent = this.params[name] ?? '';
    return sent.includes('%') ? decoded(sent) : sent;
  }

  query(name: string): string | undefined {
    if (this.#search === '') return undefined;
    this.#query ??= new URLSearchParams(this.#search.replace(/#.*$/s, ''));
    const values = this.#query.getAll(name);
    return values.length === 1 ? values[0] : undefined;
  }

  cookies(name: string): string[] {
    return cookiesNamed(this.header('cookie'), name);
  }

  get address(): string {
    return this.#hops === 0
      ? this.peer
      : clientAddress(this.peer, this.header('x-forwarded-for'), this.#hops);
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
    for await (const chunk of this.chunks()) {
      length += chunk.length;
      if (length > most) throw tooLarge();
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }
}

/** What comes over a connection. */
export class NodeAsk extends RequestAsk {
  readonly method: string;
  /** Whether it is turned away, and told so a little later. */
  isHeld = false;
  readonly #incoming: IncomingMessage;
  /** Asked for several times a request: Node's own getter looks each time whether they are made. */
  readonly #headers: IncomingMessage['headers'];

  constructor(incoming: IncomingMessage, hops: number) {
    super(originForm(incoming.url as string), hops);
    this.method = incoming.method as string;
    this.#incoming = incoming;
    this.#headers = incoming.headers;
  }

  header(name: string): string | undefined {
    const value = this.#headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  get peer(): string {
    return this.#incoming.socket.remoteAddress ?? '';
  }

  /** Who stops reading half-way has a request still, whose connection can be asked about and answered on. */
  protected async *chunks(): AsyncIterable<Uint8Array> {
    try {
      yield* this.#incoming.iterator({ destroyOnReturn: false });
    } catch (error) {
      throw new Invalid('cut-short', 'the request ended before all of it was sent', { cause: error });
    }
  }
}

/** What is asked in this process, without a connection. */
export class WebAsk extends RequestAsk {
  readonly method: string;
  readonly peer: string;
  readonly #request: Request;

  constructor(request: Request, peer: string, hops: number) {
    super(originForm(request.url), hops);
    this.method = request.method;
    this.peer = peer;
    this.#request = request;
  }

  header(name: string): string | undefined {
    return this.#request.headers.get(name) ?? undefined;
  }

  protected async *chunks(): AsyncIterable<Uint8Array> {
    yield* this.#request.body ?? [];
  }
}

function endOfPath(target: string): number {
  const query = target.indexOf('?');
  const fragment = target.indexOf('#');
  if (query === -1 || fragment === -1) return Math.max(query, fragment);
  return Math.min(query, fragment);
}

/** The path and query of a target that may be a whole address (RFC 9112, 3.2), as they were sent. */
function originForm(target: string): string {
  if (target.startsWith('/')) return target;
  const host = target.indexOf('://');
  const path = host === -1 ? -1 : target.indexOf('/', host + 3);
  return path === -1 ? '/' : target.slice(path);
}

/** A part of a path without its escapes; one that is no UTF-8 stays as it was sent. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Values of the cookies of one name, in the order sent (RFC 6265, section 4.2). */
function cookiesNamed(header: string | undefined, name: string): string[] {
  const values: string[] = [];
  if (header === undefined) return values;
  for (let found = header.indexOf(name); found !== -1; found = header.indexOf(name, found + 1)) {
    const before = header.lastIndexOf(';', found) + 1;
    const equals = header.indexOf('=', found);
    if (equals === -1) break;
    if (header.slice(before, equals).trim() !== name) continue;
    const end = header.indexOf(';', equals);
    values.push(header.slice(equals + 1, end === -1 ? undefined : end).trim());
  }
  return values;
}

/**
 * Who is on the other side of the proxies that we run. Each proxy adds the address that it was called from, so the
 * last `hops` addresses are ours to believe and whatever stands before them is what a caller made up.
 */
function clientAddress(peer: string, forwardedFor: string | undefined, hops: number): string {
  if (forwardedFor === undefined) return peer;
  const chain = [...forwardedFor.split(',').map((one) => one.trim()), peer];
  return chain[Math.max(0, chain.length - 1 - hops)] ?? peer;
}
