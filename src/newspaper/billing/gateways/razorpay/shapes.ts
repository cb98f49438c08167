import { z } from 'zod';

/**
 * What the paper needs of Razorpay's objects; what else it says of them is its own affair. Its documents show the same
 * field now as one type and now as another, so what is known to vary is taken either way.
 */

/** Unix seconds. */
const INSTANT = z
  .int()
  .min(0)
  .transform((seconds) => Temporal.Instant.fromEpochMilliseconds(seconds * 1_000));
const MINOR = z.int().min(0).transform(BigInt);
const CURRENCY = z.string().regex(/^[A-Z]{3}$/);
const TEXT = z
  .string()
  .nullish()
  .transform((text) => text ?? undefined);
/** `true`, `"1"` and `1` are the same to it. */
const FLAG = z
  .union([z.boolean(), z.literal(['0', '1', 'true', 'false']), z.literal([0, 1])])
  .nullish()
  .transform((flag) => flag === true || flag === '1' || flag === 'true' || flag === 1);
/** An empty list where there are none: its server is written in a language that has no other empty object. */
const NOTES = z
  .union([z.record(z.string(), z.unknown()), z.array(z.unknown())])
  .nullish()
  .transform((notes): Readonly<Record<string, string>> => {
    if (notes === null || notes === undefined || Array.isArray(notes)) return {};
    return Object.fromEntries(Object.entries(notes).map(([name, value]) => [name, String(value)]));
  });
const id = (prefix: string) => z.string().regex(new RegExp(`^${prefix}_[A-Za-z0-9]+$`));

const CARD = z.object({
  last4: z.string(),
  network: TEXT,
  international: FLAG,
});

export const ORDER = z.object({
  id: id('order'),
  amount: MINOR,
  amount_paid: MINOR,
  currency: CURRENCY,
  receipt: TEXT,
  status: z.enum(['created', 'attempted', 'paid']),
  notes: NOTES,
  created_at: INSTANT,
});
export type Order = z.output<typeof ORDER>;

export const PAYMENT = z.object({
  id: id('pay'),
  amount: MINOR,
  currency: CURRENCY,
  status: z.enum(['created', 'authorized', 'captured', 'refunded', 'failed']),
  order_id: id('order').nullish(),
  method: TEXT,
  amount_refunded: MINOR.nullish(),
  captured: FLAG,
  card: CARD.nullish(),
  bank: TEXT,
  wallet: TEXT,
  vpa: TEXT,
  contact: TEXT,
  // A name that cannot be asked about is of no use, and no reason to lose sight of a payment.
  customer_id: id('cust').nullish().catch(undefined),
  token_id: id('token').nullish().catch(undefined),
  notes: NOTES,
  error_code: TEXT,
  error_reason: TEXT,
  created_at: INSTANT,
});
export type Payment = z.output<typeof PAYMENT>;

export const REFUND = z.object({
  id: id('rfnd'),
  amount: MINOR,
  currency: CURRENCY,
  payment_id: id('pay'),
  receipt: TEXT,
  notes: NOTES,
  // Refunds from before it had states are done.
  status: z.enum(['pending', 'processed', 'failed']).default('processed'),
  created_at: INSTANT,
});
export type Refund = z.output<typeof REFUND>;

export const DISPUTE = z.object({
  id: id('disp'),
  payment_id: id('pay'),
  amount: MINOR,
  currency: CURRENCY,
  amount_deducted: MINOR.nullish(),
  status: z.enum(['open', 'under_review', 'action_required', 'won', 'lost', 'closed']),
  created_at: INSTANT,
});
export type Dispute = z.output<typeof DISPUTE>;

export const TOKEN = z.object({
  id: id('token'),
  customer_id: id('cust').nullish(),
  method: TEXT,
  bank: TEXT,
  card: CARD.nullish(),
  vpa: z.object({ username: z.string(), handle: z.string() }).nullish(),
  bank_details: z.object({ account_number: z.string(), ifsc: z.string() }).nullish(),
  recurring: FLAG,
  recurring_details: z
    .object({
      // A word that is not among these has not been told of yet: it is no mandate that may be used.
      status: z.string().nullish(),
    })
    .nullish(),
  max_amount: MINOR.nullish(),
  expired_at: INSTANT.nullish(),
});
export type Token = z.output<typeof TOKEN>;

export const CUSTOMER = z.object({ id: id('cust'), email: TEXT, contact: TEXT });
export const CARD_DETAILS = CARD;
export const DONE = z.unknown();

export const listOf = <One>(schema: z.ZodType<One>) => z.object({ items: z.array(schema) });
export const RECURRING = z.object({ razorpay_payment_id: id('pay') });
