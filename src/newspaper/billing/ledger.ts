import type { Money } from '#values/money';
import type { TaxLine } from './tax.ts';

/**
 * What money is booked on. `receivable`: asked for and not paid. `deferred`: sold and not yet delivered; how much of it is
 * earned by a day is worked out (revenue.ts) and not booked. `owed`: belongs to readers again. `disputed`: their banks
 * asked it back. `cash` is what a gateway holds for us, and `tax` what the state is owed, under each head.
 */
export type Account =
  | 'receivable'
  | 'deferred'
  | 'owed'
  | 'disputed'
  | 'written_off'
  | `cash:${string}`
  | `tax:${string}`;

export type EntryKind =
  | 'issued'
  | 'captured'
  | 'overpaid'
  | 'applied'
  | 'credited'
  | 'refunded'
  | 'refund failed'
  | 'disputed'
  | 'dispute won'
  | 'dispute lost';

/** One entry of the journal. Amounts are minor units: a debit above zero, a credit below; together they are nothing. */
export type Entry = {
  readonly kind: EntryKind;
  /** What is booked: the same is never booked twice. */
  readonly key: string;
  readonly currency: string;
  readonly postings: readonly (readonly [Account, bigint])[];
};

/** Amounts of a document, as ledgers need them. */
export type Amounts = {
  readonly id: string;
  readonly currency: string;
  readonly taxable: bigint;
  readonly tax: readonly TaxLine[];
  readonly total: bigint;
};

/** An invoice is final: its reader owes it, we owe the reading, and the state is owed the tax. */
export function issued(invoice: Amounts): Entry {
  return entry('issued', `issued ${invoice.id}`, invoice.currency, [
    ['receivable', invoice.total],
    ['deferred', -invoice.taxable],
    ...taxPostings(invoice.tax, -1n),
  ]);
}

/** Money came in for an invoice. */
export function captured(paymentKey: string, gateway: string, { currency, minor }: Money): Entry {
  return entry('captured', `captured ${paymentKey}`, currency, [
    [`cash:${gateway}`, minor],
    ['receivable', -minor],
  ]);
}

/** Money came in that buys nothing: it is its reader's. */
export function overpaid(paymentKey: string, gateway: string, { currency, minor }: Money): Entry {
  return entry('overpaid', `captured ${paymentKey}`, currency, [
    [`cash:${gateway}`, minor],
    ['owed', -minor],
  ]);
}

/** What a reader is owed pays a part of an invoice. */
export function applied(invoiceId: string, { currency, minor }: Money): Entry {
  return entry('applied', `applied ${invoiceId}`, currency, [
    ['owed', minor],
    ['receivable', -minor],
  ]);
}

/** A credit note takes an invoice back, or a part of it. @param isPaid whether its reader gets money for it */
export function credited(note: Amounts, isPaid: boolean): Entry {
  return entry('credited', `credited ${note.id}`, note.currency, [
    ['deferred', note.taxable],
    ...taxPostings(note.tax, 1n),
    [isPaid ? 'owed' : 'receivable', -note.total],
  ]);
}

/** Money went back. @param owed how much of it was its reader's; what somebody gave beyond that is lost */
export function refunded(
  refundId: string,
  gateway: string,
  { currency, minor }: Money,
  owed: bigint = minor,
): Entry {
  const due = owed < minor ? owed : minor;
  return entry('refunded', refundedKey(refundId), currency, [
    ['owed', due],
    ['written_off', minor - due],
    [`cash:${gateway}`, -minor],
  ]);
}

/** What a refund is booked as, once. */
export function refundedKey(refundId: string): string {
  return `refunded ${refundId}`;
}

/** A refund that was given came back. @param owed as it was when it was given */
export function refundFailed(
  refundId: string,
  gateway: string,
  { currency, minor }: Money,
  owed: bigint = minor,
): Entry {
  const due = owed < minor ? owed : minor;
  return entry('refund failed', `refund failed ${refundId}`, currency, [
    [`cash:${gateway}`, minor],
    ['owed', -due],
    ['written_off', due - minor],
  ]);
}

/** A payer's bank took the money until it has decided. */
export function disputed(disputeKey: string, gateway: string, { currency, minor }: Money): Entry {
  return entry('disputed', `disputed ${disputeKey}`, currency, [
    ['disputed', minor],
    [`cash:${gateway}`, -minor],
  ]);
}

export function disputeWon(disputeKey: string, gateway: string, { currency, minor }: Money): Entry {
  return entry('dispute won', `dispute won ${disputeKey}`, currency, [
    [`cash:${gateway}`, minor],
    ['disputed', -minor],
  ]);
}

export function disputeLost(disputeKey: string, { currency, minor }: Money): Entry {
  return entry('dispute lost', `dispute lost ${disputeKey}`, currency, [
    ['written_off', minor],
    ['disputed', -minor],
  ]);
}

function taxPostings(tax: readonly TaxLine[], sign: 1n | -1n): [Account, bigint][] {
  return tax
    .filter(({ amount }) => amount !== 0n)
    .map(({ amount, name }): [Account, bigint] => [`tax:${name}`, sign * amount]);
}

/** @throws RangeError when it does not balance: then the rule that made it is wrong, and nothing may be booked */
function entry(
  kind: EntryKind,
  key: string,
  currency: string,
  postings: readonly (readonly [Account, bigint])[],
): Entry {
  const sum = postings.reduce((all, [, amount]) => all + amount, 0n);
  if (sum !== 0n) throw new RangeError(`${key} does not balance by ${sum}`);
  return { kind, key, currency, postings: postings.filter(([, amount]) => amount !== 0n) };
}
