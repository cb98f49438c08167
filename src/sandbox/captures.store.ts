import { sql } from 'kysely';
import { type Db, type Tx, toInstant } from '#platform/db';
import { uuidv7 } from '#platform/ids';
import {
  beginRefund,
  type Capture,
  closeDispute,
  dueRefund,
  openDispute,
  type Refund,
  type RefundRefusal,
  type Return,
  refundRefusal,
} from './capture.ts';
import { eventRecord, writeChanges } from './changes.store.ts';
import { takeRefundFailure } from './controls.store.ts';
import type { Rail } from './methods.ts';
import { recordShown, refundShown } from './payment.ts';
import {
  type DisputeColumns,
  type RefundColumns,
  readRecords,
  toDispute,
  toRefund,
} from './payments.store.ts';
import { tellOfEvents } from './wake.ts';

/** What a merchant wants to give back. Key and reference are missing at the company's dashboard. */
export type RefundAsked = {
  readonly named: { readonly key: string; readonly reference: string } | undefined;
  readonly paymentId: string;
  readonly minor: bigint;
};

export type Refunded =
  | { readonly kind: 'under-way' | 'no-payment' }
  | {
      readonly kind: 'known';
      readonly asked: { readonly reference: string; readonly paymentId: string; readonly minor: bigint };
      readonly answer: string;
    }
  | { readonly kind: 'refused'; readonly why: RefundRefusal }
  | { readonly kind: 'refunded'; readonly answer: string };

/** Any number: it keeps the locks of keys apart from other advisory locks. */
const KEY_LOCKS = 7_202_609;

/** Gives money of a payment back, once for a key, under the lock of what was captured. */
export async function makeRefund(db: Db, asked: RefundAsked, now: Temporal.Instant): Promise<Refunded> {
  const refunded = await db.transaction().execute(async (tx): Promise<Refunded> => {
    const { minor, named, paymentId } = asked;
    const known = named === undefined ? undefined : await knownBy(tx, named.key);
    if (known !== undefined) return known;
    const capture = await lockCapture(tx, paymentId);
    if (capture === undefined) return { kind: 'no-payment' };
    await settle(tx, await listDueOf(tx, paymentId, now), now);
    const current = (await lockCapture(tx, paymentId)) ?? capture;
    const why = refundRefusal(current, minor, now);
    if (why !== undefined) return { kind: 'refused', why };
    const fails = await takeRefundFailure(tx);
    const id = `re_${uuidv7().replaceAll('-', '')}`;
    const made = beginRefund(current, { id, reference: named?.reference, minor }, fails, now);
    const answer =
      made.refund === undefined
        ? ''
        : JSON.stringify(refundShown(made.refund, paymentId, current.amount.currency));
    await writeReturn(tx, made, named === undefined ? undefined : { key: named.key, answer });
    return { kind: 'refunded', answer };
  });
  tellOfEvents(db);
  return refunded;
}

async function knownBy(tx: Tx, key: string): Promise<Refunded | undefined> {
  const { rows: locks } = await sql<{ got: boolean }>`
    select pg_try_advisory_xact_lock(hashtextextended(${key}, ${KEY_LOCKS})) as got`.execute(tx);
  if (locks[0]?.got !== true) return { kind: 'under-way' };
  const { rows } = await sql<{ reference: string; payment_id: string; amount_minor: bigint; answer: string }>`
    select reference, payment_id, amount_minor, answer from sandbox.refunds
    where idempotency_key = ${key}`.execute(tx);
  const [row] = rows;
  if (row === undefined) return undefined;
  const asked = { reference: row.reference, paymentId: row.payment_id, minor: row.amount_minor };
  return { kind: 'known', asked, answer: row.answer };
}

/** Lets what is due on these refunds by `now` be done, each dated when it fell due. */
export async function settleRefunds(db: Db, ids: readonly string[], now: Temporal.Instant): Promise<void> {
  for (const id of ids) {
    await db.transaction().execute(async (tx) => {
      const { rows } = await sql<{ payment_id: string }>`
        select payment_id from sandbox.refunds where id = ${id}`.execute(tx);
      if (rows[0] === undefined) return;
      await lockCapture(tx, rows[0].payment_id);
      await settle(tx, [id], now);
    });
  }
  if (ids.length > 0) tellOfEvents(db);
}

/** The caller has locked what they were captured with. */
async function settle(tx: Tx, ids: readonly string[], now: Temporal.Instant): Promise<void> {
  for (const id of ids) {
    const { rows } = await sql<RefundColumns & { payment_id: string }>`
      select * from sandbox.refunds where id = ${id}`.execute(tx);
    const capture = rows[0] === undefined ? undefined : await lockCapture(tx, rows[0].payment_id);
    if (rows[0] === undefined || capture === undefined) continue;
    const due = dueRefund(capture, toRefund(rows[0]), now);
    if (due !== undefined) await writeReturn(tx, due);
  }
}

async function listDueOf(tx: Tx, paymentId: string, now: Temporal.Instant): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from sandbox.refunds where payment_id = ${paymentId} and settles_at <= ${now.toString()}
    order by settles_at, id`.execute(tx);
  return rows.map(({ id }) => id);
}

/** The payer's bank asks for what is left of a payment, or decides. Undefined where there is nothing to do. */
export async function changeDispute(
  db: Db,
  paymentId: string,
  to: 'open' | 'won' | 'lost',
  now: Temporal.Instant,
): Promise<Return | undefined> {
  const done = await db.transaction().execute(async (tx) => {
    const capture = await lockCapture(tx, paymentId);
    if (capture === undefined) return undefined;
    const made =
      to === 'open'
        ? openDispute(capture, `dp_${uuidv7().replaceAll('-', '')}`, now)
        : closeDispute(capture, to, now);
    if (made !== undefined) await writeReturn(tx, made);
    return made;
  });
  if (done !== undefined) tellOfEvents(db);
  return done;
}

/** The newest payment that took money of somebody, by the address they were asked with; with `open`, under dispute. */
export async function newestCapture(
  db: Db,
  email: string,
  which: 'any' | 'disputed' | 'undisputed',
): Promise<string | undefined> {
  const isOpen = sql`exists (
    select from sandbox.disputes d where d.payment_id = t.payment_id and d.status = 'open')`;
  const { rows } = await sql<{ id: string }>`
    select t.payment_id as id from sandbox.captures t join sandbox.payments p on p.id = t.payment_id
      left join sandbox.checkouts c on c.id = t.checkout_id left join sandbox.mandates m on m.id = p.mandate_id
    where lower(coalesce(c.email, m.email)) = lower(${email})
      and (${which} = 'any' or ${isOpen} = (${which} = 'disputed'))
      and (${which} <> 'undisputed' or t.refunded_minor + t.disputed_minor < t.amount_minor)
    order by t.captured_at desc, t.payment_id desc limit 1`.execute(db);
  return rows[0]?.id;
}

async function lockCapture(tx: Tx, paymentId: string): Promise<Capture | undefined> {
  const { rows } = await sql<CaptureRow>`
    select t.*, p.rail from sandbox.captures t join sandbox.payments p on p.id = t.payment_id
    where t.payment_id = ${paymentId} for update of t`.execute(tx);
  const [row] = rows;
  if (row === undefined) return undefined;
  // Read after the lock was got: whoever had it may have opened one.
  const { rows: disputes } = await sql<DisputeColumns>`
    select * from sandbox.disputes where payment_id = ${paymentId} and status = 'open'`.execute(tx);
  return {
    paymentId,
    amount: { minor: row.amount_minor, currency: row.currency },
    rail: row.rail,
    capturedAt: toInstant(row.captured_at),
    refundedMinor: row.refunded_minor,
    disputedMinor: row.disputed_minor,
    openDispute: disputes[0] === undefined ? undefined : toDispute(disputes[0]),
  };
}

type CaptureRow = {
  amount_minor: bigint;
  currency: string;
  rail: Rail;
  captured_at: string;
  refunded_minor: bigint;
  disputed_minor: bigint;
};

/** Writes what one refund or dispute has changed, its line in the book, and the event that shows the payment. */
async function writeReturn(
  tx: Tx,
  { at, capture, dispute, event, movement, refund }: Return,
  named?: { readonly key: string; readonly answer: string },
): Promise<void> {
  const { paymentId } = capture;
  await sql`
    update sandbox.captures set refunded_minor = ${capture.refundedMinor.toString()},
      disputed_minor = ${capture.disputedMinor.toString()}, changed_at = ${at.toString()}
    where payment_id = ${paymentId}`.execute(tx);
  if (refund !== undefined) await writeRefund(tx, refund, paymentId, named);
  if (dispute !== undefined) {
    await sql`
      insert into sandbox.disputes (id, payment_id, amount_minor, status, created_at, changed_at)
      values (${dispute.id}, ${paymentId}, ${dispute.minor.toString()}, ${dispute.status},
        ${dispute.createdAt.toString()}, ${dispute.changedAt.toString()})
      on conflict (id) do update set status = excluded.status, changed_at = excluded.changed_at`.execute(tx);
  }
  if (movement !== undefined) {
    await sql`
      insert into sandbox.movements (kind, payment_id, about_id, amount_minor, currency, moved_at)
      values (${movement.kind}, ${paymentId}, ${movement.aboutId}, ${movement.amount.minor.toString()},
        ${movement.amount.currency}, ${at.toString()})`.execute(tx);
  }
  const record = (await readRecords(tx, [paymentId])).get(paymentId);
  if (record === undefined) throw new Error(`the payment ${paymentId} was captured and is not there`);
  const { checkoutId = null } = record;
  await writeChanges(tx, { events: [eventRecord(event, recordShown(record, at), at, { checkoutId })] });
}

async function writeRefund(
  tx: Tx,
  refund: Refund,
  paymentId: string,
  named: { readonly key: string; readonly answer: string } | undefined,
): Promise<void> {
  const { changedAt, createdAt, id, minor, reference = null, settlesAt, status, thenFails } = refund;
  const { numAffectedRows } = await sql`
    update sandbox.refunds set status = ${status}, then_fails = ${thenFails}, changed_at = ${changedAt.toString()},
      settles_at = ${settlesAt?.toString() ?? null}
    where id = ${id}`.execute(tx);
  if (numAffectedRows !== 0n) return;
  await sql`
    insert into sandbox.refunds (id, idempotency_key, reference, payment_id, amount_minor, status, then_fails, answer,
      created_at, changed_at, settles_at)
    values (${id}, ${named?.key ?? null}, ${reference}, ${paymentId}, ${minor.toString()}, ${status}, ${thenFails},
      ${named?.answer ?? null}, ${createdAt.toString()}, ${changedAt.toString()},
      ${settlesAt?.toString() ?? null})`.execute(tx);
}
