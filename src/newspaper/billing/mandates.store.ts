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
  if (given.length === 0) return new Map();
  const rows = given.map(({ gateway, mandate, subscription }) => ({
    id: uuidv7(),
    readerId: subscription.readerId,
    gateway,
    token: mandate.token,
    rail: mandate.rail,
    status: mandate.status,
    currency: mandate.maxAmount?.currency,
    minor: mandate.maxAmount?.minor.toString(),
    expiresOn: mandate.expiresOn,
    method: mandate.method,
    fingerprint: mandate.fingerprint,
  }));
  const kept = await sql<{ id: string; reader_id: string; gateway: string; token: string }>`
    insert into billing.mandates as old (id, reader_id, gateway, token, rail, status, currency, max_minor, expires_on,
      method, fingerprint, created_at)
    select distinct on (gateway, token) id, "readerId", gateway, token, rail, status, currency, minor, "expiresOn", method,
      fingerprint, ${now.toString()}::timestamptz
    from json_to_recordset(${JSON.stringify(rows)}::json) as new (
      id uuid, "readerId" uuid, gateway text, token text, rail text, status text, currency text, minor bigint,
      "expiresOn" date, method text, fingerprint text)
    order by gateway, token
    on conflict (gateway, token) do update set status = excluded.status, currency = excluded.currency,
      max_minor = excluded.max_minor, expires_on = excluded.expires_on, method = excluded.method
      where old.reader_id = excluded.reader_id
    returning id, reader_id, gateway, token`.execute(tx);
  const byToken = new Map(kept.rows.map((row) => [`${row.gateway} ${row.token}`, row]));
  const saved = new Map<string, Mandate>();
  for (const { gateway, mandate, subscription } of given) {
    const row = byToken.get(`${gateway} ${mandate.token}`);
    if (row?.reader_id === subscription.readerId)
      saved.set(subscription.id, { ...mandate, id: row.id, gateway });
  }
  await sql`
    update billing.subscriptions s set mandate_id = given.mandate_id
    from unnest(${[...saved.keys()]}::uuid[], ${[...saved.values()].map(({ id }) => id)}::uuid[])
      as given (id, mandate_id)
    where s.id = given.id`.execute(tx);
  return saved;
}

/**
 * Keeps how a mandate stands.
 *
 * @param now what it is now, where that may have changed too: a bank sends a new card before the old one ends (F81)
 * @returns the subscriptions that are charged to it and not over
 */
export async function setMandateStatus(
  tx: Tx,
  gateway: string,
  token: string,
  status: GatewayMandate['status'],
  now?: Pick<GatewayMandate, 'expiresOn' | 'method'>,
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    with changed as (
      update billing.mandates set status = ${status},
        expires_on = coalesce(${now?.expiresOn?.toString() ?? null}::date, expires_on),
        method = coalesce(${now?.method ?? null}, method)
      where gateway = ${gateway} and token = ${token} returning id)
    select s.id from billing.subscriptions s join changed on changed.id = s.mandate_id
    where s.state not in ('canceled', 'expired') order by s.id`.execute(tx);
  return rows.map(({ id }) => id);
}
