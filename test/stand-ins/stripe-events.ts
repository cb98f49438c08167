import { createHmac } from 'node:crypto';

/** A webhook, as it would be sent. */
export type SentEvent = {
  readonly type: string;
  readonly body: Buffer;
  readonly headers: Record<string, string>;
};

export type Told = {
  readonly id: string;
  readonly type: string;
  readonly about: object;
  /** What was otherwise before. */
  readonly before?: object | undefined;
  /** Unix seconds. */
  readonly at: number;
  readonly livemode?: boolean;
};

/** Signed with each of the secrets, as Stripe does while one is changed. */
export function signEvent(event: Told, secrets: readonly string[], sentAt = event.at): SentEvent {
  const { about, at, before, id, livemode = false, type } = event;
  const body = Buffer.from(
    JSON.stringify({
      id,
      object: 'event',
      api_version: '2026-10-28.endive',
      created: at,
      data: { object: about, ...(before === undefined ? {} : { previous_attributes: before }) },
      livemode,
      pending_webhooks: 1,
      request: { id: null, idempotency_key: null },
      type,
    }),
  );
  const signatures = secrets.map(
    (secret) => `v1=${createHmac('sha256', secret).update(`${sentAt}.`).update(body).digest('hex')}`,
  );
  return {
    type,
    body,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      // The scheme of old, which proves nothing to anybody.
      'stripe-signature': [`t=${sentAt}`, ...signatures, `v0=${'0'.repeat(64)}`].join(','),
    },
  };
}
