import {
  beginPayment,
  changePlanLater,
  endPause,
  isOver,
  pauseSubscription,
  quoteChange,
  type Subscription,
  subscriptionsOf,
  withdrawalOf,
  withdrawSubscription,
} from '#billing';
import { type Answer, type Ask, type Route, redirect } from '#platform/http';
import { findReader } from '#readers';
import { NotFound } from '#values/errors';
import { renderChanges, renderWithdrawal } from './pages/change-page.tsx';
import type { Site } from './parts.ts';
import { missing, ownPage, PRIVATE, payingPage } from './plain-answers.ts';
import { PATHS } from './urls.ts';

const OWN = [...PRIVATE, 'X-Robots-Tag', 'noindex'];

/** What a reader changes of a subscription: its plan, a pause, and the withdrawal that some countries' law gives. */
export function changeRoutes(site: Site): Route[] {
  const { billing, clock, plans } = site;
  const { db } = site.database;

  async function readerId(ask: Ask): Promise<string> {
    const { session } = await site.asker(ask);
    if (session === undefined) throw new NotFound('no-reader', 'nobody is signed in');
    return session.readerId;
  }

  const currentOf = async (reader: string): Promise<Subscription | undefined> =>
    (await subscriptionsOf(db, reader)).find((one) => !isOver(one) && one.state !== 'incomplete');

  function page(render: (subscription: Subscription, ask: Ask) => Promise<Answer>) {
    return async (ask: Ask): Promise<Answer> => {
      const subscription = await currentOf(await readerId(ask));
      return subscription === undefined ? redirect(303, PATHS.account, OWN) : render(subscription, ask);
    };
  }

  const done = (note: string) => redirect(303, `${PATHS.account}?done=${note}`, OWN);

  return [
    {
      method: 'GET',
      path: PATHS.accountChanges,
      who: 'reader',
      handle: page(async (subscription, ask) => {
        const { audience } = await site.asker(ask);
        const withdrawal = await withdrawalOf(billing, subscription, clock.now());
        const frame = site.frame(audience);
        const offers = await Promise.all(
          plans().map(async (plan) => ({
            plan,
            quote: await quoteChange(db, subscription, plan, clock.now()),
          })),
        );
        return payingPage(site, renderChanges({ frame, subscription, offers, withdrawal }));
      }),
    },
    {
      method: 'POST',
      path: PATHS.planChange,
      who: 'reader',
      handle: async (ask) => {
        const slug = (await ask.form()).field('plan');
        const plan = plans().find((one) => one.slug === slug);
        if (plan === undefined) return missing(site, ask);
        await changePlanLater(billing, await readerId(ask), plan, 'reader', clock.now());
        return done('plan-changed');
      },
    },
    {
      method: 'POST',
      path: PATHS.planUpgrade,
      who: 'reader',
      handle: async (ask) => {
        const slug = (await ask.form()).field('plan');
        const plan = plans().find((one) => one.slug === slug);
        const reader = await findReader(db, { id: await readerId(ask) });
        if (plan === undefined || reader === undefined) return missing(site, ask);
        const begun = await beginPayment(billing, reader, clock.now(), plan);
        if (begun.kind === 'pay') return redirect(303, begun.url, OWN);
        return redirect(303, begun.kind === 'nothing' ? PATHS.accountChanges : PATHS.accountPayment, OWN);
      },
    },
    {
      method: 'POST',
      path: PATHS.pause,
      who: 'reader',
      handle: async (ask) => {
        const days = Number((await ask.form()).field('days') ?? '');
        await pauseSubscription(billing, await readerId(ask), days, 'reader', clock.now());
        return done('paused');
      },
    },
    {
      method: 'POST',
      path: PATHS.pauseEnd,
      who: 'reader',
      handle: async (ask) => {
        await endPause(billing, await readerId(ask), 'reader', clock.now());
        return done('pause-ended');
      },
    },
    {
      method: 'GET',
      path: PATHS.withdrawal,
      who: 'reader',
      handle: page(async (subscription, ask) => {
        const withdrawal = await withdrawalOf(billing, subscription, clock.now());
        if (withdrawal === undefined) return redirect(303, PATHS.account, OWN);
        const { audience } = await site.asker(ask);
        return ownPage(renderWithdrawal({ frame: site.frame(audience), subscription, withdrawal }));
      }),
    },
    {
      method: 'POST',
      path: PATHS.withdrawal,
      who: 'reader',
      handle: async (ask) => {
        await withdrawSubscription(billing, await readerId(ask), 'reader', clock.now());
        return done('withdrawn');
      },
    },
  ];
}
