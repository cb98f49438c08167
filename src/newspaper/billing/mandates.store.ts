import { sql } from 'kysely';
import type { Tx } from '#platform/db';
import { uuidv7 } from '#platform/ids';
import type { Gateway, GatewayMandate } from './gateways/gateway.ts';
import type { Mandate, Subscription } from './subscriptions.store.ts';

/** A mandate that a gateway tells of, and the subscription that it was given for. */
export type GivenMandate = {
  readonly mandate: GatewayMandate;
  readonly gateway: Gateway['name'];
  readonly subscription: Subscription;
};

/**
 * Keeps mandates, and has their subscriptions charged to them from now on. One that belongs to somebody else already
 * stays theirs, and is given to nobody.
 *
 * @returns by the subscription's id
 */
export async function saveMandates(
  tx: Tx,
  given: readonly GivenMandate[],
  now: Temporal.Instant,
): Promise<ReadonlyMap<string, Mandate>> {
  const saved = new Map<string, Mandate>();
  // One reader's two subscriptions may be given the same one, so one after the other.
  for (const { gateway, mandate, subscription } of given) {
    const { rows } = await sql<{ id: string }>`
      insert into billing.mandates as old (id, reader_id, gateway, token, rail, status, currency, max_minor, expires_on,
        method, fingerprint, created_at)
      values (${uuidv7()}, ${subscription.readerId}, ${gateway}, ${mandate.token}, ${mandate.rail}, ${mandate.status},
        ${mandate.maxAmount?.currency ?? null}, ${mandate.maxAmount?.minor ?? null},
        ${mandate.expiresOn?.toString() ?? null}::date, ${mandate.method}, ${mandate.fingerprint ?? null},
        ${now.toString()})
      on conflict (gateway, token) do update set status = excluded.status, currency = excluded.currency,
        max_minor = excluded.max_minor, expires_on = excluded.expires_on, method = excluded.method
        where old.reader_id = excluded.reader_id
      returning id`.execute(tx);
    const id = rows[0]?.id;
    if (id === undefined) continue;
    await sql`update billing.subscriptions set mandate_id = ${id} where id = ${subscription.id}`.execute(tx);
    saved.set(subscription.id, { ...mandate, id, gateway });
  }
  return saved;
}

/** Keeps how a mandate stands. @returns the subscriptions that are charged to it and not over */
export async function setMandateStatus(
  tx: Tx,
  gateway: string,
  token: string,
  status: GatewayMandate['status'],
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    with changed as (
      update billing.mandates set status = ${status} where gateway = ${gateway} and token = ${token} returning id)
    select s.id from billing.subscriptions s join changed on changed.id = s.mandate_id
    where s.state not in ('canceled', 'expired') order by s.id`.execute(tx);
  return rows.map(({ id }) => id);
}
