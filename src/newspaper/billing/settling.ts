import type { Db } from '#platform/db';
import { groupedOver } from '#platform/grouped';
import { enqueue } from '#platform/queue';
import { latestOf } from '#values/instants';
import { applyAnswer } from './applying.ts';
import { askLater, type MandateNamed, SETTLE_CHECKOUT } from './asking.ts';
import { type ChargeIntent, findIntent, isOpen, noteCheckout, openIntents } from './charges.store.ts';
import { sendCharge } from './charging.ts';
import type { Called, CheckoutState, Concern, FoundCheckout, Gateway, Webhook } from './gateways/gateway.ts';
import { insertEvents, noteProcessed, unansweredIntents } from './inbox.store.ts';
import type { BillingParts } from './parts.ts';

/** The task that asks a gateway what became of a mandate. */
export const READ_MANDATE = 'read-mandate';

/**
 * Takes in what a gateway sent. A genuine event is kept, once, and says only what to ask about; nothing that it claims is
 * believed.
 *
 * @returns whether it was genuine
 */
export async function takeEvent(
  { db, log }: BillingParts,
  gateway: Gateway,
  rawBody: Buffer,
  header: (name: string) => string | undefined,
  now: Temporal.Instant,
): Promise<boolean> {
  const event = gateway.verifyWebhook(rawBody, header);
  if (event.kind === 'forged') return false;
  if (event.kind === 'other' && event.concern !== undefined)
    log.warn({ gateway: gateway.name, eventId: event.eventId, type: event.type }, CONCERNS[event.concern]);
  await keepEvent(db, { event, gateway: gateway.name, body: rawBody, now });
  return true;
}

const CONCERNS: Readonly<Record<Concern, string>> = {
  'own-subscription':
    'a gateway tells of a subscription that it charges itself: it is none of this paper’s, and its reader may pay twice',
  'other-mode': 'a gateway sent an event of play money to an account of real money, or the other way round',
};

type Genuine = {
  readonly event: Exclude<Webhook, { kind: 'forged' }>;
  readonly gateway: Gateway['name'];
  readonly body: Buffer;
  readonly now: Temporal.Instant;
};

/** What a job is told to ask about, and whether all that was said of it is that it is paid. */
export type Told = { readonly intentId: string; readonly saysPaid?: boolean | undefined };

/** Those that come at once are kept together, and one job asks about them all. */
const keepEvent = groupedOver(
  async (db: Db, taken: Genuine[]): Promise<undefined[]> => {
    const events = taken.map(({ body, event, gateway }) => ({
      gateway,
      eventId: event.eventId,
      type: event.type,
      reference: event.kind === 'event' ? event.reference : undefined,
      checkoutId: event.kind === 'event' ? event.checkoutId : undefined,
      gatewayPaymentId: event.kind === 'event' ? event.gatewayPaymentId : undefined,
      saysPaid: event.kind === 'event' && event.saysPaid === true,
      body,
    }));
    const mandates = new Map(
      taken.flatMap(({ event, gateway }): [string, MandateNamed][] =>
        event.kind === 'mandate' ? [[`${gateway} ${event.token}`, { gateway, token: event.token }]] : [],
      ),
    );
    await db.transaction().execute(async (tx) => {
      const toAsk = await insertEvents(tx, events, latestOf(taken.map(({ now }) => now)));
      const byIntent = Map.groupBy(toAsk, ({ intentId }) => intentId);
      const pieces = [...byIntent].map(
        ([intentId, told]): Told => ({
          intentId,
          saysPaid: told.every((one) => one.saysPaid),
        }),
      );
      if (pieces.length > 0) await enqueue(tx, SETTLE_CHECKOUT, pieces);
      for (const named of mandates.values()) await enqueue(tx, READ_MANDATE, named);
    });
    return taken.map(() => undefined);
  },
  { most: 50, inFlight: 1, apart: true },
);

/** At once in one sitting: more are found by the next. */
const MOST_ASKED = 500;
/** Whoever took an event in has acted upon it by then, or died. */
const ACTED_UPON_WITHIN = { seconds: 30 };

/** Has a gateway asked about whatever it sent word of that nobody has acted upon, be it that a process died over it. */
export async function askUnanswered({ db }: BillingParts, now: Temporal.Instant): Promise<void> {
  for (const id of await unansweredIntents(db, now.subtract(ACTED_UPON_WITHIN), MOST_ASKED))
    await askLater(db, id);
}

/** Has a gateway asked about everything that may still be paid: its word may never have come (billing, 1.10). */
export async function askOpen({ db }: BillingParts): Promise<void> {
  for (const id of await openIntents(db, MOST_ASKED)) await askLater(db, id);
}

/** Acts upon what a gateway sent: asks it, unless it only said what is known already. */
export async function settleTold(
  parts: BillingParts,
  { intentId, saysPaid }: Told,
  now: Temporal.Instant,
): Promise<void> {
  const isKnown = saysPaid === true && (await findIntent(parts.db, intentId))?.status === 'succeeded';
  if (isKnown) await noteProcessed(parts.db, { intentId, now });
  else await settleIntent(parts, intentId, now);
}

/**
 * Asks the gateway what became of an intent, and applies it: under the subscription's lock, so that a webhook, a
 * reader who comes back and the command line, all at once, have one effect.
 *
 * @throws when the gateway does not answer, so that a job tries again
 */
export async function settleIntent(
  parts: BillingParts,
  intentId: string,
  now: Temporal.Instant,
): Promise<void> {
  const { db, log } = parts;
  const intent = await findIntent(db, intentId);
  if (intent === undefined) {
    log.warn({ intentId }, 'a gateway knows an order that this paper does not');
    return;
  }
  const answer = await ask(db, parts.gateways.named(intent.gateway), intent);
  // Whoever was to send it died, or its request was lost on the way: the same one is sent, and taken once.
  const isUnheard = answer.kind === 'ok' && answer.value === undefined;
  if (isUnheard && intent.mandateId !== undefined && isOpen(intent)) await sendCharge(parts, intent.id, now);
  else await applyAnswer(parts, intent, answer, now);
}

/** How an attempt stands, by the gateway's word; undefined where it never heard of it. */
async function ask(
  db: Db,
  gateway: Gateway,
  intent: ChargeIntent,
): Promise<Called<CheckoutState | undefined>> {
  if (intent.mandateId !== undefined) {
    const found = await gateway.findCharge(intent.id);
    if (found.kind !== 'ok' || found.value === undefined) return found as Called<undefined>;
    return { kind: 'ok', value: { kind: 'payment', ...found.value } };
  }
  if (intent.checkoutId !== undefined) return gateway.readCheckout(intent.checkoutId);
  const found: Called<FoundCheckout | undefined> = await gateway.findCheckout(intent.id);
  if (found.kind !== 'ok' || found.value === undefined) return found as Called<undefined>;
  const { checkoutId, state, url } = found.value;
  await noteCheckout(db, { intentId: intent.id, checkoutId, url });
  return { kind: 'ok', value: state };
}
