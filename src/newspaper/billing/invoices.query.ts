import { sql } from 'kysely';
import { type Db, toInstant } from '#platform/db';
import { toTaxLine } from './books.store.ts';
import type { Buyer, CreditNote, Invoice, InvoiceLine, Seller } from './invoice.ts';

type TaxRecord = Parameters<typeof toTaxLine>[0];
type LineRecord = {
  readonly description: string;
  readonly serviceCode: string;
  readonly fromOn: string;
  readonly untilOn: string;
  readonly amount: string;
};

type DocumentRow = {
  id: string;
  number: string;
  issued_on: string;
  seller: Seller;
  buyer: Buyer;
  place_of_supply: string;
  currency: string;
  lines: LineRecord[];
  taxable_minor: bigint;
  tax: TaxRecord[];
  total_minor: bigint;
};

type InvoiceRow = DocumentRow & {
  status: Invoice['status'];
  credited: string;
  paid_at: string | null;
  method: string;
  gateway_payment_id: string;
};

/** What an undefined place or number of a party is in JSON: nothing at all. */
function party<Party extends Seller | Buyer>(kept: Party): Party {
  return { ...kept, state: kept.state ?? undefined, gstin: kept.gstin ?? undefined };
}

function document(row: DocumentRow) {
  return {
    id: row.id,
    number: row.number,
    issuedOn: Temporal.PlainDate.from(row.issued_on),
    seller: party(row.seller),
    buyer: party(row.buyer),
    placeOfSupply: row.place_of_supply,
    currency: row.currency,
    lines: row.lines.map(
      ({ amount, fromOn, untilOn, ...line }): InvoiceLine => ({
        ...line,
        fromOn: Temporal.PlainDate.from(fromOn),
        untilOn: Temporal.PlainDate.from(untilOn),
        amount: BigInt(amount),
      }),
    ),
    taxable: row.taxable_minor,
    tax: row.tax.map(toTaxLine),
    total: row.total_minor,
  };
}

/** A reader's invoices that are final, newest first. */
export async function invoicesOf(db: Db, readerId: string): Promise<Invoice[]> {
  const { rows } = await sql<InvoiceRow>`
    select i.id, i.number, i.issued_on, i.seller, i.buyer, i.place_of_supply, i.currency, i.lines, i.taxable_minor, i.tax,
      i.total_minor, i.status, p.at as paid_at, p.method, p.gateway_payment_id,
      (select coalesce(sum(c.total_minor), 0) from billing.credit_notes c where c.invoice_id = i.id)::text as credited
    from billing.invoices i
      left join billing.charge_intents c on c.invoice_id = i.id and c.status = 'succeeded'
      left join billing.payments p on p.intent_id = c.id and p.status in ('succeeded', 'refunded', 'disputed')
    where i.reader_id = ${readerId} and i.number is not null
    order by i.issued_at desc, i.serial desc`.execute(db);
  return rows.map((row) => ({
    ...document(row),
    kind: 'invoice',
    status: row.status,
    credited: BigInt(row.credited),
    payment:
      row.paid_at === null
        ? undefined
        : { at: toInstant(row.paid_at), method: row.method, gatewayPaymentId: row.gateway_payment_id },
  }));
}

/** A reader's credit notes, newest first. */
export async function creditNotesOf(db: Db, readerId: string): Promise<CreditNote[]> {
  const { rows } = await sql<DocumentRow & { reason: string; of_number: string; of_issued_on: string }>`
    select c.id, c.number, c.issued_on, i.seller, i.buyer, i.place_of_supply, c.currency, i.lines, c.taxable_minor, c.tax,
      c.total_minor, c.reason, i.number as of_number, i.issued_on as of_issued_on
    from billing.credit_notes c join billing.invoices i on i.id = c.invoice_id
    where i.reader_id = ${readerId} order by c.issued_at desc, c.serial desc`.execute(db);
  return rows.map((row) => {
    const note = document(row);
    const [line] = note.lines;
    return {
      ...note,
      // What is credited is a part of what the invoice's line is about.
      lines: line === undefined ? [] : [{ ...line, amount: row.total_minor }],
      kind: 'credit-note',
      of: { number: row.of_number, issuedOn: Temporal.PlainDate.from(row.of_issued_on) },
      reason: row.reason,
    };
  });
}
