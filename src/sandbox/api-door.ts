import { isUtf8 } from 'node:buffer';
import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '#platform/clock';
import { type Db, isUnavailable } from '#platform/db';
import { type Answer, type Ask, answer } from '#platform/http';
import type { Logger } from '#platform/log';
import { CallerError } from '#values/errors';
import { parseJson } from '#values/json';

/** What the company's API is made of. */
export type ApiParts = {
  readonly db: Db;
  readonly clock: Clock;
  readonly baseUrl: string;
  /** Any of them is good. */
  readonly apiKeys: readonly string[];
  readonly log: Logger;
};

/** All that anything is made of is a tenth of it. */
const LARGEST_BODY = 16 * 1024;

/** What the caller did wrong, in the company's own terms. */
export class Refused extends Error {
  readonly status: number;
  readonly type: 'authentication_error' | 'invalid_request_error' | 'idempotency_error' | 'payment_error';
  readonly code: string;

  constructor(status: number, type: Refused['type'], code: string, message: string) {
    super(message);
    this.status = status;
    this.type = type;
    this.code = code;
  }
}

/** Who calls proves it with a key, and hears of mistakes in one shape. */
export function guarded(
  parts: ApiParts,
  handle: (ask: Ask) => Promise<Answer>,
): (ask: Ask) => Promise<Answer> {
  return async (ask) => {
    try {
      if (!knowsKey(ask.header('authorization'), parts.apiKeys)) {
        throw new Refused(
          401,
          'authentication_error',
          'invalid_api_key',
          'Send the account’s key in the header Authorization, after the word Bearer.',
        );
      }
      return await handle(ask);
    } catch (error) {
      return refusal(error, ask, parts.log);
    }
  };
}

function refusal(error: unknown, ask: Ask, log: Logger): Answer {
  const say = (status: number, type: string, code: string, message: string) =>
    json(status, { error: { type, code, message } });
  if (error instanceof Refused) return say(error.status, error.type, error.code, error.message);
  if (error instanceof CallerError) {
    return say(error.status, 'invalid_request_error', error.code.replaceAll('-', '_'), error.message);
  }
  const isAway = isUnavailable(error);
  log.error({ err: error, requestId: ask.requestId }, 'a request to the sandbox gateway failed');
  return isAway
    ? say(503, 'api_error', 'unavailable', 'Not available just now. Ask again in a moment.')
    : say(500, 'api_error', 'internal', 'Something went wrong here.');
}

export function json(status: number, body: unknown, headers: readonly string[] = []): Answer {
  return jsonText(status, JSON.stringify(body), headers);
}

/** What was made, in the bytes that its key gets each time. */
export function made(text: string, isReplayed: boolean): Answer {
  return jsonText(201, text, isReplayed ? ['Idempotent-Replayed', 'true'] : []);
}

function jsonText(status: number, text: string, headers: readonly string[]): Answer {
  return answer(status, 'application/json', text, ['Cache-Control', 'no-store', ...headers]);
}

export function invalid(message: string): Refused {
  return new Refused(400, 'invalid_request_error', 'parameter_invalid', message);
}

/** Digests are compared, which are of one length whatever was sent, and each key is tried whichever fits. */
function knowsKey(header: string | undefined, apiKeys: readonly string[]): boolean {
  const given = digest(/^Bearer ([\w-]{1,200})$/i.exec(header ?? '')?.[1] ?? '');
  return apiKeys.map((key) => timingSafeEqual(digest(key), given)).includes(true);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** One line of text that every database takes: no control characters, and nothing that is half of a letter. */
export function line(most: number) {
  return z
    .string()
    .min(1)
    .max(most)
    .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text));
}

const CURRENCIES = new Set(Intl.supportedValuesOf('currency'));
/** A hundred million rupees or dollars: well below what JSON's numbers hold exactly. */
export const MOST_MINOR = 10_000_000_000;

export const REFERENCE = line(200);
export const AMOUNT = z.int().min(1).max(MOST_MINOR);
export const CURRENCY = z.string().refine((code) => CURRENCIES.has(code));
export const INSTANT = line(50).transform((text, context) => {
  try {
    return Temporal.Instant.from(text);
  } catch {
    context.addIssue('not an instant');
    return z.NEVER;
  }
});

/** What each parameter has to be: this ends the message about a wrong one. */
const MUST = {
  reference: 'text of up to 200 characters on one line',
  amount_minor: `a whole number of minor units from 1 to ${MOST_MINOR}`,
  currency: 'the three capital letters of a currency (ISO 4217), such as INR',
  description: 'text of up to 500 characters on one line',
  email: 'an e-mail address',
  return_url: 'an address at the merchant’s own origin',
  cancel_url: 'an address at the merchant’s own origin',
  customer: 'text of up to 200 characters on one line, and is needed where a mandate is asked for',
  mandate: 'an object with max_amount_minor, no less than amount_minor, and months, from 1 to 60',
  not_before: 'an instant such as 2026-11-24T06:30:00Z',
} as const;
type Parameter = keyof typeof MUST;

/** What a program sent in JSON. */
export async function bodyOf<Sent>(
  ask: Ask,
  schema: z.ZodType<Sent>,
  others: Readonly<Record<string, string>> = {},
): Promise<Sent> {
  const { data, error } = schema.safeParse(await jsonBody(ask));
  if (error === undefined) return data;
  const name = String(error.issues[0]?.path[0]);
  const must = others[name] ?? (name in MUST ? MUST[name as Parameter] : undefined);
  throw invalid(
    must === undefined
      ? 'The body must be one object with the parameters that are documented, and nothing else.'
      : `The parameter ${name} must be ${must}.`,
  );
}

async function jsonBody(ask: Ask): Promise<unknown> {
  const bytes = await ask.body(LARGEST_BODY);
  try {
    if (isUtf8(bytes)) return parseJson(bytes.toString('utf8'));
  } catch {
    // Told below.
  }
  throw new Refused(400, 'invalid_request_error', 'not_json', 'The body must be JSON in UTF-8.');
}

/** The reference that a list is asked for. */
export function referenceOf(ask: Ask): string {
  const { data } = REFERENCE.safeParse(ask.query('reference'));
  if (data === undefined)
    throw invalid('The parameter reference is required: the text that was given when it was made.');
  return data;
}

/** A reference has one of each, or a few; whoever lists more is looking for something else. */
export const LONGEST_LIST = 100;

export function keyOf(ask: Ask): string {
  const key = ask.header('idempotency-key') ?? '';
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new Refused(
    400,
    'idempotency_error',
    'idempotency_key_required',
    'Send an Idempotency-Key of 1 to 255 characters without blanks.',
  );
}

export function keyInUse(): Refused {
  return new Refused(
    409,
    'idempotency_error',
    'idempotency_key_in_use',
    'A request with this Idempotency-Key is under way. Ask again in a moment.',
  );
}

export function keyReused(): Refused {
  return new Refused(
    400,
    'idempotency_error',
    'idempotency_key_reused',
    'This Idempotency-Key was used with other parameters.',
  );
}
