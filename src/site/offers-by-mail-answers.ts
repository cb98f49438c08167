import { chooseOffers, readOffersLink } from '#billing';
import { type Ask, type Route, redirect } from '#platform/http';
import { renderOffersByMail } from './pages/offers-by-mail-page.tsx';
import type { Site } from './parts.ts';
import { ownPage, PRIVATE } from './plain-answers.ts';
import { offersByMailPath, PATHS } from './urls.ts';

/** Where a link in a mail leads by which its reader says, signed in or not, whether they want offers. */
export function offersByMailRoutes(site: Site): Route[] {
  const { billing, clock } = site;
  const path = `${PATHS.offersByMail}/:token`;

  async function page(ask: Ask) {
    const token = ask.param('token');
    const { audience } = await site.asker(ask);
    const { areWanted } = await readOffersLink(billing, token);
    return ownPage(
      renderOffersByMail({ frame: site.frame(audience), path: offersByMailPath(token), areWanted }),
    );
  }

  return [
    { method: 'GET', path, who: 'link', handle: page },
    {
      method: 'POST',
      path,
      who: 'link',
      handle: async (ask) => {
        const token = ask.param('token');
        const form = await ask.form();
        await chooseOffers(billing, token, form.field('offers') === 'yes', clock.now());
        // A mail program asks for this by itself, and follows no redirect (RFC 8058, 3.1).
        if (form.field('List-Unsubscribe') === 'One-Click') return page(ask);
        return redirect(303, offersByMailPath(token), [...PRIVATE, 'X-Robots-Tag', 'noindex']);
      },
    },
  ];
}
