import type { Money } from '#values/money';
import { eachOf, goOn, mapped } from '../calling.ts';
import type { Called, GatewayPayment, PaymentList } from '../gateway.ts';
import { type Api, everyOne, PAGE } from './api.ts';
import { fetchOrder } from './orders.ts';
import {
  type Afterwards,
  afterwardsSince,
  disputeOf,
  disputePage,
  fromOf,
  paymentOf,
  readAround,
  readPayment,
  refundOf,
  statusOf,
} from './payments.ts';
import { listOf, PAYMENT, type Payment, REFUND } from './shapes.ts';

type List = 'payments' | 'refunds' | 'disputes';
const NEXT: Readonly<Record<List, string | undefined>> = {
  payments: 'refunds:0',
  refunds: 'disputes:0',
  disputes: undefined,
};

/**
 * For how long after it was begun each may become something else, in hours: a payment is authorised five days late at the
 * most, a bank takes a week or two for a refund, and a dispute goes through its rounds in some months.
 */
const CHANGES_WITHIN: Readonly<Record<List, number>> = {
  payments: 5 * 24,
  refunds: 15 * 24,
  disputes: 120 * 24,
};

/**
 * Razorpay lists things by when they were begun, never by when they changed. So there are three lists to go through, each
 * from so long before `since` as its things may change: of payments, and of refunds and disputes, for the payments that
 * they are about. A payment can come in more than one.
 */
export async function listPayments(
  api: Api,
  since: Temporal.Instant,
  after: string | undefined,
): Promise<Called<PaymentList>> {
  const [, list = 'payments', skipped = '0'] =
    /^(payments|refunds|disputes):(\d{1,9})$/.exec(after ?? '') ?? [];
  if (after !== undefined && `${list}:${skipped}` !== after) return { kind: 'refused', code: 'no_such_page' };
  const skip = Number(skipped);
  const page = await pageOf(api, list as List, since, skip);
  return goOn(page, async ({ length, payments }) => {
    const oldest = payments.map((one) => one.created_at).toSorted(Temporal.Instant.compare)[0];
    const afterwards: Called<Afterwards> =
      oldest === undefined
        ? { kind: 'ok', value: { refunds: [], disputes: [] } }
        : await afterwardsSince(api, oldest);
    if (afterwards.kind !== 'ok') return afterwards;
    const whole = await eachOf(payments, (payment) => listedOf(api, payment, afterwards.value));
    return mapped(whole, (all) => ({
      payments: all,
      after: length === PAGE ? `${list}:${skip + PAGE}` : NEXT[list as List],
    }));
  });
}

async function listedOf(api: Api, payment: Payment, afterwards: Afterwards): Promise<Called<Listed>> {
  const reference = await referenceOf(api, payment);
  return goOn(reference, async (intent) =>
    mapped(await readAround(api, payment, afterwards), (around) => ({
      ...paymentOf(payment, { ...around, status: statusOf(payment, undefined, 'pending') }),
      reference: intent,
    })),
  );
}

type Listed = PaymentList['payments'][number];

/** The intent stands on the payment, where the checkout took what it was told; on the order it always does. */
async function referenceOf(api: Api, payment: Payment): Promise<Called<string | undefined>> {
  const { notes, order_id: orderId } = payment;
  if (notes.intent !== undefined || typeof orderId !== 'string') return { kind: 'ok', value: notes.intent };
  const order = await fetchOrder(api, orderId);
  // One that cannot be read any more is no reason to end the list there.
  return order.kind === 'refused'
    ? { kind: 'ok', value: undefined }
    : mapped(order, ({ notes: written }) => written.intent);
}

/** Some of a list, as the payments that it is about. @returns also how many there were on it */
async function pageOf(
  api: Api,
  list: List,
  since: Temporal.Instant,
  skip: number,
): Promise<Called<{ length: number; payments: Payment[] }>> {
  const begun = since.subtract({ hours: CHANGES_WITHIN[list] });
  const query = { count: PAGE, skip, from: fromOf(begun) };
  if (list === 'payments') {
    const called = await api.ask('payments.all', (sdk) => sdk.payments.all(query), listOf(PAYMENT));
    return mapped(called, ({ items }) => ({ length: items.length, payments: items }));
  }
  const called: Called<{ items: { payment_id: string; created_at: Temporal.Instant }[] }> =
    list === 'refunds'
      ? await api.ask('refunds.all', (sdk) => sdk.refunds.all(query), listOf(REFUND))
      : await disputePage(api, { count: PAGE, skip });
  return goOn(called, async ({ items }) => {
    const recent = items.filter((one) => fromOf(one.created_at) >= fromOf(begun));
    const ids = [...new Set(recent.map((one) => one.payment_id))];
    // The newest come first: behind one that is too old there are no others.
    const length = recent.length < items.length ? 0 : items.length;
    return mapped(await eachOf(ids, (id) => readPayment(api, id)), (payments) => ({ length, payments }));
  });
}

/**
 * Everything captured, without what was given back (`processed`; a refund that is pending has not left) and without what
 * banks have asked for back, be it lost or still open. By the currency of the payment. Razorpay has no figure for that:
 * its own balance is what it has not paid out yet, less its fees. So all lists are gone through, a hundred at a time.
 */
export async function readBalance(api: Api): Promise<Called<readonly Money[]>> {
  const payments = await everyOne((query) =>
    api.ask('payments.all', (sdk) => sdk.payments.all(query), listOf(PAYMENT)),
  );
  if (payments.kind !== 'ok') return payments;
  const refunds = await everyOne((query) =>
    api.ask('refunds.all', (sdk) => sdk.refunds.all(query), listOf(REFUND)),
  );
  if (refunds.kind !== 'ok') return refunds;
  const disputes = await everyOne((query) => disputePage(api, query));
  return mapped(disputes, (all) => {
    const sums = new Map<string, bigint>();
    const add = ({ currency, minor }: Money) => sums.set(currency, (sums.get(currency) ?? 0n) + minor);
    const less = ({ currency, minor }: Money) => add({ currency, minor: -minor });
    for (const payment of payments.value) if (tookMoney(payment)) add(amountOf(payment));
    for (const refund of refunds.value.map(refundOf)) if (refund.status === 'processed') less(refund.amount);
    for (const dispute of all.map(disputeOf)) if (dispute.status !== 'won') less(dispute.amount);
    return [...sums].map(([currency, minor]) => ({ currency, minor }));
  });
}

const tookMoney = (payment: Payment): boolean =>
  (statusOf(payment, undefined, 'pending') satisfies GatewayPayment['status']) === 'succeeded';
const amountOf = ({ amount, currency }: Payment): Money => ({ minor: amount, currency });
