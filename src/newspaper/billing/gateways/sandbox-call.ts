import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type Send, sendOverHttp } from '#platform/http-client';
import { parseJson } from '#values/json';
import type { Called } from './gateway.ts';

/** Whom to ask, and as whom. */
export type SandboxLine = {
  /** BASE_URL: the sandbox is served beside the paper, and reached as if it were not. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Over HTTP unless told otherwise. */
  readonly send?: Send;
  readonly timeoutMs?: number;
};

/** A reader waits for the answer; whether it was done can be asked later. */
const TIMEOUT_MS = 5_000;

/** Asks the sandbox's API. What is not plainly an answer of it leaves it open what was done. */
export function sandboxLine(line: SandboxLine) {
  const { apiKey, baseUrl, send = sendOverHttp, timeoutMs = TIMEOUT_MS } = line;

  async function call<Answer>(
    method: 'GET' | 'POST',
    path: string,
    schema: z.ZodType<Answer>,
    request: { body?: object; key?: string } = {},
  ): Promise<Called<Answer>> {
    try {
      const { status, text } = await send({
        method,
        url: `${baseUrl}/sandbox/v1${path}`,
        headers: {
          authorization: `Bearer ${apiKey}`,
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
    call,
    /** Makes something once for a key. While another request with the key is at it, this one asks again. */
    async make<Answer>(
      path: string,
      schema: z.ZodType<Answer>,
      request: { body: object; key: string },
    ): Promise<Called<Answer>> {
      for (let tries = 1; ; tries++) {
        const called = await call('POST', path, schema, request);
        if (called.kind !== 'unknown' || called.reason !== IN_USE || tries === MOST_TRIES) return called;
        await sleep(TRY_AGAIN_MS);
      }
    },
  };
}

const REFUSAL = z.object({ error: z.object({ code: z.string().min(1) }) });

/** The gateway is at work on a request with this key: the same click, twice. */
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

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
