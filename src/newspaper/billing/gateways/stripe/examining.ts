import { z } from 'zod';
import { type Api, openApi, type StripeAccount } from './api.ts';
import { FOUND, listOf } from './shapes.ts';
import { EVENTS } from './webhooks.ts';

/** What was looked at in an account, and how it is; `warning` works today and may not tomorrow. */
type AccountFinding = { readonly state: 'good' | 'warning' | 'bad'; readonly says: string };

/**
 * Looks at an account before anybody buys anything: whether its key is taken and may charge, whether its webhooks come here
 * and bring what is needed, and whether it has subscriptions of its own, which are charged by another clock (F12). Changes
 * nothing.
 */
export async function examineStripe(account: StripeAccount): Promise<readonly AccountFinding[]> {
  const api = openApi(account);
  const payments = await api.ask(
    'paymentIntents.list',
    (sdk) => sdk.paymentIntents.list({ limit: 1 }),
    FOUND,
  );
  if (payments.kind !== 'ok') return [{ state: 'bad', says: `no payment can be read (${whyOf(payments)})` }];
  return [await charging(api), await webhooks(api), await ownSubscriptions(api)];
}

const whyOf = (called: { kind: 'refused'; code: string } | { kind: 'unknown'; reason: string }): string =>
  called.kind === 'refused' ? called.code : called.reason;

const unread = (what: string, called: Parameters<typeof whyOf>[0]): AccountFinding => ({
  state: 'warning',
  says: `${what} could not be looked at (${whyOf(called)}): a restricted key needs leave to read it`,
});

const ACCOUNT = z.object({ charges_enabled: z.boolean(), country: z.string().nullish() });

async function charging(api: Api): Promise<AccountFinding> {
  const read = await api.ask('accounts.retrieveCurrent', (sdk) => sdk.accounts.retrieveCurrent(), ACCOUNT);
  if (read.kind !== 'ok') return unread('the account', read);
  return read.value.charges_enabled
    ? { state: 'good', says: `takes payments${read.value.country == null ? '' : ` (${read.value.country})`}` }
    : { state: 'bad', says: 'the account may not charge anybody: its dashboard says what is missing' };
}

const ENDPOINTS = listOf(
  z.object({ url: z.string(), status: z.string(), enabled_events: z.array(z.string()) }),
);

async function webhooks(api: Api): Promise<AccountFinding> {
  const address = `${api.account.baseUrl}/webhooks/stripe`;
  const listed = await api.ask(
    'webhookEndpoints.list',
    (sdk) => sdk.webhookEndpoints.list({ limit: 100 }),
    ENDPOINTS,
  );
  if (listed.kind !== 'ok') return unread('its webhooks', listed);
  const ours = listed.value.data.filter(({ url }) => url === address);
  if (ours.length === 0)
    return { state: 'warning', says: `no webhook goes to ${address}: what readers pay is noticed late` };
  const enabled = ours.filter(({ status }) => status === 'enabled');
  if (enabled.length === 0) return { state: 'bad', says: `the webhook to ${address} is switched off` };
  const brought = new Set(enabled.flatMap((one) => one.enabled_events));
  const missing = brought.has('*') ? [] : EVENTS.filter((type) => !brought.has(type));
  return missing.length === 0
    ? { state: 'good', says: `webhooks go to ${address}` }
    : { state: 'warning', says: `webhooks to ${address} leave out ${missing.join(', ')}` };
}

async function ownSubscriptions(api: Api): Promise<AccountFinding> {
  const listed = await api.ask(
    'subscriptions.list',
    (sdk) => sdk.subscriptions.list({ status: 'active', limit: 1 }),
    listOf(z.object({ id: z.string() })),
  );
  if (listed.kind !== 'ok') return unread('its own subscriptions', listed);
  return listed.value.data.length === 0
    ? { state: 'good', says: 'no subscriptions of its own' }
    : {
        state: 'warning',
        says: 'has subscriptions that it charges itself: whoever also subscribes here pays twice',
      };
}
