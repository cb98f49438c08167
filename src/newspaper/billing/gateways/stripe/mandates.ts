import { createHash } from 'node:crypto';
import { isEarlier } from '#values/instants';
import { goOn, mapped } from '../calling.ts';
import type { Called, GatewayMandate, Rail } from '../gateway.ts';
import { moneyOf } from './amounts.ts';
import type { Api } from './api.ts';
import { type Limits, MANDATE, type Mandate, METHOD, type Method, type PaidWith } from './shapes.ts';

/**
 * A mandate at Stripe is a payment method of a customer, and named by both: `cus_…:pm_…`. UPI, and cards of India, have an
 * object of Stripe's besides, a Mandate. Of that one a checkout does not always tell, and its events tell it and the payment
 * method alone, so it is no part of the name: once known it is written on the payment method, at Stripe.
 */
export type MandateName = { readonly customerId: string; readonly methodId: string };

export const nameMandate = ({ customerId, methodId }: MandateName): string => `${customerId}:${methodId}`;

/** What an event names: a payment method, and the Mandate that something became of. */
export const nameOfEvent = (methodId: string, mandateId: string): string => `${methodId}:${mandateId}`;

export function mandateName(token: string): MandateName | undefined {
  const [, customerId, methodId] = /^(cus_[A-Za-z0-9]+):([a-z]+_[A-Za-z0-9]+)$/.exec(token) ?? [];
  return customerId === undefined || methodId === undefined ? undefined : { customerId, methodId };
}

export const NO_MANDATE = { kind: 'refused', code: 'not_a_mandate', paymentId: undefined } as const;

export async function readMandate(api: Api, token: string): Promise<Called<GatewayMandate>> {
  const name = mandateName(token);
  if (name !== undefined)
    return goOn(await readMethod(api, name.methodId), (method) =>
      withItsMandate(api, method, name.customerId, method.metadata.mandate),
    );
  const [, methodId, mandateId] = /^([a-z]+_[A-Za-z0-9]+):(mandate_[A-Za-z0-9]+)$/.exec(token) ?? [];
  if (methodId === undefined || mandateId === undefined) return NO_MANDATE;
  return goOn(await readMethod(api, methodId), async (method): Promise<Called<GatewayMandate>> => {
    const { customer } = method;
    // Nobody's any more: of that it tells by another event, which says whose it was.
    if (customer === undefined) return NO_MANDATE;
    await keepMandate(api, method, mandateId);
    return withItsMandate(api, method, customer, mandateId);
  });
}

const readMethod = (api: Api, methodId: string): Promise<Called<Method>> =>
  api.ask('paymentMethods.retrieve', (sdk) => sdk.paymentMethods.retrieve(methodId), METHOD);

async function withItsMandate(
  api: Api,
  method: Method,
  customerId: string,
  mandateId: string | undefined,
): Promise<Called<GatewayMandate>> {
  const now = api.account.now();
  if (mandateId === undefined) return { kind: 'ok', value: mandateOf(method, customerId, { now }) };
  const read = await api.ask('mandates.retrieve', (sdk) => sdk.mandates.retrieve(mandateId), MANDATE);
  return mapped(read, (mandate) => mandateOf(method, customerId, { now, mandate }));
}

/** Writes on a payment method which Mandate goes with it; where that fails, the next event tells it again. */
export async function keepMandate(api: Api, { id, metadata }: Method, mandateId: string): Promise<void> {
  if (metadata.mandate === mandateId) return;
  await api.ask(
    'paymentMethods.update',
    (sdk) => sdk.paymentMethods.update(id, { metadata: { mandate: mandateId } }),
    METHOD,
  );
}

export async function revokeMandate(api: Api, token: string): Promise<Called<undefined>> {
  const name = mandateName(token);
  if (name === undefined) return NO_MANDATE;
  const called = await api.ask(
    'paymentMethods.detach',
    (sdk) => sdk.paymentMethods.detach(name.methodId),
    METHOD,
  );
  if (called.kind !== 'refused') return mapped(called, () => undefined);
  // What belongs to nobody cannot be taken from anybody: then it is as it is wanted.
  const now = await readMethod(api, name.methodId);
  if (now.kind === 'unknown') return now;
  const isGone = now.kind === 'ok' ? now.value.customer === undefined : now.code === 'resource_missing';
  return isGone ? { kind: 'ok', value: undefined } : called;
}

/** What is known of a mandate besides its payment method. */
export type Terms = {
  readonly now: Temporal.Instant;
  readonly mandate?: Mandate | undefined;
  /** What was asked for when it was given. */
  readonly asked?: Limits | undefined;
  /** In which currency it was given, where that is known. */
  readonly currency?: string | undefined;
};

export function mandateOf(method: Method, customerId: string, terms: Terms): GatewayMandate {
  const limits = terms.mandate?.payment_method_details.upi ?? terms.asked;
  const until =
    method.type === 'upi'
      ? limits?.endDate?.toZonedDateTimeISO(INDIA).toPlainDate()
      : afterMonth(method.card);
  return {
    token: nameMandate({ customerId, methodId: method.id }),
    rail: railOf(method, terms.currency),
    status: statusOf(method, customerId, terms),
    maxAmount:
      method.type === 'upi' && typeof limits?.amount === 'number' ? moneyOf(limits.amount, 'INR') : undefined,
    expiresOn: until,
    method: methodText(method),
    fingerprint: fingerprintOf(method),
  };
}

/** Mandates of India are in its time. */
const INDIA = 'Asia/Kolkata';

/** A card is good to the last day of the month that stands on it. */
function afterMonth(card: PaidWith['card']): Temporal.PlainDate | undefined {
  if (typeof card?.exp_year !== 'number' || typeof card.exp_month !== 'number') return undefined;
  return Temporal.PlainDate.from({ year: card.exp_year, month: card.exp_month, day: 1 }).add({ months: 1 });
}

/** A card of India is charged by its rules where it is charged in rupees; elsewhere its bank decides like any other. */
function railOf({ card, type }: PaidWith, currency: string | undefined): Rail {
  if (type === 'upi') return 'upi';
  return card?.country === 'IN' && (currency ?? 'INR') === 'INR' ? 'card_in' : 'card_intl';
}

function statusOf(method: Method, customerId: string, { mandate, now }: Terms): GatewayMandate['status'] {
  if (method.customer !== customerId) return 'revoked';
  if (mandate !== undefined && mandate.status !== 'active') return inactiveAs(mandate);
  const until = afterMonth(method.card);
  // Where on earth its bank keeps its calendar is not known; the last place to see a month's end is twelve hours behind.
  const isPast = until !== undefined && !isEarlier(now, until.toZonedDateTime('Etc/GMT+12').toInstant());
  return isPast ? 'expired' : 'active';
}

/** F75: a Mandate that is there and not active is good for nothing, for whatever reason. */
function inactiveAs({ payment_method_details: details, status }: Mandate): GatewayMandate['status'] {
  // Not yet; a word that nobody has heard of may not be used either.
  if (status !== 'inactive') return 'initiated';
  switch (details.card?.india?.inactive_reason) {
    case 'expired':
      return 'expired';
    case 'card_not_supported':
    case 'currency_not_supported':
    case 'issuer_not_supported':
    case 'processing_error':
      return 'rejected';
    default:
      return 'revoked';
  }
}

export function methodText({ card, type, upi }: PaidWith): string {
  if (card != null) return `${BRANDS[card.brand ?? ''] ?? 'Card'} ending ${card.last4 ?? '????'}`;
  if (upi != null) return upi.vpa === undefined ? 'UPI' : `UPI ${upi.vpa}`;
  const words = type.replaceAll('_', ' ');
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

const BRANDS: Readonly<Record<string, string>> = {
  amex: 'American Express',
  cartes_bancaires: 'Cartes Bancaires',
  diners: 'Diners Club',
  discover: 'Discover',
  eftpos_au: 'eftpos',
  jcb: 'JCB',
  mastercard: 'Mastercard',
  rupay: 'RuPay',
  unionpay: 'UnionPay',
  visa: 'Visa',
};

function fingerprintOf({ card, upi }: PaidWith): string | undefined {
  if (upi?.vpa !== undefined)
    return createHash('sha256').update(`upi ${upi.vpa}`.toLowerCase()).digest('hex').slice(0, 32);
  return card?.fingerprint;
}
