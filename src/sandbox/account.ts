import type { Db } from '#platform/db';
import { uuidv7 } from '#platform/ids';
import { derivedKeys, type SigningKeys } from '#platform/signing';
import { settleRefunds } from './captures.store.ts';
import { settleCharges } from './charges.store.ts';
import { type Checkout, due } from './checkout.ts';
import { changeCheckout, changeCheckouts, type Done, findCheckout, listPending } from './checkouts.store.ts';
import { type Due, listDue } from './due.store.ts';
import type { Rail } from './methods.ts';
import type { OutcomeCode } from './outcomes.ts';

/** What the merchant and the company share; newest first, and all of them are good. */
export type Credentials = {
  readonly apiKeys: readonly [string, ...string[]];
  readonly webhookSecrets: readonly [string, ...string[]];
};

/** The credentials of this paper, made from its secrets, so that there is nothing to set up. */
export function sandboxCredentials(keys: SigningKeys): Credentials {
  const [apiKey, ...oldApiKeys] = derivedKeys(keys, 'the sandbox gateway’s API');
  const [webhookSecret, ...oldWebhookSecrets] = derivedKeys(keys, 'the sandbox gateway’s webhooks');
  return {
    apiKeys: [`sk_sandbox_${apiKey}`, ...oldApiKeys.map((one) => `sk_sandbox_${one}`)],
    webhookSecrets: [`whsec_${webhookSecret}`, ...oldWebhookSecrets.map((one) => `whsec_${one}`)],
  };
}

/** A checkout as it stands at `now`: what is due on it by then is done first. */
export async function openCheckout(db: Db, id: string, now: Temporal.Instant): Promise<Checkout | undefined> {
  if (!CHECKOUT_ID.test(id)) return undefined;
  const checkout = await findCheckout(db, id);
  if (checkout === undefined || due(checkout, now) === undefined) return checkout;
  return (await changeCheckout(db, { id, act: { kind: 'look' }, now }))?.checkout;
}

/** Asked before a database is: it would answer some texts with an error. */
const CHECKOUT_ID = /^cs_[0-9a-f]{32}$/;

export async function payCheckout(
  db: Db,
  id: string,
  how: { readonly outcome: OutcomeCode | 'chosen'; readonly rail: Rail },
  now: Temporal.Instant,
): Promise<Done | undefined> {
  const paymentId = `pay_${uuidv7().replaceAll('-', '')}`;
  return CHECKOUT_ID.test(id)
    ? changeCheckout(db, { id, act: { kind: 'pay', ...how, paymentId }, now })
    : undefined;
}

export async function answerBank(
  db: Db,
  id: string,
  approves: boolean,
  now: Temporal.Instant,
): Promise<Done | undefined> {
  return CHECKOUT_ID.test(id)
    ? changeCheckout(db, { id, act: { kind: 'answer-bank', approves }, now })
    : undefined;
}

export async function expireCheckout(db: Db, id: string, now: Temporal.Instant): Promise<Done | undefined> {
  return CHECKOUT_ID.test(id) ? changeCheckout(db, { id, act: { kind: 'expire' }, now }) : undefined;
}

/** What is done in one transaction, where there is much. */
const BATCH = 200;

/** Lets the company's time do everything that is due by `now`, in the order in which it fell due. */
export async function liveUntil(db: Db, now: Temporal.Instant): Promise<void> {
  for (;;) {
    const all = await listDue(db, now, BATCH);
    for (const { ids, kind } of runsOf(all)) await LIVED[kind](db, ids, now);
    if (all.length < BATCH) return;
  }
}

/** What stands behind each other and is of one kind is done together. */
function runsOf(all: readonly Due[]): { readonly kind: Due['kind']; readonly ids: string[] }[] {
  const runs: { kind: Due['kind']; ids: string[] }[] = [];
  for (const { id, kind } of all) {
    const last = runs.at(-1);
    if (last?.kind === kind) last.ids.push(id);
    else runs.push({ kind, ids: [id] });
  }
  return runs;
}

const LIVED: Readonly<
  Record<Due['kind'], (db: Db, ids: readonly string[], now: Temporal.Instant) => Promise<unknown>>
> = {
  checkout: (db, ids, now) =>
    changeCheckouts(
      db,
      ids.map((id) => ({ id, act: { kind: 'look' }, now })),
    ),
  charge: settleCharges,
  refund: settleRefunds,
};

/** Settles every pending payment of a checkout at `now`, whether its time has come or not. */
export async function settlePending(db: Db, now: Temporal.Instant): Promise<number> {
  let settled = 0;
  for (;;) {
    const ids = await listPending(db, BATCH);
    await changeCheckouts(
      db,
      ids.map((id) => ({ id, act: { kind: 'settle' }, now })),
    );
    settled += ids.length;
    if (ids.length < BATCH) return settled;
  }
}
