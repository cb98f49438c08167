/** The latest of several. @throws TypeError when there is none */
export function latestOf(instants: readonly Temporal.Instant[]): Temporal.Instant {
  return instants.reduce((a, b) => (Temporal.Instant.compare(a, b) < 0 ? b : a));
}
