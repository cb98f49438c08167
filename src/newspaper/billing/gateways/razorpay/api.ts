import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type Razorpay from 'razorpay';
import { z } from 'zod';
import type { Logger } from '#platform/log';
import type { Called } from '../gateway.ts';
import { codeOf } from './refusals.ts';

export type RazorpayAccount = {
  readonly keyId: string;
  readonly keySecret: string;
  /** Any of them signs a genuine webhook; none at all and everything is forged. */
  readonly webhookSecrets: readonly string[];
  /** The paper's public address, without a slash at its end: the checkout is a page of the paper. */
  readonly baseUrl: string;
  /** Another address of the API, for a stand-in; the SDK knows the real one. */
  readonly apiBase?: string;
  /** From the question to the last byte of the answer. */
  readonly timeoutMs?: number;
  readonly now: () => Temporal.Instant;
  readonly log: Logger;
};

/** A reader waits for the answer; whether it was done can be asked later. Razorpay answers most things within two. */
const TIMEOUT_MS = 8_000;

/** A hundred payments are some hundred kilobytes; whoever sends more is not who was asked. */
const LARGEST_ANSWER = 4 * 1024 * 1024;

type Query = Readonly<Record<string, unknown>>;

/**
 * What of the SDK is used. Its own types say what cannot be sent (`recurring: true`) and promise what does not come, so
 * nothing that it answers is believed before it was read by a schema.
 */
type Sdk = {
  readonly api: {
    readonly rq: {
      readonly defaults: { baseURL: string; timeout: number; maxRedirects: number; maxContentLength: number };
      readonly interceptors: { readonly request: { use(change: (config: Request) => Request): unknown } };
    };
    put(request: { url: string; data: object }): Promise<unknown>;
  };
  readonly orders: {
    create(order: object): Promise<unknown>;
    fetch(id: string): Promise<unknown>;
    all(query: Query): Promise<unknown>;
    edit(id: string, change: object): Promise<unknown>;
    fetchPayments(id: string): Promise<unknown>;
  };
  readonly payments: {
    fetch(id: string): Promise<unknown>;
    all(query: Query): Promise<unknown>;
    createRecurringPayment(payment: object): Promise<unknown>;
    refund(id: string, refund: object): Promise<unknown>;
    fetchMultipleRefund(id: string, query: Query): Promise<unknown>;
    fetchCardDetails(id: string): Promise<unknown>;
  };
  readonly refunds: { all(query: Query): Promise<unknown> };
  readonly disputes: { all(query: Query): Promise<unknown> };
  readonly customers: {
    create(customer: object): Promise<unknown>;
    edit(id: string, change: object): Promise<unknown>;
    fetch(id: string): Promise<unknown>;
    fetchToken(customerId: string, tokenId: string): Promise<unknown>;
  };
  readonly tokens: { fetch(query: { id: string }): Promise<unknown> };
};

/** A request of the SDK's own HTTP client, on its way out. */
type Request = {
  url?: string;
  method?: string;
  data?: { receipt?: unknown } | undefined;
  signal?: AbortSignal;
  headers: { set(name: string, value: string): unknown };
};

/** Razorpay, as it can be asked through its SDK. */
export type Api = {
  readonly account: RazorpayAccount;
  ask<Answer>(
    what: string,
    question: (sdk: Sdk) => Promise<unknown>,
    schema: z.ZodType<Answer>,
  ): Promise<Called<Answer>>;
};

/** Loaded by whoever has an account: its HTTP client alone holds 18 MB, and takes 50 ms of a start. */
const load = createRequire(import.meta.url);

export function openApi(account: RazorpayAccount): Api {
  const { keyId, keySecret, log } = account;
  const timeoutMs = account.timeoutMs ?? TIMEOUT_MS;
  const Client = load('razorpay') as typeof Razorpay;
  const sdk = new Client({ key_id: keyId, key_secret: keySecret }) as unknown as Sdk;
  const { defaults, interceptors } = sdk.api.rq;
  if (account.apiBase !== undefined) defaults.baseURL = account.apiBase;
  // The SDK has none at all, and its client's own ends only where nothing comes: an answer in drops would hang for good.
  defaults.timeout = timeoutMs;
  defaults.maxRedirects = 0;
  defaults.maxContentLength = LARGEST_ANSWER;
  interceptors.request.use((request) => {
    request.signal = AbortSignal.timeout(timeoutMs);
    // The SDK drops every header that it does not know, and has no parameter for this one.
    if (request.method === 'post' && request.url?.endsWith('/refund') === true)
      request.headers.set('X-Refund-Idempotency', String(request.data?.receipt));
    return request;
  });

  return {
    account,
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
        : { kind: 'unknown', reason: `${what}: an answer that is not what was asked for` };
    },
  };

  /** The SDK rejects with no Error but an object of its own, and where there was no answer, by a mistake of its own. */
  function refusalOf(error: unknown, what: string): Called<never> {
    const { data: rejected } = REJECTED.safeParse(error);
    // Of what broke, not even the message is passed on: some hold the whole request, with the key in it.
    if (rejected === undefined) return { kind: 'unknown', reason: `${what}: no answer` };
    const { statusCode } = rejected;
    const said = REFUSED.safeParse(rejected.error);
    const isFinal = statusCode >= 400 && statusCode < 500 && !ASK_AGAIN.has(statusCode);
    if (!isFinal || !said.success) return { kind: 'unknown', reason: `${what}: status ${statusCode}` };
    const code = codeOf(said.data);
    log.warn(
      { what, statusCode, code, field: said.data.field, says: withoutNames(said.data.description) },
      'Razorpay refuses',
    );
    return { kind: 'refused', code };
  }

  /** What Razorpay says for people, without whom it is about. */
  function withoutNames(text: string): string {
    return text.replaceAll(keySecret, '…').replace(/\S*@\S*|\+?\d{6,}/g, '…');
  }
}

const REJECTED = z.object({ statusCode: z.coerce.number().int(), error: z.unknown() });
const REFUSED = z.object({
  code: z.string().min(1),
  description: z.string().default(''),
  field: z.string().nullish(),
  reason: z.string().nullish(),
});

/** Refusals that say nothing of what was done: only that it took too long, is being done already, or is too much. */
const ASK_AGAIN = new Set([408, 409, 425, 429]);

/** The most that a list gives at once. */
export const PAGE = 100;

/** A whole list, page after page, or until `enough` says that the rest is too old to matter: the newest comes first. */
export async function everyOne<One>(
  page: (query: { count: number; skip: number }) => Promise<Called<{ items: One[] }>>,
  enough: (oldest: One) => boolean = () => false,
): Promise<Called<One[]>> {
  const all: One[] = [];
  for (;;) {
    const called = await page({ count: PAGE, skip: all.length });
    if (called.kind !== 'ok') return called;
    all.push(...called.value.items);
    const oldest = called.value.items.at(-1);
    if (called.value.items.length < PAGE || oldest === undefined || enough(oldest))
      return { kind: 'ok', value: all };
  }
}

/**
 * An id of ours as Razorpay takes it: a receipt has at most 40 characters, and a refund's key at least 10 and no others
 * than these. Ours are UUIDs and stay what they are.
 */
export function receiptOf(id: string): string {
  return /^[\w-]{10,40}$/.test(id) ? id : createHash('sha256').update(id).digest('hex').slice(0, 40);
}
