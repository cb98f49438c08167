import { sql } from 'kysely';
import { type Db, type Tx, toInstant } from '#platform/db';
import type { Money } from '#values/money';
import { type ChangedPayment, eventRecord, writeChanges } from './changes.store.ts';
import {
  beginCharge,
  type ChargeAsked,
  type ChargeRefusal,
  type ChargesBefore,
  chargeRefusal,
  dueCharge,
} from './charge.ts';
import { takeChosenOutcome } from './controls.store.ts';
import type { Mandate } from './mandate.ts';
import { readMandates } from './mandates.store.ts';
import { isAnnounced } from './methods.ts';
import { type Fault, isOutcomeCode, OUTCOMES } from './outcomes.ts';
import { type PaymentRecord, recordShown } from './payment.ts';
import { perhaps, readRecords } from './payments.store.ts';
import { tellOfEvents } from './wake.ts';

export type Charged =
  /** Another process is at a request with this key. */
  | { readonly kind: 'under-way' }
  /** There was one with this key: what it was for, and what was answered. */
  | { readonly kind: 'known'; readonly asked: Omit<ChargeAsked, 'paymentId'>; readonly answer: string }
  | { readonly kind: 'no-mandate' }
  | { readonly kind: 'refused'; readonly why: ChargeRefusal }
  | { readonly kind: 'charged'; readonly answer: string; readonly fault: Fault | undefined }
  | { readonly kind: 'nothing'; readonly fault: Fault | undefined };

/** Any number: it keeps the locks of keys apart from other advisory locks. */
const KEY_LOCKS = 7_202_608;

/**
 * Charges a mandate, once for a key. A mandate's charges are decided one after the other, under its lock, and each with
 * the event that tells of it in the same transaction.
 */
export async function makeCharge(db: Db, asked: ChargeAsked, now: Temporal.Instant): Promise<Charged> {
  const charged = await db.transaction().execute(async (tx): Promise<Charged> => {
    const { rows } = await sql<{ got: boolean }>`
      select pg_try_advisory_xact_lock(hashtextextended(${asked.key}, ${KEY_LOCKS})) as got`.execute(tx);
    if (rows[0]?.got !== true) return { kind: 'under-way' };
    const known = await readByKey(tx, asked.key);
    if (known !== undefined) return known;
    const mandate = (await lockMandates(tx, [asked.mandateId])).get(asked.mandateId);
    if (mandate === undefined) return { kind: 'no-mandate' };
    // What was due decides on what may follow it.
    await settle(tx, await listDueOf(tx, mandate.id, now), now);
    const before = (await readBefore(tx, [mandate.id])).get(mandate.id) ?? NONE;
    const why = chargeRefusal(asked, mandate, before, now);
    if (why !== undefined) return { kind: 'refused', why };
    const always =
      mandate.outcome !== undefined && isOutcomeCode(mandate.outcome) ? mandate.outcome : 'approve';
    const code = (await takeChosenOutcome(tx)) ?? always;
    const { fault, webhookAfterMs: afterMs = 0 } = OUTCOMES[code];
    const payment = beginCharge(asked, mandate, code, now);
    if (payment === undefined) return { kind: 'nothing', fault };
    const record: PaymentRecord = { ...asked, payment, checkoutId: undefined, mandate };
    const shown = recordShown(record, now);
    const answer = JSON.stringify(shown);
    await writeChanges(tx, {
      payments: [{ payment, checkoutId: null, mandateId: mandate.id }],
      captures:
        payment.status === 'succeeded'
          ? [{ paymentId: payment.id, checkoutId: null, amount: asked.amount, at: now }]
          : [],
      events: [eventRecord(`payment.${payment.status}`, shown, now, { afterMs })],
    });
    await writeCharge(tx, asked, answer);
    if (isAnnounced(mandate.rail)) await writeNotice(tx, asked, now);
    return { kind: 'charged', answer, fault };
  });
  tellOfEvents(db);
  return charged;
}

async function readByKey(tx: Tx, key: string): Promise<Charged | undefined> {
  const { rows } = await sql<{
    reference: string;
    mandate_id: string;
    customer: string;
    amount_minor: bigint;
    currency: string;
    description: string;
    not_before: string | null;
    answer: string;
  }>`select k.*, p.mandate_id from sandbox.charges k join sandbox.payments p on p.id = k.payment_id
     where k.idempotency_key = ${key}`.execute(tx);
  const [row] = rows;
  if (row === undefined) return undefined;
  const asked = {
    key,
    reference: row.reference,
    mandateId: row.mandate_id,
    customer: row.customer,
    amount: { minor: row.amount_minor, currency: row.currency },
    description: row.description,
    notBefore: perhaps(row.not_before),
  };
  return { kind: 'known', asked, answer: row.answer };
}

async function writeCharge(tx: Tx, asked: ChargeAsked, answer: string): Promise<void> {
  const { amount, customer, description, key, notBefore, paymentId, reference } = asked;
  await sql`
    insert into sandbox.charges (payment_id, idempotency_key, reference, customer, amount_minor, currency, description,
      not_before, answer)
    values (${paymentId}, ${key}, ${reference}, ${customer}, ${amount.minor.toString()}, ${amount.currency},
      ${description}, ${notBefore?.toString() ?? null}, ${answer})`.execute(tx);
}

async function writeNotice(
  tx: Tx,
  { notBefore, paymentId }: ChargeAsked,
  now: Temporal.Instant,
): Promise<void> {
  await sql`
    insert into sandbox.notices (payment_id, sent_at, debit_at)
    values (${paymentId}, ${now.toString()}, ${notBefore?.toString() ?? null})`.execute(tx);
}

/** Lets what is due on these charges by `now` be done, each dated when it fell due. */
export async function settleCharges(db: Db, ids: readonly string[], now: Temporal.Instant): Promise<void> {
  if (ids.length === 0) return;
  await db.transaction().execute(async (tx) => {
    await lockMandates(tx, await mandatesOf(tx, ids));
    await settle(tx, ids, now);
  });
  tellOfEvents(db);
}

/** The caller has locked their mandates. What one charge brings may be due again: it came late. */
async function settle(tx: Tx, ids: readonly string[], now: Temporal.Instant): Promise<void> {
  if (ids.length === 0) return;
  const records = await readRecords(tx, ids);
  const mandateIds = [...records.values()].flatMap(({ mandate }) => mandate?.id ?? []);
  const before = await readBefore(tx, [...new Set(mandateIds)]);
  const payments = new Map<string, ChangedPayment>();
  const captures: { paymentId: string; checkoutId: null; amount: Money; at: Temporal.Instant }[] = [];
  const events = [];
  for (const id of ids) {
    const record = records.get(id);
    if (record?.mandate === undefined) continue;
    const { amount, mandate } = record;
    const succeededAt = [...(before.get(mandate.id)?.succeededAt ?? [])];
    let { payment } = record;
    for (;;) {
      const next = dueCharge(payment, mandate, { succeededAt }, now);
      if (next === undefined) break;
      const { changedAt: at, status } = next;
      payments.set(id, { payment: next, checkoutId: null, mandateId: mandate.id });
      if (status === 'succeeded') {
        captures.push({ paymentId: id, checkoutId: null, amount, at });
        succeededAt.push(at);
      }
      if (status !== payment.status)
        events.push(eventRecord(`payment.${status}`, recordShown({ ...record, payment: next }, at), at));
      payment = next;
    }
    before.set(mandate.id, { pending: [], succeededAt });
  }
  if (payments.size > 0) await writeChanges(tx, { payments: [...payments.values()], captures, events });
}

/** Mandates as they stand, nobody else at any of them until the transaction ends. */
async function lockMandates(tx: Tx, ids: readonly string[]): Promise<Map<string, Mandate>> {
  await sql`select from sandbox.mandates where id = any(${ids}) order by id for update`.execute(tx);
  return readMandates(tx, ids);
}

async function mandatesOf(tx: Tx, ids: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select distinct mandate_id as id from sandbox.payments where id = any(${ids}) order by id`.execute(tx);
  return rows.map(({ id }) => id);
}

async function listDueOf(tx: Tx, mandateId: string, now: Temporal.Instant): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from sandbox.payments
    where mandate_id = ${mandateId} and checkout_id is null and coalesce(settles_at, late_at) <= ${now.toString()}
    order by coalesce(settles_at, late_at), id`.execute(tx);
  return rows.map(({ id }) => id);
}

const NONE: ChargesBefore = { pending: [], succeededAt: [] };

/** What was charged to mandates before; what was paid as they were given is no charge of theirs. */
async function readBefore(tx: Tx, mandateIds: readonly string[]): Promise<Map<string, ChargesBefore>> {
  const { rows } = await sql<{
    mandate_id: string;
    is_pending: boolean;
    amount_minor: bigint;
    currency: string;
    changed_at: string;
  }>`
    select p.mandate_id, p.status = 'pending' as is_pending, k.amount_minor, k.currency, p.changed_at
    from sandbox.payments p join sandbox.charges k on k.payment_id = p.id
    where p.mandate_id = any(${mandateIds}) and p.status in ('pending', 'succeeded')`.execute(tx);
  return new Map(
    mandateIds.map((id) => {
      const mine = rows.filter(({ mandate_id }) => mandate_id === id);
      return [
        id,
        {
          pending: mine
            .filter((row) => row.is_pending)
            .map((row) => ({ minor: row.amount_minor, currency: row.currency })),
          succeededAt: mine.filter((row) => !row.is_pending).map((row) => toInstant(row.changed_at)),
        },
      ];
    }),
  );
}

/** The charges of one reference, newest first. */
export async function listCharges(db: Db, reference: string, most: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select p.id from sandbox.charges k join sandbox.payments p on p.id = k.payment_id
    where k.reference = ${reference} order by p.created_at desc, p.id desc limit ${most}`.execute(db);
  return rows.map(({ id }) => id);
}
