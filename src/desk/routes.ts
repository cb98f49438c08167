import type { Route } from '#platform/http';
import type { StaffWho } from '#staff';
import { auditAnswers } from './audit-answers.ts';
import { importAnswers } from './import-answers.ts';
import { parkedAnswers } from './parked-answers.ts';
import type { Desk } from './parts.ts';
import { readerAnswers } from './reader-answers.ts';
import { revenueAnswers } from './revenue-answers.ts';
import { signInAnswers } from './sign-in-answers.ts';
import { subscriptionAnswers } from './subscription-answers.ts';
import { todayAnswers } from './today-answers.ts';
import { DESK } from './urls.ts';

/** A route of the desk says what its caller must be allowed to do; the way in and out is for anyone. */
type DeskRoute = Route & { readonly who: StaffWho | 'anyone' };

/** Everything at the desk. */
export function deskRoutes(desk: Desk): DeskRoute[] {
  const way = signInAnswers(desk);
  const readers = readerAnswers(desk);
  const imports = importAnswers(desk);
  const subscriptions = subscriptionAnswers(desk);
  const parked = parkedAnswers(desk);
  const revenue = revenueAnswers(desk);
  const subscription = `${DESK.subscriptions}/:subscription`;
  const reader = `${DESK.readers}/:reader`;
  return [
    get(DESK.signIn, 'anyone', way.signIn),
    post(DESK.linkRequests, 'anyone', way.askForLink),
    get(`${DESK.signIn}/:token`, 'anyone', way.link),
    post(DESK.sessions, 'anyone', way.begin),
    get(DESK.secondFactor, 'anyone', way.secondFactor),
    post(DESK.secondFactor, 'anyone', way.showCode),
    post(DESK.secondFactorDelays, 'anyone', way.putOff),
    post(DESK.signOut, 'anyone', way.signOut),
    get(DESK.backupCodes, 'staff:desk', way.backupCodes),
    post(DESK.backupCodesReceipt, 'staff:desk', way.keepBackupCodes),
    get(DESK.today, 'staff:desk', todayAnswers(desk)),
    get(DESK.readers, 'staff:readers.see', readers.search),
    get(reader, 'staff:readers.see', readers.show),
    post(`${reader}/session-endings`, 'staff:readers.help', readers.endSession),
    post(`${reader}/mails`, 'staff:readers.help', readers.resend),
    get(subscription, 'staff:readers.see', subscriptions.show),
    post(`${subscription}/refunds`, 'staff:subscriptions.change', subscriptions.refund),
    post(`${subscription}/given-days`, 'staff:subscriptions.change', subscriptions.giveDays),
    post(`${subscription}/cancellation`, 'staff:subscriptions.change', subscriptions.cancel),
    post(`${subscription}/resumption`, 'staff:subscriptions.change', subscriptions.resume),
    post(`${subscription}/ending`, 'staff:subscriptions.change', subscriptions.end),
    post(`${subscription}/release`, 'staff:subscriptions.change', subscriptions.release),
    get(DESK.parked, 'staff:readers.see', parked.list),
    post(`${DESK.parked}/resolutions`, 'staff:subscriptions.change', parked.resolve),
    get(DESK.revenue, 'staff:revenue.see', revenue.show),
    get(DESK.revenueFile, 'staff:revenue.see', revenue.download),
    get(DESK.journalFile, 'staff:revenue.see', revenue.journal),
    get(DESK.imports, 'staff:imports.see', imports.list),
    get(`${DESK.imports}/:run`, 'staff:imports.see', imports.show),
    get(`${DESK.imports}/:run/report.json`, 'staff:imports.see', imports.report),
    get(DESK.audit, 'staff:audit.see', auditAnswers(desk)),
  ];
}

function get(path: string, who: DeskRoute['who'], handle: Route['handle']): DeskRoute {
  return { method: 'GET', path, who, handle };
}

function post(path: string, who: DeskRoute['who'], handle: Route['handle']): DeskRoute {
  return { method: 'POST', path, who, handle };
}
