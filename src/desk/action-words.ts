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
};

/** A noun of the audit trail in words: `session-ending` → "Ended a session of a reader". */
export function actionWords(what: string): string {
  if (Object.hasOwn(WORDS, what)) return WORDS[what] as string;
  const words = what.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
