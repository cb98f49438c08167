import type { Money } from '#values/money';
import { eachOf, goOn, mapped } from '../calling.ts';
import type { Called, PaymentList } from '../gateway.ts';
import { moneyOf } from './amounts.ts';
import { type Api, everyOne, type ListPage, PAGE } from './api.ts';
import { secondsOf } from './intents.ts';
import {
  type Afterwards,
  ALONG,
  afterwardsSince,
  aroundOf,
  disputeOf,
  disputesWhere,
  paymentOf,
  readPayment,
  refundOf,
  refundsWhere,
  statusOf,
  tookBack,
  wasTried,
} from './payments.ts';
import { DISPUTE, listOf, PAYMENT, type Payment, REFUND } from './shapes.ts';

const LISTS = ['payments', 'refunds', 'disputes'] as const;
type List = (typeof LISTS)[number];

/**
 * For how long after it was begun each may become something else, in hours: a payment of India is taken a day or two after
 * it was asked for, a bank takes up to a month for a refund, and a dispute goes through its rounds in some months.
 */
const CHANGES_WITHIN: Readonly<Record<List, number>> = {
  payments: 5 * 24,
  refunds: 30 * 24,
  disputes: 120 * 24,
};

/**
 * Stripe lists things by when they were begun, never by when they changed (its list of events does, and forgets after a
 * month what may have changed before we ask). So there are three lists to go through, each from so long before `since` as its
 * things may change: of payments, and of refunds and disputes, for the payments that they are about. A payment can come in
 * more than one.
 *
 * @param after `list:id`: the last of a list that was seen
 */
export async function listPayments(
  api: Api,
  since: Temporal.Instant,
  after: string | undefined,
): Promise<Called<PaymentList>> {
  const [, at = 'payments', last] =
    /^(payments|refunds|disputes):([a-z]+_[A-Za-z0-9]+)?$/.exec(after ?? '') ?? [];
  if (after !== undefined && `${at}:${last ?? ''}` !== after)
    return { kind: 'refused', code: 'no_such_page' };
  const list = at as List;
  const begun = since.subtract({ hours: CHANGES_WITHIN[list] });
  return goOn(
    await pageOf(api, list, begun, last),
    async ({ next, payments }): Promise<Called<PaymentList>> => {
      const tried = payments.filter(wasTried);
      const oldest = tried.map((one) => one.created).toSorted(Temporal.Instant.compare)[0];
      const afterwards: Called<Afterwards> =
        oldest === undefined
          ? { kind: 'ok', value: { refunds: [], disputes: [] } }
          : await afterwardsSince(api, oldest);
      const following = LISTS[LISTS.indexOf(list) + 1];
      return mapped(afterwards, (all) => ({
        payments: tried.map((payment) => ({
          ...paymentOf(payment, aroundOf(payment, all)),
          reference: payment.metadata.intent,
        })),
        after: next === undefined ? following && `${following}:` : `${list}:${next}`,
      }));
    },
  );
}

type Page = {
  readonly payments: readonly Payment[];
  /** The last of a page behind which there are others. */
  readonly next: string | undefined;
};

/** Some of a list, as the payments that it is about. */
async function pageOf(
  api: Api,
  list: List,
  begun: Temporal.Instant,
  last: string | undefined,
): Promise<Called<Page>> {
  const created = { gte: secondsOf(begun) };
  const query: ListPage = { limit: PAGE, ...(last === undefined ? {} : { starting_after: last }) };
  if (list === 'payments') {
    const called = await listed(api, { ...query, created });
    return mapped(called, ({ data, has_more }) => ({
      payments: data,
      next: has_more ? data.at(-1)?.id : undefined,
    }));
  }
  const called: Called<{ data: { id: string; payment_intent: string | undefined }[]; has_more: boolean }> =
    list === 'refunds'
      ? await api.ask('refunds.list', (sdk) => sdk.refunds.list({ ...query, created }), listOf(REFUND))
      : await api.ask('disputes.list', (sdk) => sdk.disputes.list({ ...query, created }), listOf(DISPUTE));
  return goOn(called, async ({ data, has_more }) => {
    // What belongs to no payment intent was taken by another program of the same account.
    const ids = new Set(data.flatMap((one) => one.payment_intent ?? []));
    return mapped(await eachOf([...ids], (id) => readPayment(api, id)), (payments) => ({
      payments,
      next: has_more ? data.at(-1)?.id : undefined,
    }));
  });
}

const listed = (api: Api, query: ListPage & { readonly created?: { readonly gte: number } }) =>
  api.ask(
    'paymentIntents.list',
    (sdk) => sdk.paymentIntents.list({ ...query, expand: ALONG.map((one) => `data.${one}`) }),
    listOf(PAYMENT),
  );

/**
 * Everything taken, without what was given back (`succeeded`; a refund that is pending has not left) and without what banks
 * have asked for back, be it lost or still open. By the currency in which the reader paid, as our books are kept. Stripe's
 * own balance is in the currency in which it pays out, at a rate of the day, and less its fees: no sum of ours could be held
 * against it. So all lists are gone through, a hundred at a time.
 */
export async function readBalance(api: Api): Promise<Called<readonly Money[]>> {
  const payments = await everyOne((query) => listed(api, query));
  if (payments.kind !== 'ok') return payments;
  const refunds = await refundsWhere(api, {});
  if (refunds.kind !== 'ok') return refunds;
  return mapped(await disputesWhere(api, {}), (disputes) => {
    const sums = new Map<string, bigint>();
    const add = ({ currency, minor }: Money) => sums.set(currency, (sums.get(currency) ?? 0n) + minor);
    const less = ({ currency, minor }: Money) => add({ currency, minor: -minor });
    const taken = new Map(
      payments.value.filter((one) => statusOf(one) === 'succeeded').map((one) => [one.id, one]),
    );
    for (const { amount_received, currency } of taken.values()) add(moneyOf(amount_received, currency));
    for (const one of refunds.value)
      if (taken.has(one.payment_intent ?? '') && refundOf(one).status === 'processed')
        less(refundOf(one).amount);
    for (const one of disputes) {
      const payment = taken.get(one.payment_intent ?? '');
      if (payment === undefined || !tookBack(one)) continue;
      const { amount, status } = disputeOf(one, payment);
      if (status !== 'won') less(amount);
    }
    return [...sums].map(([currency, minor]) => ({ currency, minor }));
  });
}
