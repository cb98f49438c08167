import { sql } from 'kysely';
import { type Db, type Tx, toInstant } from '#platform/db';
import type { Dispute, Refund } from './capture.ts';
import type { Mandate } from './mandate.ts';
import type { Method, Rail } from './methods.ts';
import type { Payment, PaymentRecord } from './payment.ts';

/** The columns of a payment `p`, with its refunds, its dispute and its mandate. */
export const PAYMENT_COLUMNS = sql`p.id as payment_id, p.attempt, p.status as payment_status, p.failure_code, p.rail,
  p.brand, p.last4, p.upi_address, p.created_at as payment_created_at, p.changed_at, p.settles_at, p.then_fails,
  p.comes_late, p.late_at,
  (select json_agg(r order by r.created_at, r.id) from sandbox.refunds r where r.payment_id = p.id) as refunds,
  (select to_json(d) from sandbox.disputes d where d.payment_id = p.id order by d.created_at desc, d.id desc limit 1)
    as dispute,
  (select to_json(m) from sandbox.mandates m where m.id = p.mandate_id) as mandate`;

export type PaymentColumns = {
  payment_id: string;
  attempt: number;
  payment_status: Payment['status'];
  failure_code: string | null;
  payment_created_at: string;
  changed_at: string;
  settles_at: string | null;
  then_fails: string | null;
  comes_late: boolean;
  late_at: string | null;
  refunds: RefundColumns[] | null;
  dispute: DisputeColumns | null;
  mandate: MandateColumns | null;
} & MethodColumns;

type MethodColumns = {
  rail: Rail;
  brand: 'visa' | 'mastercard' | 'rupay' | null;
  last4: string | null;
  upi_address: string | null;
};
/** As rows come, and as they come in JSON: whole numbers and instants have two spellings. */
export type RefundColumns = {
  id: string;
  reference: string | null;
  amount_minor: number | bigint;
  status: Refund['status'];
  then_fails: boolean;
  created_at: string;
  changed_at: string;
  settles_at: string | null;
};
export type DisputeColumns = {
  id: string;
  amount_minor: number | bigint;
  status: Dispute['status'];
  created_at: string;
  changed_at: string;
};
export type MandateColumns = {
  id: string;
  customer: string;
  email: string;
  status: Mandate['status'];
  max_amount_minor: number | bigint;
  currency: string;
  months: number;
  expires_on: string;
  fingerprint: string;
  outcome: string | null;
  created_at: string;
  changed_at: string;
} & MethodColumns;

export function toPayment(row: PaymentColumns): Payment {
  return {
    id: row.payment_id,
    attempt: row.attempt,
    status: row.payment_status,
    failureCode: row.failure_code ?? undefined,
    rail: row.rail,
    method: toMethod(row),
    createdAt: toInstant(row.payment_created_at),
    changedAt: toInstant(row.changed_at),
    settlesAt: perhaps(row.settles_at),
    thenFails: row.then_fails ?? undefined,
    comesLate: row.comes_late,
    lateAt: perhaps(row.late_at),
    refunds: (row.refunds ?? []).map(toRefund),
    dispute: row.dispute === null ? undefined : toDispute(row.dispute),
  };
}

export function toRefund(row: RefundColumns): Refund {
  return {
    id: row.id,
    reference: row.reference ?? undefined,
    minor: BigInt(row.amount_minor),
    status: row.status,
    thenFails: row.then_fails,
    createdAt: toInstant(row.created_at),
    changedAt: toInstant(row.changed_at),
    settlesAt: perhaps(row.settles_at),
  };
}

export function toDispute(row: DisputeColumns): Dispute {
  return {
    id: row.id,
    minor: BigInt(row.amount_minor),
    status: row.status,
    createdAt: toInstant(row.created_at),
    changedAt: toInstant(row.changed_at),
  };
}

export function toMandate(row: MandateColumns): Mandate {
  return {
    id: row.id,
    rail: row.rail,
    status: row.status,
    maxAmount: { minor: BigInt(row.max_amount_minor), currency: row.currency },
    months: row.months,
    expiresOn: Temporal.PlainDate.from(row.expires_on),
    customer: row.customer,
    email: row.email,
    method: toMethod(row),
    fingerprint: row.fingerprint,
    outcome: row.outcome ?? undefined,
    createdAt: toInstant(row.created_at),
    changedAt: toInstant(row.changed_at),
  };
}

function toMethod({ brand, last4, upi_address }: MethodColumns): Method {
  return upi_address === null
    ? { kind: 'card', brand: brand ?? 'visa', last4: last4 ?? '' }
    : { kind: 'upi', address: upi_address };
}

export function perhaps(instant: string | null): Temporal.Instant | undefined {
  return instant === null ? undefined : toInstant(instant);
}

/** A method as three columns hold it. */
export function methodRecord(method: Method) {
  return method.kind === 'upi'
    ? { brand: null, last4: null, upiAddress: method.address }
    : { brand: method.brand, last4: method.last4, upiAddress: null };
}

/** Payments with what they were made for, by their ids. */
export async function readRecords(on: Db | Tx, ids: readonly string[]): Promise<Map<string, PaymentRecord>> {
  const { rows } = await sql<RecordRow>`
    select ${PAYMENT_COLUMNS}, p.checkout_id, coalesce(c.reference, k.reference) as reference,
      coalesce(c.amount_minor, k.amount_minor) as amount_minor, coalesce(c.currency, k.currency) as currency,
      coalesce(c.description, k.description) as description, k.not_before
    from sandbox.payments p left join sandbox.checkouts c on c.id = p.checkout_id
      left join sandbox.charges k on k.payment_id = p.id
    where p.id = any(${ids})`.execute(on);
  return new Map(rows.map((row) => [row.payment_id, toRecord(row)]));
}

type RecordRow = PaymentColumns & {
  checkout_id: string | null;
  reference: string;
  amount_minor: bigint;
  currency: string;
  description: string;
  not_before: string | null;
};

function toRecord(row: RecordRow): PaymentRecord {
  return {
    payment: toPayment(row),
    amount: { minor: row.amount_minor, currency: row.currency },
    reference: row.reference,
    description: row.description,
    checkoutId: row.checkout_id ?? undefined,
    notBefore: perhaps(row.not_before),
    mandate: row.mandate === null ? undefined : toMandate(row.mandate),
  };
}
