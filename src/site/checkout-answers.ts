import {
  askLater,
  beginCheckout,
  type ChosenOffer,
  canBeCancelled,
  cancelSubscription,
  findOfferByCode,
  findSubscription,
  isOver,
  newestIntent,
  type Offer,
  offerRefusal,
  type Plan,
  resumeSubscription,
  type Subscription,
  settleIntent,
  subscriptionsOf,
  TRIAL_USED,
} from '#billing';
import { type Answer, type Ask, type Route, redirect } from '#platform/http';
import { findReader } from '#readers';
import { NotFound } from '#values/errors';
import { isGstin, isGstinOf } from '#values/gstin';
import { isPlace } from '#values/places';
import { digestOf } from './components/agreement.tsx';
import { buyerIn, seatsIn } from './group-answers.ts';
import { nextPath } from './next-path.ts';
import { renderCancellation } from './pages/account-page.tsx';
import { groupConsentWords, renderGroupOrder } from './pages/group-page.tsx';
import {
  consentWords,
  renderConfirming,
  renderOrder,
  renderOutcome,
  renderSubscribe,
} from './pages/subscribe-page.tsx';
import type { Site } from './parts.ts';
import { forAudience, missing, ownPage, PRIVATE, payingPage, printed } from './plain-answers.ts';
import { giftOrderPath, PATHS, planPath, subscriptionPath, withCode, withNext, withOffer } from './urls.ts';

const OWN = [...PRIVATE, 'X-Robots-Tag', 'noindex'];

/** Buying a subscription, from the plans to the page that says it is paid; cancelling one, and taking that back. */
export function checkoutRoutes(site: Site): Route[] {
  const { billing, clock, plans } = site;
  const { db } = site.database;
  const planOf = (slug: string | undefined) => plans().find((plan) => plan.slug === slug);

  type Asked = { readonly slug: string | undefined; readonly code: string | undefined };

  /** What a plan is begun with by whoever asks for an offer or gives a code. */
  async function offerFor(plan: Plan, readerId: string, { code, slug }: Asked) {
    const { today } = site.frame();
    const open = site.offers();
    const chosen: ChosenOffer | undefined =
      code !== undefined ? await findOfferByCode(db, code) : offered(open.find((one) => one.slug === slug));
    if (chosen === undefined)
      return { chosen: undefined, refused: code === undefined && slug === undefined ? undefined : NO_OFFER };
    const refused = await offerRefusal(db, chosen, plan, readerId, today);
    return refused === undefined ? { chosen, refused } : { chosen: undefined, refused };
  }

  /** What a reader who asks for none could begin a plan with. */
  async function offerInstead(plan: Plan, readerId: string): Promise<Offer | undefined> {
    for (const offer of site.offers()) {
      const refused = await offerRefusal(
        db,
        { offer, codeHash: undefined },
        plan,
        readerId,
        site.frame().today,
      );
      if (refused === undefined) return offer;
    }
    return undefined;
  }

  async function orderPage(ask: Ask): Promise<Answer> {
    const plan = planOf(ask.param('plan'));
    if (plan === undefined) return missing(site, ask);
    const next = nextPath(ask.query('next'));
    const code = ask.query('code') || undefined;
    const slug = ask.query('offer') || undefined;
    const { audience, session } = await site.asker(ask);
    const reader = session && (await findReader(db, { id: session.readerId }));
    if (reader === undefined) {
      const path = code === undefined ? withOffer(planPath(plan.slug), slug) : withCode(plan.slug, code);
      return redirect(303, withNext(PATHS.register, withNext(path, next)), OWN);
    }
    const { chosen, refused } = await offerFor(plan, reader.id, { code, slug });
    return payingPage(
      site,
      renderOrder({
        frame: site.frame(audience),
        plan,
        offer: chosen?.offer,
        code,
        refused,
        instead: chosen === undefined ? await offerInstead(plan, reader.id) : undefined,
        email: reader.email,
        next,
        country: reader.country ?? (site.publication().currency === 'INR' ? 'IN' : undefined),
        state: reader.state,
      }),
    );
  }

  async function begin(ask: Ask): Promise<Answer> {
    const form = await ask.form();
    const { audience, session } = await site.asker(ask);
    const reader = session && (await findReader(db, { id: session.readerId }));
    const plan = planOf(form.field('plan'));
    if (reader === undefined || plan === undefined) return redirect(303, PATHS.subscribe, OWN);
    const next = nextPath(form.field('next'));
    const country = form.field('country') ?? '';
    // A state that was left in the form is nobody's when they live elsewhere.
    const state = country === 'IN' ? form.field('state') || undefined : undefined;
    const code = form.field('code') || undefined;
    const { chosen, refused } = await offerFor(plan, reader.id, {
      code,
      slug: form.field('offer') || undefined,
    });
    const seats = form.field('seats') === undefined ? 1 : seatsIn(form.field('seats'));
    if (seats === undefined) return redirect(303, PATHS.subscribeGroup, OWN);
    const buyer = buyerIn(form);
    const again = (error: string) =>
      payingPage(
        site,
        seats > 1
          ? renderGroupOrder({
              frame: site.frame(audience),
              plan,
              seats,
              email: reader.email,
              buyer,
              country,
              state,
              error,
            })
          : renderOrder({
              frame: site.frame(audience),
              plan,
              offer: chosen?.offer,
              code,
              refused,
              email: reader.email,
              next,
              country,
              state,
              error,
            }),
        422,
      );
    if (!isPlace(country, state)) {
      return again(
        country === 'IN' ? 'Please choose your state.' : 'Please choose the country that you live in.',
      );
    }
    if (refused !== undefined) return again('Please look at what it costs without that offer.');
    const { language, withdrawalRefund } = site.publication();
    const consent =
      seats > 1
        ? groupConsentWords(plan, seats, language)
        : consentWords(plan, chosen?.offer, language, withdrawalRefund);
    if (seats > 1 && buyer.gstin !== '' && !isGstin(buyer.gstin))
      return again('That is no GSTIN: please look at its letters and digits again.');
    if (seats > 1 && buyer.gstin !== '' && !isGstinOf(buyer.gstin, country, state))
      return again('That GSTIN is of another state than the one that you chose.');
    const shown = form.field('shown');
    // Nobody agrees to a price that became another one while they read.
    if (shown !== undefined && shown !== digestOf(consent)) {
      return again('What you would agree to has changed meanwhile. Please look at it again.');
    }
    if (form.field('consent') !== 'yes') return again('Please agree to what you buy.');
    const order = {
      reader,
      plan,
      offer: seats > 1 ? undefined : chosen,
      seats,
      ...(seats > 1 ? { buyer } : {}),
      country,
      state,
      consent,
      beginsAtOnce: seats === 1 && withdrawalRefund === 'pro-rata',
      next: seats > 1 ? PATHS.group : next,
    };
    const begun = await beginCheckout(billing, order, clock.now());
    switch (begun.kind) {
      case 'offer-refused':
        return again('That offer is gone since you opened this page. Please look at it again.');
      case 'pay':
        return redirect(303, begun.url, OWN);
      case 'confirming':
      case 'already-subscribed':
        return redirect(303, subscriptionPath(begun.subscriptionId), OWN);
      case 'try-again':
        return again(
          'The company that takes the money does not answer. Nothing was charged: please try again in a minute.',
        );
      default:
        return begun satisfies never;
    }
  }

  /** After a try that failed there may have been one that did not: nobody is told of the first while that is so. */
  async function asItStands(subscription: Subscription) {
    const intent = await newestIntent(db, subscription.id);
    if (subscription.state !== 'incomplete' || intent?.failureCode === undefined)
      return { intent, subscription };
    await settleIntent(billing, intent.id, clock.now()).catch(() => undefined);
    return {
      intent: await newestIntent(db, subscription.id),
      subscription: (await findSubscription(db, subscription.id)) ?? subscription,
    };
  }

  /** Where the gateway sends the browser back to. Coming here proves nothing: the gateway is asked. */
  async function orderState(ask: Ask): Promise<Answer> {
    const id = ask.param('subscription');
    const { audience, session } = await site.asker(ask);
    const found = UUID.test(id) ? await findSubscription(db, id) : undefined;
    // Another reader's order is as if it did not exist.
    if (found === undefined || found.readerId !== session?.readerId) return missing(site, ask);
    const { intent, subscription } = await asItStands(found);
    const frame = site.frame(audience);
    const tryAgain =
      subscription.product === 'gift'
        ? giftOrderPath(subscription.planSlug)
        : planPath(subscription.planSlug);
    if (subscription.state !== 'incomplete' && !isOver(subscription)) {
      const next = intent?.next ?? '/';
      const { paidThroughOn, state, trialEndsOn } = subscription;
      const kind = subscription.product === 'gift' ? 'gift' : state === 'trialing' ? 'trialing' : 'active';
      return ownPage(
        renderOutcome({ frame, kind, next, paidThrough: paidThroughOn, trialUntil: trialEndsOn }),
      );
    }
    if (intent?.parkedReason !== undefined) {
      return ownPage(renderOutcome({ frame, kind: 'parked', next: PATHS.contact, paidThrough: undefined }));
    }
    if (intent?.givenBackReason !== undefined) {
      return ownPage(renderOutcome({ frame, kind: 'given-back', next: tryAgain, paidThrough: undefined }));
    }
    if (isOver(subscription)) {
      const kind = subscription.anchorOn === undefined ? 'over' : 'ended';
      return ownPage(renderOutcome({ frame, kind, next: tryAgain, paidThrough: undefined }));
    }
    if (intent?.failureCode === TRIAL_USED) {
      return ownPage(renderOutcome({ frame, kind: 'trial-used', next: tryAgain, paidThrough: undefined }));
    }
    if (intent === undefined || intent.status === 'failed' || intent.status === 'canceled') {
      return ownPage(renderOutcome({ frame, kind: 'failed', next: tryAgain, paidThrough: undefined }));
    }
    await askLater(db, intent.id);
    // Its checkout is still open: trying again leads to the same one.
    if (intent.failureCode !== undefined) {
      return ownPage(renderOutcome({ frame, kind: 'failed', next: tryAgain, paidThrough: undefined }));
    }
    return ownPage(
      renderConfirming({ frame, path: subscriptionPath(id), pending: intent.status === 'pending' }),
    );
  }

  async function readerId(ask: Ask): Promise<string> {
    const { session } = await site.asker(ask);
    if (session === undefined) throw new NotFound('no-reader', 'nobody is signed in');
    return session.readerId;
  }

  return [
    {
      method: 'GET',
      path: PATHS.subscribe,
      who: 'anyone',
      handle: (ask) =>
        forAudience(site, ask, (audience) => {
          const next = nextPath(ask.query('next'));
          return printed(audience, renderSubscribe({ frame: site.frame(audience), next }));
        }),
    },
    { method: 'GET', path: `${PATHS.subscribe}/:plan`, who: 'anyone', handle: orderPage },
    { method: 'POST', path: PATHS.subscriptions, who: 'reader', handle: begin },
    { method: 'GET', path: `${PATHS.subscriptions}/:subscription`, who: 'reader', handle: orderState },
    {
      method: 'GET',
      path: PATHS.cancellation,
      who: 'reader',
      handle: async (ask) => {
        const { audience } = await site.asker(ask);
        const current = (await subscriptionsOf(db, await readerId(ask))).find(canBeCancelled);
        if (current === undefined) return redirect(303, PATHS.account, OWN);
        return ownPage(renderCancellation({ frame: site.frame(audience), subscription: current }));
      },
    },
    {
      method: 'POST',
      path: PATHS.cancellation,
      who: 'reader',
      handle: async (ask) => {
        await cancelSubscription(billing, await readerId(ask), 'reader', clock.now());
        return redirect(303, `${PATHS.account}?done=cancelled`, OWN);
      },
    },
    {
      method: 'POST',
      path: PATHS.resumption,
      who: 'reader',
      handle: async (ask) => {
        await resumeSubscription(billing, await readerId(ask), 'reader', clock.now());
        return redirect(303, `${PATHS.account}?done=resumed`, OWN);
      },
    },
  ];
}

const NO_OFFER = 'no-such-offer' as const;
const offered = (offer: Offer | undefined): ChosenOffer | undefined =>
  offer && { offer, codeHash: undefined };
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
