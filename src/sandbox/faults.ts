import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, answer, HTML, SECURITY_HEADERS } from '#platform/http';
import type { Fault } from './outcomes.ts';

/** Longer than anybody here waits for an answer, and no connection is held for ever. */
const HANG_MS = 30_000;

const NOT_KEPT = ['Cache-Control', 'private, no-store'];

/** As from a proxy whose server broke down: the browser gets nothing to show. */
const EMPTY: Answer = { status: 502, headers: [...NOT_KEPT, ...SECURITY_HEADERS], body: undefined };

/**
 * What is answered instead of what was done. Nothing tells whether that was anything.
 *
 * @param say how an error of this company's looks where it is asked: a page, or JSON
 */
export async function faultAnswer(
  fault: Fault,
  say: (status: number, code: string, message: string) => Answer,
): Promise<Answer> {
  switch (fault) {
    case 'empty_502':
      return EMPTY;
    case 'hang':
      await sleep(HANG_MS, undefined, { ref: false });
      return EMPTY;
    case 'error_500':
      return say(500, 'internal', 'Something went wrong here.');
    case 'error_502_html':
      return answer(
        502,
        HTML,
        '<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>',
        NOT_KEPT,
      );
    case 'conflict_409':
      return say(
        409,
        'idempotency_key_in_use',
        'A request with this Idempotency-Key is under way. Ask again in a moment.',
      );
    default:
      return fault satisfies never;
  }
}
