import { createHmac } from 'node:crypto';

/** A webhook, as it would be sent. */
export type SentEvent = {
  readonly type: string;
  readonly body: Buffer;
  readonly headers: Record<string, string>;
};

/** @param event.about what it is about, by kind: a payment, an order */
export function signEvent(
  event: { id: string; type: string; about: Readonly<Record<string, object>>; at: number },
  secret: string,
): SentEvent {
  const { about, at, id, type } = event;
  const body = Buffer.from(
    JSON.stringify({
      entity: 'event',
      account_id: 'acc_00000000000001',
      event: type,
      contains: Object.keys(about),
      payload: Object.fromEntries(Object.entries(about).map(([name, entity]) => [name, { entity }])),
      created_at: at,
    }),
  );
  return {
    type,
    body,
    headers: {
      'content-type': 'application/json',
      'x-razorpay-signature': createHmac('sha256', secret).update(body).digest('hex'),
      'x-razorpay-event-id': id,
    },
  };
}
