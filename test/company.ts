import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type App, serveRoutes } from '#platform/app';
import { type Ask, answer, HTML, type Route } from '#platform/http';
import { createLogger } from '#platform/log';
import { signingKeys } from '#platform/signing';
import type { Gateway } from '../src/newspaper/billing/gateways/gateway.ts';
import { sandboxGateway } from '../src/newspaper/billing/gateways/sandbox.ts';
import {
  type Credentials,
  type Rail,
  sandboxCredentials,
  sandboxRoutes,
  startDeliveries,
} from '../src/sandbox/sandbox.ts';
import { type TestDatabase, testDatabase } from './db.ts';
import { type TestClock, testClock } from './paper.ts';

/** A webhook as it came to the merchant. */
export type Received = {
  readonly eventId: string;
  readonly type: string;
  readonly checkoutId: string;
  readonly signature: string;
  readonly body: Buffer;
};

/** The sandbox gateway over real HTTP on loopback, and a merchant beside it that writes down what it is told. */
export type TestCompany = {
  readonly database: TestDatabase;
  readonly clock: TestClock;
  readonly baseUrl: string;
  /** All of it, to be asked in process as where no server runs. */
  readonly app: App;
  readonly credentials: Credentials;
  readonly gateway: Gateway;
  readonly received: Received[];
  /** How the merchant answers webhooks from now on: 200 unless told. */
  answerWebhooks(answer: (received: Received) => number | Promise<number>): void;
  /** Delivers in this process until the end, as a web process does; any number of them. */
  deliver(): { stop(): Promise<void> };
  /** Calls the API as any program might. */
  api(
    method: string,
    path: string,
    given?: { body?: unknown; headers?: Record<string, string> },
  ): Promise<Told>;
  end(): Promise<void>;
};
export type Told = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what a test expects of it, it says itself
  readonly json: any;
};

export const SECRETS = 'a newer secret of the tests, an older secret of the tests';

export async function testCompany(at = '2026-11-23T06:30:00Z'): Promise<TestCompany> {
  const database = await testDatabase();
  const clock = testClock(at);
  const log = createLogger(process.env.TEST_LOG === '1' ? 'info' : 'silent');
  const credentials = sandboxCredentials(signingKeys(SECRETS));
  const received: Received[] = [];
  const loops: { stop(): Promise<void> }[] = [];
  let answering: (received: Received) => number | Promise<number> = () => 200;

  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const baseUrl = `http://localhost:${(server.address() as AddressInfo).port}`;

  const merchant: Route[] = [
    {
      method: 'POST',
      path: '/webhooks/sandbox',
      who: 'gateway',
      handle: async (ask: Ask) => {
        const body = await ask.body(64 * 1024);
        const event = JSON.parse(body.toString('utf8'));
        const one = {
          eventId: ask.header('sandbox-event-id') ?? '',
          type: event.type,
          checkoutId: event.data.id,
          signature: ask.header('sandbox-signature') ?? '',
          body,
        };
        received.push(one);
        return answer(await answering(one), 'text/plain', '');
      },
    },
    ...(['/thanks', '/plans'] as const).map(
      (path): Route => ({
        method: 'GET',
        path,
        who: 'anyone',
        handle: () => answer(200, HTML, `<!doctype html><title>The Courier</title><h1>${path}</h1>`),
      }),
    ),
  ];
  const app = serveRoutes(
    [
      ...sandboxRoutes({
        db: database.db,
        clock,
        baseUrl,
        apiKeys: credentials.apiKeys,
        merchant: () => 'The Courier',
        log,
      }),
      ...merchant,
    ],
    {
      origin: baseUrl,
      trustedProxyHops: 0,
      secure: false,
      log,
      failed: (status) => answer(status, HTML, `<!doctype html><title>The Courier</title><p>${status}</p>`),
      // The gateway's routes ask for their own key.
      admit: () => undefined,
    },
  );
  server.on('request', app.listener);

  return {
    database,
    clock,
    baseUrl,
    app,
    credentials,
    received,
    gateway: sandboxGateway({
      baseUrl,
      apiKey: credentials.apiKeys[0],
      webhookSecrets: credentials.webhookSecrets,
    }),
    answerWebhooks: (next) => {
      answering = next;
    },
    deliver: () => {
      const { webhookSecrets } = credentials;
      const loop = startDeliveries({
        db: database.db,
        clock,
        baseUrl,
        webhookSecrets,
        log,
      });
      loops.push(loop);
      return loop;
    },
    api: async (method, path, { body, headers } = {}) => {
      const response = await fetch(`${baseUrl}/sandbox/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${credentials.apiKeys[0]}`, ...headers },
        ...(body === undefined
          ? {}
          : {
              body:
                typeof body === 'string' || body instanceof Uint8Array
                  ? (body as string)
                  : JSON.stringify(body),
            }),
      });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.includes('json') === true;
      return {
        status: response.status,
        headers: response.headers,
        text,
        json: isJson ? JSON.parse(text) : undefined,
      };
    },
    end: async () => {
      for (const loop of loops) await loop.stop();
      server.close();
      server.closeAllConnections();
      await database.drop();
    },
  };
}

let orders = 0;

/** What a merchant asks for: a quarter of the paper. */
export function checkoutRequest(
  baseUrl: string,
  over: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    reference: `order-${++orders}`,
    amount_minor: 270_000,
    currency: 'INR',
    description: 'The Courier, three months',
    email: 'meera@example.com',
    return_url: `${baseUrl}/thanks`,
    cancel_url: `${baseUrl}/plans`,
    ...over,
  };
}

/** Begins a checkout that nobody has paid yet. */
export async function beginCheckout(
  company: TestCompany,
  over: Record<string, unknown> = {},
): Promise<{ id: string; url: string; reference: string }> {
  const body = checkoutRequest(company.baseUrl, over);
  const { json } = await company.api('POST', '/checkouts', {
    body,
    headers: { 'idempotency-key': String(body.reference) },
  });
  return json;
}

/** Presses a button of a checkout's page, as a browser does, and says where it is sent. */
export async function press(
  url: string,
  fields: Record<string, string>,
  to = 'payments',
): Promise<{ status: number; location: string | undefined; text: string }> {
  const response = await fetch(`${url}/${to}`, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: new URL(url).origin, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  });
  const location = response.headers.get('location');
  return {
    status: response.status,
    location: location === null ? undefined : new URL(location, url).href,
    text: await response.text(),
  };
}

/** A mandate that somebody has given at a checkout, of nothing unless an amount is told. */
export async function giveMandate(
  company: TestCompany,
  { customer = 'reader-meera', rail = 'card_intl', ...over }: Record<string, unknown> & { rail?: Rail } = {},
): Promise<{ id: string; customer: string; checkoutId: string; reference: string }> {
  const { id, reference, url } = await beginCheckout(company, {
    amount_minor: 0,
    customer,
    mandate: { max_amount_minor: 400_000, months: 3 },
    ...over,
  });
  await press(url, { outcome: 'approve', rail });
  const { json } = await company.api('GET', `/checkouts/${id}`);
  return { id: json.mandate.id, customer: json.mandate.customer, checkoutId: id, reference };
}

/** Charges a mandate, by a key of its own unless one is told. */
export function chargeMandate(
  company: TestCompany,
  mandate: { readonly id: string; readonly customer: string },
  over: Record<string, unknown> = {},
  key?: string,
): Promise<Told> {
  const reference = `renewal-${++orders}`;
  return company.api('POST', '/charges', {
    body: {
      reference,
      mandate: mandate.id,
      customer: mandate.customer,
      amount_minor: 270_000,
      currency: 'INR',
      description: 'The Courier, three months more',
      ...over,
    },
    headers: { 'idempotency-key': key ?? reference },
  });
}
