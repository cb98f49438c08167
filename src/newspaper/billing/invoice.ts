import type { Place, TaxLine } from './tax.ts';

/** Who sells, as that was when the invoice was made. */
export type Seller = Place & {
  readonly name: string;
  /** As on an envelope: its lines divided by `\n`. */
  readonly address: string;
  /** India's tax registration; undefined where the seller has none. */
  readonly gstin: string | undefined;
  /** The registration for VAT, of the Union's one-stop shop or of a country. Invoices of before it was kept have none. */
  readonly vatNumber?: string | undefined;
  /** India's letter of undertaking, by which exports are free of tax. */
  readonly lutNumber?: string | undefined;
};

/** Who buys. A reader gives a country, and in India a State; a company gives more. */
export type Buyer = Place & {
  readonly name: string;
  /** As on an envelope: its lines divided by `\n`. Readers give none. */
  readonly address?: string;
  readonly email: string;
  readonly gstin: string | undefined;
};

/** Something that is sold. */
export type InvoiceLine = {
  readonly description: string;
  /** India's code for the kind of service. */
  readonly serviceCode: string;
  /** The days that it is for, half open. */
  readonly fromOn: Temporal.PlainDate;
  readonly untilOn: Temporal.PlainDate;
  /** With the tax in it, in minor units of the invoice's currency. */
  readonly amount: bigint;
};

export type InvoiceStatus = 'draft' | 'open' | 'paid' | 'void' | 'uncollectible';

/** What both documents say. The lines add up to the total, and so do `taxable` and the tax. */
type Document = {
  readonly id: string;
  /** At most 16 characters: series, financial year, number (`INV/2627/0000001`). */
  readonly number: string;
  readonly issuedOn: Temporal.PlainDate;
  readonly seller: Seller;
  readonly buyer: Buyer;
  /** `IN-KA`, `DE`. */
  readonly placeOfSupply: string;
  readonly currency: string;
  readonly lines: readonly InvoiceLine[];
  /** All in minor units. */
  readonly taxable: bigint;
  readonly tax: readonly TaxLine[];
  readonly total: bigint;
};

/** An invoice that is final. */
export type Invoice = Document & {
  readonly kind: 'invoice';
  readonly status: Exclude<InvoiceStatus, 'draft'>;
  /** How it was paid; undefined while it is not. */
  readonly payment:
    | { readonly at: Temporal.Instant; readonly method: string; readonly gatewayPaymentId: string }
    | undefined;
  /** What was credited of it, in minor units. */
  readonly credited: bigint;
};

/** Takes back an invoice, or a part of it. Its amounts are positive. */
export type CreditNote = Document & {
  readonly kind: 'credit-note';
  readonly of: { readonly number: string; readonly issuedOn: Temporal.PlainDate };
  readonly reason: string;
};
