import type { Tx } from '#platform/db';
import { uuidv7 } from '#platform/ids';
import type { Publication } from '#publication';
import { findReaders } from '#readers';
import { dayAt } from '#values/term';
import {
  type Booked,
  creditableInvoices,
  type Draft,
  type Issue,
  insertCreditNotes,
  insertEntries,
  insertIssues,
  type NewCreditNote,
  takeNumbers,
  taxRates,
} from './books.store.ts';
import { buyerOf, sellerOf } from './invoicing.ts';
import { credited, issued } from './ledger.ts';
import { financialYear } from './numbers.ts';
import type { Subscription } from './subscriptions.store.ts';
import { taxIncluded, taxOfCredit } from './tax.ts';

/** Something that is billed: its draft, and where it is sold to. */
export type Billed = Pick<Issue, 'status'> &
  Draft & { readonly place: Pick<Subscription, 'country' | 'countryState' | 'buyer'> };

/**
 * Makes invoices final, each with the next number of its series, and books them. It holds the series until the transaction
 * ends, so it comes last in one.
 *
 * @throws Conflict `no-tax-rate` where India's law has no rate for the day
 */
export async function issueInvoices(
  tx: Tx,
  paper: Publication,
  billed: readonly Billed[],
  now: Temporal.Instant,
): Promise<void> {
  if (billed.length === 0) return;
  const today = dayAt(now, paper.zone);
  const seller = sellerOf(paper);
  const readers = await findReaders(
    tx,
    billed.map(({ readerId }) => readerId),
  );
  const rates = await taxRates(tx);
  const year = financialYear(today, seller.country);
  const numbered = { year, ...(await takeNumbers(tx, 'INV', year, billed.length, today)) };
  const issues = billed.map(({ place, ...draft }): Issue => {
    const buyer = buyerOf(place, readers.get(draft.readerId)?.email);
    const { lines, placeOfSupply, taxable } = taxIncluded(draft.total, buyer, seller, rates, numbered.on);
    return { ...draft, seller, buyer, placeOfSupply, taxable, tax: lines };
  });
  await insertIssues(tx, issues, numbered, now);
  await insertEntries(
    tx,
    issues.map(
      (invoice): Booked => ({
        entry: issued(invoice),
        subscriptionId: invoice.subscriptionId,
        invoiceId: invoice.id,
      }),
    ),
    numbered.on,
    now,
  );
}

/** An invoice that is taken back, or a part of it. */
export type Credit = {
  readonly invoiceId: string;
  /** In minor units; `rest` is all that was not credited yet. */
  readonly amount: bigint | 'rest';
  readonly reason: string;
  /** Whether its reader gets money for it, or only owes less. */
  readonly isPaid: boolean;
};

/**
 * Issues credit notes and books them; nothing for an invoice that is credited in full already, since a note over nothing
 * is none. What is asked for beyond the rest of an invoice is not credited.
 *
 * @returns the notes' ids by their invoices'
 */
export async function creditInvoices(
  tx: Tx,
  paper: Publication,
  credits: readonly Credit[],
  now: Temporal.Instant,
): Promise<ReadonlyMap<string, string>> {
  const invoices = await creditableInvoices(
    tx,
    credits.map(({ invoiceId }) => invoiceId),
  );
  const notes = credits.flatMap(({ amount, invoiceId, isPaid, reason }) => {
    const invoice = invoices.get(invoiceId);
    if (invoice === undefined) return [];
    const rest = invoice.total - invoice.credited;
    const total = amount === 'rest' || amount > rest ? rest : amount;
    if (total <= 0n) return [];
    const { currency, placeOfSupply, subscriptionId, tax } = invoice;
    const whole = { placeOfSupply, taxable: invoice.taxable, lines: tax };
    const part = taxOfCredit(whole, invoice.credited, total);
    const note: NewCreditNote = {
      id: uuidv7(),
      invoiceId,
      reason,
      currency,
      total,
      taxable: part.taxable,
      tax: part.lines,
    };
    return [{ note, isPaid, subscriptionId }];
  });
  if (notes.length === 0) return new Map();
  const today = dayAt(now, paper.zone);
  const year = financialYear(today, paper.sellerCountry);
  const numbered = { year, ...(await takeNumbers(tx, 'CRN', year, notes.length, today)) };
  await insertCreditNotes(
    tx,
    notes.map(({ note }) => note),
    numbered,
    now,
  );
  await insertEntries(
    tx,
    notes.map(
      ({ isPaid, note, subscriptionId }): Booked => ({
        entry: credited(note, isPaid),
        subscriptionId,
        invoiceId: note.invoiceId,
      }),
    ),
    numbered.on,
    now,
  );
  return new Map(notes.map(({ note }) => [note.invoiceId, note.id]));
}
