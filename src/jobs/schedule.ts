/** Everything that happens by the clock, on one page: minute, hour, day, month, weekday (UTC), task. */
export const SCHEDULE = [
  // Off the full hour, when everybody else asks the search engines for their ranges.
  '17 3 * * * refresh-crawler-ranges',
  '41 2 * * * forget-old-reading',
  '51 2 * * * forget-old-mails',
  '54 2 * * * empty-outbox',
  // What falls due in the domain stands in tables as an instant: this looks whether one has come.
  '* * * * * settle-due',
  // What a process died over, and what a gateway's word never came of.
  '* * * * * ask-unanswered',
  '* * * * * release-abandoned',
  '29 * * * * ask-open',
  '37 1 * * * reconcile',
  // Whoever has opened an account since with an address that the printed paper is delivered for.
  '*/5 * * * * admit-print-subscribers',
  // By day where most readers are, and not in the middle of their night.
  '47 5 * * * ask-back',
  '23 * * * * forget-expired',
].join('\n');
