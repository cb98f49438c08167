import { sql } from 'kysely';
import type { Db, Tx } from '#platform/db';
import { uuidv7 } from '#platform/ids';
import type { Buyer, InvoiceLine, InvoiceStatus, Seller } from './invoice.ts';
import type { Account, Entry } from './ledger.ts';
import { documentNumber, type Series } from './numbers.ts';
import type { TaxLine, TaxRate } from './tax.ts';

/** Every rate that was ever in force. */
export async function taxRates(on: Db | Tx): Promise<TaxRate[]> {
  const { rows } = await sql<{
    country: string;
    kind: TaxRate['kind'];
    basis_points: number;
    from_on: string;
    until_on: string | null;
  }>`select country, kind, basis_points, from_on, until_on from billing.tax_rates order by country, from_on`.execute(
    on,
  );
  return rows.map((row) => ({
    country: row.country,
    kind: row.kind,
    basisPoints: row.basis_points,
    fromOn: Temporal.PlainDate.from(row.from_on),
    untilOn: row.until_on === null ? undefined : Temporal.PlainDate.from(row.until_on),
  }));
}

/**
 * Takes the next numbers of a series, and holds the series until the transaction ends: ask last, for others wait.
 *
 * @param on the day of the documents
 * @returns the first of them, and the day that they get: never before that of the number before
 */
export async function takeNumbers(
  tx: Tx,
  series: Series,
  year: string,
  count: number,
  on: Temporal.PlainDate,
): Promise<{ readonly first: number; readonly on: Temporal.PlainDate }> {
  const { rows } = await sql<{ last: number; last_on: string }>`
    insert into billing.number_series as old (series, financial_year, last, last_on)
    values (${series}, ${year}, ${count}, ${on.toString()})
    on conflict (series, financial_year) do update
      set last = old.last + excluded.last, last_on = greatest(old.last_on, excluded.last_on)
    returning last, last_on`.execute(tx);
  const [row] = rows;
  if (row === undefined) throw new Error(`no number of ${series}/${year} was given`);
  return { first: row.last - count + 1, on: Temporal.PlainDate.from(row.last_on) };
}

/** An invoice that waits to become final. */
export type Draft = {
  readonly id: string;
  readonly subscriptionId: string;
  readonly readerId: string;
  readonly termSeq: number;
  readonly currency: string;
  readonly total: bigint;
  readonly lines: readonly InvoiceLine[];
};

/** Writes drafts down; one that counts is there for each term, whoever writes it first. */
export async function insertDrafts(
  tx: Tx,
  drafts: readonly Draft[],
  now: Temporal.Instant,
): Promise<ReadonlySet<string>> {
  if (drafts.length === 0) return new Set();
  const rows = drafts.map(({ currency, id, lines, readerId, subscriptionId, termSeq, total }) => ({
    id,
    subscriptionId,
    readerId,
    termSeq,
    currency,
    total: total.toString(),
    lines: linesRecord(lines),
  }));
  const made = await sql<{ id: string }>`
    insert into billing.invoices (id, subscription_id, reader_id, term_seq, status, currency, total_minor, lines, created_at)
    select id, "subscriptionId", "readerId", "termSeq", 'draft', currency, total, lines, ${now.toString()}
    from json_to_recordset(${JSON.stringify(rows)}::json) as new (
      id uuid, "subscriptionId" uuid, "readerId" uuid, "termSeq" integer, currency text, total bigint, lines jsonb)
    on conflict (subscription_id, term_seq) where status in ('draft', 'open', 'paid') do nothing
    returning id`.execute(tx);
  return new Set(made.rows.map(({ id }) => id));
}

/** What a final invoice says, besides its number and its day. */
export type Issue = Draft & {
  readonly status: 'open' | 'paid';
  readonly seller: Seller;
  readonly buyer: Buyer;
  readonly placeOfSupply: string;
  readonly taxable: bigint;
  readonly tax: readonly TaxLine[];
};

/** Makes invoices final: drafts, or such as were never one. @param serials their numbers, in the same order */
export async function insertIssues(
  tx: Tx,
  issues: readonly Issue[],
  numbered: { readonly year: string; readonly first: number; readonly on: Temporal.PlainDate },
  now: Temporal.Instant,
): Promise<void> {
  if (issues.length === 0) return;
  const rows = issues.map((one, at) => ({
    ...one,
    total: one.total.toString(),
    taxable: one.taxable.toString(),
    taxMinor: (one.total - one.taxable).toString(),
    tax: taxRecord(one.tax),
    lines: linesRecord(one.lines),
    serial: numbered.first + at,
    number: documentNumber('INV', numbered.year, numbered.first + at),
  }));
  await sql`
    insert into billing.invoices as draft (id, subscription_id, reader_id, term_seq, status, financial_year, serial, number,
      issued_on, issued_at, seller, buyer, place_of_supply, taxable_minor, tax, tax_minor, currency, total_minor, lines,
      created_at)
    select id, "subscriptionId", "readerId", "termSeq", status, ${numbered.year}, serial, number,
      ${numbered.on.toString()}::date, ${now.toString()}::timestamptz, seller, buyer, "placeOfSupply", taxable, tax,
      "taxMinor", currency, total, lines, ${now.toString()}
    from json_to_recordset(${JSON.stringify(rows)}::json) as new (
      id uuid, "subscriptionId" uuid, "readerId" uuid, "termSeq" integer, status text, serial integer, number text,
      seller jsonb, buyer jsonb, "placeOfSupply" text, taxable bigint, tax jsonb, "taxMinor" bigint, currency text,
      total bigint, lines jsonb)
    on conflict (id) do update set status = excluded.status, financial_year = excluded.financial_year,
      serial = excluded.serial, number = excluded.number, issued_on = excluded.issued_on, issued_at = excluded.issued_at,
      seller = excluded.seller, buyer = excluded.buyer, place_of_supply = excluded.place_of_supply,
      taxable_minor = excluded.taxable_minor, tax = excluded.tax, tax_minor = excluded.tax_minor,
      currency = excluded.currency, total_minor = excluded.total_minor, lines = excluded.lines
      where draft.status = 'draft'`.execute(tx);
}

/** The invoice that counts for a term. */
export type CurrentInvoice = {
  readonly id: string;
  readonly subscriptionId: string;
  readonly termSeq: number;
  readonly status: InvoiceStatus;
  readonly total: bigint;
};

/** Invoices of terms, by subscription and number of the term: those that count. */
export async function currentInvoices(
  tx: Tx,
  terms: readonly { readonly subscriptionId: string; readonly termSeq: number }[],
): Promise<ReadonlyMap<string, CurrentInvoice>> {
  if (terms.length === 0) return new Map();
  const { rows } = await sql<{
    id: string;
    subscription_id: string;
    term_seq: number;
    status: InvoiceStatus;
    total_minor: bigint;
  }>`
    select i.id, i.subscription_id, i.term_seq, i.status, i.total_minor from billing.invoices i
    join unnest(${terms.map((one) => one.subscriptionId)}::uuid[], ${terms.map((one) => one.termSeq)}::int[])
      as wanted (subscription_id, term_seq)
      on i.subscription_id = wanted.subscription_id and i.term_seq = wanted.term_seq
    where i.status in ('draft', 'open', 'paid')`.execute(tx);
  return new Map(
    rows.map((row) => [
      row.subscription_id,
      {
        id: row.id,
        subscriptionId: row.subscription_id,
        termSeq: row.term_seq,
        status: row.status,
        total: row.total_minor,
      },
    ]),
  );
}

export async function setInvoiceStatuses(
  tx: Tx,
  changes: readonly { readonly id: string; readonly status: InvoiceStatus }[],
): Promise<void> {
  if (changes.length === 0) return;
  await sql`
    update billing.invoices i set status = now.status
    from json_to_recordset(${JSON.stringify(changes)}::json) as now (id uuid, status text)
    where i.id = now.id and i.status <> now.status`.execute(tx);
}

/** What is needed of a final invoice to take it back. */
export type Creditable = {
  readonly id: string;
  readonly subscriptionId: string;
  readonly currency: string;
  readonly total: bigint;
  readonly taxable: bigint;
  readonly tax: readonly TaxLine[];
  readonly placeOfSupply: string;
  /** What credit notes have taken back of it. */
  readonly credited: bigint;
};

export async function creditableInvoices(
  tx: Tx,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Creditable>> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql<{
    id: string;
    subscription_id: string;
    currency: string;
    total_minor: bigint;
    taxable_minor: bigint;
    tax: TaxRecord[];
    place_of_supply: string;
    credited: string;
  }>`
    select i.id, i.subscription_id, i.currency, i.total_minor, i.taxable_minor, i.tax, i.place_of_supply,
      (select coalesce(sum(c.total_minor), 0) from billing.credit_notes c where c.invoice_id = i.id)::text as credited
    from billing.invoices i where i.id = any(${ids}::uuid[]) and i.number is not null`.execute(tx);
  return new Map(
    rows.map((row) => [
      row.id,
      {
        id: row.id,
        subscriptionId: row.subscription_id,
        currency: row.currency,
        total: row.total_minor,
        taxable: row.taxable_minor,
        tax: row.tax.map(toTaxLine),
        placeOfSupply: row.place_of_supply,
        credited: BigInt(row.credited),
      },
    ]),
  );
}

export type NewCreditNote = {
  readonly id: string;
  readonly invoiceId: string;
  readonly reason: string;
  readonly currency: string;
  readonly total: bigint;
  readonly taxable: bigint;
  readonly tax: readonly TaxLine[];
};

export async function insertCreditNotes(
  tx: Tx,
  notes: readonly NewCreditNote[],
  numbered: { readonly year: string; readonly first: number; readonly on: Temporal.PlainDate },
  now: Temporal.Instant,
): Promise<void> {
  if (notes.length === 0) return;
  const rows = notes.map((one, at) => ({
    ...one,
    total: one.total.toString(),
    taxable: one.taxable.toString(),
    taxMinor: (one.total - one.taxable).toString(),
    tax: taxRecord(one.tax),
    serial: numbered.first + at,
    number: documentNumber('CRN', numbered.year, numbered.first + at),
  }));
  await sql`
    insert into billing.credit_notes (id, invoice_id, financial_year, serial, number, issued_on, issued_at, reason, currency,
      total_minor, taxable_minor, tax, tax_minor)
    select id, "invoiceId", ${numbered.year}, serial, number, ${numbered.on.toString()}::date,
      ${now.toString()}::timestamptz, reason, currency, total, taxable, tax, "taxMinor"
    from json_to_recordset(${JSON.stringify(rows)}::json) as new (
      id uuid, "invoiceId" uuid, serial integer, number text, reason text, currency text, total bigint, taxable bigint,
      tax jsonb, "taxMinor" bigint)`.execute(tx);
}

/** An entry, and what it is about. */
export type Booked = {
  readonly entry: Entry;
  readonly subscriptionId: string;
  readonly invoiceId: string | undefined;
};

/** Adds to the journal. What was booked already is not booked again. */
export async function insertEntries(
  tx: Tx,
  booked: readonly Booked[],
  on: Temporal.PlainDate,
  now: Temporal.Instant,
): Promise<void> {
  if (booked.length === 0) return;
  const rows = booked.map(({ entry, invoiceId, subscriptionId }) => ({
    id: uuidv7(),
    key: entry.key,
    kind: entry.kind,
    currency: entry.currency,
    accounts: entry.postings.map(([account]) => account),
    amounts: entry.postings.map(([, amount]) => amount.toString()),
    subscriptionId,
    invoiceId,
  }));
  await sql`
    insert into billing.journal (id, key, kind, on_day, at, currency, accounts, amounts, subscription_id, invoice_id)
    select id, key, kind, ${on.toString()}::date, ${now.toString()}::timestamptz, currency,
      array(select json_array_elements_text(accounts)), array(select json_array_elements_text(amounts)::bigint),
      "subscriptionId", "invoiceId"
    from json_to_recordset(${JSON.stringify(rows)}::json) as new (
      id uuid, key text, kind text, currency text, accounts json, amounts json, "subscriptionId" uuid, "invoiceId" uuid)
    on conflict (key) do nothing`.execute(tx);
}

/** What belongs to the reader of a subscription, in minor units; never below nothing. */
export async function owedTo(tx: Tx, subscriptionId: string, currency: string): Promise<bigint> {
  const { rows } = await sql<{ owed: string }>`
    select greatest(0, -coalesce(sum(p.amount), 0))::text as owed
    from billing.journal j, unnest(j.accounts, j.amounts) as p (account, amount)
    where j.subscription_id = ${subscriptionId} and j.currency = ${currency} and p.account = 'owed'`.execute(
    tx,
  );
  return BigInt(rows[0]?.owed ?? 0);
}

/** What one entry has on an account, in minor units. */
export async function bookedOn(tx: Tx, key: string, account: Account): Promise<bigint> {
  const { rows } = await sql<{ amount: string }>`
    select coalesce(sum(p.amount), 0)::text as amount
    from billing.journal j, unnest(j.accounts, j.amounts) as p (account, amount)
    where j.key = ${key} and p.account = ${account}`.execute(tx);
  return BigInt(rows[0]?.amount ?? 0);
}

type TaxRecord = { readonly name: string; readonly basisPoints: number; readonly amount: string };

function taxRecord(tax: readonly TaxLine[]): TaxRecord[] {
  return tax.map((one) => ({ ...one, amount: one.amount.toString() }));
}

export function toTaxLine({ amount, ...rest }: TaxRecord): TaxLine {
  return { ...rest, amount: BigInt(amount) };
}

function linesRecord(lines: readonly InvoiceLine[]): object[] {
  return lines.map(({ amount, fromOn, untilOn, ...rest }) => ({
    ...rest,
    fromOn: fromOn.toString(),
    untilOn: untilOn.toString(),
    amount: amount.toString(),
  }));
}
