export function isEarlier(one: Temporal.Instant, other: Temporal.Instant): boolean {
  return Temporal.Instant.compare(one, other) < 0;
}

/** The latest of several. @throws TypeError when there is none */
export function latestOf(instants: readonly Temporal.Instant[]): Temporal.Instant {
  return instants.reduce((a, b) => (isEarlier(a, b) ? b : a));
}
