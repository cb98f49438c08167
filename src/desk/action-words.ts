/** What the audit trail's nouns are called on the page. Another module's may be missing here: it is then shown as it is. */
const WORDS: Readonly<Record<string, string>> = {
  'sign-in-link': 'Made a one-time link',
  'sign-in': 'Signed in',
  'sign-out': 'Signed out',
  'second-factor-enrolment': 'Set up a second factor and signed in',
  'second-factor-lock': 'Was locked out after five wrong codes',
  'second-factor-reset': 'Took a second factor away',
  'staff-addition': 'Added somebody to the staff',
  'staff-change': 'Changed a role or a name',
  'staff-disabling': 'Disabled somebody',
  'staff-enabling': 'Enabled somebody again',
  'session-ending': 'Ended a session of a reader',
  'mail-resending': 'Sent a reader a mail again',
  grant: 'Let a reader read for nothing',
  'grant-revocation': 'Took back what a reader read for nothing',
  refund: 'Gave money back',
  'given-days': 'Gave days',
  cancellation: 'Cancelled a subscription',
  resumption: 'Took a cancellation back',
  ending: 'Ended a subscription',
  release: 'Let a parked subscription go on',
  'attempt-resolution': 'Saw to a payment that was parked',
  'refund-resolution': 'Saw to a refund that was refused',
};

/** A noun of the audit trail in words: `session-ending` → "Ended a session of a reader". */
export function actionWords(what: string): string {
  if (Object.hasOwn(WORDS, what)) return WORDS[what] as string;
  const words = what.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
