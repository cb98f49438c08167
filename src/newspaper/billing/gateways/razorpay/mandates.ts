import { createHash } from 'node:crypto';
import { goOn, mapped } from '../calling.ts';
import type { Called, GatewayMandate, Rail } from '../gateway.ts';
import type { Api } from './api.ts';
import { DONE, type Payment, TOKEN, type Token } from './shapes.ts';

/**
 * A mandate at Razorpay is a token of a customer, and nothing but both together names it: `token_…:cust_…`. The token
 * comes first, since a webhook tells of that alone.
 */
export type MandateName = { readonly tokenId: string; readonly customerId: string };

export const nameMandate = ({ customerId, tokenId }: MandateName): string => `${tokenId}:${customerId}`;

export function mandateName(token: string): MandateName | undefined {
  const [, tokenId, customerId] = /^(token_[A-Za-z0-9]+):(cust_[A-Za-z0-9]+)$/.exec(token) ?? [];
  return tokenId === undefined || customerId === undefined ? undefined : { tokenId, customerId };
}

export const NO_MANDATE = { kind: 'refused', code: 'not_a_mandate' } as const;

export async function readMandate(api: Api, token: string): Promise<Called<GatewayMandate>> {
  const name = mandateName(token);
  if (name !== undefined) return readToken(api, name);
  if (!/^token_[A-Za-z0-9]+$/.test(token)) return NO_MANDATE;
  // A webhook tells of a token without its customer: Razorpay is asked whose it is.
  const found = await api.ask('tokens.fetch', (sdk) => sdk.tokens.fetch({ id: token }), TOKEN);
  return goOn(found, async ({ customer_id: customerId }) =>
    typeof customerId === 'string' ? readToken(api, { tokenId: token, customerId }) : NO_MANDATE,
  );
}

export async function readToken(api: Api, name: MandateName): Promise<Called<GatewayMandate>> {
  const { customerId, tokenId } = name;
  const token = await api.ask(
    'customers.fetchToken',
    (sdk) => sdk.customers.fetchToken(customerId, tokenId),
    TOKEN,
  );
  return mapped(token, (one) => mandateOf(one, name, api.account.now()));
}

export async function revokeMandate(api: Api, token: string): Promise<Called<undefined>> {
  const name = mandateName(token);
  if (name === undefined) return NO_MANDATE;
  const url = `/customers/${name.customerId}/tokens/${name.tokenId}/cancel`;
  const called = await api.ask('tokens.cancel', (sdk) => sdk.api.put({ url, data: {} }), DONE);
  if (called.kind !== 'refused') return mapped(called, () => undefined);
  // Of one that is over already, or that was deleted, there is nothing to cancel: then it is as it is wanted.
  const now = await readToken(api, name);
  if (now.kind === 'unknown') return now;
  const isOver = now.kind === 'ok' ? IS_OVER[now.value.status] : now.code === 'not_found';
  return isOver ? { kind: 'ok', value: undefined } : called;
}

const IS_OVER: Readonly<Record<GatewayMandate['status'], boolean>> = {
  initiated: false,
  active: false,
  paused: false,
  revoked: true,
  expired: true,
  rejected: true,
};

/**
 * The mandate that was given with a payment, undefined where none came of it. UPI registers it while it takes the first
 * payment, and may be behind with it: then it is there, and `initiated`.
 */
export async function givenMandate(api: Api, payment: Payment): Promise<Called<GatewayMandate | undefined>> {
  const { customer_id: customerId, token_id: tokenId } = payment;
  if (typeof customerId !== 'string' || typeof tokenId !== 'string') return { kind: 'ok', value: undefined };
  const token = await readToken(api, { customerId, tokenId });
  if (token.kind === 'refused') return { kind: 'ok', value: undefined };
  return mapped(token, (mandate) => (IS_OVER[mandate.status] ? undefined : mandate));
}

function mandateOf(token: Token, name: MandateName, now: Temporal.Instant): GatewayMandate {
  const expiresOn = token.expired_at?.add({ seconds: 1 }).toZonedDateTimeISO(INDIA).toPlainDate();
  return {
    token: nameMandate(name),
    rail: railOf(token),
    status: statusOf(token, now),
    maxAmount:
      typeof token.max_amount === 'bigint' ? { minor: token.max_amount, currency: 'INR' } : undefined,
    expiresOn,
    method: tokenMethod(token),
    fingerprint: fingerprintOf(token),
  };
}

/** Mandates of India are in its currency and its time: one that ends at 23:59:59 there is not good on the next day. */
const INDIA = 'Asia/Kolkata';

function railOf({ card, method }: Token): Rail {
  if (method === 'upi') return 'upi';
  if (method === 'emandate' || method === 'nach') return 'enach';
  return card?.international === true ? 'card_intl' : 'card_in';
}

function statusOf(token: Token, now: Temporal.Instant): GatewayMandate['status'] {
  const said = STATUSES[token.recurring_details?.status ?? 'none'];
  const isPast = token.expired_at != null && Temporal.Instant.compare(token.expired_at, now) < 0;
  if (said !== undefined) return said === 'active' && isPast ? 'expired' : said;
  // A saved card is a token too, and allows nothing by itself.
  return token.recurring && token.recurring_details == null ? (isPast ? 'expired' : 'active') : 'rejected';
}

const STATUSES: Readonly<Record<string, GatewayMandate['status']>> = {
  initiated: 'initiated',
  confirmed: 'active',
  paused: 'paused',
  cancelled: 'revoked',
  // Asked for, and not to be taken by any more.
  cancellation_initiated: 'revoked',
  rejected: 'rejected',
  expired: 'expired',
};

function tokenMethod({ bank, card, method, vpa }: Token): string {
  if (card != null) return cardText(card);
  if (vpa != null) return `UPI ${vpa.username}@${vpa.handle}`;
  return bankText(method, bank);
}

export const cardText = (card: { network: string | undefined; last4: string }): string =>
  `${card.network ?? 'Card'} ending ${card.last4}`;

export const bankText = (method: string | undefined, bank: string | undefined): string =>
  `${METHODS[method ?? ''] ?? 'Bank'}${bank === undefined ? '' : ` ${bank}`}`;

const METHODS: Readonly<Record<string, string>> = {
  card: 'Card',
  upi: 'UPI',
  netbanking: 'Net banking',
  emandate: 'eMandate',
  nach: 'NACH',
  wallet: 'Wallet',
};

/** Of cards Razorpay tells nothing that is the same for all who use one. */
function fingerprintOf({ bank_details: account, vpa }: Token): string | undefined {
  const of = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 32);
  if (vpa != null) return of(`upi ${vpa.username}@${vpa.handle}`.toLowerCase());
  return account == null ? undefined : of(`account ${account.ifsc} ${account.account_number}`);
}

/** How often a mandate is used, in Razorpay’s words. */
export function frequencyOf(months: number): string {
  const named: Readonly<Record<number, string>> = { 1: 'monthly', 3: 'quarterly', 12: 'yearly' };
  // "Every two years" is none of its frequencies, and would be registered as this one.
  return named[months] ?? 'as_presented';
}
