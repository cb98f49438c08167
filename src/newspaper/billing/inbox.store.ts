import { sql } from 'kysely';
import type { Db, Tx } from '#platform/db';
import { groupedOver } from '#platform/grouped';
import { isUuid } from '#platform/ids';
import { latestOf } from '#values/instants';
import type { Gateway } from './gateways/gateway.ts';

/** Attempts of which a gateway has sent word, by `before`, that nobody has acted upon. */
export async function unansweredIntents(db: Db, before: Temporal.Instant, limit: number): Promise<string[]> {
  // What came before the checkout that it names was noted.
  await sql`
    update billing.gateway_events e set intent_id = i.id from billing.charge_intents i
    where e.intent_id is null and e.processed_at is null and i.gateway = e.gateway
      and i.checkout_id = e.checkout_id`.execute(db);
  await sql`
    update billing.gateway_events e set intent_id = p.intent_id from billing.payments p
    where e.intent_id is null and e.processed_at is null and p.gateway = e.gateway
      and p.gateway_payment_id = e.gateway_payment_id`.execute(db);
  const { rows } = await sql<{ id: string }>`
    select distinct i.id from billing.gateway_events e join billing.charge_intents i on i.id = e.intent_id
    where e.processed_at is null and e.received_at <= ${before.toString()} and i.parked_reason is null
    limit ${limit}`.execute(db);
  return rows.map((row) => row.id);
}

/** Something that a gateway sent, as it came. */
export type GatewayEvent = {
  readonly gateway: Gateway['name'];
  readonly eventId: string;
  readonly type: string;
  /** The attempt that it is about, by its own name or by its checkout's; neither where it is about something else. */
  readonly reference: string | undefined;
  readonly checkoutId: string | undefined;
  /** The payment, where that is all that it names. */
  readonly gatewayPaymentId: string | undefined;
  /** It says that money was taken, and nothing besides. */
  readonly saysPaid: boolean;
  readonly body: Buffer;
};

/** Keeps genuine events as they came. @returns the attempts that those which are new are about */
export async function insertEvents(
  tx: Tx,
  events: readonly GatewayEvent[],
  now: Temporal.Instant,
): Promise<{ readonly intentId: string; readonly saysPaid: boolean }[]> {
  // In one order for all processes: each waits for another's event of the same id, and none in a circle.
  const sorted = events.toSorted((a, b) => (a.eventId < b.eventId ? -1 : 1));
  const { rows } = await sql<{ event_id: string; intent_id: string | null }>`
    insert into billing.gateway_events
      (gateway, event_id, type, checkout_id, gateway_payment_id, intent_id, body, received_at, processed_at)
    select new.gateway, event_id, type, new.checkout_id, new.payment_id, coalesce(new.reference, known.id, paid.intent_id), body,
      ${now.toString()},
      -- What is about no attempt needs nothing more.
      case when num_nonnulls(new.reference, new.checkout_id, new.payment_id) = 0 then ${now.toString()}::timestamptz end
    from unnest(${sorted.map((one) => one.gateway)}::text[], ${sorted.map((one) => one.eventId)}::text[],
      ${sorted.map((one) => one.type)}::text[], ${sorted.map((one) => one.checkoutId ?? null)}::text[],
      ${sorted.map((one) => one.gatewayPaymentId ?? null)}::text[],
      ${sorted.map(({ reference }) => (reference !== undefined && isUuid(reference) ? reference : null))}::uuid[],
      ${sorted.map((one) => one.body)}::bytea[]) with ordinality
      as new (gateway, event_id, type, checkout_id, payment_id, reference, body, place)
    left join billing.charge_intents known on known.checkout_id = new.checkout_id and known.gateway = new.gateway
    left join billing.payments paid on paid.gateway_payment_id = new.payment_id and paid.gateway = new.gateway
    order by place
    on conflict do nothing
    returning event_id, intent_id`.execute(tx);
  const paid = new Set(events.filter(({ saysPaid }) => saysPaid).map(({ eventId }) => eventId));
  return rows.flatMap(({ event_id, intent_id }) =>
    intent_id === null ? [] : [{ intentId: intent_id, saysPaid: paid.has(event_id) }],
  );
}

/** Notes that what gateways sent about attempts has been acted upon. */
export async function markProcessed(
  tx: Tx,
  intentIds: readonly string[],
  now: Temporal.Instant,
): Promise<void> {
  if (intentIds.length === 0) return;
  await sql`
    update billing.gateway_events set processed_at = ${now.toString()}
    where intent_id = any(${intentIds}::uuid[]) and processed_at is null`.execute(tx);
}

/** Is done with events that came before an instant and named nothing that is known: they are somebody else's. */
export async function markForeign(db: Db, before: Temporal.Instant, now: Temporal.Instant): Promise<void> {
  await sql`
    update billing.gateway_events set processed_at = ${now.toString()}
    where intent_id is null and processed_at is null and received_at < ${before.toString()}`.execute(db);
}

/** The same, many in one statement, where nothing else is to be done. */
export const noteProcessed = groupedOver(
  async (
    db: Db,
    done: { readonly intentId: string; readonly now: Temporal.Instant }[],
  ): Promise<undefined[]> => {
    const now = latestOf(done.map((one) => one.now));
    await db.transaction().execute((tx) =>
      markProcessed(
        tx,
        done.map(({ intentId }) => intentId),
        now,
      ),
    );
    return done.map(() => undefined);
  },
  { most: 100, inFlight: 1, apart: true },
);
