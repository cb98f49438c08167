import { sql } from 'kysely';
import type { Tx } from '#platform/db';
import { uuidv7 } from '#platform/ids';
import { moneyRecord } from '#values/money';
import type { Movement } from './capture.ts';
import type { Checkout } from './checkout.ts';
import type { Mandate } from './mandate.ts';
import type { Payment } from './payment.ts';
import { methodRecord } from './payments.store.ts';

/** An event to be told to the merchant, in the bytes that are sent. */
export type EventRecord = {
  readonly id: string;
  readonly checkoutId: string | null;
  readonly body: string;
  readonly afterMs: number;
};

/** @param data what the event is about, as the API shows it */
export function eventRecord(
  type: string,
  data: object,
  at: Temporal.Instant,
  { checkoutId = null, afterMs = 0 }: { readonly checkoutId?: string | null; readonly afterMs?: number } = {},
): EventRecord {
  const id = `evt_${uuidv7().replaceAll('-', '')}`;
  // A trial that wants `livemode` otherwise finds it before the data.
  const body = JSON.stringify({ id, type, created_at: at, livemode: false, data });
  return { id, checkoutId, body, afterMs };
}

/** What is written together: how things stand now, what was captured and moved, and the events that tell of it. */
export type Changes = {
  readonly checkouts?: readonly Pick<Checkout, 'id' | 'status'>[];
  readonly mandates?: readonly (Mandate & { readonly checkoutId: string })[];
  readonly payments?: readonly ChangedPayment[];
  readonly captures?: readonly Captured[];
  readonly events: readonly EventRecord[];
};

export type ChangedPayment = {
  readonly payment: Payment;
  readonly checkoutId: string | null;
  readonly mandateId: string | null;
};

/** Money that was taken: a line of the book, and the place where everything that goes back of it is counted. */
export type Captured = Omit<Movement, 'kind' | 'aboutId'> & { readonly checkoutId: string | null };

/** Writes it in one statement, since a purchase waits for it. */
export async function writeChanges(tx: Tx, changes: Changes): Promise<void> {
  const { captures = [], checkouts = [], events, mandates = [], payments = [] } = changes;
  const json = (records: readonly object[]) => sql`json_to_recordset(${JSON.stringify(records)}::json)`;
  await sql`
    with stands as (
      update sandbox.checkouts c set status = now.status
      from ${json(checkouts.map(({ id, status }) => ({ id, status })))} as now (id text, status text)
      where c.id = now.id
    ), given as (
      insert into sandbox.mandates (id, checkout_id, customer, email, rail, status, max_amount_minor, currency, months,
        expires_on, brand, last4, upi_address, fingerprint, created_at, changed_at)
      select id, "checkoutId", customer, email, rail, status, minor, currency, months, "expiresOn", brand, last4,
        "upiAddress", fingerprint, "createdAt", "changedAt"
      from ${json(mandates.map(mandateRecord))} as now (
        id text, "checkoutId" text, customer text, email text, rail text, status text, minor bigint, currency text,
        months integer, "expiresOn" date, brand text, last4 text, "upiAddress" text, fingerprint text,
        "createdAt" timestamptz, "changedAt" timestamptz)
    ), paid as (
      insert into sandbox.payments (id, checkout_id, mandate_id, attempt, status, failure_code, rail, brand, last4,
        upi_address, created_at, changed_at, settles_at, then_fails, comes_late, late_at)
      select id, "checkoutId", "mandateId", attempt, status, "failureCode", rail, brand, last4, "upiAddress",
        "createdAt", "changedAt", "settlesAt", "thenFails", "comesLate", "lateAt"
      from ${json(payments.map(paymentRecord))} as now (
        id text, "checkoutId" text, "mandateId" text, attempt integer, status text, "failureCode" text, rail text,
        brand text, last4 text, "upiAddress" text, "createdAt" timestamptz, "changedAt" timestamptz,
        "settlesAt" timestamptz, "thenFails" text, "comesLate" boolean, "lateAt" timestamptz)
      on conflict (id) do update set mandate_id = excluded.mandate_id, status = excluded.status,
        failure_code = excluded.failure_code, changed_at = excluded.changed_at, settles_at = excluded.settles_at,
        then_fails = excluded.then_fails, comes_late = excluded.comes_late, late_at = excluded.late_at
    ), taken as (
      select * from ${json(captures.map(({ amount, ...one }) => ({ ...one, ...moneyRecord(amount) })))} as now (
        "checkoutId" text, "paymentId" text, minor bigint, currency text, at timestamptz)
    ), captured as (
      insert into sandbox.captures (checkout_id, payment_id, amount_minor, currency, captured_at)
      select "checkoutId", "paymentId", minor, currency, at from taken
    ), booked as (
      insert into sandbox.movements (kind, payment_id, about_id, amount_minor, currency, moved_at)
      select 'captured', "paymentId", "paymentId", minor, currency, at from taken
    )
    insert into sandbox.events (id, checkout_id, body, not_before)
    select id, "checkoutId", body, now() + ("afterMs" + controls.delay_ms) * interval '1 ms'
    from ${json(events)} as now (id text, "checkoutId" text, body text, "afterMs" integer),
      sandbox.controls`.execute(tx);
}

function mandateRecord({ maxAmount, method, ...one }: Mandate & { readonly checkoutId: string }) {
  return { ...one, ...moneyRecord(maxAmount), ...methodRecord(method) };
}

function paymentRecord({ checkoutId, mandateId, payment }: ChangedPayment) {
  const { dispute, method, refunds, ...one } = payment;
  return { ...one, ...methodRecord(method), checkoutId, mandateId };
}
