import { ASKED, asked, Refusal } from './stripe-asked.ts';
import { Company } from './stripe-company.ts';
import { printCharge, printCustomer, printMandate, printMethod, printSetup } from './stripe-objects.ts';
import { printAccount, printDispute, printEndpoint, printRefund } from './stripe-returns.ts';

/** What the stand-in answers to each request of the API. */

export type Call = { readonly ids: readonly string[]; readonly given: unknown };
export type Handler = (company: Company, call: Call) => object;

type Range =
  | number
  | { gt?: number | undefined; gte?: number | undefined; lt?: number | undefined; lte?: number | undefined };
type Page = {
  readonly limit: number;
  readonly starting_after?: string | undefined;
  readonly expand?: readonly string[] | undefined;
  readonly created?: Range | undefined;
};

function isWithin(created: number, range: Range | undefined): boolean {
  if (range === undefined) return true;
  if (typeof range === 'number') return created === range;
  const { gt = -1, gte = 0, lt = Number.MAX_SAFE_INTEGER, lte = Number.MAX_SAFE_INTEGER } = range;
  return created > gt && created >= gte && created < lt && created <= lte;
}

/** The newest first, and of what was made at once the last; behind the one that was the last of the page before. */
function listed<One extends { readonly id: string; readonly created: number }>(
  company: Company,
  { all, page, print, url }: { all: Iterable<One>; page: Page; print: (one: One) => object; url: string },
): object {
  const sorted = [...all]
    .filter((one) => isWithin(one.created, page.created))
    .toReversed()
    .toSorted((a, b) => b.created - a.created);
  const after = page.starting_after;
  const from = after === undefined ? 0 : sorted.findIndex(({ id }) => id === after) + 1;
  if (after !== undefined && from === 0)
    throw new Refusal(`No such object: '${after}'`, { code: 'resource_missing', param: 'starting_after' });
  const data = sorted.slice(from, from + page.limit).map(print);
  const list = { object: 'list', url: `/v1${url}`, has_more: sorted.length > from + page.limit, data };
  return expanded(company, list, page.expand);
}

/** An object with others in the place of their ids, where that was asked for. @throws Refusal for what names no object */
function expanded(company: Company, object: object, paths: readonly string[] = []): object {
  const whole = structuredClone(object) as Record<string, unknown>;
  for (const path of paths) {
    const steps = path.split('.');
    if (steps.length > 4)
      throw new Refusal('You cannot expand more than 4 levels of a property', { param: 'expand' });
    expand(company, whole, steps, path);
  }
  return whole;
}

function expand(company: Company, at: unknown, [step, ...rest]: readonly string[], path: string): void {
  if (step === undefined || at === null || at === undefined) return;
  if (Array.isArray(at)) {
    for (const one of at) expand(company, one, [step, ...rest], path);
    return;
  }
  const object = at as Record<string, unknown>;
  const value = object[step];
  const isName = value === null || typeof value === 'string';
  if (!(step in object) || (!isName && typeof value !== 'object'))
    throw new Refusal(`This property cannot be expanded (${path}).`, { param: 'expand' });
  if (typeof value === 'string') object[step] = objectNamed(company, value, path);
  expand(company, object[step], rest, path);
}

function objectNamed(company: Company, id: string, path: string): object {
  const charge = company.charges.get(id);
  const payment = company.payments.get(charge?.paymentId ?? id);
  if (charge !== undefined && payment !== undefined) return printCharge(charge, payment);
  if (payment !== undefined) return company.paymentAsPrinted(payment);
  const method = company.methods.get(id);
  if (method !== undefined) return printMethod(method);
  const setup = company.setups.get(id);
  if (setup !== undefined) return printSetup(setup);
  const customer = company.customers.get(id);
  if (customer !== undefined) return printCustomer(customer);
  throw new Refusal(`This property cannot be expanded (${path}).`, { param: 'expand' });
}

const first = ({ ids }: Call): string => ids[0] ?? '';

/** By method and path, `*` for an id. */
const HANDLERS: Readonly<Record<string, Handler>> = {
  'POST /customers': (company, { given }) =>
    printCustomer(company.makeCustomer(asked(ASKED.customer, given))),
  'GET /customers': (company, { given }) => {
    const page = asked(ASKED.customers, given);
    const all = [...company.customers.values()].filter(
      (one) => page.email === undefined || one.email === page.email,
    );
    return listed(company, { all, page, print: printCustomer, url: '/customers' });
  },
  'POST /checkout/sessions': (company, { given }) => {
    const { expand: paths, ...session } = asked(ASKED.session, given);
    return expanded(company, company.sessionAsPrinted(company.makeSession(session)), paths);
  },
  'GET /checkout/sessions': (company, { given }) => {
    const page = asked(ASKED.sessions, given);
    const all = [...company.sessions.values()].filter(
      (one) =>
        (page.customer === undefined || one.customerId === page.customer) &&
        (page.payment_intent === undefined || one.paymentId === page.payment_intent) &&
        (page.status === undefined || one.status === page.status),
    );
    const print = (one: (typeof all)[number]) => company.sessionAsPrinted(one);
    return listed(company, { all, page, print, url: '/checkout/sessions' });
  },
  'GET /checkout/sessions/*': (company, call) => {
    const session = Company.one(company.sessions, first(call), 'checkout.session');
    return expanded(company, company.sessionAsPrinted(session), asked(ASKED.one, call.given).expand);
  },
  'POST /checkout/sessions/*/expire': (company, call) => {
    const { expand: paths } = asked(ASKED.one, call.given);
    return expanded(company, company.sessionAsPrinted(company.expireSession(first(call))), paths);
  },
  'POST /payment_intents': (company, { given }) => {
    const { expand: paths, ...payment } = asked(ASKED.payment, given);
    return expanded(company, company.paymentAsPrinted(company.charge(payment)), paths);
  },
  'GET /payment_intents': (company, { given }) => {
    const page = asked(ASKED.payments, given);
    const all = [...company.payments.values()].filter(
      (one) => page.customer === undefined || one.customerId === page.customer,
    );
    const print = (one: (typeof all)[number]) => company.paymentAsPrinted(one);
    return listed(company, { all, page, print, url: '/payment_intents' });
  },
  'GET /payment_intents/search': (company, { given }) => {
    const { limit, query } = asked(ASKED.search, given);
    const behind = company.searchIsBehind;
    if (behind === undefined) throw new Refusal('Search is not supported for your account.');
    const [, name = '', value = ''] = /^metadata\['([^']+)'\]:'([^']+)'$/.exec(query) ?? [];
    if (name === '') throw new Refusal('We were unable to parse your search query.', { param: 'query' });
    const found = [...company.payments.values()].filter(
      (one) => one.metadata[name] === value && one.created + behind <= company.now(),
    );
    const data = found.slice(0, limit).map((one) => company.paymentAsPrinted(one));
    return {
      object: 'search_result',
      url: '/v1/payment_intents/search',
      has_more: false,
      next_page: null,
      data,
    };
  },
  'GET /payment_intents/*': (company, call) => {
    const payment = Company.one(company.payments, first(call), 'payment_intent');
    return expanded(company, company.paymentAsPrinted(payment), asked(ASKED.one, call.given).expand);
  },
  'GET /setup_intents/*': (company, call) => {
    const setup = Company.one(company.setups, first(call), 'setupintent');
    return expanded(company, printSetup(setup), asked(ASKED.one, call.given).expand);
  },
  'GET /payment_methods/*': (company, call) => {
    asked(ASKED.one, call.given);
    return printMethod(Company.one(company.methods, first(call), 'PaymentMethod'));
  },
  'POST /payment_methods/*': (company, call) => {
    const { metadata = {} } = asked(ASKED.methodChange, call.given);
    const method = Company.one(company.methods, first(call), 'PaymentMethod');
    if (method.customerId === null)
      throw new Refusal('You must save this PaymentMethod to a customer before you can update it.');
    method.metadata = { ...method.metadata, ...metadata };
    return printMethod(method);
  },
  'POST /payment_methods/*/detach': (company, call) => {
    asked(ASKED.one, call.given);
    return printMethod(company.detach(first(call)));
  },
  'GET /mandates/*': (company, call) => {
    asked(ASKED.one, call.given);
    return printMandate(Company.one(company.mandates, first(call), 'mandate'));
  },
  'POST /refunds': (company, { given }) => printRefund(company.refund(asked(ASKED.refund, given))),
  'GET /refunds': (company, { given }) => {
    const page = asked(ASKED.about, given);
    const all = [...company.refunds.values()].filter((one) => isAbout(one, page));
    return listed(company, { all, page, print: printRefund, url: '/refunds' });
  },
  'GET /disputes': (company, { given }) => {
    const page = asked(ASKED.about, given);
    const all = [...company.disputes.values()].filter((one) => isAbout(one, page));
    return listed(company, { all, page, print: printDispute, url: '/disputes' });
  },
  'GET /account': (company, call) => {
    asked(ASKED.one, call.given);
    return printAccount(company.mayCharge);
  },
  'GET /webhook_endpoints': (company, { given }) => {
    const page = asked(ASKED.endpoints, given);
    return listed(company, { all: company.endpoints, page, print: printEndpoint, url: '/webhook_endpoints' });
  },
  // Made by another program of the same account, or by somebody at the dashboard.
  'GET /subscriptions': (company, { given }) => {
    const page = asked(ASKED.subscriptions, given);
    const print = ({ id }: { id: string }) => ({ id, object: 'subscription', status: 'active' });
    return listed(company, { all: company.ownSubscriptions, page, print, url: '/subscriptions' });
  },
};

const isAbout = (
  one: { paymentId: string; chargeId: string },
  page: { payment_intent?: string | undefined; charge?: string | undefined },
): boolean =>
  (page.payment_intent === undefined || one.paymentId === page.payment_intent) &&
  (page.charge === undefined || one.chargeId === page.charge);

export function handlerFor(method: string, path: string): { handler: Handler; ids: string[] } | undefined {
  const handler = HANDLERS[`${method} ${placeOf(path)}`];
  return handler && { handler, ids: path.split('/').filter((word) => ID.test(word)) };
}

const ID = /^(?:cus|cs|pi|seti|pm|mandate|re|du)_[A-Za-z0-9_]+$/;

/** A path with `*` in the place of each id. */
export function placeOf(path: string): string {
  return path
    .split('/')
    .map((word) => (ID.test(word) && word !== 'payment_intents' ? '*' : word))
    .join('/');
}
