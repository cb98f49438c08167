import { createRequire } from 'node:module';
import type Stripe from 'stripe';
import { z } from 'zod';
import { sendOverHttp } from '#platform/http-client';
import type { Logger } from '#platform/log';
import type { Called } from '../gateway.ts';
import { meansNothing } from './refusals.ts';

export type StripeAccount = {
  /** `sk_…`, or a restricted key `rk_…`. */
  readonly secretKey: string;
  /** Any of them signs a genuine webhook; none at all and everything is forged. */
  readonly webhookSecrets: readonly string[];
  /** The paper's public address, without a slash at its end. */
  readonly baseUrl: string;
  /** Another address of the API, for a stand-in; the SDK knows the real one. */
  readonly apiBase?: string;
  /** Where the pages lie on which readers pay, for a stand-in. */
  readonly checkoutOrigin?: string;
  /** From the question to the last byte of the answer. */
  readonly timeoutMs?: number;
  readonly now: () => Temporal.Instant;
  readonly log: Logger;
};

export const isLive = (secretKey: string): boolean => /^[rs]k_live_/.test(secretKey);

/** What every shape here was read against. With an SDK of another version this does not compile, and somebody looks first. */
const API_VERSION = '2026-10-28.endive';

/** A reader waits for the answer; whether it was done can be asked later. A card is asked for within two or three. */
const TIMEOUT_MS = 10_000;

/** What came of a call of Stripe, with what its adapter has to know besides. */
export type Asked<Value> =
  | { readonly kind: 'ok'; readonly value: Value }
  /** @property paymentId of the payment that was made and declined */
  | { readonly kind: 'refused'; readonly code: string; readonly paymentId: string | undefined }
  /** @property isKept that the same key is answered the same for a day: it keeps what it answered to a request, also a 500 */
  | { readonly kind: 'unknown'; readonly reason: string; readonly isKept: boolean };

/** Stripe, as it can be asked through its SDK. */
export type Api = {
  readonly account: StripeAccount;
  /** Nothing that it answers is believed before it was read by a schema. */
  ask<Answer>(
    what: string,
    question: (sdk: Stripe) => Promise<unknown>,
    schema: z.ZodType<Answer>,
  ): Promise<Asked<Answer>>;
  /** What Stripe called a thing of ours when this process last heard of it. Only saves looking for it. */
  readonly heard: Heard;
};

/** Loaded by whoever has an account: it holds 27 MB, and takes a third of a second of a start. */
const load = createRequire(import.meta.url);

export function openApi(account: StripeAccount): Api {
  const { apiBase, log, secretKey } = account;
  const timeoutMs = account.timeoutMs ?? TIMEOUT_MS;
  const Client = load('stripe') as typeof Stripe;
  const sdk = new Client(secretKey, {
    httpClient: Client.createFetchHttpClient(fetchWithin(timeoutMs)),
    apiVersion: API_VERSION,
    // Whoever wants it done again asks again.
    maxNetworkRetries: 0,
    timeout: timeoutMs,
    telemetry: false,
    ...(apiBase === undefined ? {} : addressOf(apiBase)),
  });

  return {
    account,
    heard: newHeard(),
    async ask(what, question, schema) {
      let json: unknown;
      try {
        json = await question(sdk);
      } catch (error) {
        return refusalOf(error, what);
      }
      const { data, success } = schema.safeParse(json);
      return success
        ? { kind: 'ok', value: data }
        : { kind: 'unknown', reason: `${what}: an answer that is not what was asked for`, isKept: false };
    },
  };

  function refusalOf(error: unknown, what: string): Exclude<Asked<never>, { kind: 'ok' }> {
    const { data: said } = REJECTED.safeParse(error);
    // Also what is no JSON, such as a proxy's 502, bears no status. Of what broke, not even the message is passed on.
    if (said?.statusCode === undefined)
      return { kind: 'unknown', reason: `${what}: no answer`, isKept: false };
    const { message, param, payment_intent: payment, statusCode } = said;
    const code = said.decline_code || said.code || said.rawType || 'refused';
    log.warn({ what, statusCode, code, param, says: withoutNames(message) }, 'Stripe refuses');
    if (meansNothing(statusCode, code))
      return { kind: 'unknown', reason: `${what}: status ${statusCode}`, isKept: statusCode >= 500 };
    return { kind: 'refused', code, paymentId: payment?.id };
  }

  /** What Stripe says for people, without whom it is about. */
  function withoutNames(text: string): string {
    return text.replaceAll(secretKey, '…').replace(/\S*@\S*|\b[rs]k_\S+|\+?\d{6,}/g, '…');
  }
}

const REJECTED = z.object({
  statusCode: z.int().optional(),
  rawType: z.string().nullish(),
  code: z.string().nullish(),
  decline_code: z.string().nullish(),
  message: z.string().default(''),
  param: z.string().nullish(),
  payment_intent: z.object({ id: z.string() }).nullish().catch(undefined),
});

/**
 * The SDK's own client for Node counts its patience anew with every byte. Its other one asks for a fetch, and this is one: it
 * ends when the time is over, takes no redirect and no endless answer. A line that was closed the SDK tries once more, by the
 * same key: most often it had been open for long, and nothing was heard.
 */
function fetchWithin(timeoutMs: number): typeof fetch {
  return async (url, init) => {
    const { headers, status, text } = await sendOverHttp({
      method: init?.method === 'POST' ? 'POST' : 'GET',
      url: String(url),
      headers: Object.fromEntries(new Headers(init?.headers)),
      ...(typeof init?.body === 'string' ? { body: init.body } : {}),
      timeoutMs,
    });
    const named = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
    return new Response(text, { status, headers: named });
  };
}

function addressOf(apiBase: string): { host: string; port: number; protocol: 'http' | 'https' } {
  const { hostname, port, protocol } = new URL(apiBase);
  return { host: hostname, port: Number(port), protocol: protocol === 'http:' ? 'http' : 'https' };
}

export type Heard = {
  note(reference: string, id: string): void;
  of(reference: string): string | undefined;
};

/** As many as a night's renewals, and the oldest goes first. */
const MOST_HEARD = 20_000;

function newHeard(): Heard {
  const ids = new Map<string, string>();
  return {
    note(reference, id) {
      ids.delete(reference);
      ids.set(reference, id);
      const [oldest] = ids.keys();
      if (ids.size > MOST_HEARD && oldest !== undefined) ids.delete(oldest);
    },
    of: (reference) => ids.get(reference),
  };
}

/** The most that a list gives at once. */
export const PAGE = 100;

export type ListPage = { readonly limit: number; readonly starting_after?: string };

/** A whole list, page after page, or until one is found that ends the search: the newest comes first. */
export async function everyOne<One extends { readonly id: string }>(
  page: (query: ListPage) => Promise<Called<{ data: One[]; has_more: boolean }>>,
  isEnough: (one: One) => boolean = () => false,
): Promise<Called<One[]>> {
  const all: One[] = [];
  for (;;) {
    const last = all.at(-1);
    const called = await page({ limit: PAGE, ...(last === undefined ? {} : { starting_after: last.id }) });
    if (called.kind !== 'ok') return called;
    const { data, has_more } = called.value;
    all.push(...data);
    if (!has_more || data.length === 0 || data.some(isEnough)) return { kind: 'ok', value: all };
  }
}
