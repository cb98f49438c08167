import type { Benefit } from './benefits.ts';

/** Where a right comes from. Whoever asks what a reader may use does not ask this. */
export const GRANT_SOURCES = [
  'term',
  'trial',
  'grace',
  'gift',
  'seat',
  'institution',
  'print',
  'staff',
] as const;
export type GrantSource = (typeof GRANT_SOURCES)[number];

/** A dated right of one reader to one benefit, from an instant until before another. */
export type Grant = {
  readonly benefit: Benefit;
  readonly from: Temporal.Instant;
  readonly until: Temporal.Instant;
  readonly source: GrantSource;
  /** What stands behind it in the module that gave it: a term, for instance. */
  readonly sourceId: string;
  readonly revokedAt: Temporal.Instant | undefined;
  readonly revokedReason: string;
};

/** The benefits that hold now, and until when that answer is certain to stay the same if no grant is given or revoked. */
export type Holding = { readonly benefits: ReadonlySet<Benefit>; readonly untilMs: number };

/** What a reader's grants let them use at an instant. Pure. */
export function holdingAt(grants: readonly Grant[], now: Temporal.Instant): Holding {
  const benefits = new Set<Benefit>();
  let untilMs = Number.POSITIVE_INFINITY;
  for (const grant of grants) {
    const end = endOf(grant);
    if (Temporal.Instant.compare(now, end) >= 0) continue;
    const holds = Temporal.Instant.compare(grant.from, now) <= 0;
    if (holds) benefits.add(grant.benefit);
    untilMs = Math.min(untilMs, (holds ? end : grant.from).epochMilliseconds);
  }
  return { benefits, untilMs };
}

/** When a grant ends: at its time, or when it was revoked, whichever comes first. */
export function endOf({ revokedAt, until }: Grant): Temporal.Instant {
  return revokedAt !== undefined && Temporal.Instant.compare(revokedAt, until) < 0 ? revokedAt : until;
}
