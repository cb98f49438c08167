import {
  creditNotesOf,
  findReceipt,
  invoicesOf,
  isOver,
  paymentsOf,
  seatsOfReader,
  subscriptionsOf,
} from '#billing';
import { endOf, listGrants } from '#entitlements';
import { deleteReader, personalData } from '#personal-data';
import { type Answer, type Ask, answer, type Route, redirect } from '#platform/http';
import {
  type BrowserFacts,
  endSession,
  endSessions,
  findReader,
  listSessions,
  type ReaderAccount,
  type SignedIn,
} from '#readers';
import { Conflict, Invalid } from '#values/errors';
import { jsonValue } from '#values/json';
import { dayAt } from '#values/term';
import type { Asker } from './asker.ts';
import { nextPath, pathFrom } from './next-path.ts';
import {
  isAccountNote,
  renderAccount,
  renderAddress,
  renderDeletion,
  renderDevices,
  renderPassword,
  renderReceipt,
} from './pages/account-page.tsx';
import {
  renderCode,
  renderInvitation,
  renderLogin,
  renderRegister,
  renderReset,
} from './pages/login-page.tsx';
import { lastDay, SubscriptionSection } from './pages/subscription-section.tsx';
import type { Site } from './parts.ts';
import { missing, ownPage, PRIVATE } from './plain-answers.ts';
import { invitationPath, PATHS } from './urls.ts';

/** A reader's answer that is nobody else's: never kept, and never taken for another page. */
const OWN = [...PRIVATE, 'X-Robots-Tag', 'noindex'];
/** What a browser kept of pages from before it signed in or out would show the wrong masthead. */
const FORGET_PAGES = ['Clear-Site-Data', '"cache"'];

const WRONG_PAIR = 'That address and password do not belong together.';
const NO_ADDRESS = 'That is no e-mail address. Please look at it again.';
const SHORT_PASSWORD = 'A password has 8 to 128 characters.';
const UNDER_WAY =
  'A payment of yours is being decided on just now. Once it is, you can delete the account: please come back in a while.';
const CODE_WORDS = {
  'wrong-code': 'That is not the code, or it is too old. Please look again, or have a new one sent.',
  'code-used-up': 'That was tried too often, and the code is void. Please have a new one sent.',
  'nothing-waits': 'No code is waiting in this browser. Please have a new one sent.',
  'bad-password': SHORT_PASSWORD,
} as const;

/** Opening an account, signing in and out, and what a reader changes about the account. */
export function accountRoutes(site: Site): Route[] {
  const { access, clock, cookies, readers } = site;
  const { db } = site.database;

  const browserOf = (ask: Ask): BrowserFacts => ({
    userAgent: ask.header('user-agent') ?? '',
    address: ask.address,
  });
  const nonceOf = (ask: Ask) => ask.cookies(cookies.code.name)[0] ?? '';
  const policyOf = () => access.policy().meters.main;

  /** The first day on which no gift is read by any more, in the paper's zone. */
  async function giftUntil(readerId: string): Promise<Temporal.PlainDate | undefined> {
    const now = clock.now();
    const ends = (await listGrants(db, readerId))
      .filter(({ source }) => source === 'gift')
      .map(endOf)
      .filter((end) => Temporal.Instant.compare(now, end) < 0)
      .toSorted(Temporal.Instant.compare);
    const last = ends.at(-1);
    return last && dayAt(last, site.publication().zone);
  }

  /** Where to go on: as the link says, or the page it was followed from. */
  const nextOf = (ask: Ask) => nextPath(ask.query('next') ?? pathFrom(ask.header('referer'), site.baseUrl));

  /** Who comes to the door signed in already has nothing to do there. */
  async function atDoor(ask: Ask, page: (next: string) => string): Promise<Answer> {
    const { session } = await site.askerOrStranger(ask);
    const next = nextOf(ask);
    return session === undefined
      ? ownPage(page(next))
      : redirect(303, next === '/' ? PATHS.account : next, OWN);
  }

  /**
   * The visitor's reads become the reader's before the browser is told that it is signed in; and the session that it
   * had before, whoever gave it that, is over (OWASP ASVS 7.2.4).
   */
  async function enter(done: SignedIn, ask: Ask): Promise<Answer> {
    await access.claim(site.visitor(ask), done.readerId);
    const { session } = await site.asker(ask);
    if (session !== undefined) await readers.signOut(session);
    const answer = redirect(303, nextPath(done.next), [...OWN, ...FORGET_PAGES]);
    return { ...answer, cookies: [cookies.session.setting(done.cookie), cookies.code.clearing] };
  }

  async function logIn(ask: Ask): Promise<Answer> {
    const form = await ask.form();
    const email = form.field('email') ?? '';
    const next = nextPath(form.field('next'));
    const again = (error: string) => ownPage(renderLogin({ frame: site.frame(), next, email, error }), 422);
    try {
      const password = form.field('password') ?? '';
      const done = await readers.signIn({ email, password, next }, browserOf(ask));
      return done === undefined ? again(WRONG_PAIR) : enter(done, ask);
    } catch (error) {
      if (error instanceof Invalid) return again(error.code === 'bad-address' ? NO_ADDRESS : WRONG_PAIR);
      throw error;
    }
  }

  /** The same answer for every address: that a code is on its way. */
  async function sendCode(ask: Ask, purpose: 'register' | 'sign-in' | 'reset'): Promise<Answer> {
    const form = await ask.form();
    const email = form.field('email') ?? '';
    const next = nextPath(form.field('next'));
    const password = form.field('password');
    try {
      const given = { purpose, email, next, ...(password === undefined ? {} : { password }) };
      const nonce = await readers.askForCode(given, browserOf(ask));
      return { ...redirect(303, PATHS.loginCode, OWN), cookies: [cookies.code.setting(nonce)] };
    } catch (error) {
      if (!(error instanceof Invalid)) throw error;
      const isAddress = error.code === 'bad-address';
      const frame = site.frame();
      const door = { frame, next, email, error: isAddress ? NO_ADDRESS : undefined };
      const html =
        purpose === 'register'
          ? renderRegister({
              ...door,
              limit: policyOf()?.readers ?? 0,
              passwordError: isAddress ? undefined : SHORT_PASSWORD,
            })
          : purpose === 'reset'
            ? renderReset(door)
            : renderLogin(door);
      return ownPage(html, 422);
    }
  }

  async function codePage(ask: Ask): Promise<Answer> {
    const waiting = await readers.waitingFor(nonceOf(ask));
    if (waiting === undefined) return redirect(303, PATHS.login, OWN);
    const { email, next, purpose } = waiting;
    return ownPage(renderCode({ frame: site.frame(), email, purpose, next }));
  }

  async function enterCode(ask: Ask): Promise<Answer> {
    const form = await ask.form();
    const nonce = nonceOf(ask);
    const waiting = await readers.waitingFor(nonce);
    const code = (form.field('code') ?? '').replaceAll(/\s/g, '');
    const done = await readers.enterCode(
      nonce,
      { code, newPassword: form.field('password') },
      browserOf(ask),
    );
    if (done.kind === 'signed-in') return enter(done, ask);
    const frame = site.frame();
    if (waiting === undefined) {
      const error = CODE_WORDS['nothing-waits'];
      return ownPage(renderLogin({ frame, next: '/', error }), 422);
    }
    const { email, next, purpose } = waiting;
    const words = CODE_WORDS[done.kind];
    return ownPage(
      renderCode({
        frame,
        email,
        purpose,
        next,
        ...(done.kind === 'bad-password' ? { passwordError: words } : { error: words }),
      }),
      422,
    );
  }

  /** Nothing is used up by looking: programs that check links in mails do that too. */
  async function invitationPage(ask: Ask, passwordError?: string): Promise<Answer> {
    const token = ask.param('token');
    const email = await readers.invitedWith(token);
    const page = {
      frame: site.frame(),
      path: invitationPath(encodeURIComponent(token)),
      email,
      passwordError,
    };
    return ownPage(
      renderInvitation(page),
      email === undefined ? 410 : passwordError === undefined ? 200 : 422,
    );
  }

  async function acceptInvitation(ask: Ask): Promise<Answer> {
    const password = (await ask.form()).field('password') ?? '';
    const given = { password, next: PATHS.account };
    const done = await readers.acceptInvitation(ask.param('token'), given, browserOf(ask));
    if (done.kind === 'signed-in') return enter(done, ask);
    return invitationPage(ask, done.kind === 'bad-password' ? SHORT_PASSWORD : undefined);
  }

  async function signOut(ask: Ask): Promise<Answer> {
    const { session } = await site.asker(ask);
    const cookiesToSet = [cookies.session.clearing];
    if (session !== undefined) {
      const visitor = await access.carry(session.readerId, site.visitor(ask));
      if (visitor !== undefined) cookiesToSet.push(cookies.visitor.setting(visitor));
      await readers.signOut(session);
    }
    return {
      ...redirect(303, PATHS.front, [...OWN, 'Clear-Site-Data', '"cache", "storage"']),
      cookies: cookiesToSet,
    };
  }

  type Own = {
    readonly asker: Asker & { session: NonNullable<Asker['session']> };
    readonly reader: ReaderAccount;
  };

  /** A page of who is signed in; the route has seen to it that somebody is. */
  function own(path: string, method: 'GET' | 'POST', handle: (ask: Ask, own: Own) => Promise<Answer>): Route {
    return {
      method,
      path,
      who: 'reader',
      handle: async (ask) => {
        const asker = await site.asker(ask);
        const { session } = asker;
        const reader = session && (await findReader(db, { id: session.readerId }));
        if (session === undefined || reader === undefined) return redirect(303, PATHS.login, OWN);
        return handle(ask, { asker: { ...asker, session }, reader });
      },
    };
  }

  /** What a reader loses besides the account. */
  async function running(readerId: string): Promise<string | undefined> {
    const current = (await subscriptionsOf(db, readerId)).find((one) => !isOver(one) && one.paidThroughOn);
    if (current?.paidThroughOn === undefined) return undefined;
    const until = lastDay(current.paidThroughOn, site.publication().language);
    return `Your subscription is paid until ${until}. It goes with the account, and what is left of it is not paid back.`;
  }

  const done = (path: string, note: string) => redirect(303, `${path}?done=${note}`, OWN);
  const noteOf = (ask: Ask) => {
    const note = ask.query('done');
    return isAccountNote(note) ? note : undefined;
  };

  return [
    {
      method: 'GET',
      path: PATHS.login,
      who: 'anyone',
      handle: (ask) => atDoor(ask, (next) => renderLogin({ frame: site.frame(), next })),
    },
    { method: 'POST', path: PATHS.login, who: 'anyone', handle: logIn },
    {
      method: 'GET',
      path: PATHS.register,
      who: 'anyone',
      handle: (ask) =>
        atDoor(ask, (next) => renderRegister({ frame: site.frame(), next, limit: policyOf()?.readers ?? 0 })),
    },
    { method: 'POST', path: PATHS.register, who: 'anyone', handle: (ask) => sendCode(ask, 'register') },
    {
      method: 'GET',
      path: PATHS.reset,
      who: 'anyone',
      handle: (ask) => atDoor(ask, (next) => renderReset({ frame: site.frame(), next })),
    },
    {
      method: 'POST',
      path: PATHS.codeRequests,
      who: 'anyone',
      handle: async (ask) => {
        const purpose = (await ask.form()).field('purpose');
        return sendCode(ask, purpose === 'reset' ? 'reset' : 'sign-in');
      },
    },
    { method: 'GET', path: PATHS.loginCode, who: 'anyone', handle: codePage },
    { method: 'POST', path: PATHS.loginCode, who: 'anyone', handle: enterCode },
    { method: 'GET', path: invitationPath(':token'), who: 'anyone', handle: (ask) => invitationPage(ask) },
    { method: 'POST', path: invitationPath(':token'), who: 'anyone', handle: acceptInvitation },
    { method: 'POST', path: PATHS.signOut, who: 'anyone', handle: signOut },
    own(PATHS.account, 'GET', async (ask, { asker, reader }) => {
      const devices = await listSessions(db, reader.id);
      const frame = site.frame(asker.audience);
      const [subscription] = await subscriptionsOf(db, reader.id);
      const payments = await paymentsOf(db, reader.id);
      const documents = [
        ...(await invoicesOf(db, reader.id)),
        ...(await creditNotesOf(db, reader.id)),
      ].toSorted((a, b) => Temporal.PlainDate.compare(b.issuedOn, a.issuedOn));
      return ownPage(
        renderAccount({
          frame,
          reader,
          devices: devices.length,
          note: noteOf(ask),
          subscription: SubscriptionSection({
            frame,
            subscription,
            payments,
            documents,
            giftUntil: await giftUntil(reader.id),
            seats: await seatsOfReader(db, reader.id),
            today: access.today(),
          }),
        }),
      );
    }),
    own(`${PATHS.accountReceipts}/:payment`, 'GET', async (ask, { asker, reader }) => {
      const receipt = await findReceipt(site.billing, reader.id, ask.param('payment'));
      // Another reader's payment is as if it did not exist.
      if (receipt === undefined) return missing(site, ask);
      return ownPage(renderReceipt({ frame: site.frame(asker.audience), receipt, reader }));
    }),
    own(PATHS.accountDevices, 'GET', async (ask, { asker, reader }) =>
      ownPage(
        renderDevices({
          frame: site.frame(asker.audience),
          devices: await listSessions(db, reader.id),
          current: asker.session.id,
          note: noteOf(ask),
        }),
      ),
    ),
    own(`${PATHS.accountDevices}/ending`, 'POST', async (_, { asker, reader }) => {
      await endSessions(db, reader.id, asker.session.id);
      return done(PATHS.accountDevices, 'others-ended');
    }),
    own(`${PATHS.accountDevices}/:session/ending`, 'POST', async (ask, { reader }) => {
      const id = ask.param('session');
      if (UUID.test(id)) await endSession(db, reader.id, id);
      return done(PATHS.accountDevices, 'device-ended');
    }),
    own(PATHS.accountEmail, 'GET', async (_, { asker, reader }) =>
      ownPage(renderAddress({ frame: site.frame(asker.audience), reader })),
    ),
    own(PATHS.accountEmail, 'POST', async (ask, { asker, reader }) => {
      const form = await ask.form();
      const email = form.field('email') ?? '';
      const again = (error: string) =>
        ownPage(renderAddress({ frame: site.frame(asker.audience), reader, email, error }), 422);
      try {
        const given = { newEmail: email, password: form.field('password') ?? '', next: PATHS.account };
        const nonce = await readers.askToChangeAddress(asker.session, given, browserOf(ask));
        if (nonce === 'wrong-password') return again('That is not your password.');
        return {
          ...redirect(303, `${PATHS.accountEmail}/code`, OWN),
          cookies: [cookies.code.setting(nonce)],
        };
      } catch (error) {
        if (error instanceof Invalid) return again(NO_ADDRESS);
        throw error;
      }
    }),
    own(`${PATHS.accountEmail}/code`, 'GET', async (ask, { asker }) => {
      const waiting = await readers.waitingFor(nonceOf(ask));
      if (waiting?.purpose !== 'address') return redirect(303, PATHS.accountEmail, OWN);
      const frame = site.frame(asker.audience);
      return ownPage(renderCode({ frame, email: waiting.email, purpose: 'address' }));
    }),
    own(`${PATHS.accountEmail}/code`, 'POST', async (ask, { asker }) => {
      const nonce = nonceOf(ask);
      const waiting = await readers.waitingFor(nonce);
      const code = ((await ask.form()).field('code') ?? '').replaceAll(/\s/g, '');
      const outcome = await readers.changeAddress(asker.session, nonce, code, browserOf(ask));
      if (outcome === 'changed') {
        return { ...done(PATHS.account, 'address-changed'), cookies: [cookies.code.clearing] };
      }
      const frame = site.frame(asker.audience);
      const email = waiting?.email;
      return ownPage(renderCode({ frame, email, purpose: 'address', error: CODE_WORDS[outcome] }), 422);
    }),
    own(PATHS.accountPassword, 'GET', async (_, { asker, reader }) =>
      ownPage(renderPassword({ frame: site.frame(asker.audience), reader })),
    ),
    own(PATHS.accountPassword, 'POST', async (ask, { asker, reader }) => {
      const form = await ask.form();
      const again = (error: string) =>
        ownPage(renderPassword({ frame: site.frame(asker.audience), reader, error }), 422);
      try {
        const given = { current: form.field('current') ?? '', next: form.field('password') ?? '' };
        const outcome = await readers.changePassword(asker.session, given, browserOf(ask));
        return outcome === 'changed'
          ? done(PATHS.account, 'password-changed')
          : again('That is not the password that you have.');
      } catch (error) {
        if (error instanceof Invalid) return again(SHORT_PASSWORD);
        throw error;
      }
    }),
    own(PATHS.accountData, 'GET', async (_, { reader }) => {
      const data = await personalData(db, reader.id, clock.now());
      return answer(200, 'application/json', `${JSON.stringify(data, jsonValue, 2)}\n`, [
        ...OWN,
        'Content-Disposition',
        'attachment; filename="my-account.json"',
      ]);
    }),
    own(PATHS.accountDeletion, 'GET', async (_, { asker, reader }) =>
      ownPage(
        renderDeletion({ frame: site.frame(asker.audience), reader, running: await running(reader.id) }),
      ),
    ),
    own(PATHS.accountDeletion, 'POST', async (ask, { asker, reader }) => {
      const form = await ask.form();
      const proven = reader.hasPassword
        ? await readers.proves(asker.session, form.field('password') ?? '', browserOf(ask))
        : (form.field('email') ?? '').trim().toLowerCase() === reader.email;
      if (!proven) {
        const frame = site.frame(asker.audience);
        const error = reader.hasPassword ? 'That is not your password.' : 'That is not your address.';
        return ownPage(renderDeletion({ frame, reader, running: await running(reader.id), error }), 422);
      }
      try {
        await deleteReader(site.billing, reader.id, 'reader', clock.now());
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        const frame = site.frame(asker.audience);
        return ownPage(
          renderDeletion({ frame, reader, running: await running(reader.id), error: UNDER_WAY }),
          409,
        );
      }
      return {
        ...redirect(303, PATHS.front, [...OWN, 'Clear-Site-Data', '"cache", "storage"']),
        cookies: [cookies.session.clearing],
      };
    }),
  ];
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
