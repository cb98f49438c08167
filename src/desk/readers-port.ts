import type { Tx } from '#platform/db';
import type { Money } from '#values/money';

/** What the desk asks of readers, and of what they have bought: wired in main, where the modules behind it are known. */
export type DeskReaders = {
  /** Readers whom somebody could mean by an address, a name or an invoice's number, the likeliest first; at most 50. */
  search(text: string): Promise<readonly ReaderRow[]>;
  /** Everything that helps a reader who writes in; undefined when there is no reader of that id. */
  show(readerId: string): Promise<ReaderFile | undefined>;
  /** Sends a mail again, of one of the kinds that `show` says can be. */
  resend(readerId: string, mailKind: string, record: Recorder): Promise<'sent' | 'not-there'>;
  endSession(readerId: string, sessionId: string, record: Recorder): Promise<'ended' | 'not-there'>;
  /** @returns how many were ended */
  endAllSessions(readerId: string, record: Recorder): Promise<number>;
};

/**
 * Writes what is being done into the audit trail. To be called once, in the transaction that does it, and not where
 * nothing is done.
 */
export type Recorder = (tx: Tx) => Promise<void>;

/** A reader as they stand in a list. */
export type ReaderRow = {
  readonly id: string;
  readonly email: string;
  readonly name: string | undefined;
  readonly createdAt: Temporal.Instant;
  /** The plan's name, or undefined for who has none. */
  readonly plan: string | undefined;
  /** How they stand, in plain words: "subscribes until 3 March 2027", "account only". */
  readonly state: string;
};

export type ReaderFile = {
  readonly reader: ReaderRow;
  readonly sessions: readonly ReaderSession[];
  readonly grants: readonly ReaderGrant[];
  readonly subscriptions: readonly ReaderSubscription[];
  readonly payments: readonly ReaderPayment[];
  readonly mails: readonly ReaderMail[];
  /** What may be sent again now: the kind, and what a person calls it. */
  readonly resendable: readonly { readonly kind: string; readonly words: string }[];
  readonly meter: ReaderMeter;
  readonly walls: readonly ReaderWall[];
};

export type ReaderSession = {
  readonly id: string;
  /** "Firefox on Android". */
  readonly device: string;
  readonly createdAt: Temporal.Instant;
  readonly lastUsedAt: Temporal.Instant;
};

export type ReaderGrant = {
  readonly benefit: string;
  readonly from: Temporal.Instant;
  readonly until: Temporal.Instant;
  /** Where it comes from, in plain words. */
  readonly source: string;
  readonly revokedAt: Temporal.Instant | undefined;
  readonly revokedReason: string;
};

export type ReaderSubscription = {
  readonly id: string;
  readonly plan: string;
  /** In plain words: "paid", "the last payment failed; tried again on 3 March". */
  readonly state: string;
  /** The first day that is no longer paid. */
  readonly paidThrough: Temporal.PlainDate | undefined;
  /** The first day on which it is over by itself, when it has been cancelled. */
  readonly cancelAt: Temporal.PlainDate | undefined;
};

export type ReaderPayment = {
  readonly at: Temporal.Instant;
  readonly amount: Money;
  /** "paid", "failed: insufficient funds", "refunded". */
  readonly state: string;
  readonly gateway: string;
};

export type ReaderMail = {
  /** What it was, in plain words: "receipt". */
  readonly kind: string;
  readonly at: Temporal.Instant;
  /** "handed over", "refused by their mail server". */
  readonly status: string;
};

/** The reader's own meter in the month that it is. */
export type ReaderMeter = {
  readonly startedAt: Temporal.Instant;
  readonly limit: number;
  readonly left: number;
  readonly reads: readonly {
    readonly headline: string;
    readonly path: string;
    readonly at: Temporal.Instant;
  }[];
};

/** A wall that was shown to this reader, as it was recorded when it was. */
export type ReaderWall = {
  readonly headline: string;
  readonly path: string;
  /** The decision's own reason: `limit-reached` and so on. */
  readonly reason: string;
  /** How many free stories the meter gave then; undefined where no meter decided. */
  readonly limit: number | undefined;
  readonly policyVersion: number;
  readonly times: number;
  readonly firstAt: Temporal.Instant;
  readonly lastAt: Temporal.Instant;
};
