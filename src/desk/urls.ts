/** Every address of the desk is made here. */

export const DESK = {
  today: '/desk',
  signIn: '/desk/sign-in',
  linkRequests: '/desk/link-requests',
  sessions: '/desk/sessions',
  secondFactor: '/desk/second-factor',
  secondFactorDelays: '/desk/second-factor-delays',
  backupCodes: '/desk/backup-codes',
  backupCodesReceipt: '/desk/backup-codes/receipt',
  signOut: '/desk/sign-out',
  readers: '/desk/readers',
  subscriptions: '/desk/subscriptions',
  parked: '/desk/parked',
  revenue: '/desk/revenue',
  revenueFile: '/desk/revenue.csv',
  journalFile: '/desk/journal.csv',
  imports: '/desk/imports',
  audit: '/desk/audit',
} as const;

/** Where a one-time link leads. */
export const signInLink = (token: string): string => `${DESK.signIn}/${token}`;
export const readerPath = (id: string): string => `${DESK.readers}/${encodeURIComponent(id)}`;
export const subscriptionPath = (id: string): string => `${DESK.subscriptions}/${encodeURIComponent(id)}`;
export const importPath = (id: string): string => `${DESK.imports}/${encodeURIComponent(id)}`;
/** The same as JSON. */
export const importReportPath = (id: string): string => `${importPath(id)}/report.json`;
export const sessionEndingsPath = (readerId: string): string => `${readerPath(readerId)}/session-endings`;
export const mailsPath = (readerId: string): string => `${readerPath(readerId)}/mails`;

/** Whether a page of the desk stands under this address, or could. */
export const isDeskPath = (path: string): boolean => path === DESK.today || path.startsWith(`${DESK.today}/`);

/** An address with a parameter that names something known, or a place to go on to. */
export function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const parts = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return parts.length === 0 ? path : `${path}?${parts.join('&')}`;
}

/**
 * Where somebody wanted to go before they had to sign in: a plain address of the desk, or nothing. Whatever a browser
 * could read as another site, or as leading out of the desk, is nothing (OWASP ASVS 3.7.2).
 */
export function safeNext(text: string | undefined): string | undefined {
  if (text === undefined || text.length > 200) return undefined;
  return /^\/desk(?:\/[A-Za-z0-9-]+)*$/.test(text) ? text : undefined;
}
