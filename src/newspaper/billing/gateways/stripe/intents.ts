import { isUuid } from '#platform/ids';

/**
 * When an intent was written down, by its own id (a UUIDv7, RFC 9562): it never changes, so whatever follows from it is
 * the same for whoever asks, and nothing of it can be older at Stripe. Undefined for what is no such id.
 */
export function bornAt(intentId: string): Temporal.Instant | undefined {
  if (!isUuid(intentId) || intentId[14] !== '7') return undefined;
  return Temporal.Instant.fromEpochMilliseconds(Number.parseInt(intentId.replace('-', '').slice(0, 12), 16));
}

/** Two clocks differ, ours and Stripe's. */
export const CLOCKS_DIFFER_BY = { hours: 1 };

export const secondsOf = (instant: Temporal.Instant): number => Math.floor(instant.epochMilliseconds / 1_000);
