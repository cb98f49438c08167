import { z } from 'zod';

/**
 * What may be sent to the stand-in for Stripe's API, parameter by parameter: names and types as its SDK has them. What else
 * is sent is refused, in the words that the real one has for it.
 */

/** A refusal, as the API words one. */
export class Refusal extends Error {
  readonly status: number;
  readonly error: Readonly<Record<string, unknown>>;
  /** Whether the request was looked at and then refused: that is what a key keeps. */
  readonly isKept: boolean;

  constructor(
    message: string,
    given: {
      status?: number;
      type?: string;
      code?: string | undefined;
      param?: string;
      isKept?: boolean;
      more?: Readonly<Record<string, unknown>>;
    } = {},
  ) {
    super(message);
    const { code, isKept = true, more, param, status = 400, type = 'invalid_request_error' } = given;
    this.status = status;
    this.isKept = isKept;
    this.error = {
      ...(code === undefined ? {} : { code, doc_url: `https://stripe.com/docs/error-codes/${code}` }),
      message,
      ...(param === undefined ? {} : { param }),
      type,
      ...more,
    };
  }
}

type Tree = { [name: string]: string | Tree };

/** `a[b][0]=c` as an object in an object; a list is one whose names are numbers. */
export function formOf(text: string): unknown {
  const root: Tree = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const path = [...name.matchAll(/^[^[\]]+|\[([^[\]]*)\]/g)].map((part) => part[1] ?? part[0]);
    if (path.length === 0 || path.includes(''))
      throw new Refusal(`Invalid request: ${name}`, { isKept: false });
    let at = root;
    for (const step of path.slice(0, -1)) {
      const next = at[step] ?? {};
      if (typeof next === 'string') throw new Refusal(`Invalid request: ${name}`, { isKept: false });
      at[step] = next;
      at = next;
    }
    at[path.at(-1) as string] = value;
  }
  return listsIn(root);
}

function listsIn(tree: string | Tree): unknown {
  if (typeof tree === 'string') return tree;
  const names = Object.keys(tree);
  const isList = names.length > 0 && names.every((name, at) => name === String(at));
  const values = Object.entries(tree).map(([name, value]) => [name, listsIn(value)] as const);
  return isList ? values.map(([, value]) => value) : Object.fromEntries(values);
}

const INT = z
  .string()
  .regex(/^-?\d{1,15}$/, 'integer')
  .transform(Number);
const FLAG = z.enum(['true', 'false']).transform((text) => text === 'true');
const TEXT = z.string().min(1, 'empty');
const AMOUNT = INT.refine((amount) => amount >= 0, 'integer');
const CURRENCY = z.string().regex(/^[a-z]{3}$/);
const URL_TEXT = z.url({ protocol: /^https?$/, hostname: /./ }).max(5_000);
const EXPAND = z.array(TEXT).optional();
const METADATA = z
  .record(z.string().max(40), z.string().max(500))
  .refine((metadata) => Object.keys(metadata).length <= 50)
  .optional();
const RANGE = z
  .union([
    INT,
    z.strictObject({ gt: INT.optional(), gte: INT.optional(), lt: INT.optional(), lte: INT.optional() }),
  ])
  .optional();

const PAGE = {
  limit: INT.refine((limit) => limit >= 1 && limit <= 100).default(10),
  starting_after: TEXT.optional(),
  ending_before: TEXT.optional(),
  expand: EXPAND,
};
const FUTURE = z.enum(['off_session', 'on_session']).optional();
const METHOD_TYPES = z
  .array(z.enum(['card', 'link', 'upi', 'sepa_debit', 'paypal', 'klarna', 'us_bank_account']))
  .optional();

export const ASKED = {
  customer: z.strictObject({
    email: z.email().max(512).optional(),
    name: z.string().max(256).optional(),
    description: z.string().optional(),
    metadata: METADATA,
    expand: EXPAND,
  }),
  customers: z.strictObject({ ...PAGE, email: z.string().max(512).optional(), created: RANGE }),
  session: z.strictObject({
    mode: z.enum(['payment', 'setup', 'subscription']),
    ui_mode: z.enum(['hosted_page', 'embedded_page', 'elements', 'form']).default('hosted_page'),
    locale: z.string().optional(),
    client_reference_id: TEXT.max(200).optional(),
    customer: TEXT.optional(),
    customer_email: z.email().optional(),
    currency: CURRENCY.optional(),
    metadata: METADATA,
    expires_at: INT.optional(),
    success_url: URL_TEXT.optional(),
    cancel_url: URL_TEXT.optional(),
    adaptive_pricing: z.strictObject({ enabled: FLAG.optional() }).optional(),
    allowed_payment_method_types: METHOD_TYPES,
    line_items: z
      .array(
        z.strictObject({
          quantity: INT.refine((many) => many > 0),
          price_data: z.strictObject({
            currency: CURRENCY,
            unit_amount: AMOUNT,
            product_data: z.strictObject({ name: TEXT.max(5_000), description: TEXT.optional() }),
          }),
        }),
      )
      .max(100)
      .optional(),
    payment_intent_data: z
      .strictObject({
        description: z.string().max(1_000).optional(),
        metadata: METADATA,
        setup_future_usage: FUTURE,
        receipt_email: z.email().optional(),
      })
      .optional(),
    setup_intent_data: z
      .strictObject({ description: z.string().max(1_000).optional(), metadata: METADATA })
      .optional(),
    payment_method_options: z
      .strictObject({
        upi: z
          .strictObject({
            setup_future_usage: z.enum(['none', 'off_session', 'on_session']).optional(),
            mandate_options: z
              .strictObject({
                amount: AMOUNT.optional(),
                amount_type: z.enum(['fixed', 'maximum']).optional(),
                description: z.string().max(500).optional(),
                end_date: INT.optional(),
              })
              .optional(),
          })
          .optional(),
      })
      .optional(),
    expand: EXPAND,
  }),
  sessions: z.strictObject({
    ...PAGE,
    created: RANGE,
    customer: TEXT.optional(),
    payment_intent: TEXT.optional(),
    status: z.enum(['complete', 'expired', 'open']).optional(),
  }),
  payment: z.strictObject({
    amount: AMOUNT,
    currency: CURRENCY,
    customer: TEXT.optional(),
    payment_method: TEXT.optional(),
    mandate: TEXT.optional(),
    off_session: FLAG.default(false),
    confirm: FLAG.default(false),
    description: z.string().max(1_000).optional(),
    return_url: URL_TEXT.optional(),
    metadata: METADATA,
    expand: EXPAND,
  }),
  payments: z.strictObject({ ...PAGE, created: RANGE, customer: TEXT.optional() }),
  search: z.strictObject({ query: TEXT, limit: PAGE.limit, page: TEXT.optional(), expand: EXPAND }),
  methodChange: z.strictObject({ metadata: METADATA, expand: EXPAND }),
  refund: z.strictObject({
    payment_intent: TEXT.optional(),
    charge: TEXT.optional(),
    amount: AMOUNT.optional(),
    reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer']).optional(),
    metadata: METADATA,
    expand: EXPAND,
  }),
  /** Refunds, and disputes. */
  about: z.strictObject({
    ...PAGE,
    created: RANGE,
    charge: TEXT.optional(),
    payment_intent: TEXT.optional(),
  }),
  one: z.strictObject({ expand: EXPAND }),
  endpoints: z.strictObject(PAGE),
  subscriptions: z.strictObject({
    ...PAGE,
    status: z.enum(['active', 'all', 'canceled', 'ended']).optional(),
  }),
} as const;

export type Asked<Name extends keyof typeof ASKED> = z.output<(typeof ASKED)[Name]>;

/** @throws Refusal that names the first parameter that is wrong; no key keeps it, since nothing was begun */
export function asked<Given>(schema: z.ZodType<Given>, given: unknown): Given {
  const { data, error, success } = schema.safeParse(given);
  if (success) return data;
  const [issue] = error.issues;
  const path = issue?.path.map(String) ?? [];
  if (issue?.code === 'unrecognized_keys') {
    const param = named([...path, issue.keys[0] as string]);
    throw new Refusal(`Received unknown parameter: ${param}`, {
      code: 'parameter_unknown',
      param,
      isKept: false,
    });
  }
  const param = named(path);
  if (valueAt(given, path) === undefined)
    throw new Refusal(`Missing required param: ${param}.`, {
      code: 'parameter_missing',
      param,
      isKept: false,
    });
  if (issue?.message === 'integer')
    throw new Refusal(`Invalid integer: ${valueAt(given, path)}`, {
      code: 'parameter_invalid_integer',
      param,
      isKept: false,
    });
  if (issue?.message === 'empty')
    throw new Refusal(`You passed an empty string for '${param}'.`, {
      code: 'parameter_invalid_empty',
      param,
      isKept: false,
    });
  throw new Refusal(`Invalid ${param}`, { param, isKept: false });
}

const named = ([first = '', ...rest]: readonly string[]): string =>
  first + rest.map((one) => `[${one}]`).join('');

function valueAt(given: unknown, path: readonly string[]): unknown {
  let at = given;
  for (const name of path) at = (at as Record<string, unknown> | undefined)?.[name];
  return at;
}
