import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { parseJson } from '#values/json';
import type { Webhook } from './gateway.ts';

/** Stripe's tolerance, which it has for old webhooks alone; one from the future would stay good for as long. */
const TOLERANCE_SECONDS = 300;
/** Longer headers are nobody's: a timestamp and a signature for each of a few secrets. */
const LONGEST_SIGNATURE = 2_048;

/** `t=<seconds>,v1=<hex>…`: any signature may be right, by any secret. Compared in constant time. */
export function isGenuine(
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
const ABOUT_PAYMENT = z.object({
  data: z.object({
    id: z.string().min(1),
    reference: z.string().min(1),
    checkout: z.string().min(1).optional(),
  }),
});
const ABOUT_MANDATE = z.object({ data: z.object({ id: z.string().min(1) }) });

/** Reads what was proven to be the gateway's; of its data, only what it is about. */
export function readEvent(body: Buffer): Webhook {
  let json: unknown;
  try {
    json = parseJson(body.toString('utf8'));
  } catch {
    return { kind: 'forged' };
  }
  const event = EVENT.safeParse(json);
  if (!event.success) return { kind: 'forged' };
  const { id: eventId, livemode, type } = event.data;
  const other = { kind: 'other', eventId, type } as const;
  // A live event in the sandbox is somebody's mistake, and nothing here may follow from it.
  if (livemode) return { ...other, concern: 'other-mode' };
  if (type.startsWith('mandate.')) {
    const { data } = ABOUT_MANDATE.safeParse(json);
    return data === undefined ? other : { kind: 'mandate', eventId, type, token: data.data.id };
  }
  const { data: about } = ABOUT_PAYMENT.safeParse(json);
  if (about === undefined || !/^(payment|checkout|refund|dispute)\./.test(type)) return other;
  const { checkout, id, reference } = about.data;
  // What is told of a charge has no checkout.
  const checkoutId = checkout ?? (id.startsWith('cs_') ? id : undefined);
  return { kind: 'event', eventId, type, checkoutId, reference, saysPaid: type === 'payment.succeeded' };
}
