import type { Tx } from '#platform/db';
import { uuidv7 } from '#platform/ids';
import type { Publication } from '#publication';
import { findReaders } from '#readers';
import { dayAt } from '#values/term';
import {
  type Booked,
  type Creditable,
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
import type { Seller } from './invoice.ts';
import { buyerOf, sellerOf } from './invoicing.ts';
import { credited, issued } from './ledger.ts';
import { financialYear } from './numbers.ts';
import type { Subscription } from './subscriptions.store.ts';
import { type TaxRate, taxIncluded, taxOfCredit } from './tax.ts';

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
  const issues = billed.map((one) =>
    issueOf(one, readers.get(one.readerId)?.email, seller, rates, numbered.on),
  );
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

/** What a final invoice says. @param email undefined where the account is deleted @param on the day that it gets */
export function issueOf(
  { place, ...draft }: Billed,
  email: string | undefined,
  seller: Seller,
  rates: readonly TaxRate[],
  on: Temporal.PlainDate,
): Issue {
  const buyer = buyerOf(place, email);
  const { lines, placeOfSupply, taxable } = taxIncluded(draft.total, buyer, seller, rates, on);
  return { ...draft, seller, buyer, placeOfSupply, taxable, tax: lines };
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
  const notes = credits.flatMap((credit) => {
    const invoice = invoices.get(credit.invoiceId);
    const note = invoice && noteOf(credit, invoice);
    return note === undefined
      ? []
      : [{ note, isPaid: credit.isPaid, subscriptionId: invoice?.subscriptionId ?? '' }];
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

/** The note that takes so much of an invoice back, or what is left of it; undefined where nothing is. */
export function noteOf(
  { amount, invoiceId, reason }: Credit,
  { credited, currency, placeOfSupply, tax, taxable, total: whole }: Creditable,
): NewCreditNote | undefined {
  const rest = whole - credited;
  const total = amount === 'rest' || amount > rest ? rest : amount;
  if (total <= 0n) return undefined;
  const part = taxOfCredit({ placeOfSupply, taxable, lines: tax }, credited, total);
  return { id: uuidv7(), invoiceId, reason, currency, total, taxable: part.taxable, tax: part.lines };
}
