import { z } from 'zod';

/**
 * What the paper needs of Stripe's objects; what else it says of them is its own affair. A field that names another object
 * holds its id, or the object itself where that was asked for. New words for a status may come at any time.
 */

/** Unix seconds. */
const INSTANT = z
  .int()
  .min(0)
  .transform((seconds) => Temporal.Instant.fromEpochMilliseconds(seconds * 1_000));
const AMOUNT = z.int().min(0);
const CURRENCY = z
  .string()
  .regex(/^[a-z]{3}$/)
  .transform((code) => code.toUpperCase());
const TEXT = z
  .string()
  .nullish()
  .transform((text) => text ?? undefined);
const METADATA = z
  .record(z.string(), z.string())
  .nullish()
  .transform((metadata): Readonly<Record<string, string>> => metadata ?? {});
const id = (...prefixes: string[]) =>
  z.string().regex(new RegExp(`^(?:${prefixes.join('|')})_[A-Za-z0-9_]+$`));

/** What another object is called, whether or not it came along. */
const NAME = z
  .union([z.string().min(1), z.object({ id: z.string().min(1) }).transform((one) => one.id)])
  .nullish()
  .transform((name) => name ?? undefined);

const CARD = z.object({
  brand: TEXT,
  country: TEXT,
  exp_month: z.int().min(1).max(12).nullish(),
  exp_year: z.int().min(1970).max(9_999).nullish(),
  fingerprint: TEXT,
  last4: TEXT,
});

/** What was paid with: of a payment method, or as a charge repeats it. */
const PAID_WITH = z.object({
  type: z.string(),
  card: CARD.nullish(),
  upi: z.object({ vpa: TEXT }).nullish(),
});
export type PaidWith = z.output<typeof PAID_WITH>;

export const METHOD = PAID_WITH.extend({
  id: z.string().regex(/^[a-z]+_[A-Za-z0-9]+$/),
  customer: NAME,
  metadata: METADATA,
});
export type Method = z.output<typeof METHOD>;

const CHARGE = z.object({
  id: z.string().min(1),
  created: INSTANT,
  payment_method_details: PAID_WITH.nullish(),
});

/** What a mandate of UPI may be used for: at most, and until when; in rupees, as all of it. */
const LIMITS = z
  .object({ amount: AMOUNT.nullish(), end_date: INSTANT.nullish() })
  .nullish()
  .transform((limits) => ({ amount: limits?.amount ?? undefined, endDate: limits?.end_date ?? undefined }));
export type Limits = z.output<typeof LIMITS>;

/** A payment intent, which is what the paper calls a payment. */
export const PAYMENT = z.object({
  id: id('pi'),
  amount: AMOUNT,
  amount_received: AMOUNT,
  currency: CURRENCY,
  status: z.string(),
  created: INSTANT,
  canceled_at: INSTANT.nullish(),
  cancellation_reason: TEXT,
  customer: NAME,
  metadata: METADATA,
  payment_method: z.union([z.string(), METHOD]).nullish(),
  latest_charge: z.union([z.string(), CHARGE]).nullish(),
  last_payment_error: z
    .object({
      type: TEXT,
      code: TEXT,
      decline_code: TEXT,
      advice_code: TEXT,
      payment_method: PAID_WITH.nullish().catch(undefined),
    })
    .nullish(),
});
export type Payment = z.output<typeof PAYMENT>;

export const SETUP = z.object({
  id: id('seti'),
  status: z.string(),
  customer: NAME,
  mandate: NAME,
  payment_method: z.union([z.string(), METHOD]).nullish(),
});
export type Setup = z.output<typeof SETUP>;

export const SESSION = z.object({
  id: id('cs'),
  mode: z.string(),
  status: z.string().nullish(),
  url: TEXT,
  success_url: TEXT,
  cancel_url: TEXT,
  amount_total: AMOUNT.nullish(),
  currency: CURRENCY.nullish(),
  client_reference_id: TEXT,
  payment_intent: z.union([z.string(), PAYMENT]).nullish(),
  setup_intent: z.union([z.string(), SETUP]).nullish(),
  payment_method_options: z
    .object({
      upi: z.object({ mandate_options: LIMITS }).nullish(),
    })
    .nullish(),
});
export type Session = z.output<typeof SESSION>;

export const REFUND = z.object({
  id: z.string().min(1),
  amount: AMOUNT,
  currency: CURRENCY,
  payment_intent: NAME,
  metadata: METADATA,
  status: TEXT,
  created: INSTANT,
});
export type Refund = z.output<typeof REFUND>;

export const DISPUTE = z.object({
  id: z.string().min(1),
  amount: AMOUNT,
  currency: CURRENCY,
  payment_intent: NAME,
  status: z.string(),
  created: INSTANT,
});
export type Dispute = z.output<typeof DISPUTE>;

export const MANDATE = z.object({
  id: id('mandate'),
  status: z.string(),
  payment_method: NAME,
  payment_method_details: z.object({
    card: z.object({ india: z.object({ inactive_reason: TEXT }).nullish() }).nullish(),
    upi: LIMITS,
  }),
});
export type Mandate = z.output<typeof MANDATE>;

export const CUSTOMER = z.object({ id: id('cus'), email: TEXT, metadata: METADATA });

export const FOUND = z.object({ data: z.array(z.object({ id: id('pi') })) });
export const listOf = <One>(schema: z.ZodType<One>) =>
  z.object({ data: z.array(schema), has_more: z.boolean() });
