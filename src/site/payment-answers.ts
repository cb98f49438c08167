import {
  beginPayment,
  creditNotesOf,
  invoicesOf,
  isOver,
  newestIntent,
  type Subscription,
  settleIntent,
  subscriptionsOf,
} from '#billing';
import { type Answer, type Ask, type Route, redirect } from '#platform/http';
import { findReader } from '#readers';
import { renderInvoice } from './pages/invoice-page.tsx';
import { renderPayment } from './pages/payment-page.tsx';
import type { Site } from './parts.ts';
import { missing, ownPage, PRIVATE } from './plain-answers.ts';
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
    return ownPage(
      renderPayment({
        frame: site.frame(audience),
        subscription,
        state: failed ?? state,
        today: site.access.today(),
      }),
    );
  }

  async function invoicePage(ask: Ask): Promise<Answer> {
    const { audience, session } = await site.asker(ask);
    if (session === undefined) return redirect(303, PATHS.login, OWN);
    const [invoices, notes] = [
      await invoicesOf(db, session.readerId),
      await creditNotesOf(db, session.readerId),
    ];
    // Another reader's is as if it did not exist.
    const document = [...invoices, ...notes].find(({ id }) => id === ask.param('invoice'));
    if (document === undefined) return missing(site, ask);
    return ownPage(renderInvoice({ frame: site.frame(audience), document }));
  }

  return [
    { method: 'GET', path: `${PATHS.accountInvoices}/:invoice`, who: 'reader', handle: invoicePage },
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
