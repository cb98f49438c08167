import {
  acceptSeat,
  beginPayment,
  changeBuyer,
  changeSeatsLater,
  findGroup,
  findInvitation,
  inviteToSeats,
  isOver,
  MOST_SEATS,
  nameManager,
  quoteSeats,
  subscriptionsOf,
  withdrawSeat,
} from '#billing';
import { type Answer, type Ask, type Route, redirect } from '#platform/http';
import { isUuid } from '#platform/ids';
import { findReader } from '#readers';
import { CallerError, NotFound } from '#values/errors';
import { isAccountNote } from './pages/account-page.tsx';
import {
  renderGroup,
  renderGroupChoice,
  renderGroupOrder,
  renderNoSeat,
  renderSeat,
} from './pages/group-page.tsx';
import type { Site } from './parts.ts';
import { missing, ownPage, PRIVATE, payingPage } from './plain-answers.ts';
import { groupOrderPath, PATHS, seatPath, withNext } from './urls.ts';

const OWN = [...PRIVATE, 'X-Robots-Tag', 'noindex'];

/** How many readers were asked for; undefined where that is no number that can be had. */
export function seatsIn(text: string | undefined): number | undefined {
  const seats = /^\d{1,4}$/.test(text ?? '') ? Number(text) : Number.NaN;
  return seats >= 2 && seats <= MOST_SEATS ? seats : undefined;
}

/** A subscription for several readers: buying it, saying who has a seat, and taking one. */
export function groupRoutes(site: Site): Route[] {
  const { billing, clock } = site;
  const { db } = site.database;

  async function readerOf(ask: Ask) {
    const { audience, session } = await site.asker(ask);
    const reader = session && (await findReader(db, { id: session.readerId }));
    if (reader === undefined) throw new NotFound('no-reader', 'nobody is signed in');
    return { audience, reader };
  }

  async function order(ask: Ask): Promise<Answer> {
    const { audience, session } = await site.asker(ask);
    const frame = site.frame(audience);
    const plan = site.plans().find(({ slug }) => slug === ask.query('plan'));
    const seats = seatsIn(ask.query('seats'));
    if (plan === undefined || seats === undefined) {
      const isAsked = ask.query('seats') !== undefined;
      const error = isAsked
        ? `A group has 2 to ${MOST_SEATS} readers. For more, please write to us.`
        : undefined;
      return ownPage(renderGroupChoice({ frame, error }), isAsked ? 422 : 200);
    }
    const reader = session && (await findReader(db, { id: session.readerId }));
    if (reader === undefined)
      return redirect(303, withNext(PATHS.register, groupOrderPath(plan.slug, seats)), OWN);
    return payingPage(
      site,
      renderGroupOrder({
        frame,
        plan,
        seats,
        email: reader.email,
        buyer: { name: '', address: '', gstin: '' },
        country: reader.country ?? (site.publication().currency === 'INR' ? 'IN' : undefined),
        state: reader.state,
      }),
    );
  }

  async function page(ask: Ask, error?: string): Promise<Answer> {
    const { audience, reader } = await readerOf(ask);
    const group = await findGroup(billing, reader.id);
    if (group === undefined) return redirect(303, PATHS.account, OWN);
    const seats = seatsIn(ask.query('seats'));
    const note = ask.query('done');
    return payingPage(
      site,
      renderGroup({
        frame: site.frame(audience),
        group,
        readerId: reader.id,
        asked:
          seats === undefined || !group.isOwner
            ? undefined
            : { seats, quote: await quoteSeats(db, group.subscription, seats, clock.now()) },
        note: isAccountNote(note) ? note : undefined,
        error,
      }),
      error === undefined ? 200 : 422,
    );
  }

  /** Does something to the group that a reader looks after; what they got wrong stands on the page. */
  function change(act: (given: { groupId: string; by: string }, ask: Ask) => Promise<string>) {
    return async (ask: Ask): Promise<Answer> => {
      const { reader } = await readerOf(ask);
      const group = await findGroup(billing, reader.id);
      if (group === undefined) return missing(site, ask);
      try {
        const done = await act({ groupId: group.subscription.id, by: reader.id }, ask);
        return redirect(303, `${PATHS.group}?done=${done}`, OWN);
      } catch (error) {
        if (error instanceof CallerError && error.status !== 404) return page(ask, sentence(error.message));
        throw error;
      }
    };
  }

  const seatField = async (ask: Ask) => {
    const id = (await ask.form()).field('seat') ?? '';
    if (!isUuid(id)) throw new NotFound('no-seat', 'there is no such seat');
    return id;
  };

  async function seat(ask: Ask, error?: string): Promise<Answer> {
    const token = ask.param('token');
    const { audience, session } = await site.asker(ask);
    const frame = site.frame(audience);
    const found = await findInvitation(billing, token);
    if (found === undefined) return ownPage(renderNoSeat({ frame }), 404);
    const { subscription } = found;
    const reader = session && (await findReader(db, { id: session.readerId }));
    const owner = await findReader(db, { id: subscription.readerId });
    const own = reader === undefined ? [] : await subscriptionsOf(db, reader.id);
    return ownPage(
      renderSeat({
        frame,
        token,
        group: subscription.buyer.name || owner?.email || 'Somebody',
        paysToo: own.some((one) => !isOver(one) && one.state !== 'incomplete' && one.id !== subscription.id),
        email: reader?.email,
        login: withNext(PATHS.login, seatPath(token)),
        register: withNext(PATHS.register, seatPath(token)),
        error,
      }),
      error === undefined ? 200 : 422,
    );
  }

  return [
    { method: 'GET', path: PATHS.subscribeGroup, who: 'anyone', handle: order },
    { method: 'GET', path: PATHS.group, who: 'reader', handle: (ask) => page(ask) },
    {
      method: 'POST',
      path: PATHS.groupInvitations,
      who: 'reader',
      handle: change(async (given, ask) => {
        const emails = ((await ask.form()).field('emails') ?? '').split(/[\s,;]+/u).filter(Boolean);
        await inviteToSeats(billing, { ...given, emails }, clock.now());
        return 'invited';
      }),
    },
    {
      method: 'POST',
      path: PATHS.groupSeatRemovals,
      who: 'reader',
      handle: change(async (given, ask) => {
        await withdrawSeat(billing, { ...given, seatId: await seatField(ask) }, clock.now());
        return 'seat-withdrawn';
      }),
    },
    {
      method: 'POST',
      path: PATHS.groupManagers,
      who: 'reader',
      handle: change(async (given, ask) => {
        const isManager = (await ask.form()).field('manager') === 'yes';
        await nameManager(billing, { ...given, seatId: await seatField(ask), isManager });
        return 'manager-named';
      }),
    },
    {
      method: 'POST',
      path: PATHS.groupReduction,
      who: 'reader',
      handle: change(async ({ by }, ask) => {
        const seats = Number((await ask.form()).field('seats') ?? '');
        await changeSeatsLater(billing, by, seats, 'reader', clock.now());
        return 'seats-changed';
      }),
    },
    {
      method: 'POST',
      path: PATHS.groupBuyer,
      who: 'reader',
      handle: change(async ({ by }, ask) => {
        await changeBuyer(billing, by, buyerIn(await ask.form()), 'reader', clock.now());
        return 'buyer-changed';
      }),
    },
    {
      method: 'POST',
      path: PATHS.groupGrowth,
      who: 'reader',
      handle: async (ask) => {
        const { reader } = await readerOf(ask);
        const seats = seatsIn((await ask.form()).field('seats'));
        if (seats === undefined) return redirect(303, PATHS.group, OWN);
        const begun = await beginPayment(billing, reader, clock.now(), { seats });
        if (begun.kind === 'pay') return redirect(303, begun.url, OWN);
        return redirect(303, begun.kind === 'nothing' ? PATHS.group : PATHS.accountPayment, OWN);
      },
    },
    { method: 'GET', path: `${PATHS.seats}/:token`, who: 'anyone', handle: (ask) => seat(ask) },
    {
      method: 'POST',
      path: `${PATHS.seats}/:token`,
      who: 'reader',
      handle: async (ask) => {
        const { reader } = await readerOf(ask);
        try {
          await acceptSeat(billing, ask.param('token'), reader, clock.now());
        } catch (error) {
          if (error instanceof CallerError) return seat(ask, sentence(error.message));
          throw error;
        }
        return redirect(303, `${PATHS.account}?done=seat-taken`, OWN);
      },
    },
    {
      method: 'POST',
      path: PATHS.seatEnding,
      who: 'reader',
      handle: async (ask) => {
        const { reader } = await readerOf(ask);
        const form = await ask.form();
        const [groupId = '', seatId = ''] = [form.field('group'), form.field('seat')];
        if (!isUuid(groupId) || !isUuid(seatId)) return missing(site, ask);
        await withdrawSeat(billing, { groupId, seatId, by: reader.id }, clock.now());
        return redirect(303, `${PATHS.account}?done=seat-given-up`, OWN);
      },
    },
  ];
}

/** A company's details as a form sends them. */
export function buyerIn(form: { field(name: string): string | undefined }) {
  const text = (name: string, most: number) => (form.field(name) ?? '').trim().slice(0, most);
  return {
    name: text('buyer_name', 200),
    address: text('buyer_address', 500).replace(/\r\n?/g, '\n'),
    gstin: text('buyer_gstin', 20).toUpperCase().replace(/\s/g, ''),
  };
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
