import { z } from 'zod';

/**
 * What may be sent to the stand-in for Razorpay's API, field by field: names, types and limits as its documentation has
 * them. What else is sent is refused, in the words that the real one has for it.
 */

const NOTES = z
  .record(z.string().max(256), z.union([z.string().max(256), z.number()]))
  .refine((notes) => Object.keys(notes).length <= 15);
const AMOUNT = z.int().min(100).max(50_000_000_00);
const CURRENCY = z.string().regex(/^[A-Z]{3}$/);
const CONTACT = z.string().regex(/^\+?\d{8,15}$/);
const SECONDS = z.int().min(1_000_000_000).max(9_999_999_999);
const FREQUENCY = z.enum([
  'daily',
  'weekly',
  'fortnightly',
  'bimonthly',
  'monthly',
  'quarterly',
  'half_yearly',
  'yearly',
  'as_presented',
]);

export const ASKED = {
  customer: z.strictObject({
    name: z.string().min(3).max(50),
    email: z.email().max(64).optional(),
    contact: CONTACT.optional(),
    gstin: z.string().optional(),
    fail_existing: z.enum(['0', '1']).optional(),
    notes: NOTES.optional(),
  }),
  customerChange: z.strictObject({
    name: z.string().optional(),
    email: z.email().optional(),
    contact: CONTACT.optional(),
  }),
  order: z.strictObject({
    amount: AMOUNT,
    currency: CURRENCY,
    receipt: z.string().max(40).optional(),
    notes: NOTES.optional(),
    payment_capture: z.boolean().optional(),
    customer_id: z.string().optional(),
    method: z.enum(['netbanking', 'upi', 'card', 'emandate', 'nach']).optional(),
    token: z.strictObject({ max_amount: AMOUNT, expire_at: SECONDS, frequency: FREQUENCY }).optional(),
    notification: z.strictObject({ token_id: z.string(), payment_after: SECONDS.optional() }).optional(),
  }),
  orderChange: z.strictObject({ notes: NOTES }),
  recurring: z.strictObject({
    email: z.email(),
    contact: CONTACT,
    amount: AMOUNT,
    currency: CURRENCY,
    order_id: z.string(),
    customer_id: z.string(),
    token: z.string(),
    recurring: z.literal([true, '1']),
    description: z.string().max(255).optional(),
    notes: NOTES.optional(),
  }),
  refund: z.strictObject({
    amount: AMOUNT.optional(),
    speed: z.enum(['normal', 'optimum']).optional(),
    receipt: z.string().max(40).optional(),
    notes: NOTES.optional(),
  }),
  token: z.strictObject({ id: z.string() }),
  nothing: z.strictObject({}),
  page: z.strictObject({
    count: z.coerce.number().int().min(1).max(100).default(10),
    skip: z.coerce.number().int().min(0).default(0),
  }),
  since: z.strictObject({
    count: z.coerce.number().int().min(1).max(100).default(10),
    skip: z.coerce.number().int().min(0).default(0),
    from: z.coerce.number().int().min(0).default(0),
    to: z.coerce.number().int().min(0).default(9_999_999_999),
    receipt: z.string().optional(),
    authorized: z.string().optional(),
  }),
} as const;

/** A refusal, as the API words one. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: { readonly error: Readonly<Record<string, unknown>> };

  constructor(
    description: string,
    given: { field?: string; reason?: string; metadata?: object; status?: number } = {},
  ) {
    super(description);
    this.status = given.status ?? 400;
    this.body = {
      error: {
        code: this.status >= 500 ? 'SERVER_ERROR' : 'BAD_REQUEST_ERROR',
        description,
        ...(given.field === undefined ? {} : { field: given.field }),
        source: 'business',
        step: given.reason === undefined ? 'NA' : 'payment_initiation',
        reason: given.reason ?? 'NA',
        metadata: given.metadata ?? {},
      },
    };
  }
}

/** @throws Refusal that names the first field that is wrong */
export function asked<Given>(schema: z.ZodType<Given>, given: unknown): Given {
  const { data, error, success } = schema.safeParse(given);
  if (success) return data;
  const [issue] = error.issues;
  const field = issue?.path.join('.') ?? '';
  if (issue?.code === 'unrecognized_keys')
    throw new Refusal(`${issue.keys.join(', ')} is/are not required and should not be sent`);
  const isMissing = issue?.code === 'invalid_type' && valueAt(given, issue.path) === undefined;
  if (isMissing) throw new Refusal(`The ${field} field is required.`, { field });
  if (issue?.code === 'too_big')
    throw new Refusal(`The ${field} may not be greater than ${issue.maximum}.`, { field });
  if (issue?.code === 'too_small')
    throw new Refusal(`The ${field} must be at least ${issue.minimum}.`, { field });
  throw new Refusal(`The ${field} is invalid.`, { field });
}

function valueAt(given: unknown, path: readonly PropertyKey[]): unknown {
  let at = given;
  for (const name of path) at = (at as Record<PropertyKey, unknown> | undefined)?.[name];
  return at;
}
