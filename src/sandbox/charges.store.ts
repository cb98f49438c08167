import { sql } from 'kysely';
import { type Db, type Tx, toInstant } from '#platform/db';
import { groupedOver, oneOfEach } from '#platform/grouped';
import { latestOf } from '#values/instants';
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
import { recordShown } from './payment.ts';
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
 * the event that tells of it in the same transaction. Those of different mandates that come at once share one.
 */
export async function makeCharge(db: Db, asked: ChargeAsked, now: Temporal.Instant): Promise<Charged> {
  return charge(db, { asked, now });
}

type Asked = { readonly asked: ChargeAsked; readonly now: Temporal.Instant };

const charge = groupedOver(
  async (db: Db, all: Asked[]): Promise<Charged[]> => {
    const charged = new Map<Asked, Charged>();
    for (const some of oneOfEach(all, ({ asked }) => asked.mandateId)) {
      // A key that stands twice, for two mandates, is told of the first once that is written.
      for (const these of oneOfEach(some, ({ asked }) => asked.key)) {
        const now = latestOf(these.map((one) => one.now));
        const done = await db.transaction().execute((tx) =>
          chargeEach(
            tx,
            these.map(({ asked }) => asked),
            now,
          ),
        );
        these.forEach((one, at) => {
          charged.set(one, done[at] as Charged);
        });
      }
    }
    tellOfEvents(db);
    return all.map((one) => charged.get(one) as Charged);
  },
  { most: 50, inFlight: 2, apart: true },
);

/** @param all at most one of each mandate and of each key */
async function chargeEach(tx: Tx, all: readonly ChargeAsked[], now: Temporal.Instant): Promise<Charged[]> {
  const keys = all.map(({ key }) => key);
  const held = await lockKeys(tx, keys);
  const known = await readByKeys(tx, keys);
  const mandateIds = all.filter(({ key }) => held.has(key) && !known.has(key)).map((one) => one.mandateId);
  const mandates = await lockMandates(tx, mandateIds);
  // What was due decides on what may follow it.
  await settle(tx, await listDueOf(tx, mandateIds, now), now);
  const before = await readBefore(tx, mandateIds);
  const made: Made[] = [];
  const charged: Charged[] = [];
  for (const asked of all) {
    if (!held.has(asked.key)) charged.push({ kind: 'under-way' });
    else charged.push(known.get(asked.key) ?? (await decide(tx, asked, mandates, before, made, now)));
  }
  if (made.length === 0) return charged;
  await writeChanges(tx, {
    payments: made.map(({ mandate, payment }) => ({ payment, checkoutId: null, mandateId: mandate.id })),
    captures: made.flatMap(({ asked: { amount }, payment }) =>
      payment.status === 'succeeded' ? [{ paymentId: payment.id, checkoutId: null, amount, at: now }] : [],
    ),
    events: made.map(({ afterMs, payment, shown }) =>
      eventRecord(`payment.${payment.status}`, shown, now, { afterMs }),
    ),
  });
  await writeCharges(tx, made);
  for (const { asked, mandate } of made) if (isAnnounced(mandate.rail)) await writeNotice(tx, asked, now);
  return charged;
}

/** A charge that is made. */
type Made = {
  readonly asked: ChargeAsked;
  readonly mandate: Mandate;
  readonly payment: NonNullable<ReturnType<typeof beginCharge>>;
  readonly shown: ReturnType<typeof recordShown>;
  readonly answer: string;
  readonly afterMs: number;
};

async function decide(
  tx: Tx,
  asked: ChargeAsked,
  mandates: ReadonlyMap<string, Mandate>,
  before: ReadonlyMap<string, ChargesBefore>,
  made: Made[],
  now: Temporal.Instant,
): Promise<Charged> {
  const mandate = mandates.get(asked.mandateId);
  if (mandate === undefined) return { kind: 'no-mandate' };
  const why = chargeRefusal(asked, mandate, before.get(mandate.id) ?? NONE, now);
  if (why !== undefined) return { kind: 'refused', why };
  const always =
    mandate.outcome !== undefined && isOutcomeCode(mandate.outcome) ? mandate.outcome : 'approve';
  // The outcome that was chosen for the next charge is for the first of them.
  const chosen = made.length === 0 ? await takeChosenOutcome(tx) : undefined;
  const code = chosen ?? always;
  const { fault, webhookAfterMs: afterMs = 0 } = OUTCOMES[code];
  const payment = beginCharge(asked, mandate, code, now);
  if (payment === undefined) return { kind: 'nothing', fault };
  const shown = recordShown({ ...asked, payment, checkoutId: undefined, mandate }, now);
  const answer = JSON.stringify(shown);
  made.push({ asked, mandate, payment, shown, answer, afterMs });
  return { kind: 'charged', answer, fault };
}

/** @returns the keys that nobody else is at */
async function lockKeys(tx: Tx, keys: readonly string[]): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ key: string; got: boolean }>`
    select key, pg_try_advisory_xact_lock(hashtextextended(key, ${KEY_LOCKS})) as got
    from unnest(${keys}::text[]) as asked (key)`.execute(tx);
  return new Set(rows.filter(({ got }) => got).map(({ key }) => key));
}

async function readByKeys(tx: Tx, keys: readonly string[]): Promise<ReadonlyMap<string, Charged>> {
  const { rows } = await sql<{
    idempotency_key: string;
    reference: string;
    mandate_id: string;
    customer: string;
    amount_minor: bigint;
    currency: string;
    description: string;
    not_before: string | null;
    answer: string;
  }>`select k.*, p.mandate_id from sandbox.charges k join sandbox.payments p on p.id = k.payment_id
     where k.idempotency_key = any(${keys}::text[])`.execute(tx);
  return new Map(
    rows.map((row) => {
      const asked = {
        key: row.idempotency_key,
        reference: row.reference,
        mandateId: row.mandate_id,
        customer: row.customer,
        amount: { minor: row.amount_minor, currency: row.currency },
        description: row.description,
        notBefore: perhaps(row.not_before),
      };
      return [row.idempotency_key, { kind: 'known', asked, answer: row.answer }];
    }),
  );
}

async function writeCharges(tx: Tx, made: readonly Made[]): Promise<void> {
  const rows = made.map(({ answer, asked }) => ({
    paymentId: asked.paymentId,
    key: asked.key,
    reference: asked.reference,
    customer: asked.customer,
    minor: asked.amount.minor.toString(),
    currency: asked.amount.currency,
    description: asked.description,
    notBefore: asked.notBefore?.toString(),
    answer,
  }));
  await sql`
    insert into sandbox.charges (payment_id, idempotency_key, reference, customer, amount_minor, currency, description,
      not_before, answer)
    select "paymentId", key, reference, customer, minor, currency, description, "notBefore", answer
    from json_to_recordset(${JSON.stringify(rows)}::json) as new (
      "paymentId" text, key text, reference text, customer text, minor bigint, currency text, description text,
      "notBefore" timestamptz, answer text)`.execute(tx);
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

async function listDueOf(tx: Tx, mandateIds: readonly string[], now: Temporal.Instant): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from sandbox.payments
    where mandate_id = any(${mandateIds}) and checkout_id is null and coalesce(settles_at, late_at) <= ${now.toString()}
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
