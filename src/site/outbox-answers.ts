import { type Answer, type Ask, answer, foreignPage, HTML, type Route } from '#platform/http';
import type { Outbox } from '#platform/outbox';
import { renderOutbox, renderOutboxMail } from './pages/outbox-page.tsx';
import type { Site } from './parts.ts';
import { missing } from './plain-answers.ts';
import { afterPath, outboxHtmlPath, outboxMailPath, PATHS } from './urls.ts';

/** Mails on one page of the list. */
const PER_PAGE = 25;
/** Sign-in codes are for those who look now, and for no search engine. */
const NOT_KEPT = ['Cache-Control', 'private, no-store', 'X-Robots-Tag', 'noindex'];
/**
 * A mail carries its styles on its elements, and is shown as a mail program would: it may run, load, frame and send
 * nothing, and it is nobody's page, so that its links arrive as they would from elsewhere.
 */
const MAIL_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; " +
  'sandbox allow-popups allow-popups-to-escape-sandbox';

/** The outbox in the browser. It shows sign-in codes to anyone, so outside the sandbox there is no such address. */
export function outboxRoutes(site: Site): Route[] {
  const { outbox } = site;
  if (outbox === undefined) return [];
  const get = (path: string, handle: (outbox: Outbox, ask: Ask) => Promise<Answer>): Route => ({
    method: 'GET',
    path,
    who: 'anyone',
    handle: (ask) => handle(outbox, ask),
  });

  async function list(outbox: Outbox, ask: Ask): Promise<Answer> {
    const after = ask.query('after');
    const { mails, older } = await outbox.list({ limit: PER_PAGE, after });
    const html = renderOutbox({
      frame: site.frame(),
      mails,
      older: older === undefined ? undefined : afterPath(PATHS.outbox, older),
      newest: after === undefined ? undefined : PATHS.outbox,
    });
    return answer(200, HTML, html, NOT_KEPT);
  }

  async function mail(outbox: Outbox, ask: Ask): Promise<Answer> {
    const found = await outbox.read(ask.param('mail'));
    if (found === undefined) return missing(site, ask);
    return answer(200, HTML, renderOutboxMail({ frame: site.frame(), mail: found }), NOT_KEPT);
  }

  async function asItLooks(outbox: Outbox, ask: Ask): Promise<Answer> {
    const found = await outbox.read(ask.param('mail'));
    if (found?.kind !== 'mail' || found.html === '') return missing(site, ask);
    return foreignPage(found.html, MAIL_POLICY, NOT_KEPT);
  }

  return [
    get(PATHS.outbox, list),
    get(outboxMailPath(':mail'), mail),
    get(outboxHtmlPath(':mail'), asItLooks),
  ];
}
