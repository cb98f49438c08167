import {
  beginPayment,
  type CreditNote,
  creditNotesOf,
  type Invoice,
  invoicesOf,
  isOver,
  newestIntent,
  type Subscription,
  settleIntent,
  subscriptionsOf,
} from '#billing';
import { type Answer, type Ask, answer, type Route, redirect } from '#platform/http';
import { findReader } from '#readers';
import { renderInvoice } from './pages/invoice-page.tsx';
import { renderPayment } from './pages/payment-page.tsx';
import type { Site } from './parts.ts';
import { failure, missing, ownPage, PRIVATE, payingPage } from './plain-answers.ts';
import { PATHS } from './urls.ts';

const OWN = [...PRIVATE, 'X-Robots-Tag', 'noindex'];

/** How a reader pays what is open, gives another card or mandate, and reads their invoices. */
export function paymentRoutes(site: Site): Route[] {
  const { billing, clock } = site;
  const { db } = site.database;

  const currentOf = async (readerId: string): Promise<Subscription | undefined> =>
    (await subscriptionsOf(db, readerId)).find((one) => !isOver(one) && one.state !== 'incomplete');

  /** Whoever comes back from the gateway proves nothing by that: it is asked. */
  async function askGateway(subscription: Subscription): Promise<'confirming' | undefined> {
    const before = await newestIntent(db, subscription.id);
    if (before?.status === 'submitted' || before?.status === 'pending')
      await settleIntent(billing, before.id, clock.now()).catch(() => undefined);
    const intent = await newestIntent(db, subscription.id);
    const isUnderWay = intent?.status === 'pending' || (intent?.status === 'submitted' && intent.mandateId);
    return isUnderWay ? 'confirming' : undefined;
  }

  async function page(ask: Ask, failed?: 'try-again'): Promise<Answer> {
    const { audience, session } = await site.asker(ask);
    if (session === undefined) return redirect(303, PATHS.login, OWN);
    const known = await currentOf(session.readerId);
    if (known === undefined) return redirect(303, PATHS.account, OWN);
    const state = await askGateway(known);
    const subscription = (await currentOf(session.readerId)) ?? known;
    return payingPage(
      site,
      renderPayment({
        frame: site.frame(audience),
        subscription,
        state: failed ?? state,
        today: site.access.today(),
      }),
    );
  }

  /** A reader's own; another reader's is as if it did not exist. */
  async function ownDocument(ask: Ask): Promise<Invoice | CreditNote | undefined> {
    const { session } = await site.asker(ask);
    if (session === undefined) return undefined;
    const documents = [
      ...(await invoicesOf(db, session.readerId)),
      ...(await creditNotesOf(db, session.readerId)),
    ];
    return documents.find(({ id }) => id === ask.param('invoice'));
  }

  async function invoicePage(ask: Ask): Promise<Answer> {
    const document = await ownDocument(ask);
    if (document === undefined) return missing(site, ask);
    const { audience } = await site.asker(ask);
    return ownPage(renderInvoice({ frame: site.frame(audience), document }));
  }

  async function invoiceSheet(ask: Ask): Promise<Answer> {
    const document = await ownDocument(ask);
    if (document === undefined) return missing(site, ask);
    const made = await site.invoicePress.sheet(document, site.publication());
    if (made.kind !== 'pdf') {
      const page = failure(site, 503, ask.requestId);
      return { ...page, headers: [...page.headers, 'Retry-After', '5'] };
    }
    // A number has slashes, which are no part of a file's name.
    const name = `${document.number.replaceAll('/', '-')}.pdf`;
    return answer(200, 'application/pdf', made.bytes, [
      ...OWN,
      'Content-Disposition',
      `attachment; filename="${name}"`,
    ]);
  }

  return [
    { method: 'GET', path: `${PATHS.accountInvoices}/:invoice`, who: 'reader', handle: invoicePage },
    {
      method: 'GET',
      path: `${PATHS.accountInvoices}/:invoice/sheet.pdf`,
      who: 'reader',
      handle: invoiceSheet,
    },
    { method: 'GET', path: PATHS.accountPayment, who: 'reader', handle: (ask) => page(ask) },
    {
      method: 'POST',
      path: PATHS.accountPayment,
      who: 'reader',
      handle: async (ask) => {
        const { session } = await site.asker(ask);
        const reader = session && (await findReader(db, { id: session.readerId }));
        if (reader === undefined) return redirect(303, PATHS.login, OWN);
        const begun = await beginPayment(billing, reader, clock.now());
        switch (begun.kind) {
          case 'pay':
            return redirect(303, begun.url, OWN);
          case 'try-again':
            return page(ask, 'try-again');
          case 'confirming':
          case 'already-subscribed':
            return redirect(303, PATHS.accountPayment, OWN);
          case 'nothing':
            return redirect(303, PATHS.account, OWN);
          default:
            return begun satisfies never;
        }
      },
    },
  ];
}
