import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '#platform/clock';
import type { Heard } from './heard.ts';
import { formOf, Refusal } from './stripe-asked.ts';
import { Company } from './stripe-company.ts';
import { type Call, type Handler, handlerFor, placeOf } from './stripe-handlers.ts';
import { servePage } from './stripe-page.ts';

/** What goes wrong with a request: it hangs, it is done and then lost, or it is answered as no API answers. */
export type Fault =
  | 'hang'
  | 'hang-after'
  | 'reset'
  | 'reset-after'
  | 'error-500'
  /** Answered so after something was done, or not, and by its key for a day. */
  | 'kept-500'
  | 'bad-gateway'
  | 'conflict'
  | 'too-many'
  | 'no-key'
  /** Of a restricted key, which may not do this. */
  | 'no-leave'
  /** Done after others had time to come. */
  | 'slow'
  | 'nonsense';

/** Stripe's API on loopback, and the pages on which readers pay, with what happens behind them in a test's hands. */
export type StripeStandIn = {
  readonly apiBase: string;
  readonly secretKey: string;
  readonly webhookSecret: string;
  readonly company: Company;
  /** Every request of the API that came, also those that went wrong. */
  readonly heard: Heard[];
  /** The next request to such a place goes wrong: `POST /payment_intents`. */
  fail(place: string, fault: Fault): void;
  close(): Promise<void>;
};

type Kept = { readonly asked: string; readonly at: number; readonly status: number; readonly body: string };

/** The version that the SDK was made for, and asks for. */
const VERSION = '2026-10-28.endive';
const SLOW_MS = 150;
const KEPT_FOR = 24 * 3_600;

/** @param clock Stripe's own, which a test moves */
export async function stripeStandIn(clock: Clock): Promise<StripeStandIn> {
  const account = {
    secretKey: 'sk_test_standin000000000000001',
    webhookSecret: 'whsec_a_secret_of_the_tests',
  };
  const company = new Company(clock, account.webhookSecret);
  const heard: Heard[] = [];
  const faults: { place: string; fault: Fault }[] = [];
  const kept = new Map<string, Kept>();
  const underWay = new Set<string>();

  /** @throws Refusal */
  function admit(request: IncomingMessage): void {
    const given = request.headers.authorization ?? '';
    if (given !== `Bearer ${account.secretKey}`)
      throw new Refusal(`Invalid API Key provided: ${given.slice(7, 15)}****`, {
        status: 401,
        isKept: false,
      });
    if (request.headers['stripe-version'] !== VERSION)
      throw new Refusal('Invalid Stripe API version', { isKept: false });
    const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
    if (request.method === 'POST' && !isForm)
      throw new Refusal('Invalid request: it is no form', { isKept: false });
  }

  /** A request is done once by its key, and answered the same afterwards: also where that was a refusal, or a 500. */
  function answerOnce(
    request: IncomingMessage,
    call: Call,
    handler: Handler,
    text: string,
    is500: boolean,
  ): Said {
    const key = request.headers['idempotency-key'];
    if (request.method !== 'POST') return said(() => handler(company, call));
    if (typeof key !== 'string' || key === '' || key.length > 255)
      return refused(new Refusal('Invalid idempotency key', { isKept: false }));
    const asked = `${request.url}\n${text}`;
    const known = kept.get(key);
    if (known !== undefined && known.at + KEPT_FOR > company.now()) {
      if (known.asked !== asked)
        return refused(
          new Refusal(
            `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
            { type: 'idempotency_error' },
          ),
        );
      return { status: known.status, body: known.body, headers: { 'idempotent-replayed': 'true' } };
    }
    const answered = is500
      ? refused(new Refusal('An unknown error occurred', { status: 500, type: 'api_error' }))
      : said(() => handler(company, call));
    if (answered.isKept !== false) kept.set(key, { ...answered, asked, at: company.now() });
    return answered;
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await textOf(request);
    const { pathname, search } = new URL(request.url ?? '/', 'http://stripe.invalid');
    company.tick();
    if (!pathname.startsWith('/v1/'))
      return servePage(company, request.method ?? '', pathname, text, response);
    const path = pathname.slice('/v1'.length);
    const place = `${request.method} ${placeOf(path)}`;
    const isPost = request.method === 'POST';
    const given = said(() => formOf(isPost ? text : search.slice(1)));
    const body = given.status === 200 ? JSON.parse(given.body) : undefined;
    heard.push({ method: request.method ?? '', path, headers: request.headers, body });
    const at = faults.findIndex((one) => one.place === place);
    const fault = at < 0 ? undefined : faults.splice(at, 1)[0]?.fault;
    if (fault === 'hang') return;
    if (fault === 'reset') return void request.socket.destroy();
    const instead = fault === undefined ? undefined : INSTEAD[fault];
    if (instead !== undefined) {
      response
        .writeHead(instead.status, { 'content-type': instead.type ?? 'application/json' })
        .end(instead.body);
      return;
    }
    const key = request.headers['idempotency-key'];
    if (isPost && typeof key === 'string' && underWay.has(key)) {
      send(response, IN_USE);
      return;
    }
    if (isPost && typeof key === 'string') underWay.add(key);
    if (fault === 'slow') await sleep(SLOW_MS);
    if (typeof key === 'string') underWay.delete(key);
    const found = handlerFor(request.method ?? '', path);
    const answered = said(() => admit(request));
    const outcome =
      answered.status !== 200
        ? answered
        : given.status !== 200
          ? given
          : found === undefined
            ? refused(
                new Refusal(`Unrecognized request URL (${request.method}: ${pathname}).`, { status: 404 }),
              )
            : answerOnce(request, { ids: found.ids, given: body }, found.handler, text, fault === 'kept-500');
    if (fault === 'hang-after') return;
    if (fault === 'reset-after') return void request.socket.destroy();
    send(response, outcome);
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      response.writeHead(599).end(String(error));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const apiBase = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  company.origin = apiBase;
  return {
    ...account,
    apiBase,
    company,
    heard,
    fail: (place, fault) => faults.push({ place, fault }),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

type Said = {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly isKept?: boolean;
};

function said(act: () => unknown): Said {
  try {
    return { status: 200, body: JSON.stringify(act() ?? {}) };
  } catch (error) {
    if (error instanceof Refusal) return refused(error);
    throw error;
  }
}

const refused = ({ error, isKept, status }: Refusal): Said => ({
  status,
  body: JSON.stringify({ error }),
  isKept,
});

const IN_USE = refused(
  new Refusal('There is currently another in-progress request using this Idempotent Key.', {
    status: 409,
    code: 'idempotency_key_in_use',
    type: 'idempotency_error',
  }),
);

type Instead = { readonly status: number; readonly body: string; readonly type?: string };

const INSTEAD: Readonly<Partial<Record<Fault, Instead>>> = {
  'error-500': refused(new Refusal('An unknown error occurred', { status: 500, type: 'api_error' })),
  'bad-gateway': { status: 502, body: '<html><h1>502 Bad Gateway</h1></html>', type: 'text/html' },
  conflict: IN_USE,
  'too-many': refused(new Refusal('Too many requests', { status: 429, code: 'rate_limit' })),
  'no-key': refused(
    new Refusal('Expired API Key provided: sk_test_****0001', { status: 401, code: 'api_key_expired' }),
  ),
  'no-leave': refused(
    new Refusal('The provided key does not have the required permissions for this endpoint.', {
      status: 403,
    }),
  ),
  nonsense: { status: 200, body: '{"object":"teapot"}' },
};

let requests = 0;

function send(response: ServerResponse, { body, headers, status }: Said): void {
  response
    .writeHead(status, {
      'content-type': 'application/json',
      'request-id': `req_${String(++requests).padStart(14, '0')}`,
      'stripe-version': VERSION,
      ...headers,
    })
    .end(body);
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
