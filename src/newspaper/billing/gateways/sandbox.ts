import { createHmac, timingSafeEqual } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { machineMs } from '#platform/clock';
import { type Send, sendOverHttp } from '#platform/http-client';
import { parseJson } from '#values/json';
import type {
  Called,
  CheckoutState,
  Expiration,
  FoundCheckout,
  Gateway,
  GatewayPayment,
  OpenedCheckout,
  Webhook,
} from './gateway.ts';

export type SandboxAccount = {
  /** BASE_URL: the sandbox is served beside the paper, and reached as if it were not. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Any of them signs a genuine webhook; none at all and everything is forged. */
  readonly webhookSecrets: readonly string[];
  /** Over HTTP unless told otherwise. */
  readonly send?: Send;
  readonly timeoutMs?: number;
  /** The machine's time, since webhooks are signed with it and the domain's clock moves. */
  readonly machineMs?: () => number;
};

/** A reader waits for the answer; whether it was done can be asked later. */
const TIMEOUT_MS = 5_000;
/** Stripe's tolerance, which it has for old webhooks alone; one from the future would stay good for as long. */
const TOLERANCE_SECONDS = 300;

/** The sandbox gateway, called like any other company. */
export function sandboxGateway(account: SandboxAccount): Gateway {
  const api = `${account.baseUrl}/sandbox/v1`;
  const { send = sendOverHttp, timeoutMs = TIMEOUT_MS } = account;

  /** Calls the gateway. What is not plainly an answer of its API leaves it open what was done. */
  async function call<Answer>(
    method: 'GET' | 'POST',
    path: string,
    schema: z.ZodType<Answer>,
    request: { body?: object; key?: string } = {},
  ): Promise<Called<Answer>> {
    try {
      const { status, text } = await send({
        method,
        url: api + path,
        headers: {
          authorization: `Bearer ${account.apiKey}`,
          accept: 'application/json',
          ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(request.key === undefined ? {} : { 'idempotency-key': request.key }),
        },
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
        timeoutMs,
      });
      return understood(status, text, schema);
    } catch (error) {
      return { kind: 'unknown', reason: `no answer: ${reasonOf(error)}` };
    }
  }

  return {
    name: 'sandbox',

    async openCheckout(order) {
      const given = {
        key: order.intentId,
        body: {
          reference: order.intentId,
          amount_minor: exactNumber(order.amount.minor),
          currency: order.amount.currency,
          description: order.description,
          email: order.email,
          return_url: order.returnUrl,
          cancel_url: order.cancelUrl,
        },
      };
      for (let tries = 1; ; tries++) {
        const called = await call('POST', '/checkouts', CHECKOUT, given);
        if (called.kind !== 'unknown' || called.reason !== IN_USE || tries === MOST_TRIES)
          return mapped(called, opened);
        // The same click, twice: the other request is opening it at this moment.
        await sleep(TRY_AGAIN_MS);
      }
    },

    async readCheckout(checkoutId) {
      const path = `/checkouts/${encodeURIComponent(checkoutId)}`;
      return mapped(await call('GET', path, CHECKOUT), stateOf);
    },

    async findCheckout(reference) {
      const path = `/checkouts?reference=${encodeURIComponent(reference)}`;
      return mapped(await call('GET', path, LIST), ({ data }) => {
        const checkout = mostTelling(data);
        return checkout === undefined
          ? undefined
          : ({ ...opened(checkout), state: stateOf(checkout) } satisfies FoundCheckout);
      });
    },

    async expireCheckout(checkoutId): Promise<Called<Expiration>> {
      const path = `/checkouts/${encodeURIComponent(checkoutId)}/expiration`;
      const called = await call('POST', path, EXPIRED);
      if (called.kind === 'refused' && called.code === 'checkout_complete')
        return { kind: 'ok', value: 'already-paid' };
      if (called.kind === 'refused' && called.code === 'payment_pending')
        return { kind: 'ok', value: 'pending' };
      return mapped(called, () => 'expired');
    },

    charge: async () => NOT_YET,
    findCharge: async () => NOT_YET,
    readMandate: async () => NOT_YET,
    revokeMandate: async () => NOT_YET,
    refund: async () => NOT_YET,
    listPayments: async () => NOT_YET,

    readBalance: async () =>
      mapped(await call('GET', '/balance', BALANCE), ({ captured_minor }) =>
        Object.entries(captured_minor).map(([currency, minor]) => ({ currency, minor: BigInt(minor) })),
      ),

    verifyWebhook(rawBody, header) {
      const now = (account.machineMs ?? machineMs)() / 1000;
      return isGenuine(rawBody, header('sandbox-signature'), account.webhookSecrets, now)
        ? readEvent(rawBody)
        : { kind: 'forged' };
    },
  };
}

const NOT_YET = { kind: 'unknown', reason: 'the sandbox takes no money by mandates' } as const;

const BALANCE = z.object({ captured_minor: z.record(z.string().regex(/^[A-Z]{3}$/), z.int()) });
const INSTANT = z.string().transform((text, context) => {
  try {
    return Temporal.Instant.from(text);
  } catch {
    context.addIssue('not an instant');
    return z.NEVER;
  }
});

const MONEY = { amount_minor: z.int().min(1).transform(BigInt), currency: z.string().regex(/^[A-Z]{3}$/) };

/** What the paper needs of a checkout; what else the gateway says of it is its own affair. */
const CHECKOUT = z.object({
  id: z.string().min(1),
  url: z.url({ protocol: /^https?$/ }),
  reference: z.string(),
  status: z.enum(['open', 'complete', 'expired']),
  payment: z
    .object({
      id: z.string().min(1),
      status: z.enum(['succeeded', 'failed', 'requires_action', 'pending', 'canceled']),
      ...MONEY,
      failure_code: z.string().optional(),
      method: z.object({ kind: z.literal('card'), brand: z.string(), last4: z.string() }),
      updated_at: INSTANT,
    })
    .nullable(),
});
type Checkout = z.output<typeof CHECKOUT>;
const LIST = z.object({ data: z.array(CHECKOUT) });
const EXPIRED = CHECKOUT.extend({ status: z.literal('expired') });

const REFUSAL = z.object({ error: z.object({ code: z.string().min(1) }) });

/** The gateway is at work on a request with this key. */
const IN_USE = 'idempotency_key_in_use';
const MOST_TRIES = 4;
const TRY_AGAIN_MS = 120;

/** Refusals that say nothing of what an earlier call with the same key has done, or that only ask for patience. */
const ASK_AGAIN = new Set([408, 425, 429]);

function understood<Answer>(status: number, text: string, schema: z.ZodType<Answer>): Called<Answer> {
  let json: unknown;
  try {
    json = parseJson(text);
  } catch {
    return { kind: 'unknown', reason: `status ${status}, and not JSON` };
  }
  if (status >= 200 && status < 300) {
    const { data, success } = schema.safeParse(json);
    return success
      ? { kind: 'ok', value: data }
      : { kind: 'unknown', reason: `status ${status}, and not what was asked for` };
  }
  const refusal = REFUSAL.safeParse(json);
  const isFinal = status >= 400 && status < 500 && !ASK_AGAIN.has(status);
  if (refusal.success && refusal.data.error.code === IN_USE) return { kind: 'unknown', reason: IN_USE };
  if (!isFinal || !refusal.success) return { kind: 'unknown', reason: `status ${status}` };
  return { kind: 'refused', code: refusal.data.error.code };
}

function mapped<From, To>(called: Called<From>, map: (value: From) => To): Called<To> {
  return called.kind === 'ok' ? { kind: 'ok', value: map(called.value) } : called;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** @throws RangeError when JSON's numbers do not hold it, which no price does */
function exactNumber(minor: bigint): number {
  const number = Number(minor);
  if (!Number.isSafeInteger(number)) throw new RangeError('an amount that JSON cannot hold exactly');
  return number;
}

function opened({ id, url }: Checkout): OpenedCheckout {
  return { checkoutId: id, url };
}

function stateOf({ payment, status }: Checkout): CheckoutState {
  if (status === 'expired') return { kind: 'expired' };
  // A canceled attempt took nothing and never will.
  if (payment === null || payment.status === 'canceled') return { kind: 'open' };
  return {
    kind: 'payment',
    gatewayPaymentId: payment.id,
    status: payment.status,
    amount: { minor: payment.amount_minor, currency: payment.currency },
    failureCode: payment.failure_code,
    method: `${BRANDS[payment.method.brand] ?? 'Card'} ending ${payment.method.last4}`,
    failureKind: payment.status === 'failed' ? 'later' : undefined,
    at: payment.updated_at,
    mandate: undefined,
    refunds: [],
    dispute: undefined,
  } satisfies { kind: 'payment' } & GatewayPayment;
}

const BRANDS: Readonly<Record<string, string>> = { visa: 'Visa', mastercard: 'Mastercard' };

/** Of several checkouts of one reference, the one that took money, else that may, else the newest. */
function mostTelling(checkouts: readonly Checkout[]): Checkout | undefined {
  const having = (status: GatewayPayment['status']) =>
    checkouts.find(({ payment }) => payment?.status === status);
  return having('succeeded') ?? having('pending') ?? having('requires_action') ?? checkouts[0];
}

/** Longer headers are nobody's: a timestamp and a signature for each of a few secrets. */
const LONGEST_SIGNATURE = 2_048;

/** `t=<seconds>,v1=<hex>…`: any signature may be right, by any secret. Compared in constant time. */
function isGenuine(
  body: Buffer,
  header: string | undefined,
  secrets: readonly string[],
  nowSeconds: number,
): boolean {
  if (header === undefined || header.length > LONGEST_SIGNATURE) return false;
  const parts = header.split(',').map((part) => part.trim());
  const [seconds] = parts.filter((part) => /^t=\d{1,12}$/.test(part)).map((part) => part.slice(2));
  if (seconds === undefined || Math.abs(nowSeconds - Number(seconds)) > TOLERANCE_SECONDS) return false;
  const given = parts
    .filter((part) => /^v1=[0-9a-f]{64}$/.test(part))
    .map((part) => Buffer.from(part.slice(3), 'hex'));
  const right = secrets.map((secret) =>
    createHmac('sha256', secret).update(`${seconds}.`).update(body).digest(),
  );
  return right.flatMap((one) => given.map((other) => timingSafeEqual(one, other))).includes(true);
}

const EVENT = z.object({ id: z.string().min(1), type: z.string().min(1), livemode: z.boolean() });
const ABOUT_CHECKOUT = z.object({ data: z.object({ id: z.string().min(1), reference: z.string().min(1) }) });

/** Reads what was proven to be the gateway's; of its data, only which checkout it is about. */
function readEvent(body: Buffer): Webhook {
  let json: unknown;
  try {
    json = parseJson(body.toString('utf8'));
  } catch {
    return { kind: 'forged' };
  }
  const event = EVENT.safeParse(json);
  if (!event.success) return { kind: 'forged' };
  const { id: eventId, livemode, type } = event.data;
  const about = ABOUT_CHECKOUT.safeParse(json);
  // A live event in the sandbox is somebody's mistake, and nothing here may follow from it.
  if (livemode || !about.success || !/^(payment|checkout)\./.test(type))
    return { kind: 'other', eventId, type };
  return {
    kind: 'event',
    eventId,
    type,
    checkoutId: about.data.data.id,
    reference: about.data.data.reference,
  };
}
