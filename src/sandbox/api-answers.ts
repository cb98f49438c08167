import { isUtf8 } from 'node:buffer';
import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '#platform/clock';
import { type Db, isUnavailable } from '#platform/db';
import { type Answer, type Ask, answer } from '#platform/http';
import { randomId } from '#platform/ids';
import type { Logger } from '#platform/log';
import { CallerError } from '#values/errors';
import { parseJson } from '#values/json';
import { expireCheckout, liveUntil, openCheckout } from './account.ts';
import { type Checkout, snapshotOf } from './checkout.ts';
import { listCheckouts, makeCheckout, type NewCheckout, readBalance } from './checkouts.store.ts';

/** What the company's API is made of. */
export type ApiParts = {
  readonly db: Db;
  readonly clock: Clock;
  readonly baseUrl: string;
  /** Any of them is good. */
  readonly apiKeys: readonly string[];
  readonly log: Logger;
};

/** Whoever did not pay within a day begins anew, as with other gateways. */
const HOURS_OPEN = 24;
/** All that a checkout is made of is a tenth of it. */
const LARGEST_BODY = 16 * 1024;
/** A reference has one checkout, or a few; whoever lists more is looking for something else. */
const LONGEST_LIST = 100;

/** What the caller did wrong, in the company's own terms. */
class Refused extends Error {
  readonly status: number;
  readonly type: 'authentication_error' | 'invalid_request_error' | 'idempotency_error';
  readonly code: string;

  constructor(status: number, type: Refused['type'], code: string, message: string) {
    super(message);
    this.status = status;
    this.type = type;
    this.code = code;
  }
}

/** The JSON endpoints: who calls them proves it with a key, and hears of mistakes in one shape. */
export function apiAnswers(parts: ApiParts) {
  const { baseUrl, clock, db } = parts;
  const parameters = checkoutParameters(baseUrl);
  return {
    makeCheckout: guarded(parts, async (ask) => {
      const given = await checkoutAsked(ask, parameters, baseUrl, clock.now());
      const made = await makeCheckout(db, given);
      if (made.kind === 'under-way') {
        throw new Refused(
          409,
          'idempotency_error',
          'idempotency_key_in_use',
          'A request with this Idempotency-Key is under way. Ask again in a moment.',
        );
      }
      if (!isSameOrder(given, made.checkout)) {
        throw new Refused(
          400,
          'idempotency_error',
          'idempotency_key_reused',
          'This Idempotency-Key was used with other parameters.',
        );
      }
      const replayed = made.kind === 'known' ? ['Idempotent-Replayed', 'true'] : [];
      return json(201, snapshotOf(made.checkout), replayed);
    }),

    checkout: guarded(parts, async (ask) => {
      const checkout = await openCheckout(db, ask.param('id'), clock.now());
      if (checkout === undefined) throw noSuchCheckout();
      return json(200, snapshotOf(checkout));
    }),

    checkouts: guarded(parts, async (ask) => {
      const { data: reference } = REFERENCE.safeParse(ask.query('reference'));
      if (reference === undefined) {
        throw invalid(
          'The parameter reference is required: the text that was given when the checkout was made.',
        );
      }
      const found = await listCheckouts(db, reference, LONGEST_LIST);
      const current = await Promise.all(found.map(({ id }) => openCheckout(db, id, clock.now())));
      return json(200, { data: current.flatMap((one) => (one === undefined ? [] : [snapshotOf(one)])) });
    }),

    expireCheckout: guarded(parts, async (ask) => {
      const done = await expireCheckout(db, ask.param('id'), clock.now());
      if (done === undefined) throw noSuchCheckout();
      const { checkout } = done;
      if (checkout.status === 'expired') return json(200, snapshotOf(checkout));
      throw checkout.status === 'complete'
        ? new Refused(409, 'invalid_request_error', 'checkout_complete', 'This checkout has been paid.')
        : new Refused(
            409,
            'invalid_request_error',
            'payment_pending',
            'A payment of this checkout is under way and cannot be called back.',
          );
    }),

    balance: guarded(parts, async () => {
      await liveUntil(db, clock.now());
      const captured = await readBalance(db);
      return json(200, {
        captured_minor: Object.fromEntries(captured.map(({ currency, minor }) => [currency, Number(minor)])),
      });
    }),
  };
}

function guarded(parts: ApiParts, handle: (ask: Ask) => Promise<Answer>): (ask: Ask) => Promise<Answer> {
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

function json(status: number, body: unknown, headers: readonly string[] = []): Answer {
  return answer(status, 'application/json', JSON.stringify(body), ['Cache-Control', 'no-store', ...headers]);
}

function invalid(message: string): Refused {
  return new Refused(400, 'invalid_request_error', 'parameter_invalid', message);
}

function noSuchCheckout(): Refused {
  return new Refused(404, 'invalid_request_error', 'checkout_not_found', 'There is no such checkout.');
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
function line(most: number) {
  return z
    .string()
    .min(1)
    .max(most)
    .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text));
}

const REFERENCE = line(200);
const CURRENCIES = new Set(Intl.supportedValuesOf('currency'));
/** A hundred million rupees or dollars: well below what JSON's numbers hold exactly. */
const MOST_MINOR = 10_000_000_000;

/** What each parameter has to be: this ends the message about a wrong one. */
const MUST = {
  reference: 'text of up to 200 characters on one line',
  amount_minor: `a whole number of minor units from 1 to ${MOST_MINOR}`,
  currency: 'the three capital letters of a currency (ISO 4217), such as INR',
  description: 'text of up to 500 characters on one line',
  email: 'an e-mail address',
  return_url: 'an address at the merchant’s own origin',
  cancel_url: 'an address at the merchant’s own origin',
} as const;

/** The merchant's own origin alone, so that nobody can be led elsewhere from a page that looks trustworthy. */
function ownAddress(baseUrl: string) {
  const { origin } = new URL(baseUrl);
  return line(1_000).transform((text, context) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url?.origin === origin && url.username === '' && url.password === '') return url.href;
    context.addIssue('elsewhere');
    return z.NEVER;
  });
}

function checkoutParameters(baseUrl: string) {
  return z.strictObject({
    reference: REFERENCE,
    amount_minor: z.int().min(1).max(MOST_MINOR),
    currency: z.string().refine((code) => CURRENCIES.has(code)),
    description: line(500),
    email: z.email().max(254),
    return_url: ownAddress(baseUrl),
    cancel_url: ownAddress(baseUrl),
  });
}

/** @throws Refused, TooLarge */
async function checkoutAsked(
  ask: Ask,
  parameters: ReturnType<typeof checkoutParameters>,
  baseUrl: string,
  createdAt: Temporal.Instant,
): Promise<NewCheckout> {
  const key = ask.header('idempotency-key') ?? '';
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new Refused(
      400,
      'idempotency_error',
      'idempotency_key_required',
      'Send an Idempotency-Key of 1 to 255 characters without blanks.',
    );
  }
  const { data, error } = parameters.safeParse(await jsonBody(ask));
  if (error !== undefined) throw invalid(whatIsWrong(error));
  const id = `cs_${randomId().replaceAll('-', '')}`;
  return {
    key,
    id,
    url: `${baseUrl}/sandbox/checkouts/${id}`,
    reference: data.reference,
    amount: { minor: BigInt(data.amount_minor), currency: data.currency },
    description: data.description,
    email: data.email,
    returnUrl: data.return_url,
    cancelUrl: data.cancel_url,
    createdAt,
    expiresAt: createdAt.add({ hours: HOURS_OPEN }),
  };
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

function whatIsWrong({ issues }: z.ZodError): string {
  const [issue] = issues;
  const name = issue?.path[0];
  if (typeof name === 'string' && name in MUST)
    return `The parameter ${name} must be ${MUST[name as keyof typeof MUST]}.`;
  return `The body must be an object with ${Object.keys(MUST).join(', ')}, and nothing else.`;
}

/** Whether a key was used for the same thing before. */
function isSameOrder(given: NewCheckout, made: Checkout): boolean {
  return (
    given.reference === made.reference &&
    given.amount.minor === made.amount.minor &&
    given.amount.currency === made.amount.currency &&
    given.description === made.description &&
    given.email === made.email &&
    given.returnUrl === made.returnUrl &&
    given.cancelUrl === made.cancelUrl
  );
}
