import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '#platform/clock';
import type { Heard } from './heard.ts';
import { ASKED, asked, Refusal } from './razorpay-asked.ts';
import { Company } from './razorpay-company.ts';
import {
  printCard,
  printCustomer,
  printDispute,
  printOrder,
  printPayment,
  printRefund,
  printToken,
} from './razorpay-objects.ts';

/** What goes wrong with a request: it hangs, it is done and then lost, or it is answered as no API answers. */
export type Fault =
  | 'hang'
  | 'hang-after'
  | 'reset'
  | 'reset-after'
  | 'error-500'
  | 'bad-gateway'
  | 'conflict'
  | 'too-many'
  | 'nonsense';

/** Razorpay's API on loopback, with what happens behind it in a test's hands. */
export type RazorpayStandIn = {
  readonly apiBase: string;
  readonly keyId: string;
  readonly keySecret: string;
  readonly webhookSecret: string;
  readonly company: Company;
  /** Every request that came, also those that went wrong. */
  readonly heard: Heard[];
  /** The next request to such a place goes wrong: `POST /orders`. */
  fail(place: string, fault: Fault): void;
  /** What the checkout gives the browser that paid. */
  signReturn(orderId: string, paymentId: string): string;
  close(): Promise<void>;
};

type Call = {
  readonly id: (at: number) => string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly header: (name: string) => string | undefined;
};
type Handler = (company: Company, call: Call) => unknown;

const collection = <One>(items: readonly One[]) => ({ entity: 'collection', count: items.length, items });

/** The newest first, as its lists are, and of what was made at once the last. */
function listed<One extends { created: number }>(
  all: Iterable<One>,
  {
    count,
    skip,
    from = 0,
    to = Number.MAX_SAFE_INTEGER,
  }: { count: number; skip: number; from?: number; to?: number },
): One[] {
  return [...all]
    .toReversed()
    .toSorted((a, b) => b.created - a.created)
    .filter((one) => one.created >= from && one.created <= to)
    .slice(skip, skip + count);
}

/** By method and path, `*` for an id. */
const HANDLERS: Readonly<Record<string, Handler>> = {
  'POST /customers': (company, { body }) => printCustomer(company.makeCustomer(asked(ASKED.customer, body))),
  'GET /customers/*': (company, { id }) => printCustomer(Company.one(company.customers, id(0))),
  'PUT /customers/*': (company, { body, id }) => {
    const customer = Company.one(company.customers, id(0));
    Object.assign(customer, defined(asked(ASKED.customerChange, body)));
    return printCustomer(customer);
  },
  'GET /customers/*/tokens/*': (company, { id }) => printToken(company.tokenOf(id(0), id(1))),
  'PUT /customers/*/tokens/*/cancel': (company, { body, id }) => {
    asked(ASKED.nothing, body);
    return company.cancelToken(id(0), id(1));
  },
  'POST /tokens/fetch': (company, { body }) =>
    printToken(Company.one(company.tokens, asked(ASKED.token, body).id), true),
  'POST /orders': (company, { body }) => printOrder(company.makeOrder(asked(ASKED.order, body))),
  'GET /orders': (company, { query }) => {
    const page = asked(ASKED.since, query);
    const all = [...company.orders.values()].filter(
      (one) => page.receipt === undefined || one.receipt === page.receipt,
    );
    return collection(listed(all, page).map(printOrder));
  },
  'GET /orders/*': (company, { id }) => printOrder(Company.one(company.orders, id(0))),
  'PATCH /orders/*': (company, { body, id }) => {
    const order = Company.one(company.orders, id(0));
    order.notes = asked(ASKED.orderChange, body).notes;
    return printOrder(order);
  },
  'GET /orders/*/payments': (company, { id }) => {
    const order = Company.one(company.orders, id(0));
    const all = [...company.payments.values()].filter((one) => one.orderId === order.id);
    return collection(listed(all, { count: 100, skip: 0 }).map((one) => printPayment(one, true)));
  },
  'GET /payments': (company, { query }) =>
    collection(listed(company.payments.values(), asked(ASKED.since, query)).map((one) => printPayment(one))),
  'GET /payments/*': (company, { id }) => printPayment(Company.one(company.payments, id(0))),
  'GET /payments/*/card': (company, { id }) => {
    const { instrument } = Company.one(company.payments, id(0));
    if (instrument.method !== 'card') throw new Refusal('The payment was not made with a card');
    return { id: `card_${id(0).slice(4)}`, ...printCard(instrument) };
  },
  'POST /payments/create/recurring': (company, { body }) => {
    const payment = company.chargeToken(asked(ASKED.recurring, body));
    // A foreign card is declined at once, and the payment is there all the same.
    if (payment.status === 'failed')
      throw new Refusal('Payment failed', {
        reason: payment.reason ?? 'payment_failed',
        metadata: { payment_id: payment.id, order_id: payment.orderId },
      });
    return { razorpay_payment_id: payment.id, razorpay_order_id: payment.orderId };
  },
  'POST /payments/*/refund': (company, { body, header, id }) =>
    printRefund(company.refund(id(0), asked(ASKED.refund, body), header('x-refund-idempotency'))),
  'GET /payments/*/refunds': (company, { id, query }) => {
    Company.one(company.payments, id(0));
    const all = [...company.refunds.values()].filter((one) => one.paymentId === id(0));
    return collection(listed(all, asked(ASKED.since, query)).map(printRefund));
  },
  'GET /refunds': (company, { query }) =>
    collection(listed(company.refunds.values(), asked(ASKED.since, query)).map(printRefund)),
  'GET /disputes': (company, { query }) =>
    collection(listed(company.disputes.values(), asked(ASKED.page, query)).map(printDispute)),
};

/** @param clock Razorpay's own, which a test moves */
export async function razorpayStandIn(clock: Clock): Promise<RazorpayStandIn> {
  const account = {
    keyId: 'rzp_test_standin0000001',
    keySecret: 'a-key-secret-of-the-tests',
    webhookSecret: 'a-webhook-secret-of-the-tests',
  };
  const company = new Company(clock, account.webhookSecret);
  const heard: Heard[] = [];
  const faults: { place: string; fault: Fault }[] = [];
  const authorization = `Basic ${Buffer.from(`${account.keyId}:${account.keySecret}`).toString('base64')}`;

  function answer(request: IncomingMessage, path: string, query: URLSearchParams, text: string): unknown {
    if (request.headers.authorization !== authorization)
      throw new Refusal('Authentication failed', { status: 401 });
    company.debitWhatIsDue();
    const found = handlerFor(request.method ?? '', path);
    if (found === undefined)
      throw new Refusal('The requested URL was not found on the server.', { status: 404 });
    return found.handler(company, {
      id: (at) => found.ids[at] ?? '',
      query: Object.fromEntries(query),
      body: bodyOf(request, text),
      header: (name) => {
        const value = request.headers[name];
        return typeof value === 'string' ? value : undefined;
      },
    });
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await textOf(request);
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://razorpay.invalid');
    const path = pathname.replace(/^\/v1/, '');
    const place = `${request.method} ${placeOf(path)}`;
    heard.push({
      method: request.method ?? '',
      path,
      headers: request.headers,
      body: text === '' ? undefined : JSON.parse(text),
    });
    const at = faults.findIndex((one) => one.place === place);
    const fault = at < 0 ? undefined : faults.splice(at, 1)[0]?.fault;
    if (fault === 'hang') return;
    if (fault === 'reset') return void request.socket.destroy();
    if (fault === 'error-500')
      return send(response, 500, new Refusal('We are facing some trouble', { status: 500 }).body);
    if (fault === 'conflict')
      return send(response, 409, new Refusal('A prior request is being processed', { status: 409 }).body);
    if (fault === 'too-many')
      return send(response, 429, new Refusal('Too many requests', { status: 429 }).body);
    if (fault === 'bad-gateway') {
      response.writeHead(502, { 'content-type': 'text/html' }).end('<html><h1>502 Bad Gateway</h1></html>');
      return;
    }
    if (fault === 'nonsense') return send(response, 200, { entity: 'teapot' });
    let status = 200;
    let said: unknown;
    try {
      said = answer(request, path, searchParams, text);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      ({ status, body: said } = error);
    }
    if (fault === 'hang-after') return;
    if (fault === 'reset-after') return void request.socket.destroy();
    send(response, status, said);
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      response.writeHead(599).end(String(error));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    ...account,
    apiBase: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    company,
    heard,
    fail: (place, fault) => faults.push({ place, fault }),
    signReturn: (orderId, paymentId) =>
      createHmac('sha256', account.keySecret).update(`${orderId}|${paymentId}`).digest('hex'),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const defined = (given: object) =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));

function handlerFor(method: string, path: string): { handler: Handler; ids: string[] } | undefined {
  const handler = HANDLERS[`${method} ${placeOf(path)}`];
  if (handler === undefined) return undefined;
  return { handler, ids: path.split('/').filter((word) => /^[a-z]+_/.test(word)) };
}

/** A path with `*` in the place of each id. */
function placeOf(path: string): string {
  return path.replace(/\/[a-z]+_[^/]*/g, '/*');
}

function bodyOf(request: IncomingMessage, text: string): unknown {
  if (text === '') return {};
  if (request.headers['content-type']?.startsWith('application/json') !== true)
    throw new Refusal('The request must be JSON');
  return JSON.parse(text);
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
