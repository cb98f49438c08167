import type Stripe from 'stripe';
import { isEarlier } from '#values/instants';
import { exactNumber, goOn, mapped } from '../calling.ts';
import type {
  Called,
  CheckoutOrder,
  CheckoutState,
  Expiration,
  FoundCheckout,
  GatewayMandate,
  MandateWanted,
  OpenedCheckout,
} from '../gateway.ts';
import { amountFor, moneyOf, NO_AMOUNT } from './amounts.ts';
import { type Api, type Asked, everyOne } from './api.ts';
import { bornAt, CLOCKS_DIFFER_BY, secondsOf } from './intents.ts';
import { keepMandate, mandateOf } from './mandates.ts';
import { paymentOf, readAround, readPayment, statusOf, wasTried } from './payments.ts';
import { KEY_USED } from './refusals.ts';
import {
  CUSTOMER,
  listOf,
  METHOD,
  type Payment,
  SESSION,
  SETUP,
  type Session,
  type Setup,
} from './shapes.ts';

/** Of the day that Stripe gives a checkout at most. */
const OPEN_FOR = { hours: 23 };
/** What it gives it at least. */
const OPEN_AT_LEAST = { minutes: 30 };
const MANDATE_YEARS = 10;
const LONGEST_NAME = 250;

/**
 * What readers may pay with: what is decided while they wait, and can be charged again with nobody there. An account that
 * has not switched one on does not show it. In rupees no card is saved: its mandate would be India's, which Stripe's own
 * page does not ask for, so a card pays once there and UPI gives the mandate. Where a mandate is all that is wanted, a card of
 * India would be kept and then declined.
 */
const METHODS = ['card', 'link'];
const METHODS_IN_RUPEES = ['card', 'upi'];
const MANDATES_IN_RUPEES = ['upi'];

/**
 * A session for each intent, made once by its key: sessions close before Stripe forgets a key, so there is never a second
 * one to be paid. Everything in it follows from the order and the intent's id, and nothing from the clock.
 */
export async function openCheckout(api: Api, order: CheckoutOrder): Promise<Called<OpenedCheckout>> {
  const born = bornAt(order.intentId);
  if (born === undefined) return { kind: 'refused', code: 'not_an_intent' };
  const closes = born.add(OPEN_FOR);
  if (isEarlier(closes.subtract(OPEN_AT_LEAST), api.account.now())) return openedBefore(api, order);
  const customer = order.mandate === undefined ? undefined : await customerFor(api, order);
  if (customer !== undefined && customer.kind !== 'ok') return customer;
  const given = sessionFor(api, order, { born, closes, customerId: customer?.value });
  if (given === undefined) return NO_AMOUNT;
  const made = await makeSession(api, given, `checkout ${order.intentId}`);
  if (made.kind === 'ok') return opened(api, order.intentId, made.value);
  if (made.kind === 'refused') return made.code === KEY_USED ? openedBefore(api, order) : made;
  if (!made.isKept) return made;
  // It would answer the same for a day. Of a session that it may have made nobody has the address, so nobody can pay it.
  const again = await makeSession(api, given, `checkout ${order.intentId} once more`);
  return goOn(again, async (session) => opened(api, order.intentId, session));
}

const makeSession = (
  api: Api,
  given: Stripe.Checkout.SessionCreateParams,
  idempotencyKey: string,
): Promise<Asked<Session>> =>
  api.ask(
    'checkout.sessions.create',
    (sdk) => sdk.checkout.sessions.create(given, { idempotencyKey }),
    SESSION,
  );

function opened(api: Api, intentId: string, session: Session): Called<OpenedCheckout> {
  api.heard.note(intentId, session.id);
  return { kind: 'ok', value: addressed(session) };
}

/** One that is over has no address any more: its reader is sent to where it would have led them. */
const addressed = (session: Session): OpenedCheckout => ({
  checkoutId: session.id,
  url:
    session.url ??
    (session.status === 'expired' ? session.cancel_url : undefined) ??
    session.success_url ??
    '/',
});

/** The session that was made for an intent, if it is for the same amount. */
async function openedBefore(api: Api, { amount, intentId }: CheckoutOrder): Promise<Called<OpenedCheckout>> {
  return goOn(await sessionOf(api, intentId), async (session): Promise<Called<OpenedCheckout>> => {
    if (session === undefined) return { kind: 'refused', code: 'checkout_too_late' };
    const was = session.mode === 'setup' ? { ...amount, minor: 0n } : totalOf(session);
    return was?.minor === amount.minor && was.currency === amount.currency
      ? { kind: 'ok', value: addressed(session) }
      : { kind: 'refused', code: 'intent_of_another_amount' };
  });
}

const totalOf = ({ amount_total: total, currency }: Session) =>
  total == null || currency == null ? undefined : moneyOf(total, currency);

/** @returns undefined where Stripe cannot write an amount */
function sessionFor(
  { account }: Api,
  order: CheckoutOrder,
  {
    born,
    closes,
    customerId,
  }: { born: Temporal.Instant; closes: Temporal.Instant; customerId?: string | undefined },
): Stripe.Checkout.SessionCreateParams | undefined {
  const { cancelUrl, email, intentId, mandate, readerId, returnUrl } = order;
  const amount = amountFor(order.amount);
  if (amount === undefined) return undefined;
  const currency = order.amount.currency.toLowerCase();
  const isRupees = currency === 'inr';
  const name = order.description.slice(0, LONGEST_NAME);
  const metadata = { intent: intentId, reader: readerId };
  return {
    ui_mode: 'hosted_page',
    locale: 'auto',
    client_reference_id: intentId,
    metadata,
    expires_at: secondsOf(closes),
    success_url: new URL(returnUrl, account.baseUrl).href,
    cancel_url: new URL(cancelUrl, account.baseUrl).href,
    allowed_payment_method_types: !isRupees ? METHODS : amount === 0 ? MANDATES_IN_RUPEES : METHODS_IN_RUPEES,
    ...(customerId === undefined ? { customer_email: email } : { customer: customerId }),
    ...(mandate !== undefined && isRupees
      ? { payment_method_options: { upi: upiOptions(order, mandate, born) } }
      : {}),
    ...(amount === 0
      ? { mode: 'setup', currency, setup_intent_data: { description: name, metadata } }
      : {
          mode: 'payment',
          // The price is what the paper says it is, in its currency.
          adaptive_pricing: { enabled: false },
          line_items: [
            { quantity: 1, price_data: { currency, unit_amount: amount, product_data: { name } } },
          ],
          payment_intent_data: {
            description: name,
            metadata,
            ...(mandate !== undefined && !isRupees ? { setup_future_usage: 'off_session' } : {}),
          },
        }),
  };
}

/** F77: a mandate has an end, and no beginning that could lie in the past. */
const upiOptions = (
  { description }: CheckoutOrder,
  { maxAmount }: MandateWanted,
  born: Temporal.Instant,
): Stripe.Checkout.SessionCreateParams.PaymentMethodOptions.Upi => ({
  setup_future_usage: 'off_session',
  mandate_options: {
    amount: exactNumber(maxAmount.minor),
    amount_type: 'maximum',
    description: description.slice(0, LONGEST_NAME),
    end_date: secondsOf(born.toZonedDateTimeISO('UTC').add({ years: MANDATE_YEARS }).toInstant()),
  },
});

/**
 * A reader's customer, which a card is kept with. Stripe would make another one for each address of the same reader, and
 * each day: so it is looked for by the address, among those that bear it.
 */
async function customerFor(api: Api, { email, readerId }: CheckoutOrder): Promise<Called<string>> {
  const listed = await everyOne(
    (query) => api.ask('customers.list', (sdk) => sdk.customers.list({ ...query, email }), listOf(CUSTOMER)),
    ({ metadata }) => metadata.reader === readerId,
  );
  return goOn(listed, async (all): Promise<Called<string>> => {
    const known = all.find(({ metadata }) => metadata.reader === readerId);
    if (known !== undefined) return { kind: 'ok', value: known.id };
    const made = await api.ask(
      'customers.create',
      (sdk) =>
        sdk.customers.create(
          { email, metadata: { reader: readerId } },
          { idempotencyKey: `customer ${readerId} ${email}`.slice(0, LONGEST_KEY) },
        ),
      CUSTOMER,
    );
    return mapped(made, ({ id }) => id);
  });
}

const LONGEST_KEY = 255;

export async function readCheckout(api: Api, checkoutId: string): Promise<Called<CheckoutState>> {
  return goOn(await readSession(api, checkoutId), (session) => stateOf(api, session));
}

export async function findCheckout(api: Api, reference: string): Promise<Called<FoundCheckout | undefined>> {
  return goOn(
    await sessionOf(api, reference),
    async (session): Promise<Called<FoundCheckout | undefined>> =>
      session === undefined
        ? { kind: 'ok', value: undefined }
        : mapped(await stateOf(api, session), (state) => ({ ...addressed(session), state })),
  );
}

const ALONG = [
  'payment_intent.latest_charge',
  'payment_intent.payment_method',
  'setup_intent.payment_method',
];

function readSession(api: Api, checkoutId: string): Promise<Called<Session>> {
  if (!/^cs_[A-Za-z0-9_]{1,200}$/.test(checkoutId))
    return Promise.resolve({ kind: 'refused', code: 'resource_missing' });
  return api.ask(
    'checkout.sessions.retrieve',
    (sdk) => sdk.checkout.sessions.retrieve(checkoutId, { expand: ALONG }),
    SESSION,
  );
}

/**
 * The session of an intent, among all that were made in the day after it was written down: none is made later. Of two, see
 * `openCheckout`, the one that somebody did something with.
 */
async function sessionOf(api: Api, intentId: string): Promise<Called<Session | undefined>> {
  const born = bornAt(intentId);
  if (born === undefined) return { kind: 'ok', value: undefined };
  const isIt = (session: Session) => session.client_reference_id === intentId;
  const heard = api.heard.of(intentId);
  const read = heard === undefined ? undefined : await readSession(api, heard);
  if (read?.kind === 'unknown' || (read?.kind === 'ok' && isIt(read.value))) return read;
  const created = {
    gte: secondsOf(born.subtract(CLOCKS_DIFFER_BY)),
    lte: secondsOf(born.add({ hours: 24 }).add(CLOCKS_DIFFER_BY)),
  };
  const listed = await everyOne<Session>((query) =>
    api.ask(
      'checkout.sessions.list',
      (sdk) => sdk.checkout.sessions.list({ ...query, created }),
      listOf(SESSION),
    ),
  );
  return goOn(listed, async (all): Promise<Called<Session | undefined>> => {
    const [found] = all.filter(isIt).toSorted((a, b) => rank(a) - rank(b));
    return found === undefined ? { kind: 'ok', value: undefined } : readSession(api, found.id);
  });
}

const rank = ({ payment_intent: payment, status }: Session): number =>
  status === 'complete' ? 0 : payment != null ? 1 : status === 'open' ? 2 : 3;

async function stateOf(api: Api, session: Session): Promise<Called<CheckoutState>> {
  if (session.mode === 'setup') return setupState(api, session);
  const { payment_intent: named } = session;
  if (named == null) return { kind: 'ok', value: untried(session) };
  const read = typeof named === 'string' ? await readPayment(api, named) : found(named);
  return goOn(read, async (payment): Promise<Called<CheckoutState>> => {
    // What is over and took nothing is over, whatever was tried there last: its reader can only begin anew.
    const isOver = session.status !== 'open' && statusOf(payment) === 'failed';
    if (isOver) return { kind: 'ok', value: { kind: 'expired' } };
    if (!wasTried(payment)) return { kind: 'ok', value: untried(session) };
    const mandate = mandateAt(api, session, payment);
    return mapped(await readAround(api, payment), (around) => ({
      kind: 'payment',
      ...paymentOf(payment, { ...around, mandate }),
    }));
  });
}

const found = <Value>(value: Value): Called<Value> => ({ kind: 'ok', value });

const untried = ({ status }: Session): CheckoutState =>
  status === 'open' ? { kind: 'open' } : { kind: 'expired' };

/** What was given with a payment is attached to its customer; what was not to be kept is nobody's. */
function mandateAt({ account }: Api, session: Session, payment: Payment): GatewayMandate | undefined {
  const { currency, customer, payment_method: method } = payment;
  const isGiven =
    statusOf(payment) === 'succeeded' &&
    customer !== undefined &&
    typeof method === 'object' &&
    method?.customer === customer;
  if (!isGiven) return undefined;
  const asked = session.payment_method_options?.upi?.mandate_options;
  return mandateOf(method, customer, { now: account.now(), asked, currency });
}

async function setupState(api: Api, session: Session): Promise<Called<CheckoutState>> {
  const { setup_intent: named, status } = session;
  if (status !== 'complete' || named == null) return { kind: 'ok', value: untried(session) };
  const read: Called<Setup> =
    typeof named === 'string'
      ? await api.ask(
          'setupIntents.retrieve',
          (sdk) => sdk.setupIntents.retrieve(named, { expand: ['payment_method'] }),
          SETUP,
        )
      : found(named);
  return goOn(read, async (setup): Promise<Called<CheckoutState>> => {
    const { customer, mandate: mandateId, payment_method: given } = setup;
    if (setup.status !== 'succeeded' || customer === undefined || given == null)
      return { kind: 'unknown', reason: `a setup that is ${setup.status} of a checkout that is complete` };
    const method =
      typeof given === 'string'
        ? await api.ask('paymentMethods.retrieve', (sdk) => sdk.paymentMethods.retrieve(given), METHOD)
        : found(given);
    return goOn(method, async (one): Promise<Called<CheckoutState>> => {
      if (mandateId !== undefined) await keepMandate(api, one, mandateId);
      const asked = session.payment_method_options?.upi?.mandate_options;
      const terms = { now: api.account.now(), asked, currency: session.currency ?? undefined };
      return { kind: 'ok', value: { kind: 'saved', mandate: mandateOf(one, customer, terms) } };
    });
  });
}

/** Stripe closes a session that is open, and refuses it of any other; then how that one stands says why. */
export async function expireCheckout(api: Api, checkoutId: string): Promise<Called<Expiration>> {
  const before = await readSession(api, checkoutId);
  if (before.kind !== 'ok') return before;
  if (before.value.status === 'open') {
    const called = await api.ask(
      'checkout.sessions.expire',
      (sdk) => sdk.checkout.sessions.expire(checkoutId),
      SESSION,
    );
    if (called.kind !== 'refused') return mapped(called, () => 'expired');
  }
  return goOn(await readCheckout(api, checkoutId), async (state): Promise<Called<Expiration>> => {
    if (state.kind === 'expired') return { kind: 'ok', value: 'expired' };
    if (state.kind === 'open')
      return { kind: 'unknown', reason: 'a checkout that is open, and does not close' };
    const isTaken = state.kind === 'saved' || state.status === 'succeeded';
    return { kind: 'ok', value: isTaken ? 'already-paid' : 'pending' };
  });
}
