import { eachOf, exactNumber, goOn, mapped } from '../calling.ts';
import type {
  Called,
  CheckoutOrder,
  CheckoutState,
  Expiration,
  FoundCheckout,
  GatewayMandate,
  GatewayPayment,
  OpenedCheckout,
} from '../gateway.ts';
import { type Api, receiptOf } from './api.ts';
import { frequencyOf, givenMandate } from './mandates.ts';
import {
  type Attempted,
  attemptedFor,
  attemptedOf,
  fetchOrder,
  mayHaveTaken,
  ordersOf,
  readAttempted,
} from './orders.ts';
import { paymentOf, readAround, readPayment, statusOf, withCard } from './payments.ts';
import { CUSTOMER, DONE, ORDER, type Order, type Payment } from './shapes.ts';

/** A mandate is asked for with an end, as the law wants; UPI's own is ten years where nobody says. */
const MANDATE_YEARS = 10;
/** What a card or an account is checked with where nothing is to be paid: a rupee, which Razorpay gives back. */
const CHECKED_WITH = 100n;
/** What a note may hold is 256 characters. */
const LONGEST_NOTE = 250;
const LONGEST_NAME = 50;

/** Notes of an order, by which the paper knows it again. Their names are ours, and stay: orders live for ever. */
type Notes = {
  readonly intent: string;
  readonly description: string;
  /** The customer whose mandate it asks for. */
  readonly customer?: string;
  /** That nothing is bought, and the mandate is all. */
  readonly saves?: '1';
};

export async function openCheckout(api: Api, order: CheckoutOrder): Promise<Called<OpenedCheckout>> {
  return goOn(await ordersOf(api, order.intentId), async ([known]) => {
    if (known === undefined) return goOn(await placeOrder(api, order), settledOn(api, order));
    return openedIfSame(api, known, order);
  });
}

/** Whoever opens the same intent at the same moment is to be sent to the same order: the one that was there first. */
const settledOn =
  (api: Api, order: CheckoutOrder) =>
  async (placed: Order): Promise<Called<OpenedCheckout>> =>
    goOn(await ordersOf(api, order.intentId), async ([first = placed]) => openedIfSame(api, first, order));

function openedIfSame(api: Api, known: Order, order: CheckoutOrder): Called<OpenedCheckout> {
  const isSame = known.amount === toTake(order) && known.currency === order.amount.currency;
  return isSame
    ? { kind: 'ok', value: opened(api, known) }
    : { kind: 'refused', code: 'intent_of_another_amount' };
}

const toTake = ({ amount, mandate }: CheckoutOrder): bigint =>
  amount.minor === 0n && mandate !== undefined ? CHECKED_WITH : amount.minor;

const opened = ({ account }: Api, { id }: Order): OpenedCheckout => ({
  checkoutId: id,
  url: `${account.baseUrl}/pay/razorpay/${id}`,
});

async function placeOrder(api: Api, order: CheckoutOrder): Promise<Called<Order>> {
  const { amount, intentId, mandate } = order;
  const description = order.description.slice(0, LONGEST_NOTE);
  const placed = (notes: Notes, more: object) =>
    api.ask(
      'orders.create',
      (sdk) =>
        sdk.orders.create({
          amount: exactNumber(toTake(order)),
          currency: amount.currency,
          receipt: receiptOf(intentId),
          payment_capture: true,
          notes,
          ...more,
        }),
      ORDER,
    );
  if (mandate === undefined) return placed({ intent: intentId, description }, {});
  if (amount.currency !== 'INR' || mandate.maxAmount.currency !== 'INR')
    return { kind: 'refused', code: 'mandates_are_in_rupees' };
  return goOn(await customerFor(api, order), ({ id }) =>
    placed(
      { intent: intentId, description, customer: id, ...(amount.minor === 0n ? { saves: '1' } : {}) },
      {
        customer_id: id,
        // No method: the reader chooses at the checkout which of those that can be charged again.
        token: {
          max_amount: exactNumber(mandate.maxAmount.minor),
          expire_at: seconds(
            api.account.now().toZonedDateTimeISO('UTC').add({ years: MANDATE_YEARS }).toInstant(),
          ),
          frequency: frequencyOf(mandate.months),
        },
      },
    ),
  );
}

/**
 * A reader's customer. Somebody who is one already is found by their address, and is no mistake. It wants a name, which
 * the paper does not ask for.
 */
const customerFor = (api: Api, { email, readerId }: CheckoutOrder) =>
  api.ask(
    'customers.create',
    (sdk) =>
      sdk.customers.create({
        name: `Reader ${readerId}`.slice(0, LONGEST_NAME),
        email,
        fail_existing: '0',
        notes: { reader: readerId },
      }),
    CUSTOMER,
  );

export async function readCheckout(api: Api, checkoutId: string): Promise<Called<CheckoutState>> {
  return goOn(await readAttempted(api, checkoutId), (attempted) => stateOf(api, attempted));
}

export async function findCheckout(api: Api, reference: string): Promise<Called<FoundCheckout | undefined>> {
  const found = await attemptedFor(api, reference);
  return goOn(found, async (attempted): Promise<Called<FoundCheckout | undefined>> => {
    if (attempted === undefined) return { kind: 'ok', value: undefined };
    return mapped(await stateOf(api, attempted), (state) => ({ ...opened(api, attempted.order), state }));
  });
}

async function stateOf(api: Api, attempted: Attempted): Promise<Called<CheckoutState>> {
  const { order, payment } = attempted;
  const isClosed = order.notes.closed !== undefined;
  if (order.status === 'paid' && (payment === undefined || payment.status === 'failed'))
    return { kind: 'unknown', reason: 'an order that is paid, and no payment of it yet' };
  // A payment that took money, or that may, is told of whatever was closed before it came.
  if (payment === undefined || (isClosed && !mayHaveTaken(attempted)))
    return { kind: 'ok', value: { kind: isClosed ? 'expired' : 'open' } };
  const read = await readCheckoutPayment(api, order, payment);
  return mapped(read, (said): CheckoutState => {
    const { mandate, status } = said;
    return order.notes.saves === '1' && mandate !== undefined && status === 'succeeded'
      ? { kind: 'saved', mandate }
      : { kind: 'payment', ...said };
  });
}

async function readCheckoutPayment(api: Api, order: Order, seen: Payment): Promise<Called<GatewayPayment>> {
  const status = statusOf(seen, order, 'requires_action');
  if (status !== 'succeeded')
    return { kind: 'ok', value: paymentOf(seen, { status, refunds: [], dispute: undefined }) };
  const whole = await wholePayment(api, order, seen);
  if (whole.kind !== 'ok') return whole;
  const mandate = await mandateAt(api, order, whole.value);
  if (mandate.kind !== 'ok') return mandate;
  return mapped(await readAround(api, { ...whole.value, captured: true }), ({ payment, ...around }) =>
    paymentOf(payment, { ...around, status, mandate: mandate.value }),
  );
}

/** A list of an order's payments may leave out the token and the card. */
async function wholePayment(api: Api, order: Order, payment: Payment): Promise<Called<Payment>> {
  const lacksToken = order.notes.customer !== undefined && typeof payment.token_id !== 'string';
  const called = lacksToken ? await readPayment(api, payment.id) : ({ kind: 'ok', value: payment } as const);
  return goOn(called, async (whole) => ({ kind: 'ok', value: await withCard(api, whole) }));
}

async function mandateAt(
  api: Api,
  order: Order,
  payment: Payment,
): Promise<Called<GatewayMandate | undefined>> {
  const { customer } = order.notes;
  if (customer === undefined) return { kind: 'ok', value: undefined };
  const mandate = await givenMandate(api, { ...payment, customer_id: payment.customer_id ?? customer });
  if (mandate.kind === 'ok' && mandate.value !== undefined)
    await keepContact(api, payment.customer_id ?? customer, payment.contact);
  return mandate;
}

/**
 * Later payments have to say a telephone number, which the paper does not ask for and Razorpay's checkout does: it is
 * kept with Razorpay, at its customer. Where that fails, the charge asks for it anew.
 */
async function keepContact(api: Api, customerId: string, contact: string | undefined): Promise<void> {
  if (contact === undefined || contact === '') return;
  const known = await api.ask('customers.fetch', (sdk) => sdk.customers.fetch(customerId), CUSTOMER);
  if (known.kind !== 'ok' || (known.value.contact ?? '') !== '') return;
  await api.ask('customers.edit', (sdk) => sdk.customers.edit(customerId, { contact }), CUSTOMER);
}

/**
 * Razorpay's orders never expire. So the paper writes on the order that it is closed, and its own page, the only way to
 * pay it, opens it no more. What is paid all the same, in a browser that had it open, is a payment: see `stateOf`.
 */
export async function expireCheckout(api: Api, checkoutId: string): Promise<Called<Expiration>> {
  const before = await readAttempted(api, checkoutId);
  if (before.kind !== 'ok') return before;
  if (mayHaveTaken(before.value)) return { kind: 'ok', value: whyNot(before.value) };
  return goOn(await siblingsOf(api, before.value.order, checkoutId), async (orders) => {
    const closed = await eachOf(orders, (order) => close(api, order));
    if (closed.kind !== 'ok') return closed;
    // Somebody may have paid between the question and the note.
    return mapped(await readAttempted(api, checkoutId), (after) =>
      mayHaveTaken(after) ? whyNot(after) : 'expired',
    );
  });
}

const whyNot = ({ order, payment }: Attempted): Expiration =>
  order.status === 'paid' || (payment !== undefined && TOOK.has(payment.status)) ? 'already-paid' : 'pending';
const TOOK: ReadonlySet<string> = new Set(['captured', 'refunded']);

async function siblingsOf(api: Api, order: Order, checkoutId: string): Promise<Called<Order[]>> {
  const { intent } = order.notes;
  if (intent === undefined) return mapped(await fetchOrder(api, checkoutId), (one) => [one]);
  return mapped(await ordersOf(api, intent), (all) =>
    all.some(({ id }) => id === order.id) ? all : [order, ...all],
  );
}

/** A change of notes puts new ones in the place of all there were. */
async function close(api: Api, order: Order): Promise<Called<unknown>> {
  if (order.notes.closed !== undefined) return { kind: 'ok', value: undefined };
  const notes = { ...order.notes, closed: '1' };
  return api.ask('orders.edit', (sdk) => sdk.orders.edit(order.id, { notes }), DONE);
}

/** What the paper's own page needs to open Razorpay's checkout. */
export type CheckoutPage =
  | { readonly kind: 'closed' }
  /** It is paid, or may be at any moment: there is nothing to pay here. */
  | { readonly kind: 'settled' }
  | {
      readonly kind: 'open';
      /** Names the account, to everybody; no secret. */
      readonly keyId: string;
      readonly orderId: string;
      readonly amount: { readonly minor: bigint; readonly currency: string };
      readonly description: string;
      readonly intentId: string;
      /** Whose mandate is asked for, where one is. */
      readonly customerId: string | undefined;
      /** That the amount is taken to check the card or the account, and given back. */
      readonly saves: boolean;
    };

export async function readPage(api: Api, orderId: string): Promise<Called<CheckoutPage>> {
  const read = await goOn(await fetchOrder(api, orderId), (order) => attemptedOf(api, order));
  return mapped(read, ({ order, payment }): CheckoutPage => {
    const { closed, customer, description = '', intent, saves } = order.notes;
    // One that was begun and left is no reason: whoever closed their bank's page comes back to try again.
    const isSettled =
      order.status === 'paid' || (payment !== undefined && !['failed', 'created'].includes(payment.status));
    if (isSettled) return { kind: 'settled' };
    if (closed !== undefined || intent === undefined) return { kind: 'closed' };
    return {
      kind: 'open',
      keyId: api.account.keyId,
      orderId: order.id,
      amount: { minor: order.amount, currency: order.currency },
      description,
      intentId: intent,
      customerId: customer,
      saves: saves === '1',
    };
  });
}

const seconds = (instant: Temporal.Instant): number => Math.floor(instant.epochMilliseconds / 1_000);
