import { type Clock, machineMs } from '#platform/clock';
import { type Db, isUnavailable } from '#platform/db';
import { type Outgoing, type Send, sendOverHttp } from '#platform/http-client';
import type { Logger } from '#platform/log';
import { liveUntil } from './account.ts';
import { readControls, type WebhookControls } from './controls.store.ts';
import { type ClaimedEvent, claimEvents, claimNext, recordDelivery } from './events.store.ts';
import { signatureHeader } from './signature.ts';
import { onEvents } from './wake.ts';

/** What a delivery needs to know of the merchant. */
export type Endpoint = {
  /** BASE_URL: the webhooks go to `/webhooks/sandbox` there. */
  readonly baseUrl: string;
  /** Newest first; each signs. */
  readonly webhookSecrets: readonly string[];
};

/** How often a process looks for events that others wrote, and for what has fallen due. */
const LOOK_MS = 1_000;
/** A receiver that takes longer than this has not taken it (as with Razorpay). */
const PATIENCE_MS = 5_000;
/**
 * So many at once: a receiver that commits one in 20 ms takes 1,600 a second. Those of one process go to one paper,
 * which must not be swamped by them.
 */
const IN_FLIGHT = 32;
/** Real time: the first pause after a webhook that was not taken, doubled each time, and the longest. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 5 * 60_000;

/** @returns the pause after the delivery that failed for the n-th time, in milliseconds */
export function pauseAfter(attempts: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempts - 1, 20));
}

/**
 * Delivers webhooks in this process until it is stopped: at once after a commit of its own, and within a second after
 * one of another process. Any number of processes may; each event is with one of them at a time. Also lets the
 * company's time do what is due: a pending payment settles, a checkout runs out.
 */
export function startDeliveries(
  parts: Endpoint & {
    readonly db: Db;
    readonly clock: Clock;
    readonly log: Logger;
    readonly send?: Send;
  },
): { stop(): Promise<void> } {
  const { clock, db, log, send = sendOverHttp } = parts;
  const underWay = new Set<Promise<void>>();
  let stopped = false;
  let looking: Promise<void> | undefined;
  let lookAgain = false;
  /** All the room was taken, so each place that falls free is a reason to look. */
  let isFull = false;
  let timer: NodeJS.Timeout;

  /** Takes what waits as far as there is room. While it looks, any number of calls to look are one more look. */
  function look(): void {
    lookAgain = true;
    if (looking !== undefined || stopped) return;
    looking = takeAndSend()
      .catch(complain)
      .finally(() => {
        looking = undefined;
        if (lookAgain && !stopped) look();
      });
  }

  async function takeAndSend(): Promise<void> {
    while (lookAgain && !stopped) {
      lookAgain = false;
      const controls = await readControls(db);
      const room = (controls.reverse ? 1 : IN_FLIGHT) - underWay.size;
      isFull = true;
      if (room <= 0) return;
      const events = await claimEvents(db, room, controls.reverse);
      isFull = events.length === room;
      for (const event of events) {
        const delivery = deliver(db, event, parts, controls, send, log).then(() => undefined, complain);
        underWay.add(delivery);
        void delivery.then(() => {
          underWay.delete(delivery);
          if (isFull) look();
        });
      }
    }
  }

  /** While the database is away the pool says so, and the next look comes in a second. */
  function complain(error: unknown): void {
    lookAgain = false;
    if (!isUnavailable(error)) log.error({ err: error }, 'webhooks of the sandbox could not be delivered');
  }

  async function tick(): Promise<void> {
    await liveUntil(db, clock.now()).catch(complain);
    if (stopped) return;
    look();
    timer = setTimeout(() => void tick(), LOOK_MS);
  }

  const forget = onEvents(db, look);
  timer = setTimeout(() => void tick(), 0);
  return {
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      forget();
      await looking;
      await Promise.all(underWay);
    },
  };
}

/**
 * Delivers now, one after the other, everything that waits: also what is held back, delayed or in a pause.
 *
 * @param parts.send where they go, instead of over HTTP to BASE_URL: into a paper that runs in this process, say
 * @returns how many were taken, and how many were not and stay
 */
export async function deliverHeld(
  parts: Endpoint & { readonly db: Db; readonly log: Logger; readonly send?: Send },
): Promise<{ readonly delivered: number; readonly notTaken: number }> {
  const { db, log, send = sendOverHttp } = parts;
  const controls = await readControls(db);
  let delivered = 0;
  let notTaken = 0;
  let last: bigint | undefined;
  for (;;) {
    const event = await claimNext(db, last, controls.reverse);
    if (event === undefined) return { delivered, notTaken };
    last = event.seq;
    if (await deliver(db, event, parts, controls, send, log)) delivered++;
    else notTaken++;
  }
}

/** @returns whether the event needs no more of us */
async function deliver(
  db: Db,
  event: ClaimedEvent,
  endpoint: Endpoint,
  controls: WebhookControls,
  send: Send,
  log: Logger,
): Promise<boolean> {
  const { seq } = event;
  if (controls.drop) {
    await recordDelivery(db, { seq, kind: 'dropped' });
    return true;
  }
  const request = requestFor(event, endpoint, controls);
  const copies = controls.duplicate ? [request, request] : [request];
  const statuses = await Promise.all(copies.map((one) => answered(send, one)));
  const taken = statuses.every((status) => status !== undefined && status >= 200 && status < 300);
  if (!taken) log.info({ event: event.id, statuses, attempts: event.attempts }, 'a webhook was not taken');
  await recordDelivery(
    db,
    taken ? { seq, kind: 'delivered' } : { seq, kind: 'not-taken', pauseMs: pauseAfter(event.attempts) },
  );
  return taken;
}

/** @returns undefined where there was no answer */
async function answered(send: Send, request: Outgoing): Promise<number | undefined> {
  try {
    return (await send(request)).status;
  } catch {
    return undefined;
  }
}

function requestFor(
  { body: written, id }: ClaimedEvent,
  { baseUrl, webhookSecrets }: Endpoint,
  { live, sign }: WebhookControls,
): Outgoing {
  // The first is the event's own: whatever a merchant calls its wares stands behind it.
  const body = live ? written.replace('"livemode":false', '"livemode":true') : written;
  const secrets = {
    right: webhookSecrets,
    wrong: ['whsec_of_nobody'],
    old: webhookSecrets.slice(-1),
  }[sign];
  return {
    method: 'POST',
    url: `${baseUrl}/webhooks/sandbox`,
    headers: {
      'content-type': 'application/json',
      'sandbox-event-id': id,
      'sandbox-signature': signatureHeader(body, secrets, Math.floor(machineMs() / 1000)),
    },
    body,
    timeoutMs: PATIENCE_MS,
  };
}
