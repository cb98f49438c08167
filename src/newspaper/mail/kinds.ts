import { z } from 'zod';
import type { Money } from '#values/money';

/**
 * A codec between text and one of Temporal's types: jobs carry everything in JSON, and both ends have it in its own type.
 */
function written<Value extends { toString(): string }>(type: {
  from(text: string): Value;
  readonly prototype: Value;
}) {
  return z.codec(
    z.string(),
    z.custom<Value>((value) => Object.getPrototypeOf(value ?? 0) === type.prototype),
    {
      decode: (text, { issues }) => {
        try {
          return type.from(text);
        } catch {
          issues.push({ code: 'invalid_format', format: 'datetime', input: text });
          return z.NEVER;
        }
      },
      encode: (value) => value.toString(),
    },
  );
}

export const instant = written(Temporal.Instant);
const day = written(Temporal.PlainDate);
const money = z.codec(
  z.strictObject({ minor: z.string().regex(/^-?\d{1,18}$/), currency: z.string() }),
  z.custom<Money>(isMoney),
  {
    decode: ({ currency, minor }) => ({ minor: BigInt(minor), currency }),
    encode: ({ currency, minor }) => ({ minor: minor.toString(), currency }),
  },
);

function isMoney(value: unknown): boolean {
  const { currency, minor } = (value ?? {}) as Partial<Money>;
  return typeof minor === 'bigint' && /^[A-Z]{3}$/.test(currency ?? '');
}

/** A line that a person reads. */
const line = z.string().trim().min(1).max(500);
/** A place in the paper: never another site's, whatever a browser makes of slashes. */
const path = z
  .string()
  .max(1_000)
  .regex(/^\/(?![/\\])[!-[\]-~]*$/);
/** Six digits, and for how long they are good. */
const code = z.strictObject({ code: z.string().regex(/^\d{6}$/), minutes: z.int().min(1).max(1_440) });

/** Every kind of mail, and what has to be known to write one. How it reads is said in `emails`, for each kind. */
export const MAIL_KINDS = {
  'sign-in-code': code,
  /** Finishes a registration. */
  'welcome-code': code,
  'password-reset-code': code,
  /** To the new address. */
  'address-change-code': code,
  /** To the old address. */
  'address-changed': z.strictObject({ changedAt: instant }),
  'password-changed': z.strictObject({ changedAt: instant }),
  /** An account that somebody else made: its reader chooses a password. */
  'account-invitation': z.strictObject({ path, until: instant }),
  receipt: z.strictObject({
    planName: line,
    amount: money,
    termFrom: day,
    /** The first day that is no longer paid. */
    termUntil: day,
    paidAt: instant,
    /** How it was paid, as its reader knows it: `Visa ending in 4242`, `UPI`. */
    method: line,
    paymentId: line,
    sellerName: line,
    sellerAddress: z.string().trim().max(500),
    /** The reader's, ISO 3166: `IN`. */
    country: z.string().regex(/^[A-Z]{2}$/),
    state: line.optional(),
    /** Left out where it does not renew. */
    renewsOn: day.optional(),
    cancelPath: path,
  }),
  /** To whoever it is for. */
  gift: z.strictObject({
    planName: line,
    months: z.int().min(1),
    fromName: z.string().trim().max(200),
    toName: z.string().trim().max(200),
    message: z.string().max(1_000),
    code: line,
    path,
  }),
  /** To whoever bought it. */
  'gift-bought': z.strictObject({ planName: line, giftsPath: path }),
  'gift-redeemed': z.strictObject({ planName: line, toName: z.string().trim().max(200), at: instant }),
  /** To whoever reads by it: from when until before when. */
  'gift-began': z.strictObject({ planName: line, fromOn: day, untilOn: day, subscribePath: path }),
  /** Somebody has a seat for them in a group. */
  'seat-invitation': z.strictObject({ group: line, path }),
  /** It begins with days that cost nothing: what was agreed to, to be kept. */
  'trial-began': z.strictObject({
    planName: line,
    /** The first day that costs something, and what it costs. */
    paidFrom: day,
    amount: money,
    method: line,
    cancelPath: path,
  }),
  /** It was cancelled, and runs to its end. */
  'subscription-ends': z.strictObject({
    planName: line,
    /** The first day without access. */
    endsOn: day,
    undoPath: path,
  }),
  /** The cancellation was taken back. */
  'subscription-goes-on': z.strictObject({ planName: line, renewsOn: day, cancelPath: path }),
  'payment-failed': z.strictObject({ planName: line, amount: money, tryAgainPath: path }),
  /** What is going to be taken, and when: before each renewal. */
  'renewal-notice': z.strictObject({
    planName: line,
    amount: money,
    renewsOn: day,
    /** What is charged; left out where nothing can be, and its reader has to give something. */
    method: line.optional(),
    payPath: path,
    cancelPath: path,
  }),
  /** The price of a plan changes for a reader who has it: long before. */
  'price-change': z.strictObject({
    planName: line,
    months: z.int().min(1),
    /** Both of one term, tax included. */
    was: money,
    amount: money,
    /** The first day of the first term that costs it. */
    fromOn: day,
    /** There is nothing to charge; or what there is is good for no such sum; or nothing is, so that they pay it themselves. */
    asks: z.enum(['none', 'too-small', 'by-hand']).optional(),
    payPath: path,
    cancelPath: path,
  }),
  /** And it does not change after all. */
  'price-stays': z.strictObject({ planName: line, amount: money, accountPath: path }),
  /** A renewal was not paid, be it that it was declined or that there is nothing to charge. */
  'renewal-failed': z.strictObject({
    planName: line,
    amount: money,
    /** What was declined; left out where there was nothing to charge. */
    method: line.optional(),
    /** The first day without access, if nothing is paid before. */
    readsUntil: day,
    payPath: path,
  }),
  /** The grace is over. */
  'subscription-rests': z.strictObject({ planName: line, amount: money, payPath: path }),
  /** It was not paid, and nobody asks any more. */
  'subscription-over': z.strictObject({ planName: line, subscribePath: path }),
  /** To whoever is gone, with an offer that is open to them. */
  'come-back': z.strictObject({
    /** The first day on which they did not read any more. */
    readUntil: day,
    months: z.int().min(1),
    price: money,
    trialDays: z.int().min(0),
    phases: z.array(z.strictObject({ terms: z.int().min(1), price: money })),
    /** The first day on which it is not to be had any more. */
    untilOn: day.optional(),
    offerPath: path,
    stopPath: path,
  }),
  /** It rests, as its reader wanted. */
  'subscription-paused': z.strictObject({
    planName: line,
    resumesOn: day,
    daysLeft: z.int().min(0),
    accountPath: path,
  }),
  /** Its reader withdrew from the contract: what was withdrawn from, and when, to be kept. */
  'withdrawal-confirmed': z.strictObject({
    planName: line,
    at: instant,
    /** What goes back; left out where nothing does by itself, because a bank has asked for it already. */
    amount: money.optional(),
    /** Whether that is what is left of it by days, as its reader agreed. */
    isPart: z.boolean(),
  }),
  /** Money goes back. */
  refund: z.strictObject({ planName: line, amount: money, because: line }),
  'account-deleted': z.strictObject({ deletedAt: instant }),
  /** Lets somebody on the staff in, once. */
  'desk-link': z.strictObject({ path, minutes: z.int().min(1).max(1_440) }),
} as const;

export type MailKind = keyof typeof MAIL_KINDS;
/** What a mail of a kind is written from. */
export type MailPayload<Kind extends MailKind> = z.output<(typeof MAIL_KINDS)[Kind]>;
