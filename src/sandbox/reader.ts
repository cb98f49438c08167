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

/** As `fetch`, or a paper's own `app.request` where no server runs. */
export type Send = (url: string, init: RequestInit) => Response | Promise<Response>;

/** A reader who waits longer has gone. */
const PATIENCE_MS = 10_000;

/**
 * Pays a checkout as a reader would in a browser: opens the hosted page, presses a button of its form, tells the bank
 * that it is them, and goes where they are sent.
 *
 * @param given.url the checkout's, as the gateway gave it
 * @param given.outcome the button; left out, the payment ends as was chosen beforehand, or is approved
 */
export async function payAsReader(given: {
  readonly url: string;
  readonly outcome?: OutcomeCode;
  readonly send?: Send;
}): Promise<Paid> {
  const { outcome = 'chosen', send = fetch, url } = given;
  const { origin } = new URL(url);

  /** Opens the hosted page, and says which of its states it shows. */
  async function open(): Promise<{ state: string; failure: string | undefined }> {
    const response = await send(url, { signal: AbortSignal.timeout(PATIENCE_MS) });
    const page = await response.text();
    return {
      state: /data-checkout="([a-z]+)"/.exec(page)?.[1] ?? `status ${response.status}`,
      failure: /data-failure="([a-z_]+)"/.exec(page)?.[1],
    };
  }

  /** Presses a button: where the browser is sent, or nothing where it got no answer that it could show. */
  async function press(path: string, field: Record<string, string>): Promise<string | undefined> {
    try {
      const response = await send(`${url}/${path}`, {
        method: 'POST',
        headers: { origin, 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(field).toString(),
        redirect: 'manual',
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      await response.arrayBuffer();
      return response.headers.get('location') ?? undefined;
    } catch {
      return undefined;
    }
  }

  const before = await open();
  if (before.state !== 'open') return { kind: 'not-payable', state: before.state };
  let to = await press('payments', { outcome });
  if (to === url && (await open()).state === 'bank')
    to = await press('authentication', { answer: 'approve' });
  if (to === undefined) return { kind: 'lost' };
  if (to !== url) return { kind: 'returned', to };
  const { failure, state } = await open();
  return failure === undefined ? { kind: 'not-payable', state } : { kind: 'failed', code: failure };
}
