import { type Send, sendOverHttp } from '#platform/http-client';
import type { Rail } from './methods.ts';
import type { OutcomeCode } from './outcomes.ts';

/** How it went, as a reader in front of the hosted page sees it. */
export type Paid =
  /** The page sent them back to the paper: the money is taken or on its way. */
  | { readonly kind: 'returned'; readonly to: string }
  | { readonly kind: 'failed'; readonly code: string }
  /** The page broke down after the click: nobody here knows. */
  | { readonly kind: 'lost' }
  /** Nothing could be paid: it is paid, expired or not there. */
  | { readonly kind: 'not-payable'; readonly state: string };

/** A reader who waits longer has gone. */
const PATIENCE_MS = 10_000;

/**
 * Pays a checkout as a reader would in a browser: opens the hosted page, presses a button of its form, tells the bank
 * that it is them, and goes where they are sent.
 *
 * @param given.url the checkout's, as the gateway gave it
 * @param given.send over HTTP unless told otherwise
 * @param given.rail what they pay with; a card of anywhere unless told
 * @param given.outcome the button; left out, the payment ends as was chosen beforehand, or is approved
 */
export async function payAsReader(given: {
  readonly url: string;
  readonly outcome?: OutcomeCode;
  readonly rail?: Rail;
  readonly send?: Send;
}): Promise<Paid> {
  const { outcome = 'chosen', rail = 'card_intl', send = sendOverHttp, url } = given;
  const { origin } = new URL(url);

  /** Opens the hosted page, and says which of its states it shows. */
  async function open(): Promise<{ state: string; failure: string | undefined }> {
    const { status, text } = await send({ method: 'GET', url, headers: {}, timeoutMs: PATIENCE_MS });
    return {
      state: /data-checkout="([a-z]+)"/.exec(text)?.[1] ?? `status ${status}`,
      failure: /data-failure="([a-z_]+)"/.exec(text)?.[1],
    };
  }

  /** Presses a button: where the browser is sent, or nothing where it got no answer that it could show. */
  async function press(path: string, field: Record<string, string>): Promise<string | undefined> {
    try {
      const { headers } = await send({
        method: 'POST',
        url: `${url}/${path}`,
        headers: { origin, 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(field).toString(),
        timeoutMs: PATIENCE_MS,
      });
      return typeof headers.location === 'string' ? new URL(headers.location, url).href : undefined;
    } catch {
      return undefined;
    }
  }

  const before = await open();
  if (before.state !== 'open' && before.state !== 'bank') return { kind: 'not-payable', state: before.state };
  // Who lost the bank's page on the way finds it again.
  let to = before.state === 'open' ? await press('payments', { outcome, rail }) : url;
  if (to === url && (await open()).state === 'bank')
    to = await press('authentication', { answer: 'approve' });
  if (to === undefined) return { kind: 'lost' };
  if (to !== url) return { kind: 'returned', to };
  const { failure, state } = await open();
  return failure === undefined ? { kind: 'not-payable', state } : { kind: 'failed', code: failure };
}
