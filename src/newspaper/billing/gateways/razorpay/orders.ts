import { eachOf, goOn, mapped } from '../calling.ts';
import type { Called } from '../gateway.ts';
import { type Api, everyOne, receiptOf } from './api.ts';
import { attemptsAt, mostTelling } from './payments.ts';
import { listOf, ORDER, type Order, type Payment } from './shapes.ts';

/**
 * One order for each intent. Razorpay has no idempotency key for orders and holds receipts for nobody's names, so before
 * one is made it is looked for by its receipt. Two processes that look at the same moment make two all the same: that is
 * why whoever reads one order of an intent also looks at the others before it says that nothing was paid.
 */
export async function ordersOf(api: Api, intentId: string): Promise<Called<Order[]>> {
  const receipt = receiptOf(intentId);
  const found = await everyOne<Order>((query) =>
    api.ask('orders.all', (sdk) => sdk.orders.all({ ...query, receipt }), listOf(ORDER)),
  );
  return mapped(found, (orders) =>
    orders
      .filter((order) => order.receipt === receipt)
      .toSorted((a, b) => Temporal.Instant.compare(a.created_at, b.created_at) || (a.id < b.id ? -1 : 1)),
  );
}

export const fetchOrder = (api: Api, orderId: string): Promise<Called<Order>> =>
  ORDER_ID.test(orderId)
    ? api.ask('orders.fetch', (sdk) => sdk.orders.fetch(orderId), ORDER)
    : Promise.resolve({ kind: 'refused', code: 'not_found' });

/** An id goes into the address of a request as it is. */
const ORDER_ID = /^order_[A-Za-z0-9]{1,40}$/;

/** An order, and the attempt at it that says most of what became of it. */
export type Attempted = { readonly order: Order; readonly payment: Payment | undefined };

export async function attemptedOf(api: Api, order: Order): Promise<Called<Attempted>> {
  return mapped(await attemptsAt(api, order.id), ({ items }) => ({ order, payment: mostTelling(items) }));
}

/** What became of an order, or of another of the same intent where nothing came of this one. */
export async function readAttempted(api: Api, orderId: string): Promise<Called<Attempted>> {
  const own = await goOn(await fetchOrder(api, orderId), (order) => attemptedOf(api, order));
  if (own.kind !== 'ok' || mayHaveTaken(own.value)) return own;
  const { intent } = own.value.order.notes;
  if (intent === undefined) return own;
  return goOn(await ordersOf(api, intent), async (orders) => {
    const others = await eachOf(
      orders.filter(({ id }) => id !== orderId),
      (order) => attemptedOf(api, order),
    );
    return mapped(others, (all) => all.find(mayHaveTaken) ?? own.value);
  });
}

/** The attempt of an intent, whichever of its orders it was made at. */
export async function attemptedFor(api: Api, intentId: string): Promise<Called<Attempted | undefined>> {
  return goOn(await ordersOf(api, intentId), async (orders) => {
    const all = await eachOf(orders, (order) => attemptedOf(api, order));
    return mapped(
      all,
      (attempts) =>
        attempts.find(mayHaveTaken) ??
        attempts.find(({ payment }) => payment !== undefined) ??
        attempts.find(({ order }) => order.notes.closed === undefined) ??
        attempts[0],
    );
  });
}

export const mayHaveTaken = ({ order, payment }: Attempted): boolean =>
  order.status === 'paid' || (payment !== undefined && payment.status !== 'failed');
