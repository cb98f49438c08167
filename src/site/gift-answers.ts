import { beginGift, findGift, type Gift, giftCode, giftsOf, redeemGift } from '#billing';
import { type Answer, type Ask, type Form, type Route, redirect } from '#platform/http';
import { isUuid, uuidv7 } from '#platform/ids';
import { findReader } from '#readers';
import { CallerError, NotFound } from '#values/errors';
import { digestOf } from './components/agreement.tsx';
import {
  type GiftFields,
  giftConsentWords,
  renderGift,
  renderGiftChoice,
  renderGiftOrder,
  renderGifts,
} from './pages/gift-page.tsx';
import type { Site } from './parts.ts';
import { ownPage, PRIVATE, payingPage } from './plain-answers.ts';
import { giftOrderPath, giftPath, PATHS, subscriptionPath, withNext } from './urls.ts';

const OWN = [...PRIVATE, 'X-Robots-Tag', 'noindex'];

/** Giving a subscription to somebody, and redeeming one. */
export function giftRoutes(site: Site): Route[] {
  const { billing, clock } = site;
  const { db } = site.database;
  const planOf = (slug: string | undefined) => site.plans().find((plan) => plan.slug === slug);

  async function readerOf(ask: Ask) {
    const { audience, session } = await site.asker(ask);
    const reader = session && (await findReader(db, { id: session.readerId }));
    return { frame: site.frame(audience), reader };
  }

  async function orderPage(ask: Ask): Promise<Answer> {
    const { frame, reader } = await readerOf(ask);
    const plan = planOf(ask.query('plan'));
    if (plan === undefined) return ownPage(renderGiftChoice({ frame }));
    if (reader === undefined) return redirect(303, withNext(PATHS.register, giftOrderPath(plan.slug)), OWN);
    return payingPage(
      site,
      renderGiftOrder({
        frame,
        plan,
        email: reader.email,
        fields: { id: uuidv7(), toName: '', toEmail: '', fromName: '', message: '', deliverOn: '' },
        country: reader.country ?? (site.publication().currency === 'INR' ? 'IN' : undefined),
        state: reader.state,
      }),
    );
  }

  async function begin(ask: Ask): Promise<Answer> {
    const form = await ask.form();
    const { frame, reader } = await readerOf(ask);
    const plan = planOf(form.field('plan'));
    if (reader === undefined || plan === undefined) return redirect(303, PATHS.subscribeGift, OWN);
    const fields = fieldsOf(form);
    const country = form.field('country') ?? '';
    const state = country === 'IN' ? form.field('state') || undefined : undefined;
    const again = (error: string) =>
      payingPage(
        site,
        renderGiftOrder({ frame, plan, email: reader.email, fields, country, state, error }),
        422,
      );
    const consent = giftConsentWords(plan, frame.paper.language);
    const shown = form.field('shown');
    if (shown !== undefined && shown !== digestOf(consent))
      return again('What you would agree to has changed meanwhile. Please look at it again.');
    if (form.field('consent') !== 'yes') return again('Please agree to what you buy.');
    const deliverOn = dayIn(fields.deliverOn);
    if (fields.deliverOn !== '' && deliverOn === undefined)
      return again('That is no day: please write it such as 2026-12-25.');
    const { id, toEmail, ...words } = fields;
    try {
      const begun = await beginGift(
        billing,
        { ...words, id, toEmail: toEmail || undefined, deliverOn, reader, plan, country, state, consent },
        clock.now(),
      );
      if (begun.kind === 'pay') return redirect(303, begun.url, OWN);
      if (begun.kind === 'try-again')
        return again(
          'The company that takes the money does not answer. Nothing was charged: please try again in a minute.',
        );
      return redirect(303, subscriptionPath(begun.subscriptionId), OWN);
    } catch (error) {
      if (error instanceof CallerError) {
        if (error.code === 'bought-already') return redirect(303, PATHS.accountGifts, OWN);
        return again(PROBLEMS[error.code] ?? 'That cannot be bought as it is. Please look at it again.');
      }
      throw error;
    }
  }

  async function list(ask: Ask): Promise<Answer> {
    const { frame, reader } = await readerOf(ask);
    if (reader === undefined) throw new NotFound('no-reader', 'nobody is signed in');
    const gifts = (await giftsOf(db, reader.id)).map((gift) => ({ gift, code: giftCode(billing, gift) }));
    return ownPage(renderGifts({ frame, gifts }));
  }

  async function page(ask: Ask, code: string, error?: string): Promise<Answer> {
    const { frame, reader } = await readerOf(ask);
    const path = giftPath(code);
    let gift: Gift | undefined;
    let problem = error;
    if (code !== '' && error === undefined) {
      try {
        gift = await findGift(billing, code);
      } catch (caught) {
        if (!(caught instanceof CallerError)) throw caught;
        problem = PROBLEMS[caught.code];
      }
    }
    return ownPage(
      renderGift({
        frame,
        code,
        gift,
        email: reader?.email,
        login: withNext(PATHS.login, path),
        register: withNext(PATHS.register, path),
        error: problem,
      }),
      problem === undefined ? 200 : 422,
    );
  }

  return [
    { method: 'GET', path: PATHS.subscribeGift, who: 'anyone', handle: orderPage },
    { method: 'POST', path: PATHS.gifts, who: 'reader', handle: begin },
    { method: 'GET', path: PATHS.accountGifts, who: 'reader', handle: list },
    { method: 'GET', path: PATHS.gift, who: 'anyone', handle: (ask) => page(ask, ask.query('code') ?? '') },
    {
      method: 'POST',
      path: PATHS.gift,
      who: 'reader',
      handle: async (ask) => {
        const { reader } = await readerOf(ask);
        if (reader === undefined) throw new NotFound('no-reader', 'nobody is signed in');
        const code = (await ask.form()).field('code') ?? '';
        try {
          await redeemGift(billing, code, reader, clock.now());
        } catch (error) {
          if (error instanceof CallerError) return page(ask, code, PROBLEMS[error.code] ?? error.message);
          throw error;
        }
        return redirect(303, `${PATHS.account}?done=gift-redeemed`, OWN);
      },
    },
  ];
}

const PROBLEMS: Readonly<Record<string, string>> = {
  'bad-place': 'Please choose the country that you live in, and in India the state.',
  'bad-address': 'That is no e-mail address. Please look at it again.',
  'bad-day': 'A gift is sent on a day from today to a year ahead.',
  'too-long': 'That is too long: a message has at most 1,000 letters, and a name 200.',
  'no-gift': 'There is no gift with that code. Please look at it again.',
  'gift-used': 'This gift was redeemed already. If it was not by you, please ask whoever gave it to you.',
  'gift-over': 'This gift was given back to whoever bought it.',
  'own-gift': 'A gift is for somebody else: you bought this one yourself.',
  'gift-disputed': 'This gift cannot be redeemed at this moment. Please write to us.',
};

function fieldsOf(form: Form): GiftFields {
  const text = (name: string, most: number) => (form.field(name) ?? '').trim().slice(0, most);
  const id = form.field('gift') ?? '';
  return {
    id: isUuid(id) ? id : uuidv7(),
    toName: text('to_name', 200),
    toEmail: text('to_email', 254),
    fromName: text('from_name', 200),
    message: text('message', 1_000).replace(/\r\n?/g, '\n'),
    deliverOn: text('deliver_on', 20),
  };
}

function dayIn(text: string): Temporal.PlainDate | undefined {
  try {
    return text === '' ? undefined : Temporal.PlainDate.from(text);
  } catch {
    return undefined;
  }
}
